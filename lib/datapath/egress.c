/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of an interface in clear: MTU, neighbour, layer-2 header, transmit.
 *
 * Transit packets and our own (outer packets of tunnels, what control sends) come through here apart: transit
 * never leaves on an uplink. Tables of attachments have no way out there; the check makes it certain.
 *
 * A packet whose neighbour is not resolved goes to control to wait, and comes back through INJECT_NEXTHOP for the
 * leaf in its meta. Transit keeps its ingress in there, and so stays transit.
 */

#include "boundary/decide.h"
#include "datapath/ipv4.h"
#include "datapath/stage.h"
#include "datapath/trace.h"
#include "datapath/tx.h"

/* What the packets of one leaf share; looked up again only when the leaf changes. */
struct way_out {
	const struct nexthop *leaf;
	const struct iface *iface;
	const struct neigh *neigh; /* of NH_VIA, when it is ready */
	uint32_t out;              /* then too: pkt_out() */
	uint32_t mtu;              /* 0: nothing leaves there */
	struct tx_port *tx;
	unsigned refused; /* DROP_NOT, or why nothing leaves there */
};

static inline const struct neigh *when_ready(const struct neigh *neigh)
{
	return likely(neigh && neigh->state == NEIGH_READY) ? neigh : NULL;
}

static inline uint32_t out_by(const struct nexthop *leaf, const struct neigh *neigh)
{
	return pkt_out(leaf->slot, neigh->l2_bytes);
}

static struct way_out way_out_of(
    struct worker *w, const struct nexthop *leaf, enum egress_origin origin)
{
	struct way_out way = {.leaf = leaf};

	way.iface = leaf->iface ? iface_get(&w->b->ifaces, leaf->iface) : NULL;
	way.refused = decide_way_out(way.iface, origin == EGRESS_TRANSIT);
	if (way.refused != DROP_NOT)
		return way;
	way.mtu = way.iface->mtu;
	way.tx = tx_to(w, way.iface->port);
	if (leaf->kind == NH_VIA)
		way.neigh = when_ready(neigh_get(w->b->neighbours, leaf->neigh));
	if (way.neigh)
		way.out = out_by(leaf, way.neigh);
	return way;
}

/* Of NH_CONNECTED, the destination itself. */
static inline const struct neigh *neighbour_of(
    struct worker *w, struct way_out way, struct rte_mbuf *m)
{
	if (way.leaf->kind == NH_VIA)
		return NULL;
	return when_ready(
	    neigh_find_v4(w->b->neighbours, (uint16_t)way.iface->index, ipv4_of(m)->dst_addr));
}

static void wait_for_neighbour(struct worker *w, const struct nexthop *leaf, struct rte_mbuf *m)
{
	pkt_meta(m)->nexthop = leaf->index;
	punt_waiting(w, m, PUNT_NEIGH, DROP_NEIGH_UNRESOLVED);
}

/* The packet has room for the layer-2 header. */
static inline void l2_on(struct rte_mbuf *m, const struct neigh *neigh)
{
	unsigned bytes = neigh->l2_bytes;
	char *l2;

	m->data_off -= bytes;
	m->data_len += bytes;
	m->pkt_len += bytes;
	l2 = rte_pktmbuf_mtod(m, char *);
	memcpy(l2, neigh->l2_v4, RTE_ETHER_HDR_LEN);
	if (bytes > RTE_ETHER_HDR_LEN)
		memcpy(l2 + RTE_ETHER_HDR_LEN, neigh->l2_v4 + RTE_ETHER_HDR_LEN,
		    sizeof(struct rte_vlan_hdr));
}

static inline void send_one(
    struct worker *w, struct way_out way, struct rte_mbuf *m, enum egress_origin origin)
{
	struct pkt_meta *meta = pkt_meta(m);

	if (unlikely(!way.neigh)) {
		way.neigh = neighbour_of(w, way, m);
		if (unlikely(!way.neigh)) {
			wait_for_neighbour(w, way.leaf, m);
			return;
		}
		way.out = out_by(way.leaf, way.neigh);
	}
	if (unlikely(rte_pktmbuf_headroom(m) < way.neigh->l2_bytes)) {
		drop(w, m, DROP_NO_HEADROOM);
		return;
	}
	l2_on(m, way.neigh);
	if (origin == EGRESS_OWN && meta->out != 0) /* the tunnel's */
		way.out = pkt_out(pkt_out_slot(meta->out), way.neigh->l2_bytes);
	meta->out = way.out;
	tx(w, way.tx, m);
}

static __rte_noinline void send_fragments(
    struct worker *w, const struct nexthop *leaf, struct rte_mbuf *m, enum egress_origin origin)
{
	struct way_out way = way_out_of(w, leaf, origin);
	struct rte_mbuf *piece[FRAGMENTS_MAX];
	unsigned n = fragment(w, m, way.iface->mtu, piece);

	for (unsigned i = 0; i < n; i++)
		send_one(w, way, piece[i], origin);
}

static inline void send_by(
    struct worker *w, struct way_out way, struct rte_mbuf *m, enum egress_origin origin)
{
	if (likely(m->pkt_len <= way.mtu))
		send_one(w, way, m, origin);
	else if (way.refused != DROP_NOT)
		drop(w, m, way.refused);
	else
		send_fragments(w, way.leaf, m, origin);
}

void egress(struct worker *w, struct departures *d)
{
	struct way_out way = {.leaf = NULL};

	for (unsigned i = 0; i < d->n; i++) {
		if (d->leaf[i] != way.leaf)
			way = way_out_of(w, d->leaf[i], EGRESS_TRANSIT);
		send_by(w, way, d->m[i], EGRESS_TRANSIT);
	}
}

/* The leaf must be an interface's, and still be there. */
static struct way_out way_out_to(struct worker *w, uint32_t nexthop, enum egress_origin origin)
{
	const struct nexthop *leaf = nexthop_get(&w->b->nexthops, nexthop);

	if (likely(leaf && (leaf->kind == NH_VIA || leaf->kind == NH_CONNECTED)))
		return way_out_of(w, leaf, origin);
	return (struct way_out){.refused = DROP_NO_MEMBER};
}

void egress_leaf(struct worker *w, struct rte_mbuf *m, enum egress_origin origin)
{
	send_by(w, way_out_to(w, pkt_meta(m)->nexthop, origin), m, origin);
}

void egress_outer(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	struct way_out way = {.refused = DROP_NO_MEMBER};
	uint32_t nexthop = 0;

	trace_stage(w, TRACE_ENCRYPTED, 0, m, n);
	for (unsigned i = 0; i < n; i++) {
		struct pkt_meta *meta = pkt_meta(m[i]);

		meta->ingress = 0;
		if (meta->nexthop != nexthop) {
			nexthop = meta->nexthop;
			way = way_out_to(w, nexthop, EGRESS_OWN);
		}
		send_by(w, way, m[i], EGRESS_OWN);
	}
}
