/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of a port -> IP packets of an interface.
 *
 * The VLAN of a frame (none, or the outermost 802.1Q tag; a priority tag with VLAN 0 is none) and its port name the
 * interface that claims it. From there on the frame is on the ledger of that interface; what no interface claims
 * is counted on SLOT_CONTROL. IPv4 goes on with layer 2 off, ARP goes to control with its layer-2 header on.
 * A second tag is an EtherType that nobody knows.
 */

#include <rte_ether.h>
#include <rte_prefetch.h>

#include "datapath/stage.h"

#define PREFETCH_AHEAD 8

struct l2 {
	rte_be16_t type;
	uint16_t vlan;
	uint16_t bytes;
};

/* False: truncated. */
static inline bool l2_read(const struct rte_mbuf *m, struct l2 *l2)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	if (unlikely(m->data_len < sizeof(*eth)))
		return false;
	*l2 = (struct l2){.type = eth->ether_type, .vlan = VLAN_NONE, .bytes = sizeof(*eth)};
	if (unlikely(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)) {
		l2->vlan = m->vlan_tci & RTE_VLAN_ID_MASK;
	} else if (l2->type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) {
		const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(eth + 1);

		if (unlikely(m->data_len < sizeof(*eth) + sizeof(*tag)))
			return false;
		l2->type = tag->eth_proto;
		l2->vlan = rte_be_to_cpu_16(tag->vlan_tci) & RTE_VLAN_ID_MASK;
		l2->bytes += sizeof(*tag);
	}
	return true;
}

/* A frame that no interface claims. */
static void drop_unclaimed(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	*pkt_meta(m) = (struct pkt_meta){.slot = SLOT_CONTROL};
	w->slots[SLOT_CONTROL].received++;
	w->slots[SLOT_CONTROL].received_bytes += m->pkt_len;
	drop(w, m, reason);
}

static inline void claim(
    struct worker *w, struct rte_mbuf *m, const struct iface *iface, unsigned l2_bytes)
{
	struct slot_counters *slot = &w->slots[iface->slot];

	*pkt_meta(m) = (struct pkt_meta){
	    .slot = iface->slot, .attachment = iface->attachment, .iface = iface->index};
	slot->received++;
	slot->received_bytes += m->pkt_len - l2_bytes;
}

/*
 * Why a frame is no IPv4 packet for this interface, or DROP_NOT. What came as a layer-2 broadcast or multicast
 * must not be forwarded (RFC 1812 5.3.4) and is not for us (RFC 1122 3.3.6).
 */
static inline unsigned frame_refused(
    const struct iface *iface, const struct rte_mbuf *m, const struct l2 *l2)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	bool ours = rte_is_same_ether_addr(&eth->dst_addr, &iface->mac);

	if (unlikely(!iface->up))
		return DROP_IFACE_DOWN;
	if (unlikely(!ours && !rte_is_multicast_ether_addr(&eth->dst_addr)))
		return DROP_L2_NOT_OURS;
	if (likely(l2->type == RTE_BE16(RTE_ETHER_TYPE_IPV4)))
		return likely(ours) ? DROP_NOT : DROP_IP_MARTIAN;
	if (l2->type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return DROP_IP_FAMILY_OFF;
	return l2->type == RTE_BE16(RTE_ETHER_TYPE_ARP) ? DROP_NOT : DROP_ETHERTYPE_UNKNOWN;
}

static inline void l2_off(struct rte_mbuf *m, uint16_t bytes)
{
	m->data_off += bytes;
	m->data_len -= bytes;
	m->pkt_len -= bytes;
}

unsigned classify(struct worker *w, const struct port *port, struct rte_mbuf **m, unsigned n)
{
	const struct iface *iface = NULL;
	unsigned kept = 0, known_vlan = UINT_MAX;

	for (unsigned i = 0; i < n; i++) {
		struct l2 l2;
		unsigned why;

		if (i + PREFETCH_AHEAD < n) {
			rte_prefetch0(rte_pktmbuf_mtod(m[i + PREFETCH_AHEAD], void *));
			rte_prefetch0(pkt_meta(m[i + PREFETCH_AHEAD]));
		}
		if (unlikely(!l2_read(m[i], &l2))) {
			drop_unclaimed(w, m[i], DROP_L2_TRUNCATED);
			continue;
		}
		if (l2.vlan != known_vlan) {
			iface = iface_of_vlan(&w->b->ifaces, port->index, l2.vlan);
			known_vlan = l2.vlan;
		}
		if (unlikely(!iface)) {
			drop_unclaimed(w, m[i], DROP_VLAN_UNKNOWN);
			continue;
		}
		claim(w, m[i], iface, l2.bytes);
		why = frame_refused(iface, m[i], &l2);
		if (unlikely(why != DROP_NOT)) {
			drop(w, m[i], why);
		} else if (unlikely(l2.type == RTE_BE16(RTE_ETHER_TYPE_ARP))) {
			punt(w, m[i], PUNT_ARP);
		} else {
			l2_off(m[i], l2.bytes);
			m[kept++] = m[i];
		}
	}
	return kept;
}
