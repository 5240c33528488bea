/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_NEAR_H
#define BOUNDARY_NEAR_H

/*
 * Memory near a worker, on a machine of several NUMA nodes: what one worker writes lies on the node of its processor.
 * Nodes are those of the CPUs that lcores are pinned to; DPDK's rte_lcore_to_socket_id() takes the number of an
 * lcore for that of a CPU, which ours are not. Control, before workers start.
 */

#include <stddef.h>

/* By worker, -1: unknown, or it does not matter because the machine has one node. Until then, and for workers beyond,
 * -1 holds. */
void near_learn(const int node[], unsigned workers);
int near_node(unsigned worker);

/* Zeroed, aligned to cache lines, of DPDK's memory; elsewhere when that node has none left. rte_free(); NULL: none. */
void *near_zmalloc(unsigned worker, size_t bytes);
/* Pages that nobody has touched yet come from that node, where it has some. */
void near_pages(unsigned worker, void *pages, size_t bytes);
/* The same for whatever this thread touches first, until near_anywhere(). */
void near_begin(unsigned worker);
void near_anywhere(void);

#endif
