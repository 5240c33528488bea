/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_SA_INIT as responder (RFC 7296 1.2, 2.6).
 *
 * The order of the checks is the defence: first what costs nothing and answers nobody we do not know, then
 * the cookie, then the limits, then proposals, and only for what passed all of it memory and a
 * Diffie-Hellman computation. Refusals leave no state.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/v2/v2.h"

#define COOKIES_S 10 /* longer than a datagram is under way */

static bool same_endpoint(const struct ike_endpoint *a, const struct ike_endpoint *b)
{
	return a->port == b->port && ip_eq(&a->addr, &b->addr);
}

/* The same request again: the same response again. */
static bool is_repeated(struct ike_engine *e, const struct v2_message *m)
{
	struct ike_sa *sa;

	list_for (sa, &e->half_open, half_open_node) {
		if (sa->spi_i != m->header->spi_i || !same_endpoint(&sa->remote, m->remote))
			continue;
		if (sa->window.expected_id == 1 &&
		    secret_equal(sa->window.answered, m->digest, IKE_MESSAGE_DIGEST)) {
			ike_window_repeat(sa, m->digest, m->local, m->remote);
			return true;
		}
	}
	return false;
}

/* Never longer than what it answers: nobody gains by making us send it elsewhere. */
static void refuse(
    struct ike_engine *e, const struct v2_message *m, uint16_t notify, const void *data, size_t len)
{
	struct ike_chain c = v2_chain(e);
	struct ike_packet *p;

	ike_chain_notify(&c, notify, data, len);
	p = ike_message_plain(m->header->spi_i, 0, EXCHANGE_IKE_SA_INIT, false, true, &c);
	if (p->len <= m->len)
		ike_packet_send(e, p, m->local, m->remote);
	free(p);
}

/*
 * Once cookies are asked for, they are for some time. A peer that was asked signs its request with the cookie; were a copy of
 * its first request, still on the way, answered without one, it would take that answer and we would find its
 * AUTH wrong.
 */
static bool asks_for_cookies(struct ike_engine *e)
{
	if (e->half_open_count >= e->limits.cookie_threshold)
		e->cookies_until = mono_add(e->now, DUR_S(COOKIES_S));
	return mono_before(e->now, e->cookies_until);
}

/* Is the peer's address proven, or does it not matter yet? Sends a cookie when it does. */
static bool cookie_passes(struct ike_engine *e, const struct v2_message *m, struct ike_span nonce_i)
{
	uint8_t cookie[IKE_COOKIE_BYTES];
	struct ike_notify n;

	if (!asks_for_cookies(e))
		return true;
	if (ike_notify_find(m->payloads, NOTIFY_COOKIE, &n)) {
		if (ike_cookie_check(&e->cookies, e->rng, e->now, n.data, nonce_i, &m->remote->addr,
			m->header->spi_i))
			return true;
		e->counters.cookies_bad++;
	}
	ike_cookie_make(
	    &e->cookies, e->rng, e->now, nonce_i, &m->remote->addr, m->header->spi_i, cookie);
	refuse(e, m, NOTIFY_COOKIE, cookie, sizeof(cookie));
	e->counters.cookies_sent++;
	return false;
}

static void report_mismatch(struct ike_tunnel *t, struct wire sa_body)
{
	struct ike_policy policy = ike_tunnel_ike_policy(t);
	struct ike_mismatch why;

	ike_mismatch_find(&policy, sa_body, &why);
	ike_tunnel_error(t, why.code, why.field, why.ours, why.theirs);
}

/* The first tunnel of these addresses that can agree; NULL after an answer, or none, was given. */
static struct ike_tunnel *choose_tunnel(
    struct ike_engine *e, const struct v2_message *m, uint16_t ke_group, struct ike_suite *suite)
{
	struct wire sa_body = ike_payload_wire(ike_payload_find(m->payloads, PAYLOAD_SA));
	struct ike_tunnel *t = NULL, *mismatched = NULL;

	while ((t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, t))) {
		struct ike_policy policy = ike_tunnel_ike_policy(t);
		int err;

		if (t->config.version != IKE_V2)
			continue;
		err = ike_suite_choose(&policy, sa_body, ke_group, suite);
		if (err == -EBADMSG || (!err && suite->spi_len != 0)) {
			e->counters.malformed++;
			return NULL;
		}
		if (!err)
			return t;
		if (!mismatched)
			mismatched = t;
	}
	if (mismatched) {
		report_mismatch(mismatched, sa_body);
	} else {
		t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, NULL);
		ike_tunnel_error(
		    t, IKE_ERROR_IKE_VERSION_MISMATCH, "ike.version", "ikev1", "ikev2");
	}
	refuse(e, m, NOTIFY_NO_PROPOSAL_CHOSEN, NULL, 0);
	return NULL;
}

static struct ike_packet *build_response(
    struct ike_sa *sa, const struct v2_message *m, const struct ike_tunnel *t)
{
	struct ike_setup *s = sa->setup;
	struct ike_chain c = v2_chain(sa->engine);
	struct ike_notify n;

