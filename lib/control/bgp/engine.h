/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_ENGINE_H
#define BGP_ENGINE_H

/*
 * What the files of this folder share: engine, peer, session. Who does what:
 *
 *   fsm.c        state x event -> state         session.c  what entering a state does, timers
 *   transport.c  connections, events            stream.c   bytes <-> messages
 *   receive.c    messages -> events, UPDATE     rib.c, import.c, changes.c   routes learned
 *   graceful.c   restarts, theirs and ours      view.c, out.c, round.c, export.c, announce.c   told
 *   peer.c       configuration                  engine.c   time and work
 */

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "bgp/attr.h"
#include "bgp/bgp.h"
#include "bgp/edit.h"
#include "bgp/message.h"
#include "bgp/out.h"
#include "bgp/rib.h"

#define BGP_SLICE       4096
#define BGP_CHUNK_BYTES 16384u /* of UPDATEs handed to the transport at once, about */
#define BGP_CHUNK_ROOM  (BGP_CHUNK_BYTES + BGP_MESSAGE_EXT_MAX)
#define BGP_PEERS_MAX   4096
#define BGP_PEERS_LIMIT 8192 /* of peers_max: references to a prefix are counted in 16 bits */

/* Events of RFC 4271 8.1, by what they mean to us. */
enum bgp_event {
	BGP_EV_START,         /* 1, 3 to 7, 13 */
	BGP_EV_STOP,          /* 2, 8 */
	BGP_EV_RETRY,         /* 9 ConnectRetryTimer expires */
	BGP_EV_HOLD,          /* 10 HoldTimer expires */
	BGP_EV_KEEPALIVE_DUE, /* 11 KeepaliveTimer expires */
	BGP_EV_CONNECTED,     /* 16, 17 */
	BGP_EV_CLOSED,        /* 18 */
	BGP_EV_OPEN,          /* 19 */
	BGP_EV_ERROR,         /* 21, 22, 28: the peer's message is at fault */
	BGP_EV_COLLISION,     /* 23 */
	BGP_EV_NOTIFICATION,  /* 24, 25 */
	BGP_EV_KEEPALIVE,     /* 26 */
	BGP_EV_UPDATE,        /* 27 */
	BGP_EV_REFRESH,
	BGP_EV_SEND_HOLD, /* 29 (RFC 9687) */
};

/* One connection with the state machine that goes with it (RFC 4271 8.2.1). */
struct bgp_session {
	struct bgp_peer *peer;
	bool incoming;
	uint8_t state;  /* enum bgp_state */
	bgp_conn conn;  /* 0: none */
	bool connected; /* OPEN was sent on it */
	struct ip_addr local;
	struct timer retry, hold, keepalive, send_hold;
	struct mono heard; /* when the last message came */

	/* Negotiated, from OpenConfirm on. */
	struct bgp_open theirs;
	struct bgp_open ours; /* as sent */
	struct bgp_attr_session attrs;
	uint16_t hold_s;
	int64_t keepalive_ns; /* 0: none are sent */
	unsigned message_max; /* we take */
	unsigned send_max;    /* the peer takes */
	bool enhanced_refresh;

	uint8_t *in; /* an incomplete message */
	uint32_t in_len, in_room;
	uint8_t *out; /* what the transport did not take yet: out_at..out_len */
	uint32_t out_at, out_len, out_room;
};

struct bgp_peer {
	struct list node;
	struct list ready_node;
	struct list view_node;
	struct bgp_engine *engine;
	uint32_t id;
	uint16_t slot;
	bool removed; /* no longer the caller's: only its routes are left */
	bool wanted;
	bool plain_open; /* the peer refused optional parameters: send none (RFC 5492 3) */
	bool external;
	bool unreachable; /* nothing can be sent to it: none of its routes is a path */
	struct bgp_peer_config config;
	struct bgp_session session[2]; /* ours (outgoing), theirs (incoming) */
	struct bgp_session *up;        /* the established one */
	struct timer idle_hold;        /* then it starts again */
	struct timer restart;          /* the peer restarts: its routes are kept until then */
	uint8_t kept;                  /* families whose routes are kept meanwhile */
	unsigned failures;             /* in a row */
	bool over_limit;               /* the session ends for too many prefixes, and may come */
	uint32_t over_limit_s;         /* back after that long; 0: not by itself */
	struct mono since;
	bool crossed;       /* when the session came up, an attempt of ours was still on its way */
	uint32_t router_id; /* of the peer, when last established */
	bool waits_for_eor; /* our restart waits for its End-of-RIB */
	struct bgp_end end;
	bool ended_hard; /* by a hard reset, or a Cease that means one (RFC 8538) */
	struct log_limit update_log;
	struct bgp_view *view;
	uint32_t out_class;
	bool oversized_logged;
	struct bgp_adj_in in[BGP_FAMILY_COUNT];
	struct bgp_adj_out out[BGP_FAMILY_COUNT];
	struct bgp_peer_counters counters;
};

