/* SPDX-License-Identifier: BSD-3-Clause */

/* swanctl.conf of strongSwan 5.9: one connection with one child for each tunnel, and the secrets. */

#include "router/peer_config/peer.h"

static const char *group_name(enum alg_dh dh)
{
	switch (dh) {
	case DH_1:
		return "modp768";
	case DH_2:
		return "modp1024";
	case DH_5:
		return "modp1536";
	case DH_14:
		return "modp2048";
	case DH_15:
		return "modp3072";
	case DH_16:
		return "modp4096";
	case DH_19:
		return "ecp256";
	case DH_20:
		return "ecp384";
	case DH_21:
		return "ecp521";
	case DH_31:
		return "curve25519";
	case DH_NONE:
	case DH_COUNT:
		break;
	}
	return NULL;
}

static void ike_proposal(enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out)
{
	text_addf(out, "%s-%s%s-%s", alg_encr(encr)->name, alg_is_aead(encr) ? "prf" : "",
	    alg_auth(auth)->name, group_name(dh));
}

static void esp_proposal(enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out)
{
	text_add(out, alg_encr(encr)->name);
	if (!alg_is_aead(encr))
		text_addf(out, "-%s", alg_auth(auth)->name);
	if (group_name(dh))
		text_addf(out, "-%s", group_name(dh));
}

/* Each ESP proposal carries what we do about extended sequence numbers. */
static void esp_proposal_esn(
    enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out)
{
	esp_proposal(encr, auth, dh, out);
	text_add(out, "-esn");
}

static void esp_proposal_both(
    enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out)
{
	esp_proposal(encr, auth, dh, out);
	text_add(out, "-esn-noesn");
}

static void put_child(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel *t = p->conf;
	const struct conf_connection *c = t->connection;
	const struct peer_algs algs = peer_esp_algs(t);
	peer_proposal *const esp[] = {
	    [CONF_ESN_NO] = esp_proposal,
	    [CONF_ESN_YES] = esp_proposal_esn,
	    [CONF_ESN_AUTO] = esp_proposal_both,
	};

	text_addf(out, "    children {\n      %s {\n        local_ts = ", p->name);
	peer_selectors(c->peer_cidrs, c->peer_cidrs_count, ",", out);
	text_add(out, "\n        remote_ts = ");
	peer_selectors(c->local_cidrs, c->local_cidrs_count, ",", out);
	text_add(out, "\n        esp_proposals = ");
	peer_proposals(&algs, ",", esp[t->ipsec.esn], out);
	text_addf(out,
	    "\n        start_action = %s\n        dpd_action = restart\n        close_action = none\n"
	    "      }\n    }\n",
	    ip_is_any(&t->customer_gateway->address) ? "start" : "trap");
}

static void put_connection(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel *t = p->conf;
	const struct peer_algs algs = peer_ike_algs(t);
	const bool known = !ip_is_any(&t->customer_gateway->address);
	char addr[IP_TEXT_MAX];

	text_addf(out, "  %s {\n    version = %d\n", p->name, t->ike.version == CONF_IKEV1 ? 1 : 2);
	if (t->ike.version == CONF_IKEV1 && t->ike.mode == CONF_IKE_AGGRESSIVE)
		text_add(out, "    aggressive = yes\n");
	if (known)
		text_addf(
		    out, "    local_addrs = %s\n", ip_text(&t->customer_gateway->address, addr));
	text_addf(
	    out, "    remote_addrs = %s\n    proposals = ", ip_text(&t->gateway_address, addr));
	peer_proposals(&algs, ",", ike_proposal, out);
	text_addf(
	    out, "\n    mobike = no\n    keyingtries = 0\n    dpd_delay = %us\n", t->dpd.interval);
	text_add(out, "    local {\n      auth = psk\n      id = ");
	peer_id_there(t, out);
	text_add(out, "\n    }\n    remote {\n      auth = psk\n      id = ");
	peer_id_here(t, out);
	text_add(out, "\n    }\n");
	put_child(p, out);
	text_add(out, "  }\n");
}

static void put_secret(const struct peer_tunnel *p, struct text *out)
{
	text_addf(out, "  ike-%s {\n    id-local = ", p->name);
	peer_id_there(p->conf, out);
	text_add(out, "\n    id-remote = ");
	peer_id_here(p->conf, out);
	text_add(out, "\n    secret = \"");
	for (const char *s = p->secret; *s; s++)
		text_addf(out, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
	text_add(out, "\"\n  }\n");
}

void peer_swanctl(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	text_add(out, "# swanctl.conf, for strongSwan: swanctl --load-all\nconnections {\n");
	for (unsigned i = 0; i < count; i++)
		put_connection(&tunnels[i], out);
	text_add(out, "}\nsecrets {\n");
	for (unsigned i = 0; i < count; i++)
		put_secret(&tunnels[i], out);
	text_add(out, "}\n");
}
