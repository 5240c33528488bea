/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define BLOCK_BYTES 32768

struct block {
	struct block *next;
	size_t used;
	size_t capacity;
	alignas(max_align_t) unsigned char bytes[];
};

struct conf_pool {
	struct block *blocks; /* the first one has room, the others may */
};

struct conf_pool *pool_new(void)
{
	return xcalloc(1, sizeof(struct conf_pool));
}

void pool_free(struct conf_pool *pool)
{
	struct block *next;

	if (!pool)
		return;
	for (struct block *b = pool->blocks; b; b = next) {
		next = b->next;
		secret_free(b, sizeof(*b) + b->capacity);
	}
	free(pool);
}

void *pool_alloc(struct conf_pool *pool, size_t size)
{
	size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct block *b = pool->blocks;
	void *p;

	if (!b || b->capacity - b->used < need) {
		size_t capacity = need > BLOCK_BYTES ? need : BLOCK_BYTES;

		b = xcalloc(1, sizeof(*b) + capacity);
		b->capacity = capacity;
		b->next = pool->blocks;
		pool->blocks = b;
	}
	p = b->bytes + b->used;
	b->used += need;
	return p;
}

char *pool_text(struct conf_pool *pool, const char *s, size_t len)
{
	char *copy = pool_alloc(pool, len + 1);

	memcpy(copy, s, len);
	return copy;
}
