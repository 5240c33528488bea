/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What main and aggressive mode share: beginnings, keys, proofs, the choice of a tunnel, the end of phase 1.
 *
 * Refusals leave no state, and nothing unprotected ends an attempt (RFC 2408 says little of either): a notify in
 * clear is told to the operator, and the message goes out again until time is up.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/id.h"
#include "ike/v1/v1.h"

#define PEER_FIRST_S 5 /* the initiator makes the Child SAs; after that we do */

void v1_initiate(struct ike_tunnel *t)
{
	if (t->config.v1_mode == IKE_V1_AGGRESSIVE)
		v1_aggressive_begin(t);
	else
		v1_main_begin(t);
}

struct ike_sa *v1_begin(struct ike_tunnel *t, enum v1_step step)
{
	struct ike_engine *e = t->engine;
	struct ike_sa *sa, *other;

	if (e->sa_count >= e->limits.ike_sa_max) {
		ike_tunnel_error(t, IKE_ERROR_LIMIT_REACHED, "ike-sa-max", NULL, NULL);
		ike_tunnel_failed(t, IKE_ERROR_LIMIT_REACHED);
		return NULL;
	}
	sa = ike_sa_new(e, &ike_v1_driver, t, true, ike_engine_new_spi(e), IKE_SA_INIT_SENT);
	v1_state_new(sa, step);
	sa->local = (struct ike_endpoint){t->config.local, IKE_PORT};
	sa->remote = (struct ike_endpoint){t->config.remote, IKE_PORT};
	/* Through its NAT the peer is only reached where it was found. */
	other = v1_successor(sa);
	if (other && ike_nat_found(&other->nat)) {
		sa->local = other->local;
		sa->remote = other->remote;
	}
	t->attempts++;
	ike_tunnel_log(t, LOG_INFO, "connecting, attempt %u", t->attempts);
	return sa;
}

struct ike_sa *v1_answer_begin(struct ike_engine *e, const struct v1_message *m, enum v1_step step,
    const struct v1_suite *suite)
{
	const struct ike_payload *offer = v1_find(&m->p, V1_PAYLOAD_SA);
	struct ike_sa *sa =
	    ike_sa_new(e, &ike_v1_driver, NULL, false, ike_engine_new_spi(e), IKE_SA_HALF_OPEN);

	v1_state_new(sa, step);
	sa->spi_i = m->header->spi_i;
	sa->local = *m->local;
	sa->remote = *m->remote;
	sa->suite = suite->suite;
	sa->v1->vendors = m->p.vendors;
	sa->v1->life_s = suite->life_s;
	sa->setup->message_i = xmalloc(offer->len);
	sa->setup->message_i_len = offer->len;
	memcpy(sa->setup->message_i, offer->body, offer->len);
	return sa;
}

unsigned v1_vendors(const struct ike_tunnel *t)
{
	unsigned natt = t->config.natt == IKE_NATT_OFF ? 0 : V1_VENDOR_NATT;

	return natt | V1_VENDOR_DPD | V1_VENDOR_FRAGMENTATION;
}

/* ---- keys ---- */

void v1_make_ke(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;
	size_t *len = sa->initiator ? &s->nonce_i_len : &s->nonce_r_len;

	s->dh = ike_dh_create(sa->suite.dh, sa->engine->rng);
	sa->engine->counters.dh_computed++;
	*len = IKE_NONCE_BYTES;
	rng_fill(sa->engine->rng, sa->initiator ? s->nonce_i : s->nonce_r, IKE_NONCE_BYTES);
	memcpy(sa->initiator ? sa->v1->ke_i : sa->v1->ke_r, ike_dh_public(s->dh),
	    alg_dh(sa->suite.dh)->public_bytes);
}

