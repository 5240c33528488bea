/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Facts about an SA for control. `raised` is set by the worker whose event went into the queue, so that there is
 * one event of a kind per SA; when the queue is full a later packet tries again.
 */

#include "datapath/esp_worker.h"

static void put(struct worker *w, const struct event *ev, _Atomic bool *raised)
{
	if (atomic_load_explicit(raised, memory_order_relaxed) ||
	    atomic_exchange_explicit(raised, true, memory_order_relaxed))
		return;
	if (!event_put(w->b->events, ev))
		atomic_store_explicit(raised, false, memory_order_relaxed);
}

void esp_event(struct worker *w, const struct sa_head *sa, bool inbound, enum event_kind kind,
    _Atomic bool *raised)
{
	struct event ev = {.kind = kind, .tunnel = sa->tunnel, .spi = sa->spi, .inbound = inbound};

	put(w, &ev, raised);
}

void esp_event_moved(struct worker *w, struct sa_in *sa, const struct ip_addr *from, uint16_t port)
{
	struct event ev = {.kind = EVENT_SA_MOVED,
	    .tunnel = sa->head.tunnel,
	    .spi = sa->head.spi,
	    .inbound = true,
	    .from = *from,
	    .from_port = port};

	put(w, &ev, &sa->moved);
}
