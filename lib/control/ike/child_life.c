/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The age of a Child SA: rekey at the soft limit, end at the hard one, and the waits behind a rekey. One
 * timer serves all; ike_child_clock() sets it by the state.
 */

#include "ike/child.h"

#define REPLACED_S 60  /* the one who rekeyed should have deleted the old one by then */
#define READY_MS   200 /* libreswan makes the SA that it sends on first, then the other one */

static struct mono earlier(struct mono a, struct mono b)
{
	if (!mono_is_set(a))
		return b;
	return mono_is_set(b) && mono_before(b, a) ? b : a;
}

static void expire(struct ike_child_sa *c)
{
	if (c->state < IKE_CHILD_REPLACED)
		ike_tunnel_error(
		    c->sa->tunnel, IKE_ERROR_LIFETIME_EXPIRED, "ipsec.lifetime", NULL, NULL);
	ike_child_end(c);
}

void ike_child_end(struct ike_child_sa *c)
{
	if (c->state >= IKE_CHILD_DELETING)
		return;
	ike_child_retire(c);
	ike_child_set_state(c, IKE_CHILD_DELETING);
	ike_task_add(c->sa, IKE_TASK_DELETE_CHILD, c->info.spi_in, NULL);
}

static bool waits_for_peer(const struct ike_child_sa *c)
{
	return c->state == IKE_CHILD_INSTALLED && !c->outbound && mono_is_set(c->ready);
}

void ike_child_ready(struct ike_child_sa *c)
{
	if (!ike_child_sibling(c)) {
		ike_child_use(c);
	} else if (!mono_is_set(c->ready)) {
		c->ready = mono_add(c->sa->engine->now, DUR_MS(READY_MS));
		if (waits_for_peer(c))
			ike_child_clock(c);
	}
}

static void due(struct timer *timer, struct mono now)
{
	struct ike_child_sa *c = container_of(timer, struct ike_child_sa, timer);

	if (waits_for_peer(c) && !mono_before(now, c->ready)) {
		ike_child_use(c);
		return;
	}
	if (c->state == IKE_CHILD_DRAINING) {
		if (!c->sa->driver->linger || !c->sa->driver->linger(c))
			ike_child_kill(c);
	} else if (c->state == IKE_CHILD_REPLACED) {
		ike_child_end(c);
	} else if (mono_is_set(c->hard) && !mono_before(now, c->hard)) {
		expire(c);
	} else if (c->state == IKE_CHILD_INSTALLED) {
		ike_task_add(c->sa, IKE_TASK_REKEY_CHILD, c->info.spi_in, NULL);
		c->soft = (struct mono){0};
		ike_child_clock(c);
	}
}

void ike_child_clock_init(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;
	uint32_t lifetime_s = c->sa->tunnel->config.esp_lifetime_s;

	c->timer.fn = due;
	c->made = e->now;
	c->info.lifetime_s = lifetime_s;
	if (lifetime_s) {
		c->soft = ike_lifetime_soft(e, lifetime_s);
		c->hard = mono_add(e->now, DUR_S(lifetime_s));
	}
	ike_child_clock(c);
}

void ike_child_clock(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;
	struct mono due_at = c->hard;

	if (waits_for_peer(c))
		due_at = earlier(c->ready, earlier(c->soft, c->hard));
	else if (c->state == IKE_CHILD_INSTALLED)
		due_at = earlier(c->soft, c->hard);
	else if (c->state == IKE_CHILD_REPLACED)
		due_at = earlier(
		    mono_add(e->now, DUR_S(c->replaced_s ? c->replaced_s : REPLACED_S)), c->hard);
	else if (c->state == IKE_CHILD_DRAINING)
		due_at = c->drained;
	if (c->state == IKE_CHILD_DEAD || c->state == IKE_CHILD_DELETING || !mono_is_set(due_at))
		timer_cancel(&e->timers, &c->timer);
	else
		timer_arm(&e->timers, &c->timer, due_at);
}

void ike_child_shorten(struct ike_child_sa *c, uint32_t lifetime_s)
{
	struct mono hard = mono_add(c->made, DUR_S(lifetime_s));

	if (mono_is_set(c->hard) && mono_before(c->hard, hard))
		return;
	c->hard = hard;
	c->soft = ike_lifetime_soft(c->sa->engine, lifetime_s);
	ike_child_clock(c);
}

void ike_child_rekey_later(struct ike_child_sa *c, int64_t delay_ns)
{
	c->soft = mono_add(c->sa->engine->now, delay_ns);
	if (c->state == IKE_CHILD_REKEYING)
		ike_child_set_state(c, IKE_CHILD_INSTALLED);
	else
		ike_child_clock(c);
}
