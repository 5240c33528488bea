/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

/*
 * A small router for tests: one or more workers over a boundary, three ports that are rings in memory, and a test
 * that plays the networks on them and the control lcore.
 *
 *   port 0 "wan"   untagged  uplink  203.0.113.10/24, gateway .1            slot of W_UPLINK
 *   port 1 "lan"   VLAN 100  attachment 1  10.1.0.0/16, router .255.254     W_A, table A
 *                  VLAN 200  attachment 2  10.2.0.0/16, router .255.254     W_B, table B
 *   port 2 "opt"   untagged  attachment 3  10.3.0.0/16, router .255.254     W_C, table A too; MTU 1300
 *
 *   table A: 10.1/16, 10.2/16 and 10.3/16 connected, 10.9/16 via 10.3.0.9, 10.66/16 blackhole; table B: 10.2/16 connected,
 *   10.1/16 for attachment 1 only, 0/0 via 10.1.0.9. All have the router's addresses as local.
 *
 * After every step the ledger must balance, and at the end every buffer must be back in the pool.
 */

#include "boundary/boundary.h"
#include "datapath/stage.h"
#include "datapath/worker.h"
#include "packet.h"
#include "testing.h"

enum world_iface { W_UPLINK, W_A, W_B, W_C, W_IFACES };
#define W_PORTS   3
#define W_WORKERS 2

struct world {
	struct crypto *crypto;
	struct rte_mempool *pool;
	struct boundary *b;
	struct worker *workers; /* W_WORKERS; the first polls every port */
	struct worker *w;
	struct port port[W_PORTS];
	struct rte_ring *to_router[W_PORTS], *from_router[W_PORTS];
	uint32_t iface[W_IFACES];
	uint16_t slot[W_IFACES];
	struct fib *underlay, *table_a, *table_b;
	uint32_t local, connected[W_IFACES], gateway; /* next hops */
	int neigh_a9, neigh_gateway;
	unsigned buffers; /* of the pool when nothing is under way */
	bool
	    waiting; /* packets may wait in a worker after a step: the ledger is looked at in the end */
	struct slot_counters before[16];
};

/* cmocka fixtures; *state is a struct world. */
int world_setup(void **state);
int world_teardown(void **state);

/* Layer-2 address of an interface of the router, and of the neighbour with that last octet. */
const uint8_t *world_mac(unsigned port);

/* A frame to the router, and as many rounds as there is work. Then the ledger must balance. */
void world_receive(struct world *t, unsigned port, const struct packet *frame);
/* Only puts the frame on the wire. */
void world_queue(struct world *t, unsigned port, const struct packet *frame);
void world_run(struct world *t);
/* An IPv4 packet `p` without layer 2, received on that interface. */
void world_receive_on(struct world *t, enum world_iface iface, const struct packet *p);
void world_queue_on(struct world *t, enum world_iface iface, const struct packet *p);

/* The next frame that left by a port; false when there is none. */
bool world_sent(struct world *t, unsigned port, struct packet *frame);
/* The next packet for control; NULL when there is none. The caller frees it. */
struct rte_mbuf *world_punted(struct world *t, enum punt_class class);
/* Bytes of a packet, chained or not. */
void world_bytes(struct rte_mbuf *m, struct packet *out);
/* An mbuf with those bytes, and its meta zeroed. */
struct rte_mbuf *world_mbuf(struct world *t, const struct packet *p);

/* The ledger now is what later world_*_since() compare with. */
void world_mark(struct world *t);
/* Since the mark: one packet received at `slot` was dropped for that reason, and nothing else was dropped or left. */
void world_dropped_once(struct world *t, uint16_t slot, enum drop_reason reason);
/* Since the mark: how often at all slots, and at one. */
uint64_t world_drops(struct world *t, enum drop_reason reason);
struct slot_counters world_since(struct world *t, uint16_t slot);
/* Since the mark: nothing was dropped. */
void world_no_drops(struct world *t);

/* A neighbour on an interface; `last` octet of its MAC. Returns its index. */
int world_neighbour(struct world *t, enum world_iface iface, const char *addr, uint8_t last);
void world_route(struct world *t, struct fib *f, const char *prefix, uint32_t nexthop);
uint32_t world_nexthop(struct world *t, const struct nexthop_spec *spec);

#endif
