/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_NUMA_H
#define TRANSITD_NUMA_H

/*
 * Which NUMA node is whose, as the kernel tells it, before EAL runs. On a machine with one node nothing of this
 * has an effect.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "boundary/epoch.h"
#include "conf/conf.h"
#include "drivers/homes.h"

struct numa {
	bool several; /* nodes with memory on this machine */
	unsigned workers;
	int worker_node[WORKERS_MAX];       /* -1: unknown, or there is one node */
	uint32_t memory;                    /* bit per node that has memory */
	uint64_t huge_free[NUMA_NODES_MAX]; /* bytes of huge pages */
};

/* `sys`: "/sys", or another directory like it. */
void numa_look(struct numa *out, const char *sys, const struct conf_system *system);
/* Nodes that packets can lie on: those with so many bytes of free huge pages. None on a machine with one node. */
uint32_t numa_usable(const struct numa *numa, uint64_t bytes);
/* What this thread and its children touch first lies on the nodes of the workers, evenly when these are several. */
void numa_settle(const struct numa *numa);
/* The CPUs of a node, "0-3,8"; "?" when the kernel does not tell. */
void numa_cpus(const char *sys, int node, struct text *out);

#endif
