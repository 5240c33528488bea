/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in rejection (R4, X13) and user policies (R5), as the boundary has them. */

#include <stdio.h>
#include <string.h>

#include "bench.h"

#define CONNECTIONS                                                                                \
	"vpn-connections:\n"                                                                       \
	"  dc1: {" BENCH_PAIR "}\n"                                                                \
	"  dc2: {" BENCH_PAIR "}\n"
#define ATTACHMENTS                                                                                \
	"attachments:\n"                                                                           \
	"  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.8.0.0/16}]}\n" OTHERS
#define OTHERS                                                                                     \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"                       \
	"  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"                       \
	"  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/16}\n"                       \
	"  ccn1: {kind: ccn, port: lan0, vlan: 40, address: 10.4.0.1/16}\n"                        \
	"  tr2: {kind: peer, port: lan0, vlan: 50, address: 10.5.0.1/16}\n"

static const struct {
	const char *name, *address; /* an address behind it */
	bool line;                  /* VPN, VBR or CCN */
} all[] = {
    {"dc1", "10.9.0.7", true},
    {"dc2", "10.8.0.7", true},
    {"line1", "10.3.0.7", true},
    {"ccn1", "10.4.0.7", true},
    {"vpc-a", "10.1.0.7", false},
    {"vpc-b", "10.2.0.7", false},
    {"tr2", "10.5.0.7", false},
};

static void the_first_vpn_closes_the_lines(void **state) /* R4 */
{
	struct bench *t = *state;

	bench_apply(t, BENCH_SITE "attachments:\n" OTHERS);
	assert_way(t, "line1", "10.4.0.7", "ccn1"); /* no VPN attachment: nothing is rejected */
	bench_apply(t, BENCH_SITE CONNECTIONS ATTACHMENTS);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	for (unsigned i = 0; i < TEST_COUNT(all); i++) {
		for (unsigned k = 0; k < TEST_COUNT(all); k++) {
			const char *way = bench_ask(t, all[i].name, all[k].address);
			bool denied = strcmp(way, "denied") == 0;

			assert_string_not_equal(way, "no route");
			assert_int_equal(denied, all[i].line && all[k].line);
		}
	}
	assert_true(
	    nexthop_permits(bench_hop(t, "dc1", "10.3.0.7"), 0)); /* the router itself may */
	/* The router's own address is no route of the line. */
	assert_way(t, "dc1", "10.3.0.1", "local");
	bench_apply(t, BENCH_SITE "attachments:\n" OTHERS);
	assert_way(t, "line1", "10.4.0.7", "ccn1");
}

static void it_is_in_every_table_of_later_days_too(void **state) /* R4 */
{
	struct bench *t = *state;

	bench_apply(t, BENCH_SITE CONNECTIONS ATTACHMENTS);
	bench_apply(t,
	    BENCH_SITE
	    "route-tables:\n  default: {}\n  late: {routes: [{prefix: 10.77.0.0/16, attachment: dc2}]}\n" CONNECTIONS
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1, associate: late, propagate: [late]}\n"
	    "  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.8.0.0/16}],"
	    " propagate: [default, late]}\n"
	    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/16,"
	    " associate: late, propagate: [late]}\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
	    " associate: late}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "dc1", "10.8.0.7", "denied");
	assert_way(t, "dc1", "10.3.0.7", "denied");
	assert_way(t, "line1", "10.8.0.7", "denied");
	assert_way(t, "line1", "10.77.0.7", "denied"); /* a static route is no way around */
	assert_way(t, "vpc-a", "10.77.0.7", "dc2/1 dc2/2");
	assert_way(t, "vpc-a", "10.3.0.7", "line1");
}

static void a_policy_opens_what_it_names(void **state) /* X13 */
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE CONNECTIONS ATTACHMENTS
	    "routing-policies:\n"
	    "  - {priority: 100, direction: egress, source-kind: [vpn], destination-kind: [vbr],"
	    " action: permit}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "line1", "10.9.0.7", "dc1/1 dc1/2"); /* routes of VPNs may go to VBRs */
	assert_way(t, "dc1", "10.3.0.7", "denied");        /* not the other way round */
	assert_way(t, "ccn1", "10.9.0.7", "denied");
	assert_way(t, "dc1", "10.8.0.7", "denied");
}

