/* SPDX-License-Identifier: BSD-3-Clause */

/* base/timer.h against a naive list, and handlers that arm, cancel and free what they please. */

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"
#include "testing.h"

#define OWNERS 64

struct owner {
	struct timer timer;
	int id;
};

static struct {
	struct timers set;
	struct owner owners[OWNERS];
	int ran[4096];
	unsigned count;
} w;

static void record(struct timer *t, struct mono now)
{
	assert_false(timer_is_armed(t));
	assert_false(mono_before(now, t->due));
	assert_true(w.count < TEST_COUNT(w.ran));
	w.ran[w.count++] = container_of(t, struct owner, timer)->id;
}

static int set_up(void **state)
{
	memset(&w, 0, sizeof(w));
	timers_init(&w.set);
	for (int i = 0; i < OWNERS; i++) {
		w.owners[i].id = i;
		w.owners[i].timer.fn = record;
	}
	return 0;
}

static int tear_down(void **state)
{
	timers_fini(&w.set);
	return 0;
}

static void arm(int id, int64_t due)
{
	timer_arm(&w.set, &w.owners[id].timer, (struct mono){due});
}

static unsigned run(int64_t now)
{
	w.count = 0;
	return timers_run(&w.set, (struct mono){now}, 0);
}

static void check_ran(unsigned count, const int *ids)
{
	assert_int_equal(w.count, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(w.ran[i], ids[i]);
}

static void an_empty_set_has_nothing_to_do(void **state)
{
	struct mono due = {77};

	assert_false(timers_next(&w.set, &due));
	assert_true(due.ns == 77);
	assert_int_equal(run(INT64_MAX), 0);
	timer_cancel(&w.set, &w.owners[0].timer);
}

static void due_ones_run_in_order_of_deadline(void **state)
{
	struct mono due;

	arm(0, 30);
	arm(1, 10);
	arm(2, 20);
	assert_true(timers_next(&w.set, &due));
	assert_true(due.ns == 10);
	assert_int_equal(run(9), 0);
	assert_int_equal(run(20), 2);
	check_ran(2, (int[]){1, 2});
	assert_true(timer_is_armed(&w.owners[0].timer));
	assert_true(timers_next(&w.set, &due));
	assert_true(due.ns == 30);
	assert_int_equal(run(1000), 1);
	check_ran(1, (int[]){0});
}

static void ties_run_in_order_of_arming(void **state)
{
	int expected[OWNERS];

	for (int i = 0; i < OWNERS; i++)
		arm((i * 37) % OWNERS, 5);
	for (int i = 0; i < OWNERS; i++)
		expected[i] = (i * 37) % OWNERS;
	assert_int_equal(run(5), OWNERS);
	check_ran(OWNERS, expected);
	/* arming again moves a timer behind its equals */
	arm(0, 8);
	arm(1, 8);
	arm(2, 8);
	arm(0, 8);
	assert_int_equal(run(8), 3);
	check_ran(3, (int[]){1, 2, 0});
}

static void arming_moves_both_ways(void **state)
{
	arm(0, 10);
	arm(1, 20);
	arm(2, 30);
	arm(0, 25);
	arm(2, 5);
	assert_int_equal(w.set.count, 3);
	assert_int_equal(run(100), 3);
	check_ran(3, (int[]){2, 1, 0});
}

static void the_limit_leaves_the_rest_for_later(void **state)
{
	for (int i = 0; i < 10; i++)
		arm(i, i);
	assert_int_equal(timers_run(&w.set, (struct mono){100}, 4), 4);
	check_ran(4, (int[]){0, 1, 2, 3});
	assert_int_equal(run(100), 6);
	check_ran(6, (int[]){4, 5, 6, 7, 8, 9});
}

static void fini_disarms(void **state)
{
	for (int i = 0; i < OWNERS; i++)
		arm(i, i);
	timers_fini(&w.set);
	for (int i = 0; i < OWNERS; i++)
		assert_false(timer_is_armed(&w.owners[i].timer));
	assert_int_equal(run(100), 0);
	arm(3, 1); /* usable again */
	assert_int_equal(run(1), 1);
}

static void arm_self_later(struct timer *t, struct mono now)
{
	record(t, now);
	timer_arm(&w.set, t, mono_add(t->due, 10));
}

static void a_handler_may_arm_itself(void **state)
{
	w.owners[0].timer.fn = arm_self_later;
	arm(0, 10);
	assert_int_equal(run(35), 3); /* 10, 20, 30: catches up */
	assert_true(w.owners[0].timer.due.ns == 40);
}

static void arm_other_now(struct timer *t, struct mono now)
{
	record(t, now);
	arm(1, now.ns);
	arm(2, now.ns - 100);
	arm(3, now.ns + 1);
}

static void timers_armed_meanwhile_run_when_due(void **state)
{
	w.owners[0].timer.fn = arm_other_now;
	arm(0, 50);
	arm(4, 60);
	assert_int_equal(run(200), 4);
	check_ran(4, (int[]){0, 4, 2, 1});
	assert_true(timer_is_armed(&w.owners[3].timer));
}

static void cancel_neighbours(struct timer *t, struct mono now)
{
	record(t, now);
	timer_cancel(&w.set, t);
	timer_cancel(&w.set, &w.owners[1].timer);
	timer_cancel(&w.set, &w.owners[3].timer);
}

static void a_handler_may_cancel_what_is_due(void **state)
{
	w.owners[0].timer.fn = cancel_neighbours;
	for (int i = 0; i < 5; i++)
		arm(i, 10);
	assert_int_equal(run(10), 3);
	check_ran(3, (int[]){0, 2, 4});
	assert_false(timer_is_armed(&w.owners[1].timer));
}

static struct owner *heap_owners[2];

static void free_both(struct timer *t, struct mono now)
{
	record(t, now);
	for (unsigned i = 0; i < 2; i++) {
		timer_cancel(&w.set, &heap_owners[i]->timer);
		free(heap_owners[i]);
	}
}

static void a_handler_may_free_itself_and_others(void **state)
{
	for (int i = 0; i < 2; i++) {
		heap_owners[i] = xcalloc(1, sizeof(*heap_owners[i]));
		heap_owners[i]->id = 100 + i;
		heap_owners[i]->timer.fn = free_both;
		timer_arm(&w.set, &heap_owners[i]->timer, (struct mono){10});
	}
	arm(0, 10);
	assert_int_equal(run(10), 2);
	check_ran(2, (int[]){100, 0});
}

/* The oracle: per owner whether it is armed, until when, and as the how-manieth arming. */
struct naive {
	bool armed;
	int64_t due;
	unsigned order;
};

static int naive_first(const struct naive *n)
{
	int first = -1;

	for (int i = 0; i < OWNERS; i++) {
		if (!n[i].armed)
			continue;
		if (first < 0 || n[i].due < n[first].due ||
		    (n[i].due == n[first].due && n[i].order < n[first].order))
			first = i;
	}
	return first;
}

static void check_heap(const struct naive *n)
{
	int first = naive_first(n);
	unsigned armed = 0;
	struct mono due;

	for (int i = 0; i < OWNERS; i++) {
		assert_int_equal(timer_is_armed(&w.owners[i].timer), n[i].armed);
		armed += n[i].armed;
	}
	assert_int_equal(w.set.count, armed);
	for (uint32_t i = 0; i < w.set.count; i++)
		assert_int_equal(w.set.heap[i]->slot, i + 1);
	assert_int_equal(timers_next(&w.set, &due), first >= 0);
	if (first >= 0)
		assert_true(due.ns == n[first].due);
}

static void check_run(struct naive *n, int64_t now, unsigned limit)
{
	unsigned expected = 0;
	int first;

	w.count = 0;
	timers_run(&w.set, (struct mono){now}, limit);
	while (
	    (first = naive_first(n)) >= 0 && n[first].due <= now && (!limit || expected < limit)) {
		assert_true(expected < w.count);
		assert_int_equal(w.ran[expected++], first);
		n[first].armed = false;
	}
	assert_int_equal(w.count, expected);
}

static void random_operations_agree_with_a_list(void **state)
{
	struct rng rng = test_rng();
	struct naive n[OWNERS] = {0};
	unsigned order = 0;
	int64_t now = 0;

	for (unsigned step = 0; step < 50000; step++) {
		int id = (int)rng_below(&rng, OWNERS);
		uint32_t what = rng_below(&rng, 20);

		if (what < 12) {
			int64_t due =
			    now - 5 + rng_below(&rng, 60); /* many ties, some in the past */

			arm(id, due);
			n[id] = (struct naive){true, due, order++};
		} else if (what < 17) {
			timer_cancel(&w.set, &w.owners[id].timer);
			n[id].armed = false;
		} else {
			now += rng_below(&rng, 12);
			check_run(n, now, rng_below(&rng, 4));
		}
		check_heap(n);
	}
}

static void many_timers_grow_the_heap(void **state)
{
	enum { MANY = 4000 };
	struct owner *many = xcalloc(MANY, sizeof(*many));

	for (int i = 0; i < MANY; i++) {
		many[i] = (struct owner){.timer.fn = record, .id = i};
		timer_arm(&w.set, &many[i].timer, (struct mono){(i * 1237) % MANY});
	}
	assert_int_equal(run(MANY), MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal((w.ran[i] * 1237) % MANY, i);
	free(many);
}

#define TIMER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TIMER_TEST(an_empty_set_has_nothing_to_do),
	    TIMER_TEST(due_ones_run_in_order_of_deadline),
	    TIMER_TEST(ties_run_in_order_of_arming),
	    TIMER_TEST(arming_moves_both_ways),
	    TIMER_TEST(the_limit_leaves_the_rest_for_later),
	    TIMER_TEST(fini_disarms),
	    TIMER_TEST(a_handler_may_arm_itself),
	    TIMER_TEST(timers_armed_meanwhile_run_when_due),
	    TIMER_TEST(a_handler_may_cancel_what_is_due),
	    TIMER_TEST(a_handler_may_free_itself_and_others),
	    TIMER_TEST(random_operations_agree_with_a_list),
	    TIMER_TEST(many_timers_grow_the_heap),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
