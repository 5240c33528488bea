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
	    .out = pkt_out(0, l2->bytes),
	    .port = port->index,
	    .vlan = l2->vlan};
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
	uint64_t
	    station; /* address of an interface that is up and has no VLAN, as station_of() reads it; else NO_STATION */
	struct pkt_meta meta;
};

#define NO_STATION UINT64_MAX

/* The six octets of an address; in a frame or in a record there are more behind it to read. */
static inline uint64_t station_of(const void *addr)
{
	static const uint8_t octets[sizeof(uint64_t)] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint64_t value, mask;

	memcpy(&value, addr, sizeof(value));
	memcpy(&mask, octets, sizeof(mask));
	return value & mask;
}

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
	run->station = NO_STATION;
	if (iface) {
		if (iface->up && vlan == VLAN_NONE)
			run->station = station_of(&iface->mac);
		*uplink |= iface->role == IFACE_UPLINK;
		run->meta.slot = iface->slot;
		run->meta.attachment = iface->attachment;
		run->meta.iface = (uint16_t)iface->index;
	}
}

/*
 * Why a frame is no IPv4 packet for this interface, or DROP_NOT. What came as a layer-2 broadcast or multicast
 * must not be forwarded (RFC 1812 5.3.4) and is not for us (RFC 1122 3.3.6).
 */
static inline unsigned frame_refused(
    const struct iface *iface, const struct rte_mbuf *m, const struct l2 *l2)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	bool ours = station_of(&eth->dst_addr) == station_of(&iface->mac) ||
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

static inline void run_add(struct run *run, struct rte_mbuf *m, uint16_t l2_bytes)
{
	run->frames++;
	run->bytes += m->pkt_len - l2_bytes;
	memcpy(pkt_meta(m), &run->meta, PKT_META_HEAD);
}

/* Any frame. True: it is a packet, and goes on. */
static __rte_noinline bool take_any(
    struct worker *w, const struct port *port, struct rte_mbuf *m, struct run *run, bool *uplink)
{
	struct l2 l2;
	unsigned why;

	if (unlikely(!l2_read(m, &l2))) {
		drop_unclaimed(w, port, m, DROP_L2_TRUNCATED, &(struct l2){.bytes = 0});
		return false;
	}
	if (l2.vlan != run->vlan)
		run_begin(w, run, port, l2.vlan, uplink);
	if (unlikely(!run->iface)) {
		drop_unclaimed(w, port, m, DROP_VLAN_UNKNOWN, &l2);
		return false;
	}
	run_add(run, m, l2.bytes);
	why = frame_refused(run->iface, m, &l2);
	if (unlikely(why != DROP_NOT)) {
		pkt_meta(m)->out = pkt_out(0, l2.bytes);
		drop(w, m, why);
		return false;
	}
	if (unlikely(l2.type == RTE_BE16(RTE_ETHER_TYPE_ARP))) {
		punt(w, m, PUNT_ARP);
		return false;
	}
	l2_off(m, l2.bytes);
	return true;
}

/* What nearly every frame is: one without a tag for the interface whose row this is, with IPv4. */
static inline bool is_plain(const struct run *run, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	return m->data_len >= sizeof(*eth) && station_of(&eth->dst_addr) == run->station &&
	    eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	    !(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED);
}

unsigned classify(
    struct worker *w, const struct port *port, struct rte_mbuf **m, unsigned n, bool *uplink)
{
	struct run run = {.vlan = UINT_MAX, .station = NO_STATION};
	unsigned kept = 0;

	*uplink = false;
	for (unsigned i = 0; i < n; i++) {
		if (likely(is_plain(&run, m[i]))) {
			run_add(&run, m[i], RTE_ETHER_HDR_LEN);
			l2_off(m[i], RTE_ETHER_HDR_LEN);
		} else if (!take_any(w, port, m[i], &run, uplink)) {
			continue;
		}
		m[kept++] = m[i];
	}
	run_end(w, &run);
	return kept;
}
