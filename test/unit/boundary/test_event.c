/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/event.h: whole records, in the order of each worker, from many to one. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "boundary/event.h"
#include "testing.h"

static void whole_records(void **state)
{
	struct events *events = events_create(16);
	const struct event sent = {.kind = EVENT_SA_MOVED,
	    .tunnel = 7,
	    .spi = 0xdeadbeef,
	    .inbound = 1,
	    .from = test_addr("2001:db8::9"),
	    .from_port = 4500};
	struct event got;

	assert_int_equal(events_take(events, &got, 1), 0);
	assert_true(event_put(events, &sent));
	assert_int_equal(events_take(events, &got, 1), 1);
	assert_memory_equal(&got, &sent, sizeof(sent));
	events_free(events);
}

static void full(void **state)
{
	struct events *events = events_create(15);
	struct event ev = {.kind = EVENT_SA_SOFT}, got[16];

	for (ev.tunnel = 0; ev.tunnel < 15; ev.tunnel++)
		assert_true(event_put(events, &ev));
	assert_false(event_put(events, &ev));
	assert_int_equal(events_take(events, got, 16), 15);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(got[i].tunnel, i);
	assert_true(event_put(events, &ev));
	events_free(events);
	events_free(NULL);
	errno = 0;
	assert_null(events_create(1u << 31));
	assert_int_equal(errno, EINVAL);
}

#define WORKERS 3
#define EVENTS  20000

static struct events *shared;

static void *worker(void *arg)
{
	struct event ev = {.tunnel = (uint32_t)(uintptr_t)arg};

	for (ev.spi = 0; ev.spi < EVENTS; ev.spi++) {
		ev.from_port = ~ev.spi;
		while (!event_put(shared, &ev))
			sched_yield();
	}
	return NULL;
}

static void from_many_workers(void **state)
{
	uint32_t next[WORKERS] = {0};
	pthread_t thread[WORKERS];
	unsigned total = 0;

	shared = events_create(64);
	for (unsigned w = 0; w < WORKERS; w++)
		assert_int_equal(pthread_create(&thread[w], NULL, worker, (void *)(uintptr_t)w), 0);
	while (total < WORKERS * EVENTS) {
		struct event got[8];
		unsigned n = events_take(shared, got, 8);

		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(got[i].spi, next[got[i].tunnel]++);
			assert_int_equal(got[i].from_port, ~got[i].spi);
		}
		if (n == 0)
			sched_yield();
		total += n;
	}
	for (unsigned w = 0; w < WORKERS; w++)
		pthread_join(thread[w], NULL);
	events_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_records),
	    cmocka_unit_test(full),
	    cmocka_unit_test(from_many_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
