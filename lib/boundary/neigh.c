/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: records by index, and a hash table of indexes with linear probing.
 *
 * The writer fills a free slot or turns one into a tombstone, never moves an index within a table,
 * and publishes a rebuilt table whole. So a reader that probes on until a free slot finds each key
 * that was there all the while. A slot whose record is gone or has another key is passed over.
 *
 * The hash is seeded: hosts of a link must not choose which of them share a chain.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "base/mem.h"
#include "base/rng.h"
#include "boundary/mix.h"
#include "boundary/neigh.h"

#define SLOTS_MIN 64
#define SLOT_FREE 0
#define SLOT_GONE UINT32_MAX /* tombstone */

struct slots {
	uint32_t mask; /* count - 1; a power of two */
	_Atomic uint32_t index[];
};

struct neigh_table {
	struct records rec;
	_Atomic(struct slots *) slots;
	uint64_t seed[2];
	uint32_t live; /* control: neighbours in the table */
	uint32_t busy; /* control: those and tombstones */
};

static inline uint32_t hash_v4(const struct neigh_table *t, uint16_t iface, uint32_t addr_be)
{
	return (uint32_t)mix(((uint64_t)iface << 32 | addr_be) ^ t->seed[0], t->seed[1]);
}

static uint32_t hash(const struct neigh_table *t, uint16_t iface, const struct ip_addr *addr)
{
	uint64_t half[2];
	uint32_t v4;

	if (addr->family == IP_V4) {
		memcpy(&v4, addr->bytes, sizeof(v4));
		return hash_v4(t, iface, v4);
	}
	memcpy(half, addr->bytes, sizeof(half));
	return hash_v4(t, iface, 0) ^ (uint32_t)mix(half[0] ^ t->seed[1], half[1] ^ t->seed[0]);
}

static struct slots *slots_new(uint32_t count)
{
	struct slots *s = xcalloc(1, sizeof(*s) + count * sizeof(s->index[0]));

	s->mask = count - 1;
	return s;
}

struct neigh_table *neigh_table_create(struct epoch *e, uint32_t capacity)
{
	struct neigh_table *t = record_new(sizeof(*t));
	struct rng rng;
	int rc = records_init(&t->rec, e, capacity + 1);

	if (rc) {
		record_free(t);
		errno = -rc;
		return NULL;
	}
	rng_init_system(&rng);
	t->seed[0] = rng_u64(&rng);
	t->seed[1] = rng_u64(&rng) | 1;
	atomic_init(&t->slots, slots_new(SLOTS_MIN));
	return t;
}

void neigh_table_free(struct neigh_table *t)
{
	if (!t)
		return;
	records_fini(&t->rec, record_free);
	free(atomic_load(&t->slots));
	record_free(t);
}

static bool is_key(const struct neigh *n, uint16_t iface, const struct ip_addr *addr)
{
	return n->iface == iface && memcmp(&n->addr, addr, sizeof(*addr)) == 0;
}

const struct neigh *neigh_get(const struct neigh_table *t, uint32_t index)
{
	return records_get(&t->rec, index);
}

const struct neigh *neigh_find(
    const struct neigh_table *t, uint16_t iface, const struct ip_addr *addr)
{
	const struct slots *s = atomic_load_explicit(&t->slots, memory_order_acquire);

	for (uint32_t at = hash(t, iface, addr);; at++) {
		uint32_t index =
		    atomic_load_explicit(&s->index[at & s->mask], memory_order_acquire);
		const struct neigh *n;

		if (index == SLOT_FREE)
			return NULL;
		if (index == SLOT_GONE)
			continue;
		n = neigh_get(t, index);
		if (n && is_key(n, iface, addr))
			return n;
	}
}

static inline bool is_key_v4(const struct neigh *n, uint16_t iface, uint32_t addr_be)
{
	return n->iface == iface && n->addr.family == IP_V4 &&
	    memcmp(n->addr.bytes, &addr_be, sizeof(addr_be)) == 0;
}

const struct neigh *neigh_find_v4(const struct neigh_table *t, uint16_t iface, uint32_t addr_be)
{
	const struct slots *s = atomic_load_explicit(&t->slots, memory_order_acquire);

	for (uint32_t at = hash_v4(t, iface, addr_be);; at++) {
		uint32_t index =
		    atomic_load_explicit(&s->index[at & s->mask], memory_order_acquire);
		const struct neigh *n;

		if (index == SLOT_FREE)
			return NULL;
		if (index == SLOT_GONE)
			continue;
		n = neigh_get(t, index);
		if (n && is_key_v4(n, iface, addr_be))
			return n;
	}
}

/* Puts an index that is not there into the first slot of its chain that has none. Tells if that
 * was free. */
