/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Main mode as initiator (RFC 2409 5.4, RFC 3947 3 and 4).
 *
 *     1 -> SA VID...                        2 <- SA VID...
 *     3 -> KE Ni NAT-D...                   4 <- KE Nr NAT-D...
 *     5 -> {IDii HASH_I [N(INITIAL-CONTACT)]}     6 <- {IDir HASH_R [N(RESPONDER-LIFETIME)]}
 *
 * With a NAT on the path, or when we want one, message 5 and all after it use port 4500.
 */

#include <string.h>

#include "base/mem.h"
#include "ike/id.h"
#include "ike/v1/v1.h"

static void keep_offer(struct ike_sa *sa, const struct ike_chain *c)
{
	struct ike_setup *s = sa->setup;
	struct v1_payloads p;

	if (v1_payloads_parse(wire_of(c->buf.start, wirebuf_len(&c->buf)), c->first, false, &p))
		return;
	s->message_i_len = p.list.list[0].len;
	s->message_i = xmalloc(s->message_i_len);
	memcpy(s->message_i, p.list.list[0].body, s->message_i_len);
}

void v1_main_begin(struct ike_tunnel *t)
{
	struct ike_sa *sa = v1_begin(t, V1_MM1_SENT);
	struct ike_chain c;

	if (!sa)
		return;
	c = v1_chain(t->engine);
	v1_ike_offer(&c, &t->config.ike, DH_NONE, t->config.ike_lifetime_s);
	keep_offer(sa, &c);
	v1_chain_vendors(&c, v1_vendors(t));
	ike_window_send(sa, EXCHANGE_V1_MAIN, v1_clear(sa, EXCHANGE_V1_MAIN, &c));
}

/* The answer was usable: on to the next message. */
static void proceed(
    struct ike_sa *sa, const struct v1_message *m, enum v1_step step, struct ike_packet *next)
{
	v1_remember(sa, m, NULL);
	ike_window_answered(sa);
	v1_set_step(sa, step);
	ike_window_send(sa, EXCHANGE_V1_MAIN, next);
}

void v1_main_on_2(struct ike_sa *sa, struct v1_message *m)
{
	struct ike_tunnel *t = sa->tunnel;
	struct ike_chain c = v1_chain(sa->engine);
	struct v1_suite suite;

	if (v1_payloads_check(&m->p, V1_MESSAGE_MM2) || m->header->spi_r == 0) {
		sa->engine->counters.malformed++;
		return;
	}
	if (v1_ike_accept(
		&t->config.ike, ike_payload_wire(v1_find(&m->p, V1_PAYLOAD_SA)), &suite)) {
		v1_hint(
		    sa, IKE_ERROR_PROPOSAL_MISMATCH, "ike", NULL, "a choice that we did not offer");
		return;
	}
	sa->spi_r = m->header->spi_r;
	sa->suite = suite.suite;
	sa->v1->life_s = suite.life_s;
	sa->v1->vendors = m->p.vendors & v1_vendors(t);
	v1_make_ke(sa);
	v1_put_ke(sa, &c);
	v1_natd_put(sa, t, &c, &sa->local, &sa->remote);
	proceed(sa, m, V1_MM3_SENT, v1_clear(sa, EXCHANGE_V1_MAIN, &c));
}

void v1_main_on_4(struct ike_sa *sa, struct v1_message *m)
{
	struct ike_tunnel *t = sa->tunnel;
	struct ike_chain c;

	if (v1_payloads_check(&m->p, V1_MESSAGE_MM3) || !v1_take_ke(sa, m) || !v1_make_secret(sa)) {
		sa->engine->counters.malformed++;
		return;
	}
	v1_derive(sa, t);
	v1_natd_check(sa, t, m);
	v1_float(sa);
	c = v1_chain(sa->engine);
	v1_put_id_and_proof(sa, t, &c, true);
	if (v1_is_first_contact(sa))
		v1_put_initial_contact(sa, &c);
	proceed(sa, m, V1_MM5_SENT, v1_seal(sa, EXCHANGE_V1_MAIN, 0, sa->v1->iv, &c));
	memcpy(sa->v1->sent_iv, sa->v1->iv, sizeof(sa->v1->sent_iv));
}

/* Is it the peer's proof? Leaves the payloads in `m`. */
static bool proves(struct ike_sa *sa, struct v1_message *m)
{
	return !v1_open(sa->engine, &sa->v1->keys, sa->v1->sent_iv, m) &&
	    !v1_payloads_check(&m->p, V1_MESSAGE_MM5) &&
	    v1_proof_holds(sa, m, ike_payload_span(v1_find(&m->p, V1_PAYLOAD_ID)));
}

void v1_main_on_6(struct ike_sa *sa, struct v1_message *m)
{
	const struct ike_tunnel_config *config = &sa->tunnel->config;
	char ours[IKE_ID_TEXT_MAX], theirs[IKE_ID_TEXT_MAX];
	const struct ike_payload *id_payload;
	struct ike_id id;

	if (!proves(sa, m)) {
		/* Anybody can send garbage; the peer's own answer may still come. */
		sa->engine->counters.bad_icv++;
		v1_hint(sa, IKE_ERROR_PSK_MISMATCH, "psk", NULL, NULL);
		return;
	}
	id_payload = v1_find(&m->p, V1_PAYLOAD_ID);
	if (ike_id_read(id_payload, &id) || !ike_id_matches(&config->remote_id, &id)) {
		memcpy(sa->v1->iv, m->next_iv, sizeof(sa->v1->iv));
		v1_send_delete_ike(sa);
		v1_reject_peer(sa, IKE_ERROR_PEER_ID_MISMATCH, "remote-id",
		    ike_id_text(&config->remote_id, ours), ike_id_text(&id, theirs));
		return;
	}
	memcpy(sa->v1->iv, m->next_iv, sizeof(sa->v1->iv));
	v1_remember(sa, m, NULL);
	ike_window_answered(sa);
	v1_phase1_done(sa, m);
	v1_forget_setup(sa);
}

void v1_main_on_6_again(struct ike_sa *sa, struct v1_message *m)
{
	struct v1_end end = {.natt = sa->natt, .nat = sa->nat};

	if (sa->v1->confirmed || sa->v1->end_count >= V1_ENDS_MAX) {
		sa->engine->counters.unexpected++;
		return;
	}
	if (!proves(sa, m)) {
		sa->engine->counters.bad_icv++;
		return;
	}
	memcpy(end.iv, m->next_iv, sizeof(end.iv));
	v1_remember(sa, m, NULL);
	v1_other_end(sa, &end);
}
