/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_CHILD_H
#define IKE_CHILD_H

/*
 * A Child SA: the pair of ESP SAs, its steps of installation and removal, its lifetime.
 *
 *     made --in--> INSTALLED --own rekey--> REKEYING --new one is in use--> REPLACED
 *                      |                        |                              |
 *                      `------------------------+----------- delete -----------+--> DRAINING --> dead
 *
 * One that was replaced comes back into use when what replaced it goes away first (IKEv1).
 *
 * `outbound` is separate from the state: the inbound SA comes first, the outbound one when the peer is known
 * to receive on it.
 */

#include "ike/sa.h"

#define IKE_CHILD_STATE_LIST(X)                                                                    \
	X(INSTALLED, "installed")                                                                  \
	X(REKEYING, "rekeying") /* our rekey is under way */                                       \
	X(REPLACED, "replaced") /* a newer one took over; one of us will delete it */              \
	X(DELETING, "deleting") /* our delete waits or is under way */                             \
	X(DRAINING, "draining") /* deleted; inbound stays for packets still under way */           \
	X(DEAD, "dead")

enum ike_child_state {
#define X(name, text) IKE_CHILD_##name,
	IKE_CHILD_STATE_LIST(X)
#undef X
};

#define IKE_CHILD_DRAIN_S 10 /* how long late packets are taken on a replaced SA */

struct ike_child_sa {
	struct list node; /* sa->children */
	struct ike_sa *sa;
	struct ike_slot *slot;
	enum ike_child_state state; /* changed by ike_child_set_state() alone */
	struct ike_child info;      /* the keys are wiped once both directions are installed */
	struct ike_selector *local_ts, *remote_ts;
	bool outbound;
	uint64_t use; /* its place among those of the tunnel that came into use; 0: not yet */
	struct ike_tie tie;
	struct mono made, soft, hard; /* 0: none */
	struct mono drained;          /* when DRAINING ends */
	struct mono ready; /* when it comes into use, because the peer sends on it; 0: no matter */
	bool rehearsing;   /* its first rekey is a rehearsal; then `soft` becomes... */
	struct mono regular_soft; /* ...this again, should it fail */
	struct mono said;         /* our last delete of it, where nobody answers (IKEv1) */
	uint8_t replaced_s;       /* how long REPLACED lasts; 0: the usual time */
	bool
	    contested; /* to be deleted, while the peer may take it for the one that stays (IKEv1) */
	struct timer timer;
};

/*
 * A Child SA with the given inbound SPI, which it takes over. `info` is complete but for selectors, endpoints and
 * lifetime. Installs the inbound SA; NULL when the data path refuses it (the SPI is given back).
 */
struct ike_child_sa *ike_child_new(struct ike_sa *sa, struct ike_slot *slot,
    const struct ike_child *info, const struct ike_ts_pair *ts, const struct ike_tie *tie);
void ike_child_set_state(struct ike_child_sa *c, enum ike_child_state state);
const char *ike_child_state_name(enum ike_child_state state);
/* The peer receives on it: what leaves goes this way from now on. */
void ike_child_use(struct ike_child_sa *c);
/* The peer sends on it, and soon receives on it: it comes into use then, or now when no other one carries packets. */
void ike_child_ready(struct ike_child_sa *c);
/* All Child SAs of the IKE SA that wait for ike_child_use(): the peer has shown that it got our response. */
void ike_child_use_all(struct ike_sa *sa);
/* Another one that carries what leaves for the same slot; NULL. */
const struct ike_child_sa *ike_child_sibling(const struct ike_child_sa *c);
/* Takes it out of use for what leaves; inbound stays. False when no other one carries packets now. */
bool ike_child_retire(struct ike_child_sa *c);
/* It was deleted by an exchange: out of use now, gone after late packets. */
void ike_child_drain(struct ike_child_sa *c);
/* Removes it at once. */
void ike_child_kill(struct ike_child_sa *c);
void ike_child_free(struct ike_child_sa *c);
/* Moves it to the IKE SA that replaced its own. */
void ike_child_move(struct ike_child_sa *c, struct ike_sa *to);
/* Tells the data path where the peer is. */
void ike_child_endpoints(struct ike_child_sa *c);
/* Sets limits and clock of a new one; sets the clock by the state (child_life.c). */
void ike_child_clock_init(struct ike_child_sa *c);
void ike_child_clock(struct ike_child_sa *c);
/* The peer keeps it for `lifetime_s` only. */
void ike_child_shorten(struct ike_child_sa *c, uint32_t lifetime_s);
/* Stops its use and queues its delete. */
void ike_child_end(struct ike_child_sa *c);
/* Our rekey of it ended without a new SA, or cannot begin yet: try again after `delay_ns`. */
void ike_child_rekey_later(struct ike_child_sa *c, int64_t delay_ns);

/* rehearsal.c: a Child SA that IKE_AUTH made is rekeyed once at the start, where that is asked for. */
void ike_rehearsal_begin(struct ike_child_sa *c);
void ike_rehearsal_passed(struct ike_child_sa *c);
/* The rekey was refused. False when it was no rehearsal. */
bool ike_rehearsal_failed(struct ike_child_sa *c);
/* It was refused in a way that ends the IKE SA; also for a Child SA that does not rehearse. */
void ike_rehearsal_ended(struct ike_child_sa *c);

/* By our SPI, or by the peer's; NULL. Dead and draining ones are not found. */
struct ike_child_sa *ike_child_find(const struct ike_sa *sa, uint32_t spi_in);
struct ike_child_sa *ike_child_find_out(const struct ike_sa *sa, uint32_t spi_out);
/* A Child SA of the slot that lives and is meant to stay. */
struct ike_child_sa *ike_child_of_slot(const struct ike_tunnel *t, const struct ike_slot *slot);
unsigned ike_child_count(const struct ike_sa *sa);
/* Two of one slot with the same selectors, not by a rekey: the loser of the tie is deleted by who made it. */
void ike_child_settle_duplicates(struct ike_child_sa *made);

#endif
