/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_APP_LOGGED_H
#define TEST_APP_LOGGED_H

/* The log lines of a test, one below the other. */

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "testing.h"

static char logged[8192];

static void collect(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	size_t len = strlen(logged);

	snprintf(logged + len, sizeof(logged) - len, "%s: %s\n", log_level_name(level), line);
}

static int log_setup(void **state)
{
	logged[0] = '\0';
	log_set_sink(collect, NULL);
	return 0;
}

static int log_teardown(void **state)
{
	log_set_sink(NULL, NULL);
	return 0;
}

static inline void assert_logged(const char *text)
{
	if (!strstr(logged, text))
		fail_msg("the log lacks \"%s\"; it has: %s", text, logged);
}

#define log_test(name) cmocka_unit_test_setup_teardown(name, log_setup, log_teardown)

#endif
