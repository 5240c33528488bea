/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * Time as a type of its own.
 *
 * struct mono is a point on the monotonic clock, never a date: steps of the wall clock do not move
 * it (C-13). A plain int64_t in nanoseconds is a duration. Engines never read the clock: the caller
 * passes `now` to them, so that tests and simulations turn it by hand. mono_now() is the one place
 * that asks the kernel.
 */

#include <stdbool.h>
#include <stdint.h>

struct mono {
	int64_t ns; /* since an unspecified start; 0 is "never" by convention of the callers */
};

#define DUR_US(n) ((n)*INT64_C(1000))
#define DUR_MS(n) ((n)*INT64_C(1000000))
#define DUR_S(n)  ((n)*INT64_C(1000000000))

static inline struct mono mono_add(struct mono t, int64_t dur_ns)
{
	return (struct mono){t.ns + dur_ns};
}

/* Duration from `from` to `to` in nanoseconds, negative when `to` lies before. */
static inline int64_t mono_diff(struct mono from, struct mono to)
{
	return to.ns - from.ns;
}

static inline bool mono_before(struct mono a, struct mono b)
{
	return a.ns < b.ns;
}

static inline bool mono_is_set(struct mono t)
{
	return t.ns != 0;
}

/* CLOCK_MONOTONIC now. Control lcore and start-up code only. */
struct mono mono_now(void);

/* UTC as RFC 3339 with milliseconds ("2026-01-31T12:00:00.123Z"), for log lines only. */
#define WALL_TEXT_MAX 32
const char *wall_text(char buf[WALL_TEXT_MAX]);

#endif
