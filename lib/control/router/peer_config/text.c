/* SPDX-License-Identifier: BSD-3-Clause */

/* The settings of the other side for people, who type them into whatever they have. */

#include "base/mtu.h"
#include "router/peer_config/peer.h"

static void put_names(const char *what, struct text *out, unsigned count,
    const char *(*name)(const struct conf_tunnel *t, unsigned i), const struct conf_tunnel *t)
{
	text_addf(out, "  %-22s", what);
	for (unsigned i = 0; i < count; i++)
		text_addf(out, "%s%s", i ? ", " : "", name(t, i));
	text_add(out, "\n");
}

static const char *ike_encr(const struct conf_tunnel *t, unsigned i)
{
	return alg_encr(t->ike.encryption[i])->name;
}
static const char *ike_auth(const struct conf_tunnel *t, unsigned i)
{
	return alg_auth(t->ike.authentication[i])->name;
}
static const char *ike_group(const struct conf_tunnel *t, unsigned i)
{
	return alg_dh(t->ike.dh_group[i])->name;
}
static const char *esp_encr(const struct conf_tunnel *t, unsigned i)
{
	return alg_encr(t->ipsec.encryption[i])->name;
}
static const char *esp_auth(const struct conf_tunnel *t, unsigned i)
{
	return alg_auth(t->ipsec.authentication[i])->name;
}
static const char *esp_group(const struct conf_tunnel *t, unsigned i)
{
	return t->ipsec.dh_group[i] == DH_NONE ? "disabled" : alg_dh(t->ipsec.dh_group[i])->name;
}

static void put_phases(const struct conf_tunnel *t, struct text *out)
{
	text_addf(out, "  %-22s%s%s\n", "IKE version", t->ike.version == CONF_IKEV1 ? "1, " : "2",
	    t->ike.version != CONF_IKEV1             ? ""
		: t->ike.mode == CONF_IKE_AGGRESSIVE ? "aggressive mode"
						     : "main mode");
	put_names("phase 1 encryption", out, t->ike.encryption_count, ike_encr, t);
	put_names("phase 1 authentication", out, t->ike.authentication_count, ike_auth, t);
	put_names("phase 1 DH group", out, t->ike.dh_group_count, ike_group, t);
	text_addf(out, "  %-22s%u s\n", "phase 1 lifetime", t->ike.lifetime);
	put_names("phase 2 encryption", out, t->ipsec.encryption_count, esp_encr, t);
	put_names("phase 2 authentication", out, t->ipsec.authentication_count, esp_auth, t);
	put_names("phase 2 DH group (PFS)", out, t->ipsec.dh_group_count, esp_group, t);
	text_addf(out, "  %-22s%u s\n", "phase 2 lifetime", t->ipsec.lifetime);
	text_addf(out, "  %-22s%s\n", "NAT traversal", t->nat_traversal ? "on" : "off");
	text_addf(out, "  %-22severy %u s, dead after %u s\n", "dead peer detection",
	    t->dpd.interval, t->dpd.timeout);
}

static void put_bgp(const struct conf_tunnel_bgp *bgp, struct text *out)
{
	char us[IP_TEXT_MAX], them[IP_TEXT_MAX];

	text_addf(out, "  %-22slocal %s/%u as %u, neighbor %s as %u\n", "BGP",
	    ip_text(&bgp->peer_ip, them), bgp->cidr.len, bgp->peer_asn, ip_text(&bgp->local_ip, us),
	    bgp->local_asn);
}

void peer_text(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	for (unsigned i = 0; i < count; i++) {
		const struct conf_tunnel *t = tunnels[i].conf;
		const struct conf_connection *c = t->connection;
		char addr[IP_TEXT_MAX];

		text_addf(out, "tunnel %s\n  %-22s%s\n", tunnels[i].name, "our side of it",
		    ip_is_any(&t->customer_gateway->address)
			? "any address"
			: ip_text(&t->customer_gateway->address, addr));
		text_addf(out, "  %-22s%s\n  %-22s", "peer (transit router)",
		    ip_text(&t->gateway_address, addr), "local ID");
		peer_id_there(t, out);
		text_addf(out, "\n  %-22s", "remote ID");
		peer_id_here(t, out);
		text_addf(out, "\n  %-22s%s\n", "pre-shared key", tunnels[i].secret);
		put_phases(t, out);
		text_addf(out, "  %-22s", "local networks");
		peer_selectors(c->peer_cidrs, c->peer_cidrs_count, ", ", out);
		text_addf(out, "\n  %-22s", "remote networks");
		peer_selectors(c->local_cidrs, c->local_cidrs_count, ", ", out);
		text_add(out, "\n");
		if (t->bgp.enabled)
			put_bgp(&t->bgp, out);
		text_add(out, "\n");
	}
}
