/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_SET_H
#define BGP_SET_H

/*
 * Where attribute sets live: a list of attributes becomes a set, equal lists the same set. Named by
 * 32-bit IDs in routes; 0 is none. Reference-counted.
 *
 *   bytes of a peer --attr_parse--.
 *   set --bgp_list_of--> list --edit, export--+--> bgp_set_intern() --> set
 */

#include "base/wire.h"
#include "bgp/attrs.h"

struct bgp_attr {
	uint8_t code;
	uint8_t
	    flags; /* BGP_FLAG_* but _EXTENDED, which the length decides; unknown ones keep it */
	uint16_t len;
	const uint8_t *value; /* borrowed */
};

/* Flags, code, length, value. */
void bgp_attr_write(struct wirebuf *out, const struct bgp_attr *a);

#define BGP_LIST_MAX 256 /* there is one attribute of a code at most */

/* In ascending order of code, each once. */
struct bgp_list {
	unsigned count;
	struct bgp_attr attr[BGP_LIST_MAX];
};

/* The attributes of a set; values point into it. */
void bgp_list_of(const struct bgp_attrs *a, struct bgp_list *out);
struct bgp_attr *bgp_list_find(struct bgp_list *list, uint8_t code);
/* Inserts or replaces. */
void bgp_list_put(struct bgp_list *list, struct bgp_attr attr);
void bgp_list_drop(struct bgp_list *list, uint8_t code);

struct bgp_set_link {
	uint32_t hash;
	uint32_t next; /* of the bucket, or of the free list */
};

struct bgp_sets {
	struct bgp_attrs **by_id;
	struct bgp_set_link *link;
	uint32_t *bucket;
	uint32_t mask;
	uint32_t capacity; /* of by_id[] and link[] */
	uint32_t fresh, free;
	uint32_t count;
	size_t bytes;
	uint64_t hash_key;
	uint8_t *scratch; /* BGP_SET_MAX bytes */
};

#define BGP_SET_MAX 65535 /* bytes of a set in wire form */

void bgp_sets_init(struct bgp_sets *s, uint64_t hash_key);
/* Frees all sets, referenced or not. */
void bgp_sets_fini(struct bgp_sets *s);

/* A reference for the caller; NULL when the set would exceed BGP_SET_MAX. */
struct bgp_attrs *bgp_set_intern(struct bgp_sets *s, const struct bgp_list *list);
/* The set with exactly these bytes, marked for that context; a reference for the caller. Or NULL. */
struct bgp_attrs *bgp_set_find(
    struct bgp_sets *s, const uint8_t *wire, size_t len, uint8_t context);

static inline struct bgp_attrs *bgp_set_at(const struct bgp_sets *s, uint32_t id)
{
	return s->by_id[id];
}
static inline void bgp_set_ref(struct bgp_attrs *a)
{
	a->refs++;
}
void bgp_set_free(struct bgp_sets *s, struct bgp_attrs *a);
static inline void bgp_set_unref(struct bgp_sets *s, struct bgp_attrs *a)
{
	if (--a->refs == 0)
		bgp_set_free(s, a);
}

#endif