void v1_put_ke(struct ike_sa *sa, struct ike_chain *c)
{
	const struct ike_setup *s = sa->setup;

	ike_chain_put(c, V1_PAYLOAD_KE, ike_dh_public(s->dh), alg_dh(sa->suite.dh)->public_bytes);
	ike_chain_put(
	    c, V1_PAYLOAD_NONCE, sa->initiator ? s->nonce_i : s->nonce_r, IKE_NONCE_BYTES);
}

bool v1_take_ke(struct ike_sa *sa, const struct v1_message *m)
{
	const struct ike_payload *ke = v1_find(&m->p, V1_PAYLOAD_KE);
	const struct ike_payload *nonce = v1_find(&m->p, V1_PAYLOAD_NONCE);
	struct ike_setup *s = sa->setup;
	size_t *nonce_len = sa->initiator ? &s->nonce_r_len : &s->nonce_i_len;

	/* RFC 2409 5: 8 to 256 bytes. */
	if (ke->len != alg_dh(sa->suite.dh)->public_bytes || nonce->len < 8 ||
	    nonce->len > IKE_NONCE_MAX)
		return false;
	memcpy(sa->initiator ? sa->v1->ke_r : sa->v1->ke_i, ke->body, ke->len);
	memcpy(sa->initiator ? s->nonce_r : s->nonce_i, nonce->body, nonce->len);
	*nonce_len = nonce->len;
	return true;
}

bool v1_make_secret(struct ike_sa *sa)
{
	const uint8_t *theirs = sa->initiator ? sa->v1->ke_r : sa->v1->ke_i;
	int len = ike_dh_shared(
	    sa->setup->dh, theirs, alg_dh(sa->suite.dh)->public_bytes, sa->v1->secret);
	struct v1_transcript t;

	sa->engine->counters.dh_computed++;
	if (len < 0)
		return false;
	sa->v1->secret_len = (size_t)len;
	t = v1_transcript(sa);
	sa->tie = ike_tie_of(t.nonce_i, t.nonce_r, sa->initiator);
	return true;
}

void v1_derive(struct ike_sa *sa, const struct ike_tunnel *t)
{
	struct v1_transcript transcript = v1_transcript(sa);
	struct ike_span psk = {t->config.psk, t->config.psk_len};

	v1_keys_derive(&sa->v1->keys, sa->suite.encr, sa->suite.prf, psk, &transcript);
	v1_iv_first(&sa->v1->keys, &transcript, sa->v1->iv);
}

/* ---- proofs ---- */

void v1_put_id_and_proof(
    struct ike_sa *sa, const struct ike_tunnel *t, struct ike_chain *c, bool with_id)
{
	struct v1_transcript transcript = v1_transcript(sa);
	uint8_t id[IKE_ID_BODY_MAX], proof[IKE_DIGEST_MAX];
	struct ike_span body = {id, ike_id_body(&t->config.local_id, id)};

	if (with_id)
		ike_chain_put(c, V1_PAYLOAD_ID, id, body.len);
	v1_keys_proof(&sa->v1->keys, &transcript, sa->initiator, body, proof);
	ike_chain_put(c, V1_PAYLOAD_HASH, proof, alg_auth(sa->suite.prf)->digest_bytes);
}

bool v1_proof_holds(const struct ike_sa *sa, const struct v1_message *m, struct ike_span id_body)
{
	struct v1_transcript transcript = v1_transcript(sa);
	uint8_t expected[IKE_DIGEST_MAX];

	v1_keys_proof(&sa->v1->keys, &transcript, !sa->initiator, id_body, expected);
	return v1_hash_equals(&m->p, expected, alg_auth(sa->suite.prf)->digest_bytes);
}

/* ---- which tunnel ---- */

bool v1_has_room(struct ike_engine *e, const struct v1_message *m)
{
	const struct ike_tunnel *t =
	    ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, NULL);

	return t && ike_half_open_has_room(e, &m->remote->addr, !ip_is_any(&t->config.remote));
}

