/* SPDX-License-Identifier: BSD-3-Clause */

/* base/log.h: levels, the sink, one line per event, and the rate limit over virtual time. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/log.h"
#include "testing.h"

static struct {
	unsigned count;
	enum log_level level;
	char subsystem[32], object[32], line[2048];
} sunk;

static void sink(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	assert_ptr_equal(ctx, &sunk);
	sunk.count++;
	sunk.level = level;
	snprintf(sunk.subsystem, sizeof(sunk.subsystem), "%s", subsystem);
	snprintf(sunk.object, sizeof(sunk.object), "%s", object ? object : "(null)");
	snprintf(sunk.line, sizeof(sunk.line), "%s", line);
}

static int set_sink(void **state)
{
	memset(&sunk, 0, sizeof(sunk));
	log_set_sink(sink, &sunk);
	log_set_level(LOG_INFO);
	return 0;
}

static int reset_sink(void **state)
{
	log_set_sink(NULL, NULL);
	log_set_level(LOG_INFO);
	return 0;
}

static void levels_have_names(void **state)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
	enum log_level level = LOG_NOTICE;

	for (unsigned i = 0; i < TEST_COUNT(names); i++) {
		assert_string_equal(log_level_name((enum log_level)i), names[i]);
		assert_int_equal(log_level_parse(names[i], &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse("Error", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(log_level_parse("trace", &level), -EINVAL);
	assert_int_equal(level, LOG_DEBUG);
	assert_string_equal(log_level_name((enum log_level)(LOG_DEBUG + 1)), "unknown");
	assert_string_equal(log_level_name((enum log_level)99), "unknown");
}

static void the_sink_gets_all_parts(void **state)
{
	log_write(LOG_WARNING, "ike", "tunnel-a", "%s: got %d", "PskMismatch", 7);
	assert_int_equal(sunk.count, 1);
	assert_int_equal(sunk.level, LOG_WARNING);
	assert_string_equal(sunk.subsystem, "ike");
	assert_string_equal(sunk.object, "tunnel-a");
	assert_string_equal(sunk.line, "PskMismatch: got 7");
	log_write(LOG_INFO, "app", NULL, "up");
	assert_string_equal(sunk.object, "(null)");
	log_write(LOG_INFO, "app", NULL, "%s", "");
	assert_string_equal(sunk.line, "");
	assert_int_equal(sunk.count, 3);
}

static void only_levels_asked_for_pass(void **state)
{
	for (unsigned most = LOG_ERROR; most <= LOG_DEBUG; most++) {
		log_set_level((enum log_level)most);
		assert_int_equal(log_level(), most);
		sunk.count = 0;
		for (unsigned i = LOG_ERROR; i <= LOG_DEBUG; i++)
			log_write((enum log_level)i, "app", NULL, "x");
		assert_int_equal(sunk.count, most + 1);
	}
}

static void an_event_stays_one_clean_line(void **state)
{
	log_write(LOG_INFO, "bgp", NULL, "%s",
	    "a\nb\r\tc\x1b[0m\x7f"
	    "d");
	assert_string_equal(sunk.line, "a?b??c?[0m?d");
	log_write(LOG_INFO, "bgp", NULL, "%s", "\xc3\xa9"); /* UTF-8 of our own names */
	assert_string_equal(sunk.line, "\xc3\xa9");
}

static void a_line_that_cannot_be_formatted_is_not_lost(void **state)
{
	wchar_t invalid[] = {0x7fffffff, 0}; /* no character of any locale */

	log_write(LOG_INFO, "bgp", NULL, "peer %ls is gone", invalid);
	assert_int_equal(sunk.count, 1);
	assert_string_equal(sunk.line, "peer %ls is gone");
}

static void a_long_line_is_cut_with_dots(void **state)
{
	char text[1500];

	memset(text, 'a', sizeof(text));
	text[1023] = '\0';
	log_write(LOG_INFO, "bgp", NULL, "%s", text);
	assert_string_equal(sunk.line, text);
	text[1023] = 'a';
	text[1024] = '\0';
	log_write(LOG_INFO, "bgp", NULL, "%s", text);
	assert_int_equal(strlen(sunk.line), 1023);
	assert_string_equal(sunk.line + 1019, "a...");
	text[1024] = 'a';
	text[sizeof(text) - 1] = '\0';
	log_write(LOG_INFO, "bgp", NULL, "%s", text);
	assert_int_equal(strlen(sunk.line), 1023);
}

/* "2026-01-31T12:00:00.123Z notice ike tunnel-a: up\n" */
static void stderr_is_the_sink_by_default(void **state)
{
	int saved = dup(STDERR_FILENO), fds[2];
	char said[256];
	ssize_t len;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_write(LOG_NOTICE, "ike", "tunnel-a", "up");
	log_write(LOG_ERROR, "app", NULL, "no port");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	len = read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	assert_true(len > 0);
	said[len] = '\0';
	assert_string_equal(strchr(strchr(said, '\n') + 1, ' '), " error app: no port\n");
	*strchr(said, '\n') = '\0';
	assert_int_equal(strspn(said, "0123456789-T:.Z"), 24);
	assert_string_equal(said + 24, " notice ike tunnel-a: up");
}

