/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a tunnel should have against what it has. This is the only place that begins negotiations, lets
 * queued requests go, and tells the state of the tunnel.
 *
 * After failures the next attempt waits 1, 2, 4 ... 60 s, less up to a quarter so that many tunnels do
 * not march in step; attempts never end as long as the tunnel is wanted.
 */

#include "ike/child.h"
#include "ike/sa.h"
#include "ike/tunnel.h"

#define BACKOFF_MAX_S 60
#define STABLE_S      30 /* up for that long: earlier failures are forgotten */

static int64_t backoff_ns(struct ike_engine *e, unsigned failures)
{
	int64_t wait = DUR_S(1);

	for (unsigned i = 1; i < failures && wait < DUR_S(BACKOFF_MAX_S); i++)
		wait *= 2;
	if (wait > DUR_S(BACKOFF_MAX_S))
		wait = DUR_S(BACKOFF_MAX_S);
	return ike_engine_jitter(e, wait / 4 * 3, wait);
}

void ike_tunnel_failed(struct ike_tunnel *t, enum ike_error_code reason)
{
	t->failures++;
	t->down_reason = reason;
	if (t->by_traffic)
		t->wanted = false; /* the next packet asks again; the pause stays */
	t->not_before = mono_add(t->engine->now, backoff_ns(t->engine, t->failures));
	ike_tunnel_touch(t);
}

void ike_tunnel_lost(struct ike_tunnel *t, enum ike_error_code reason, int64_t up_ns)
{
	t->down_reason = reason;
	if (up_ns >= DUR_S(STABLE_S))
		t->failures = 0;
	/* The peer had its reason to delete it: not at once. */
	if (up_ns < DUR_S(STABLE_S) || reason == IKE_ERROR_PEER_DELETED) {
		ike_tunnel_failed(t, reason);
	} else {
		t->not_before = t->engine->now;
		ike_tunnel_touch(t);
	}
}

void ike_slot_failed(struct ike_tunnel *t, struct ike_slot *slot)
{
	slot->failures++;
	slot->not_before = mono_add(t->engine->now, backoff_ns(t->engine, slot->failures));
	ike_tunnel_touch(t);
}

void ike_slot_filled(struct ike_tunnel *t, struct ike_slot *slot)
{
	slot->filled = t->engine->now;
}

void ike_slot_emptied(struct ike_tunnel *t, struct ike_slot *slot)
{
	if (mono_diff(slot->filled, t->engine->now) >= DUR_S(STABLE_S))
		slot->failures = 0;
	ike_slot_failed(t, slot);
}

static bool is_negotiating(const struct ike_tunnel *t)
{
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node)
		if (sa->state == IKE_SA_INIT_SENT || sa->state == IKE_SA_AUTH_SENT)
			return true;
	return false;
}

/* The IKE SA to make Child SAs on: the latest that is not about to be deleted. */
static struct ike_sa *best_sa(const struct ike_tunnel *t)
{
	struct ike_sa *sa, *best = NULL;

	list_for (sa, &t->sas, tunnel_node)
		if (ike_sa_is_up(sa) && !ike_task_pending(sa, IKE_TASK_DELETE_IKE, 0, NULL))
			best = sa;
	return best;
}

static bool is_being_made(const struct ike_tunnel *t, const struct ike_slot *slot)
{
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node)
		if (ike_task_pending(sa, IKE_TASK_CREATE_CHILD, 0, slot))
			return true;
	return false;
}

static void come_back(struct ike_tunnel *t, struct mono due)
{
	if (!timer_is_armed(&t->retry) || mono_before(due, t->retry.due))
		timer_arm(&t->engine->timers, &t->retry, due);
}

static void want_children(struct ike_tunnel *t, struct ike_sa *sa)
{
	for (unsigned i = 0; i < t->slot_count; i++) {
		struct ike_slot *slot = &t->slots[i];

		if (ike_child_of_slot(t, slot) || is_being_made(t, slot))
			continue;
		if (mono_before(t->engine->now, slot->not_before))
			come_back(t, slot->not_before);
		else
			ike_task_add(sa, IKE_TASK_CREATE_CHILD, 0, slot);
	}
}

/* Now, or when it is time and our turn. */
static void initiate(struct ike_tunnel *t)
{
	struct mono now = t->engine->now;

	if (!t->admitted && !mono_before(now, t->not_before)) {
		t->admitted = true;
		t->not_before = ike_engine_admit(t->engine);
	}
	if (mono_before(now, t->not_before)) {
		come_back(t, t->not_before);
		return;
	}
	t->admitted = false;
	ike_driver_of(t->config.version)->initiate(t);
}

bool ike_tunnel_renew(struct ike_tunnel *t)
{
	if (t->removed || t->engine->shutting_down || t->config.start == IKE_START_RESPONDER)
		return false;
	if (!is_negotiating(t))
		ike_driver_of(t->config.version)->initiate(t);
	return true;
}

static void pursue(struct ike_tunnel *t)
{
	struct ike_sa *sa = best_sa(t);

	timer_cancel(&t->engine->timers, &t->retry);
	if (!t->wanted || t->engine->shutting_down)
		return;
	if (sa)
		want_children(t, sa);
	else if (!is_negotiating(t))
		initiate(t);
}

/* Anything run may change the list, so that each round begins anew. */
static void run_tasks(struct ike_tunnel *t)
{
	struct ike_sa *sa;
	bool ran;

	do {
		ran = false;
		list_for (sa, &t->sas, tunnel_node) {
			if (ike_window_busy(&sa->window) || list_is_empty(&sa->tasks))
				continue;
			ike_task_next(sa);
			ran = true;
			break;
		}
	} while (ran);
}

static enum ike_tunnel_state state_of(const struct ike_tunnel *t)
{
	enum ike_tunnel_state state = IKE_TUNNEL_DOWN;
	const struct ike_child_sa *c;
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node) {
		list_for (c, &sa->children, node)
			if (c->outbound && c->state < IKE_CHILD_DRAINING)
				return IKE_TUNNEL_UP;
		if (sa->state <= IKE_SA_ESTABLISHED)
			state = IKE_TUNNEL_NEGOTIATING;
	}
	return state;
}

const char *ike_tunnel_state_name(enum ike_tunnel_state state)
{
	switch (state) {
	case IKE_TUNNEL_DOWN:
		return "down";
	case IKE_TUNNEL_NEGOTIATING:
		return "negotiating";
	case IKE_TUNNEL_UP:
		return "up";
	}
	return "unknown";
}

static void tell_state(struct ike_tunnel *t)
{
	enum ike_tunnel_state state = state_of(t);
	enum ike_error_code reason = IKE_ERROR_NONE;

	if (state == t->state)
		return;
	t->state = state;
	t->state_since = t->engine->now;
	if (state == IKE_TUNNEL_DOWN)
		reason = t->down_reason;
	if (state == IKE_TUNNEL_UP)
		t->last_error = IKE_ERROR_NONE;
	t->down_reason = IKE_ERROR_NONE;
	ike_tunnel_log(t, LOG_NOTICE, "%s%s%s", ike_tunnel_state_name(state),
	    reason != IKE_ERROR_NONE ? ": " : "",
	    reason != IKE_ERROR_NONE ? ike_error_name(reason) : "");
	t->engine->ops->tunnel_state(t->engine->ctx, t->id, state, reason);
}

void ike_tunnel_check(struct ike_tunnel *t)
{
	if (!t->removed)
		pursue(t);
	run_tasks(t);
	if (!t->removed)
		tell_state(t);
	else if (list_is_empty(&t->sas))
		ike_tunnel_free(t);
}
