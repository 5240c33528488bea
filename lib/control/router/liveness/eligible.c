/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Whether routes may use a tunnel (H5, T2..T4): the one place that decides it, from all that is known of the tunnel.
 *
 *   IKE or manual keys: an SA? ---.
 *   BFD session: alive? ----------|
 *   health check: an answer? -----+-> fitness -+-> model: which of equal paths carry, what wins at all
 *                                              `-> record of the boundary: who may send into it
 *
 * Whoever learns something new (vpn.c, health.c, bfd.c) keeps it where it belongs and calls eligible_update().
 * A tunnel that has an SA and fails its checks takes packets of the router itself alone, so that probes find out
 * when it recovers, and nothing else is lost in it.
 */

#include "router/internal.h"

bool tunnel_waits_for_traffic(const struct vpn_tunnel *t)
{
	const struct conf_tunnel *conf = t->model->conf;

	return conf->connection->keying == CONF_KEYING_IKE && !conf->apply_immediately &&
	    !ip_is_any(&conf->customer_gateway->address);
}

static enum fitness health_fitness(struct router *r, const struct vpn_tunnel *t)
{
	struct health_view view;

	if (!t->model->conf->health_check.switch_route ||
	    !health_get(r->health, mono_now(), t->model->index, &view))
		return FIT;
	if (view.state == HEALTH_FAILED)
		return FIT_HEALTH_FAILED;
	return view.state == HEALTH_PASSED ? FIT : FIT_HEALTH_CHECKING;
}

static enum fitness bfd_fitness(struct router *r, const struct vpn_tunnel *t)
{
	switch (t->bfd ? bfd_verdict(r->bfd, t->bfd) : BFD_SAYS_NOTHING) {
	case BFD_SAYS_DEAD:
		return FIT_BFD_DOWN;
	case BFD_SAYS_WAIT:
		return FIT_BFD_WAIT;
	case BFD_SAYS_NOTHING:
	case BFD_SAYS_ALIVE:
		break;
	}
	return FIT;
}

static enum fitness fitness_of(struct router *r, const struct vpn_tunnel *t)
{
	if (t->ike_state != IKE_TUNNEL_UP)
		return tunnel_waits_for_traffic(t) ? FIT_ON_DEMAND : FIT_SA_DOWN;
	return RTE_MIN(bfd_fitness(r, t), health_fitness(r, t));
}

static enum model_tunnel_state model_state(enum fitness fit)
{
	switch (fit) {
	case FIT_SA_DOWN:
	case FIT_BFD_DOWN:
	case FIT_HEALTH_FAILED:
		return MODEL_TUNNEL_DOWN;
	case FIT_ON_DEMAND:
	case FIT_BFD_WAIT:
	case FIT_HEALTH_CHECKING:
		return MODEL_TUNNEL_TRAP;
	case FIT:
		break;
	}
	return MODEL_TUNNEL_UP;
}

enum tunnel_state eligible_record_state(const struct vpn_tunnel *t, bool has_sa)
{
	if (!has_sa)
		return tunnel_waits_for_traffic(t) ? TUNNEL_TRAP : TUNNEL_DOWN;
	return t->fit == FIT_HEALTH_FAILED || t->fit == FIT_BFD_DOWN ? TUNNEL_UNFIT : TUNNEL_UP;
}

/*
 * A tunnel that gets better is opened before routes move to it, one that gets worse is left by routes before it is
 * closed: in between no packet meets a closed tunnel while another one is open.
 */
void eligible_update(struct router *r, struct vpn_tunnel *t)
{
	enum fitness before = t->fit;

	if (t->gone)
		return;
	t->fit = (uint8_t)fitness_of(r, t);
	if (t->fit >= before)
		tunnel_refresh(r, t);
	model_tunnel_set(r->model, t->model->index, model_state(t->fit));
	if (t->fit < before)
		tunnel_refresh(r, t);
}

void eligible_sa(struct router *r, struct vpn_tunnel *t, struct mono now)
{
	health_sa(r->health, now, t->model->index, t->ike_state == IKE_TUNNEL_UP);
	bfd_tunnel(r, t, now);
	eligible_update(r, t);
}

bool eligible_is(const struct vpn_tunnel *t)
{
	return t->fit == FIT;
}

const char *eligible_why_not(const struct vpn_tunnel *t)
{
	switch ((enum fitness)t->fit) {
	case FIT_SA_DOWN:
		return "it has no SA";
	case FIT_ON_DEMAND:
		return "it has no SA: it waits for traffic";
	case FIT_BFD_DOWN:
		return "its BFD session is down";
	case FIT_BFD_WAIT:
		return "its BFD session is not up yet";
	case FIT_HEALTH_FAILED:
		return "its health check failed";
	case FIT_HEALTH_CHECKING:
		return "its health check has no answer yet";
	case FIT:
		break;
	}
	return NULL;
}
