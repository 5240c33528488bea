/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * CREATE_CHILD_SA for the IKE SA itself (RFC 7296 1.3.2, 2.8, 2.18).
 *
 *     -> SA Ni KEi          with the new SPIi in SA
 *     <- SA Nr KEr          with the new SPIr, or N(error)
 *
 * The new IKE SA inherits the Child SAs; who began the rekey deletes the old one. When both sides begin at the
 * same time (2.8.2), the IKE SA that the peer's exchange made is kept aside (RESERVED) until our own
 * response comes, or the peer closes the old one; then the lowest nonce decides as for Child SAs.
 */

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "ike/v2/v2.h"

#define REPLACED_S  60 /* for the peer to delete the old one */
#define REDUNDANT_S 5  /* the new one that lost: the peer deletes it, if it ever learned of it */

static void spi_write(uint8_t out[8], uint64_t spi)
{
	struct wirebuf b = wirebuf_of(out, 8);

	wirebuf_u64(&b, spi);
}

static uint64_t spi_read(const uint8_t spi[8])
{
	struct wire w = wire_of(spi, 8);

	return wire_u64(&w);
}

/* ---- as initiator ---- */

static void send_offer(struct ike_sa *sa)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	struct ike_chain c = v2_chain(sa->engine);
	uint8_t spi[8];

	spi_write(spi, x->new_spi);
	ike_policy_put(&c, &policy, spi, sizeof(spi));
	v2_chain_nonce(&c, x->nonce, sizeof(x->nonce));
	ike_chain_ke(&c, x->dh);
	v2_request(sa, EXCHANGE_CREATE_CHILD_SA, &c);
}

void v2_rekey_begin(struct ike_sa *sa, enum alg_dh group)
{
	struct ike_exchange *x = &sa->exchange;

	if (group == DH_NONE)
		group = sa->suite.dh;
	*x = (struct ike_exchange){
	    .kind = IKE_TASK_REKEY_IKE,
	    .new_spi = ike_engine_new_spi(sa->engine),
	    .groups_tried = 1u << group,
	};
	rng_fill(sa->engine->rng, x->nonce, sizeof(x->nonce));
	x->dh = ike_dh_create(group, sa->engine->rng);
	sa->engine->counters.dh_computed++;
	send_offer(sa);
}

/* The IKE SA that a rekey of `old` made, with its keys. */
static struct ike_sa *make(struct ike_sa *old, bool initiator, uint64_t our_spi,
    const struct ike_suite *suite, struct ike_span nonce_i, struct ike_span nonce_r,
    struct ike_span secret, enum ike_sa_state state)
{
	struct ike_sa *sa =
	    ike_sa_new(old->engine, &ike_v2_driver, old->tunnel, initiator, our_spi, state);
	struct ike_key_input in = {.nonce_i = nonce_i, .nonce_r = nonce_r, .secret = secret};

	*(initiator ? &sa->spi_r : &sa->spi_i) = spi_read(suite->spi);
	sa->local = old->local;
	sa->remote = old->remote;
	sa->nat = old->nat;
	sa->natt = old->natt;
	sa->fragments = old->fragments;
	sa->suite = *suite;
	sa->proven = old->proven;
	in.spi_i = sa->spi_i;
	in.spi_r = sa->spi_r;
	ike_keys_derive(&sa->keys, suite, &in, &old->keys);
	return sa;
}

/* `next` carries on for `old`. */
static void take_over(struct ike_sa *next, struct ike_sa *old)
{
	ike_sa_inherit(next, old);
	ike_sa_start_clocks(next);
	ike_sa_set_state(old, IKE_SA_REPLACED);
	ike_sa_guard(old, REPLACED_S);
}

void v2_adopt_reserved(struct ike_sa *sa)
{
	struct ike_sa *reserved = sa->reserved;

	if (!reserved)
		return;
	ike_sa_set_state(reserved, IKE_SA_ESTABLISHED);
	take_over(reserved, sa);
}

/* Our exchange made `made`; the peer's may have made one as well. */
static void settle(struct ike_sa *old, struct ike_sa *made, const struct ike_tie *tie)
{
	struct ike_sa *reserved = old->reserved;

	if (reserved && ike_tie_loses(tie, &old->exchange.peer_tie)) {
		v2_adopt_reserved(old);
		made->tie = *tie;
		ike_task_add(made, IKE_TASK_DELETE_IKE, 0, NULL);
		return;
	}
	take_over(made, old);
	ike_task_add(old, IKE_TASK_DELETE_IKE, 0, NULL);
	if (reserved) {
		ike_sa_set_state(reserved, IKE_SA_REPLACED);
		ike_sa_guard(reserved, REDUNDANT_S);
	}
}

