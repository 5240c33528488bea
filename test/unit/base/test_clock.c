/* SPDX-License-Identifier: BSD-3-Clause */

/* Arithmetic of struct mono, and what base/clock.c makes of the clocks of the kernel. */

#include <stdbool.h>
#include <time.h>

#include "base/clock.h"
#include "testing.h"

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

static struct {
	bool set;
	struct timespec wall, monotonic;
} fake;

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (!fake.set)
		return __real_clock_gettime(id, ts);
	assert_true(id == CLOCK_REALTIME || id == CLOCK_MONOTONIC);
	*ts = id == CLOCK_REALTIME ? fake.wall : fake.monotonic;
	return 0;
}

static int forget_fake(void **state)
{
	fake.set = false;
	return 0;
}

static void durations_are_nanoseconds(void **state)
{
	assert_true(DUR_US(3) == 3000);
	assert_true(DUR_MS(3) == 3000000);
	assert_true(DUR_S(3) == 3000000000);
	assert_true(DUR_S(-3) == -3000000000);
	assert_true(DUR_S(1 + 2) == 3000000000);
	assert_true(DUR_S((uint32_t)86400 * 365) == INT64_C(31536000000000000));
}

static void points_add_and_differ(void **state)
{
	struct mono a = {DUR_S(10)}, b = mono_add(a, DUR_MS(5)), c = mono_add(a, -DUR_MS(5));

	assert_true(mono_diff(a, b) == DUR_MS(5));
	assert_true(mono_diff(b, a) == -DUR_MS(5));
	assert_true(mono_diff(a, c) == -DUR_MS(5));
	assert_true(mono_before(a, b));
	assert_false(mono_before(b, a));
	assert_false(mono_before(a, a));
	assert_true(mono_is_set(a));
	assert_false(mono_is_set((struct mono){0}));
}

static void now_is_the_monotonic_clock(void **state)
{
	fake.set = true;
	fake.monotonic = (struct timespec){.tv_sec = 5, .tv_nsec = 7};
	fake.wall = (struct timespec){.tv_sec = 1769860800};
	assert_true(mono_now().ns == DUR_S(5) + 7);
}

/* C-13: a step of the wall clock by a day leaves mono_now() where it was. */
static void now_ignores_steps_of_the_wall_clock(void **state)
{
	struct mono before;

	fake.set = true;
	fake.monotonic = (struct timespec){.tv_sec = 100};
	fake.wall = (struct timespec){.tv_sec = 1769860800};
	before = mono_now();
	fake.wall.tv_sec -= 86400;
	assert_true(mono_diff(before, mono_now()) == 0);
}

static void real_now_advances(void **state)
{
	struct mono last = mono_now();

	assert_true(mono_is_set(last));
	for (unsigned i = 0; i < 1000; i++) {
		struct mono now = mono_now();

		assert_false(mono_before(now, last));
		last = now;
	}
}

static void wall_text_is_rfc3339(void **state)
{
	static const struct {
		struct timespec ts;
		const char *text;
	} rows[] = {
	    {{0, 0}, "1970-01-01T00:00:00.000Z"},
	    {{1769860800, 123456789}, "2026-01-31T12:00:00.123Z"},
	    {{1769860800, 999999999}, "2026-01-31T12:00:00.999Z"},
	    {{1709164799, 1000000}, "2024-02-28T23:59:59.001Z"},
	    {{1709164800, 999999}, "2024-02-29T00:00:00.000Z"},
	    {{253402300799, 500000000}, "9999-12-31T23:59:59.500Z"},
	};
	char buf[WALL_TEXT_MAX];

	fake.set = true;
	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		fake.wall = rows[i].ts;
		assert_ptr_equal(wall_text(buf), buf);
		assert_string_equal(buf, rows[i].text);
	}
}

static void wall_text_ignores_the_time_zone(void **state)
{
	char buf[WALL_TEXT_MAX];

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	fake.set = true;
	fake.wall = (struct timespec){1769860800, 0};
	assert_string_equal(wall_text(buf), "2026-01-31T12:00:00.000Z");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_are_nanoseconds),
	    cmocka_unit_test(points_add_and_differ),
	    cmocka_unit_test_teardown(now_is_the_monotonic_clock, forget_fake),
	    cmocka_unit_test_teardown(now_ignores_steps_of_the_wall_clock, forget_fake),
	    cmocka_unit_test(real_now_advances),
	    cmocka_unit_test_teardown(wall_text_is_rfc3339, forget_fake),
	    cmocka_unit_test_teardown(wall_text_ignores_the_time_zone, forget_fake),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
