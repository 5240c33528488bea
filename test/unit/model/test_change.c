/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One configuration after another: nothing is touched without need, the end state is that of a
 * fresh start (B9), what does not fit changes nothing, and workers that are slow hold on to what
 * they read.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "bench.h"

#define CONNECTIONS                                                                                \
	"vpn-connections:\n"                                                                       \
	"  dc1: {" BENCH_PAIR "}\n"                                                                \
	"  dc2: {" BENCH_PAIR "}\n"
#define BASIC                                                                                      \
	BENCH_SITE                                                                                 \
	"route-tables: {default: {}, red: {}}\n" CONNECTIONS "attachments:\n"                      \
	"  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"                         \
	" routes: [{prefix: 10.11.0.0/16, next-hop: 10.1.0.9}]}\n"                                 \
	"  line1: {kind: vbr, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"

/* Everything that workers can reach by index: pointers to immutable records. */
struct snapshot {
	size_t count;
	void *record[8192];
};

static void add_records(struct snapshot *s, const struct records *r)
{
	for (uint32_t i = 0; i < r->capacity; i++)
		s->record[s->count++] = records_get(r, i);
}

static void take(const struct bench *t, struct snapshot *s)
{
	assert_true(epoch_flush(t->b->epoch));
	s->count = 0;
	add_records(s, &t->b->ifaces.rec);
	add_records(s, &t->b->nexthops.rec);
	add_records(s, &t->b->tunnels.rec);
}

static unsigned differences(const struct bench *t, const struct snapshot *before)
{
	struct snapshot *now = xcalloc(1, sizeof(*now));
	unsigned n = 0;

	take(t, now);
	for (size_t i = 0; i < now->count; i++)
		n += now->record[i] != before->record[i];
	free(now);
	return n;
}

static void what_stays_is_not_touched(void **state) /* O10 */
{
	struct bench *t = *state;
	static struct snapshot before;

	bench_apply(t, BASIC);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_DOWN);
	take(t, &before);
	for (unsigned i = 0; i < 3; i++)
		bench_apply(t, BASIC);
	assert_int_equal(differences(t, &before), 0);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc2/1 dc2/2"); /* states are no configuration */
	/*
	 * A network more: its interface, its leaf, a path each for the subnet and, R4, for who may
	 * use it.
	 */
	bench_apply(t, BASIC "  vpc-b: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16}\n");
	assert_in_range(differences(t, &before), 1, 8);
	assert_way(t, "dc1", "10.3.0.7", "vpc-b");
	bench_apply(t, BASIC);
	assert_way(t, "dc1", "10.3.0.7", "no route");
}

static void a_second_tunnel_leaves_the_first_alone(void **state) /* T6 */
{
	struct bench *t = *state;
	static const char single[] =
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {mode: single, tunnels: [{customer-gateway: cgw-a, psk: k}]}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n";
	static const char dual[] =
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n";
	const struct model_tunnel **all;

	bench_apply(t, single);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_int_equal(model_tunnels(t->m, &all), 1);
	const struct model_tunnel *first = all[0], copy = *first;
	const struct tunnel *record = tunnel_get(&t->b->tunnels, copy.index);

	bench_apply(t, dual);
	assert_int_equal(model_tunnels(t->m, &all), 2);
	assert_ptr_equal(all[0], first);
	assert_int_equal(first->index, copy.index);
	assert_int_equal(first->slot, copy.slot);
	assert_int_equal(first->state, MODEL_TUNNEL_UP);
	assert_ptr_equal(tunnel_get(&t->b->tunnels, copy.index), record);
	assert_ptr_equal(model_tunnel_find(t->m, t->conf->vpn_connections[0]->tunnels[0]), first);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1");
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2");
	bench_apply(t, single);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1");
}

