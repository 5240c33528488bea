/* SPDX-License-Identifier: BSD-3-Clause */

/* ipsec.conf and ipsec.secrets of libreswan 4. */

#include <string.h>

#include "router/peer_config/peer.h"

static const char *group_name(enum alg_dh dh)
{
	switch (dh) {
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
		return "dh19";
	case DH_20:
		return "dh20";
	case DH_21:
		return "dh21";
	case DH_31:
		return "dh31";
	case DH_1: /* not known there */
	case DH_NONE:
	case DH_COUNT:
		break;
	}
	return NULL;
}

static const char *encr_name(enum alg_encr encr)
{
	switch (encr) {
	case ENCR_AES128GCM16:
		return "aes_gcm128";
	case ENCR_AES256GCM16:
		return "aes_gcm256";
	case ENCR_CHACHA20POLY1305:
		return "chacha20_poly1305";
	default:
		return alg_encr(encr)->name;
	}
}

static const char *auth_name(enum alg_auth auth)
{
	switch (auth) {
	case AUTH_SHA256:
		return "sha2_256";
	case AUTH_SHA384:
		return "sha2_384";
	case AUTH_SHA512:
		return "sha2_512";
	default:
		return alg_auth(auth)->name;
	}
}

static void ike_proposal(enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out)
{
	text_addf(out, "%s-%s", encr_name(encr), auth_name(auth));
	if (group_name(dh))
		text_addf(out, ";%s", group_name(dh));
}

static void esp_proposal(enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out)
{
	text_addf(out, "%s-%s", encr_name(encr), alg_is_aead(encr) ? "null" : auth_name(auth));
	if (group_name(dh))
		text_addf(out, ";%s", group_name(dh));
}

static void put_sides(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel *t = p->conf;
	const struct conf_connection *c = t->connection;
	char addr[IP_TEXT_MAX];

	if (ip_is_any(&t->customer_gateway->address))
		text_add(out, "  left=%defaultroute\n");
	else
		text_addf(out, "  left=%s\n", ip_text(&t->customer_gateway->address, addr));
	text_add(out, "  leftid=");
	peer_id_there(t, out);
	text_addf(out, "\n  right=%s\n  rightid=", ip_text(&t->gateway_address, addr));
	peer_id_here(t, out);
	text_add(out, c->peer_cidrs_count > 1 ? "\n  leftsubnets={" : "\n  leftsubnet=");
	peer_selectors(c->peer_cidrs, c->peer_cidrs_count, " ", out);
	text_add(out, c->peer_cidrs_count > 1 ? "}" : "");
	text_add(out, c->local_cidrs_count > 1 ? "\n  rightsubnets={" : "\n  rightsubnet=");
	peer_selectors(c->local_cidrs, c->local_cidrs_count, " ", out);
	text_add(out, c->local_cidrs_count > 1 ? "}\n" : "\n");
	if (!peer_is_flow(t))
		text_addf(out, "  ipsec-interface=%u # routes lead there\n", t->number);
}

static void put_connection(const struct peer_tunnel *p, struct text *out)
{
	const struct conf_tunnel *t = p->conf;
	const struct peer_algs ike = peer_ike_algs(t), esp = peer_esp_algs(t);

	text_addf(out, "conn %s\n  type=tunnel\n  authby=secret\n  auto=%s\n  ikev2=%s\n", p->name,
	    ip_is_any(&t->customer_gateway->address) ? "start" : "ondemand",
	    t->ike.version == CONF_IKEV1 ? "no" : "insist");
	if (t->ike.version == CONF_IKEV1 && t->ike.mode == CONF_IKE_AGGRESSIVE)
		text_add(out, "  aggressive=yes\n");
	put_sides(p, out);
	text_add(out, "  ike=");
	peer_proposals(&ike, ",", ike_proposal, out);
	text_add(out, "\n  esp=");
	peer_proposals(&esp, ",", esp_proposal, out);
	text_addf(out, "\n  pfs=%s\n  esn=%s\n", t->ipsec.dh_group[0] == DH_NONE ? "no" : "yes",
	    t->ipsec.esn == CONF_ESN_NO        ? "no"
		: t->ipsec.esn == CONF_ESN_YES ? "yes"
					       : "either");
	text_addf(out, "  dpddelay=%u\n  dpdtimeout=%u\n  dpdaction=restart\n\n", t->dpd.interval,
	    t->dpd.timeout);
}

/* In quotes of either kind; nothing is escaped between them. */
static void put_secret(const struct peer_tunnel *p, struct text *out)
{
	char quote = strchr(p->secret, '"') ? '\'' : '"';

	if (strchr(p->secret, quote)) {
		text_add(out, " # : PSK has quotes of both kinds, which cannot be written here\n");
		return;
	}
	text_addf(out, " : PSK %c%s%c\n", quote, p->secret, quote);
}

void peer_libreswan(const struct peer_tunnel *tunnels, unsigned count, struct text *out)
{
	text_add(out, "# ipsec.conf, for libreswan\n");
	for (unsigned i = 0; i < count; i++)
		put_connection(&tunnels[i], out);
	text_add(out, "# ipsec.secrets\n");
	for (unsigned i = 0; i < count; i++) {
		text_add(out, "# ");
		peer_id_there(tunnels[i].conf, out);
		text_add(out, " ");
		peer_id_here(tunnels[i].conf, out);
		put_secret(&tunnels[i], out);
	}
}
