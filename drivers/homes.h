/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_HOMES_H
#define DRIVERS_HOMES_H

/* On a machine of several NUMA nodes: which node's memory the packets of a port lie in. */

#include <stdbool.h>
#include <stdint.h>

#include "boundary/port.h"

#define NUMA_NODES_MAX 8 /* more than servers have */

struct port_homes {
	unsigned pools;                /* at least one; workers and control take from the first */
	int pool_node[NUMA_NODES_MAX]; /* -1: wherever there is memory */
	uint8_t pool_of[PORTS_MAX];    /* by port: index of its pool */
	bool away[PORTS_MAX];          /* its own node is known and has no memory for packets */
};

/*
 * A port gets a pool on its own node (`port_node`, -1: it has none), else on the node of most workers
 * (`worker_node`), the same pool for all ports of a node. `usable`: bit per node, it has memory for packets; with
 * none there is one pool, anywhere.
 */
void homes_choose(struct port_homes *homes, const int port_node[], unsigned ports,
    const int worker_node[], unsigned workers, uint32_t usable);
/* The node of most workers, of several such that of the first worker; -1: no node is known of any. */
int homes_of_workers(const int worker_node[], unsigned workers, uint32_t usable);

/* The node of a port's device, before or after DPDK knows it; -1: it has none, or the machine does not tell. */
int port_home_node(const char *device);
/* The same with another root than "/sys", for tests. */
int port_home_node_under(const char *sys, const char *device);

#endif