/* An active/standby pair is one member; that it got its second tunnel must still be seen. */
static void a_pair_may_change_behind_its_member(void **state)
{
	struct bench *t = *state;
	char yaml[4096];
	static const char pair[] =
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {ha: active-standby, " BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n";

	bench_apply(t, pair);
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
	snprintf(yaml, sizeof(yaml),
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {mode: single, tunnels: [{customer-gateway: cgw-a, psk: k}]}\n%s",
	    strstr(pair, "attachments:"));
	bench_apply(t, yaml);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1");
	bench_apply(t, pair);
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
}

static void a_connection_may_change_its_attachment(void **state) /* A16 */
{
	struct bench *t = *state;
	const struct model_tunnel **all;

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  site-1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	model_tunnels(t->m, &all);
	uint32_t index = all[0]->index;
	struct bench_ingress before = bench_ingress(t, "site-1");

	bench_apply(t,
	    BENCH_SITE "route-tables:\n  default: {}\n  red: {}\n"
		       "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " propagate: [red]}\n"
		       "  site-2: {kind: vpn, connection: dc1, associate: red,"
		       " routes: [{prefix: 10.8.0.0/16}]}\n");
	struct bench_ingress after = bench_ingress(t, "site-2");

	model_tunnels(t->m, &all);
	assert_int_equal(all[0]->index, index); /* its SAs live on */
	assert_int_equal(tunnel_get(&t->b->tunnels, index)->attachment, after.attachment);
	assert_ptr_not_equal(after.fib, before.fib);
	assert_ptr_equal(all[0]->fib, after.fib);
	assert_way(t, "vpc-a", "10.8.1.1", "dc1/1 dc1/2");
	assert_way(t, "vpc-a", "10.9.1.1", "no route");
	assert_way(t, "site-2", "10.1.1.1", "vpc-a");
	const struct nexthop *group = bench_hop(t, "vpc-a", "10.8.1.1");

	assert_int_equal(
	    nexthop_get(&t->b->nexthops, group->bucket[0])->attachment, after.attachment);
	/* Not attached at all: it stays, and leads nowhere. */
	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n");
	assert_int_equal(model_tunnels(t->m, &all), 2);
	assert_null(tunnel_get(&t->b->tunnels, index)->fib);
	assert_int_equal(tunnel_get(&t->b->tunnels, index)->attachment, 0);
}

static void an_attachment_may_change_its_connection(void **state) /* A16 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  site: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2");
	uint32_t number = bench_ingress(t, "site").attachment;

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc2: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  site: {kind: vpn, connection: dc2, routes: [{prefix: 10.9.0.0/16}]}\n");
	assert_int_equal(bench_ingress(t, "site").attachment, number);
	assert_way(t, "vpc-a", "10.9.1.1", "dc2/1"); /* down: it starts anew */
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc2/1 dc2/2");
}

/*
 * Workers find an interface by port and VLAN: it changes hands in one step, and the ledger is not
 * inherited.
 */
static void a_vlan_changes_hands(void **state)
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
		       " routes: [{prefix: 10.22.0.0/16, next-hop: 10.2.0.9}]}\n");
	const struct iface *ten = iface_of_vlan(&t->b->ifaces, 2, 10);
	uint16_t slot = ten->slot, number_a = ten->attachment;
	uint32_t index = ten->index;

	bench_apply(t,
	    BENCH_SITE "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 20, address: 10.1.0.1/16}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 10, address: 10.2.0.1/16,"
		       " routes: [{prefix: 10.22.0.0/16, next-hop: 10.2.0.9}]}\n");
	ten = iface_of_vlan(&t->b->ifaces, 2, 10);
	assert_int_equal(ten->index, index);
	assert_int_not_equal(ten->slot, slot);
	assert_int_equal(iface_of_vlan(&t->b->ifaces, 2, 20)->attachment, number_a);
	assert_way(t, "vpc-a", "10.22.1.1", "vpc-b>10.2.0.9");
	assert_int_equal(bench_hop(t, "vpc-a", "10.22.1.1")->iface, index);
	/*
	 * The same neighbour by the same VLAN, now of a third one: its record is not forgotten on
	 * the way.
	 */
	bench_apply(t,
	    BENCH_SITE "attachments:\n"
		       "  vpc-c: {kind: vpc, port: lan0, vlan: 10, address: 10.2.0.1/16,"
		       " routes: [{prefix: 10.22.0.0/16, next-hop: 10.2.0.9}]}\n");
	assert_true(epoch_flush(t->b->epoch));
	assert_way(t, "vpc-c", "10.22.1.1", "vpc-c>10.2.0.9");
	assert_null(iface_of_vlan(&t->b->ifaces, 2, 20));
	/* And as an uplink. */
	bench_apply(t,
	    "ports: {lan0: {device: 'tap:l0', address: 10.2.0.1/16, vlan: 10}}\n"
	    "attachments:\n"
	    "  vpc-d: {kind: vpc, port: lan0, vlan: 11, address: 10.4.0.1/16}\n");
	ten = iface_of_vlan(&t->b->ifaces, 2, 10);
	assert_int_equal(ten->role, IFACE_UPLINK);
	assert_int_equal(ten->attachment, 0);
	assert_way(t, "vpc-d", "10.22.1.1", "no route");
}

