/* SPDX-License-Identifier: BSD-3-Clause */

/* ICMPv4 messages of the router: from a packet to a packet (RFC 792, 1122 3.2.2, 1812 4.3). */

#include "neigh/icmp.h"

#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"

#define IPV4_HEADER      20
#define ICMP_HEADER      8
#define PROTO_ICMP       1
#define TYPE_ECHO_REPLY  0
#define TYPE_UNREACHABLE 3
#define CODE_TOO_BIG     4
#define TYPE_QUENCH      4
#define TYPE_REDIRECT    5
#define TYPE_ECHO        8
#define TYPE_TIME        11
#define TYPE_PARAMETER   12
#define FRAGMENT_BITS    0x3fff /* more fragments, and the offset */
#define OFFSET_BITS      0x1fff
#define ERROR_BYTES_MAX  576 /* RFC 1812 4.3.2.3 */
#define TTL              64

struct ipv4 {
	unsigned header; /* bytes */
	unsigned total;
	uint8_t tos;
	uint16_t fragment;
	uint8_t protocol;
	struct ip_addr src, dst;
	struct wire payload;
};

static bool ipv4_parse(const uint8_t *packet, size_t len, struct ipv4 *out)
{
	struct wire w = wire_of(packet, len);
	uint8_t first = wire_u8(&w), addr[4];

	out->header = (first & 0xf) * 4u;
	out->tos = wire_u8(&w);
	out->total = wire_u16(&w);
	wire_skip(&w, 2);
	out->fragment = wire_u16(&w);
	wire_skip(&w, 1);
	out->protocol = wire_u8(&w);
	wire_skip(&w, 2);
	wire_copy(&w, addr, 4);
	out->src = ip_from_bytes(IP_V4, addr);
	wire_copy(&w, addr, 4);
	out->dst = ip_from_bytes(IP_V4, addr);
	if (!wire_ok(&w) || first >> 4 != 4 || out->header < IPV4_HEADER ||
	    out->total < out->header || out->total > len)
		return false;
	wire_skip(&w, out->header - IPV4_HEADER);
	out->payload = wire_sub(&w, out->total - out->header);
	return wire_ok(&out->payload);
}

static void put_ipv4(struct wirebuf *out, unsigned payload, uint8_t tos, const struct ip_addr *src,
    const struct ip_addr *dst)
{
	size_t start = wirebuf_len(out);

	wirebuf_u8(out, 0x45);
	wirebuf_u8(out, tos);
	wirebuf_u16(out, (uint16_t)(IPV4_HEADER + payload));
	wirebuf_u32(out,
	    0); /* no ID needed: never larger than the smallest MTU, or fragmented by the worker */
	wirebuf_u8(out, TTL);
	wirebuf_u8(out, PROTO_ICMP);
	wirebuf_u16(out, 0);
	wirebuf_put(out, src->bytes, 4);
	wirebuf_put(out, dst->bytes, 4);
	if (wirebuf_ok(out))
		wirebuf_u16_at(out, start + 10, inet_checksum(out->start + start, IPV4_HEADER));
}

/* One host that may be sent to: no multicast, broadcast, loopback or unspecified address. */
static bool is_one_host(const struct ip_addr *a)
{
	return !ip_is_any(a) && !ip_is_multicast(a) && a->bytes[0] != 0 && a->bytes[0] != 127 &&
	    a->bytes[0] < 240;
}

/* The header of the packet that an error quotes: there is seldom all of the packet. */
static bool quoted_parse(struct wire *w, struct icmp_too_big *out)
{
	uint8_t first = wire_u8(w), addr[4];
	unsigned header = (first & 0xf) * 4u;

	wire_skip(w, 1);
	out->total = wire_u16(w);
	wire_skip(w, 5);
	out->protocol = wire_u8(w);
	wire_skip(w, 2);
	wire_copy(w, addr, 4);
	out->src = ip_from_bytes(IP_V4, addr);
	wire_copy(w, addr, 4);
	out->dst = ip_from_bytes(IP_V4, addr);
	if (!wire_ok(w) || first >> 4 != 4 || header < IPV4_HEADER || out->total < header)
		return false;
	wire_skip(w, header - IPV4_HEADER);
	out->payload_len = wire_left(w);
	out->payload = wire_bytes(w, out->payload_len);
	return wire_ok(w);
}

