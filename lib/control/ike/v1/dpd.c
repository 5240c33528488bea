/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Dead peer detection (RFC 3706): R-U-THERE and its acknowledgement, both protected, with a sequence number that
 * guards against replays. When a question comes again unanswered it has a new message ID but the same number;
 * ours counts up at each answer.
 */

#include <stdlib.h>

#include "ike/v1/v1.h"

#define WINDOW 1000 /* numbers that a peer may have left out */

static struct ike_span number(uint8_t out[4], uint32_t v)
{
	return v1_spi_span(out, v);
}

static struct ike_chain build(
    struct ike_sa *sa, uint16_t type, uint32_t sequence, uint32_t message_id)
{
	struct ike_chain c = v1_chain(sa->engine);
	uint8_t spi[16], data[4];

	v1_chain_hash_begin(sa, &c);
	v1_chain_notify(&c, V1_PROTOCOL_ISAKMP, v1_cookies(sa, spi), type, number(data, sequence));
	v1_chain_hash_end(sa, &c, message_id, (struct ike_span){NULL, 0});
	return c;
}

static struct ike_packet *acknowledgement(struct ike_sa *sa, uint32_t sequence)
{
	uint32_t message_id = v1_new_message_id(sa);
	struct ike_chain c = build(sa, V1_NOTIFY_R_U_THERE_ACK, sequence, message_id);
	uint8_t iv[V1_IV_MAX];

	v1_iv_later(&sa->v1->keys, sa->v1->iv, message_id, iv);
	return v1_seal(sa, EXCHANGE_V1_INFORMATIONAL, message_id, iv, &c);
}

void v1_probe(struct ike_sa *sa)
{
	uint32_t message_id = v1_new_message_id(sa);
	struct ike_chain c;

	if (!(sa->v1->vendors & V1_VENDOR_DPD))
		return; /* the peer would not answer */
	sa->exchange = (struct ike_exchange){.kind = IKE_TASK_PROBE};
	c = build(sa, V1_NOTIFY_R_U_THERE, sa->v1->dpd_sent, message_id);
	v1_exchange_send(sa, EXCHANGE_V1_INFORMATIONAL, message_id, &c);
}

void v1_probe_again(struct ike_sa *sa)
{
	uint32_t message_id = v1_new_message_id(sa);
	struct ike_chain c = build(sa, V1_NOTIFY_R_U_THERE, sa->v1->dpd_sent, message_id);

	v1_exchange_replace(sa, message_id, &c);
}

/* The cookies of the SA and four bytes. */
static bool read_sequence(const struct v1_notify *n, uint32_t *out)
{
	struct wire w = wire_of(n->data.bytes, n->data.len);

	*out = wire_u32(&w);
	return wire_done(&w);
}

void v1_on_r_u_there(struct ike_sa *sa, const struct v1_message *m, const struct v1_notify *n)
{
	struct v1_state *v = sa->v1;
	uint32_t sequence;

	if (!read_sequence(n, &sequence) ||
	    (v->dpd_any && (int32_t)(sequence - v->dpd_heard) < 0) ||
	    (v->dpd_any && sequence - v->dpd_heard > WINDOW)) {
		sa->engine->counters.unexpected++;
		return;
	}
	v->dpd_any = true;
	v->dpd_heard = sequence;
	v1_answer(sa, m, acknowledgement(sa, sequence));
}

void v1_on_ack(struct ike_sa *sa, const struct v1_notify *n)
{
	uint32_t sequence;

	if (!read_sequence(n, &sequence) || !ike_window_busy(&sa->window) ||
	    sa->exchange.kind != IKE_TASK_PROBE || sequence != sa->v1->dpd_sent) {
		sa->engine->counters.unexpected++;
		return;
	}
	sa->v1->dpd_sent++;
	ike_window_answered(sa);
	ike_exchange_clear(sa);
	ike_tunnel_touch(sa->tunnel);
}
