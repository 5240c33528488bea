/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of a connection and of what its tunnels are, apart from algorithms, BGP and addresses. */
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"

/* T1, T5 */
static void check_mode(struct loader *l, const struct conf_connection *c)
{
	if (c->mode == CONF_MODE_DUAL && c->tunnels_count == 1)
		fail_key(l, &c->source, "tunnels",
		    "tunnels: a connection has two tunnels and '%s' has one; add the second, or set "
		    "`mode: single`",
		    c->name);
	if (c->mode == CONF_MODE_SINGLE && c->tunnels_count > 1)
		fail_key(l, &c->source, "tunnels",
		    "tunnels: with `mode: single` a connection has one tunnel and '%s' has two; remove "
		    "one, or set `mode: dual`",
		    c->name);
	if (c->mode != CONF_MODE_SINGLE)
		return;
	warn_key(l, &c->source, "mode",
	    "mode: single is not highly available; use dual, with a second tunnel");
	if (is_given(l, &c->source, "ha"))
		warn_key(l, &c->source, "ha", "ha: without effect with `mode: single`; remove it");
}

static bool share_family(const struct conf_connection *c)
{
	for (unsigned i = 0; i < c->local_cidrs_count; i++) {
		for (unsigned k = 0; k < c->peer_cidrs_count; k++) {
			if (c->local_cidrs[i].addr.family == c->peer_cidrs[k].addr.family)
				return true;
		}
	}
	return false;
}

/* T9 */
static void check_cidr_lists(struct loader *l, const struct conf_connection *c)
{
	const struct conf_source *s = &c->source;
	bool no_local, no_peer;

	if (c->routing_mode != CONF_ROUTING_FLOW_PROTECTION)
		return;
	no_local = c->local_cidrs_count == 0 && !is_reported(l, s, "local-cidrs");
	no_peer = c->peer_cidrs_count == 0 && !is_reported(l, s, "peer-cidrs");
	if (no_local || no_peer)
		fail_key(l, s, "routing-mode",
		    "routing-mode: flow-protection needs %s%s%s; give the prefixes on the side of the "
		    "transit router (local) and of the data center (peer)",
		    no_local ? "`local-cidrs`" : "", no_local && no_peer ? " and " : "",
		    no_peer ? "`peer-cidrs`" : "");
	if (c->local_cidrs_count && c->peer_cidrs_count && !share_family(c))
		fail_key(l, s, "peer-cidrs",
		    "peer-cidrs: no prefix is of the address family of `local-cidrs`; give pairs of one "
		    "family");
}

/* O8 */
static void check_single_point(struct loader *l, const struct conf_connection *c)
{
	const struct conf_customer_gateway *a, *b;

	if (c->tunnels_count < 2)
		return;
	a = c->tunnels[0]->customer_gateway;
	b = c->tunnels[1]->customer_gateway;
	if (!a || !b || (a != b && (ip_is_any(&a->address) || !ip_eq(&a->address, &b->address))))
		return;
	warn_key(l, &c->tunnels[1]->source, "customer-gateway",
	    "customer-gateway: both tunnels of '%s' end at '%s'%s, a single point of failure; use two "
	    "customer gateways",
	    c->name, a->name, a == b ? "" : " (another name, the same address)");
}

/* A21: a peer whose address is not known. */
static void check_any_address(struct loader *l, const struct conf_tunnel *t)
{
	if (!t->customer_gateway || !ip_is_any(&t->customer_gateway->address))
		return;
	if (t->connection->keying == CONF_KEYING_MANUAL) {
		fail_key(l, &t->source, "customer-gateway",
		    "customer-gateway: '%s' has any address, and `keying: manual` needs to know where to "
		    "send; give the gateway an address",
		    t->customer_gateway->name);
		return;
	}
	if (!is_given(l, &t->ike.source, "remote-id"))
		fail_key(l, &t->source, "customer-gateway",
		    "customer-gateway: '%s' has any address, so the peer is known by its identity alone; "
		    "give `ike: {remote-id: ...}`",
		    t->customer_gateway->name);
	if (t->apply_immediately)
		warn_key(l, &t->source, "apply-immediately",
		    "apply-immediately: without effect, '%s' has any address and the peer must begin",
		    t->customer_gateway->name);
}

