/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of route tables (R3, A8) and routing policies (R5). */
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"
#include "conf/pool.h"

/* The static routes of one prefix in one table. */
struct group {
	struct conf_static_route *first;
	unsigned next_hops;
};

static unsigned next_hops(const struct conf_static_route *r)
{
	const struct conf_connection *c = r->attachment ? r->attachment->connection : NULL;

	return c && c->ha == CONF_HA_ECMP ? c->tunnels_count : 1;
}

static void check_target(struct loader *l, const struct conf_static_route *r)
{
	if (r->blackhole && r->attachment_name)
		fail_object(l, &r->source,
		    "static route: it has an attachment and is a blackhole; remove one of them");
	else if (!r->blackhole && !r->attachment_name &&
	    !is_reported(l, &r->source, "attachment") && !is_reported(l, &r->source, "blackhole"))
		fail_object(l, &r->source,
		    "static route: it leads nowhere; give `attachment: NAME`, or `blackhole: yes`");
}

/* Another route of the attachment: does it say which neighbour is meant? */
static bool names_hop(const struct conf_attached_route *r, const struct ip_prefix *prefix,
    const struct ip_addr **only, bool *several)
{
	if (ip_prefix_covers(&r->prefix, prefix))
		return true;
	if (r->next_hop.family != prefix->addr.family)
		return false;
	*several |= *only && !ip_eq(*only, &r->next_hop);
	*only = &r->next_hop;
	return false;
}

/* On a port: a subnet, a route, or the only neighbour that it knows of (model/candidates.c). */
static bool has_hop(const struct conf_attachment *a, const struct ip_prefix *prefix)
{
	const struct ip_addr *only = NULL;
	bool several = false;

	for (unsigned i = 0; i < a->address_count; i++) {
		const struct ip_prefix subnet =
		    ip_prefix_of(&a->address[i].addr, a->address[i].len);

		if (ip_prefix_covers(&subnet, prefix))
			return true;
	}
	for (unsigned i = 0; i < a->routes_count; i++) {
		if (names_hop(a->routes[i], prefix, &only, &several))
			return true;
	}
	if (!only && a->bgp.enabled && a->bgp.peer.family == prefix->addr.family)
		return true;
	return only && !several;
}

static void check_hop(struct loader *l, const struct conf_static_route *r)
{
	const struct conf_attachment *a = r->attachment;
	char text[IP_PREFIX_TEXT_MAX];

	if (a && a->port_name && !has_hop(a, &r->prefix))
		warn_object(l, &r->source,
		    "static route: nothing says which neighbour on '%s' leads to %s, so its packets are "
		    "dropped, and BGP peers are not told it; give '%s' `routes: [{prefix: %s, next-hop: ...}]`",
		    a->name, ip_prefix_text(&r->prefix, text), a->name, text);
}

/* A second route of the same prefix joins the first as ECMP, or contradicts it. */
static void join_group(struct loader *l, const struct conf_route_table *table,
    struct conf_static_route *r, struct group *g)
{
	unsigned limit = l->conf->transit_router.limits.ecmp, before = g->next_hops;
	char text[IP_PREFIX_TEXT_MAX];

	ip_prefix_text(&r->prefix, text);
	g->next_hops += next_hops(r);
	if (r != g->first && (r->blackhole || g->first->blackhole))
		fail_object(l, &r->source,
		    "static route: %s is routed in line %u already; a blackhole has no other route beside "
		    "it, remove one",
		    text, g->first->source.line);
	else if (before <= limit && g->next_hops > limit)
		fail_object(l, &r->source,
		    "static route: %s has %u next hops in table '%s', and the limit is `limits: {ecmp: "
		    "%u}`; remove one, or raise the limit (64 at most)",
		    text, g->next_hops, table->name, limit);
}

static bool is_repeated(struct loader *l, struct conf_static_route *r, struct names *seen)
{
	struct {
		struct ip_prefix prefix;
		char attachment[129];
	} key = {.prefix = r->prefix};
	struct conf_static_route *first;
	char text[IP_PREFIX_TEXT_MAX];

	if (r->attachment_name)
		strncpy(key.attachment, r->attachment_name, sizeof(key.attachment) - 1);
	first = names_put_bytes(seen, l->conf->pool, &key, sizeof(key), r);
	if (first)
		fail_object(l, &r->source,
		    "static route: %s stands here for the second time, first in line %u; remove one",
		    ip_prefix_text(&r->prefix, text), first->source.line);
	return first != NULL;
}

