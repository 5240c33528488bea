/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_RECORDS_H
#define BOUNDARY_RECORDS_H

/*
 * The one publishing primitive: an array of pointers to records that workers read by index. An
 * index is allocated by control and comes back for reuse only after a grace period, so that a
 * worker never sees the record of a new owner under an index it read before. Records stand in
 * memory of their own, from record_new(), so that no two share a cache line.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "boundary/epoch.h"

struct records {
	_Atomic(void *) *at; /* workers read; NULL: nothing published */
	uint32_t capacity;   /* indexes are 1..capacity-1 */
	uint32_t *free_list; /* control */
	uint32_t free_count;
	uint32_t fresh; /* control: indexes from here on were never used */
	struct epoch *epoch;
};

/* A zeroed record on cache lines of its own, on large pages where there are any. Aborts without memory. */
void *record_new(size_t bytes);
/* rec may be NULL. */
void record_free(void *rec);

/* 0 or -ENOMEM. Index 0 is never handed out by records_alloc(). */
int records_init(struct records *r, struct epoch *e, uint32_t capacity);
/* Frees the records that are published; no worker may read them any more. */
void records_fini(struct records *r, void (*free_fn)(void *));
/* A free index, or 0 when all are in use. */
uint32_t records_alloc(struct records *r);
/* Publishes `rec` (may be NULL) at `index`; the record it replaces goes to epoch_retire(free_fn)
 * unless free_fn is NULL. */
void records_publish(struct records *r, uint32_t index, void *rec, void (*free_fn)(void *));
/* Unpublishes, retires the record, and gives the index back after the grace period. */
void records_release(struct records *r, uint32_t index, void (*free_fn)(void *));
/* The same, one grace period later: who still holds the index finds its record. For records
 * without pointers to what the caller frees by itself. */
void records_release_late(struct records *r, uint32_t index, void (*free_fn)(void *));
/* Control: how many indexes are in use, or in their grace period. */
uint32_t records_used(const struct records *r);

/* Worker side; also control. */
static inline void *records_get(const struct records *r, uint32_t index)
{
	return atomic_load_explicit(&r->at[index], memory_order_acquire);
}

#endif
