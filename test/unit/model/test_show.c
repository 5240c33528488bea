/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What operators see of the model: shape, reasons, and nothing that odd configurations could break.
 */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const char site[] = BENCH_SITE
    "route-tables:\n  default: {routes: [{prefix: 10.66.0.0/16, blackhole: yes},"
    " {prefix: 8.8.0.0/16, attachment: vpc-a}]}\n  red: {}\n"
    "vpn-connections:\n"
    "  dc1: {" BENCH_PAIR "}\n"
    "  spare: {ha: active-standby, " BENCH_PAIR "}\n"
    "  dc2: {mode: single, gateway-type: private, tunnels:"
    " [{customer-gateway: cgw-a, gateway-address: 10.3.0.1, psk: k}]}\n"
    "attachments:\n"
    "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
    "  dc2: {kind: vpn, connection: dc2, associate: none, propagate: [red,"
    " default], advertise-routes: no, routes: [{prefix: 10.9.0.0/16},"
    " {prefix: 10.7.0.0/16}]}\n"
    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
    " routes: [{prefix: 10.9.0.0/16, next-hop: 10.1.0.9}, {prefix: 10.8.0.0/16,"
    " next-hop: 10.1.0.8}]}\n"
    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24,"
    " associate: red, propagate: []}\n"
    "routing-policies:\n"
    "  - {priority: 7, direction: ingress, source-attachment: [dc2], prefixes: [10.7.0.0/16],"
    " action: deny}\n";

static const char *text(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	assert_non_null(value);
	return json_is_string(value) ? json_string_value(value) : "(null)";
}

/* The row with that text under that key. */
static json_t *row_of(json_t *rows, const char *key, const char *value)
{
	json_t *row, *found = NULL;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (strcmp(text(row, key), value) == 0)
			found = row;
	}
	assert_non_null(found);
	return found;
}

static char *joined(const json_t *row, const char *key)
{
	static char ring[4][512];
	static unsigned turn;
	char *out = ring[turn++ % TEST_COUNT(ring)];
	const json_t *list = json_object_get(row, key);
	size_t at = 0;

	assert_true(json_is_array(list));
	*out = '\0';
	for (size_t i = 0; i < json_array_size(list); i++)
		at += (size_t)snprintf(out + at, sizeof(ring[0]) - at, "%s%s", i ? " " : "",
		    json_string_value(json_array_get(list, i)));
	return out;
}

static void attachments(void **state)
{
	struct bench *t = *state;

	bench_apply(t, site);
	json_t *rows = model_show_attachments(t->m);

	assert_int_equal(json_array_size(rows), 4);
	json_t *row = row_of(rows, "name", "dc1");
	assert_string_equal(text(row, "kind"), "vpn");
	assert_string_equal(text(row, "state"), "down");
	assert_string_equal(text(row, "associated-table"), "default");
	assert_string_equal(joined(row, "propagates-to"), "default");
	assert_string_equal(text(row, "connection"), "dc1");
	assert_true(json_is_true(json_object_get(row, "advertise-routes")));
	row = row_of(rows, "name", "dc2");
	assert_string_equal(text(row, "associated-table"), "(null)");
	assert_string_equal(joined(row, "propagates-to"), "red default");
	assert_true(json_is_false(json_object_get(row, "advertise-routes")));
	row = row_of(rows, "name", "line1");
	assert_string_equal(text(row, "state"), "up");
	assert_string_equal(text(row, "port"), "lan0");
	assert_int_equal(json_integer_value(json_object_get(row, "vlan")), 30);
	assert_string_equal(joined(row, "address"), "10.3.0.2/24");
	json_decref(rows);
}

static void assert_redundancy(
    struct bench *t, const char *name, const char *met, const char *reason)
{
	json_t *rows = model_show_connections(t->m), *row = row_of(rows, "name", name);

	assert_string_equal(text(row, "redundancy"), met);
	assert_string_equal(text(row, "redundancy-reason"), reason);
	json_decref(rows);
}

