/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * INFORMATIONAL (RFC 7296 1.4): delete of Child SAs and of the IKE SA, errors behind the fact, and the empty
 * message that asks whether the peer lives.
 *
 * Each side deletes its inbound SPIs; the answer to a delete lists the SPIs of the other direction, unless
 * both deletes crossed on the way (1.4.1).
 */

#include "ike/v2/v2.h"

#define DELETES_MAX 256 /* SPIs answered in one message */
#define LINGER_S    10  /* to answer a repeated delete of the IKE SA */

/* ---- requests of ours ---- */

static void begin(struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in)
{
	sa->exchange = (struct ike_exchange){.kind = kind, .spi_in = spi_in};
}

void v2_probe(struct ike_sa *sa)
{
	struct ike_chain c = v2_chain(sa->engine);

	begin(sa, IKE_TASK_PROBE, 0);
	v2_request(sa, EXCHANGE_INFORMATIONAL, &c);
}

void v2_delete_ike(struct ike_sa *sa)
{
	struct ike_chain c = v2_chain(sa->engine);
	struct ike_child_sa *child;

	/* Out of use first; what the peer still sends is taken until it answers. */
	list_for (child, &sa->children, node)
		if (child->outbound)
			ike_child_retire(child);
	if (sa->reserved) {
		/* The peer may think that it took over already. */
		ike_task_add(sa->reserved, IKE_TASK_DELETE_IKE, 0, NULL);
		v2_adopt_reserved(sa);
	}
	ike_lifetime_stop(sa);
	ike_task_drop_all(sa);
	ike_sa_set_state(sa, IKE_SA_DELETING);
	begin(sa, IKE_TASK_DELETE_IKE, 0);
	ike_chain_delete_ike(&c);
	v2_request(sa, EXCHANGE_INFORMATIONAL, &c);
}

void v2_refuse(struct ike_sa *sa)
{
	struct ike_chain c = v2_chain(sa->engine);

	ike_sa_set_state(sa, IKE_SA_DELETING);
	begin(sa, IKE_TASK_REFUSE, 0);
	ike_chain_notify(&c, NOTIFY_AUTHENTICATION_FAILED, NULL, 0);
	v2_request(sa, EXCHANGE_INFORMATIONAL, &c);
}

void v2_delete_child(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child_sa *child = ike_child_find(sa, spi_in);
	struct ike_chain c = v2_chain(sa->engine);

	if (!child)
		return;
	if (child->state != IKE_CHILD_DELETING) {
		ike_child_retire(child);
		ike_child_set_state(child, IKE_CHILD_DELETING);
	}
	begin(sa, IKE_TASK_DELETE_CHILD, spi_in);
	ike_chain_delete_children(&c, &spi_in, 1);
	v2_request(sa, EXCHANGE_INFORMATIONAL, &c);
}

void v2_disown_child(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_chain c = v2_chain(sa->engine);

	begin(sa, IKE_TASK_DISOWN_CHILD, spi_in);
	ike_chain_delete_children(&c, &spi_in, 1);
	v2_request(sa, EXCHANGE_INFORMATIONAL, &c);
}

void v2_informational_response(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_exchange x = sa->exchange;
	struct ike_child_sa *child;

	ike_exchange_clear(sa);
	switch (x.kind) {
	case IKE_TASK_DELETE_IKE:
	case IKE_TASK_REFUSE:
		ike_sa_close_children(sa);
		ike_sa_kill(sa, sa->end_reason);
		break;
	case IKE_TASK_DELETE_CHILD:
		child = ike_child_find(sa, x.spi_in);
		if (child)
			ike_child_drain(child);
		break;
	default:
		break;
	}
}

/* ---- requests of the peer ---- */

/* A tunnel that waits for traffic goes back to waiting. */
static void peer_ended(struct ike_tunnel *t)
{
	if (t->config.start == IKE_START_ON_DEMAND)
		t->wanted = false;
}

