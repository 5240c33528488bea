/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the configuration puts into each route table: static routes and blackholes of the table
 * itself, and from every attachment that propagates to it its connected prefixes, the routes behind
 * it and, with flow protection, the peer CIDRs (T10). The router's own addresses stand beside the
 * subnets they are on.
 */

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

/* R6: static, connected and VPC, VBR/BGP, VPN/BGP, PEER. Addresses of ours come before all. */
enum rank { RANK_LOCAL, RANK_STATIC, RANK_CONNECTED, RANK_VPC, RANK_LINE, RANK_VPN, RANK_PEER };

static enum rank rank_of_kind(const struct attach *a)
{
	static const enum rank rank[CONF_KIND_COUNT] = {
	    [CONF_KIND_VPC] = RANK_VPC,
	    [CONF_KIND_VBR] = RANK_LINE,
	    [CONF_KIND_CCN] = RANK_LINE,
	    [CONF_KIND_VPN] = RANK_VPN,
	    [CONF_KIND_PEER] = RANK_PEER,
	};
	return rank[a->conf->kind];
}

static enum rank rank_of(enum source source, const struct attach *origin)
{
	switch (source) {
	case SOURCE_LOCAL:
	case SOURCE_HEALTH:
		return RANK_LOCAL;
	case SOURCE_STATIC:
		return RANK_STATIC;
	case SOURCE_CONNECTED:
		return RANK_CONNECTED;
	case SOURCE_ATTACHED:
	case SOURCE_FLOW:
	case SOURCE_BGP:
		break;
	}
	return rank_of_kind(origin);
}

uint8_t candidate_rank(enum source source, const struct attach *origin)
{
	return (uint8_t)rank_of(source, origin);
}

static struct candidate *add(
    struct table *t, const struct ip_prefix *prefix, enum source source, struct attach *origin)
{
	struct rib *rib = &t->next;

	if (rib->candidate_count == rib->candidate_room) {
		rib->candidate_room = rib->candidate_room ? rib->candidate_room * 2 : 64;
		rib->candidate =
		    xrealloc(rib->candidate, rib->candidate_room * sizeof(*rib->candidate));
	}
	struct candidate *c = &rib->candidate[rib->candidate_count++];

	memset(c, 0, sizeof(*c));
	c->prefix = *prefix;
	c->source = (uint8_t)source;
	c->origin = origin;
	c->rank = (uint8_t)rank_of(source, origin);
	return c;
}

static void add_own(struct table *t, const struct ip_addr *addr, enum source source)
{
	const struct ip_prefix host = {.addr = *addr, .len = (uint8_t)(ip_bytes(addr->family) * 8)};

	add(t, &host, source, NULL);
}

static void add_local(struct table *t, const struct ip_addr *addr)
{
	add_own(t, addr, SOURCE_LOCAL);
}

/* May the route enter, and with which preference? */
bool candidate_enters(const struct table *t, struct candidate *c)
{
	const struct policy_answer answer = policy_ingress(t, c);

	if (!answer.permit) {
		c->lost = LOST_POLICY;
		c->policy = answer.priority;
		return false;
	}
	c->ingress = answer.policy;
	if (answer.policy && answer.policy->has_preference)
		c->preference = answer.policy->set_preference;
	return true;
}

static int set_next_hop(struct model *m, struct candidate *c, const struct ip_addr *next_hop)
{
	c->next_hop = *next_hop;
	c->via = via_get(m, c->origin->iface, next_hop);
	return c->via ? 0 : -ENOSPC;
}

/* ---- static routes ---- */

/* The length of the longest subnet of the attachment around the prefix; -1: none. */
static int on_link(const struct conf_attachment *a, const struct ip_prefix *prefix)
{
	int best = -1;

	for (unsigned i = 0; i < a->address_count; i++) {
		struct ip_prefix subnet = ip_prefix_of(&a->address[i].addr, a->address[i].len);

		if (ip_prefix_covers(&subnet, prefix) && subnet.len > best)
			best = subnet.len;
	}
	return best;
}

/* The length of the longest route of the attachment around the prefix; -1: none. */
static int routed(const struct conf_attachment *a, const struct ip_prefix *prefix)
{
	int best = -1;

	for (unsigned i = 0; i < a->routes_count; i++) {
		if (ip_prefix_covers(&a->routes[i]->prefix, prefix) &&
		    a->routes[i]->prefix.len > best)
			best = a->routes[i]->prefix.len;
	}
	return best;
}

/*
 * The next hop that all routes of the attachment in the prefix' family share, or its BGP peer when it has no routes;
 * NULL: none, or several.
 */
static const struct ip_addr *only_next_hop(
    const struct conf_attachment *a, const struct ip_prefix *prefix)
{
	const struct ip_addr *only = NULL;

	for (unsigned i = 0; i < a->routes_count; i++) {
		const struct ip_addr *hop = &a->routes[i]->next_hop;

		if (hop->family != prefix->addr.family)
			continue;
		if (only && !ip_eq(only, hop))
			return NULL;
		only = hop;
	}
	if (!only && a->bgp.enabled && a->bgp.peer.family == prefix->addr.family)
		only = &a->bgp.peer;
	return only;
}

/*
 * A static route names an attachment, not a neighbour of it. On a port the longest prefix around
 * the route says which one: a subnet (the destination itself) or routes of the attachment (their
 * next hops); without any, the only next hop that the attachment has. conf/check_tables.c warns where there is none.
 */
static int add_static_on_port(
    struct model *m, struct table *t, const struct ip_prefix *prefix, struct attach *a)
{
	int direct = on_link(a->conf, prefix), behind = routed(a->conf, prefix), rc = 0;
	const struct ip_addr *only = only_next_hop(a->conf, prefix);

