/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_BGP_H
#define BGP_BGP_H

/*
 * The BGP speaker: sessions with peers, the routes they sent, and what they are told.
 *
 * The engine does no I/O. It is told what happened (a connection, bytes, the passing of time) together
 * with the time `now`, and answers by calling `struct bgp_ops`. Nothing is global; one thread uses an
 * engine at a time. Ops are called from inside the entry points and must not call back into the engine.
 *
 *      connections, bytes                                       bytes
 *   transport ---> session (FSM) -> UPDATE -> import -> Adj-RIB-In     UPDATE <- session ---> transport
 *                                                          |              ^
 *                                             bgp_changes(), bgp_paths()  |  Adj-RIB-Out: what the peer
 *                                                          v              |  has been told
 *                                       the model: bgp_decide(), tables, FIB
 *                                                          |              |
 *                                                   bgp_view_set() --> view --> export
 *
 * - Adj-RIB-In: every route as received, and as import left it. A prefix is stored once for all peers.
 *   What changed is asked for with bgp_changes(): each prefix once, however often it changed meanwhile.
 * - Which route of a prefix is best depends on tables that only the model knows. It gets the paths
 *   with bgp_paths(), and may order them with bgp_decide(): RFC 4271 9.1.2.2 as a pure function.
 * - A view is one route table as it is to be announced: a route per prefix, from a peer or local. A
 *   peer is told one view. Export runs when the peer can take an UPDATE, so that what flaps meanwhile
 *   costs nothing; what comes out equal to what the peer already has is not sent. A change of view,
 *   of policy or of the peer's wishes is therefore always the smallest difference.
 * - Attributes are immutable sets, one per distinct content, shared by all routes (attrs.h).
 *
 * Nothing here runs long: bytes are taken, and work is done, in slices of `slice` prefixes; the entry
 * points say when more is waiting. Memory per route: 32 bytes, per prefix 16 (28) and a hash bucket,
 * per prefix of a view 13, per prefix told to a peer 4; plus the attribute sets.
 *
 * RFC 4271 (BGP-4), 6286 (identifiers), 4760 (IPv6), 6793 (4-octet AS), 7607 (AS 0), 9774 (no AS_SET),
 * 5492, 9072 (capabilities), 2918, 7313 (refresh), 4724, 8538 (graceful restart), 7606 (errors), 4486,
 * 9003 (cease), 6608 (FSM errors), 9687 (send hold timer), 8654 (extended messages), 9234 (roles), 1997,
 * 4360, 5701, 8092 (communities), 8326 (graceful shutdown), 4456 (reflection), 8212 (default deny).
 * GTSM (5082) and TCP-MD5 (2385) are the transport's: it knows the peer by its number, and keeps the key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/rng.h"
#include "bgp/attrs.h"
#include "bgp/decide.h"
#include "bgp/numbers.h"

struct bgp_engine;

/* Names one connection, never used again; 0 is none. Events of one that was closed are ignored. */
typedef uint64_t bgp_conn;

/* ---- peers ---- */

enum bgp_state {
	BGP_IDLE,
	BGP_CONNECT,
	BGP_ACTIVE,
	BGP_OPENSENT,
	BGP_OPENCONFIRM,
	BGP_ESTABLISHED,
};
const char *bgp_state_name(enum bgp_state state);

#define BGP_NAME_MAX 140 /* with the terminator */

/* Maximum number of prefixes of a family. */
struct bgp_prefix_limit {
	uint32_t max;         /* one more closes the session (Cease 1); 0: none */
	bool accepted_only;   /* counts what import accepted; else all that was received */
	uint8_t warn_percent; /* a warning at this share of max; 0: none */
	uint32_t restart_s; /* the session may come back after that long; 0: when started by hand */
};

struct bgp_transport {
	struct ip_addr local, remote;
	uint16_t port;   /* of the remote, host order */
	uint8_t ttl;     /* to send with */
	uint8_t ttl_min; /* GTSM: drop what arrives with less; 0: off */
};

struct bgp_peer_config {
	char name[BGP_NAME_MAX]; /* for log lines */
	struct bgp_transport transport;
	uint32_t local_as, remote_as;              /* equal: an internal peer */
	uint8_t families;                          /* BGP_FAMILY_BIT() of each to carry */
	struct ip_addr next_hop[BGP_FAMILY_COUNT]; /* ours; unset: transport.local where it fits */
	bool passive;                              /* waits for the peer to connect */

