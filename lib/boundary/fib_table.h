/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_FIB_TABLE_H
#define BOUNDARY_FIB_TABLE_H

/*
 * A longest-prefix table of one address family: 2^24 entries for the first 24 bits of an address,
 * then groups of 256 entries, one byte of the address each (at most one group on the way for IPv4,
 * 13 for IPv6).
 *
 * An entry of 16 bits is the answer for all addresses under it, or FIB_GROUP and the number of the
 * group to go on in. 0: nothing longer than the default route, which has a word of its own; so
 * changing it touches one word, and a table costs memory only where it has prefixes.
 *
 * One writer, readers without locks. Every store of an entry moves the addresses under it from
 * their old answer to their new one and to nothing else: a group is filled with the answer it takes
 * over before an entry points to it, and one that is no longer needed stays as it is until a grace
 * period has passed.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <rte_prefetch.h>

#include "boundary/epoch.h"

#define FIB_TOP_BITS      24
#define FIB_GROUP_ENTRIES 256
#define FIB_GROUPS_MAX    32768
#define FIB_NEXTHOP_MAX   32767
#define FIB_GROUP         0x8000 /* in an entry: the rest is the number of a group */

typedef _Atomic uint16_t fib_entry;

struct fib_group;

struct fib_table {
	fib_entry *top;            /* NULL: the family is off */
	fib_entry *groups;         /* FIB_GROUP_ENTRIES each */
	fib_entry default_nexthop; /* 0: none */
	/* the rest is control's */
	bool calm;          /* the kernel is asked for memory in small pages */
	uint16_t backed;    /* by part of the top: it has memory */
	bool changed;       /* entries were stored since the default route was */
	uint8_t *top_depth; /* by entry: length of the prefix that gave the answer */
	uint8_t *group_depth;
	struct fib_group *group; /* by number: how many prefixes need it */
	uint32_t group_capacity;
	uint32_t groups_fresh; /* numbers from here on were never used */
	uint32_t groups_used;  /* reachable */
	uint32_t groups_grace; /* unreachable, in their grace period */
	struct fib_group *free;
	struct epoch *epoch;
};

/* groups: 0..FIB_GROUPS_MAX. 0 or -ENOMEM. */
int fib_table_init(struct fib_table *t, struct epoch *e, uint32_t groups);
/* No worker may hold the table. */
/* Takes the memory of the top entries now, not when routes come. */
void fib_table_touch(struct fib_table *t);
/* From now on no change waits for the kernel to find large pages. */
void fib_table_calm(struct fib_table *t);
void fib_table_fini(struct fib_table *t);
/* The prefix addr/len gets an answer. fresh: the table did not have it. 0, or -ENOSPC when
 * groups are short. */
int fib_table_set(
    struct fib_table *t, const uint8_t *addr, uint8_t len, uint16_t nexthop, bool fresh);
/* The prefix addr/len, which the table has, goes: what was its own gets the answer of the
 * longest prefix around it. cover_nexthop 0, cover_len 0: there is none but the default route. */
void fib_table_unset(struct fib_table *t, const uint8_t *addr, uint8_t len, uint16_t cover_nexthop,
    uint8_t cover_len);

/* `entry` was loaded before: its 0 means that the default route answers. */
static inline uint16_t fib_table_answer(const struct fib_table *t, uint16_t entry)
{
	return entry ? entry : atomic_load_explicit(&t->default_nexthop, memory_order_relaxed);
}

static inline uint16_t fib_table_follow(const struct fib_table *t, uint16_t entry, uint8_t byte)
{
	size_t at = (size_t)(entry & ~FIB_GROUP) * FIB_GROUP_ENTRIES + byte;

	return atomic_load_explicit(&t->groups[at], memory_order_acquire);
}

/* Worker side. dst in host order. */
static inline uint16_t fib_table_lookup_v4(const struct fib_table *t, uint32_t dst)
{
	uint16_t entry = atomic_load_explicit(&t->top[dst >> 8], memory_order_acquire);

	if (entry & FIB_GROUP)
		entry = fib_table_follow(t, entry, (uint8_t)dst);
	return fib_table_answer(t, entry);
}

static inline uint32_t fib_table_top_index(const uint8_t *addr)
{
	return (uint32_t)addr[0] << 16 | (uint32_t)addr[1] << 8 | addr[2];
}

/* Worker side. addr: 16 bytes in network order. */
static inline uint16_t fib_table_lookup_v6(const struct fib_table *t, const uint8_t *addr)
{
	const uint8_t *byte = addr + FIB_TOP_BITS / 8;
	uint16_t entry =
	    atomic_load_explicit(&t->top[fib_table_top_index(addr)], memory_order_acquire);

	while (entry & FIB_GROUP)
		entry = fib_table_follow(t, entry, *byte++);
	return fib_table_answer(t, entry);
}

#endif
