/* SPDX-License-Identifier: BSD-3-Clause */

/* The command line of transitctl: options in front of the command and behind it. */

#include <getopt.h>
#include <string.h>

#include "testing.h"
#include "transitctl/args.h"

#define WORDS_MAX 12

/* "a b c", cut at blanks; a new parse each time. */
static bool parse(const char *line, struct args *out)
{
	static char copy[256];
	static char *argv[WORDS_MAX + 1];
	int argc = 0;

	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0;
	opterr = 0;
	return args_parse(argc, argv, out);
}

static void in_front(void **state)
{
	struct args a;

	assert_true(parse("transitctl -s /x --json --running --confirm-within 9 apply file", &a));
	assert_string_equal(a.socket, "/x");
	assert_true(a.json && a.running);
	assert_string_equal(a.confirm_within, "9");
	assert_int_equal(a.count, 2);
	assert_string_equal(a.words[0], "apply");
	assert_string_equal(a.words[1], "file");
}

static void behind(void **state)
{
	struct args a;

	assert_true(
	    parse("transitctl apply --confirm-within 9 file --running --socket=/y --json", &a));
	assert_string_equal(a.socket, "/y");
	assert_true(a.json && a.running);
	assert_string_equal(a.confirm_within, "9");
	assert_int_equal(a.count, 2);
	assert_string_equal(a.words[1], "file");
	assert_true(parse("transitctl rollback --confirm-within=30", &a));
	assert_string_equal(a.confirm_within, "30");
	assert_int_equal(a.count, 1);
}

/* Options that only transitd knows are its own, and so is one that lacks its value. */
static void not_ours(void **state)
{
	struct args a;

	assert_true(parse("transitctl explain --from vpc-a 10.1.0.1 10.9.0.1", &a));
	assert_int_equal(a.count, 5);
	assert_string_equal(a.words[1], "--from");
	assert_true(parse("transitctl apply --confirm-within", &a));
	assert_null(a.confirm_within);
	assert_int_equal(a.count, 2);
	assert_string_equal(a.socket, "/run/transitd/transitd.sock");
	assert_false(a.json || a.running);
}

static void wrong_usage(void **state)
{
	struct args a;

	assert_false(parse("transitctl", &a));
	assert_false(parse("transitctl --json", &a));
	assert_false(parse("transitctl --jsn show ports", &a));
	assert_true(parse("transitctl --help", &a));
	assert_true(a.help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_front),
	    cmocka_unit_test(behind),
	    cmocka_unit_test(not_ours),
	    cmocka_unit_test(wrong_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
