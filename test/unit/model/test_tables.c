/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Association and propagation (A1..A3, R1, R2), static routes (R3), flow protection (T10), local
 * addresses.
 */

#include "bench.h"

static void a_vpn_reaches_every_network(void **state) /* A1, A3 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "  dc2: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
		       "  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.8.0.0/16}]}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
		       " routes: [{prefix: 172.16.0.0/12, next-hop: 10.2.0.9}]}\n"
		       "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/30,"
		       " routes: [{prefix: 10.30.0.0/16, next-hop: 10.3.0.2}]}\n"
		       "  ccn1: {kind: ccn, port: lan0, vlan: 40, address: 10.4.0.1/30}\n"
		       "  tr2: {kind: peer, port: lan0, vlan: 50, address: 10.5.0.1/30,"
		       " routes: [{prefix: 10.50.0.0/16, next-hop: 10.5.0.2}]}\n"
		       "routing-policies:\n"
		       "  - {priority: 50, direction: egress, action: permit}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "dc1", "10.1.2.3", "vpc-a");
	assert_way(t, "dc1", "10.2.0.77", "vpc-b");
	assert_way(t, "dc1", "172.31.255.255", "vpc-b>10.2.0.9");
	assert_way(t, "dc1", "10.30.1.1", "line1>10.3.0.2");
	assert_way(t, "dc1", "10.4.0.2", "ccn1");
	assert_way(t, "dc1", "10.8.1.1", "dc2/1 dc2/2");
	assert_way(t, "dc1", "10.50.1.1", "tr2>10.5.0.2");
	assert_way(t, "dc2", "10.9.1.1", "dc1/1 dc1/2");
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2");
	assert_way(t, "tr2", "10.9.1.1", "dc1/1 dc1/2");
	assert_way(t, "line1", "10.9.1.1", "dc1/1 dc1/2");
	assert_way(t, "vpc-a", "8.8.8.8", "no route");
}

static void the_ingress_decides_the_table(void **state) /* A2, R1 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE
	    "route-tables:\n  default: {}\n  red: {}\n  blue: {}\n"
	    "attachments:\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
	    " associate: red, propagate: [blue]}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
	    " associate: blue, propagate: [red, default]}\n"
	    "  vpc-c: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16, propagate: []}\n");
	assert_way(t, "vpc-a", "10.2.0.5", "vpc-b"); /* there by red, back by blue */
	assert_way(t, "vpc-b", "10.1.0.5", "vpc-a");
	assert_way(t, "vpc-c", "10.2.0.5", "vpc-b");
	assert_way(t, "vpc-c", "10.1.0.5", "no route"); /* not propagated to default */
	assert_way(t, "vpc-a", "10.1.0.5", "no route"); /* nor into its own table */
	assert_way(t, "vpc-b", "10.3.0.5", "no route"); /* propagates nowhere */
}

static void associate_none_drops(void **state) /* R2 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " associate: none}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"
		       "  dc1: {kind: vpn, connection: dc1, associate: none,"
		       " routes: [{prefix: 10.9.0.0/16}]}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.2.0.5", "no table");
	assert_way(t, "dc1", "10.2.0.5", "no table");
	assert_way(t, "vpc-b", "10.1.0.5", "vpc-a"); /* propagation is another matter */
	assert_way(t, "vpc-b", "10.9.0.5", "dc1/1 dc1/2");
}

