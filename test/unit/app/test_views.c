/* SPDX-License-Identifier: BSD-3-Clause */

/* Results of commands, described or not, as transitctl prints them. */

#include <string.h>

#include "testing.h"
#include "transitctl/views.h"

static void prints(const char *command, const char *json, const char *want)
{
	char text[4096] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	json_t *result = json_loads(json, JSON_DECODE_ANY, NULL);

	assert_non_null(result);
	result_print(command, result, f);
	fclose(f);
	assert_string_equal(text, want);
	json_decref(result);
}

static void a_view_is_found_by_its_words(void **state)
{
	assert_non_null(view_of("show routes"));
	assert_ptr_equal(view_of("show routes default"), view_of("show routes"));
	assert_null(view_of("show routesx"));
	assert_null(view_of("show"));
	assert_null(view_of(""));
}

static void every_command_of_the_contract_has_one(void **state)
{
	static const char *const names[] = {"ports", "attachments", "connections", "tunnels", "sas",
	    "tables", "routes", "bgp", "neighbors", "counters"};
	char command[64];

	for (unsigned i = 0; i < TEST_COUNT(names); i++) {
		snprintf(command, sizeof(command), "show %s", names[i]);
		assert_non_null(view_of(command));
	}
}

static void described(void **state)
{
	prints("show tunnels",
	    "[{\"name\":\"dc1/1\",\"state\":\"up\",\"state-seconds\":75,\"error\":null},"
	    " {\"name\":\"dc1/2\",\"state\":\"down\",\"state-seconds\":5.2,"
	    "\"error\":\"PskMismatch\",\"error-text\":\"the peer's key differs\","
	    "\"suggestion\":\"compare the keys\"}]",
	    "TUNNEL  STATE  SINCE  ERROR\n"
	    "dc1/1   up     1m15s\n"
	    "dc1/2   down      5s  PskMismatch\n"
	    "dc1/2: the peer's key differs\n"
	    "dc1/2: suggestion: compare the keys\n");
}

static void not_described(void **state)
{
	prints("show future", "[{\"a\":\"x\",\"b\":1}]", "a  b\nx  1\n");
	prints("show future", "[]", "none\n");
	prints("show future", "[1,\"x\"]", "[\n  1,\n  \"x\"\n]\n");
	prints("tunnel up", "{\"name\":\"dc1/1\",\"state\":\"up\"}", "name:  dc1/1\nstate: up\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_view_is_found_by_its_words),
	    cmocka_unit_test(every_command_of_the_contract_has_one),
	    cmocka_unit_test(described),
	    cmocka_unit_test(not_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
