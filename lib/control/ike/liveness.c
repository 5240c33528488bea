/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Is the peer there, and where (RFC 7296 2.4, 2.23)?
 *
 * A sign of life is an authenticated IKE message or an ESP packet. After dpd_interval_s without one an empty
 * INFORMATIONAL asks; when there is none for dpd_timeout_s, the peer is dead. Nothing unauthenticated, be
 * it ICMP or a message in clear, counts either way.
 */

#include <stdio.h>

#include "ike/child.h"
#include "ike/sa.h"

#define NO_RESPONSE_TRIES 5 /* some five seconds: time to tell the operator */

static bool probes(const struct ike_sa *sa)
{
	const struct ike_tunnel_config *c = sa->tunnel ? &sa->tunnel->config : NULL;

	return c && c->dpd_action != IKE_DPD_NONE && c->dpd_interval_s > 0 && c->dpd_timeout_s > 0;
}

int64_t ike_sa_patience(const struct ike_sa *sa)
{
	const struct ike_tunnel_config *c;

	if (sa->state != IKE_SA_ESTABLISHED || !probes(sa))
		return 0;
	c = &sa->tunnel->config;
	return DUR_S(c->dpd_timeout_s > c->dpd_interval_s ? c->dpd_timeout_s - c->dpd_interval_s
							  : c->dpd_timeout_s);
}

static struct mono last_heard(const struct ike_sa *sa)
{
	const struct ike_engine *e = sa->engine;
	const struct ike_child_sa *c;
	struct mono last = sa->heard;

	if (!e->ops->child_usage)
		return last;
	list_for (c, &sa->children, node) {
		struct ike_usage usage = {0};

		e->ops->child_usage(e->ctx, sa->tunnel->id, c->info.spi_in, &usage);
		if (mono_before(last, usage.last_in))
			last = usage.last_in;
	}
	return last;
}

/*
 * Time runs from the request, or from a later sign of life: what was counted before the request may be noticed
 * behind it.
 */
bool ike_sa_is_silent(const struct ike_sa *sa)
{
	int64_t patience = ike_sa_patience(sa);
	struct mono since = sa->window.first_sent, heard;

	if (patience == 0)
		return false;
	heard = last_heard(sa);
	if (mono_before(since, heard))
		since = heard;
	return mono_diff(since, sa->engine->now) >= patience;
}

/* Whom we asked, and what it leaves unanswered. */
static void no_response(struct ike_sa *sa)
{
	char addr[IP_TEXT_MAX], here[IP_TEXT_MAX + 64];

	snprintf(here, sizeof(here), "%s, which leaves %s unanswered",
	    ip_text(&sa->remote.addr, addr), ike_exchange_name(sa->window.exchange));
	ike_tunnel_error(sa->tunnel, IKE_ERROR_NO_RESPONSE, "customer-gateway.address", here, NULL);
}

void ike_sa_waiting(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;

	if (!s || s->reported || sa->window.tries != NO_RESPONSE_TRIES)
		return;
	s->reported = true;
	if (s->hint == IKE_ERROR_NONE)
		no_response(sa);
}

static void peer_is_dead(struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;

	sa->engine->counters.dpd_dead++;
	ike_tunnel_error(t, IKE_ERROR_PEER_DEAD, "dpd", NULL, NULL);
	if (t->config.dpd_action == IKE_DPD_CLEAR)
		t->wanted = false;
	else if (t->config.dpd_action == IKE_DPD_RESTART && !ip_is_any(&t->config.remote) &&
	    t->config.start != IKE_START_RESPONDER)
		t->wanted = true;
	ike_sa_kill(sa, IKE_ERROR_PEER_DEAD);
}

void ike_sa_unanswered(struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;
	enum ike_error_code code;

	if (sa->driver->give_up && sa->driver->give_up(sa))
		return;
	switch (sa->state) {
	case IKE_SA_INIT_SENT:
	case IKE_SA_AUTH_SENT:
		code = sa->setup->hint != IKE_ERROR_NONE ? sa->setup->hint : IKE_ERROR_NO_RESPONSE;
		/* A hint was told when it came. */
		if (code == IKE_ERROR_NO_RESPONSE)
			no_response(sa);
		ike_sa_kill(sa, code);
		ike_tunnel_failed(t, code);
		break;
	case IKE_SA_ESTABLISHED:
		peer_is_dead(sa);
		break;
	default:
		ike_sa_kill(sa, IKE_ERROR_NO_RESPONSE);
	}
}

