/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_HEARTBEAT_H
#define BOUNDARY_HEARTBEAT_H

/* Signs of life: every lcore counts its rounds; control compares (C-20, C-21). Plus what a
 * worker tells of itself. */

#include <stdatomic.h>
#include <stdint.h>

#include <rte_common.h>

struct heartbeat { /* its lcore writes */
	_Atomic uint64_t rounds;
	_Atomic uint64_t busy_cycles; /* spent in rounds that moved packets */
	_Atomic uint64_t idle_cycles;
	_Atomic uint64_t packets;
} __rte_cache_aligned;

#endif
