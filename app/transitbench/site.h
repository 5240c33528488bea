/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_SITE_H
#define TRANSITBENCH_SITE_H

/*
 * A router in memory: the very libraries that transitd runs, between ports in memory, with a worker for each of their
 * queues. The peers' ends of the tunnels are SAs of the same process.
 *
 *   11.0.0.0 ... one route for each of `routes` prefixes of 24 bits, to the tunnels in turn (or the group of them), or
 *                to a gateway on the other side with DIR_PLAIN and DIR_IN
 */

#include "datapath/esp.h"
#include "datapath/stage.h"
#include "transitbench/ports.h"
#include "transitbench/profile.h"

#define SITE_TUNNELS_MAX 10000
#define SITE_FRAME_MAX   1600
#define SITE_MIX         12 /* frames that make up one IMIX */
#define SITE_MAC         ((struct rte_ether_addr){{2, 0, 0, 0, 0, 1}})
#define SITE_ROUTES      UINT32_C(0x0b000000) /* the first prefix */

struct site {
	const struct profile *profile;
	struct crypto *crypto;
	struct rte_mempool *pool;
	struct boundary *b;
	struct worker *w; /* all of them, by queue */
	struct port port[SITE_PORTS];
	struct bench_ports *ports;
	struct fib *fib;
	uint32_t iface[SITE_PORTS];
	uint32_t gateway[SITE_PORTS]; /* leaves */
	uint32_t detour; /* for routes that change: another leaf of the kind that they have */
	uint16_t slot;   /* of what the peers send before it is ours */
	unsigned tunnels, routes;
	uint32_t *route_leaf; /* to which they lead, in turn */
	unsigned route_leaves;
	struct sa_in **in_sa;   /* ours */
	struct sa_out **out_sa; /* ours */
	struct sa_in *fresh_in; /* of the last rekey; its peer still sends with the one before */
	struct sa_out **peer_sa;
	uint32_t *peer_tunnel; /* by which the peer's end encrypts */
	bool replays;          /* the same frames may come again */
	uint64_t random;
	uint64_t clear_bytes;   /* of all frames so far, before the peers encrypted them */
	uint16_t mix[SITE_MIX]; /* sizes that IMIX still has to give */
	unsigned mix_left;
};

/* 0 or -errno. EAL runs, the ports are open. */
int site_open(struct site *s, const struct profile *p, struct rte_mempool *pool,
    struct bench_ports *ports, bool replays);
void site_close(struct site *s);
/* Control, beside a running worker: new outbound and inbound SAs for a tunnel; the old outbound one goes. 0 or -errno. */
int site_rekey(struct site *s, unsigned tunnel, uint32_t spi);
/* Where the frames of a profile arrive. */
unsigned site_port_in(const struct profile *p);
/* n frames as they arrive, encrypted by the peers where the profile wants that. Returns how many there are. */
unsigned site_frames(struct site *s, struct rte_mbuf **m, unsigned n);

#endif
