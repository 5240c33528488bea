/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKEv2 messages on their way in: which SA, may it come now, is it authentic, is it complete; then to the
 * exchange it belongs to. Whatever fails before the integrity check leaves no trace but a counter
 * (RFC 7296 2.21, 2.23).
 */

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "ike/v2/v2.h"

#define ANY_ID UINT32_MAX

/*
 * What may come when. Message IDs beside those of the first two exchanges are the window's matter. A response
 * is expected where the window is busy with a request of its exchange.
 */
static const struct {
	enum ike_sa_state state;
	uint8_t exchange;
	bool response;
	bool initiator; /* our role in the IKE SA, where only one can be */
	uint32_t message_id;
} whitelist[] = {
    /* state, exchange, response, we are the initiator, message ID */
    {IKE_SA_INIT_SENT, EXCHANGE_IKE_SA_INIT, true, true, 0},
    {IKE_SA_HALF_OPEN, EXCHANGE_IKE_AUTH, false, false, 1},
    {IKE_SA_AUTH_SENT, EXCHANGE_IKE_AUTH, true, true, 1},
    {IKE_SA_ESTABLISHED, EXCHANGE_IKE_AUTH, false, false, 1}, /* repeated */
    {IKE_SA_ESTABLISHED, EXCHANGE_CREATE_CHILD_SA, false, false, ANY_ID},
    {IKE_SA_ESTABLISHED, EXCHANGE_CREATE_CHILD_SA, true, false, ANY_ID},
    {IKE_SA_ESTABLISHED, EXCHANGE_INFORMATIONAL, false, false, ANY_ID},
    {IKE_SA_ESTABLISHED, EXCHANGE_INFORMATIONAL, true, false, ANY_ID},
    {IKE_SA_RESERVED, EXCHANGE_CREATE_CHILD_SA, false, false, ANY_ID},
    {IKE_SA_RESERVED, EXCHANGE_INFORMATIONAL, false, false, ANY_ID},
    {IKE_SA_REPLACED, EXCHANGE_CREATE_CHILD_SA, false, false, ANY_ID},
    {IKE_SA_REPLACED, EXCHANGE_CREATE_CHILD_SA, true, false, ANY_ID},
    {IKE_SA_REPLACED, EXCHANGE_INFORMATIONAL, false, false, ANY_ID},
    {IKE_SA_REPLACED, EXCHANGE_INFORMATIONAL, true, false, ANY_ID},
    {IKE_SA_DELETING, EXCHANGE_CREATE_CHILD_SA, false, false, ANY_ID},
    {IKE_SA_DELETING, EXCHANGE_INFORMATIONAL, false, false, ANY_ID},
    {IKE_SA_DELETING, EXCHANGE_INFORMATIONAL, true, false, ANY_ID},
};

static bool may_come(const struct ike_sa *sa, const struct ike_header *h)
{
	bool response = h->flags & IKE_FLAG_RESPONSE;

	for (size_t i = 0; i < sizeof(whitelist) / sizeof(whitelist[0]); i++) {
		if (whitelist[i].state != sa->state || whitelist[i].exchange != h->exchange ||
		    whitelist[i].response != response)
			continue;
		if (whitelist[i].message_id != ANY_ID &&
		    (whitelist[i].message_id != h->message_id ||
			whitelist[i].initiator != sa->initiator))
			continue;
		return true;
	}
	return false;
}

/* By our SPI, with the peer's SPI and the roles as they must be; NULL. */
static struct ike_sa *find_sa(struct ike_engine *e, const struct ike_header *h)
{
	bool from_initiator = h->flags & IKE_FLAG_INITIATOR;
	struct ike_sa *sa = ike_engine_find_sa(e, from_initiator ? h->spi_r : h->spi_i);

	if (!sa || sa->initiator == from_initiator)
		return NULL;
	if (sa->state == IKE_SA_INIT_SENT)
		return sa; /* the peer's SPI is what we are about to learn */
	return sa->spi_i == h->spi_i && sa->spi_r == h->spi_r ? sa : NULL;
}

void v2_syntax_error(struct ike_sa *sa, const struct v2_message *m)
{
	sa->engine->counters.malformed++;
	v2_reply_notify(sa, m, NOTIFY_INVALID_SYNTAX, NULL, 0);
	if (sa->tunnel)
		ike_tunnel_error(sa->tunnel, IKE_ERROR_MESSAGE_MALFORMED, "", NULL,
		    ike_exchange_name(m->header->exchange));
	/* 2.21.3: fatal on both sides, without a delete. */
	ike_sa_kill(sa, IKE_ERROR_MESSAGE_MALFORMED);
}

