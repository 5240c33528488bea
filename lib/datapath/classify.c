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

#include "datapath/stage.h"

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

/* A frame that no interface claims; a trace tells where it came in. */
static void drop_unclaimed(struct worker *w, const struct port *port, struct rte_mbuf *m,
    enum drop_reason reason, const struct l2 *l2)
{
	*pkt_meta(m) = (struct pkt_meta){.slot = SLOT_CONTROL,
	    .l2_bytes = (uint8_t)l2->bytes,
	    .port = port->index,
	    .hash = l2->vlan};
	w->slots[SLOT_CONTROL].received++;
	w->slots[SLOT_CONTROL].received_bytes += m->pkt_len;
	drop(w, m, reason);
}

/* The frames of one interface in a row: what they share, and what is counted when the row ends. */
struct run {
	const struct iface *iface;
	unsigned vlan;
	unsigned frames;
	uint64_t bytes;
	struct pkt_meta meta;
};

static void run_end(struct worker *w, const struct run *run)
{
	if (run->frames > 0) {
		w->slots[run->iface->slot].received += run->frames;
		w->slots[run->iface->slot].received_bytes += run->bytes;
	}
}

static void run_begin(
    struct worker *w, struct run *run, const struct port *port, uint16_t vlan, bool *uplink)
{
	const struct iface *iface = iface_of_vlan(&w->b->ifaces, port->index, vlan);

	run_end(w, run);
	run->iface = iface;
	run->vlan = vlan;
	run->frames = 0;
	run->bytes = 0;
	if (iface) {
		*uplink |= iface->role == IFACE_UPLINK;
		run->meta.slot = iface->slot;
		run->meta.attachment = iface->attachment;
		run->meta.iface = (uint16_t)iface->index;
	}
}

static inline bool is_same_mac(const struct rte_ether_addr *a, const struct rte_ether_addr *b)
{
	uint32_t a4, b4;
	uint16_t a2, b2;

	memcpy(&a4, a, sizeof(a4));
	memcpy(&b4, b, sizeof(b4));
	memcpy(&a2, &a->addr_bytes[4], sizeof(a2));
	memcpy(&b2, &b->addr_bytes[4], sizeof(b2));
	return ((a4 ^ b4) | (uint32_t)(a2 ^ b2)) == 0;
}

/*
 * Why a frame is no IPv4 packet for this interface, or DROP_NOT. What came as a layer-2 broadcast or multicast
 * must not be forwarded (RFC 1812 5.3.4) and is not for us (RFC 1122 3.3.6).
 */
static inline unsigned frame_refused(
    const struct iface *iface, const struct rte_mbuf *m, const struct l2 *l2)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	bool ours = is_same_mac(&eth->dst_addr, &iface->mac) ||
	    (iface->any_mac && !rte_is_multicast_ether_addr(&eth->dst_addr));

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

unsigned classify(
    struct worker *w, const struct port *port, struct rte_mbuf **m, unsigned n, bool *uplink)
{
	struct run run = {.vlan = UINT_MAX};
	unsigned kept = 0;

	*uplink = false;
	for (unsigned i = 0; i < n; i++) {
		struct l2 l2;
		unsigned why;

		if (unlikely(!l2_read(m[i], &l2))) {
			drop_unclaimed(w, port, m[i], DROP_L2_TRUNCATED, &(struct l2){.bytes = 0});
			continue;
		}
		if (l2.vlan != run.vlan)
			run_begin(w, &run, port, l2.vlan, uplink);
		if (unlikely(!run.iface)) {
			drop_unclaimed(w, port, m[i], DROP_VLAN_UNKNOWN, &l2);
			continue;
		}
		run.frames++;
		run.bytes += m[i]->pkt_len - l2.bytes;
		memcpy(pkt_meta(m[i]), &run.meta, PKT_META_HEAD);
		why = frame_refused(run.iface, m[i], &l2);
		if (unlikely(why != DROP_NOT)) {
			pkt_meta(m[i])->l2_bytes = (uint8_t)l2.bytes;
			drop(w, m[i], why);
		} else if (unlikely(l2.type == RTE_BE16(RTE_ETHER_TYPE_ARP))) {
			punt(w, m[i], PUNT_ARP);
		} else {
			l2_off(m[i], l2.bytes);
			m[kept++] = m[i];
		}
	}
	run_end(w, &run);
	return kept;
}
