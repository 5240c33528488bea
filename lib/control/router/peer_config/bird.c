/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * bird.conf of the other side, for BIRD 2: a BGP session per tunnel that has one, and BFD.
 *
 * It announces the networks of the machine's interfaces and whatever protocols named static have, not the tunnels'
 * own addresses, nor the network towards the internet; what it learned from one tunnel it does not send into the
 * other. It believes no route that would lead a tunnel into itself.
 */

#include <string.h>

#include "router/peer_config/peer.h"

static void put_name(const struct peer_tunnel *p, struct text *out)
{
	for (const char *s = p->name; *s; s++) /* a symbol of BIRD has no '-' or '.' */
		text_addf(out, "%c", *s == '-' || *s == '.' ? '_' : *s);
}

static void put_timers(const struct conf_bfd *b, struct text *out)
{
	text_addf(out, "min rx interval %u ms; min tx interval %u ms; multiplier %u;",
	    b->transmit_ms, b->receive_ms, b->multiplier);
}

/* No word about an address, or one that is not IPv4 there. */
static void put_unless_around(const struct ip_addr *address, const char *why, struct text *out)
{
	char addr[IP_TEXT_MAX];

	if (address->family == IP_V4 && !ip_is_any(address))
		text_addf(out, "  if %s ~ net then reject; # %s\n", ip_text(address, addr), why);
}

static void put_filters(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel *t = p->conf;
	char cidr[IP_PREFIX_TEXT_MAX];

	text_add(out, "filter to_");
	put_name(p, out);
	text_addf(out, " {\n  if net ~ [ %s+ ] then reject; # the tunnel's own addresses\n",
	    ip_prefix_text(&t->bgp.cidr, cidr));
	put_unless_around(&t->customer_gateway->address, "the network of the outer address", out);
	text_add(out,
	    "  if source ~ [ RTS_DEVICE, RTS_STATIC ] then accept;\n  reject;\n}\n"
	    "filter from_");
	put_name(p, out);
	text_add(out, " {\n");
	put_unless_around(&t->gateway_address, "would lead the tunnel into itself", out);
	text_add(out, "  accept;\n}\n");
}

/* A string of BIRD ends at the next quote, and knows no escapes. */
static void put_password(const struct peer_tunnel *p, struct text *out)
{
	const char *password = peer_password(p);

	if (strchr(password, '"'))
		text_add(out,
		    "  # a password with a quote cannot be written here: set another one on both "
		    "sides\n");
	else
		text_addf(out, "  password \"%s\";\n", password);
}

static void put_bgp(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel_bgp *bgp = &p->conf->bgp;
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];

	put_filters(p, out);
	text_add(out, "protocol bgp ");
	put_name(p, out);
	text_addf(out,
	    " {\n  local %s as %u;\n  neighbor %s as %u;\n  hold time %u;\n  keepalive time %u;\n",
	    ip_text(&bgp->peer_ip, theirs), bgp->peer_asn, ip_text(&bgp->local_ip, ours),
	    bgp->local_asn, bgp->hold_time, bgp->keepalive);
	/* after an error, such as silence that BFD found, it would stay away for a minute and longer */
	text_add(
	    out, "  connect delay time 1;\n  connect retry time 5;\n  error wait time 2, 30;\n");
	if (bgp->password)
		put_password(p, out);
	if (bgp->gtsm)
		text_add(out, "  ttl security on;\n");
	text_addf(out, "  graceful restart %s;\n", bgp->graceful_restart ? "on" : "aware");
	if (p->conf->bfd.enabled) {
		text_add(out, "  bfd { ");
		put_timers(&p->conf->bfd, out);
		text_add(out, " };\n");
	}
	text_add(out, "  ipv4 { import filter from_");
	put_name(p, out);
	text_add(out, "; export filter to_");
	put_name(p, out);
	text_add(out, "; next hop self; };\n}\n");
}

/* There is one protocol BFD; sessions of BGP bring their timers, others have those of the first tunnel without. */
static void put_bfd(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];
	unsigned written = 0, alone = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct conf_bfd *b = &tunnels[i].conf->bfd;

		if (!b->enabled)
			continue;
		if (!written++)
			text_add(out, "protocol bfd {\n");
		if (tunnels[i].conf->bgp.enabled)
			continue;
		if (!alone++) {
			text_add(out, "  interface \"*\" { ");
			put_timers(b, out);
			text_add(out, " };\n");
		}
		text_addf(out, "  neighbor %s local %s;\n", ip_text(&b->local, ours),
		    ip_text(&b->peer, theirs));
	}
	if (written)
		text_add(out, "}\n");
}

void peer_bird(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	const struct conf_tunnel *first = NULL;
	char id[IP_TEXT_MAX];

	text_add(out, "# bird.conf, for BIRD 2. Put the tunnel's addresses on its interface:\n");
	for (unsigned i = 0; i < count; i++) {
		peer_tunnel_address(&tunnels[i], "#", out);
		if (!first && tunnels[i].conf->bgp.enabled)
			first = tunnels[i].conf;
	}
	if (first)
		text_addf(out, "router id %s;\n", ip_text(&first->bgp.peer_ip, id));
	text_add(out, "protocol device { }\n");
	if (first)
		text_add(out,
		    "protocol direct { ipv4; }\n"
		    "protocol kernel { ipv4 { export where source = RTS_BGP; }; merge paths on; }\n");
	put_bfd(tunnels, count, out);
	for (unsigned i = 0; i < count; i++) {
		if (tunnels[i].conf->bgp.enabled)
			put_bgp(&tunnels[i], out);
	}
}
