/* SPDX-License-Identifier: BSD-3-Clause */

/* Peers: their configuration, and what the operator wants of them. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bgp/engine.h"

struct bgp_peer_config bgp_peer_defaults(void)
{
	struct bgp_peer_config c = {
	    .transport = {.port = BGP_PORT, .ttl = 1},
	    .families = BGP_FAMILY_BIT(BGP_IPV4),
	    .hold_s = 90,
	    .connect_retry_s = 30,
	    .idle_hold_s = 2,
	    .idle_hold_max_s = 120,
	    .graceful_restart = true,
	    .stale_s = 360,
	    .route_refresh = true,
	    .extended_messages = true,
	    .role = BGP_ROLE_NONE,
	    .graceful_shutdown = true,
	};

	return c;
}

void bgp_log(const struct bgp_peer *peer, enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_writev(level, "bgp", peer->config.name, format, args);
	va_end(args);
}

void bgp_log_update(struct bgp_peer *peer, const char *format, ...)
{
	uint64_t left_out;
	va_list args;

	if (!log_limit(&peer->update_log, peer->engine->now, &left_out))
		return;
	va_start(args, format);
	log_writev(LOG_WARNING, "bgp", peer->config.name, format, args);
	va_end(args);
	if (left_out)
		bgp_log(peer, LOG_WARNING, "(%llu like it before)", (unsigned long long)left_out);
}

/* ---- by number ---- */

