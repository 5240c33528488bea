/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * frr.conf of the other side, for FRR 8: a BGP session per tunnel that has one, and BFD.
 *
 * It announces the networks of the machine's interfaces but not the tunnels' own addresses, and nothing that came
 * from the transit router.
 */

#include "router/peer_config/peer.h"

static bool with_bgp(const struct peer_tunnel *p)
{
	return p->conf->bgp.enabled;
}

/*
 * BFD that ends the session of BGP, too. Not with ttl-security: FRR 8 would then take the neighbour for one many hops
 * away, and speak BFD to another port (RFC 5883). BFD is on its own there; it is this side that ends the session.
 */
static bool in_profile(const struct peer_tunnel *p)
{
	return p->conf->bfd.enabled && with_bgp(p) && !p->conf->bgp.gtsm;
}

static void put_bfd(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];
	unsigned written = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct conf_bfd *b = &tunnels[i].conf->bfd;

		if (!b->enabled)
			continue;
		if (!written++)
			text_add(out, "bfd\n");
		if (in_profile(&tunnels[i]))
			text_addf(out, " profile %s\n", tunnels[i].name);
		else
			text_addf(out, " peer %s local-address %s\n", ip_text(&b->local, ours),
			    ip_text(&b->peer, theirs));
		text_addf(out,
		    "  detect-multiplier %u\n  receive-interval %u\n  transmit-interval %u\n"
		    " exit\n",
		    b->multiplier, b->transmit_ms, b->receive_ms);
	}
	if (written)
		text_add(out, "exit\n");
}

static void put_neighbor(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel_bgp *bgp = &p->conf->bgp;
	char us[IP_TEXT_MAX], them[IP_TEXT_MAX];

	ip_text(&bgp->local_ip, us);
	text_addf(out, " neighbor %s remote-as %u\n neighbor %s update-source %s\n", us,
	    bgp->local_asn, us, ip_text(&bgp->peer_ip, them));
	text_addf(out, " neighbor %s timers %u %u\n neighbor %s timers connect 5\n", us,
	    bgp->keepalive, bgp->hold_time, us);
	if (bgp->password)
		text_addf(out, " neighbor %s password %s\n", us, peer_password(p));
	if (bgp->gtsm)
		text_addf(out, " neighbor %s ttl-security hops 1\n", us);
	if (in_profile(p))
		text_addf(out, " neighbor %s bfd\n neighbor %s bfd profile %s\n", us, us, p->name);
}

static const struct ip_addr *outer_of(const struct peer_tunnel *p)
{
	const struct ip_addr *outer = &p->conf->customer_gateway->address;

	return with_bgp(p) && outer->family == IP_V4 && !ip_is_any(outer) ? outer : NULL;
}

/* The network of an outer address, however long it is: FRR has no word for "the prefixes around it". */
static unsigned put_outer(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	char net[IP_PREFIX_TEXT_MAX];
	unsigned line = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct ip_addr *outer = outer_of(&tunnels[i]);
		bool known = !outer;

		for (unsigned k = 0; k < i && !known; k++)
			known = outer_of(&tunnels[k]) && ip_eq(outer_of(&tunnels[k]), outer);
		for (unsigned len = 8; len <= 32 && !known; len++) {
			struct ip_prefix around = ip_prefix_of(outer, (uint8_t)len);

			text_addf(out, "ip prefix-list OUTER seq %u permit %s\n", ++line,
			    ip_prefix_text(&around, net));
		}
	}
	return line;
}

/* What may go out: what begins here. What may come in: everything, said aloud (RFC 8212). */
static void put_maps(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	char cidr[IP_PREFIX_TEXT_MAX];
	unsigned line = 0;

	for (unsigned i = 0; i < count; i++) {
		if (with_bgp(&tunnels[i]))
			text_addf(out, "ip prefix-list TUNNELS seq %u permit %s le 32\n", ++line,
			    ip_prefix_text(&tunnels[i].conf->bgp.cidr, cidr));
	}
	text_add(
	    out, "route-map TO-TRANSIT deny 10\n match ip address prefix-list TUNNELS\nexit\n");
	if (put_outer(tunnels, count, out))
		text_add(out,
		    "route-map TO-TRANSIT deny 11\n match ip address prefix-list OUTER\nexit\n");
	text_add(out,
	    "bgp as-path access-list OWN seq 1 permit ^$\n"
	    "route-map TO-TRANSIT permit 20\n match as-path OWN\nexit\n"
	    "route-map FROM-TRANSIT permit 10\nexit\n");
}

static void put_family(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	char us[IP_TEXT_MAX];

	text_add(out, " address-family ipv4 unicast\n  redistribute connected\n");
	for (unsigned i = 0; i < count; i++) {
		if (!with_bgp(&tunnels[i]))
			continue;
		ip_text(&tunnels[i].conf->bgp.local_ip, us);
		text_addf(out,
		    "  neighbor %s route-map TO-TRANSIT out\n"
		    "  neighbor %s route-map FROM-TRANSIT in\n",
		    us, us);
	}
	text_add(out, "  maximum-paths 16\n exit-address-family\nexit\n");
}

/* FRR has one router bgp: it has the number of the first tunnel's AS, sessions of another one say so themselves. */
static void put_router(
    const struct peer_tunnel *tunnels, unsigned count, unsigned first, struct text *out)
{
	const struct conf_tunnel_bgp *bgp = &tunnels[first].conf->bgp;
	char id[IP_TEXT_MAX];
	bool graceful = false;

	put_maps(tunnels, count, out);
	text_addf(
	    out, "router bgp %u\n bgp router-id %s\n", bgp->peer_asn, ip_text(&bgp->peer_ip, id));
	for (unsigned i = first; i < count; i++)
		graceful |= with_bgp(&tunnels[i]) && tunnels[i].conf->bgp.graceful_restart;
	text_add(out, graceful ? " bgp graceful-restart\n" : "");
	for (unsigned i = first; i < count; i++) {
		if (!with_bgp(&tunnels[i]))
			continue;
		put_neighbor(&tunnels[i], out);
		if (tunnels[i].conf->bgp.peer_asn != bgp->peer_asn) {
			char us[IP_TEXT_MAX];

			text_addf(out, " neighbor %s local-as %u no-prepend replace-as\n",
			    ip_text(&tunnels[i].conf->bgp.local_ip, us),
			    tunnels[i].conf->bgp.peer_asn);
		}
	}
	put_family(tunnels, count, out);
}

void peer_frr(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	unsigned first = 0;

	text_add(out,
	    "! frr.conf, for FRR 8 (zebra, bgpd, bfdd). Put the tunnel's addresses on "
	    "its interface:\n");
	for (unsigned i = 0; i < count; i++)
		peer_tunnel_address(&tunnels[i], "!", out);
	put_bfd(tunnels, count, out);
	while (first < count && !with_bgp(&tunnels[first]))
		first++;
	if (first < count)
		put_router(tunnels, count, first, out);
	else
		text_add(out, "! none of the tunnels has bgp\n");
}
