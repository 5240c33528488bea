/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Walks the attributes of an UPDATE (RFC 4271 6.3, RFC 7606 3 to 5) and puts what is good of them in
 * order. The worst error decides what becomes of the message.
 */

#include <errno.h>

#include "bgp/as_path.h"
#include "bgp/attr.h"
#include "bgp/nlri.h"

static void raise_error(
    struct bgp_parse *p, enum bgp_class class, uint8_t attr, struct bgp_error error)
{
	if (class <= p->class && p->error.code)
		return;
	p->error = error;
	p->error_attr = attr;
	if (class > p->class)
		p->class = class;
}

/* A second one of the same code (RFC 7606 3 g). */
static bool is_repeated(struct bgp_parse *p, uint8_t code)
{
	uint64_t *word = &p->seen[code / 64], bit = UINT64_C(1) << code % 64;
	bool again = *word & bit;

	*word |= bit;
	if (!again)
		return false;
	if (code == BGP_ATTR_MP_REACH || code == BGP_ATTR_MP_UNREACH)
		raise_error(p, BGP_CLASS_RESET, code, bgp_error_of(BGP_ERR_UPDATE, BGP_UPD_LIST));
	else
		p->discarded++;
	return true;
}

/* Not in our table: passed on when transitive, else ignored; a well-known one we must know. */
static void take_unknown(struct bgp_parse *p, struct bgp_attr a, const struct wire *whole)
{
	if (!(a.flags & BGP_FLAG_OPTIONAL)) {
		raise_error(p, BGP_CLASS_RESET, a.code,
		    bgp_error_bytes(BGP_ERR_UPDATE, BGP_UPD_UNKNOWN, whole->at, wire_left(whole)));
		return;
	}
	if (!(a.flags & BGP_FLAG_TRANSITIVE))
		return;
	a.flags &= 0xf0;
	if (a.len > 255)
		a.flags &= (uint8_t)~BGP_FLAG_EXTENDED;
	bgp_list_put(&p->list, a);
}

static void take_known(struct bgp_parse *p, const struct bgp_attr_row *row, struct bgp_attr a,
    const struct wire *whole)
{
	const uint8_t kind = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE;
	enum bgp_class class = row->on_error, before = p->class;
	uint8_t subcode;

	if (row->internal_only && p->session->external) {
		p->discarded++;
		return;
	}
	p->keep = true;
	subcode = row->decode(p, &a);
	if (p->class > before) /* the decoder knew better */
		class = p->class;
	/* RFC 7606 3 c; and when the value is wrong too, the worse of the two (3 h). */
	if ((a.flags & kind) != row->flags && (!subcode || class < BGP_CLASS_WITHDRAW)) {
		subcode = BGP_UPD_FLAGS;
		class = BGP_CLASS_WITHDRAW;
	}
	if (subcode) {
		if (class == BGP_CLASS_DISCARD)
			p->discarded++;
		p->class = before;
		raise_error(p, class, a.code,
		    bgp_error_bytes(BGP_ERR_UPDATE, subcode, whole->at, wire_left(whole)));
		return;
	}
	if (!p->keep)
		return;
	/* Partial means something on optional transitive attributes only (RFC 4271 4.3). */
	a.flags = row->flags == kind ? row->flags | (a.flags & BGP_FLAG_PARTIAL) : row->flags;
	bgp_list_put(&p->list, a);
}

/* One attribute; false when the lengths do not add up and the rest is not to be read. */
static bool take(struct bgp_parse *p, struct wire *bytes)
{
	struct wire whole = *bytes;
	struct bgp_attr a;
	const struct bgp_attr_row *row;

	a.flags = wire_u8(bytes);
	a.code = wire_u8(bytes);
	a.len = a.flags & BGP_FLAG_EXTENDED ? wire_u16(bytes) : wire_u8(bytes);
	a.value = wire_bytes(bytes, a.len);
	if (!wire_ok(bytes)) { /* RFC 7606 4 */
		raise_error(p, BGP_CLASS_WITHDRAW, a.code,
		    bgp_error_bytes(BGP_ERR_UPDATE, BGP_UPD_LENGTH, whole.at, wire_left(&whole)));
		return false;
	}
	whole.end = bytes->at;
	p->seen_count++;
	if (is_repeated(p, a.code))
		return true;
	row = bgp_attr_row(a.code);
	if (row)
		take_known(p, row, a, &whole);
	else
		take_unknown(p, a, &whole);
	return true;
}

