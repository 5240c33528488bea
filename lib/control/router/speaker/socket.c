/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sockets of the BGP sessions. libevent says that a socket can be read; reading is done in rounds (speaker.c), one
 * connection after the other, so that a peer with much to say does not hold up the others or the rest of the control
 * lcore. What the engine did not take is offered again before more is read: TCP then slows the peer down. What the
 * kernel does not take is asked for again when the socket is writable.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "router/speaker/speaker.h"

#define LOG "bgp"

#define CLOSING_MAX DUR_S(2) /* for the last words to arrive */

static struct list *bucket_of(struct speaker *s, bgp_conn name)
{
	return &s->bucket[(name >> 17) % SPEAKER_BUCKETS];
}

static struct speaker_conn *conn_of(struct speaker *s, bgp_conn name)
{
	struct speaker_conn *c;

	list_for (c, bucket_of(s, name), node) {
		if (c->name == name)
			return c;
	}
	return NULL;
}

static void conn_free(struct speaker_conn *c)
{
	list_remove(&c->node);
	list_remove(&c->ready);
	event_free(c->read_event);
	event_free(c->write_event);
	close(c->fd);
	free(c->rest);
	free(c);
}

/* ---- events ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct speaker_conn *c = arg;

	if (list_is_empty(&c->ready))
		list_append(&c->speaker->ready, &c->ready);
}

static void open_now(struct speaker_conn *c)
{
	c->state = CONN_OPEN;
	event_add(c->read_event, NULL);
	bgp_connected(c->speaker->engine, mono_now(), c->name, &c->local);
}

static void connect_failed(struct speaker_conn *c)
{
	struct speaker *s = c->speaker;
	bgp_conn name = c->name;

	conn_free(c);
	bgp_connect_failed(s->engine, mono_now(), name);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct speaker_conn *c = arg;
	int rc = c->state == CONN_CONNECTING ? host_connect_result(c->fd) : 0;

	if (rc == -EINPROGRESS)
		event_add(c->write_event, NULL);
	else if (rc < 0)
		connect_failed(c);
	else if (c->state == CONN_CONNECTING)
		open_now(c);
	else if (c->state == CONN_OPEN)
		bgp_writable(c->speaker->engine, mono_now(), c->name);
}

static struct speaker_conn *conn_new(
    struct speaker *s, int fd, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct speaker_conn *c = xcalloc(1, sizeof(*c));

	c->speaker = s;
	c->fd = fd;
	c->local = *local;
	c->remote = *remote;
	c->read_event = event_new(s->r->base, fd, EV_READ, on_readable, c);
	c->write_event = event_new(s->r->base, fd, EV_WRITE, on_writable, c);
	list_init(&c->node);
	list_init(&c->ready);
	return c;
}

/* ---- connecting ---- */

static struct host_socket socket_of(const struct speaker_peer *p)
{
	const struct bgp_transport *t = &p->config.transport;

	return (struct host_socket){.local = t->local,
	    .remote = t->remote,
	    .port = t->port,
	    .ttl = t->ttl,
	    .ttl_min = t->ttl_min,
	    .mss = p->mss,
	    .key = p->key};
}

int speaker_op_connect(
    void *ctx, uint32_t number, bgp_conn name, const struct bgp_transport *transport)
{
	struct router *r = ctx;
	struct speaker *s = r->speaker;
	const struct speaker_peer *p = speaker_peer_of(s, number);
	struct host_socket want;
	struct speaker_conn *c;
	int fd;

	if (!p || !s->host)
		return -ENODEV;
	want = socket_of(p);
	fd = host_connect(s->host, &want);
	if (fd < 0)
		return fd;
	c = conn_new(s, fd, &want.local, &want.remote);
	c->name = name;
	c->state = CONN_CONNECTING;
	list_append(bucket_of(s, name), &c->node);
	event_add(c->write_event, NULL);
	return 0;
}

static void accepted(
    struct speaker_peer *p, int fd, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct speaker *s = p->speaker;
	bgp_conn name = 0;
	struct speaker_conn *c;

	if (ip_eq(remote, &p->config.transport.remote))
		name = bgp_accepted(s->engine, mono_now(), p->number);
	if (!name) {
		close(fd);
		return;
	}
	c = conn_new(s, fd, local, remote);
	c->name = name;
	list_append(bucket_of(s, name), &c->node);
	open_now(c);
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct speaker_peer *p = arg;
	struct ip_addr local, remote;
	int fd = host_accept(listener, &local, &remote);

	if (fd >= 0)
		accepted(p, fd, &local, &remote);
}

void speaker_unlisten(struct speaker_peer *p)
{
	if (p->accept_event)
		event_free(p->accept_event);
	if (p->listener >= 0)
		close(p->listener);
	p->accept_event = NULL;
	p->listener = -1;
}

