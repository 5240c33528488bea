/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Connections: their names, and what the transport says of them. A name is a serial number, the slot of
 * the peer and the direction; one that is no longer in use finds nothing.
 */

#include <errno.h>

#include "bgp/engine.h"

bgp_conn bgp_conn_new(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;

	s->conn = ++e->next_conn << 17 | (uint64_t)s->peer->slot << 1 | s->incoming;
	return s->conn;
}

struct bgp_session *bgp_session_of(const struct bgp_engine *e, bgp_conn conn)
{
	uint32_t slot = (uint32_t)(conn >> 1) & 0xffff;
	struct bgp_session *s;

	if (slot == 0 || slot > e->slots || !e->by_slot[slot])
		return NULL;
	s = &e->by_slot[slot]->session[conn & 1];
	return s->conn == conn ? s : NULL;
}

int bgp_conn_open(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;
	int error =
	    e->ops->connect(e->ctx, s->peer->id, bgp_conn_new(s), &s->peer->config.transport);

	if (error)
		s->conn = 0;
	return error;
}

void bgp_conn_close(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;
	bgp_conn conn = s->conn;

	s->conn = 0;
	s->connected = false;
	if (conn)
		e->ops->close(e->ctx, conn);
}

void bgp_connected(
    struct bgp_engine *e, struct mono now, bgp_conn conn, const struct ip_addr *local)
{
	struct bgp_session *s = bgp_session_of(e, conn);

	e->now = now;
	if (!s || s->state != (s->incoming ? BGP_IDLE : BGP_CONNECT))
		return;
	s->local = *local;
	bgp_fsm(s, BGP_EV_CONNECTED, NULL);
}

/* The transport knows already that the connection is gone. */
static void lost(struct bgp_engine *e, struct mono now, bgp_conn conn)
{
	struct bgp_session *s = bgp_session_of(e, conn);

	e->now = now;
	if (!s)
		return;
	s->conn = 0;
	s->connected = false;
	bgp_fsm(s, BGP_EV_CLOSED, NULL);
}

void bgp_connect_failed(struct bgp_engine *e, struct mono now, bgp_conn conn)
{
	lost(e, now, conn);
}

void bgp_closed(struct bgp_engine *e, struct mono now, bgp_conn conn)
{
	lost(e, now, conn);
}

/*
 * Idle refuses (RFC 4271 8.2.2); but a peer whose routes we keep may come back at any time. It is not met half-way:
 * to a peer that is established by then, a connection of ours would say that we have restarted (RFC 4724 5).
 */
static bool is_welcome(const struct bgp_peer *peer)
{
	if (peer->session[1].conn || !peer->wanted)
		return false;
	return bgp_peer_state(peer) != BGP_IDLE || peer->kept;
}

bgp_conn bgp_accepted(struct bgp_engine *e, struct mono now, uint32_t id)
{
	struct bgp_peer *peer = bgp_peer_of(e, id);

	e->now = now;
	if (!peer)
		return 0;
	bgp_make_way(peer);
	if (is_welcome(peer))
		return bgp_conn_new(&peer->session[1]);
	peer->counters.refused++;
	return 0;
}
