/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The state machine of a connection (RFC 4271 8.2.2): state x event -> state, and nothing else. What
 * entering a state does is in session.c. A peer has two such machines: one for the connection we make,
 * which is Connect or Active while there is none, and one for the peer's, which begins when it comes.
 */

#include "bgp/engine.h"

/* A message that does not belong here (RFC 6608); the type goes with it. */
static struct bgp_error unexpected(const struct bgp_session *s, enum bgp_event event)
{
	uint8_t subcode = s->state == BGP_OPENSENT ? BGP_FSM_OPENSENT
	    : s->state == BGP_OPENCONFIRM          ? BGP_FSM_OPENCONFIRM
						   : BGP_FSM_ESTABLISHED;
	uint8_t type = event == BGP_EV_OPEN ? BGP_OPEN
	    : event == BGP_EV_UPDATE        ? BGP_UPDATE
	    : event == BGP_EV_KEEPALIVE     ? BGP_KEEPALIVE
					    : BGP_ROUTE_REFRESH;

	return bgp_error_u8(BGP_ERR_FSM, subcode, type);
}

static const char *words(enum bgp_event event)
{
	static const char *const text[] = {
	    [BGP_EV_START] = "start",
	    [BGP_EV_STOP] = "stop",
	    [BGP_EV_RETRY] = "connect retry timer expired",
	    [BGP_EV_HOLD] = "hold timer expired",
	    [BGP_EV_KEEPALIVE_DUE] = "keepalive timer expired",
	    [BGP_EV_CONNECTED] = "connected",
	    [BGP_EV_CLOSED] = "connection closed",
	    [BGP_EV_OPEN] = "OPEN received",
	    [BGP_EV_ERROR] = "error in a message",
	    [BGP_EV_COLLISION] = "connection collision",
	    [BGP_EV_NOTIFICATION] = "NOTIFICATION received",
	    [BGP_EV_KEEPALIVE] = "KEEPALIVE received",
	    [BGP_EV_UPDATE] = "UPDATE received",
	    [BGP_EV_REFRESH] = "ROUTE-REFRESH received",
	    [BGP_EV_SEND_HOLD] = "send hold timer expired",
	};
	return text[event];
}

/* What goes to Idle from any state with a connection, and the NOTIFICATION it takes along. */
static bool ends(const struct bgp_session *s, enum bgp_event event, const struct bgp_error *error,
    struct bgp_error *notify)
{
	switch (event) {
	case BGP_EV_HOLD:
		*notify = bgp_error_of(BGP_ERR_HOLD, 0);
		return true;
	case BGP_EV_SEND_HOLD:
		*notify = bgp_error_of(BGP_ERR_SEND_HOLD, 0);
		return true;
	case BGP_EV_COLLISION:
		*notify = bgp_error_of(BGP_ERR_CEASE, BGP_CEASE_COLLISION);
		return true;
	case BGP_EV_STOP:
	case BGP_EV_ERROR:
		if (error)
			*notify = *error;
		return true;
	case BGP_EV_NOTIFICATION:
		return true;
	case BGP_EV_OPEN:
	case BGP_EV_UPDATE:
	case BGP_EV_KEEPALIVE:
	case BGP_EV_REFRESH:
		*notify = unexpected(s, event);
		return true;
	default:
		return false;
	}
}

void bgp_fsm(struct bgp_session *s, enum bgp_event event, const struct bgp_error *error)
{
	enum bgp_state next = s->state;
	struct bgp_error notify = {0};
	struct bgp_transition t = {.event = event, .why = words(event)};
	bool enter = true;

	switch (s->state) {
	case BGP_IDLE:
		if (event == BGP_EV_START)
			next = s->peer->config.passive ? BGP_ACTIVE : BGP_CONNECT;
		else if (event == BGP_EV_CONNECTED && s->incoming)
			next = BGP_OPENSENT;
		else
			enter = false;
		break;
	case BGP_CONNECT:
	case BGP_ACTIVE:
		if (event == BGP_EV_RETRY)
			next = BGP_CONNECT;
		else if (event == BGP_EV_CONNECTED && s->state == BGP_CONNECT)
			next = BGP_OPENSENT;
		else if (event == BGP_EV_CLOSED)
			next = BGP_ACTIVE;
		else if (event == BGP_EV_STOP || event == BGP_EV_COLLISION)
			next = BGP_IDLE;
		else
			enter = false;
		break;
	case BGP_OPENSENT:
		if (event == BGP_EV_OPEN)
			next = BGP_OPENCONFIRM;
		else if (event == BGP_EV_CLOSED)
			next = s->incoming ? BGP_IDLE : BGP_ACTIVE;
		else if (ends(s, event, error, &notify))
			next = BGP_IDLE;
		else
			enter = false;
		break;
	case BGP_OPENCONFIRM:
		if (event == BGP_EV_KEEPALIVE)
			next = BGP_ESTABLISHED;
		else if (event == BGP_EV_CLOSED || ends(s, event, error, &notify))
			next = BGP_IDLE;
		else
			enter = false;
		break;
	case BGP_ESTABLISHED:
		if (event == BGP_EV_KEEPALIVE || event == BGP_EV_UPDATE || event == BGP_EV_REFRESH)
			enter = false;
		else if (event == BGP_EV_CLOSED || ends(s, event, error, &notify))
			next = BGP_IDLE;
		else
			enter = false;
		break;
	}
	t.notify = notify.code ? &notify : NULL;
	if (enter)
		bgp_enter(s, next, &t);
	else if (event == BGP_EV_KEEPALIVE_DUE && s->state >= BGP_OPENCONFIRM)
		bgp_send_keepalive(s, false);
}
