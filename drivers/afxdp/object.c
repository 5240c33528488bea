/* SPDX-License-Identifier: BSD-3-Clause */

/* The compiled XDP program, which is part of this one: there is no file that could be of another version. */

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "afxdp/object.h"

static const unsigned char object[] = {
#include "steer_object.inc"
};

int steer_object_open(void)
{
	int fd = memfd_create("transitd-steer", MFD_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, object, sizeof(object));

	if (n == (ssize_t)sizeof(object))
		return fd;
	int rc = fd < 0 ? -errno : n < 0 ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	return rc;
}
