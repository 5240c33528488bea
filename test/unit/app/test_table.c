/* SPDX-License-Identifier: BSD-3-Clause */

/* Tables: aligned, no blanks at the end of lines, empty columns left out, notes below. */

#include <string.h>

#include "testing.h"
#include "transitctl/table.h"

static const struct column columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"bytes", "BYTES", COLUMN_BYTES},
    {"state", "STATE", COLUMN_TEXT},
    {"n", "N", COLUMN_COUNT},
    {"why", "because", COLUMN_NOTE},
};

static void prints(const char *json, const char *want)
{
	char text[4096] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	json_t *rows = json_loads(json, JSON_DECODE_ANY, NULL);

	assert_non_null(rows);
	if (json_is_object(rows))
		object_print(rows, f);
	else
		table_print(rows, columns, TEST_COUNT(columns), f);
	fclose(f);
	assert_string_equal(text, want);
	json_decref(rows);
}

static void columns_are_aligned(void **state)
{
	prints("[{\"name\":\"dc1/1\",\"bytes\":1500,\"state\":\"up\",\"n\":7},"
	       " {\"name\":\"a-long-name\",\"bytes\":9,\"state\":\"established\",\"n\":12345},"
	       " {\"name\":\"b\",\"bytes\":12,\"state\":\"down\",\"n\":1}]",
	    "NAME         BYTES  STATE            N\n"
	    "dc1/1         1.5K  up               7\n"
	    "a-long-name      9  established  12345\n"
	    "b               12  down             1\n");
}

static void empty_cells_leave_no_blanks_behind(void **state)
{
	prints(
	    "[{\"name\":\"x\",\"bytes\":1,\"state\":\"up\",\"n\":5}, {\"name\":\"y\",\"bytes\":2},"
	    " {\"state\":\"down\"}]",
	    "NAME  BYTES  STATE  N\n"
	    "x         1  up     5\n"
	    "y         2\n"
	    "             down\n");
}

static void empty_columns_are_left_out(void **state)
{
	prints("[{\"name\":\"x\",\"n\":1}]", "NAME  N\nx     1\n");
}

static void notes_stand_below(void **state)
{
	prints("[{\"name\":\"x\",\"n\":1,\"why\":\"of y\"}, {\"name\":\"z\",\"n\":2}]",
	    "NAME  N\nx     1\nz     2\nx: because: of y\n");
}

static void characters_count_not_bytes(void **state)
{
	prints("[{\"name\":\"gr\xc3\xbc\xc3\x9f\",\"n\":1}, {\"name\":\"plain\",\"n\":2}]",
	    "NAME   N\ngr\xc3\xbc\xc3\x9f   1\nplain  2\n");
}

static void objects(void **state)
{
	prints("{\"version\":\"1\",\"uptime-seconds\":5,\"nothing\":null,"
	       "\"workers\":[{\"worker\":0,\"stalled\":false},{\"worker\":1,\"stalled\":true}]}",
	    "version:        1\n"
	    "uptime-seconds: 5\n"
	    "nothing:\n"
	    "\nworkers\n"
	    "worker  stalled\n"
	    "     0  no\n"
	    "     1  yes\n");
}

static void guessing_columns(void **state)
{
	json_t *rows = json_loads("[{\"a\":\"x\",\"b\":1},{\"c\":true,\"a\":\"y\"}]", 0, NULL);
	struct column out[2];

	assert_int_equal(columns_guess(rows, out, 2), 2);
	assert_string_equal(out[0].key, "a");
	assert_int_equal(out[0].kind, COLUMN_TEXT);
	assert_int_equal(out[1].kind, COLUMN_COUNT);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_are_aligned),
	    cmocka_unit_test(empty_cells_leave_no_blanks_behind),
	    cmocka_unit_test(empty_columns_are_left_out),
	    cmocka_unit_test(notes_stand_below),
	    cmocka_unit_test(characters_count_not_bytes),
	    cmocka_unit_test(objects),
	    cmocka_unit_test(guessing_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
