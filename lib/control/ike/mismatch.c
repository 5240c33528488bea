/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Why no proposal fitted (T27): the first kind of transform of which nothing is common to both sides,
 * with what each side has. Only for the operator; the wire says NO_PROPOSAL_CHOSEN.
 */

#include <string.h>

#include "base/text.h"
#include "ike/proposal.h"

static const char *encr_name(unsigned n)
{
	return alg_encr(n)->name;
}
static const char *auth_name(unsigned n)
{
	return alg_auth(n)->name;
}
static const char *dh_name(unsigned n)
{
	return n == DH_NONE ? "disabled" : alg_dh(n)->name;
}
static const char *esn_name(unsigned n)
{
	return n ? "yes" : "no";
}

static void list_text(
    struct text *t, const uint8_t *list, unsigned count, const char *(*name)(unsigned))
{
	for (unsigned i = 0; i < count; i++) {
		text_add(t, i ? "," : "");
		text_add(t, name(list[i]));
	}
}

static void mask_text(char *buf, uint32_t mask, unsigned end, const char *(*name)(unsigned))
{
	struct text t = text_of(buf, IKE_MISMATCH_TEXT);

	for (unsigned n = 0; n < end; n++) {
		if (!(mask & 1u << n))
			continue;
		text_add(&t, t.len ? "," : "");
		text_add(&t, name(n));
	}
	if (!mask)
		text_add(&t, "none that we know");
}

const char *ike_policy_text(const struct ike_policy *policy, char buf[IKE_MISMATCH_TEXT])
{
	const struct ike_algs *algs = policy->algs;
	struct text t = text_of(buf, IKE_MISMATCH_TEXT);

	list_text(&t, algs->encr, algs->encr_count, encr_name);
	text_add(&t, "/");
	list_text(&t, algs->auth, algs->auth_count, auth_name);
	if (!policy->without_dh) {
		text_add(&t, "/");
		list_text(&t, algs->dh, algs->dh_count, dh_name);
	}
	return buf;
}

/* All offers for our protocol taken together. */
static struct ike_offer union_of(const struct ike_policy *p, struct wire sa)
{
	struct ike_offer all = {0}, o;

	while (ike_offer_next(&sa, &o) > 0) {
		if (o.protocol != p->protocol)
			continue;
		all.encr |= o.encr;
		all.prf |= o.prf;
		all.integ |= o.integ & ~1u;
		all.dh |= o.kinds & 1u << TRANSFORM_DH ? o.dh : 1u << DH_NONE;
		all.esn |= o.kinds & 1u << TRANSFORM_ESN ? o.esn : 1;
		all.kinds |= o.kinds;
	}
	return all;
}

/* One kind of transform: true, and the report, when the two sides have nothing in common. */
static bool differs(struct ike_mismatch *m, enum ike_error_code code, const char *field,
    const uint8_t *list, unsigned count, uint32_t theirs, unsigned end,
    const char *(*name)(unsigned))
{
	struct text ours = text_of(m->ours, sizeof(m->ours));

	for (unsigned i = 0; i < count; i++)
		if (theirs & 1u << list[i])
			return false;
	m->code = code;
	m->field = field;
	list_text(&ours, list, count, name);
	mask_text(m->theirs, theirs, end, name);
	return true;
}

static bool esn_differs(struct ike_mismatch *m, const struct ike_policy *p, uint32_t theirs)
{
	uint8_t list[2], count = 0;

	if (p->esn != IKE_ESN_YES)
		list[count++] = 0;
	if (p->esn != IKE_ESN_NO)
		list[count++] = 1;
	return differs(m, IKE_ERROR_ESN_MISMATCH, "ipsec.esn", list, count, theirs, 2, esn_name);
}

void ike_mismatch_find(const struct ike_policy *p, struct wire sa, struct ike_mismatch *m)
{
	struct ike_offer all = union_of(p, sa);

	ike_mismatch_of(p, &all, m);
}

void ike_mismatch_of(
    const struct ike_policy *p, const struct ike_offer *all, struct ike_mismatch *m)
{
	const struct ike_algs *a = p->algs;
	bool ike = p->protocol == PROTOCOL_IKE;
	bool needs_integ = false;

	for (unsigned i = 0; i < a->encr_count; i++)
		needs_integ |= !alg_is_aead(a->encr[i]) && all->encr & 1u << a->encr[i];
	if (differs(m, IKE_ERROR_ENCRYPTION_ALGORITHM_MISMATCH,
		ike ? "ike.encryption" : "ipsec.encryption", a->encr, a->encr_count, all->encr,
		ENCR_COUNT, encr_name))
		return;
	if ((ike || needs_integ) &&
	    differs(m, IKE_ERROR_AUTHENTICATION_ALGORITHM_MISMATCH,
		ike ? "ike.authentication" : "ipsec.authentication", a->auth, a->auth_count,
		needs_integ ? all->integ : all->prf, AUTH_COUNT, auth_name))
		return;
	if (!p->without_dh &&
	    differs(m, ike ? IKE_ERROR_DH_GROUP_MISMATCH : IKE_ERROR_PFS_MISMATCH,
		ike ? "ike.dh-group" : "ipsec.dh-group", a->dh, a->dh_count, all->dh, DH_COUNT,
		dh_name))
		return;
	if (!ike && esn_differs(m, p, all->esn))
		return;
	m->code = IKE_ERROR_PROPOSAL_MISMATCH;
	m->field = ike ? "ike" : "ipsec";
	ike_policy_text(p, m->ours);
	text_copy(m->theirs, sizeof(m->theirs), "each algorithm, but in no single proposal");
}
