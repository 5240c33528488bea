/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_TX_H
#define DATAPATH_TX_H

/* Frames on their way out of a worker, by port. tx.c says what becomes of them. */

#include <rte_mbuf.h>

#include "datapath/worker.h"

struct tx_port {
	unsigned n;
	uint16_t index;
	struct rte_mbuf *m[BURST_MAX];
} __rte_cache_aligned;

struct worker_tx {
	uint32_t used; /* in this round: bitmap of ports */
	struct tx_port port[PORTS_MAX];
};

struct worker_tx *tx_create(unsigned worker);
void tx_free(struct worker_tx *tx);
/* Sends what waits for that port. */
void tx_flush_port(struct worker *w, struct tx_port *port);
/* The same for all ports. Once a round. */
void tx_flush(struct worker *w);

/* Where frames for that port go until the round ends. */
static inline struct tx_port *tx_to(struct worker *w, uint16_t index)
{
	w->tx->used |= UINT32_C(1) << index;
	return &w->tx->port[index];
}

/* Takes a complete frame, meta.out set. Leaves at the latest with tx_flush(). */
static inline void tx(struct worker *w, struct tx_port *t, struct rte_mbuf *m)
{
	t->m[t->n++] = m;
	if (unlikely(t->n == BURST_MAX))
		tx_flush_port(w, t);
}

#endif
