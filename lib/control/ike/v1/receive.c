/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKEv1 messages on their way in: which SA, was it seen before, may it come now; then to the exchange it belongs
 * to, which opens it. Whatever fails before a hash has held leaves no trace but a counter.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ike/v1/v1.h"

enum cover { CLEAR, SEALED, EITHER };

static void last_of_main_again(struct ike_sa *sa, struct v1_message *m)
{
	if (sa->initiator)
		v1_main_on_6_again(sa, m);
	else
		v1_main_on_5_again(sa, m);
}

/* What may come when. */
static const struct {
	enum v1_step step;
	uint8_t exchange;
	enum cover cover;
	void (*handle)(struct ike_sa *sa, struct v1_message *m);
} whitelist[] = {
    /* step (and role), exchange, encrypted, handler */
    {V1_MM1_SENT, EXCHANGE_V1_MAIN, CLEAR, v1_main_on_2},
    {V1_MM2_SENT, EXCHANGE_V1_MAIN, CLEAR, v1_main_on_3},
    {V1_MM3_SENT, EXCHANGE_V1_MAIN, CLEAR, v1_main_on_4},
    {V1_MM4_SENT, EXCHANGE_V1_MAIN, SEALED, v1_main_on_5},
    {V1_MM5_SENT, EXCHANGE_V1_MAIN, SEALED, v1_main_on_6},
    {V1_AM1_SENT, EXCHANGE_V1_AGGRESSIVE, CLEAR, v1_aggressive_on_2},
    {V1_AM2_SENT, EXCHANGE_V1_AGGRESSIVE, EITHER, v1_aggressive_on_3},
    {V1_MM1_SENT, EXCHANGE_V1_INFORMATIONAL, CLEAR, v1_phase1_notify},
    {V1_MM3_SENT, EXCHANGE_V1_INFORMATIONAL, CLEAR, v1_phase1_notify},
    {V1_MM5_SENT, EXCHANGE_V1_INFORMATIONAL, EITHER, v1_phase1_notify},
    {V1_AM1_SENT, EXCHANGE_V1_INFORMATIONAL, CLEAR, v1_phase1_notify},
    {V1_DONE, EXCHANGE_V1_MAIN, SEALED, last_of_main_again},
    {V1_DONE, EXCHANGE_V1_AGGRESSIVE, EITHER, v1_aggressive_on_3_again},
    {V1_DONE, EXCHANGE_V1_QUICK, SEALED, v1_quick_message},
    {V1_DONE, EXCHANGE_V1_INFORMATIONAL, SEALED, v1_informational},
    {V1_DONE, EXCHANGE_V1_TRANSACTION, SEALED, v1_refuse_exchange},
    {V1_DONE, EXCHANGE_V1_NEW_GROUP, SEALED, v1_refuse_exchange},
};

/* By our cookie, with the peer's as it must be; NULL. No bit of the header tells whose message it is. */
static struct ike_sa *find_sa(struct ike_engine *e, const struct ike_header *h)
{
	struct ike_sa *sa = ike_engine_find_sa(e, h->spi_i);

	if (sa && sa->v1 && sa->initiator) {
		/* The peer's cookie is what we are about to learn. */
		if (sa->v1->step == V1_MM1_SENT || sa->v1->step == V1_AM1_SENT)
			return sa;
		return sa->spi_r == h->spi_r ? sa : NULL;
	}
	sa = ike_engine_find_sa(e, h->spi_r);
	return sa && sa->v1 && !sa->initiator && sa->spi_i == h->spi_i ? sa : NULL;
}

static struct wire body_of(const struct v1_message *m)
{
	return wire_of(m->bytes + IKE_HEADER_BYTES, m->len - IKE_HEADER_BYTES);
}

static void dispatch(struct ike_sa *sa, struct v1_message *m)
{
	const struct ike_header *h = m->header;
	bool sealed = h->flags & V1_FLAG_ENCRYPTED;

	for (size_t i = 0; i < sizeof(whitelist) / sizeof(whitelist[0]); i++) {
		if (whitelist[i].step != sa->v1->step || whitelist[i].exchange != h->exchange ||
		    (whitelist[i].cover == CLEAR && sealed) ||
		    (whitelist[i].cover == SEALED && !sealed))
			continue;
		if (!sealed && v1_payloads_parse(body_of(m), h->next_payload, false, &m->p)) {
			sa->engine->counters.malformed++;
			return;
		}
		whitelist[i].handle(sa, m);
		return;
	}
	sa->engine->counters.unexpected++;
}

