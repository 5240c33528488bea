/* SPDX-License-Identifier: BSD-3-Clause */

#include "bgp/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bgp/hash.h"

#define BUCKETS_MIN 64
#define SPLIT_AHEAD 8

void bgp_nets_init(struct bgp_nets *t, enum bgp_family family, uint64_t hash_key)
{
	*t = (struct bgp_nets){.hash_key = hash_key, .family = (uint8_t)family};
	t->key_bytes = (uint8_t)bgp_family_bytes(family);
	bgp_slab_init(&t->slab, (uint32_t)sizeof(struct bgp_net) + t->key_bytes);
}

void bgp_nets_fini(struct bgp_nets *t)
{
	bgp_slab_fini(&t->slab);
	free(t->bucket);
	bgp_nets_init(t, t->family, t->hash_key);
}

uint32_t bgp_net_hash(const struct bgp_nets *t, const uint8_t *key, uint8_t len)
{
	uint64_t h, word[2];

	if (t->key_bytes == 4) {
		uint32_t v4;

		memcpy(&v4, key, 4);
		h = bgp_hash_word(t->hash_key, (uint64_t)v4 << 8 | len);
	} else {
		memcpy(word, key, 16);
		h = bgp_hash_word(t->hash_key, word[0] ^ len);
		h = bgp_hash_word(t->hash_key, h ^ word[1]) + word[0];
	}
	h = bgp_hash_fold(h, 0x9e3779b97f4a7c15u);
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t *bucket_of(const struct bgp_nets *t, uint32_t h)
{
	uint32_t b = h & t->mask;

	if (b < t->split)
		b = h & (2 * t->mask + 1);
	return &t->bucket[b];
}

static bool same_key(const struct bgp_nets *t, const struct bgp_net *n, const uint8_t *key)
{
	uint32_t a, b;

	if (t->key_bytes != sizeof(a))
		return memcmp(n->key, key, 16) == 0;
	memcpy(&a, n->key, sizeof(a));
	memcpy(&b, key, sizeof(b));
	return a == b;
}

uint32_t bgp_net_find(const struct bgp_nets *t, const uint8_t *key, uint8_t len, uint32_t hash)
{
	uint32_t net;

	if (!t->bucket)
		return 0;
	for (net = *bucket_of(t, hash); net;) {
		const struct bgp_net *n = bgp_net_at(t, net);

		if (n->len == len && same_key(t, n, key))
			return net;
		net = n->next;
	}
	return 0;
}

void bgp_net_prefetch_bucket(const struct bgp_nets *t, uint32_t hash)
{
	if (t->bucket)
		__builtin_prefetch(bucket_of(t, hash));
}

uint32_t bgp_net_guess(const struct bgp_nets *t, uint32_t hash)
{
	return t->bucket ? *bucket_of(t, hash) : 0;
}

void bgp_net_prefetch_first(const struct bgp_nets *t, uint32_t hash)
{
	uint32_t net = bgp_net_guess(t, hash);

	if (net)
		__builtin_prefetch(bgp_net_at(t, net));
}

static void first_buckets(struct bgp_nets *t)
{
	t->capacity = BUCKETS_MIN;
	t->mask = BUCKETS_MIN - 1;
	t->split = 0;
	t->bucket = xcalloc(t->capacity, sizeof(t->bucket[0]));
}

/* Buckets are split in their order: what comes soon can be on its way already. */
static void prefetch_split(const struct bgp_nets *t)
{
	uint32_t soon = t->split + SPLIT_AHEAD;

	if (soon <= t->mask && t->bucket[soon])
		__builtin_prefetch(bgp_net_at(t, t->bucket[soon]));
}

/* Divides bucket `split` between itself and a new one at the end. */
static void split_one(struct bgp_nets *t)
{
	uint32_t added = t->mask + 1 + t->split, net = t->bucket[t->split];
	uint32_t *low = &t->bucket[t->split], *high;

	if (added == t->capacity) {
		t->capacity *= 2;
		t->bucket = xrealloc(t->bucket, t->capacity * sizeof(t->bucket[0]));
		low = &t->bucket[t->split];
	}
	high = &t->bucket[added];
	*low = *high = 0;
	prefetch_split(t);
	while (net) {
		struct bgp_net *n = bgp_net_at(t, net);
		uint32_t next = n->next;
		uint32_t *to = bgp_net_hash(t, n->key, n->len) & (t->mask + 1) ? high : low;

		n->next = *to;
		*to = net;
		net = next;
	}
	if (++t->split > t->mask) {
		t->mask = 2 * t->mask + 1;
		t->split = 0;
	}
}

uint32_t bgp_net_get(struct bgp_nets *t, const uint8_t *key, uint8_t len, uint32_t hash)
{
	uint32_t net = bgp_net_find(t, key, len, hash), *bucket;
	struct bgp_net *n;

	if (net) {
		bgp_net_ref(t, net);
		return net;
	}
	if (!t->bucket)
		first_buckets(t);
	else if (t->slab.used > t->mask + t->split)
		split_one(t);
	net = bgp_slab_take(&t->slab);
	n = bgp_net_at(t, net);
	n->routes = 0;
	n->refs = 1;
	n->len = len;
	n->flags = 0;
	memcpy(n->key, key, t->key_bytes);
	bucket = bucket_of(t, hash);
	n->next = *bucket;
	*bucket = net;
	return net;
}

void bgp_net_unref(struct bgp_nets *t, uint32_t net)
{
	struct bgp_net *n = bgp_net_at(t, net);
	uint32_t *at;

	if (--n->refs)
		return;
	at = bucket_of(t, bgp_net_hash(t, n->key, n->len));
	while (*at != net)
		at = &bgp_net_at(t, *at)->next;
	*at = n->next;
	bgp_slab_give(&t->slab, net);
	if (t->slab.used == 0) {
		free(t->bucket);
		t->bucket = NULL;
	}
}

struct ip_prefix bgp_net_prefix(const struct bgp_nets *t, uint32_t net)
{
	const struct bgp_net *n = bgp_net_at(t, net);

	return (struct ip_prefix){
	    .addr = ip_from_bytes(t->family == BGP_IPV4 ? IP_V4 : IP_V6, n->key), .len = n->len};
}
