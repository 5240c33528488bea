/* SPDX-License-Identifier: BSD-3-Clause */

/* Requests to handlers: words, arguments, permissions, help. */

#include "socket_rig.h"

static const struct api_caller root = {0, 1}, nobody = {65534, 1};

/* The answer to a request in text. */
static json_t *ask_as(const struct api_caller *caller, const char *text)
{
	json_t *request = json_loads(text, 0, NULL), *answer;

	assert_non_null(request);
	answer = commands_answer(rig.api, caller, request);
	json_decref(request);
	return answer;
}

static void fails(
    const struct api_caller *caller, const char *text, const char *code, const char *said)
{
	json_t *answer = ask_as(caller, text), *error = json_object_get(answer, "error");

	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_string_equal(api_text(error, "code"), code);
	if (!strstr(api_text(error, "text"), said))
		fail_msg("\"%s\" lacks \"%s\"", api_text(error, "text"), said);
	json_decref(answer);
}

/* What the handler saw as a member of the request. */
static void sees(const char *text, const char *name, const char *value)
{
	json_t *answer = ask_as(&root, text);
	json_t *seen = json_object_get(json_object_get(answer, "result"), "request");
	const char *have = api_text(seen, name);

	assert_true(json_is_true(json_object_get(answer, "ok")));
	if (value)
		assert_string_equal(have, value);
	else
		assert_null(have);
	json_decref(answer);
}

static void words_become_arguments(void **state)
{
	sees("{\"command\":\"show echo\"}", "first", NULL);
	sees("{\"command\":\"show echo one\"}", "first", "one");
	sees("{\"command\":\"  show\\t echo  one two \"}", "second", "two");
	sees("{\"command\":[\"show\",\"echo\",\"with blank\"]}", "first", "with blank");
	sees("{\"command\":\"show\",\"what\":\"echo\"}", "first", NULL);
	sees("{\"command\":\"show\",\"what\":\"echo one\"}", "first", "one");
	sees("{\"command\":\"show\",\"what\":\"echo\",\"second\":\"2\"}", "second", "2");
	sees("{\"command\":\"show echo\",\"from\":\"page2\"}", "from", "page2");
}

static void options_stand_anywhere(void **state)
{
	sees("{\"command\":\"ask --from vpc-a one\"}", "from", "vpc-a");
	sees("{\"command\":\"ask one --from vpc-a\"}", "from", "vpc-a");
	sees("{\"command\":\"ask one --from vpc-a two\"}", "second", "two");
	sees("{\"command\":\"ask --loud one --from vpc-a two\"}", "first", "one");
	sees("{\"command\":\"ask --from=vpc-a one\"}", "from", "vpc-a");
	sees("{\"command\":\"ask one=1 --from=a=b\"}", "from", "a=b");
	sees("{\"command\":\"ask --from a one=1\"}", "first", "one=1");
	fails(
	    &root, "{\"command\":\"ask --from=a one two --loud=x\"}", "TooManyArguments", "usage");
	sees("{\"command\":\"ask\",\"from\":\"vpc-a\",\"first\":\"one\"}", "first", "one");
	fails(&root, "{\"command\":\"ask one\"}", "MissingArgument", "usage: ask --from=");
	fails(&root, "{\"command\":\"ask one --from\"}", "MissingArgument", "usage: ask");
	fails(&root, "{\"command\":\"ask --from vpc-a one two three\"}", "TooManyArguments",
	    "usage: ask");
	fails(&root, "{\"command\":\"ask --from vpc-a one two --quiet\"}", "TooManyArguments",
	    "usage");
	json_t *answer = ask_as(&root, "{\"command\":\"ask --from x y --loud\"}");
	json_t *seen = json_object_get(json_object_get(answer, "result"), "request");
	assert_true(json_is_true(json_object_get(seen, "loud")));
	json_decref(answer);
}

/* "what" may also be the name of an argument. */
static void what_is_not_always_a_word(void **state)
{
	sees("{\"command\":\"tunnel rekey dc1/1 ike\"}", "what", "ike");
	sees("{\"command\":\"tunnel rekey\",\"name\":\"dc1/1\",\"what\":\"ike\"}", "name", "dc1/1");
	sees("{\"command\":\"tunnel rekey\",\"name\":\"dc1/1\",\"what\":\"ike\"}", "what", "ike");
	sees("{\"command\":\"tunnel\",\"what\":\"rekey\",\"name\":\"x\"}", "name", "x");
}

