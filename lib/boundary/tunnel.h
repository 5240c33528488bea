/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_TUNNEL_H
#define BOUNDARY_TUNNEL_H

/* A tunnel as workers see it: where its packets are encrypted, or why they are not. */

#include "boundary/fib.h"
#include "boundary/records.h"
#include "boundary/sa.h"

#define TUNNEL_OUT_MAX 16

enum tunnel_state {
	TUNNEL_DOWN, /* drop, TUNNEL_DOWN */
	TUNNEL_TRAP, /* on demand: punt the packet so that control negotiates */
	TUNNEL_UNFIT, /* it has SAs, but failed its checks: packets of the router itself alone pass */
	TUNNEL_UP,
};

struct tunnel { /* immutable once published */
	uint32_t index;
	uint16_t slot;
	uint16_t attachment;
	uint8_t state;   /* enum tunnel_state */
	struct fib *fib; /* of its attachment: looks up what comes out of the tunnel */
	uint16_t inner_mtu;
	uint16_t mss_v4, mss_v6; /* clamp TCP SYNs to it; 0: off */
	bool any;                /* out[0] takes every packet: no selector check */
	unsigned out_count;
	struct tunnel_out {
		struct sa_out *sa;
		struct sa_selector selector;
	} out[TUNNEL_OUT_MAX];
};

struct tunnels {
	struct records rec;
};

int tunnels_init(struct tunnels *t, struct epoch *e, uint32_t capacity);
void tunnels_fini(struct tunnels *t);
/* A number for a new tunnel, or 0 when none is left. Its record is in state TUNNEL_DOWN until
 * published. */
uint32_t tunnel_alloc(struct tunnels *t);
/* Publishes a copy; the SAs it no longer names may be removed after that. */
void tunnel_publish(struct tunnels *t, const struct tunnel *spec);
void tunnel_release(struct tunnels *t, uint32_t index);

/* The SA whose selectors take a packet of these addresses, as seen from here; NULL: none of them. Packets without
 * ports (fragments too) have 0 there. */
struct sa_out *tunnel_select(const struct tunnel *t, const struct ip_addr *src,
    const struct ip_addr *dst, uint8_t protocol, uint16_t src_port, uint16_t dst_port);

static inline const struct tunnel *tunnel_get(const struct tunnels *t, uint32_t index)
{
	return records_get(&t->rec, index);
}

#endif
