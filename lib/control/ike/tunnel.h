/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_TUNNEL_H
#define IKE_TUNNEL_H

/*
 * A tunnel: its configuration, the Child SAs it should have (slots), and what is done to get them.
 *
 * Events only note what they changed and mark the tunnel dirty; ike_tunnel_check() then compares what should
 * be with what is, and is the only place that starts negotiations.
 */

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "ike/engine.h"
#include "ike/proposal.h"
#include "ike/ts.h"

struct ike_sa;

/* One Child SA that the tunnel should have: selectors of one family. */
struct ike_slot {
	uint8_t family;
	struct ike_selector *local_ts, *remote_ts;
	unsigned local_ts_count, remote_ts_count;
	unsigned failures;      /* attempts in a row that gave no Child SA */
	struct mono not_before; /* of the next attempt */
	struct mono filled;     /* when it last got a Child SA */
};

struct ike_tunnel {
	struct ike_engine *engine;
	struct list node;        /* engine->tunnels */
	struct list bucket_node; /* engine->tunnel_bucket */
	struct list id_node;     /* engine->id_bucket */
	struct list dirty_node;  /* engine->dirty */
	uint32_t id;
	struct ike_tunnel_config config; /* its pointers are our own copies */
	struct ike_slot *slots;
	unsigned slot_count;
	struct list sas;

	bool wanted;         /* to be kept up by us */
	bool by_traffic;     /* wanted for packets that came: forgotten when an attempt fails */
	bool admitted;       /* has its turn to begin at not_before */
	bool removed;        /* out of all indexes; freed with its last IKE SA */
	bool hide_remote_id; /* leave IDr out of IKE_AUTH, to learn what the peer calls itself */
	unsigned failures; /* negotiations in a row that gave no IKE SA, or one that did not last */
	struct timer retry;
	struct mono not_before; /* of the next negotiation */

	enum ike_tunnel_state state;
	struct mono state_since;
	enum ike_error_code down_reason; /* for the next change to DOWN */
	enum ike_error_code last_error;
	uint32_t attempts;
	uint64_t established, rekeys;
	enum ike_rehearsal rehearsal;
	bool rehearsal_costs; /* the last one cost the IKE SA: none until a rekey succeeds */
	uint64_t uses;        /* Child SAs that came into use */
	unsigned group;       /* which of the groups aggressive mode tries next (IKEv1) */
	struct log_limit error_limit;
};

struct ike_policy ike_tunnel_ike_policy(const struct ike_tunnel *t);
struct ike_policy ike_tunnel_esp_policy(const struct ike_tunnel *t, bool in_auth);

/* A checked configuration becomes a tunnel; frees a tunnel without SAs. */
struct ike_tunnel *ike_tunnel_new(
    struct ike_engine *e, uint32_t id, const struct ike_tunnel_config *config);
void ike_tunnel_free(struct ike_tunnel *t);
/* Out of all indexes at once; it lives on until its last IKE SA is closed. */
void ike_tunnel_unlink(struct ike_tunnel *t);
/* 0, or -EINVAL and the reason in *why (may be NULL). */
int ike_config_check(const struct ike_tunnel_config *config, const char **why);
/* Our own copy, and its end. */
void ike_config_copy(struct ike_tunnel_config *to, const struct ike_tunnel_config *from);
void ike_config_wipe(struct ike_tunnel_config *config);
/* Equal in what a peer can notice: all but name, start, lifetimes and DPD. */
bool ike_config_same_on_wire(const struct ike_tunnel_config *a, const struct ike_tunnel_config *b);
void ike_slots_make(struct ike_tunnel *t);
void ike_slots_free(struct ike_tunnel *t);

/* Looks at the tunnel before the entry point returns. NULL is fine. */
void ike_tunnel_touch(struct ike_tunnel *t);
void ike_tunnel_check(struct ike_tunnel *t);
/* An IKE SA that we began did not come up. Sets the time of the next attempt. */
void ike_tunnel_failed(struct ike_tunnel *t, enum ike_error_code reason);
/* The last IKE SA of the tunnel went away after it had been up for `up_ns`. */
void ike_tunnel_lost(struct ike_tunnel *t, enum ike_error_code reason, int64_t up_ns);
/* Begins an IKE SA beside the one there is, which no longer serves, unless one is coming up already. False: it
 * is the peer's to begin. */
bool ike_tunnel_renew(struct ike_tunnel *t);
/* Is there an IKE SA up, or coming up? */
bool ike_tunnel_has_sa(const struct ike_tunnel *t);
/* A Child SA could not be had for this slot. */
void ike_slot_failed(struct ike_tunnel *t, struct ike_slot *slot);
void ike_slot_filled(struct ike_tunnel *t, struct ike_slot *slot);
/* The peer deleted the Child SA of this slot. */
void ike_slot_emptied(struct ike_tunnel *t, struct ike_slot *slot);

/*
 * The slot whose selectors meet the peer's, and the common part. The first selectors of the peer decide (they
 * may be those of the packet that asked for the SA). NULL when nothing meets.
 */
struct ike_slot *ike_tunnel_narrow(
    struct ike_tunnel *t, const struct ike_ts_pair *theirs, struct ike_ts_pair *out);

/* Tunnels that a peer at `remote` may mean, one behind `previous` (NULL: the first). Exact addresses before "any". */
struct ike_tunnel *ike_tunnel_candidate(const struct ike_engine *e, const struct ip_addr *local,
    const struct ip_addr *remote, const struct ike_tunnel *previous);

/* Hands a coded error to the operator, rate-limited per tunnel. Texts may be NULL. */
void ike_tunnel_error(struct ike_tunnel *t, enum ike_error_code code, const char *field,
    const char *ours, const char *theirs);
/* That error, if it was the last one told, no longer holds. */
void ike_tunnel_resolved(struct ike_tunnel *t, enum ike_error_code code);
void ike_tunnel_log(const struct ike_tunnel *t, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
