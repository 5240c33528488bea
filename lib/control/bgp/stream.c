/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Bytes <-> messages. Complete messages are read where they lie; only one that is cut off is kept. What
 * the transport does not take is kept too, and nothing more is written before that is gone: a peer that
 * does not read costs one buffer, until the send hold timer ends the session (RFC 9687).
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bgp/engine.h"

void bgp_stream_clear(struct bgp_session *s)
{
	free(s->in);
	free(s->out);
	s->in = s->out = NULL;
	s->in_len = s->in_room = s->out_at = s->out_len = s->out_room = 0;
}

/* ---- out ---- */

static void arm_send_hold(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;
	uint16_t configured_s = s->peer->config.send_hold_s;
	int64_t wait = 2 * DUR_S(s->hold_s), least;

	least = DUR_S(configured_s ? configured_s : BGP_SEND_HOLD_S);
	if (wait < least)
		wait = least;
	timer_arm(&e->timers, &s->send_hold, mono_add(e->now, wait));
}

static size_t push(struct bgp_session *s, const uint8_t *bytes, size_t len)
{
	struct bgp_engine *e = s->peer->engine;
	size_t taken = e->ops->send(e->ctx, s->conn, bytes, len);

	s->peer->counters.bytes_out += taken;
	return taken;
}

static void keep_out(struct bgp_session *s, const uint8_t *bytes, size_t len)
{
	if (s->out_len + len > s->out_room) {
		s->out_room = (uint32_t)(s->out_len + len);
		s->out = xrealloc(s->out, s->out_room);
	}
	memcpy(s->out + s->out_len, bytes, len);
	s->out_len += (uint32_t)len;
}

bool bgp_send(struct bgp_session *s, const uint8_t *bytes, size_t len)
{
	size_t taken;

	if (!s->connected || bgp_send_blocked(s))
		return false;
	taken = push(s, bytes, len);
	if (taken < len) {
		keep_out(s, bytes + taken, len - taken);
		arm_send_hold(s);
	}
	return true;
}

/* Pushes what waits; the send hold timer runs from the last progress. */
static void push_out(struct bgp_session *s)
{
	struct bgp_engine *e = s->peer->engine;
	size_t taken = push(s, s->out + s->out_at, s->out_len - s->out_at);

	s->out_at += (uint32_t)taken;
	if (bgp_send_blocked(s)) {
		if (taken)
			arm_send_hold(s);
		return;
	}
	timer_cancel(&e->timers, &s->send_hold);
	free(s->out);
	s->out = NULL;
	s->out_at = s->out_len = s->out_room = 0;
	bgp_ready(s->peer);
}

void bgp_writable(struct bgp_engine *e, struct mono now, bgp_conn conn)
{
	struct bgp_session *s = bgp_session_of(e, conn);

	e->now = now;
	if (s && bgp_send_blocked(s))
		push_out(s);
}

/* Whatever waits; the caller sees to it that this is rare. What waits goes first. */
void bgp_send_anyway(struct bgp_session *s, const uint8_t *bytes, size_t len)
{
	if (bgp_send(s, bytes, len))
		return;
	keep_out(s, bytes, len);
	push_out(s);
}

void bgp_send_open(struct bgp_session *s)
{
	const struct bgp_peer *peer = s->peer;
	const struct bgp_peer_config *c = &peer->config;
	const struct bgp_engine *e = peer->engine;
	bool plain = peer->plain_open;
	uint8_t bytes[BGP_MESSAGE_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));

	s->ours = (struct bgp_open){.as = c->local_as,
	    .id = e->config.router_id,
	    .hold_s = c->hold_s,
	    .has_capabilities = !plain,
	    .families = plain ? BGP_FAMILY_BIT(BGP_IPV4) : c->families,
	    .as4 = !plain,
	    .refresh = !plain && c->route_refresh,
	    .enhanced_refresh = !plain && c->route_refresh,
	    .extended_messages = !plain && c->extended_messages,
	    .role = plain ? BGP_ROLE_NONE : (uint8_t)c->role};
	if (!plain && c->graceful_restart) {
		s->ours.graceful_restart = s->ours.notification_restart = true;
		s->ours.restarting = bgp_graceful_is_back(s->peer);
		s->ours.restart_s = e->config.restart_s;
		s->ours.restart_families = c->families;
		s->ours.forwarding_families = e->config.forwarding_kept ? c->families : 0;
	}
	bgp_open_write(&b, &s->ours);
	s->peer->counters.opens_out++;
	bgp_send(s, bytes, wirebuf_len(&b));
}

