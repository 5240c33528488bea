/* SPDX-License-Identifier: BSD-3-Clause */

/* The engine of health checks: one session per checked tunnel, a timer each. */

#include "health/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "health/echo.h"

#define LOG "health"

struct session {
	struct health_engine *engine;
	uint32_t tunnel;
	char *name;
	struct health_config config;
	struct timer timer; /* armed unless IDLE */
	enum health_state state;
	struct mono since;      /* of the state */
	struct echo probe;      /* the last one sent */
	struct mono probe_sent; /* when */
	uint32_t missed;
	bool awaiting; /* the last probe has no answer yet */
	uint64_t sent, answered;
	int64_t rtt_ns;
	struct mono answered_at;
};

struct health_engine {
	const struct health_ops *ops;
	void *ctx;
	struct timers *timers;
	struct rng *rng;
	struct session **session; /* by tunnel; NULL: not checked */
	uint32_t capacity;
};

const char *health_state_name(enum health_state state)
{
	static const char *const names[] = {"idle", "checking", "passed", "failed"};

	return names[state];
}

/* ---- state: written here alone ---- */

static void log_change(const struct session *s, enum health_state from)
{
	char to[IP_TEXT_MAX];

	ip_text(&s->config.destination, to);
	if (s->state == HEALTH_FAILED)
		log_write(LOG_WARNING, LOG, s->name,
		    "failed: %s did not answer %u probes in a row; does the data center have a route "
		    "back to the source address through this tunnel?",
		    to, s->missed);
	else if (s->state == HEALTH_PASSED)
		log_write(LOG_NOTICE, LOG, s->name, "%s: %s answers",
		    from == HEALTH_FAILED ? "recovered" : "passed", to);
}

static void enter(struct session *s, struct mono now, enum health_state state)
{
	enum health_state from = s->state;

	if (from == state)
		return;
	s->state = state;
	s->since = now;
	log_change(s, from);
	s->engine->ops->changed(s->engine->ctx, s->tunnel, state);
}

/* ---- probes ---- */

static void probe(struct session *s, struct mono now)
{
	struct health_engine *h = s->engine;
	uint8_t packet[ECHO_PACKET_BYTES];

	s->probe.number++;
	s->probe_sent = now;
	s->awaiting = true;
	s->sent++;
	timer_arm(h->timers, &s->timer, mono_add(now, DUR_S(s->config.interval_s)));
	echo_request(&s->probe, packet);
	h->ops->send(h->ctx, s->tunnel, packet, sizeof(packet));
}

static void on_interval(struct timer *t, struct mono now)
{
	struct session *s = container_of(t, struct session, timer);

	if (s->awaiting && s->missed < UINT32_MAX)
		s->missed++;
	if (s->missed >= s->config.retries)
		enter(s, now, HEALTH_FAILED);
	probe(s, now);
}

static void start(struct session *s, struct mono now)
{
	s->missed = 0;
	s->probe = (struct echo){
	    .source = s->config.source,
	    .destination = s->config.destination,
	    .id = (uint16_t)rng_u32(s->engine->rng),
	    .nonce = rng_u64(s->engine->rng),
	};
	enter(s, now, HEALTH_CHECKING);
	probe(s, now);
}

static void stop(struct session *s, struct mono now)
{
	timer_cancel(s->engine->timers, &s->timer);
	s->awaiting = false;
	s->missed = 0;
	enter(s, now, HEALTH_IDLE);
}

/* ---- sessions ---- */

static struct session *find(const struct health_engine *h, uint32_t tunnel)
{
	return tunnel < h->capacity ? h->session[tunnel] : NULL;
}

static struct session *session_new(
    struct health_engine *h, struct mono now, uint32_t tunnel, const char *name)
{
	struct session *s = xcalloc(1, sizeof(*s));

	if (tunnel >= h->capacity) {
		uint32_t capacity = (tunnel + 64) & ~UINT32_C(63);

		h->session = xrealloc(h->session, capacity * sizeof(struct session *));
		while (h->capacity < capacity)
			h->session[h->capacity++] = NULL;
	}
	s->engine = h;
	s->tunnel = tunnel;
	s->name = xstrdup(name);
	s->timer.fn = on_interval;
	s->since = now;
	h->session[tunnel] = s;
	return s;
}

struct health_engine *health_create(
    const struct health_ops *ops, void *ctx, struct timers *timers, struct rng *rng)
{
	struct health_engine *h = xcalloc(1, sizeof(*h));

	h->ops = ops;
	h->ctx = ctx;
	h->timers = timers;
	h->rng = rng;
	return h;
}

static void session_free(struct session *s)
{
	timer_cancel(s->engine->timers, &s->timer);
	s->engine->session[s->tunnel] = NULL;
	free(s->name);
	free(s);
}

void health_free(struct health_engine *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->capacity; i++) {
		if (h->session[i])
			session_free(h->session[i]);
	}
	free(h->session);
	free(h);
}

static bool is_same(const struct health_config *a, const struct health_config *b)
{
	return ip_eq(&a->source, &b->source) && ip_eq(&a->destination, &b->destination) &&
	    a->interval_s == b->interval_s && a->retries == b->retries;
}

int health_set(struct health_engine *h, struct mono now, uint32_t tunnel, const char *name,
    const struct health_config *config)
{
	struct session *s = find(h, tunnel);

	if (config->source.family != IP_V4 || config->destination.family != IP_V4)
		return -EAFNOSUPPORT;
	if (s && is_same(&s->config, config))
		return 0;
	if (!s)
		s = session_new(h, now, tunnel, name);
	bool was_running = s->state != HEALTH_IDLE;
	s->config = *config;
	s->rtt_ns = -1;
	s->answered_at = (struct mono){0};
	if (was_running) {
		stop(s, now);
		start(s, now);
	}
	return 0;
}

void health_remove(struct health_engine *h, uint32_t tunnel)
{
	struct session *s = find(h, tunnel);

	if (s)
		session_free(s);
}

void health_sa(struct health_engine *h, struct mono now, uint32_t tunnel, bool up)
{
	struct session *s = find(h, tunnel);

	if (!s || up == (s->state != HEALTH_IDLE))
		return;
	if (up)
		start(s, now);
	else
		stop(s, now);
}

bool health_receive(
    struct health_engine *h, struct mono now, uint32_t tunnel, const uint8_t *packet, size_t len)
{
	struct session *s = find(h, tunnel);

	if (!s || s->state == HEALTH_IDLE)
		return false;
	struct echo reply = s->probe;
	if (!echo_is_reply(&reply, packet, len))
		return false;
	uint16_t behind = (uint16_t)(s->probe.number - reply.number);
	if (behind >= s->config.retries)
		return false; /* so late that it does not speak for the tunnel of now */
	if (behind == 0) {
		if (s->awaiting)
			s->rtt_ns = mono_diff(s->probe_sent, now);
		s->awaiting = false;
	}
	s->answered++;
	s->answered_at = now;
	s->missed = 0;
	enter(s, now, HEALTH_PASSED);
	return true;
}

bool health_get(
    const struct health_engine *h, struct mono now, uint32_t tunnel, struct health_view *out)
{
	const struct session *s = find(h, tunnel);

	if (!s)
		return false;
	*out = (struct health_view){
	    .state = s->state,
	    .state_age_ns = mono_diff(s->since, now),
	    .config = s->config,
	    .sent = s->sent,
	    .answered = s->answered,
	    .missed = s->missed,
	    .rtt_ns = s->rtt_ns,
	    .answered_ns = mono_is_set(s->answered_at) ? mono_diff(s->answered_at, now) : -1,
	};
	return true;
}