static void on_refusal(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	enum alg_dh group = v2_other_group(n, &policy, x->groups_tried);
	char ours[IKE_MISMATCH_TEXT];

	if (sa->reserved) {
		v2_adopt_reserved(sa);
		ike_exchange_clear(sa);
		return;
	}
	if (n->type == NOTIFY_INVALID_KE_PAYLOAD && group != DH_NONE) {
		ike_dh_free(x->dh);
		x->dh = ike_dh_create(group, sa->engine->rng);
		x->groups_tried |= 1u << group;
		sa->engine->counters.dh_computed++;
		send_offer(sa);
		return;
	}
	if (n->type != NOTIFY_TEMPORARY_FAILURE)
		ike_tunnel_error(sa->tunnel, IKE_ERROR_PROPOSAL_MISMATCH, IKE_PROPOSAL_FIELDS,
		    ike_policy_text(&policy, ours), ike_notify_name(n->type));
	ike_exchange_clear(sa);
	ike_sa_rekey_later(sa,
	    n->type == NOTIFY_TEMPORARY_FAILURE
		? ike_engine_jitter(sa->engine, DUR_MS(500), DUR_MS(2000))
		: DUR_S(60));
}

/* The suite and the secret of the response; the length of the secret, or -EBADMSG. */
static int read_response(struct ike_sa *sa, const struct v2_message *m, struct ike_suite *suite,
    struct ike_span *nonce_r, uint8_t *secret)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	const struct ike_payload *payload = ike_payload_find(m->payloads, PAYLOAD_KE);
	struct ike_ke ke;

	if (ike_suite_accept(
		&policy, ike_payload_wire(ike_payload_find(m->payloads, PAYLOAD_SA)), suite) ||
	    suite->spi_len != 8 || spi_read(suite->spi) == 0 || suite->dh != ike_dh_group(x->dh) ||
	    !v2_nonce_read(m->payloads, nonce_r))
		return -EBADMSG;
	if (!payload || ike_ke_parse(payload, &ke) || ke.group != alg_dh(suite->dh)->id)
		return -EBADMSG;
	sa->engine->counters.dh_computed++;
	return ike_dh_shared(x->dh, ke.value.bytes, ke.value.len, secret);
}

void v2_rekey_response(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_span nonce_i = {x->nonce, sizeof(x->nonce)}, nonce_r;
	uint8_t secret[IKE_DH_SECRET_MAX];
	struct ike_suite suite;
	struct ike_notify n;
	struct ike_sa *made;
	struct ike_tie tie;
	int len;

	if (!ike_sa_is_up(sa)) {
		ike_exchange_clear(sa);
		return;
	}
	if (ike_notify_error(m->payloads, &n)) {
		on_refusal(sa, &n);
		return;
	}
	len = read_response(sa, m, &suite, &nonce_r, secret);
	if (len < 0) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_MESSAGE_MALFORMED, "ike", NULL,
		    "an answer that does not fit our offer");
		ike_exchange_clear(sa);
		ike_sa_rekey_later(sa, DUR_S(60));
		return;
	}
	made = make(sa, true, x->new_spi, &suite, nonce_i, nonce_r,
	    (struct ike_span){secret, (size_t)len}, IKE_SA_ESTABLISHED);
	secret_wipe(secret, sizeof(secret));
	tie = ike_tie_of(nonce_i, nonce_r, true);
	settle(sa, made, &tie);
	ike_exchange_clear(sa);
}

/* ---- as responder ---- */

/* 2.25.2: not while a Child SA is being made or deleted, nor when the IKE SA goes. */
static bool is_busy(const struct ike_sa *sa)
{
	if (!ike_sa_is_up(sa) || sa->reserved)
		return true;
	if (!ike_window_busy(&sa->window))
		return false;
	return sa->exchange.kind == IKE_TASK_CREATE_CHILD ||
	    sa->exchange.kind == IKE_TASK_REKEY_CHILD ||
	    sa->exchange.kind == IKE_TASK_DELETE_CHILD ||
	    sa->exchange.kind == IKE_TASK_DISOWN_CHILD;
}

