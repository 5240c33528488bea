/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BFD_BFD_H
#define BFD_BFD_H

/*
 * BFD, asynchronous mode, single hop, without authentication (RFC 5880, 5881): the states of both
 * ends and what they agree on. Sans-I/O and without a clock: when packets leave and when silence is
 * too long is the business of workers, who have it in `orders` and report back.
 *
 *                     the far end says
 *      +------+  Down      Init, Up          Down, AdminDown, or silence
 *      | DOWN |------> INIT -----> UP ----------------------------------> DOWN
 *      +------+-------------------->
 *                 Init
 *
 * A far end that was taken down on purpose (AdminDown) is no failure: the path may well be fine
 * (RFC 5882 4.2).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rng.h"

#define BFD_BYTES 24

enum bfd_state { BFD_ADMIN_DOWN, BFD_DOWN, BFD_INIT, BFD_UP }; /* as on the wire */
const char *bfd_state_name(enum bfd_state state);

enum bfd_diag { /* RFC 5880 4.1 */
	BFD_DIAG_NONE = 0,
	BFD_DIAG_EXPIRED = 1,
	BFD_DIAG_NEIGHBOUR = 3, /* the far end said so */
	BFD_DIAG_PATH = 5,      /* what carries the session is down */
	BFD_DIAG_ADMIN = 7,
};
const char *bfd_diag_text(uint8_t diag);

struct bfd_config {
	uint32_t transmit_us, receive_us; /* at least 1000 */
	uint32_t multiplier;              /* 1..255 */
};

struct bfd_orders_text { /* what workers are told; see boundary/bfd.h */
	bool up;
	uint8_t packet[BFD_BYTES];
	uint8_t expected[BFD_BYTES];
	int64_t transmit_ns; /* 0: nothing is sent */
	int64_t detect_ns;   /* 0: silence means nothing */
};

struct bfd_ops {
	void (*orders)(void *ctx, uint32_t id, const struct bfd_orders_text *orders);
	/* One packet, now. */
	void (*send)(void *ctx, uint32_t id, const uint8_t packet[BFD_BYTES]);
	void (*changed)(void *ctx, uint32_t id, enum bfd_state state, uint8_t diag);
};

/* What a session says of the path it watches. */
enum bfd_verdict {
	BFD_SAYS_NOTHING, /* the far end does not take part, for the time being or on purpose */
	BFD_SAYS_WAIT,    /* not up yet since the path came up */
	BFD_SAYS_DEAD,    /* was up, and is not */
	BFD_SAYS_ALIVE,
};

struct bfd_view {
	enum bfd_state state, remote_state;
	uint8_t diag, remote_diag;
	int64_t state_age_ns;
	uint32_t discriminator, remote_discriminator;
	int64_t transmit_ns, detect_ns;
	uint64_t ups;
};

struct bfd_engine;

struct bfd_engine *bfd_create(const struct bfd_ops *ops, void *ctx, struct rng *rng);
void bfd_free(struct bfd_engine *e); /* says nothing to anybody */
/* A session, or other settings for it: those are negotiated (poll), nothing flaps. `id` goes into
 * the lower 16 bits of its discriminator. */
void bfd_set(struct bfd_engine *e, struct mono now, uint32_t id, const char *name,
    const struct bfd_config *config);
/* Says AdminDown, and forgets it. */
void bfd_remove(struct bfd_engine *e, uint32_t id);
/* What carries the session is there, or not: a tunnel, a link. */
void bfd_path(struct bfd_engine *e, struct mono now, uint32_t id, bool up);
/* A packet of the far end, checked as far as one packet tells (RFC 5880 6.8.6). */
void bfd_receive(
    struct bfd_engine *e, struct mono now, uint32_t id, const uint8_t *packet, size_t len);
/* It was silent for as long as the last orders allow. */
void bfd_expired(struct bfd_engine *e, struct mono now, uint32_t id);
enum bfd_verdict bfd_verdict(const struct bfd_engine *e, uint32_t id);
/* False: no such session. */
bool bfd_get_view(const struct bfd_engine *e, struct mono now, uint32_t id, struct bfd_view *out);

#endif