static void static_routes_and_blackholes(void **state) /* R3 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE "route-tables:\n"
		       "  default:\n"
		       "    routes:\n"
		       "      - {prefix: 0.0.0.0/0, blackhole: yes}\n"
		       "      - {prefix: 10.64.0.0/10, attachment: dc1}\n"
		       "      - {prefix: 10.1.7.0/24, blackhole: yes}\n"
		       "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  dc1: {kind: vpn, connection: dc1, propagate: []}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "8.8.8.8", "blackhole");
	assert_way(t, "vpc-a", "10.127.255.255", "dc1/1 dc1/2");
	assert_way(t, "vpc-a", "10.128.0.0", "blackhole");
	assert_way(t, "dc1", "10.1.7.1", "blackhole");
	assert_way(t, "dc1", "10.1.8.1", "vpc-a");
}

static const char static_on_port[] =
    BENCH_SITE "route-tables:\n"
	       "  default:\n"
	       "    routes:\n"
	       "      - {prefix: 10.1.4.0/24, attachment: vpc-a}\n"
	       "      - {prefix: 172.16.4.0/24, attachment: vpc-a}\n"
	       "      - {prefix: 172.20.4.0/24, attachment: vpc-a}\n"
	       "      - {prefix: 8.0.0.0/8, attachment: vpc-a}\n"
	       "      - {prefix: 9.0.0.0/8, attachment: vpc-b}\n"
	       "      - {prefix: 11.0.0.0/8, attachment: vpc-c}\n"
	       "      - {prefix: 13.0.0.0/8, attachment: line1}\n"
	       "attachments:\n"
	       "  line1: {kind: vbr, port: lan0, vlan: 50, address: 10.5.0.1/30, propagate: [],"
	       " bgp: {peer: 10.5.0.2, peer-asn: 65001}}\n"
	       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
	       " propagate: [], routes: [{prefix: 172.16.0.0/16, next-hop: 10.1.0.5},"
	       " {prefix: 172.16.0.0/16, next-hop: 10.1.0.6}, {prefix: 172.0.0.0/8,"
	       " next-hop: 10.1.0.7}, {prefix: 10.0.0.0/8, next-hop: 10.1.0.8}]}\n"
	       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
	       " propagate: [], routes: [{prefix: 172.16.0.0/16, next-hop: 10.2.0.5},"
	       " {prefix: 172.17.0.0/16, next-hop: 10.2.0.5}]}\n"
	       "  vpc-c: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16, propagate: []}\n"
	       "  vpc-d: {kind: vpc, port: lan0, vlan: 40, address: 10.4.0.1/16,"
	       " routes: [{prefix: 0.0.0.0/0, next-hop: 10.4.0.9}]}\n";

/* Which neighbour does a static route through a network mean? */
static void static_routes_find_their_neighbour(void **state)
{
	struct bench *t = *state;

	bench_apply(t, static_on_port);
	assert_way(
	    t, "vpc-a", "13.1.1.1", "line1>10.5.0.2"); /* its BGP peer, in a session or not */
	assert_way(t, "vpc-a", "10.1.4.4", "vpc-a");   /* the subnet is longer than 10/8 */
	assert_way(t, "vpc-a", "172.16.4.4", "vpc-a>10.1.0.5 vpc-a>10.1.0.6");
	assert_way(t, "vpc-a", "172.20.4.4", "vpc-a>10.1.0.7");
	assert_way(t, "vpc-a", "9.9.9.9", "vpc-b>10.2.0.5"); /* the only one it has */
	/* Several, and none is meant; none at all: dropped here, not sent to the default route. */
	assert_way(t, "vpc-a", "8.8.8.8", "blackhole");
	assert_way(t, "vpc-a", "11.1.1.1", "blackhole");
	assert_way(t, "vpc-a", "12.1.1.1", "vpc-d>10.4.0.9");
}

static void flow_protection_brings_its_routes(void **state) /* T10 */
{
	struct bench *t = *state;
	static const char flow[] =
	    "routing-mode: flow-protection, local-cidrs: [10.1.0.0/16],"
	    " peer-cidrs: [10.9.0.0/16, 10.19.0.0/16], tunnels: [{customer-gateway: cgw-a, psk: k},"
	    " {customer-gateway: cgw-b, psk: k}]}\n";
	char yaml[4096];

	snprintf(yaml, sizeof(yaml),
	    BENCH_SITE
	    "route-tables:\n  default: {}\n  red: {}\n  blue: {}\n"
	    "vpn-connections:\n  dc1: {%s  dc2: {%s"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1, associate: red}\n"
	    "  dc2: {kind: vpn, connection: dc2, associate: none, propagate: [blue]}\n"
	    "  vpc-r: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16, associate: red}\n"
	    "  vpc-d: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16,"
	    " associate: blue}\n",
	    flow, flow);
	bench_apply(t, yaml);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-r", "10.9.1.1", "dc1/1 dc1/2");  /* its own table, unasked */
	assert_way(t, "vpc-d", "10.19.1.1", "dc1/1 dc1/2"); /* propagated by default */
	assert_way(t, "vpc-b", "10.9.1.1", "dc2/1 dc2/2");
	assert_way(t, "vpc-r", "10.2.1.1", "no route");
}