static void connections(void **state) /* T2 */
{
	struct bench *t = *state;

	bench_apply(t, site);
	assert_redundancy(t, "dc1", "NOT_MET", "tunnel dc1/1 is down");
	assert_redundancy(t, "dc2", "NOT_MET", "the connection has one tunnel");
	bench_tunnels(t, MODEL_TUNNEL_TRAP);
	assert_redundancy(t, "dc1", "NOT_MET", "tunnel dc1/1 waits for traffic");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	assert_redundancy(t, "dc1", "NOT_MET", "tunnel dc1/2 waits for traffic");
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_redundancy(t, "dc1", "MET", "(null)");
	bench_link(t, "wan1", false);
	assert_redundancy(t, "dc1", "NOT_MET", "tunnel dc1/2 is down");
	json_t *rows = model_show_connections(t->m), *row = row_of(rows, "name", "spare");
	assert_string_equal(text(row, "ha"), "active-standby");
	assert_string_equal(text(row, "attachment"), "(null)"); /* not attached */
	assert_int_equal(json_array_size(json_object_get(row, "tunnels")), 2);
	row = row_of(rows, "name", "dc2");
	assert_string_equal(text(row, "gateway-type"), "private");
	assert_string_equal(text(row, "routing-mode"), "destination");
	assert_int_equal(json_integer_value(json_object_get(row, "tunnels-up")), 1);
	json_decref(rows);
}

static void tables(void **state)
{
	struct bench *t = *state;

	bench_apply(t, site);
	json_t *rows = model_show_tables(t->m);

	assert_int_equal(json_array_size(rows), 2); /* the underlay is nobody's table */
	json_t *row = row_of(rows, "name", "red");
	assert_string_equal(joined(row, "associated"), "line1");
	assert_string_equal(joined(row, "learns-from"), "dc2");
	/* Two routes of dc2, the address of line1 and the gateway address of dc2/1. */
	assert_int_equal(json_integer_value(json_object_get(row, "routes")), 4);
	row = row_of(rows, "name", "default");
	assert_string_equal(joined(row, "associated"), "dc1 vpc-a");
	assert_string_equal(joined(row, "learns-from"), "dc1 dc2 vpc-a");
	json_decref(rows);
}

/* "attachment used why" of the candidates of a prefix, in order. */
static const char *candidates(struct bench *t, const char *table, const char *prefix)
{
	static char out[1024];
	json_t *rows = model_show_routes(t->m, table), *row;
	size_t i, at = 0;

	assert_non_null(rows);
	*out = '\0';
	json_array_foreach(rows, i, row)
	{
		bool used = json_is_true(json_object_get(row, "used"));

		if (strcmp(text(row, "prefix"), prefix) != 0)
			continue;
		assert_string_equal(text(row, "table"), table);
		assert_int_equal(used, !json_is_string(json_object_get(row, "not-used-because")));
		at +=
		    (size_t)snprintf(out + at, sizeof(out) - at, "%s%s %s [%s]%s%s", at ? "; " : "",
			text(row, "type"), text(row, "attachment"), joined(row, "next-hops"),
			used ? "" : " ", used ? "" : text(row, "not-used-because"));
	}
	json_decref(rows);
	return out;
}

static void routes_and_why_they_lost(void **state) /* R6 */
{
	struct bench *t = *state;

	bench_apply(t, site);
	assert_null(model_show_routes(t->m, "blue"));
	assert_null(model_show_routes(t->m, "(underlay)"));
	assert_string_equal(candidates(t, "default", "10.9.0.0/16"),
	    "attached vpc-a [10.1.0.9]; "
	    "attached dc1 [dc1/1 dc1/2] a route of a preferred type exists; "
	    "attached dc2 [dc2/1] a route of a preferred type exists");
	bench_tunnel(t, "dc2/1", MODEL_TUNNEL_UP);
	bench_link(t, "lan0", false); /* dc2 goes over line1, on the same port */
	assert_string_equal(candidates(t, "default", "10.9.0.0/16"),
	    "attached vpc-a [10.1.0.9]; "
	    "attached dc1 [dc1/1 dc1/2] a route of a preferred type exists; "
	    "attached dc2 [dc2/1] a route of a preferred type exists");
	bench_tunnel(t, "dc1/1", MODEL_TUNNEL_UP);
	assert_string_equal(candidates(t, "default", "10.9.0.0/16"),
	    "attached vpc-a [10.1.0.9] its attachment is down; "
	    "attached dc1 [dc1/1 dc1/2]; attached dc2 [dc2/1]");
	assert_string_equal(candidates(t, "default", "10.7.0.0/16"),
	    "attached dc2 [dc2/1] refused by a routing policy");
	assert_string_equal(
	    candidates(t, "default", "10.66.0.0/16"), "blackhole (null) [blackhole]");
	assert_string_equal(candidates(t, "default", "10.1.0.1/32"), "local (null) [local]");
	assert_string_equal(candidates(t, "default", "10.1.0.0/16"), "connected vpc-a [vpc-a]");
	assert_string_equal(candidates(t, "default", "8.8.0.0/16"),
	    "static vpc-a [vpc-a] no route of its attachment names a next hop for it");
	assert_string_equal(candidates(t, "red", "10.3.0.1/32"), "local (null) [local]");
}

