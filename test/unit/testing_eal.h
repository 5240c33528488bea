/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTING_EAL_H
#define TESTING_EAL_H

/*
 * EAL for unit tests: ordinary memory, no devices, no files, one lcore that may run on every CPU of the
 * process, so that tests side by side do not share one. Use test_eal_setup() and test_eal_teardown() as the
 * fixtures of a group; test_packets is a pool of buffers like that of the product.
 */

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "boundary/meta.h"
#include "testing.h"

#define TEST_PACKETS 8191
#define TEST_POOL    "test"

static struct rte_mempool *test_packets;

/* "0@(0,1,5)": lcore 0 on the CPUs of this process. */
static inline void test_lcores(char *text, size_t size)
{
	cpu_set_t cpus;
	int at = snprintf(text, size, "0@(");

	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			at += snprintf(text + at, size - at, "%d,", cpu);
	text[at - 1] = ')';
}

static inline int test_eal_setup(void **state)
{
	static char lcores[5 * CPU_SETSIZE];
	const char *args[] = {"test", "--lcores", lcores, "--no-huge", "--no-shconf", "-m", "256",
	    "--no-pci", "--no-telemetry", "--log-level=critical"};
	char *copy[TEST_COUNT(args)], *argv[TEST_COUNT(args) + 1] = {0};

	test_lcores(lcores, sizeof(lcores));
	for (unsigned i = 0; i < TEST_COUNT(args); i++)
		argv[i] = copy[i] = strdup(args[i]); /* EAL moves them about */
	if (rte_eal_init(TEST_COUNT(args), argv) < 0) {
		fprintf(stderr, "EAL: %s\n", rte_strerror(rte_errno));
		return -1;
	}
	for (unsigned i = 0; i < TEST_COUNT(args); i++)
		free(copy[i]);
	test_packets = rte_pktmbuf_pool_create(
	    TEST_POOL, TEST_PACKETS, 0, META_BYTES, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return test_packets ? 0 : -1;
}

static inline int test_eal_teardown(void **state)
{
	rte_mempool_free(test_packets);
	return rte_eal_cleanup();
}

/* Every packet is back in the pool. */
static inline void test_packets_all_home(void)
{
	assert_int_equal(rte_mempool_avail_count(test_packets), TEST_PACKETS);
}

static inline struct rte_mbuf *test_packet(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(test_packets);

	assert_non_null(m);
	return m;
}

#endif
