/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_COUNTERS_H
#define BOUNDARY_COUNTERS_H

/*
 * The ledger (M2). Every packet is received on a slot: an interface, a tunnel (after decryption),
 * or control itself. Each worker has a block of its own per slot and is its only writer. At any
 * quiet moment, per slot:
 *
 *   received + created = delivered + decrypted + punted + absorbed + sum(drop[])
 *
 * created:   fragments made beyond the first
 * delivered: left through a port
 * decrypted: went on as a packet received on a tunnel's slot
 * absorbed:  fragments that went into a whole packet, BFD packets whose job is done by being heard
 *
 * sent_* count at the egress slot and are no part of the equation.
 */

#include <rte_common.h>

#include "boundary/epoch.h"
#include "boundary/reason.h"

#define SLOT_CONTROL 0 /* what control injects, and frames that no interface claims */

struct slot_counters { /* one worker, one slot; *worker* writes */
	/* what nearly every packet changes, in one line */
	uint64_t received, received_bytes;
	uint64_t delivered, decrypted;
	uint64_t sent, sent_bytes;
	uint64_t created, punted, absorbed;
	uint64_t drop[DROP_REASON_COUNT];
} __rte_cache_aligned;

struct counters {
	uint32_t slots;
	unsigned workers;
	struct slot_counters
	    *of_worker[WORKERS_MAX]; /* [slots] each, on the NUMA node that first touches it */
	bool *slot_used;             /* control */
};

/* slots: at most 65536. 0, -EINVAL or -ENOMEM. */
int counters_init(struct counters *c, unsigned workers, uint32_t slots);
void counters_fini(struct counters *c);
/* A free slot with all counts at zero, or 0 when none is left. Given back with slot_release(),
 * which the caller calls after a grace period, when no packet of the slot can be under way. */
uint16_t slot_alloc(struct counters *c);
void slot_release(struct counters *c, uint16_t slot);
/* Sum over workers. */
void slot_read(const struct counters *c, uint16_t slot, struct slot_counters *sum);
/* received + created - delivered - decrypted - punted - absorbed - drops; 0 when the ledger
 * balances. */
int64_t slot_balance(const struct slot_counters *sum);

static inline struct slot_counters *slot_of(struct counters *c, unsigned worker, uint16_t slot)
{
	return &c->of_worker[worker][slot];
}

#endif
