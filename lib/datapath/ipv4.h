/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_IPV4_H
#define DATAPATH_IPV4_H

/* Small arithmetic on IPv4 headers of 20 bytes, and on packets as a whole. Pure. */

#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

#define IPV4_PAYLOAD_MAX (UINT16_MAX - 20u) /* behind a header without options */

/* One's complement sum of 16-bit words: 64 bits to 16. Adding a number to itself with its halves swapped leaves the sum
 * of the halves, with the carry, in the upper one. */
static inline uint16_t sum_fold(uint64_t sum)
{
	uint32_t half = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);

	return (uint16_t)((half + (half << 16 | half >> 16)) >> 16);
}

/* Sum of the 20 bytes, in the byte order of the machine (RFC 1071 2(B)); carries come back in. */
static inline uint16_t ipv4_sum(const struct rte_ipv4_hdr *ip)
{
	uint64_t a, b, sum;
	uint32_t c;

	memcpy(&a, ip, 8);
	memcpy(&b, (const uint8_t *)ip + 8, 8);
	memcpy(&c, (const uint8_t *)ip + 16, 4);
	sum = a + b;
	sum += sum < b;
	sum += c;
	sum += sum < c;
	return sum_fold(sum);
}

/*
 * Is the sum of the words 0xffff? A sum of 32-bit words is one of 16-bit words but for multiples of 0xffff (2^16 leaves 1),
 * and never 0 here, so the question is whether 0xffff divides it: exactly when the product with its inverse modulo
 * 2^64 is no larger than the largest quotient there is.
 */
static inline bool ipv4_checksum_holds(const struct rte_ipv4_hdr *ip)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < sizeof(*ip); i += sizeof(uint32_t)) {
		uint32_t words;

		memcpy(&words, (const uint8_t *)ip + i, sizeof(words));
		sum += words;
	}
	return sum * UINT64_C(0xfffefffefffeffff) <= UINT64_MAX / 0xffff;
}

static inline void ipv4_checksum_set(struct rte_ipv4_hdr *ip)
{
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~ipv4_sum(ip);
}

/* A checksum after a 16-bit word under it changed from `old` to `new` (RFC 1624, equation 3). */
static inline uint16_t checksum_adjust(uint16_t checksum, uint16_t old, uint16_t new)
{
	return (uint16_t)~sum_fold((uint64_t)(uint16_t)~checksum + (uint16_t)~old + new);
}

/* TTL, protocol and checksum, as one number with the TTL in its lowest octet. */
static inline uint32_t ipv4_ttl_word(const struct rte_ipv4_hdr *ip)
{
	rte_le32_t word;

	memcpy(&word, &ip->time_to_live, sizeof(word));
	return rte_le_to_cpu_32(word);
}

/* Takes one off the TTL, which must not be 0: the sum loses 0x0100, so the checksum gains it (RFC 1624, with 0 for the
 * 0xffff that equation 3 never gives). `word`: ipv4_ttl_word() of the header. */
static inline void ipv4_ttl_decrement(struct rte_ipv4_hdr *ip, uint32_t word)
{
	uint32_t less_by_le = word + (word >= UINT32_C(0xfffe0000) ? 0x1ffff : 0xffff);
	rte_le32_t less = rte_cpu_to_le_32(less_by_le);

	memcpy(&ip->time_to_live, &less, sizeof(less));
}

/* Offset of a fragment's payload in its datagram, in bytes, and where it ends. */
static inline unsigned ipv4_fragment_offset(const struct rte_ipv4_hdr *ip)
{
	return (rte_be_to_cpu_16(ip->fragment_offset) & RTE_IPV4_HDR_OFFSET_MASK) *
	    RTE_IPV4_HDR_OFFSET_UNITS;
}
static inline unsigned ipv4_fragment_end(const struct rte_ipv4_hdr *ip)
{
	return ipv4_fragment_offset(ip) + rte_be_to_cpu_16(ip->total_length) - rte_ipv4_hdr_len(ip);
}

/* Cuts a packet to its first `len` bytes, which it must have; segments beyond are freed. */
static inline void packet_cut(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *last = m;
	uint32_t left = len;

	m->pkt_len = len;
	m->nb_segs = 1;
	while (left > last->data_len) {
		left -= last->data_len;
		last = last->next;
		m->nb_segs++;
	}
	last->data_len = (uint16_t)left;
	if (last->next) {
		rte_pktmbuf_free(last->next);
		last->next = NULL;
	}
}

#endif
