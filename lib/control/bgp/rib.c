/* SPDX-License-Identifier: BSD-3-Clause */

#include "bgp/rib.h"

#include <stdlib.h>

#include "base/mem.h"
#include "bgp/engine.h"

#define NS_PER_S        DUR_S(1)
#define GENERATIONS_MAX 250 /* in one list at a time, of 256 */

void bgp_rib_init(struct bgp_rib *rib, enum bgp_family family, uint64_t hash_key)
{
	*rib = (struct bgp_rib){0};
	bgp_nets_init(&rib->nets, family, hash_key);
	bgp_slab_init(&rib->routes, sizeof(struct bgp_route));
}

void bgp_rib_fini(struct bgp_rib *rib)
{
	bgp_nets_fini(&rib->nets);
	bgp_slab_fini(&rib->routes);
	free(rib->changed);
}

void bgp_adj_in_init(struct bgp_adj_in *in, struct bgp_peer *peer)
{
	*in = (struct bgp_adj_in){.peer = peer};
}

static struct bgp_rib *rib_of(const struct bgp_peer *peer, enum bgp_family family)
{
	return &peer->engine->rib[family];
}

/* Adds or takes away what a route contributes to the counts of its peer. */
static void account(struct bgp_adj_in *in, const struct bgp_route *r, uint32_t by)
{
	if (!bgp_route_lives(in, r))
		return;
	in->count += by;
	in->accepted += r->used ? by : 0;
	if (r->generation != in->generation)
		return;
	in->fresh += by;
	in->fresh_accepted += r->used ? by : 0;
}

#define ONE_MORE UINT32_C(1)
#define ONE_LESS UINT32_MAX

static void peer_unlink(struct bgp_rib *rib, struct bgp_adj_in *in, uint32_t route)
{
	struct bgp_route *r = bgp_route_at(rib, route);

	if (in->reimport == route)
		in->reimport = r->peer_next;
	if (r->peer_prev)
		bgp_route_at(rib, r->peer_prev)->peer_next = r->peer_next;
	else
		in->first = r->peer_next;
	if (r->peer_next)
		bgp_route_at(rib, r->peer_next)->peer_prev = r->peer_prev;
	else
		in->last = r->peer_prev;
}

static void peer_append(struct bgp_rib *rib, struct bgp_adj_in *in, uint32_t route)
{
	struct bgp_route *r = bgp_route_at(rib, route);

	r->peer_prev = in->last;
	r->peer_next = 0;
	if (in->last)
		bgp_route_at(rib, in->last)->peer_next = route;
	else
		in->first = route;
	in->last = route;
}

static uint32_t route_find(const struct bgp_rib *rib, uint32_t net, uint16_t slot)
{
	uint32_t route = bgp_net_at(&rib->nets, net)->routes;

	while (route && bgp_route_at(rib, route)->slot != slot)
		route = bgp_route_at(rib, route)->next;
	return route;
}

/* Takes over the reference to the prefix. */
static uint32_t route_add(struct bgp_peer *peer, struct bgp_rib *rib, uint32_t net)
{
	uint32_t route = bgp_slab_take(&rib->routes);
	struct bgp_net *n = bgp_net_at(&rib->nets, net);

	*(struct bgp_route *)bgp_route_at(rib, route) =
	    (struct bgp_route){.net = net, .next = n->routes, .slot = peer->slot};
	n->routes = route;
	return route;
}

static void unref_set(struct bgp_peer *peer, uint32_t set)
{
	if (set)
		bgp_set_unref(&peer->engine->sets, bgp_set_at(&peer->engine->sets, set));
}

static void route_remove(struct bgp_peer *peer, enum bgp_family family, uint32_t route)
{
	struct bgp_rib *rib = rib_of(peer, family);
	struct bgp_route *r = bgp_route_at(rib, route);
	uint32_t net = r->net, *at = &bgp_net_at(&rib->nets, net)->routes;

	account(&peer->in[family], r, ONE_LESS);
	peer_unlink(rib, &peer->in[family], route);
	while (*at != route)
		at = &bgp_route_at(rib, *at)->next;
	*at = r->next;
	if (r->used)
		bgp_net_changed(rib, net);
	unref_set(peer, r->received);
	unref_set(peer, r->used);
	bgp_slab_give(&rib->routes, route);
	bgp_net_unref(&rib->nets, net);
}

/*
 * Runs import, and tells when that makes a difference. Of a route that was dead, and not swept yet, nobody may know that it
 * was (`lived` is false): it is a change, whatever becomes of it.
 */
static void route_import(struct bgp_peer *peer, enum bgp_family family, struct bgp_route *r,
    const struct bgp_import *import, bool lived)
{
	uint32_t before = r->used;
	struct bgp_attrs *used = bgp_import_one(peer, family, r->net, import, &r->refusal);

	unref_set(peer, r->used);
	r->used = used ? used->id : 0;
	if (r->used != before || (!lived && r->used))
		bgp_net_changed(rib_of(peer, family), r->net);
}

/* Three misses one behind the other, for each prefix; for many of them, at the same time. */
void bgp_route_prefetch(
    const struct bgp_rib *rib, const struct bgp_nlri *nlri, unsigned count, uint32_t *hash)
{
	const struct bgp_nets *nets = &rib->nets;

	for (unsigned i = 0; i < count; i++) {
		hash[i] = bgp_net_hash(nets, nlri[i].key, nlri[i].len);
		bgp_net_prefetch_bucket(nets, hash[i]);
	}
	for (unsigned i = 0; i < count; i++)
		bgp_net_prefetch_first(nets, hash[i]);
	for (unsigned i = 0; i < count; i++) {
		uint32_t net = bgp_net_guess(nets, hash[i]);
		uint32_t route = net ? bgp_net_at(nets, net)->routes : 0;

		if (route)
			__builtin_prefetch(bgp_route_at(rib, route));
	}
}

