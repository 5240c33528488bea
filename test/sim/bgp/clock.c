/* SPDX-License-Identifier: BSD-3-Clause */

/* The clock: a heap of events, and the engines' own timers between them. */

#include <stdlib.h>

#include "base/mem.h"
#include "sim.h"

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_at(
    struct sim *s, int64_t in_ns, enum sim_event_kind kind, unsigned which, struct pipe *pipe)
{
	struct sim_event ev = {s->now.ns + in_ns, s->next_order++, kind, which, pipe};
	size_t i = s->events++;

	if (s->events > s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->heap = xrealloc(s->heap, s->room * sizeof(s->heap[0]));
	}
	for (; i > 0 && before(&ev, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = ev;
}

static struct sim_event pop(struct sim *s)
{
	struct sim_event top = s->heap[0], last = s->heap[--s->events];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= s->events)
			break;
		if (child + 1 < s->events && before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return top;
}

static void handle(struct sim *s, const struct sim_event *ev)
{
	switch (ev->kind) {
	case EV_DECIDE:
		sim_decide(&s->router[ev->which]);
		break;
	case EV_ACTION:
		sim_action(s);
		break;
	case EV_HEAL:
		sim_link(s, ev->which / ROUTERS_MAX, ev->which % ROUTERS_MAX)->cut = false;
		break;
	case EV_REVIVE:
		if (!s->router[ev->which].engine)
			sim_router_up(&s->router[ev->which], true);
		break;
	default:
		sim_wire_event(s, ev);
		break;
	}
}

/* The engine that is due first, and when. */
static struct router *next_engine(struct sim *s, struct mono *due)
{
	struct router *first = NULL;

	for (unsigned i = 0; i < s->routers; i++) {
		struct router *r = &s->router[i];
		struct mono at;

		if (!r->engine || !bgp_next(r->engine, &at))
			continue;
		if (!first || mono_before(at, *due)) {
			first = r;
			*due = at;
		}
	}
	return first;
}

void sim_run_until(struct sim *s, struct mono end)
{
	while (!s->failure[0]) {
		struct mono due;
		struct router *r = next_engine(s, &due);

		if (r && (s->events == 0 || due.ns <= s->heap[0].at)) {
			if (mono_before(end, due))
				break;
			if (mono_before(s->now, due))
				s->now = due;
			bgp_run(r->engine, s->now);
			sim_touch(r);
		} else if (s->events > 0 && s->heap[0].at <= end.ns) {
			struct sim_event ev = pop(s);

			if (ev.at > s->now.ns)
				s->now.ns = ev.at;
			handle(s, &ev);
		} else {
			break;
		}
		if (++s->handled > 20000000)
			sim_fail(s, "does not come to rest");
	}
	if (mono_before(s->now, end))
		s->now = end;
}

void sim_clock_free(struct sim *s)
{
	free(s->heap);
	s->heap = NULL;
	s->events = s->room = 0;
}
