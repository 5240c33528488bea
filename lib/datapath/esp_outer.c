/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The outer header (RFC 4301 5.1.2).
 *
 * From the inner one it takes ECN (RFC 6040 4.1), and by configuration DSCP and DF; they are noted before the
 * inner header is encrypted. The engine has put the SA's header in front, with lengths and with the low 16 bits
 * of the sequence number as IPv4 ID. TTL, protocol and addresses are the template's, and their part of the
 * checksum was summed when the SA was made.
 */

#include <rte_ip.h>

#include "datapath/esp_worker.h"

#define DF RTE_BE16(RTE_IPV4_HDR_DF_FLAG)

void esp_outer_note(const struct sa_out *sa, struct rte_mbuf *m)
{
	struct esp_note *note = esp_note(m);
	const uint8_t *inner = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t fragment;
	uint8_t tos;

	if (sa->head.inner_family == IP_V4) {
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)inner;

		tos = ip->type_of_service;
		fragment = ip->fragment_offset & DF;
	} else {
		tos = (uint8_t)(inner[0] << 4 | inner[1] >> 4);
		fragment = DF; /* IPv6 is never fragmented on its way */
	}
	note->tos = (tos & sa->tos_mask) | sa->tos_set;
	note->fragment = sa->df == SA_DF_COPY ? fragment : sa->df == SA_DF_SET ? DF : 0;
	note->bytes = m->pkt_len;
	note->inbound = false;
	note->failed = false;
}

static inline void finish_v4(const struct sa_out *sa, struct rte_mbuf *m)
{
	const struct esp_note *note = esp_note(m);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	uint16_t id = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ip->packet_id) + sa->id_offset));
	uint32_t sum = sa->header_sum;

	ip->type_of_service = note->tos;
	ip->fragment_offset = note->fragment;
	ip->packet_id = id;
	sum += rte_cpu_to_be_16(note->tos);
	sum += note->fragment;
	sum += id;
	sum += ip->total_length;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = (uint16_t)~sum;
	m->tx_offload = rte_mbuf_tx_offload(0, sizeof(*ip), 0, 0, 0, 0, 0);
}

static inline void finish_v6(struct rte_mbuf *m)
{
	struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *);

	ip->vtc_flow |= rte_cpu_to_be_32((uint32_t)esp_note(m)->tos << RTE_IPV6_HDR_TC_SHIFT);
	m->tx_offload = rte_mbuf_tx_offload(0, sizeof(*ip), 0, 0, 0, 0, 0);
}

void esp_outer_finish(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	struct sa_counters *c = &sa->head.of_worker[w->id];
	uint64_t bytes = 0, outer_bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		struct pkt_meta *meta = pkt_meta(m[i]);

		if (sa->outer_family == IP_V4)
			finish_v4(sa, m[i]);
		else
			finish_v6(m[i]);
		m[i]->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
		m[i]->packet_type = 0;
		meta->nexthop = sa->underlay;
		meta->out_slot = sa->head.slot;
		bytes += esp_note(m[i])->bytes;
		outer_bytes += m[i]->pkt_len;
	}
	c->packets += n;
	c->bytes += bytes;
	c->outer_bytes += outer_bytes;
}