	if (direct >= 0 && direct >= behind) {
		add(t, prefix, SOURCE_STATIC, a);
		return 0;
	}
	if (behind < 0) {
		struct candidate *c = add(t, prefix, SOURCE_STATIC, a);

		if (!only)
			c->lost = LOST_UNRESOLVED;
		return only ? set_next_hop(m, c, only) : 0;
	}
	for (unsigned i = 0; i < a->conf->routes_count && rc == 0; i++) {
		const struct conf_attached_route *r = a->conf->routes[i];

		if (r->prefix.len == behind && ip_prefix_covers(&r->prefix, prefix))
			rc = set_next_hop(m, add(t, prefix, SOURCE_STATIC, a), &r->next_hop);
	}
	return rc;
}

static int collect_static(struct model *m, struct table *t)
{
	int rc = 0;

	for (unsigned i = 0; i < t->conf->routes_count && rc == 0; i++) {
		const struct conf_static_route *r = t->conf->routes[i];
		struct attach *a = r->blackhole ? NULL : attach_of(m, r->attachment);

		if (a && a->iface)
			rc = add_static_on_port(m, t, &r->prefix, a);
		else
			add(t, &r->prefix, SOURCE_STATIC, a)->blackhole = !a;
	}
	return rc;
}

/* ---- attachments ---- */

static void add_connected(struct table *t, struct attach *a, bool associated)
{
	for (unsigned i = 0; i < a->conf->address_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&a->conf->address[i].addr, a->conf->address[i].len);
		bool enters = candidate_enters(t, add(t, &subnet, SOURCE_CONNECTED, a));

		if (enters || associated)
			add_local(t, &a->conf->address[i].addr);
	}
}

static int add_attached(struct model *m, struct table *t, struct attach *a)
{
	int rc = 0;

	for (unsigned i = 0; i < a->conf->routes_count && rc == 0; i++) {
		const struct conf_attached_route *r = a->conf->routes[i];
		struct candidate *c = add(t, &r->prefix, SOURCE_ATTACHED, a);

		candidate_enters(t, c);
		if (a->iface)
			rc = set_next_hop(m, c, &r->next_hop);
	}
	return rc;
}

static void add_flow(struct table *t, struct attach *a)
{
	const struct conf_connection *conn = a->conf->connection;

	if (!conn || conn->routing_mode != CONF_ROUTING_FLOW_PROTECTION)
		return;
	for (unsigned i = 0; i < conn->peer_cidrs_count; i++)
		candidate_enters(t, add(t, &conn->peer_cidrs[i], SOURCE_FLOW, a));
}

/* H4: answers to health checks and BFD come out of the tunnel and are looked up in the table of its attachment. */
static void add_checks(struct table *t, const struct conf_connection *conn)
{
	for (unsigned i = 0; conn && i < conn->tunnels_count; i++) {
		const struct conf_health_check *check = &conn->tunnels[i]->health_check;

		const struct conf_bfd *bfd = &conn->tunnels[i]->bfd;

		if (check->enabled)
			add_own(t, &check->source_address, SOURCE_HEALTH);
		if (bfd->enabled)
			add_local(t, &bfd->local);
	}
}

bool propagates_to(const struct attach *a, const struct table *t)
{
	for (unsigned i = 0; i < a->conf->propagate_count; i++) {
		if (a->conf->propagate[i] == t->conf)
			return true;
	}
	return false;
}

/* Our ends of the BGP sessions in its tunnels are where packets out of these are looked up (B3). */
static void add_sessions(struct table *t, const struct attach *a)
{
	for (unsigned i = 0; i < a->tunnel_count; i++) {
		const struct conf_tunnel_bgp *bgp = &a->tunnel[i]->pub.conf->bgp;

		if (bgp->enabled)
			add_local(t, &bgp->local_ip);
	}
}

static int collect_attachment(struct model *m, struct table *t, struct attach *a)
{
	bool propagates = propagates_to(a, t), associated = a->conf->associate == t->conf;
	int rc = 0;

	if (propagates) {
		add_connected(t, a, associated);
		rc = add_attached(m, t, a);
	} else if (associated) {
		/* Its own router address answers, whatever the table learns. */
		for (unsigned i = 0; i < a->conf->address_count; i++)
			add_local(t, &a->conf->address[i].addr);
	}
	if (associated)
		add_checks(t, a->conf->connection);
	if (propagates || associated)
		add_flow(t, a);
	if (associated)
		add_sessions(t, a);
	return rc;
}

/* ---- gateways ---- */

/*
 * Outer packets: our addresses on the uplinks; with a private gateway, in the table of the VBR that
 * carries them.
 */
static void collect_gateways(struct model *m)
{
	struct tunnel_entry *tunnel;
	struct iface_entry *i;

	list_for (i, &m->ifaces, node) {
		for (unsigned k = 0; i->seen && !i->attach && k < i->pub.address_count; k++)
			add_local(m->underlay, &i->pub.address[k].addr);
	}
	list_for (tunnel, &m->tunnels, node) {
		const struct conf_tunnel *conf = tunnel->pub.conf;
		struct table *t;

		if (!tunnel->seen)
			continue;
		t = conf->via ? table_of(m, conf->via->associate) : m->underlay;
		if (t)
			add_local(t, &conf->gateway_address);
	}
}

int candidates_collect(struct model *m)
{
	struct table *t;
	struct attach *a;
	int rc = 0;

	list_for (t, &m->tables, node) {
		if (!t->conf || !t->seen)
			continue;
		rc = collect_static(m, t);
		list_for (a, &m->attachments, node) {
			if (rc == 0 && a->seen)
				rc = collect_attachment(m, t, a);
		}
		if (rc < 0)
			return rc;
	}
	collect_gateways(m);
	return 0;
}