/* Where the number is, or belongs, in by_id[]. */
static uint32_t place_of(const struct bgp_engine *e, uint32_t id)
{
	uint32_t low = 0, high = e->ids;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (e->by_id[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct bgp_peer *bgp_peer_of(const struct bgp_engine *e, uint32_t id)
{
	uint32_t at = place_of(e, id);

	return at < e->ids && e->by_id[at]->id == id ? e->by_id[at] : NULL;
}

static void id_add(struct bgp_engine *e, struct bgp_peer *peer)
{
	uint32_t at = place_of(e, peer->id);

	e->by_id = xrealloc(e->by_id, (e->ids + 1) * sizeof(e->by_id[0]));
	memmove(&e->by_id[at + 1], &e->by_id[at], (e->ids - at) * sizeof(e->by_id[0]));
	e->by_id[at] = peer;
	e->ids++;
}

static void id_remove(struct bgp_engine *e, const struct bgp_peer *peer)
{
	uint32_t at = place_of(e, peer->id);

	e->ids--;
	memmove(&e->by_id[at], &e->by_id[at + 1], (e->ids - at) * sizeof(e->by_id[0]));
}

static uint16_t slot_take(struct bgp_engine *e, struct bgp_peer *peer)
{
	uint32_t slot = 1;

	while (slot <= e->slots && e->by_slot[slot])
		slot++;
	if (slot > e->slots) {
		e->by_slot = xrealloc(e->by_slot, (slot + 1) * sizeof(e->by_slot[0]));
		e->slots = slot;
	}
	e->by_slot[slot] = peer;
	return (uint16_t)slot;
}

uint32_t bgp_peer_find(
    const struct bgp_engine *e, const struct ip_addr *local, const struct ip_addr *remote)
{
	for (uint32_t i = 0; i < e->ids; i++) {
		const struct bgp_transport *t = &e->by_id[i]->config.transport;

		if (ip_eq(&t->remote, remote) &&
		    (!ip_is_set(&t->local) || ip_is_any(&t->local) || ip_eq(&t->local, local)))
			return e->by_id[i]->id;
	}
	return 0;
}

/* ---- configuration ---- */

/* NULL, or what is wrong. */
static const char *fault_of(const struct bgp_peer_config *c)
{
	bool v4_session = c->transport.remote.family == IP_V4;

	if (!ip_is_set(&c->transport.remote) || ip_is_any(&c->transport.remote))
		return "the peer has no address";
	if (c->local_as == 0 || c->local_as == BGP_AS_TRANS)
		return "the local AS is 0 or 23456";
	if (c->remote_as == 0 || c->remote_as == BGP_AS_TRANS)
		return "the remote AS is 0 or 23456";
	if (c->families == 0 || c->families & ~BGP_FAMILIES_ALL)
		return "no address family";
	if (c->hold_s != 0 && c->hold_s < BGP_HOLD_MIN_S)
		return "the hold time is 1 or 2 s";
	if (c->connect_retry_s == 0 || c->idle_hold_s == 0)
		return "a time between attempts is 0";
	if (c->families & BGP_FAMILY_BIT(BGP_IPV6) && v4_session &&
	    c->next_hop[BGP_IPV6].family != IP_V6)
		return "IPv6 routes over an IPv4 session need a next hop";
	if (c->families & BGP_FAMILY_BIT(BGP_IPV4) && !v4_session &&
	    c->next_hop[BGP_IPV4].family != IP_V4)
		return "IPv4 routes over an IPv6 session need a next hop";
	return NULL;
}

static void take_config(struct bgp_peer *peer, const struct bgp_peer_config *config)
{
	peer->config = *config;
	peer->external = config->local_as != config->remote_as;
	peer->out_class = bgp_out_class_of(peer);
	if (!peer->view || peer->view->id != config->view)
		bgp_view_join(peer, bgp_view_of(peer->engine, config->view));
}

static void on_idle_hold(struct timer *t, struct mono now)
{
	bgp_peer_begin(container_of(t, struct bgp_peer, idle_hold));
}

int bgp_peer_add(struct bgp_engine *e, struct mono now, uint32_t id,
    const struct bgp_peer_config *config, const char **why)
{
	const char *fault = id == 0 ? "the number of a peer is 0" : fault_of(config);
	struct bgp_peer *peer;

	e->now = now;
	if (fault) {
		if (why)
			*why = fault;
		return -EINVAL;
	}
	if (bgp_peer_of(e, id))
		return -EEXIST;
	if (e->ids == e->config.peers_max)
		return -ENOSPC;
	peer = xcalloc(1, sizeof(*peer));
	peer->engine = e;
	peer->id = id;
	peer->slot = slot_take(e, peer);
	peer->idle_hold.fn = on_idle_hold;
	peer->update_log = (struct log_limit){.interval_ns = DUR_S(10), .burst = 5};
	list_init(&peer->ready_node);
	list_init(&peer->view_node);
	list_append(&e->peers, &peer->node);
	for (int i = 0; i < 2; i++)
		bgp_session_init(peer, i);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		bgp_adj_in_init(&peer->in[f], peer);
		bgp_adj_out_init(&peer->out[f], peer);
	}
	bgp_graceful_init(peer);
	take_config(peer, config);
	id_add(e, peer);
	return 0;
}

/* What only a new session can change. */
static bool needs_reset(const struct bgp_peer_config *a, const struct bgp_peer_config *b)
{
	const struct bgp_transport *s = &a->transport, *t = &b->transport;

	return !ip_eq(&s->local, &t->local) || !ip_eq(&s->remote, &t->remote) ||
	    s->port != t->port || s->ttl != t->ttl || s->ttl_min != t->ttl_min ||
	    a->local_as != b->local_as || a->remote_as != b->remote_as ||
	    a->families != b->families || a->graceful_restart != b->graceful_restart ||
	    a->route_refresh != b->route_refresh || a->extended_messages != b->extended_messages ||
	    a->role != b->role || a->role_strict != b->role_strict ||
	    a->allow_as_set != b->allow_as_set || a->any_first_as != b->any_first_as ||
	    a->reflect != b->reflect || a->hold_s != b->hold_s || a->keepalive_s != b->keepalive_s;
}

static bool needs_import(const struct bgp_peer_config *a, const struct bgp_peer_config *b)
{
	return a->allow_as_in != b->allow_as_in || a->graceful_shutdown != b->graceful_shutdown ||
	    a->require_policy != b->require_policy || a->has_import != b->has_import;
}

/* Our next hop is not part of what is compared: all is sent again when it changes. */
static bool needs_resend(const struct bgp_peer_config *a, const struct bgp_peer_config *b)
{
	return !ip_eq(&a->next_hop[BGP_IPV4], &b->next_hop[BGP_IPV4]) ||
	    !ip_eq(&a->next_hop[BGP_IPV6], &b->next_hop[BGP_IPV6]);
}

int bgp_peer_update(struct bgp_engine *e, struct mono now, uint32_t id,
    const struct bgp_peer_config *config, const char **why)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);
	const char *fault = fault_of(config);
	struct bgp_peer_config before;
	struct bgp_error error = bgp_error_of(BGP_ERR_CEASE, BGP_CEASE_CONFIG);

	e->now = now;
	if (!peer)
		return -ENOENT;
	if (fault) {
		if (why)
			*why = fault;
		return -EINVAL;
	}
	before = peer->config;
	if (needs_reset(&before, config)) {
		bgp_peer_end(peer, &error);
		bgp_graceful_forget(peer); /* they were another session's */
		take_config(peer, config);
		peer->plain_open = false;
		bgp_peer_begin(peer);
		return 0;
	}
	take_config(peer, config);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		if (needs_import(&before, config))
			bgp_adj_in_reimport(peer, f);
		bgp_out_feed(peer, f, needs_resend(&before, config));
	}
	return 0;
}

