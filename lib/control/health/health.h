/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEALTH_HEALTH_H
#define HEALTH_HEALTH_H

/*
 * Health checks of tunnels (H1..H5): an ICMP echo request from the source address through the
 * tunnel to the destination, every interval; as many in a row without an answer as there are
 * retries, and the check has failed. Sans-I/O: packets leave through `ops`, time is passed in,
 * timers are in a set of the caller.
 *
 *   IDLE --SA up, first probe leaves--> CHECKING --answer--> PASSED
 *    ^                                     |                  |  ^
 *    `-----------SA down, from any         `--retries spent-->|  | answer
 *                                                         FAILED-'
 *
 * Probes go on while the check has failed, or it could not recover. An answer counts when it comes
 * out of the same tunnel, with the addresses, the number and the nonce of one of the last probes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/rng.h"
#include "base/timer.h"

enum health_state {
	HEALTH_IDLE, /* nothing to probe through */
	HEALTH_CHECKING,
	HEALTH_PASSED,
	HEALTH_FAILED,
};
const char *health_state_name(enum health_state state); /* "idle", "checking", "passed", "failed" */

struct health_config {
	struct ip_addr source, destination; /* of one family */
	uint32_t interval_s, retries;       /* both at least 1 */
};

struct health_ops {
	/* An IP packet, from its header on, into that tunnel. */
	void (*send)(void *ctx, uint32_t tunnel, const uint8_t *packet, size_t len);
	void (*changed)(void *ctx, uint32_t tunnel, enum health_state state);
};

struct health_view {
	enum health_state state;
	int64_t state_age_ns;
	struct health_config config;
	uint64_t sent, answered;
	uint32_t missed;     /* in a row, since the last answer */
	int64_t rtt_ns;      /* of the last answer; -1: none yet */
	int64_t answered_ns; /* since the last answer; -1: none yet */
};

struct health_engine;

/* ops, ctx, timers and rng outlive the engine. Never NULL. */
struct health_engine *health_create(
    const struct health_ops *ops, void *ctx, struct timers *timers, struct rng *rng);
void health_free(struct health_engine *h);
/*
 * Checks that tunnel from now on, or changes how: another configuration starts over, an equal one
 * changes nothing. `name` is for log lines and is copied. 0, or -EAFNOSUPPORT (IPv4 only).
 */
int health_set(struct health_engine *h, struct mono now, uint32_t tunnel, const char *name,
    const struct health_config *config);
/* No more; fine for a tunnel that is not checked. */
void health_remove(struct health_engine *h, uint32_t tunnel);
/* The tunnel can carry packets now, or no longer. Idempotent. */
void health_sa(struct health_engine *h, struct mono now, uint32_t tunnel, bool up);
/* An ICMP packet for us that came out of that tunnel. True: it was an answer to a probe. */
bool health_receive(
    struct health_engine *h, struct mono now, uint32_t tunnel, const uint8_t *packet, size_t len);
/* False when the tunnel is not checked. */
bool health_get(
    const struct health_engine *h, struct mono now, uint32_t tunnel, struct health_view *out);

#endif