/* True when our SPI belongs into the answer. */
static bool delete_child(struct ike_sa *sa, uint32_t spi_out, uint32_t *spi_in)
{
	struct ike_child_sa *c = ike_child_find_out(sa, spi_out);
	struct ike_tunnel *t = sa->tunnel;
	struct ike_slot *slot;
	bool crossing;

	if (!c) {
		/* Its delete has overtaken the response that makes it. */
		sa->exchange.gone[sa->exchange.gone_count++ % IKE_GONE_MAX] = spi_out;
		return false;
	}
	slot = c->slot;
	/* Ours waits, or is under way: then it says the same. */
	crossing = c->state == IKE_CHILD_DELETING;
	*spi_in = c->info.spi_in;
	ike_child_drain(c);
	if (!ike_child_of_slot(t, slot)) {
		peer_ended(t);
		t->down_reason = IKE_ERROR_PEER_DELETED;
		ike_slot_emptied(t, slot);
	}
	return !crossing;
}

static void delete_children(struct ike_sa *sa, const struct v2_message *m, struct ike_chain *c)
{
	uint32_t spis[DELETES_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < m->payloads->count; i++) {
		struct ike_delete d;

		if (m->payloads->list[i].type != PAYLOAD_DELETE ||
		    ike_delete_parse(&m->payloads->list[i], &d) || d.protocol != PROTOCOL_ESP)
			continue;
		while (wire_left(&d.spis) > 0 && count < DELETES_MAX)
			if (delete_child(sa, wire_u32(&d.spis), &spis[count]))
				count++;
	}
	if (count > 0)
		ike_chain_delete_children(c, spis, count);
}

bool v2_deletes_ike(const struct v2_message *m)
{
	struct ike_delete d;

	for (unsigned i = 0; i < m->payloads->count; i++)
		if (m->payloads->list[i].type == PAYLOAD_DELETE &&
		    !ike_delete_parse(&m->payloads->list[i], &d) && d.protocol == PROTOCOL_IKE)
			return true;
	return false;
}

static bool is_malformed(const struct v2_message *m)
{
	struct ike_delete d;

	for (unsigned i = 0; i < m->payloads->count; i++)
		if (m->payloads->list[i].type == PAYLOAD_DELETE &&
		    ike_delete_parse(&m->payloads->list[i], &d))
			return true;
	return false;
}

/* The peer has ended the IKE SA. It stays for a while to answer repetitions. */
static void ended(struct ike_sa *sa, enum ike_error_code reason)
{
	struct ike_tunnel *t = sa->tunnel;
	bool replaced = sa->state == IKE_SA_REPLACED;

	if (sa->reserved)
		v2_adopt_reserved(sa);
	sa->end_reason = reason;
	ike_sa_close_children(sa);
	if (sa->state == IKE_SA_DELETING || sa->engine->shutting_down) {
		ike_sa_kill(sa, reason);
		return;
	}
	replaced |= sa->state == IKE_SA_REPLACED;
	ike_window_abandon(sa);
	ike_exchange_clear(sa);
	ike_task_drop_all(sa);
	ike_sa_set_state(sa, IKE_SA_DELETING);
	ike_sa_guard(sa, LINGER_S);
	if (!replaced && t->state == IKE_TUNNEL_UP && !ike_tunnel_has_sa(t))
		peer_ended(t);
}

void v2_informational_request(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_chain c;
	struct ike_notify n;

	if (is_malformed(m)) {
		v2_syntax_error(sa, m);
		return;
	}
	c = v2_chain(sa->engine);
	if (!v2_deletes_ike(m))
		delete_children(sa, m, &c);
	v2_reply(sa, m, &c);
	if (v2_deletes_ike(m)) {
		ended(sa, IKE_ERROR_PEER_DELETED);
	} else if (ike_notify_error(m->payloads, &n) &&
	    (n.type == NOTIFY_AUTHENTICATION_FAILED || n.type == NOTIFY_INVALID_SYNTAX)) {
		ike_tunnel_error(sa->tunnel,
		    n.type == NOTIFY_INVALID_SYNTAX ? IKE_ERROR_PEER_REFUSED
						    : IKE_ERROR_AUTHENTICATION_FAILED,
		    "", NULL, ike_notify_name(n.type));
		ended(sa, IKE_ERROR_AUTHENTICATION_FAILED);
	}
}
