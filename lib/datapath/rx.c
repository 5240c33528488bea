/* SPDX-License-Identifier: BSD-3-Clause */
/* Polls a receive queue. Headers are on their way to the cache when the next stage begins. */

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "datapath/stage.h"

/* Where the data of a packet just received starts in buffers of our pools: a guess good enough for a prefetch, without
 * waiting for the buffer's own header. */
static inline void prefetch(struct rte_mbuf *m)
{
	rte_prefetch0(m);
	rte_prefetch0(pkt_meta(m));
	rte_prefetch0(RTE_PTR_ADD(m, sizeof(*m) + META_BYTES + RTE_PKTMBUF_HEADROOM));
}

unsigned rx(struct worker *w, const struct worker_queue *q, struct rte_mbuf **m)
{
	const struct port *port = w->b->port[q->port];
	unsigned n = rte_eth_rx_burst(port->dpdk_id, q->queue, m, BURST_MAX);

	for (unsigned i = 0; i < n; i++)
		prefetch(m[i]);
	return n;
}
