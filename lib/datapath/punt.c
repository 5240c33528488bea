/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hand-over to control. The token buckets and queues are those of boundary/punt.h; here is what a refusal means
 * for the ledger.
 */

#include "datapath/stage.h"
#include "datapath/trace.h"

/* DROP_NOT when control has it now, else why not; the packet stays ours then. */
static unsigned hand_over(struct worker *w, struct rte_mbuf *m, enum punt_class class)
{
	int r = likely(!w->trace) ? punt_put(w->b->punt, w->id, class, m, w->now)
				  : trace_punt_on(w, m, class);

	return r == 0 ? DROP_NOT : punt_refusal(r);
}

void punt(struct worker *w, struct rte_mbuf *m, enum punt_class class)
{
	uint16_t slot = pkt_meta(m)->slot;
	unsigned why = hand_over(w, m, class);

	if (why == DROP_NOT)
		w->slots[slot].punted++;
	else
		drop(w, m, why);
}

void punt_waiting(
    struct worker *w, struct rte_mbuf *m, enum punt_class class, enum drop_reason reason)
{
	uint16_t slot = pkt_meta(m)->slot;

	if (hand_over(w, m, class) == DROP_NOT)
		w->slots[slot].punted++;
	else
		drop(w, m, reason);
}

void drop_with_icmp(struct worker *w, struct rte_mbuf *m, enum drop_reason reason, uint32_t mtu)
{
	struct pkt_meta *meta = pkt_meta(m);

	w->slots[meta->slot].drop[reason]++;
	trace_dropped(w, reason, &m, 1);
	meta->detail = reason;
	meta->mtu = mtu;
	if (meta->attachment == 0 || hand_over(w, m, PUNT_ICMP_ERROR) != DROP_NOT)
		rte_pktmbuf_free(m);
}

void drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	w->slots[pkt_meta(m)->slot].drop[reason]++;
	trace_dropped(w, reason, &m, 1);
	rte_pktmbuf_free(m);
}

void drop_burst(struct worker *w, struct rte_mbuf **m, unsigned n, enum drop_reason reason)
{
	for (unsigned i = 0; i < n; i++)
		w->slots[pkt_meta(m[i])->slot].drop[reason]++;
	trace_dropped(w, reason, m, n);
	rte_pktmbuf_free_bulk(m, n);
}