/* When the transport is behind, the peer has unread bytes, which are as good; but not the first time. */
void bgp_send_keepalive(struct bgp_session *s, bool first)
{
	uint8_t bytes[BGP_HEADER_BYTES];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));

	bgp_message_end(&b, bgp_message_begin(&b, BGP_KEEPALIVE));
	if (first)
		bgp_send_anyway(s, bytes, sizeof(bytes));
	else if (!bgp_send(s, bytes, sizeof(bytes)))
		return;
	s->peer->counters.keepalives_out++;
}

void bgp_send_notification(struct bgp_session *s, const struct bgp_error *error)
{
	uint8_t bytes[BGP_MESSAGE_MAX], room[BGP_MESSAGE_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	struct bgp_error hard;

	if (bgp_graceful_is_hard(s, error) && error->subcode != BGP_CEASE_HARD_RESET) {
		hard = bgp_error_hard(error, room);
		error = &hard;
	}
	bgp_notification_write(&b, error);
	s->peer->counters.notifications_out++;
	bgp_send_anyway(s, bytes, wirebuf_len(&b));
}

bool bgp_send_refresh(struct bgp_session *s, enum bgp_family family, enum bgp_refresh_kind kind)
{
	uint8_t bytes[BGP_HEADER_BYTES + 4];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));

	bgp_refresh_write(&b, family, kind);
	if (!bgp_send(s, bytes, wirebuf_len(&b)))
		return false;
	s->peer->counters.refreshes_out++;
	return true;
}

/* ---- in ---- */

static void keep_in(struct bgp_session *s, const uint8_t *bytes, size_t len, size_t whole)
{
	if (whole > s->in_room) {
		s->in_room = (uint32_t)whole;
		s->in = xrealloc(s->in, s->in_room);
	}
	memcpy(s->in + s->in_len, bytes, len);
	s->in_len += (uint32_t)len;
}

/* Takes from the bytes what the kept message lacks up to `whole`. True when it has that much. */
static bool fill_in(struct bgp_session *s, const uint8_t **bytes, size_t *len, size_t whole)
{
	size_t lacks = whole - s->in_len, n = *len < lacks ? *len : lacks;

	if (s->in_len < whole && n > 0) {
		keep_in(s, *bytes, n, whole);
		*bytes += n;
		*len -= n;
	}
	return s->in_len >= whole;
}

/* The header, or the error of it handed to the state machine. */
static bool check(struct bgp_session *s, const uint8_t *bytes, struct bgp_header *header)
{
	struct bgp_error error;

	if (bgp_header_parse(bytes, s->message_max, header, &error))
		return true;
	bgp_fsm(s, BGP_EV_ERROR, &error);
	return false;
}

/* The first bytes of a message lie in s->in. */
static uint32_t take_kept(struct bgp_session *s, const uint8_t **bytes, size_t *len)
{
	struct bgp_header header;
	uint8_t *whole;
	uint32_t cost;

	if (!fill_in(s, bytes, len, BGP_HEADER_BYTES) || !check(s, s->in, &header) ||
	    !fill_in(s, bytes, len, header.len))
		return 0;
	whole = s->in; /* the session may end meanwhile, and its buffers with it */
	s->in = NULL;
	s->in_len = s->in_room = 0;
	cost = bgp_receive_message(s, &header, whole);
	free(whole);
	return cost;
}

/* One message, in place when it is whole. */
static uint32_t take(struct bgp_session *s, const uint8_t **bytes, size_t *len)
{
	struct bgp_header header;
	const uint8_t *at = *bytes;

	if (s->in_len > 0)
		return take_kept(s, bytes, len);
	if (*len >= BGP_HEADER_BYTES) {
		if (!check(s, at, &header))
			return 0;
		if (header.len <= *len) {
			*bytes += header.len;
			*len -= header.len;
			return bgp_receive_message(s, &header, at);
		}
	}
	keep_in(s, at, *len, *len > BGP_MESSAGE_MAX ? *len : BGP_MESSAGE_MAX);
	*len = 0;
	return 0;
}

size_t bgp_received(
    struct bgp_engine *e, struct mono now, bgp_conn conn, const uint8_t *bytes, size_t len)
{
	struct bgp_session *s = bgp_session_of(e, conn);
	uint32_t budget = e->config.slice;
	size_t left = len;

	e->now = now;
	if (!s || s->state < BGP_OPENSENT)
		return len;
	s->peer->counters.bytes_in += len;
	while (left > 0) {
		uint32_t cost = take(s, &bytes, &left);

		if (s->conn != conn) /* ended meanwhile */
			return len;
		if (cost >= budget)
			break;
		budget -= cost;
	}
	s->peer->counters.bytes_in -= left;
	return len - left;
}
