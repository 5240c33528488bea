/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_AUTH as initiator (RFC 7296 1.2, 2.15, 2.21.2), with the first Child SA.
 *
 *     -> IDi [N(INITIAL_CONTACT)] [IDr] AUTH SAi2 TSi TSr
 *     <- IDr AUTH SAr2 TSi TSr | IDr AUTH N(error about the Child SA) | N(AUTHENTICATION_FAILED)
 */

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "ike/id.h"
#include "ike/v2/v2.h"

static void auth_value(
    const struct ike_sa *sa, bool initiator, struct ike_span id_body, uint8_t out[IKE_DIGEST_MAX])
{
	const struct ike_setup *s = sa->setup;
	const struct ike_tunnel_config *c = &sa->tunnel->config;
	struct ike_span psk = {c->psk, c->psk_len};
	struct ike_span message_i = {s->message_i, s->message_i_len};
	struct ike_span message_r = {s->message_r, s->message_r_len};
	struct ike_span nonce_i = {s->nonce_i, s->nonce_i_len};
	struct ike_span nonce_r = {s->nonce_r, s->nonce_r_len};

	if (initiator)
		ike_keys_auth(sa->keys.prf, psk, message_i, nonce_r, sa->keys.sk_pi, id_body, out);
	else
		ike_keys_auth(sa->keys.prf, psk, message_r, nonce_i, sa->keys.sk_pr, id_body, out);
}

void v2_auth_put(struct ike_sa *sa, struct ike_chain *c, struct ike_span id_body)
{
	uint8_t value[IKE_DIGEST_MAX];

	auth_value(sa, sa->initiator, id_body, value);
	ike_chain_begin(c, PAYLOAD_AUTH);
	wirebuf_u8(&c->buf, IKE_AUTH_METHOD_PSK);
	wirebuf_zero(&c->buf, 3);
	wirebuf_put(&c->buf, value, alg_auth(sa->keys.prf)->digest_bytes);
	ike_chain_end(c);
}

bool v2_auth_verify(
    const struct ike_sa *sa, const struct ike_payload *auth, struct ike_span id_body)
{
	size_t digest = alg_auth(sa->keys.prf)->digest_bytes;
	uint8_t expected[IKE_DIGEST_MAX];
	struct wire w = ike_payload_wire(auth);
	uint8_t method = wire_u8(&w);
	const uint8_t *value;

	wire_skip(&w, 3);
	value = wire_bytes(&w, digest);
	auth_value(sa, !sa->initiator, id_body, expected);
	return wire_done(&w) && method == IKE_AUTH_METHOD_PSK &&
	    secret_equal(value, expected, digest);
}

const char *v2_auth_method(const struct ike_payload *auth, char buf[V2_AUTH_METHOD_TEXT])
{
	struct wire w = ike_payload_wire(auth);
	uint8_t method = wire_u8(&w);

	if (method == IKE_AUTH_METHOD_PSK)
		return NULL;
	snprintf(buf, V2_AUTH_METHOD_TEXT, "authentication method %u", method);
	return buf;
}

/* No other IKE SA with this peer: whatever it still has from before is dead (2.4). */
static bool is_first_contact(const struct ike_sa *sa)
{
	const struct ike_sa *other;

	list_for (other, &sa->tunnel->sas, tunnel_node)
		if (other != sa && other->state >= IKE_SA_ESTABLISHED)
			return false;
	return true;
}

static struct ike_slot *slot_to_fill(struct ike_tunnel *t)
{
	for (unsigned i = 0; i < t->slot_count; i++)
		if (!ike_child_of_slot(t, &t->slots[i]))
			return &t->slots[i];
	return &t->slots[0];
}

void v2_auth_send(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	struct ike_tunnel *t = sa->tunnel;
	struct ike_setup *s = sa->setup;
	struct ike_chain c = v2_chain(e);
	struct v2_terms terms = {.in_auth = true, .initiator = true};
	uint8_t id[IKE_ID_BODY_MAX], peer_id[IKE_ID_BODY_MAX];
	struct ike_span id_body = {id, ike_id_body(&t->config.local_id, id)};

	ike_chain_put(&c, PAYLOAD_IDI, id, id_body.len);
	if (is_first_contact(sa))
		ike_chain_notify(&c, NOTIFY_INITIAL_CONTACT, NULL, 0);
	if (t->config.remote_id.type != IKE_ID_ANY && !t->hide_remote_id)
		ike_chain_put(&c, PAYLOAD_IDR, peer_id, ike_id_body(&t->config.remote_id, peer_id));
	v2_auth_put(sa, &c, id_body);
	s->child_slot = slot_to_fill(t);
	s->child_spi_in = e->ops->spi_alloc(e->ctx, t->id);
	if (s->child_spi_in) {
		terms.slot = s->child_slot;
		v2_terms_offer(sa, &terms, s->child_spi_in, &c);
	}
	v2_request(sa, EXCHANGE_IKE_AUTH, &c);
}

/* The attempt is over; the peer knows. */
static void give_up(struct ike_sa *sa, enum ike_error_code code)
{
	struct ike_tunnel *t = sa->tunnel;

	ike_sa_kill(sa, code);
	ike_tunnel_failed(t, code);
}

