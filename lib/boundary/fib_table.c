/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's side of a longest-prefix table; fib_table.h says what readers see.
 *
 * By each entry stands the length of the prefix that gave its answer, so that a prefix only takes
 * entries from shorter ones. A group counts the prefixes that end in it or go on through it;
 * without any, all its entries are the answer of what lies around it, which moves up into the entry
 * that pointed to the group.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "boundary/fib_table.h"
#include "boundary/pages.h"

#define TOP_ENTRIES ((size_t)1 << FIB_TOP_BITS)
#define PART_BITS   20 /* entries of the top that get their memory together, 3 MiB */
#define PARTS       (TOP_ENTRIES >> PART_BITS)
#define LEVELS_MAX  14 /* the top, and a group for each further byte of an IPv6 address */

struct fib_group {
	struct fib_table *table;
	struct fib_group *next_free;
	uint32_t prefixes;
};

/* An entry and the length that belongs to it. */
struct place {
	fib_entry *entry;
	uint8_t *depth;
};

/* What entries get whose answer is of a prefix no longer than `over`. */
struct answer {
	uint16_t nexthop;
	uint8_t depth;
	uint8_t over;
};

static uint16_t load(const fib_entry *e)
{
	return atomic_load_explicit(e, memory_order_relaxed); /* the writer reads its own */
}

static void store(fib_entry *e, uint16_t value)
{
	atomic_store_explicit(e, value, memory_order_release);
}

int fib_table_init(struct fib_table *t, struct epoch *e, uint32_t groups)
{
	size_t entries = (size_t)groups * FIB_GROUP_ENTRIES;

	*t = (struct fib_table){.group_capacity = groups, .epoch = e};
	t->top = pages_alloc(TOP_ENTRIES * sizeof(*t->top));
	t->top_depth = pages_alloc(TOP_ENTRIES);
	t->groups = pages_alloc((entries + 1) * sizeof(*t->groups));
	t->group_depth = pages_alloc(entries + 1);
	t->group = xcalloc(groups, sizeof(*t->group));
	if (t->top && t->top_depth && t->groups && t->group_depth)
		return 0;
	fib_table_fini(t);
	return -ENOMEM;
}

void fib_table_touch(struct fib_table *t)
{
	pages_touch(t->top, TOP_ENTRIES * sizeof(*t->top));
	pages_touch(t->top_depth, TOP_ENTRIES);
	t->backed = (1u << PARTS) - 1;
}

void fib_table_calm(struct fib_table *t)
{
	size_t entries = (size_t)t->group_capacity * FIB_GROUP_ENTRIES;

	if (t->calm || !t->top)
		return;
	t->calm = true;
	pages_small(t->groups, (entries + 1) * sizeof(*t->groups));
	pages_small(t->group_depth, entries + 1);
}

/* The memory of n entries of the top, with those around them. */
static void back(struct fib_table *t, size_t first, size_t n)
{
	for (size_t i = first >> PART_BITS; i <= (first + n - 1) >> PART_BITS; i++) {
		size_t at = i << PART_BITS;

		if (t->backed >> i & 1)
			continue;
		t->backed |= (uint16_t)(1u << i);
		if (!t->calm)
			continue;
		pages_touch_small(&t->top[at], sizeof(*t->top) << PART_BITS);
		pages_touch_small(&t->top_depth[at], (size_t)1 << PART_BITS);
	}
}

void fib_table_fini(struct fib_table *t)
{
	size_t entries = (size_t)t->group_capacity * FIB_GROUP_ENTRIES;

	if (t->groups_grace)
		epoch_flush(t->epoch);
	pages_free(t->top, TOP_ENTRIES * sizeof(*t->top));
	pages_free(t->top_depth, TOP_ENTRIES);
	pages_free(t->groups, (entries + 1) * sizeof(*t->groups));
	pages_free(t->group_depth, entries + 1);
	free(t->group);
	*t = (struct fib_table){0};
}

static struct place group_place(const struct fib_table *t, uint32_t number)
{
	size_t at = (size_t)number * FIB_GROUP_ENTRIES;

	return (struct place){&t->groups[at], &t->group_depth[at]};
}

static unsigned level_of(uint8_t len)
{
	return len <= FIB_TOP_BITS ? 0 : (len - FIB_TOP_BITS + 7) / 8;
}

/* Entries under a prefix on its level. */
static size_t span_of(uint8_t len)
{
	return (size_t)1 << (FIB_TOP_BITS + 8 * level_of(len) - len);
}

static struct place top_place(const struct fib_table *t, const uint8_t *addr)
{
	uint32_t at = fib_table_top_index(addr);

	return (struct place){&t->top[at], &t->top_depth[at]};
}

/* The place of the address in group `number`, which is of that level. */
static struct place inner_place(
    const struct fib_table *t, uint32_t number, const uint8_t *addr, unsigned level)
{
	struct place p = group_place(t, number);
	uint8_t byte = addr[FIB_TOP_BITS / 8 + level - 1];

	return (struct place){p.entry + byte, p.depth + byte};
}

