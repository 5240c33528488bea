/* SPDX-License-Identifier: BSD-3-Clause */

/* What the model asks: which prefixes changed, which paths there are. */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bgp/engine.h"

#define RING_MIN 1024

static void grow(struct bgp_rib *rib)
{
	uint32_t room = rib->changed_room ? 2 * rib->changed_room : RING_MIN,
		 old = rib->changed_room;
	uint32_t wrapped = rib->changed_first + rib->changed_count > old
	    ? rib->changed_first + rib->changed_count - old
	    : 0;

	rib->changed = xrealloc(rib->changed, room * sizeof(rib->changed[0]));
	if (wrapped)
		memcpy(rib->changed + old, rib->changed, wrapped * sizeof(rib->changed[0]));
	rib->changed_room = room;
}

void bgp_net_changed(struct bgp_rib *rib, uint32_t net)
{
	struct bgp_net *n = bgp_net_at(&rib->nets, net);

	if (n->flags & BGP_NET_CHANGED)
		return;
	n->flags |= BGP_NET_CHANGED;
	n->refs++;
	if (rib->changed_count == rib->changed_room)
		grow(rib);
	rib->changed[(rib->changed_first + rib->changed_count++) & (rib->changed_room - 1)] = net;
}

static size_t take(struct bgp_rib *rib, struct bgp_change *out, size_t max)
{
	size_t n = 0;

	for (; n < max && rib->changed_count > 0; n++) {
		uint32_t net = rib->changed[rib->changed_first];

		rib->changed_first = (rib->changed_first + 1) & (rib->changed_room - 1);
		rib->changed_count--;
		bgp_net_at(&rib->nets, net)->flags &= (uint8_t)~BGP_NET_CHANGED;
		out[n].prefix = bgp_net_prefix(&rib->nets, net);
		out[n].net = net;
		bgp_net_unref(&rib->nets, net);
	}
	if (rib->changed_count == 0 && rib->changed_room > RING_MIN) {
		free(rib->changed);
		rib->changed = NULL;
		rib->changed_room = rib->changed_first = 0;
	}
	return n;
}

size_t bgp_changes(struct bgp_engine *e, struct bgp_change *out, size_t max)
{
	size_t n = 0;

	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		n += take(&e->rib[f], out + n, max - n);
	return n;
}

size_t bgp_changes_waiting(const struct bgp_engine *e)
{
	size_t n = 0;

	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		n += e->rib[f].changed_count;
	return n;
}

static void fill(const struct bgp_engine *e, const struct bgp_peer *peer,
    const struct bgp_adj_in *in, const struct bgp_route *r, struct bgp_path *out)
{
	*out = (struct bgp_path){
	    .attrs = bgp_set_at(&e->sets, r->used),
	    .peer = peer->id,
	    .router_id = peer->router_id,
	    .learned_s = r->learned_s,
	    .addr = peer->config.transport.remote,
	    .external = peer->external,
	    .stale = r->generation != in->generation,
	};
}

static enum bgp_family family_of(const struct ip_prefix *prefix)
{
	return prefix->addr.family == IP_V4 ? BGP_IPV4 : BGP_IPV6;
}

static unsigned paths_at(const struct bgp_engine *e, enum bgp_family family, uint32_t net,
    struct bgp_path *out, unsigned max)
{
	const struct bgp_rib *rib = &e->rib[family];
	uint32_t route = net ? bgp_net_at(&rib->nets, net)->routes : 0;
	unsigned n = 0;

	while (route) {
		const struct bgp_route *r = bgp_route_at(rib, route);
		const struct bgp_peer *peer = e->by_slot[r->slot];
		const struct bgp_adj_in *in = &peer->in[family];

		route = r->next;
		if (!r->used || peer->unreachable || !bgp_route_lives(in, r))
			continue;
		if (n < max)
			fill(e, peer, in, r, &out[n]);
		n++;
	}
	return n;
}

unsigned bgp_paths(
    const struct bgp_engine *e, const struct ip_prefix *prefix, struct bgp_path *out, unsigned max)
{
	enum bgp_family family = family_of(prefix);
	const struct bgp_nets *nets = &e->rib[family].nets;
	uint32_t hash = bgp_net_hash(nets, prefix->addr.bytes, prefix->len);

	return paths_at(
	    e, family, bgp_net_find(nets, prefix->addr.bytes, prefix->len, hash), out, max);
}

/* The place may have been given to another prefix meanwhile, or to none. */
bool bgp_net_is(const struct bgp_nets *nets, const struct bgp_change *change)
{
	const struct bgp_net *n;

	if (change->net == 0 || change->net >= bgp_nets_end(nets))
		return false;
	n = bgp_net_at(nets, change->net);
	return n->refs > 0 && n->len == change->prefix.len &&
	    memcmp(n->key, change->prefix.addr.bytes, nets->key_bytes) == 0;
}

unsigned bgp_paths_changed(
    const struct bgp_engine *e, const struct bgp_change *change, struct bgp_path *out, unsigned max)
{
	enum bgp_family family = family_of(&change->prefix);
	const struct bgp_nets *nets = &e->rib[family].nets;

	if (!bgp_net_is(nets, change))
		return bgp_paths(e, &change->prefix, out, max);
	return paths_at(e, family, change->net, out, max);
}

size_t bgp_walk(const struct bgp_engine *e, uint64_t *cursor, struct bgp_change *out, size_t max)
{
	unsigned family = (unsigned)(*cursor >> 32);
	uint32_t net = (uint32_t)*cursor;
	size_t n = 0;

	while (family < BGP_FAMILY_COUNT && n < max) {
		const struct bgp_nets *nets = &e->rib[family].nets;

		if (++net >= bgp_nets_end(nets)) {
			family++;
			net = 0;
			continue;
		}
		if (bgp_net_at(nets, net)->refs == 0)
			continue;
		out[n].prefix = bgp_net_prefix(nets, net);
		out[n++].net = net;
	}
	*cursor = (uint64_t)family << 32 | net;
	return n;
}
