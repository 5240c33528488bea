/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_WORLD_H
#define IKE_WORLD_H

/*
 * Two IKE engines with one tunnel between them, for fuzzers: a wire that keeps what is sent until it is delivered
 * or lost, and a data path that only counts, strictly: an SPI given back twice, or a Child SA left behind, ends
 * the program.
 */

#include "base/rng.h"
#include "base/wire.h"
#include "ike/ike.h"
#include "ike/sa.h"

#define TUNNEL   1
#define CHILDREN 256

struct end {
	struct world *world;
	struct ike_engine *engine;
	struct rng rng;
	struct ip_addr addr;
	uint32_t next_spi;
	unsigned spis;
	uint32_t child[CHILDREN]; /* inbound SPIs that are installed */
	unsigned children;
};

struct packet {
	struct packet *next;
	unsigned from;
	struct ike_endpoint local, remote;
	size_t len;
	uint8_t bytes[];
};

struct world {
	struct end end[2];
	struct mono now;
	struct packet *wire, **last;
};

/* Adds the tunnel to both ends; the first one negotiates. What the caller leaves open in `config` is filled in. */
void world_begin(struct world *w, const struct ike_tunnel_config *config);
/* Ends both engines; nothing may be left. */
void world_end(struct world *w);
/* What is on the wire arrives, or is lost; 64 packets at most. */
void world_drain(struct world *w, bool deliver);
/* A datagram of the side, or in its name. */
void world_inject(struct world *w, unsigned from, const uint8_t *bytes, size_t len);
/* What an operator, the data path or time do to a side. */
void world_command(struct world *w, unsigned side, const uint8_t *bytes, size_t len);
/* The youngest IKE SA of a side behind its first message. */
struct ike_sa *world_sa(struct world *w, unsigned side);
/* The same SA at the other end; NULL. */
struct ike_sa *world_other(struct world *w, unsigned side, const struct ike_sa *sa);

/* One step of an input; `bytes` may be written to. */
typedef void world_step(struct world *w, uint8_t kind, unsigned side, uint8_t *bytes, size_t len);
/* Steps of the input until it ends: kind, side, length (2 bytes), that many bytes. */
void world_run(struct world *w, struct wire *in, world_step *step);

#endif
