/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_DRIVERS_EAL_H
#define TEST_DRIVERS_EAL_H

/* EAL on ordinary memory with one pool, for tests that open devices. */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include "drivers/buffers.h"
#include "drivers/port.h"
#include "testing.h"

static struct rte_mempool *test_pool;

/* On the first CPU that this process may use. EAL reorders the array and writes into the
 * strings. */
static int eal_setup(void **state)
{
	static char words[][32] = {"test", "-l", "", "--no-huge", "-m", "256", "--no-shconf",
	    "--no-pci", "--no-telemetry", "--log-level=critical"};
	char *argv[TEST_COUNT(words)];
	cpu_set_t cpus;
	int cpu = 0;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	snprintf(words[2], sizeof(words[2]), "%d", cpu);
	for (unsigned i = 0; i < TEST_COUNT(words); i++)
		argv[i] = words[i];
	if (rte_eal_init(TEST_COUNT(words), argv) < 0)
		return -1;
	test_pool = packet_pool_create("first", 16383, 1500, false, -1);
	return test_pool ? 0 : -1;
}

static int eal_teardown(void **state)
{
	rte_mempool_free(test_pool);
	return rte_eal_cleanup();
}

static struct port_spec spec_of(const char *device, uint16_t index)
{
	return (struct port_spec){
	    .name = "p0",
	    .device = device,
	    .index = index,
	    .mtu = 1500,
	    .workers = 1,
	    .descriptors = 256,
	    .pool = test_pool,
	    .node = -1,
	};
}

static inline struct port *open_ok(const struct port_spec *spec)
{
	char why[PORT_WHY_MAX];
	struct port *port = port_open(spec, why);

	if (!port)
		fail_msg("%s: %s", spec->device, why);
	return port;
}

/* Cannot be opened: errno, and some words of the reason. */
static inline void open_fails(const struct port_spec *spec, int error, const char *said)
{
	unsigned before = rte_eth_dev_count_total(), buffers = rte_mempool_avail_count(test_pool);
	char why[PORT_WHY_MAX];

	assert_null(port_open(spec, why));
	assert_int_equal(errno, error);
	if (!strstr(why, said))
		fail_msg("\"%s\" lacks \"%s\"", why, said);
	assert_int_equal(rte_eth_dev_count_total(), before);
	assert_int_equal(rte_mempool_avail_count(test_pool), buffers);
}

#endif
