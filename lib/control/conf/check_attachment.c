/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of attachments: ports and addresses, connections and who may use them (A6, A7, A10..A15). */
#include <stdio.h>
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"
#include "conf/pool.h"

/* What earlier attachments have taken. */
struct taken {
	struct names vlans;   /* "port/vlan" */
	struct names subnets; /* "table/prefix" */
	unsigned vpns;
};

static bool is_granted(const struct conf_connection *c, const char *owner)
{
	for (unsigned i = 0; i < c->grants_count; i++) {
		if (strcmp(c->grants[i], owner) == 0)
			return true;
	}
	return false;
}

static void check_connection(struct loader *l, struct conf_attachment *a)
{
	const char *owner = l->conf->transit_router.owner;
	struct conf_connection *c = a->connection;

	if (c->attachment) { /* A6 */
		fail_key(l, &a->source, "connection",
		    "connection: '%s' is attached by '%s' (line %u) already; a connection attaches once",
		    c->name, c->attachment->name, c->attachment->source.line);
		return;
	}
	c->attachment = a;
	if (!c->is_inline && strcmp(c->owner, owner) != 0 && !is_granted(c, owner)) /* A11 */
		fail_key(l, &a->source, "connection",
		    "connection: '%s' belongs to '%s' and is not granted to '%s'; add `grants: [%s]` to "
		    "it, or, to revoke a grant, detach first: remove this attachment",
		    c->name, c->owner, owner, owner);
}

static void check_vpn(struct loader *l, struct conf_attachment *a, struct taken *taken)
{
	unsigned limit = l->conf->transit_router.limits.vpn_attachments;

	if (++taken->vpns > limit) /* A7 */
		fail_key(l, &a->source, "kind",
		    "kind: '%s' is VPN attachment %u, and the limit is %u; raise `limits: "
		    "{vpn-attachments: %u}` of the transit router, or remove one",
		    a->name, taken->vpns, limit, limit);
	if (a->connection)
		check_connection(l, a);
	else if (!a->connection_name && !is_reported(l, &a->source, "connection"))
		fail_object(l, &a->source,
		    "attachment '%s': 'connection' is missing; give the name of a connection, or write one "
		    "here",
		    a->name);
}

/* One attachment per VLAN of a port; the port's own addresses take one, too. */
static void check_vlan(struct loader *l, struct conf_attachment *a, struct taken *taken)
{
	const char *key = is_given(l, &a->source, "vlan") ? "vlan" : "port";
	struct conf_attachment *first;
	char place[160], tag[24] = "untagged";

	if (is_reported(l, &a->source, "vlan"))
		return;
	if (a->vlan)
		snprintf(tag, sizeof(tag), "vlan %u", a->vlan);
	if (a->port->address_count && a->port->vlan == a->vlan) {
		fail_key(l, &a->source, key,
		    "%s: %s frames of port '%s' belong to its own addresses (line %u); give another vlan",
		    key, tag, a->port->name, a->port->source.line);
		return;
	}
	snprintf(place, sizeof(place), "%s/%u", a->port->name, a->vlan);
	first = names_put(&taken->vlans, pool_text(l->conf->pool, place, strlen(place)), a);
	if (first)
		fail_key(l, &a->source, key,
		    "%s: %s frames of port '%s' belong to attachment '%s' (line %u); give another vlan",
		    key, tag, a->port->name, first->name, first->source.line);
}

/* The same subnet in two places of one table: only one of them can be reached. */
static void check_subnet(
    struct loader *l, struct conf_attachment *a, unsigned i, struct taken *taken)
{
	struct ip_prefix subnet = ip_prefix_of(&a->address[i].addr, a->address[i].len);
	char key[256], text[IP_PREFIX_TEXT_MAX];

	ip_prefix_text(&subnet, text);
	for (unsigned k = 0; k < a->propagate_count; k++) {
		struct conf_attachment *first;

		if (!a->propagate[k])
			continue;
		snprintf(key, sizeof(key), "%s/%s", a->propagate[k]->name, text);
		first = names_put(&taken->subnets, pool_text(l->conf->pool, key, strlen(key)), a);
		if (first && first != a)
			warn_item(l, &a->source, "address", i,
			    "address: subnet %s is that of attachment '%s' (line %u) too, and both "
			    "propagate to table '%s'; use different subnets or tables",
			    text, first->name, first->source.line, a->propagate[k]->name);
	}
}

static void check_addresses(struct loader *l, struct conf_attachment *a, struct taken *taken)
{
	for (unsigned i = 0; i < a->address_count; i++) {
		const char *fault = net_interface_fault(&a->address[i]);
		char text[IP_TEXT_MAX];

		if (fault)
			fail_item(l, &a->source, "address", i,
			    "address: %s %s; give an address of a host",
			    ip_text(&a->address[i].addr, text), fault);
		else
			check_subnet(l, a, i, taken);
	}
}

