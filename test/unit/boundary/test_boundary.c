/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/boundary.h: everything is made, or nothing is left; what is still in it is freed. */

#include <errno.h>

#include "boundary/boundary.h"
#include "testing_eal.h"

static const struct boundary_limits usual = {.workers = 2,
    .ifaces = 64,
    .neighbours = 100,
    .nexthops = 500,
    .tunnels = 50,
    .sas = 200,
    .slots = 100};

static void all_parts(void **state)
{
	struct boundary *b = boundary_create(&usual, NULL, test_packets);

	assert_non_null(b);
	assert_int_equal((uintptr_t)b->beat % RTE_CACHE_LINE_SIZE, 0);
	assert_int_equal(b->workers, 2);
	assert_ptr_equal(b->pool, test_packets);
	assert_non_null(b->epoch);
	assert_non_null(b->neighbours);
	assert_non_null(b->sas);
	assert_non_null(b->punt);
	assert_non_null(b->inject);
	assert_non_null(b->events);
	assert_int_equal(nexthop_get(&b->nexthops, 0)->kind, NH_NONE);
	assert_false(b->stop);
	boundary_free(b);
	boundary_free(NULL);
}

/* Records that are published and retired, packets in rings: the sanitizer sees what is left behind. */
static void freed_while_in_use(void **state)
{
	struct boundary *b = boundary_create(&usual, NULL, test_packets);
	const struct ip_addr addr = test_addr("192.0.2.1");
	const struct iface spec = {.port = 1, .vlan = 5};
	struct nexthop_spec leaf = {.kind = NH_TUNNEL};
	uint32_t index = 0;

	int iface = iface_publish(&b->ifaces, &spec);

	assert_true(iface > 0);
	assert_true(
	    neigh_publish(b->neighbours, iface_get(&b->ifaces, (uint32_t)iface), &addr, NULL) > 0);
	leaf.permit = permit_create(10);
	leaf.tunnel = tunnel_alloc(&b->tunnels);
	assert_int_equal(nexthop_publish(&b->nexthops, &leaf, &index), 0);
	permit_unref(leaf.permit);
	nexthop_remove(&b->nexthops, index);
	iface_remove(&b->ifaces, (uint32_t)iface);
	assert_int_equal(inject_put(b->inject, 1, test_packet()), 0);
	assert_int_equal(punt_put(b->punt, 0, PUNT_ARP, test_packet(), rte_rdtsc()), 0);
	boundary_free(b);
	test_packets_all_home();
}

static void fails(struct boundary_limits limits)
{
	errno = 0;
	assert_null(boundary_create(&limits, NULL, test_packets));
	assert_int_equal(errno, EINVAL);
}

static void limits_that_cannot_be(void **state)
{
	struct boundary_limits l = usual;

	l.workers = 0;
	fails(l);
	l.workers = WORKERS_MAX + 1;
	fails(l);
	l = usual;
	l.ifaces = 65537;
	fails(l);
	l = usual;
	l.nexthops = 32769;
	fails(l);
	l = usual;
	l.slots = 65537;
	fails(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_parts),
	    cmocka_unit_test(freed_while_in_use),
	    cmocka_unit_test(limits_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