static void own_addresses_answer(void **state)
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE
	    "route-tables:\n  default: {routes: [{prefix: 10.1.0.1/32, blackhole: yes}]}\n  red: {}\n"
	    "vpn-connections:\n"
	    "  dc1: {" BENCH_PAIR "}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1}\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: [10.1.0.1/16, 10.11.0.1/24]}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
	    " associate: red, propagate: []}\n"
	    "  vpc-c: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16,"
	    " associate: none, propagate: [red]}\n");
	assert_way(t, "vpc-a", "10.1.0.1", "local"); /* before any route */
	assert_way(t, "dc1", "10.11.0.1", "local");
	assert_way(
	    t, "vpc-b", "10.2.0.1", "local"); /* its own, although the table does not learn it */
	assert_way(t, "vpc-b", "10.2.0.2", "no route");
	assert_way(t, "vpc-a", "10.2.0.1", "no route");
	assert_way(t, "vpc-b", "10.3.0.1", "local");
	assert_way(t, "vpc-a", "203.0.113.10", "no route"); /* those of the uplinks are outside */
	assert_way(t, "dc1", "203.0.113.33", "no route");
}

static void both_families(void **state)
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE
	    "route-tables:\n"
	    "  default: {routes: [{prefix: 9.0.0.0/8, attachment: vpc-b}]}\n"
	    "vpn-connections:\n"
	    "  dc1: {" BENCH_PAIR "}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: '2001:db8:9::/48'}]}\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: [10.1.0.1/16,"
	    " '2001:db8:1::1/64'], routes: [{prefix: '::/0', next-hop: '2001:db8:1::9'}]}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: [10.2.0.1/16,"
	    " '2001:db8:2::1/64'], routes: [{prefix: 10.22.0.0/16, next-hop: 10.2.0.9},"
	    " {prefix: '2001:db8:22::/48', next-hop: '2001:db8:2::9'}]}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "2001:db8:9::77", "dc1/1 dc1/2");
	assert_way(t, "dc1", "2001:db8:1::77", "vpc-a");
	assert_way(t, "dc1", "2001:db8:1::1", "local");
	assert_way(t, "dc1", "2001:db8:3::1", "vpc-a>2001:db8:1::9");
	assert_way(t, "dc1", "9.1.1.1", "vpc-b>10.2.0.9"); /* its only one of that family */
	assert_way(t, "dc1", "8.8.8.8", "no route");
}

static void source_addresses(void **state)
{
	struct bench *t = *state;
	struct ip_addr v4 = test_addr("10.9.0.1"), v6 = test_addr("2001:db8::9"), a;

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n");
	struct bench_ingress lan = bench_ingress(t, "vpc-a"), vpn = bench_ingress(t, "dc1");
	struct ip_addr lan_addr = test_addr("10.1.0.1"), gateway = test_addr("203.0.113.33");

	a = model_source_address(t->m, (uint16_t)lan.attachment, &v4);
	assert_true(ip_eq(&a, &lan_addr));
	a = model_source_address(t->m, (uint16_t)vpn.attachment, &v4);
	assert_true(ip_eq(&a, &gateway));
	a = model_source_address(t->m, (uint16_t)lan.attachment, &v6);
	assert_false(ip_is_set(&a));
	a = model_source_address(t->m, 999, &v4);
	assert_false(ip_is_set(&a));
}

static void health_checks_bring_the_way_back(void **state) /* H4 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE
	    "route-tables:\n  default: {}\n  other: {}\n"
	    "vpn-connections:\n"
	    "  dc1: {tunnels: [{customer-gateway: cgw-a, psk: k, health-check: {source: "
	    "10.1.255.1, destination: 10.9.0.1}}, {customer-gateway: cgw-b, psk: k, "
	    "health-check: {source: 10.1.255.2, destination: 10.9.0.1}}]}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}],"
	    " propagate: [default, other]}\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16, associate: "
	    "other}\n");
	assert_way(t, "dc1", "10.1.255.1", "local"); /* whatever the VPC has around it */
	assert_way(t, "dc1", "10.1.255.2", "local");
	assert_way(t, "dc1", "10.1.255.3", "vpc-a");
	assert_way(t, "vpc-b", "10.1.255.1", "no route");
	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n");
	assert_way(t, "dc1", "10.1.255.1", "vpc-a");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_vpn_reaches_every_network),
	    CASE(the_ingress_decides_the_table),
	    CASE(associate_none_drops),
	    CASE(static_routes_and_blackholes),
	    CASE(static_routes_find_their_neighbour),
	    CASE(flow_protection_brings_its_routes),
	    CASE(own_addresses_answer),
	    CASE(both_families),
	    CASE(source_addresses),
	    CASE(health_checks_bring_the_way_back),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