/* Peers for which export makes the same of a set share its result (bgp_attrs.out_class). */
struct bgp_out_class {
	uint32_t local_as, remote_as; /* remote_as only where it matters */
	bool external, remove_private_as, replace_peer_as, keep_next_hop, add_otc;
};

enum bgp_restart_phase { BGP_RESTART_NONE, BGP_RESTART_LEARNING, BGP_RESTART_DECIDING };

struct bgp_engine {
	const struct bgp_ops *ops;
	void *ctx;
	struct rng *rng;
	struct bgp_config config;
	struct mono now;
	struct timers timers;
	struct bgp_sets sets;
	struct bgp_rib rib[BGP_FAMILY_COUNT];
	struct list peers;         /* all, in order of id, removed ones behind */
	struct bgp_peer **by_slot; /* from 1 on */
	uint32_t slots;
	struct bgp_peer **by_id; /* sorted, without removed ones */
	uint32_t ids;
	struct list ready; /* peers with work */
	struct list views;
	struct list graves;
	struct bgp_out_class *out_class; /* from 1 on */
	uint32_t out_classes;
	uint64_t next_conn;
	uint8_t restart_phase; /* enum bgp_restart_phase */
	struct timer deferral;
	struct mono restarted_until; /* 0: we were not */
	/* Scratch of one call. */
	struct bgp_parse parse;
	struct bgp_attr_room *attr_room;
	struct bgp_edit_room *edit_room;
	uint8_t *message; /* BGP_CHUNK_ROOM bytes: UPDATEs being written */
	uint8_t *block;   /* BGP_MESSAGE_EXT_MAX bytes: attributes being written */
};

/* ---- engine.c ---- */

/* From [3/4 of the duration] to all of it (RFC 4271 10). */
int64_t bgp_jitter(struct bgp_engine *engine, int64_t duration_ns);
/* There is work for the peer. */
void bgp_ready(struct bgp_peer *peer);

static inline uint32_t bgp_cluster_id(const struct bgp_engine *e)
{
	return e->config.cluster_id ? e->config.cluster_id : e->config.router_id;
}

/* ---- peer.c ---- */

