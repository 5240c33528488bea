/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Routes that outlive their session (RFC 4724, 8538), and routes that are sent anew (RFC 7313): both are
 * kept as stale until the peer says that it is through, or too much time has passed.
 *
 *   session lost, peer may restart:  stale --back, F bit--> wait for End-of-RIB --> what is stale goes
 *                                      `--not back within its restart time--------> goes
 *   BoRR: all stale --> EoRR: what is still stale goes
 *
 * And our own restart: nothing is announced until every peer has sent its End-of-RIB, or time is up. One without
 * forwarding is only told: helpers then neither wait for our End-of-RIB nor keep what they had of us (F bit).
 */

#include "bgp/engine.h"

static bool both_restart(const struct bgp_session *s)
{
	return s->ours.graceful_restart && s->theirs.graceful_restart;
}

static bool both_notify(const struct bgp_session *s)
{
	return both_restart(s) && s->ours.notification_restart && s->theirs.notification_restart;
}

/* RFC 8538 5: a shutdown is meant to be one. */
bool bgp_graceful_is_hard(const struct bgp_session *s, const struct bgp_error *error)
{
	if (error->code != BGP_ERR_CEASE)
		return false;
	if (error->subcode == BGP_CEASE_HARD_RESET)
		return true;
	return both_notify(s) &&
	    (error->subcode == BGP_CEASE_MAX_PREFIXES || error->subcode == BGP_CEASE_SHUTDOWN ||
		error->subcode == BGP_CEASE_DECONFIGURED);
}

/* ---- the peer restarts ---- */

/* Not lost: another connection takes its place, as we or the peer decided (RFC 4271 6.8). */
static bool is_replaced(const struct bgp_session *s, enum bgp_event event)
{
	const struct bgp_end *end = &s->peer->end;

	return event == BGP_EV_COLLISION || (event == BGP_EV_CLOSED && bgp_was_superseded(s)) ||
	    (event == BGP_EV_NOTIFICATION && end->code == BGP_ERR_CEASE &&
		end->subcode == BGP_CEASE_COLLISION);
}

uint8_t bgp_graceful_families(const struct bgp_session *s)
{
	return both_restart(s) && s->theirs.restart_s > 0
	    ? s->attrs.families & s->theirs.restart_families
	    : 0;
}

static uint8_t families_to_keep(const struct bgp_session *s, enum bgp_event event)
{
	bool keep = event == BGP_EV_CLOSED || is_replaced(s, event) ||
	    (both_notify(s) && !s->peer->ended_hard);

	return keep ? bgp_graceful_families(s) : 0;
}

uint8_t bgp_graceful_lost(struct bgp_session *s, enum bgp_event event)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_engine *e = peer->engine;
	uint8_t kept = families_to_keep(s, event);

	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		timer_cancel(&e->timers, &peer->in[f].stale);
		peer->in[f].refreshing = false;
		if (kept & BGP_FAMILY_BIT(f)) /* stale from an earlier restart: goes now (4.2) */
			bgp_adj_in_age(peer, f, is_replaced(s, event));
		else
			bgp_adj_in_drop(peer, f);
	}
	if (kept) {
		timer_arm(&e->timers, &peer->restart, mono_add(e->now, DUR_S(s->theirs.restart_s)));
		bgp_log(peer, LOG_NOTICE, "may restart: keeping its routes for %u s",
		    s->theirs.restart_s);
	}
	return kept;
}

void bgp_graceful_forget(struct bgp_peer *peer)
{
	timer_cancel(&peer->engine->timers, &peer->restart);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		if (peer->kept & BGP_FAMILY_BIT(f))
			bgp_adj_in_expire(peer, f);
	peer->kept = 0;
}

static void on_restart(struct timer *t, struct mono now)
{
	struct bgp_peer *peer = container_of(t, struct bgp_peer, restart);

	bgp_log(peer, LOG_NOTICE, "did not come back in time: its routes go");
	bgp_graceful_forget(peer);
}

static void arm_stale(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_engine *e = peer->engine;

	timer_arm(
	    &e->timers, &peer->in[family].stale, mono_add(e->now, DUR_S(peer->config.stale_s)));
}

static void on_stale(struct timer *t, struct mono now)
{
	struct bgp_adj_in *in = container_of(t, struct bgp_adj_in, stale);
	enum bgp_family family = in == &in->peer->in[BGP_IPV4] ? BGP_IPV4 : BGP_IPV6;

	bgp_log(in->peer, LOG_NOTICE, "%s: was not through in time: stale routes go",
	    bgp_family_name(family));
	in->refreshing = false;
	bgp_adj_in_expire(in->peer, family);
}

/* What the peer lists with the F bit it has forwarded on meanwhile; the rest is void (4.2). */
static void take_back(struct bgp_session *s, enum bgp_family family)
{
	struct bgp_peer *peer = s->peer;
	uint8_t good = s->attrs.families;

	if (!s->theirs.graceful_restart)
		good = 0;
	if (good & s->theirs.forwarding_families & BGP_FAMILY_BIT(family))
		arm_stale(peer, family);
	else
		bgp_adj_in_expire(peer, family);
}

void bgp_graceful_back(struct bgp_session *s)
{
	struct bgp_peer *peer = s->peer;

	timer_cancel(&peer->engine->timers, &peer->restart);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		if (peer->kept & BGP_FAMILY_BIT(f))
			take_back(s, f);
	peer->kept = 0;
	/* Who restarts too, or knows nothing of it, is not waited for (4.1). */
	if (!both_restart(s) || s->theirs.restarting)
		bgp_graceful_done(peer);
}

void bgp_graceful_init(struct bgp_peer *peer)
{
	peer->restart.fn = on_restart;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		peer->in[f].stale.fn = on_stale;
}

/* ---- what the peer says about its routes ---- */

void bgp_graceful_end_of_rib(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_in *in = &peer->in[family];
	bool all = true;

	if (!(peer->up->attrs.families & BGP_FAMILY_BIT(family)) || in->refreshing)
		return;
	in->end_of_rib = true;
	timer_cancel(&peer->engine->timers, &in->stale);
	bgp_adj_in_expire(peer, family);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		all &= peer->in[f].end_of_rib || !(peer->up->attrs.families & BGP_FAMILY_BIT(f));
	if (all)
		bgp_graceful_done(peer);
}

void bgp_graceful_refresh(struct bgp_peer *peer, enum bgp_family family, enum bgp_refresh_kind kind)
{
	struct bgp_adj_in *in = &peer->in[family];

	if (kind == BGP_REFRESH_BEGIN) {
		/* Who may restart sends End-of-RIB first: a BoRR before that is void (RFC 7313 4). */
		if (peer->up->theirs.graceful_restart && !in->end_of_rib)
			return;
		bgp_adj_in_age(peer, family, in->refreshing);
		in->refreshing = true;
		arm_stale(peer, family);
	} else if (kind == BGP_REFRESH_END && in->refreshing) {
		in->refreshing = false;
		timer_cancel(&peer->engine->timers, &in->stale);
		bgp_adj_in_expire(peer, family);
	}
}

/* ---- our own restart ---- */

static void decide(struct bgp_engine *e)
{
	timer_cancel(&e->timers, &e->deferral);
	e->restart_phase = BGP_RESTART_DECIDING;
	if (e->ops->learned)
		e->ops->learned(e->ctx);
}

void bgp_graceful_done(struct bgp_peer *peer)
{
	struct bgp_engine *e = peer->engine;
	const struct bgp_peer *other;

	peer->waits_for_eor = false;
	if (e->restart_phase != BGP_RESTART_LEARNING)
		return;
	list_for (other, &e->peers, node)
		if (other->waits_for_eor)
			return;
	decide(e);
}

static void on_deferral(struct timer *t, struct mono now)
{
	struct bgp_engine *e = container_of(t, struct bgp_engine, deferral);

	log_write(
	    LOG_NOTICE, "bgp", NULL, "not all peers were back in time: deciding without them");
	decide(e);
}

void bgp_graceful_begin(struct bgp_engine *e)
{
	e->deferral.fn = on_deferral;
	if (e->config.restarted)
		e->restarted_until = mono_add(e->now, DUR_S(e->config.restart_s));
	if (!e->config.restarting)
		return;
	e->restart_phase = BGP_RESTART_LEARNING;
	timer_arm(&e->timers, &e->deferral, mono_add(e->now, DUR_S(e->config.deferral_s)));
}

bool bgp_graceful_is_back(const struct bgp_peer *peer)
{
	const struct bgp_engine *e = peer->engine;

	return e->restart_phase != BGP_RESTART_NONE ||
	    (mono_is_set(e->restarted_until) && peer->counters.established == 0 &&
		mono_before(e->now, e->restarted_until));
}

bool bgp_graceful_defers(const struct bgp_engine *e)
{
	return e->restart_phase != BGP_RESTART_NONE;
}

void bgp_restart_done(struct bgp_engine *e, struct mono now)
{
	struct bgp_peer *peer;

	e->now = now;
	if (e->restart_phase != BGP_RESTART_DECIDING)
		return;
	e->restart_phase = BGP_RESTART_NONE;
	list_for (peer, &e->peers, node)
		bgp_ready(peer);
}
