/* SPDX-License-Identifier: BSD-3-Clause */
/* BFD sessions: who talks to whom. Addresses follow from BGP where there is BGP. */
#include "conf/loader.h"
#include "conf/net.h"

/* Both ends, of one family, and different. False: reported. */
static bool check_ends(struct loader *l, const struct conf_bfd *b)
{
	char text[IP_TEXT_MAX];

	if (is_reported(l, &b->source, "peer") || is_reported(l, &b->source, "local-ip"))
		return false;
	if (!ip_is_set(&b->peer)) {
		fail_object(l, &b->source,
		    "bfd: 'peer' is missing; give the address of the far end, or `bgp`");
		return false;
	}
	if (!ip_is_set(&b->local)) {
		fail_object(
		    l, &b->source, "bfd: 'local-ip' is missing; give our address, or `bgp`");
		return false;
	}
	if (b->peer.family != b->local.family) {
		fail_key(l, &b->source, "peer",
		    "peer: not of the address family of `local-ip`; give both of one family");
		return false;
	}
	if (ip_eq(&b->peer, &b->local)) {
		fail_key(l, &b->source, "peer",
		    "peer: %s is our own address; give that of the far end",
		    ip_text(&b->peer, text));
		return false;
	}
	return true;
}

static void check_tunnel(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_connection *c = t->connection;
	const struct conf_bfd *b = &t->bfd;
	char text[IP_TEXT_MAX];

	check_switched_off(l, &b->source, b->enabled, "bfd");
	if (!b->enabled || is_reported(l, &t->source, "bfd") || !check_ends(l, b))
		return;
	if (c->routing_mode != CONF_ROUTING_FLOW_PROTECTION || !c->local_cidrs_count ||
	    !c->peer_cidrs_count)
		return;
	if (!net_contains(c->local_cidrs, c->local_cidrs_count, &b->local))
		fail_object(l, &b->source,
		    "bfd: %s is outside of `local-cidrs`, so BFD cannot pass; give a `local-ip` inside",
		    ip_text(&b->local, text));
	else if (!net_contains(c->peer_cidrs, c->peer_cidrs_count, &b->peer))
		fail_object(l, &b->source,
		    "bfd: %s is outside of `peer-cidrs`, so BFD cannot pass; give a `peer` inside",
		    ip_text(&b->peer, text));
}

static void check_attachment(struct loader *l, const struct conf_attachment *a)
{
	const struct conf_bfd *b = &a->bfd;
	char text[IP_TEXT_MAX];

	check_switched_off(l, &b->source, b->enabled, "bfd");
	if (!b->enabled || is_reported(l, &a->source, "bfd"))
		return;
	if (ip_is_set(&b->peer) && !is_reported(l, &b->source, "peer") &&
	    !net_on_subnet(a->address, a->address_count, &b->peer)) {
		fail_object(l, &b->source,
		    "bfd: %s is on no subnet of '%s'; give a neighbour on the subnet of its `address`",
		    ip_text(&b->peer, text), a->name);
		return;
	}
	if (!check_ends(l, b))
		return;
	if (!net_is_own(a->address, a->address_count, &b->local))
		fail_key(l, &b->source, "local-ip",
		    "local-ip: %s is no address of '%s'; give one of its `address`",
		    ip_text(&b->local, text), a->name);
}

void check_bfd(struct loader *l)
{
	const struct conf *conf = l->conf;

	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++)
			check_tunnel(l, c->tunnels[k]);
	}
	for (unsigned i = 0; i < conf->attachments_count; i++)
		check_attachment(l, conf->attachments[i]);
}
