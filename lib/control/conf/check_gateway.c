/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules of gateway addresses, once every tunnel has one, and the values that follow from them: identities
 * (T20) and the BGP identifier.
 */
#include <stdio.h>
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"
#include "conf/pool.h"

static void default_id(struct loader *l, struct conf_id *id, const struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];

	if (id->type != CONF_ID_NONE || !ip_is_set(addr) || ip_is_any(addr))
		return;
	ip_text(addr, text);
	*id =
	    (struct conf_id){CONF_ID_ADDRESS, *addr, pool_text(l->conf->pool, text, strlen(text))};
}

static void check_given(struct loader *l, const struct conf_tunnel *t)
{
	const struct ip_addr *a = &t->gateway_address;
	const struct ip_addr *peer = &t->customer_gateway->address;
	const char *fault = ip_is_any(a) ? "is any address" : net_gateway_fault(a);
	char text[IP_TEXT_MAX];

	ip_text(a, text);
	if (!ip_is_set(a) || !ip_is_set(peer))
		return;
	/* one out of a block that is wrong itself */
	if (!is_given(l, &t->source, "gateway-address") &&
	    is_reported(l, &l->conf->transit_router.source, "cidr"))
		return;
	if (fault)
		fail_key(l, &t->source, "gateway-address",
		    "gateway-address: %s %s; give an address that the peer can reach", text, fault);
	else if (a->family != peer->family)
		fail_key(l, &t->source, "gateway-address",
		    "gateway-address: %s is not of the address family of customer gateway '%s'; give both "
		    "of one family",
		    text, t->customer_gateway->name);
	else if (ip_eq(a, peer))
		fail_key(l, &t->source, "gateway-address",
		    "gateway-address: %s is the address of customer gateway '%s'; give an address of our own",
		    text, t->customer_gateway->name);
}

/* T1 */
static void check_siblings(struct loader *l, const struct conf_connection *c)
{
	char text[IP_TEXT_MAX];

	if (c->tunnels_count < 2 || !ip_is_set(&c->tunnels[0]->gateway_address) ||
	    !ip_eq(&c->tunnels[0]->gateway_address, &c->tunnels[1]->gateway_address))
		return;
	fail_key(l, &c->tunnels[1]->source, "gateway-address",
	    "gateway-address: %s is that of the other tunnel; each tunnel has its own",
	    ip_text(&c->tunnels[0]->gateway_address, text));
}

/*
 * What tells one tunnel's first IKE message from another's: both addresses, and the peer's identity where
 * the peer may come from anywhere and says who it is before its key is needed.
 */
static struct conf_tunnel *put_peer(struct loader *l, struct names *peers, struct conf_tunnel *t)
{
	bool names_itself = t->ike.version == CONF_IKEV2 || t->ike.mode == CONF_IKE_AGGRESSIVE;
	char key[2 * IP_TEXT_MAX + 300], a[IP_TEXT_MAX], b[IP_TEXT_MAX];

	snprintf(key, sizeof(key), "%s %s %s", ip_text(&t->gateway_address, a),
	    ip_text(&t->customer_gateway->address, b),
	    ip_is_any(&t->customer_gateway->address) && names_itself && t->ike.remote_id.text
		? t->ike.remote_id.text
		: "");
	return names_put(peers, pool_text(l->conf->pool, key, strlen(key)), t);
}

static void check_peer(struct loader *l, struct names *peers, struct conf_tunnel *t)
{
	const struct conf_tunnel *first;
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

	if (t->connection->keying == CONF_KEYING_MANUAL || !ip_is_set(&t->gateway_address))
		return;
	first = put_peer(l, peers, t);
	if (!first || first->connection == t->connection)
		return;
	fail_key(l, &t->source, "gateway-address",
	    "gateway-address: tunnel %u of connection '%s' (line %u) also joins %s and %s; give another "
	    "gateway address or customer gateway%s",
	    first->number, first->connection->name, first->source.line,
	    ip_text(&t->gateway_address, a), ip_text(&t->customer_gateway->address, b),
	    ip_is_any(&t->customer_gateway->address) ? ", or another remote-id" : "");
}

/* Whether the peer can be reached at all: on the uplink's subnet, or through its gateway. */
static void check_way(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_port *p = t->uplink;
	const struct ip_addr *peer = &t->customer_gateway->address;
	char text[IP_TEXT_MAX];

	if (!p || !ip_is_set(peer) || ip_is_any(peer) || is_reported(l, &p->source, "gateway") ||
	    net_on_subnet(p->address, p->address_count, peer))
		return;
	for (unsigned i = 0; i < p->gateway_count; i++) {
		if (p->gateway[i].family == peer->family)
			return;
	}
	warn_key(l, &t->source, "customer-gateway",
	    "customer-gateway: %s is on no subnet of port '%s', which has no `gateway`; it cannot be reached",
	    ip_text(peer, text), p->name);
}

static void consider_router_id(struct ip_addr *best, const struct ip_addr *a)
{
	if (a->family == IP_V4 && (!ip_is_set(best) || ip_cmp(a, best) < 0))
		*best = *a;
}

static bool uses_bgp(const struct conf *conf)
{
	for (unsigned i = 0; i < conf->attachments_count; i++) {
		if (conf->attachments[i]->bgp.enabled)
			return true;
	}
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		for (unsigned k = 0; k < conf->vpn_connections[i]->tunnels_count; k++) {
			if (conf->vpn_connections[i]->tunnels[k]->bgp.enabled)
				return true;
		}
	}
	return false;
}

static void complete_router_id(struct loader *l)
{
	struct conf *conf = l->conf;
	struct ip_addr *id = &conf->transit_router.router_id;

	if (ip_is_set(id))
		return;
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		for (unsigned k = 0; k < conf->vpn_connections[i]->tunnels_count; k++)
			consider_router_id(
			    id, &conf->vpn_connections[i]->tunnels[k]->gateway_address);
	}
	for (unsigned i = 0; i < conf->ports_count && !ip_is_set(id); i++) {
		for (unsigned k = 0; k < conf->ports[i]->address_count; k++)
			consider_router_id(id, &conf->ports[i]->address[k].addr);
	}
	for (unsigned i = 0; i < conf->attachments_count && !ip_is_set(id); i++) {
		for (unsigned k = 0; k < conf->attachments[i]->address_count; k++)
			consider_router_id(id, &conf->attachments[i]->address[k].addr);
	}
	if (!ip_is_set(id) && uses_bgp(conf) && l->errs->errors == 0)
		fail_object(l, &conf->transit_router.source,
		    "transit-router: no IPv4 address can be the BGP identifier; give `router-id`");
}

void check_gateways(struct loader *l)
{
	struct names peers = {0};

	for (unsigned i = 0; i < l->conf->vpn_connections_count; i++) {
		struct conf_connection *c = l->conf->vpn_connections[i];

		check_siblings(l, c);
		for (unsigned k = 0; k < c->tunnels_count; k++) {
			struct conf_tunnel *t = c->tunnels[k];

			if (!t->customer_gateway)
				continue;
			default_id(l, &t->ike.local_id, &t->gateway_address);
			default_id(l, &t->ike.remote_id, &t->customer_gateway->address);
			check_given(l, t);
			check_peer(l, &peers, t);
			check_way(l, t);
		}
	}
	names_fini(&peers);
	complete_router_id(l);
}