static void neighbours_go_with_their_interface(void **state)
{
	struct bench *t = *state;
	static const char with[] = BENCH_SITE
	    "attachments:\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
	    " routes: [{prefix: 10.22.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.23.0.0/16,"
	    " next-hop: 10.1.0.8}]}\n";
	struct ip_addr gateway = test_addr("10.1.0.9"), known = test_addr("10.1.0.8"),
		       host = test_addr("10.1.0.5");
	const struct rte_ether_addr mac = {{2, 0, 0, 0, 0, 9}};

	bench_apply(t, with);
	const struct iface *iface = iface_of_vlan(&t->b->ifaces, 2, 10);
	uint16_t index = (uint16_t)iface->index;

	assert_int_equal(neigh_find(t->b->neighbours, index, &gateway)->state, NEIGH_INCOMPLETE);
	assert_true(neigh_publish(t->b->neighbours, iface, &host, &mac) > 0);
	assert_true(neigh_publish(t->b->neighbours, iface, &known, &mac) > 0);
	bench_apply(t,
	    BENCH_SITE "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n");
	assert_null(neigh_find(t->b->neighbours, index, &gateway)); /* nobody names it any more */
	assert_non_null(
	    neigh_find(t->b->neighbours, index, &known)); /* it answers: others may need it */
	assert_non_null(neigh_find(t->b->neighbours, index, &host));
	bench_apply(t, BENCH_SITE);
	assert_null(neigh_find(t->b->neighbours, index, &known));
	assert_null(neigh_find(t->b->neighbours, index, &host));
}

/* The same address may be a neighbour on two interfaces. */
static void a_namesake_keeps_no_neighbour(void **state)
{
	struct bench *t = *state;
	static const char two[] =
	    BENCH_SITE "route-tables: {default: {}, red: {}}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " routes: [{prefix: 10.22.0.0/16, next-hop: 10.1.0.9}]}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.1.0.1/16,"
		       " associate: red, propagate: [red],"
		       " routes: [{prefix: 10.22.0.0/16, next-hop: 10.1.0.9}]}\n";
	struct ip_addr gateway = test_addr("10.1.0.9");
	char yaml[4096];

	bench_apply(t, two);
	uint16_t a = (uint16_t)iface_of_vlan(&t->b->ifaces, 2, 10)->index;
	uint16_t b = (uint16_t)iface_of_vlan(&t->b->ifaces, 2, 20)->index;

	strcpy(yaml, two);
	memcpy(strstr(yaml, "next-hop: 10.1.0.9"), "next-hop: 10.1.0.8", 18); /* of vpc-a */
	bench_apply(t, yaml);
	assert_null(neigh_find(t->b->neighbours, a, &gateway));
	assert_non_null(neigh_find(t->b->neighbours, b, &gateway));
}

