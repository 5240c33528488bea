/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Requests that wait for the window; ike_tunnel_check() lets them go. A task says what should be done, not how the message looks: it is
 * built when its turn comes, from the state of that moment, or dropped when nothing is left to do.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "ike/sa.h"

#define LAST_MESSAGE_ID 0x7fffffff

bool ike_task_pending(
    const struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in, const struct ike_slot *slot)
{
	const struct ike_exchange *x = &sa->exchange;
	const struct ike_task *t;

	if (ike_window_busy(&sa->window) && x->kind == kind && x->spi_in == spi_in &&
	    x->slot == slot)
		return true;
	list_for (t, &sa->tasks, node)
		if (t->kind == kind && t->spi_in == spi_in && t->slot == slot)
			return true;
	return false;
}

static struct ike_task *task_new(enum ike_task_kind kind, uint32_t spi_in, struct ike_slot *slot)
{
	struct ike_task *t = xcalloc(1, sizeof(*t));

	t->kind = kind;
	t->spi_in = spi_in;
	t->slot = slot;
	return t;
}

void ike_task_add(
    struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in, struct ike_slot *slot)
{
	if (ike_task_pending(sa, kind, spi_in, slot))
		return;
	list_append(&sa->tasks, &task_new(kind, spi_in, slot)->node);
	ike_tunnel_touch(sa->tunnel);
}

void ike_task_add_first(struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in)
{
	if (ike_task_pending(sa, kind, spi_in, NULL))
		return;
	/* Appending to the list as seen from its first entry puts it ahead of that. */
	list_append(sa->tasks.next, &task_new(kind, spi_in, NULL)->node);
	ike_tunnel_touch(sa->tunnel);
}

static void drop(struct ike_task *t)
{
	list_remove(&t->node);
	free(t);
}

void ike_task_next(struct ike_sa *sa)
{
	/* Message IDs must not wrap (RFC 7296 2.2). */
	if (ike_sa_is_up(sa) && sa->window.next_id >= LAST_MESSAGE_ID)
		ike_task_add(sa, IKE_TASK_REKEY_IKE, 0, NULL);
	while (sa->state != IKE_SA_DEAD && !ike_window_busy(&sa->window) &&
	    !list_is_empty(&sa->tasks)) {
		struct ike_task *t = list_entry(sa->tasks.next, struct ike_task, node);
		struct ike_task run = *t;

		drop(t);
		sa->driver->run_task(sa, &run);
	}
}

void ike_task_drop_all(struct ike_sa *sa)
{
	struct ike_task *t, *next;

	list_for_safe (t, next, &sa->tasks, node)
		drop(t);
}
