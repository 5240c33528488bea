/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

/*
 * A set of timers over virtual time: a binary heap of pointers to nodes that live inside their
 * owners.
 *
 * The set never looks at a clock. timers_run(now) calls what is due, in order of deadline (ties:
 * order of arming); timers_next() tells when to come back. A handler may arm, cancel or free any
 * timer, its own too.
 */

#include <stddef.h>

#include "base/clock.h"

struct timer;
typedef void timer_fn(struct timer *t, struct mono now);

struct timer {
	timer_fn *fn;    /* find the owner with container_of() */
	struct mono due; /* valid while armed */
	uint64_t order;
	uint32_t slot; /* 1-based place in the heap; 0: not armed */
};

struct timers {
	struct timer **heap;
	uint32_t count;
	uint32_t capacity;
	uint64_t next_order;
};

#ifndef container_of /* DPDK has the same */
#	define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#endif

void timers_init(struct timers *set);
/* Frees the heap. Timers still armed are disarmed, their owners stay. */
void timers_fini(struct timers *set);
/* Arms, or moves when armed. Aborts the process when out of memory (as all small allocations of
 * control do). */
void timer_arm(struct timers *set, struct timer *t, struct mono due);
/* Does nothing when not armed. */
void timer_cancel(struct timers *set, struct timer *t);
static inline bool timer_is_armed(const struct timer *t)
{
	return t->slot != 0;
}
/* True and the earliest deadline in *due, or false when none is armed. */
bool timers_next(const struct timers *set, struct mono *due);
/* Calls every timer due at `now`, also those armed meanwhile for `now` or earlier, at most `limit`
 * of them (0: no limit). Returns how many ran. */
unsigned timers_run(struct timers *set, struct mono now, unsigned limit);

#endif
