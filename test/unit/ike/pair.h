/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIR_H
#define PAIR_H

/*
 * Two engines joined by a wire without delay, under the eye of a test: it turns the clock, sees every datagram,
 * and may keep one back or change it. One tunnel (number TUNNEL) on each side, mirrors of each other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "ike/ike.h"
#include "ike/sa.h"
#include "ike/seal.h"

#define TUNNEL       1
#define CHILDREN_MAX 32

struct datagram {
	unsigned from; /* side */
	struct ike_endpoint local, remote;
	size_t len;
	uint8_t bytes[4096];
};

struct pair_child {
	bool in, out;
	unsigned order; /* of child_out */
	struct ike_child info;
	struct ike_selector local_ts[8], remote_ts[8];
};

struct side {
	struct pair *pair;
	unsigned index;
	struct ike_engine *engine;
	struct rng rng;
	struct ike_limits limits;
	struct ike_tunnel_config config;
	struct ip_prefix local_ts[4], remote_ts[4];
	char psk[IKE_PSK_MAX];
	struct pair_child child[CHILDREN_MAX];
	unsigned orders;
	enum ike_tunnel_state state;
	enum ike_error_code down_reason;
	uint32_t next_spi;
	unsigned spis;         /* allotted, neither installed nor given back */
	bool refuse_child;     /* the data path has no room */
	struct mono esp_heard; /* for child_usage */
	unsigned keepalives;
	/* errors told, in order */
	unsigned errors;
	struct {
		enum ike_error_code code;
		char field[64], ours[200], theirs[200];
	} error[64];
};

struct pair {
	struct side side[2]; /* 0: A, 198.51.100.1; 1: B, 198.51.100.2 */
	struct mono now;
	/* Sees each datagram before it is delivered; false: it is lost. NULL: all pass. */
	bool (*filter)(struct pair *p, struct datagram *d);
	unsigned seen[2];        /* datagrams sent by each side */
	struct datagram last[2]; /* the last one of each side */
	unsigned count;          /* for the filter's own use */
	unsigned queued, head;
	struct datagram queue[64];
	bool cut; /* nothing is delivered */
};

/* Configurations with the defaults of the tests; change them, then pair_start(). */
void pair_init(struct pair *p);
void pair_start(struct pair *p);
void pair_start_side(struct pair *p, unsigned side);
/* Without a word to the peer. */
void pair_kill_side(struct pair *p, unsigned side);
/* Ends both; fails the test when anything was left behind. */
void pair_end(struct pair *p);
/* Delivers what is on the wire until it is empty. */
void pair_settle(struct pair *p);
/* Lets time pass in both engines. */
void pair_run(struct pair *p, int64_t ns);
/* Hands bytes to a side as if they came from the other one's address, port 500. */
void pair_inject(struct pair *p, unsigned to, const uint8_t *bytes, size_t len);

/* The Child SA in use by a side; NULL. */
struct pair_child *pair_in_use(struct pair *p, unsigned side);
unsigned pair_children(struct pair *p, unsigned side);
/* One Child SA on each side, with equal keys, and both up. */
void pair_assert_up(struct pair *p);
void pair_assert_down(struct pair *p, unsigned side);
/* IKE SAs in the state of that name; NULL: any. */
unsigned pair_count_sas(struct pair *p, unsigned side, const char *state);
/* Was this error told? *index of the first (may be NULL). */
bool pair_has_error(struct pair *p, unsigned side, enum ike_error_code code, unsigned *index);

/* The established IKE SA of a side. */
struct ike_sa *pair_sa(struct pair *p, unsigned side);
/*
 * A request that the engine of `side` never meant, under its keys and with its next message ID, delivered to
 * the other side. The answer is p->last[!side].
 */
void pair_send_request(struct pair *p, unsigned side, uint8_t exchange, const struct ike_chain *c);
/* The payloads inside of the last datagram of a side, opened with the keys of the other. False: it is not authentic. */
bool pair_open_last(struct pair *p, unsigned side, uint8_t *buffer, struct ike_payloads *out);

static inline uint8_t exchange_of(const struct datagram *d)
{
	return d->bytes[18];
}
static inline bool is_response(const struct datagram *d)
{
	return d->bytes[19] & IKE_FLAG_RESPONSE;
}
static inline uint32_t message_id_of(const struct datagram *d)
{
	return (uint32_t)d->bytes[20] << 24 | d->bytes[21] << 16 | d->bytes[22] << 8 | d->bytes[23];
}

#endif
