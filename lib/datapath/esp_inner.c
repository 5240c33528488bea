/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Inbound, after the crypto: what may change the SA's state now that the ICV held, and what an inner packet must
 * show before it is treated as one of its tunnel (RFC 4303 3.4.4, 4301 5.2).
 *
 * The ledger: a packet stays with the interface it came by until its inner packet is there; from then on it is
 * one of the tunnel, so that a packet outside the selectors shows at the customer who sent it.
 *
 * The peer's address is that of the SA, but behind a NAT: there address and port may change, and control follows
 * a packet that is newer than all before (RFC 7296 2.23, T22); an old one sent from elsewhere moves nothing.
 */

#include <rte_ip.h>
#include <rte_udp.h>

#include "datapath/esp_ecn.h"
#include "datapath/esp_frame.h"
#include "datapath/esp_select.h"

/* ICV and replay */

/* Another source than the SA's? */
static void follow_peer(struct worker *w, struct sa_in *sa, const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	bool v4 = ip[0] >> 4 == IP_V4;
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)ip;
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)ip;
	struct ip_addr from = v4 ? ip_from_bytes(IP_V4, (const uint8_t *)&ip4->src_addr)
				 : ip_from_bytes(IP_V6, ip6->src_addr);
	const struct rte_udp_hdr *udp =
	    v4 ? (const struct rte_udp_hdr *)(ip4 + 1) : (const struct rte_udp_hdr *)(ip6 + 1);

	/* Told already, and control is about to change what we would compare with. */
	if (atomic_load_explicit(&sa->moved, memory_order_acquire))
		return;
	if ((v4 ? ip4->next_proto_id : ip6->proto) != IPPROTO_UDP)
		return;
	if (udp->src_port != sa->remote_port || !ip_eq(&from, &sa->remote))
		esp_event_moved(w, sa, &from, rte_be_to_cpu_16(udp->src_port));
}

static void drop_failed(struct worker *w, struct sa_in *sa, struct rte_mbuf *m)
{
	struct sa_counters *c = &sa->head.of_worker[w->id];
	bool by_device = esp_note(m)->failed;

	if (by_device)
		c->other++;
	else
		c->icv_failed++;
	drop(w, m, by_device ? DROP_CRYPTO_FAILED : DROP_ESP_ICV);
}

static inline bool accept_one(struct worker *w, struct sa_in *sa, struct rte_mbuf *m)
{
	uint64_t sequence = esp_note(m)->sequence;
	bool newest = replay_is_newest(&sa->replay, sequence);
	enum replay_verdict verdict;

	if (unlikely(m->ol_flags & RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED)) {
		drop_failed(w, sa, m);
		return false;
	}
	verdict = replay_accept(&sa->replay, sequence);
	if (unlikely(verdict != REPLAY_FRESH)) {
		esp_drop_replayed(w, sa, m, verdict);
		return false;
	}
	if (sa->head.natt && newest)
		follow_peer(w, sa, m);
	sa->outer_bytes += esp_note(m)->bytes;
	return true;
}

unsigned esp_inner_accept(struct worker *w, struct sa_head **sa, struct rte_mbuf **m, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (unlikely(!accept_one(w, sa_in_of(sa[i]), m[i])))
			continue;
		sa[kept] = sa[i];
		m[kept++] = m[i];
	}
	return kept;
}

/* Trailer */

void esp_inner_refuse(struct worker *w, struct sa_head *sa, struct rte_mbuf *m, uint8_t next)
{
	sa->of_worker[w->id].other++;
	drop(w, m, next == ESP_NEXT_DUMMY ? DROP_ESP_DUMMY : DROP_ESP_PADDING);
}

/* Inner packet */

/* Bytes of the inner packet by its own header, 0 when that lies. */
static inline unsigned length_v4(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	unsigned header, total;

	if (unlikely(m->data_len < sizeof(*ip)))
		return 0;
	header = rte_ipv4_hdr_len(ip);
	total = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(ip->version_ihl >> 4 != IP_V4 || header < sizeof(*ip) || total < header ||
		total > m->data_len))
		return 0;
	return total;
}

static inline unsigned length_v6(const struct rte_mbuf *m)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	unsigned total;

	if (unlikely(m->data_len < sizeof(*ip)))
		return 0;
	total = rte_be_to_cpu_16(ip->payload_len) + sizeof(*ip);
	return *(const uint8_t *)ip >> 4 == IP_V6 && total <= m->data_len ? total : 0;
}

