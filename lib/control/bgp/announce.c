/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writes UPDATEs: one set of attributes and as many prefixes as fit. IPv4 prefixes stand in the NLRI and
 * withdrawn-routes fields, others in MP_REACH_NLRI and MP_UNREACH_NLRI, which then come first
 * (RFC 7606 5.1). The messages of one slice are handed to the transport together.
 */

#include <string.h>

#include "bgp/engine.h"

/* An UPDATE being written: prefixes go in until `prefix_end`. */
struct update {
	struct wirebuf *out;
	size_t begin;
	size_t prefix_end; /* offset behind the last prefix at most */
	size_t length_at;  /* of the length field that counts the prefixes */
	size_t counted_from;
	bool mp;
};

static struct ip_addr own_next_hop(const struct bgp_peer *peer, enum bgp_family family)
{
	const struct ip_addr *addr = &peer->config.next_hop[family];

	if (!ip_is_set(addr))
		addr = &peer->up->local;
	return *addr;
}

/* The bytes of the next hop: the set's own, or ours. */
static size_t next_hop(const struct bgp_peer *peer, enum bgp_family family,
    const struct bgp_attrs *set, uint8_t out[32])
{
	uint8_t code = family == BGP_IPV4 ? BGP_ATTR_NEXT_HOP : BGP_ATTR_MP_REACH;
	struct ip_addr own = own_next_hop(peer, family);
	size_t len;
	const uint8_t *value = bgp_attrs_value(set, code, &len);

	if (!value) {
		value = own.bytes;
		len = ip_bytes(own.family);
	}
	memcpy(out, value, len);
	return len;
}

/* Bytes of prefixes that fit behind `overhead` others. */
static bool room_for(const struct bgp_session *s, struct update *u, size_t overhead)
{
	/* Large messages only for large attributes: most peers have never seen one. */
	size_t max = overhead + 512 > BGP_MESSAGE_MAX ? s->send_max : BGP_MESSAGE_MAX;

	u->prefix_end = u->begin + max;
	return overhead + (u->mp ? 17 : 5) <= max; /* the longest prefix */
}

static void begin_withdraw(struct bgp_session *s, enum bgp_family family, struct update *u)
{
	struct wirebuf *out = u->out;

	u->begin = bgp_message_begin(out, BGP_UPDATE);
	u->length_at = wirebuf_len(out);
	wirebuf_u16(out, 0);
	u->counted_from = wirebuf_len(out);
	room_for(s, u, 0);
	if (!u->mp) {
		u->prefix_end -= 2; /* length of attributes */
		return;
	}
	wirebuf_u16(out, 0);
	wirebuf_u8(out, BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED);
	wirebuf_u8(out, BGP_ATTR_MP_UNREACH);
	u->length_at = wirebuf_len(out);
	wirebuf_u16(out, 0);
	u->counted_from = wirebuf_len(out);
	wirebuf_u16(out, bgp_family_afi(family));
	wirebuf_u8(out, 1);
}

static void end_withdraw(struct update *u)
{
	struct wirebuf *out = u->out;
	size_t end = wirebuf_len(out);

	wirebuf_u16_at(out, u->length_at, (uint16_t)(end - u->counted_from));
	if (u->mp) /* the attributes as a whole */
		wirebuf_u16_at(out, u->begin + BGP_HEADER_BYTES + 2,
		    (uint16_t)(end - u->begin - BGP_HEADER_BYTES - 4));
	else
		wirebuf_u16(out, 0);
	bgp_message_end(out, u->begin);
}

/* False: not even one prefix would fit. */
static bool begin_announce(struct bgp_session *s, enum bgp_family family, struct update *u,
    const struct wirebuf *block, const uint8_t *hop, size_t hop_len)
{
	struct wirebuf *out = u->out;
	size_t overhead = BGP_HEADER_BYTES + 4 + wirebuf_len(block) + (u->mp ? 9 + hop_len : 0);

	u->begin = wirebuf_len(out);
	if (!room_for(s, u, overhead))
		return false;
	bgp_message_begin(out, BGP_UPDATE);
	wirebuf_u16(out, 0);
	u->length_at = wirebuf_len(out);
	if (!u->mp) {
		wirebuf_u16(out, (uint16_t)wirebuf_len(block));
		wirebuf_put(out, block->start, wirebuf_len(block));
		return true;
	}
	u->prefix_end -= wirebuf_len(block); /* behind the prefixes */
	wirebuf_u16(out, 0);
	wirebuf_u8(out, BGP_FLAG_OPTIONAL | BGP_FLAG_EXTENDED);
	wirebuf_u8(out, BGP_ATTR_MP_REACH);
	u->counted_from = wirebuf_len(out);
	wirebuf_u16(out, 0);
	wirebuf_u16(out, bgp_family_afi(family));
	wirebuf_u8(out, 1);
	wirebuf_u8(out, (uint8_t)hop_len);
	wirebuf_put(out, hop, hop_len);
	wirebuf_u8(out, 0);
	return true;
}

