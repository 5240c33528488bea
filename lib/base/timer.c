/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A binary min-heap: heap[0..count-1], where the children of index i are 2i+1 and 2i+2. timer.slot
 * is the index plus one, so that cancelling needs no search: both change in place() only.
 */

#include "base/timer.h"

#include <stdlib.h>

#include "base/mem.h"

void timers_init(struct timers *set)
{
	*set = (struct timers){0};
}

void timers_fini(struct timers *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		set->heap[i]->slot = 0;
	free(set->heap);
	timers_init(set);
}

static void place(struct timers *set, uint32_t index, struct timer *t)
{
	set->heap[index] = t;
	t->slot = index + 1;
}

static bool runs_before(const struct timer *a, const struct timer *b)
{
	return a->due.ns != b->due.ns ? a->due.ns < b->due.ns : a->order < b->order;
}

/* `t` belongs at `index` or above. */
static void sift_up(struct timers *set, uint32_t index, struct timer *t)
{
	while (index > 0) {
		uint32_t parent = (index - 1) / 2;

		if (!runs_before(t, set->heap[parent]))
			break;
		place(set, index, set->heap[parent]);
		index = parent;
	}
	place(set, index, t);
}

/* `t` belongs at `index` or below. */
static void sift_down(struct timers *set, uint32_t index, struct timer *t)
{
	for (;;) {
		uint32_t child = 2 * index + 1;

		if (child >= set->count)
			break;
		if (child + 1 < set->count && runs_before(set->heap[child + 1], set->heap[child]))
			child++;
		if (!runs_before(set->heap[child], t))
			break;
		place(set, index, set->heap[child]);
		index = child;
	}
	place(set, index, t);
}

void timer_arm(struct timers *set, struct timer *t, struct mono due)
{
	timer_cancel(set, t);
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? 2 * set->capacity : 16;
		set->heap = xrealloc(set->heap, set->capacity * sizeof(set->heap[0]));
	}
	t->due = due;
	t->order = set->next_order++;
	sift_up(set, set->count++, t);
}

void timer_cancel(struct timers *set, struct timer *t)
{
	struct timer *last;
	uint32_t index;

	if (!timer_is_armed(t))
		return;
	index = t->slot - 1;
	t->slot = 0;
	last = set->heap[--set->count];
	if (last == t)
		return;
	if (index > 0 && runs_before(last, set->heap[(index - 1) / 2]))
		sift_up(set, index, last);
	else
		sift_down(set, index, last);
}

bool timers_next(const struct timers *set, struct mono *due)
{
	if (set->count == 0)
		return false;
	*due = set->heap[0]->due;
	return true;
}

unsigned timers_run(struct timers *set, struct mono now, unsigned limit)
{
	unsigned ran = 0;

	while (set->count > 0 && (limit == 0 || ran < limit)) {
		struct timer *t = set->heap[0];

		if (mono_before(now, t->due))
			break;
		timer_cancel(set, t);
		ran++;
		t->fn(t, now); /* may free t */
	}
	return ran;
}
