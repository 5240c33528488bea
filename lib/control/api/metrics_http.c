/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The HTTP end: libmicrohttpd without threads of its own. Its epoll descriptor is an event of our loop, its time-outs are a
 * timer of it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include "api/metrics.h"
#include "base/log.h"
#include "base/mem.h"

#define LOG "metrics"

#define CLIENTS_MAX  16
#define CLIENT_BYTES (16 * 1024)
#define CLIENT_S     10 /* seconds without progress */

static const char open_metrics[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
static const char plain_text[] = "text/plain; charset=utf-8";

struct metrics {
	struct api *api;
	struct MHD_Daemon *http;
	struct event *ready;
	struct event *later;
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type,
    const char *text, enum MHD_ResponseMemoryMode memory)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, memory);
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *body, size_t *body_len, void **state)
{
	static int seen;
	struct metrics *m = arg;

	if (!*state) { /* headers alone so far: wait for the rest */
		*state = &seen;
		return MHD_YES;
	}
	if (*body_len) { /* nobody has anything to tell us */
		*body_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, plain_text, "GET /metrics\n",
		    MHD_RESPMEM_PERSISTENT);
	if (strcmp(url, "/metrics") != 0)
		return answer(
		    c, MHD_HTTP_NOT_FOUND, plain_text, "GET /metrics\n", MHD_RESPMEM_PERSISTENT);
	return answer(c, MHD_HTTP_OK, open_metrics, metrics_text(m->api), MHD_RESPMEM_MUST_FREE);
}

/* One turn of the server, and when the next one is due without anything happening. */
static void turn(struct metrics *m)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(m->http);
	if (MHD_get_timeout(m->http, &ms) == MHD_YES) {
		struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

		event_add(m->later, &after);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	turn(arg);
}

static socklen_t sockaddr_of(
    const struct ip_addr *address, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (address->family == IP_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, address->bytes, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->bytes, 16);
	return sizeof(*v6);
}

/* Our own listening socket: the library's would not say why it failed. */
static int listen_on(const struct ip_addr *address, uint16_t port)
{
	struct sockaddr_storage addr;
	socklen_t len = sockaddr_of(address, port, &addr);
	int on = 1, fd, rc;

	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, len) == 0 && listen(fd, CLIENTS_MAX) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int serve(struct metrics *m, struct event_base *base, int fd)
{
	const union MHD_DaemonInfo *info;

	m->http = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, m,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)CLIENT_S, MHD_OPTION_END);
	if (!m->http) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(m->http, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -ENOTSUP;
	m->ready = event_new(base, info->epoll_fd, EV_READ | EV_PERSIST, on_ready, m);
	m->later = evtimer_new(base, on_ready, m);
	return m->ready && m->later && event_add(m->ready, NULL) == 0 ? 0 : -ENOMEM;
}

struct metrics *metrics_create(
    struct event_base *base, struct api *api, const struct ip_addr *address, uint16_t port)
{
	struct metrics *m = xcalloc(1, sizeof(*m));
	int rc = listen_on(address, port);

	m->api = api;
	if (rc >= 0)
		rc = serve(m, base, rc);
	if (rc == 0)
		return m;
	metrics_free(m);
	errno = -rc;
	return NULL;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	if (m->ready)
		event_free(m->ready);
	if (m->later)
		event_free(m->later);
	if (m->http)
		MHD_stop_daemon(m->http);
	free(m);
}