static void end_announce(struct update *u, const struct wirebuf *block)
{
	struct wirebuf *out = u->out;

	if (u->mp) {
		wirebuf_u16_at(
		    out, u->counted_from, (uint16_t)(wirebuf_len(out) - u->counted_from - 2));
		wirebuf_put(out, block->start, wirebuf_len(block));
		wirebuf_u16_at(out, u->length_at, (uint16_t)(wirebuf_len(out) - u->length_at - 2));
	}
	bgp_message_end(out, u->begin);
}

/* Moves prefixes of the current bucket into the message, until one of them is through. */
static void put_prefixes(struct bgp_peer *peer, enum bgp_family family, struct update *u,
    struct bgp_attrs *set, uint32_t *budget)
{
	struct bgp_nets *nets = &peer->engine->rib[family].nets;
	struct bgp_adj_out *out = &peer->out[family];
	uint32_t net;

	while ((net = bgp_batch_peek(&out->batch)) != 0) {
		const struct bgp_net *n = bgp_net_at(nets, net);

		if (wirebuf_len(u->out) + bgp_nlri_bytes(n->len) > u->prefix_end)
			break;
		*budget -= *budget > 0; /* a message is not cut short for the end of the slice */
		bgp_batch_take(&out->batch);
		if (set) {
			bgp_nlri_put(u->out, n->key, n->len);
			bgp_set_ref(set);
			bgp_out_set_sent(peer, family, net, set->id);
			peer->counters.prefixes_out++;
		} else if (bgp_out_sent(out, net)) { /* not so when the batch gave up on it */
			bgp_nlri_put(u->out, n->key, n->len);
			bgp_out_set_sent(peer, family, net, 0);
			peer->counters.withdrawals_out++;
		}
		bgp_net_unref(nets, net);
	}
}

/* Attributes that no message of this peer holds: the routes cannot be told, so they are withdrawn. */
static void give_up(struct bgp_peer *peer, struct bgp_bucket *bucket, struct bgp_attrs *set)
{
	if (!peer->oversized_logged)
		bgp_log(peer, LOG_WARNING,
		    "attributes of %u bytes do not fit a message: routes not announced",
		    set->wire_len);
	peer->oversized_logged = true;
	bgp_set_unref(&peer->engine->sets, set);
	bucket->set = 0;
}

static void withdraw_some(
    struct bgp_peer *peer, enum bgp_family family, struct wirebuf *out, uint32_t *budget)
{
	struct update u = {.out = out, .mp = family != BGP_IPV4};
	size_t empty;

	begin_withdraw(peer->up, family, &u);
	empty = wirebuf_len(out);
	put_prefixes(peer, family, &u, NULL, budget);
	if (wirebuf_len(out) == empty) { /* it would mean End-of-RIB */
		out->at = out->start + u.begin;
		return;
	}
	end_withdraw(&u);
	peer->counters.updates_out++;
}

static void announce_some(struct bgp_peer *peer, enum bgp_family family, struct bgp_bucket *bucket,
    struct wirebuf *out, uint32_t *budget)
{
	struct bgp_engine *e = peer->engine;
	struct bgp_attrs *set = bgp_set_at(&e->sets, bucket->set);
	struct update u = {.out = out, .mp = family != BGP_IPV4};
	struct wirebuf block = wirebuf_of(e->block, BGP_MESSAGE_EXT_MAX);
	uint8_t hop[32];
	size_t hop_len = next_hop(peer, family, set, hop);
	struct bgp_attr_encoding how = {.as4 = peer->up->attrs.as4, .next_hop = u.mp ? NULL : hop};

	if (!bgp_attr_encode(set, &how, e->attr_room, &block)) {
		give_up(peer, bucket, set);
		return;
	}
	while (bgp_batch_peek(&peer->out[family].batch) && *budget > 0 &&
	    wirebuf_len(out) < BGP_CHUNK_BYTES) {
		if (!begin_announce(peer->up, family, &u, &block, hop, hop_len)) {
			give_up(peer, bucket, set);
			return;
		}
		put_prefixes(peer, family, &u, set, budget);
		end_announce(&u, &block);
		peer->counters.updates_out++;
	}
}

static void next_bucket(struct bgp_peer *peer, struct bgp_batch *b)
{
	struct bgp_sets *sets = &peer->engine->sets;

	if (b->bucket[b->at].set)
		bgp_set_unref(sets, bgp_set_at(sets, b->bucket[b->at].set));
	b->at++;
}

void bgp_announce(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_batch *b = &peer->out[family].batch;

	while (b->at<b->buckets && * budget> 0 && !bgp_send_blocked(peer->up)) {
		struct wirebuf out = wirebuf_of(peer->engine->message, BGP_CHUNK_ROOM);

		while (b->at<b->buckets && * budget> 0 && wirebuf_len(&out) < BGP_CHUNK_BYTES) {
			if (!bgp_batch_peek(b))
				next_bucket(peer, b);
			else if (b->bucket[b->at].set)
				announce_some(peer, family, &b->bucket[b->at], &out, budget);
			else
				withdraw_some(peer, family, &out, budget);
		}
		if (wirebuf_len(&out) > 0)
			bgp_send(peer->up, out.start, wirebuf_len(&out));
	}
}