bool icmp_too_big_read(const uint8_t *packet, size_t len, struct icmp_too_big *out)
{
	struct ipv4 ip;

	if (!ipv4_parse(packet, len, &ip) || ip.protocol != PROTO_ICMP ||
	    ip.fragment & FRAGMENT_BITS)
		return false;
	struct wire w = ip.payload;
	size_t icmp_len = wire_left(&w);
	const uint8_t *icmp = wire_bytes(&w, icmp_len);
	if (!icmp || icmp_len < ICMP_HEADER || icmp[0] != TYPE_UNREACHABLE ||
	    icmp[1] != CODE_TOO_BIG || inet_checksum(icmp, icmp_len) != 0)
		return false;
	wire_skip(&ip.payload, 6);
	out->mtu = wire_u16(&ip.payload);
	return quoted_parse(&ip.payload, out);
}

size_t icmp_echo_reply(const uint8_t *packet, size_t len, uint8_t *out, size_t capacity)
{
	struct wirebuf w = wirebuf_of(out, capacity);
	struct ipv4 ip;

	if (!ipv4_parse(packet, len, &ip) || ip.protocol != PROTO_ICMP ||
	    ip.fragment & FRAGMENT_BITS)
		return 0;
	size_t icmp_len = wire_left(&ip.payload);
	const uint8_t *icmp = wire_bytes(&ip.payload, icmp_len);
	if (!icmp || icmp_len < ICMP_HEADER || icmp[0] != TYPE_ECHO || icmp[1] != 0 ||
	    inet_checksum(icmp, icmp_len) != 0)
		return 0;
	if (!is_one_host(&ip.src) || !is_one_host(&ip.dst))
		return 0;
	put_ipv4(&w, (unsigned)icmp_len, ip.tos, &ip.dst, &ip.src);
	size_t start = wirebuf_len(&w);
	wirebuf_u32(&w, (uint32_t)TYPE_ECHO_REPLY << 24);
	wirebuf_put(&w, icmp + 4, icmp_len - 4);
	if (!wirebuf_ok(&w))
		return 0;
	wirebuf_u16_at(&w, start + 2, inet_checksum(out + start, icmp_len));
	return wirebuf_len(&w);
}

/* RFC 1812 4.3.2.7: never about an ICMP error, a later fragment, or what was not sent by and to one host. */
static bool may_report(struct ipv4 *ip)
{
	if (ip->fragment & OFFSET_BITS || !is_one_host(&ip->src) || !is_one_host(&ip->dst))
		return false;
	if (ip->protocol != PROTO_ICMP)
		return true;
	struct wire icmp = ip->payload;
	uint8_t type = wire_u8(&icmp);

	return wire_ok(&icmp) && type != TYPE_UNREACHABLE && type != TYPE_QUENCH &&
	    type != TYPE_REDIRECT && type != TYPE_TIME && type != TYPE_PARAMETER;
}

size_t icmp_error(enum icmp_error kind, uint32_t mtu, const struct ip_addr *source,
    const uint8_t *packet, size_t len, uint8_t *out, size_t capacity)
{
	static const uint8_t wire[][2] = {
	    [ICMP_TTL_EXCEEDED] = {TYPE_TIME, 0},
	    [ICMP_NET_UNREACHABLE] = {TYPE_UNREACHABLE, 0},
	    [ICMP_HOST_UNREACHABLE] = {TYPE_UNREACHABLE, 1},
	    [ICMP_PROTO_UNREACHABLE] = {TYPE_UNREACHABLE, 2},
	    [ICMP_PORT_UNREACHABLE] = {TYPE_UNREACHABLE, 3},
	    [ICMP_FRAG_NEEDED] = {TYPE_UNREACHABLE, 4},
	    [ICMP_ADMIN_PROHIBITED] = {TYPE_UNREACHABLE, 13},
	};
	struct wirebuf w = wirebuf_of(out, capacity);
	struct ipv4 ip;

	if (source->family != IP_V4 || !ipv4_parse(packet, len, &ip) || !may_report(&ip))
		return 0;
	size_t quoted = ip.total < ERROR_BYTES_MAX - IPV4_HEADER - ICMP_HEADER
	    ? ip.total
	    : ERROR_BYTES_MAX - IPV4_HEADER - ICMP_HEADER;
	put_ipv4(
	    &w, (unsigned)(ICMP_HEADER + quoted), 0xc0, source, &ip.src); /* internetwork control */
	size_t start = wirebuf_len(&w);
	wirebuf_u8(&w, wire[kind][0]);
	wirebuf_u8(&w, wire[kind][1]);
	wirebuf_u16(&w, 0);
	wirebuf_u16(&w, 0);
	wirebuf_u16(&w, kind == ICMP_FRAG_NEEDED ? (uint16_t)mtu : 0); /* RFC 1191 4 */
	wirebuf_put(&w, packet, quoted);
	if (!wirebuf_ok(&w))
		return 0;
	wirebuf_u16_at(&w, start + 2, inet_checksum(out + start, ICMP_HEADER + quoted));
	return wirebuf_len(&w);
}