	uint16_t hold_s;          /* 0 (no keepalives), or 3..65535 */
	uint16_t keepalive_s;     /* 0: a third of the hold time */
	uint16_t send_hold_s;     /* RFC 9687, twice the hold time at least; 0: the default, 480 */
	uint16_t connect_retry_s; /* between attempts to connect */
	uint16_t idle_hold_s;     /* after the first failure; doubles */
	uint16_t idle_hold_max_s; /* until here */
	uint32_t mrai_ms;         /* between rounds of UPDATEs; 0: none */

	bool graceful_restart;       /* offer it, and keep the peer's routes while it restarts */
	uint16_t stale_s;            /* routes wait for the End-of-RIB, or EoRR, that long */
	bool route_refresh;          /* offer both kinds */
	bool extended_messages;      /* offer RFC 8654 */
	enum bgp_role role;          /* ours; BGP_ROLE_NONE: off */
	bool role_strict;            /* the peer must tell its role */
	uint8_t allow_as_in;         /* how often our AS may stand in a path (0: a loop) */
	bool allow_as_set;           /* take paths with AS_SET (RFC 9774 does not) */
	bool any_first_as;           /* the path need not begin with the peer's AS */
	bool no_announce_to_as;      /* do not announce paths that hold the peer's AS already */
	bool next_hop_self;          /* towards internal peers as well */
	bool reflect;                /* internal peer is a client (RFC 4456) */
	bool remove_private_as;      /* on export */
	bool replace_peer_as;        /* on export: our AS instead of the peer's, in the path */
	bool graceful_shutdown;      /* honour the community: preference 0 (RFC 8326) */
	bool require_policy;         /* RFC 8212: an external peer without policy has no routes */
	bool has_import, has_export; /* a policy is configured: ask ops->import, ops->export */

	struct bgp_prefix_limit limit_in[BGP_FAMILY_COUNT];
	uint32_t limit_out[BGP_FAMILY_COUNT]; /* announce at most so many; 0: all */
	uint32_t view;                        /* what is announced; 0: nothing */
};
/* Hold 90 s, refresh, graceful restart, IPv4, TTL 1 for external peers is the caller's to set. */
struct bgp_peer_config bgp_peer_defaults(void);

/* Why a session ended. */
enum bgp_end_by { BGP_END_NONE, BGP_END_SENT, BGP_END_RECEIVED, BGP_END_TRANSPORT };
#define BGP_END_TEXT_MAX 300
struct bgp_end {
	uint8_t by; /* enum bgp_end_by: a NOTIFICATION of ours, of the peer, or neither */
	uint8_t code, subcode;
	char text[BGP_END_TEXT_MAX]; /* shutdown communication, attribute; printable. May be "" */
};

/* ---- what the engine asks of its surroundings ---- */

struct bgp_ops {
	/* Begin to connect. bgp_connected() or bgp_connect_failed() follows. 0 or -errno. */
	int (*connect)(
	    void *ctx, uint32_t peer, bgp_conn conn, const struct bgp_transport *transport);
	/* Send what was accepted, then close. No event of it is wanted from now on. */
	void (*close)(void *ctx, bgp_conn conn);
	/* How many bytes were taken, 0..len; after less than len, bgp_writable() when there is room. */
	size_t (*send)(void *ctx, bgp_conn conn, const uint8_t *bytes, size_t len);
	/* The session is established, for these families. */
	void (*up)(void *ctx, uint32_t peer, uint8_t families);
	/* It is no longer. `kept`: families whose routes stay while the peer restarts. */
	void (*down)(void *ctx, uint32_t peer, const struct bgp_end *end, uint8_t kept);
	/*
	 * Policies: false refuses the route; *edit, all zero before, changes it. They must depend on
	 * their arguments only, until bgp_peer_reimport() or bgp_peer_reexport(). May be NULL.
	 */
	bool (*import)(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
	    const struct bgp_attrs *attrs, struct bgp_edit *edit);
	bool (*export)(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
	    const struct bgp_attrs *attrs, uint32_t tag, struct bgp_edit *edit);
	/*
	 * After a graceful restart of our own: all peers have sent their routes, or the time for it is
	 * over. When the model has taken the changes and set the views, it calls bgp_restart_done().
	 */
	void (*learned)(void *ctx);
};

/* ---- the engine ---- */

