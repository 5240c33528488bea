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

struct run_dir {
	const char *key; /* of `system`, and tag of its log lines */
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
	log_write(LOG_ERROR, d->key, NULL,
	    "%s: another transitd runs here (process %s); `system.%s` lets two run side by side",
	    path, pid[0] ? pid : "unknown", d->key);
}

static int lock(struct run_dir *d, const char *path)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	d->fd = open(d->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (d->fd < 0) {
		int rc = -errno;
		log_write(LOG_ERROR, d->key, NULL, "%s: %s", d->lock_path, strerror(-rc));
		return rc;
	}
	if (flock(d->fd, LOCK_EX | LOCK_NB) < 0) {
		tell_holder(d, path);
		return -EBUSY;
	}
	if (ftruncate(d->fd, 0) < 0 || pwrite(d->fd, pid, (size_t)n, 0) != n)
		log_write(LOG_WARNING, d->key, NULL, "%s cannot be written", d->lock_path);
	return 0;
}

static struct run_dir *enter(const char *key, const char *path, mode_t mode, const char *lock_name)
{
	struct run_dir *d = xcalloc(1, sizeof(*d));
	int rc = make_dir(path, mode);

	d->key = key;
	d->fd = -1;
	if (asprintf(&d->lock_path, "%s/%s", path, lock_name) < 0)
		abort();
	if (rc < 0)
		log_write(LOG_ERROR, key, NULL, "%s: %s", path, strerror(-rc));
	else
		rc = lock(d, path);
	if (rc == 0)
		return d;
	run_dir_leave(d);
	errno = -rc;
	return NULL;
}

struct run_dir *run_dir_enter(const char *path)
{
	return enter("run-dir", path, 0750, "transitd.lock");
}

struct run_dir *state_dir_enter(const char *path)
{
	return enter("state-dir", path, 0700, "state.lock");
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