void check_switched_off(
    struct loader *l, const struct conf_source *section, bool enabled, const char *what)
{
	const struct node *node = tree_node(&l->tree, section->node);

	if (enabled || section->node == 0 || node->kind != NODE_MAP)
		return;
	for (uint32_t i = node->first; i; i = l->tree.nodes[i].next) {
		if (strcmp(l->tree.nodes[i].key, "enabled") != 0)
			fail_place(l, section, l->tree.nodes[i].key,
			    "%s: a setting of %s, which is not enabled; set `enabled: yes`, or remove it",
			    l->tree.nodes[i].key, what);
	}
}

/* The probe has to fit the traffic selectors, or it would be dropped as foreign traffic. */
static void check_probe_selectors(
    struct loader *l, const struct conf_connection *c, const struct conf_health_check *h)
{
	char text[IP_TEXT_MAX];

	if (c->local_cidrs_count &&
	    !net_contains(c->local_cidrs, c->local_cidrs_count, &h->source_address))
		fail_key(l, &h->source, "source",
		    "source: %s is outside of `local-cidrs`, so the probe cannot pass; give an address "
		    "inside",
		    ip_text(&h->source_address, text));
	if (c->peer_cidrs_count &&
	    !net_contains(c->peer_cidrs, c->peer_cidrs_count, &h->destination))
		fail_key(l, &h->source, "destination",
		    "destination: %s is outside of `peer-cidrs`, so the probe cannot pass; give an "
		    "address inside",
		    ip_text(&h->destination, text));
}

/* H1 */
static void check_health(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_health_check *h = &t->health_check;
	bool from = ip_is_set(&h->source_address), to = ip_is_set(&h->destination);

	check_switched_off(l, &h->source, h->enabled, "the health check");
	if (!h->enabled || is_reported(l, &t->source, "health-check"))
		return;
	if (!to && !is_reported(l, &h->source, "destination"))
		fail_object(l, &h->source,
		    "health-check: 'destination' is missing; give an address on the side of the data "
		    "center that answers");
	if (!from && !is_reported(l, &h->source, "source"))
		fail_object(l, &h->source,
		    "health-check: 'source' is missing; give an address on the side of the transit "
		    "router");
	if (!from || !to)
		return;
	if (h->source_address.family != h->destination.family)
		fail_key(l, &h->source, "source",
		    "source: not of the address family of `destination`; give both of one family");
	else if (ip_eq(&h->source_address, &h->destination))
		fail_key(l, &h->source, "source",
		    "source: the same as `destination`; give an address on the side of the transit router");
	else
		check_probe_selectors(l, t->connection, h);
}

static void check_tunnel(struct loader *l, const struct conf_tunnel *t)
{
	/* X8 */
	if (t->ike.version == CONF_IKEV2 && is_given(l, &t->ike.source, "mode"))
		warn_key(l, &t->ike.source, "mode",
		    "mode: a setting of ikev1, without effect with `version: ikev2`; remove it");
	if (t->dpd.timeout < t->dpd.interval)
		fail_key(l, &t->dpd.source,
		    is_given(l, &t->dpd.source, "timeout") ? "timeout" : "interval",
		    "dpd: a timeout of %u s is shorter than the interval of %u s; give a longer timeout",
		    t->dpd.timeout, t->dpd.interval);
	check_any_address(l, t);
	check_health(l, t);
	check_crypto(l, t);
}

void check_connections(struct loader *l)
{
	for (unsigned i = 0; i < l->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = l->conf->vpn_connections[i];

		check_mode(l, c);
		check_cidr_lists(l, c);
		check_single_point(l, c);
		if (!c->attachment)
			warn_object(l, &c->source,
			    "connection '%s' is not attached and carries nothing; add an attachment "
			    "`{kind: vpn, connection: %s}`",
			    c->name, c->name);
		for (unsigned k = 0; k < c->tunnels_count; k++)
			check_tunnel(l, c->tunnels[k]);
	}
}
