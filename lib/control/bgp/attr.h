/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_ATTR_H
#define BGP_ATTR_H

/*
 * Path attributes on the wire. The table of attr_table.c says for each code which flags it has, how it
 * is read, what is done when it is malformed (RFC 7606), who may send it, and how a speaker without
 * 4-octet AS numbers is told. Parsers only judge: they change no state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bgp/error.h"
#include "bgp/set.h"

/* What becomes of an UPDATE with an error (RFC 7606 2), from mild to severe. */
enum bgp_class {
	BGP_CLASS_NONE,
	BGP_CLASS_DISCARD,  /* the attribute is left out */
	BGP_CLASS_WITHDRAW, /* all routes of the message are withdrawn */
	BGP_CLASS_RESET,    /* the session ends */
};

/* What of a session decides how its attributes are read. */
struct bgp_attr_session {
	bool as4;         /* AS numbers have 4 octets */
	bool external;    /* from another AS */
	bool allow_sets;  /* AS_SET is taken */
	uint8_t families; /* negotiated: BGP_FAMILY_BIT() */
};

/*
 * Sets whose canonical bytes a session of this kind may send as they are, are found without parsing:
 * the bit of the session in bgp_attrs.contexts.
 */
static inline uint8_t bgp_attr_context(const struct bgp_attr_session *s)
{
	return s->as4 ? (uint8_t)(1u << ((s->external ? 1 : 0) | (s->allow_sets ? 2 : 0))) : 0;
}

struct bgp_mp { /* MP_REACH_NLRI or MP_UNREACH_NLRI */
	bool present;
	int family; /* enum bgp_family; -1: not ours or not negotiated, nothing of it is used */
	const uint8_t *next_hop;
	uint8_t next_hop_len;
	struct wire nlri;
};

/* Room for values that are not in the message as we keep them. */
struct bgp_attr_room {
	uint8_t widened[BGP_SET_MAX];
	uint8_t merged[BGP_SET_MAX];
	uint8_t large[BGP_SET_MAX], large_sorted[BGP_SET_MAX];
	uint8_t aggregator[8];
};

struct bgp_parse {
	const struct bgp_attr_session *session;
	struct bgp_attr_room *room;
	struct bgp_list list; /* kept, in canonical form; neither MP nor AS4 attributes */
	struct bgp_mp reach, unreach;
	bool ipv4_nlri; /* the message has routes in its NLRI field */
	struct bgp_attr as4_path, as4_aggregator;
	bool keep; /* of the attribute being read: false: not into the list */
	enum bgp_class class;
	struct bgp_error error; /* of the most severe, the first of these */
	uint8_t error_attr;     /* which attribute; 0: the list as a whole */
	unsigned discarded;
	unsigned seen_count;
	uint64_t seen[4];
};

struct bgp_attr_row {
	uint8_t flags;      /* Optional and Transitive, as they must be */
	uint8_t on_error;   /* enum bgp_class */
	bool internal_only; /* ignored from, not sent to, external peers */
	/* 0, or the subcode of the error. May change *a, set p->keep, raise p->class itself. */
	uint8_t (*decode)(struct bgp_parse *p, struct bgp_attr *a);
	/* For a peer with 2-octet AS numbers (RFC 6793 4.2.2); NULL: the same. False: no room. */
	bool (*to_old)(struct bgp_list *list, struct bgp_attr *a, struct bgp_attr_room *room);
};
/* NULL for codes we do not know. */
const struct bgp_attr_row *bgp_attr_row(uint8_t code);

/*
 * Reads the attributes of an UPDATE. `ipv4_nlri`: the message announces routes in its NLRI field. Fills
 * *p; the verdict is p->class. Values point into `bytes` and `room`.
 */
void bgp_attr_parse(struct bgp_parse *p, const struct bgp_attr_session *session,
    struct bgp_attr_room *room, struct wire bytes, bool ipv4_nlri);

/* The set for routes of the NLRI field, or (family of p->reach) of MP_REACH. NULL: too long. */
struct bgp_attrs *bgp_parse_set(struct bgp_parse *p, struct bgp_sets *sets, bool mp);

/* How one peer is told a set. */
struct bgp_attr_encoding {
	bool as4;
	const uint8_t *next_hop; /* IPv4: goes in as NEXT_HOP; NULL: none, MP_REACH has it */
};
/* Writes all attributes but MP_REACH. False when they do not fit. */
bool bgp_attr_encode(const struct bgp_attrs *a, const struct bgp_attr_encoding *how,
    struct bgp_attr_room *room, struct wirebuf *out);

/* decode.c and encode.c, for the table */
uint8_t bgp_decode_origin(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_as_path(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_next_hop(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_empty(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_u32(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_u32s(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_aggregator(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_ext_community(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_ipv6_ext_community(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_large_community(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_as4_path(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_as4_aggregator(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_mp_reach(struct bgp_parse *p, struct bgp_attr *a);
uint8_t bgp_decode_mp_unreach(struct bgp_parse *p, struct bgp_attr *a);
bool bgp_to_old_as_path(struct bgp_list *list, struct bgp_attr *a, struct bgp_attr_room *room);
bool bgp_to_old_aggregator(struct bgp_list *list, struct bgp_attr *a, struct bgp_attr_room *room);

#endif
