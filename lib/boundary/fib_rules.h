/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_FIB_RULES_H
#define BOUNDARY_FIB_RULES_H

/*
 * Control's own copy of the prefixes of a route table: exact matches by hash, and the longest
 * prefix around another, which takes over when that goes. Both families in one table.
 */

#include "base/ip.h"

struct fib_rules;

struct fib_rules *fib_rules_create(void);
void fib_rules_free(struct fib_rules *r);
/* Host bits of *p must be zero in all of these. 0: not there. */
uint16_t fib_rules_find(const struct fib_rules *r, const struct ip_prefix *p);
/* Adds or replaces. nexthop is not 0. */
void fib_rules_set(struct fib_rules *r, const struct ip_prefix *p, uint16_t nexthop);
/* Nothing happens when it is not there. */
void fib_rules_remove(struct fib_rules *r, const struct ip_prefix *p);
/* The longest prefix that covers *p, is shorter, and no default route: its next hop, and its
 * length in *len. 0 and *len 0 when there is none. */
uint16_t fib_rules_cover(const struct fib_rules *r, const struct ip_prefix *p, uint8_t *len);

#endif
