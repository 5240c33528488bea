/* SPDX-License-Identifier: BSD-3-Clause */

/* Conformance L1: clients that lie, trickle, flood, or do not read; others never notice. */

#include <sys/resource.h>

#include "socket_rig.h"

static void one_line_one_answer(void **state)
{
	int fd = client_open();

	for (int i = 0; i < 100; i++)
		client_asks(fd, "{\"command\":\"show echo\"}", "");
	client_asks(fd, "{\"command\":\"refuse it\"}", "NoSuchThing");
	assert_int_equal(rig.calls, 100);
	close(fd);
}

static void a_request_in_single_bytes(void **state)
{
	static const char request[] = "{\"command\":\"show echo\"}\n";
	int fd = client_open();
	char *line;

	for (unsigned i = 0; i < sizeof(request) - 1; i++) {
		assert_int_equal(rig.calls, 0);
		client_send(fd, request + i, 1);
		turn();
	}
	line = client_line(fd);
	assert_non_null(line);
	assert_int_equal(rig.calls, 1);
	free(line);
	close(fd);
}

/* All at once, and the writing side closed: all are answered, in order, then the end. */
static void requests_in_one_go(void **state)
{
	int fd = client_open();
	char text[64], *line;

	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "{\"command\":\"show echo %d\"}\r\n", i);
		client_send(fd, text, strlen(text));
	}
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "\"first\":\"%d\"", i);
		line = client_line(fd);
		assert_non_null(line);
		assert_non_null(strstr(line, text));
		free(line);
	}
	assert_null(client_line(fd));
	close(fd);
}

static void garbage_is_answered(void **state)
{
	static const char *const garbage[] = {"", "x", "{", "[]", "7", "null", "\"show\"",
	    "{\"command\":\"show echo\"} {}", "{\"command\":\"help\",\"command\":\"help\"}",
	    "\xff\xfe\x80", "{\"command\":\"\xc3\x28\"}", "{\"command\":\"a\\u0000b\"}"};
	int fd = client_open();

	for (unsigned i = 0; i < TEST_COUNT(garbage); i++)
		client_asks(fd, garbage[i], "BadRequest");
	client_send(fd, "{\"command\":\"\0help\"}\n", 20);
	char *line = client_line(fd);
	assert_non_null(strstr(line, "BadRequest"));
	free(line);
	client_asks(fd, "{\"command\":\"help\"}", "");
	close(fd);
}

static void random_bytes_do_no_harm(void **state)
{
	struct rng rng = test_rng();
	uint8_t noise[4096];

	for (int i = 0; i < 50; i++) {
		int fd = client_open();

		rng_fill(&rng, noise, sizeof(noise));
		client_send(fd, (char *)noise, sizeof(noise));
		turn();
		close(fd);
		turn();
	}
	turn();
	assert_int_equal(rig.api->client_count, 0);
	assert_int_equal(rig.api->waiting, 0);
}

static void a_line_without_end_is_refused(void **state)
{
	int fd = client_open();
	char *piece = malloc(API_REQUEST_MAX + 1), *line;

	memset(piece, ' ', API_REQUEST_MAX + 1);
	client_send(fd, piece, API_REQUEST_MAX + 1);
	line = client_line(fd);
	assert_non_null(strstr(line, "RequestTooLong"));
	free(line);
	client_is_dropped(fd);
	free(piece);
	close(fd);
}

/* The longest line there is, and the deepest. */
static void large_and_deep_lines(void **state)
{
	char *piece = malloc(API_REQUEST_MAX + 1);
	int fd = client_open();

	memset(piece, ' ', API_REQUEST_MAX);
	memcpy(piece, "{\"command\":\"help\"}", 18);
	piece[API_REQUEST_MAX - 1] = '\0';
	client_asks(fd, piece, "");
	memset(piece, '[', API_REQUEST_MAX - 1);
	client_asks(fd, piece, "BadRequest");
	memset(piece, ' ', API_REQUEST_MAX - 1);
	memcpy(piece, "{\"command\":\"help\",\"x\":", 22);
	memset(piece + 22, '[', 2000);
	memset(piece + 2022, ']', 2000);
	piece[4022] = '}';
	client_asks(fd, piece, "");
	for (int i = 0; i < 60000; i += 6)
		memcpy(piece + i, "{\"a\":{", 6);
	client_asks(fd, piece, "BadRequest");
	free(piece);
	close(fd);
}

/* With places for 256. Each is served when it asks at once; an old silent one made room. */
static void a_thousand_clients(void **state)
{
	struct rlimit files = {4096, 4096};
	int fds[1000];

	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned i = 0; i < TEST_COUNT(fds); i++) {
		fds[i] = client_open();
		client_asks(fds[i], "{\"command\":\"show echo\"}", "");
		assert_true(rig.api->client_count <= API_CLIENTS_MAX);
	}
	assert_int_equal(rig.api->client_count, API_CLIENTS_MAX);
	client_is_dropped(fds[0]);
	client_asks(fds[999], "{\"command\":\"show echo\"}", "");
	for (unsigned i = 0; i < TEST_COUNT(fds); i++)
		close(fds[i]);
	turn();
	turn();
	assert_int_equal(rig.api->client_count, 0);
}

