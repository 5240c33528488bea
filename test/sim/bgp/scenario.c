/* SPDX-License-Identifier: BSD-3-Clause */

/* What a seed means: topology and options, then faults and commands until the play is over. */

#include <stdio.h>
#include <string.h>

#include "sim.h"

#define FIRST_AS 64600u

static bool chance(struct sim *s, unsigned percent)
{
	return rng_below(&s->rng, 100) < percent;
}

static struct ip_addr hop_of(unsigned of)
{
	const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb9, [15] = (uint8_t)(of + 1)};

	return ip_from_bytes(IP_V6, bytes);
}

static struct bgp_peer_config base_config(struct sim *s, unsigned from, unsigned to)
{
	struct bgp_peer_config c = bgp_peer_defaults();

	snprintf(c.name, sizeof(c.name), "r%u>r%u", from, to);
	c.transport.local = ip_v4(0xac100000 + (from << 8 | to));
	c.transport.remote = ip_v4(0xac100000 + (to << 8 | from));
	c.local_as = s->router[from].as;
	c.remote_as = s->router[to].as;
	c.families = BGP_FAMILIES_ALL;
	c.next_hop[BGP_IPV6] = hop_of(from);
	c.view = VIEW;
	c.hold_s = (uint16_t)(9 + rng_below(&s->rng, 90));
	c.connect_retry_s = (uint16_t)(5 + rng_below(&s->rng, 25));
	c.idle_hold_s = (uint16_t)(1 + rng_below(&s->rng, 5));
	c.idle_hold_max_s = 30;
	c.stale_s = 60;
	c.graceful_restart = chance(s, 60);
	c.route_refresh = chance(s, 80);
	c.extended_messages = chance(s, 50);
	c.mrai_ms = chance(s, 30) ? rng_below(&s->rng, 3000) : 0;
	c.next_hop_self = true; /* no routing beneath: next hops of others are unknown here */
	return c;
}

static void connect(struct sim *s, unsigned a, unsigned b)
{
	struct link *l = sim_link(s, a, b);
	bool a_waits = chance(s, 20);

	l->exists = true;
	l->delay_ns = DUR_US(100 + rng_below(&s->rng, chance(s, 20) ? 300000 : 5000));
	s->router[a].config[b] = base_config(s, a, b);
	s->router[b].config[a] = base_config(s, b, a);
	s->router[a].config[b].passive = a_waits;
	s->router[b].config[a].passive = !a_waits && chance(s, 20);
}

/* Connected, with some links more than a tree has. */
static void make_links(struct sim *s)
{
	for (unsigned i = 1; i < s->routers; i++)
		connect(s, rng_below(&s->rng, i), i);
	for (unsigned i = 0; i < s->routers; i++)
		for (unsigned k = i + 1; k < s->routers; k++)
			if (!sim_link(s, i, k)->exists && chance(s, 40))
				connect(s, i, k);
	if (s->internal && !sim_link(s, 0, 1)->exists)
		connect(s, 0, 1);
}

void sim_setup(struct sim *s)
{
	rng_init_seeded(&s->rng, s->seed);
	s->now = (struct mono){DUR_S(1000)};
	s->routers = 2 + rng_below(&s->rng, ROUTERS_MAX - 1);
	s->prefixes = 1 + rng_below(&s->rng, PREFIXES_MAX);
	s->internal = chance(s, 25);
	for (unsigned i = 0; i < s->routers; i++) {
		struct router *r = &s->router[i];

		r->sim = s;
		r->index = i;
		snprintf(r->name, sizeof(r->name), "r%u", i);
		r->as = FIRST_AS + (s->internal && i == 1 ? 0 : i);
		if (chance(s, 20) && !s->internal)
			r->as += 100000; /* four octets */
		r->id = 1 + rng_below(&s->rng, 3) * 256 + i;
		rng_init_seeded(&r->rng, rng_u64(&s->rng));
	}
	if (!s->internal && chance(s, 10)) /* RFC 6286 */
		s->router[1].id = s->router[0].id;
	make_links(s);
	for (unsigned i = 0; i < s->routers; i++) {
		for (unsigned p = 0; p < s->prefixes; p++)
			if (chance(s, 30))
				sim_originate(&s->router[i], p, true);
		sim_router_up(&s->router[i], false);
	}
	s->actions_end = mono_add(s->now, DUR_S(20 + rng_below(&s->rng, 300)));
	sim_at(s, DUR_MS(rng_below(&s->rng, 5000)), EV_ACTION, 0, NULL);
}

/* ---- faults and commands ---- */

static void flap(struct sim *s, struct router *r)
{
	for (unsigned n = 1 + rng_below(&s->rng, 10); n > 0; n--)
		sim_originate(r, rng_below(&s->rng, s->prefixes), chance(s, 60));
}

static void cut(struct sim *s, unsigned a, unsigned b)
{
	int64_t ns = DUR_MS(100 + rng_below(&s->rng, chance(s, 30) ? 200000 : 8000));

	sim_log(s, "link r%u-r%u cut for %.1f s", a, b, (double)ns / 1e9);
	sim_link(s, a, b)->cut = true;
	sim_at(s, ns, EV_HEAL, a * ROUTERS_MAX + b, NULL);
}

