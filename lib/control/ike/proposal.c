/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reading proposals (RFC 7296 3.3) and choosing one suite out of them (2.7).
 */

#include "ike/proposal.h"

#include <errno.h>
#include <string.h>

#define BIT(n)               (1u << (n))
#define ATTRIBUTE_SHORT_FORM 0x8000
#define LAST_MORE_PROPOSALS  2
#define LAST_MORE_TRANSFORMS 3

enum alg_dh ike_dh_by_id(uint16_t id)
{
	for (enum alg_dh g = DH_NONE + 1; g < DH_COUNT; g++)
		if (alg_dh(g)->id == id)
			return g;
	return DH_NONE;
}

/* Key lengths are part of the algorithm: AES demands the attribute, the others forbid it (3.3.5). */
static uint32_t encr_bits(uint16_t id, int key_bits)
{
	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		const struct alg_encr_info *info = alg_encr(e);

		if (info->v2_id == id && key_bits == (info->fixed_key ? -1 : 8 * info->key_bytes))
			return BIT(e);
	}
	return 0;
}

static uint32_t auth_bits(uint16_t id, bool prf)
{
	for (enum alg_auth a = AUTH_NONE + 1; a < AUTH_COUNT; a++)
		if ((prf ? alg_auth(a)->v2_prf_id : alg_auth(a)->v2_integ_id) == id)
			return BIT(a);
	return 0;
}

static void note_kind(struct ike_offer *o, uint8_t type)
{
	if (type < TRANSFORM_ENCR || type > TRANSFORM_ESN) {
		o->alien = true;
		return;
	}
	o->doubled |= (o->kinds & BIT(type)) != 0;
	o->kinds |= BIT(type);
}

static void note_transform(struct ike_offer *o, uint8_t type, uint16_t id, int key_bits)
{
	bool plain = key_bits == -1;

	switch (type) {
	case TRANSFORM_ENCR:
		o->encr |= encr_bits(id, key_bits);
		break;
	case TRANSFORM_PRF:
		o->prf |= plain ? auth_bits(id, true) : 0;
		break;
	case TRANSFORM_INTEG:
		o->integ |= !plain ? 0 : id == 0 ? BIT(AUTH_NONE) : auth_bits(id, false);
		break;
	case TRANSFORM_DH:
		if (plain && (id == 0 || ike_dh_by_id(id) != DH_NONE))
			o->dh |= BIT(ike_dh_by_id(id));
		break;
	case TRANSFORM_ESN:
		o->esn |= plain && id <= 1 ? BIT(id) : 0;
		break;
	}
}

/* key_bits: -1 without the attribute; *known false with any other attribute. */
static int parse_attributes(struct wire w, int *key_bits, bool *known)
{
	*key_bits = -1;
	*known = true;
	while (wire_left(&w) > 0) {
		uint16_t type = wire_u16(&w);
		uint16_t value = wire_u16(&w);

		if (!(type & ATTRIBUTE_SHORT_FORM))
			wire_skip(&w, value);
		if (type == (ATTRIBUTE_SHORT_FORM | IKE_ATTRIBUTE_KEY_LENGTH) && *key_bits == -1)
			*key_bits = value;
		else
			*known = false;
	}
	return wire_done(&w) ? 0 : -EBADMSG;
}

static int parse_transform(struct wire *w, struct ike_offer *o)
{
	uint8_t last = wire_u8(w);
	struct wire body;
	uint16_t len, id;
	uint8_t type;
	int key_bits;
	bool known;

	wire_skip(w, 1);
	len = wire_u16(w);
	type = wire_u8(w);
	wire_skip(w, 1);
	id = wire_u16(w);
	if (!wire_ok(w) || len < 8)
		return -EBADMSG;
	body = wire_sub(w, len - 8u);
	if (!wire_ok(w) || parse_attributes(body, &key_bits, &known))
		return -EBADMSG;
	if (last != (wire_left(w) > 0 ? LAST_MORE_TRANSFORMS : 0))
		return -EBADMSG;
	note_kind(o, type);
	if (known)
		note_transform(o, type, id, key_bits);
	return 0;
}

int ike_offer_next(struct wire *sa, struct ike_offer *out)
{
	struct wire body;
	uint8_t last, count;
	uint16_t len;

	*out = (struct ike_offer){0};
	if (wire_done(sa))
		return 0;
	last = wire_u8(sa);
	wire_skip(sa, 1);
	len = wire_u16(sa);
	if (!wire_ok(sa) || len < 8)
		return -EBADMSG;
	body = wire_sub(sa, len - 4u);
	out->number = wire_u8(&body);
	out->protocol = wire_u8(&body);
	out->spi_len = wire_u8(&body);
	count = wire_u8(&body);
	if (out->spi_len <= sizeof(out->spi))
		wire_copy(&body, out->spi, out->spi_len);
	else
		wire_skip(&body, out->spi_len);
	if (!wire_ok(&body) || last != (wire_left(sa) > 0 ? LAST_MORE_PROPOSALS : 0))
		return -EBADMSG;
	for (unsigned i = 0; i < count; i++)
		if (parse_transform(&body, out))
			return -EBADMSG;
	return wire_done(&body) ? 1 : -EBADMSG;
}

static uint32_t mask_of(const uint8_t *list, unsigned count)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < count; i++)
		mask |= BIT(list[i]);
	return mask;
}

