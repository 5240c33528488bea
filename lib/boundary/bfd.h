/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_BFD_H
#define BOUNDARY_BFD_H

/*
 * BFD sessions as workers see them (RFC 5880). Control negotiates; what hangs on the clock is the
 * workers': when to send, and when the far end has been silent for too long. So a control lcore that
 * is busy, or stopped in a debugger, makes no session flap.
 *
 *   control --struct bfd_orders--> packet to send, how often; packet to expect, how long to wait
 *   worker  --event--> silent      worker --punt--> a packet that is not the expected one
 *
 * A session belongs to one worker, index modulo workers, which sends and watches; any worker may
 * receive for it.
 */

#include <rte_common.h>

#include "boundary/records.h"

#define BFD_SESSIONS_MAX 8192
#define BFD_PACKET_BYTES 24   /* RFC 5880 4.1, no authentication */
#define BFD_PORT         3784 /* RFC 5881 4 */

struct bfd_orders { /* immutable once published */
	uint32_t index;
	uint32_t generation;    /* differs from that of the orders before */
	uint32_t discriminator; /* ours: what the far end names */
	/* Where the session lives: packets of it come from, and go to, a tunnel or an interface. */
	uint32_t tunnel;
	uint16_t iface;
	uint32_t nexthop;           /* leaf of the interface */
	uint32_t local_be, peer_be; /* as in an IPv4 header */
	uint16_t source_port;
	bool up;                          /* expected[] counts */
	uint8_t packet[BFD_PACKET_BYTES]; /* as it leaves */
	uint8_t expected[BFD_PACKET_BYTES];
	uint64_t transmit_cycles; /* between packets, before jitter; 0: none is sent */
	uint64_t detect_cycles;   /* of silence until the session is dead; 0: not watched */
};

struct bfd_live {               /* *workers* write */
	_Atomic uint64_t heard; /* clock of the last valid packet */
	_Atomic uint64_t received, sent;
	/* of the owner alone: */
	uint64_t due;
	uint64_t jitter; /* state of a generator */
	uint32_t generation;
	bool expired; /* told control; packets say Down from now on */
} __rte_cache_aligned;

struct bfd_table {
	struct records rec;
	struct bfd_live *live;  /* by index */
	_Atomic uint64_t *next; /* by index: when the owner looks again; control sets 0 */
	_Atomic uint32_t end;   /* indexes in use are below */
	uint32_t capacity;
};

/* 0 or -ENOMEM. */
int bfd_table_init(struct bfd_table *t, struct epoch *e, uint32_t capacity);
void bfd_table_fini(struct bfd_table *t);
/* An index for a new session, or 0 when none is left. */
uint32_t bfd_alloc(struct bfd_table *t);
void bfd_publish(struct bfd_table *t, const struct bfd_orders *orders); /* a copy */
/* Not sent and not watched any more; the index is free again after a grace period. */
void bfd_release(struct bfd_table *t, uint32_t index);

/* NULL: no such session. */
static inline const struct bfd_orders *bfd_get(const struct bfd_table *t, uint32_t index)
{
	return index < t->capacity ? records_get(&t->rec, index) : NULL;
}

#endif