/* An answer after which there is nothing left to rely on. */
static void fatal_answer(struct ike_sa *sa, enum ike_error_code code, const char *theirs)
{
	bool was_coming_up = sa->state == IKE_SA_AUTH_SENT;
	struct ike_child_sa *old = NULL;

	if (sa->exchange.kind == IKE_TASK_REKEY_CHILD)
		old = ike_child_find(sa, sa->exchange.spi_in);
	if (old)
		ike_rehearsal_ended(old);
	ike_tunnel_error(sa->tunnel, code, "", NULL, theirs);
	ike_sa_kill(sa, code);
	if (was_coming_up)
		ike_tunnel_failed(sa->tunnel, code);
}

/* An authentic response that makes no sense. */
static void senseless_response(struct ike_sa *sa, const struct v2_message *m)
{
	sa->engine->counters.malformed++;
	fatal_answer(sa, IKE_ERROR_MESSAGE_MALFORMED, ike_exchange_name(m->header->exchange));
}

/* The peer could not read what we sent and has ended the IKE SA, without a delete (2.21.3): so do we. */
static bool refuses_syntax(const struct v2_message *m)
{
	struct ike_notify n;

	return ike_notify_find(m->payloads, NOTIFY_INVALID_SYNTAX, &n);
}

static void on_request(struct ike_sa *sa, const struct v2_message *m)
{
	if (m->payloads->unknown_critical) {
		v2_reply_notify(
		    sa, m, NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD, &m->payloads->unknown_critical, 1);
		return;
	}
	if (ike_payloads_check(m->payloads, m->header->exchange, false, NULL)) {
		v2_syntax_error(sa, m);
		return;
	}
	/* The peer works on the IKE SA that its rekey made: it is the heir, whatever became of ours. */
	if (sa->state == IKE_SA_RESERVED && !v2_deletes_ike(m))
		v2_adopt_reserved(sa->reserved_by);
	/* It has our earlier responses, or it would not ask again. */
	ike_child_use_all(sa);
	switch (m->header->exchange) {
	case EXCHANGE_IKE_AUTH:
		v2_auth_request(sa, m);
		break;
	case EXCHANGE_CREATE_CHILD_SA:
		v2_create_child_request(sa, m);
		break;
	case EXCHANGE_INFORMATIONAL:
		v2_informational_request(sa, m);
		break;
	}
}

static void on_response(struct ike_sa *sa, const struct v2_message *m)
{
	ike_window_answered(sa);
	if (m->payloads->unknown_critical ||
	    ike_payloads_check(m->payloads, m->header->exchange, true, NULL)) {
		senseless_response(sa, m);
		return;
	}
	if (sa->state != IKE_SA_DELETING && refuses_syntax(m)) {
		fatal_answer(sa, IKE_ERROR_PEER_REFUSED, ike_notify_name(NOTIFY_INVALID_SYNTAX));
		return;
	}
	switch (m->header->exchange) {
	case EXCHANGE_IKE_AUTH:
		v2_auth_response(sa, m);
		break;
	case EXCHANGE_CREATE_CHILD_SA:
		v2_create_child_response(sa, m);
		break;
	case EXCHANGE_INFORMATIONAL:
		v2_informational_response(sa, m);
		break;
	}
	ike_tunnel_touch(sa->tunnel);
}

void v2_create_child_request(struct ike_sa *sa, const struct v2_message *m)
{
	struct wire body = ike_payload_wire(ike_payload_find(m->payloads, PAYLOAD_SA));
	struct ike_offer first;

	if (ike_offer_next(&body, &first) > 0 && first.protocol == PROTOCOL_IKE)
		v2_rekey_request(sa, m);
	else
		v2_child_request(sa, m);
}

void v2_create_child_response(struct ike_sa *sa, const struct v2_message *m)
{
	if (sa->exchange.kind == IKE_TASK_REKEY_IKE)
		v2_rekey_response(sa, m);
	else
		v2_child_response(sa, m);
}

