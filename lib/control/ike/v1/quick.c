/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Quick mode as initiator (RFC 2409 5.5): one pair of selectors, one Child SA.
 *
 *     1 -> {HASH(1) SA Ni [KE] IDci IDcr}   2 <- {HASH(2) SA Nr [KE] IDci IDcr [N]}   3 -> {HASH(3)}
 *
 * The responder has its inbound SA before message 2, we have both directions before message 3, so that nothing is
 * lost between old and new. The peer repeats message 2 when message 3 was lost, and gets the same bytes again.
 */

#include <string.h>

#include "base/secret.h"
#include "ike/v1/v1.h"

#define RETRY_S 60 /* before a rekey that failed is tried again, at most */

static struct v1_esp_terms esp_terms(const struct ike_sa *sa)
{
	const struct ike_exchange *x = &sa->exchange;

	return (struct v1_esp_terms){
	    .mode = v1_tunnel_mode(sa),
	    .dh = x->dh ? ike_dh_group(x->dh) : DH_NONE,
	    .life = v1_child_lifetime(sa->tunnel),
	};
}

static void send_1(struct ike_sa *sa)
{
	struct ike_exchange *x = &sa->exchange;
	uint32_t message_id = v1_new_message_id(sa);
	struct ike_chain c = v1_chain(sa->engine);
	struct v1_esp_terms terms = esp_terms(sa);

	v1_chain_hash_begin(sa, &c);
	v1_esp_offer(&c, &sa->tunnel->config.esp, &terms, x->new_spi_in);
	ike_chain_put(&c, V1_PAYLOAD_NONCE, x->nonce, sizeof(x->nonce));
	if (x->dh)
		ike_chain_put(
		    &c, V1_PAYLOAD_KE, ike_dh_public(x->dh), alg_dh(terms.dh)->public_bytes);
	v1_selector_put(&c, &x->slot->local_ts[0]);
	v1_selector_put(&c, &x->slot->remote_ts[0]);
	v1_chain_hash_end(sa, &c, message_id, (struct ike_span){NULL, 0});
	v1_exchange_send(sa, EXCHANGE_V1_QUICK, message_id, &c);
}

/* The group is the same in all transforms: each failure tries the next one of the list. */
static enum alg_dh choose_group(
    const struct ike_sa *sa, const struct ike_slot *slot, const struct ike_child_sa *old)
{
	const struct ike_algs *algs = &sa->tunnel->config.esp;

	if (old && slot->failures == 0)
		return old->info.dh;
	return algs->dh[slot->failures % algs->dh_count];
}

void v1_quick_begin(struct ike_sa *sa, struct ike_slot *slot, struct ike_child_sa *old)
{
	struct ike_engine *e = sa->engine;
	struct ike_exchange *x = &sa->exchange;
	enum alg_dh group = choose_group(sa, slot, old);

	*x = (struct ike_exchange){.kind = old ? IKE_TASK_REKEY_CHILD : IKE_TASK_CREATE_CHILD};
	x->new_spi_in = e->ops->spi_alloc(e->ctx, sa->tunnel->id);
	if (!x->new_spi_in) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_LIMIT_REACHED, "spi", NULL, NULL);
		ike_slot_failed(sa->tunnel, slot);
		if (old)
			ike_child_rekey_later(old, DUR_S(RETRY_S));
		ike_exchange_clear(sa);
		return;
	}
	x->slot = slot;
	if (old) {
		x->spi_in = old->info.spi_in;
		ike_child_set_state(old, IKE_CHILD_REKEYING);
	}
	rng_fill(e->rng, x->nonce, sizeof(x->nonce));
	if (group != DH_NONE) {
		x->dh = ike_dh_create(group, e->rng);
		e->counters.dh_computed++;
	}
	sa->v1->uses = sa->tunnel->uses;
	send_1(sa);
}

/* ---- the end without a Child SA ---- */

