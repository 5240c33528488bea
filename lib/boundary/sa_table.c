/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * SPI -> inbound SA, an open-addressing table with one writer and readers without locks.
 *
 * A deleted entry leaves a tombstone, so that a reader on its way along a chain is not cut off. An insertion
 * may take a tombstone's place. When tombstones leave too few empty slots, which end a search, a new
 * table is filled, published whole, and the old one retired.
 */

#include "boundary/sa_table.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "base/mem.h"

/* SPI 0 is never on a wire (RFC 4303 2.1), so no search ends at it. */
static struct sa_in tombstone;

static inline uint32_t first_slot(const struct spi_slots *s, uint32_t spi)
{
	return (spi * UINT32_C(0x9e3779b1) ^ spi >> 15) & s->mask;
}

static struct spi_slots *make_slots(uint32_t capacity)
{
	uint32_t count = rte_align32pow2(2 * RTE_MAX(capacity, 8u));
	struct spi_slots *s =
	    rte_zmalloc("spi", sizeof(*s) + count * sizeof(s->at[0]), RTE_CACHE_LINE_SIZE);

	if (s)
		s->mask = count - 1;
	return s;
}

struct sa_table *sa_table_create(
    struct epoch *e, struct crypto *c, unsigned workers, uint32_t capacity)
{
	struct sa_table *t = xcalloc(1, sizeof(*t));
	struct spi_slots *s = make_slots(capacity);

	if (!s) {
		free(t);
		errno = ENOMEM;
		return NULL;
	}
	atomic_init(&t->slots, s);
	list_init(&t->outbound);
	t->capacity = capacity;
	t->workers = workers;
	t->crypto = c;
	t->epoch = e;
	return t;
}

void sa_table_free(struct sa_table *t)
{
	struct spi_slots *s;

	if (!t)
		return;
	sa_free_rest(t);
	s = atomic_load(&t->slots);
	for (uint32_t i = 0; i <= s->mask; i++) {
		struct sa_in *sa = atomic_load(&s->at[i]);

		if (sa && sa != &tombstone)
			sa_in_free(sa);
	}
	rte_free(s);
	free(t);
}

static inline struct sa_in *find(const struct spi_slots *s, uint32_t spi)
{
	if (spi == 0)
		return NULL;
	for (uint32_t i = first_slot(s, spi);; i = (i + 1) & s->mask) {
		struct sa_in *sa = atomic_load_explicit(&s->at[i], memory_order_acquire);

		if (!sa || sa->head.spi == spi)
			return sa;
	}
}

bool sa_many_in(const struct sa_table *t)
{
	return atomic_load_explicit(&t->live, memory_order_relaxed) > SA_FEW;
}

struct sa_in *sa_in_find(const struct sa_table *t, uint32_t spi)
{
	return find(atomic_load_explicit(&t->slots, memory_order_acquire), spi);
}

/* The record is most often the first of its chain. */
static inline void fetch(const struct spi_slots *s, uint32_t spi)
{
	const struct sa_in *sa =
	    atomic_load_explicit(&s->at[first_slot(s, spi)], memory_order_relaxed);

	/* As a number: a prefetch of nothing is harmless, NULL + 64 as a pointer is not C. */
	rte_prefetch0(sa);
	rte_prefetch0((const void *)((uintptr_t)sa + RTE_CACHE_LINE_SIZE));
}

static inline bool one_spi(const uint32_t *spi, unsigned n)
{
	uint32_t difference = 0;

	for (unsigned i = 1; i < n; i++)
		difference |= spi[i] ^ spi[0];
	return difference == 0;
}

void sa_in_find_burst(const struct sa_table *t, const uint32_t *spi, struct sa_in **sa, unsigned n)
{
	const struct spi_slots *s = atomic_load_explicit(&t->slots, memory_order_acquire);

	if (one_spi(spi, n)) {
		sa[0] = find(s, spi[0]);
		for (unsigned i = 1; i < n; i++)
			sa[i] = sa[0];
		return;
	}
	if (sa_many_in(t)) {
		for (unsigned i = 0; i < n; i++)
			rte_prefetch0((const void *)&s->at[first_slot(s, spi[i])]);
		for (unsigned i = 0; i < n; i++)
			fetch(s, spi[i]);
	}
	for (unsigned i = 0; i < n; i++)
		sa[i] = find(s, spi[i]);
}

bool sa_spi_in_use(const struct sa_table *t, uint32_t spi)
{
	return sa_in_find(t, spi) != NULL;
}

/* Into the first slot of its chain that is empty or a tombstone. Returns whether it was empty. */
static bool place(struct spi_slots *s, struct sa_in *sa)
{
	uint32_t i = first_slot(s, sa->head.spi);
	struct sa_in *old = atomic_load_explicit(&s->at[i], memory_order_relaxed);

	while (old && old != &tombstone) {
		i = (i + 1) & s->mask;
		old = atomic_load_explicit(&s->at[i], memory_order_relaxed);
	}
	atomic_store_explicit(&s->at[i], sa, memory_order_release);
	return !old;
}

static int rebuild(struct sa_table *t)
{
	struct spi_slots *old = atomic_load(&t->slots);
	struct spi_slots *fresh = make_slots(t->capacity);

	if (!fresh)
		return -ENOMEM;
	for (uint32_t i = 0; i <= old->mask; i++) {
		struct sa_in *sa = atomic_load(&old->at[i]);

		if (sa && sa != &tombstone)
			place(fresh, sa);
	}
	t->filled = t->live;
	atomic_store_explicit(&t->slots, fresh, memory_order_release);
	epoch_retire(t->epoch, rte_free, old);
	return 0;
}

int sa_table_insert(struct sa_table *t, struct sa_in *sa)
{
	struct spi_slots *s = atomic_load(&t->slots);

	if (sa_spi_in_use(t, sa->head.spi))
		return -EEXIST;
	if (t->live == t->capacity)
		return -ENOSPC;
	if (t->filled + 1 > s->mask / 4 * 3) {
		int rc = rebuild(t);

		if (rc)
			return rc;
		s = atomic_load(&t->slots);
	}
	t->live++;
	t->filled += place(s, sa);
	return 0;
}

void sa_table_delete(struct sa_table *t, struct sa_in *sa)
{
	struct spi_slots *s = atomic_load(&t->slots);
	uint32_t i = first_slot(s, sa->head.spi);

	while (atomic_load_explicit(&s->at[i], memory_order_relaxed) != sa)
		i = (i + 1) & s->mask;
	atomic_store_explicit(&s->at[i], &tombstone, memory_order_release);
	t->live--;
}