static bool slots_put(struct slots *s, uint32_t at, uint32_t index)
{
	uint32_t old;

	for (;; at++) {
		old = atomic_load_explicit(&s->index[at & s->mask], memory_order_relaxed);
		if (old == SLOT_FREE || old == SLOT_GONE)
			break;
	}
	atomic_store_explicit(&s->index[at & s->mask], index, memory_order_release);
	return old == SLOT_FREE;
}

/* A table without tombstones, at most a quarter full, takes the place of the present one. */
static void rebuild(struct neigh_table *t)
{
	struct slots *old = atomic_load_explicit(&t->slots, memory_order_relaxed);
	uint32_t count = SLOTS_MIN;
	struct slots *s;

	while (count < 4 * (t->live + 1))
		count *= 2;
	s = slots_new(count);
	for (uint32_t i = 0; i <= old->mask; i++) {
		uint32_t index = atomic_load_explicit(&old->index[i], memory_order_relaxed);

		if (index != SLOT_FREE && index != SLOT_GONE) {
			const struct neigh *n = neigh_get(t, index);

			slots_put(s, hash(t, n->iface, &n->addr), index);
		}
	}
	t->busy = t->live;
	atomic_store_explicit(&t->slots, s, memory_order_release);
	epoch_retire(t->rec.epoch, free, old);
}

/* Ethernet header, with an 802.1Q tag when the interface has a VLAN. Returns its bytes. */
static uint8_t l2_header(uint8_t out[18], const struct iface *iface,
    const struct rte_ether_addr *mac, uint16_t ether_type)
{
	uint16_t words[3] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(iface->vlan),
	    rte_cpu_to_be_16(ether_type)};
	unsigned first = iface->vlan == VLAN_NONE ? 2 : 0;
	size_t rest = sizeof(words) - first * sizeof(words[0]);

	memcpy(out, mac->addr_bytes, RTE_ETHER_ADDR_LEN);
	memcpy(out + RTE_ETHER_ADDR_LEN, iface->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	memcpy(out + 2 * RTE_ETHER_ADDR_LEN, &words[first], rest);
	return (uint8_t)(2 * RTE_ETHER_ADDR_LEN + rest);
}

static struct neigh *neigh_new(
    const struct iface *iface, const struct ip_addr *addr, const struct rte_ether_addr *mac)
{
	struct neigh *n = record_new(sizeof(*n));

	n->addr = *addr;
	n->iface = (uint16_t)iface->index;
	n->port = iface->port;
	n->state = NEIGH_INCOMPLETE;
	if (mac) {
		n->state = NEIGH_READY;
		n->l2_bytes = l2_header(n->l2_v4, iface, mac, RTE_ETHER_TYPE_IPV4);
		l2_header(n->l2_v6, iface, mac, RTE_ETHER_TYPE_IPV6);
	}
	return n;
}

int neigh_publish(struct neigh_table *t, const struct iface *iface, const struct ip_addr *addr,
    const struct rte_ether_addr *mac)
{
	const struct neigh *old = neigh_find(t, (uint16_t)iface->index, addr);
	uint32_t index = old ? old->index : records_alloc(&t->rec);
	struct slots *s = atomic_load_explicit(&t->slots, memory_order_relaxed);
	struct neigh *n;

	if (!index)
		return -ENOSPC;
	n = neigh_new(iface, addr, mac);
	n->index = index;
	records_publish(&t->rec, index, n, record_free);
	if (old)
		return (int)index;
	if (2 * (t->busy + 1) > s->mask + 1) {
		rebuild(t);
		s = atomic_load_explicit(&t->slots, memory_order_relaxed);
	}
	t->live++;
	t->busy += slots_put(s, hash(t, n->iface, addr), index);
	return (int)index;
}

void neigh_remove(struct neigh_table *t, uint32_t index)
{
	struct slots *s = atomic_load_explicit(&t->slots, memory_order_relaxed);
	const struct neigh *n = index < t->rec.capacity ? neigh_get(t, index) : NULL;
	uint32_t at, there;

	if (!n)
		return;
	for (at = hash(t, n->iface, &n->addr);; at++) {
		there = atomic_load_explicit(&s->index[at & s->mask], memory_order_relaxed);
		if (there == SLOT_FREE)
			return; /* removed before, and in its grace period */
		if (there == index)
			break;
	}
	atomic_store_explicit(&s->index[at & s->mask], SLOT_GONE, memory_order_release);
	t->live--;
	records_release_late(&t->rec, index, record_free);
}

void neigh_remove_iface(struct neigh_table *t, uint16_t iface)
{
	for (uint32_t index = 1; index < t->rec.fresh; index++) {
		const struct neigh *n = neigh_get(t, index);

		if (n && n->iface == iface)
			neigh_remove(t, index);
	}
}
