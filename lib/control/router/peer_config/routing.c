/* SPDX-License-Identifier: BSD-3-Clause */

/* BGP and BFD of the other side, for BIRD 2 and FRR: one session per tunnel that has one. */

#include "router/peer_config/peer.h"

static const char *password_of(const struct peer_tunnel *p)
{
	if (!p->conf->bgp.password)
		return NULL;
	return p->with_secrets ? p->conf->bgp.password : "REPLACE-BY-THE-PASSWORD";
}

static void bird_bgp(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel_bgp *bgp = &p->conf->bgp;
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX], name[128];
	struct text clean = text_of(name, sizeof(name));

	for (const char *s = p->name; *s; s++) /* a symbol of BIRD has no '-' or '.' */
		text_addf(&clean, "%c", *s == '-' || *s == '.' ? '_' : *s);
	text_addf(out,
	    "protocol bgp %s {\n  local %s as %u;\n  neighbor %s as %u;\n  hold time %u;\n", name,
	    ip_text(&bgp->peer_ip, theirs), bgp->peer_asn, ip_text(&bgp->local_ip, ours),
	    bgp->local_asn, bgp->hold_time);
	if (password_of(p))
		text_addf(out, "  password \"%s\";\n", password_of(p));
	if (bgp->gtsm)
		text_add(out, "  ttl security on;\n");
	text_addf(out, "  graceful restart %s;\n", bgp->graceful_restart ? "on" : "aware");
	if (p->conf->bfd.enabled)
		text_add(out, "  bfd on;\n");
	text_add(out, "  ipv4 { import all; export all; next hop self; };\n}\n");
}

static void bird_bfd(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_bfd *b = &p->conf->bfd;
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];

	text_addf(out,
	    "protocol bfd {\n  interface \"*\" { min rx interval %u ms; min tx interval %u ms; "
	    "multiplier %u; };\n",
	    b->transmit_ms, b->receive_ms, b->multiplier);
	if (!p->conf->bgp.enabled)
		text_addf(out, "  neighbor %s local %s;\n", ip_text(&b->local, ours),
		    ip_text(&b->peer, theirs));
	text_add(out, "}\n");
}

void peer_bird(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	bool bfd = false;

	text_add(out, "# bird.conf, for BIRD 2. Put the tunnel's addresses on its interface:\n");
	for (unsigned i = 0; i < count; i++) {
		char theirs[IP_TEXT_MAX];

		if (tunnels[i].conf->bgp.enabled)
			text_addf(out, "#   ip addr add %s/%u dev INTERFACE-OF-%s\n",
			    ip_text(&tunnels[i].conf->bgp.peer_ip, theirs),
			    tunnels[i].conf->bgp.cidr.len, tunnels[i].name);
	}
	text_add(out,
	    "protocol device { }\nprotocol kernel { ipv4 { export all; }; merge paths on; }\n");
	for (unsigned i = 0; i < count; i++) {
		if (tunnels[i].conf->bfd.enabled && !bfd) /* BIRD has one of it */
			bird_bfd(&tunnels[i], out);
		bfd |= tunnels[i].conf->bfd.enabled;
		if (tunnels[i].conf->bgp.enabled)
			bird_bgp(&tunnels[i], out);
	}
}

static void frr_neighbor(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel_bgp *bgp = &p->conf->bgp;
	char us[IP_TEXT_MAX], them[IP_TEXT_MAX];

	ip_text(&bgp->local_ip, us);
	text_addf(out, " neighbor %s remote-as %u\n neighbor %s update-source %s\n", us,
	    bgp->local_asn, us, ip_text(&bgp->peer_ip, them));
	text_addf(out, " neighbor %s timers %u %u\n", us, bgp->keepalive, bgp->hold_time);
	if (password_of(p))
		text_addf(out, " neighbor %s password %s\n", us, password_of(p));
	if (bgp->gtsm)
		text_addf(out, " neighbor %s ttl-security hops 1\n", us);
	if (p->conf->bfd.enabled)
		text_addf(out, " neighbor %s bfd %u %u %u\n", us, p->conf->bfd.multiplier,
		    p->conf->bfd.transmit_ms, p->conf->bfd.receive_ms);
}

void peer_frr(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	uint32_t asn = 0;

	text_add(out, "! frr.conf, for FRR 8 (bgpd, bfdd)\n");
	for (unsigned i = 0; i < count; i++) {
		if (!tunnels[i].conf->bgp.enabled)
			continue;
		if (tunnels[i].conf->bgp.peer_asn != asn) {
			asn = tunnels[i].conf->bgp.peer_asn;
			text_addf(out, "router bgp %u\n no bgp ebgp-requires-policy\n", asn);
		}
		frr_neighbor(&tunnels[i], out);
	}
	if (asn)
		text_add(out,
		    " address-family ipv4 unicast\n  redistribute connected\n  maximum-paths 16\n"
		    " exit-address-family\n");
	else
		text_add(out, "! none of the tunnels has bgp\n");
}