static void numbers_wait_for_slow_workers(void **state)
{
	struct bench *t = *state;
	static const char a[] =
	    BENCH_SITE "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n";
	static const char b[] =
	    BENCH_SITE "attachments:\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n";

	bench_apply(t, a);
	const struct iface seen = *iface_of_vlan(&t->b->ifaces, 2, 10);

	epoch_online(t->b->epoch, 0);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, BENCH_SITE);
	bench_apply(t, b); /* the worker may still have a packet of vpc-a in hand */
	const struct iface *next = iface_of_vlan(&t->b->ifaces, 2, 20);

	assert_int_not_equal(next->attachment, seen.attachment);
	assert_int_not_equal(next->slot, seen.slot);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, BENCH_SITE);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, a);
	assert_int_equal(iface_of_vlan(&t->b->ifaces, 2, 10)->attachment, seen.attachment);
	assert_int_equal(iface_of_vlan(&t->b->ifaces, 2, 10)->slot, seen.slot);
	epoch_offline(t->b->epoch, 0);
}

static void a_table_waits_for_slow_workers(void **state)
{
	struct bench *t = *state;
	struct ip_addr dst = test_addr("10.1.0.7");

	bench_apply(t,
	    BENCH_SITE "route-tables: {default: {}, red: {}}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " associate: red, propagate: [red]}\n");
	const struct fib *red = bench_ingress(t, "vpc-a").fib;
	uint32_t hop = fib_lookup_one(red, &dst);

	assert_true(hop != 0);
	epoch_online(t->b->epoch, 0);
	epoch_quiescent(t->b->epoch, 0);
	bench_apply(t, BENCH_SITE); /* the worker has a packet of vpc-a in hand */
	assert_int_equal(fib_lookup_one(red, &dst), hop);
	assert_int_equal(nexthop_get(&t->b->nexthops, hop)->kind, NH_CONNECTED);
	epoch_quiescent(t->b->epoch, 0);
	epoch_reclaim(t->b->epoch);
	epoch_offline(t->b->epoch, 0);
}

/* ---- what does not fit ---- */

static char error_lines[8][256];
static unsigned error_count;

static void collect(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	if (level == LOG_ERROR && error_count < TEST_COUNT(error_lines))
		snprintf(error_lines[error_count++], sizeof(error_lines[0]), "%s: %s",
		    object ? object : "-", line);
}

/* It is refused with that error and a line that tells, and the boundary is as before. */
static void assert_refused(struct bench *t, const char *yaml, int error, const char *line)
{
	static struct snapshot before;
	struct conf *conf = bench_conf(yaml);
	uint32_t routes = bench_ingress(t, "vpc-a").fib->routes;
	bool told = false;

	take(t, &before);
	error_count = 0;
	log_set_sink(collect, NULL);
	assert_int_equal(model_apply(t->m, conf), error);
	log_set_sink(NULL, NULL);
	conf_free(conf); /* nothing may refer to it */
	for (unsigned i = 0; i < error_count; i++)
		told |= strstr(error_lines[i], line) != NULL;
	assert_true(told);
	assert_int_equal(differences(t, &before), 0);
	assert_int_equal(bench_ingress(t, "vpc-a").fib->routes, routes);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2");
	assert_way(t, "dc1", "10.1.1.1", "vpc-a");
	assert_way(t, "dc1", "10.21.0.0", "no route");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
}

#define SMALL(vpc_routes)                                                                          \
	BENCH_SITE                                                                                 \
	"vpn-connections:\n"                                                                       \
	"  dc1: {" BENCH_PAIR "}\n"                                                                \
	"attachments:\n"                                                                           \
	"  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16, routes: [" vpc_routes    \
	"]}\n"