static void dpd_due(struct timer *timer, struct mono now)
{
	struct ike_sa *sa = container_of(timer, struct ike_sa, dpd);
	struct mono next = mono_add(last_heard(sa), DUR_S(sa->tunnel->config.dpd_interval_s));

	if (!probes(sa))
		return;
	if (!mono_before(now, next)) {
		/* Any request under way serves as well. */
		if (!ike_window_busy(&sa->window) && list_is_empty(&sa->tasks))
			ike_task_add(sa, IKE_TASK_PROBE, 0, NULL);
		next = mono_add(now, DUR_S(sa->tunnel->config.dpd_interval_s));
	}
	timer_arm(&sa->engine->timers, &sa->dpd, next);
}

static struct mono last_sent(const struct ike_sa *sa)
{
	const struct ike_engine *e = sa->engine;
	const struct ike_child_sa *c;
	struct mono last = {0};

	if (!e->ops->child_usage)
		return last;
	list_for (c, &sa->children, node) {
		struct ike_usage usage = {0};

		e->ops->child_usage(e->ctx, sa->tunnel->id, c->info.spi_in, &usage);
		if (mono_before(last, usage.last_out))
			last = usage.last_out;
	}
	return last;
}

/* RFC 3948 4: nothing else went out for the interval. */
static void keepalive_due(struct timer *timer, struct mono now)
{
	struct ike_sa *sa = container_of(timer, struct ike_sa, keepalive);
	struct ike_engine *e = sa->engine;
	int64_t interval = DUR_S(e->limits.keepalive_s);
	struct mono sent = last_sent(sa);

	if (!mono_is_set(sent) || mono_diff(sent, now) >= interval) {
		e->ops->keepalive(e->ctx, &sa->local, &sa->remote);
		sent = now;
	}
	timer_arm(&e->timers, &sa->keepalive, mono_add(sent, interval));
}

void ike_liveness_init(struct ike_sa *sa)
{
	sa->dpd.fn = dpd_due;
	sa->keepalive.fn = keepalive_due;
}

void ike_liveness_start(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	if (probes(sa))
		timer_arm(&e->timers, &sa->dpd,
		    mono_add(e->now, DUR_S(sa->tunnel->config.dpd_interval_s)));
	else
		timer_cancel(&e->timers, &sa->dpd);
	if (sa->nat.here)
		timer_arm(
		    &e->timers, &sa->keepalive, mono_add(e->now, DUR_S(e->limits.keepalive_s)));
}

void ike_sa_heard(struct ike_sa *sa)
{
	sa->heard = sa->engine->now;
}

static bool same_endpoint(const struct ike_endpoint *a, const struct ike_endpoint *b)
{
	return a->port == b->port && ip_eq(&a->addr, &b->addr);
}

/*
 * The one behind a NAT moves when its mapping changes, and the other one follows; the one behind the NAT
 * itself stays, or a packet that somebody sent on from elsewhere would draw the traffic there (2.23).
 * Going to port 4500 without a NAT is the peer's choice.
 */
static bool may_follow(
    const struct ike_sa *sa, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	if (!sa->natt)
		return false;
	if (sa->nat.there && !sa->nat.here)
		return true;
	return sa->local.port == IKE_PORT && local->port == IKE_PORT_NATT &&
	    ip_eq(&sa->remote.addr, &remote->addr);
}

void ike_sa_moved(
    struct ike_sa *sa, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	struct ike_child_sa *c;

	if (same_endpoint(&sa->local, local) && same_endpoint(&sa->remote, remote))
		return;
	if (!may_follow(sa, local, remote))
		return;
	ike_tunnel_log(sa->tunnel, LOG_INFO, "the peer moved from %s port %u to %s port %u",
	    ip_text(&sa->remote.addr, from), sa->remote.port, ip_text(&remote->addr, to),
	    remote->port);
	sa->local = *local;
	sa->remote = *remote;
	list_for (c, &sa->children, node)
		ike_child_endpoints(c);
}
