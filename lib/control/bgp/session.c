/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What entering a state does: bgp_enter() is the only place that changes a state. And the timers of a
 * connection, which become events.
 */

#include <stdlib.h>
#include <string.h>

#include "bgp/engine.h"

#define STABLE_NS DUR_S(60) /* established for that long: earlier failures are forgotten */

const char *bgp_state_name(enum bgp_state state)
{
	static const char *const name[] = {
	    "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"};

	return name[state];
}

enum bgp_state bgp_peer_state(const struct bgp_peer *peer)
{
	uint8_t a = peer->session[0].state, b = peer->session[1].state;

	return a > b ? a : b;
}

/* ---- timers ---- */

static void on_retry(struct timer *t, struct mono now)
{
	struct bgp_session *s = container_of(t, struct bgp_session, retry);

	if (bgp_session_other(s)->state >= BGP_OPENSENT) /* the peer's connection comes first */
		timer_arm(&s->peer->engine->timers, t,
		    mono_add(now, DUR_S(s->peer->config.connect_retry_s)));
	else
		bgp_fsm(s, BGP_EV_RETRY, NULL);
}

/* Messages only note when they came; the timer finds out. */
static void on_hold(struct timer *t, struct mono now)
{
	struct bgp_session *s = container_of(t, struct bgp_session, hold);
	struct mono due = mono_add(s->heard, DUR_S(s->hold_s));

	if (mono_before(now, due))
		timer_arm(&s->peer->engine->timers, t, due);
	else
		bgp_fsm(s, BGP_EV_HOLD, NULL);
}

static void arm_keepalive(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;

	if (s->keepalive_ns)
		timer_arm(
		    &e->timers, &s->keepalive, mono_add(e->now, bgp_jitter(e, s->keepalive_ns)));
}

static void on_keepalive(struct timer *t, struct mono now)
{
	struct bgp_session *s = container_of(t, struct bgp_session, keepalive);

	arm_keepalive(s);
	bgp_fsm(s, BGP_EV_KEEPALIVE_DUE, NULL);
}

static void on_send_hold(struct timer *t, struct mono now)
{
	bgp_fsm(container_of(t, struct bgp_session, send_hold), BGP_EV_SEND_HOLD, NULL);
}

static void arm_hold(struct bgp_session *s, uint16_t hold_s)
{
	struct bgp_engine *e = s->peer->engine;

	s->hold_s = hold_s;
	s->heard = e->now;
	if (hold_s)
		timer_arm(&e->timers, &s->hold, mono_add(e->now, DUR_S(hold_s)));
	else
		timer_cancel(&e->timers, &s->hold);
}

static void arm_retry(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;

	timer_arm(&e->timers, &s->retry,
	    mono_add(e->now, bgp_jitter(e, DUR_S(s->peer->config.connect_retry_s))));
}

void bgp_session_init(struct bgp_peer *peer, bool incoming)
{
	peer->session[incoming] = (struct bgp_session){
	    .peer = peer,
	    .incoming = incoming,
	    .retry = {.fn = on_retry},
	    .hold = {.fn = on_hold},
	    .keepalive = {.fn = on_keepalive},
	    .send_hold = {.fn = on_send_hold},
	};
}

/* ---- entering states ---- */

/* No connection, no timers, nothing half read or written. */
static void disconnect(struct bgp_session *s)
{
	struct timers *timers = &s->peer->engine->timers;

	timer_cancel(timers, &s->retry);
	timer_cancel(timers, &s->hold);
	timer_cancel(timers, &s->keepalive);
	timer_cancel(timers, &s->send_hold);
	bgp_conn_close(s);
	bgp_stream_clear(s);
}

/* A connection of our own, or the wait for the next attempt. */
static void enter_connect(struct bgp_session *s)
{
	disconnect(s);
	arm_retry(s);
	if (bgp_conn_open(s) != 0)
		bgp_fsm(s, BGP_EV_CLOSED, NULL);
}

static void enter_active(struct bgp_session *s)
{
	disconnect(s);
	if (!s->peer->config.passive)
		arm_retry(s);
}

static void enter_opensent(struct bgp_session *s)
{
	timer_cancel(&s->peer->engine->timers, &s->retry);
	s->connected = true;
	s->theirs = (struct bgp_open){0};
	s->message_max = s->send_max = BGP_MESSAGE_MAX;
	bgp_send_open(s);
	arm_hold(s, BGP_OPEN_HOLD_S);
}

