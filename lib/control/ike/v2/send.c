/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Small parts that several exchanges share: requests, replies, nonces.
 */

#include "ike/engine.h"
#include "ike/v2/v2.h"

struct ike_chain v2_chain(struct ike_engine *e)
{
	return ike_chain_of(e->out, IKE_MESSAGE_MAX);
}

void v2_request(struct ike_sa *sa, uint8_t exchange, const struct ike_chain *c)
{
	ike_window_send(sa, exchange, ike_message_seal(sa, exchange, false, sa->window.next_id, c));
}

void v2_reply(struct ike_sa *sa, const struct v2_message *m, const struct ike_chain *c)
{
	ike_window_respond(sa, m->digest,
	    ike_message_seal(sa, m->header->exchange, true, m->header->message_id, c), m->local,
	    m->remote);
}

void v2_reply_notify(
    struct ike_sa *sa, const struct v2_message *m, uint16_t notify, const void *data, size_t len)
{
	struct ike_chain c = v2_chain(sa->engine);

	ike_chain_notify(&c, notify, data, len);
	v2_reply(sa, m, &c);
}

void v2_chain_nonce(struct ike_chain *c, const uint8_t *nonce, size_t len)
{
	ike_chain_put(c, PAYLOAD_NONCE, nonce, len);
}

bool v2_nonce_read(const struct ike_payloads *p, struct ike_span *out)
{
	const struct ike_payload *nonce = ike_payload_find(p, PAYLOAD_NONCE);

	if (!nonce || nonce->len < IKE_NONCE_MIN || nonce->len > IKE_NONCE_MAX)
		return false;
	*out = ike_payload_span(nonce);
	return true;
}

enum alg_dh v2_other_group(
    const struct ike_notify *n, const struct ike_policy *policy, uint32_t tried)
{
	struct wire w = wire_of(n->data.bytes, n->data.len);
	enum alg_dh group = ike_dh_by_id(wire_u16(&w));

	if (!wire_done(&w) || group == DH_NONE || !ike_policy_has_dh(policy, group) ||
	    tried & 1u << group)
		return DH_NONE;
	return group;
}
