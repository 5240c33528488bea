/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Quick mode as responder (RFC 2409 5.5). Selectors cannot be narrowed in IKEv1: what the peer asks for must lie
 * within what is configured, exactly or as a part of it, or it is refused as INVALID_ID_INFORMATION.
 * What follows message 2 is in quick_wait.c.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/v1/v1.h"

#define UNDER_WAY_MAX 32 /* quick modes of a peer at a time */

/* ---- message 1 ---- */

static bool is_exactly(const struct ike_slot *s, const struct ike_ts_pair *ts)
{
	return ike_selector_eq(&s->local_ts[0], &ts->local[0]) &&
	    ike_selector_eq(&s->remote_ts[0], &ts->remote[0]);
}

static bool is_within(const struct ike_slot *s, const struct ike_ts_pair *ts)
{
	return ike_selector_covers(&s->local_ts[0], &ts->local[0]) &&
	    ike_selector_covers(&s->remote_ts[0], &ts->remote[0]);
}

static struct ike_slot *find_slot(struct ike_tunnel *t, const struct ike_ts_pair *ts)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < t->slot_count; i++)
			if (pass == 0 ? is_exactly(&t->slots[i], ts) : is_within(&t->slots[i], ts))
				return &t->slots[i];
	return NULL;
}

/* 0, or the notify to send instead. */
static uint16_t choose_suite(struct ike_sa *sa, const struct v1_message *m, struct v1_suite *suite)
{
	struct wire offer = ike_payload_wire(v1_find(&m->p, V1_PAYLOAD_SA));
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, false);
	struct ike_mismatch why;
	int err = v1_esp_choose(policy.algs, offer, v1_tunnel_mode(sa), suite);

	if (err == -EBADMSG)
		return V1_NOTIFY_BAD_PROPOSAL_SYNTAX;
	if (!err && v1_spi_read(suite->suite.spi) != 0)
		return 0;
	v1_mismatch_find(&policy, offer, &why);
	ike_tunnel_error(sa->tunnel, why.code, why.field, why.ours, why.theirs);
	return V1_NOTIFY_NO_PROPOSAL_CHOSEN;
}

/* The shared secret of PFS with a fresh key pair of ours. 0, or a notify. */
static uint16_t exchange_keys(struct ike_sa *sa, const struct v1_message *m, enum alg_dh group,
    struct ike_dh **dh, uint8_t *secret, size_t *secret_len)
{
	const struct ike_payload *ke = v1_find(&m->p, V1_PAYLOAD_KE);
	int len;

	*secret_len = 0;
	if (group == DH_NONE)
		return 0;
	if (!ke || ke->len != alg_dh(group)->public_bytes)
		return V1_NOTIFY_INVALID_KEY_INFORMATION;
	*dh = ike_dh_create(group, sa->engine->rng);
	sa->engine->counters.dh_computed += 2;
	len = ike_dh_shared(*dh, ke->body, ke->len, secret);
	if (len < 0)
		return V1_NOTIFY_INVALID_KEY_INFORMATION;
	*secret_len = (size_t)len;
	return 0;
}

/* The identities as they came: a mask written otherwise would not be the same bytes. */
static void echo_ids(struct ike_chain *c, const struct v1_message *m)
{
	for (unsigned i = 0; i < m->p.list.count; i++)
		if (m->p.list.list[i].type == V1_PAYLOAD_ID)
			ike_chain_put(
			    c, V1_PAYLOAD_ID, m->p.list.list[i].body, m->p.list.list[i].len);
}

/* What message 1 asks for, once it is clear that it can be had. */
struct request {
	struct ike_ts_pair ts;
	struct ike_slot *slot;
	struct v1_suite suite;
	struct ike_dh *dh;
	uint8_t secret[IKE_DH_SECRET_MAX];
	size_t secret_len;
	struct ike_span nonce_i;
};

static uint16_t read_request(struct ike_sa *sa, const struct v1_message *m, struct request *r)
{
	struct ike_tunnel *t = sa->tunnel;
	uint16_t notify;

	r->nonce_i = ike_payload_span(v1_find(&m->p, V1_PAYLOAD_NONCE));
	if (r->nonce_i.len < 8 || r->nonce_i.len > IKE_NONCE_MAX)
		return V1_NOTIFY_PAYLOAD_MALFORMED;
	if (ike_child_count(sa) >= sa->engine->limits.child_per_ike_max + 2 * t->slot_count) {
		ike_tunnel_error(t, IKE_ERROR_LIMIT_REACHED, "child-sa-max", NULL, NULL);
		return V1_NOTIFY_NO_PROPOSAL_CHOSEN;
	}
	notify = choose_suite(sa, m, &r->suite);
	if (notify)
		return notify;
	if (v1_selectors_read(sa, m, false, &r->ts)) {
		ike_tunnel_error(t, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, "local-cidrs, peer-cidrs",
		    NULL, "identities that select no packets");
		return V1_NOTIFY_INVALID_ID_INFORMATION;
	}
	r->slot = find_slot(t, &r->ts);
	if (!r->slot) {
		v1_report_selectors(t, &t->slots[0], &r->ts);
		return V1_NOTIFY_INVALID_ID_INFORMATION;
	}
	return exchange_keys(sa, m, r->suite.suite.dh, &r->dh, r->secret, &r->secret_len);
}

