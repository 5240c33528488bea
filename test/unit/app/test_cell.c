/* SPDX-License-Identifier: BSD-3-Clause */

/* Values as people read them. */

#include <string.h>

#include "testing.h"
#include "transitctl/table.h"

static void cells(void **state)
{
	static const struct {
		const char *json;
		struct column column;
		const char *text;
	} rows[] = {
	    {"{\"a\":\"x\"}", {"a", "", COLUMN_TEXT}, "x"},
	    {"{\"a\":null}", {"a", "", COLUMN_TEXT}, ""},
	    {"{}", {"a", "", COLUMN_COUNT}, ""},
	    {"{\"a\":{\"b\":{\"c\":7}}}", {"a.b.c", "", COLUMN_COUNT}, "7"},
	    {"{\"a\":{}}", {"a.b", "", COLUMN_COUNT}, ""},
	    {"{\"10.0.0.0/8\":1}", {"10.0.0.0/8", "", COLUMN_COUNT}, "1"},
	    {"{\"a\":-5}", {"a", "", COLUMN_COUNT}, "-5"},
	    {"{\"a\":9223372036854775807}", {"a", "", COLUMN_COUNT}, "9223372036854775807"},
	    {"{\"a\":2.25}", {"a", "", COLUMN_COUNT}, "2.2"},
	    {"{\"a\":true}", {"a", "", COLUMN_TEXT}, "yes"},
	    {"{\"a\":false}", {"a", "", COLUMN_TEXT}, "no"},
	    {"{\"a\":true}", {"a", "", COLUMN_YES}, "yes"},
	    {"{\"a\":false}", {"a", "", COLUMN_YES}, ""},
	    {"{\"a\":[\"x\",\"y\",3]}", {"a", "", COLUMN_TEXT}, "x,y,3"},
	    {"{\"a\":[]}", {"a", "", COLUMN_TEXT}, ""},
	    {"{\"a\":[{},{}]}", {"a", "", COLUMN_TEXT}, "2"},
	    {"{\"a\":{\"ttl\":1,\"mtu\":3}}", {"a", "", COLUMN_NOTE}, "ttl 1, mtu 3"},
	    {"{\"a\":{}}", {"a", "", COLUMN_NOTE}, ""},
	    {"{\"a\":[{\"name\":\"dc1/1\",\"state\":\"up\"},{\"name\":\"dc1/2\",\"state\":\"down\"}]}",
		{"a", "", COLUMN_PAIRS}, "dc1/1 up, dc1/2 down"},
	    {"{\"a\":[{\"name\":\"alone\"},7,{}]}", {"a", "", COLUMN_PAIRS}, ""},
	    {"{\"a\":\"b\\u001b[2Jc\\nd\\u007f\"}", {"a", "", COLUMN_TEXT}, "b?[2Jc?d?"},
	    {"{\"a\":\"gr\xc3\xbc\xc3\x9f\"}", {"a", "", COLUMN_TEXT}, "gr\xc3\xbc\xc3\x9f"},
	};

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		json_t *row = json_loads(rows[i].json, 0, NULL);
		char text[128];

		assert_non_null(row);
		cell_text(row, &rows[i].column, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
		json_decref(row);
	}
}

static void number_is(double value, enum column_kind kind, const char *want)
{
	json_t *row = json_pack("{s:f}", "a", value);
	struct column column = {"a", "", kind};
	char text[64];

	cell_text(row, &column, text, sizeof(text));
	assert_string_equal(text, want);
	json_decref(row);
}

static void bytes(void **state)
{
	number_is(0, COLUMN_BYTES, "0");
	number_is(999, COLUMN_BYTES, "999");
	number_is(1000, COLUMN_BYTES, "1.0K");
	number_is(1500, COLUMN_BYTES, "1.5K");
	number_is(9949, COLUMN_BYTES, "9.9K");
	number_is(9990, COLUMN_BYTES, "10K");
	number_is(999499, COLUMN_BYTES, "999K");
	number_is(999500, COLUMN_BYTES, "1.0M");
	number_is(2.5e12, COLUMN_BYTES, "2.5T");
	number_is(9e18, COLUMN_BYTES, "9.0E");
	number_is(9e21, COLUMN_BYTES, "9000E");
}

static void seconds(void **state)
{
	number_is(0.4, COLUMN_SECONDS, "0s");
	number_is(59.9, COLUMN_SECONDS, "59s");
	number_is(60, COLUMN_SECONDS, "1m00s");
	number_is(3599, COLUMN_SECONDS, "59m59s");
	number_is(3600 + 120, COLUMN_SECONDS, "1h02m");
	number_is(86400 * 3 + 3600 * 4, COLUMN_SECONDS, "3d04h");
	number_is(-5, COLUMN_SECONDS, "-5s");
}

static void long_values_are_cut(void **state)
{
	char value[300], text[16];
	json_t *row;
	struct column column = {"a", "", COLUMN_TEXT};

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	row = json_pack("{s:s}", "a", value);
	cell_text(row, &column, text, sizeof(text));
	assert_string_equal(text, "vvvvvvvvvvvvvvv");
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cells),
	    cmocka_unit_test(bytes),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(long_values_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