/* The peer proved nothing: it is told, and then forgotten. */
static void reject_peer(struct ike_sa *sa, enum ike_error_code code, const char *field,
    const char *ours, const char *theirs)
{
	sa->engine->counters.auth_failed++;
	ike_tunnel_error(sa->tunnel, code, field, ours, theirs);
	ike_setup_free(sa);
	sa->end_reason = code;
	ike_tunnel_failed(sa->tunnel, code);
	ike_task_add_first(sa, IKE_TASK_REFUSE, 0);
}

/* The peer does not say which of them it is: what we said of each. */
static void report_ids(struct ike_tunnel *t, const struct ike_notify *n)
{
	char local[IKE_ID_TEXT_MAX], remote[IKE_ID_TEXT_MAX], ours[2 * IKE_ID_TEXT_MAX + 16];

	snprintf(ours, sizeof(ours), "we are %s, you are %s",
	    ike_id_text(&t->config.local_id, local),
	    t->hide_remote_id ? "anybody" : ike_id_text(&t->config.remote_id, remote));
	ike_tunnel_error(t, IKE_ERROR_AUTHENTICATION_FAILED, "psk, local-id, remote-id", ours,
	    ike_notify_name(n->type));
}

static void on_refusal(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_tunnel *t = sa->tunnel;
	enum ike_error_code code = IKE_ERROR_PEER_REFUSED;

	if (n->type == NOTIFY_AUTHENTICATION_FAILED) {
		code = IKE_ERROR_AUTHENTICATION_FAILED;
		report_ids(t, n);
		/* Leave IDr out every other time: a peer of another name then tells it. */
		t->hide_remote_id = !t->hide_remote_id;
	} else {
		ike_tunnel_error(t, code, "", NULL, ike_notify_name(n->type));
	}
	give_up(sa, code);
}

static bool is_the_peer(struct ike_sa *sa, const struct v2_message *m)
{
	const struct ike_payload *idr = ike_payload_find(m->payloads, PAYLOAD_IDR);
	const struct ike_payload *auth = ike_payload_find(m->payloads, PAYLOAD_AUTH);
	const struct ike_tunnel_config *config = &sa->tunnel->config;
	char ours[IKE_ID_TEXT_MAX], theirs[IKE_ID_TEXT_MAX];
	struct ike_id id;

	if (ike_id_read(idr, &id) || !ike_id_matches(&config->remote_id, &id)) {
		reject_peer(sa, IKE_ERROR_PEER_ID_MISMATCH, "remote-id",
		    ike_id_text(&config->remote_id, ours), ike_id_text(&id, theirs));
		return false;
	}
	if (!v2_auth_verify(sa, auth, ike_payload_span(idr))) {
		if (v2_auth_method(auth, theirs))
			reject_peer(
			    sa, IKE_ERROR_AUTHENTICATION_FAILED, "psk", "pre-shared key", theirs);
		else
			reject_peer(sa, IKE_ERROR_PSK_MISMATCH, "psk", NULL, NULL);
		return false;
	}
	return true;
}

/* The Child SA that came with it, or the reason why not: then the IKE SA stays, and we try again. */
static void take_child(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_setup *s = sa->setup;
	struct v2_terms terms = {
	    .in_auth = true,
	    .initiator = true,
	    .slot = s->child_slot,
	    .nonce_i = {s->nonce_i, s->nonce_i_len},
	    .nonce_r = {s->nonce_r, s->nonce_r_len},
	};
	uint32_t spi_in = s->child_spi_in;
	struct ike_child_sa *child;
	struct ike_notify n;

	s->child_spi_in = 0;
	if (!spi_in)
		return;
	if (ike_notify_error(m->payloads, &n)) {
		v2_terms_refused(sa, &terms, n.type);
		sa->engine->ops->spi_free(sa->engine->ctx, sa->tunnel->id, spi_in);
		ike_slot_failed(sa->tunnel, terms.slot);
		return;
	}
	child = v2_terms_accept(sa, m, &terms, spi_in);
	if (!child) {
		ike_slot_failed(sa->tunnel, terms.slot);
		return;
	}
	ike_child_use(child);
	ike_rehearsal_begin(child);
	ike_sa_supersede(sa);
}

void v2_auth_response(struct ike_sa *sa, const struct v2_message *m)
{
	const struct ike_payload *auth = ike_payload_find(m->payloads, PAYLOAD_AUTH);
	struct ike_notify n;

	if (!auth || !ike_payload_find(m->payloads, PAYLOAD_IDR)) {
		if (!ike_notify_error(m->payloads, &n))
			n = (struct ike_notify){.type = NOTIFY_AUTHENTICATION_FAILED};
		on_refusal(sa, &n);
		return;
	}
	if (!is_the_peer(sa, m))
		return;
	ike_sa_moved(sa, m->local, m->remote);
	ike_sa_established(sa, ike_notify_find(m->payloads, NOTIFY_INITIAL_CONTACT, &n));
	take_child(sa, m);
	ike_setup_free(sa);
}