bool ike_policy_has_dh(const struct ike_policy *policy, enum alg_dh group)
{
	return mask_of(policy->algs->dh, policy->algs->dh_count) & BIT(group);
}

/* The first of our list that is in the mask; 0 (*_NONE) without. */
static uint8_t pick(const uint8_t *list, unsigned count, uint32_t mask)
{
	for (unsigned i = 0; i < count; i++)
		if (mask & BIT(list[i]))
			return list[i];
	return 0;
}

/* RFC 5282 8: an AEAD goes with no integrity algorithm or with NONE, the others need one. */
static bool choose_cipher(
    const struct ike_policy *p, const struct ike_offer *o, struct ike_suite *s)
{
	bool integ_offered = o->kinds & BIT(TRANSFORM_INTEG);
	enum alg_auth integ = pick(p->algs->auth, p->algs->auth_count, o->integ & ~BIT(AUTH_NONE));

	for (unsigned i = 0; i < p->algs->encr_count; i++) {
		enum alg_encr e = p->algs->encr[i];
		bool aead = alg_is_aead(e);

		if (!(o->encr & BIT(e)))
			continue;
		if (aead ? integ_offered && !(o->integ & BIT(AUTH_NONE)) : integ == AUTH_NONE)
			continue;
		s->encr = e;
		s->integ = aead ? AUTH_NONE : integ;
		return true;
	}
	return false;
}

static bool choose_prf(const struct ike_policy *p, const struct ike_offer *o, struct ike_suite *s)
{
	if (p->protocol != PROTOCOL_IKE)
		return !(o->kinds & BIT(TRANSFORM_PRF));
	s->prf = pick(p->algs->auth, p->algs->auth_count, o->prf);
	return s->prf != AUTH_NONE;
}

/* A proposal of a Child SA without DH transforms asks for no PFS. */
static bool choose_dh(
    const struct ike_policy *p, const struct ike_offer *o, uint16_t ke_group, struct ike_suite *s)
{
	uint32_t offered = o->kinds & BIT(TRANSFORM_DH) ? o->dh : BIT(DH_NONE);
	uint32_t common = offered & mask_of(p->algs->dh, p->algs->dh_count);
	enum alg_dh at_hand = ike_dh_by_id(ke_group);

	s->dh = DH_NONE;
	if (p->without_dh)
		return true;
	if (p->protocol == PROTOCOL_IKE)
		common &= ~BIT(DH_NONE);
	if (!common)
		return false;
	if (at_hand != DH_NONE && common & BIT(at_hand))
		s->dh = at_hand;
	else
		s->dh = pick(p->algs->dh, p->algs->dh_count, common);
	return true;
}

static uint32_t esn_mask(enum ike_esn esn)
{
	return esn == IKE_ESN_NO ? 1 : esn == IKE_ESN_YES ? 2 : 3;
}

static bool choose_esn(const struct ike_policy *p, const struct ike_offer *o, struct ike_suite *s)
{
	bool offered = o->kinds & BIT(TRANSFORM_ESN);
	uint32_t common = (offered ? o->esn : 1) & esn_mask(p->esn);

	if (p->protocol == PROTOCOL_IKE)
		return !offered;
	s->esn = !(common & 1);
	return common != 0;
}

static bool fits(
    const struct ike_policy *p, const struct ike_offer *o, uint16_t ke_group, struct ike_suite *s)
{
	*s = (struct ike_suite){.number = o->number, .kinds = o->kinds, .spi_len = o->spi_len};
	memcpy(s->spi, o->spi, sizeof(s->spi));
	return !o->alien && o->protocol == p->protocol && choose_cipher(p, o, s) &&
	    choose_prf(p, o, s) && choose_dh(p, o, ke_group, s) && choose_esn(p, o, s);
}

int ike_suite_choose(
    const struct ike_policy *policy, struct wire sa, uint16_t ke_group, struct ike_suite *out)
{
	struct ike_offer o;
	bool found = false;
	int more;

	/* All of it is read, so that malformed offers are refused whatever stands first. */
	while ((more = ike_offer_next(&sa, &o)) > 0) {
		struct ike_suite s;

		if (!found && fits(policy, &o, ke_group, &s)) {
			*out = s;
			found = true;
		}
	}
	if (more < 0)
		return more;
	return found ? 0 : -ENOENT;
}

/* Our proposals are numbered by kind of cipher, the kind of the most preferred cipher first. */
static bool number_matches(const struct ike_policy *p, const struct ike_suite *s)
{
	bool first = alg_is_aead(s->encr) == alg_is_aead(p->algs->encr[0]);

	return s->number == (first ? 1 : 2);
}

/* RFC 7296 1.2: IKE_AUTH can not negotiate a group, and we offered none; NONE says the same. */
static bool names_group(const struct ike_offer *o)
{
	return o->kinds & BIT(TRANSFORM_DH) && o->dh != BIT(DH_NONE);
}

int ike_suite_accept(const struct ike_policy *policy, struct wire sa, struct ike_suite *out)
{
	struct ike_offer o;
	int more = ike_offer_next(&sa, &o);

	if (more <= 0)
		return -EBADMSG;
	if (!wire_done(&sa))
		return -ENOENT;
	if (o.doubled || (policy->without_dh && names_group(&o)) || !fits(policy, &o, 0, out) ||
	    !number_matches(policy, out))
		return -ENOENT;
	return 0;
}
