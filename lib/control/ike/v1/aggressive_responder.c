/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Aggressive mode as responder (RFC 2409 5.4). Served only for tunnels that are configured so: an answer gives
 * away a hash of the key that can be tried offline. The tunnel goes by address and identity.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ike/id.h"
#include "ike/v1/v1.h"

static bool is_repeated(struct ike_engine *e, const struct v1_message *m)
{
	struct ike_sa *sa;

	list_for (sa, &e->half_open, half_open_node)
		if (sa->v1 && sa->spi_i == m->header->spi_i &&
		    ip_eq(&sa->remote.addr, &m->remote->addr) && v1_is_repeated(sa, m))
			return true;
	return false;
}

/* By identity, of those that can use the suite of the SA. */
static struct ike_tunnel *find_by_id(const struct ike_sa *sa, const struct ike_id *id)
{
	struct ike_tunnel *t = NULL;

	while ((t = v1_candidate(sa, IKE_V1_AGGRESSIVE, t)))
		if (ike_id_matches(&t->config.remote_id, id))
			return t;
	return NULL;
}

static void report_identity(
    struct ike_engine *e, const struct v1_message *m, const struct ike_id *id)
{
	char ours[IKE_ID_TEXT_MAX], theirs[IKE_ID_TEXT_MAX];
	struct ike_tunnel *t = NULL;

	while ((t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, t))) {
		if (t->config.version != IKE_V1 || t->config.v1_mode != IKE_V1_AGGRESSIVE)
			continue;
		ike_tunnel_error(t, IKE_ERROR_PEER_ID_MISMATCH, "remote-id",
		    ike_id_text(&t->config.remote_id, ours), ike_id_text(id, theirs));
		return;
	}
}

/* The tunnel of that identity that accepts the offer; NULL after it was refused. */
static struct ike_tunnel *choose_tunnel(struct ike_engine *e, const struct v1_message *m,
    const struct ike_id *id, struct v1_suite *suite)
{
	struct wire offer = ike_payload_wire(v1_find(&m->p, V1_PAYLOAD_SA));
	struct ike_tunnel *t = NULL;

	while ((t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, t)))
		if (t->config.version == IKE_V1 && t->config.v1_mode == IKE_V1_AGGRESSIVE &&
		    ike_id_matches(&t->config.remote_id, id) &&
		    !v1_ike_choose(&t->config.ike, offer, DH_NONE, suite))
			return t;
	/* Tells of offers, modes and versions that do not fit; then only the identity is left. */
	if (v1_choose_tunnel(e, m, IKE_V1_AGGRESSIVE, DH_NONE, suite)) {
		report_identity(e, m, id);
		v1_refuse_plain(e, m, 0, V1_NOTIFY_INVALID_ID_INFORMATION);
	}
	return NULL;
}

static void keep_id(struct ike_sa *sa, const struct ike_payload *id)
{
	struct ike_setup *s = sa->setup;

	s->message_r = xmalloc(id->len ? id->len : 1);
	s->message_r_len = id->len;
	memcpy(s->message_r, id->body, id->len);
}

void v1_aggressive_on_1(struct ike_engine *e, struct v1_message *m)
{
	struct v1_suite suite;
	struct ike_tunnel *t;
	struct ike_chain c;
	struct ike_id id;
	struct ike_sa *sa;

	if (is_repeated(e, m))
		return;
	if (v1_payloads_check(&m->p, V1_MESSAGE_AM1) ||
	    ike_id_read(v1_find(&m->p, V1_PAYLOAD_ID), &id)) {
		e->counters.malformed++;
		return;
	}
	if (!v1_has_room(e, m))
		return;
	t = choose_tunnel(e, m, &id, &suite);
	if (!t)
		return;
	sa = v1_answer_begin(e, m, V1_AM2_SENT, &suite);
	sa->v1->vendors &= v1_vendors(t);
	keep_id(sa, v1_find(&m->p, V1_PAYLOAD_ID));
	if (!v1_take_ke(sa, m)) {
		e->counters.malformed++;
		ike_sa_kill(sa, IKE_ERROR_MESSAGE_MALFORMED);
		return;
	}
	v1_make_ke(sa);
	if (!v1_make_secret(sa)) {
		e->counters.malformed++;
		ike_sa_kill(sa, IKE_ERROR_MESSAGE_MALFORMED);
		return;
	}
	v1_derive(sa, t);
	c = v1_chain(e);
	v1_suite_put(&c, &suite, V1_PROTOCOL_ISAKMP, (struct ike_span){NULL, 0});
	v1_put_ke(sa, &c);
	v1_put_id_and_proof(sa, t, &c, true);
	v1_natd_put(sa, t, &c, m->local, m->remote);
	v1_chain_vendors(&c, sa->v1->vendors);
	/* The SA stays half-open all the same, and with it the account of what it cost. */
	if (!v1_answer(sa, m, v1_clear(sa, EXCHANGE_V1_AGGRESSIVE, &c)))
		ike_tunnel_error(t, IKE_ERROR_LIMIT_REACHED, "local-id",
		    "an answer of three times the bytes asked with",
		    "a first message that is too short");
}

