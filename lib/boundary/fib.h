/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_FIB_H
#define BOUNDARY_FIB_H

/*
 * The longest-prefix table of one route table: a struct fib_table for each family, read by workers,
 * and control's own copy of the prefixes. Next hop = index of a struct nexthop.
 *
 * Not over rte_fib: that of DPDK 22.11 clears a group of 256 entries while a worker may still read
 * it, and hands it out again within the same call. Measured: of 3.2e9 lookups beside 230,000
 * additions and deletions of a /28, 4,553 found no route although a /8 lay underneath; rte_fib6
 * alike.
 */

#include "base/ip.h"
#include "boundary/epoch.h"
#include "boundary/fib_table.h"

struct fib_rules;

struct fib {
	struct fib_table v4;
	struct fib_table v6; /* .top is NULL until IPv6 is switched on for the table */
	uint16_t index;
	char name[64];
	/* control's */
	uint32_t routes;
	uint32_t routes_max;
	struct fib_rules *rules;
};

struct fib_limits {
	uint32_t routes; /* most prefixes */
	uint32_t groups; /* per family, for prefixes longer than /24; <= FIB_GROUPS_MAX */
	bool v6;
	bool many; /* take memory for many IPv4 routes at once, for control has time now */
};

/* NULL with errno. `name` need not be unique. Takes memory as it fills, 32 MiB at most for its
 * top entries. */
struct fib *fib_create(
    struct epoch *e, const char *name, uint16_t index, const struct fib_limits *limits);
/* From now on memory is taken without waiting for large pages: for tables that fill while the router is at work. */
void fib_calm(struct fib *f);
/* Unpublish everything that points to it and wait for a grace period first. */
void fib_free(struct fib *f);
/* Adds or replaces. nexthop: 1..FIB_NEXTHOP_MAX. 0, -ENOSPC, -EINVAL (family off, no such next
 * hop). */
int fib_set(struct fib *f, const struct ip_prefix *p, uint32_t nexthop);
/* 0 or -ENOENT. */
int fib_unset(struct fib *f, const struct ip_prefix *p);
/* Control's copy: the exact prefix. 0 or -ENOENT. */
int fib_exact(const struct fib *f, const struct ip_prefix *p, uint32_t *nexthop);
/* The very lookup of the data path, for `explain`; index 0: no route. */
uint32_t fib_lookup_one(const struct fib *f, const struct ip_addr *dst);

/* Worker side: n addresses in host order; nexthop[i] 0: no route. */
/* What fib_lookup_v4() reads first; for all addresses before the lookup of the first. */
static inline void fib_prefetch_v4(const struct fib *f, uint32_t dst)
{
	rte_prefetch0((const void *)&f->v4.top[dst >> 8]);
}
static inline uint32_t fib_lookup_v4_one(const struct fib *f, uint32_t dst)
{
	return fib_table_lookup_v4(&f->v4, dst);
}
static inline void fib_lookup_v4(
    const struct fib *f, const uint32_t *dst, uint32_t *nexthop, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		nexthop[i] = fib_lookup_v4_one(f, dst[i]);
}

/* Worker side: n addresses of 16 bytes in network order; the family must be on. */
static inline void fib_lookup_v6(
    const struct fib *f, const uint8_t *const *dst, uint32_t *nexthop, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0((const void *)&f->v6.top[fib_table_top_index(dst[i])]);
	for (unsigned i = 0; i < n; i++)
		nexthop[i] = fib_table_lookup_v6(&f->v6, dst[i]);
}

#endif
