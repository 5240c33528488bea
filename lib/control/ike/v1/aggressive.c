/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Aggressive mode as initiator (RFC 2409 5.4). Identities travel in clear, and whoever hears message 2 can try
 * keys at leisure: it is for peers that have no fixed address and know nothing better.
 *
 *     1 -> SA KE Ni IDii VID...     2 <- SA KE Nr IDir HASH_R NAT-D... VID...     3 -> {HASH_I NAT-D...}
 *
 * The group of the key exchange must be chosen blindly: each attempt takes the next one until one is agreed on. Nobody answers
 * message 3; it goes out with every message of ours until the peer has shown that it has it.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ike/id.h"
#include "ike/v1/v1.h"

static void keep_offer(struct ike_sa *sa, const struct ike_chain *c)
{
	struct ike_setup *s = sa->setup;

	/* The SA payload stands first. */
	s->message_i_len = wirebuf_len(&c->buf) - IKE_PAYLOAD_HEADER_BYTES;
	s->message_i = xmalloc(s->message_i_len);
	memcpy(s->message_i, c->buf.start + IKE_PAYLOAD_HEADER_BYTES, s->message_i_len);
}

void v1_aggressive_begin(struct ike_tunnel *t)
{
	struct ike_sa *sa = v1_begin(t, V1_AM1_SENT);
	const struct ike_algs *algs = &t->config.ike;
	uint8_t id[IKE_ID_BODY_MAX];
	struct ike_chain c;

	if (!sa)
		return;
	sa->suite.dh = algs->dh[t->group++ % algs->dh_count];
	v1_make_ke(sa);
	c = v1_chain(t->engine);
	v1_ike_offer(&c, algs, sa->suite.dh, t->config.ike_lifetime_s);
	keep_offer(sa, &c);
	v1_put_ke(sa, &c);
	ike_chain_put(&c, V1_PAYLOAD_ID, id, ike_id_body(&t->config.local_id, id));
	v1_chain_vendors(&c, v1_vendors(t));
	ike_window_send(sa, EXCHANGE_V1_AGGRESSIVE, v1_clear(sa, EXCHANGE_V1_AGGRESSIVE, &c));
}

/* The suite of the answer; false: it cannot be meant for what we sent. */
static bool agree(struct ike_sa *sa, const struct v1_message *m)
{
	struct wire offer = ike_payload_wire(v1_find(&m->p, V1_PAYLOAD_SA));
	enum alg_dh group = ike_dh_group(sa->setup->dh);
	struct v1_suite suite;

	if (v1_ike_accept(&sa->tunnel->config.ike, offer, &suite) || suite.suite.dh != group) {
		v1_hint(
		    sa, IKE_ERROR_PROPOSAL_MISMATCH, "ike", NULL, "a choice that we did not offer");
		return false;
	}
	sa->spi_r = m->header->spi_r;
	sa->suite = suite.suite;
	sa->v1->life_s = suite.life_s;
	sa->v1->vendors = m->p.vendors & v1_vendors(sa->tunnel);
	return v1_take_ke(sa, m) && v1_make_secret(sa);
}

/* Until the proof holds, nothing of the answer may stay: a better one can come. */
static void forget_answer(struct ike_sa *sa)
{
	sa->suite = (struct ike_suite){.dh = ike_dh_group(sa->setup->dh)};
	sa->spi_r = 0;
	sa->v1->vendors = 0;
}

static void send_3(struct ike_sa *sa, const struct v1_message *m)
{
	struct ike_chain c = v1_chain(sa->engine);
	struct ike_packet *packet;

	v1_natd_check(sa, sa->tunnel, m);
	v1_float(sa);
	v1_put_id_and_proof(sa, sa->tunnel, &c, false);
	v1_natd_put(sa, sa->tunnel, &c, &sa->local, &sa->remote);
	if (v1_is_first_contact(sa))
		v1_put_initial_contact(sa, &c);
	packet = v1_seal(sa, EXCHANGE_V1_AGGRESSIVE, 0, sa->v1->iv, &c);
	ike_packet_send(sa->engine, packet, &sa->local, &sa->remote);
	sa->v1->last = packet;
}

void v1_aggressive_on_2(struct ike_sa *sa, struct v1_message *m)
{
	const struct ike_tunnel_config *config = &sa->tunnel->config;
	char ours[IKE_ID_TEXT_MAX], theirs[IKE_ID_TEXT_MAX];
	struct ike_endpoint local, remote;
	struct ike_id id;

	if (v1_payloads_check(&m->p, V1_MESSAGE_AM2) || m->header->spi_r == 0 || !agree(sa, m)) {
		sa->engine->counters.malformed++;
		forget_answer(sa);
		return;
	}
	v1_derive(sa, sa->tunnel);
	if (!v1_proof_holds(sa, m, ike_payload_span(v1_find(&m->p, V1_PAYLOAD_ID)))) {
		sa->engine->counters.auth_failed++;
		v1_hint(sa, IKE_ERROR_PSK_MISMATCH, "psk", NULL, NULL);
		forget_answer(sa);
		return;
	}
	if (ike_id_read(v1_find(&m->p, V1_PAYLOAD_ID), &id) ||
	    !ike_id_matches(&config->remote_id, &id)) {
		v1_reject_peer(sa, IKE_ERROR_PEER_ID_MISMATCH, "remote-id",
		    ike_id_text(&config->remote_id, ours), ike_id_text(&id, theirs));
		return;
	}
	ike_window_answered(sa);
	sa->tunnel->group--; /* the same one next time */
	v1_set_step(sa, V1_AM3_SENT);
	send_3(sa, m);
	v1_remember(sa, m, NULL);
	local = sa->local;
	remote = sa->remote;
	v1_phase1_done(sa, m);
	sa->local = local; /* the port that message 3 went to */
	sa->remote = remote;
	v1_forget_setup(sa);
}
