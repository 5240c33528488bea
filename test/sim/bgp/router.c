/* SPDX-License-Identifier: BSD-3-Clause */

/* A router: an engine, prefixes of its own, and a model that announces the best of what there is. */

#include <stdio.h>

#include "sim.h"

#define RESTART_S  60
#define DEFERRAL_S 30

/* Even ones are IPv4, odd ones IPv6. */
struct ip_prefix sim_prefix(unsigned i)
{
	const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)i};

	if (i % 2)
		return (struct ip_prefix){.addr = ip_from_bytes(IP_V6, v6), .len = 48};
	return (struct ip_prefix){.addr = ip_v4(0x64000000 + (i << 8)), .len = 24};
}

static unsigned number_of(const struct ip_prefix *p)
{
	return p->addr.family == IP_V6 ? p->addr.bytes[5] : p->addr.bytes[2];
}

/* Who originated it, in which version: told along as a community. */
static const struct bgp_attrs *stamp(struct router *r, unsigned prefix)
{
	const struct bgp_edit edit = {
	    .community_count = 1, .community = {(r->index + 1) << 16 | r->version[prefix]}};

	return bgp_attrs_local(r->engine, BGP_ORIGIN_IGP, &edit);
}

static void publish_own(struct router *r, unsigned prefix)
{
	const struct bgp_attrs *attrs = stamp(r, prefix);
	struct ip_prefix p = sim_prefix(prefix);

	bgp_view_set(r->engine, VIEW, &p, attrs, 0, 0);
	bgp_attrs_unref(r->engine, attrs);
}

static void publish(struct router *r, const struct ip_prefix *prefix)
{
	static const struct bgp_decide_options options = {.max_paths = 1};
	unsigned i = number_of(prefix);
	struct bgp_path path[ROUTERS_MAX];
	unsigned n;

	if (r->originates[i])
		return;
	n = bgp_paths(r->engine, prefix, path, ROUTERS_MAX);
	if (bgp_decide(path, n, &options) > 0)
		bgp_view_set(r->engine, VIEW, prefix, path[0].attrs, path[0].peer, 0);
	else
		bgp_view_unset(r->engine, VIEW, prefix);
	if (n == 0 && r->sim->steady)
		sim_fail(r->sim, "%s lost prefix %u while r%u restarted", r->name, i,
		    r->sim->steady - 1);
}

void sim_decide(struct router *r)
{
	struct bgp_change change[8];
	size_t n;

	r->decide_due = false;
	if (!r->engine)
		return;
	n = bgp_changes(r->engine, change, 8);
	for (size_t i = 0; i < n; i++)
		publish(r, &change[i].prefix);
	if (n == 0 && r->restarted) {
		r->restarted = false;
		bgp_restart_done(r->engine, r->sim->now);
	}
	sim_touch(r);
}

void sim_touch(struct router *r)
{
	struct sim *s = r->sim;

	if (r->decide_due || !r->engine || (bgp_changes_waiting(r->engine) == 0 && !r->restarted))
		return;
	r->decide_due = true;
	sim_at(s, DUR_US(rng_below(&s->rng, 20000)), EV_DECIDE, r->index, NULL);
}

void sim_originate(struct router *r, unsigned prefix, bool on)
{
	struct ip_prefix p = sim_prefix(prefix);

	r->originates[prefix] = on;
	r->version[prefix]++;
	if (!r->engine)
		return;
	if (on)
		publish_own(r, prefix);
	else
		publish(r, &p);
}

void sim_router_up(struct router *r, bool restarting)
{
	struct sim *s = r->sim;
	const struct bgp_config config = {.router_id = r->id,
	    .restart_s = RESTART_S,
	    .forwarding_kept = true,
	    .restarting = restarting && (s->steady || rng_below(&s->rng, 4) > 0),
	    .deferral_s = DEFERRAL_S};

	r->restarted = false;
	r->engine = bgp_create(&sim_ops, r, &r->rng, &config, s->now);
	sim_log(s, "%s: up%s", r->name, config.restarting ? ", after a restart" : "");
	for (unsigned i = 0; i < s->routers; i++) {
		const char *why = NULL;

		if (!sim_link(s, r->index, i)->exists)
			continue;
		if (bgp_peer_add(r->engine, s->now, i + 1, &r->config[i], &why) != 0)
			sim_fail(s, "%s: peer r%u: %s", r->name, i, why ? why : "not added");
		bgp_peer_start(r->engine, s->now, i + 1);
	}
	for (unsigned i = 0; i < s->prefixes; i++)
		if (r->originates[i])
			publish_own(r, i);
	sim_touch(r);
}

/* Everything stopped and taken back: nothing may be left. */
static void check_empty(struct router *r)
{
	struct sim *s = r->sim;
	struct bgp_change change[64];
	struct bgp_usage u;

	for (unsigned i = 0; i < 10000 && bgp_run(r->engine, s->now); i++)
		;
	while (bgp_changes(r->engine, change, 64) > 0)
		;
	bgp_view_remove(r->engine, VIEW);
	for (unsigned i = 0; i < 10000 && bgp_run(r->engine, s->now); i++)
		;
	u = bgp_usage(r->engine);
	if (u.prefixes[0] || u.prefixes[1] || u.routes[0] || u.routes[1] || u.attribute_sets ||
	    u.timers)
		sim_fail(s, "%s: left over: %u prefixes, %u routes, %u sets, %u timers", r->name,
		    u.prefixes[0] + u.prefixes[1], u.routes[0] + u.routes[1], u.attribute_sets,
		    u.timers);
}

void sim_router_down(struct router *r, bool told)
{
	struct sim *s = r->sim;

	if (!r->engine)
		return;
	sim_log(s, "%s: down%s", r->name, told ? ", peers told" : "");
	for (unsigned i = 0; told && i < s->routers; i++)
		bgp_peer_stop(r->engine, s->now, i + 1, BGP_CEASE_SHUTDOWN, "going down");
	if (told)
		check_empty(r);
	bgp_destroy(r->engine);
	r->engine = NULL;
}
