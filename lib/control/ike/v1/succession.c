/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE SAs of a tunnel that follow each other. IKEv1 renews an IKE SA by a whole new phase 1 beside the old one;
 * Child SAs know nothing of it: they move to the new SA, and they outlive an SA that has no successor. An SA
 * that is over but has Child SAs left waits as "replaced" for one to hand them to.
 */

#include "ike/v1/v1.h"

#define OURS_S   3  /* before we delete the SA that ours replaced */
#define PEERS_S  8  /* for the peer to delete the SA that its own replaced */
#define UNSURE_S 30 /* to hear of the peer that it has the SA that ours replaced */
#define HOLD_S   10 /* between two looks at an SA that waits for its successor */

struct ike_sa *v1_successor(const struct ike_sa *sa)
{
	struct ike_sa *other, *best = NULL;

	list_for (other, &sa->tunnel->sas, tunnel_node)
		if (other != sa && other->driver == sa->driver && ike_sa_is_up(other))
			best = other;
	return best;
}

static void hand_over(struct ike_sa *from, struct ike_sa *to)
{
	struct ike_child_sa *c, *next;
	struct ike_task *task, *following;

	list_for_safe (c, next, &from->children, node) {
		int64_t wait = v1_quick_retry_ns(c, to->engine->now);

		ike_child_move(c, to);
		if (c->state == IKE_CHILD_REKEYING)
			ike_child_rekey_later(c, wait < DUR_S(HOLD_S) ? wait : DUR_S(HOLD_S));
	}
	list_for_safe (task, following, &from->tasks, node) {
		if (task->kind == IKE_TASK_REKEY_IKE || task->kind == IKE_TASK_DELETE_IKE ||
		    task->kind == IKE_TASK_PROBE)
			continue;
		list_remove(&task->node);
		list_append(&to->tasks, &task->node);
	}
	v1_goodbye_move(from, to);
	ike_tunnel_touch(to->tunnel);
}

void v1_gather_children(struct ike_sa *sa)
{
	struct ike_sa *other;

	list_for (other, &sa->tunnel->sas, tunnel_node)
		if (other != sa && other->driver == sa->driver)
			hand_over(other, sa);
}

/* Was `other` already up when `sa` was begun? */
static bool is_older(const struct ike_sa *other, const struct ike_sa *sa)
{
	return mono_before(other->proven, sa->begun);
}

/* What is under way on it may end; then it goes. */
static void retire(struct ike_sa *sa, uint32_t seconds)
{
	ike_sa_set_state(sa, IKE_SA_REPLACED);
	ike_sa_guard(sa, seconds);
}

void v1_succeed(struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;
	struct ike_sa *other, *next;

	list_for_safe (other, next, &t->sas, tunnel_node) {
		if (other == sa || other->driver != sa->driver)
			continue;
		if (other->state == IKE_SA_REPLACED) {
			hand_over(other, sa);
		} else if (other->state == IKE_SA_ESTABLISHED && is_older(other, sa)) {
			t->rekeys++;
			hand_over(other, sa);
			retire(other, sa->initiator ? OURS_S : PEERS_S);
			ike_tunnel_log(t, LOG_INFO, "IKE SA %016llx replaces %016llx",
			    (unsigned long long)ike_sa_our_spi(sa),
			    (unsigned long long)ike_sa_our_spi(other));
		}
	}
}

static bool is_recent(const struct ike_sa *sa)
{
	return mono_diff(sa->established, sa->engine->now) < DUR_S(UNSURE_S);
}

/*
 * The peer says that it knows no other SA. In aggressive mode it may have said so too early: one that we have for a moment
 * came about over there a moment later, would stay, and carry what goes nowhere. It is told of its end.
 */
void v1_contradict(struct ike_sa *sa)
{
	const struct ike_child_sa *c;
	struct ike_sa *other;

	list_for (other, &sa->tunnel->sas, tunnel_node) {
		if (other == sa || other->driver != sa->driver ||
		    other->state != IKE_SA_ESTABLISHED || !is_older(other, sa) || !is_recent(other))
			continue;
		list_for (c, &other->children, node)
			v1_send_delete_child(other, c->info.spi_in);
		v1_send_delete_ike(other);
	}
}

/* Whatever was there before the peer began this SA is unknown to it. */
void v1_initial_contact(struct ike_sa *sa)
{
	struct ike_sa *other, *next;
	struct ike_child_sa *c, *following;

	list_for_safe (other, next, &sa->tunnel->sas, tunnel_node)
		if (other != sa && other->driver == sa->driver && mono_is_set(other->proven) &&
		    is_older(other, sa))
			ike_sa_kill(other, IKE_ERROR_NONE);
	list_for_safe (c, following, &sa->children, node)
		if (mono_before(c->made, sa->begun))
			ike_child_kill(c);
}

/* Both began a new one at the same time, and each kept the other's: what was replaced is all that is left. */
static struct ike_sa *revive(const struct ike_sa *gone)
{
	struct ike_sa *sa, *best = NULL;

	list_for (sa, &gone->tunnel->sas, tunnel_node)
		if (sa != gone && sa->driver == gone->driver && sa->state == IKE_SA_REPLACED &&
		    !sa->v1->ended)
			best = sa;
	if (!best)
		return NULL;
	ike_sa_set_state(best, IKE_SA_ESTABLISHED);
	ike_sa_rekey_later(best, DUR_S(HOLD_S));
	ike_liveness_start(best);
	return best;
}

void v1_ike_end(struct ike_sa *sa, bool tell, enum ike_error_code reason)
{
	struct ike_sa *next = v1_successor(sa);

	sa->v1->ended = true;
	if (tell)
		v1_send_delete_ike(sa);
	v1_quick_abandon(sa);
	if (!next && reason == IKE_ERROR_PEER_DELETED)
		next = revive(sa);
	if (next)
		hand_over(sa, next);
	sa->end_reason = reason;
	if (sa->state == IKE_SA_ESTABLISHED && (next || !list_is_empty(&sa->children))) {
		/* What the peer's quick modes need to end can still come, and be repeated. */
		retire(sa, next ? OURS_S : HOLD_S);
	} else if (list_is_empty(&sa->children)) {
		v1_quick_drop(sa, next);
		ike_sa_kill(sa, reason);
	} else {
		ike_sa_guard(sa, HOLD_S);
	}
}

/* Does the peer have it? It says so soon, where it can. */
static bool is_unsure(const struct ike_sa *sa)
{
	return sa->v1->last && is_recent(sa);
}

bool v1_lapse(struct ike_sa *sa)
{
	bool replaced = sa->state == IKE_SA_REPLACED;
	struct ike_sa *next;

	if (!replaced && sa->state != IKE_SA_ESTABLISHED)
		return false;
	next = v1_successor(sa);
	if (!replaced && !next)
		ike_tunnel_error(
		    sa->tunnel, IKE_ERROR_LIFETIME_EXPIRED, "ike.lifetime", NULL, NULL);
	if (replaced && !next && !list_is_empty(&sa->children)) {
		/* The peer may not have got the delete: it still takes this SA for good and makes no other. */
		if (sa->v1->ended)
			v1_send_delete_ike(sa);
		ike_sa_guard(sa, HOLD_S);
	} else if (replaced && (!list_is_empty(&sa->v1->quicks) || (next && is_unsure(next)))) {
		ike_sa_guard(sa, OURS_S);
	} else {
		v1_ike_end(sa, next != NULL || !replaced, IKE_ERROR_LIFETIME_EXPIRED);
	}
	return true;
}
