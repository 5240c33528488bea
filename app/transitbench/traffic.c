/* SPDX-License-Identifier: BSD-3-Clause */

/* The frames of a profile: flows drawn at random, encrypted by the peers' ends where they arrive as ESP. */

#include <string.h>

#include "transitbench/site.h"

static bool is_sealed(const struct profile *p)
{
	return p->direction == DIR_IN || p->direction == DIR_RELAY;
}

unsigned site_port_in(const struct profile *p)
{
	return is_sealed(p) ? WAN : LAN;
}

static uint32_t draw(struct site *s)
{
	s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(s->random >> 32);
}

/* Few prefixes get most of the traffic: each octave of them as much as the next one. */
static uint32_t draw_route(struct site *s)
{
	unsigned octaves = s->routes > 1 ? 32 - (unsigned)__builtin_clz(s->routes - 1) : 0;
	uint32_t top = UINT32_C(1) << draw(s) % (octaves + 1);

	if (s->tunnels > 1)
		return draw(s) % s->routes; /* all tunnels mixed within each burst */
	return RTE_MIN(draw(s) % top, s->routes - 1);
}

/* Every twelve frames have the same sizes, in an order of their own: any block of them is as long as any other. */
static unsigned imix(struct site *s)
{
	static const uint16_t sizes[SITE_MIX] = {
	    64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1424};
	unsigned taken;
	uint16_t size;

	if (s->mix_left == 0) {
		memcpy(s->mix, sizes, sizeof(sizes));
		s->mix_left = SITE_MIX;
	}
	taken = draw(s) % s->mix_left;
	size = s->mix[taken];
	s->mix[taken] = s->mix[--s->mix_left];
	return size;
}

static unsigned frame_bytes(struct site *s)
{
	return s->profile->bytes ? s->profile->bytes : imix(s);
}

/* An IPv4 packet in UDP, without layer 2. */
static void make_packet(struct site *s, struct rte_mbuf *m)
{
	unsigned frame = frame_bytes(s), bytes = frame - RTE_ETHER_HDR_LEN;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)rte_pktmbuf_append(m, (uint16_t)bytes);
	uint16_t *port = (uint16_t *)(ip + 1);

	s->clear_bytes += frame;
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
	    .total_length = rte_cpu_to_be_16((uint16_t)bytes),
	    .time_to_live = 64,
	    .next_proto_id = IPPROTO_UDP,
	    .src_addr = rte_cpu_to_be_32(0x0a010000 + draw(s) % 1024),
	    .dst_addr = rte_cpu_to_be_32(SITE_ROUTES + (draw_route(s) << 8) + 1)};
	port[0] = (uint16_t)draw(s);
	port[1] = RTE_BE16(2000);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void add_ethernet(struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth =
	    (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, sizeof(struct rte_ether_hdr));

	eth->dst_addr = SITE_MAC;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
}

/* By the peers' ends, with the stage that sends. What they count is no part of the measurement. */
static unsigned encrypt(struct site *s, struct rte_mbuf **m, unsigned n)
{
	const struct tunnel *tunnel[BURST_MAX];
	struct rte_mbuf *outer[BURST_MAX];

	for (unsigned i = 0; i < n; i++) {
		*pkt_meta(m[i]) = (struct pkt_meta){.slot = s->slot};
		tunnel[i] = tunnel_get(&s->w->b->tunnels, s->peer_tunnel[draw(s) % s->tunnels]);
	}
	n = esp_out(s->w, tunnel, m, n, outer);
	memcpy(m, outer, n * sizeof(*m));
	return n;
}

unsigned site_frames(struct site *s, struct rte_mbuf **m, unsigned n)
{
	if (rte_pktmbuf_alloc_bulk(s->pool, m, n) != 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		make_packet(s, m[i]);
	if (is_sealed(s->profile))
		n = encrypt(s, m, n);
	for (unsigned i = 0; i < n; i++)
		add_ethernet(m[i]);
	return n;
}
