/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_SA_H
#define IKE_SA_H

/*
 * An IKE SA, from the first message to its end. What IKEv1 and IKEv2 share; the exchanges themselves are
 * behind struct ike_driver.
 */

#include "base/list.h"
#include "base/timer.h"
#include "ike/fragment.h"
#include "ike/keys.h"
#include "ike/natd.h"
#include "ike/tunnel.h"
#include "ike/window.h"

/*  X(enumerator, name for people) */
#define IKE_SA_STATE_LIST(X)                                                                       \
	X(INIT_SENT, "connecting")     /* initiator: IKE_SA_INIT is out */                         \
	X(HALF_OPEN, "half-open")      /* responder: IKE_SA_INIT answered */                       \
	X(AUTH_SENT, "authenticating") /* initiator: IKE_AUTH is out */                            \
	X(ESTABLISHED, "established")                                                              \
	X(RESERVED, "rekey-pending") /* made by the peer's rekey while ours is under way */        \
	X(REPLACED, "replaced")      /* another one took over; the peer deletes it */              \
	X(DELETING, "deleting")      /* our delete is out */                                       \
	X(DEAD, "dead")              /* freed when the entry point returns */

enum ike_sa_state {
#define X(name, text) IKE_SA_##name,
	IKE_SA_STATE_LIST(X)
#undef X
};

enum ike_task_kind {
	IKE_TASK_NONE,
	IKE_TASK_DELETE_IKE,
	IKE_TASK_REFUSE, /* tell the peer that it failed to authenticate, then forget it */
	IKE_TASK_DELETE_CHILD,
	IKE_TASK_DISOWN_CHILD, /* the peer made a Child SA that we cannot use: delete it by our SPI */
	IKE_TASK_CREATE_CHILD,
	IKE_TASK_REKEY_CHILD,
	IKE_TASK_REKEY_IKE,
	IKE_TASK_PROBE, /* is the peer alive? */
};

/* A request that waits for the window. */
struct ike_task {
	struct list node;
	enum ike_task_kind kind;
	uint32_t spi_in;       /* of the Child SA meant */
	struct ike_slot *slot; /* CREATE_CHILD */
};

#define IKE_TIE_BYTES 32
/*
 * Decides between two SAs made at the same time (RFC 7296 2.8.1): the one with the lowest of the four nonces
 * goes, and the one who made it deletes it. Nonces are random, so their first bytes tell.
 */
struct ike_tie {
	uint8_t lowest[IKE_TIE_BYTES]; /* the lower of both nonces of the exchange */
	bool ours;                     /* we began the exchange */
};
struct ike_tie ike_tie_of(struct ike_span nonce_a, struct ike_span nonce_b, bool ours);
/* True when `a` is the one to go. */
bool ike_tie_loses(const struct ike_tie *a, const struct ike_tie *b);

#define IKE_NONCE_BYTES 32 /* of ours: half the key of the longest PRF */

/* The request under way that needs its state when the response comes. */
#define IKE_GONE_MAX 8
struct ike_exchange {
	enum ike_task_kind kind;
	uint32_t spi_in; /* the Child SA rekeyed or deleted */
	struct ike_slot *slot;
	uint32_t new_spi_in; /* offered for a new Child SA */
	uint64_t new_spi;    /* offered for a new IKE SA */
	struct ike_dh *dh;
	uint32_t groups_tried; /* bit per enum alg_dh */
	uint8_t nonce[IKE_NONCE_BYTES];
	/* The peer's rekey of the same SA, if it came while ours was under way. */
	bool collision;
	struct ike_tie peer_tie;
	uint32_t peer_spi_in; /* Child SA that the peer's rekey made */
	/* The peer's SPIs of deletes that came meanwhile and met nothing: the response may be about to bring one. */
	uint32_t gone[IKE_GONE_MAX];
	unsigned gone_count;
};

/* What is needed until the IKE SA is established; freed then. */
struct ike_setup {
	struct ike_dh *dh;
	uint32_t groups_tried; /* bit per enum alg_dh */
	uint8_t nonce_i[IKE_NONCE_MAX], nonce_r[IKE_NONCE_MAX];
	size_t nonce_i_len, nonce_r_len;
	uint8_t cookie[IKE_COOKIE_MAX];
	size_t cookie_len;
	unsigned restarts;              /* answers to COOKIE and INVALID_KE_PAYLOAD */
	uint8_t *message_i, *message_r; /* IKE_SA_INIT as sent, for AUTH */
	size_t message_i_len, message_r_len;
	uint32_t child_spi_in; /* offered in IKE_AUTH */
	struct ike_slot *child_slot;
	enum ike_error_code hint; /* what an unprotected notify said */
	bool reported;            /* NoResponse was */
};