/* The one that spoke last is not the one that goes. */
static void silence_decides_who_makes_room(void **state)
{
	int first = client_open(), second = client_open(), fds[API_CLIENTS_MAX - 2], late;

	client_asks(first, "{\"command\":\"help\"}", "");
	client_asks(second, "{\"command\":\"help\"}", "");
	for (unsigned i = 0; i < TEST_COUNT(fds); i++) {
		fds[i] = client_open();
		turn();
	}
	assert_int_equal(rig.api->client_count, API_CLIENTS_MAX);
	client_asks(first, "{\"command\":\"help\"}", "");
	late = client_open();
	client_asks(late, "{\"command\":\"help\"}", "");
	client_is_dropped(second);
	client_asks(first, "{\"command\":\"help\"}", "");
	close(first);
	close(second);
	close(late);
	for (unsigned i = 0; i < TEST_COUNT(fds); i++)
		close(fds[i]);
}

static void a_half_request_ends(void **state)
{
	int half = client_open(), fd = client_open();

	rig.api->stall_ns = DUR_MS(30);
	client_send(half, "{\"comm", 6);
	client_asks(fd, "{\"command\":\"help\"}", "");
	client_is_dropped(half);
	client_asks(fd, "{\"command\":\"help\"}", "");
	close(half);
	close(fd);
}

/* A byte now and then does not buy more time. */
static void a_trickle_ends(void **state)
{
	int fd = client_open();
	struct mono start = mono_now();

	rig.api->stall_ns = DUR_MS(50);
	while (send(fd, " ", 1, MSG_NOSIGNAL) == 1) {
		poll(NULL, 0, 1);
		turn();
		assert_true(mono_diff(start, mono_now()) < DUR_S(20));
	}
	close(fd);
}

static void silence_ends(void **state)
{
	int fd = client_open();

	rig.api->silence_ns = DUR_MS(30);
	client_asks(fd, "{\"command\":\"help\"}", "");
	client_is_dropped(fd);
	close(fd);
}

/* It asks for much and reads nothing: others are served, it is dropped, its memory is free. */
static void a_client_that_stops_reading(void **state)
{
	int slow = client_open(), fd = client_open();
	static const char ask[] = "{\"command\":\"show much\",\"bytes\":8000000}\n";

	rig.api->stall_ns = DUR_MS(100);
	for (int i = 0; i < 5; i++)
		client_send(slow, ask, sizeof(ask) - 1);
	while (rig.api->waiting == 0 && rig.api->client_count == 2)
		turn();
	assert_true(rig.api->waiting < 9000000); /* one answer, not five */
	client_asks(fd, "{\"command\":\"help\"}", "");
	while (rig.api->client_count == 2)
		event_base_loop(rig.api->base, EVLOOP_ONCE);
	assert_int_equal(rig.api->waiting, 0);
	client_asks(fd, "{\"command\":\"help\"}", "");
	close(slow);
	close(fd);
}

/* Together they may not have more than a bound of answers waiting. */
static void many_that_stop_reading(void **state)
{
	static const char ask[] = "{\"command\":\"show much\",\"bytes\":8000000}\n";
	int fds[12], fd = client_open();

	for (unsigned i = 0; i < TEST_COUNT(fds); i++) {
		fds[i] = client_open();
		client_send(fds[i], ask, sizeof(ask) - 1);
		turn();
		turn();
	}
	assert_true(rig.api->waiting <= 64 * 1024 * 1024);
	client_asks(fd, "{\"command\":\"help\"}", "");
	char *line = client_line(fds[11]);
	assert_non_null(strstr(line, "\"Busy\""));
	free(line);
	close(fd);
	for (unsigned i = 0; i < TEST_COUNT(fds); i++)
		close(fds[i]);
}

static void answers_have_a_bound(void **state)
{
	int fd = client_open();

	client_asks(fd, "{\"command\":\"show much\",\"bytes\":20000000}", "ReplyTooLarge");
	client_asks(fd, "{\"command\":\"show much\",\"bytes\":1000000}", "");
	close(fd);
}

/* Gone in the middle of its answer. */
static void a_client_that_vanishes(void **state)
{
	static const char ask[] = "{\"command\":\"show much\",\"bytes\":8000000}\n";

	for (int i = 0; i < 10; i++) {
		int fd = client_open();

		client_send(fd, ask, sizeof(ask) - 1);
		turn();
		turn();
		close(fd);
	}
	while (rig.api->client_count > 0)
		turn();
	assert_int_equal(rig.api->waiting, 0);
}

static void freeing_drops_all(void **state)
{
	int fd = client_open();

	client_asks(fd, "{\"command\":\"help\"}", "");
	api_free(rig.api);
	rig.api = NULL;
	assert_null(client_line(fd));
	close(fd);
}

#define rig_test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rig_test(one_line_one_answer),
	    rig_test(a_request_in_single_bytes),
	    rig_test(requests_in_one_go),
	    rig_test(garbage_is_answered),
	    rig_test(random_bytes_do_no_harm),
	    rig_test(a_line_without_end_is_refused),
	    rig_test(large_and_deep_lines),
	    rig_test(a_thousand_clients),
	    rig_test(silence_decides_who_makes_room),
	    rig_test(a_half_request_ends),
	    rig_test(a_trickle_ends),
	    rig_test(silence_ends),
	    rig_test(a_client_that_stops_reading),
	    rig_test(many_that_stop_reading),
	    rig_test(answers_have_a_bound),
	    rig_test(a_client_that_vanishes),
	    rig_test(freeing_drops_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
