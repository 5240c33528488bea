/* SPDX-License-Identifier: BSD-3-Clause */

/* The end of transitctl at the socket: whole answers, broken ones, none at all. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing.h"
#include "transitctl/link.h"

static int stderr_copy;

static int quiet(void **state)
{
	stderr_copy = dup(STDERR_FILENO);
	close(STDERR_FILENO);
	return 0;
}

static int loud(void **state)
{
	dup2(stderr_copy, STDERR_FILENO);
	return close(stderr_copy);
}

/* Asks a socket whose other end has said `answer` already and then hung up. */
static json_t *ask(const char *answer, size_t len)
{
	json_t *request = json_pack("{s:s}", "command", "help"), *out;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(send(fds[1], answer, len, 0), len);
	shutdown(fds[1], SHUT_WR);
	out = link_ask(fds[0], request);
	json_decref(request);
	close(fds[0]);
	close(fds[1]);
	return out;
}

static void a_whole_answer(void **state)
{
	json_t *answer = ask("{\"ok\":true}\n", 12);

	assert_true(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
}

static void a_long_answer(void **state)
{
	static char text[150000];
	json_t *answer;

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"ok\":true", 10);
	text[sizeof(text) - 2] = '}';
	text[sizeof(text) - 1] = '\n';
	answer = ask(text, sizeof(text));
	assert_non_null(answer);
	json_decref(answer);
}

static void no_answer(void **state)
{
	assert_null(ask("", 0));
	assert_null(ask("{\"ok\":tr", 8));
	assert_null(ask("{\"ok\":true}", 11));
	assert_null(ask("[]\n", 3));
	assert_null(ask("nonsense\n", 9));
}

static void nobody_there(void **state)
{
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(link_open("/nonexistent/sock"), -ENOENT);
	assert_int_equal(link_open(path), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_whole_answer, quiet, loud),
	    cmocka_unit_test_setup_teardown(a_long_answer, quiet, loud),
	    cmocka_unit_test_setup_teardown(no_answer, quiet, loud),
	    cmocka_unit_test_setup_teardown(nobody_there, quiet, loud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
