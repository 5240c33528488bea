/* SPDX-License-Identifier: BSD-3-Clause */

/* The listening end of the control socket: who owns the path, and with which mode. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/listener.h>

#include "api/internal.h"
#include "base/log.h"
#include "base/text.h"

#define LOG     "api"
#define BACKLOG 128 /* below API_CLIENTS_MAX: one wave of newcomers never evicts itself */

/* 0 when the path is free or was left by a process that is gone and could be removed. */
static int clear_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? errno : 0;
	close(fd);
	if (rc == ECONNREFUSED) /* nobody listens */
		return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
	return rc == 0 || rc == EAGAIN ? -EADDRINUSE : -rc;
}

/* Bound with mode 0660 from the first moment. The socket, or -errno. */
static int bind_path(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int rc;

	if (fd < 0)
		return -errno;
	mask = umask(0117);
	rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
	umask(mask);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static void on_accept(
    struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
	client_accept(arg, fd);
}

/* Mostly no file descriptors left: those who are connected stay served. */
static void on_error(struct evconnlistener *listener, void *arg)
{
	static struct log_limit limit = {.interval_ns = DUR_S(10), .burst = 1};
	int error = errno;

	if (log_limit(&limit, mono_now(), NULL))
		log_write(
		    LOG_WARNING, LOG, NULL, "a client could not be accepted: %s", strerror(error));
}

int listen_init(struct api *api, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	int rc;

	if (!text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return -ENAMETOOLONG;
	rc = clear_stale(&addr);
	if (rc < 0)
		return rc;
	int fd = bind_path(&addr);
	if (fd < 0)
		return fd;
	api->listener = evconnlistener_new(
	    api->base, on_accept, api, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
	if (!api->listener) {
		close(fd);
		unlink(path);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(api->listener, on_error);
	text_copy(api->path, sizeof(api->path), path);
	if (stat(path, &st) == 0)
		api->inode = st.st_ino;
	return 0;
}

void listen_fini(struct api *api)
{
	struct stat st;

	evconnlistener_free(api->listener);
	if (lstat(api->path, &st) == 0 && st.st_ino == api->inode)
		unlink(api->path);
}