static void crash(struct sim *s, struct router *r)
{
	sim_router_down(r, chance(s, 30));
	sim_at(s, DUR_MS(rng_below(&s->rng, 70000)), EV_REVIVE, r->index, NULL);
}

static void reconfigure(struct sim *s, struct router *r, unsigned peer)
{
	struct bgp_peer_config c = r->config[peer];

	switch (rng_below(&s->rng, 6)) {
	case 0:
		c.mrai_ms = rng_below(&s->rng, 2000);
		break;
	case 1:
		c.view = c.view ? 0 : VIEW;
		break;
	case 2:
		c.graceful_restart = !c.graceful_restart;
		break;
	case 3:
		c.limit_in[BGP_IPV4] =
		    (struct bgp_prefix_limit){.max = 1 + rng_below(&s->rng, s->prefixes),
			.restart_s = rng_below(&s->rng, 20)};
		break;
	case 4:
		c.limit_out[rng_below(&s->rng, 2)] = 1 + rng_below(&s->rng, s->prefixes);
		break;
	default:
		c.transport.ttl ^= 1;
		break;
	}
	sim_log(s, "%s: peer r%u reconfigured", r->name, peer);
	bgp_peer_update(r->engine, s->now, peer + 1, &c, NULL);
}

static void command(struct sim *s, struct router *r, unsigned peer)
{
	switch (rng_below(&s->rng, 8)) {
	case 0:
		bgp_peer_reset(r->engine, s->now, peer + 1, chance(s, 50), "reset");
		break;
	case 1:
		bgp_peer_stop(r->engine, s->now, peer + 1, BGP_CEASE_SHUTDOWN, "stop");
		break;
	case 2:
	case 3:
		bgp_peer_start(r->engine, s->now, peer + 1);
		break;
	case 4:
		bgp_peer_refresh(r->engine, s->now, peer + 1);
		break;
	case 5:
		bgp_peer_reimport(r->engine, peer + 1);
		bgp_peer_reexport(r->engine, peer + 1);
		break;
	case 6:
		bgp_peer_remove(r->engine, s->now, peer + 1);
		bgp_peer_add(r->engine, s->now, peer + 1, &r->config[peer], NULL);
		bgp_peer_start(r->engine, s->now, peer + 1);
		break;
	default:
		reconfigure(s, r, peer);
		break;
	}
	sim_touch(r);
}

static unsigned random_peer(struct sim *s, unsigned of)
{
	unsigned i;

	do {
		i = rng_below(&s->rng, s->routers);
	} while (!sim_link(s, of, i)->exists);
	return i;
}

void sim_action(struct sim *s)
{
	struct router *r = &s->router[rng_below(&s->rng, s->routers)];
	unsigned peer = random_peer(s, r->index);

	if (s->quiet)
		return;
	switch (rng_below(&s->rng, 12)) {
	case 0:
		cut(s, r->index, peer);
		break;
	case 1:
		sim_log(s, "connections %s-r%u break", r->name, peer);
		sim_break(s, r->index, peer, chance(s, 40));
		break;
	case 2:
		if (chance(s, 30))
			crash(s, r);
		break;
	case 3:
		sim_stall(
		    s, r->index, peer, DUR_MS(rng_below(&s->rng, chance(s, 20) ? 900000 : 9000)));
		break;
	case 4:
	case 5:
		if (r->engine)
			command(s, r, peer);
		break;
	default:
		flap(s, r);
		break;
	}
	sim_at(s, DUR_MS(rng_below(&s->rng, 6000)), EV_ACTION, 0, NULL);
}

/* Everybody is up, connected, started, and configured as in the beginning. */
void sim_heal(struct sim *s)
{
	s->quiet = true;
	for (unsigned i = 0; i < s->routers; i++) {
		struct router *r = &s->router[i];

		if (!r->engine)
			sim_router_up(r, true);
		for (unsigned k = 0; k < s->routers; k++) {
			if (!sim_link(s, i, k)->exists)
				continue;
			sim_link(s, i, k)->cut = false;
			bgp_peer_update(r->engine, s->now, k + 1, &r->config[k], NULL);
			bgp_peer_start(r->engine, s->now, k + 1);
		}
		sim_touch(r);
	}
	for (struct pipe *p = s->pipes; p; p = p->next)
		p->end[0].stalled = p->end[1].stalled = false;
}

void sim_restart(struct sim *s)
{
	unsigned i = rng_below(&s->rng, s->routers);
	struct router *r = &s->router[i];
	unsigned downs = 0;

	for (unsigned k = 0; k < s->routers; k++)
		if (sim_link(s, i, k)->exists &&
		    (!r->config[k].graceful_restart || !s->router[k].config[i].graceful_restart))
			return;
	s->steady = 1 + i;
	for (unsigned k = 0; k < s->routers; k++)
		downs += s->router[k].downs[i];
	sim_router_down(r, false);
	sim_run_until(s, mono_add(s->now, DUR_MS(rng_below(&s->rng, 25000))));
	if (s->failure[0])
		return;
	sim_router_up(r, true);
	sim_run_until(s, mono_add(s->now, DUR_S(200)));
	for (unsigned k = 0; k < s->routers; k++)
		downs -= s->router[k].downs[i];
	if (downs == 0)
		sim_fail(s, "nobody noticed that r%u restarted", i);
	s->steady = 0;
}