static void bad_requests(void **state)
{
	fails(&root, "{}", "BadRequest", "list of words");
	fails(&root, "{\"command\":7}", "BadRequest", "list of words");
	fails(&root, "{\"command\":\"\"}", "BadRequest", "list of words");
	fails(&root, "{\"command\":[]}", "BadRequest", "list of words");
	fails(&root, "{\"command\":[\"show\",1]}", "BadRequest", "list of words");
	fails(&root, "{\"command\":\"a b c d e f g h i j k l m n o p q r s t u v w x y\"}",
	    "BadRequest", "too many words");
	fails(&root, "{\"command\":\"show echo 1 2 3\"}", "TooManyArguments",
	    "usage: show echo [first] [second]");
	fails(&root, "{\"command\":\"refuse\"}", "MissingArgument", "usage: refuse name");
	fails(&root, "{\"command\":\"refuse it\"}", "NoSuchThing", "there is no \"it\"");
}

static void unknown_commands(void **state)
{
	fails(&root, "{\"command\":\"shw tunnels\"}", "UnknownCommand", "`help` lists them");
	fails(&root, "{\"command\":\"show ech\"}", "UnknownCommand",
	    "no command \"show ech\"; there is: show echo, show much, show secret");
	fails(&root, "{\"command\":\"tunnel\"}", "UnknownCommand", "there is: tunnel rekey");
	fails(&root, "{\"command\":\"\\u001b[2Jshow\"}", "UnknownCommand", "\\x1b[2Jshow");
}

static void long_words_are_refused_not_cut(void **state)
{
	char text[3000];
	json_t *answer, *request;

	memset(text, 'a', 2000);
	text[2000] = '\0';
	request = json_pack("{s:[s,s,s]}", "command", "show", "echo", text);
	answer = commands_answer(rig.api, &root, request);
	assert_true(json_is_false(json_object_get(answer, "ok")));
	json_decref(answer);
	json_decref(request);
}

static void secrets_are_for_root(void **state)
{
	json_t *answer = ask_as(&root, "{\"command\":\"show secret x\"}");

	assert_true(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
	if (geteuid() == nobody.uid)
		skip();
	rig.calls = 0;
	fails(&nobody, "{\"command\":\"show secret x\"}", "PermissionDenied", "for root alone");
	assert_int_equal(rig.calls, 0);
}

static char logged[1024];

static void collect(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	snprintf(logged, sizeof(logged), "%s", line);
}

static void actions_are_logged(void **state)
{
	log_set_sink(collect, NULL);
	logged[0] = '\0';
	json_decref(ask_as(&nobody, "{\"command\":\"show echo\"}"));
	assert_string_equal(logged, "");
	json_decref(ask_as(&nobody, "{\"command\":[\"tunnel\",\"rekey\",\"a\\nb\"]}"));
	assert_string_equal(logged, "user 65534 (process 1): tunnel rekey a\\x0ab");
	log_set_sink(silent, NULL);
}

static void help_lists_all(void **state)
{
	static const char *const names[] = {
	    "ask", "help", "refuse", "show echo", "show much", "show secret", "tunnel rekey"};
	json_t *answer = ask_as(&nobody, "{\"command\":\"help\"}");
	json_t *rows = json_object_get(answer, "result");

	assert_int_equal(json_array_size(rows), TEST_COUNT(names));
	for (unsigned i = 0; i < TEST_COUNT(names); i++)
		assert_string_equal(api_text(json_array_get(rows, i), "name"), names[i]);
	assert_string_equal(api_text(json_array_get(rows, 3), "arguments"), "[first] [second]");
	assert_string_equal(api_text(json_array_get(rows, 5), "access"), "secret");
	json_decref(answer);
}

static void names_are_registered_once(void **state)
{
	static const struct api_command twice = {"show echo", NULL, API_SHOW, echo, "again"};
	static const struct api_command wordy = {"wordy", NULL, API_ACTION, echo,
	    "a line of help that is longer than the hundred characters which DPDK's telemetry and a "
	    "terminal have"};

	assert_int_equal(api_register(rig.api, &twice, NULL), -EEXIST);
	assert_int_equal(api_register(rig.api, &wordy, NULL), -EINVAL);
}

#define rig_test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rig_test(words_become_arguments),
	    rig_test(options_stand_anywhere),
	    rig_test(what_is_not_always_a_word),
	    rig_test(bad_requests),
	    rig_test(unknown_commands),
	    rig_test(long_words_are_refused_not_cut),
	    rig_test(secrets_are_for_root),
	    rig_test(actions_are_logged),
	    rig_test(help_lists_all),
	    rig_test(names_are_registered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
