/* SPDX-License-Identifier: BSD-3-Clause */

/* ICMP echo requests and the answers to them. What lies is no answer. */

#include "health/echo.h"

#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"

#define IPV4_HEADER   20
#define ICMP_HEADER   8
#define PROTOCOL_ICMP 1
#define TTL           64
#define TYPE_REQUEST  8
#define TYPE_REPLY    0

void echo_request(const struct echo *e, uint8_t out[ECHO_PACKET_BYTES])
{
	struct wirebuf b = wirebuf_of(out, ECHO_PACKET_BYTES);

	wirebuf_u8(&b, 0x45);
	wirebuf_u8(&b, 0);
	wirebuf_u16(&b, ECHO_PACKET_BYTES);
	wirebuf_u16(&b, e->number);
	wirebuf_u16(&b, 0);
	wirebuf_u8(&b, TTL);
	wirebuf_u8(&b, PROTOCOL_ICMP);
	wirebuf_u16(&b, 0);
	wirebuf_put(&b, e->source.bytes, 4);
	wirebuf_put(&b, e->destination.bytes, 4);
	wirebuf_u16_at(&b, 10, inet_checksum(out, IPV4_HEADER));
	wirebuf_u8(&b, TYPE_REQUEST);
	wirebuf_u8(&b, 0);
	wirebuf_u16(&b, 0);
	wirebuf_u16(&b, e->id);
	wirebuf_u16(&b, e->number);
	wirebuf_u64(&b, e->nonce);
	wirebuf_zero(&b, ECHO_DATA_BYTES - sizeof(e->nonce));
	wirebuf_u16_at(
	    &b, IPV4_HEADER + 2, inet_checksum(out + IPV4_HEADER, ICMP_HEADER + ECHO_DATA_BYTES));
}

bool echo_is_reply(struct echo *e, const uint8_t *packet, size_t len)
{
	struct wire w = wire_of(packet, len);
	uint8_t version = wire_u8(&w);

	wire_skip(&w, 1);
	uint16_t total = wire_u16(&w);
	wire_skip(&w, 5);
	uint8_t protocol = wire_u8(&w);
	wire_skip(&w, 2);
	const uint8_t *addresses = wire_bytes(&w, 8);
	if (!wire_ok(&w) || version != 0x45 || protocol != PROTOCOL_ICMP ||
	    total != ECHO_PACKET_BYTES || len < total)
		return false;
	if (memcmp(addresses, e->destination.bytes, 4) != 0 ||
	    memcmp(addresses + 4, e->source.bytes, 4) != 0)
		return false;
	struct wire icmp = wire_sub(&w, total - IPV4_HEADER);
	if (inet_checksum(icmp.at, wire_left(&icmp)) != 0)
		return false;
	uint8_t type = wire_u8(&icmp);
	uint8_t code = wire_u8(&icmp);
	wire_skip(&icmp, 2);
	uint16_t id = wire_u16(&icmp);
	e->number = wire_u16(&icmp);
	uint64_t nonce = wire_u64(&icmp);
	return wire_ok(&icmp) && type == TYPE_REPLY && code == 0 && id == e->id &&
	    nonce == e->nonce;
}
