/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_QUEUES_H
#define DRIVERS_QUEUES_H

/* Which worker polls which rx queue. */

#include <stdbool.h>
#include <stdint.h>

#include "boundary/port.h"

struct queue_home {
	uint16_t port; /* struct port.index */
	uint16_t queue;
	uint16_t worker;
};

/* Whether a worker on that NUMA node is on another one than the port; one that is not known is never far. */
bool queues_far(const struct port *port, int worker_node);

/*
 * Deals the rx queues of all ports to workers: those of one port to as many workers as possible,
 * near ones first (`worker_node`: NUMA node by worker), and all workers with about as many. Fills
 * at most `max` rows of `homes`; returns how many queues there are.
 */
unsigned queues_deal(struct port *const ports[], unsigned count, const int worker_node[],
    unsigned workers, struct queue_home homes[], unsigned max);

#endif