static struct ike_packet *copy_packet(const struct ike_packet *p)
{
	struct ike_packet *copy = ike_packet_new(p->len);

	memcpy(copy->bytes, p->bytes, p->len);
	return copy;
}

static void send_2(
    struct ike_sa *sa, const struct v1_message *m, struct v1_quick *q, const struct request *r)
{
	struct ike_chain c = v1_chain(sa->engine);
	uint8_t spi[4];

	v1_chain_hash_begin(sa, &c);
	v1_suite_put(&c, &r->suite, V1_PROTOCOL_ESP, v1_spi_span(spi, q->spi_in));
	ike_chain_put(&c, V1_PAYLOAD_NONCE, q->nonce_r, sizeof(q->nonce_r));
	if (r->dh)
		ike_chain_put(&c, V1_PAYLOAD_KE, ike_dh_public(r->dh),
		    alg_dh(r->suite.suite.dh)->public_bytes);
	echo_ids(&c, m);
	v1_quick_put_lifetime(sa, &c, &r->suite, q->spi_in);
	v1_chain_hash_end(sa, &c, q->message_id, r->nonce_i);
	q->answer = v1_seal(sa, EXCHANGE_V1_QUICK, q->message_id, q->iv, &c);
	v1_answer(sa, m, copy_packet(q->answer));
	q->tries = 1;
	v1_quick_wait(q);
}

static void answer_1(struct ike_sa *sa, const struct v1_message *m, struct request *r)
{
	struct ike_engine *e = sa->engine;
	uint32_t spi_in = e->ops->spi_alloc(e->ctx, sa->tunnel->id);
	struct ike_child_sa *child = NULL;
	struct v1_quick *q;

	if (!spi_in) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_LIMIT_REACHED, "spi", NULL, NULL);
		return;
	}
	q = v1_quick_new(sa, m, r->nonce_i);
	q->spi_in = spi_in;
	child = v1_child_make(sa,
	    &(struct v1_terms){.slot = r->slot,
		.nonce_i = r->nonce_i,
		.nonce_r = {q->nonce_r, sizeof(q->nonce_r)}},
	    &r->suite, spi_in, (struct ike_span){r->secret, r->secret_len}, &r->ts);
	if (child)
		send_2(sa, m, q, r);
	else
		v1_quick_free(q);
}

static void on_1(struct ike_sa *sa, struct v1_message *m)
{
	struct request r = {0};
	uint16_t notify;

	if (!v1_open_first(sa, m, V1_MESSAGE_QM1))
		return;
	if (sa->engine->shutting_down)
		return;
	for (unsigned i = 0; i < m->p.list.count; i++) {
		struct v1_notify n;

		if (m->p.list.list[i].type == V1_PAYLOAD_NOTIFY &&
		    !v1_notify_parse(&m->p.list.list[i], &n) && n.type == V1_NOTIFY_INITIAL_CONTACT)
			v1_initial_contact(sa);
	}
	v1_quick_complete_ours(sa->tunnel);
	notify = read_request(sa, m, &r);
	if (notify)
		v1_answer_notify(sa, m, V1_PROTOCOL_ESP, notify);
	else
		answer_1(sa, m, &r);
	ike_dh_free(r.dh);
	secret_wipe(&r, sizeof(r));
}

/* ---- message 3 ---- */

static void on_3(struct v1_quick *q, struct v1_message *m)
{
	struct ike_sa *sa = q->sa;
	size_t digest = alg_auth(sa->v1->keys.prf)->digest_bytes;
	uint8_t expected[IKE_DIGEST_MAX];

	v1_keys_hash3(&sa->v1->keys, q->message_id, (struct ike_span){q->nonce_i, q->nonce_i_len},
	    (struct ike_span){q->nonce_r, sizeof(q->nonce_r)}, expected);
	if (v1_open(sa->engine, &sa->v1->keys, q->iv, m) ||
	    v1_payloads_check(&m->p, V1_MESSAGE_QM3) || !v1_hash_equals(&m->p, expected, digest)) {
		sa->engine->counters.bad_icv++;
		return;
	}
	ike_sa_heard(sa);
	ike_sa_moved(sa, m->local, m->remote);
	v1_remember(sa, m, NULL);
	v1_quick_complete(q);
}

void v1_quick_message(struct ike_sa *sa, struct v1_message *m)
{
	uint32_t message_id = m->header->message_id;
	enum ike_task_kind kind = sa->exchange.kind;
	struct v1_quick *q = v1_quick_find(sa, message_id);

	if (message_id == 0) {
		sa->engine->counters.malformed++;
	} else if (ike_window_busy(&sa->window) && message_id == sa->v1->message_id &&
	    (kind == IKE_TASK_CREATE_CHILD || kind == IKE_TASK_REKEY_CHILD)) {
		v1_quick_on_2(sa, m);
	} else if (q) {
		on_3(q, m);
	} else {
		if (v1_quick_count(sa) < UNDER_WAY_MAX)
			on_1(sa, m);
		else
			sa->engine->counters.unexpected++;
	}
}