struct bgp_peer *bgp_peer_of(const struct bgp_engine *engine, uint32_t id);
void bgp_peer_free(struct bgp_peer *peer);
void bgp_log(const struct bgp_peer *peer, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* For what a peer's messages cause; rate-limited. */
void bgp_log_update(struct bgp_peer *peer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- fsm.c ---- */

/* `error`: what BGP_EV_ERROR sends, or the text of a BGP_EV_STOP; else NULL. */
void bgp_fsm(struct bgp_session *s, enum bgp_event event, const struct bgp_error *error);

/* ---- session.c ---- */

/* Why a state is entered: the event, the NOTIFICATION that goes with it, words for the log. */
struct bgp_transition {
	enum bgp_event event;
	const struct bgp_error *notify; /* NULL: none is sent */
	const char *why;
};
void bgp_enter(struct bgp_session *s, enum bgp_state state, const struct bgp_transition *t);
void bgp_session_init(struct bgp_peer *peer, bool incoming);
static inline struct bgp_session *bgp_session_other(struct bgp_session *s)
{
	return &s->peer->session[s->incoming ? 0 : 1];
}
enum bgp_state bgp_peer_state(const struct bgp_peer *peer);
/* Begins when it may: at once, or when the idle hold time is over. */
void bgp_peer_begin(struct bgp_peer *peer);
/* Ends whatever is going on; the NOTIFICATION to each connection. */
void bgp_peer_end(struct bgp_peer *peer, const struct bgp_error *error);
/* Waits before it begins again, longer with each failure. */
void bgp_peer_failed(struct bgp_peer *peer);

/* ---- collision.c ---- */

/* An OPEN came on `s`: of two connections to one peer, one goes (RFC 4271 6.8). False: `s` went. */
bool bgp_collide(struct bgp_session *s);
/*
 * Whether the peer closed the established `s` because of another connection of ours, which it takes for our
 * restart (RFC 4724 5), rather than having failed itself.
 */
bool bgp_was_superseded(const struct bgp_session *s);
/* The peer connects. What it made before, and is established, goes if that says that it has restarted. */
void bgp_make_way(struct bgp_peer *peer);

/* ---- transport.c ---- */

struct bgp_session *bgp_session_of(const struct bgp_engine *engine, bgp_conn conn);
bgp_conn bgp_conn_new(struct bgp_session *s);
int bgp_conn_open(struct bgp_session *s);
void bgp_conn_close(struct bgp_session *s);

/* ---- stream.c ---- */

/* False when the transport is behind: nothing was written. Counts it. */
bool bgp_send(struct bgp_session *s, const uint8_t *bytes, size_t len);
/* Even when the transport is behind: for messages that come once in a session. */
void bgp_send_anyway(struct bgp_session *s, const uint8_t *bytes, size_t len);
static inline bool bgp_send_blocked(const struct bgp_session *s)
{
	return s->out_at < s->out_len;
}
void bgp_stream_clear(struct bgp_session *s);
void bgp_send_open(struct bgp_session *s);
/* `first`: the one that answers the OPEN. */
void bgp_send_keepalive(struct bgp_session *s, bool first);
void bgp_send_notification(struct bgp_session *s, const struct bgp_error *error);
bool bgp_send_refresh(struct bgp_session *s, enum bgp_family family, enum bgp_refresh_kind kind);

/* ---- receive.c, update.c ---- */

/* A whole message with a good header. Returns what it costs of the slice. */
uint32_t bgp_receive_message(
    struct bgp_session *s, const struct bgp_header *header, const uint8_t *bytes);
/* The body of an UPDATE. False and *error: the session has to end. *cost: prefixes. */
bool bgp_update_receive(
    struct bgp_session *s, struct wire body, struct bgp_error *error, uint32_t *cost);

/* ---- graceful.c ---- */

/* Whose routes stay when the connection breaks: what the peer may keep over a restart (RFC 4724 3). */
uint8_t bgp_graceful_families(const struct bgp_session *s);
/* The session is gone; returns the families whose routes stay (RFC 4724 4.2, 8538). */
uint8_t bgp_graceful_lost(struct bgp_session *s, enum bgp_event event);
/* Whether a NOTIFICATION of ours tells the peer not to keep our routes. */
bool bgp_graceful_is_hard(const struct bgp_session *s, const struct bgp_error *error);
/* It is back: what the OPEN says about the routes that were kept. */
void bgp_graceful_back(struct bgp_session *s);
/* Routes kept for a peer go. */
void bgp_graceful_forget(struct bgp_peer *peer);
void bgp_graceful_end_of_rib(struct bgp_peer *peer, enum bgp_family family);
void bgp_graceful_refresh(
    struct bgp_peer *peer, enum bgp_family family, enum bgp_refresh_kind kind);
/* No longer waits for the peer: it is gone, has nothing, or is not wanted. */
void bgp_graceful_done(struct bgp_peer *peer);
void bgp_graceful_begin(struct bgp_engine *engine);
/* The R bit of an OPEN (RFC 4724 3): back after a restart, and not in session with the peer since. */
bool bgp_graceful_is_back(const struct bgp_peer *peer);
void bgp_graceful_init(struct bgp_peer *peer);
bool bgp_graceful_defers(const struct bgp_engine *engine);

/* ---- limit.c ---- */

/* After routes came: false and *error when there are too many (Cease 1). */
bool bgp_limit_in(struct bgp_peer *peer, enum bgp_family family, struct bgp_error *error);

/* ---- transform.c ---- */

/* The set as peers of that kind are told it; `edit` may be NULL. A reference, or NULL: too long. */
struct bgp_attrs *bgp_transform(struct bgp_peer *peer, struct bgp_attrs *attrs,
    const struct bgp_edit *edit, const struct bgp_view_route *route);
/* The number of the class of a peer, made when there is none. */
uint32_t bgp_out_class_of(struct bgp_peer *peer);

/* Is that still the place of the prefix? changes.c */
bool bgp_net_is(const struct bgp_nets *nets, const struct bgp_change *change);

#endif
