/* SPDX-License-Identifier: BSD-3-Clause */

/* Workers that are slow hold on to what they read, and never find a hole between two configurations. */

#include <pthread.h>
#include <sched.h>

#include "base/log.h"
#include "base/mem.h"
#include "bench.h"

static void numbers_wait_for_slow_workers(void **state)
{
	struct bench *t = *state;
	static const char a[] =
	    BENCH_SITE "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n";
	static const char b[] =
	    BENCH_SITE "attachments:\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n";

	bench_apply(t, a);
	const struct iface seen = *iface_of_vlan(&t->b->ifaces, 2, 10);

	epoch_online(t->b->epoch, 0);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, BENCH_SITE);
	bench_apply(t, b); /* the worker may still have a packet of vpc-a in hand */
	const struct iface *next = iface_of_vlan(&t->b->ifaces, 2, 20);

	assert_int_not_equal(next->attachment, seen.attachment);
	assert_int_not_equal(next->slot, seen.slot);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, BENCH_SITE);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, a);
	assert_int_equal(iface_of_vlan(&t->b->ifaces, 2, 10)->attachment, seen.attachment);
	assert_int_equal(iface_of_vlan(&t->b->ifaces, 2, 10)->slot, seen.slot);
	epoch_offline(t->b->epoch, 0);
}

static void a_table_waits_for_slow_workers(void **state)
{
	struct bench *t = *state;
	struct ip_addr dst = test_addr("10.1.0.7");

	bench_apply(t,
	    BENCH_SITE "route-tables: {default: {}, red: {}}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " associate: red, propagate: [red]}\n");
	const struct fib *red = bench_ingress(t, "vpc-a").fib;
	uint32_t hop = fib_lookup_one(red, &dst);

	assert_true(hop != 0);
	epoch_online(t->b->epoch, 0);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, BENCH_SITE); /* the worker has a packet of vpc-a in hand */
	assert_int_equal(fib_lookup_one(red, &dst), hop);
	assert_int_equal(nexthop_get(&t->b->nexthops, hop)->kind, NH_CONNECTED);
	epoch_quiescent(t->b->epoch, 0);
	epoch_reclaim(t->b->epoch);
	epoch_offline(t->b->epoch, 0);
}

static _Atomic bool started, stop;
static _Atomic uint64_t lookups, missed;

/* Looks the same destination up for ever, the way a worker does: it must always be there. */
static void *worker(void *arg)
{
	struct bench *t = arg;
	struct ip_addr dst = test_addr("10.9.1.1");

	epoch_online(t->b->epoch, 0);
	atomic_store(&started, true);
	while (!atomic_load(&stop)) {
		const struct iface *in = iface_of_vlan(&t->b->ifaces, 2, 10);
		sched_yield(); /* a long time between two steps of a worker */
		uint32_t hop = in && in->fib ? fib_lookup_one(in->fib, &dst) : 0;
		const struct nexthop *nh = nexthop_get(&t->b->nexthops, hop), *leaf = nh;

		if (nh && nh->kind == NH_GROUP)
			leaf = nexthop_get(&t->b->nexthops, nh->bucket[77]);
		if (!hop || !nh || !leaf || leaf->kind != NH_TUNNEL ||
		    !nexthop_permits(nh, in->attachment) ||
		    !tunnel_get(&t->b->tunnels, leaf->tunnel))
			atomic_fetch_add(&missed, 1);
		atomic_fetch_add(&lookups, 1);
		epoch_quiescent(t->b->epoch, 0);
	}
	epoch_offline(t->b->epoch, 0);
	return NULL;
}

/* Tables come and go, associations and connections change: a worker never finds a hole. */
static void a_worker_never_finds_a_hole(void **state)
{
	struct bench *t = *state;
	static const char *const turn[] = {
	    BENCH_BASIC,
	    BENCH_SITE "route-tables: {default: {}, blue: {}}\n" BENCH_CONNECTIONS "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, propagate: [blue],"
		       " routes: [{prefix: 10.0.0.0/9}]}\n"
		       "  dc2: {kind: vpn, connection: dc2}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " associate: blue}\n",
	    BENCH_SITE BENCH_CONNECTIONS
	    "attachments:\n"
	    "  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.9.1.0/24}]}\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 11, address: 10.2.0.1/16}\n"
	    "routing-policies:\n  - {priority: 9, direction: egress, destination-attachment:"
	    " [vpc-b], action: deny}\n",
	};
	pthread_t thread;

	bench_apply(t, turn[0]);
	assert_int_equal(pthread_create(&thread, NULL, worker, t), 0);
	while (!atomic_load(&started))
		sched_yield();
	for (unsigned i = 1; i < 90 || atomic_load(&lookups) < 1000; i++) {
		bench_apply(t, turn[i % TEST_COUNT(turn)]);
		bench_tunnels(t, i % 2 ? MODEL_TUNNEL_UP : MODEL_TUNNEL_DOWN);
		epoch_reclaim(t->b->epoch);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(numbers_wait_for_slow_workers),
	    CASE(a_table_waits_for_slow_workers),
	    CASE(a_worker_never_finds_a_hole),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