/* RFC 6793 4.2.3. Only from speakers of 2-octet AS numbers. */
static void merge_as4(struct bgp_parse *p)
{
	struct bgp_attr *path = bgp_list_find(&p->list, BGP_ATTR_AS_PATH);
	struct bgp_attr *aggregator = bgp_list_find(&p->list, BGP_ATTR_AGGREGATOR);
	int len;

	if (aggregator && p->as4_aggregator.value) {
		struct wire w = wire_of(aggregator->value, aggregator->len);

		if (wire_u32(&w) != BGP_AS_TRANS)
			return; /* a 2-octet speaker aggregated: both AS4 attributes are of before */
		aggregator->value = p->as4_aggregator.value;
	}
	if (!path || !p->as4_path.value)
		return;
	len = bgp_as_path_merge(path->value, path->len, p->as4_path.value, p->as4_path.len,
	    p->room->merged, sizeof(p->room->merged));
	if (len < 0)
		return;
	path->value = p->room->merged;
	path->len = (uint16_t)len;
}

static void require(struct bgp_parse *p, uint8_t code)
{
	if (!(p->seen[code / 64] & UINT64_C(1) << code % 64))
		raise_error(p, BGP_CLASS_WITHDRAW, code,
		    bgp_error_u8(BGP_ERR_UPDATE, BGP_UPD_MISSING, code));
}

/* A next hop nobody can forward to makes the routes unusable, not the session (RFC 4271 6.3). */
static void check_mp_next_hop(struct bgp_parse *p)
{
	if (p->reach.family >= 0 && p->reach.next_hop_len >= bgp_family_bytes(p->reach.family) &&
	    !bgp_next_hop_ok(p->reach.family, p->reach.next_hop))
		raise_error(p, BGP_CLASS_WITHDRAW, BGP_ATTR_MP_REACH,
		    bgp_error_of(BGP_ERR_UPDATE, BGP_UPD_NEXT_HOP));
}

static void check_whole(struct bgp_parse *p)
{
	bool mp_routes = p->reach.present && wire_left(&p->reach.nlri) > 0;

	if (p->ipv4_nlri || mp_routes) { /* RFC 7606 3 d */
		require(p, BGP_ATTR_ORIGIN);
		require(p, BGP_ATTR_AS_PATH);
	}
	if (p->ipv4_nlri)
		require(p, BGP_ATTR_NEXT_HOP);
	if (mp_routes)
		check_mp_next_hop(p);
	/* Attributes, an error in them, and no routes to withdraw for it: were there any? (5.2) */
	if (p->class == BGP_CLASS_WITHDRAW && !p->ipv4_nlri && !mp_routes)
		p->class = BGP_CLASS_RESET;
}

void bgp_attr_parse(struct bgp_parse *p, const struct bgp_attr_session *session,
    struct bgp_attr_room *room, struct wire bytes, bool ipv4_nlri)
{
	p->session = session;
	p->room = room;
	p->ipv4_nlri = ipv4_nlri;
	p->list.count = 0;
	p->reach = p->unreach = (struct bgp_mp){.family = -1};
	p->as4_path = p->as4_aggregator = (struct bgp_attr){0};
	p->class = BGP_CLASS_NONE;
	p->error = (struct bgp_error){0};
	p->error_attr = 0;
	p->discarded = p->seen_count = 0;
	p->seen[0] = p->seen[1] = p->seen[2] = p->seen[3] = 0;
	while (wire_left(&bytes) > 0 && take(p, &bytes))
		;
	check_whole(p);
	if (!session->as4)
		merge_as4(p);
}

struct bgp_attrs *bgp_parse_set(struct bgp_parse *p, struct bgp_sets *sets, bool mp)
{
	struct bgp_attr hop;

	if (!mp)
		return bgp_set_intern(sets, &p->list);
	hop.value = p->reach.next_hop;
	hop.len = p->reach.next_hop_len;
	if (p->reach.family == BGP_IPV4) {
		hop.code = BGP_ATTR_NEXT_HOP;
		hop.flags = BGP_FLAG_TRANSITIVE;
	} else {
		bgp_list_drop(&p->list, BGP_ATTR_NEXT_HOP);
		hop.code = BGP_ATTR_MP_REACH;
		hop.flags = BGP_FLAG_OPTIONAL;
	}
	bgp_list_put(&p->list, hop);
	return bgp_set_intern(sets, &p->list);
}
