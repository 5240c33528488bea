/* SPDX-License-Identifier: BSD-3-Clause */

/* A configuration that does not fit changes nothing: limits of a small router, one after the other. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "snapshot.h"

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

	snapshot_take(t, &before);
	error_count = 0;
	log_set_sink(collect, NULL);
	assert_int_equal(model_apply(t->m, conf), error);
	log_set_sink(NULL, NULL);
	conf_free(conf); /* nothing may refer to it */
	for (unsigned i = 0; i < error_count; i++)
		told |= strstr(error_lines[i], line) != NULL;
	assert_true(told);
	assert_int_equal(snapshot_differences(t, &before), 0);
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

#define TIGHT(test) cmocka_unit_test_setup_teardown(test, bench_setup_small, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TIGHT(what_does_not_fit_changes_nothing),
	    TIGHT(a_full_table_is_exchanged),
	    TIGHT(the_first_one_may_be_refused),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
