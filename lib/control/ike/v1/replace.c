/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which Child SA of the same selectors stays. IKEv1 has no word for rekeying: each quick mode for selectors that
 * have an SA already makes one that takes its place.
 *
 * Who began the new one deletes what it knew of when it began. When both sides began at the same time neither knew
 * of the other's: then the one with the lowest of the four nonces goes (as RFC 7296 2.8.1 has it), deleted by
 * who made it. A peer of other make does not know that rule; what it leaves behind goes after a minute.
 *
 * After three or more at once the sides may not agree: each has replaced what the other one uses. Then a delete hits
 * the SA in use; one that was replaced takes its place, the rest stays longer, and a new one settles it.
 *
 * Until the loser's delete comes the other side sends on it: that delete is said several times (goodbye.c).
 *
 * A delete has no answer. What was deleted stays inbound for late packets, and as long as such come, the delete
 * is said again.
 */

#include "ike/v1/v1.h"

#define OURS_S       3           /* before we delete what we replaced */
#define CONTESTED_S  6           /* the same, of one that lost, at the end that answered phase 1 */
#define PEERS_S      60          /* for the peer to delete what it replaced */
#define SETTLE_MIN   DUR_MS(200) /* before a new one settles what they do not agree on */
#define SETTLE_MAX   DUR_S(1)
#define LINGER_S     2
#define LINGER_MAX_S 90

static bool same_selectors(const struct ike_child_sa *a, const struct ike_child_sa *b)
{
	return a->slot == b->slot && ike_selector_eq(&a->local_ts[0], &b->local_ts[0]) &&
	    ike_selector_eq(&a->remote_ts[0], &b->remote_ts[0]);
}

static void supersede(struct ike_child_sa *c, uint8_t seconds)
{
	c->replaced_s = seconds;
	ike_child_set_state(c, IKE_CHILD_REPLACED);
}

/*
 * Three at once may leave each end with one of its own that has lost, and that is in use over there. They must not go at the
 * same time: the delete of the first makes the other end fall back on what it has kept.
 */
static void contest(struct ike_child_sa *c)
{
	c->contested = true;
	supersede(c, c->sa->initiator ? OURS_S : CONTESTED_S);
}

/* `c` is new, `s` was there. */
static void settle_with(struct ike_child_sa *c, struct ike_child_sa *s, bool ours, bool known)
{
	bool loses = ike_tie_loses(&s->tie, &c->tie);

	if (ours && known) {
		supersede(s, OURS_S);
	} else if (ours && !loses) {
		contest(c);
	} else if (!ours && s->tie.ours && loses) {
		contest(s);
	} else {
		supersede(s, PEERS_S);
	}
}

static bool is_in_force(const struct ike_child_sa *c)
{
	return c->state == IKE_CHILD_INSTALLED || c->state == IKE_CHILD_REKEYING;
}

void v1_child_settle(struct ike_child_sa *c, bool ours, uint64_t uses)
{
	const struct ike_tunnel *t = c->sa->tunnel;
	struct ike_child_sa *s;
	struct ike_sa *sa;
	bool first = true;

	ike_child_use(c);
	list_for (sa, &t->sas, tunnel_node) {
		list_for (s, &sa->children, node) {
			first &= s == c || !same_selectors(s, c);
			if (s == c || !is_in_force(s) || !is_in_force(c) || !same_selectors(s, c))
				continue;
			/* One that waits for the peer to show that it has it is the newer one. */
			if (s->outbound)
				settle_with(c, s, ours, s->use && s->use <= uses);
		}
	}
	if (first)
		ike_rehearsal_begin(c);
}

/* The latest of those that were replaced; NULL when there is none, or when one is in force. */
static struct ike_child_sa *latest_replaced(struct ike_tunnel *t, const struct ike_child_sa *gone)
{
	struct ike_child_sa *c, *best = NULL;
	struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node) {
		list_for (c, &sa->children, node) {
			if (c == gone || !same_selectors(c, gone))
				continue;
			if (is_in_force(c))
				return NULL;
			if (c->state == IKE_CHILD_REPLACED && c->outbound &&
			    (!best || c->use > best->use))
				best = c;
		}
	}
	return best;
}

/* What else was replaced must not go before that is settled. */
static void keep_replaced(struct ike_tunnel *t, const struct ike_child_sa *like)
{
	struct ike_child_sa *c;
	struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node) {
		list_for (c, &sa->children, node) {
			if (c->state != IKE_CHILD_REPLACED || !same_selectors(c, like))
				continue;
			c->replaced_s = PEERS_S;
			ike_child_clock(c);
		}
	}
}

void v1_child_fall_back(struct ike_tunnel *t, const struct ike_child_sa *gone)
{
	struct ike_child_sa *best = latest_replaced(t, gone);

	if (!best)
		return;
	ike_child_set_state(best, IKE_CHILD_INSTALLED);
	ike_child_rekey_later(best, ike_engine_jitter(t->engine, SETTLE_MIN, SETTLE_MAX));
	keep_replaced(t, best);
}

struct ike_child_sa *v1_child_find(const struct ike_tunnel *t, uint32_t spi_in)
{
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node) {
		struct ike_child_sa *c = ike_child_find(sa, spi_in);

		if (c)
			return c;
	}
	return NULL;
}

struct ike_child_sa *v1_child_find_out(const struct ike_tunnel *t, uint32_t spi_out)
{
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node) {
		struct ike_child_sa *c = ike_child_find_out(sa, spi_out);

		if (c)
			return c;
	}
	return NULL;
}

void v1_child_delete(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child_sa *c = ike_child_find(sa, spi_in);

	const struct ike_slot *slot;
	bool contested;

	if (!c)
		return;
	slot = c->slot;
	contested = c->contested;
	v1_send_delete_child(sa, spi_in);
	c->said = sa->engine->now;
	ike_child_drain(c);
	v1_child_fall_back(sa->tunnel, c);
	if (contested || !ike_child_of_slot(sa->tunnel, slot))
		v1_goodbye_repeat(sa, slot, spi_in, contested);
}

bool v1_child_linger(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;
	struct ike_usage usage = {0};

	if (!mono_is_set(c->said) || !e->ops->child_usage || !ike_sa_is_up(c->sa) ||
	    mono_diff(c->drained, e->now) > DUR_S(LINGER_MAX_S))
		return false;
	e->ops->child_usage(e->ctx, c->sa->tunnel->id, c->info.spi_in, &usage);
	if (mono_before(usage.last_in, c->said))
		return false;
	v1_send_delete_child(c->sa, c->info.spi_in);
	c->said = e->now;
	timer_arm(&e->timers, &c->timer, mono_add(e->now, DUR_S(LINGER_S)));
	return true;
}