/* What to choose; 0, or the notify to send. */
static uint16_t choose(
    struct ike_sa *sa, const struct v2_message *m, const struct ike_ke *ke, struct ike_suite *suite)
{
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	struct wire body = ike_payload_wire(ike_payload_find(m->payloads, PAYLOAD_SA));
	struct ike_mismatch why;
	int err = ike_suite_choose(&policy, body, ke->group, suite);

	if (err == -EBADMSG)
		return NOTIFY_INVALID_SYNTAX;
	if (err || suite->spi_len != 8 || spi_read(suite->spi) == 0) {
		ike_mismatch_find(&policy, body, &why);
		ike_tunnel_error(sa->tunnel, why.code, why.field, why.ours, why.theirs);
		return NOTIFY_NO_PROPOSAL_CHOSEN;
	}
	return ke->group == alg_dh(suite->dh)->id ? 0 : NOTIFY_INVALID_KE_PAYLOAD;
}

static void answer(struct ike_sa *sa, const struct v2_message *m, const struct ike_suite *suite,
    struct ike_span nonce_i, const struct ike_dh *dh, struct ike_span secret)
{
	bool collision = ike_window_busy(&sa->window) && sa->exchange.kind == IKE_TASK_REKEY_IKE;
	uint64_t our_spi = ike_engine_new_spi(sa->engine);
	struct ike_chain c = v2_chain(sa->engine);
	uint8_t nonce[IKE_NONCE_BYTES], spi[8];
	struct ike_span nonce_r = {nonce, sizeof(nonce)};
	struct ike_sa *made;

	rng_fill(sa->engine->rng, nonce, sizeof(nonce));
	made = make(sa, false, our_spi, suite, nonce_i, nonce_r, secret,
	    collision ? IKE_SA_RESERVED : IKE_SA_ESTABLISHED);
	spi_write(spi, our_spi);
	ike_suite_put(&c, suite, PROTOCOL_IKE, spi, sizeof(spi));
	v2_chain_nonce(&c, nonce, sizeof(nonce));
	ike_chain_ke(&c, dh);
	v2_reply(sa, m, &c);
	if (collision) {
		ike_sa_reserve(sa, made);
		sa->exchange.collision = true;
		sa->exchange.peer_tie = ike_tie_of(nonce_i, nonce_r, false);
	} else {
		take_over(made, sa);
	}
}

void v2_rekey_request(struct ike_sa *sa, const struct v2_message *m)
{
	const struct ike_payload *payload = ike_payload_find(m->payloads, PAYLOAD_KE);
	uint8_t secret[IKE_DH_SECRET_MAX], group[2];
	struct ike_span nonce_i;
	struct ike_suite suite;
	struct ike_dh *dh;
	struct ike_ke ke;
	uint16_t notify;
	int len;

	if (is_busy(sa)) {
		v2_reply_notify(sa, m, NOTIFY_TEMPORARY_FAILURE, NULL, 0);
		return;
	}
	if (!payload || ike_ke_parse(payload, &ke) || !v2_nonce_read(m->payloads, &nonce_i)) {
		v2_syntax_error(sa, m);
		return;
	}
	notify = choose(sa, m, &ke, &suite);
	if (notify == NOTIFY_INVALID_KE_PAYLOAD) {
		group[0] = (uint8_t)(alg_dh(suite.dh)->id >> 8);
		group[1] = (uint8_t)alg_dh(suite.dh)->id;
		v2_reply_notify(sa, m, notify, group, sizeof(group));
		return;
	}
	if (notify == NOTIFY_NO_PROPOSAL_CHOSEN) {
		v2_reply_notify(sa, m, notify, NULL, 0);
		return;
	}
	dh = notify ? NULL : ike_dh_create(suite.dh, sa->engine->rng);
	sa->engine->counters.dh_computed += 2;
	len = dh ? ike_dh_shared(dh, ke.value.bytes, ke.value.len, secret) : -EBADMSG;
	if (len < 0)
		v2_syntax_error(sa, m);
	else
		answer(sa, m, &suite, nonce_i, dh, (struct ike_span){secret, (size_t)len});
	secret_wipe(secret, sizeof(secret));
	ike_dh_free(dh);
}
