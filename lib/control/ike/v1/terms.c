/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a quick mode agrees on: selectors in ID payloads (RFC 2407 4.6.2), keys, the Child SA.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "ike/v1/v1.h"

uint32_t v1_spi_read(const uint8_t spi[4])
{
	struct wire w = wire_of(spi, 4);

	return wire_u32(&w);
}

struct ike_span v1_spi_span(uint8_t buf[4], uint32_t spi)
{
	struct wirebuf b = wirebuf_of(buf, 4);

	wirebuf_u32(&b, spi);
	return (struct ike_span){buf, 4};
}

/* ---- selectors ---- */

static void put_mask(struct wirebuf *b, unsigned bits, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned in = bits > 8 * i ? bits - 8 * i : 0;

		wirebuf_u8(b, in >= 8 ? 0xff : (uint8_t)(0xff00 >> in));
	}
}

void v1_selector_put(struct ike_chain *c, const struct ike_selector *s)
{
	bool v6 = s->addr.first.family == IP_V6;
	unsigned bytes = ip_bytes(s->addr.first.family);
	bool one_port = s->port_first == s->port_last;
	struct wirebuf *b = &c->buf;
	struct ip_prefix p;

	ike_chain_begin(c, V1_PAYLOAD_ID);
	if (!ip_range_to_prefix(&s->addr, &p))
		wirebuf_u8(b, v6 ? V1_ID_IPV6_RANGE : V1_ID_IPV4_RANGE);
	else if (p.len == 8 * bytes)
		wirebuf_u8(b, v6 ? V1_ID_IPV6_ADDR : V1_ID_IPV4_ADDR);
	else
		wirebuf_u8(b, v6 ? V1_ID_IPV6_SUBNET : V1_ID_IPV4_SUBNET);
	wirebuf_u8(b, s->protocol);
	wirebuf_u16(b, one_port ? s->port_first : 0);
	wirebuf_put(b, s->addr.first.bytes, bytes);
	if (!ip_range_to_prefix(&s->addr, &p))
		wirebuf_put(b, s->addr.last.bytes, bytes);
	else if (p.len < 8 * bytes)
		put_mask(b, p.len, bytes);
	ike_chain_end(c);
}

/* The length of a mask of leading ones; -1: it has holes. */
static int mask_bits(const uint8_t *mask, unsigned bytes)
{
	unsigned bits = 0;

	while (bits < 8 * bytes && mask[bits / 8] & (0x80 >> bits % 8))
		bits++;
	for (unsigned i = bits; i < 8 * bytes; i++)
		if (mask[i / 8] & (0x80 >> i % 8))
			return -1;
	return (int)bits;
}

static int read_addresses(struct wire *w, uint8_t type, struct ip_range *out)
{
	uint8_t family =
	    type == V1_ID_IPV6_ADDR || type == V1_ID_IPV6_SUBNET || type == V1_ID_IPV6_RANGE
	    ? IP_V6
	    : IP_V4;
	uint8_t first[16], second[16];
	struct ip_prefix p;
	int bits;

	wire_copy(w, first, ip_bytes(family));
	out->first = out->last = ip_from_bytes(family, first);
	if (type == V1_ID_IPV4_ADDR || type == V1_ID_IPV6_ADDR)
		return wire_done(w) ? 0 : -EBADMSG;
	wire_copy(w, second, ip_bytes(family));
	if (!wire_done(w))
		return -EBADMSG;
	if (type == V1_ID_IPV4_RANGE || type == V1_ID_IPV6_RANGE) {
		out->last = ip_from_bytes(family, second);
		return ip_range_is_valid(out) ? 0 : -EBADMSG;
	}
	bits = mask_bits(second, ip_bytes(family));
	if (bits < 0)
		return -EBADMSG;
	p = (struct ip_prefix){.addr = out->first, .len = (uint8_t)bits};
	*out = ip_range_of_prefix(&p);
	return 0;
}

