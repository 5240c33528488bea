/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_NEIGH_H
#define BOUNDARY_NEIGH_H

/*
 * Neighbours: (interface, address) -> the layer-2 header to put in front of a packet.
 *
 * An open-addressing hash table of indexes into `records`: one writer, readers without locks. A
 * reader takes the slot, then the record, and compares the key in the record, which it needs
 * anyway. A table that fills up is rebuilt at twice the size and published whole.
 */

#include "base/ip.h"
#include "boundary/iface.h"
#include "boundary/records.h"

enum neigh_state {
	NEIGH_INCOMPLETE, /* being resolved: workers punt */
	NEIGH_READY,
};

struct neigh { /* immutable once published */
	struct ip_addr addr;
	uint16_t iface;
	uint16_t port;
	uint8_t state;     /* enum neigh_state */
	uint8_t l2_bytes;  /* 14, or 18 with a VLAN tag */
	uint8_t l2_v4[18]; /* header with EtherType IPv4 */
	uint8_t l2_v6[18]; /* the same with EtherType IPv6 */
	uint32_t index;
} __rte_cache_aligned;
_Static_assert(
    offsetof(struct neigh, index) <= RTE_CACHE_LINE_SIZE, "one line is all that a worker reads");

struct neigh_table;

/* capacity: most neighbours. NULL with errno. */
struct neigh_table *neigh_table_create(struct epoch *e, uint32_t capacity);
void neigh_table_free(struct neigh_table *t);
/* Adds or replaces the neighbour of that interface and address; `iface` must be published.
 * Builds the layer-2 headers from `iface` and `mac` (NULL: incomplete). Returns its index,
 * stable until neigh_remove(), or -ENOSPC. */
int neigh_publish(struct neigh_table *t, const struct iface *iface, const struct ip_addr *addr,
    const struct rte_ether_addr *mac);
/* No longer found by address; neigh_get() of the index still finds it until a grace period has
 * passed. */
void neigh_remove(struct neigh_table *t, uint32_t index);

/* neigh_remove() of all on that interface, before its index can have another owner. */
void neigh_remove_iface(struct neigh_table *t, uint16_t iface);

/* Worker side: NULL when unknown. */
const struct neigh *neigh_find(
    const struct neigh_table *t, uint16_t iface, const struct ip_addr *addr);
const struct neigh *neigh_find_v4(const struct neigh_table *t, uint16_t iface, uint32_t addr_be);
const struct neigh *neigh_get(const struct neigh_table *t, uint32_t index);

#endif
