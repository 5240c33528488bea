/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_ring in plain memory; see ring.h. */

#include <errno.h>
#include <stdlib.h>

#include <rte_ring_elem.h>

#include "boundary/ring.h"

struct rte_ring *ring_create(unsigned element_bytes, unsigned capacity, unsigned flags)
{
	unsigned count = capacity < RTE_RING_SZ_MASK ? rte_align32pow2(capacity + 1) : 0;
	ssize_t bytes = count ? rte_ring_get_memsize_elem(element_bytes, count) : -EINVAL;
	struct rte_ring *r;
	int rc;

	if (bytes < 0) {
		errno = (int)-bytes;
		return NULL;
	}
	r = aligned_alloc(
	    RTE_CACHE_LINE_SIZE, RTE_ALIGN((size_t)bytes, (size_t)RTE_CACHE_LINE_SIZE));
	if (!r)
		return NULL;
	rc = rte_ring_init(r, "", count, flags);
	if (rc) {
		free(r);
		errno = -rc;
		return NULL;
	}
	return r;
}

void ring_free(struct rte_ring *r)
{
	free(r);
}

void ring_free_packets(struct rte_ring *r)
{
	void *m;

	while (r && rte_ring_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
	ring_free(r);
}
