/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For each family a hash table with linear probing, at most three quarters full; 8 bytes per IPv4 prefix. The
 * hash is seeded, for prefixes come from BGP peers. Lengths that no prefix has are counted, and skipped in
 * the search for a cover.
 *
 * A table that grows does not move its entries at once: the larger one stands beside it, every change carries
 * some more over, and until all are there both are asked. A full table of a million routes is therefore
 * never a pause. A removal moves later entries of the chain back, so that there are no tombstones, but for
 * those in a table that is being left.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_jhash.h>

#include "base/mem.h"
#include "base/rng.h"
#include "boundary/fib_rules.h"

#define SLOTS_MIN    64
#define MOVED_AT_ONE 16 /* slots of the old table, per change */
#define LENGTHS_MAX  129
#define REMOVED      UINT16_MAX /* nexthop of an entry of the old table that is no more */

struct rule {
	uint16_t nexthop; /* 0: free */
	uint8_t len;
	uint8_t addr[]; /* 4 or 16 bytes */
};

struct slots {
	uint8_t *bytes;
	uint32_t mask; /* of a power of two */
	uint32_t count;
};

struct rules { /* of a family */
	struct slots now, old;
	uint32_t moved; /* slots of `old` that were carried over */
	uint32_t item_bytes, addr_bytes;
	uint32_t of_length[LENGTHS_MAX];
};

struct fib_rules {
	struct rules of_family[2]; /* IPv6: 1 */
	uint32_t seed;
};

static struct slots slots_of(const struct rules *r, uint32_t count)
{
	return (struct slots){xcalloc(count, r->item_bytes), count - 1, 0};
}

struct fib_rules *fib_rules_create(void)
{
	static const uint32_t addr_bytes[2] = {4, 16};
	struct fib_rules *r = xcalloc(1, sizeof(*r));
	struct rng rng;

	rng_init_system(&rng);
	r->seed = rng_u32(&rng);
	for (unsigned f = 0; f < RTE_DIM(r->of_family); f++) {
		struct rules *rules = &r->of_family[f];

		rules->addr_bytes = addr_bytes[f];
		rules->item_bytes = RTE_ALIGN_CEIL(sizeof(struct rule) + addr_bytes[f], 4);
		rules->now = slots_of(rules, SLOTS_MIN);
	}
	return r;
}

void fib_rules_free(struct fib_rules *r)
{
	if (!r)
		return;
	for (unsigned f = 0; f < RTE_DIM(r->of_family); f++) {
		free(r->of_family[f].now.bytes);
		free(r->of_family[f].old.bytes);
	}
	free(r);
}

static struct rule *at(const struct rules *r, const struct slots *s, uint32_t slot)
{
	return (struct rule *)(s->bytes + (size_t)slot * r->item_bytes);
}

static uint32_t hash(const struct fib_rules *all, const uint8_t *addr, uint32_t bytes, uint8_t len)
{
	uint32_t word[4] = {0};

	memcpy(word, addr, bytes);
	return bytes == 4 ? rte_jhash_1word(word[0], all->seed ^ len)
			  : rte_jhash_32b(word, 4, all->seed ^ (256u | len));
}

/* The rule of that prefix, or the free one at the end of its chain. */
static struct rule *seek(const struct fib_rules *all, const struct rules *r, const struct slots *s,
    const uint8_t *addr, uint8_t len)
{
	for (uint32_t i = hash(all, addr, r->addr_bytes, len) & s->mask;; i = (i + 1) & s->mask) {
		struct rule *rule = at(r, s, i);

		if (!rule->nexthop)
			return rule;
		if (rule->nexthop != REMOVED && rule->len == len &&
		    memcmp(rule->addr, addr, r->addr_bytes) == 0)
			return rule;
	}
}

static uint16_t find(
    const struct fib_rules *all, const struct rules *r, const uint8_t *addr, uint8_t len)
{
	uint16_t nexthop = seek(all, r, &r->now, addr, len)->nexthop;

	if (!nexthop && r->old.bytes)
		nexthop = seek(all, r, &r->old, addr, len)->nexthop;
	return nexthop;
}

/* ---- growing ---- */

