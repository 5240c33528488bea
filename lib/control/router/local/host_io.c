/* SPDX-License-Identifier: BSD-3-Clause */

/* Packets between the engines and the workers: IP and UDP headers on and off (RFC 791, 768, 3948). */

#include <errno.h>
#include <string.h>

#include "base/checksum.h"
#include "base/wire.h"
#include "router/internal.h"

#define IP_PROTO_UDP    17
#define IPV4_HEADER     20
#define UDP_HEADER      8
#define OUTER_TTL       64
#define ETHER_TYPE_AT   12
#define ETHER_TYPE_VLAN 0x8100

static uint16_t udp_checksum_v4(const uint8_t *addresses, const uint8_t *udp, size_t len)
{
	uint32_t sum = inet_sum(IP_PROTO_UDP + (uint32_t)len, addresses, 8);

	return (uint16_t)~inet_sum(sum, udp, len);
}

/* An mbuf with the bytes; NULL when memory is short or the packet too large for one buffer. */
static struct rte_mbuf *mbuf_of(struct router *r, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->b->pool);

	if (!m)
		return NULL;
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	char *room = len <= UINT16_MAX ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;
	if (!room) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(room, bytes, len);
	return m;
}

static int inject(struct router *r, struct rte_mbuf *m, uint8_t kind)
{
	pkt_meta(m)->detail = kind;
	int rc = inject_put(r->b->inject, 0, m);
	if (rc < 0) {
		rte_pktmbuf_free(m);
		r->held_dropped++;
	}
	return rc;
}

int host_send_nexthop(struct router *r, uint32_t nexthop, const uint8_t *packet, size_t len)
{
	struct rte_mbuf *m = nexthop ? mbuf_of(r, packet, len) : NULL;

	if (!m)
		return nexthop ? -ENOBUFS : -ENETUNREACH;
	pkt_meta(m)->nexthop = nexthop;
	return inject(r, m, INJECT_NEXTHOP);
}

int host_send_tunnel(struct router *r, uint32_t tunnel, const uint8_t *packet, size_t len)
{
	struct rte_mbuf *m = mbuf_of(r, packet, len);

	if (!m)
		return -ENOBUFS;
	pkt_meta(m)->tunnel = tunnel;
	return inject(r, m, INJECT_TUNNEL);
}

int host_send_route(struct router *r, uint32_t iface, const uint8_t *packet, size_t len)
{
	struct rte_mbuf *m = mbuf_of(r, packet, len);

	if (!m)
		return -ENOBUFS;
	pkt_meta(m)->iface = (uint16_t)iface;
	return inject(r, m, INJECT_ROUTE);
}

int host_send_frame(struct router *r, uint32_t iface, const uint8_t *frame, size_t len)
{
	const struct iface *i = iface_get(&r->b->ifaces, iface);
	uint8_t tagged[256];
	struct wirebuf out = wirebuf_of(tagged, sizeof(tagged));

	if (!i || len < ETHER_TYPE_AT)
		return -EINVAL;
	wirebuf_put(&out, frame, ETHER_TYPE_AT);
	if (i->vlan != VLAN_NONE) {
		wirebuf_u16(&out, ETHER_TYPE_VLAN);
		wirebuf_u16(&out, i->vlan);
	}
	wirebuf_put(&out, frame + ETHER_TYPE_AT, len - ETHER_TYPE_AT);
	struct rte_mbuf *m = wirebuf_ok(&out) ? mbuf_of(r, tagged, wirebuf_len(&out)) : NULL;
	if (!m)
		return -ENOBUFS;
	pkt_meta(m)->port = i->port;
	pkt_meta(m)->iface = (uint16_t)iface;
	return inject(r, m, INJECT_FRAME);
}

