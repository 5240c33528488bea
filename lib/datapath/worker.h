/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_WORKER_H
#define DATAPATH_WORKER_H

/*
 * A worker lcore: polls its receive queues and runs packets to completion, in bursts, through the stages of
 * this folder (one file each). A stage takes a burst, gives every bad packet to drop() with its reason, and
 * returns the good ones compacted in front, in order. Nothing here allocates, locks, logs or calls the kernel.
 *
 *   rx -> classify -+- ESP, UDP 4500 -> esp_in -> inner packets -+-> route -+-> esp_out -> tx
 *                   |                                            |          +-> tx (layer-2 rewrite)
 *                   +- clear packets ----------------------------+          +-> frag, local, punt
 *                   +- ARP, IKE, ICMP to us -> punt
 */

#include <stdbool.h>
#include <stdint.h>

#include "boundary/boundary.h"

#define BURST_MAX         64 /* packets that a stage takes at once */
#define WORKER_QUEUES_MAX 64
#define HANDOFF_RING      1024 /* packets that wait in worker.handoff_in */

struct worker_queue {
	uint16_t port; /* struct port.index */
	uint16_t queue;
};

struct worker_tx;         /* tx.c: packets on their way out, by port */
struct worker_reassembly; /* reassembly.c */
struct esp_worker;
struct worker_early; /* early.c */

struct worker {
	struct boundary *b;
	unsigned id;   /* 0..workers-1; also the crypto queue pair and the tx queue */
	bool adaptive; /* back off when idle */
	unsigned queue_count;
	struct worker_queue queue[WORKER_QUEUES_MAX];
	struct slot_counters *slots; /* own block of the ledger, by slot */
	uint64_t now;                /* rte_rdtsc() at the top of the round */
	struct trace_session
	    *trace;               /* the trace that runs, as of the top of the round; NULL: none */
	struct policer_gate gate; /* that refused a packet last */
	struct worker_tx *tx;
	struct worker_reassembly *reassembly;
	struct worker_early *early;
	struct rte_ring
	    *handoff_in;      /* inbound ESP of SAs that this worker owns, from other workers */
	struct worker *peers; /* all workers, by id, for the hand-off */
	unsigned queue_device_count; /* crypto devices to dequeue from */
	uint8_t queue_device[8];
	/* own block: state of stages, added below as stages need it */
	uint64_t bfd_due;       /* bfd.c: when sessions are looked at again */
	unsigned idle_rounds;   /* in a row: how far the back-off has come */
	struct esp_worker *esp; /* esp_worker.h: the ESP stages */
} __rte_cache_aligned;

/* Control, before launch: all workers at once (index = id). NULL with errno. */
struct worker *workers_create(struct boundary *b, bool adaptive);
void workers_free(struct worker *all, unsigned count);
/* Adds a receive queue to a worker. 0 or -ENOSPC. */
int worker_add_queue(struct worker *w, uint16_t port, uint16_t queue);
/* The loop, for rte_eal_remote_launch(); arg is a struct worker. Ends when boundary->stop is set. */
int worker_main(void *arg);
/* One round: what the loop does, for tests and benchmarks. Returns the number of packets moved. */
unsigned worker_round(struct worker *w);

/* Ends a packet: counts the reason at the slot it was received on, frees it. */
void drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason);
void drop_burst(struct worker *w, struct rte_mbuf **m, unsigned n, enum drop_reason reason);

#endif
