/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes on three sides (A22), of several connections in one go: counted once, told of each. */

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "router/show/diagnose.h"

#define SITE(lonely)                                                                                  \
	BENCH_SITE                                                                                    \
	"route-tables: {default: {}, lonely: {}}\n"                                                   \
	"vpn-connections:\n  dc1: {" BENCH_PAIR "}\n  dc2: {" BENCH_PAIR "}\n  dc3: {" BENCH_PAIR     \
	"}\n"                                                                                         \
	"attachments:\n"                                                                              \
	"  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}, {prefix: 10.8.0.0/16}]," \
	" propagate: [default, lonely]}\n"                                                            \
	"  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.7.0.0/16}], associate: lonely,"     \
	" propagate: [" lonely "]}\n"                                                                 \
	"  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16, routes:"                    \
	" [{prefix: 10.11.0.0/16, next-hop: 10.1.0.9}]}\n"

/* What is found of routes, "Code: text" line by line, for these connections one after the other. */
static void diagnose(
    struct bench *t, const char *const *names, unsigned count, char *out, size_t size)
{
	struct router r = {.b = t->b, .model = t->m, .conf = t->conf};
	struct report p = {.r = &r, .rows = json_array()};
	size_t i, at = 0;
	json_t *row;

	for (unsigned k = 0; k < count; k++) {
		p.c = conf_find_connection(t->conf, names[k]);
		p.a = p.c->attachment;
		diagnose_routes(&p);
	}
	diagnose_routes_fini(&p);
	*out = '\0';
	json_array_foreach(p.rows, i, row)
	{
		at += (size_t)snprintf(out + at, size - at, "%s %s: %s\n",
		    json_string_value(json_object_get(row, "name")),
		    json_string_value(json_object_get(row, "code")),
		    json_string_value(json_object_get(row, "finding")));
	}
	json_decref(p.rows);
}

static void each_side(void **state)
{
	struct bench *t = *state;
	static const char *const names[] = {"dc1", "dc2", "dc3"};
	char out[2048];

	bench_apply(t, SITE("lonely"));
	bench_tunnels(t, MODEL_TUNNEL_UP);
	diagnose(t, names, 3, out, sizeof(out));
	assert_string_equal(out,
	    "dc1 RoutesComplete: 4 routes to the data center, 2 routes from it to networks\n"
	    "dc1 RoutesRefused: policies refuse the routes to: dc2\n"
	    "dc2 MissingSideTransitRouter: 1 routes lead to the data center, in tables that no network is "
	    "associated with\n"
	    "dc2 RoutesRefused: policies refuse the routes to: dc1\n"
	    "dc3 NotAttached: no attachment uses the connection\n");
	bench_apply(t, SITE(""));
	diagnose(t, names + 1, 1, out, sizeof(out));
	assert_string_equal(out,
	    "dc2 MissingSidePeer: no table has a route to the data center through this connection\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(each_side),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