static bool can_use_suite(const struct ike_tunnel *t, const struct ike_suite *s)
{
	const struct ike_algs *a = &t->config.ike;

	return memchr(a->encr, s->encr, a->encr_count) && memchr(a->auth, s->prf, a->auth_count) &&
	    memchr(a->dh, s->dh, a->dh_count);
}

struct ike_tunnel *v1_candidate(
    const struct ike_sa *sa, enum ike_v1_mode mode, struct ike_tunnel *previous)
{
	struct ike_tunnel *t = previous;

	while ((t = ike_tunnel_candidate(sa->engine, &sa->local.addr, &sa->remote.addr, t)))
		if (t->config.version == IKE_V1 && t->config.v1_mode == mode &&
		    can_use_suite(t, &sa->suite))
			return t;
	return NULL;
}

/* None of the tunnels of these addresses speaks IKEv1, or none in this mode. */
void v1_report_kind(struct ike_engine *e, const struct v1_message *m, enum ike_v1_mode mode)
{
	static const char *const names[] = {"main", "aggressive"};
	struct ike_tunnel *t = NULL;

	while ((t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, t))) {
		if (t->config.version != IKE_V1)
			continue;
		ike_tunnel_error(t, IKE_ERROR_NEGOTIATION_MODE_MISMATCH, "ike.mode",
		    names[t->config.v1_mode], names[mode]);
		return;
	}
	t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, NULL);
	if (t)
		ike_tunnel_error(
		    t, IKE_ERROR_IKE_VERSION_MISMATCH, "ike.version", "ikev2", "ikev1");
}

static void report_mismatch(struct ike_tunnel *t, struct wire offer)
{
	struct ike_policy policy = ike_tunnel_ike_policy(t);
	struct ike_mismatch why;

	v1_mismatch_find(&policy, offer, &why);
	ike_tunnel_error(t, why.code, why.field, why.ours, why.theirs);
}

struct ike_tunnel *v1_choose_tunnel(struct ike_engine *e, const struct v1_message *m,
    enum ike_v1_mode mode, enum alg_dh group, struct v1_suite *suite)
{
	struct wire offer = ike_payload_wire(v1_find(&m->p, V1_PAYLOAD_SA));
	struct ike_tunnel *t = NULL, *mismatched = NULL;

	while ((t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, t))) {
		int err;

		if (t->config.version != IKE_V1 || t->config.v1_mode != mode)
			continue;
		err = v1_ike_choose(&t->config.ike, offer, group, suite);
		if (!err)
			return t;
		if (err == -EBADMSG) {
			e->counters.malformed++;
			return NULL;
		}
		if (!mismatched)
			mismatched = t;
	}
	if (mismatched)
		report_mismatch(mismatched, offer);
	else
		v1_report_kind(e, m, mode);
	v1_refuse_plain(e, m, 0, V1_NOTIFY_NO_PROPOSAL_CHOSEN);
	return NULL;
}

/* ---- the end ---- */

bool v1_is_first_contact(const struct ike_sa *sa)
{
	const struct ike_sa *other;

	list_for (other, &sa->tunnel->sas, tunnel_node)
		if (other != sa && other->state >= IKE_SA_ESTABLISHED)
			return false;
	return true;
}

void v1_put_initial_contact(struct ike_sa *sa, struct ike_chain *c)
{
	uint8_t spi[16];

	v1_chain_notify(c, V1_PROTOCOL_ISAKMP, v1_cookies(sa, spi), V1_NOTIFY_INITIAL_CONTACT,
	    (struct ike_span){NULL, 0});
}

static void leave_the_rest_to_the_peer(struct ike_tunnel *t)
{
	struct mono later = mono_add(t->engine->now, DUR_S(PEER_FIRST_S));

	for (unsigned i = 0; i < t->slot_count; i++)
		if (mono_before(t->slots[i].not_before, later))
			t->slots[i].not_before = later;
}

