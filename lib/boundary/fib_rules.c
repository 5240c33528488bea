/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash table with linear probing, at most half full; a removal moves later entries of the chain
 * back, so that there are no tombstones. The hash is seeded, for prefixes come from BGP peers.
 * Lengths that no prefix has are counted, and skipped in the search for a cover.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_jhash.h>

#include "base/mem.h"
#include "base/rng.h"
#include "boundary/fib_rules.h"

#define RULES_MIN   64
#define LENGTHS_MAX 129

struct rule {
	struct ip_prefix prefix;
	uint16_t nexthop; /* 0: free */
};

struct fib_rules {
	struct rule *rule;
	uint32_t mask; /* of a power of two */
	uint32_t count;
	uint32_t seed;
	uint32_t of_length[2][LENGTHS_MAX]; /* by family (IPv6: 1) and length */
};

struct fib_rules *fib_rules_create(void)
{
	struct fib_rules *r = xcalloc(1, sizeof(*r));
	struct rng rng;

	rng_init_system(&rng);
	r->seed = rng_u32(&rng);
	r->rule = xcalloc(RULES_MIN, sizeof(*r->rule));
	r->mask = RULES_MIN - 1;
	return r;
}

void fib_rules_free(struct fib_rules *r)
{
	if (!r)
		return;
	free(r->rule);
	free(r);
}

static uint32_t *length_count(struct fib_rules *r, const struct ip_prefix *p)
{
	return &r->of_length[p->addr.family == IP_V6][p->len];
}

static uint32_t home(const struct fib_rules *r, const struct ip_prefix *p)
{
	uint32_t word[4];

	memcpy(word, p->addr.bytes, sizeof(word));
	return rte_jhash_32b(word, 4, r->seed ^ (p->addr.family << 8 | p->len)) & r->mask;
}

/* The rule of that prefix, or the free one at the end of its chain. */
static struct rule *seek(const struct fib_rules *r, const struct ip_prefix *p)
{
	for (uint32_t at = home(r, p);; at = (at + 1) & r->mask) {
		struct rule *rule = &r->rule[at];

		if (!rule->nexthop || ip_prefix_eq(&rule->prefix, p))
			return rule;
	}
}

uint16_t fib_rules_find(const struct fib_rules *r, const struct ip_prefix *p)
{
	return seek(r, p)->nexthop;
}

static void grow(struct fib_rules *r)
{
	struct rule *old = r->rule;
	uint32_t old_mask = r->mask;

	r->mask = 2 * old_mask + 1;
	r->rule = xcalloc((size_t)r->mask + 1, sizeof(*r->rule));
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i].nexthop)
			*seek(r, &old[i].prefix) = old[i];
	free(old);
}

void fib_rules_set(struct fib_rules *r, const struct ip_prefix *p, uint16_t nexthop)
{
	struct rule *rule = seek(r, p);

	if (!rule->nexthop) {
		if (2 * (r->count + 1) > r->mask) {
			grow(r);
			rule = seek(r, p);
		}
		rule->prefix = *p;
		r->count++;
		++*length_count(r, p);
	}
	rule->nexthop = nexthop;
}

void fib_rules_remove(struct fib_rules *r, const struct ip_prefix *p)
{
	struct rule *rule = seek(r, p);
	uint32_t hole = (uint32_t)(rule - r->rule);

	if (!rule->nexthop)
		return;
	r->count--;
	--*length_count(r, p);
	for (uint32_t at = (hole + 1) & r->mask; r->rule[at].nexthop; at = (at + 1) & r->mask) {
		uint32_t from_home = (at - home(r, &r->rule[at].prefix)) & r->mask;

		if (from_home < ((at - hole) & r->mask))
			continue; /* its chain begins behind the hole */
		r->rule[hole] = r->rule[at];
		hole = at;
	}
	r->rule[hole] = (struct rule){0};
}

uint16_t fib_rules_cover(const struct fib_rules *r, const struct ip_prefix *p, uint8_t *len)
{
	const uint32_t *count = r->of_length[p->addr.family == IP_V6];

	for (uint8_t l = p->len; l-- > 1;) {
		struct ip_prefix cover;
		uint16_t nexthop;

		if (!count[l])
			continue;
		cover = ip_prefix_of(&p->addr, l);
		nexthop = fib_rules_find(r, &cover);
		if (nexthop) {
			*len = l;
			return nexthop;
		}
	}
	*len = 0;
	return 0;
}