static void who_is_refused(void **state) /* R4 */
{
	struct bench *t = *state;

	bench_apply(t, site);
	json_t *rows = model_show_routes(t->m, "red"), *row = row_of(rows, "prefix", "10.9.0.0/16");

	assert_string_equal(joined(row, "refused-to"), "dc1 dc2 line1");
	json_decref(rows);
	rows = model_show_routes(t->m, "default");
	row = row_of(rows, "prefix", "10.7.0.0/16");
	assert_int_equal(json_integer_value(json_object_get(row, "policy")), 7);
	row = row_of(rows, "prefix", "10.8.0.0/16");
	assert_string_equal(joined(row, "refused-to"), "");
	assert_string_equal(text(row, "state"), "up");
	json_decref(rows);
	rows = model_show_routes(t->m, NULL);
	row_of(rows, "table", "red");
	row_of(rows, "table", "default");
	json_decref(rows);
}

#define MANY 60

/* A row names some of hundreds of data centers that policies keep from it, and counts the others. */
static void many_are_refused(void **state)
{
	struct bench *t = *state;
	static char yaml[16384];
	int at = snprintf(yaml, sizeof(yaml),
	    "ports:\n  wan0: {device: 'tap:w0', address: 203.0.113.10/24, gateway: 203.0.113.1}\n"
	    "  lan0: {device: 'tap:l0'}\n"
	    "transit-router: {cidr: 203.0.112.0/24, limits: {vpn-attachments: 60}}\n"
	    "customer-gateways: {cgw-a: {address: 192.0.2.1}, cgw-b: {address: 192.0.2.2}}\n"
	    "attachments:\n  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n");

	for (unsigned i = 0; i < MANY; i++)
		at += snprintf(yaml + at, sizeof(yaml) - (size_t)at,
		    "  dc%u: {kind: vpn, connection: {" BENCH_PAIR
		    "}, routes: [{prefix: 10.9.%u.0/24}]}\n",
		    i, i);
	bench_apply(t, yaml);
	json_t *rows = model_show_routes(t->m, NULL), *row = row_of(rows, "prefix", "10.9.7.0/24");
	size_t said = json_array_size(json_object_get(row, "refused-to"));
	assert_in_range(said, 1, MANY - 1);
	assert_int_equal(json_integer_value(json_object_get(row, "refused-to-more")), MANY - said);
	assert_null(json_object_get(row_of(rows, "prefix", "10.1.0.0/16"), "refused-to-more"));
	json_decref(rows);
	row = model_show_connection(t->m, conf_find_connection(t->conf, "dc7"));
	assert_string_equal(text(row, "name"), "dc7");
	assert_int_equal(json_array_size(json_object_get(row, "tunnels")), 2);
	json_decref(row);
}

static void show_all(struct bench *t)
{
	json_t *rows[] = {model_show_attachments(t->m), model_show_connections(t->m),
	    model_show_tables(t->m), model_show_routes(t->m, NULL)};

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		assert_true(json_is_array(rows[i]));
		json_t *row;
		size_t k;

		json_array_foreach(rows[i], k, row) assert_true(json_is_object(row));
		json_decref(rows[i]);
	}
}

static void odd_configurations(void **state)
{
	struct bench *t = *state;

	show_all(t); /* nothing was applied yet */
	bench_apply(t, "ports: {lan0: {device: 'tap:l0'}}\n");
	show_all(t);
	bench_apply(t,
	    BENCH_SITE "route-tables: {red: {}}\n"
		       "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n");
	show_all(t);
	bench_apply(t,
	    BENCH_SITE "route-tables: {red: {routes: [{prefix: 10.0.0.0/8, attachment: dc1}]}}\n"
		       "vpn-connections:\n"
		       "  dc1: {" BENCH_PAIR "}\n"
		       "attachments:\n"
		       "  dc1: {kind: vpn, connection: dc1, associate: none, propagate: []}\n");
	show_all(t);
	bench_apply(t, site);
	show_all(t);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(attachments),
	    CASE(connections),
	    CASE(tables),
	    CASE(routes_and_why_they_lost),
	    CASE(who_is_refused),
	    CASE(many_are_refused),
	    CASE(odd_configurations),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
