/* SPDX-License-Identifier: BSD-3-Clause */
/* packet.h says what for. */

#include <string.h>

#include "packet.h"
#include "testing.h"

uint16_t packet_checksum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint8_t *append(struct packet *p, size_t len)
{
	uint8_t *at = p->bytes + p->len;

	assert_true(p->len + len <= PACKET_MAX);
	p->len += len;
	return at;
}

void packet_eth(struct packet *p, const uint8_t dst[6], uint16_t type)
{
	static const uint8_t peer[6] = {2, 0xee, 0, 0, 0, 1};
	uint8_t *at = append(p, 14);

	memcpy(at, dst, 6);
	memcpy(at + 6, peer, 6);
	put16(at + 12, type);
}

void packet_vlan(struct packet *p, const uint8_t dst[6], uint16_t vlan, uint16_t type)
{
	uint8_t *at;

	packet_eth(p, dst, 0x8100);
	at = append(p, 4);
	put16(at, vlan);
	put16(at + 2, type);
}

void packet_ip4_fix(uint8_t *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, packet_checksum(ip, (ip[0] & 15) * 4u, 0));
}

void packet_ip4(struct packet *p, const struct ip4 *ip, const void *payload, size_t len)
{
	struct ip_addr src = test_addr(ip->src), dst = test_addr(ip->dst);
	uint8_t *at = append(p, 20);

	at[0] = 0x45;
	at[1] = ip->tos;
	put16(at + 2, (unsigned)(20 + len));
	put16(at + 4, ip->id);
	put16(at + 6, ip->fragment);
	at[8] = ip->ttl ? ip->ttl : 64;
	at[9] = ip->protocol;
	memcpy(at + 12, src.bytes, 4);
	memcpy(at + 16, dst.bytes, 4);
	packet_ip4_fix(at);
	if (len > 0)
		memcpy(append(p, len), payload, len);
}

/* Sum of the pseudo header of RFC 768 and 9293. */
static uint32_t pseudo(const uint8_t *ip, size_t len)
{
	uint32_t sum = ip[9] + (uint32_t)len;

	for (unsigned i = 12; i < 20; i += 2)
		sum += get16(ip + i);
	return sum;
}

static void l4_fix(uint8_t *ip, size_t checksum_at)
{
	size_t len = get16(ip + 2) - 20u;

	put16(ip + 20 + checksum_at, 0);
	put16(ip + 20 + checksum_at, packet_checksum(ip + 20, len, pseudo(ip, len)));
}

void packet_udp(struct packet *p, const struct ip4 *ip, uint16_t src_port, uint16_t dst_port,
    const void *payload, size_t len)
{
	static uint8_t udp[PACKET_MAX];
	struct ip4 head = *ip;
	uint8_t *start = p->bytes + p->len;

	put16(udp, src_port);
	put16(udp + 2, dst_port);
	put16(udp + 4, (unsigned)(8 + len));
	put16(udp + 6, 0);
	if (len > 0)
		memcpy(udp + 8, payload, len);
	head.protocol = 17;
	packet_ip4(p, &head, udp, 8 + len);
	l4_fix(start, 6);
}

void packet_tcp(struct packet *p, const struct ip4 *ip, uint16_t src_port, uint16_t dst_port,
    uint8_t flags, const uint8_t *options, size_t options_len)
{
	uint8_t tcp[60] = {0};
	struct ip4 head = *ip;
	uint8_t *start = p->bytes + p->len;

	put16(tcp, src_port);
	put16(tcp + 2, dst_port);
	put16(tcp + 4, 0x1234);
	tcp[12] = (uint8_t)((20 + options_len) / 4 << 4);
	tcp[13] = flags;
	put16(tcp + 14, 0xffff);
	if (options_len > 0)
		memcpy(tcp + 20, options, options_len);
	head.protocol = 6;
	packet_ip4(p, &head, tcp, 20 + options_len);
	l4_fix(start, 16);
}

void packet_icmp(
    struct packet *p, const struct ip4 *ip, uint8_t type, const void *payload, size_t len)
{
	static uint8_t icmp[PACKET_MAX];
	struct ip4 head = *ip;

	memset(icmp, 0, 8);
	icmp[0] = type;
	if (len > 0)
		memcpy(icmp + 8, payload, len);
	put16(icmp + 2, packet_checksum(icmp, 8 + len, 0));
	head.protocol = 1;
	packet_ip4(p, &head, icmp, 8 + len);
}

bool packet_ip4_is_right(const uint8_t *ip)
{
	return packet_checksum(ip, (ip[0] & 15) * 4u, 0) == 0;
}

bool packet_l4_is_right(const uint8_t *ip)
{
	size_t len = get16(ip + 2) - 20u;

	return packet_checksum(ip + 20, len, pseudo(ip, len)) == 0;
}

void packet_fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8) * 13 + 3);
}
