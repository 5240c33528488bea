/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The session: RFC 5880 6.2 (states), 6.5 (poll), 6.8. Every change of what is sent or expected goes to
 * workers as new orders; a packet that changes nothing causes none.
 */

#include "bfd/bfd.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "bfd/packet.h"

#define LOG "bfd"

#define SLOW_US 1000000 /* 6.8.3: while not up, nobody sends faster */

struct session {
	struct bfd_engine *engine;
	uint32_t id;
	char *name;
	struct bfd_config config;
	bool path; /* what carries it is up */
	enum bfd_state state;
	uint8_t diag;
	struct mono since;
	uint64_t ups, ups_of_path; /* since ever; since the path came up */
	uint32_t discriminator;
	bool polling;                  /* our new interval is not confirmed yet */
	struct bfd_packet remote;      /* the last one heard; mine 0: none */
	struct bfd_orders_text orders; /* as given */
};

struct bfd_engine {
	const struct bfd_ops *ops;
	void *ctx;
	struct rng *rng;
	struct session **session; /* by id */
	uint32_t capacity;
};

const char *bfd_state_name(enum bfd_state state)
{
	static const char *const names[] = {"admin-down", "down", "init", "up"};

	return names[state];
}

const char *bfd_diag_text(uint8_t diag)
{
	static const char *const texts[] = {"no diagnostic", "detection time expired",
	    "echo function failed", "neighbor signaled session down", "forwarding plane reset",
	    "path down", "concatenated path down", "administratively down",
	    "reverse concatenated path down"};

	return diag < sizeof(texts) / sizeof(texts[0]) ? texts[diag] : "unknown diagnostic";
}

static struct session *find(const struct bfd_engine *e, uint32_t id)
{
	return id < e->capacity ? e->session[id] : NULL;
}

/* ---- orders ---- */

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static struct bfd_packet packet_of(const struct session *s)
{
	return (struct bfd_packet){
	    .state = (uint8_t)s->state,
	    .diag = s->diag,
	    .multiplier = (uint8_t)s->config.multiplier,
	    .poll = s->polling,
	    .mine = s->discriminator,
	    .yours = s->remote.mine,
	    .transmit_us =
		s->state == BFD_UP ? s->config.transmit_us : max(s->config.transmit_us, SLOW_US),
	    .receive_us = s->config.receive_us,
	};
}

/* 6.8.7: the far end may want none, or, in demand mode, none while both are up. */
static int64_t transmit_ns(const struct session *s, const struct bfd_packet *p)
{
	const struct bfd_packet *r = &s->remote;

	if (!s->path)
		return 0;
	if (!r->mine)
		return DUR_US(p->transmit_us);
	if (r->receive_us == 0 ||
	    (r->demand && s->state == BFD_UP && r->state == BFD_UP && !s->polling))
		return 0;
	return DUR_US(max(p->transmit_us, r->receive_us));
}

/* 6.8.4 */
static int64_t detect_ns(const struct session *s)
{
	if (s->state < BFD_INIT || !s->remote.mine)
		return 0;
	return s->remote.multiplier * DUR_US(max(s->config.receive_us, s->remote.transmit_us));
}

static void give_orders(struct session *s)
{
	struct bfd_orders_text o;
	struct bfd_packet p = packet_of(s), expected = s->remote;

	memset(&o, 0, sizeof(o));
	bfd_packet_write(&p, o.packet);
	expected.poll = expected.final = false;
	bfd_packet_write(&expected, o.expected);
	o.up = s->state == BFD_UP && s->remote.state == BFD_UP && !s->polling;
	o.transmit_ns = transmit_ns(s, &p);
	o.detect_ns = detect_ns(s);
	if (memcmp(&o, &s->orders, sizeof(o)) == 0)
		return;
	s->orders = o;
	s->engine->ops->orders(s->engine->ctx, s->id, &o);
}

/* ---- states ---- */

static void enter(struct session *s, struct mono now, enum bfd_state state, uint8_t diag)
{
	if (s->state == state)
		return;
	enum bfd_state from = s->state;

	s->state = state;
	s->diag = diag;
	s->since = now;
	s->polling = state == BFD_UP; /* from slow to our interval: agreed by a poll */
	if (state == BFD_UP) {
		s->ups++;
		s->ups_of_path++;
		log_write(LOG_NOTICE, LOG, s->name, "up");
	} else if (from == BFD_UP) {
		log_write(LOG_WARNING, LOG, s->name, "down: %s", bfd_diag_text(diag));
	}
	if (state < BFD_INIT && diag != BFD_DIAG_NEIGHBOUR)
		s->remote = (struct bfd_packet){0}; /* 6.8.1: forgotten with the silence */
	s->engine->ops->changed(s->engine->ctx, s->id, state, diag);
}

/* 6.8.6, the state machine of 6.2. What stands not here changes nothing. */
static void advance(struct session *s, struct mono now)
{
	uint8_t theirs = s->remote.state;

	if (theirs == BFD_ADMIN_DOWN) {
		if (s->state != BFD_DOWN)
			enter(s, now, BFD_DOWN, BFD_DIAG_NEIGHBOUR);
	} else if (s->state == BFD_DOWN) {
		if (theirs == BFD_DOWN)
			enter(s, now, BFD_INIT, BFD_DIAG_NONE);
		else if (theirs == BFD_INIT)
			enter(s, now, BFD_UP, BFD_DIAG_NONE);
	} else if (s->state == BFD_INIT) {
		if (theirs == BFD_INIT || theirs == BFD_UP)
			enter(s, now, BFD_UP, BFD_DIAG_NONE);
	} else if (s->state == BFD_UP && theirs == BFD_DOWN) {
		enter(s, now, BFD_DOWN, BFD_DIAG_NEIGHBOUR);
	}
}

