/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/pool.h"

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3u;
	return h ^ h >> 32;
}

/* The slot of the name, or the free one where it belongs. The table is never full. */
static struct names_slot *slot_of(const struct names *names, const char *name)
{
	size_t mask = names->capacity - 1;
	size_t i = hash(name) & mask;

	while (names->slots[i].name && strcmp(names->slots[i].name, name) != 0)
		i = (i + 1) & mask;
	return &names->slots[i];
}

static void grow(struct names *names)
{
	struct names wider = {.capacity = names->capacity ? 2 * names->capacity : 16};

	wider.slots = xcalloc(wider.capacity, sizeof(*wider.slots));
	wider.count = names->count;
	for (size_t i = 0; i < names->capacity; i++) {
		if (names->slots[i].name)
			*slot_of(&wider, names->slots[i].name) = names->slots[i];
	}
	free(names->slots);
	*names = wider;
}

void names_fini(struct names *names)
{
	free(names->slots);
	*names = (struct names){0};
}

void *names_put(struct names *names, const char *name, void *thing)
{
	struct names_slot *slot;

	if (2 * (names->count + 1) > names->capacity)
		grow(names);
	slot = slot_of(names, name);
	if (slot->name)
		return slot->thing;
	*slot = (struct names_slot){name, thing};
	names->count++;
	return NULL;
}

void *names_put_bytes(
    struct names *names, struct conf_pool *pool, const void *bytes, size_t len, void *thing)
{
	char *hex = pool_alloc(pool, 2 * len + 1);

	text_hex(bytes, len, hex, 2 * len + 1);
	return names_put(names, hex, thing);
}

void *names_get(const struct names *names, const char *name)
{
	return names->capacity ? slot_of(names, name)->thing : NULL;
}
