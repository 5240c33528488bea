/* SPDX-License-Identifier: BSD-3-Clause */

/* ARP packets on the wire: RFC 826 for Ethernet and IPv4, both directions. */

#include <string.h>

#include "neigh/engine.h"

#define ETHER_TYPE_ARP 0x0806
#define HARDWARE_ETHER 1
#define PROTOCOL_IPV4  0x0800
#define OP_REQUEST     1
#define OP_REPLY       2

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t nobody[6];

static void send(const struct side *s, uint16_t op, const uint8_t *ether_to,
    const struct ip_addr *from, const uint8_t *target_mac, const struct ip_addr *target)
{
	uint8_t frame[ARP_FRAME_BYTES];
	struct wirebuf out = wirebuf_of(frame, sizeof(frame));

	wirebuf_put(&out, ether_to, 6);
	wirebuf_put(&out, s->conf.mac, 6);
	wirebuf_u16(&out, ETHER_TYPE_ARP);
	wirebuf_u16(&out, HARDWARE_ETHER);
	wirebuf_u16(&out, PROTOCOL_IPV4);
	wirebuf_u8(&out, 6);
	wirebuf_u8(&out, 4);
	wirebuf_u16(&out, op);
	wirebuf_put(&out, s->conf.mac, 6);
	wirebuf_put(&out, from->bytes, 4);
	wirebuf_put(&out, target_mac, 6);
	wirebuf_put(&out, target->bytes, 4);
	if (wirebuf_ok(&out))
		s->engine->ops->send(s->engine->ctx, s->conf.iface, frame, wirebuf_len(&out));
}

void arp_request(const struct side *s, const struct ip_addr *from, const struct ip_addr *about,
    const uint8_t *to)
{
	send(s, OP_REQUEST, to ? to : broadcast, from, nobody, about);
}

void arp_reply(const struct side *s, const struct ip_addr *from, const uint8_t to[6],
    const struct ip_addr *to_addr)
{
	send(s, OP_REPLY, to, from, to, to_addr);
}

static bool is_one_station(const uint8_t mac[6])
{
	return !(mac[0] & 1) && memcmp(mac, nobody, 6) != 0;
}

bool arp_parse(const uint8_t *frame, size_t len, struct arp *out)
{
	struct wire w = wire_of(frame, len);
	uint8_t sender[4], target[4];

	memset(out, 0, sizeof(*out));
	wire_skip(&w, 6);
	wire_copy(&w, out->ether_source, 6);
	if (wire_u16(&w) != ETHER_TYPE_ARP || wire_u16(&w) != HARDWARE_ETHER ||
	    wire_u16(&w) != PROTOCOL_IPV4)
		return false;
	if (wire_u8(&w) != 6 || wire_u8(&w) != 4)
		return false;
	uint16_t op = wire_u16(&w);
	wire_copy(&w, out->sender_mac, 6);
	wire_copy(&w, sender, 4);
	wire_copy(&w, out->target_mac, 6);
	wire_copy(&w, target, 4);
	if (!wire_ok(&w) || (op != OP_REQUEST && op != OP_REPLY) ||
	    !is_one_station(out->sender_mac))
		return false;
	out->request = op == OP_REQUEST;
	out->sender = ip_from_bytes(IP_V4, sender);
	out->target = ip_from_bytes(IP_V4, target);
	return !ip_is_multicast(&out->sender);
}
