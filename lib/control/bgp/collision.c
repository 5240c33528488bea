/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two connections to one peer (RFC 4271 6.8): both sides compare the same identifiers, and keep the one
 * that the higher one initiated. Equal identifiers are told apart by the AS (RFC 6286 2.3).
 */

#include "bgp/engine.h"

/*
 * A session so young may have been made while the peer, still in OpenConfirm, prefers the other one: then
 * both sides compare, and do not close each other's (RFC 4271 6.8, CollisionDetectEstablishedState).
 */
#define YOUNG_NS DUR_S(3)

static bool ours_is_higher(const struct bgp_session *s)
{
	const struct bgp_engine *e = s->peer->engine;

	if (e->config.router_id != s->theirs.id)
		return e->config.router_id > s->theirs.id;
	return s->peer->config.local_as > s->peer->config.remote_as;
}

static bool is_young(const struct bgp_peer *peer)
{
	return mono_diff(peer->since, peer->engine->now) <= YOUNG_NS;
}

bool bgp_was_superseded(const struct bgp_session *s)
{
	const struct bgp_peer *peer = s->peer;

	return peer->session[!s->incoming].state >= BGP_OPENSENT ||
	    (peer->crossed && is_young(peer));
}

/*
 * A restart that we did not see (RFC 4724 5). There is no second place for a connection of the peer's in which to wait for
 * its OPEN, and it had no reason to connect while the first one stood.
 */
void bgp_make_way(struct bgp_peer *peer)
{
	struct bgp_session *s = &peer->session[1];

	if (s->state == BGP_ESTABLISHED && !is_young(peer) && bgp_graceful_families(s))
		bgp_fsm(s, BGP_EV_CLOSED, NULL);
}

bool bgp_collide(struct bgp_session *s)
{
	struct bgp_session *other = bgp_session_other(s), *lost;

	if (other->state < BGP_OPENCONFIRM)
		return true;
	if (other->state == BGP_ESTABLISHED && !is_young(s->peer)) {
		/* A peer that restarts comes back before we noticed (RFC 4724 5). */
		if (other->theirs.graceful_restart && other->ours.graceful_restart) {
			bgp_fsm(other, BGP_EV_CLOSED, NULL);
			return true;
		}
		bgp_fsm(s, BGP_EV_COLLISION, NULL);
		return false;
	}
	/* The connection that the lower side made goes. */
	lost = s->incoming == ours_is_higher(s) ? s : other;
	bgp_fsm(lost, BGP_EV_COLLISION, NULL);
	return lost != s;
}