/* Changes the TOS byte and the checksum with it (RFC 1624). */
static void set_tos_v4(struct rte_ipv4_hdr *ip, uint8_t tos)
{
	uint16_t old = rte_cpu_to_be_16(ip->type_of_service);
	uint32_t sum = (uint16_t)~ip->hdr_checksum;

	sum += (uint16_t)~old;
	sum += rte_cpu_to_be_16(tos);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = (uint16_t)~sum;
	ip->type_of_service = tos;
}

/* False: to be dropped (RFC 6040 4.2). */
static inline bool combine_ecn(const struct sa_in *sa, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip4 = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	struct rte_ipv6_hdr *ip6 = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);
	bool v4 = sa->head.inner_family == IP_V4;
	uint8_t inner = v4 ? ip4->type_of_service & ECN_MASK : ((uint8_t *)ip6)[1] >> 4 & ECN_MASK;
	uint8_t result = ecn_decapsulate(inner, esp_note(m)->tos);

	if (likely(result == inner))
		return true;
	if (result == ECN_DROP)
		return false;
	if (v4)
		set_tos_v4(ip4, (ip4->type_of_service & ~ECN_MASK) | result);
	else
		ip6->vtc_flow ^=
		    rte_cpu_to_be_32((uint32_t)(inner ^ result) << RTE_IPV6_HDR_TC_SHIFT);
	return true;
}

/* A packet of the tunnel from here on. */
static inline void change_slot(struct worker *w, const struct sa_in *sa, struct rte_mbuf *m)
{
	struct pkt_meta *meta = pkt_meta(m);
	struct slot_counters *slot = &w->slots[sa->head.slot];

	w->slots[meta->slot].decrypted++;
	slot->received++;
	slot->received_bytes += m->pkt_len;
	meta->slot = sa->head.slot;
	meta->attachment = sa->head.attachment;
	meta->iface = 0;
	meta->tunnel = sa->head.tunnel;
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->packet_type = 0;
}

/* Everything that an inner packet is asked, in order. */
static inline bool pass(struct worker *w, struct sa_in *sa, struct rte_mbuf *m)
{
	bool v4 = sa->head.inner_family == IP_V4;
	unsigned length = v4 ? length_v4(m) : length_v6(m);
	enum drop_reason why = DROP_IP_MALFORMED;

	if (likely(length != 0)) {
		m->data_len = (uint16_t)length; /* cuts traffic-flow confidentiality padding */
		m->pkt_len = length;
	}
	change_slot(w, sa, m);
	if (unlikely(length == 0))
		goto refused;
	why = DROP_ESP_SELECTOR;
	if (!sa->selects_all && !esp_selected_in(sa, m))
		goto refused;
	why = DROP_ESP_ECN;
	if (unlikely(!combine_ecn(sa, m)))
		goto refused;
	return true;
refused:
	sa->head.of_worker[w->id].other++;
	drop(w, m, why);
	return false;
}

/* Lifetime (RFC 4301 4.4.2.1): may one more packet of that size pass? The owner alone counts. */
static inline bool within_life(struct worker *w, struct sa_in *sa, uint32_t bytes)
{
	uint64_t all = sa->packets + 1, all_bytes = sa->bytes + bytes;

	if (unlikely(all > sa->hard_packets || all_bytes > sa->hard_bytes)) {
		esp_event(w, &sa->head, true, EVENT_SA_HARD, &sa->hard_raised);
		return false;
	}
	if (unlikely(all >= sa->soft_packets || all_bytes >= sa->soft_bytes))
		esp_event(w, &sa->head, true, EVENT_SA_SOFT, &sa->soft_raised);
	return true;
}

static inline bool finish_one(struct worker *w, struct sa_in *sa, struct rte_mbuf *m)
{
	if (unlikely(sa->limited) && unlikely(!within_life(w, sa, m->pkt_len))) {
		drop(w, m, DROP_SA_EXPIRED);
		return false;
	}
	sa->packets++;
	sa->bytes += m->pkt_len;
	if (unlikely(!pass(w, sa, m)))
		return false;
	if (unlikely(!atomic_load_explicit(&sa->used, memory_order_relaxed)))
		esp_event(w, &sa->head, true, EVENT_SA_USED, &sa->used);
	return true;
}

unsigned esp_inner_finish(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (likely(finish_one(w, sa_in_of(sa[i]), m[i])))
			inner[kept++] = m[i];
	}
	return kept;
}

unsigned esp_inner_decrypted(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		uint8_t next;

		if (unlikely(!accept_one(w, sa_in_of(sa[i]), m[i])))
			continue;
		if (unlikely(!esp_unframe(sa[i], m[i], &next)))
			esp_inner_refuse(w, sa[i], m[i], next);
		else if (likely(finish_one(w, sa_in_of(sa[i]), m[i])))
			inner[kept++] = m[i];
	}
	return kept;
}
