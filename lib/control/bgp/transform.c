/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A set as it is told: what may not leave the AS is taken out, our AS put in front, the policy's edit in
 * between. Peers of one class are told the same, so the result is kept with the set it was made of.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bgp/as_path.h"
#include "bgp/engine.h"

#define TRANSITIVE (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)

/* RFC 9234 5: who is told OTC with our AS in it. */
static bool adds_otc(const struct bgp_peer *peer)
{
	return peer->external &&
	    (peer->config.role == BGP_ROLE_PROVIDER || peer->config.role == BGP_ROLE_PEER ||
		peer->config.role == BGP_ROLE_RS);
}

uint32_t bgp_out_class_of(struct bgp_peer *peer)
{
	struct bgp_engine *e = peer->engine;
	struct bgp_out_class c;

	memset(&c, 0, sizeof(c));
	c.local_as = peer->config.local_as;
	c.remote_as = peer->config.replace_peer_as ? peer->config.remote_as : 0;
	c.external = peer->external;
	c.remove_private_as = peer->config.remove_private_as;
	c.replace_peer_as = peer->config.replace_peer_as;
	c.keep_next_hop = !peer->external && !peer->config.next_hop_self;
	c.add_otc = adds_otc(peer);
	for (uint32_t i = 1; i <= e->out_classes; i++)
		if (memcmp(&e->out_class[i], &c, sizeof(c)) == 0)
			return i;
	e->out_class = xrealloc(e->out_class, (e->out_classes + 2) * sizeof(c));
	e->out_class[++e->out_classes] = c;
	return e->out_classes;
}

/* Unknown attributes were not handled by us: Partial (RFC 4271 5). */
static void mark_partial(struct bgp_list *list)
{
	for (unsigned i = 0; i < list->count; i++)
		if (!bgp_attr_row(list->attr[i].code))
			list->attr[i].flags |= BGP_FLAG_PARTIAL;
}

static void drop_internal(struct bgp_list *list)
{
	for (unsigned i = list->count; i-- > 0;) {
		const struct bgp_attr_row *row = bgp_attr_row(list->attr[i].code);

		if (row && row->internal_only)
			bgp_list_drop(list, list->attr[i].code);
	}
}

#define EXT_NONTRANSITIVE 0x40 /* in the first octet of an item */

/* Extended communities that are for this AS alone (RFC 4360 6, 5701 2); `item`: octets of each. */
static void drop_nontransitive(struct bgp_list *list, uint8_t code, size_t item, uint8_t *room)
{
	struct bgp_attr *a = bgp_list_find(list, code);
	struct wirebuf b = wirebuf_of(room, BGP_SET_MAX);

	for (size_t at = 0; a && at < a->len; at += item)
		if (!(a->value[at] & EXT_NONTRANSITIVE))
			wirebuf_put(&b, a->value + at, item);
	if (!a || wirebuf_len(&b) == a->len)
		return;
	a->value = room;
	a->len = (uint16_t)wirebuf_len(&b);
	if (a->len == 0)
		bgp_list_drop(list, code);
}

static void drop_next_hop(struct bgp_list *list)
{
	bgp_list_drop(list, BGP_ATTR_NEXT_HOP);
	bgp_list_drop(list, BGP_ATTR_MP_REACH);
}

static void rewrite_path(
    struct bgp_list *list, const struct bgp_out_class *c, struct bgp_edit_room *room)
{
	struct bgp_attr *path = bgp_list_find(list, BGP_ATTR_AS_PATH);
	uint8_t *out;

	if (!path)
		return;
	if (c->remove_private_as && bgp_as_path_is_private(path->value, path->len))
		path->len = 0;
	if (!c->replace_peer_as)
		return;
	out = room->path[room->path_turn ^= 1];
	bgp_as_path_replace(path->value, path->len, c->remote_as, c->local_as, out);
	path->value = out;
}

