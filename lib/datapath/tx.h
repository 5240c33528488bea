/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_TX_H
#define DATAPATH_TX_H

/* Frames on their way out of a worker, by port. tx.c says what becomes of them. */

#include <rte_mbuf.h>

#include "datapath/worker.h"

struct tx_port {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
} __rte_cache_aligned;

struct worker_tx {
	uint32_t waiting; /* bitmap of ports with frames */
	struct tx_port port[PORTS_MAX];
};

struct worker_tx *tx_create(void);
void tx_free(struct worker_tx *tx);
/* Sends what waits for that port. */
void tx_flush_port(struct worker *w, uint16_t port);
/* The same for all ports. Once a round. */
void tx_flush(struct worker *w);

/* Takes a complete frame, meta.out_slot and meta.l2_bytes set. Leaves at the latest with tx_flush(). */
static inline void tx(struct worker *w, uint16_t port, struct rte_mbuf *m)
{
	struct tx_port *t = &w->tx->port[port];

	t->m[t->n++] = m;
	w->tx->waiting |= UINT32_C(1) << port;
	if (unlikely(t->n == BURST_MAX))
		tx_flush_port(w, port);
}

#endif
