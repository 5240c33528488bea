/* SPDX-License-Identifier: BSD-3-Clause */

#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

#define CLOSING_MAX 64

struct state_change {
	char *path;   /* links resolved */
	char *beside; /* written, on the disk, not yet of that name */
};

/* FNV-1a, 64 bits. */
uint64_t state_hash(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ at[i]) * 0x100000001b3u;
	return h;
}

static int closing_line(const char *bytes, size_t len, char out[CLOSING_MAX])
{
	return snprintf(
	    out, CLOSING_MAX, "\n# end %zu %016" PRIx64 "\n", len, state_hash(bytes, len));
}

/* ---- reading ---- */

static int read_all(int fd, char **bytes, size_t *len)
{
	size_t capacity = 16384, have = 0;
	char *room = xmalloc(capacity);
	ssize_t n;

	while ((n = read(fd, room + have, capacity - have - 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || have + (size_t)n > STATE_BYTES_MAX) {
			int rc = n < 0 ? -errno : -EFBIG;

			secret_free(room, capacity);
			return rc;
		}
		have += (size_t)n;
		if (have + 1 == capacity) {
			char *wider = xmalloc(2 * capacity);

			memcpy(wider, room, have);
			secret_free(room, capacity);
			room = wider;
			capacity *= 2;
		}
	}
	room[have] = '\0';
	*bytes = room;
	*len = have;
	return 0;
}

int state_slurp(const char *path, char **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : read_all(fd, bytes, len);

	if (fd >= 0)
		close(fd);
	return rc;
}

int state_read(const char *dir, const char *name, char **bytes, size_t *len)
{
	char *path, expected[CLOSING_MAX];
	size_t all;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	int rc = state_slurp(path, bytes, &all);
	free(path);
	if (rc < 0)
		return rc;
	/* The last line begins behind the last newline but one. */
	const char *end = all && (*bytes)[all - 1] == '\n' ? memrchr(*bytes, '\n', all - 1) : NULL;
	*len = end ? (size_t)(end - *bytes) : 0;
	if (end && strlen(end) == all - *len) {
		closing_line(*bytes, *len, expected);
		if (strcmp(end, expected) == 0) {
			memset(*bytes + *len, 0, all - *len);
			return 0;
		}
	}
	secret_free(*bytes, all + 1);
	*bytes = NULL;
	*len = 0;
	return -EBADMSG;
}

/* ---- writing ---- */

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A new file with these bytes, and with `more` behind them; on the disk when the call returns. 0 or -errno. */
static int write_beside(const char *path, const char *bytes, size_t len, const char *more,
    const struct stat *like, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	int rc = fd < 0 ? -errno : 0;

	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = -errno;
	if (rc == 0 && like && fchown(fd, like->st_uid, like->st_gid) < 0 && errno != EPERM)
		rc = -errno;
	if (rc == 0)
		rc = write_all(fd, bytes, len);
	if (rc == 0)
		rc = write_all(fd, more, strlen(more));
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0 && fd >= 0)
		unlink(path);
	return rc;
}

/* The entries of the directory that the file is in. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == path ? xstrdup("/")
	    : slash               ? strndup(path, (size_t)(slash - path))
				  : xstrdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(dir);
	return rc;
}

static int change_names(const char *beside, const char *path)
{
	if (rename(beside, path) < 0) {
		int rc = -errno;

		unlink(beside);
		return rc;
	}
	return sync_directory(path);
}

int state_write(const char *dir, const char *name, const void *bytes, size_t len)
{
	char *path, *beside, closing[CLOSING_MAX];

	if (asprintf(&path, "%s/%s", dir, name) < 0 || asprintf(&beside, "%s.new", path) < 0)
		abort();
	closing_line(bytes, len, closing);
	int rc = write_beside(beside, bytes, len, closing, NULL, 0600);
	if (rc == 0)
		rc = change_names(beside, path);
	free(path);
	free(beside);
	return rc;
}

int state_remove(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	int rc = unlink(path) < 0 ? -errno : sync_directory(path);
	free(path);
	return rc == -ENOENT ? 0 : rc;
}

struct state_change *state_change_begin(
    const char *path, const void *bytes, size_t len, mode_t mode, int *err)
{
	struct state_change *c = xcalloc(1, sizeof(*c));
	struct stat like;

	c->path = realpath(path, NULL);
	bool there = c->path && stat(c->path, &like) == 0;
	if (!c->path)
		c->path = xstrdup(path);
	if (asprintf(&c->beside, "%s.new", c->path) < 0)
		abort();
	*err = write_beside(
	    c->beside, bytes, len, "", there ? &like : NULL, there ? like.st_mode & 0777 : mode);
	if (*err == 0)
		return c;
	free(c->path);
	free(c->beside);
	free(c);
	return NULL;
}

int state_change_commit(struct state_change *c)
{
	if (!c)
		return 0;
	int rc = change_names(c->beside, c->path);
	free(c->path);
	free(c->beside);
	free(c);
	return rc;
}

void state_change_abandon(struct state_change *c)
{
	if (!c)
		return;
	unlink(c->beside);
	free(c->path);
	free(c->beside);
	free(c);
}
