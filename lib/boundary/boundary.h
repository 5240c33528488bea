/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_BOUNDARY_H
#define BOUNDARY_BOUNDARY_H

/* Everything that workers and control share, in one place. README.md says who writes what. */

#include "boundary/bfd.h"
#include "boundary/counters.h"
#include "boundary/crypto.h"
#include "boundary/epoch.h"
#include "boundary/event.h"
#include "boundary/fib.h"
#include "boundary/heartbeat.h"
#include "boundary/iface.h"
#include "boundary/inject.h"
#include "boundary/meta.h"
#include "boundary/neigh.h"
#include "boundary/nexthop.h"
#include "boundary/policer.h"
#include "boundary/port.h"
#include "boundary/punt.h"
#include "boundary/sa.h"
#include "boundary/trace.h"
#include "boundary/tunnel.h"

#define POOLS_MAX 8

struct boundary_limits {
	unsigned workers;
	uint32_t ifaces, neighbours, nexthops, tunnels, sas, slots;
};

struct boundary {
	unsigned workers;
	unsigned ports;
	struct port *port[PORTS_MAX];
	struct epoch *epoch;
	struct ifaces ifaces;
	struct neigh_table *neighbours;
	struct nexthops nexthops;
	struct tunnels tunnels;
	struct bfd_table bfd;
	struct sa_table *sas;
	struct crypto *crypto;
	struct counters counters;
	struct policings policings;
	struct punt *punt;
	struct inject *inject;
	struct events *events;
	struct trace trace;
	struct rte_mempool *pool; /* packets, with META_BYTES of private area */
	unsigned pools;           /* of packets in all: one for each NUMA node with ports */
	struct rte_mempool *pool_of[POOLS_MAX]; /* the first is `pool` */
	struct heartbeat beat[WORKERS_MAX];     /* by worker */
	_Atomic bool stop;                      /* control sets, workers leave their loops */
};

/* `crypto` and `pool` are made by the caller before, and freed after. NULL with errno. */
struct boundary *boundary_create(
    const struct boundary_limits *limits, struct crypto *crypto, struct rte_mempool *pool);
/* Workers must have ended. */
void boundary_free(struct boundary *b);

#endif