/* Room for 8 routes, 17 next hops, 5 interfaces, 3 tunnels, 7 slots and 4 groups. */
static void what_does_not_fit_changes_nothing(void **state)
{
	struct bench *t = *state;

	bench_apply(t, SMALL(""));
	bench_tunnels(t, MODEL_TUNNEL_UP);
	for (unsigned turn = 0; turn < 3; turn++) { /* nothing is lost on the way */
		assert_refused(t,
		    SMALL("{prefix: 10.21.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.22.0.0/16,"
			  " next-hop: 10.1.0.9}, {prefix: 10.23.0.0/16, next-hop: 10.1.0.9},"
			  " {prefix: 10.24.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.25.0.0/16,"
			  " next-hop: 10.1.0.9}, {prefix: 10.26.0.0/16, next-hop: 10.1.0.9}"),
		    -ENOSPC, "default: 9 routes do not fit the table");
		assert_refused(t,
		    SMALL("{prefix: 10.21.0.0/32, next-hop: 10.1.0.9}, {prefix: 10.22.0.0/32,"
			  " next-hop: 10.1.0.9}, {prefix: 10.23.0.0/32, next-hop: 10.1.0.9},"
			  " {prefix: 10.24.0.0/32, next-hop: 10.1.0.9}"),
		    -ENOSPC, "routes do not fit the table");
		assert_refused(t,
		    SMALL("{prefix: 10.21.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.22.0.0/16,"
			  " next-hop: 10.1.0.8}, {prefix: 10.23.0.0/16, next-hop: 10.1.0.7},"
			  " {prefix: 10.24.0.0/16, next-hop: 10.1.0.6}, {prefix: 10.25.0.0/16,"
			  " next-hop: 10.1.0.5}"),
		    -ENOSPC, "too many next hops");
		assert_refused(t,
		    BENCH_SITE "vpn-connections:\n"
			       "  dc2: {" BENCH_PAIR "}\n"
			       "  dc1: {" BENCH_PAIR "}\n"
			       "  dc3: {" BENCH_PAIR "}\n"
			       "attachments:\n"
			       "  dc1: {kind: vpn, connection: dc1}\n",
		    -ENOSPC, "too many tunnels");
		assert_refused(t,
		    SMALL("") "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"
			      "  vpc-c: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16}\n"
			      "  vpc-d: {kind: vpc, port: lan0, vlan: 40, address: 10.4.0.1/16}\n",
		    -ENOSPC, "vpc-d: interface on port lan0");
		assert_refused(t,
		    "ports: {lan7: {device: 'tap:l7'}}\nattachments:\n"
		    "  vpc-a: {kind: vpc, port: lan7, address: 10.1.0.1/16}\n",
		    -ENODEV, "vpc-a: interface on port lan7");
	}
	bench_apply(t, SMALL("")); /* and it goes on */
}

/* 8 routes make way for 8 others, although there is no room for a ninth. */
static void a_full_table_is_exchanged(void **state)
{
	struct bench *t = *state;
	static const char first[] =
	    SMALL("{prefix: 10.21.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.22.0.0/16, next-hop:"
		  " 10.1.0.9}, {prefix: 10.23.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.24.0.0/16,"
		  " next-hop: 10.1.0.9}, {prefix: 10.25.0.0/16, next-hop: 10.1.0.9}");
	static const char then[] =
	    SMALL("{prefix: 10.31.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.32.0.0/16, next-hop:"
		  " 10.1.0.9}, {prefix: 10.33.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.34.0.0/16,"
		  " next-hop: 10.1.0.9}, {prefix: 10.35.0.0/16, next-hop: 10.1.0.9}");

	for (unsigned turn = 0; turn < 3; turn++) {
		bench_apply(t, first);
		assert_int_equal(bench_ingress(t, "vpc-a").fib->routes, 8);
		assert_way(t, "dc1", "10.25.1.1", "vpc-a>10.1.0.9");
		assert_way(t, "dc1", "10.35.1.1", "no route");
		bench_apply(t, then);
		assert_way(t, "dc1", "10.25.1.1", "no route");
		assert_way(t, "dc1", "10.35.1.1", "vpc-a>10.1.0.9");
	}
}

