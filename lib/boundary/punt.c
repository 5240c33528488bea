/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets for the control lcore. The token bucket of a worker and class holds clock cycles instead
 * of tokens: credit grows with the clock up to the burst, and a packet costs clock / rate. So it
 * needs no division.
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "base/mem.h"
#include "boundary/meta.h"
#include "boundary/punt.h"
#include "boundary/records.h"
#include "boundary/ring.h"

static const struct {
	const char *name;
	uint32_t rate, burst;
} classes[PUNT_CLASS_COUNT] = {
#define X(e, n, rate, burst) [e] = {n, rate, burst},
    PUNT_CLASS_LIST(X)
#undef X
};

struct bucket {          /* its worker writes */
	uint64_t last;   /* cycles when credit was brought up to date */
	uint64_t credit; /* cycles */
	uint64_t passed, limited, full;
};

struct worker_buckets {
	struct bucket of_class[PUNT_CLASS_COUNT];
	struct bucket of_source[PUNT_SOURCES]; /* PUNT_BGP */
} __rte_cache_aligned;

struct punt {
	unsigned workers;
	struct rte_ring *ring[PUNT_CLASS_COUNT];
	uint64_t cost[PUNT_CLASS_COUNT]; /* cycles per packet */
	uint64_t credit_max[PUNT_CLASS_COUNT];
	uint64_t source_cost, source_max;
	struct worker_buckets of_worker[];
};

struct punt *punt_create(unsigned workers, unsigned ring_size)
{
	struct punt *p;

	if (workers == 0 || workers > WORKERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	p = record_new(sizeof(*p) + workers * sizeof(p->of_worker[0]));
	p->workers = workers;
	p->source_cost = rte_get_tsc_hz() / PUNT_SOURCE_RATE;
	p->source_max = p->source_cost * PUNT_SOURCE_BURST;
	for (unsigned w = 0; w < workers; w++) {
		for (unsigned i = 0; i < PUNT_SOURCES; i++)
			p->of_worker[w].of_source[i].credit = p->source_max;
	}
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		p->cost[c] = rte_get_tsc_hz() / classes[c].rate;
		p->credit_max[c] = p->cost[c] * classes[c].burst;
		for (unsigned w = 0; w < workers; w++)
			p->of_worker[w].of_class[c].credit = p->credit_max[c];
		p->ring[c] = ring_create(sizeof(void *), ring_size, RING_F_SC_DEQ);
		if (!p->ring[c]) {
			int why = errno;

			punt_free(p);
			errno = why;
			return NULL;
		}
	}
	return p;
}

void punt_free(struct punt *p)
{
	if (!p)
		return;
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++)
		ring_free_packets(p->ring[c]);
	record_free(p);
}

const char *punt_class_name(enum punt_class c)
{
	return (unsigned)c < PUNT_CLASS_COUNT ? classes[c].name : "unknown";
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void refill(struct bucket *b, uint64_t now, uint64_t credit_max)
{
	uint64_t elapsed = now > b->last ? now - b->last : 0;

	b->last = now;
	b->credit = elapsed > credit_max - b->credit ? credit_max : b->credit + elapsed;
}

/* A tunnel and a port of one number are told apart. */
static struct bucket *source_of(struct worker_buckets *w, struct rte_mbuf *m)
{
	const struct pkt_meta *meta = pkt_meta(m);
	uint32_t number = meta->tunnel ? meta->tunnel : meta->iface + PUNT_SOURCES / 2u;

	return &w->of_source[number % PUNT_SOURCES];
}

int punt_put(
    struct punt *p, unsigned worker, enum punt_class c, struct rte_mbuf *m, uint64_t now_cycles)
{
	struct bucket *b = &p->of_worker[worker].of_class[c];
	struct bucket *source = c == PUNT_BGP ? source_of(&p->of_worker[worker], m) : NULL;

	refill(b, now_cycles, p->credit_max[c]);
	if (source)
		refill(source, now_cycles, p->source_max);
	if (b->credit < p->cost[c] || (source && source->credit < p->source_cost)) {
		count(&b->limited);
		return -1 - DROP_PUNT_LIMITED;
	}
	pkt_meta(m)->punt_class = (uint8_t)c;
	if (c == PUNT_IKE_INIT)
		pkt_meta(m)->punted_at = (uint32_t)(now_cycles >> PUNT_CLOCK_SHIFT);
	if (rte_ring_enqueue(p->ring[c], m) != 0) {
		count(&b->full);
		return -1 - DROP_PUNT_FULL;
	}
	b->credit -= p->cost[c];
	if (source)
		source->credit -= p->source_cost;
	count(&b->passed);
	return 0;
}

unsigned punt_take(struct punt *p, enum punt_class c, struct rte_mbuf **m, unsigned n)
{
	return rte_ring_dequeue_burst(p->ring[c], (void **)m, n, NULL);
}

void punt_counts(
    const struct punt *p, enum punt_class c, uint64_t *passed, uint64_t *limited, uint64_t *full)
{
	*passed = *limited = *full = 0;
	for (unsigned w = 0; w < p->workers; w++) {
		const struct bucket *b = &p->of_worker[w].of_class[c];

		*passed += __atomic_load_n(&b->passed, __ATOMIC_RELAXED);
		*limited += __atomic_load_n(&b->limited, __ATOMIC_RELAXED);
		*full += __atomic_load_n(&b->full, __ATOMIC_RELAXED);
	}
}
