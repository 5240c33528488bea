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

/* Before they are the port's: afterwards their meta may be gone. Packets of one ingress come in runs. */
static void count_sent(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	unsigned in = pkt_meta(m[0])->slot, out = pkt_meta(m[0])->out_slot;
	unsigned first_in = 0, first_out = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct pkt_meta *meta = pkt_meta(m[i]);

		if (meta->slot != in) {
			w->slots[in].delivered += i - first_in;
			in = meta->slot;
			first_in = i;
		}
		if (meta->out_slot != out) {
			w->slots[out].sent += i - first_out;
			w->slots[out].sent_bytes += bytes;
			out = meta->out_slot;
			first_out = i;
			bytes = 0;
		}
		bytes += m[i]->pkt_len - meta->l2_bytes;
	}
	w->slots[in].delivered += n - first_in;
	w->slots[out].sent += n - first_out;
	w->slots[out].sent_bytes += bytes;
}

/* Takes back what count_sent() said of them. */
static void drop_unsent(struct worker *w, struct rte_mbuf **m, unsigned n, enum drop_reason reason)
{
	for (unsigned i = 0; i < n; i++) {
		const struct pkt_meta *meta = pkt_meta(m[i]);
		struct slot_counters *out = &w->slots[meta->out_slot];

		w->slots[meta->slot].delivered--;
		out->sent--;
		out->sent_bytes -= m[i]->pkt_len - meta->l2_bytes;
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
