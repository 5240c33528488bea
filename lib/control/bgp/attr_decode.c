/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reads the value of each attribute into the form in which it is kept. What is wrong is a subcode of
 * RFC 4271 6.3; what follows from it stands in the table.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/as_path.h"
#include "bgp/attr.h"
#include "bgp/nlri.h"

uint8_t bgp_decode_origin(struct bgp_parse *p, struct bgp_attr *a)
{
	if (a->len != 1)
		return BGP_UPD_LENGTH;
	return a->value[0] > BGP_ORIGIN_INCOMPLETE ? BGP_UPD_ORIGIN : 0;
}

uint8_t bgp_decode_as_path(struct bgp_parse *p, struct bgp_attr *a)
{
	uint8_t as_bytes = p->session->as4 ? 4 : 2;
	int len;

	if (!bgp_as_path_check(
		a->value, a->len, as_bytes, p->session->allow_sets ? BGP_PATH_SETS : 0))
		return BGP_UPD_AS_PATH;
	if (as_bytes == 4)
		return 0;
	len = bgp_as_path_widen(a->value, a->len, p->room->widened, sizeof(p->room->widened));
	if (len < 0)
		return BGP_UPD_AS_PATH;
	a->value = p->room->widened;
	a->len = (uint16_t)len;
	return 0;
}

/* Beside MP_REACH_NLRI alone it says nothing, and some send 0.0.0.0 (RFC 4760 3). */
uint8_t bgp_decode_next_hop(struct bgp_parse *p, struct bgp_attr *a)
{
	if (a->len != 4)
		return BGP_UPD_LENGTH;
	return !p->ipv4_nlri || bgp_next_hop_ok(BGP_IPV4, a->value) ? 0 : BGP_UPD_NEXT_HOP;
}

uint8_t bgp_decode_empty(struct bgp_parse *p, struct bgp_attr *a)
{
	return a->len == 0 ? 0 : BGP_UPD_LENGTH;
}

uint8_t bgp_decode_u32(struct bgp_parse *p, struct bgp_attr *a)
{
	return a->len == 4 ? 0 : BGP_UPD_LENGTH;
}

/* One or more items of that size. */
static uint8_t items(const struct bgp_attr *a, unsigned bytes)
{
	return a->len > 0 && a->len % bytes == 0 ? 0 : BGP_UPD_LENGTH;
}

uint8_t bgp_decode_u32s(struct bgp_parse *p, struct bgp_attr *a)
{
	return items(a, 4);
}

uint8_t bgp_decode_ext_community(struct bgp_parse *p, struct bgp_attr *a)
{
	return items(a, 8);
}

uint8_t bgp_decode_ipv6_ext_community(struct bgp_parse *p, struct bgp_attr *a)
{
	return items(a, 20);
}

#define LARGE_BYTES 12

static int compare_large(const void *a, const void *b)
{
	return memcmp(a, b, LARGE_BYTES);
}

/* Sorts, and drops what is there twice; returns the length that is left. */
static size_t sort_large(uint8_t *large, size_t len)
{
	size_t kept = LARGE_BYTES;

	qsort(large, len / LARGE_BYTES, LARGE_BYTES, compare_large);
	for (size_t at = LARGE_BYTES; at < len; at += LARGE_BYTES) {
		if (compare_large(large + at, large + kept - LARGE_BYTES) == 0)
			continue;
		memmove(large + kept, large + at, LARGE_BYTES);
		kept += LARGE_BYTES;
	}
	return kept;
}

/* Each of the sorted ones where it comes first in `all`. */
static void keep_first(const struct bgp_attr *all, const uint8_t *sorted, size_t len, uint8_t *out)
{
	struct wirebuf b = wirebuf_of(out, len);
	bool seen[BGP_SET_MAX / LARGE_BYTES] = {false};

	for (size_t at = 0; at < all->len; at += LARGE_BYTES) {
		const uint8_t *found =
		    bsearch(all->value + at, sorted, len / LARGE_BYTES, LARGE_BYTES, compare_large);
		size_t i = (size_t)(found - sorted) / LARGE_BYTES;

		if (!seen[i])
			wirebuf_put(&b, found, LARGE_BYTES);
		seen[i] = true;
	}
}

/* What is said twice is kept, and told, once (RFC 8092 3). A message may hold thousands. */
uint8_t bgp_decode_large_community(struct bgp_parse *p, struct bgp_attr *a)
{
	uint8_t *sorted = p->room->large_sorted;
	size_t kept;

	if (items(a, LARGE_BYTES) != 0)
		return BGP_UPD_LENGTH;
	memcpy(sorted, a->value, a->len);
	kept = sort_large(sorted, a->len);
	if (kept == a->len)
		return 0;
	keep_first(a, sorted, kept, p->room->large);
	a->value = p->room->large;
	a->len = (uint16_t)kept;
	return 0;
}

