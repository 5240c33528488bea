/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Main mode as responder (RFC 2409 5.4). With pre-shared keys the key must be known before the identity is: it
 * goes by the peer's address. Where several tunnels have that address (a peer with more than one identity, or
 * peers of unknown address), message 5 tells by itself which of their keys it was made with: the one under
 * which its proof holds.
 */

#include <string.h>

#include "ike/id.h"
#include "ike/v1/v1.h"

/* Half-open SAs of others know a repeated first message. */
static bool is_repeated(struct ike_engine *e, const struct v1_message *m)
{
	struct ike_sa *sa;

	list_for (sa, &e->half_open, half_open_node)
		if (sa->v1 && sa->spi_i == m->header->spi_i &&
		    ip_eq(&sa->remote.addr, &m->remote->addr) && v1_is_repeated(sa, m))
			return true;
	return false;
}

void v1_main_on_1(struct ike_engine *e, struct v1_message *m)
{
	struct ike_chain c = v1_chain(e);
	struct v1_suite suite;
	struct ike_tunnel *t;
	struct ike_sa *sa;

	if (is_repeated(e, m))
		return;
	if (v1_payloads_check(&m->p, V1_MESSAGE_MM1)) {
		e->counters.malformed++;
		return;
	}
	if (!v1_has_room(e, m))
		return;
	t = v1_choose_tunnel(e, m, IKE_V1_MAIN, DH_NONE, &suite);
	if (!t)
		return;
	sa = v1_answer_begin(e, m, V1_MM2_SENT, &suite);
	sa->v1->vendors &= v1_vendors(t);
	v1_suite_put(&c, &suite, V1_PROTOCOL_ISAKMP, (struct ike_span){NULL, 0});
	v1_chain_vendors(&c, sa->v1->vendors);
	v1_answer(sa, m, v1_clear(sa, EXCHANGE_V1_MAIN, &c));
}

void v1_main_on_3(struct ike_sa *sa, struct v1_message *m)
{
	struct ike_tunnel *t = v1_candidate(sa, IKE_V1_MAIN, NULL);
	struct ike_chain c;

	if (!t || v1_payloads_check(&m->p, V1_MESSAGE_MM3) || !v1_take_ke(sa, m)) {
		sa->engine->counters.malformed++;
		return;
	}
	v1_make_ke(sa);
	if (!v1_make_secret(sa)) {
		sa->engine->counters.malformed++;
		ike_sa_kill(sa, IKE_ERROR_MESSAGE_MALFORMED);
		return;
	}
	v1_natd_check(sa, t, m);
	c = v1_chain(sa->engine);
	v1_put_ke(sa, &c);
	v1_natd_put(sa, t, &c, m->local, m->remote);
	v1_set_step(sa, V1_MM4_SENT);
	v1_answer(sa, m, v1_clear(sa, EXCHANGE_V1_MAIN, &c));
}

/* What message 5 proved. */
struct verdict {
	struct ike_tunnel *tunnel;  /* the key and the identity fit */
	struct ike_tunnel *keyed;   /* the key of this one fits; its peer is somebody else */
	struct ike_tunnel *nearest; /* any of these addresses */
	struct ike_id id;
};

/* Is it made with the key of this tunnel? Leaves the keys in place, and the payloads in `m`. */
static bool opens(struct ike_sa *sa, struct v1_message *m, const struct ike_tunnel *t)
{
	v1_derive(sa, t);
	return !v1_open(sa->engine, &sa->v1->keys, sa->v1->iv, m) &&
	    !v1_payloads_check(&m->p, V1_MESSAGE_MM5) &&
	    v1_proof_holds(sa, m, ike_payload_span(v1_find(&m->p, V1_PAYLOAD_ID)));
}

static void judge(struct ike_sa *sa, struct v1_message *m, struct verdict *v)
{
	struct ike_tunnel *t = NULL;

	*v = (struct verdict){0};
	while ((t = v1_candidate(sa, IKE_V1_MAIN, t))) {
		if (!v->nearest)
			v->nearest = t;
		if (!opens(sa, m, t))
			continue;
		if (!ike_id_read(v1_find(&m->p, V1_PAYLOAD_ID), &v->id) &&
		    ike_id_matches(&t->config.remote_id, &v->id)) {
			v->tunnel = t;
			return;
		}
		v->keyed = t;
	}
}

static void refuse(struct ike_sa *sa, const struct v1_message *m, const struct verdict *v)
{
	char ours[IKE_ID_TEXT_MAX], theirs[IKE_ID_TEXT_MAX];

	sa->engine->counters.auth_failed++;
	sa->v1->guesses++;
	if (v->keyed)
		ike_tunnel_error(v->keyed, IKE_ERROR_PEER_ID_MISMATCH, "remote-id",
		    ike_id_text(&v->keyed->config.remote_id, ours), ike_id_text(&v->id, theirs));
	else if (v->nearest)
		ike_tunnel_error(v->nearest, IKE_ERROR_PSK_MISMATCH, "psk", NULL, NULL);
	v1_refuse_plain(sa->engine, m, sa->spi_r, V1_NOTIFY_AUTHENTICATION_FAILED);
}

/* Phase 1 ends with the last block of the answer, which goes to `iv`. */
static void answer_5(struct ike_sa *sa, const struct v1_message *m, uint8_t iv[V1_IV_MAX])
{
	struct ike_chain c = v1_chain(sa->engine);

	memcpy(iv, m->next_iv, V1_IV_MAX);
	v1_put_id_and_proof(sa, sa->tunnel, &c, true);
	v1_put_responder_lifetime(sa, &c);
	if (v1_is_first_contact(sa))
		v1_put_initial_contact(sa, &c);
	v1_answer(sa, m, v1_seal(sa, EXCHANGE_V1_MAIN, 0, iv, &c));
}

void v1_main_on_5(struct ike_sa *sa, struct v1_message *m)
{
	struct verdict v;

	if (sa->v1->guesses >= V1_GUESSES_MAX) {
		sa->engine->counters.unexpected++;
		return;
	}
	judge(sa, m, &v);
	if (!v.tunnel) {
		refuse(sa, m, &v);
		return;
	}
	ike_sa_bind(sa, v.tunnel);
	answer_5(sa, m, sa->v1->iv);
	v1_phase1_done(sa, m);
	v1_forget_setup(sa);
}

void v1_main_on_5_again(struct ike_sa *sa, struct v1_message *m)
{
	struct v1_end end = {.natt = sa->natt, .nat = sa->nat};
	struct v1_transcript t;
	uint8_t iv[V1_IV_MAX];

	if (sa->v1->confirmed || sa->v1->end_count >= V1_ENDS_MAX) {
		sa->engine->counters.unexpected++;
		return;
	}
	t = v1_transcript(sa);
	v1_iv_first(&sa->v1->keys, &t, iv);
	if (v1_open(sa->engine, &sa->v1->keys, iv, m) || v1_payloads_check(&m->p, V1_MESSAGE_MM5) ||
	    !v1_proof_holds(sa, m, ike_payload_span(v1_find(&m->p, V1_PAYLOAD_ID)))) {
		sa->engine->counters.bad_icv++;
		return;
	}
	answer_5(sa, m, end.iv);
	v1_other_end(sa, &end);
}
