/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_FLOW_H
#define BOUNDARY_FLOW_H

/*
 * The flow hash that spreads packets over the members of an ECMP group (R8). Workers and `explain`
 * call the same pure function, so that both name the same member.
 *
 * A flow is the 5-tuple of the inner packet. All fragments of a datagram must go one way and only
 * the first has ports, so fragments hash with ports of zero, and so do protocols without ports.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#ifndef __SSE4_2__
#	include <rte_hash_crc.h>
#endif

#include "base/ip.h"

/* CRC-32C of eight octets more, by the instruction that CPUs have for it. */
static inline uint64_t flow_crc(uint64_t crc, uint64_t octets)
{
#ifdef __SSE4_2__
	return __builtin_ia32_crc32di(crc, octets);
#else
	return rte_hash_crc_8byte(octets, (uint32_t)crc);
#endif
}

/* IPv4: source and destination, and both ports, as they stand side by side in the packet. A CRC alone is linear, and sends
 * flows that differ in a regular way to few members; the product, in its upper bits, is not. */
static inline uint32_t flow_hash_words(rte_be64_t addresses, uint8_t protocol, rte_be32_t ports)
{
	return (uint32_t)flow_crc(flow_crc(protocol, addresses), ports) * UINT32_C(0x9e3779b1);
}

/* The same, each by itself in host order. */
static inline uint32_t flow_hash_v4(
    uint32_t src, uint32_t dst, uint8_t protocol, uint16_t src_port, uint16_t dst_port)
{
	return flow_hash_words(rte_cpu_to_be_64((uint64_t)src << 32 | dst), protocol,
	    rte_cpu_to_be_32((uint32_t)src_port << 16 | dst_port));
}

/* Do packets of that protocol begin with a 16-bit source and a 16-bit destination port? */
static inline bool flow_has_ports(uint8_t protocol)
{
	static const bool has[256] = {
	    [6] = true, [17] = true, [33] = true, [132] = true, [136] = true};

	return has[protocol];
}

/* Both families, for control: what workers compute for that packet. IPv6 folds each address to
 * 32 bits first. */
static inline uint32_t flow_hash(const struct ip_addr *src, const struct ip_addr *dst,
    uint8_t protocol, uint16_t src_port, uint16_t dst_port)
{
	uint32_t folded[2];
	const struct ip_addr *addr[2] = {src, dst};

	if (!flow_has_ports(protocol))
		src_port = dst_port = 0;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t half[2];

		memcpy(half, addr[i]->bytes, sizeof(half));
		folded[i] = addr[i]->family == IP_V4
		    ? ip_v4_host(addr[i])
		    : (uint32_t)flow_crc(flow_crc(0, half[0]), half[1]);
	}
	return flow_hash_v4(folded[0], folded[1], protocol, src_port, dst_port);
}

#endif