struct bgp_config {
	uint32_t router_id;  /* host order, not 0 */
	uint32_t cluster_id; /* of reflection; 0: the router ID */
	/* Graceful restart of our own (RFC 4724 4.1). */
	uint16_t restart_s;   /* told to peers: how long until we are back, 1..4095 */
	bool forwarding_kept; /* the data plane forwards while control is away (F bit) */
	bool restarting;      /* we have just come back: announce nothing before all was learned */
	uint16_t deferral_s;  /* but at most that long */
	bool
	    restarted; /* we were killed and are back without forwarding: says so, and defers nothing */
	uint32_t slice;     /* prefixes per call; 0: 4096, about 2 ms */
	uint32_t peers_max; /* 0: 4096 */
};

/* `ops` and `rng` are borrowed until bgp_destroy(). NULL with errno EINVAL. */
struct bgp_engine *bgp_create(const struct bgp_ops *ops, void *ctx, struct rng *rng,
    const struct bgp_config *config, struct mono now);
/*
 * Frees everything; closes connections through ops. Without NOTIFICATIONs before (bgp_peer_stop()),
 * helpers see a restart and keep our routes.
 */
void bgp_destroy(struct bgp_engine *engine);

/* True and when bgp_run() is next needed (the past, when work is waiting). */
bool bgp_next(const struct bgp_engine *engine, struct mono *due);
/* Runs timers that are due and one slice of work. True: more is waiting, call again soon. */
bool bgp_run(struct bgp_engine *engine, struct mono now);
/* Another router ID, not 0: sessions end (Cease 6) and start again. The same: nothing happens. */
void bgp_set_router_id(struct bgp_engine *engine, struct mono now, uint32_t router_id);
/* See ops->learned. Does nothing unless restarting. */
void bgp_restart_done(struct bgp_engine *engine, struct mono now);

/* ---- peers: `peer` is a number of the caller's, not 0 ---- */

/* Starts nothing. 0; -EEXIST; -ENOSPC at peers_max; -EINVAL (*why, if not NULL, then says what). */
int bgp_peer_add(struct bgp_engine *engine, struct mono now, uint32_t peer,
    const struct bgp_peer_config *config, const char **why);
/*
 * Takes over a changed configuration. Names, timers, limits, policies and the view change without
 * disturbing the session; anything else ends it (Cease 6) and starts again. 0, -ENOENT, -EINVAL.
 */
int bgp_peer_update(struct bgp_engine *engine, struct mono now, uint32_t peer,
    const struct bgp_peer_config *config, const char **why);
/* Cease 3, forgets peer and routes; the number may be used again at once. 0 or -ENOENT. */
int bgp_peer_remove(struct bgp_engine *engine, struct mono now, uint32_t peer);
/* Wants the session up, at once: forgets back-off and an exceeded prefix limit. 0 or -ENOENT. */
int bgp_peer_start(struct bgp_engine *engine, struct mono now, uint32_t peer);
/*
 * Ends the session, not to come back by itself. `cease` is BGP_CEASE_SHUTDOWN, _BFD_DOWN or another;
 * `text` (may be NULL; UTF-8, cut at 255 bytes) is told to the peer. 0 or -ENOENT.
 */
int bgp_peer_stop(struct bgp_engine *engine, struct mono now, uint32_t peer, enum bgp_cease cease,
    const char *text);
/* Cease 4, then again. `hard`: the peer shall not keep our routes (RFC 8538). 0, -ENOENT, -ENOTCONN. */
int bgp_peer_reset(
    struct bgp_engine *engine, struct mono now, uint32_t peer, bool hard, const char *text);
/* Asks the peer for its routes again. 0; -ENOENT; -ENOTCONN; -EOPNOTSUPP: the peer cannot; -EAGAIN:
 * the transport is behind. */
int bgp_peer_refresh(struct bgp_engine *engine, struct mono now, uint32_t peer);
/*
 * Whether packets can be sent to the peer at all. While they cannot, none of its routes is a path; the
 * session is left to its timers. What changes is told with bgp_changes(), in slices. 0 or -ENOENT.
 */
int bgp_peer_reachable(struct bgp_engine *engine, uint32_t peer, bool reachable);
/* The import, or export, policy changed: runs it again over all routes. 0 or -ENOENT. */
int bgp_peer_reimport(struct bgp_engine *engine, uint32_t peer);
int bgp_peer_reexport(struct bgp_engine *engine, uint32_t peer);
/* Who that is, by remote and (if set) local address; 0: nobody. */
uint32_t bgp_peer_find(
    const struct bgp_engine *engine, const struct ip_addr *local, const struct ip_addr *remote);

/* ---- transport ---- */

/*
 * Somebody connected. The name of the new connection, or 0: refuse it (no such peer, or not wanted now).
 * When the transport has noted the name it calls bgp_connected().
 */
