/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels and links that come and go: R8, X1 (T3, T4), on-demand tunnels (T11), and what a change
 * costs.
 */

#include <string.h>

#include "bench.h"

#define BEHIND "routes: [{prefix: 10.9.0.0/16}]"
#define TWO_CONNECTIONS(ha1, ha2)                                                                  \
	BENCH_SITE                                                                                 \
	"vpn-connections:\n"                                                                       \
	"  dc1: {ha: " ha1 ", " BENCH_PAIR "}\n"                                                   \
	"  dc2: {ha: " ha2 ", " BENCH_PAIR "}\n"                                                   \
	"attachments:\n"                                                                           \
	"  dc1: {kind: vpn, connection: dc1, " BEHIND "}\n"                                        \
	"  dc2: {kind: vpn, connection: dc2, " BEHIND "}\n"                                        \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
#define ONE_CONNECTION(ha)                                                                         \
	BENCH_SITE                                                                                 \
	"vpn-connections:\n"                                                                       \
	"  dc1: {ha: " ha ", " BENCH_PAIR "}\n"                                                    \
	"attachments:\n"                                                                           \
	"  dc1: {kind: vpn, connection: dc1, " BEHIND "}\n"                                        \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"

static unsigned count_of(const struct bench_buckets *b, const char *way)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ECMP_BUCKETS; i++)
		n += strcmp(b->way[i], way) == 0;
	return n;
}

static void assert_same(const struct bench_buckets *a, const struct bench_buckets *b)
{
	for (unsigned i = 0; i < ECMP_BUCKETS; i++)
		assert_string_equal(a->way[i], b->way[i]);
}

/* Between the two, exactly the buckets that `way` had in `a` have another way in `b`. */
static void assert_only_moved(
    const struct bench_buckets *a, const struct bench_buckets *b, const char *way)
{
	for (unsigned i = 0; i < ECMP_BUCKETS; i++) {
		if (strcmp(a->way[i], way) == 0)
			assert_string_not_equal(b->way[i], way);
		else
			assert_string_equal(b->way[i], a->way[i]);
	}
}

static void only_flows_of_the_dead_move(void **state) /* R8, T3 */
{
	struct bench *t = *state;
	struct bench_buckets all, less, none, back;

	bench_apply(t, TWO_CONNECTIONS("ecmp", "ecmp"));
	bench_tunnels(t, MODEL_TUNNEL_UP);
	bench_buckets(t, "vpc-a", "10.9.1.1", &all);
	assert_int_equal(count_of(&all, "dc1/1"), 64);
	assert_int_equal(count_of(&all, "dc2/2"), 64);
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_DOWN);
	bench_buckets(t, "vpc-a", "10.9.1.1", &less);
	assert_only_moved(&all, &less, "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN); /* now all of dc1 */
	bench_buckets(t, "vpc-a", "10.9.1.1", &none);
	assert_only_moved(&less, &none, "dc1/1");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	bench_buckets(t, "vpc-a", "10.9.1.1", &back);
	assert_same(&back, &less);
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_UP);
	bench_buckets(t, "vpc-a", "10.9.1.1", &back);
	assert_same(&back, &all);
}

static void ports_keep_their_flows_as_well(void **state) /* R8 */
{
	struct bench *t = *state;
	struct bench_buckets all, less, back;

	bench_apply(t,
	    BENCH_SITE
	    "attachments:\n"
	    "  vpc-a: {kind: vpc, port: lan0, address: 10.1.0.1/16, routes:"
	    " [{prefix: 10.9.0.0/16, next-hop: 10.1.0.5}, {prefix: 10.9.0.0/16, next-hop: 10.1.0.6}]}\n"
	    "  vpc-b: {kind: vpc, port: lan1, address: 10.2.0.1/16, routes:"
	    " [{prefix: 10.9.0.0/16, next-hop: 10.2.0.5}]}\n");
	bench_buckets(t, "vpc-a", "10.9.1.1", &all);
	assert_in_range(count_of(&all, "vpc-b>10.2.0.5"), 85, 86);
	bench_link(t, "lan1", false);
	bench_buckets(t, "vpc-a", "10.9.1.1", &less);
	assert_only_moved(&all, &less, "vpc-b>10.2.0.5");
	bench_link(t, "lan1", true);
	bench_buckets(t, "vpc-a", "10.9.1.1", &back);
	assert_same(&back, &all);
}

static void the_active_carries_all(void **state) /* X1, T4 */
{
	struct bench *t = *state;

	bench_apply(t, ONE_CONNECTION("active-standby"));
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_TRAP); /* not negotiated yet: the standby goes on */
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1");
	bench_tunnel(t, "dc1/2", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1"); /* dropped there, with its reason */
}

/*
 * Beside another connection the pair is one member: a take-over moves its own flows and nobody
 * else's.
 */
