/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_AUTH as responder (RFC 7296 1.2, 2.15, 2.21.2): who is it, and does it know the key?
 *
 * Whatever is wrong, the answer is the same AUTHENTICATION_FAILED after the same work; what it was is told to
 * the operator alone. The half-open SA then stays until its time is over, to answer repetitions with the
 * same bytes, but no second IKE_AUTH is served on it.
 */

#include <string.h>

#include "base/text.h"
#include "ike/id.h"
#include "ike/v2/v2.h"

#define PEER_FIRST_S 5 /* the initiator makes the other Child SAs; after that we do */

/* What the request says about identities. */
struct claim {
	const struct ike_payload *idi, *auth;
	struct ike_id id, wanted;
	bool id_known; /* of a type that can be configured */
	bool wants;    /* IDr is there: the identity that the peer expects of us */
};

static bool read_claim(const struct v2_message *m, struct claim *out)
{
	const struct ike_payload *idr = ike_payload_find(m->payloads, PAYLOAD_IDR);

	*out = (struct claim){
	    .idi = ike_payload_find(m->payloads, PAYLOAD_IDI),
	    .auth = ike_payload_find(m->payloads, PAYLOAD_AUTH),
	};
	out->id_known = !ike_id_read(out->idi, &out->id);
	if (idr) {
		out->wants = true;
		if (ike_id_read(idr, &out->wanted))
			return false;
	}
	return out->id_known;
}

static bool can_use_suite(const struct ike_tunnel *t, const struct ike_suite *s)
{
	const struct ike_algs *a = &t->config.ike;
	struct ike_policy policy = ike_tunnel_ike_policy(t);

	return memchr(a->encr, s->encr, a->encr_count) && memchr(a->auth, s->prf, a->auth_count) &&
	    (s->integ == AUTH_NONE || memchr(a->auth, s->integ, a->auth_count)) &&
	    ike_policy_has_dh(&policy, s->dh);
}

/* The tunnel that the claim fits; *nearest gets one of these addresses for the report when none does. */
static struct ike_tunnel *find_tunnel(
    const struct ike_sa *sa, const struct claim *claim, struct ike_tunnel **nearest)
{
	struct ike_tunnel *t = NULL;

	*nearest = NULL;
	while ((t = ike_tunnel_candidate(sa->engine, &sa->local.addr, &sa->remote.addr, t))) {
		if (t->config.version != IKE_V2 || !can_use_suite(t, &sa->suite))
			continue;
		if (!*nearest)
			*nearest = t;
		if (ike_id_matches(&t->config.remote_id, &claim->id) &&
		    (!claim->wants || ike_id_eq(&t->config.local_id, &claim->wanted)))
			return t;
	}
	return NULL;
}

static void report_identity(struct ike_tunnel *t, const struct claim *claim)
{
	char ours[IKE_ID_TEXT_MAX], theirs[IKE_ID_TEXT_MAX];
	bool remote = !ike_id_matches(&t->config.remote_id, &claim->id);

	ike_tunnel_error(t, IKE_ERROR_PEER_ID_MISMATCH, remote ? "remote-id" : "local-id",
	    ike_id_text(remote ? &t->config.remote_id : &t->config.local_id, ours),
	    ike_id_text(remote ? &claim->id : &claim->wanted, theirs));
}

static void report_proof(struct ike_tunnel *t, const struct claim *claim)
{
	char theirs[V2_AUTH_METHOD_TEXT];

	if (!claim->auth) {
		ike_tunnel_error(
		    t, IKE_ERROR_AUTHENTICATION_FAILED, "psk", "pre-shared key", "EAP");
		return;
	}
	if (v2_auth_method(claim->auth, theirs))
		ike_tunnel_error(
		    t, IKE_ERROR_AUTHENTICATION_FAILED, "psk", "pre-shared key", theirs);
	else
		ike_tunnel_error(t, IKE_ERROR_PSK_MISMATCH, "psk", NULL, NULL);
}

