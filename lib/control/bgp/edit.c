/* SPDX-License-Identifier: BSD-3-Clause */

#include "bgp/edit.h"

#include <string.h>

#include "base/wire.h"
#include "bgp/as_path.h"

#define TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)

void bgp_list_put_u32(
    struct bgp_list *list, uint8_t code, uint8_t flags, uint32_t number, uint8_t value[4])
{
	struct wirebuf b = wirebuf_of(value, 4);

	wirebuf_u32(&b, number);
	bgp_list_put(list, (struct bgp_attr){code, flags, 4, value});
}

bool bgp_list_prepend(
    struct bgp_list *list, uint32_t as, unsigned times, struct bgp_edit_room *room)
{
	uint8_t *out = room->path[room->path_turn ^= 1];
	struct bgp_attr *path = bgp_list_find(list, BGP_ATTR_AS_PATH);
	int len = bgp_as_path_prepend(
	    path ? path->value : NULL, path ? path->len : 0, as, times, out, BGP_SET_MAX);

	if (len < 0)
		return false;
	bgp_list_put(
	    list, (struct bgp_attr){BGP_ATTR_AS_PATH, BGP_FLAG_TRANSITIVE, (uint16_t)len, out});
	return true;
}

static bool is_removed(const struct bgp_edit *e, uint32_t community)
{
	for (unsigned i = 0; i < e->remove_count; i++)
		if (e->remove[i] == community)
			return true;
	return e->remove_communities;
}

static bool has_u32(const struct wirebuf *b, uint32_t number)
{
	struct wire w = wire_of(b->start, wirebuf_len(b));

	while (wire_left(&w) > 0)
		if (wire_u32(&w) == number)
			return true;
	return false;
}

/* The attribute with what was written, the Partial bit as it was; dropped when nothing is left. */
static void put_items(struct bgp_list *list, uint8_t code, const struct wirebuf *b)
{
	const struct bgp_attr *old = bgp_list_find(list, code);
	uint8_t flags = old ? old->flags : TRANSITIVE;

	if (wirebuf_len(b) == 0)
		bgp_list_drop(list, code);
	else
		bgp_list_put(
		    list, (struct bgp_attr){code, flags, (uint16_t)wirebuf_len(b), b->start});
}

static bool edit_communities(
    struct bgp_list *list, const struct bgp_edit *e, struct bgp_edit_room *room)
{
	struct wirebuf b = wirebuf_of(room->community, sizeof(room->community));
	const struct bgp_attr *old = bgp_list_find(list, BGP_ATTR_COMMUNITY);
	struct wire w = wire_of(old ? old->value : NULL, old ? old->len : 0);

	while (wire_left(&w) > 0) {
		uint32_t c = wire_u32(&w);

		if (!is_removed(e, c))
			wirebuf_u32(&b, c);
	}
	for (unsigned i = 0; i < e->community_count; i++)
		if (!has_u32(&b, e->community[i]))
			wirebuf_u32(&b, e->community[i]);
	put_items(list, BGP_ATTR_COMMUNITY, &b);
	return wirebuf_ok(&b);
}

static bool has_large(const struct wirebuf *b, const uint32_t c[3])
{
	struct wire w = wire_of(b->start, wirebuf_len(b));

	while (wire_left(&w) > 0) {
		uint32_t global = wire_u32(&w), first = wire_u32(&w), second = wire_u32(&w);

		if (global == c[0] && first == c[1] && second == c[2])
			return true;
	}
	return false;
}

static bool add_large(struct bgp_list *list, const struct bgp_edit *e, struct bgp_edit_room *room)
{
	struct wirebuf b = wirebuf_of(room->large, sizeof(room->large));
	const struct bgp_attr *old = bgp_list_find(list, BGP_ATTR_LARGE_COMMUNITY);

	if (old)
		wirebuf_put(&b, old->value, old->len);
	for (unsigned i = 0; i < e->large_count; i++) {
		if (has_large(&b, e->large[i]))
			continue;
		for (unsigned k = 0; k < 3; k++)
			wirebuf_u32(&b, e->large[i][k]);
	}
	put_items(list, BGP_ATTR_LARGE_COMMUNITY, &b);
	return wirebuf_ok(&b);
}

static void set_next_hop(
    struct bgp_list *list, const struct ip_addr *addr, struct bgp_edit_room *room)
{
	struct bgp_attr hop = {BGP_ATTR_NEXT_HOP, BGP_FLAG_TRANSITIVE,
	    (uint16_t)ip_bytes(addr->family), room->next_hop};

	memcpy(room->next_hop, addr->bytes, hop.len);
	bgp_list_drop(list, BGP_ATTR_NEXT_HOP);
	bgp_list_drop(list, BGP_ATTR_MP_REACH);
	if (addr->family == IP_V6) {
		hop.code = BGP_ATTR_MP_REACH;
		hop.flags = BGP_FLAG_OPTIONAL;
	}
	bgp_list_put(list, hop);
}

bool bgp_list_edit(struct bgp_list *list, const struct bgp_edit *e, struct bgp_edit_room *room)
{
	if (e->set_origin) {
		room->origin = e->origin;
		bgp_list_put(list,
		    (struct bgp_attr){BGP_ATTR_ORIGIN, BGP_FLAG_TRANSITIVE, 1, &room->origin});
	}
	if (e->remove_med)
		bgp_list_drop(list, BGP_ATTR_MED);
	if (e->set_med)
		bgp_list_put_u32(list, BGP_ATTR_MED, BGP_FLAG_OPTIONAL, e->med, room->med);
	if (e->set_local_pref)
		bgp_list_put_u32(list, BGP_ATTR_LOCAL_PREF, BGP_FLAG_TRANSITIVE, e->local_pref,
		    room->local_pref);
	if (ip_is_set(&e->next_hop))
		set_next_hop(list, &e->next_hop, room);
	if (e->prepend_count && !bgp_list_prepend(list, e->prepend_as, e->prepend_count, room))
		return false;
	for (unsigned i = e->path_count; i-- > 0;)
		if (!bgp_list_prepend(list, e->path[i], 1, room))
			return false;
	if ((e->remove_communities || e->remove_count || e->community_count) &&
	    !edit_communities(list, e, room))
		return false;
	return !e->large_count || add_large(list, e, room);
}
