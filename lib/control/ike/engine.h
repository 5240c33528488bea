/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_ENGINE_H
#define IKE_ENGINE_H

/*
 * What the engine as a whole owns: tunnels, IKE SAs by SPI, timers, counters, buffers.
 *
 * Objects die in two steps: they are taken out of every index and their timers are cancelled at once, their
 * memory goes when the entry point that is running returns (ike_engine_settle()). No code below an
 * entry point ever holds a pointer to freed memory.
 */

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "ike/cookie.h"
#include "ike/ike.h"

struct ike_sa;
struct ike_tunnel;

#define IKE_SA_BUCKETS     1024
#define IKE_TUNNEL_BUCKETS 1024

struct ike_engine {
	const struct ike_ops *ops;
	void *ctx;
	struct rng *rng;
	struct ike_limits limits;
	struct timers timers;
	struct mono now; /* of the entry point that is running */
	bool shutting_down;
	struct mono next_start; /* turn of the next negotiation of ours */

	struct list tunnels;                           /* by ID, ascending */
	struct list tunnel_bucket[IKE_TUNNEL_BUCKETS]; /* by remote address; 0.0.0.0 too */
	struct list id_bucket[IKE_TUNNEL_BUCKETS];
	struct list dirty; /* tunnels to look at before we return */

	struct list sas;                       /* all IKE SAs that are not dead */
	struct list sa_bucket[IKE_SA_BUCKETS]; /* by our SPI */
	struct list half_open;
	struct list dead; /* memory of IKE SAs that ended during this call */
	struct list dead_children;
	uint32_t sa_count;
	uint32_t half_open_count;

	struct ike_cookie_jar cookies;
	struct mono cookies_until; /* asked for until then, however few half-open SAs there are */
	struct ike_counters counters;
	struct log_limit strangers; /* lines about peers that nobody configured */
	struct log_limit version_answers;
	uint8_t *in;  /* the message being read, decrypted; IKE_MESSAGE_MAX bytes */
	uint8_t *out; /* the message being written */
};

/* Looks at dirty tunnels until none is left, then frees what died. Every entry point ends with it. */
void ike_engine_settle(struct ike_engine *e);
/* A random 64-bit SPI, not zero and not in use. */
uint64_t ike_engine_new_spi(struct ike_engine *e);
/* By our SPI; NULL. */
struct ike_sa *ike_engine_find_sa(const struct ike_engine *e, uint64_t our_spi);
/* NULL when there is none. */
struct ike_tunnel *ike_engine_find_tunnel(const struct ike_engine *e, uint32_t id);

/* Every datagram leaves through here. */
void ike_engine_send(struct ike_engine *e, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len);

/*
 * Is there room for one more half-open SA, of a peer at `from`? `known`: a tunnel has that very address. Counts the
 * refusal.
 */
bool ike_half_open_has_room(struct ike_engine *e, const struct ip_addr *from, bool known);

/*
 * The time at which one more negotiation may begin: its Diffie-Hellman computation must not keep others waiting
 * when thousands of tunnels start at once. Each call takes a turn.
 */
struct mono ike_engine_admit(struct ike_engine *e);
/* A uniformly random duration in [from_ns, to_ns]. */
int64_t ike_engine_jitter(struct ike_engine *e, int64_t from_ns, int64_t to_ns);

#endif
