/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/epoch.h: what is retired is freed after, and only after, a grace period. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "boundary/epoch.h"
#include "testing.h"

static unsigned freed[8], freed_count;

static void note(void *ptr)
{
	freed[freed_count++] = (unsigned)(uintptr_t)ptr;
}

static void retire(struct epoch *e, unsigned number)
{
	epoch_retire(e, note, (void *)(uintptr_t)number);
}

static int reset(void **state)
{
	freed_count = 0;
	return 0;
}

static void nobody_online(void **state)
{
	struct epoch *e = epoch_create(4);

	retire(e, 1);
	assert_int_equal(freed_count, 0); /* never from within epoch_retire() */
	assert_int_equal(epoch_reclaim(e), 1);
	assert_int_equal(freed[0], 1);
	assert_int_equal(epoch_reclaim(e), 0);
	assert_true(epoch_wait(e));
	epoch_free(e);
}

static void waits_for_each_worker(void **state)
{
	struct epoch *e = epoch_create(3);

	for (unsigned w = 0; w < 3; w++)
		epoch_online(e, w);
	retire(e, 1);
	assert_int_equal(epoch_reclaim(e), 0);
	epoch_quiescent(e, 0);
	epoch_quiescent(e, 0);
	epoch_quiescent(e, 2);
	assert_int_equal(epoch_reclaim(e), 0);
	epoch_offline(e, 1);
	assert_int_equal(epoch_reclaim(e), 1);
	/* one that went offline does not count; one that came back does, from then on */
	retire(e, 2);
	epoch_online(e, 1);
	epoch_quiescent(e, 0);
	epoch_quiescent(e, 2);
	assert_int_equal(epoch_reclaim(e), 1);
	retire(e, 3);
	epoch_quiescent(e, 0);
	epoch_quiescent(e, 2);
	assert_int_equal(epoch_reclaim(e), 0);
	epoch_quiescent(e, 1);
	assert_int_equal(epoch_reclaim(e), 1);
	for (unsigned w = 0; w < 3; w++)
		epoch_offline(e, w);
	epoch_free(e);
}

static void in_order(void **state)
{
	struct epoch *e = epoch_create(1);

	epoch_online(e, 0);
	retire(e, 1);
	retire(e, 2);
	epoch_quiescent(e, 0);
	retire(e, 3);
	assert_int_equal(epoch_reclaim(e), 2);
	assert_int_equal(freed[0], 1);
	assert_int_equal(freed[1], 2);
	epoch_quiescent(e, 0);
	assert_int_equal(epoch_reclaim(e), 1);
	epoch_offline(e, 0);
	epoch_free(e);
}

static void marks(void **state)
{
	struct epoch *e = epoch_create(1);
	uint64_t before, after;

	epoch_online(e, 0);
	before = epoch_mark(e);
	assert_false(epoch_passed(e, before));
	epoch_quiescent(e, 0);
	after = epoch_mark(e);
	assert_true(epoch_passed(e, before));
	assert_false(epoch_passed(e, after));
	assert_true(epoch_passed(e, before));
	epoch_offline(e, 0);
	assert_true(epoch_passed(e, after));
	epoch_free(e);
}

static struct epoch *nested;

static void retire_more(void *ptr)
{
	unsigned left = (unsigned)(uintptr_t)ptr;

	note(ptr);
	if (left)
		epoch_retire(nested, retire_more, (void *)(uintptr_t)(left - 1));
}

static void flush_follows_chains(void **state)
{
	nested = epoch_create(2);
	epoch_retire(nested, retire_more, (void *)(uintptr_t)3);
	assert_true(epoch_flush(nested));
	assert_int_equal(freed_count, 4);
	epoch_retire(nested, retire_more, (void *)(uintptr_t)2);
	epoch_free(nested);
	assert_int_equal(freed_count, 7);
}

static void reclaim_inside(void *ptr)
{
	note(ptr);
	epoch_reclaim(nested);
}