static bool make_external(struct bgp_list *list, const struct bgp_out_class *c,
    const struct bgp_edit *edit, struct bgp_edit_room *room)
{
	drop_next_hop(list);
	if (edit && !bgp_list_edit(list, edit, room))
		return false;
	drop_internal(list);
	drop_nontransitive(list, BGP_ATTR_EXT_COMMUNITY, 8, room->ext[0]);
	drop_nontransitive(list, BGP_ATTR_IPV6_EXT_COMMUNITY, 20, room->ext[1]);
	rewrite_path(list, c, room);
	if (!bgp_list_prepend(list, c->local_as, 1, room))
		return false;
	if (c->add_otc && !bgp_list_find(list, BGP_ATTR_OTC))
		bgp_list_put_u32(list, BGP_ATTR_OTC, TRANSITIVE, c->local_as, room->otc);
	return true;
}

static bool make_internal(struct bgp_list *list, const struct bgp_out_class *c,
    const struct bgp_edit *edit, struct bgp_edit_room *room)
{
	if (!c->keep_next_hop)
		drop_next_hop(list);
	if (!bgp_list_find(list, BGP_ATTR_LOCAL_PREF))
		bgp_list_put_u32(list, BGP_ATTR_LOCAL_PREF, BGP_FLAG_TRANSITIVE, BGP_LOCAL_PREF,
		    room->local_pref);
	return !edit || bgp_list_edit(list, edit, room);
}

/* RFC 4456 8. */
static bool reflect(
    struct bgp_peer *peer, struct bgp_list *list, const struct bgp_view_route *route)
{
	struct bgp_edit_room *room = peer->engine->edit_room;
	const struct bgp_peer *source = bgp_peer_of(peer->engine, route->from);
	const struct bgp_attr *clusters = bgp_list_find(list, BGP_ATTR_CLUSTER_LIST);
	struct wirebuf b = wirebuf_of(room->cluster, sizeof(room->cluster));

	if (!bgp_list_find(list, BGP_ATTR_ORIGINATOR_ID))
		bgp_list_put_u32(list, BGP_ATTR_ORIGINATOR_ID, BGP_FLAG_OPTIONAL,
		    source ? source->router_id : 0, room->originator);
	clusters = bgp_list_find(list, BGP_ATTR_CLUSTER_LIST);
	wirebuf_u32(&b, bgp_cluster_id(peer->engine));
	if (clusters)
		wirebuf_put(&b, clusters->value, clusters->len);
	bgp_list_put(list,
	    (struct bgp_attr){BGP_ATTR_CLUSTER_LIST, BGP_FLAG_OPTIONAL, (uint16_t)wirebuf_len(&b),
		room->cluster});
	return wirebuf_ok(&b);
}

static void cache(
    struct bgp_engine *e, struct bgp_attrs *from, uint32_t key, struct bgp_attrs *made)
{
	if (made == from) /* a reference to itself would keep it for ever */
		return;
	if (from->out_id)
		bgp_set_unref(&e->sets, bgp_set_at(&e->sets, from->out_id));
	from->out_class = key;
	from->out_id = made->id;
	bgp_set_ref(made);
}

struct bgp_attrs *bgp_transform(struct bgp_peer *peer, struct bgp_attrs *attrs,
    const struct bgp_edit *edit, const struct bgp_view_route *route)
{
	struct bgp_engine *e = peer->engine;
	const struct bgp_out_class *c = &e->out_class[peer->out_class];
	bool local = route->source == BGP_SOURCE_LOCAL, ok;
	bool reflected = !c->external &&
	    (route->source == BGP_SOURCE_INTERNAL || route->source == BGP_SOURCE_CLIENT);
	uint32_t key = peer->out_class * 2 + local;
	struct bgp_attrs *made;
	struct bgp_list list;

	if (!edit && !reflected && attrs->out_id && attrs->out_class == key) {
		made = bgp_set_at(&e->sets, attrs->out_id);
		bgp_set_ref(made);
		return made;
	}
	bgp_list_of(attrs, &list);
	mark_partial(&list);
	if (c->external && !local) /* a neighbour's MED is for us alone (RFC 4271 5.1.4) */
		bgp_list_drop(&list, BGP_ATTR_MED);
	ok = c->external ? make_external(&list, c, edit, e->edit_room)
			 : make_internal(&list, c, edit, e->edit_room);
	if (!ok || (reflected && !reflect(peer, &list, route)))
		return NULL;
	made = bgp_set_intern(&e->sets, &list);
	if (made && !edit && !reflected)
		cache(e, attrs, key, made);
	return made;
}
