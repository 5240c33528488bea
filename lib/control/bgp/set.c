/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A hash table over the canonical bytes of sets. Hashes are kept beside the links, so that growing reads
 * one array from front to back.
 */

#include "bgp/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "bgp/as_path.h"
#include "bgp/hash.h"

#define BUCKETS_MIN 64

void bgp_list_of(const struct bgp_attrs *a, struct bgp_list *out)
{
	struct wire w = wire_of(a->wire, a->wire_len);

	out->count = 0;
	while (wire_left(&w) > 0) {
		struct bgp_attr *at = &out->attr[out->count++];
		bool extended;

		at->flags = wire_u8(&w);
		at->code = wire_u8(&w);
		extended = at->flags & BGP_FLAG_EXTENDED;
		at->len = extended ? wire_u16(&w) : wire_u8(&w);
		if (at->len > 255)
			at->flags &= (uint8_t)~BGP_FLAG_EXTENDED; /* the length says so itself */
		at->value = wire_bytes(&w, at->len);
	}
}

/* Where the code is, or belongs. */
static unsigned place_of(const struct bgp_list *list, uint8_t code)
{
	unsigned i = list->count;

	while (i > 0 && list->attr[i - 1].code >= code)
		i--;
	return i;
}

struct bgp_attr *bgp_list_find(struct bgp_list *list, uint8_t code)
{
	unsigned i = place_of(list, code);

	return i < list->count && list->attr[i].code == code ? &list->attr[i] : NULL;
}

void bgp_list_put(struct bgp_list *list, struct bgp_attr attr)
{
	unsigned i = place_of(list, attr.code);

	if (i == list->count || list->attr[i].code != attr.code) {
		memmove(
		    &list->attr[i + 1], &list->attr[i], (list->count - i) * sizeof(list->attr[0]));
		list->count++;
	}
	list->attr[i] = attr;
}

void bgp_list_drop(struct bgp_list *list, uint8_t code)
{
	struct bgp_attr *at = bgp_list_find(list, code);

	if (!at)
		return;
	list->count--;
	memmove(at, at + 1, (size_t)(&list->attr[list->count] - at) * sizeof(*at));
}

void bgp_sets_init(struct bgp_sets *s, uint64_t hash_key)
{
	*s = (struct bgp_sets){.hash_key = hash_key, .fresh = 1, .mask = BUCKETS_MIN - 1};
	s->bucket = xcalloc(BUCKETS_MIN, sizeof(s->bucket[0]));
	s->scratch = xmalloc(BGP_SET_MAX);
}