static void reclaim_from_within(void **state)
{
	nested = epoch_create(1);
	epoch_retire(nested, reclaim_inside, (void *)1);
	retire(nested, 2);
	epoch_retire(nested, reclaim_inside, (void *)3);
	epoch_reclaim(nested);
	assert_int_equal(freed_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(freed[i], i + 1);
	retire(nested, 4);
	epoch_free(nested);
	assert_int_equal(freed_count, 4);
}

static void a_hung_worker_is_not_waited_for(void **state)
{
	struct epoch *e = epoch_create(2);

	epoch_online(e, 1);
	retire(e, 1);
	assert_false(epoch_wait(e));
	assert_int_equal(freed_count, 0);
	epoch_offline(e, 1);
	epoch_free(e);
	assert_int_equal(freed_count, 1);
}

static void bad_counts(void **state)
{
	errno = 0;
	assert_null(epoch_create(0));
	assert_int_equal(errno, EINVAL);
	assert_null(epoch_create(WORKERS_MAX + 1));
	epoch_free(epoch_create(WORKERS_MAX));
	epoch_free(NULL);
}

/* Readers look at an object from several sides as long as they may; the writer swaps and retires it. */

#define READERS 3
#define SWAPS   20000

struct object {
	uint64_t magic[8];
};

static struct {
	struct epoch *epoch;
	_Atomic(struct object *) current;
	_Atomic unsigned reading;
	_Atomic bool stop;
	_Atomic uint64_t rounds, torn;
} shared;

static void object_free(void *ptr)
{
	memset(ptr, 0xee,
	    sizeof(struct object)); /* seen by a reader that should have been waited for */
	free(ptr);
	freed_count++;
}

static struct object *object_new(uint64_t magic)
{
	struct object *o = malloc(sizeof(*o));

	for (unsigned i = 0; i < 8; i++)
		o->magic[i] = magic;
	return o;
}

static void read_object(void)
{
	const struct object *o = atomic_load_explicit(&shared.current, memory_order_acquire);
	volatile const uint64_t *magic = o->magic;
	uint64_t first = magic[0];

	for (unsigned turn = 0; turn < 20; turn++)
		for (unsigned i = 0; i < 8; i++)
			if (magic[i] != first || first >= SWAPS)
				shared.torn++;
}

static void *reader(void *arg)
{
	unsigned worker = (unsigned)(uintptr_t)arg;

	epoch_online(shared.epoch, worker);
	shared.reading++;
	for (unsigned round = 1; !shared.stop; round++) {
		epoch_quiescent(shared.epoch, worker);
		read_object();
		shared.rounds++;
		if (round % 64 == worker) { /* sleeps at times, as an idle worker does */
			epoch_offline(shared.epoch, worker);
			sched_yield();
			epoch_online(shared.epoch, worker);
		}
	}
	epoch_offline(shared.epoch, worker);
	return NULL;
}

static void readers_never_see_freed_memory(void **state)
{
	pthread_t thread[READERS];

	shared.epoch = epoch_create(READERS);
	shared.current = object_new(0);
	for (unsigned w = 0; w < READERS; w++)
		assert_int_equal(pthread_create(&thread[w], NULL, reader, (void *)(uintptr_t)w), 0);
	while (shared.reading < READERS)
		sched_yield();
	for (unsigned i = 1; i < SWAPS; i++) {
		struct object *old =
		    atomic_exchange_explicit(&shared.current, object_new(i), memory_order_acq_rel);

		epoch_retire(shared.epoch, object_free, old);
		epoch_reclaim(shared.epoch);
		if (i % 1000 == 0)
			assert_true(epoch_wait(shared.epoch));
	}
	assert_true(epoch_flush(shared.epoch)); /* while they read */
	assert_int_equal(freed_count, SWAPS - 1);
	shared.stop = true;
	for (unsigned w = 0; w < READERS; w++)
		pthread_join(thread[w], NULL);
	assert_int_equal(shared.torn, 0);
	assert_true(shared.rounds > 0);
	epoch_free(shared.epoch);
	free(shared.current);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(nobody_online, reset),
	    cmocka_unit_test_setup(waits_for_each_worker, reset),
	    cmocka_unit_test_setup(in_order, reset),
	    cmocka_unit_test_setup(marks, reset),
	    cmocka_unit_test_setup(flush_follows_chains, reset),
	    cmocka_unit_test_setup(reclaim_from_within, reset),
	    cmocka_unit_test_setup(a_hung_worker_is_not_waited_for, reset),
	    cmocka_unit_test_setup(bad_counts, reset),
	    cmocka_unit_test_setup(readers_never_see_freed_memory, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
