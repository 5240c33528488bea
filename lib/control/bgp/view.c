/* SPDX-License-Identifier: BSD-3-Clause */

/* Views: the routes of a table as they are to be announced. */

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bgp/engine.h"

static struct bgp_view *find(const struct bgp_engine *e, uint32_t id)
{
	struct bgp_view *v;

	list_for (v, &e->views, node)
		if (v->id == id)
			return v;
	return NULL;
}

struct bgp_view *bgp_view_of(struct bgp_engine *e, uint32_t id)
{
	struct bgp_view *v = id ? find(e, id) : NULL;

	if (v || !id)
		return v;
	v = xcalloc(1, sizeof(*v));
	v->id = id;
	list_init(&v->peers);
	list_append(&e->views, &v->node);
	return v;
}

static struct bgp_view_page **slot_of(struct bgp_view_table *t, uint32_t net)
{
	uint32_t page = net >> BGP_PAGE_SHIFT;

	if (page >= t->pages) {
		uint32_t room = t->pages ? t->pages : 1;

		while (room <= page)
			room *= 2;
		t->page = xrealloc(t->page, room * sizeof(t->page[0]));
		for (uint32_t i = t->pages; i < room; i++)
			t->page[i] = NULL;
		t->pages = room;
	}
	return &t->page[page];
}

static struct bgp_view_page *page_of(const struct bgp_view_table *t, uint32_t net)
{
	uint32_t page = net >> BGP_PAGE_SHIFT;

	return page < t->pages ? t->page[page] : NULL;
}

struct bgp_view_route bgp_view_get(
    const struct bgp_engine *e, const struct bgp_view *v, enum bgp_family family, uint32_t net)
{
	const struct bgp_view_page *p = v ? page_of(&v->table[family], net) : NULL;
	uint32_t at = net & (BGP_PAGE_NETS - 1);

	if (!p || !p->attrs[at])
		return (struct bgp_view_route){0};
	return (struct bgp_view_route){
	    bgp_set_at(&e->sets, p->attrs[at]), p->from[at], p->tag[at], p->source[at]};
}

static enum bgp_source source_of(const struct bgp_engine *e, uint32_t from)
{
	const struct bgp_peer *peer = from ? bgp_peer_of(e, from) : NULL;

	if (!peer)
		return BGP_SOURCE_LOCAL;
	if (peer->external)
		return BGP_SOURCE_EXTERNAL;
	return peer->config.reflect ? BGP_SOURCE_CLIENT : BGP_SOURCE_INTERNAL;
}

static void tell_peers(struct bgp_view *v, enum bgp_family family, uint32_t net)
{
	struct bgp_peer *peer;

	list_for (peer, &v->peers, view_node)
		bgp_out_dirty(peer, family, net, false);
}

static enum bgp_family family_of(const struct ip_prefix *prefix)
{
	return prefix->addr.family == IP_V4 ? BGP_IPV4 : BGP_IPV6;
}

void bgp_view_set(struct bgp_engine *e, uint32_t view, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t from, uint32_t tag)
{
	enum bgp_family family = family_of(prefix);
	struct bgp_nets *nets = &e->rib[family].nets;
	struct bgp_view *v = bgp_view_of(e, view);
	uint32_t net, at;
	struct bgp_view_page **slot, *p;

	if (!v)
		return;
	v->removed = false;
	net = bgp_net_get(nets, prefix->addr.bytes, prefix->len,
	    bgp_net_hash(nets, prefix->addr.bytes, prefix->len));
	at = net & (BGP_PAGE_NETS - 1);
	slot = slot_of(&v->table[family], net);
	if (!*slot)
		*slot = xcalloc(1, sizeof(**slot));
	p = *slot;
	if (p->attrs[at] == attrs->id && p->from[at] == from && p->tag[at] == tag) {
		bgp_net_unref(nets, net);
		return;
	}
	bgp_set_ref(bgp_set_at(&e->sets, attrs->id));
	if (p->attrs[at]) {
		bgp_set_unref(&e->sets, bgp_set_at(&e->sets, p->attrs[at]));
		bgp_net_unref(nets, net);
	} else {
		p->used++;
	}
	p->attrs[at] = attrs->id;
	p->from[at] = from;
	p->tag[at] = tag;
	p->source[at] = (uint8_t)source_of(e, from);
	tell_peers(v, family, net);
}

