/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/inject.h: in order, to the one worker meant; full rings; nothing is lost at the end. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "boundary/epoch.h"
#include "boundary/inject.h"
#include "testing_eal.h"

static void in_order_to_its_worker(void **state)
{
	struct inject *inject = inject_create(3, 64);
	struct rte_mbuf *sent[10], *got[16];

	for (unsigned i = 0; i < 10; i++) {
		sent[i] = test_packet();
		assert_int_equal(inject_put(inject, 1, sent[i]), 0);
	}
	assert_int_equal(inject_take(inject, 0, got, 16), 0);
	assert_int_equal(inject_take(inject, 2, got, 16), 0);
	assert_false(inject_is_empty(inject, 1));
	assert_true(inject_is_empty(inject, 2));
	assert_int_equal(inject_take(inject, 1, got, 4), 4);
	assert_int_equal(inject_take(inject, 1, got + 4, 12), 6);
	assert_true(inject_is_empty(inject, 1));
	for (unsigned i = 0; i < 10; i++)
		assert_ptr_equal(got[i], sent[i]);
	rte_pktmbuf_free_bulk(got, 10);
	inject_free(inject);
	test_packets_all_home();
}

static void full(void **state)
{
	struct inject *inject = inject_create(2, 31);
	struct rte_mbuf *extra = test_packet();

	for (unsigned i = 0; i < 31; i++)
		assert_int_equal(inject_put(inject, 0, test_packet()), 0);
	assert_int_equal(inject_put(inject, 0, extra), -ENOBUFS);
	assert_int_equal(inject_put(inject, 1, extra), 0);
	inject_free(inject); /* with 32 packets in it */
	test_packets_all_home();
}

static void bad_sizes(void **state)
{
	assert_null(inject_create(0, 16));
	assert_int_equal(errno, EINVAL);
	assert_null(inject_create(WORKERS_MAX + 1, 16));
	inject_free(NULL);
}

#define PACKETS 50000

static void *worker(void *arg)
{
	struct inject *inject = arg;
	uintptr_t expected = 0;

	while (expected < PACKETS) {
		struct rte_mbuf *m[8];
		unsigned n = inject_take(inject, 0, m, 8);

		for (unsigned i = 0; i < n; i++) {
			bool right = pkt_meta(m[i])->nexthop == expected++;

			rte_pktmbuf_free(m[i]);
			if (!right)
				return inject;
		}
		if (n == 0)
			sched_yield();
	}
	return NULL;
}

static void across_threads(void **state)
{
	struct inject *inject = inject_create(1, 256);
	pthread_t thread;
	void *wrong;

	assert_int_equal(pthread_create(&thread, NULL, worker, inject), 0);
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct rte_mbuf *m = test_packet();

		pkt_meta(m)->nexthop = i;
		while (inject_put(inject, 0, m) != 0)
			sched_yield();
	}
	pthread_join(thread, &wrong);
	assert_null(wrong);
	inject_free(inject);
	test_packets_all_home();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_order_to_its_worker),
	    cmocka_unit_test(full),
	    cmocka_unit_test(bad_sizes),
	    cmocka_unit_test(across_threads),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
