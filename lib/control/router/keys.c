/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Pre-shared keys that the startup file leaves out: made once of 16 printable characters (X5), kept in the state
 * directory with mode 0600, the same from then on (T12). The file is written beside, renamed, and both are on the disk
 * before the key is used: a crash leaves no key or the one that was used.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "router/internal.h"

#define LOG "keys"

#define PSK_MADE_CHARS 16

static int read_key(const char *path, char out[CONF_PSK_MAX + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, out, CONF_PSK_MAX);
	close(fd);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return *out ? 0 : -EINVAL;
}

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_key(const char *path, const char *key)
{
	char beside[512];
	int rc = 0;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	size_t len = strlen(key);
	ssize_t n = write(fd, key, len);
	if (n < 0 || fsync(fd) < 0)
		rc = -errno;
	else if ((size_t)n != len)
		rc = -ENOSPC;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(beside, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(beside);
	return rc;
}

static void make_key(struct rng *rng, char out[CONF_PSK_MAX + 1])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (unsigned i = 0; i < PSK_MADE_CHARS; i++)
		out[i] = alphabet[rng_below(rng, sizeof(alphabet) - 1)];
	out[PSK_MADE_CHARS] = '\0';
}

int psk_load_or_make(const char *state_dir, const char *connection, unsigned tunnel,
    struct rng *rng, char out[CONF_PSK_MAX + 1])
{
	char path[400];
	int rc;

	if (mkdir(state_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (snprintf(path, sizeof(path), "%s/psk-%s-%u", state_dir, connection, tunnel) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	rc = read_key(path, out);
	if (rc != -ENOENT)
		return rc;
	make_key(rng, out);
	rc = write_key(path, out);
	if (rc == 0)
		rc = sync_directory(state_dir);
	if (rc == 0)
		log_write(LOG_NOTICE, LOG, connection,
		    "pre-shared key of tunnel %u generated, kept in %s", tunnel, path);
	return rc;
}
