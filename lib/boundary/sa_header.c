/* SPDX-License-Identifier: BSD-3-Clause */

/* Templates of outer headers (RFC 4301 5.1.2, 3948 2.1). */

#include "boundary/sa_header.h"

#include <netinet/in.h>
#include <string.h>

#define IPV6_VERSION (UINT32_C(6) << 28)
#define DSCP_SHIFT   2

uint8_t sa_header_ip_bytes(const struct sa_spec *spec)
{
	return spec->local.family == IP_V4 ? sizeof(struct rte_ipv4_hdr)
					   : sizeof(struct rte_ipv6_hdr);
}

static void fill_ip(union sa_outer_header *h, const struct sa_spec *spec, uint8_t protocol)
{
	uint8_t tos = spec->copy_dscp ? 0 : (uint8_t)(spec->dscp << DSCP_SHIFT);
	struct rte_ipv4_hdr *v4 = &h->v4.ip;
	struct rte_ipv6_hdr *v6 = &h->v6.ip;

	if (spec->local.family == IP_V4) {
		v4->version_ihl = RTE_IPV4_VHL_DEF;
		v4->type_of_service = tos;
		if (spec->df == SA_DF_SET)
			v4->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
		v4->time_to_live = SA_OUTER_TTL;
		v4->next_proto_id = protocol;
		memcpy(&v4->src_addr, spec->local.bytes, sizeof(v4->src_addr));
		memcpy(&v4->dst_addr, spec->remote.bytes, sizeof(v4->dst_addr));
		return;
	}
	v6->vtc_flow = rte_cpu_to_be_32(IPV6_VERSION | (uint32_t)tos << RTE_IPV6_HDR_TC_SHIFT);
	v6->hop_limits = SA_OUTER_TTL;
	v6->proto = protocol;
	memcpy(v6->src_addr, spec->local.bytes, sizeof(v6->src_addr));
	memcpy(v6->dst_addr, spec->remote.bytes, sizeof(v6->dst_addr));
}

uint8_t sa_header_fill(union sa_outer_header *h, const struct sa_spec *spec)
{
	uint8_t ip = sa_header_ip_bytes(spec);
	struct rte_udp_hdr udp = {.src_port = rte_cpu_to_be_16(spec->local_port),
	    .dst_port = rte_cpu_to_be_16(spec->remote_port)};

	memset(h, 0, sizeof(*h));
	fill_ip(h, spec, spec->natt ? IPPROTO_UDP : IPPROTO_ESP);
	if (!spec->natt)
		return ip;
	memcpy((uint8_t *)h + ip, &udp, sizeof(udp));
	return (uint8_t)(ip + sizeof(udp));
}

uint16_t sa_header_sum(const union sa_outer_header *h, const struct sa_spec *spec)
{
	const struct rte_ipv4_hdr *ip = &h->v4.ip;

	return spec->local.family == IP_V4
	    ? rte_raw_cksum(
		  &ip->time_to_live, sizeof(*ip) - offsetof(struct rte_ipv4_hdr, time_to_live))
	    : 0;
}
