/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_API_SOCKET_RIG_H
#define TEST_API_SOCKET_RIG_H

/* A control socket in a directory of its own, served by turns of the loop between the steps of a
 * client. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/internal.h"
#include "base/log.h"
#include "base/mem.h"
#include "testing.h"

static struct rig {
	char dir[32];
	char path[64];
	struct event_base *base;
	struct api *api;
	unsigned calls; /* of the handlers below */
} rig;

static json_t *echo(void *ctx, const json_t *request, struct api_error *error)
{
	rig.calls++;
	return json_pack("{s:O}", "request", request);
}

/* A list of `bytes` letters in pieces of a thousand. */
static json_t *much(void *ctx, const json_t *request, struct api_error *error)
{
	json_int_t bytes = json_integer_value(json_object_get(request, "bytes"));
	json_t *list = json_array();
	char piece[1001];

	memset(piece, 'x', 1000);
	piece[1000] = '\0';
	for (json_int_t i = 0; i < bytes; i += 1000)
		json_array_append_new(list, json_string(piece));
	return list;
}

static json_t *refuse(void *ctx, const json_t *request, struct api_error *error)
{
	return api_fail(error, "NoSuchThing", "there is no \"%s\"", api_text(request, "name"));
}

static const struct api_command rig_commands[] = {
    {"show echo", "[first] [second]", API_SHOW, echo, "what was asked"},
    {"show much", NULL, API_SHOW, much, "a long list"},
    {"refuse", "name", API_ACTION, refuse, "always fails"},
    {"tunnel rekey", "name [what]", API_ACTION, echo, "like the router's"},
    {"ask", "--from= first [second] [--loud]", API_SHOW, echo, "with options"},
    {"show secret", "name", API_SECRET, echo, "for root"},
};

static void silent(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static int rig_setup(void **state)
{
	memset(&rig, 0, sizeof(rig));
	strcpy(rig.dir, "/tmp/test-api-XXXXXX");
	assert_non_null(mkdtemp(rig.dir));
	snprintf(rig.path, sizeof(rig.path), "%s/sock", rig.dir);
	log_set_sink(silent, NULL);
	rig.base = event_base_new();
	rig.api = api_create(rig.base, rig.path);
	assert_non_null(rig.api);
	for (unsigned i = 0; i < TEST_COUNT(rig_commands); i++)
		assert_int_equal(api_register(rig.api, &rig_commands[i], NULL), 0);
	return 0;
}

static int rig_teardown(void **state)
{
	api_free(rig.api);
	event_base_free(rig.base);
	log_set_sink(NULL, NULL);
	return rmdir(rig.dir);
}

/* ---- a client ---- */

static inline void turn(void)
{
	event_base_loop(rig.base, EVLOOP_NONBLOCK);
}

static inline int client_open(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(addr.sun_path, rig.path);
	assert_true(fd >= 0);
	while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		assert_int_equal(errno, EAGAIN); /* the backlog is full */
		turn();
	}
	return fd;
}

static inline void client_send(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			turn();
			continue;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

/* The next line without its end, for free(); NULL when the other side hung up. Serves meanwhile. */
static inline char *client_line(int fd)
{
	size_t len = 0, capacity = 1 << 20;
	char *line = xmalloc(capacity);

	for (;;) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			free(line);
			return NULL;
		}
		if (n < 0) {
			event_base_loop(rig.base, EVLOOP_ONCE);
			continue;
		}
		if (line[len] == '\n') {
			line[len] = '\0';
			return line;
		}
		if (++len == capacity)
			line = xrealloc(line, capacity *= 2);
	}
}

/* A whole exchange; the answer as a tree. */
static inline json_t *client_ask(int fd, const char *request)
{
	char *line;
	json_t *answer;

	client_send(fd, request, strlen(request));
	client_send(fd, "\n", 1);
	line = client_line(fd);
	assert_non_null(line);
	answer = json_loads(line, 0, NULL);
	assert_non_null(answer);
	free(line);
	return answer;
}

/* Asks, and checks the code of the error; "" for success. */
static inline void client_asks(int fd, const char *request, const char *code)
{
	json_t *answer = client_ask(fd, request);
	const char *have =
	    json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

	assert_string_equal(have ? have : "", code);
	assert_int_equal(json_is_true(json_object_get(answer, "ok")), code[0] == '\0');
	json_decref(answer);
}

/* Turns of the loop until the other side has hung up. */
static inline void client_is_dropped(int fd)
{
	char c;

	for (;;) {
		ssize_t n = recv(fd, &c, 1, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return;
		if (n < 0)
			event_base_loop(rig.base, EVLOOP_ONCE);
	}
}

#endif
