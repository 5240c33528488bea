/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Retransmission and the window of one request (RFC 7296 2.1 - 2.4).
 *
 * A request goes out again after half a second, then after waits that grow by the factor 1.4 up to half
 * a minute, each with 10 % of jitter; after 14 times (two minutes) it is given up. Where DPD sets a
 * deadline, the waits stay short enough to try several times before it.
 */

#include "ike/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/sa.h"

#define FIRST_WAIT_MS     500
#define LONGEST_WAIT_MS   30000
#define TRIES_MAX         14
#define TRIES_MAX_AUTH    10 /* half a minute: by then the responder has dropped its half-open SA */
#define TRIES_MAX_CLOSING 8  /* nobody waits for the answer to a delete */

static void retransmit(struct timer *timer, struct mono now);

void ike_message_digest(const uint8_t *bytes, size_t len, uint8_t out[IKE_MESSAGE_DIGEST])
{
	struct ike_span all = {bytes, len};
	uint8_t digest[IKE_DIGEST_MAX];

	ike_hash(AUTH_SHA256, &all, 1, digest);
	memcpy(out, digest, IKE_MESSAGE_DIGEST);
}

struct ike_packet *ike_packet_new(size_t len)
{
	struct ike_packet *p = xmalloc(sizeof(*p) + len);

	p->len = len;
	return p;
}

void ike_packet_send(struct ike_engine *e, const struct ike_packet *p,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	size_t at = 0;

	while (at < p->len) {
		struct wire w = wire_of(p->bytes + at, p->len - at);
		uint32_t len;

		wire_skip(&w, 24);
		len = wire_u32(&w);
		ike_engine_send(e, local, remote, p->bytes + at, len);
		at += len;
	}
}

void ike_window_init(struct ike_window *w)
{
	*w = (struct ike_window){.timer.fn = retransmit};
}

void ike_window_fini(struct ike_sa *sa)
{
	timer_cancel(&sa->engine->timers, &sa->window.timer);
	free(sa->window.request);
	free(sa->window.response);
	sa->window.request = NULL;
	sa->window.response = NULL;
}

enum ike_window_verdict ike_window_judge(const struct ike_window *w, const struct ike_header *h)
{
	if (h->flags & IKE_FLAG_RESPONSE)
		return w->request && h->message_id == w->next_id && h->exchange == w->exchange
		    ? IKE_WINDOW_RESPONSE
		    : IKE_WINDOW_STRAY;
	if (h->message_id == w->expected_id)
		return IKE_WINDOW_REQUEST;
	if (w->response && h->message_id == w->expected_id - 1)
		return IKE_WINDOW_REPEATED;
	return IKE_WINDOW_STRAY;
}

static int64_t wait_ns(struct ike_sa *sa)
{
	int64_t wait = DUR_MS(FIRST_WAIT_MS), longest = DUR_MS(LONGEST_WAIT_MS);
	int64_t patience = ike_sa_patience(sa);

	if (patience > 0 && longest > patience / 8)
		longest = patience / 8 > DUR_S(1) ? patience / 8 : DUR_S(1);
	for (unsigned i = 1; i < sa->window.tries && wait < longest; i++)
		wait = wait / 5 * 7;
	if (wait > longest)
		wait = longest;
	return ike_engine_jitter(sa->engine, wait / 10 * 9, wait / 10 * 11);
}

static void transmit(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;
	struct ike_window *w = &sa->window;
	int64_t patience = ike_sa_patience(sa);
	struct mono due;

	w->tries++;
	ike_packet_send(e, w->request, &sa->local, &sa->remote);
	due = mono_add(e->now, wait_ns(sa));
	if (patience > 0) {
		struct mono deadline = mono_add(w->first_sent, patience);

		/* Be there when the peer's time is over, not at the next round. */
		if (mono_before(e->now, deadline) && mono_before(deadline, due))
			due = deadline;
	}
	timer_arm(&e->timers, &w->timer, due);
}

static unsigned tries_max(const struct ike_sa *sa)
{
	switch (sa->state) {
	case IKE_SA_AUTH_SENT:
		return TRIES_MAX_AUTH;
	case IKE_SA_DELETING:
		return TRIES_MAX_CLOSING;
	default:
		return TRIES_MAX;
	}
}

static void retransmit(struct timer *timer, struct mono now)
{
	struct ike_sa *sa = container_of(timer, struct ike_sa, window.timer);

	if (sa->window.tries >= tries_max(sa) || ike_sa_is_silent(sa)) {
		ike_sa_unanswered(sa);
		return;
	}
	sa->engine->counters.retransmits++;
	ike_sa_waiting(sa);
	if (sa->driver->before_resend)
		sa->driver->before_resend(sa);
	transmit(sa);
}

void ike_window_send(struct ike_sa *sa, uint8_t exchange, struct ike_packet *request)
{
	struct ike_window *w = &sa->window;

	w->request = request;
	w->exchange = exchange;
	w->tries = 0;
	w->first_sent = sa->engine->now;
	transmit(sa);
}

void ike_window_replace(struct ike_sa *sa, struct ike_packet *request)
{
	free(sa->window.request);
	ike_window_send(sa, sa->window.exchange, request);
}

void ike_window_answered(struct ike_sa *sa)
{
	timer_cancel(&sa->engine->timers, &sa->window.timer);
	free(sa->window.request);
	sa->window.request = NULL;
	sa->window.next_id++;
}

void ike_window_abandon(struct ike_sa *sa)
{
	if (ike_window_busy(&sa->window))
		ike_window_answered(sa);
}

void ike_window_respond(struct ike_sa *sa, const uint8_t digest[IKE_MESSAGE_DIGEST],
    struct ike_packet *response, const struct ike_endpoint *local,
    const struct ike_endpoint *remote)
{
	struct ike_window *w = &sa->window;

	free(w->response);
	w->response = response;
	memcpy(w->answered, digest, IKE_MESSAGE_DIGEST);
	w->expected_id++;
	ike_packet_send(sa->engine, response, local, remote);
}

void ike_window_repeat(struct ike_sa *sa, const uint8_t digest[IKE_MESSAGE_DIGEST],
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct ike_window *w = &sa->window;

	if (!secret_equal(w->answered, digest, IKE_MESSAGE_DIGEST)) {
		sa->engine->counters.unexpected++;
		return;
	}
	sa->engine->counters.replays_answered++;
	ike_packet_send(sa->engine, w->response, local, remote);
}