static void check_on_port(struct loader *l, struct conf_attachment *a, struct taken *taken)
{
	const char *kind = conf_kind_name(a->kind);

	if (!is_given(l, &a->source, "port"))
		fail_object(l, &a->source, "attachment '%s': 'port' is missing; kind %s needs one",
		    a->name, kind);
	if (a->address_count == 0 && !is_reported(l, &a->source, "address"))
		fail_object(l, &a->source,
		    "attachment '%s': 'address' is missing; give our address on its subnet, such as "
		    "10.1.255.254/16",
		    a->name);
	check_addresses(l, a, taken);
	if (!a->port)
		return;
	check_vlan(l, a, taken);
	if (a->mtu > a->port->mtu && !is_reported(l, &a->source, "mtu"))
		fail_key(l, &a->source, "mtu",
		    "mtu: %u is more than port '%s' carries; give %u at most", a->mtu,
		    a->port->name, a->port->mtu);
}

static void check_next_hop(
    struct loader *l, const struct conf_attachment *a, const struct conf_attached_route *r)
{
	char text[IP_TEXT_MAX];

	if (is_reported(l, &r->source, "next-hop") || is_reported(l, &a->source, "address"))
		return;
	if (!ip_is_set(&r->next_hop))
		fail_object(l, &r->source,
		    "route: 'next-hop' is missing; give a neighbour on the subnet of '%s'",
		    a->name);
	else if (!net_on_subnet(a->address, a->address_count, &r->next_hop))
		fail_key(l, &r->source, "next-hop",
		    "next-hop: %s is on no subnet of '%s'; give a neighbour on the subnet of its `address`",
		    ip_text(&r->next_hop, text), a->name);
	else if (net_is_own(a->address, a->address_count, &r->next_hop))
		fail_key(l, &r->source, "next-hop",
		    "next-hop: %s is the attachment's own address; give that of a neighbour",
		    ip_text(&r->next_hop, text));
	else if (r->next_hop.family != r->prefix.addr.family && ip_is_set(&r->prefix.addr))
		fail_key(l, &r->source, "next-hop",
		    "next-hop: not of the address family of `prefix`; give both of one family");
}

/* T9: what lies outside of the traffic selectors would be dropped. */
static void check_selected(
    struct loader *l, const struct conf_attachment *a, const struct conf_attached_route *r)
{
	const struct conf_connection *c = a->connection;
	char text[IP_PREFIX_TEXT_MAX];

	if (is_given(l, &r->source, "next-hop"))
		fail_place(l, &r->source, "next-hop",
		    "next-hop: possible only with kind: vpc, vbr, ccn or peer; remove it");
	if (c && c->peer_cidrs_count &&
	    !net_covered(c->peer_cidrs, c->peer_cidrs_count, &r->prefix))
		fail_key(l, &r->source, "prefix",
		    "prefix: %s is outside of `peer-cidrs` of '%s', where nothing passes; add it there, or "
		    "remove it",
		    ip_prefix_text(&r->prefix, text), c->name);
}

/* The next hops of one prefix. */
struct group {
	unsigned count;
	const struct conf_attached_route *first;
};

static void check_ecmp(struct loader *l, const struct conf_attached_route *r, struct names *groups)
{
	unsigned limit = l->conf->transit_router.limits.ecmp;
	struct group *g = pool_alloc(l->conf->pool, sizeof(*g));
	struct group *known =
	    names_put_bytes(groups, l->conf->pool, &r->prefix, sizeof(r->prefix), g);
	char text[IP_PREFIX_TEXT_MAX];

	g->first = r;
	g = known ? known : g;
	if (++g->count == limit + 1) /* A8 */
		fail_key(l, &r->source, "prefix",
		    "prefix: %s has more than %u next hops, the limit of `limits: {ecmp: %u}`; remove one, "
		    "or raise the limit (64 at most)",
		    ip_prefix_text(&r->prefix, text), limit, limit);
}

static void check_routes(struct loader *l, const struct conf_attachment *a)
{
	struct names seen = {0}, groups = {0};

	for (unsigned i = 0; i < a->routes_count; i++) {
		struct conf_attached_route *r = a->routes[i], *first;
		const char *fault = net_route_fault(&r->prefix);
		struct ip_addr key[2] = {r->prefix.addr, r->next_hop};
		char text[IP_PREFIX_TEXT_MAX];

		if (a->kind == CONF_KIND_VPN)
			check_selected(l, a, r);
		else
			check_next_hop(l, a, r);
		if (!ip_is_set(&r->prefix.addr) || is_reported(l, &r->source, "prefix"))
			continue;
		key[0].zero[0] = r->prefix.len;
		ip_prefix_text(&r->prefix, text);
		first = names_put_bytes(&seen, l->conf->pool, key, sizeof(key), r);
		if (fault)
			fail_key(l, &r->source, "prefix", "prefix: %s %s; remove it", text, fault);
		else if (first)
			fail_object(l, &r->source,
			    "route: %s stands here for the second time, first in line %u; remove one",
			    text, first->source.line);
		else
			check_ecmp(l, r, &groups);
	}
	names_fini(&seen);
	names_fini(&groups);
}

void check_attachments(struct loader *l)
{
	struct taken taken = {0};

	for (unsigned i = 0; i < l->conf->attachments_count; i++) {
		struct conf_attachment *a = l->conf->attachments[i];

		if (!is_given(l, &a->source, "kind") || is_reported(l, &a->source, "kind"))
			continue;
		if (a->kind == CONF_KIND_VPN)
			check_vpn(l, a, &taken);
		else
			check_on_port(l, a, &taken);
		check_routes(l, a);
	}
	names_fini(&taken.vlans);
	names_fini(&taken.subnets);
}
