/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The state of the engine as plain structs, without secrets, for `show` and metrics.
 */

#include <errno.h>

#include "ike/child.h"
#include "ike/sa.h"

/* -1 for a time that never comes. */
static int64_t until(struct mono now, struct mono then)
{
	int64_t left = mono_diff(now, then);

	return !mono_is_set(then) ? -1 : left > 0 ? left : 0;
}

static struct ike_tunnel_info tunnel_info(const struct ike_tunnel *t, struct mono now)
{
	return (struct ike_tunnel_info){
	    .tunnel = t->id,
	    .name = t->config.name,
	    .state = t->state,
	    .state_age_ns = mono_diff(t->state_since, now),
	    .last_error = t->last_error,
	    .attempts = t->attempts,
	    .established = t->established,
	    .rekeys = t->rekeys,
	    .retry_in_ns = timer_is_armed(&t->retry) ? until(now, t->retry.due) : -1,
	    .rehearsal = t->rehearsal,
	};
}

void ike_each_tunnel(const struct ike_engine *e, struct mono now,
    void (*fn)(void *arg, const struct ike_tunnel_info *info), void *arg)
{
	const struct ike_tunnel *t;

	list_for (t, &e->tunnels, node) {
		struct ike_tunnel_info info = tunnel_info(t, now);

		fn(arg, &info);
	}
}

int ike_tunnel_get(
    const struct ike_engine *e, struct mono now, uint32_t id, struct ike_tunnel_info *out)
{
	const struct ike_tunnel *t = ike_engine_find_tunnel(e, id);

	if (!t)
		return -ENOENT;
	*out = tunnel_info(t, now);
	return 0;
}

static unsigned count_tasks(const struct ike_sa *sa)
{
	const struct ike_task *t;
	unsigned count = 0;

	list_for (t, &sa->tasks, node)
		count++;
	return count;
}

static struct ike_sa_info sa_info(const struct ike_sa *sa, struct mono now)
{
	return (struct ike_sa_info){
	    .tunnel = sa->tunnel ? sa->tunnel->id : 0,
	    .name = sa->tunnel ? sa->tunnel->config.name : "",
	    .version = sa->driver->version,
	    .state = ike_sa_state_name(sa->state),
	    .initiator = sa->initiator,
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .local = sa->local,
	    .remote = sa->remote,
	    .nat_here = sa->nat.here,
	    .nat_there = sa->nat.there,
	    .encr = sa->suite.encr,
	    .integ = sa->suite.integ,
	    .prf = sa->suite.prf,
	    .dh = sa->suite.dh,
	    .age_ns = mono_is_set(sa->established) ? mono_diff(sa->established, now) : 0,
	    .rekey_in_ns = until(now, sa->soft),
	    .expire_in_ns = until(now, sa->hard),
	    .children = ike_child_count(sa),
	    .queued = count_tasks(sa),
	};
}

void ike_tunnel_each_sa(const struct ike_engine *e, struct mono now, uint32_t id,
    void (*fn)(void *arg, const struct ike_sa_info *info), void *arg)
{
	const struct ike_tunnel *t = ike_engine_find_tunnel(e, id);
	const struct ike_sa *sa;

	if (!t)
		return;
	list_for (sa, &t->sas, tunnel_node) {
		struct ike_sa_info info = sa_info(sa, now);

		fn(arg, &info);
	}
}

void ike_each_stranger(const struct ike_engine *e, struct mono now,
    void (*fn)(void *arg, const struct ike_sa_info *info), void *arg)
{
	const struct ike_sa *sa;

	list_for (sa, &e->half_open, half_open_node) {
		struct ike_sa_info info = sa_info(sa, now);

		fn(arg, &info);
	}
}

void ike_each_sa(const struct ike_engine *e, struct mono now,
    void (*fn)(void *arg, const struct ike_sa_info *info), void *arg)
{
	const struct ike_tunnel *t;

	list_for (t, &e->tunnels, node)
		ike_tunnel_each_sa(e, now, t->id, fn, arg);
	ike_each_stranger(e, now, fn, arg);
}

static struct ike_child_info child_info(const struct ike_child_sa *c, struct mono now)
{
	return (struct ike_child_info){
	    .tunnel = c->sa->tunnel->id,
	    .name = c->sa->tunnel->config.name,
	    .state = ike_child_state_name(c->state),
	    .spi_i = c->sa->spi_i,
	    .spi_in = c->info.spi_in,
	    .spi_out = c->info.spi_out,
	    .encr = c->info.encr,
	    .auth = c->info.auth,
	    .dh = c->info.dh,
	    .esn = c->info.esn,
	    .udp_encap = c->info.udp_encap,
	    .outbound = c->outbound,
	    .local = c->info.local,
	    .remote = c->info.remote,
	    .local_ts = c->local_ts,
	    .remote_ts = c->remote_ts,
	    .local_ts_count = c->info.local_ts_count,
	    .remote_ts_count = c->info.remote_ts_count,
	    .age_ns = mono_diff(c->made, now),
	    .rekey_in_ns = until(now, c->soft),
	    .expire_in_ns = until(now, c->hard),
	};
}

void ike_tunnel_each_child(const struct ike_engine *e, struct mono now, uint32_t id,
    void (*fn)(void *arg, const struct ike_child_info *info), void *arg)
{
	const struct ike_tunnel *t = ike_engine_find_tunnel(e, id);
	const struct ike_sa *sa;
	const struct ike_child_sa *c;

	if (!t)
		return;
	list_for (sa, &t->sas, tunnel_node) {
		list_for (c, &sa->children, node) {
			struct ike_child_info info = child_info(c, now);

			fn(arg, &info);
		}
	}
}
