/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets from control (boundary/inject.h). They are received on SLOT_CONTROL and then meet the same stages as
 * all others, from the point that their kind names.
 */

#include "datapath/stage.h"
#include "datapath/tx.h"

static void inject_frame(struct worker *w, struct rte_mbuf *m)
{
	struct pkt_meta *meta = pkt_meta(m);

	meta->out = pkt_out(0, RTE_ETHER_HDR_LEN);
	if (meta->port < w->b->ports)
		tx(w, tx_to(w, meta->port), m);
	else
		drop(w, m, DROP_TX_PORT_DOWN);
}

/* A leaf, and so also a tunnel, as meta.nexthop says. With an ingress attachment it is transit that waited. */
static void inject_nexthop(struct worker *w, struct rte_mbuf *m)
{
	const struct pkt_meta *meta = pkt_meta(m);
	const struct nexthop *leaf = nexthop_get(&w->b->nexthops, meta->nexthop);

	if (leaf && leaf->kind == NH_TUNNEL)
		tunnel_out_one(w, m, leaf->tunnel);
	else
		egress_leaf(w, m, meta->attachment ? EGRESS_TRANSIT : EGRESS_OWN);
}

/*
 * A packet that waited for its tunnel has that in meta.tunnel, where others have the tunnel they came out of. An
 * ICMP error must not follow it: its source is behind meta.iface, or not known any more.
 */
static void inject_tunnel(struct worker *w, struct rte_mbuf *m)
{
	struct pkt_meta *meta = pkt_meta(m);
	uint32_t tunnel = meta->tunnel;

	meta->tunnel = 0;
	if (!meta->iface)
		meta->attachment = 0;
	tunnel_out_one(w, m, tunnel);
}

/* As if received on meta.iface, or, when that is 0, decrypted from meta.tunnel. */
static void inject_route(struct worker *w, struct rte_mbuf *m)
{
	struct pkt_meta *meta = pkt_meta(m);
	const struct iface *iface = meta->iface ? iface_get(&w->b->ifaces, meta->iface) : NULL;
	const struct tunnel *tunnel = meta->iface ? NULL : tunnel_get(&w->b->tunnels, meta->tunnel);
	struct burst esp = {.n = 0};

	if (meta->iface)
		meta->tunnel = 0;
	meta->attachment = iface ? iface->attachment : tunnel ? tunnel->attachment : 0;
	if (ip_in(w, &m, 1, false) == 1)
		forward(w, &m, 1, &esp);
	drop_burst(w, esp.m, esp.n, DROP_LOCAL_UNWANTED);
}

unsigned inject(struct worker *w)
{
	struct rte_mbuf *m[BURST_MAX];
	unsigned n = inject_take(w->b->inject, w->id, m, BURST_MAX);

	for (unsigned i = 0; i < n; i++) {
		struct pkt_meta *meta = pkt_meta(m[i]);

		meta->slot = SLOT_CONTROL;
		meta->out = 0;
		w->slots[SLOT_CONTROL].received++;
		w->slots[SLOT_CONTROL].received_bytes += m[i]->pkt_len;
		switch ((enum inject_kind)meta->detail) {
		case INJECT_FRAME:
			inject_frame(w, m[i]);
			continue;
		case INJECT_NEXTHOP:
			inject_nexthop(w, m[i]);
			continue;
		case INJECT_ROUTE:
			inject_route(w, m[i]);
			continue;
		case INJECT_TUNNEL:
			inject_tunnel(w, m[i]);
			continue;
		}
		drop(w, m[i], DROP_LOCAL_UNWANTED);
	}
	return n;
}
