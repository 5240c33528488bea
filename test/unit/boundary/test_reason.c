/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/reason.h: each reason has a name of its own, fit for a metric, and a help text. */

#include <string.h>

#include "boundary/reason.h"
#include "testing.h"

static void names_are_words(void **state)
{
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++) {
		const char *name = drop_reason_name(r);

		assert_true(strlen(name) > 3);
		assert_int_equal(
		    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
		assert_true(strlen(drop_reason_help(r)) > 8);
	}
	assert_string_equal(drop_reason_name(DROP_NO_ROUTE), "no-route");
}

static void names_are_unique(void **state)
{
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		for (unsigned s = 0; s < r; s++)
			assert_string_not_equal(drop_reason_name(r), drop_reason_name(s));
}

static void others_are_unknown(void **state)
{
	assert_string_equal(drop_reason_name(DROP_REASON_COUNT), "unknown");
	assert_string_equal(drop_reason_name((enum drop_reason) - 1), "unknown");
	assert_string_equal(drop_reason_help(DROP_REASON_COUNT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_words),
	    cmocka_unit_test(names_are_unique),
	    cmocka_unit_test(others_are_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