uint8_t bgp_decode_aggregator(struct bgp_parse *p, struct bgp_attr *a)
{
	struct wire w = wire_of(a->value, a->len);
	uint32_t as = p->session->as4 ? wire_u32(&w) : wire_u16(&w);
	struct wirebuf b = wirebuf_of(p->room->aggregator, sizeof(p->room->aggregator));

	wirebuf_u32(&b, as);
	wirebuf_u32(&b, wire_u32(&w));
	if (!wire_done(&w))
		return BGP_UPD_LENGTH;
	if (as == 0) /* RFC 7607 */
		return BGP_UPD_OPTIONAL;
	a->value = p->room->aggregator;
	a->len = 8;
	return 0;
}

/* Only speakers of 2-octet AS numbers may pass these on (RFC 6793 4.1); merged at the end. */
uint8_t bgp_decode_as4_path(struct bgp_parse *p, struct bgp_attr *a)
{
	unsigned sets = p->session->allow_sets ? BGP_PATH_SETS : 0;

	p->keep = false;
	if (p->session->as4)
		return 0;
	if (!bgp_as_path_check(a->value, a->len, 4, BGP_PATH_SETS | BGP_PATH_CONFED))
		return BGP_UPD_AS_PATH;
	/* A set in it is as bad as in AS_PATH (RFC 9774 3). */
	if (!bgp_as_path_check(a->value, a->len, 4, BGP_PATH_CONFED | sets)) {
		if (p->class < BGP_CLASS_WITHDRAW)
			p->class = BGP_CLASS_WITHDRAW;
		return BGP_UPD_AS_PATH;
	}
	p->as4_path = *a;
	/* Of a confederation it must not tell: those segments alone go (RFC 6793 6), in the merge. */
	return bgp_as_path_check(a->value, a->len, 4, sets) ? 0 : BGP_UPD_AS_PATH;
}

uint8_t bgp_decode_as4_aggregator(struct bgp_parse *p, struct bgp_attr *a)
{
	struct wire w = wire_of(a->value, a->len);

	p->keep = false;
	if (p->session->as4)
		return 0;
	if (a->len != 8)
		return BGP_UPD_LENGTH;
	if (wire_u32(&w) == 0)
		return BGP_UPD_OPTIONAL;
	p->as4_aggregator = *a;
	return 0;
}

static int negotiated(const struct bgp_parse *p, uint16_t afi, uint8_t safi)
{
	int family = bgp_family_of(afi, safi);

	return family >= 0 && p->session->families & BGP_FAMILY_BIT(family) ? family : -1;
}

/* The next hop comes before the NLRI: when its length is wrong, the NLRI cannot be found. */
static bool next_hop_len_ok(int family, uint8_t len)
{
	return family == BGP_IPV4 ? len == 4 : len == 16 || len == 32;
}

uint8_t bgp_decode_mp_reach(struct bgp_parse *p, struct bgp_attr *a)
{
	struct wire w = wire_of(a->value, a->len);
	uint16_t afi = wire_u16(&w);
	uint8_t safi = wire_u8(&w);
	struct bgp_mp *mp = &p->reach;

	p->keep = false;
	mp->present = true;
	mp->family = negotiated(p, afi, safi);
	mp->next_hop_len = wire_u8(&w);
	mp->next_hop = wire_bytes(&w, mp->next_hop_len);
	wire_u8(&w); /* reserved */
	if (!wire_ok(&w))
		return BGP_UPD_OPTIONAL;
	mp->nlri = w;
	if (mp->family < 0)
		return 0;
	if (!next_hop_len_ok(mp->family, mp->next_hop_len) || !bgp_nlri_ok(mp->family, w))
		return BGP_UPD_OPTIONAL;
	return 0;
}

uint8_t bgp_decode_mp_unreach(struct bgp_parse *p, struct bgp_attr *a)
{
	struct wire w = wire_of(a->value, a->len);
	uint16_t afi = wire_u16(&w);
	uint8_t safi = wire_u8(&w);

	p->keep = false;
	p->unreach.present = true;
	p->unreach.family = negotiated(p, afi, safi);
	p->unreach.nlri = w;
	if (!wire_ok(&w))
		return BGP_UPD_OPTIONAL;
	if (p->unreach.family >= 0 && !bgp_nlri_ok(p->unreach.family, w))
		return BGP_UPD_OPTIONAL;
	return 0;
}