bool bgp_view_find(const struct bgp_engine *e, uint32_t view, const struct ip_prefix *prefix,
    uint32_t *tag, const struct bgp_attrs **attrs)
{
	enum bgp_family family = family_of(prefix);
	const struct bgp_nets *nets = &e->rib[family].nets;
	uint32_t net = bgp_net_find(nets, prefix->addr.bytes, prefix->len,
	    bgp_net_hash(nets, prefix->addr.bytes, prefix->len));
	const struct bgp_view_route r = bgp_view_get(e, net ? find(e, view) : NULL, family, net);

	if (!r.attrs)
		return false;
	*tag = r.tag;
	if (attrs)
		*attrs = r.attrs;
	return true;
}

bool bgp_view_find_changed(
    const struct bgp_engine *e, uint32_t view, const struct bgp_change *change, uint32_t *tag)
{
	enum bgp_family family = family_of(&change->prefix);
	const struct bgp_view_route r = bgp_net_is(&e->rib[family].nets, change)
	    ? bgp_view_get(e, find(e, view), family, change->net)
	    : (struct bgp_view_route){0};

	*tag = r.tag;
	return r.attrs;
}

/* Without telling peers. True: there was one. */
static bool clear(
    struct bgp_engine *e, struct bgp_view_table *t, struct bgp_nets *nets, uint32_t net)
{
	struct bgp_view_page *p = page_of(t, net);
	uint32_t at = net & (BGP_PAGE_NETS - 1);

	if (!p || !p->attrs[at])
		return false;
	bgp_set_unref(&e->sets, bgp_set_at(&e->sets, p->attrs[at]));
	p->attrs[at] = 0;
	if (--p->used == 0) {
		free(p);
		t->page[net >> BGP_PAGE_SHIFT] = NULL;
	}
	return true;
}

static void unset(struct bgp_engine *e, struct bgp_view *v, enum bgp_family family, uint32_t net)
{
	struct bgp_nets *nets = &e->rib[family].nets;

	if (!clear(e, &v->table[family], nets, net))
		return;
	tell_peers(v, family, net);
	bgp_net_unref(nets, net);
}

void bgp_view_unset(struct bgp_engine *e, uint32_t view, const struct ip_prefix *prefix)
{
	enum bgp_family family = family_of(prefix);
	struct bgp_view *v = find(e, view);
	const struct bgp_nets *nets = &e->rib[family].nets;
	uint32_t net = bgp_net_find(nets, prefix->addr.bytes, prefix->len,
	    bgp_net_hash(nets, prefix->addr.bytes, prefix->len));

	if (v && net)
		unset(e, v, family, net);
}

static void empty(struct bgp_engine *e, struct bgp_view *v)
{
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		struct bgp_view_table *t = &v->table[f];

		for (uint32_t page = 0; page < t->pages; page++)
			for (uint32_t i = 0; i < BGP_PAGE_NETS && t->page[page]; i++)
				unset(e, v, f, page << BGP_PAGE_SHIFT | i);
		free(t->page);
		*t = (struct bgp_view_table){0};
	}
}

static void free_view(struct bgp_view *v)
{
	list_remove(&v->node);
	free(v);
}

void bgp_view_join(struct bgp_peer *peer, struct bgp_view *v)
{
	struct bgp_view *old = peer->view;

	list_remove(&peer->view_node);
	peer->view = v;
	if (v)
		list_append(&v->peers, &peer->view_node);
	if (old && old->removed && list_is_empty(&old->peers))
		free_view(old);
}

/* Peers keep their place in it: they are told nothing until it is filled again. */
void bgp_view_remove(struct bgp_engine *e, uint32_t view)
{
	struct bgp_view *v = find(e, view);

	if (!v)
		return;
	empty(e, v);
	v->removed = true;
	if (list_is_empty(&v->peers))
		free_view(v);
}

void bgp_views_free(struct bgp_engine *e)
{
	struct bgp_view *v, *next;

	list_for_safe (v, next, &e->views, node) {
		empty(e, v);
		free_view(v);
	}
}