int64_t v1_quick_retry_ns(const struct ike_child_sa *old, struct mono now)
{
	int64_t left = mono_is_set(old->hard) ? mono_diff(now, old->hard) / 3 : DUR_S(RETRY_S);

	return left < DUR_S(1) ? DUR_S(1) : left > DUR_S(RETRY_S) ? DUR_S(RETRY_S) : left;
}

static void failed(struct ike_sa *sa)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_child_sa *old = x->spi_in ? v1_child_find(sa->tunnel, x->spi_in) : NULL;

	if (old && old->state == IKE_CHILD_REKEYING && !ike_rehearsal_failed(old))
		ike_child_rekey_later(old, v1_quick_retry_ns(old, sa->engine->now));
	ike_slot_failed(sa->tunnel, x->slot);
	ike_exchange_clear(sa);
}

void v1_quick_abandon(struct ike_sa *sa)
{
	struct ike_exchange *x = &sa->exchange;
	bool quick = x->kind == IKE_TASK_CREATE_CHILD || x->kind == IKE_TASK_REKEY_CHILD;
	struct ike_child_sa *old = quick ? v1_child_find(sa->tunnel, x->spi_in) : NULL;

	ike_window_abandon(sa);
	if (old && old->state == IKE_CHILD_REKEYING)
		ike_child_rekey_later(old, v1_quick_retry_ns(old, sa->engine->now));
	ike_exchange_clear(sa);
	ike_tunnel_touch(sa->tunnel);
}

void v1_quick_refused(struct ike_sa *sa, uint16_t notify)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, false);
	bool rekey = x->kind == IKE_TASK_REKEY_CHILD;
	char algs[IKE_MISMATCH_TEXT];

	switch (notify) {
	case V1_NOTIFY_NO_PROPOSAL_CHOSEN:
	case V1_NOTIFY_BAD_PROPOSAL_SYNTAX:
	case V1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED:
		/* The same proposals made the first SA, but for the group. */
		ike_tunnel_error(sa->tunnel,
		    rekey && x->dh ? IKE_ERROR_PFS_MISMATCH : IKE_ERROR_PROPOSAL_MISMATCH,
		    rekey && x->dh ? "ipsec.dh-group" : "ipsec", ike_policy_text(&policy, algs),
		    v1_notify_name(notify));
		break;
	case V1_NOTIFY_INVALID_KEY_INFORMATION:
		ike_tunnel_error(sa->tunnel, IKE_ERROR_PFS_MISMATCH, "ipsec.dh-group",
		    ike_policy_text(&policy, algs), v1_notify_name(notify));
		break;
	case V1_NOTIFY_INVALID_ID_INFORMATION:
		v1_report_selectors(sa->tunnel, x->slot, NULL);
		break;
	default:
		ike_tunnel_error(
		    sa->tunnel, IKE_ERROR_PEER_REFUSED, "ipsec", NULL, v1_notify_name(notify));
	}
	ike_window_answered(sa);
	failed(sa);
}

void v1_quick_unanswered(struct ike_sa *sa)
{
	ike_tunnel_error(sa->tunnel, IKE_ERROR_NO_RESPONSE, "ipsec", "quick mode",
	    "alive, but without an answer to it");
	ike_window_answered(sa);
	failed(sa);
}

/* ---- message 2 ---- */

static bool read_2(struct ike_sa *sa, const struct v1_message *m, struct v1_suite *suite,
    struct ike_ts_pair *ts, uint8_t *secret, int *secret_len)
{
	struct ike_exchange *x = &sa->exchange;
	struct v1_esp_terms terms = esp_terms(sa);
	const struct ike_payload *ke = v1_find(&m->p, V1_PAYLOAD_KE);
	const struct ike_slot *s = x->slot;