/* A message whose place in the window is right: open it, and on. */
static void open_and_dispatch(struct ike_sa *sa, struct v2_message *m, bool request)
{
	struct ike_engine *e = sa->engine;
	struct ike_reassembly *r = &sa->reassembly[!request];
	const struct ike_payload *last;
	struct ike_payloads clear, inner;
	struct wire payloads;
	uint8_t first;
	int opened;

	memcpy(e->in, m->bytes, m->len);
	if (ike_payloads_parse(wire_of(e->in + IKE_HEADER_BYTES, m->len - IKE_HEADER_BYTES),
		m->header->next_payload, &clear)) {
		e->counters.malformed++;
		return;
	}
	last = clear.count ? &clear.list[clear.count - 1] : NULL;
	opened = ike_message_open(sa, m->header, e->in, m->len, &clear, &payloads, &first);
	if (opened == -EBADMSG) {
		e->counters.bad_icv++;
		return;
	}
	if (opened == 0)
		return; /* more fragments are to come */
	if (request && last->type == PAYLOAD_SKF)
		memcpy(m->digest, r->digest, sizeof(m->digest));
	ike_reassembly_reset(r);
	m->payloads = &inner;
	ike_sa_heard(sa);
	if (opened < 0 || ike_payloads_parse(payloads, first, &inner) ||
	    ike_payload_find(&inner, PAYLOAD_SK) || ike_payload_find(&inner, PAYLOAD_SKF)) {
		if (request)
			v2_syntax_error(sa, m);
		else
			senseless_response(sa, m);
		return;
	}
	if (sa->state >= IKE_SA_ESTABLISHED)
		ike_sa_moved(sa, m->local, m->remote);
	if (request)
		on_request(sa, m);
	else
		on_response(sa, m);
}

/*
 * A request that was answered already, when its sender cuts it otherwise than before because the response is
 * missing: the first piece, and no other one, asks for the response (RFC 7383 2.5.2, 2.6.1).
 */
static bool is_cut_anew(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_engine *e = sa->engine;
	struct ike_payloads clear;

	if (secret_equal(sa->window.answered, m->digest, IKE_MESSAGE_DIGEST))
		return false;
	memcpy(e->in, m->bytes, m->len);
	return !ike_payloads_parse(wire_of(e->in + IKE_HEADER_BYTES, m->len - IKE_HEADER_BYTES),
		   m->header->next_payload, &clear) &&
	    ike_message_is_first_fragment(sa, e->in, &clear);
}

static void on_init_message(struct ike_engine *e, struct ike_sa *sa, struct v2_message *m)
{
	struct ike_payloads payloads;

	m->payloads = &payloads;
	if (ike_payloads_parse(wire_of(m->bytes + IKE_HEADER_BYTES, m->len - IKE_HEADER_BYTES),
		m->header->next_payload, &payloads) ||
	    (sa &&
		(payloads.unknown_critical ||
		    ike_payloads_check(&payloads, EXCHANGE_IKE_SA_INIT, true, NULL)))) {
		e->counters.malformed++;
		return;
	}
	if (sa) {
		v2_init_response(sa, m);
	} else {
		ike_message_digest(m->bytes, m->len, m->digest);
		v2_init_request(e, m);
	}
}

void v2_receive(struct ike_engine *e, const struct ike_header *h, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len)
{
	struct v2_message m = {
	    .header = h, .local = local, .remote = remote, .bytes = bytes, .len = len};
	struct ike_sa *sa;

	if (h->exchange == EXCHANGE_IKE_SA_INIT && h->spi_r == 0 && h->message_id == 0 &&
	    (h->flags & (IKE_FLAG_RESPONSE | IKE_FLAG_INITIATOR)) == IKE_FLAG_INITIATOR) {
		on_init_message(e, NULL, &m);
		return;
	}
	sa = find_sa(e, h);
	if (!sa) {
		e->counters.unknown_spi++;
		return;
	}
	if (!may_come(sa, h)) {
		e->counters.unexpected++;
		return;
	}
	switch (ike_window_judge(&sa->window, h)) {
	case IKE_WINDOW_STRAY:
		e->counters.unexpected++;
		break;
	case IKE_WINDOW_REPEATED:
		ike_message_digest(bytes, len, m.digest);
		if (is_cut_anew(sa, &m))
			memcpy(m.digest, sa->window.answered, sizeof(m.digest));
		ike_window_repeat(sa, m.digest, local, remote);
		break;
	case IKE_WINDOW_REQUEST:
		ike_message_digest(bytes, len, m.digest);
		open_and_dispatch(sa, &m, true);
		break;
	case IKE_WINDOW_RESPONSE:
		if (sa->state == IKE_SA_INIT_SENT)
			on_init_message(e, sa, &m);
		else
			open_and_dispatch(sa, &m, false);
		break;
	}
}
