/* SPDX-License-Identifier: BSD-3-Clause */
/* Policers: the account that workers share, and which slots have one. policer.h says how it works. */

#include <stdlib.h>

#include <rte_cycles.h>

#include "boundary/policer.h"

#define SHARE_OF_BURST 8 /* that lies with workers at most, as its inverse */

/* tokens: per second, times 2^-shift */
static struct policer_rate rate_of(
    uint64_t tokens, unsigned shift, uint64_t burst, unsigned workers, uint64_t hz)
{
	struct policer_rate r = {
	    .tokens_per_cycle =
		(uint64_t)(((unsigned __int128)tokens << (POLICER_SHIFT - shift)) / hz),
	    .chunk = burst / (SHARE_OF_BURST * workers),
	};

	r.depth = burst - workers * r.chunk;
	return r;
}

struct policer *policer_new(
    const struct policer_spec *spec, unsigned workers, uint64_t now, uint64_t hz)
{
	struct policer *p = record_new(sizeof(*p) + workers * sizeof(p->of_worker[0]));

	p->spec = *spec;
	p->workers = workers;
	p->start = now;
	p->rate[POLICER_BYTES] = rate_of(spec->bits_per_second, 3, spec->burst_bytes, workers, hz);
	p->rate[POLICER_PACKETS] =
	    rate_of(spec->packets_per_second, 0, spec->burst_packets, workers, hz);
	return p;
}

struct policer *policer_create(const struct policer_spec *spec, unsigned workers)
{
	return policer_new(spec, workers, rte_rdtsc(), rte_get_tsc_hz());
}

void policer_read(const struct policer *p, struct policer_share *sum)
{
	*sum = (struct policer_share){0};
	for (unsigned i = 0; i < p->workers; i++) {
		const struct policer_share *s = &p->of_worker[i];

		sum->passed += __atomic_load_n(&s->passed, __ATOMIC_RELAXED);
		sum->passed_bytes += __atomic_load_n(&s->passed_bytes, __ATOMIC_RELAXED);
		sum->dropped += __atomic_load_n(&s->dropped, __ATOMIC_RELAXED);
		sum->dropped_bytes += __atomic_load_n(&s->dropped_bytes, __ATOMIC_RELAXED);
	}
}

/* Tokens that may have been handed out by then. A worker's clock may be a little behind that of control at the start. */
static inline uint64_t issued_by(
    const struct policer *p, const struct policer_rate *r, uint64_t now)
{
	int64_t elapsed = (int64_t)(now - p->start);

	if (unlikely(elapsed < 0))
		elapsed = 0;
	return r->depth +
	    (uint64_t)(((unsigned __int128)elapsed * r->tokens_per_cycle) >> POLICER_SHIFT);
}

bool policer_claim(
    struct policer *p, enum policer_unit unit, uint64_t lack, uint64_t now, int64_t *credit)
{
	const struct policer_rate *r = &p->rate[unit];
	uint64_t issued = issued_by(p, r, now), from, grant;
	uint64_t taken = atomic_load_explicit(&p->taken[unit], memory_order_relaxed);

	do {
		/* what nobody took in time has run over the rim of the bucket */
		from = RTE_MAX(taken, issued - r->depth);
		int64_t left = (int64_t)(issued - from); /* below 0: in debt */

		if (left < (int64_t)RTE_MIN(lack, r->depth))
			return false;
		grant = lack;
		if (left > (int64_t)lack)
			grant += RTE_MIN((uint64_t)left - lack, r->chunk);
	} while (!atomic_compare_exchange_weak_explicit(
	    &p->taken[unit], &taken, from + grant, memory_order_relaxed, memory_order_relaxed));
	*credit += (int64_t)grant;
	return true;
}

/* ---- slots ---- */

int policings_init(struct policings *t, struct epoch *e, uint32_t slots)
{
	return records_init(&t->rec, e, slots);
}

void policings_fini(struct policings *t)
{
	for (uint32_t i = 0; t->rec.at && i < t->rec.capacity; i++)
		record_free(records_get(&t->rec, i));
	records_fini(&t->rec, NULL);
}

void policing_publish(struct policings *t, uint16_t slot, const struct policing *spec)
{
	const struct policing *old = policing_of(t, slot);
	struct policing *rec = NULL;

	if (spec && (spec->in[0] || spec->out[0])) {
		rec = record_new(sizeof(*rec));
		*rec = *spec;
	}
	if (!rec && !old)
		return;
	atomic_store_explicit(&t->in_use,
	    atomic_load_explicit(&t->in_use, memory_order_relaxed) + (rec != NULL) - (old != NULL),
	    memory_order_relaxed);
	records_publish(&t->rec, slot, rec, record_free);
}

void policer_retire(struct policings *t, struct policer *p)
{
	if (p)
		epoch_retire(t->rec.epoch, record_free, p);
}
