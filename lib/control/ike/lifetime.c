/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The age of an IKE SA: half-open ones end early, established ones are rekeyed at a soft limit before their
 * hard one (RFC 7296 2.8), replaced ones wait for the peer's delete, but not forever.
 */

#include "ike/child.h"
#include "ike/sa.h"

#define SOFT_FROM_PERCENT 75
#define SOFT_TO_PERCENT   90

struct mono ike_lifetime_soft(struct ike_engine *e, uint32_t lifetime_s)
{
	int64_t percent = DUR_MS(10) * lifetime_s;

	return mono_add(
	    e->now, ike_engine_jitter(e, SOFT_FROM_PERCENT * percent, SOFT_TO_PERCENT * percent));
}

static void expire(struct ike_sa *sa)
{
	ike_tunnel_error(sa->tunnel, IKE_ERROR_LIFETIME_EXPIRED, "ike.lifetime", NULL, NULL);
	sa->end_reason = IKE_ERROR_LIFETIME_EXPIRED;
	if (ike_window_busy(&sa->window))
		ike_sa_kill(sa, IKE_ERROR_LIFETIME_EXPIRED);
	else
		ike_task_add_first(sa, IKE_TASK_DELETE_IKE, 0);
}

static void due(struct timer *timer, struct mono now)
{
	struct ike_sa *sa = container_of(timer, struct ike_sa, life);

	bool up = sa->state == IKE_SA_ESTABLISHED;
	bool over = !up || (mono_is_set(sa->hard) && !mono_before(now, sa->hard));

	if (over && sa->driver->lapse && sa->driver->lapse(sa))
		return;
	if (!up) {
		ike_sa_kill(sa, IKE_ERROR_NO_RESPONSE);
	} else if (over) {
		expire(sa);
	} else {
		ike_task_add(sa, IKE_TASK_REKEY_IKE, 0, NULL);
		if (mono_is_set(sa->hard))
			timer_arm(&sa->engine->timers, &sa->life, sa->hard);
	}
}

void ike_lifetime_init(struct ike_sa *sa)
{
	sa->life.fn = due;
	ike_liveness_init(sa);
	if (sa->state == IKE_SA_HALF_OPEN)
		timer_arm(&sa->engine->timers, &sa->life,
		    mono_add(sa->engine->now, DUR_S(sa->engine->limits.half_open_s)));
}

void ike_lifetime_stop(struct ike_sa *sa)
{
	struct timers *timers = &sa->engine->timers;

	timer_cancel(timers, &sa->life);
	timer_cancel(timers, &sa->dpd);
	timer_cancel(timers, &sa->keepalive);
}

void ike_sa_start_clocks(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	uint32_t lifetime_s = sa->tunnel->config.ike_lifetime_s;

	sa->established = e->now;
	sa->heard = e->now;
	sa->soft = sa->hard = (struct mono){0};
	timer_cancel(&e->timers, &sa->life);
	if (lifetime_s) {
		sa->soft = ike_lifetime_soft(e, lifetime_s);
		sa->hard = mono_add(e->now, DUR_S(lifetime_s));
		timer_arm(&e->timers, &sa->life, sa->soft);
	}
	ike_liveness_start(sa);
}

void ike_sa_shorten(struct ike_sa *sa, uint32_t lifetime_s)
{
	struct ike_engine *e = sa->engine;
	struct mono hard = mono_add(sa->established, DUR_S(lifetime_s));

	if (mono_is_set(sa->hard) && mono_before(sa->hard, hard))
		return;
	sa->hard = hard;
	sa->soft = ike_lifetime_soft(e, lifetime_s);
	timer_arm(&e->timers, &sa->life, sa->soft);
}

void ike_sa_rekey_later(struct ike_sa *sa, int64_t delay_ns)
{
	struct mono again = mono_add(sa->engine->now, delay_ns);

	sa->soft = again;
	if (mono_is_set(sa->hard) && mono_before(sa->hard, again))
		again = sa->hard;
	timer_arm(&sa->engine->timers, &sa->life, again);
}

void ike_sa_guard(struct ike_sa *sa, uint32_t seconds)
{
	ike_lifetime_stop(sa);
	timer_arm(&sa->engine->timers, &sa->life, mono_add(sa->engine->now, DUR_S(seconds)));
}
