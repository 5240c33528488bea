/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_ATTRS_H
#define BGP_ATTRS_H

/*
 * Sets of path attributes as everybody sees them: immutable, interned, shared.
 *
 * A set is kept in canonical wire form: attributes in ascending order of code, each once, 4-octet AS
 * numbers, the length in two octets only when it needs them. Equal content is the same set, so that
 * sets are compared by their address. What decisions need is decoded beside it. The next hop belongs
 * to the set: IPv4 as attribute NEXT_HOP, IPv6 as attribute 14 with nothing but the 16 or 32 bytes of
 * the next hop. Sets made for export to many peers have none.
 *
 * An edit changes a set into another: what policies do (R5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "bgp/numbers.h"

struct bgp_attrs {
	uint32_t refs;
	uint32_t id;
	uint32_t out_class; /* cache of export: this class of peers ... */
	uint32_t out_id;    /* ... is told that set; 0: unknown */
	uint32_t med;
	uint32_t local_pref;
	uint32_t neighbour_as; /* leftmost of the path, 0 when it is empty or begins with a set */
	uint16_t path_len;     /* as the decision counts it (RFC 4271 9.1.2.2 a) */
	uint8_t origin;        /* enum bgp_origin */
	uint8_t contexts;      /* kinds of session whose bytes are canonical: see attr.h */
	bool has_med : 1;
	bool has_local_pref : 1;
	bool has_community : 1;
	bool has_otc : 1;
	struct ip_addr next_hop;
	uint32_t wire_len;
	uint8_t wire[];
};

/* The value of an attribute in place, and its length; NULL when the set lacks it. */
const uint8_t *bgp_attrs_value(const struct bgp_attrs *a, uint8_t code, size_t *len);

/* LOCAL_PREF, or the default where there is none. */
static inline uint32_t bgp_attrs_preference(const struct bgp_attrs *a)
{
	return a->has_local_pref ? a->local_pref : BGP_LOCAL_PREF;
}
bool bgp_attrs_has_community(const struct bgp_attrs *a, uint32_t community);
bool bgp_attrs_has_large(const struct bgp_attrs *a, const uint32_t community[3]);
/* How often the AS stands in the path, sets included. */
unsigned bgp_attrs_count_as(const struct bgp_attrs *a, uint32_t as);
/* Rightmost AS of the path: who originated the route. 0 when empty or a set. */
uint32_t bgp_attrs_origin_as(const struct bgp_attrs *a);
/* "65001 65002 {65003,65004}", "65001:100 no-export", "65001:1:2"; cut at the capacity. Return buf. */
const char *bgp_attrs_path_text(const struct bgp_attrs *a, char *buf, size_t capacity);
const char *bgp_attrs_community_text(const struct bgp_attrs *a, char *buf, size_t capacity);
const char *bgp_attrs_large_text(const struct bgp_attrs *a, char *buf, size_t capacity);
const char *bgp_attrs_origin_text(const struct bgp_attrs *a); /* "IGP", "EGP", "incomplete" */

#define BGP_EDIT_MAX    32
#define BGP_PREPEND_MAX 32

struct bgp_edit {
	bool set_local_pref, set_med, set_origin, remove_med;
	bool remove_communities; /* all plain ones, before any is added */
	uint8_t origin;
	uint8_t prepend_count, community_count, remove_count, large_count, path_count;
	uint32_t local_pref, med;
	uint32_t prepend_as;              /* so many times; 0: the local AS */
	uint32_t path[BGP_PREPEND_MAX];   /* or these, the first of them leftmost */
	uint32_t community[BGP_EDIT_MAX]; /* to add */
	uint32_t remove[BGP_EDIT_MAX];    /* plain communities to remove, before any is added */
	uint32_t large[BGP_EDIT_MAX][3];  /* to add */
	struct ip_addr next_hop;          /* unset: as it is */
};
static inline bool bgp_edit_is_empty(const struct bgp_edit *e)
{
	return !e->set_local_pref && !e->set_med && !e->set_origin && !e->remove_med &&
	    !e->remove_communities && !e->prepend_count && !e->path_count && !e->community_count &&
	    !e->remove_count && !e->large_count && !ip_is_set(&e->next_hop);
}

#endif
