/* SPDX-License-Identifier: BSD-3-Clause */

/* Messages become events. UPDATEs go on to update.c once the state machine has let them. */

#include "bgp/engine.h"

#define COST_SMALL 16 /* of the slice, for a message without prefixes */

static void on_open(struct bgp_session *s, struct wire body)
{
	const struct bgp_peer *peer = s->peer;
	const struct bgp_open_rules rules = {
	    .local_as = peer->config.local_as,
	    .remote_as = peer->config.remote_as,
	    .local_id = peer->engine->config.router_id,
	    .families = peer->config.families,
	    .role = (uint8_t)peer->config.role,
	    .role_strict = peer->config.role_strict,
	};
	struct bgp_error error;
	struct bgp_open theirs;

	s->peer->counters.opens_in++;
	if (s->state != BGP_OPENSENT) {
		bgp_fsm(s, BGP_EV_OPEN, NULL);
	} else if (!bgp_open_parse(body, &rules, &theirs, &error)) {
		bgp_fsm(s, BGP_EV_ERROR, &error);
	} else {
		s->theirs = theirs;
		if (bgp_collide(s))
			bgp_fsm(s, BGP_EV_OPEN, NULL);
	}
}

/* Notes what it says; an old peer may dislike our capabilities, then we do without (RFC 5492 3). */
static void on_notification(struct bgp_session *s, struct wire body)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_notification n;

	peer->counters.notifications_in++;
	if (!bgp_notification_parse(body, &n))
		return;
	peer->end.by = BGP_END_RECEIVED;
	peer->end.code = n.code;
	peer->end.subcode = n.subcode;
	peer->ended_hard = n.hard;
	bgp_shutdown_text(&n, peer->end.text, sizeof(peer->end.text));
	if (n.code == BGP_ERR_OPEN && n.subcode == BGP_OPEN_PARAMETER &&
	    peer->config.families & BGP_FAMILY_BIT(BGP_IPV4))
		peer->plain_open = true;
	bgp_fsm(s, BGP_EV_NOTIFICATION, NULL);
}

static uint32_t on_update(struct bgp_session *s, struct wire body)
{
	struct bgp_error error;
	uint32_t cost = 0;

	s->peer->counters.updates_in++;
	if (s->state != BGP_ESTABLISHED) {
		bgp_fsm(s, BGP_EV_UPDATE, NULL);
		return COST_SMALL;
	}
	if (!bgp_update_receive(s, body, &error, &cost))
		bgp_fsm(s, BGP_EV_ERROR, &error);
	return cost + COST_SMALL;
}

static void on_refresh(struct bgp_session *s, struct wire whole)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_refresh r;
	struct bgp_error error;

	peer->counters.refreshes_in++;
	if (s->state != BGP_ESTABLISHED) {
		bgp_fsm(s, BGP_EV_REFRESH, NULL);
		return;
	}
	if (!bgp_refresh_parse(whole, &r, &error)) {
		bgp_fsm(s, BGP_EV_ERROR, &error);
		return;
	}
	if (r.family < 0 || !(s->attrs.families & BGP_FAMILY_BIT(r.family)))
		return;
	if (r.kind == BGP_REFRESH_REQUEST)
		bgp_out_feed(peer, r.family, true);
	else if (s->enhanced_refresh)
		bgp_graceful_refresh(peer, r.family, r.kind);
}

uint32_t bgp_receive_message(
    struct bgp_session *s, const struct bgp_header *header, const uint8_t *bytes)
{
	struct wire whole = wire_of(bytes, header->len), body = whole;

	wire_skip(&body, BGP_HEADER_BYTES);
	s->heard = s->peer->engine->now;
	switch (header->type) {
	case BGP_OPEN:
		on_open(s, body);
		break;
	case BGP_UPDATE:
		return on_update(s, body);
	case BGP_NOTIFICATION:
		on_notification(s, body);
		break;
	case BGP_KEEPALIVE:
		s->peer->counters.keepalives_in++;
		bgp_fsm(s, BGP_EV_KEEPALIVE, NULL);
		break;
	case BGP_ROUTE_REFRESH:
		on_refresh(s, whole);
		break;
	}
	return COST_SMALL;
}