int host_send_udp(struct router *r, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, bool marker, const uint8_t *bytes, size_t len)
{
	uint8_t packet[IPV4_HEADER + UDP_HEADER + 4 + 4096];
	struct wirebuf out = wirebuf_of(packet, sizeof(packet));
	size_t udp_len = UDP_HEADER + (marker ? 4 : 0) + len;

	if (local->addr.family != IP_V4 || remote->addr.family != IP_V4)
		return -EAFNOSUPPORT;
	if (IPV4_HEADER + udp_len > sizeof(packet))
		return -EMSGSIZE;
	wirebuf_u8(&out, 0x45);
	wirebuf_u8(&out, 0);
	wirebuf_u16(&out, (uint16_t)(IPV4_HEADER + udp_len));
	wirebuf_u16(&out, (uint16_t)rng_u32(&r->rng));
	wirebuf_u16(&out, 0); /* DF clear: an IKE message may be fragmented on the way */
	wirebuf_u8(&out, OUTER_TTL);
	wirebuf_u8(&out, IP_PROTO_UDP);
	wirebuf_u16(&out, 0);
	wirebuf_put(&out, local->addr.bytes, 4);
	wirebuf_put(&out, remote->addr.bytes, 4);
	wirebuf_u16_at(&out, 10, (uint16_t)~inet_sum(0, packet, IPV4_HEADER));
	wirebuf_u16(&out, local->port);
	wirebuf_u16(&out, remote->port);
	wirebuf_u16(&out, (uint16_t)udp_len);
	wirebuf_u16(&out, 0);
	if (marker)
		wirebuf_u32(&out, 0);
	wirebuf_put(&out, bytes, len);
	if (!wirebuf_ok(&out))
		return -EMSGSIZE;
	uint16_t sum = udp_checksum_v4(packet + 12, packet + IPV4_HEADER, udp_len);
	wirebuf_u16_at(&out, IPV4_HEADER + 6, sum ? sum : 0xffff);
	uint32_t leaf = model_underlay(r->model, &local->addr, &remote->addr);
	if (!leaf)
		leaf = farewell_leaf(r, &local->addr, &remote->addr);
	return host_send_nexthop(r, leaf, packet, wirebuf_len(&out));
}

int host_parse_udp(const uint8_t *packet, size_t len, struct ike_endpoint *local,
    struct ike_endpoint *remote, struct wire *payload)
{
	struct wire w = wire_of(packet, len);
	uint8_t version = wire_u8(&w);
	size_t header = (version & 0xf) * 4u;

	wire_skip(&w, 1);
	uint16_t total = wire_u16(&w);
	if (!wire_ok(&w) || version >> 4 != 4 || header < IPV4_HEADER || total > len ||
	    total < header + UDP_HEADER)
		return -EINVAL;
	wire_skip(&w, 8);
	const uint8_t *addresses = wire_bytes(&w, 8);
	wire_skip(&w, header - IPV4_HEADER);
	struct wire udp = wire_sub(&w, total - header);
	const uint8_t *udp_start = udp.at;

	remote->port = wire_u16(&udp);
	local->port = wire_u16(&udp);
	uint16_t udp_len = wire_u16(&udp);
	uint16_t sum = wire_u16(&udp);
	if (!wire_ok(&udp) || udp_len < UDP_HEADER || udp_len > total - header)
		return -EINVAL;
	if (sum && udp_checksum_v4(addresses, udp_start, udp_len) != 0)
		return -EINVAL;
	remote->addr = ip_from_bytes(IP_V4, addresses);
	local->addr = ip_from_bytes(IP_V4, addresses + 4);
	*payload = wire_sub(&udp, udp_len - UDP_HEADER);
	return wire_ok(payload) ? 0 : -EINVAL;
}

const uint8_t *host_bytes(struct rte_mbuf *m, uint8_t *room, size_t capacity, size_t *len)
{
	if (rte_pktmbuf_pkt_len(m) > capacity)
		return NULL;
	*len = rte_pktmbuf_pkt_len(m);
	return rte_pktmbuf_read(m, 0, rte_pktmbuf_pkt_len(m), room);
}

void host_resume(struct router *r, struct rte_mbuf *m, uint8_t kind)
{
	r->held_sent++;
	inject(r, m, kind);
}