/* ---- what happens ---- */

void bfd_receive(
    struct bfd_engine *e, struct mono now, uint32_t id, const uint8_t *packet, size_t len)
{
	struct session *s = find(e, id);
	struct bfd_packet p;

	if (!s || !s->path || s->state == BFD_ADMIN_DOWN || !bfd_packet_read(packet, len, &p) ||
	    (p.yours && p.yours != s->discriminator))
		return;
	if (p.final)
		s->polling = false;
	s->remote = p;
	advance(s, now);
	give_orders(s);
	if (!p.poll)
		return;
	struct bfd_packet answer = packet_of(s);
	uint8_t bytes[BFD_BYTES];
	answer.poll = false;
	answer.final = true;
	bfd_packet_write(&answer, bytes);
	e->ops->send(e->ctx, id, bytes);
}

void bfd_expired(struct bfd_engine *e, struct mono now, uint32_t id)
{
	struct session *s = find(e, id);

	if (!s || s->state < BFD_INIT)
		return;
	enter(s, now, BFD_DOWN, BFD_DIAG_EXPIRED);
	give_orders(s);
}

void bfd_path(struct bfd_engine *e, struct mono now, uint32_t id, bool up)
{
	struct session *s = find(e, id);

	if (!s || s->path == up)
		return;
	s->path = up;
	if (up)
		s->ups_of_path = 0;
	else
		enter(s, now, BFD_DOWN, BFD_DIAG_PATH);
	s->remote = (struct bfd_packet){0};
	give_orders(s);
}

/* ---- sessions ---- */

struct bfd_engine *bfd_create(const struct bfd_ops *ops, void *ctx, struct rng *rng)
{
	struct bfd_engine *e = xcalloc(1, sizeof(*e));

	e->ops = ops;
	e->ctx = ctx;
	e->rng = rng;
	return e;
}

static void session_free(struct session *s)
{
	s->engine->session[s->id] = NULL;
	free(s->name);
	free(s);
}

void bfd_free(struct bfd_engine *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->capacity; i++) {
		if (e->session[i])
			session_free(e->session[i]);
	}
	free(e->session);
	free(e);
}

static struct session *session_new(
    struct bfd_engine *e, struct mono now, uint32_t id, const char *name)
{
	struct session *s = xcalloc(1, sizeof(*s));

	if (id >= e->capacity) {
		uint32_t capacity = (id + 64) & ~UINT32_C(63);

		e->session = xrealloc(e->session, capacity * sizeof(struct session *));
		while (e->capacity < capacity)
			e->session[e->capacity++] = NULL;
	}
	s->engine = e;
	s->id = id;
	s->name = xstrdup(name);
	s->state = BFD_DOWN;
	s->since = now;
	s->discriminator = (rng_below(e->rng, 0xffff) + 1) << 16 | (id & 0xffff);
	e->session[id] = s;
	return s;
}

void bfd_set(struct bfd_engine *e, struct mono now, uint32_t id, const char *name,
    const struct bfd_config *config)
{
	struct session *s = find(e, id);

	if (s && memcmp(&s->config, config, sizeof(*config)) == 0)
		return;
	if (!s)
		s = session_new(e, now, id, name);
	s->config = *config;
	s->polling = s->state == BFD_UP; /* 6.8.3 */
	give_orders(s);
}

void bfd_remove(struct bfd_engine *e, uint32_t id)
{
	struct session *s = find(e, id);
	uint8_t bytes[BFD_BYTES];

	if (!s)
		return;
	s->state = BFD_ADMIN_DOWN;
	s->diag = BFD_DIAG_ADMIN;
	s->polling = false;
	struct bfd_packet p = packet_of(s);
	bfd_packet_write(&p, bytes);
	if (s->path && s->remote.mine)
		e->ops->send(e->ctx, id, bytes);
	session_free(s);
}

enum bfd_verdict bfd_verdict(const struct bfd_engine *e, uint32_t id)
{
	const struct session *s = find(e, id);

	if (!s)
		return BFD_SAYS_NOTHING;
	if (s->state == BFD_UP)
		return BFD_SAYS_ALIVE;
	if (s->remote.mine && s->remote.state == BFD_ADMIN_DOWN)
		return BFD_SAYS_NOTHING;
	return s->ups_of_path ? BFD_SAYS_DEAD : BFD_SAYS_WAIT;
}

bool bfd_get_view(const struct bfd_engine *e, struct mono now, uint32_t id, struct bfd_view *out)
{
	const struct session *s = find(e, id);

	if (!s)
		return false;
	*out = (struct bfd_view){
	    .state = s->state,
	    .remote_state = s->remote.mine ? s->remote.state : BFD_DOWN,
	    .diag = s->diag,
	    .remote_diag = s->remote.diag,
	    .state_age_ns = mono_diff(s->since, now),
	    .discriminator = s->discriminator,
	    .remote_discriminator = s->remote.mine,
	    .transmit_ns = s->orders.transmit_ns,
	    .detect_ns = s->orders.detect_ns,
	    .ups = s->ups,
	};
	return true;
}
