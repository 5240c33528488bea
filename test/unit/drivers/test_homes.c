/* SPDX-License-Identifier: BSD-3-Clause */

/* Which node's memory the packets of a port lie in. */

#include <sys/stat.h>
#include <unistd.h>

#include "drivers/homes.h"
#include "testing.h"

#define ON(...)                                                                                    \
	(const int[])                                                                              \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define NODES(a, b) ((a) | (b) << 1) /* usable: node 0, node 1 */

static int pool_node_of(const struct port_homes *h, unsigned port)
{
	assert_true(h->pool_of[port] < h->pools);
	return h->pool_node[h->pool_of[port]];
}

/* Nothing is known, or it does not matter: one pool, wherever there is memory. */
static void one_node_has_one_pool_anywhere(void **state)
{
	struct port_homes h;

	homes_choose(&h, ON(-1, 0), 2, ON(-1), 1, 0);
	assert_int_equal(h.pools, 1);
	assert_int_equal(pool_node_of(&h, 0), -1);
	assert_int_equal(pool_node_of(&h, 1), -1);
	assert_false(h.away[0] || h.away[1]);
	homes_choose(&h, ON(-1), 0, ON(-1), 1, 0);
	assert_int_equal(h.pools, 1);
}

static void each_port_has_its_own_node(void **state)
{
	struct port_homes h;

	homes_choose(&h, ON(1, 0, 1), 3, ON(0), 1, NODES(1, 1));
	assert_int_equal(h.pools, 2);
	assert_int_equal(pool_node_of(&h, 0), 1);
	assert_int_equal(pool_node_of(&h, 1), 0);
	assert_int_equal(pool_node_of(&h, 2), 1);
	assert_int_equal(h.pool_node[0], 0); /* near the worker: what it makes itself */
	homes_choose(&h, ON(1, 1), 2, ON(1, 1), 2, NODES(1, 1));
	assert_int_equal(h.pools, 1);
	assert_int_equal(pool_node_of(&h, 0), 1);
}

/* All ports elsewhere: no pool where none receives. */
static void no_pool_without_a_port(void **state)
{
	struct port_homes h;

	homes_choose(&h, ON(1, 1), 2, ON(0), 1, NODES(1, 1));
	assert_int_equal(h.pools, 1);
	assert_int_equal(h.pool_node[0], 1);
}

static void software_ports_are_where_most_workers_are(void **state)
{
	struct port_homes h;

	homes_choose(&h, ON(-1, -1), 2, ON(0, 1, 1), 3, NODES(1, 1));
	assert_int_equal(h.pools, 1);
	assert_int_equal(pool_node_of(&h, 1), 1);
	homes_choose(&h, ON(-1), 1, ON(1, 0), 2, NODES(1, 1)); /* as many: the first one's */
	assert_int_equal(pool_node_of(&h, 0), 1);
	homes_choose(&h, ON(-1, 0), 2, ON(1), 1, NODES(1, 1));
	assert_int_equal(h.pools, 2);
	assert_int_equal(pool_node_of(&h, 0), 1);
	assert_int_equal(pool_node_of(&h, 1), 0);
	assert_int_equal(h.pool_node[0], 1);
}

/* A node without huge pages cannot have a pool; its ports use that of the workers, and it is said. */
static void a_node_without_memory_has_none(void **state)
{
	struct port_homes h;

	homes_choose(&h, ON(1, 0), 2, ON(0), 1, NODES(1, 0));
	assert_int_equal(h.pools, 1);
	assert_int_equal(pool_node_of(&h, 0), 0);
	assert_true(h.away[0]);
	assert_false(h.away[1]);
	homes_choose(
	    &h, ON(-1, 40), 2, ON(0), 1, NODES(0, 1)); /* workers without, an unknown node */
	assert_int_equal(h.pools, 1);
	assert_int_equal(pool_node_of(&h, 0), 1);
	assert_true(h.away[1]);
}

static void every_node_at_once(void **state)
{
	struct port_homes h;
	int node[NUMA_NODES_MAX];

	for (int n = 0; n < NUMA_NODES_MAX; n++)
		node[n] = NUMA_NODES_MAX - 1 - n;
	homes_choose(&h, node, NUMA_NODES_MAX, ON(3), 1, (1u << NUMA_NODES_MAX) - 1);
	assert_int_equal(h.pools, NUMA_NODES_MAX);
	assert_int_equal(h.pool_node[0], 3);
	for (unsigned p = 0; p < NUMA_NODES_MAX; p++)
		assert_int_equal(pool_node_of(&h, p), node[p]);
}

static void put(const char *root, const char *folder, const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "mkdir -p %s/%s && echo '%s' >%s/%s/numa_node", root, folder,
	    text, root, folder);
	assert_int_equal(system(line), 0);
}

static void the_node_of_a_device(void **state)
{
	char root[] = "/tmp/test-homes-XXXXXX", line[64];

	assert_non_null(mkdtemp(root));
	put(root, "bus/pci/devices/0000:83:00.1", "1");
	put(root, "bus/pci/devices/0000:00:03.0", "-1");
	put(root, "class/net/eth7/device", "2");
	assert_int_equal(port_home_node_under(root, "83:00.1"), 1);
	assert_int_equal(port_home_node_under(root, "0000:00:03.0"), -1);
	assert_int_equal(port_home_node_under(root, "0000:00:04.0"), -1);
	assert_int_equal(port_home_node_under(root, "af_xdp:eth7,force_copy=1"), 2);
	assert_int_equal(port_home_node_under(root, "af_packet:eth7"), 2);
	assert_int_equal(port_home_node_under(root, "af_packet:veth0"), -1);
	assert_int_equal(port_home_node_under(root, "tap:eth7"), -1);
	assert_int_equal(port_home_node_under(root, "vdev:net_null0"), -1);
	assert_int_equal(port_home_node_under(root, "nonsense"), -1);
	snprintf(line, sizeof(line), "rm -r %s", root);
	assert_int_equal(system(line), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_node_has_one_pool_anywhere),
	    cmocka_unit_test(each_port_has_its_own_node),
	    cmocka_unit_test(no_pool_without_a_port),
	    cmocka_unit_test(software_ports_are_where_most_workers_are),
	    cmocka_unit_test(a_node_without_memory_has_none),
	    cmocka_unit_test(every_node_at_once),
	    cmocka_unit_test(the_node_of_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
