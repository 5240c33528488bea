/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_POLICER_H
#define BOUNDARY_POLICER_H

/*
 * Policers (M3): single-rate token buckets, of bytes, of packets, or of both, that several workers may spend from.
 *
 * How the rate is shared. A policer has one account for all workers: `taken`, the tokens handed out so far. What may
 * have been handed out by now follows from the clock alone (depth + elapsed * rate), so that nothing has to refill
 * anything, and no rounding adds up. A worker takes what it lacks and a `chunk` more with one compare-and-swap, and
 * spends that from credit of its own, on a cache line that it alone writes. The account's line is written once in a
 * chunk, a 1/(8 * workers) of the burst, instead of once in a packet. No token is made twice and none is lost: over any time
 * all workers together pass rate * time + burst, whoever of them carries the traffic. Credit that an idle worker holds
 * is part of the burst: depth + workers * chunk = burst.
 *
 * A packet larger than the burst passes when the bucket is full, and leaves it in debt.
 * rte_meter keeps the same bucket, but with one owner and without looking before taking: with it, workers would have to
 * split the rate, and a packet that the second of two policers refuses would have cost the first one tokens.
 *
 * Which packets a policer counts is said in lib/datapath/police.c.
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "boundary/records.h"

enum policer_unit { POLICER_BYTES, POLICER_PACKETS, POLICER_UNITS };

struct policer_spec {
	uint64_t bits_per_second;                   /* 0: bytes are not limited */
	uint64_t burst_bytes;                       /* 1 at least */
	uint64_t packets_per_second, burst_packets; /* alike */
};

#define POLICER_BITS_MAX    UINT64_C(1000000000000)
#define POLICER_PACKETS_MAX UINT64_C(10000000000)

struct policer_share { /* *worker* writes its own */
	int64_t credit[POLICER_UNITS];
	uint64_t passed, passed_bytes;
	uint64_t dropped, dropped_bytes;
} __rte_cache_aligned;

struct policer { /* immutable once published, but for `taken` and the shares */
	struct policer_spec spec;
	unsigned workers;
	uint64_t start; /* rte_rdtsc(); the bucket is full then */
	struct policer_rate {
		uint64_t tokens_per_cycle; /* times 2^POLICER_SHIFT; 0: not limited */
		uint64_t depth, chunk;
	} rate[POLICER_UNITS];
	_Atomic uint64_t taken[POLICER_UNITS] __rte_cache_aligned; /* atomic; workers */
	struct policer_share of_worker[];
};
#define POLICER_SHIFT 48

/* A full bucket. It goes by policer_retire(); by free() where no worker ever had it. */
struct policer *policer_create(const struct policer_spec *spec, unsigned workers);
/* The same by another clock than the TSC, of that frequency. */
struct policer *policer_new(
    const struct policer_spec *spec, unsigned workers, uint64_t now, uint64_t hz);
/* Sum over workers; `credit` means nothing there. */
void policer_read(const struct policer *p, struct policer_share *sum);

/* From the account to the worker's credit, which lacks that much. False: there is not enough. */
bool policer_claim(
    struct policer *p, enum policer_unit unit, uint64_t lack, uint64_t now, int64_t *credit);

static inline bool policer_unit_covers(struct policer *p, struct policer_share *own,
    enum policer_unit unit, int64_t need, uint64_t now)
{
	if (p->rate[unit].tokens_per_cycle == 0 || likely(own->credit[unit] >= need))
		return true;
	return policer_claim(
	    p, unit, (uint64_t)(need - own->credit[unit]), now, &own->credit[unit]);
}

/* Whether a packet may pass. It costs nothing yet: policer_pass() follows when all that it meets agree. */
static inline bool policer_covers(struct policer *p, unsigned worker, uint32_t bytes, uint64_t now)
{
	struct policer_share *own = &p->of_worker[worker];

	return policer_unit_covers(p, own, POLICER_BYTES, bytes, now) &&
	    policer_unit_covers(p, own, POLICER_PACKETS, 1, now);
}

static inline void policer_pass(struct policer *p, unsigned worker, uint32_t bytes)
{
	struct policer_share *own = &p->of_worker[worker];

	own->credit[POLICER_BYTES] -= p->rate[POLICER_BYTES].tokens_per_cycle ? bytes : 0;
	own->credit[POLICER_PACKETS] -= p->rate[POLICER_PACKETS].tokens_per_cycle ? 1 : 0;
	own->passed++;
	own->passed_bytes += bytes;
}

static inline void policer_refuse(struct policer *p, unsigned worker, uint32_t bytes)
{
	p->of_worker[worker].dropped++;
	p->of_worker[worker].dropped_bytes += bytes;
}

/* ---- which policers there are ---- */

/* A packet meets that of a tunnel and that of its attachment, at either end of its way. */
#define POLICERS_OF_SLOT 2

struct policing {                              /* of a ledger slot; immutable once published */
	struct policer *in[POLICERS_OF_SLOT];  /* of what was received there; NULL: none */
	struct policer *out[POLICERS_OF_SLOT]; /* of what leaves there */
};

struct policings {
	struct records rec;      /* by ledger slot */
	_Atomic uint32_t in_use; /* slots that have one; 0: no packet is looked at */
};

int policings_init(struct policings *t, struct epoch *e, uint32_t slots);
void policings_fini(struct policings *t);
/* Publishes a copy, or takes away what is there: NULL, or one without policers. */
void policing_publish(struct policings *t, uint16_t slot, const struct policing *spec);
/* Control: frees a policer that no slot names any more, after a grace period. NULL is fine. */
void policer_retire(struct policings *t, struct policer *p);

/* One of them, as records of a trace have it. */
struct policer_gate {
	uint16_t slot;
	uint8_t index; /* of policing.in or .out */
	bool out;
};

static inline const struct policing *policing_of(const struct policings *t, uint16_t slot)
{
	return records_get(&t->rec, slot);
}
static inline bool policings_any(const struct policings *t)
{
	return atomic_load_explicit(&t->in_use, memory_order_relaxed) != 0;
}

#endif
