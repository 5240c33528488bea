/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * How phase 1 ended. Every later exchange has an IV that begins with the last block of phase 1 (RFC 2409 appendix B), and
 * the last message of phase 1 has no integrity but its proof: what stands behind the proof anybody on the path can
 * change, or add to, and with it that block. Each version whose proof holds is one way in which phase 1 may have ended;
 * only the peer knows which version was its own. Until it has sent something that opens behind one of them,
 *
 *     - what it sends is tried behind each,
 *     - what we send goes out behind each, with the same message ID: the peer understands one of them,
 *     - what a version said about NATs counts for that version alone.
 *
 * The number of versions is bounded; garbage, which proves nothing, is none.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ike/v1/v1.h"

/* ---- what we send ---- */

/* Seals a chain as the first message of its exchange behind this end of phase 1; `iv` is that of the next message. */
static struct ike_packet *seal_behind(struct ike_sa *sa, const uint8_t last[V1_IV_MAX],
    uint8_t exchange, uint32_t message_id, const struct ike_chain *c, uint8_t iv[V1_IV_MAX])
{
	v1_iv_later(&sa->v1->keys, last, message_id, iv);
	return v1_seal(sa, exchange, message_id, iv, c);
}

static void send_behind(struct ike_sa *sa, const uint8_t last[V1_IV_MAX], uint8_t exchange,
    uint32_t message_id, const struct ike_chain *c)
{
	uint8_t iv[V1_IV_MAX];
	struct ike_packet *p = seal_behind(sa, last, exchange, message_id, c, iv);

	ike_packet_send(sa->engine, p, &sa->local, &sa->remote);
	free(p);
}

uint32_t v1_new_message_id(struct ike_sa *sa)
{
	return (uint32_t)rng_u64(sa->engine->rng) | 1; /* not zero */
}

void v1_send_first(
    struct ike_sa *sa, uint8_t exchange, uint32_t message_id, const struct ike_chain *c)
{
	send_behind(sa, sa->v1->iv, exchange, message_id, c);
	for (unsigned i = 0; i < sa->v1->end_count; i++)
		send_behind(sa, sa->v1->end[i].iv, exchange, message_id, c);
}

/* ---- our exchange under way ---- */

static void forget_request(struct v1_state *v)
{
	free(v->request.buf.start);
	v->request = (struct ike_chain){0};
}

static void keep_request(struct v1_state *v, const struct ike_chain *c)
{
	size_t len = wirebuf_len(&c->buf);
	uint8_t *copy = xmalloc(len);

	forget_request(v);
	memcpy(copy, c->buf.start, len);
	v->request = *c;
	v->request.buf = (struct wirebuf){copy, copy + len, copy + len, false};
}

static bool is_under_way(const struct ike_sa *sa)
{
	return sa->v1->request.buf.start && ike_window_busy(&sa->window);
}

/* The first message of that exchange, had phase 1 ended this way. */
static struct ike_packet *request_behind(
    struct ike_sa *sa, const struct v1_end *end, uint8_t iv[V1_IV_MAX])
{
	return seal_behind(
	    sa, end->iv, sa->window.exchange, sa->v1->message_id, &sa->v1->request, iv);
}

static void repeat_behind(struct ike_sa *sa, const struct v1_end *end)
{
	uint8_t iv[V1_IV_MAX];
	struct ike_packet *p = request_behind(sa, end, iv);

	ike_packet_send(sa->engine, p, &sa->local, &sa->remote);
	free(p);
}

void v1_exchange_send(
    struct ike_sa *sa, uint8_t exchange, uint32_t message_id, const struct ike_chain *c)
{
	struct v1_state *v = sa->v1;

	v->message_id = message_id;
	if (!v->confirmed)
		keep_request(v, c);
	ike_window_send(
	    sa, exchange, seal_behind(sa, v->iv, exchange, message_id, c, v->exchange_iv));
	v1_exchange_repeat(sa);
}

void v1_exchange_replace(struct ike_sa *sa, uint32_t message_id, const struct ike_chain *c)
{
	struct v1_state *v = sa->v1;

	v->message_id = message_id;
	if (!v->confirmed)
		keep_request(v, c);
	free(sa->window.request);
	sa->window.request =
	    seal_behind(sa, v->iv, sa->window.exchange, message_id, c, v->exchange_iv);
}

void v1_exchange_repeat(struct ike_sa *sa)
{
	for (unsigned i = 0; i < sa->v1->end_count && is_under_way(sa); i++)
		repeat_behind(sa, &sa->v1->end[i]);
}

