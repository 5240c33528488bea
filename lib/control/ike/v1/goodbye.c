/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Deletes of Child SAs that must not get lost. A delete has no answer; while the deleted SA stays inbound, packets
 * on it show that the peer did not hear (replace.c). The last SA of its selectors does not stay, and a peer that did
 * not hear of its end would send into the void until its lifetime is over, or for ever: its delete is said again,
 * after waits that double, until there is another SA or a minute has passed. So is that of an SA which lost against one
 * that both ends made at the same time: the peer may be using it still, and take the other one for the loser.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "ike/v1/v1.h"

#define FIRST_S   2
#define TRIES_MAX 5

struct v1_goodbye {
	struct list node;
	struct ike_sa *sa;
	const struct ike_slot *slot;
	uint32_t spi_in;
	bool contested;
	unsigned tries;
	struct timer timer;
};

static void forget(struct v1_goodbye *g)
{
	timer_cancel(&g->sa->engine->timers, &g->timer);
	list_remove(&g->node);
	free(g);
}

static void wait(struct v1_goodbye *g)
{
	struct ike_engine *e = g->sa->engine;

	timer_arm(&e->timers, &g->timer, mono_add(e->now, DUR_S(FIRST_S) << g->tries));
}

static void due(struct timer *timer, struct mono now)
{
	struct v1_goodbye *g = container_of(timer, struct v1_goodbye, timer);

	if (g->tries == TRIES_MAX || (!g->contested && ike_child_of_slot(g->sa->tunnel, g->slot))) {
		forget(g);
		return;
	}
	v1_send_delete_child(g->sa, g->spi_in);
	g->tries++;
	wait(g);
}

void v1_goodbye_repeat(
    struct ike_sa *sa, const struct ike_slot *slot, uint32_t spi_in, bool contested)
{
	struct v1_goodbye *g = xcalloc(1, sizeof(*g));

	g->sa = sa;
	g->slot = slot;
	g->spi_in = spi_in;
	g->contested = contested;
	g->timer.fn = due;
	list_append(&sa->v1->goodbyes, &g->node);
	wait(g);
}

void v1_goodbye_move(struct ike_sa *from, struct ike_sa *to)
{
	struct v1_goodbye *g, *next;

	list_for_safe (g, next, &from->v1->goodbyes, node) {
		list_remove(&g->node);
		list_append(&to->v1->goodbyes, &g->node);
		g->sa = to;
	}
}

void v1_goodbye_stop(struct ike_sa *sa)
{
	struct v1_goodbye *g, *next;

	list_for_safe (g, next, &sa->v1->goodbyes, node)
		forget(g);
}
