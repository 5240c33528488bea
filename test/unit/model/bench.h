/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_BENCH_H
#define MODEL_BENCH_H

/*
 * A model over a real boundary without workers, configured in the words of the startup file. What
 * it decided is read from the boundary alone, the way a worker reads it: table of the ingress, next
 * hop, permit, buckets.
 *
 * Four ports: wan0 and wan1 are uplinks (203.0.113.10/24 behind .1, 198.51.100.10/24 behind .1),
 * lan0 and lan1 have no addresses.
 */

#include "testing_eal.h"

#include "boundary/boundary.h"
#include "conf/conf.h"
#include "model/model.h"

#define BENCH_PORTS 4

struct bench {
	struct boundary *b;
	struct port port[BENCH_PORTS];
	struct model *m;
	struct conf *conf;
	struct boundary_limits before; /* how much of the boundary was in use without a model */
};

/* Ports, transit router and two customer gateways that nearly every configuration begins with. */
#define BENCH_SITE                                                                                 \
	"ports:\n"                                                                                 \
	"  wan0: {device: 'tap:w0', address: 203.0.113.10/24, gateway: 203.0.113.1, zone: a}\n"    \
	"  wan1: {device: 'tap:w1', address: 198.51.100.10/24, gateway: 198.51.100.1, zone: b}\n"  \
	"  lan0: {device: 'tap:l0', mtu: 9000}\n"                                                  \
	"  lan1: {device: 'tap:l1'}\n"                                                             \
	"transit-router: {cidr: [203.0.113.32/27]}\n"                                              \
	"customer-gateways:\n"                                                                     \
	"  cgw-a: {address: 192.0.2.1}\n"                                                          \
	"  cgw-b: {address: 192.0.2.2}\n"
/* Of a connection: two tunnels to the two customer gateways. */
#define BENCH_PAIR "tunnels: [{customer-gateway: cgw-a, psk: k}, {customer-gateway: cgw-b, psk: k}]"
/* Two connections with the same network, a VPC with one behind it, a circuit, and a table beside the default. */
#define BENCH_CONNECTIONS                                                                          \
	"vpn-connections:\n"                                                                       \
	"  dc1: {" BENCH_PAIR "}\n"                                                                \
	"  dc2: {" BENCH_PAIR "}\n"
#define BENCH_BASIC                                                                                \
	BENCH_SITE                                                                                 \
	"route-tables: {default: {}, red: {}}\n" BENCH_CONNECTIONS "attachments:\n"                \
	"  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"                         \
	" routes: [{prefix: 10.11.0.0/16, next-hop: 10.1.0.9}]}\n"                                 \
	"  line1: {kind: vbr, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"

/*
 * Fixtures of a test: *state is a struct bench. The teardown checks that the model gave everything
 * back.
 */
int bench_setup(void **state);
int bench_setup_small(void **state); /* with hardly any room in the boundary */
int bench_setup_nexthops(void **state, uint32_t nexthops); /* with room, but for those */
int bench_teardown(void **state);

/* Loads; fails the test and prints the errors when it does not. */
struct conf *bench_conf(const char *yaml);
/* Makes it the configuration; the one before is freed. */
void bench_apply(struct bench *t, const char *yaml);

void bench_tunnel(struct bench *t, const char *name, enum model_tunnel_state state);
void bench_tunnels(struct bench *t, enum model_tunnel_state state); /* all of them */
void bench_link(struct bench *t, const char *port, bool up);

/* The ingress of an attachment, as workers have it. */
struct bench_ingress {
	const struct fib *fib;
	uint32_t attachment; /* number */
};
struct bench_ingress bench_ingress(const struct bench *t, const char *attachment);
/*
 * What becomes of a packet from that attachment:
 *   "no table" | "no route" | "local" | "blackhole" | "denied" | ways out, sorted: "dc1/1 dc1/2",
 *   "vpc-a" (the destination is a neighbour there), "vpc-a>10.1.0.5" (through that neighbour)
 * Valid until the next call but three.
 */
const char *bench_ask(const struct bench *t, const char *attachment, const char *destination);
const char *bench_ask_addr(
    const struct bench *t, const char *attachment, const struct ip_addr *destination);
/* The next hop of a destination, permitted or not; NULL: none. */
const struct nexthop *bench_hop(
    const struct bench *t, const char *attachment, const char *destination);
/*
 * The way of each bucket, as bench_ask() names it; of a leaf all are the same. Fails the test
 * without a route.
 */
struct bench_buckets {
	char way[ECMP_BUCKETS][64];
};
void bench_buckets(const struct bench *t, const char *attachment, const char *destination,
    struct bench_buckets *out);
/* How a leaf reads in bench_ask(). */
void bench_leaf(const struct bench *t, uint32_t leaf, char *out, size_t size);

#define assert_way(t, from, to, expected) assert_string_equal(bench_ask(t, from, to), expected)

#endif
