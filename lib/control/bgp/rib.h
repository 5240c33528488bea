/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_RIB_H
#define BGP_RIB_H

/*
 * Adj-RIBs-In. A route hangs on its prefix (rib.nets) and in the list of its peer. The list is in order
 * of age: what is announced again moves to the end, so that stale routes stand in front.
 *
 * Whether a route lives is told by its generation against two numbers of the peer: a session that
 * ends, a refresh that begins, or a restart that is over change these, not the routes. Routes that are
 * dead are skipped by readers at once, and swept in slices.
 *
 *     oldest_live <= route.generation < generation     stale: kept until the peer has sent all anew
 *     route.generation == generation                   fresh
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/timer.h"
#include "bgp/net.h"
#include "bgp/nlri.h"
#include "bgp/set.h"

struct bgp_peer;
struct bgp_engine;

/* Why a route is not used though the peer sent it. */
enum bgp_refusal {
	BGP_REFUSE_NOT,
	BGP_REFUSE_LOOP,       /* our AS in the path (RFC 4271 9.1.2) */
	BGP_REFUSE_ORIGINATOR, /* our router ID as originator (RFC 4456 8) */
	BGP_REFUSE_CLUSTER,    /* our cluster in the list */
	BGP_REFUSE_NEXT_HOP,   /* it is an address of ours (RFC 4271 5.1.3) */
	BGP_REFUSE_OTC,        /* a route leak (RFC 9234 5) */
	BGP_REFUSE_NO_POLICY,  /* RFC 8212 */
	BGP_REFUSE_POLICY,
	BGP_REFUSE_UNREACHABLE, /* nothing can be sent to the peer now */
};
const char *bgp_refusal_text(enum bgp_refusal refusal);

struct bgp_route { /* 32 bytes */
	uint32_t net;
	uint32_t next;                 /* of the same prefix */
	uint32_t peer_prev, peer_next; /* of the same peer */
	uint32_t received;             /* set as it came ... */
	uint32_t used;                 /* ... and as import left it; 0: refused */
	uint32_t learned_s;
	uint16_t slot; /* of the peer */
	uint8_t generation;
	uint8_t refusal; /* enum bgp_refusal */
};

struct bgp_rib { /* of one family */
	struct bgp_nets nets;
	struct bgp_slab routes;
	uint32_t *changed; /* ring of prefixes, power of two */
	uint32_t changed_first, changed_count, changed_room;
};

struct bgp_adj_in { /* of one peer and family */
	uint32_t first, last;
	uint32_t count;          /* routes that live */
	uint32_t accepted;       /* of these, not refused */
	uint32_t fresh;          /* of `count`, not stale */
	uint32_t fresh_accepted; /* of `accepted`, not stale */
	uint32_t reimport;       /* the next route to run import on again; 0: none */
	bool touch;              /* and these are changes even if import makes the same of them */
	uint8_t generation, oldest_live;
	bool sweeping;
	bool end_of_rib; /* seen on this session */
	bool refreshing; /* between BoRR and EoRR (RFC 7313) */
	bool warned;     /* of the prefix limit */
	struct timer stale;
	struct bgp_peer *peer;
};

/* What one UPDATE's routes have in common. */
struct bgp_import {
	struct bgp_attrs *received;
	struct bgp_attrs *base; /* what the protocol makes of it, before policy; a reference */
	enum bgp_refusal refusal;
};

void bgp_rib_init(struct bgp_rib *rib, enum bgp_family family, uint64_t hash_key);
void bgp_rib_fini(struct bgp_rib *rib);
static inline struct bgp_route *bgp_route_at(const struct bgp_rib *rib, uint32_t route)
{
	return bgp_slab_at(&rib->routes, route);
}

void bgp_adj_in_init(struct bgp_adj_in *in, struct bgp_peer *peer);
static inline bool bgp_route_lives(const struct bgp_adj_in *in, const struct bgp_route *r)
{
	return (uint8_t)(in->generation - r->generation) <=
	    (uint8_t)(in->generation - in->oldest_live);
}

/* The peer announces, or withdraws, a prefix with that hash. */
void bgp_route_announce(struct bgp_peer *peer, enum bgp_family family, const struct bgp_nlri *nlri,
    uint32_t hash, const struct bgp_import *import);
void bgp_route_withdraw(
    struct bgp_peer *peer, enum bgp_family family, const struct bgp_nlri *nlri, uint32_t hash);
/* For many at once: the hashes, and all of it on its way into the cache. */
void bgp_route_prefetch(
    const struct bgp_rib *rib, const struct bgp_nlri *nlri, unsigned count, uint32_t *hash);

/* All routes become stale; those that are already, die unless `keep_stale`. */
void bgp_adj_in_age(struct bgp_peer *peer, enum bgp_family family, bool keep_stale);
/* Stale routes die. */
void bgp_adj_in_expire(struct bgp_peer *peer, enum bgp_family family);
/* All routes die. */
void bgp_adj_in_drop(struct bgp_peer *peer, enum bgp_family family);
void bgp_adj_in_reimport(struct bgp_peer *peer, enum bgp_family family);
/* The same; what reads paths sees each of them as changed. */
void bgp_adj_in_touch(struct bgp_peer *peer, enum bgp_family family);
/* One slice of sweeping and importing again; takes from *budget. True: more is waiting. */
bool bgp_adj_in_work(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget);
/* Puts the prefix into the queue of changes. */
void bgp_net_changed(struct bgp_rib *rib, uint32_t net);

/* import.c: what all routes of an UPDATE share, and then each on its own. */
struct bgp_import bgp_import_begin(
    struct bgp_peer *peer, enum bgp_family family, struct bgp_attrs *received);
void bgp_import_end(struct bgp_peer *peer, struct bgp_import *import);
/* The set to use, a reference for the caller; NULL and *refusal. */
struct bgp_attrs *bgp_import_one(struct bgp_peer *peer, enum bgp_family family, uint32_t net,
    const struct bgp_import *import, uint8_t *refusal);

#endif
