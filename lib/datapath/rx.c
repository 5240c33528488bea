/* SPDX-License-Identifier: BSD-3-Clause */
/* Polls a receive queue. The first headers are on their way to the cache when the next stage begins. */

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "datapath/stage.h"

#define PREFETCH_FIRST 8

unsigned rx(struct worker *w, const struct worker_queue *q, struct rte_mbuf **m)
{
	const struct port *port = w->b->port[q->port];
	unsigned n = rte_eth_rx_burst(port->dpdk_id, q->queue, m, BURST_MAX);

	for (unsigned i = 0; i < n && i < PREFETCH_FIRST; i++) {
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		rte_prefetch0(pkt_meta(m[i]));
	}
	return n;
}
