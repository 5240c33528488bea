/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets from control to workers: a single-producer, single-consumer ring for each. */

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "boundary/epoch.h"
#include "boundary/inject.h"
#include "boundary/ring.h"

struct inject {
	unsigned workers;
	struct rte_ring *ring[WORKERS_MAX];
};

struct inject *inject_create(unsigned workers, unsigned ring_size)
{
	struct inject *i;

	if (workers == 0 || workers > WORKERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	i = xcalloc(1, sizeof(*i));
	i->workers = workers;
	for (unsigned w = 0; w < workers; w++) {
		i->ring[w] = ring_create(sizeof(void *), ring_size, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!i->ring[w]) {
			int why = errno;

			inject_free(i);
			errno = why;
			return NULL;
		}
	}
	return i;
}

void inject_free(struct inject *i)
{
	if (!i)
		return;
	for (unsigned w = 0; w < i->workers; w++)
		ring_free_packets(i->ring[w]);
	free(i);
}

int inject_put(struct inject *i, unsigned worker, struct rte_mbuf *m)
{
	return rte_ring_enqueue(i->ring[worker], m) == 0 ? 0 : -ENOBUFS;
}

unsigned inject_take(struct inject *i, unsigned worker, struct rte_mbuf **m, unsigned n)
{
	return rte_ring_dequeue_burst(i->ring[worker], (void **)m, n, NULL);
}

bool inject_is_empty(const struct inject *i, unsigned worker)
{
	return rte_ring_empty(i->ring[worker]);
}