void bgp_sets_fini(struct bgp_sets *s)
{
	for (uint32_t id = 1; id < s->fresh; id++)
		free(s->by_id[id]);
	free(s->by_id);
	free(s->link);
	free(s->bucket);
	free(s->scratch);
	*s = (struct bgp_sets){0};
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What decisions need, beside the bytes. */
static void derive_one(struct bgp_attrs *a, const struct bgp_attr *at)
{
	switch (at->code) {
	case BGP_ATTR_ORIGIN:
		a->origin = at->value[0];
		break;
	case BGP_ATTR_AS_PATH:
		a->path_len = (uint16_t)bgp_as_path_length(at->value, at->len, 4);
		a->neighbour_as = bgp_as_path_first(at->value, at->len);
		break;
	case BGP_ATTR_NEXT_HOP:
		a->next_hop = ip_from_bytes(IP_V4, at->value);
		break;
	case BGP_ATTR_MED:
		a->has_med = true;
		a->med = be32(at->value);
		break;
	case BGP_ATTR_LOCAL_PREF:
		a->has_local_pref = true;
		a->local_pref = be32(at->value);
		break;
	case BGP_ATTR_COMMUNITY:
		a->has_community = true;
		break;
	case BGP_ATTR_MP_REACH:
		a->next_hop = ip_from_bytes(IP_V6, at->value);
		break;
	case BGP_ATTR_OTC:
		a->has_otc = true;
		break;
	}
}

void bgp_attr_write(struct wirebuf *out, const struct bgp_attr *a)
{
	bool extended = a->len > 255 || a->flags & BGP_FLAG_EXTENDED;

	wirebuf_u8(out, extended ? a->flags | BGP_FLAG_EXTENDED : a->flags);
	wirebuf_u8(out, a->code);
	if (extended)
		wirebuf_u16(out, a->len);
	else
		wirebuf_u8(out, (uint8_t)a->len);
	wirebuf_put(out, a->value, a->len);
}

static size_t write_wire(uint8_t *out, const struct bgp_list *list)
{
	struct wirebuf b = wirebuf_of(out, BGP_SET_MAX);

	for (unsigned i = 0; i < list->count; i++)
		bgp_attr_write(&b, &list->attr[i]);
	return wirebuf_ok(&b) ? wirebuf_len(&b) : SIZE_MAX;
}

static struct bgp_attrs *lookup(
    const struct bgp_sets *s, uint32_t hash, const uint8_t *wire, size_t len)
{
	for (uint32_t id = s->bucket[hash & s->mask]; id; id = s->link[id].next) {
		struct bgp_attrs *a = s->by_id[id];

		if (s->link[id].hash == hash && a->wire_len == len &&
		    memcmp(a->wire, wire, len) == 0)
			return a;
	}
	return NULL;
}

static void grow_buckets(struct bgp_sets *s)
{
	s->mask = 2 * s->mask + 1;
	s->bucket = xrealloc(s->bucket, (s->mask + 1) * sizeof(s->bucket[0]));
	memset(s->bucket, 0, (s->mask + 1) * sizeof(s->bucket[0]));
	for (uint32_t id = 1; id < s->fresh; id++) {
		uint32_t *bucket = &s->bucket[s->link[id].hash & s->mask];

		if (!s->by_id[id])
			continue;
		s->link[id].next = *bucket;
		*bucket = id;
	}
}

static uint32_t take_id(struct bgp_sets *s)
{
	uint32_t id = s->free;

	if (id) {
		s->free = s->link[id].next;
		return id;
	}
	if (s->fresh >= s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : BUCKETS_MIN;
		s->by_id = xrealloc(s->by_id, s->capacity * sizeof(s->by_id[0]));
		s->link = xrealloc(s->link, s->capacity * sizeof(s->link[0]));
	}
	return s->fresh++;
}

static struct bgp_attrs *add(
    struct bgp_sets *s, uint32_t hash, const uint8_t *wire, size_t len, const struct bgp_list *list)
{
	struct bgp_attrs *a = xcalloc(1, sizeof(*a) + len);
	uint32_t *bucket;

	a->id = take_id(s);
	a->refs = 1;
	a->wire_len = (uint32_t)len;
	memcpy(a->wire, wire, len);
	for (unsigned i = 0; i < list->count; i++)
		derive_one(a, &list->attr[i]);
	s->by_id[a->id] = a;
	s->link[a->id].hash = hash;
	if (s->count++ > s->mask)
		grow_buckets(s); /* enters the new one as well */
	else {
		bucket = &s->bucket[hash & s->mask];
		s->link[a->id].next = *bucket;
		*bucket = a->id;
	}
	s->bytes += sizeof(*a) + len;
	return a;
}

struct bgp_attrs *bgp_set_intern(struct bgp_sets *s, const struct bgp_list *list)
{
	size_t len = write_wire(s->scratch, list);
	struct bgp_attrs *a;
	uint32_t hash;

	if (len == SIZE_MAX)
		return NULL;
	hash = bgp_hash_bytes(s->hash_key, s->scratch, len);
	a = lookup(s, hash, s->scratch, len);
	if (!a)
		return add(s, hash, s->scratch, len, list);
	a->refs++;
	return a;
}

struct bgp_attrs *bgp_set_find(struct bgp_sets *s, const uint8_t *wire, size_t len, uint8_t context)
{
	struct bgp_attrs *a = lookup(s, bgp_hash_bytes(s->hash_key, wire, len), wire, len);

	if (!a || !(a->contexts & context))
		return NULL;
	a->refs++;
	return a;
}

/* A set that export made of this one loses its reference too, and may go as well. */
void bgp_set_free(struct bgp_sets *s, struct bgp_attrs *a)
{
	while (a) {
		struct bgp_attrs *out = a->out_id ? s->by_id[a->out_id] : NULL;
		uint32_t *at = &s->bucket[s->link[a->id].hash & s->mask], id = a->id;

		while (*at != id)
			at = &s->link[*at].next;
		*at = s->link[id].next;
		s->link[id].next = s->free;
		s->free = id;
		s->by_id[id] = NULL;
		s->count--;
		s->bytes -= sizeof(*a) + a->wire_len;
		free(a);
		a = out && --out->refs == 0 ? out : NULL;
	}
}