/* Does its proof hold? It may be encrypted or not (RFC 2409 5.4). `first`: the IV of phase 1. */
static bool holds(struct ike_sa *sa, struct v1_message *m, const uint8_t first[V1_IV_MAX])
{
	struct ike_span id = {sa->setup->message_r, sa->setup->message_r_len};
	uint8_t iv[V1_IV_MAX];

	memcpy(iv, first, sizeof(iv));
	memcpy(m->next_iv, iv, sizeof(iv));
	if (m->header->flags & V1_FLAG_ENCRYPTED && v1_open(sa->engine, &sa->v1->keys, iv, m))
		return false;
	return !v1_payloads_check(&m->p, V1_MESSAGE_AM3) && v1_proof_holds(sa, m, id);
}

/* Is it made with the key of this tunnel? */
static bool proves(struct ike_sa *sa, struct v1_message *m, const struct ike_tunnel *t)
{
	v1_derive(sa, t);
	return holds(sa, m, sa->v1->iv);
}

void v1_aggressive_on_3(struct ike_sa *sa, struct v1_message *m)
{
	struct ike_payload body = {
	    .body = sa->setup->message_r, .len = (uint16_t)sa->setup->message_r_len};
	struct ike_tunnel *t = NULL;
	bool first_contact;
	struct ike_id id;

	if (!ike_id_read(&body, &id))
		t = find_by_id(sa, &id);
	if (!t || sa->v1->guesses >= V1_GUESSES_MAX) {
		sa->engine->counters.unexpected++;
		return;
	}
	if (!proves(sa, m, t)) {
		sa->v1->guesses++;
		sa->engine->counters.auth_failed++;
		ike_tunnel_error(t, IKE_ERROR_PSK_MISMATCH, "psk", NULL, NULL);
		v1_refuse_plain(sa->engine, m, sa->spi_r, V1_NOTIFY_AUTHENTICATION_FAILED);
		return;
	}
	memcpy(sa->v1->iv, m->next_iv, sizeof(sa->v1->iv));
	ike_sa_bind(sa, t);
	v1_natd_check(sa, t, m);
	v1_remember(sa, m, NULL);
	first_contact = v1_is_first_contact(sa);
	v1_phase1_done(sa, m);
	v1_send_rest(sa, first_contact);
	v1_forget_setup(sa);
}

void v1_aggressive_on_3_again(struct ike_sa *sa, struct v1_message *m)
{
	uint8_t first[V1_IV_MAX];
	struct v1_transcript t;
	struct v1_end end;

	if (sa->initiator || sa->v1->confirmed || sa->v1->end_count >= V1_ENDS_MAX) {
		sa->engine->counters.unexpected++;
		return;
	}
	t = v1_transcript(sa);
	v1_iv_first(&sa->v1->keys, &t, first);
	if (!holds(sa, m, first)) {
		sa->engine->counters.bad_icv++;
		return;
	}
	memcpy(end.iv, m->next_iv, sizeof(end.iv));
	v1_natd_read(sa, sa->tunnel, m, &end.natt, &end.nat);
	v1_remember(sa, m, NULL);
	v1_other_end(sa, &end);
}
