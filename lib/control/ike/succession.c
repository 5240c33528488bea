/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which IKE SA of a tunnel stays: a new one beside older ones, and one that takes over from another by rekey.
 *
 * When both sides begin at the same time, two IKE SAs come up. Of SAs that overlapped while they were made,
 * the one with the lowest of the four nonces goes, deleted by who made it, as RFC 7296 2.8.1 rules it
 * for rekeys: both sides choose alike without a word. An SA that was there before is asked whether its
 * peer lives; INITIAL_CONTACT says that it does not (2.4).
 */

#include "ike/child.h"
#include "ike/sa.h"

#define SAS_PER_TUNNEL_MAX 8 /* a peer that keeps making more loses the oldest */

/* Was `other` already up when `sa` was begun? */
static bool is_older(const struct ike_sa *other, const struct ike_sa *sa)
{
	return mono_before(other->proven, sa->begun);
}

/* What has no right to live beside the new one; NULL when there is nothing more. */
static struct ike_sa *next_victim(struct ike_sa *sa, bool initial_contact)
{
	struct ike_sa *other, *oldest = NULL;
	unsigned count = 0;

	list_for (other, &sa->tunnel->sas, tunnel_node) {
		if (other == sa)
			continue;
		/* Our own attempt has become pointless, or the peer says that it knows no other SA. */
		if (other->state == IKE_SA_INIT_SENT ||
		    (initial_contact && other->state == IKE_SA_ESTABLISHED && is_older(other, sa)))
			return other;
		if (other->state == IKE_SA_ESTABLISHED) {
			oldest = oldest ? oldest : other;
			count++;
		}
	}
	return count >= SAS_PER_TUNNEL_MAX ? oldest : NULL;
}

static void settle_with(struct ike_sa *sa, struct ike_sa *other)
{
	struct ike_sa *loser = ike_tie_loses(&sa->tie, &other->tie) ? sa : other;

	if (is_older(other, sa))
		ike_task_add(other, IKE_TASK_PROBE, 0, NULL);
	else if (loser->tie.ours)
		ike_task_add(loser, IKE_TASK_DELETE_IKE, 0, NULL);
}

void ike_sa_established(struct ike_sa *sa, bool initial_contact)
{
	struct ike_tunnel *t = sa->tunnel;
	struct ike_sa *other, *victim;

	ike_sa_set_state(sa, IKE_SA_ESTABLISHED);
	ike_sa_start_clocks(sa);
	sa->proven = sa->engine->now;
	sa->engine->counters.ike_established++;
	t->established++;
	t->attempts = 0;
	while ((victim = next_victim(sa, initial_contact)))
		ike_sa_kill(victim, IKE_ERROR_NONE);
	list_for (other, &t->sas, tunnel_node)
		if (other != sa && other->state == IKE_SA_ESTABLISHED)
			settle_with(sa, other);
	ike_tunnel_log(t, LOG_INFO, "IKE SA %016llx established as %s",
	    (unsigned long long)ike_sa_our_spi(sa), sa->initiator ? "initiator" : "responder");
}

void ike_sa_supersede(struct ike_sa *sa)
{
	struct ike_sa *other;

	list_for (other, &sa->tunnel->sas, tunnel_node)
		if (other != sa && other->leaving && ike_sa_is_up(other))
			ike_task_add(other, IKE_TASK_DELETE_IKE, 0, NULL);
}

void ike_sa_inherit(struct ike_sa *next, struct ike_sa *old)
{
	struct ike_child_sa *c, *following;
	struct ike_task *task, *after;

	if (ike_task_pending(old, IKE_TASK_DELETE_IKE, 0, NULL))
		ike_task_add(next, IKE_TASK_DELETE_IKE, 0, NULL);
	next->tie = old->tie;
	next->begun = old->begun;
	next->proven = old->proven;
	list_for_safe (c, following, &old->children, node)
		ike_child_move(c, next);
	list_for_safe (task, after, &old->tasks, node) {
		if (task->kind == IKE_TASK_REKEY_IKE || task->kind == IKE_TASK_DELETE_IKE)
			continue;
		list_remove(&task->node);
		list_append(&next->tasks, &task->node);
	}
	next->tunnel->rekeys++;
	ike_tunnel_touch(next->tunnel);
	ike_tunnel_log(next->tunnel, LOG_INFO, "IKE SA %016llx replaces %016llx",
	    (unsigned long long)ike_sa_our_spi(next), (unsigned long long)ike_sa_our_spi(old));
}
