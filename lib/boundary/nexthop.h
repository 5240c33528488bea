/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_NEXTHOP_H
#define BOUNDARY_NEXTHOP_H

/*
 * What a route says to do. A FIB entry is the index of one of these. Leaves name one way out; a
 * group spreads flows over leaves by the hash of the inner 5-tuple through a table of buckets that
 * is resilient: when a member dies only its buckets get another member, and when it returns exactly
 * those come back (R8).
 *
 * `permit` is the outcome of the routing policies for the route: the attachments whose packets may
 * use it.
 */

#include "boundary/records.h"

#define ECMP_BUCKETS     256 /* that of a flow: nexthop_bucket() */
#define ECMP_MEMBERS_MAX 64  /* X3 */

enum nexthop_kind { /* in this order: nexthop_is_way_on() */
	NH_NONE,    /* index 0: no route */
	NH_BLACKHOLE,
	NH_LOCAL,     /* an address of the router */
	NH_GROUP,     /* by hash over `bucket` */
	NH_CONNECTED, /* the destination itself is a neighbour on `iface` */
	NH_VIA,       /* through the neighbour `neigh` on `iface` */
	NH_TUNNEL,    /* into the tunnel `tunnel` */
};

struct permit { /* bitmap by attachment number; immutable, shared, reference-counted by control */
	uint32_t refs; /* control */
	uint32_t bits;
	uint64_t word[];
};

struct nexthop { /* immutable once published */
	uint32_t index;
	uint8_t kind;        /* enum nexthop_kind */
	uint16_t attachment; /* egress; 0: none */
	uint16_t slot;       /* egress ledger slot; 0: none */
	uint16_t iface;
	uint32_t neigh;
	uint32_t tunnel;
	const struct permit *permit; /* NULL: every ingress may use it */
	/* NH_GROUP: ECMP_BUCKETS indexes of leaves, and behind them of the tunnels that these lead into (0: elsewhere), so
	 * that a worker need not look at the leaf */
	uint16_t bucket[];
};
_Static_assert(sizeof(struct nexthop) == RTE_CACHE_LINE_SIZE / 2,
    "a leaf, or the head of a group, is within one line");

struct nexthops {
	struct records rec;
};

struct nexthop_spec { /* what control asks for */
	enum nexthop_kind kind;
	uint16_t attachment, slot, iface;
	uint32_t neigh, tunnel;
	struct permit *permit; /* a reference is taken */
	/* NH_GROUP: leaves, each with an identity by which it keeps its buckets over restarts */
	unsigned member_count;
	struct ecmp_member {
		uint32_t leaf;     /* index of its nexthop */
		uint64_t identity; /* e.g. hash of the tunnel's name */
		bool alive;
	} members[ECMP_MEMBERS_MAX];
};

/* capacity: at most 32768, what a FIB entry can name. 0, -ENOMEM, -EINVAL. */
int nexthops_init(struct nexthops *t, struct epoch *e, uint32_t capacity);
void nexthops_fini(struct nexthops *t);
/* A new next hop (*index 0) or another content for an existing one. 0, -ENOSPC, -EINVAL (group
 * of groups, a leaf that is not there, no members or too many). A group whose members are all
 * dead is published with buckets of index 0. While a leaf is in a group, its kind and its tunnel
 * stay. */
int nexthop_publish(struct nexthops *t, const struct nexthop_spec *spec, uint32_t *index);
/* After the last route and group let go of it. Workers that hold the index find it until a grace
 * period has passed. */
void nexthop_remove(struct nexthops *t, uint32_t index);

struct permit *permit_create(uint32_t attachments); /* none permitted; one reference */
void permit_allow(struct permit *p, uint32_t attachment);
void permit_unref(struct permit *p); /* control; freed by the last */

/* Of a flow with that hash, in any group: by the upper bits, which depend on all others. */
static inline unsigned nexthop_bucket(uint32_t hash)
{
	return hash >> 24;
}
_Static_assert(ECMP_BUCKETS == UINT32_MAX / (UINT32_C(1) << 24) + 1, "nexthop_bucket()");

/* Index of the tunnel of a group's bucket; 0: ask its leaf. */
static inline uint32_t nexthop_bucket_tunnel(const struct nexthop *group, unsigned bucket)
{
	return group->bucket[ECMP_BUCKETS + bucket];
}

static inline const struct nexthop *nexthop_get(const struct nexthops *t, uint32_t index)
{
	return records_get(&t->rec, index);
}
/* A leaf that leads out of the router. */
static inline bool nexthop_is_way_on(const struct nexthop *nh)
{
	return nh->kind >= NH_CONNECTED;
}
static inline bool nexthop_permits(const struct nexthop *nh, uint32_t attachment)
{
	const struct permit *p = nh->permit;
	return !p || (attachment < p->bits && (p->word[attachment >> 6] >> (attachment & 63) & 1));
}

/*
 * Pure: fills `bucket` with member numbers (0xff: none alive). Every member owns ECMP_BUCKETS/count
 * buckets (+-1) by its identity; buckets of dead members are spread over the living by highest
 * random weight. The order of members plays no part as long as identities differ.
 */
void ecmp_fill(uint8_t bucket[ECMP_BUCKETS], const struct ecmp_member *members, unsigned count);

#endif
