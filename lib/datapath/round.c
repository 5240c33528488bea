/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One round of a worker: the pipeline on a page. stage.h says what each stage does.
 *
 *   queues  rx -> classify -> ip_in -> uplink -+--------------------> forward
 *                                              +-> ESP -> esp_in -> ip_in -> tunnel_in -> forward
 *   early   ESP that waited for its SA ---------> ESP
 *   forward route -+-> local -> control, or ESP of a private gateway
 *                  +-> police -+-> egress -> tx
 *                              +-> tunnel_out -> esp_out -> egress -> tx
 */

#include <rte_cycles.h>
#include <rte_ring.h>

#include "datapath/bfd.h"
#include "datapath/esp.h"
#include "datapath/stage.h"
#include "datapath/trace.h"
#include "datapath/tx.h"

#define EARLY_ROUND_MAX (8 * BURST_MAX)

void forward(struct worker *w, struct rte_mbuf **m, unsigned n, struct burst *esp)
{
	struct routed to;

	if (n == 0)
		return;
	route(w, m, n, &to);
	trace_routed(w, &to);
	if (unlikely(policings_any(&w->b->policings))) {
		police(w, &to.clear);
		police_tunnelled(w, &to.tunnel);
	}
	egress(w, &to.clear);
	tunnel_out(w, &to.tunnel);
	local(w, &to.local, esp);
}

/* Inner packets. What they hold for us is never ESP: local() sees to it that tunnels do not nest. */
static void decrypted(struct worker *w, struct rte_mbuf **inner, unsigned n)
{
	struct burst none = {.n = 0};

	trace_decrypted(w, inner, n);
	n = ip_in(w, inner, n, false);
	tunnel_in(w, inner, n);
	forward(w, inner, n, &none);
}

static void decrypt(struct worker *w, struct rte_mbuf **esp, unsigned n)
{
	struct rte_mbuf *inner[BURST_MAX];

	if (n > 0)
		decrypted(w, inner, esp_in(w, esp, n, inner));
}

/* From one receive queue. */
static unsigned receive(struct worker *w, const struct worker_queue *q)
{
	struct rte_mbuf *m[BURST_MAX];
	unsigned received = rx(w, q, m);
	struct burst esp;
	bool from_uplink;
	unsigned n;

	if (received == 0)
		return 0;
	esp.n = 0;
	n = classify(w, w->b->port[q->port], m, received, &from_uplink);
	trace_received(w, m, n);
	n = ip_in(w, m, n, true);
	if (from_uplink)
		n = uplink(w, m, n, &esp);
	forward(w, m, n, &esp);
	decrypt(w, esp.m, esp.n);
	return received;
}

/* ESP that other workers received for SAs of this one. */
static unsigned take_handoff(struct worker *w)
{
	struct rte_mbuf *m[BURST_MAX];
	unsigned n = rte_ring_sc_dequeue_burst(w->handoff_in, (void **)m, BURST_MAX, NULL);

	decrypt(w, m, n);
	return n;
}

/* ESP that waited for its SA, ahead of what comes now. */
static unsigned take_early(struct worker *w)
{
	struct rte_mbuf *m[BURST_MAX];
	unsigned n, all = 0;

	while (all < EARLY_ROUND_MAX && (n = early_take(w, m)) > 0) {
		decrypt(w, m, n);
		all += n;
	}
	return all;
}

/* What asynchronous crypto devices have finished. */
static unsigned take_crypto(struct worker *w)
{
	struct rte_mbuf *inner[BURST_MAX], *outer[BURST_MAX];
	unsigned inner_n = 0, outer_n = 0;

	if (w->queue_device_count == 0)
		return 0;
	esp_poll(w, BURST_MAX, inner, &inner_n, outer, &outer_n);
	egress_outer(w, outer, outer_n);
	if (inner_n > 0)
		decrypted(w, inner, inner_n);
	return inner_n + outer_n;
}

unsigned worker_round(struct worker *w)
{
	unsigned moved = 0;

	epoch_quiescent(w->b->epoch, w->id);
	w->now = rte_rdtsc();
	w->trace = trace_session(&w->b->trace);
	moved += take_early(w);
	for (unsigned i = 0; i < w->queue_count; i++)
		moved += receive(w, &w->queue[i]);
	moved += inject(w);
	moved += take_handoff(w);
	moved += take_crypto(w);
	reassembly_expire(w);
	bfd_run(w);
	tx_flush(w);
	return moved;
}
