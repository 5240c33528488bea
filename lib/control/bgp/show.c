/* SPDX-License-Identifier: BSD-3-Clause */

/* What there is to see of peers and routes. */

#include <errno.h>

#include "bgp/engine.h"

static void fill_rib(const struct bgp_peer *peer, enum bgp_family family, struct bgp_peer_info *out)
{
	const struct bgp_adj_in *in = &peer->in[family];
	const struct bgp_adj_out *o = &peer->out[family];

	out->rib[family].received = in->count;
	out->rib[family].accepted = in->accepted;
	out->rib[family].stale = in->count - in->fresh;
	out->rib[family].announced = o->announced;
	/* A refresh that the peer asked for, and whose round has not begun, is all that it has. */
	out->rib[family].waiting = o->dirty + o->batch.items + (o->again_due ? o->announced : 0);
	out->rib[family].end_of_rib = in->end_of_rib;
}

static void fill_session(const struct bgp_session *s, struct bgp_peer_info *out)
{
	out->local = s->local;
	if (s->state < BGP_OPENCONFIRM)
		return;
	out->remote_id = s->theirs.id;
	out->hold_s = s->hold_s;
	out->keepalive_ms = (uint32_t)(s->keepalive_ns / DUR_MS(1));
	out->families = s->attrs.families;
	out->as4 = s->attrs.as4;
	out->refresh = s->ours.refresh && s->theirs.refresh;
	out->enhanced_refresh = s->enhanced_refresh;
	out->extended_messages = s->send_max > BGP_MESSAGE_MAX;
	out->graceful_restart = s->ours.graceful_restart && s->theirs.graceful_restart;
	out->notification_restart = out->graceful_restart && s->theirs.notification_restart;
	out->role = s->theirs.role;
}

static void fill(const struct bgp_peer *peer, struct bgp_peer_info *out)
{
	const struct bgp_session *a = &peer->session[0], *b = &peer->session[1];

	*out = (struct bgp_peer_info){
	    .peer = peer->id,
	    .config = &peer->config,
	    .state = bgp_peer_state(peer),
	    .wanted = peer->wanted,
	    .since = peer->since,
	    .end = peer->end,
	    .role = BGP_ROLE_NONE,
	    .counters = peer->counters,
	};
	if (timer_is_armed(&peer->idle_hold))
		out->retry = peer->idle_hold.due;
	fill_session(a->state >= b->state ? a : b, out);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		fill_rib(peer, f, out);
}

int bgp_peer_get(const struct bgp_engine *e, uint32_t id, struct bgp_peer_info *out)
{
	const struct bgp_peer *peer = bgp_peer_of(e, id);

	if (!peer)
		return -ENOENT;
	fill(peer, out);
	return 0;
}

void bgp_each_peer(
    const struct bgp_engine *e, void (*fn)(void *arg, const struct bgp_peer_info *info), void *arg)
{
	for (uint32_t i = 0; i < e->ids; i++) {
		struct bgp_peer_info info;

		fill(e->by_id[i], &info);
		fn(arg, &info);
	}
}

static bool learned_at(
    const struct bgp_peer *peer, enum bgp_family family, uint32_t route, struct bgp_route_info *out)
{
	const struct bgp_engine *e = peer->engine;
	const struct bgp_rib *rib = &e->rib[family];
	const struct bgp_route *r = bgp_route_at(rib, route);

	if (!bgp_route_lives(&peer->in[family], r))
		return false;
	out->prefix = bgp_net_prefix(&rib->nets, r->net);
	out->received = bgp_set_at(&e->sets, r->received);
	out->used = r->used ? bgp_set_at(&e->sets, r->used) : NULL;
	out->refused = r->used ? NULL : bgp_refusal_text(r->refusal);
	out->stale = r->generation != peer->in[family].generation;
	return true;
}

bool bgp_each_learned(const struct bgp_engine *e, uint32_t id, enum bgp_family family,
    uint32_t *cursor, unsigned max, void (*fn)(void *arg, const struct bgp_route_info *info),
    void *arg)
{
	const struct bgp_peer *peer = bgp_peer_of(e, id);
	const struct bgp_rib *rib = &e->rib[family];
	uint32_t net = *cursor ? *cursor : 1;
	struct bgp_route_info info;

	for (unsigned looked = 0; peer && net < bgp_nets_end(&rib->nets); net++, looked++) {
		uint32_t route;

		if (looked == max) {
			*cursor = net;
			return true;
		}
		route = bgp_net_at(&rib->nets, net)->refs ? bgp_net_at(&rib->nets, net)->routes : 0;
		for (; route; route = bgp_route_at(rib, route)->next)
			if (bgp_route_at(rib, route)->slot == peer->slot &&
			    learned_at(peer, family, route, &info))
				fn(arg, &info);
	}
	return false;
}

bool bgp_each_announced(const struct bgp_engine *e, uint32_t id, enum bgp_family family,
    uint32_t *cursor, unsigned max, void (*fn)(void *arg, const struct bgp_route_info *info),
    void *arg)
{
	const struct bgp_peer *peer = bgp_peer_of(e, id);
	const struct bgp_nets *nets = &e->rib[family].nets;
	uint32_t net = *cursor ? *cursor : 1;

	for (unsigned looked = 0; peer && net < bgp_nets_end(nets); net++, looked++) {
		struct bgp_route_info info = {0};
		uint32_t set;

		if (looked == max) {
			*cursor = net;
			return true;
		}
		set = bgp_out_sent(&peer->out[family], net);
		if (!set)
			continue;
		info.prefix = bgp_net_prefix(nets, net);
		info.received = info.used = bgp_set_at(&e->sets, set);
		fn(arg, &info);
	}
	return false;
}
