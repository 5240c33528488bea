/* SPDX-License-Identifier: BSD-3-Clause */

/* The lock is on an open file, so it ends with the process, however that ends. */

#include "transitd/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define LOG "run-dir"

struct run_dir {
	char *lock_path;
	int fd;
};

int make_dir(const char *path, mode_t mode)
{
	char *copy = xstrdup(path);
	struct stat st;
	int rc = 0;

	for (char *slash = strchr(copy + 1, '/'); slash && rc == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			rc = -errno;
		*slash = '/';
	}
	if (rc == 0 && mkdir(copy, mode) < 0)
		rc = errno != EEXIST      ? -errno
		    : stat(copy, &st) < 0 ? -errno
		    : S_ISDIR(st.st_mode) ? 0
					  : -ENOTDIR;
	free(copy);
	return rc;
}

/* Who holds the lock, as far as the file tells. */
static void tell_holder(const struct run_dir *d, const char *path)
{
	char pid[16] = "";
	ssize_t n = pread(d->fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
	log_write(LOG_ERROR, LOG, NULL,
	    "%s: another transitd runs here (process %s); `system.run-dir` lets two run side by "
	    "side",
	    path, pid[0] ? pid : "unknown");
}

static int lock(struct run_dir *d, const char *path)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	d->fd = open(d->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (d->fd < 0) {
		int rc = -errno;
		log_write(LOG_ERROR, LOG, NULL, "%s: %s", d->lock_path, strerror(-rc));
		return rc;
	}
	if (flock(d->fd, LOCK_EX | LOCK_NB) < 0) {
		tell_holder(d, path);
		return -EBUSY;
	}
	if (ftruncate(d->fd, 0) < 0 || pwrite(d->fd, pid, (size_t)n, 0) != n)
		log_write(LOG_WARNING, LOG, NULL, "%s cannot be written", d->lock_path);
	return 0;
}

struct run_dir *run_dir_enter(const char *path)
{
	struct run_dir *d = xcalloc(1, sizeof(*d));
	int rc = make_dir(path, 0750);

	d->fd = -1;
	if (asprintf(&d->lock_path, "%s/transitd.lock", path) < 0)
		abort();
	if (rc < 0)
		log_write(LOG_ERROR, LOG, NULL, "%s: %s", path, strerror(-rc));
	else
		rc = lock(d, path);
	if (rc == 0)
		return d;
	run_dir_leave(d);
	errno = -rc;
	return NULL;
}

void run_dir_leave(struct run_dir *d)
{
	if (!d)
		return;
	if (d->fd >= 0)
		close(d->fd);
	free(d->lock_path);
	free(d);
}
