/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * NAT traversal of IKEv1 (RFC 3947, and drafts -02 and -03 before it, which differ in numbers only). Each side
 * sends HASH(cookies | address | port) of both ends: the receiver's first, then its own, with the hash of
 * phase 1. NAT-OA payloads matter to transport mode alone, and are ignored.
 */

#include <string.h>

#include "ike/v1/v1.h"

static bool is_draft(const struct ike_sa *sa)
{
	return !(sa->v1->vendors & V1_VENDOR_NATT_RFC);
}

static size_t hash(
    const struct ike_sa *sa, const struct ike_endpoint *at, uint8_t out[IKE_DIGEST_MAX])
{
	uint8_t head[16], port[2] = {(uint8_t)(at->port >> 8), (uint8_t)at->port};
	struct wirebuf b = wirebuf_of(head, sizeof(head));
	struct ike_span in[3] = {
	    {head, sizeof(head)}, {at->addr.bytes, ip_bytes(at->addr.family)}, {port, 2}};

	wirebuf_u64(&b, sa->spi_i);
	wirebuf_u64(&b, sa->spi_r);
	ike_hash(sa->suite.prf, in, 3, out);
	return alg_auth(sa->suite.prf)->digest_bytes;
}

void v1_natd_put(struct ike_sa *sa, const struct ike_tunnel *t, struct ike_chain *c,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	uint8_t type = is_draft(sa) ? V1_PAYLOAD_NATD_DRAFT : V1_PAYLOAD_NATD;
	uint8_t digest[IKE_DIGEST_MAX];
	size_t len;

	if (!(sa->v1->vendors & V1_VENDOR_NATT) || t->config.natt == IKE_NATT_OFF)
		return;
	len = hash(sa, remote, digest);
	ike_chain_put(c, type, digest, len);
	hash(sa, local, digest);
	/* A random one makes the peer find a NAT. */
	if (t->config.natt == IKE_NATT_FORCE)
		rng_fill(sa->engine->rng, digest, len);
	ike_chain_put(c, type, digest, len);
}

void v1_natd_read(const struct ike_sa *sa, const struct ike_tunnel *t, const struct v1_message *m,
    bool *natt, struct ike_nat *nat)
{
	uint8_t type = is_draft(sa) ? V1_PAYLOAD_NATD_DRAFT : V1_PAYLOAD_NATD;
	uint8_t here[IKE_DIGEST_MAX], there[IKE_DIGEST_MAX];
	size_t len = hash(sa, m->local, here);
	bool match_here = false, match_there = false;
	unsigned count = 0;

	hash(sa, m->remote, there);
	*natt = false;
	*nat = (struct ike_nat){0};
	if (!(sa->v1->vendors & V1_VENDOR_NATT) || t->config.natt == IKE_NATT_OFF)
		return;
	/* The first is of our end; of its own the peer may send several: one match is enough. */
	for (unsigned i = 0; i < m->p.list.count; i++) {
		const struct ike_payload *p = &m->p.list.list[i];

		if (p->type != type || p->len != len)
			continue;
		if (count++ == 0)
			match_here = !memcmp(p->body, here, len);
		else
			match_there |= !memcmp(p->body, there, len);
	}
	if (count < 2)
		return;
	*natt = true;
	*nat = (struct ike_nat){
	    .here = !match_here,
	    .there = !match_there,
	    .forced = t->config.natt == IKE_NATT_FORCE,
	};
}

void v1_natd_check(struct ike_sa *sa, const struct ike_tunnel *t, const struct v1_message *m)
{
	v1_natd_read(sa, t, m, &sa->natt, &sa->nat);
}

void v1_float(struct ike_sa *sa)
{
	if (sa->natt && ike_nat_found(&sa->nat) && sa->local.port == IKE_PORT)
		sa->local.port = sa->remote.port = IKE_PORT_NATT;
}

uint16_t v1_tunnel_mode(const struct ike_sa *sa)
{
	if (!sa->natt || !ike_nat_found(&sa->nat))
		return V1_MODE_TUNNEL;
	return is_draft(sa) ? V1_MODE_UDP_TUNNEL_DRAFT : V1_MODE_UDP_TUNNEL;
}
