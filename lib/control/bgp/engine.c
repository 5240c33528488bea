/* SPDX-License-Identifier: BSD-3-Clause */

/* The engine as a whole: its life, its time, and who gets how much of a slice. */

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bgp/engine.h"

#define TIMERS_PER_RUN 256
#define PEER_SHARE     1024 /* of a slice, at a time */

struct bgp_engine *bgp_create(const struct bgp_ops *ops, void *ctx, struct rng *rng,
    const struct bgp_config *config, struct mono now)
{
	struct bgp_engine *e;

	if (config->router_id == 0 || config->restart_s > 4095 ||
	    config->peers_max > BGP_PEERS_LIMIT) {
		errno = EINVAL;
		return NULL;
	}
	e = xcalloc(1, sizeof(*e));
	e->ops = ops;
	e->ctx = ctx;
	e->rng = rng;
	e->config = *config;
	e->now = now;
	if (e->config.slice == 0)
		e->config.slice = BGP_SLICE;
	if (e->config.slice < PEER_SHARE)
		e->config.slice = PEER_SHARE;
	if (e->config.peers_max == 0)
		e->config.peers_max = BGP_PEERS_MAX;
	timers_init(&e->timers);
	bgp_sets_init(&e->sets, rng_u64(rng));
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_rib_init(&e->rib[f], f, rng_u64(rng));
	list_init(&e->peers);
	list_init(&e->ready);
	list_init(&e->views);
	list_init(&e->graves);
	e->attr_room = xmalloc(sizeof(*e->attr_room));
	e->edit_room = xcalloc(1, sizeof(*e->edit_room));
	e->message = xmalloc(BGP_CHUNK_ROOM);
	e->block = xmalloc(BGP_MESSAGE_EXT_MAX);
	bgp_graceful_begin(e);
	return e;
}

static void abandon(struct bgp_peer *peer)
{
	peer->up = NULL;
	bgp_view_join(peer, NULL);
	for (int i = 0; i < 2; i++) {
		bgp_conn_close(&peer->session[i]);
		bgp_stream_clear(&peer->session[i]);
	}
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_adj_out_clear(peer, f);
}

void bgp_destroy(struct bgp_engine *e)
{
	struct bgp_peer *peer, *next;
	uint32_t all = UINT32_MAX;

	if (!e)
		return;
	list_for (peer, &e->peers, node)
		abandon(peer);
	bgp_graves_work(e, &all);
	bgp_views_free(e);
	timers_fini(&e->timers); /* they are the peers' */
	list_for_safe (peer, next, &e->peers, node)
		bgp_peer_free(peer);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_rib_fini(&e->rib[f]);
	bgp_sets_fini(&e->sets);
	free(e->by_slot);
	free(e->by_id);
	free(e->out_class);
	free(e->attr_room);
	free(e->edit_room);
	free(e->message);
	free(e->block);
	free(e);
}

int64_t bgp_jitter(struct bgp_engine *e, int64_t duration_ns)
{
	uint32_t quarter_ms = (uint32_t)(duration_ns / 4 / DUR_MS(1));

	return duration_ns - DUR_MS(1) * rng_below(e->rng, quarter_ms + 1);
}

void bgp_ready(struct bgp_peer *peer)
{
	if (list_is_empty(&peer->ready_node))
		list_append(&peer->engine->ready, &peer->ready_node);
}

bool bgp_next(const struct bgp_engine *e, struct mono *due)
{
	if (!list_is_empty(&e->ready) || !list_is_empty(&e->graves)) {
		*due = e->now;
		return true;
	}
	return timers_next(&e->timers, due);
}

/* True: more is waiting. A removed peer goes when its last route has gone. */
static bool work(struct bgp_peer *peer, uint32_t *budget)
{
	bool more = false;

	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		more |= bgp_adj_in_work(peer, f, budget);
		more |= bgp_out_work(peer, f, budget);
	}
	if (peer->removed && !more) {
		bgp_peer_free(peer);
		return false;
	}
	return more;
}

bool bgp_run(struct bgp_engine *e, struct mono now)
{
	uint32_t budget = e->config.slice;
	struct mono due;

	e->now = now;
	timers_run(&e->timers, now, TIMERS_PER_RUN);
	bgp_graves_work(e, &budget);
	while (budget >= BGP_PAGE_NETS && !list_is_empty(&e->ready)) {
		struct bgp_peer *peer = list_entry(e->ready.next, struct bgp_peer, ready_node);
		uint32_t share = budget < PEER_SHARE ? budget : PEER_SHARE, left = share;

		list_remove(&peer->ready_node);
		if (work(peer, &left))
			bgp_ready(peer);
		budget -= share > left ? share - left : 1;
	}
	return bgp_next(e, &due) && !mono_before(now, due);
}

struct bgp_usage bgp_usage(const struct bgp_engine *e)
{
	struct bgp_usage u = {.attribute_sets = e->sets.count,
	    .attribute_bytes = e->sets.bytes,
	    .timers = e->timers.count};

	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		u.prefixes[f] = bgp_nets_count(&e->rib[f].nets);
		u.routes[f] = e->rib[f].routes.used;
	}
	return u;
}
