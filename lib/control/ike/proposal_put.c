/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writing SA payloads (RFC 7296 3.3): everything that a policy offers, or the one choice that answers an
 * offer. Ciphers with and without a separate integrity algorithm go into proposals of their own (2.7).
 */

#include "ike/proposal.h"

#define ATTRIBUTE_SHORT_FORM 0x8000

/* A proposal under construction: lengths, counts and "last" marks are filled in behind. */
struct writer {
	struct wirebuf *b;
	size_t start;          /* of the proposal */
	size_t last_transform; /* offset of the last transform */
	uint8_t transforms;
};

static struct writer proposal_begin(
    struct ike_chain *c, uint8_t number, uint8_t protocol, const uint8_t *spi, uint8_t spi_len)
{
	struct writer w = {.b = &c->buf, .start = wirebuf_len(&c->buf)};

	wirebuf_u8(w.b, 0);
	wirebuf_u8(w.b, 0);
	wirebuf_u16(w.b, 0);
	wirebuf_u8(w.b, number);
	wirebuf_u8(w.b, protocol);
	wirebuf_u8(w.b, spi_len);
	wirebuf_u8(w.b, 0);
	wirebuf_put(w.b, spi, spi_len);
	return w;
}

static void proposal_end(struct writer *w, bool more)
{
	wirebuf_u8_at(w->b, w->start, more ? 2 : 0);
	wirebuf_u16_at(w->b, w->start + 2, (uint16_t)(wirebuf_len(w->b) - w->start));
	wirebuf_u8_at(w->b, w->start + 7, w->transforms);
}

static void transform(struct writer *w, uint8_t type, uint16_t id, unsigned key_bits)
{
	size_t start = wirebuf_len(w->b);

	if (w->transforms > 0)
		wirebuf_u8_at(w->b, w->last_transform, 3);
	w->last_transform = start;
	w->transforms++;
	wirebuf_u8(w->b, 0);
	wirebuf_u8(w->b, 0);
	wirebuf_u16(w->b, key_bits ? 12 : 8);
	wirebuf_u8(w->b, type);
	wirebuf_u8(w->b, 0);
	wirebuf_u16(w->b, id);
	if (key_bits) {
		wirebuf_u16(w->b, ATTRIBUTE_SHORT_FORM | IKE_ATTRIBUTE_KEY_LENGTH);
		wirebuf_u16(w->b, (uint16_t)key_bits);
	}
}

static void encr_transform(struct writer *w, enum alg_encr e)
{
	const struct alg_encr_info *info = alg_encr(e);

	transform(w, TRANSFORM_ENCR, info->v2_id, info->fixed_key ? 0 : 8u * info->key_bytes);
}

/* The proposal of all ciphers of one kind. */
static void offer(struct ike_chain *c, const struct ike_policy *p, bool aead, uint8_t number,
    bool more, const uint8_t *spi, uint8_t spi_len)
{
	const struct ike_algs *algs = p->algs;
	struct writer w = proposal_begin(c, number, p->protocol, spi, spi_len);

	for (unsigned i = 0; i < algs->encr_count; i++)
		if (alg_is_aead(algs->encr[i]) == aead)
			encr_transform(&w, algs->encr[i]);
	if (p->protocol == PROTOCOL_IKE)
		for (unsigned i = 0; i < algs->auth_count; i++)
			transform(&w, TRANSFORM_PRF, alg_auth(algs->auth[i])->v2_prf_id, 0);
	if (!aead)
		for (unsigned i = 0; i < algs->auth_count; i++)
			transform(&w, TRANSFORM_INTEG, alg_auth(algs->auth[i])->v2_integ_id, 0);
	if (!p->without_dh && !(algs->dh_count == 1 && algs->dh[0] == DH_NONE))
		for (unsigned i = 0; i < algs->dh_count; i++)
			transform(&w, TRANSFORM_DH, alg_dh(algs->dh[i])->id, 0);
	if (p->protocol == PROTOCOL_ESP && p->esn != IKE_ESN_YES)
		transform(&w, TRANSFORM_ESN, 0, 0);
	if (p->protocol == PROTOCOL_ESP && p->esn != IKE_ESN_NO)
		transform(&w, TRANSFORM_ESN, 1, 0);
	proposal_end(&w, more);
}

void ike_policy_put(
    struct ike_chain *c, const struct ike_policy *policy, const uint8_t *spi, uint8_t spi_len)
{
	bool first = alg_is_aead(policy->algs->encr[0]);
	bool both = false;

	for (unsigned i = 1; i < policy->algs->encr_count; i++)
		both |= alg_is_aead(policy->algs->encr[i]) != first;
	ike_chain_begin(c, PAYLOAD_SA);
	offer(c, policy, first, 1, both, spi, spi_len);
	if (both)
		offer(c, policy, !first, 2, false, spi, spi_len);
	ike_chain_end(c);
}

void ike_suite_put(struct ike_chain *c, const struct ike_suite *s, uint8_t protocol,
    const uint8_t *spi, uint8_t spi_len)
{
	struct writer w;

	ike_chain_begin(c, PAYLOAD_SA);
	w = proposal_begin(c, s->number, protocol, spi, spi_len);
	encr_transform(&w, s->encr);
	if (s->kinds & 1u << TRANSFORM_PRF)
		transform(&w, TRANSFORM_PRF, alg_auth(s->prf)->v2_prf_id, 0);
	if (s->kinds & 1u << TRANSFORM_INTEG)
		transform(&w, TRANSFORM_INTEG, alg_auth(s->integ)->v2_integ_id, 0);
	if (s->kinds & 1u << TRANSFORM_DH)
		transform(&w, TRANSFORM_DH, alg_dh(s->dh)->id, 0);
	if (s->kinds & 1u << TRANSFORM_ESN)
		transform(&w, TRANSFORM_ESN, s->esn, 0);
	proposal_end(&w, false);
	ike_chain_end(c);
}
