/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Informational exchanges behind phase 1 (RFC 2409 5.7): one protected message that nobody answers. Deletes,
 * errors about a quick mode, lifetimes, INITIAL-CONTACT, DPD.
 */

#include "ike/v1/v1.h"

static void send_protected(struct ike_sa *sa, struct ike_chain *c)
{
	uint32_t message_id = v1_new_message_id(sa);

	v1_chain_hash_end(sa, c, message_id, (struct ike_span){NULL, 0});
	v1_send_first(sa, EXCHANGE_V1_INFORMATIONAL, message_id, c);
}

void v1_send_notify(
    struct ike_sa *sa, uint8_t protocol, struct ike_span spi, uint16_t type, struct ike_span data)
{
	struct ike_chain c = v1_chain(sa->engine);

	v1_chain_hash_begin(sa, &c);
	v1_chain_notify(&c, protocol, spi, type, data);
	send_protected(sa, &c);
}

void v1_answer_notify(
    struct ike_sa *sa, const struct v1_message *m, uint8_t protocol, uint16_t type)
{
	struct ike_chain c = v1_chain(sa->engine);
	struct ike_span nothing = {NULL, 0};
	uint32_t message_id = v1_new_message_id(sa);
	uint8_t iv[V1_IV_MAX];

	v1_chain_hash_begin(sa, &c);
	v1_chain_notify(&c, protocol, nothing, type, nothing);
	v1_chain_hash_end(sa, &c, message_id, nothing);
	v1_iv_later(&sa->v1->keys, sa->v1->iv, message_id, iv);
	v1_answer(sa, m, v1_seal(sa, EXCHANGE_V1_INFORMATIONAL, message_id, iv, &c));
}

void v1_send_rest(struct ike_sa *sa, bool first_contact)
{
	struct ike_chain c = v1_chain(sa->engine);
	size_t nothing;

	v1_chain_hash_begin(sa, &c);
	nothing = wirebuf_len(&c.buf);
	if (first_contact)
		v1_put_initial_contact(sa, &c);
	v1_put_responder_lifetime(sa, &c);
	if (wirebuf_len(&c.buf) == nothing)
		return;
	send_protected(sa, &c);
}

void v1_send_delete_child(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_chain c = v1_chain(sa->engine);
	uint8_t spi[4];

	v1_chain_hash_begin(sa, &c);
	v1_chain_delete(&c, V1_PROTOCOL_ESP, v1_spi_span(spi, spi_in));
	send_protected(sa, &c);
}

void v1_send_delete_ike(struct ike_sa *sa)
{
	struct ike_chain c = v1_chain(sa->engine);
	uint8_t spi[16];

	v1_chain_hash_begin(sa, &c);
	v1_chain_delete(&c, V1_PROTOCOL_ISAKMP, v1_cookies(sa, spi));
	send_protected(sa, &c);
}

/* ---- what the peer says ---- */

/* A tunnel that waits for traffic goes back to waiting. */
static void peer_ended(struct ike_tunnel *t)
{
	if (t->config.start == IKE_START_ON_DEMAND)
		t->wanted = false;
}

static void delete_child(struct ike_sa *sa, uint32_t spi_out)
{
	struct ike_child_sa *c = v1_child_find_out(sa->tunnel, spi_out);
	struct ike_tunnel *t = sa->tunnel;
	struct ike_slot *slot;

	if (!c)
		return;
	slot = c->slot;
	ike_child_drain(c);
	v1_child_fall_back(t, c);
	if (!ike_child_of_slot(t, slot)) {
		peer_ended(t);
		t->down_reason = IKE_ERROR_PEER_DELETED;
		ike_slot_emptied(t, slot);
	}
}

/* True when it is about this IKE SA itself. */
static bool on_delete(struct ike_sa *sa, const struct ike_payload *p)
{
	struct v1_delete d;
	bool self = false;

	if (v1_delete_parse(p, &d)) {
		sa->engine->counters.malformed++;
		return false;
	}
	for (unsigned i = 0; i < d.count; i++) {
		if (d.protocol == V1_PROTOCOL_ESP && d.spi_len == 4) {
			delete_child(sa, wire_u32(&d.spis));
		} else if (d.protocol == V1_PROTOCOL_ISAKMP && d.spi_len == 16) {
			uint64_t spi_i = wire_u64(&d.spis);
			uint64_t spi_r = wire_u64(&d.spis);

			self |= spi_i == sa->spi_i && spi_r == sa->spi_r;
		} else {
			wire_skip(&d.spis, d.spi_len);
		}
	}
	return self;
}

/* An error is about our quick mode when one is under way: nothing else of ours can be refused. */
static void on_error(struct ike_sa *sa, const struct v1_notify *n)
{
	enum ike_task_kind kind = sa->exchange.kind;

	if (ike_window_busy(&sa->window) &&
	    (kind == IKE_TASK_CREATE_CHILD || kind == IKE_TASK_REKEY_CHILD)) {
		v1_quick_refused(sa, n->type);
		return;
	}
	ike_tunnel_log(sa->tunnel, LOG_INFO, "the peer sent %s", v1_notify_name(n->type));
}

static void on_notify(struct ike_sa *sa, const struct v1_message *m, const struct ike_payload *p)
{
	struct v1_notify n;

	if (v1_notify_parse(p, &n)) {
		sa->engine->counters.malformed++;
		return;
	}
	switch (n.type) {
	case V1_NOTIFY_R_U_THERE:
		v1_on_r_u_there(sa, m, &n);
		break;
	case V1_NOTIFY_R_U_THERE_ACK:
		v1_on_ack(sa, &n);
		break;
	case V1_NOTIFY_INITIAL_CONTACT:
		v1_initial_contact(sa);
		break;
	case V1_NOTIFY_RESPONDER_LIFETIME:
		v1_on_responder_lifetime(sa, &n);
		break;
	default:
		/* CONNECTED answers a commit bit that we did not wait for. */
		if (n.type <= V1_NOTIFY_ERROR_LAST)
			on_error(sa, &n);
	}
}

/* Deletes of Child SAs before that of their IKE SA, whatever the order in the message. */
void v1_informational(struct ike_sa *sa, struct v1_message *m)
{
	bool ended = false;

	if (!v1_open_first(sa, m, V1_MESSAGE_INFORMATIONAL))
		return;
	/* An answer to DPD remembers by itself; e->in is still needed until then. */
	for (unsigned i = 0; i < m->p.list.count; i++) {
		const struct ike_payload *p = &m->p.list.list[i];

		if (p->type == V1_PAYLOAD_NOTIFY)
			on_notify(sa, m, p);
		else if (p->type == V1_PAYLOAD_DELETE)
			ended |= on_delete(sa, p);
	}
	v1_remember(sa, m, NULL);
	if (ended)
		v1_ike_end(sa, false, IKE_ERROR_PEER_DELETED);
}

void v1_refuse_exchange(struct ike_sa *sa, struct v1_message *m)
{
	if (!v1_open_first(sa, m, V1_MESSAGE_INFORMATIONAL))
		return;
	v1_remember(sa, m, NULL);
	v1_send_notify(sa, V1_PROTOCOL_ISAKMP, (struct ike_span){NULL, 0},
	    V1_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE, (struct ike_span){NULL, 0});
	ike_tunnel_error(sa->tunnel, IKE_ERROR_PEER_REFUSED, "ike", "pre-shared key alone",
	    ike_exchange_name(m->header->exchange));
}