static void negotiate(struct bgp_session *s)
{
	const struct bgp_peer_config *c = &s->peer->config;
	uint16_t hold_s = s->ours.hold_s < s->theirs.hold_s ? s->ours.hold_s : s->theirs.hold_s;
	bool extended = s->ours.extended_messages && s->theirs.extended_messages;

	s->attrs.as4 = s->ours.as4 && s->theirs.as4;
	s->attrs.external = s->peer->external;
	s->attrs.allow_sets = c->allow_as_set;
	s->attrs.families = s->ours.families & s->theirs.families;
	s->message_max = s->ours.extended_messages ? BGP_MESSAGE_EXT_MAX : BGP_MESSAGE_MAX;
	s->send_max = extended ? BGP_MESSAGE_EXT_MAX : BGP_MESSAGE_MAX;
	s->enhanced_refresh = s->ours.enhanced_refresh && s->theirs.enhanced_refresh;
	s->keepalive_ns = DUR_S(hold_s) / 3;
	if (c->keepalive_s && hold_s && DUR_S(c->keepalive_s) < s->keepalive_ns)
		s->keepalive_ns = DUR_S(c->keepalive_s);
	arm_hold(s, hold_s);
}

static void enter_openconfirm(struct bgp_session *s)
{
	negotiate(s);
	bgp_send_keepalive(s, true);
	arm_keepalive(s);
}

static void enter_established(struct bgp_session *s)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_engine *e = peer->engine;

	peer->crossed = bgp_session_other(s)->state == BGP_CONNECT;
	if (bgp_session_other(s)->state <
	    BGP_OPENSENT) /* no further attempts; else its OPEN decides */
		bgp_fsm(bgp_session_other(s), BGP_EV_COLLISION, NULL);
	peer->up = s;
	peer->since = e->now;
	peer->router_id = s->theirs.id;
	peer->counters.established++;
	peer->oversized_logged = false;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		peer->in[f].end_of_rib = peer->in[f].warned = peer->in[f].refreshing = false;
	bgp_graceful_back(s);
	e->ops->up(e->ctx, peer->id, s->attrs.families);
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		if (!(s->attrs.families & BGP_FAMILY_BIT(f)))
			continue;
		peer->out[f].end_of_rib_due = true;
		bgp_out_feed(peer, f, false);
	}
}

static void leave_established(struct bgp_session *s, const struct bgp_transition *t)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_engine *e = peer->engine;

	peer->up = NULL;
	peer->counters.lost++;
	if (mono_diff(peer->since, e->now) >= STABLE_NS)
		peer->failures = 0;
	peer->kept = bgp_graceful_lost(s, t->event);
	peer->since = e->now;
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		bgp_adj_out_clear(peer, f);
	e->ops->down(e->ctx, peer->id, &peer->end, peer->kept);
}

/* Notes why it ended; of a NOTIFICATION that came, receive.c did. */
static void note_end(struct bgp_session *s, const struct bgp_transition *t)
{
	struct bgp_end *end = &s->peer->end;

	if (t->event == BGP_EV_NOTIFICATION || t->event == BGP_EV_COLLISION)
		return;
	s->peer->ended_hard = t->notify && bgp_graceful_is_hard(s, t->notify);
	end->by = t->notify ? BGP_END_SENT : BGP_END_TRANSPORT;
	end->code = t->notify ? t->notify->code : 0;
	end->subcode = t->notify ? t->notify->subcode : 0;
	if (t->event != BGP_EV_ERROR)
		end->text[0] = '\0';
}

/* Collisions are nobody's failure; else the peer waits before it begins again. */
static void after_end(struct bgp_session *s, enum bgp_state before, const struct bgp_transition *t)
{
	struct bgp_session *other = bgp_session_other(s);
	const struct bgp_end *end = &s->peer->end;
	bool harmless = t->event == BGP_EV_COLLISION || t->event == BGP_EV_CLOSED ||
	    (t->event == BGP_EV_NOTIFICATION && end->code == BGP_ERR_CEASE &&
		end->subcode == BGP_CEASE_COLLISION);

	if (t->event == BGP_EV_STOP || other->state >= BGP_OPENSENT)
		return;
	if (other->state != BGP_IDLE) { /* ours goes on, unless the peer is at fault */
		if (harmless && before < BGP_ESTABLISHED)
			return;
		bgp_fsm(other, BGP_EV_STOP, NULL);
	}
	bgp_peer_failed(s->peer);
}