	ike_suite_put(&c, &sa->suite, PROTOCOL_IKE, NULL, 0);
	ike_chain_ke(&c, s->dh);
	v2_chain_nonce(&c, s->nonce_r, s->nonce_r_len);
	if (t->config.natt != IKE_NATT_OFF) {
		sa->natt = ike_natd_check(m->payloads, sa->spi_i, 0, m->local, m->remote, &sa->nat);
		sa->nat.forced = sa->natt && t->config.natt == IKE_NATT_FORCE;
	}
	if (sa->natt)
		ike_natd_put(
		    &c, sa->spi_i, sa->spi_r, m->local, m->remote, sa->nat.forced, sa->engine->rng);
	sa->fragments = ike_notify_find(m->payloads, NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	if (sa->fragments)
		ike_chain_notify(&c, NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, NULL, 0);
	ike_chain_notify(&c, NOTIFY_CHILDLESS_IKEV2_SUPPORTED, NULL, 0);
	return ike_message_plain(sa->spi_i, sa->spi_r, EXCHANGE_IKE_SA_INIT, false, true, &c);
}

static void keep(uint8_t **to, size_t *to_len, const uint8_t *bytes, size_t len)
{
	*to = xmalloc(len);
	*to_len = len;
	memcpy(*to, bytes, len);
}

/* From here on there is state: a half-open SA with its keys. */
static void make_half_open(struct ike_engine *e, const struct v2_message *m,
    const struct ike_tunnel *t, const struct ike_suite *suite, struct ike_span nonce_i,
    struct ike_dh *dh, struct ike_span secret)
{
	struct ike_sa *sa =
	    ike_sa_new(e, &ike_v2_driver, NULL, false, ike_engine_new_spi(e), IKE_SA_HALF_OPEN);
	struct ike_setup *s = xcalloc(1, sizeof(*s));
	struct ike_packet *response;
	struct ike_key_input in;

	sa->setup = s;
	sa->spi_i = m->header->spi_i;
	sa->local = *m->local;
	sa->remote = *m->remote;
	sa->suite = *suite;
	s->dh = dh;
	memcpy(s->nonce_i, nonce_i.bytes, nonce_i.len);
	s->nonce_i_len = nonce_i.len;
	rng_fill(e->rng, s->nonce_r, IKE_NONCE_BYTES);
	s->nonce_r_len = IKE_NONCE_BYTES;
	in = (struct ike_key_input){
	    .nonce_i = {s->nonce_i, s->nonce_i_len},
	    .nonce_r = {s->nonce_r, s->nonce_r_len},
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .secret = secret,
	};
	ike_keys_derive(&sa->keys, &sa->suite, &in, NULL);
	sa->tie = ike_tie_of(in.nonce_i, in.nonce_r, false);
	response = build_response(sa, m, t);
	keep(&s->message_i, &s->message_i_len, m->bytes, m->len);
	keep(&s->message_r, &s->message_r_len, response->bytes, response->len);
	ike_window_respond(sa, m->digest, response, m->local, m->remote);
}

static void agree(struct ike_engine *e, const struct v2_message *m, struct ike_span nonce_i)
{
	uint8_t secret[IKE_DH_SECRET_MAX];
	struct ike_suite suite;
	struct ike_tunnel *t;
	struct ike_dh *dh;
	struct ike_ke ke;
	int len;

	if (ike_ke_parse(ike_payload_find(m->payloads, PAYLOAD_KE), &ke)) {
		e->counters.malformed++;
		return;
	}
	t = choose_tunnel(e, m, ke.group, &suite);
	if (!t)
		return;
	if (ke.group != alg_dh(suite.dh)->id) {
		uint16_t id = alg_dh(suite.dh)->id;
		uint8_t group[2] = {(uint8_t)(id >> 8), (uint8_t)id};

		refuse(e, m, NOTIFY_INVALID_KE_PAYLOAD, group, sizeof(group));
		return;
	}
	dh = ike_dh_create(suite.dh, e->rng);
	e->counters.dh_computed += 2;
	len = ike_dh_shared(dh, ke.value.bytes, ke.value.len, secret);
	if (len < 0) {
		e->counters.malformed++;
		ike_dh_free(dh);
		return;
	}
	make_half_open(e, m, t, &suite, nonce_i, dh, (struct ike_span){secret, (size_t)len});
	secret_wipe(secret, sizeof(secret));
}

void v2_init_request(struct ike_engine *e, const struct v2_message *m)
{
	const struct ike_tunnel *t;
	struct ike_span nonce_i;

	if (e->shutting_down || is_repeated(e, m))
		return;
	t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, NULL);
	if (!t) {
		char text[IP_TEXT_MAX];

		e->counters.unknown_peer++;
		if (log_limit(&e->strangers, e->now, NULL))
			ike_tunnel_log(NULL, LOG_INFO, "%s: no tunnel for the peer at %s",
			    ike_error_name(IKE_ERROR_PEER_UNKNOWN),
			    ip_text(&m->remote->addr, text));
		return;
	}
	if (m->payloads->unknown_critical) {
		refuse(
		    e, m, NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD, &m->payloads->unknown_critical, 1);
		return;
	}
	if (ike_payloads_check(m->payloads, EXCHANGE_IKE_SA_INIT, false, NULL) ||
	    !v2_nonce_read(m->payloads, &nonce_i)) {
		e->counters.malformed++;
		return;
	}
	if (cookie_passes(e, m, nonce_i) &&
	    ike_half_open_has_room(e, &m->remote->addr, !ip_is_any(&t->config.remote)))
		agree(e, m, nonce_i);
}
