/* SPDX-License-Identifier: BSD-3-Clause */

/* What configurations of all kinds of peers have in common. */

#include "router/peer_config/peer.h"

static void put_id(const struct conf_id *id, const struct ip_addr *address, struct text *out)
{
	char addr[IP_TEXT_MAX];

	switch (id->type) {
	case CONF_ID_NONE:
		text_add(out, ip_text(address, addr));
		return;
	case CONF_ID_ADDRESS:
		text_add(out, ip_text(&id->addr, addr));
		return;
	case CONF_ID_FQDN:
		text_addf(out, "@%s", id->text);
		return;
	case CONF_ID_USER_FQDN:
		text_add(out, id->text);
		return;
	case CONF_ID_KEY_ID:
		text_addf(out, "keyid:%s", id->text);
		return;
	}
}

void peer_id_there(const struct conf_tunnel *t, struct text *out)
{
	put_id(&t->ike.remote_id, &t->customer_gateway->address, out);
}

void peer_id_here(const struct conf_tunnel *t, struct text *out)
{
	put_id(&t->ike.local_id, &t->gateway_address, out);
}

const char *peer_password(const struct peer_tunnel *p)
{
	return p->with_secrets ? p->conf->bgp.password : "REPLACE-BY-THE-PASSWORD";
}

void peer_tunnel_address(const struct peer_tunnel *p, const char *comment, struct text *out)
{
	const struct conf_tunnel *t = p->conf;
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];

	if (t->bgp.enabled)
		text_addf(out, "%s   ip addr add %s/%u dev INTERFACE-OF-%s\n", comment,
		    ip_text(&t->bgp.peer_ip, theirs), t->bgp.cidr.len, p->name);
	else if (t->bfd.enabled)
		text_addf(out, "%s   ip addr add %s peer %s dev INTERFACE-OF-%s\n", comment,
		    ip_text(&t->bfd.peer, theirs), ip_text(&t->bfd.local, ours), p->name);
}

void peer_selectors(
    const struct ip_prefix *prefixes, unsigned count, const char *separator, struct text *out)
{
	char prefix[IP_PREFIX_TEXT_MAX];

	if (!count)
		text_add(out, "0.0.0.0/0");
	for (unsigned i = 0; i < count; i++)
		text_addf(out, "%s%s", i ? separator : "", ip_prefix_text(&prefixes[i], prefix));
}

struct peer_algs peer_ike_algs(const struct conf_tunnel *t)
{
	return (struct peer_algs){t->ike.encryption, t->ike.authentication, t->ike.dh_group,
	    t->ike.encryption_count, t->ike.authentication_count, t->ike.dh_group_count};
}

struct peer_algs peer_esp_algs(const struct conf_tunnel *t)
{
	return (struct peer_algs){t->ipsec.encryption, t->ipsec.authentication, t->ipsec.dh_group,
	    t->ipsec.encryption_count, t->ipsec.authentication_count, t->ipsec.dh_group_count};
}

void peer_proposals(
    const struct peer_algs *algs, const char *separator, peer_proposal *one, struct text *out)
{
	unsigned n = 0;

	for (unsigned e = 0; e < algs->encr_count; e++) {
		for (unsigned a = 0; a < algs->auth_count; a++) {
			for (unsigned d = 0; d < algs->dh_count && n < PEER_PROPOSALS_MAX; d++) {
				text_add(out, n++ ? separator : "");
				one(algs->encr[e], algs->auth[a], algs->dh[d], out);
			}
		}
	}
}
