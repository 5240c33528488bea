/* SPDX-License-Identifier: BSD-3-Clause */

/* The command line of transitd. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "testing.h"
#include "transitd/args.h"

#define WORDS_MAX 8

/* A command line in one string, split at blanks. */
static int parse(const char *line, struct args *out)
{
	static char name[] = "transitd", copy[256];
	char *argv[WORDS_MAX + 1] = {name};
	int argc = 1, rc, stderr_copy = dup(STDERR_FILENO);

	strcpy(copy, line);
	for (char *s = strtok(copy, " "); s; s = strtok(NULL, " "))
		argv[argc++] = s;
	close(STDERR_FILENO); /* what it complains of is no noise of this test */
	rc = args_parse(argc, argv, out);
	dup2(stderr_copy, STDERR_FILENO);
	close(stderr_copy);
	return rc;
}

static void lines(void **state)
{
	static const struct {
		const char *line;
		struct args want;
	} rows[] = {
	    {"-c f", {.mode = ARGS_RUN, .file = "f"}},
	    {"--config=f", {.mode = ARGS_RUN, .file = "f"}},
	    {"-c f --check", {.mode = ARGS_CHECK, .file = "f"}},
	    {"--check -c f --no-huge", {.mode = ARGS_CHECK, .file = "f", .no_huge = true}},
	    {"-c f --log-level debug",
		{.mode = ARGS_RUN, .file = "f", .has_log_level = true, .log_level = LOG_DEBUG}},
	    {"--help", {.mode = ARGS_HELP}},
	    {"-h", {.mode = ARGS_HELP}},
	    {"--version", {.mode = ARGS_VERSION}},
	    {"-V", {.mode = ARGS_VERSION}},
	    {"--help-config", {.mode = ARGS_HELP_CONFIG}},
	};

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		struct args have;

		assert_int_equal(parse(rows[i].line, &have), 0);
		assert_int_equal(have.mode, rows[i].want.mode);
		assert_int_equal(have.no_huge, rows[i].want.no_huge);
		assert_int_equal(have.has_log_level, rows[i].want.has_log_level);
		assert_int_equal(have.log_level, rows[i].want.log_level);
		if (rows[i].want.file)
			assert_string_equal(have.file, rows[i].want.file);
		else
			assert_null(have.file);
	}
}

static void bad_lines(void **state)
{
	static const char *const rows[] = {
	    "", "--check", "-c", "-c f extra", "--nonsense", "-c f --log-level loud", "-x -c f"};
	struct args have;

	for (unsigned i = 0; i < TEST_COUNT(rows); i++)
		assert_int_equal(parse(rows[i], &have), -EINVAL);
}

static void help_names_every_option(void **state)
{
	static const char *const names[] = {"-c, --config FILE", "--check", "-h, --help",
	    "--help-config", "--log-level LEVEL", "--no-huge", "-V, --version"};
	char text[4096] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	args_help(f);
	fclose(f);
	for (unsigned i = 0; i < TEST_COUNT(names); i++)
		assert_non_null(strstr(text, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines),
	    cmocka_unit_test(bad_lines),
	    cmocka_unit_test(help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