int v1_selector_read(const struct ike_payload *p, struct ike_selector *out)
{
	struct wire w = ike_payload_wire(p);
	uint8_t type = wire_u8(&w);
	uint16_t port;

	*out = (struct ike_selector){.protocol = wire_u8(&w)};
	port = wire_u16(&w);
	out->port_first = port;
	out->port_last = port ? port : UINT16_MAX;
	if (!wire_ok(&w))
		return -EBADMSG;
	switch (type) {
	case V1_ID_IPV4_ADDR:
	case V1_ID_IPV4_SUBNET:
	case V1_ID_IPV4_RANGE:
	case V1_ID_IPV6_ADDR:
	case V1_ID_IPV6_SUBNET:
	case V1_ID_IPV6_RANGE:
		return read_addresses(&w, type, &out->addr);
	default:
		return -EBADMSG; /* names do not select packets */
	}
}

static struct ike_selector of_address(const struct ip_addr *a)
{
	return (struct ike_selector){.addr = {*a, *a}, .port_last = UINT16_MAX};
}

int v1_selectors_read(
    const struct ike_sa *sa, const struct v1_message *m, bool initiator, struct ike_ts_pair *out)
{
	struct ike_selector *of[2] = {initiator ? out->local : out->remote,
	    initiator ? out->remote : out->local}; /* of the exchange's initiator comes first */
	unsigned count = 0;

	out->local_count = out->remote_count = 1;
	out->local[0] = of_address(&sa->local.addr);
	out->remote[0] = of_address(&sa->remote.addr);
	for (unsigned i = 0; i < m->p.list.count; i++) {
		if (m->p.list.list[i].type != V1_PAYLOAD_ID)
			continue;
		if (v1_selector_read(&m->p.list.list[i], of[count++]))
			return -EBADMSG;
	}
	if (out->local[0].addr.first.family != out->remote[0].addr.first.family)
		return -EBADMSG;
	return count == 1 ? -EBADMSG : 0;
}

void v1_report_selectors(
    struct ike_tunnel *t, const struct ike_slot *slot, const struct ike_ts_pair *theirs)
{
	char ours[2 * IKE_TS_TEXT + 8], peer[2 * IKE_TS_TEXT + 8];
	char a[IKE_TS_TEXT], b[IKE_TS_TEXT];

	snprintf(ours, sizeof(ours), "%s === %s",
	    ike_ts_text(slot->local_ts, slot->local_ts_count, a),
	    ike_ts_text(slot->remote_ts, slot->remote_ts_count, b));
	peer[0] = '\0';
	if (theirs)
		snprintf(peer, sizeof(peer), "%s === %s",
		    ike_ts_text(theirs->local, theirs->local_count, a),
		    ike_ts_text(theirs->remote, theirs->remote_count, b));
	ike_tunnel_error(t, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, "local-cidrs, peer-cidrs", ours,
	    theirs ? peer : "INVALID_ID_INFORMATION");
}

/* ---- the Child SA ---- */

struct ike_child_sa *v1_child_make(struct ike_sa *sa, const struct v1_terms *t,
    const struct v1_suite *suite, uint32_t spi_in, struct ike_span secret,
    const struct ike_ts_pair *ts)
{
	struct ike_tie tie = ike_tie_of(t->nonce_i, t->nonce_r, t->initiator);
	uint32_t ours_s = sa->tunnel->config.esp_lifetime_s;
	struct ike_child info = {
	    .spi_in = spi_in,
	    .spi_out = v1_spi_read(suite->suite.spi),
	    .encr = suite->suite.encr,
	    .auth = suite->suite.integ,
	    .dh = suite->suite.dh,
	    .lifetime_bytes = v1_lifetime_bytes(suite->life_kb),
	};
	struct ike_child_sa *child;
	struct ike_sa *next;

	v1_keys_child(&sa->v1->keys, secret, t->nonce_i, t->nonce_r, &info);
	child = ike_child_new(sa, t->slot, &info, ts, &tie);
	secret_wipe(&info, sizeof(info));
	/* The peer may not know yet that the IKE SA has a successor. */
	next = v1_successor(sa);
	if (child && !ike_sa_is_up(sa) && next)
		ike_child_move(child, next);
	if (child && v1_shorter(ours_s, suite->life_s) != ours_s)
		ike_child_shorten(child, v1_shorter(ours_s, suite->life_s));
	return child;
}