static void put(const struct rules *r, struct slots *s, struct rule *rule, const uint8_t *addr,
    uint8_t len, uint16_t nexthop)
{
	if (!rule->nexthop) {
		rule->len = len;
		memcpy(rule->addr, addr, r->addr_bytes);
		s->count++;
	}
	rule->nexthop = nexthop;
}

static void move_some(const struct fib_rules *all, struct rules *r, uint32_t slots)
{
	while (r->old.bytes && slots-- > 0) {
		const struct rule *from = at(r, &r->old, r->moved);

		if (from->nexthop && from->nexthop != REMOVED) {
			struct rule *to = seek(all, r, &r->now, from->addr, from->len);

			if (!to->nexthop) /* else it has changed since */
				put(r, &r->now, to, from->addr, from->len, from->nexthop);
		}
		if (r->moved++ < r->old.mask)
			continue;
		free(r->old.bytes);
		r->old = (struct slots){0};
		r->moved = 0;
	}
}

/* Sixteen slots carried over per new entry: the old table is empty long before the new one is full. */
static void make_room(const struct fib_rules *all, struct rules *r)
{
	move_some(all, r, MOVED_AT_ONE);
	if (r->old.bytes || 4 * (uint64_t)(r->now.count + 1) <= 3 * ((uint64_t)r->now.mask + 1))
		return;
	r->old = r->now;
	r->now = slots_of(r, 2 * (r->old.mask + 1));
}

/* ---- changes ---- */

static void remove_from(
    const struct fib_rules *all, const struct rules *r, struct slots *s, struct rule *rule)
{
	uint32_t hole = (uint32_t)((size_t)((uint8_t *)rule - s->bytes) / r->item_bytes);

	s->count--;
	for (uint32_t i = (hole + 1) & s->mask; at(r, s, i)->nexthop; i = (i + 1) & s->mask) {
		const struct rule *later = at(r, s, i);
		uint32_t home = hash(all, later->addr, r->addr_bytes, later->len) & s->mask;

		if (((i - home) & s->mask) < ((i - hole) & s->mask))
			continue; /* its chain begins behind the hole */
		memcpy(at(r, s, hole), later, r->item_bytes);
		hole = i;
	}
	memset(at(r, s, hole), 0, r->item_bytes);
}

static struct rules *rules_of(struct fib_rules *all, const struct ip_prefix *p)
{
	return &all->of_family[p->addr.family == IP_V6];
}

uint16_t fib_rules_find(const struct fib_rules *all, const struct ip_prefix *p)
{
	return find(all, &all->of_family[p->addr.family == IP_V6], p->addr.bytes, p->len);
}

void fib_rules_set(struct fib_rules *all, const struct ip_prefix *p, uint16_t nexthop)
{
	struct rules *r = rules_of(all, p);
	const uint8_t *addr = p->addr.bytes;

	if (!find(all, r, addr, p->len)) {
		make_room(all, r);
		r->of_length[p->len]++;
	}
	put(r, &r->now, seek(all, r, &r->now, addr, p->len), addr, p->len, nexthop);
}

void fib_rules_remove(struct fib_rules *all, const struct ip_prefix *p)
{
	struct rules *r = rules_of(all, p);
	const uint8_t *addr = p->addr.bytes;
	struct rule *now = seek(all, r, &r->now, addr, p->len), *old;

	if (!find(all, r, addr, p->len))
		return;
	r->of_length[p->len]--;
	if (now->nexthop)
		remove_from(all, r, &r->now, now);
	old = r->old.bytes ? seek(all, r, &r->old, addr, p->len) : NULL;
	if (old && old->nexthop)
		old->nexthop = REMOVED;
	move_some(all, r, MOVED_AT_ONE);
}

uint16_t fib_rules_cover(const struct fib_rules *all, const struct ip_prefix *p, uint8_t *len)
{
	const struct rules *r = &all->of_family[p->addr.family == IP_V6];

	for (uint8_t l = p->len; l-- > 1;) {
		struct ip_prefix cover;
		uint16_t nexthop;

		if (!r->of_length[l])
			continue;
		cover = ip_prefix_of(&p->addr, l);
		nexthop = find(all, r, cover.addr.bytes, l);
		if (nexthop) {
			*len = l;
			return nexthop;
		}
	}
	*len = 0;
	return 0;
}