void bgp_set_router_id(struct bgp_engine *e, struct mono now, uint32_t router_id)
{
	struct bgp_error error = bgp_error_of(BGP_ERR_CEASE, BGP_CEASE_CONFIG);

	if (e->config.router_id == router_id)
		return;
	e->now = now;
	e->config.router_id = router_id;
	for (uint32_t i = 0; i < e->ids; i++) {
		bool wanted = e->by_id[i]->wanted;

		bgp_peer_end(e->by_id[i], &error);
		if (wanted)
			bgp_peer_begin(e->by_id[i]);
	}
}

int bgp_peer_reachable(struct bgp_engine *e, uint32_t id, bool reachable)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);

	if (!peer)
		return -ENOENT;
	if (peer->unreachable == !reachable)
		return 0;
	peer->unreachable = !reachable;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_adj_in_touch(peer, f);
	return 0;
}

/* ---- commands ---- */

int bgp_peer_remove(struct bgp_engine *e, struct mono now, uint32_t id)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);
	struct bgp_error error = bgp_error_of(BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED);

	e->now = now;
	if (!peer)
		return -ENOENT;
	peer->wanted = false;
	bgp_peer_end(peer, &error);
	bgp_graceful_done(peer);
	timer_cancel(&e->timers, &peer->restart);
	bgp_view_join(peer, NULL);
	id_remove(e, peer);
	peer->removed = true;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		timer_cancel(&e->timers, &peer->in[f].stale);
		bgp_adj_in_drop(peer, f);
	}
	bgp_ready(peer);
	return 0;
}

void bgp_peer_free(struct bgp_peer *peer)
{
	struct bgp_engine *e = peer->engine;

	e->by_slot[peer->slot] = NULL;
	list_remove(&peer->ready_node);
	list_remove(&peer->node);
	free(peer);
}

int bgp_peer_start(struct bgp_engine *e, struct mono now, uint32_t id)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);

	e->now = now;
	if (!peer)
		return -ENOENT;
	if (!peer->wanted)
		peer->waits_for_eor = e->restart_phase == BGP_RESTART_LEARNING;
	peer->wanted = true;
	peer->failures = 0;
	peer->plain_open = false;
	bgp_peer_begin(peer);
	return 0;
}

int bgp_peer_stop(
    struct bgp_engine *e, struct mono now, uint32_t id, enum bgp_cease cease, const char *text)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);
	uint8_t room[BGP_SHUTDOWN_MAX + 1];
	struct bgp_error error = bgp_error_cease(cease, text, room);

	e->now = now;
	if (!peer)
		return -ENOENT;
	peer->wanted = false;
	bgp_peer_end(peer, &error);
	bgp_graceful_forget(peer);
	bgp_graceful_done(peer);
	return 0;
}

int bgp_peer_reset(struct bgp_engine *e, struct mono now, uint32_t id, bool hard, const char *text)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);
	uint8_t room[BGP_SHUTDOWN_MAX + 1], hard_room[BGP_MESSAGE_MAX];
	struct bgp_error soft = bgp_error_cease(BGP_CEASE_RESET, text, room), error = soft;

	e->now = now;
	if (!peer)
		return -ENOENT;
	if (bgp_peer_state(peer) < BGP_OPENSENT)
		return -ENOTCONN;
	if (hard && peer->up && peer->up->theirs.notification_restart &&
	    peer->up->ours.notification_restart)
		error = bgp_error_hard(&soft, hard_room);
	bgp_peer_end(peer, &error);
	peer->failures = 0;
	bgp_peer_failed(peer);
	return 0;
}

int bgp_peer_refresh(struct bgp_engine *e, struct mono now, uint32_t id)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);

	e->now = now;
	if (!peer)
		return -ENOENT;
	if (!peer->up)
		return -ENOTCONN;
	if (!peer->up->ours.refresh || !peer->up->theirs.refresh)
		return -EOPNOTSUPP;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		if (peer->up->attrs.families & BGP_FAMILY_BIT(f) &&
		    !bgp_send_refresh(peer->up, f, BGP_REFRESH_REQUEST))
			return -EAGAIN;
	return 0;
}

int bgp_peer_reimport(struct bgp_engine *e, uint32_t id)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);

	if (!peer)
		return -ENOENT;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_adj_in_reimport(peer, f);
	return 0;
}

int bgp_peer_reexport(struct bgp_engine *e, uint32_t id)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);

	if (!peer)
		return -ENOENT;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_out_feed(peer, f, false);
	return 0;
}
