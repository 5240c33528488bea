/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the configuration puts into each route table: static routes and blackholes of the table itself, and from
 * every attachment that propagates to it its connected prefixes, the routes behind it and, with flow protection, the
 * peer CIDRs (T10). The router's own addresses stand beside the subnets they are on.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

/* R6: static, connected/VPC, VBR/BGP, VPN/BGP, PEER. Addresses of ours come before all. */
#define RANK_LOCAL     0
#define RANK_STATIC    1
#define RANK_CONNECTED 2

static uint8_t rank_of(const struct attach *a)
{
	static const uint8_t rank[CONF_KIND_COUNT] = {
	    [CONF_KIND_VPC] = RANK_CONNECTED,
	    [CONF_KIND_VBR] = 3,
	    [CONF_KIND_CCN] = 3,
	    [CONF_KIND_VPN] = 4,
	    [CONF_KIND_PEER] = 5,
	};
	return rank[a->conf->kind];
}

static struct candidate *add(
    struct table *t, const struct ip_prefix *prefix, enum source source, struct attach *origin)
{
	if (t->candidate_count == t->candidate_room) {
		t->candidate_room = t->candidate_room ? t->candidate_room * 2 : 64;
		t->candidate = xrealloc(t->candidate, t->candidate_room * sizeof(*t->candidate));
	}
	struct candidate *c = &t->candidate[t->candidate_count++];

	memset(c, 0, sizeof(*c));
	c->prefix = *prefix;
	c->source = (uint8_t)source;
	c->origin = origin;
	switch (source) {
	case SOURCE_LOCAL:
		c->rank = RANK_LOCAL;
		break;
	case SOURCE_STATIC:
		c->rank = RANK_STATIC;
		break;
	case SOURCE_CONNECTED:
		c->rank = RANK_CONNECTED;
		break;
	default:
		c->rank = rank_of(origin);
	}
	return c;
}

/* May the route of `origin` enter, and with which preference? */
static void ask_ingress(struct model *m, const struct table *t, struct candidate *c)
{
	const struct policy_question q = {
	    .table = t->conf, .source = c->origin, .prefix = &c->prefix, .route = c->source};
	struct policy_answer answer = policy_ask(m, CONF_INGRESS, &q);

	if (!answer.permit) {
		c->lost = LOST_POLICY;
		c->policy = answer.priority;
	} else if (answer.policy && answer.policy->has_preference) {
		c->preference = answer.policy->set_preference;
	}
}

static void add_local(struct table *t, const struct ip_addr *addr)
{
	struct ip_prefix host = {.addr = *addr, .len = (uint8_t)(ip_bytes(addr->family) * 8)};

	add(t, &host, SOURCE_LOCAL, NULL);
}

/* The longest route of the attachment that covers the prefix, or the subnet it lies in, says where it goes. */
static void resolve(struct model *m, struct candidate *c)
{
	const struct attach *a = c->origin;
	const struct conf_attached_route *best = NULL;

	if (!a || !a->iface)
		return;
	if (!ip_is_set(&c->next_hop)) {
		for (unsigned i = 0; i < a->conf->routes_count; i++) {
			const struct conf_attached_route *r = a->conf->routes[i];

			if (ip_is_set(&r->next_hop) && ip_prefix_covers(&r->prefix, &c->prefix) &&
			    (!best || r->prefix.len > best->prefix.len))
				best = r;
		}
		if (best)
			c->next_hop = best->next_hop;
	}
	c->leaf =
	    ip_is_set(&c->next_hop) ? via_leaf(m, a->iface, &c->next_hop) : a->iface->pub.leaf;
}

