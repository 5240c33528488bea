/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One client of the control socket: lines in, lines out, one at a time.
 *
 * A client is in one of three states, and each has one deadline that nothing it does moves:
 *
 *   IDLE     it may ask                          API_SILENCE_MAX since its last answer
 *   ASKING   a line has begun and is not whole   API_STALL_MAX since its first byte
 *   READING  an answer is not all read           API_STALL_MAX since it was given
 *
 * While READING, further requests stay where they are, so that one answer at most waits per client.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "api/internal.h"
#include "base/log.h"
#include "base/mem.h"

#define LOG         "api"
#define WAITING_MAX (64 * 1024 * 1024) /* bytes of answers to all clients */

enum client_state { CLIENT_IDLE, CLIENT_ASKING, CLIENT_READING };

struct client {
	struct list node;
	struct api *api;
	struct bufferevent *bev;
	struct event *deadline;
	enum client_state state;
	size_t waiting; /* bytes of its answer in api->waiting */
	bool last;      /* to be dropped when its answer is read */
	bool eof;       /* it will ask no more than what it has asked */
	struct api_caller caller;
};

static void client_drop(struct client *c)
{
	c->api->waiting -= c->waiting;
	c->api->client_count--;
	list_remove(&c->node);
	event_free(c->deadline);
	bufferevent_free(c->bev);
	free(c);
}

static void enter(struct client *c, enum client_state state)
{
	int64_t ns = state == CLIENT_IDLE ? c->api->silence_ns : c->api->stall_ns;
	struct timeval after = {ns / DUR_S(1), ns % DUR_S(1) / DUR_US(1)};

	c->state = state;
	event_add(c->deadline, &after);
}

/* ---- answers ---- */

static void release(const void *text, size_t len, void *arg)
{
	free((void *)text);
}

/* As one line; NULL when out of memory. */
static char *as_line(const json_t *answer, size_t *len)
{
	char *text = json_dumps(answer, JSON_COMPACT);

	if (!text)
		return NULL;
	*len = strlen(text);
	text[(*len)++] = '\n'; /* in place of the terminator */
	return text;
}

static void send_answer(struct client *c, json_t *answer)
{
	size_t len = 0;
	char *text = as_line(answer, &len);

	json_decref(answer);
	if (text && (len > API_REPLY_MAX || len > WAITING_MAX - c->api->waiting)) {
		free(text);
		answer = commands_refuse(len > API_REPLY_MAX ? "ReplyTooLarge" : "Busy",
		    len > API_REPLY_MAX ? "the answer is too long: ask for a part of it"
					: "too many answers wait to be read: try again");
		text = as_line(answer, &len);
		json_decref(answer);
	}
	if (!text) {
		c->last = true;
		return;
	}
	c->waiting = len;
	c->api->waiting += len;
	evbuffer_add_reference(bufferevent_get_output(c->bev), text, len, release, NULL);
	event_base_update_cache_time(c->api->base); /* the answer may have taken its time */
	enter(c, CLIENT_READING);
}

static json_t *answer_line(struct client *c, const char *line, size_t len)
{
	json_error_t where;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	json_t *answer;

	if (!json_is_object(request)) {
		json_decref(request);
		return commands_refuse("BadRequest", "a request is one JSON object on one line");
	}
	answer = commands_answer(c->api, &c->caller, request);
	json_decref(request);
	return answer;
}

/* ---- events ---- */

/* The next whole line, if the client may be answered now. */
static void step(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len;
	char *line;

	if (c->state == CLIENT_READING)
		return;
	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (line) {
		list_remove(&c->node); /* it spoke: to the end of the list */
		list_append(&c->api->clients, &c->node);
		send_answer(c, answer_line(c, line, len));
		free(line);
	} else if (evbuffer_get_length(in) > API_REQUEST_MAX) {
		c->last = true;
		send_answer(c,
		    commands_refuse("RequestTooLong", "a request is one line of at most 64 KiB"));
	} else if (evbuffer_get_length(in) > 0 && c->state == CLIENT_IDLE) {
		enter(c, CLIENT_ASKING);
	}
}

static void on_read(struct bufferevent *bev, void *arg)
{
	step(arg);
}

/* All output is with the kernel. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	c->api->waiting -= c->waiting;
	c->waiting = 0;
	if (c->last) {
		client_drop(c);
		return;
	}
	enter(c, CLIENT_IDLE);
	step(c);
	if (c->eof && c->state != CLIENT_READING)
		client_drop(c);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	/* "ask and shut down the writing side" is a fair way to use the socket */
	if ((what & BEV_EVENT_EOF) && c->state == CLIENT_READING)
		c->eof = true;
	else
		client_drop(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	static struct log_limit limit = {.interval_ns = DUR_S(10), .burst = 3};
	struct client *c = arg;

	if (c->state != CLIENT_IDLE && log_limit(&limit, mono_now(), NULL))
		log_write(LOG_WARNING, LOG, NULL, "client of user %u (process %d) dropped: it %s",
		    (unsigned)c->caller.uid, (int)c->caller.pid,
		    c->state == CLIENT_ASKING ? "stopped half-way in a request"
					      : "does not read its answer");
	client_drop(c);
}

/* Makes room: the client that has been silent longest goes; one that reads only if all do. */
static void evict(struct api *api)
{
	struct client *c, *victim = list_entry(api->clients.next, struct client, node);

	list_for (c, &api->clients, node) {
		if (c->state != CLIENT_READING) {
			victim = c;
			break;
		}
	}
	client_drop(victim);
}

void client_accept(struct api *api, int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);
	struct client *c;

	if (api->client_count == API_CLIENTS_MAX)
		evict(api);
	c = xcalloc(1, sizeof(*c));
	c->api = api;
	c->bev = bufferevent_socket_new(api->base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->deadline = evtimer_new(api->base, on_deadline, c);
	if (!c->bev || !c->deadline) {
		if (c->bev)
			bufferevent_free(c->bev);
		else
			close(fd);
		if (c->deadline)
			event_free(c->deadline);
		free(c);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	c->caller = (struct api_caller){peer.uid, peer.pid};
	list_append(&api->clients, &c->node);
	api->client_count++;
	bufferevent_setcb(c->bev, on_read, on_written, on_end, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, API_REQUEST_MAX + 1);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	enter(c, CLIENT_IDLE);
}

void clients_fini(struct api *api)
{
	struct client *c, *next;

	list_for_safe (c, next, &api->clients, node)
		client_drop(c);
}