static void a_burst_passes_then_one_per_interval(void **state)
{
	struct log_limit limit = {.interval_ns = DUR_S(10), .burst = 3};
	struct mono t = {DUR_S(1000)};
	uint64_t left_out = 99;

	for (unsigned i = 0; i < 3; i++) {
		assert_true(log_limit(&limit, t, &left_out));
		assert_true(left_out == 0);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_false(log_limit(&limit, t, NULL));
	assert_false(log_limit(&limit, mono_add(t, DUR_S(10) - 1), &left_out));
	t = mono_add(t, DUR_S(10));
	assert_true(log_limit(&limit, t, &left_out));
	assert_true(left_out == 6);
	assert_false(log_limit(&limit, t, NULL));
	/* parts of an interval are not lost: asked at 10, 15, 20 */
	assert_false(log_limit(&limit, mono_add(t, DUR_S(5)), NULL));
	assert_true(log_limit(&limit, mono_add(t, DUR_S(10)), &left_out));
	assert_true(left_out == 2);
}

static void silence_refills_the_burst_and_no_more(void **state)
{
	struct log_limit limit = {.interval_ns = DUR_S(1), .burst = 4};
	struct mono t = {DUR_S(5)};
	unsigned passed = 0;

	while (log_limit(&limit, t, NULL))
		passed++;
	assert_int_equal(passed, 4);
	t = mono_add(t, DUR_S(86400) * 365);
	for (passed = 0; log_limit(&limit, t, NULL);)
		passed++;
	assert_int_equal(passed, 4);
}

/* Asked just before an interval ends, a full bucket must not add the rest of that interval on top. */
static void a_full_bucket_earns_nothing(void **state)
{
	struct log_limit limit = {.interval_ns = DUR_S(10), .burst = 1};

	assert_true(log_limit(&limit, (struct mono){DUR_S(100)}, NULL));
	assert_true(log_limit(&limit, (struct mono){DUR_S(119)}, NULL));
	assert_false(log_limit(&limit, (struct mono){DUR_S(120)}, NULL));
	assert_true(log_limit(&limit, (struct mono){DUR_S(129)}, NULL));
}

static void odd_limits_are_safe(void **state)
{
	struct log_limit none = {.interval_ns = DUR_S(1)};
	struct log_limit once = {.burst = 1};
	struct log_limit limit = {.interval_ns = DUR_S(1), .burst = 1};

	assert_false(log_limit(&none, (struct mono){1}, NULL));
	assert_false(log_limit(&none, (struct mono){DUR_S(100)}, NULL));
	assert_true(log_limit(&once, (struct mono){1}, NULL));
	assert_false(log_limit(&once, (struct mono){DUR_S(100)}, NULL));
	/* time that goes back earns nothing */
	assert_true(log_limit(&limit, (struct mono){DUR_S(100)}, NULL));
	assert_false(log_limit(&limit, (struct mono){DUR_S(50)}, NULL));
	assert_false(log_limit(&limit, (struct mono){DUR_S(100)}, NULL));
	assert_true(log_limit(&limit, (struct mono){DUR_S(101)}, NULL));
}

/* In any window that starts with a full bucket, no more than burst + window / interval lines pass. */
static void random_askers_never_exceed_the_rate(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 200; round++) {
		struct log_limit limit = {
		    .interval_ns = 1 + rng_below(&rng, 1000), .burst = 1 + rng_below(&rng, 5)};
		struct mono t = {1}, passed_at[400];
		unsigned passed = 0, asked = 0, left_out = 0;
		uint64_t n = 0;

		for (; asked < 400; asked++) {
			t = mono_add(t, rng_below(&rng, 700));
			if (!log_limit(&limit, t, &n))
				continue;
			left_out += (unsigned)n;
			passed_at[passed++] = t;
		}
		assert_int_equal(passed + left_out + limit.suppressed, asked);
		for (unsigned i = 0; i < passed; i++) {
			for (unsigned j = i; j < passed; j++) {
				int64_t window = mono_diff(passed_at[i], passed_at[j]);

				assert_true(
				    j - i + 1 <= limit.burst + window / limit.interval_ns + 1);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(levels_have_names),
	    cmocka_unit_test_setup_teardown(the_sink_gets_all_parts, set_sink, reset_sink),
	    cmocka_unit_test_setup_teardown(only_levels_asked_for_pass, set_sink, reset_sink),
	    cmocka_unit_test_setup_teardown(an_event_stays_one_clean_line, set_sink, reset_sink),
	    cmocka_unit_test_setup_teardown(
		a_line_that_cannot_be_formatted_is_not_lost, set_sink, reset_sink),
	    cmocka_unit_test_setup_teardown(a_long_line_is_cut_with_dots, set_sink, reset_sink),
	    cmocka_unit_test(stderr_is_the_sink_by_default),
	    cmocka_unit_test(a_burst_passes_then_one_per_interval),
	    cmocka_unit_test(silence_refills_the_burst_and_no_more),
	    cmocka_unit_test(a_full_bucket_earns_nothing),
	    cmocka_unit_test(odd_limits_are_safe),
	    cmocka_unit_test(random_askers_never_exceed_the_rate),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
