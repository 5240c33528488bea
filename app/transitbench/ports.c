/* SPDX-License-Identifier: BSD-3-Clause */

/* Ports in memory, by DPDK's ring driver. */

#include "transitbench/ports.h"

#include <errno.h>
#include <stdio.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

static struct rte_ring *ring(const char *direction, unsigned port, unsigned queue, unsigned size)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s%u.%u", direction, port, queue);
	return rte_ring_create(
	    name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

static int open_port(struct bench_ports *p, unsigned port, struct rte_mempool *pool)
{
	const uint16_t queues = (uint16_t)p->queues;
	struct rte_eth_conf conf = {0};
	char name[16];
	int id;

	for (unsigned q = 0; q < queues; q++) {
		p->in[port][q] = ring("in", port, q, p->descriptors);
		p->out[port][q] = ring("out", port, q, p->descriptors);
		if (!p->in[port][q] || !p->out[port][q])
			return -ENOMEM;
	}
	snprintf(name, sizeof(name), "mem%u", port);
	id = rte_eth_from_rings(name, p->in[port], queues, p->out[port], queues, 0);
	if (id < 0 || rte_eth_dev_configure((uint16_t)id, queues, queues, &conf) < 0)
		return -EIO;
	for (uint16_t q = 0; q < queues; q++) {
		if (rte_eth_rx_queue_setup((uint16_t)id, q, 512, 0, NULL, pool) < 0 ||
		    rte_eth_tx_queue_setup((uint16_t)id, q, 512, 0, NULL) < 0)
			return -EIO;
	}
	p->dpdk[port] = (uint16_t)id;
	return rte_eth_dev_start((uint16_t)id);
}

int bench_ports_open(struct bench_ports *p, struct rte_mempool *pool)
{
	int rc = open_port(p, LAN, pool);

	return rc ? rc : open_port(p, WAN, pool);
}

void bench_ports_drain(struct bench_ports *p)
{
	struct rte_mbuf *m;

	for (unsigned port = 0; port < SITE_PORTS; port++) {
		for (unsigned q = 0; q < p->queues; q++) {
			while (rte_ring_dequeue(p->in[port][q], (void **)&m) == 0 ||
			    rte_ring_dequeue(p->out[port][q], (void **)&m) == 0)
				rte_pktmbuf_free(m);
		}
	}
}