static void the_first_one_may_be_refused(void **state)
{
	struct bench *t = *state;
	struct conf *conf = bench_conf("ports: {lan7: {device: 'tap:l7'}}\nattachments:\n"
				       "  vpc-a: {kind: vpc, port: lan7, address: 10.1.0.1/16}\n");
	const struct model_iface **ifaces;

	log_set_sink(collect, NULL);
	assert_int_equal(model_apply(t->m, conf), -ENODEV);
	log_set_sink(NULL, NULL);
	conf_free(conf);
	assert_int_equal(model_ifaces(t->m, &ifaces), 0);
	bench_apply(t, SMALL(""));
}

/* ---- under a worker ---- */

static _Atomic bool started, stop;
static _Atomic uint64_t lookups, missed;

/* Looks the same destination up for ever, the way a worker does: it must always be there. */
static void *worker(void *arg)
{
	struct bench *t = arg;
	struct ip_addr dst = test_addr("10.9.1.1");

	epoch_online(t->b->epoch, 0);
	atomic_store(&started, true);
	while (!atomic_load(&stop)) {
		const struct iface *in = iface_of_vlan(&t->b->ifaces, 2, 10);
		sched_yield(); /* a long time between two steps of a worker */
		uint32_t hop = in && in->fib ? fib_lookup_one(in->fib, &dst) : 0;
		const struct nexthop *nh = nexthop_get(&t->b->nexthops, hop), *leaf = nh;

		if (nh && nh->kind == NH_GROUP)
			leaf = nexthop_get(&t->b->nexthops, nh->bucket[77]);
		if (!hop || !nh || !leaf || leaf->kind != NH_TUNNEL ||
		    !nexthop_permits(nh, in->attachment) ||
		    !tunnel_get(&t->b->tunnels, leaf->tunnel))
			atomic_fetch_add(&missed, 1);
		atomic_fetch_add(&lookups, 1);
		epoch_quiescent(t->b->epoch, 0);
	}
	epoch_offline(t->b->epoch, 0);
	return NULL;
}

/* Tables come and go, associations and connections change: a worker never finds a hole. */
static void a_worker_never_finds_a_hole(void **state)
{
	struct bench *t = *state;
	static const char *const turn[] = {
	    BASIC,
	    BENCH_SITE "route-tables: {default: {}, blue: {}}\n" CONNECTIONS "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, propagate: [blue],"
		       " routes: [{prefix: 10.0.0.0/9}]}\n"
		       "  dc2: {kind: vpn, connection: dc2}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " associate: blue}\n",
	    BENCH_SITE CONNECTIONS
	    "attachments:\n"
	    "  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.9.1.0/24}]}\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 11, address: 10.2.0.1/16}\n"
	    "routing-policies:\n  - {priority: 9, direction: egress, destination-attachment:"
	    " [vpc-b], action: deny}\n",
	};
	pthread_t thread;

	bench_apply(t, turn[0]);
	assert_int_equal(pthread_create(&thread, NULL, worker, t), 0);
	while (!atomic_load(&started))
		sched_yield();
	for (unsigned i = 1; i < 90 || atomic_load(&lookups) < 1000; i++) {
		bench_apply(t, turn[i % TEST_COUNT(turn)]);
		bench_tunnels(t, i % 2 ? MODEL_TUNNEL_UP : MODEL_TUNNEL_DOWN);
		epoch_reclaim(t->b->epoch);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

#define TIGHT(test) cmocka_unit_test_setup_teardown(test, bench_setup_small, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_stays_is_not_touched),
	    CASE(a_second_tunnel_leaves_the_first_alone),
	    CASE(a_pair_may_change_behind_its_member),
	    CASE(a_connection_may_change_its_attachment),
	    CASE(an_attachment_may_change_its_connection),
	    CASE(a_vlan_changes_hands),
	    CASE(neighbours_go_with_their_interface),
	    CASE(a_namesake_keeps_no_neighbour),
	    CASE(numbers_wait_for_slow_workers),
	    CASE(a_table_waits_for_slow_workers),
	    TIGHT(what_does_not_fit_changes_nothing),
	    TIGHT(a_full_table_is_exchanged),
	    TIGHT(the_first_one_may_be_refused),
	    CASE(a_worker_never_finds_a_hole),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
