/* SPDX-License-Identifier: BSD-3-Clause */
/* Events from workers to control: one ring of records, all workers put, control takes. */

#include <errno.h>
#include <stdlib.h>

#include <rte_ring_elem.h>

#include "base/mem.h"
#include "boundary/event.h"
#include "boundary/ring.h"

_Static_assert(sizeof(struct event) % 4 == 0, "elements of rte_ring are whole 32-bit words");

struct events {
	struct rte_ring *ring;
};

struct events *events_create(unsigned capacity)
{
	struct events *e = xcalloc(1, sizeof(*e));

	e->ring = ring_create(sizeof(struct event), capacity, RING_F_SC_DEQ);
	if (!e->ring) {
		int why = errno;

		free(e);
		errno = why;
		return NULL;
	}
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	ring_free(e->ring);
	free(e);
}

bool event_put(struct events *e, const struct event *ev)
{
	return rte_ring_enqueue_elem(e->ring, (void *)(uintptr_t)ev, sizeof(*ev)) == 0;
}

unsigned events_take(struct events *e, struct event *out, unsigned n)
{
	return rte_ring_dequeue_burst_elem(e->ring, out, sizeof(*out), n, NULL);
}
