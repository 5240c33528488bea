/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Publishing by index. An index that is released goes the way of its record: a struct departure
 * waits out the grace period in the epoch, then puts the index on the free list.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "base/log.h"
#include "base/mem.h"
#include "boundary/pages.h"
#include "boundary/records.h"

struct departure {
	struct records *r;
	uint32_t index;
	void (*free_fn)(void *);
};

/*
 * Among the SAs, in the memory of the crypto and the packets: with thousands of tunnels, records on small pages cost workers
 * a TLB entry each. Where that memory is at its end, what the system has does. AddressSanitizer looks after each
 * record apart.
 */
static void *from_eal(size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
	return NULL;
#else
	return rte_zmalloc("record", bytes, RTE_CACHE_LINE_SIZE);
#endif
}

void *record_new(size_t bytes)
{
	size_t whole = RTE_ALIGN(bytes, (size_t)RTE_CACHE_LINE_SIZE);
	void *rec = from_eal(whole);

	if (rec)
		return rec;
	rec = aligned_alloc(RTE_CACHE_LINE_SIZE, whole);
	if (!rec) {
		log_write(
		    LOG_ERROR, "boundary", NULL, "out of memory: no %zu bytes for a record", whole);
		abort();
	}
	return memset(rec, 0, whole);
}

void record_free(void *rec)
{
	if (rte_mem_virt2memseg_list(rec))
		rte_free(rec);
	else
		free(rec);
}

int records_init(struct records *r, struct epoch *e, uint32_t capacity)
{
	*r = (struct records){.capacity = capacity, .fresh = 1, .epoch = e};
	r->at = pages_alloc((capacity + 1) * sizeof(*r->at));
	if (!r->at)
		return -ENOMEM;
	r->free_list = xcalloc(capacity + 1, sizeof(*r->free_list));
	return 0;
}

void records_fini(struct records *r, void (*free_fn)(void *))
{
	if (!r->at)
		return;
	epoch_flush(r->epoch); /* departures refer to r */
	for (uint32_t i = 0; free_fn && i < r->fresh; i++)
		if (records_get(r, i))
			free_fn(records_get(r, i));
	pages_free(r->at, (r->capacity + 1) * sizeof(*r->at));
	free(r->free_list);
	*r = (struct records){0};
}

uint32_t records_alloc(struct records *r)
{
	if (r->free_count)
		return r->free_list[--r->free_count];
	if (r->fresh < r->capacity)
		return r->fresh++;
	return 0;
}

uint32_t records_used(const struct records *r)
{
	return r->fresh - 1 - r->free_count;
}

void records_publish(struct records *r, uint32_t index, void *rec, void (*free_fn)(void *))
{
	void *old = atomic_exchange_explicit(&r->at[index], rec, memory_order_acq_rel);

	if (old && free_fn)
		epoch_retire(r->epoch, free_fn, old);
}

static void index_back(void *ptr)
{
	struct departure *d = ptr;

	d->r->free_list[d->r->free_count++] = d->index;
	free(d);
}

static struct departure *departure_new(struct records *r, uint32_t index, void (*free_fn)(void *))
{
	struct departure *d = xmalloc(sizeof(*d));

	*d = (struct departure){.r = r, .index = index, .free_fn = free_fn};
	return d;
}

void records_release(struct records *r, uint32_t index, void (*free_fn)(void *))
{
	records_publish(r, index, NULL, free_fn);
	epoch_retire(r->epoch, index_back, departure_new(r, index, NULL));
}

static void release_now(void *ptr)
{
	struct departure *d = ptr;

	records_release(d->r, d->index, d->free_fn);
	free(d);
}

void records_release_late(struct records *r, uint32_t index, void (*free_fn)(void *))
{
	epoch_retire(r->epoch, release_now, departure_new(r, index, free_fn));
}
