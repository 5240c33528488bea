/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which candidate of a prefix wins: R6, A8, A9, in the boundary. test_select.c asks the pure
 * function alone.
 */

#include <stdio.h>

#include "bench.h"

#define NET         "routes: [{prefix: 10.200.0.0/16"
#define BEHIND(hop) NET ", next-hop: " hop "}]"

/* Every kind has the same prefix. `skip` attachments from the best on. */
static const char *const every_kind[] = {
    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16, " BEHIND("10.1.0.9") "}\n",
    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/16, " BEHIND("10.3.0.9") "}\n",
    "  ccn1: {kind: ccn, port: lan0, vlan: 40, address: 10.4.0.1/16, " BEHIND("10.4.0.9") "}\n",
    "  dc1: {kind: vpn, connection: dc1, " NET "}]}\n",
    "  tr2: {kind: peer, port: lan0, vlan: 50, address: 10.5.0.1/16, " BEHIND("10.5.0.9") "}\n",
};

static void kinds_have_an_order(void **state) /* R6, A9 */
{
	struct bench *t = *state;
	static const char *const way[] = {
	    "vpc-a>10.1.0.9", "line1>10.3.0.9", "ccn1>10.4.0.9", "dc1/1 dc1/2", "tr2>10.5.0.9"};

	for (unsigned skip = 0; skip < TEST_COUNT(every_kind); skip++) {
		char yaml[8192];
		int at = snprintf(yaml, sizeof(yaml),
		    BENCH_SITE
		    "vpn-connections:\n"
		    "  dc1: {" BENCH_PAIR "}\n"
		    "attachments:\n"
		    "  asker: {kind: vpc, port: lan0, vlan: 90, address: 10.90.0.1/16}\n");

		for (unsigned i = TEST_COUNT(every_kind); i-- > skip;) /* any order in the file */
			at += snprintf(yaml + at, sizeof(yaml) - (size_t)at, "%s", every_kind[i]);
		bench_apply(t, yaml);
		bench_tunnels(t, MODEL_TUNNEL_UP);
		assert_way(t, "asker", "10.200.1.1", way[skip]);
	}
}

static void longest_prefix_then_static_then_connected(void **state) /* R6 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE "route-tables:\n"
		       "  default:\n"
		       "    routes:\n"
		       "      - {prefix: 10.1.0.0/16, attachment: tr2}\n"
		       "      - {prefix: 10.2.0.0/16, blackhole: yes}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
		       " routes: [{prefix: 10.1.9.0/24, next-hop: 10.2.0.9}, {prefix: 10.3.0.0/16,"
		       " next-hop: 10.2.0.9}]}\n"
		       "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/16}\n"
		       "  tr2: {kind: peer, port: lan0, vlan: 50, address: 10.5.0.1/16,"
		       " propagate: [], routes: [{prefix: 10.1.0.0/16, next-hop: 10.5.0.9}]}\n");
	assert_way(t, "vpc-b", "10.1.0.7", "tr2>10.5.0.9");   /* static over connected */
	assert_way(t, "vpc-b", "10.1.9.7", "vpc-b>10.2.0.9"); /* the longer one */
	assert_way(t, "vpc-a", "10.2.0.7", "blackhole");
	assert_way(
	    t, "vpc-a", "10.3.0.7", "line1"); /* connected, whatever kind, over a route behind */
}

/* Which kind wins hangs on what is usable; they never share. */
static void a_worse_kind_waits_for_the_better_to_fail(void **state) /* A9, R6 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE
	    "vpn-connections:\n"
	    "  dc1: {" BENCH_PAIR "}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1, " NET "}]}\n"
	    "  vpc-a: {kind: vpc, port: lan1, vlan: 10, address: 10.1.0.1/16, " BEHIND(
		"10.1.0.9") "}\n"
			    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n");
	assert_way(t, "vpc-b", "10.200.1.1", "vpc-a>10.1.0.9");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-b", "10.200.1.1", "vpc-a>10.1.0.9");
	bench_link(t, "lan1", false);
	assert_way(t, "vpc-b", "10.200.1.1", "dc1/1 dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-b", "10.200.1.1", "dc1/2");
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_DOWN);
	assert_way(
	    t, "vpc-b", "10.200.1.1", "vpc-a>10.1.0.9"); /* all down: the better one drops it */
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_TRAP);
	assert_way(t, "vpc-b", "10.200.1.1", "dc1/2");
	bench_link(t, "lan1", true);
	assert_way(t, "vpc-b", "10.200.1.1", "vpc-a>10.1.0.9");
}