static void a_standby_takes_over_what_was_the_active_ones(void **state) /* X1, R8 */
{
	struct bench *t = *state;
	struct bench_buckets before, after;

	bench_apply(t, TWO_CONNECTIONS("active-standby", "ecmp"));
	bench_tunnels(t, MODEL_TUNNEL_UP);
	bench_buckets(t, "vpc-a", "10.9.1.1", &before);
	assert_in_range(count_of(&before, "dc1/1"), 85, 86);
	assert_int_equal(count_of(&before, "dc1/2"), 0);
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	bench_buckets(t, "vpc-a", "10.9.1.1", &after);
	assert_only_moved(&before, &after, "dc1/1");
	assert_int_equal(count_of(&after, "dc1/2"), count_of(&before, "dc1/1"));
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	bench_buckets(t, "vpc-a", "10.9.1.1", &after);
	assert_same(&before, &after);
}

static void on_demand_tunnels_wait_for_traffic(void **state) /* T11 */
{
	struct bench *t = *state;

	bench_apply(t, TWO_CONNECTIONS("ecmp", "ecmp"));
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1"); /* all down */
	bench_tunnel(t, "dc2/1", MODEL_TUNNEL_TRAP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc2/1");
	bench_tunnels(t, MODEL_TUNNEL_TRAP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2 dc2/1 dc2/2");
	bench_tunnel(t, "dc2/2", MODEL_TUNNEL_UP); /* flows go where they are carried at once */
	assert_way(t, "vpc-a", "10.9.1.1", "dc2/2");
	bench_tunnel(t, "dc2/2", MODEL_TUNNEL_TRAP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2 dc2/1 dc2/2");
}

/* A tunnel is no better than the port that carries its outer packets. */
static void a_tunnel_is_down_with_its_uplink(void **state)
{
	struct bench *t = *state;

	bench_apply(t, ONE_CONNECTION("ecmp")); /* wan0, wan1: two zones */
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2");
	bench_link(t, "wan0", false);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	bench_link(t, "wan0", true);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.9.1.1", "dc1/1 dc1/2");
}

static void a_new_attachment_on_a_dead_port_is_down(void **state)
{
	struct bench *t = *state;

	bench_apply(t, BENCH_SITE);
	atomic_store(&t->port[2].link_up, false); /* before anything was on it */
	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, " BEHIND "}\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
		       " routes: [{prefix: 10.9.0.0/16, next-hop: 10.1.0.5}]}\n"
		       "  vpc-b: {kind: vpc, port: lan1, address: 10.2.0.1/16}\n");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-b", "10.9.1.1", "dc1/1 dc1/2");
	bench_link(t, "lan0", true);
	assert_way(t, "vpc-b", "10.9.1.1", "vpc-a>10.1.0.5");
}

static unsigned records_that_differ(const struct records *r, void **copy)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->capacity; i++) {
		n += copy[i] != records_get(r, i);
		copy[i] = records_get(r, i);
	}
	return n;
}

/* A death costs a record, however many routes there are; what changes nothing costs nothing. */
static void a_death_costs_one_record(void **state)
{
	struct bench *t = *state;
	static char yaml[65536];
	static void *hops[4096];
	int at = snprintf(yaml, sizeof(yaml),
	    BENCH_SITE "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
		       "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}");

	for (unsigned i = 0; i < 1000; i++)
		at += snprintf(yaml + at, sizeof(yaml) - (size_t)at, ", {prefix: 172.%u.%u.0/24}",
		    16 + i / 256, i % 256);
	snprintf(yaml + at, sizeof(yaml) - (size_t)at, "]}\n");
	bench_apply(t, yaml);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_true(epoch_flush(t->b->epoch));
	assert_in_range(records_used(&t->b->nexthops.rec), 1, 16);
	records_that_differ(&t->b->nexthops.rec, hops);
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	assert_int_equal(records_that_differ(&t->b->nexthops.rec, hops), 1);
	assert_way(t, "vpc-a", "172.19.200.1", "dc1/2");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_DOWN);
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_TRAP); /* no rival of one that is up */
	bench_link(t, "lan1", false);
	assert_int_equal(records_that_differ(&t->b->nexthops.rec, hops), 0);
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	assert_int_equal(records_that_differ(&t->b->nexthops.rec, hops), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(only_flows_of_the_dead_move),
	    CASE(ports_keep_their_flows_as_well),
	    CASE(the_active_carries_all),
	    CASE(a_standby_takes_over_what_was_the_active_ones),
	    CASE(on_demand_tunnels_wait_for_traffic),
	    CASE(a_tunnel_is_down_with_its_uplink),
	    CASE(a_new_attachment_on_a_dead_port_is_down),
	    CASE(a_death_costs_one_record),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
