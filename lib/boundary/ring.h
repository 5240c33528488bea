/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_RING_H
#define BOUNDARY_RING_H

/*
 * rte_ring in plain memory: without a name and a memory zone of EAL, so that any number of them can
 * stand side by side. Private to this folder.
 */

#include <rte_mbuf.h>
#include <rte_ring.h>

/* A ring for at least `capacity` elements of `element_bytes` (a multiple of 4). NULL with errno. */
struct rte_ring *ring_create(unsigned element_bytes, unsigned capacity, unsigned flags);
void ring_free(struct rte_ring *r);
/* Of a ring of mbufs: frees them, too. */
void ring_free_packets(struct rte_ring *r);

#endif
