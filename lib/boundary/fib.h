/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_FIB_H
#define BOUNDARY_FIB_H

/*
 * The longest-prefix table of one route table: rte_fib (DIR24_8) for IPv4, rte_fib6 (TRIE) for IPv6, next hop
 * = index of a struct nexthop. Its rte_rib is control's copy.
 *
 * rte_fib of 22.11 has no grace periods: a group of 256 entries (tbl8) freed by a delete could be reused while a worker
 * still follows the old pointer to it. fib_add() therefore waits for the grace period of the last delete
 * that may have freed one, before it lets the library allocate.
 */

#include <rte_fib.h>
#include <rte_fib6.h>

#include "base/ip.h"
#include "boundary/epoch.h"

struct fib {
	struct rte_fib *v4;
	struct rte_fib6 *v6; /* NULL until IPv6 is switched on for the table */
	uint16_t index;
	struct epoch *epoch;
	uint64_t freed_mark; /* control: of the last delete that may have freed a tbl8 */
	bool freed;	     /* control */
	uint32_t routes;     /* control */
	char name[64];
};

struct fib_limits {
	uint32_t routes; /* most prefixes */
	uint32_t tbl8;	 /* groups for prefixes longer than /24 */
	bool v6;
};

/* NULL with errno. `name` need not be unique. */
struct fib *fib_create(struct epoch *e, const char *name, uint16_t index, const struct fib_limits *limits);
/* Unpublish everything that points to it and wait for a grace period first. */
void fib_free(struct fib *f);
/* Adds or replaces. 0, -ENOSPC, -ENOMEM, -EINVAL (family off). */
int fib_set(struct fib *f, const struct ip_prefix *p, uint32_t nexthop);
/* 0 or -ENOENT. */
int fib_unset(struct fib *f, const struct ip_prefix *p);
/* Control's copy: the exact prefix; -ENOENT. */
int fib_exact(const struct fib *f, const struct ip_prefix *p, uint32_t *nexthop);
/* The very lookup of the data path, for `explain`; index 0: no route. */
uint32_t fib_lookup_one(const struct fib *f, const struct ip_addr *dst);

/* Worker side: n addresses in host order. */
static inline void fib_lookup_v4(const struct fib *f, uint32_t *dst, uint64_t *nexthop, unsigned n)
{
	rte_fib_lookup_bulk(f->v4, dst, nexthop, n);
}

#endif
