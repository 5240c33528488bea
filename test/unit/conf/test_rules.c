/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every rule of the startup file: what conf_load() says about the files of rules/, word by word, with line
 * and column. Each rule has a file that breaks it and one that keeps it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cases.h"

static void check_case(void **state)
{
	const struct conf_case *c = *state;
	char *said = conf_says(c->yaml, strlen(c->yaml));

	if (strcmp(said, c->expected) != 0)
		print_error("%s\n--- expected\n%s--- said\n%s", c->title, c->expected, said);
	assert_string_equal(said, c->expected);
	free(said);
}

/* A rule with bad files alone, or good files alone, is not tested. A good file may be warned about. */
static bool has_both(const struct conf_case *cases, size_t count, const char *id)
{
	bool good = false, bad = false;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(cases[i].id, id) != 0)
			continue;
		good = good || !strstr(cases[i].expected, ": error: ");
		bad = bad || cases[i].expected[0] != '\0';
	}
	return good && bad;
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests;
	struct conf_case *cases;
	int failed = 0;
	size_t count;

	if (argc != 2)
		return 2;
	cases = cases_read(argv[1], &count);
	tests = xcalloc(count + 1, sizeof(*tests));
	for (size_t i = 0; i < count; i++) {
		tests[i] = (struct CMUnitTest){cases[i].title, check_case, NULL, NULL, &cases[i]};
		if (!has_both(cases, count, cases[i].id)) {
			print_error("%s: %s needs a good and a bad file\n", argv[1], cases[i].id);
			failed++;
		}
	}
	failed += _cmocka_run_group_tests("rules", tests, count, NULL, NULL);
	cases_free(cases, count);
	free(tests);
	return failed;
}
