/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_INJECT_H
#define BOUNDARY_INJECT_H

/* Packets from control to the workers: one ring per worker. Counted as received on SLOT_CONTROL. */

#include <stdbool.h>

#include <rte_mbuf.h>

enum inject_kind {      /* pkt_meta.detail */
	INJECT_FRAME,   /* complete frame for meta.port */
	INJECT_NEXTHOP, /* IP packet for the leaf meta.nexthop; fragmented if need be */
	INJECT_ROUTE,   /* answer of the router, by the table of meta.iface, where it was asked */
	INJECT_TUNNEL,  /* IP packet into meta.tunnel */
};

struct inject;

struct inject *inject_create(unsigned workers, unsigned ring_size);
void inject_free(struct inject *i);
/* Control: 0, or -ENOBUFS (the packet stays the caller's). meta.detail and what it needs must be
 * set. */
int inject_put(struct inject *i, unsigned worker, struct rte_mbuf *m);
/* Worker: up to n packets, now owned by the caller. */
unsigned inject_take(struct inject *i, unsigned worker, struct rte_mbuf **m, unsigned n);
/* Worker: are there more? */
bool inject_is_empty(const struct inject *i, unsigned worker);

#endif
