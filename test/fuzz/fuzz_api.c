/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Any bytes on the control socket (L1), in pieces of any size: a client writes, the loop turns, and whatever comes
 * back is one answer of valid JSON per request line, each with "ok" and a result or an error. Commands whose arguments
 * have every shape answer; the parser of words, the dispatch and the client's state machine are what is under test.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/internal.h"
#include "base/log.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *echo(void *ctx, const json_t *request, struct api_error *error)
{
	return json_pack("{s:O}", "request", request);
}

static json_t *refuse(void *ctx, const json_t *request, struct api_error *error)
{
	return api_fail(error, "NoSuchThing", "there is no \"%s\"", api_text(request, "name"));
}

static const struct api_command commands[] = {
    {"show echo", "[first] [second]", API_SHOW, echo, "what was asked"},
    {"refuse", "name", API_ACTION, refuse, "always fails"},
    {"tunnel rekey", "name [what]", API_ACTION, echo, "like the router's"},
    {"ask", "--from= first [second] [--loud]", API_SHOW, echo, "with options"},
    {"show secret", "name", API_SECRET, echo, "for root"},
};

static void silent(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static struct api *make(struct event_base **base)
{
	static char dir[] = "/tmp/fuzz-api-XXXXXX";
	char path[64];
	struct api *api;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/sock", dir);
	log_set_sink(silent, NULL);
	*base = event_base_new();
	api = api_create(*base, path);
	unlink(path);
	rmdir(dir);
	if (!api)
		abort();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (api_register(api, &commands[i], NULL) < 0)
			abort();
	}
	return api;
}

static void check_answer(const char *line, size_t len)
{
	json_t *answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(answer, "ok");

	if (!json_is_boolean(ok))
		abort();
	if (json_is_true(ok) != !!json_object_get(answer, "result") ||
	    json_is_true(ok) == !!json_object_get(answer, "error"))
		abort();
	json_decref(answer);
}

/* What the client has read so far: whole lines are checked and go. */
struct reader {
	char *bytes;
	size_t len, capacity;
};

static void drain(struct reader *r, int fd)
{
	char *end;
	ssize_t n;

	do {
		if (r->capacity - r->len < 65536)
			r->bytes = xrealloc(r->bytes, r->capacity += 131072);
		n = recv(fd, r->bytes + r->len, r->capacity - r->len, MSG_DONTWAIT);
		r->len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	while (r->len && (end = memchr(r->bytes, '\n', r->len))) {
		size_t line = (size_t)(end - r->bytes);

		check_answer(r->bytes, line);
		r->len -= line + 1;
		memmove(r->bytes, end + 1, r->len);
	}
}

static void turn(struct event_base *base)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	static struct api *api;
	struct reader reader = {0};
	int pair[2];

	if (!api)
		api = make(&base);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	client_accept(api, pair[0]);
	while (size > 0) { /* the first byte of a piece says how long it is */
		size_t piece = 1 + data[0] % 97u * (data[0] & 1 ? 1 : 64);
		ssize_t n;

		data++;
		size--;
		n = send(pair[1], data, piece < size ? piece : size, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break; /* dropped, as it may be */
		data += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
		turn(base);
		drain(&reader, pair[1]);
		if (n < 0)
			break;
	}
	shutdown(pair[1], SHUT_WR);
	turn(base);
	drain(&reader, pair[1]);
	close(pair[1]);
	turn(base);
	free(reader.bytes);
	if (api->client_count != 0 || api->waiting != 0)
		abort();
	return 0;
}
