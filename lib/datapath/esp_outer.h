/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_OUTER_H
#define DATAPATH_ESP_OUTER_H

/*
 * The outer header (RFC 4301 5.1.2).
 *
 * From the inner one it takes ECN (RFC 6040 4.1), and by configuration DSCP and DF. TTL, protocol and addresses are the
 * template's, and their part of the checksum was summed when the SA was made. The IPv4 ID is the low half of
 * the sequence number, moved by a secret of the SA.
 */

#include <rte_ip.h>

#include "datapath/esp_worker.h"

#define ESP_OUTER_DF RTE_BE16(RTE_IPV4_HDR_DF_FLAG)

/* What depends on the inner packet. */
struct esp_outer_bits {
	uint16_t fragment; /* the IPv4 word, network order */
	uint8_t tos;
};

static inline struct esp_outer_bits esp_outer_bits(const struct sa_out *sa, const uint8_t *inner)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)inner;
	uint8_t tos = ip->type_of_service;
	uint16_t fragment = ip->fragment_offset;

	if (unlikely(sa->head.inner_family != IP_V4)) {
		tos = (uint8_t)(inner[0] << 4 | inner[1] >> 4);
		fragment = ESP_OUTER_DF; /* IPv6 is never fragmented on its way */
	}
	return (struct esp_outer_bits){
	    .tos = (tos & sa->tos_mask) | sa->tos_set,
	    .fragment = (fragment & sa->df_mask) | sa->df_set,
	};
}

/* `total`: of the outer packet. */
static inline void esp_outer_v4(const struct sa_out *sa, struct rte_ipv4_hdr *ip,
    struct esp_outer_bits bits, uint16_t sequence, uint16_t total)
{
	uint16_t id = rte_cpu_to_be_16((uint16_t)(sequence + sa->id_offset));
	uint32_t sum = sa->header_sum;

	ip->type_of_service = bits.tos;
	ip->fragment_offset = bits.fragment;
	ip->packet_id = id;
	ip->total_length = rte_cpu_to_be_16(total);
	sum += rte_cpu_to_be_16(bits.tos);
	sum += bits.fragment;
	sum += id;
	sum += ip->total_length;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = (uint16_t)~sum;
}

static inline void esp_outer_v6(struct rte_ipv6_hdr *ip, struct esp_outer_bits bits, uint16_t total)
{
	ip->vtc_flow |= rte_cpu_to_be_32((uint32_t)bits.tos << RTE_IPV6_HDR_TC_SHIFT);
	ip->payload_len = rte_cpu_to_be_16(total - sizeof(*ip));
}

/* No trace of the inner packet is left in the buffer's own header, and egress knows the way. */
static inline void esp_outer_meta(const struct sa_out *sa, struct rte_mbuf *m)
{
	struct pkt_meta *meta = pkt_meta(m);

	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->packet_type = 0;
	meta->nexthop = sa->underlay;
	meta->out = pkt_out(sa->head.slot, 0);
}

#endif
