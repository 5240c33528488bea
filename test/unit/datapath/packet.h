/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_H
#define PACKET_H

/*
 * Frames and packets for tests, byte by byte and with checksums summed the slow way: nothing is shared with the
 * code under test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 66000

struct packet {
	size_t len;
	uint8_t bytes[PACKET_MAX];
};

/* One's complement checksum of RFC 1071 over bytes and an initial sum. */
uint16_t packet_checksum(const uint8_t *bytes, size_t len, uint32_t sum);

struct ip4 { /* 0 stands for the usual: TTL 64, header of 20 bytes */
	const char *src, *dst;
	uint8_t protocol, ttl, tos;
	uint16_t id;
	uint16_t fragment; /* flags and offset word, host order */
};
#define DF 0x4000
#define MF 0x2000

/* Each starts or continues p at its end. Lengths and checksums are right when done. */
void packet_eth(struct packet *p, const uint8_t dst[6], uint16_t type);
void packet_vlan(struct packet *p, const uint8_t dst[6], uint16_t vlan, uint16_t type);
/* An IPv4 header with that payload. */
void packet_ip4(struct packet *p, const struct ip4 *ip, const void *payload, size_t len);
/* The same with a UDP header (checksum filled in) between. */
void packet_udp(struct packet *p, const struct ip4 *ip, uint16_t src_port, uint16_t dst_port,
    const void *payload, size_t len);
/* TCP without payload; options are padded to 4 bytes by the caller. */
void packet_tcp(struct packet *p, const struct ip4 *ip, uint16_t src_port, uint16_t dst_port,
    uint8_t flags, const uint8_t *options, size_t options_len);
/* ICMP of that type with a payload. */
void packet_icmp(
    struct packet *p, const struct ip4 *ip, uint8_t type, const void *payload, size_t len);

/* Corrects the checksum of an IPv4 header after a test changed it. */
void packet_ip4_fix(uint8_t *ip);
/* Are the IPv4 header checksum and, in a whole UDP or TCP packet, the checksum behind it right? */
bool packet_ip4_is_right(const uint8_t *ip);
bool packet_l4_is_right(const uint8_t *ip);

/* A pattern that tells each byte's place. */
void packet_fill(uint8_t *bytes, size_t len);

static inline uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}
static inline void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

#endif