static void connections(char *yaml, size_t size, unsigned count, const char *limits)
{
	int at = snprintf(yaml, size, BENCH_SITE "vpn-connections:\n");

	for (unsigned i = 0; i < count; i++)
		at += snprintf(yaml + at, size - (size_t)at,
		    "  c%02u: {tunnels: [{customer-gateway: cgw-a, gateway-address: 203.0.113.%u, psk: k},"
		    " {customer-gateway: cgw-b, gateway-address: 198.51.100.%u, psk: k}]}\n",
		    i, 100 + 2 * i, 101 + 2 * i);
	at += snprintf(yaml + at, size - (size_t)at,
	    "attachments:\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n");
	for (unsigned i = 0; i < count; i++)
		at += snprintf(yaml + at, size - (size_t)at,
		    "  c%02u: {kind: vpn, connection: c%02u, routes: [{prefix: 10.9.0.0/16}]}\n", i,
		    i);
	char *router = strstr(yaml, "cidr: [203.0.113.32/27]");
	assert_non_null(router);
	memcpy(router, limits, strlen(limits));
}

static unsigned hops(const char *way)
{
	unsigned n = 1;

	for (; *way; way++)
		n += *way == ' ';
	return n;
}

static void sixteen_equal_paths_and_no_more(void **state) /* A8 */
{
	struct bench *t = *state;
	char yaml[16384];

	connections(yaml, sizeof(yaml), 12, "limits: {ecmp: 16}     ");
	bench_apply(t, yaml);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1",
	    "c00/1 c00/2 c01/1 c01/2 c02/1 c02/2 c03/1 c03/2 c04/1 c04/2 c05/1 c05/2 c06/1 c06/2 "
	    "c07/1 c07/2");
	connections(yaml, sizeof(yaml), 12, "limits: {ecmp: 64}     ");
	bench_apply(t, yaml);
	assert_int_equal(hops(bench_ask(t, "vpc-a", "10.9.1.1")), 24);
	connections(yaml, sizeof(yaml), 12, "limits: {ecmp: 5}      ");
	bench_apply(t, yaml); /* an odd limit is not half used by a third connection */
	assert_way(t, "vpc-a", "10.9.1.1", "c00/1 c00/2 c01/1 c01/2");
	bench_tunnel(t, "c00/1", MODEL_TUNNEL_DOWN);
	bench_tunnel(t, "c00/2", MODEL_TUNNEL_DOWN); /* another one takes the place */
	assert_way(t, "vpc-a", "10.9.1.1", "c01/1 c01/2 c02/1 c02/2");
	bench_tunnel(t, "c00/2", MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "c00/2 c01/1 c01/2");
}

static void a_limit_of_one_makes_a_standby(void **state) /* A8 */
{
	struct bench *t = *state;
	char yaml[16384];

	connections(yaml, sizeof(yaml), 2, "limits: {ecmp: 1}      ");
	bench_apply(t, yaml);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "c00/1");
	bench_tunnel(t, "c00/1", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-a", "10.9.1.1", "c00/2");
	bench_tunnel(t, "c00/2", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-a", "10.9.1.1", "c01/1");
}

/* The same routes in any order of the file give the same next hops, bucket by bucket. */
static void the_order_of_the_file_plays_no_part(void **state)
{
	struct bench *t = *state;
	static const char *const lan[] = {
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16, " BEHIND(
		"10.1.0.9") "}\n",
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16, " BEHIND(
		"10.2.0.9") "}\n",
	    "  vpc-c: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16, " BEHIND(
		"10.3.0.9") "}\n",
	};
	struct bench_buckets first, again;
	char yaml[4096];

	for (unsigned turn = 0; turn < 3; turn++) {
		snprintf(yaml, sizeof(yaml), BENCH_SITE "attachments:\n%s%s%s", lan[turn],
		    lan[(turn + 1) % 3], lan[(turn + 2) % 3]);
		bench_apply(t, BENCH_SITE); /* forget numbers and leaves */
		bench_apply(t, yaml);
		bench_buckets(t, "vpc-a", "10.200.1.1", turn ? &again : &first);
		for (unsigned b = 0; turn && b < ECMP_BUCKETS; b++)
			assert_string_equal(again.way[b], first.way[b]);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(kinds_have_an_order),
	    CASE(longest_prefix_then_static_then_connected),
	    CASE(a_worse_kind_waits_for_the_better_to_fail),
	    CASE(sixteen_equal_paths_and_no_more),
	    CASE(a_limit_of_one_makes_a_standby),
	    CASE(the_order_of_the_file_plays_no_part),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