static void check_table(struct loader *l, const struct conf_route_table *table)
{
	struct names seen = {0}, groups = {0};

	if (strcmp(table->name, "none") == 0)
		fail_object(l, &table->source,
		    "'none' cannot be the name of a route table, `associate: none` means no table; give "
		    "another name");
	for (unsigned i = 0; i < table->routes_count; i++) {
		struct conf_static_route *r = table->routes[i];
		const char *fault = net_route_fault(&r->prefix);
		struct group *g, *known;
		char text[IP_PREFIX_TEXT_MAX];

		check_target(l, r);
		if (!ip_is_set(&r->prefix.addr) || is_reported(l, &r->source, "prefix"))
			continue;
		if (fault)
			fail_key(l, &r->source, "prefix", "prefix: %s %s; remove it",
			    ip_prefix_text(&r->prefix, text), fault);
		if (fault || is_repeated(l, r, &seen))
			continue;
		if (!r->blackhole)
			check_hop(l, r);
		g = pool_alloc(l->conf->pool, sizeof(*g));
		g->first = r;
		known = names_put_bytes(&groups, l->conf->pool, &r->prefix, sizeof(r->prefix), g);
		join_group(l, table, r, known ? known : g);
	}
	names_fini(&seen);
	names_fini(&groups);
}

void check_route_tables(struct loader *l)
{
	for (unsigned i = 0; i < l->conf->route_tables_count; i++)
		check_table(l, l->conf->route_tables[i]);
}

static void warn_no_destination(
    struct loader *l, const struct conf_policy *p, const char *key, unsigned count)
{
	if (count)
		warn_key(l, &p->source, key,
		    "%s: a route on its way into the table has no destination yet, so this policy "
		    "matches none; use `direction: egress`, or remove this",
		    key);
}

/* What only a policy of the other direction can do. */
static void check_direction(struct loader *l, const struct conf_policy *p)
{
	if (!is_given(l, &p->source, "direction") || is_reported(l, &p->source, "direction"))
		return;
	if (p->direction == CONF_INGRESS) {
		warn_no_destination(
		    l, p, "destination-attachment", p->destination_attachment_count);
		warn_no_destination(l, p, "destination-kind", p->destination_kind_count);
	} else if (is_given(l, &p->source, "set-preference")) {
		warn_key(l, &p->source, "set-preference",
		    "set-preference: without effect on the way out, the table has chosen before; use "
		    "`direction: ingress`, or remove this");
	}
}

static void check_policy(struct loader *l, struct conf_policy *p, struct names *seen)
{
	struct {
		const void *table;
		uint32_t direction;
		uint32_t priority;
	} key = {p->table, p->direction, p->priority};
	struct conf_policy *first;

	check_direction(l, p);
	if (p->action == CONF_PERMIT && p->set_communities_count && p->add_communities_count)
		fail_place(l, &p->source, "add-communities",
		    "add-communities: `set-communities` replaces all of them; put these there, and remove "
		    "this");
	if (!p->table || p->priority == 0 || !is_given(l, &p->source, "direction") ||
	    is_reported(l, &p->source, "direction") || is_reported(l, &p->source, "priority"))
		return;
	first = names_put_bytes(seen, l->conf->pool, &key, sizeof(key), p);
	if (first)
		fail_key(l, &p->source, "priority",
		    "priority: %u is that of the %s policy of table '%s' in line %u too; give another "
		    "number, 1..100",
		    p->priority, p->direction == CONF_EGRESS ? "egress" : "ingress", p->table->name,
		    first->source.line);
}

void check_routing_policies(struct loader *l)
{
	struct names seen = {0};

	for (unsigned i = 0; i < l->conf->routing_policies_count; i++)
		check_policy(l, l->conf->routing_policies[i], &seen);
	names_fini(&seen);
}
