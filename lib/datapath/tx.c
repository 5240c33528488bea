/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames wait here by port until a burst is full or the round ends. A frame counts as delivered when the port
 * took it; what the port does not take at once is dropped, never tried again: the queue of the device is the
 * only queue there is. Workers that share a transmit queue take its lock for one burst.
 */

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "boundary/near.h"
#include "datapath/stage.h"
#include "datapath/trace.h"
#include "datapath/tx.h"

static_assert(PORTS_MAX <= 32, "worker_tx.used has a bit for every port");

struct worker_tx *tx_create(unsigned worker)
{
	struct worker_tx *tx = near_zmalloc(worker, sizeof(*tx));

	for (unsigned i = 0; tx && i < PORTS_MAX; i++)
		tx->port[i].index = (uint16_t)i;
	return tx;
}

void tx_free(struct worker_tx *tx)
{
	rte_free(tx);
}

/* Frames of one ingress and way out: `meta` is of one of them. */
static inline void count_same(
    struct worker *w, const struct pkt_meta *meta, uint64_t n, uint64_t frame_bytes)
{
	struct slot_counters *out = &w->slots[pkt_out_slot(meta->out)];

	w->slots[meta->slot].delivered += n;
	out->sent += n;
	out->sent_bytes += frame_bytes - n * pkt_out_l2_bytes(meta->out);
}

/* Before they are the port's: afterwards their meta may be gone. At once where all have the same, else one by one: runs
 * are short where packets are mixed, and their ends cannot be foreseen. */
static void count_sent(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	const struct pkt_meta *first = pkt_meta(m[0]);
	uint16_t in = first->slot;
	uint32_t out = first->out;
	uint64_t bytes = 0;
	unsigned same = 0;

	while (same < n && pkt_meta(m[same])->slot == in && pkt_meta(m[same])->out == out)
		bytes += m[same++]->pkt_len;
	count_same(w, first, same, bytes);
	for (; same < n; same++)
		count_same(w, pkt_meta(m[same]), 1, m[same]->pkt_len);
}

/* Takes back what count_sent() said of them. */
static void drop_unsent(struct worker *w, struct rte_mbuf **m, unsigned n, enum drop_reason reason)
{
	for (unsigned i = 0; i < n; i++) {
		const struct pkt_meta *meta = pkt_meta(m[i]);
		struct slot_counters *out = &w->slots[pkt_out_slot(meta->out)];

		w->slots[meta->slot].delivered--;
		out->sent--;
		out->sent_bytes -= m[i]->pkt_len - pkt_out_l2_bytes(meta->out);
		drop(w, m[i], reason);
	}
}

void tx_flush_port(struct worker *w, struct tx_port *t)
{
	struct port *port = w->b->port[t->index];
	uint16_t queue = port->tx_queue_of[w->id];
	unsigned sent;

	if (unlikely(!atomic_load_explicit(&port->link_up, memory_order_relaxed))) {
		drop_burst(w, t->m, t->n, DROP_TX_PORT_DOWN);
		t->n = 0;
		return;
	}
	count_sent(w, t->m, t->n);
	if (port->tx_shared)
		rte_spinlock_lock(&port->tx_lock[queue]);
	if (likely(!w->trace))
		sent = rte_eth_tx_burst(port->dpdk_id, queue, t->m, t->n);
	else
		sent = trace_send_on(w, port, queue, t->m, (uint16_t)t->n);
	if (port->tx_shared)
		rte_spinlock_unlock(&port->tx_lock[queue]);
	if (unlikely(sent < t->n))
		drop_unsent(w, t->m + sent, t->n - sent, DROP_TX_QUEUE_FULL);
	t->n = 0;
}

void tx_flush(struct worker *w)
{
	for (; w->tx->used; w->tx->used &= w->tx->used - 1) {
		struct tx_port *t = &w->tx->port[rte_bsf32(w->tx->used)];

		if (t->n > 0)
			tx_flush_port(w, t);
	}
}
