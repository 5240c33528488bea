/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_NET_H
#define BGP_NET_H

/*
 * The prefixes of one family: each one once, whoever announces it or is told. Found by hash; an index
 * names it for as long as somebody holds a reference: a route, an entry of a view, of an Adj-RIB-Out
 * or a queue.
 *
 * The hash table grows by one bucket per new prefix (linear hashing), never all at once, so that no
 * UPDATE waits for it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "bgp/numbers.h"
#include "bgp/slab.h"

#define BGP_NET_CHANGED 1 /* waits in the queue of changes */

struct bgp_net {
	uint32_t next;   /* of the same bucket */
	uint32_t routes; /* the first, see rib.h */
	uint16_t refs;
	uint8_t len;   /* of the prefix */
	uint8_t flags; /* BGP_NET_* */
	uint8_t key[]; /* 4 or 16 bytes; bits behind len are 0 */
};

struct bgp_nets {
	struct bgp_slab slab;
	uint64_t hash_key;
	uint32_t *bucket;
	uint32_t capacity; /* of bucket[] */
	uint32_t mask;     /* 2^k - 1: buckets 0..mask + split are in use */
	uint32_t split;    /* the next one to be split in two */
	uint8_t family;    /* enum bgp_family */
	uint8_t key_bytes;
};

void bgp_nets_init(struct bgp_nets *t, enum bgp_family family, uint64_t hash_key);
void bgp_nets_fini(struct bgp_nets *t);

static inline struct bgp_net *bgp_net_at(const struct bgp_nets *t, uint32_t net)
{
	return bgp_slab_at(&t->slab, net);
}
static inline uint32_t bgp_nets_count(const struct bgp_nets *t)
{
	return t->slab.used;
}
/* No index is beyond this one. */
static inline uint32_t bgp_nets_end(const struct bgp_nets *t)
{
	return t->slab.fresh;
}

/* `key` has key_bytes bytes; the hash is asked for once and handed to the others. */
uint32_t bgp_net_hash(const struct bgp_nets *t, const uint8_t *key, uint8_t len);
/* 0: there is none. */
uint32_t bgp_net_find(const struct bgp_nets *t, const uint8_t *key, uint8_t len, uint32_t hash);
/* Found or made; a reference for the caller. */
uint32_t bgp_net_get(struct bgp_nets *t, const uint8_t *key, uint8_t len, uint32_t hash);
/* For many at once: brings the bucket, then the first prefix in it, into the cache. */
void bgp_net_prefetch_bucket(const struct bgp_nets *t, uint32_t hash);
void bgp_net_prefetch_first(const struct bgp_nets *t, uint32_t hash);
/* The first prefix of the bucket, likely the one looked for; 0: none. */
uint32_t bgp_net_guess(const struct bgp_nets *t, uint32_t hash);
static inline void bgp_net_ref(struct bgp_nets *t, uint32_t net)
{
	bgp_net_at(t, net)->refs++;
}
/* The last reference forgets the prefix. */
void bgp_net_unref(struct bgp_nets *t, uint32_t net);
struct ip_prefix bgp_net_prefix(const struct bgp_nets *t, uint32_t net);

#endif
