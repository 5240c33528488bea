/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What must be true when the faults are over. From the topology alone: sessions stand, and where every
 * router is an AS of its own, each has the shortest path to the nearest originator of a prefix, in its
 * latest version. From neighbour to neighbour: what one announces the other has, no more, no less.
 */

#include <string.h>

#include "sim.h"

#define FAR 99

struct held { /* a router's route of a prefix, as it announces it */
	bool any, internal;
	uint32_t from, stamp;
	unsigned path_len;
};

static uint32_t stamp_of(const struct bgp_attrs *a)
{
	size_t len;
	const uint8_t *c = bgp_attrs_value(a, BGP_ATTR_COMMUNITY, &len);

	return len == 4 ? (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3]
			: 0;
}

static struct held held_by(struct router *r, unsigned prefix)
{
	static const struct bgp_decide_options options = {.max_paths = 1};
	struct ip_prefix p = sim_prefix(prefix);
	struct bgp_path path[ROUTERS_MAX];
	struct held h = {0};

	if (r->originates[prefix]) {
		h.any = true;
		h.stamp = (r->index + 1) << 16 | r->version[prefix];
		return h;
	}
	if (bgp_decide(path, bgp_paths(r->engine, &p, path, ROUTERS_MAX), &options) == 0)
		return h;
	h.any = true;
	h.from = path[0].peer;
	h.internal = !path[0].external;
	h.stamp = stamp_of(path[0].attrs);
	h.path_len = path[0].attrs->path_len;
	return h;
}

static void check_sessions(struct sim *s)
{
	for (unsigned i = 0; i < s->routers; i++) {
		for (unsigned k = 0; k < s->routers; k++) {
			struct bgp_peer_info info;

			if (!sim_link(s, i, k)->exists ||
			    (s->router[i].config[k].passive && s->router[k].config[i].passive))
				continue;
			if (bgp_peer_get(s->router[i].engine, k + 1, &info) != 0 ||
			    info.state != BGP_ESTABLISHED)
				sim_fail(s, "r%u: session with r%u is %s", i, k,
				    bgp_state_name(info.state));
			for (int f = 0; f < BGP_FAMILY_COUNT && !s->failure[0]; f++)
				if (info.rib[f].stale || info.rib[f].waiting)
					sim_fail(s, "r%u: r%u: %u stale, %u waiting", i, k,
					    info.rib[f].stale, info.rib[f].waiting);
		}
	}
}

/* Hops to the nearest originator, from the topology. */
static void distances(struct sim *s, unsigned prefix, unsigned hops[ROUTERS_MAX])
{
	for (unsigned i = 0; i < s->routers; i++)
		hops[i] = s->router[i].originates[prefix] ? 0 : FAR;
	for (unsigned round = 0; round < s->routers; round++)
		for (unsigned i = 0; i < s->routers; i++)
			for (unsigned k = 0; k < s->routers; k++)
				if (sim_link(s, i, k)->exists && hops[k] + 1 < hops[i])
					hops[i] = hops[k] + 1;
}

static void check_distances(struct sim *s, unsigned prefix)
{
	unsigned hops[ROUTERS_MAX];

	distances(s, prefix, hops);
	for (unsigned i = 0; i < s->routers; i++) {
		struct held h = held_by(&s->router[i], prefix);
		unsigned origin = (h.stamp >> 16) - 1;

		if (h.any != (hops[i] < FAR)) {
			sim_fail(s, "r%u: %s route to prefix %u", i, h.any ? "a" : "no", prefix);
		} else if (h.any &&
		    (h.path_len != hops[i] || origin >= s->routers ||
			!s->router[origin].originates[prefix] ||
			s->router[origin].version[prefix] != (h.stamp & 0xffff))) {
			sim_fail(s, "r%u: prefix %u: %u hops instead of %u, origin r%u", i, prefix,
			    h.path_len, hops[i], origin);
		}
	}
}

struct search {
	unsigned prefix;
	bool found;
	uint32_t stamp;
	unsigned path_len;
};

static void look(void *arg, const struct bgp_route_info *info)
{
	struct search *q = arg;
	struct ip_prefix p = sim_prefix(q->prefix);

	if (!ip_prefix_eq(&p, &info->prefix))
		return;
	q->found = true;
	q->stamp = stamp_of(info->received);
	q->path_len = info->received->path_len;
}

/* What `from` announces to `to` is what `to` has of it. */
static void check_edge(struct sim *s, struct router *from, struct router *to, unsigned prefix)
{
	struct held h = held_by(from, prefix);
	struct search q = {.prefix = prefix};
	bool internal = from->as == to->as;
	bool told = h.any && h.from != to->index + 1 && !(internal && h.internal);
	uint32_t cursor = 0;

	bgp_each_learned(to->engine, from->index + 1, prefix % 2 ? BGP_IPV6 : BGP_IPV4, &cursor,
	    100000, look, &q);
	if (q.found != told)
		sim_fail(s, "r%u %s prefix %u of r%u", to->index, q.found ? "still has" : "lacks",
		    prefix, from->index);
	else if (told && (q.stamp != h.stamp || q.path_len != h.path_len + !internal))
		sim_fail(s, "r%u has another route to prefix %u than r%u told it", to->index,
		    prefix, from->index);
}

void sim_check(struct sim *s)
{
	check_sessions(s);
	for (unsigned p = 0; p < s->prefixes && !s->failure[0]; p++) {
		if (!s->internal)
			check_distances(s, p);
		for (unsigned i = 0; i < s->routers; i++)
			for (unsigned k = 0; k < s->routers; k++)
				if (sim_link(s, i, k)->exists && !s->failure[0])
					check_edge(s, &s->router[i], &s->router[k], p);
	}
}
