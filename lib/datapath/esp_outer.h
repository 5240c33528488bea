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

#include <string.h>

#include <rte_ip.h>

#include "datapath/esp_worker.h"
#include "datapath/ipv4.h"

/* The first eight octets of an IPv4 header as one number, TOS and DF where they lie in it: what follows speaks of them so. */
#define ESP_OUTER_TOS_SHIFT 8
#define ESP_OUTER_ECN       (UINT64_C(0x03) << ESP_OUTER_TOS_SHIFT)
#define ESP_OUTER_DSCP      (UINT64_C(0xfc) << ESP_OUTER_TOS_SHIFT)
#define ESP_OUTER_DF        (UINT64_C(0x40) << 48)

static inline uint64_t esp_outer_first(const void *ip)
{
	rte_le64_t first;

	memcpy(&first, ip, sizeof(first));
	return rte_le_to_cpu_64(first);
}

/* What an IPv6 header has of the same; it is never fragmented on its way. */
static inline uint64_t esp_outer_first_v6(const uint8_t *ip)
{
	return (uint64_t)(uint8_t)(ip[0] << 4 | ip[1] >> 4) << ESP_OUTER_TOS_SHIFT | ESP_OUTER_DF;
}

/* What goes outside of the inner header. */
static inline uint64_t esp_outer_copied(const struct sa_out *sa, const uint8_t *inner)
{
	static const uint64_t mask[2][2] = {
	    {ESP_OUTER_ECN, ESP_OUTER_ECN | ESP_OUTER_DF},
	    {ESP_OUTER_ECN | ESP_OUTER_DSCP, ESP_OUTER_ECN | ESP_OUTER_DSCP | ESP_OUTER_DF},
	};
	bool v4 = likely(sa->head.inner_family == IP_V4);

	return (v4 ? esp_outer_first(inner) : esp_outer_first_v6(inner)) &
	    mask[sa->copies_dscp][sa->copies_df];
}

/* `total`: of the outer packet. The words behind the first eight octets are the template's. */
static inline void esp_outer_v4(const struct sa_out *sa, struct rte_ipv4_hdr *ip, uint64_t copied,
    uint16_t sequence, uint16_t total)
{
	uint16_t id = (uint16_t)(sequence + sa->id_offset);
	uint64_t length_and_id = rte_bswap32((uint32_t)total << 16 | id);
	uint64_t first = esp_outer_first(&sa->header.v4.ip) | copied | length_and_id << 16;
	rte_le64_t octets = rte_cpu_to_le_64(first);

	memcpy(ip, &octets, sizeof(octets));
	ip->hdr_checksum = (uint16_t)~sum_fold((uint32_t)first + (first >> 32) + sa->header_sum);
}

static inline void esp_outer_v6(struct rte_ipv6_hdr *ip, uint64_t copied, uint16_t total)
{
	uint32_t tos = (uint8_t)(copied >> ESP_OUTER_TOS_SHIFT);

	ip->vtc_flow |= rte_cpu_to_be_32(tos << RTE_IPV6_HDR_TC_SHIFT);
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