/* The same computation whoever asks: `t` may be any tunnel when the claim fits none. */
static bool is_proven(struct ike_sa *sa, struct ike_tunnel *t, const struct claim *claim)
{
	static const uint8_t nothing[4];
	struct ike_payload none = {.body = nothing, .len = sizeof(nothing)};
	bool proven;

	sa->tunnel = t; /* for its key */
	proven =
	    v2_auth_verify(sa, claim->auth ? claim->auth : &none, ike_payload_span(claim->idi));
	sa->tunnel = NULL;
	return proven;
}

static void refuse(struct ike_sa *sa, const struct v2_message *m)
{
	sa->engine->counters.auth_failed++;
	v2_reply_notify(sa, m, NOTIFY_AUTHENTICATION_FAILED, NULL, 0);
	ike_setup_free(sa);
}

/* Who it is, proven; NULL after a refusal. */
static struct ike_tunnel *authenticate(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_tunnel *t = NULL, *nearest;
	struct claim claim;

	if (read_claim(m, &claim))
		t = find_tunnel(sa, &claim, &nearest);
	else
		find_tunnel(sa, &claim, &nearest);
	if (nearest && is_proven(sa, t ? t : nearest, &claim) && t)
		return t;
	if (t)
		report_proof(t, &claim);
	else if (nearest)
		report_identity(nearest, &claim);
	refuse(sa, m);
	return NULL;
}

/*
 * The Child SA asked for, or the notify that refuses it: the IKE SA comes up either way (2.21.2). Only
 * INVALID_SYNTAX is for the caller to send: that one ends it.
 */
static uint16_t answer_child(
    struct ike_sa *sa, const struct v2_message *m, struct ike_chain *c, struct ike_child_sa **child)
{
	struct ike_setup *s = sa->setup;
	struct v2_terms terms = {
	    .in_auth = true,
	    .nonce_i = {s->nonce_i, s->nonce_i_len},
	    .nonce_r = {s->nonce_r, s->nonce_r_len},
	};
	enum alg_dh group;
	uint16_t notify;

	*child = NULL;
	if (!ike_payload_find(m->payloads, PAYLOAD_SA))
		return 0; /* childless (RFC 6023) */
	notify = v2_terms_answer(sa, m, &terms, c, child, &group);
	if (notify && notify != NOTIFY_INVALID_SYNTAX)
		ike_chain_notify(c, notify, NULL, 0);
	return notify;
}

static void leave_the_rest_to_the_peer(struct ike_tunnel *t)
{
	struct mono later = mono_add(t->engine->now, DUR_S(PEER_FIRST_S));

	for (unsigned i = 0; i < t->slot_count; i++)
		if (mono_before(t->slots[i].not_before, later))
			t->slots[i].not_before = later;
}

void v2_auth_request(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_engine *e = sa->engine;
	struct ike_tunnel *t = authenticate(sa, m);
	struct ike_chain c = v2_chain(e);
	uint8_t id[IKE_ID_BODY_MAX];
	struct ike_child_sa *child;
	struct ike_span id_body;
	struct ike_notify n;

	if (!t)
		return;
	ike_sa_bind(sa, t);
	sa->local = *m->local;
	sa->remote = *m->remote;
	ike_sa_established(sa, ike_notify_find(m->payloads, NOTIFY_INITIAL_CONTACT, &n));
	leave_the_rest_to_the_peer(t);

	id_body = (struct ike_span){id, ike_id_body(&t->config.local_id, id)};
	ike_chain_put(&c, PAYLOAD_IDR, id, id_body.len);
	v2_auth_put(sa, &c, id_body);
	if (answer_child(sa, m, &c, &child) == NOTIFY_INVALID_SYNTAX) {
		v2_syntax_error(sa, m);
		return;
	}
	v2_reply(sa, m, &c);
	if (child && !ike_child_sibling(child))
		ike_child_use(child);
	if (child)
		ike_rehearsal_begin(child);
	ike_setup_free(sa);
}