/* Gives the answer to n entries and all under them. */
static void fill(struct fib_table *t, struct place p, size_t n, struct answer a)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t entry = load(&p.entry[i]);

		if (entry & FIB_GROUP) { /* at most LEVELS_MAX deep */
			fill(t, group_place(t, entry & ~FIB_GROUP), FIB_GROUP_ENTRIES, a);
		} else if (p.depth[i] <= a.over) {
			p.depth[i] = a.depth;
			store(&p.entry[i], a.nexthop);
		}
	}
}

static void group_back(void *ptr)
{
	struct fib_group *g = ptr;
	struct fib_table *t = g->table;

	t->groups_grace--;
	g->next_free = t->free;
	t->free = g;
}

/* Makes sure of n groups. 0, or -ENOSPC. */
static int reserve(struct fib_table *t, uint32_t n)
{
	uint32_t unreached = t->group_capacity - t->groups_used;

	if (n > unreached)
		return -ENOSPC;
	if (n > unreached - t->groups_grace)
		epoch_reclaim(t->epoch);
	if (n > unreached - t->groups_grace && epoch_wait(t->epoch))
		epoch_reclaim(t->epoch);
	return n > unreached - t->groups_grace ? -ENOSPC : 0;
}

/* Puts a group under an entry that had an answer; a reserved one. Returns its number. */
static uint32_t open_group(struct fib_table *t, struct place p)
{
	struct fib_group *g = t->free;
	struct place inner;
	uint32_t number;

	if (g)
		t->free = g->next_free;
	else
		g = &t->group[t->groups_fresh++];
	*g = (struct fib_group){.table = t};
	t->groups_used++;
	number = (uint32_t)(g - t->group);
	inner = group_place(t, number);
	for (unsigned i = 0; i < FIB_GROUP_ENTRIES; i++) {
		inner.depth[i] = *p.depth;
		store(&inner.entry[i], load(p.entry));
	}
	store(p.entry, (uint16_t)(FIB_GROUP | number));
	return number;
}

/* The group under an entry has no prefix left: its one answer moves up. Readers may still be in
 * it. */
static void close_group(struct fib_table *t, struct place p)
{
	uint32_t number = load(p.entry) & ~FIB_GROUP;
	struct place inner = group_place(t, number);

	*p.depth = *inner.depth;
	store(p.entry, load(inner.entry));
	t->groups_used--;
	t->groups_grace++;
	epoch_retire(t->epoch, group_back, &t->group[number]);
}

/* The places of an address on each level down to `level`, or to the last that is there. Returns
 * that. */
static unsigned walk(
    const struct fib_table *t, const uint8_t *addr, unsigned level, struct place path[])
{
	unsigned at = 0;

	path[0] = top_place(t, addr);
	while (at < level && load(path[at].entry) & FIB_GROUP) {
		path[at + 1] = inner_place(t, load(path[at].entry) & ~FIB_GROUP, addr, at + 1);
		at++;
	}
	return at;
}

/*
 * A reader that found 0 in an entry asks for the default route next. What it found must not be
 * older than what the default route stands on, so the stores before this one get a grace period.
 */
static void set_default(struct fib_table *t, uint16_t nexthop)
{
	if (t->changed)
		epoch_wait(t->epoch);
	t->changed = false;
	store(&t->default_nexthop, nexthop);
}

int fib_table_set(
    struct fib_table *t, const uint8_t *addr, uint8_t len, uint16_t nexthop, bool fresh)
{
	unsigned level = level_of(len);
	struct place path[LEVELS_MAX];
	unsigned reached;

	if (len == 0) {
		set_default(t, nexthop);
		return 0;
	}
	back(t, fib_table_top_index(addr), level ? 1 : span_of(len));
	reached = walk(t, addr, level, path);
	if (reserve(t, level - reached))
		return -ENOSPC;
	for (; reached < level; reached++)
		path[reached + 1] = inner_place(t, open_group(t, path[reached]), addr, reached + 1);
	for (unsigned i = 0; fresh && i < level; i++)
		t->group[load(path[i].entry) & ~FIB_GROUP].prefixes++;
	t->changed = true;
	fill(t, path[level], span_of(len), (struct answer){nexthop, len, len});
	return 0;
}

void fib_table_unset(struct fib_table *t, const uint8_t *addr, uint8_t len, uint16_t cover_nexthop,
    uint8_t cover_len)
{
	unsigned level = level_of(len);
	struct place path[LEVELS_MAX];

	if (len == 0) {
		set_default(t, 0);
		return;
	}
	walk(t, addr, level, path);
	t->changed = true;
	fill(t, path[level], span_of(len), (struct answer){cover_nexthop, cover_len, len});
	for (unsigned i = level; i-- > 0;)
		if (--t->group[load(path[i].entry) & ~FIB_GROUP].prefixes == 0)
			close_group(t, path[i]);
}