/* One policy on the default table, and who reaches what. */
static void with(struct bench *t, const char *policies)
{
	char yaml[8192];

	snprintf(yaml, sizeof(yaml),
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16},"
		       " {prefix: 10.9.5.0/24}]}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " routes: [{prefix: 10.99.0.0/16, next-hop: 10.1.0.9}]}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"
		       "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/16}\n"
		       "routing-policies:\n%s",
	    policies);
	bench_apply(t, yaml);
	bench_tunnels(t, MODEL_TUNNEL_UP);
}

static void egress_matches(void **state) /* R5 */
{
	struct bench *t = *state;

	with(t,
	    "  - {priority: 10, direction: egress, source-attachment: [dc1],"
	    " destination-attachment: [vpc-a], action: deny}\n");
	assert_way(t, "vpc-a", "10.9.0.7", "denied");
	assert_way(t, "vpc-b", "10.9.0.7", "dc1/1 dc1/2");
	assert_way(t, "dc1", "10.1.0.7", "vpc-a");
	with(t, "  - {priority: 10, direction: egress, destination-kind: [vpc], action: deny}\n");
	assert_way(t, "vpc-a", "10.9.0.7", "denied");
	assert_way(t, "vpc-b", "10.1.0.7", "denied");
	assert_way(t, "dc1", "10.1.0.7", "vpc-a");
	with(t, "  - {priority: 10, direction: egress, prefixes: [10.9.0.0/16], action: deny}\n");
	assert_way(t, "vpc-a", "10.9.0.7", "denied");
	assert_way(t, "vpc-a", "10.9.5.7", "denied"); /* include: what lies inside too */
	assert_way(t, "vpc-a", "10.2.0.7", "vpc-b");
	with(t,
	    "  - {priority: 10, direction: egress, prefixes: [10.9.0.0/16],"
	    " prefix-match: exact, action: deny}\n");
	assert_way(t, "vpc-a", "10.9.0.7", "denied");
	assert_way(t, "vpc-a", "10.9.5.7", "dc1/1 dc1/2");
	with(t, "  - {priority: 10, direction: egress, route-type: [connected], action: deny}\n");
	assert_way(t, "vpc-b", "10.1.0.7", "denied");
	assert_way(t, "vpc-b", "10.99.0.7", "vpc-a>10.1.0.9");
	with(t, "  - {priority: 10, direction: egress, route-type: [static], action: deny}\n");
	assert_way(t, "vpc-b", "10.1.0.7", "vpc-a");
	assert_way(t, "vpc-b", "10.99.0.7", "denied");
	with(t, "  - {priority: 10, direction: egress, route-type: [bgp], action: deny}\n");
	assert_way(t, "vpc-b", "10.99.0.7", "vpc-a>10.1.0.9");
}

/* Routes without BGP have an empty path and no communities. */
static void bgp_matches_need_bgp(void **state)
{
	struct bench *t = *state;

	with(t,
	    "  - {priority: 10, direction: egress, as-path: [65000], action: deny}\n"
	    "  - {priority: 20, direction: egress, communities: ['65000:1'], action: deny}\n"
	    "  - {priority: 30, direction: ingress, as-path: [65000], as-path-match: exact,"
	    " action: deny}\n");
	assert_way(t, "vpc-b", "10.99.0.7", "vpc-a>10.1.0.9");
	assert_way(t, "vpc-a", "10.9.0.7", "dc1/1 dc1/2");
}

static void the_lower_number_decides(void **state) /* R5 */
{
	struct bench *t = *state;

	with(t,
	    "  - {priority: 20, direction: egress, action: deny}\n"
	    "  - {priority: 10, direction: egress, source-attachment: [vpc-b], action: permit}\n"
	    "  - {priority: 30, direction: egress, source-attachment: [dc1], action: permit}\n");
	assert_way(t, "vpc-a", "10.2.0.7", "vpc-b");
	assert_way(t, "vpc-a", "10.9.0.7", "denied");
	assert_way(t, "vpc-a", "10.1.0.1", "local"); /* no policy is asked about our addresses */
}

static void ingress_keeps_routes_out(void **state) /* R5 */
{
	struct bench *t = *state;

	with(t,
	    "  - {priority: 10, direction: ingress, source-attachment: [dc1],"
	    " prefixes: [10.9.5.0/24], action: deny}\n");
	assert_way(t, "vpc-a", "10.9.5.7", "dc1/1 dc1/2"); /* by the /16 */
	with(t, "  - {priority: 100, direction: ingress, source-kind: [vpn], action: deny}\n");
	assert_way(t, "vpc-a", "10.9.5.7", "no route"); /* not denied: it is not there */
	with(t, "  - {priority: 10, direction: ingress, route-type: [connected], action: deny}\n");
	assert_way(t, "vpc-a", "10.2.0.7", "no route");
	assert_way(t, "vpc-b", "10.99.0.7", "vpc-a>10.1.0.9");
	assert_way(t, "vpc-a", "10.2.0.1", "local"); /* both are associated here */
	with(t, "  - {priority: 10, direction: ingress, destination-kind: [vpc], action: deny}\n");
	assert_way(t, "vpc-a", "10.2.0.7", "vpc-b"); /* on the way in there is no destination */
}