/* A static route names an attachment, not a neighbour: one of its own routes may, or it has only one next hop. */
static void resolve_static(struct model *m, struct candidate *c)
{
	const struct attach *a = c->origin;

	if (a && a->iface && c->source == SOURCE_STATIC) {
		bool on_link = false;

		for (unsigned i = 0; i < a->conf->address_count; i++) {
			struct ip_prefix subnet =
			    ip_prefix_of(&a->conf->address[i].addr, a->conf->address[i].len);
			on_link |= ip_prefix_covers(&subnet, &c->prefix);
		}
		if (!on_link && a->conf->routes_count == 1)
			c->next_hop = a->conf->routes[0]->next_hop;
	}
	resolve(m, c);
}

static void collect_static(struct model *m, struct table *t)
{
	for (unsigned i = 0; i < t->conf->routes_count; i++) {
		const struct conf_static_route *r = t->conf->routes[i];
		struct attach *origin = r->blackhole ? NULL : attach_of(m, r->attachment);
		struct candidate *c = add(t, &r->prefix, SOURCE_STATIC, origin);

		c->blackhole = r->blackhole;
		resolve_static(m, c);
	}
}

static void add_connected(struct model *m, struct table *t, struct attach *a)
{
	for (unsigned i = 0; i < a->conf->address_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&a->conf->address[i].addr, a->conf->address[i].len);
		struct candidate *c = add(t, &subnet, SOURCE_CONNECTED, a);

		ask_ingress(m, t, c);
		c->leaf = a->iface->pub.leaf;
		if (c->lost == LOST_NOT)
			add_local(t, &a->conf->address[i].addr);
	}
}

static void add_attached(struct model *m, struct table *t, struct attach *a)
{
	for (unsigned i = 0; i < a->conf->routes_count; i++) {
		struct candidate *c = add(t, &a->conf->routes[i]->prefix, SOURCE_ATTACHED, a);

		c->next_hop = a->conf->routes[i]->next_hop;
		ask_ingress(m, t, c);
		resolve(m, c);
	}
}

static void add_flow(struct model *m, struct table *t, struct attach *a)
{
	const struct conf_connection *conn = a->conf->connection;

	if (!conn || conn->routing_mode != CONF_ROUTING_FLOW_PROTECTION)
		return;
	for (unsigned i = 0; i < conn->peer_cidrs_count; i++)
		ask_ingress(m, t, add(t, &conn->peer_cidrs[i], SOURCE_FLOW, a));
}

static bool propagates_to(const struct attach *a, const struct table *t)
{
	for (unsigned i = 0; i < a->conf->propagate_count; i++) {
		if (a->conf->propagate[i] == t->conf)
			return true;
	}
	return false;
}

static void collect_attachment(struct model *m, struct table *t, struct attach *a)
{
	bool propagates = propagates_to(a, t), associated = a->conf->associate == t->conf;

	if (propagates) {
		add_connected(m, t, a);
		add_attached(m, t, a);
	} else if (associated) {
		/* Its own router address answers, whatever the table learns. */
		for (unsigned i = 0; i < a->conf->address_count; i++)
			add_local(t, &a->conf->address[i].addr);
	}
	if (propagates || associated)
		add_flow(m, t, a);
}

/* Outer packets: our addresses on the uplinks; with a private gateway, in the table of the VBR that carries them. */
static void collect_gateways(struct model *m)
{
	struct tunnel_entry *tunnel;
	struct iface_entry *i;

	list_for (i, &m->ifaces, node) {
		for (unsigned k = 0; !i->attach && k < i->pub.address_count; k++)
			add_local(m->underlay, &i->pub.address[k].addr);
	}
	list_for (tunnel, &m->tunnels, node) {
		const struct conf_tunnel *conf = tunnel->pub.conf;
		struct table *t = conf->via ? table_of(m, conf->via->associate) : m->underlay;

		if (t)
			add_local(t, &conf->gateway_address);
	}
}

void candidates_collect(struct model *m)
{
	struct table *t;
	struct attach *a;

	list_for (t, &m->tables, node)
		t->candidate_count = 0;
	list_for (t, &m->tables, node) {
		if (!t->conf)
			continue;
		collect_static(m, t);
		list_for (a, &m->attachments, node)
			collect_attachment(m, t, a);
	}
	collect_gateways(m);
}