static void stranger(struct ike_engine *e, const struct v1_message *m)
{
	char text[IP_TEXT_MAX];

	e->counters.unknown_peer++;
	if (log_limit(&e->strangers, e->now, NULL))
		ike_tunnel_log(NULL, LOG_INFO, "%s: no tunnel for the peer at %s",
		    ike_error_name(IKE_ERROR_PEER_UNKNOWN), ip_text(&m->remote->addr, text));
}

static bool speaks_v1(struct ike_engine *e, const struct v1_message *m)
{
	struct ike_tunnel *t = NULL;

	while ((t = ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, t)))
		if (t->config.version == IKE_V1)
			return true;
	return false;
}

/* The first message of a negotiation. */
static void begin(struct ike_engine *e, struct v1_message *m)
{
	const struct ike_header *h = m->header;

	if (e->shutting_down)
		return;
	if (!ike_tunnel_candidate(e, &m->local->addr, &m->remote->addr, NULL)) {
		stranger(e, m);
		return;
	}
	if (!speaks_v1(e, m)) {
		e->counters.unexpected++;
		v1_report_kind(e, m, IKE_V1_MAIN);
		v1_refuse_plain(e, m, 0, V1_NOTIFY_NO_PROPOSAL_CHOSEN);
		return;
	}
	if (h->flags & V1_FLAG_ENCRYPTED || h->message_id != 0 ||
	    v1_payloads_parse(body_of(m), h->next_payload, false, &m->p))
		e->counters.malformed++;
	else if (h->exchange == EXCHANGE_V1_MAIN)
		v1_main_on_1(e, m);
	else
		v1_aggressive_on_1(e, m);
}

static bool begins(const struct ike_header *h)
{
	return h->spi_r == 0 &&
	    (h->exchange == EXCHANGE_V1_MAIN || h->exchange == EXCHANGE_V1_AGGRESSIVE);
}

/* All of it but version and flags, which anybody can change without harm. */
static void digest(struct v1_message *m)
{
	struct ike_span in[3] = {{m->bytes, 17}, {m->bytes + 18, 1}, {m->bytes + 20, m->len - 20}};
	uint8_t out[IKE_DIGEST_MAX];

	ike_hash(AUTH_SHA256, in, 3, out);
	memcpy(m->digest, out, sizeof(m->digest));
}

/* A whole message, as it came or out of its fragments. */
static void take(struct ike_engine *e, struct v1_message *m)
{
	struct ike_sa *sa = find_sa(e, m->header);

	digest(m);
	if (sa) {
		if (!v1_is_repeated(sa, m))
			dispatch(sa, m);
	} else if (begins(m->header)) {
		begin(e, m);
	} else {
		e->counters.unknown_spi++;
	}
}

/* One fragment; the last one that was missing gives the message. */
static void take_fragment(struct ike_engine *e, const struct v1_message *m)
{
	struct ike_sa *sa = find_sa(e, m->header);
	struct v1_payloads p;
	struct v1_message whole = *m;
	struct ike_header header;
	uint8_t *bytes;

	/* As initiator we have said that we can; the answer that says the same may be in fragments. */
	if (!sa || (!sa->initiator && !(sa->v1->vendors & V1_VENDOR_FRAGMENTATION))) {
		e->counters.unexpected++;
		return;
	}
	if (v1_payloads_parse(body_of(m), V1_PAYLOAD_FRAGMENT, false, &p) || p.list.count != 1) {
		e->counters.malformed++;
		return;
	}
	bytes = xmalloc(V1_FRAGMENT_BYTES_MAX);
	if (v1_fragments_add(&sa->v1->fragments, ike_payload_wire(&p.list.list[0]), bytes,
		V1_FRAGMENT_BYTES_MAX, &whole.len) == 1) {
		whole.bytes = bytes;
		whole.header = &header;
		if (ike_header_parse(bytes, whole.len, &header) || header.major != IKE_MAJOR_V1 ||
		    header.next_payload == V1_PAYLOAD_FRAGMENT)
			e->counters.malformed++;
		else
			take(e, &whole);
	}
	free(bytes);
}

void v1_receive(struct ike_engine *e, const struct ike_header *h, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len)
{
	struct v1_message m = {
	    .header = h, .local = local, .remote = remote, .bytes = bytes, .len = len};

	if (h->next_payload == V1_PAYLOAD_FRAGMENT)
		take_fragment(e, &m);
	else
		take(e, &m);
}