void v1_phase1_done(struct ike_sa *sa, const struct v1_message *m)
{
	struct v1_notify n;
	bool first_contact;

	v1_set_step(sa, V1_DONE);
	sa->local = *m->local;
	sa->remote = *m->remote;
	sa->v1->bytes_in = sa->v1->bytes_out = 0;
	first_contact = v1_notify_find(&m->p, V1_NOTIFY_INITIAL_CONTACT, &n);
	/* Too many SAs of one tunnel may end the oldest: not what it carries. */
	if (first_contact)
		v1_contradict(sa);
	else
		v1_gather_children(sa);
	ike_sa_established(sa, first_contact);
	if (first_contact)
		v1_initial_contact(sa);
	v1_ike_take_lifetime(sa, m);
	if (!sa->initiator)
		leave_the_rest_to_the_peer(sa->tunnel);
	v1_succeed(sa);
	/* Something to answer: until then our last message goes out with it. A quick mode does as well. */
	if (sa->v1->last && !list_is_empty(&sa->children))
		ike_task_add(sa, IKE_TASK_PROBE, 0, NULL);
}

void v1_reject_peer(struct ike_sa *sa, enum ike_error_code code, const char *field,
    const char *ours, const char *theirs)
{
	struct ike_tunnel *t = sa->tunnel;

	sa->engine->counters.auth_failed++;
	ike_tunnel_error(t, code, field, ours, theirs);
	ike_sa_kill(sa, code);
	ike_tunnel_failed(t, code);
}

/* ---- notifies in clear ---- */

static void hint_of(struct ike_sa *sa, uint16_t type)
{
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	bool proving = sa->state == IKE_SA_AUTH_SENT;
	char ours[IKE_MISMATCH_TEXT], id[IKE_ID_TEXT_MAX];

	switch (type) {
	case V1_NOTIFY_NO_PROPOSAL_CHOSEN:
	case V1_NOTIFY_BAD_PROPOSAL_SYNTAX:
	case V1_NOTIFY_ATTRIBUTES_NOT_SUPPORTED:
		v1_hint(sa, IKE_ERROR_PROPOSAL_MISMATCH, "ike", ike_policy_text(&policy, ours),
		    v1_notify_name(type));
		break;
	case V1_NOTIFY_INVALID_MAJOR_VERSION:
		v1_hint(sa, IKE_ERROR_IKE_VERSION_MISMATCH, "ike.version", "ikev1",
		    v1_notify_name(type));
		break;
	case V1_NOTIFY_INVALID_EXCHANGE_TYPE:
	case V1_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE:
		v1_hint(sa, IKE_ERROR_NEGOTIATION_MODE_MISMATCH, "ike.mode",
		    sa->tunnel->config.v1_mode == IKE_V1_MAIN ? "main" : "aggressive",
		    v1_notify_name(type));
		break;
	case V1_NOTIFY_AUTHENTICATION_FAILED:
	case V1_NOTIFY_INVALID_ID_INFORMATION:
	case V1_NOTIFY_INVALID_HASH_INFORMATION:
		v1_hint(sa, IKE_ERROR_AUTHENTICATION_FAILED, "psk, local-id, remote-id",
		    ike_id_text(&sa->tunnel->config.local_id, id), v1_notify_name(type));
		break;
	default:
		/* What the peer cannot read was most likely encrypted under another key. */
		v1_hint(sa, proving ? IKE_ERROR_AUTHENTICATION_FAILED : IKE_ERROR_PEER_REFUSED,
		    proving ? "psk, local-id, remote-id" : "",
		    proving ? ike_id_text(&sa->tunnel->config.local_id, id) : NULL,
		    v1_notify_name(type));
	}
}

void v1_phase1_notify(struct ike_sa *sa, struct v1_message *m)
{
	struct v1_notify n;

	if (m->header->flags & V1_FLAG_ENCRYPTED) {
		/* Of a key that is not ours, or of one that the peer has not proven: nobody can tell. */
		sa->engine->counters.unexpected++;
		return;
	}
	if (sa->tunnel && v1_notify_error(&m->p, &n))
		hint_of(sa, n.type);
}