struct ike_child_sa;
struct ike_driver;
struct v1_state;

struct ike_sa {
	struct ike_engine *engine;
	const struct ike_driver *driver;
	struct ike_tunnel *tunnel; /* NULL while half-open */
	struct list node;          /* engine->sas, or engine->dead */
	struct list bucket_node;
	struct list tunnel_node;
	struct list half_open_node;

	enum ike_sa_state state; /* changed by ike_sa_set_state() alone */
	bool initiator;          /* we began this IKE SA */
	uint64_t spi_i, spi_r;
	struct ike_endpoint local, remote;
	struct ike_nat nat;
	bool natt;      /* both sides know NAT traversal */
	bool fragments; /* both sides know RFC 7383 */

	struct ike_suite suite;
	struct ike_keys keys;
	uint64_t iv_counter; /* of the AEADs: never twice under one key */
	struct ike_window window;
	struct ike_reassembly reassembly[2]; /* of requests, of responses */
	struct ike_setup *setup;

	struct ike_exchange exchange;
	struct list tasks;
	struct list children;
	struct ike_sa *reserved; /* made by the peer's rekey of this one, waiting for ours to end */
	struct ike_sa *reserved_by; /* the other way round, while RESERVED */
	bool
	    leaving; /* the peer makes no Child SA on it any more: goes when another IKE SA has one */

	struct ike_tie tie; /* of the first exchange; inherited by rekeys */
	struct mono begun;  /* the first message; inherited */
	struct mono proven; /* when the peer was first authenticated; inherited */
	struct mono established, soft, hard;
	struct mono heard; /* last authenticated message */
	struct timer life, dpd, keepalive;
	enum ike_error_code end_reason; /* why it goes, when it goes */
	struct v1_state *v1;            /* what only IKEv1 keeps; NULL */
};

/* A fresh SA in `state`. `tunnel` may be NULL. */
struct ike_sa *ike_sa_new(struct ike_engine *e, const struct ike_driver *driver,
    struct ike_tunnel *tunnel, bool initiator, uint64_t our_spi, enum ike_sa_state state);
/* The only place where a state changes; checks that the change is one of the table. */
void ike_sa_set_state(struct ike_sa *sa, enum ike_sa_state state);
const char *ike_sa_state_name(enum ike_sa_state state);
/* Puts `reserved` (or NULL) in waiting for `sa`. */
void ike_sa_reserve(struct ike_sa *sa, struct ike_sa *reserved);
/* Binds a half-open SA to its tunnel. */
void ike_sa_bind(struct ike_sa *sa, struct ike_tunnel *tunnel);
/* Ends it now: Child SAs are removed, nothing is sent. */
void ike_sa_kill(struct ike_sa *sa, enum ike_error_code reason);
/* Its Child SAs go with it: over to another IKE SA of the tunnel to drain, or at once. */
void ike_sa_close_children(struct ike_sa *sa);
/* Frees the memory of a dead one. */
void ike_sa_free(struct ike_sa *sa);
void ike_setup_free(struct ike_sa *sa);
void ike_exchange_clear(struct ike_sa *sa);

static inline uint64_t ike_sa_our_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}
static inline const struct ike_cipher *ike_sa_cipher_out(const struct ike_sa *sa)
{
	return sa->initiator ? &sa->keys.i : &sa->keys.r;
}
static inline const struct ike_cipher *ike_sa_cipher_in(const struct ike_sa *sa)
{
	return sa->initiator ? &sa->keys.r : &sa->keys.i;
}
/* May requests be sent and Child SAs live on it? */
static inline bool ike_sa_is_up(const struct ike_sa *sa)
{
	return sa->state == IKE_SA_ESTABLISHED;
}

/* ---- lifetime and liveness of an SA (lifetime.c, liveness.c) ---- */

