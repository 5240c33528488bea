/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_PORTS_H
#define TRANSITBENCH_PORTS_H

/* Two ports in memory, towards a site (lan) and an uplink (wan): each queue is a pair of rings. */

#include <stdint.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#define BENCH_WORKERS_MAX 8

enum { LAN, WAN, SITE_PORTS };

struct bench_ports {
	unsigned queues;      /* of each port: one per worker */
	unsigned descriptors; /* packets that a queue holds, a power of two */
	uint16_t dpdk[SITE_PORTS];
	struct rte_ring *in[SITE_PORTS][BENCH_WORKERS_MAX];  /* what workers receive */
	struct rte_ring *out[SITE_PORTS][BENCH_WORKERS_MAX]; /* what they have sent */
};

/* `queues` and `descriptors` are set. 0 or -errno. They last until the program ends. */
int bench_ports_open(struct bench_ports *p, struct rte_mempool *pool);
/* Frees what lies in the rings. */
void bench_ports_drain(struct bench_ports *p);

#endif