bgp_conn bgp_accepted(struct bgp_engine *engine, struct mono now, uint32_t peer);
/*
 * The connection is there, whoever made it. `local` is its address on our side: the next hop of our
 * routes unless one is configured.
 */
void bgp_connected(
    struct bgp_engine *engine, struct mono now, bgp_conn conn, const struct ip_addr *local);
void bgp_connect_failed(struct bgp_engine *engine, struct mono now, bgp_conn conn);
/*
 * Bytes as they came, in any portions. Returns how many were taken: less than len when the slice is
 * over, then call again with the rest in the next turn, and read no more meanwhile.
 */
size_t bgp_received(
    struct bgp_engine *engine, struct mono now, bgp_conn conn, const uint8_t *bytes, size_t len);
void bgp_writable(struct bgp_engine *engine, struct mono now, bgp_conn conn);
/* The connection ended or broke. */
void bgp_closed(struct bgp_engine *engine, struct mono now, bgp_conn conn);

/* ---- routes learned ---- */

struct bgp_change {
	struct ip_prefix prefix;
	uint32_t net; /* where it is, for bgp_paths_changed() */
};
/* Prefixes whose paths changed, oldest change first; at most `max`. Each is told once. */
size_t bgp_changes(struct bgp_engine *engine, struct bgp_change *out, size_t max);
size_t bgp_changes_waiting(const struct bgp_engine *engine);
/*
 * The usable paths of exactly that prefix, in no order; at most `max` are stored, the count of all is
 * returned. Attributes live until the next call that takes `now`; bgp_attrs_ref() keeps them.
 */
unsigned bgp_paths(const struct bgp_engine *engine, const struct ip_prefix *prefix,
    struct bgp_path *out, unsigned max);
/* The same, of a change just taken: faster. */
unsigned bgp_paths_changed(const struct bgp_engine *engine, const struct bgp_change *change,
    struct bgp_path *out, unsigned max);

/*
 * All prefixes that anybody knows, from *cursor on (at first 0), as if they had changed; at most `max`.
 * Fewer than that: these were the last. Prefixes that come meanwhile may be missed: they are changes.
 */
size_t bgp_walk(
    const struct bgp_engine *engine, uint64_t *cursor, struct bgp_change *out, size_t max);

/* ---- routes to announce: views are numbers of the caller's, not 0 ---- */

/*
 * The route of the prefix in that view: from a peer (its number), or local (0). `tag` is the caller's:
 * export is asked again when it changes.
 */
void bgp_view_set(struct bgp_engine *engine, uint32_t view, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t from, uint32_t tag);
/* The tag of that route, and its attributes unless NULL; false: the view has none. */
bool bgp_view_find(const struct bgp_engine *engine, uint32_t view, const struct ip_prefix *prefix,
    uint32_t *tag, const struct bgp_attrs **attrs);
/* The same of a prefix just told by bgp_changes() or bgp_walk(): faster. */
bool bgp_view_find_changed(
    const struct bgp_engine *engine, uint32_t view, const struct bgp_change *change, uint32_t *tag);
/* No route. Nothing happens when there was none. */
void bgp_view_unset(struct bgp_engine *engine, uint32_t view, const struct ip_prefix *prefix);
/* Empties and forgets it; peers still told this view are told nothing. */
void bgp_view_remove(struct bgp_engine *engine, uint32_t view);

/* A set for a local route: origin, then *edit (may be NULL). A reference for the caller. */
const struct bgp_attrs *bgp_attrs_local(
    struct bgp_engine *engine, enum bgp_origin origin, const struct bgp_edit *edit);
/* The set that *edit makes of another. A reference for the caller; NULL when it grows too long. */
const struct bgp_attrs *bgp_attrs_edit(
    struct bgp_engine *engine, const struct bgp_attrs *attrs, const struct bgp_edit *edit);
void bgp_attrs_ref(struct bgp_engine *engine, const struct bgp_attrs *attrs);
void bgp_attrs_unref(struct bgp_engine *engine, const struct bgp_attrs *attrs);

/* ---- what there is to see ---- */

