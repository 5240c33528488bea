/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The MTU of the path to a peer (RFC 1191, RFC 4301 8.2). Where a packet must not be fragmented, what is outside of it
 * must not be either, and a router on the way that has a smaller MTU drops it and says so. The tunnel then takes smaller
 * packets: workers tell the sources of those that are too big, fragment the others before encryption, and clamp TCP.
 *
 * Anybody can send such a report. One counts when it quotes the SPI of an outbound SA of ours, its addresses, its ports,
 * and a sequence number that was sent a moment ago, which only those on the path have seen; and never below 576 bytes. A
 * report that quotes too little, as of a UDP header alone, proves nothing. After ten minutes a larger packet may try
 * whether the path has become wider.
 */

#include "base/log.h"
#include "base/wire.h"
#include "neigh/icmp.h"
#include "router/internal.h"

#define LOG         "tunnel"
#define PROTO_ESP   50
#define PROTO_UDP   17
#define LEAST       576u
#define AGE         DUR_S(600)
#define RECENT      65536u /* sequence numbers */
#define UDP_REMAINS 4      /* length and checksum */

/* RFC 1191 7.1: from a router that does not say its MTU, the next smaller one that is common. */
static uint32_t next_common(uint32_t total)
{
	static const uint16_t common[] = {8166, 4352, 2002, 1492, 1280, 1006};

	for (unsigned i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		if (common[i] < total)
			return common[i];
	}
	return LEAST;
}

/* Was this packet sent on that SA, a moment ago? */
static bool was_sent(const struct child *c, const struct icmp_too_big *report)
{
	struct wire w = wire_of(report->payload, report->payload_len);
	uint32_t spi, sequence, next;

	if (!c->out || !ip_eq(&c->sa.local.addr, &report->src) ||
	    !ip_eq(&c->sa.remote.addr, &report->dst) ||
	    report->protocol != (c->sa.udp_encap ? PROTO_UDP : PROTO_ESP))
		return false;
	if (c->sa.udp_encap) {
		uint16_t from = wire_u16(&w), to = wire_u16(&w);

		wire_skip(&w, UDP_REMAINS);
		if (from != c->sa.local.port || to != c->sa.remote.port)
			return false;
	}
	spi = wire_u32(&w);
	sequence = wire_u32(&w);
	next = (uint32_t)sa_out_sequence(c->out);
	return wire_ok(&w) && spi == c->sa.spi_out && next - sequence - 1 < RECENT;
}

static struct vpn_tunnel *sender_of(struct router *r, const struct icmp_too_big *report)
{
	struct child *c;

	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (!r->tunnel[i] || r->tunnel[i]->gone)
			continue;
		list_for (c, &r->tunnel[i]->children, node)
			if (was_sent(c, report))
				return r->tunnel[i];
	}
	return NULL;
}

uint32_t path_mtu_outer(const struct vpn_tunnel *t)
{
	return t->path_mtu && t->path_mtu < t->model->outer_mtu ? t->path_mtu : t->model->outer_mtu;
}

void path_mtu_forget(struct router *r, struct vpn_tunnel *t)
{
	if (!t->path_mtu)
		return;
	t->path_mtu = 0;
	tunnel_refresh(r, t);
}

void path_mtu_heard(struct router *r, const uint8_t *packet, size_t len, struct mono now)
{
	struct icmp_too_big report;
	struct vpn_tunnel *t;
	uint32_t mtu;

	if (!icmp_too_big_read(packet, len, &report))
		return;
	mtu = report.mtu ? report.mtu : next_common(report.total);
	if (mtu < LEAST)
		mtu = LEAST;
	/* A packet that fits is not what was dropped; and nothing that is said makes the path wider. */
	if (mtu >= report.total)
		return;
	t = sender_of(r, &report);
	if (!t || mtu > path_mtu_outer(t))
		return;
	t->path_mtu_until = mono_add(now, AGE);
	if (mtu == path_mtu_outer(t))
		return;
	t->path_mtu = mtu;
	tunnel_refresh(r, t);
	const struct tunnel *record = tunnel_get(&r->b->tunnels, t->model->index);
	log_write(LOG_NOTICE, LOG, t->model->name,
	    "the path to the peer takes packets of %u bytes: inner MTU %u for the next ten minutes",
	    mtu, record ? record->inner_mtu : 0u);
}

void path_mtu_tick(struct router *r, struct vpn_tunnel *t, struct mono now)
{
	if (t->path_mtu && !mono_before(now, t->path_mtu_until))
		path_mtu_forget(r, t);
}