/* ---- the ends ---- */

void v1_other_end(struct ike_sa *sa, const struct v1_end *end)
{
	struct v1_state *v = sa->v1;
	size_t block = alg_encr(v->keys.encr)->iv_bytes;

	if (v->end_count >= V1_ENDS_MAX || !memcmp(end->iv, v->iv, block))
		return;
	for (unsigned i = 0; i < v->end_count; i++)
		if (!memcmp(end->iv, v->end[i].iv, block))
			return;
	v->end[v->end_count++] = *end;
	if (is_under_way(sa))
		repeat_behind(sa, end);
}

/* This was it: what is under way goes on from there. */
static void choose(struct ike_sa *sa, const struct v1_end *end)
{
	struct v1_state *v = sa->v1;

	if (is_under_way(sa)) {
		free(sa->window.request);
		sa->window.request = request_behind(sa, end, v->exchange_iv);
	}
	memcpy(v->iv, end->iv, sizeof(v->iv));
	sa->natt = end->natt;
	sa->nat = end->nat;
}

void v1_confirm(struct ike_sa *sa)
{
	struct v1_state *v = sa->v1;

	if (v->confirmed)
		return;
	v->confirmed = true;
	v->end_count = 0;
	forget_request(v);
	free(v->last);
	v->last = NULL;
	ike_setup_free(sa);
}

void v1_ending_free(struct ike_sa *sa)
{
	forget_request(sa->v1);
	free(sa->v1->last);
}

/* ---- what the peer sends ---- */

static bool opens_behind(
    struct ike_sa *sa, struct v1_message *m, enum v1_step_message which, const uint8_t *last)
{
	uint8_t iv[V1_IV_MAX];

	v1_iv_later(&sa->v1->keys, last, m->header->message_id, iv);
	return !v1_open(sa->engine, &sa->v1->keys, iv, m) && !v1_payloads_check(&m->p, which) &&
	    v1_hash_holds(sa, m, (struct ike_span){NULL, 0});
}

static bool opens(struct ike_sa *sa, struct v1_message *m, enum v1_step_message which)
{
	struct v1_state *v = sa->v1;

	if (m->header->message_id == 0)
		return false;
	if (opens_behind(sa, m, which, v->iv))
		return true;
	for (unsigned i = 0; i < v->end_count; i++) {
		if (opens_behind(sa, m, which, v->end[i].iv)) {
			choose(sa, &v->end[i]);
			return true;
		}
	}
	return false;
}

/* It is authentic: whose it is, is heard, and where it is. */
static void heard(struct ike_sa *sa, const struct v1_message *m)
{
	ike_sa_heard(sa);
	v1_confirm(sa);
	ike_sa_moved(sa, m->local, m->remote);
}

bool v1_open_first(struct ike_sa *sa, struct v1_message *m, enum v1_step_message which)
{
	if (!opens(sa, m, which)) {
		sa->engine->counters.bad_icv++;
		return false;
	}
	heard(sa, m);
	return true;
}

static bool answers(struct ike_sa *sa, struct v1_message *m, enum v1_step_message which,
    struct ike_span nonce, const uint8_t iv[V1_IV_MAX])
{
	return !v1_open(sa->engine, &sa->v1->keys, iv, m) && !v1_payloads_check(&m->p, which) &&
	    v1_hash_holds(sa, m, nonce);
}

static bool answers_any(
    struct ike_sa *sa, struct v1_message *m, enum v1_step_message which, struct ike_span nonce)
{
	struct v1_state *v = sa->v1;
	uint8_t iv[V1_IV_MAX];

	if (answers(sa, m, which, nonce, v->exchange_iv))
		return true;
	for (unsigned i = 0; i < v->end_count && is_under_way(sa); i++) {
		free(request_behind(sa, &v->end[i], iv));
		if (answers(sa, m, which, nonce, iv)) {
			choose(sa, &v->end[i]);
			return true;
		}
	}
	return false;
}

bool v1_open_answer(
    struct ike_sa *sa, struct v1_message *m, enum v1_step_message which, struct ike_span nonce)
{
	if (!answers_any(sa, m, which, nonce)) {
		sa->engine->counters.bad_icv++;
		return false;
	}
	memcpy(sa->v1->exchange_iv, m->next_iv, sizeof(sa->v1->exchange_iv));
	heard(sa, m);
	return true;
}