#define BGP_PEER_COUNTER_LIST(X)                                                                   \
	X(opens_in, "bgp_opens_received", "OPEN messages received")                                \
	X(opens_out, "bgp_opens_sent", "OPEN messages sent")                                       \
	X(updates_in, "bgp_updates_received", "UPDATE messages received")                          \
	X(updates_out, "bgp_updates_sent", "UPDATE messages sent")                                 \
	X(keepalives_in, "bgp_keepalives_received", "KEEPALIVE messages received")                 \
	X(keepalives_out, "bgp_keepalives_sent", "KEEPALIVE messages sent")                        \
	X(notifications_in, "bgp_notifications_received", "NOTIFICATION messages received")        \
	X(notifications_out, "bgp_notifications_sent", "NOTIFICATION messages sent")               \
	X(refreshes_in, "bgp_refreshes_received", "ROUTE-REFRESH messages received")               \
	X(refreshes_out, "bgp_refreshes_sent", "ROUTE-REFRESH messages sent")                      \
	X(bytes_in, "bgp_bytes_received", "bytes received")                                        \
	X(bytes_out, "bgp_bytes_sent", "bytes the transport took")                                 \
	X(prefixes_in, "bgp_prefixes_received", "prefixes announced by the peer")                  \
	X(withdrawals_in, "bgp_withdrawals_received", "prefixes withdrawn by the peer")            \
	X(prefixes_out, "bgp_prefixes_sent", "prefixes announced to the peer")                     \
	X(withdrawals_out, "bgp_withdrawals_sent", "prefixes withdrawn from the peer")             \
	X(treated_as_withdraw, "bgp_treated_as_withdraw",                                          \
	    "UPDATE messages with a malformed attribute, taken as withdrawals")                    \
	X(attributes_discarded, "bgp_attributes_discarded", "malformed attributes left out")       \
	X(loops, "bgp_loops", "UPDATE messages with our own AS in the path")                       \
	X(established, "bgp_established", "sessions established")                                  \
	X(lost, "bgp_lost", "established sessions lost")                                           \
	X(collisions, "bgp_collisions", "connections closed for another of the same peer")         \
	X(refused, "bgp_refused", "connections refused")

struct bgp_peer_counters {
#define BGP_PEER_COUNTER_FIELD(field, name, help) uint64_t field;
	BGP_PEER_COUNTER_LIST(BGP_PEER_COUNTER_FIELD)
#undef BGP_PEER_COUNTER_FIELD
};

struct bgp_peer_info {
	uint32_t peer;
	const struct bgp_peer_config *config;
	enum bgp_state state;
	bool wanted;          /* started */
	struct mono since;    /* of the last change into or out of Established; 0: never up */
	struct mono retry;    /* Idle: when it begins again; 0: not by itself */
	struct bgp_end end;   /* of the last session that ended */
	uint32_t remote_id;   /* host order; these while OpenConfirm or Established */
	struct ip_addr local; /* of the connection */
	uint16_t hold_s;      /* negotiated; 0: no keepalives */
	uint32_t keepalive_ms;
	uint8_t families;
	bool as4, refresh, enhanced_refresh, extended_messages, graceful_restart,
	    notification_restart;
	uint8_t role; /* of the peer; enum bgp_role */
	struct {
		uint32_t received, accepted, stale, announced, waiting;
		bool end_of_rib; /* the peer's */
	} rib[BGP_FAMILY_COUNT];
	struct bgp_peer_counters counters;
};

/* 0 or -ENOENT. Pointers in *out live until the peer is changed. */
int bgp_peer_get(const struct bgp_engine *engine, uint32_t peer, struct bgp_peer_info *out);
/* In order of numbers. */
void bgp_each_peer(const struct bgp_engine *engine,
    void (*fn)(void *arg, const struct bgp_peer_info *info), void *arg);

/* One route of a peer, for `show`: learned (with why it is not used) or announced. */
struct bgp_route_info {
	struct ip_prefix prefix;
	const struct bgp_attrs
	    *received;                /* or as announced, then without next hop when it is ours */
	const struct bgp_attrs *used; /* after import; NULL: refused */
	const char *refused;          /* why; NULL otherwise */
	bool stale;
};
/*
 * Some routes of the peer, from *cursor on (0: the first). True while there are more; *cursor then says
 * from where. Routes that come and go meanwhile may be missed or not; no order.
 */
bool bgp_each_learned(const struct bgp_engine *engine, uint32_t peer, enum bgp_family family,
    uint32_t *cursor, unsigned max, void (*fn)(void *arg, const struct bgp_route_info *info),
    void *arg);
bool bgp_each_announced(const struct bgp_engine *engine, uint32_t peer, enum bgp_family family,
    uint32_t *cursor, unsigned max, void (*fn)(void *arg, const struct bgp_route_info *info),
    void *arg);

struct bgp_usage {
	uint32_t prefixes[BGP_FAMILY_COUNT], routes[BGP_FAMILY_COUNT];
	uint32_t attribute_sets, timers;
	size_t attribute_bytes;
};
struct bgp_usage bgp_usage(const struct bgp_engine *engine);

#endif
