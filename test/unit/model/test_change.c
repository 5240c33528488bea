/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One configuration after another: nothing is touched without need, and the end state is that of a fresh start (B9).
 */

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "snapshot.h"

static void what_stays_is_not_touched(void **state) /* O10 */
{
	struct bench *t = *state;
	static struct snapshot before;

	bench_apply(t, BENCH_BASIC);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_DOWN);
	snapshot_take(t, &before);
	for (unsigned i = 0; i < 3; i++)
		bench_apply(t, BENCH_BASIC);
	assert_int_equal(snapshot_differences(t, &before), 0);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc2/1 dc2/2"); /* states are no configuration */
	/*
	 * A network more: its interface, its leaf, a path each for the subnet and, R4, for who may
	 * use it.
	 */
	bench_apply(
	    t, BENCH_BASIC "  vpc-b: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16}\n");
	assert_in_range(snapshot_differences(t, &before), 1, 8);
	assert_way(t, "dc1", "10.3.0.7", "vpc-b");
	bench_apply(t, BENCH_BASIC);
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

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

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
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
