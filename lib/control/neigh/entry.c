/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The life of one neighbour: asked for, usable, probed, forgotten. All changes of state are here.
 *
 *   INCOMPLETE -answer-> READY -age-> PROBING -answer-> READY
 *       |                                `-no answer-> INCOMPLETE (pinned or packets wait) or forgotten
 *       `-no answer-> FAILED -hold-down-> INCOMPLETE (pinned) or forgotten
 *
 * STATIC is given by the configuration and stays.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "neigh/engine.h"

#define ASK_INTERVAL DUR_S(1)
#define ASK_TRIES    3
#define READY_AGE    DUR_S(30) /* then a unicast probe */
#define PROBE_TRIES  3
#define FAILED_HOLD  DUR_S(5) /* nothing is asked meanwhile */
#define PINNED_HOLD  DUR_S(1) /* a pinned neighbour is asked for again sooner, for ever */

struct entry *entry_find(const struct side *s, const struct ip_addr *addr)
{
	struct entry *e;

	list_for (e, &s->entries, node) {
		if (ip_eq(&e->addr, addr))
			return e;
	}
	return NULL;
}

static void give_back(struct entry *e, bool resolved)
{
	struct neigh_engine *n = e->side->engine;
	struct waiting *w, *next;

	list_for_safe (w, next, &e->waiting, node) {
		void *packet = w->packet;

		list_remove(&w->node);
		free(w);
		e->waiting_count--;
		e->side->engine->waiting--;
		n->ops->packet(n->ctx, e->side->conf.iface, &e->addr, packet, resolved);
	}
}

static void forget_mac(struct entry *e)
{
	struct neigh_engine *n = e->side->engine;

	if (!e->has_mac)
		return;
	e->has_mac = false;
	n->ops->gone(n->ctx, e->side->conf.iface, &e->addr);
}

void entry_free(struct entry *e)
{
	timer_cancel(e->side->engine->timers, &e->timer);
	forget_mac(e);
	give_back(e, false);
	list_remove(&e->node);
	e->side->entry_count--;
	free(e);
}

static void ask(struct entry *e, struct mono now)
{
	const struct ip_addr *from = side_source(e->side, &e->addr);

	if (from)
		arp_request(e->side, from, &e->addr, e->state == ENTRY_PROBING ? e->mac : NULL);
	e->tries++;
	timer_arm(e->side->engine->timers, &e->timer, mono_add(now, ASK_INTERVAL));
}

static void enter(struct entry *e, enum entry_state state, struct mono now)
{
	struct timers *timers = e->side->engine->timers;

	e->state = (uint8_t)state;
	e->tries = 0;
	switch (state) {
	case ENTRY_INCOMPLETE:
	case ENTRY_PROBING:
		ask(e, now);
		return;
	case ENTRY_READY:
		e->answered = now;
		timer_arm(timers, &e->timer, mono_add(now, READY_AGE));
		return;
	case ENTRY_FAILED:
		timer_arm(timers, &e->timer, mono_add(now, e->pins ? PINNED_HOLD : FAILED_HOLD));
		give_back(e, false);
		return;
	case ENTRY_STATIC:
		timer_cancel(timers, &e->timer);
		return;
	case ENTRY_STATES:
		return;
	}
}

static void on_timer(struct timer *t, struct mono now)
{
	struct entry *e = container_of(t, struct entry, timer);

	switch ((enum entry_state)e->state) {
	case ENTRY_INCOMPLETE:
		if (e->tries < ASK_TRIES)
			ask(e, now);
		else
			enter(e, ENTRY_FAILED, now);
		return;
	case ENTRY_READY:
		enter(e, ENTRY_PROBING, now);
		return;
	case ENTRY_PROBING:
		if (e->tries < PROBE_TRIES) {
			ask(e, now);
			return;
		}
		forget_mac(e);
		if (e->pins || e->waiting_count)
			enter(e, ENTRY_INCOMPLETE, now);
		else
			entry_free(e);
		return;
	case ENTRY_FAILED:
		if (e->pins)
			enter(e, ENTRY_INCOMPLETE, now);
		else
			entry_free(e);
		return;
	case ENTRY_STATIC:
	case ENTRY_STATES:
		return;
	}
}

/* The one to go when there are too many: the longest without an answer that nothing holds. */
static bool make_room(struct side *s)
{
	struct entry *e;

	list_for (e, &s->entries, node) {
		if (!e->pins && !e->waiting_count && e->state != ENTRY_STATIC) {
			entry_free(e);
			return true;
		}
	}
	return false;
}

struct entry *entry_get(struct side *s, const struct ip_addr *addr, struct mono now)
{
	struct entry *e = entry_find(s, addr);

	if (e)
		return e;
	if (s->entry_count >= s->engine->limits.neighbours_per_iface && !make_room(s))
		return NULL;
	e = xcalloc(1, sizeof(*e));
	e->side = s;
	e->addr = *addr;
	e->timer.fn = on_timer;
	list_init(&e->waiting);
	list_append(&s->entries, &e->node);
	s->entry_count++;
	e->state = ENTRY_STATES;
	return e;
}

void entry_start(struct entry *e, struct mono now)
{
	if (e->state == ENTRY_STATES)
		enter(e, ENTRY_INCOMPLETE, now);
}

void entry_answered(struct entry *e, const uint8_t mac[6], struct mono now)
{
	struct neigh_engine *n = e->side->engine;
	bool changed = !e->has_mac || memcmp(e->mac, mac, 6) != 0;

	if (e->state == ENTRY_STATIC)
		return;
	memcpy(e->mac, mac, 6);
	e->has_mac = true;
	list_remove(&e->node);
	list_append(&e->side->entries, &e->node);
	enter(e, ENTRY_READY, now);
	if (changed)
		n->ops->ready(n->ctx, e->side->conf.iface, &e->addr, mac);
	give_back(e, true);
}

void entry_fix(struct entry *e, const uint8_t mac[6], struct mono now)
{
	struct neigh_engine *n = e->side->engine;

	memcpy(e->mac, mac, 6);
	e->has_mac = true;
	e->answered = now;
	enter(e, ENTRY_STATIC, now);
	n->ops->ready(n->ctx, e->side->conf.iface, &e->addr, mac);
	give_back(e, true);
}

void entry_doubt(struct entry *e, struct mono now)
{
	if (e->state == ENTRY_READY)
		enter(e, ENTRY_PROBING, now);
	else if (e->state == ENTRY_FAILED && e->pins)
		enter(e, ENTRY_INCOMPLETE, now);
}

void entry_link_up(struct entry *e, struct mono now)
{
	if (e->state == ENTRY_INCOMPLETE)
		enter(e, ENTRY_INCOMPLETE, now);
	else if (e->state == ENTRY_FAILED && !e->pins)
		entry_free(e);
	else
		entry_doubt(e, now);
}