	*secret_len = 0;
	if (v1_esp_accept(&sa->tunnel->config.esp, &terms,
		ike_payload_wire(v1_find(&m->p, V1_PAYLOAD_SA)), suite) ||
	    v1_spi_read(suite->suite.spi) == 0 || v1_selectors_read(sa, m, true, ts))
		return false;
	/* A peer may leave them out where they are as we said (RFC 2409 5.5). */
	if (!v1_find(&m->p, V1_PAYLOAD_ID)) {
		ts->local[0] = s->local_ts[0];
		ts->remote[0] = s->remote_ts[0];
	}
	if (!ike_selector_covers(&s->local_ts[0], &ts->local[0]) ||
	    !ike_selector_covers(&s->remote_ts[0], &ts->remote[0]))
		return false;
	if (!x->dh)
		return true;
	sa->engine->counters.dh_computed++;
	if (ke)
		*secret_len = ike_dh_shared(x->dh, ke->body, ke->len, secret);
	return *secret_len > 0;
}

static void send_3(struct ike_sa *sa, const struct v1_message *m, struct ike_span nonce_r)
{
	struct ike_exchange *x = &sa->exchange;
	struct v1_state *v = sa->v1;
	struct ike_chain c = v1_chain(sa->engine);
	uint8_t hash[IKE_DIGEST_MAX];
	struct ike_packet *p;

	v1_keys_hash3(
	    &v->keys, v->message_id, (struct ike_span){x->nonce, sizeof(x->nonce)}, nonce_r, hash);
	ike_chain_put(&c, V1_PAYLOAD_HASH, hash, alg_auth(v->keys.prf)->digest_bytes);
	p = v1_seal(sa, EXCHANGE_V1_QUICK, v->message_id, v->exchange_iv, &c);
	ike_packet_send(sa->engine, p, &sa->local, &sa->remote);
	v1_remember(sa, m, p);
}

static void take_child(struct ike_sa *sa, const struct v1_message *m, struct v1_suite *suite,
    const struct ike_ts_pair *ts, struct ike_span secret, struct ike_span nonce_r)
{
	struct ike_exchange *x = &sa->exchange;
	struct v1_terms terms = {
	    .slot = x->slot,
	    .nonce_i = {x->nonce, sizeof(x->nonce)},
	    .nonce_r = nonce_r,
	    .initiator = true,
	};
	uint32_t spi_in = x->new_spi_in;
	struct ike_child_sa *child;

	x->new_spi_in = 0;
	v1_quick_take_lifetime(suite, m);
	child = v1_child_make(sa, &terms, suite, spi_in, secret, ts);
	if (!child) {
		failed(sa);
		return;
	}
	send_3(sa, m, nonce_r);
	if (x->kind == IKE_TASK_REKEY_CHILD) {
		struct ike_child_sa *old = v1_child_find(sa->tunnel, x->spi_in);

		sa->tunnel->rekeys++;
		if (old)
			ike_rehearsal_passed(old);
	}
	x->slot->failures = 0;
	if (ike_child_sibling(child))
		v1_quick_await(sa, child);
	else
		v1_child_settle(child, true, sa->v1->uses);
	ike_exchange_clear(sa);
}

void v1_quick_on_2(struct ike_sa *sa, struct v1_message *m)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_span nonce_i = {x->nonce, sizeof(x->nonce)}, nonce_r;
	const struct ike_payload *nonce;
	uint8_t secret[IKE_DH_SECRET_MAX];
	struct ike_ts_pair ts;
	struct v1_suite suite;
	int secret_len;

	if (!v1_open_answer(sa, m, V1_MESSAGE_QM2, nonce_i))
		return;
	ike_window_answered(sa);
	ike_tunnel_touch(sa->tunnel);
	nonce = v1_find(&m->p, V1_PAYLOAD_NONCE);
	nonce_r = ike_payload_span(nonce);
	if (nonce->len < 8 || nonce->len > IKE_NONCE_MAX ||
	    !read_2(sa, m, &suite, &ts, secret, &secret_len)) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_MESSAGE_MALFORMED, "ipsec", NULL,
		    "an answer that does not fit our offer");
		v1_remember(sa, m, NULL);
		failed(sa);
		return;
	}
	take_child(sa, m, &suite, &ts, (struct ike_span){secret, (size_t)secret_len}, nonce_r);
	secret_wipe(secret, sizeof(secret));
}