void speaker_listen(struct speaker_peer *p)
{
	struct host_socket want = socket_of(p);

	speaker_unlisten(p);
	if (!p->speaker->host || p->disabled)
		return;
	p->listener = host_listen(p->speaker->host, &want);
	if (p->listener < 0) {
		log_write(LOG_WARNING, LOG, p->config.name,
		    "not listening: %s; the session can only be opened from here",
		    strerror(-p->listener));
		p->listener = -1;
		return;
	}
	p->accept_event =
	    event_new(p->speaker->r->base, p->listener, EV_READ | EV_PERSIST, on_accept, p);
	event_add(p->accept_event, NULL);
}

void speaker_rekey(struct speaker_peer *p)
{
	struct speaker *s = p->speaker;
	const struct ip_addr *remote = &p->config.transport.remote;
	struct speaker_conn *c;

	if (p->listener >= 0)
		host_set_key(p->listener, remote, p->key);
	for (unsigned i = 0; i < SPEAKER_BUCKETS; i++) {
		list_for (c, &s->bucket[i], node) {
			if (ip_eq(&c->remote, remote) &&
			    ip_eq(&c->local, &p->config.transport.local))
				host_set_key(c->fd, remote, p->key);
		}
	}
}

/* ---- closing ---- */

void speaker_op_close(void *ctx, bgp_conn name)
{
	struct speaker *s = ((struct router *)ctx)->speaker;
	struct speaker_conn *c = conn_of(s, name);

	if (!c)
		return;
	event_del(c->read_event);
	event_del(c->write_event);
	list_remove(&c->ready);
	list_init(&c->ready);
	list_remove(&c->node);
	if (c->state == CONN_CONNECTING || shutdown(c->fd, SHUT_WR) < 0) {
		list_init(&c->node);
		conn_free(c);
		return;
	}
	c->state = CONN_CLOSING;
	c->give_up = mono_add(mono_now(), CLOSING_MAX);
	list_append(&s->closing, &c->node);
}

/* close() with bytes unread would be a reset, and the peer would never read our NOTIFICATION. */
static bool is_done(struct speaker_conn *c, struct mono now)
{
	uint8_t room[4096];
	ssize_t n = recv(c->fd, room, sizeof(room), 0);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
	    !mono_before(now, c->give_up);
}

void speaker_conns_free(struct speaker *s, bool all)
{
	struct speaker_conn *c, *next;
	struct mono now = mono_now();

	list_for_safe (c, next, &s->closing, node) {
		if (all || is_done(c, now))
			conn_free(c);
	}
	for (unsigned i = 0; all && i < SPEAKER_BUCKETS; i++) {
		list_for_safe (c, next, &s->bucket[i], node)
			conn_free(c);
	}
}

/* ---- bytes ---- */

size_t speaker_op_send(void *ctx, bgp_conn name, const uint8_t *bytes, size_t len)
{
	struct speaker *s = ((struct router *)ctx)->speaker;
	struct speaker_conn *c = conn_of(s, name);
	ssize_t n;

	if (!c || c->state != CONN_OPEN)
		return len; /* of no use any more: the engine will hear of the end */
	n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		n = 0;
	if ((size_t)n < len)
		event_add(c->write_event, NULL);
	return (size_t)n;
}

/* The engine may close the connection within: then nothing of it is left but its place in `closing`. */
static void hand_over(struct speaker *s, bgp_conn name, uint8_t *bytes, size_t len)
{
	size_t took = bgp_received(s->engine, mono_now(), name, bytes, len);
	struct speaker_conn *c = conn_of(s, name);

	if (!c)
		return;
	if (took < len) {
		uint8_t *rest = xmalloc(len - took);

		memcpy(rest, bytes + took, len - took);
		free(c->rest);
		c->rest = rest;
		c->rest_len = len - took;
		list_append(&s->ready, &c->ready);
	} else {
		event_add(c->read_event, NULL);
	}
}

static void lost(struct speaker_conn *c)
{
	struct speaker *s = c->speaker;
	bgp_conn name = c->name;

	conn_free(c);
	bgp_closed(s->engine, mono_now(), name);
}

static void read_conn(struct speaker_conn *c)
{
	static uint8_t room[SPEAKER_CHUNK];
	struct speaker *s = c->speaker;
	ssize_t n;

	if (c->rest) {
		n = (ssize_t)c->rest_len;
		memcpy(room, c->rest, c->rest_len);
		free(c->rest);
		c->rest = NULL;
	} else {
		n = recv(c->fd, room, sizeof(room), 0);
	}
	if (n > 0)
		hand_over(s, c->name, room, (size_t)n);
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		event_add(c->read_event, NULL);
	else
		lost(c);
}

bool speaker_read_one(struct speaker *s, struct mono now)
{
	struct speaker_conn *c;

	if (list_is_empty(&s->ready))
		return false;
	c = list_entry(s->ready.next, struct speaker_conn, ready);
	list_remove(&c->ready);
	list_init(&c->ready);
	read_conn(c);
	return true;
}