static void enter_idle(struct bgp_session *s, enum bgp_state before, const struct bgp_transition *t)
{
	if (before >= BGP_OPENSENT)
		note_end(s, t);
	if (t->event == BGP_EV_COLLISION && s->connected)
		s->peer->counters.collisions++;
	disconnect(s);
	if (before == BGP_ESTABLISHED)
		leave_established(s, t);
	after_end(s, before, t);
}

static void log_transition(const struct bgp_session *s, enum bgp_state before, enum bgp_state after,
    const struct bgp_transition *t)
{
	bool matters = before == BGP_ESTABLISHED || after == BGP_ESTABLISHED;
	const struct bgp_end *end = &s->peer->end;

	if (t->notify)
		bgp_log(s->peer, matters ? LOG_NOTICE : LOG_INFO,
		    "%s%s -> %s: %s, sent %s (%u/%u %s)", s->incoming ? "(incoming) " : "",
		    bgp_state_name(before), bgp_state_name(after), t->why,
		    bgp_error_name(t->notify->code), t->notify->code, t->notify->subcode,
		    bgp_suberror_name(t->notify->code, t->notify->subcode));
	else if (t->event == BGP_EV_NOTIFICATION)
		bgp_log(s->peer, matters ? LOG_NOTICE : LOG_INFO,
		    "%s%s -> %s: received %s (%u/%u %s)%s%s", s->incoming ? "(incoming) " : "",
		    bgp_state_name(before), bgp_state_name(after), bgp_error_name(end->code),
		    end->code, end->subcode, bgp_suberror_name(end->code, end->subcode),
		    end->text[0] ? ": " : "", end->text);
	else
		bgp_log(s->peer, matters ? LOG_NOTICE : LOG_DEBUG, "%s%s -> %s: %s",
		    s->incoming ? "(incoming) " : "", bgp_state_name(before), bgp_state_name(after),
		    t->why);
}

void bgp_enter(struct bgp_session *s, enum bgp_state state, const struct bgp_transition *t)
{
	enum bgp_state before = s->state;

	if (t->notify && s->connected)
		bgp_send_notification(s, t->notify);
	log_transition(s, before, state, t);
	s->state = (uint8_t)state;
	switch (state) {
	case BGP_IDLE:
		enter_idle(s, before, t);
		break;
	case BGP_CONNECT:
		enter_connect(s);
		break;
	case BGP_ACTIVE:
		enter_active(s);
		break;
	case BGP_OPENSENT:
		enter_opensent(s);
		break;
	case BGP_OPENCONFIRM:
		enter_openconfirm(s);
		break;
	case BGP_ESTABLISHED:
		enter_established(s);
		break;
	}
}

/* ---- the peer as a whole ---- */

void bgp_peer_begin(struct bgp_peer *peer)
{
	timer_cancel(&peer->engine->timers, &peer->idle_hold);
	if (peer->wanted && bgp_peer_state(peer) == BGP_IDLE)
		bgp_fsm(&peer->session[0], BGP_EV_START, NULL);
}

/* IdleHold: 1, 2, 4 ... times the first wait (RFC 4271 8.1, DampPeerOscillations). */
void bgp_peer_failed(struct bgp_peer *peer)
{
	struct bgp_engine *e = peer->engine;
	int64_t wait = DUR_S(peer->config.idle_hold_s), max = DUR_S(peer->config.idle_hold_max_s);

	if (!peer->wanted)
		return;
	if (peer->over_limit) {
		peer->over_limit = false;
		if (peer->over_limit_s)
			timer_arm(&e->timers, &peer->idle_hold,
			    mono_add(e->now, DUR_S(peer->over_limit_s)));
		return;
	}
	for (unsigned i = 0; i < peer->failures && wait < max; i++)
		wait *= 2;
	peer->failures++;
	timer_arm(
	    &e->timers, &peer->idle_hold, mono_add(e->now, bgp_jitter(e, wait < max ? wait : max)));
}

void bgp_peer_end(struct bgp_peer *peer, const struct bgp_error *error)
{
	timer_cancel(&peer->engine->timers, &peer->idle_hold);
	for (int i = 0; i < 2; i++)
		if (peer->session[i].state != BGP_IDLE)
			bgp_fsm(&peer->session[i], BGP_EV_STOP, error);
	bgp_conn_close(&peer->session[1]); /* accepted, and not yet connected */
}