void bgp_route_announce(struct bgp_peer *peer, enum bgp_family family, const struct bgp_nlri *nlri,
    uint32_t hash, const struct bgp_import *import)
{
	struct bgp_rib *rib = rib_of(peer, family);
	struct bgp_adj_in *in = &peer->in[family];
	uint32_t net = bgp_net_get(&rib->nets, nlri->key, nlri->len, hash);
	uint32_t route = route_find(rib, net, peer->slot);
	struct bgp_route *r;
	bool lived = false;

	if (route) {
		bgp_net_unref(&rib->nets, net);
		r = bgp_route_at(rib, route);
		lived = bgp_route_lives(in, r);
		account(in, r, ONE_LESS);
		peer_unlink(rib, in, route);
	} else {
		route = route_add(peer, rib, net);
		r = bgp_route_at(rib, route);
	}
	peer_append(rib, in, route);
	r->generation = in->generation;
	if (r->received != import->received->id || !lived) {
		bgp_set_ref(import->received);
		unref_set(peer, r->received);
		r->received = import->received->id;
		r->learned_s = (uint32_t)(peer->engine->now.ns / NS_PER_S);
		route_import(peer, family, r, import, lived);
	}
	account(in, r, ONE_MORE);
}

void bgp_route_withdraw(
    struct bgp_peer *peer, enum bgp_family family, const struct bgp_nlri *nlri, uint32_t hash)
{
	struct bgp_rib *rib = rib_of(peer, family);
	uint32_t net = bgp_net_find(&rib->nets, nlri->key, nlri->len, hash);
	uint32_t route = net ? route_find(rib, net, peer->slot) : 0;

	if (route)
		route_remove(peer, family, route);
}

static void want_sweep(struct bgp_peer *peer, struct bgp_adj_in *in)
{
	if (!in->first)
		return;
	in->sweeping = true;
	bgp_ready(peer);
}

static uint8_t generations(const struct bgp_adj_in *in, uint8_t since)
{
	return (uint8_t)(in->generation - since);
}

/* Generations are told apart modulo 256: what is dead for so long, and not swept yet, goes now. */
static void next_generation(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_in *in = &peer->in[family];
	const struct bgp_rib *rib = rib_of(peer, family);

	while (in->first &&
	    generations(in, bgp_route_at(rib, in->first)->generation) >= GENERATIONS_MAX)
		route_remove(peer, family, in->first);
	in->generation++;
	in->fresh = in->fresh_accepted = 0;
}

void bgp_adj_in_age(struct bgp_peer *peer, enum bgp_family family, bool keep_stale)
{
	const struct bgp_adj_in *in = &peer->in[family];

	if (!keep_stale)
		bgp_adj_in_expire(peer, family);
	else if (in->fresh == 0 || generations(in, in->oldest_live) == GENERATIONS_MAX)
		return; /* all are stale; or the peer has begun so often that they stay fresh */
	next_generation(peer, family);
}

void bgp_adj_in_expire(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_in *in = &peer->in[family];

	in->oldest_live = in->generation;
	in->count = in->fresh;
	in->accepted = in->fresh_accepted;
	want_sweep(peer, in);
}

void bgp_adj_in_drop(struct bgp_peer *peer, enum bgp_family family)
{
	next_generation(peer, family);
	bgp_adj_in_expire(peer, family);
	peer->in[family].reimport = 0;
	peer->in[family].touch = false;
}

void bgp_adj_in_reimport(struct bgp_peer *peer, enum bgp_family family)
{
	peer->in[family].reimport = peer->in[family].first;
	if (peer->in[family].first)
		bgp_ready(peer);
}

void bgp_adj_in_touch(struct bgp_peer *peer, enum bgp_family family)
{
	bgp_adj_in_reimport(peer, family);
	peer->in[family].touch = peer->in[family].reimport;
}

static void sweep(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	const struct bgp_rib *rib = rib_of(peer, family);
	struct bgp_adj_in *in = &peer->in[family];

	while (in->first && !bgp_route_lives(in, bgp_route_at(rib, in->first))) {
		if (*budget == 0)
			return;
		--*budget;
		route_remove(peer, family, in->first);
	}
	in->sweeping = false;
}

static void reimport(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_rib *rib = rib_of(peer, family);
	struct bgp_adj_in *in = &peer->in[family];

	while (in->reimport && *budget > 0) {
		struct bgp_route *r = bgp_route_at(rib, in->reimport);
		struct bgp_import import;

		--*budget;
		in->reimport = r->peer_next;
		if (!bgp_route_lives(in, r))
			continue;
		import =
		    bgp_import_begin(peer, family, bgp_set_at(&peer->engine->sets, r->received));
		account(in, r, ONE_LESS);
		route_import(peer, family, r, &import, true);
		account(in, r, ONE_MORE);
		bgp_import_end(peer, &import);
		if (in->touch)
			bgp_net_changed(rib, r->net);
	}
	in->touch &= in->reimport != 0;
}

bool bgp_adj_in_work(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_adj_in *in = &peer->in[family];

	if (in->sweeping)
		sweep(peer, family, budget);
	if (in->reimport)
		reimport(peer, family, budget);
	return in->sweeping || in->reimport;
}