void ike_lifetime_init(struct ike_sa *sa);
void ike_liveness_init(struct ike_sa *sa);
void ike_liveness_start(struct ike_sa *sa);
void ike_lifetime_stop(struct ike_sa *sa);
/* When to rekey what lives for `lifetime_s`: early enough to try again, and spread (10 % and more). */
struct mono ike_lifetime_soft(struct ike_engine *e, uint32_t lifetime_s);
/* Our rekey ended without a new SA: try again after `delay_ns`. */
void ike_sa_rekey_later(struct ike_sa *sa, int64_t delay_ns);
/* Nothing is expected of it but the peer's delete, or repeated requests: it goes by itself after that. */
void ike_sa_guard(struct ike_sa *sa, uint32_t seconds);

/* ---- after IKE_AUTH, and after a rekey (succession.c) ---- */

/* The peer is authenticated: lifetimes, DPD and keepalives begin, older SAs of the tunnel are looked at. */
void ike_sa_established(struct ike_sa *sa, bool initial_contact);
/* A new IKE SA of the tunnel, with a Child SA: those that were leaving go. */
void ike_sa_supersede(struct ike_sa *sa);
/* `next` takes the place of `old`: its Child SAs, waiting tasks, history. */
void ike_sa_inherit(struct ike_sa *next, struct ike_sa *old);
/* Soft and hard limit, DPD and keepalives of an established SA, from now on. */
void ike_sa_start_clocks(struct ike_sa *sa);
/* An authenticated message was received. */
void ike_sa_heard(struct ike_sa *sa);
/* The peer keeps an established SA for `lifetime_s` only (lifetime.c). */
void ike_sa_shorten(struct ike_sa *sa, uint32_t lifetime_s);
/* How long a request may go unanswered without a sign of life before the peer is dead; 0: until we give up. */
int64_t ike_sa_patience(const struct ike_sa *sa);
/* The request under way, and no sign of life since it was sent: is that time over? */
bool ike_sa_is_silent(const struct ike_sa *sa);
/* The request under way goes out once more: tells the operator when that begins to look bad. */
void ike_sa_waiting(struct ike_sa *sa);
/* The request under way was given up. */
void ike_sa_unanswered(struct ike_sa *sa);
/* The peer was heard at these endpoints, authenticated. Decides whether to follow. */
void ike_sa_moved(
    struct ike_sa *sa, const struct ike_endpoint *local, const struct ike_endpoint *remote);

/* ---- tasks (task.c) ---- */

/* Queues it unless the same is waiting or under way. It begins when the window is free. */
void ike_task_add(
    struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in, struct ike_slot *slot);
/* As ike_task_add(), ahead of all others. */
void ike_task_add_first(struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in);
bool ike_task_pending(
    const struct ike_sa *sa, enum ike_task_kind kind, uint32_t spi_in, const struct ike_slot *slot);
/* Begins the next task if the window is free. */
void ike_task_next(struct ike_sa *sa);
void ike_task_drop_all(struct ike_sa *sa);

/* ---- what differs between the versions of the protocol ---- */

struct ike_driver {
	enum ike_version version;
	/* Begins an IKE SA for the tunnel. */
	void (*initiate)(struct ike_tunnel *t);
	/* Sends the request of a task, unless there is nothing left to do for it. The window is free. */
	void (*run_task)(struct ike_sa *sa, const struct ike_task *task);

	/* Each of these may be NULL. */
	/* It is dead: clocks of the driver's own end now, its memory goes with the SA's. */
	void (*stop)(struct ike_sa *sa);
	void (*release)(struct ike_sa *sa);
	/* The operator closes it: before its Child SAs are removed. */
	void (*farewell)(struct ike_sa *sa);
	/* The request under way was given up. True: nothing but that exchange has failed. */
	bool (*give_up)(struct ike_sa *sa);
	/* The request under way is about to go out again; it may be replaced. */
	void (*before_resend)(struct ike_sa *sa);
	/* It came to its hard limit, or the time that it waited in is over. True: seen to. */
	bool (*lapse)(struct ike_sa *sa);
	/* The time for late packets of a deleted Child SA is over. True: it stays a while longer. */
	bool (*linger)(struct ike_child_sa *c);
};
extern const struct ike_driver ike_v1_driver, ike_v2_driver;
const struct ike_driver *ike_driver_of(enum ike_version version);

#endif