static void preference_orders_within_a_rank(void **state) /* R5, R6 */
{
	struct bench *t = *state;

	static const char two[] =
	    BENCH_SITE "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " routes: [{prefix: 10.9.0.0/16, next-hop: 10.1.0.9}]}\n"
		       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16,"
		       " routes: [{prefix: 10.9.0.0/16, next-hop: 10.2.0.9}]}\n"
		       "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.1/16,"
		       " routes: [{prefix: 10.9.0.0/16, next-hop: 10.3.0.9}]}\n";
	char yaml[8192];

	bench_apply(t, two);
	assert_way(t, "line1", "10.9.0.7", "vpc-a>10.1.0.9 vpc-b>10.2.0.9");
	snprintf(yaml, sizeof(yaml),
	    "%srouting-policies:\n"
	    "  - {priority: 10, direction: ingress, source-attachment: [vpc-b], action: permit,"
	    " set-preference: 200}\n"
	    "  - {priority: 20, direction: ingress, source-kind: [vbr], action: permit,"
	    " set-preference: 4000000000}\n",
	    two);
	bench_apply(t, yaml);
	assert_way(t, "line1", "10.9.0.7", "vpc-b>10.2.0.9"); /* a rank is not overtaken */
}

/* Policies of one table are no business of another. */
static void tables_have_their_own(void **state)
{
	struct bench *t = *state;

	bench_apply(t,
	    BENCH_SITE
	    "route-tables:\n  default: {}\n  red: {}\n"
	    "attachments:\n"
	    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
	    " propagate: [default, red]}\n"
	    "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16, associate: red}\n"
	    "  vpc-c: {kind: vpc, port: lan0, vlan: 30, address: 10.3.0.1/16}\n"
	    "routing-policies:\n"
	    "  - {priority: 10, table: red, direction: egress, action: deny}\n"
	    "  - {priority: 10, direction: ingress, source-attachment: [vpc-b], action: deny}\n");
	assert_way(t, "vpc-b", "10.1.0.7", "denied");
	assert_way(t, "vpc-c", "10.1.0.7", "vpc-a");
	assert_way(t, "vpc-c", "10.2.0.7", "no route");
}

/*
 * More attachments than one word of a bitmap holds, added one after the other; the last one may be
 * denied too.
 */
static void the_bitmap_grows(void **state)
{
	struct bench *t = *state;
	char yaml[16384], name[16];

	for (unsigned step = 0; step < 22; step++) {
		unsigned count = 60 + step % 11;
		bool last_too = step < 11;
		int at = snprintf(yaml, sizeof(yaml), BENCH_SITE "attachments:\n");

		for (unsigned i = 0; i < count; i++)
			at += snprintf(yaml + at, sizeof(yaml) - (size_t)at,
			    "  net-%u: {kind: vpc, port: lan0, vlan: %u, address: 10.%u.0.1/24}\n",
			    i, i + 1, i + 1);
		snprintf(yaml + at, sizeof(yaml) - (size_t)at,
		    "routing-policies:\n"
		    "  - {priority: 10, direction: egress, source-attachment: [net-0],"
		    " destination-attachment: [net-1, net-%u], action: deny}\n",
		    last_too ? count - 1 : 2);
		bench_apply(t, yaml);
		for (unsigned i = 0; i < count; i++) {
			snprintf(name, sizeof(name), "net-%u", i);
			assert_way(t, name, "10.1.0.7",
			    i == 1 || i == (last_too ? count - 1 : 2) ? "denied" : "net-0");
		}
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(the_first_vpn_closes_the_lines),
	    CASE(it_is_in_every_table_of_later_days_too),
	    CASE(a_policy_opens_what_it_names),
	    CASE(egress_matches),
	    CASE(bgp_matches_need_bgp),
	    CASE(the_lower_number_decides),
	    CASE(ingress_keeps_routes_out),
	    CASE(preference_orders_within_a_rank),
	    CASE(tables_have_their_own),
	    CASE(the_bitmap_grows),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
