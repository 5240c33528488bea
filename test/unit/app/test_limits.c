/* SPDX-License-Identifier: BSD-3-Clause */

/* Tables have room for the file, and slots fit their 16 bits. */

#include "testing.h"
#include "transitd/limits.h"

static struct boundary_limits limits_for(unsigned connections, unsigned ports)
{
	static struct conf_connection dual = {.tunnels_count = 2};
	static struct conf_connection *list[40000];
	uint32_t cores[] = {1, 2};
	struct conf conf = {.vpn_connections = list,
	    .vpn_connections_count = connections,
	    .ports_count = ports,
	    .system = {.worker_cores = cores, .worker_cores_count = 2}};

	for (unsigned i = 0; i < connections; i++)
		list[i] = &dual;
	return limits_of(&conf);
}

static void small_sites_have_room(void **state)
{
	struct boundary_limits l = limits_for(0, 2);

	assert_int_equal(l.workers, 2);
	assert_true(l.tunnels >= 100);
	assert_true(l.ifaces >= 64);
	assert_true(l.slots > l.tunnels + l.ifaces);
	assert_true(limits_sessions(&l) >= 2 * 2 * 2 * l.tunnels);
}

static void large_sites_grow(void **state)
{
	struct boundary_limits l = limits_for(2500, 4);

	assert_int_equal(l.tunnels, 10000);
	assert_true(l.sas >= 4 * 5000);
	assert_true(l.slots > l.tunnels + l.ifaces);
}

static void slots_fit(void **state)
{
	struct boundary_limits l = limits_for(40000, 32);

	assert_true(l.slots <= UINT16_MAX + 1u);
	assert_true(l.nexthops <= FIB_NEXTHOP_MAX + 1);
	assert_true(limits_for(2500, 4).nexthops <= FIB_NEXTHOP_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_sites_have_room),
	    cmocka_unit_test(large_sites_grow),
	    cmocka_unit_test(slots_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
