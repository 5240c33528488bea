/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Prefixes grouped by the set they are told, so that each set is written as seldom as possible. A bucket
 * holds one reference to its set, an item one to its prefix. Bucket 0 is the withdrawals, and goes first.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bgp/out.h"

#define BUCKETS_MIN 16
#define ITEMS_MIN   64

static uint32_t index_of(const struct bgp_batch *b, uint32_t set)
{
	return (uint32_t)(set * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (b->index_room - 1);
}

static void index_put(struct bgp_batch *b, uint32_t bucket)
{
	uint32_t i = index_of(b, b->bucket[bucket].set);

	while (b->index[i])
		i = (i + 1) & (b->index_room - 1);
	b->index[i] = bucket;
}

static void grow_index(struct bgp_batch *b)
{
	b->index_room = b->index_room ? 4 * b->index_room : 4 * BUCKETS_MIN;
	free(b->index);
	b->index = xcalloc(b->index_room, sizeof(b->index[0]));
	for (uint32_t i = 1; i < b->buckets; i++)
		index_put(b, i);
}

static void add_bucket(struct bgp_batch *b, uint32_t set)
{
	if (b->buckets == b->bucket_room) {
		b->bucket_room = b->bucket_room ? 2 * b->bucket_room : BUCKETS_MIN;
		b->bucket = xrealloc(b->bucket, b->bucket_room * sizeof(b->bucket[0]));
	}
	b->bucket[b->buckets++] = (struct bgp_bucket){.set = set};
	if (set)
		index_put(b, b->buckets - 1);
}

/* Found, or 0: there is none (bucket 0 is not looked for). */
static uint32_t find_bucket(const struct bgp_batch *b, uint32_t set)
{
	uint32_t i = index_of(b, set);

	while (b->index[i] && b->bucket[b->index[i]].set != set)
		i = (i + 1) & (b->index_room - 1);
	return b->index[i];
}

/* *is_new: the bucket takes over the reference to the set. */
static uint32_t bucket_for(struct bgp_batch *b, uint32_t set, bool *is_new)
{
	uint32_t bucket;

	*is_new = false;
	if (b->buckets == 0)
		add_bucket(b, 0);
	if (!set)
		return 0;
	if (2 * b->buckets >= b->index_room)
		grow_index(b);
	bucket = find_bucket(b, set);
	if (bucket)
		return bucket;
	*is_new = true;
	add_bucket(b, set);
	return b->buckets - 1;
}

bool bgp_batch_add(struct bgp_batch *b, uint32_t net, uint32_t set)
{
	bool is_new;
	uint32_t at = bucket_for(b, set, &is_new), item;
	struct bgp_bucket *bucket = &b->bucket[at];

	if (b->items + 1 >= b->item_room) {
		b->item_room = b->item_room ? 2 * b->item_room : ITEMS_MIN;
		b->item = xrealloc(b->item, b->item_room * sizeof(b->item[0]));
	}
	item = ++b->items;
	b->item[item] = (struct bgp_item){.net = net};
	if (bucket->last)
		b->item[bucket->last].next = item;
	else
		bucket->first = item;
	bucket->last = item;
	return is_new;
}

uint32_t bgp_batch_peek(const struct bgp_batch *b)
{
	uint32_t item = b->bucket[b->at].first;

	return item ? b->item[item].net : 0;
}

uint32_t bgp_batch_take(struct bgp_batch *b)
{
	struct bgp_bucket *bucket = &b->bucket[b->at];
	uint32_t item = bucket->first;

	if (!item)
		return 0;
	bucket->first = b->item[item].next;
	if (!bucket->first)
		bucket->last = 0;
	return b->item[item].net;
}

void bgp_batch_clear(struct bgp_batch *b)
{
	free(b->bucket);
	free(b->item);
	free(b->index);
	*b = (struct bgp_batch){0};
}
