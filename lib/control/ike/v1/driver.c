/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKEv1 as a driver: which exchange does which task, and when a task has become pointless.
 */

#include "ike/v1/v1.h"

#define UNPROVEN_MS    500
#define SILENT_TRIES   4
#define UNWANTED_TRIES 100 /* more than any message is sent */
#define REAUTH_MIN_S   15  /* before another phase 1 is tried beside an SA that lives */
#define REAUTH_MAX_S   60

static void rekey_child(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child_sa *c = ike_child_find(sa, spi_in);

	if (!c || c->state != IKE_CHILD_INSTALLED)
		return;
	/* Not before the IKE SA that it waits for; nor before the peer, by having got our answer, knows it. */
	if (c->outbound && ike_sa_is_up(sa))
		v1_quick_begin(sa, c->slot, c);
	else
		ike_child_rekey_later(c, DUR_MS(UNPROVEN_MS));
}

static void create_child(struct ike_sa *sa, struct ike_slot *slot)
{
	if (ike_sa_is_up(sa) && !ike_child_of_slot(sa->tunnel, slot))
		v1_quick_begin(sa, slot, NULL);
}

static bool is_coming(const struct ike_tunnel *t)
{
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node)
		if (sa->state == IKE_SA_INIT_SENT || sa->state == IKE_SA_AUTH_SENT)
			return true;
	return false;
}

/* A new phase 1 beside what there is, which stays until the new one is proven. */
static void begin_beside(struct ike_tunnel *t)
{
	if (!ip_is_any(&t->config.remote) && !is_coming(t))
		v1_initiate(t);
}

static void renew(struct ike_sa *sa)
{
	if (!ike_sa_is_up(sa))
		return;
	ike_sa_rekey_later(
	    sa, ike_engine_jitter(sa->engine, DUR_S(REAUTH_MIN_S), DUR_S(REAUTH_MAX_S)));
	begin_beside(sa->tunnel);
}

static void run_task(struct ike_sa *sa, const struct ike_task *task)
{
	switch (task->kind) {
	case IKE_TASK_DELETE_IKE:
		if (ike_sa_is_up(sa))
			v1_ike_end(sa, true, sa->end_reason);
		break;
	case IKE_TASK_DELETE_CHILD:
		v1_child_delete(sa, task->spi_in);
		break;
	case IKE_TASK_CREATE_CHILD:
		create_child(sa, task->slot);
		break;
	case IKE_TASK_REKEY_CHILD:
		rekey_child(sa, task->spi_in);
		break;
	case IKE_TASK_REKEY_IKE:
		renew(sa);
		break;
	case IKE_TASK_PROBE:
		if (ike_sa_is_up(sa))
			v1_probe(sa);
		break;
	case IKE_TASK_REFUSE:
	case IKE_TASK_DISOWN_CHILD:
	case IKE_TASK_NONE:
		break;
	}
}

/* The peer learns of each Child SA that goes with the tunnel: the delete of the IKE SA does not say it. */
static void farewell(struct ike_sa *sa)
{
	const struct ike_child_sa *c;

	list_for (c, &sa->children, node)
		if (c->state < IKE_CHILD_DRAINING)
			v1_send_delete_child(sa, c->info.spi_in);
	if (sa->state == IKE_SA_REPLACED)
		v1_send_delete_ike(sa);
}

/* The peer answers on another SA: it has ended this one, and the delete was lost. Its Child SAs live on there. */
static bool is_dropped(const struct ike_sa *sa)
{
	const struct ike_sa *other = v1_successor(sa);

	return other && !mono_before(other->heard, sa->window.first_sent);
}

/* A quick mode that nobody answered does not mean that nobody is there. */
static bool give_up(struct ike_sa *sa)
{
	enum ike_task_kind kind = sa->exchange.kind;

	if (sa->state == IKE_SA_REPLACED) {
		v1_quick_abandon(sa);
		return true;
	}
	if (!ike_sa_is_up(sa))
		return false;
	if (mono_before(sa->heard, mono_add(sa->window.first_sent, 1))) {
		if (!is_dropped(sa))
			return false;
		v1_ike_end(sa, true, IKE_ERROR_PEER_DEAD);
		return true;
	}
	if (kind == IKE_TASK_CREATE_CHILD || kind == IKE_TASK_REKEY_CHILD) {
		v1_quick_unanswered(sa);
	} else {
		ike_window_answered(sa);
		ike_exchange_clear(sa);
	}
	return true;
}

/* A peer that has lost the IKE SA says nothing to what comes on it, and its ESP goes on. */
static bool is_unheard(const struct ike_sa *sa)
{
	return sa->state == IKE_SA_ESTABLISHED && sa->exchange.kind == IKE_TASK_REKEY_CHILD &&
	    mono_before(sa->heard, sa->window.first_sent);
}

static void before_resend(struct ike_sa *sa)
{
	char id[IKE_ID_TEXT_MAX];

	if (sa->window.tries == SILENT_TRIES && is_unheard(sa))
		begin_beside(sa->tunnel);
	/* It answered all that came before. */
	if (sa->state == IKE_SA_AUTH_SENT && sa->window.tries == SILENT_TRIES)
		v1_hint(sa, IKE_ERROR_AUTHENTICATION_FAILED, "psk, local-id, remote-id",
		    ike_id_text(&sa->tunnel->config.local_id, id), "silent when we prove the key");
	/* Another group may be to the peer's liking: this attempt need not last. */
	if (sa->v1->step == V1_AM1_SENT && sa->setup->hint == IKE_ERROR_PROPOSAL_MISMATCH &&
	    sa->window.tries >= SILENT_TRIES && sa->tunnel->config.ike.dh_count > 1)
		sa->window.tries = UNWANTED_TRIES;
	if (sa->v1->last && !sa->v1->confirmed)
		ike_packet_send(sa->engine, sa->v1->last, &sa->local, &sa->remote);
	if (sa->state == IKE_SA_ESTABLISHED && sa->exchange.kind == IKE_TASK_PROBE)
		v1_probe_again(sa);
	v1_exchange_repeat(sa);
}

const struct ike_driver ike_v1_driver = {
    .version = IKE_V1,
    .initiate = v1_initiate,
    .run_task = run_task,
    .stop = v1_state_stop,
    .release = v1_state_free,
    .farewell = farewell,
    .give_up = give_up,
    .before_resend = before_resend,
    .lapse = v1_lapse,
    .linger = v1_child_linger,
};
