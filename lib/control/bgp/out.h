/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_OUT_H
#define BGP_OUT_H

/*
 * Views and Adj-RIBs-Out: what is to be told, what a peer has been told, and the way in between.
 *
 *   view set/unset ---> dirty prefixes of each peer of the view
 *   round:  dirty prefix -> export -> set to tell; equal to what was told: nothing
 *                                      else: into the batch, in the bucket of that set
 *           buckets one after the other -> UPDATE messages, full of prefixes; withdrawals first
 *   when they are sent: End-of-RIB or EoRR, if due; then MRAI, then the next round
 *
 * Everything is indexed by prefix, in pages of 256 that exist where something is in them. Told sets are
 * compared as they are told (without our own next hop), so that a change of path that looks the same
 * from outside is not sent.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/timer.h"
#include "bgp/net.h"
#include "bgp/set.h"

struct bgp_peer;
struct bgp_engine;

#define BGP_PAGE_SHIFT 8
#define BGP_PAGE_NETS  (1u << BGP_PAGE_SHIFT)

enum bgp_source { /* whom the route of a view comes from */
	BGP_SOURCE_LOCAL,
	BGP_SOURCE_EXTERNAL,
	BGP_SOURCE_INTERNAL,
	BGP_SOURCE_CLIENT, /* internal, of our reflection cluster */
};

struct bgp_view_page {
	uint32_t attrs[BGP_PAGE_NETS]; /* 0: no route */
	uint32_t from[BGP_PAGE_NETS];  /* number of the peer; 0: local */
	uint32_t tag[BGP_PAGE_NETS];   /* the caller's */
	uint8_t source[BGP_PAGE_NETS]; /* enum bgp_source */
	uint32_t used;
};

struct bgp_view_table { /* of one family */
	struct bgp_view_page **page;
	uint32_t pages;
};

struct bgp_view {
	struct list node;
	struct list peers; /* told this view */
	uint32_t id;
	bool removed; /* goes with the last peer */
	struct bgp_view_table table[BGP_FAMILY_COUNT];
};

struct bgp_view_route {
	struct bgp_attrs *attrs; /* NULL: none */
	uint32_t from, tag;
	enum bgp_source source;
};
struct bgp_view_route bgp_view_get(const struct bgp_engine *engine, const struct bgp_view *v,
    enum bgp_family family, uint32_t net);
/* The view of that number, made when there is none. 0 gives NULL. */
struct bgp_view *bgp_view_of(struct bgp_engine *engine, uint32_t id);
/* The peer leaves its view, and is told that one from now on; NULL: none. */
void bgp_view_join(struct bgp_peer *peer, struct bgp_view *v);
void bgp_views_free(struct bgp_engine *engine);

struct bgp_out_page {
	uint32_t sent[BGP_PAGE_NETS];       /* set the peer has; 0: none */
	uint64_t dirty[BGP_PAGE_NETS / 64]; /* to be looked at */
	uint64_t again[BGP_PAGE_NETS / 64]; /* to be sent even if equal (route refresh) */
	uint32_t used;                      /* sent and dirty ones */
	uint32_t next_dirty;                /* page number + 1; 0: the last */
	bool queued;
};

struct bgp_bucket {           /* prefixes that are told one set */
	uint32_t set;         /* 0: withdrawn */
	uint32_t first, last; /* items; 0: none */
};
struct bgp_item {
	uint32_t net;
	uint32_t next;
};

/* The differences of one round, by set. Bucket 0 is the withdrawals. */
struct bgp_batch {
	struct bgp_bucket *bucket;
	struct bgp_item *item; /* from 1 on */
	uint32_t *index;       /* hash of sets to buckets, power of two */
	uint32_t buckets, bucket_room, items, item_room, index_room;
	uint32_t at; /* bucket being sent */
};
/* Adds a difference; takes over the reference to the prefix and, if true is returned, to the set. */
bool bgp_batch_add(struct bgp_batch *b, uint32_t net, uint32_t set);
/* The next prefix of the current bucket, taken out; 0 when it is empty. */
uint32_t bgp_batch_take(struct bgp_batch *b);
uint32_t bgp_batch_peek(const struct bgp_batch *b);
static inline bool bgp_batch_is_empty(const struct bgp_batch *b)
{
	return b->items == 0;
}
/* Only when every prefix was taken. */
void bgp_batch_clear(struct bgp_batch *b);

enum bgp_round { BGP_ROUND_IDLE, BGP_ROUND_FEED, BGP_ROUND_EXPORT, BGP_ROUND_SEND };

struct bgp_adj_out { /* of one peer and family */
	struct bgp_out_page **page;
	uint32_t pages;
	uint32_t dirty_first, dirty_last; /* pages, number + 1 */
	uint32_t dirty;                   /* prefixes */
	uint32_t announced;               /* prefixes the peer has */
	uint32_t planned;                 /* and will have after this round */
	uint8_t round;                    /* enum bgp_round */
	uint32_t quota;                   /* dirty prefixes still to look at in this round */
	uint32_t feed_page;               /* of the view and of what was sent, being marked dirty */
	bool feed_due;                    /* the whole view is to be looked at */
	bool again_due;                   /* the peer asked for all again: BoRR comes first */
	bool again;                       /* this feed marks to send even if equal */
	bool end_of_rib_due, end_of_refresh_due;
	bool limited; /* not all was announced: limit_out */
	struct bgp_batch batch;
	struct timer mrai;
	struct bgp_peer *peer;
};

/* What a session that ended had been told, on its way to be freed in slices. */
struct bgp_grave {
	struct list node;
	enum bgp_family family;
	struct bgp_out_page **page;
	uint32_t pages, at;
	struct bgp_batch batch;
};

void bgp_adj_out_init(struct bgp_adj_out *out, struct bgp_peer *peer);
/* Forgets what the peer has been told: the session is gone. */
void bgp_adj_out_clear(struct bgp_peer *peer, enum bgp_family family);
/* One slice of freeing what was forgotten. True: more is waiting. */
bool bgp_graves_work(struct bgp_engine *engine, uint32_t *budget);
void bgp_out_dirty(struct bgp_peer *peer, enum bgp_family family, uint32_t net, bool again);
uint32_t bgp_out_sent(const struct bgp_adj_out *out, uint32_t net);
/* Takes over the reference to the set. */
void bgp_out_set_sent(struct bgp_peer *peer, enum bgp_family family, uint32_t net, uint32_t set);
/* Takes the next dirty prefix with its reference; 0 when there is none. */
uint32_t bgp_out_take_dirty(struct bgp_peer *peer, enum bgp_family family, bool *again);

/* round.c */
/* Looks at the whole view again; `again`: sends all of it, as a route refresh. */
void bgp_out_feed(struct bgp_peer *peer, enum bgp_family family, bool again);
/* One slice: takes from *budget. True: more could be done now. */
bool bgp_out_work(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget);
void bgp_out_mrai_expired(struct timer *t, struct mono now);

/* export.c: what the peer is to be told of a prefix; a reference for the caller, or NULL: nothing. */
struct bgp_attrs *bgp_export(struct bgp_peer *peer, enum bgp_family family, uint32_t net);

/* announce.c: UPDATEs out of the batch, as long as they can be sent. Uses *budget. */
void bgp_announce(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget);

#endif
