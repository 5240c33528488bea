/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Differences between two files: each with its path, both values and its effect, secrets masked, and nothing for
 * what only looks different. A file is small enough to be read, so a case is two files and the expected lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "conf/conf.h"
#include "conf/diff.h"
#include "conf/keywords.h"

#define SITE                                                                                       \
	"ports: {wan0: {device: 'tap:t0', address: 203.0.113.10/24, gateway: 203.0.113.1},"        \
	" lan0: {device: 'tap:t1'}}\n"                                                             \
	"transit-router: {cidr: [203.0.113.32/28]}\n"
#define GATEWAYS "customer-gateways: {gw-a: {address: 192.0.2.1}, gw-b: {address: 192.0.2.2}}\n"
#define DC(a, b)                                                                                   \
	"vpn-connections:\n  dc1:\n    tunnels:\n      - {customer-gateway: gw-a" a                \
	"}\n      - {customer-gateway: gw-b" b "}\n"
#define ATTACHED "attachments: {dc1: {kind: vpn, connection: dc1}}\n"

static struct conf *load(const char *text)
{
	struct conf_errors errs;
	struct conf *conf;

	conf_errors_init(&errs);
	conf_load_buffer("diff.yaml", text, strlen(text), NULL, &conf, &errs);
	if (errs.errors)
		conf_errors_print(&errs, stderr);
	assert_int_equal(errs.errors, 0);
	conf_errors_fini(&errs);
	return conf;
}

/* "path: from -> to [effect] (about)" for each. */
static char *said(const char *from_text, const char *to_text)
{
	struct conf *from = load(from_text), *to = load(to_text);
	struct conf_diff diff;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	conf_diff(from, to, &diff);
	conf_free(from); /* a difference stands by itself */
	conf_free(to);
	assert_int_equal(diff.total, diff.items_count);
	for (unsigned i = 0; i < diff.items_count; i++) {
		const struct conf_change *c = &diff.items[i];

		fprintf(f, "%s: %s -> %s [%s]", c->path, c->from ? c->from : "-",
		    c->to ? c->to : "-", conf_effect_name(c->effect));
		fprintf(f, c->about ? " (%s)\n" : "\n", c->about);
	}
	fclose(f);
	conf_diff_fini(&diff);
	return text;
}

static void check(const char *from, const char *to, const char *expected)
{
	char *text = said(from, to);

	assert_string_equal(text, expected);
	free(text);
}

static void what_is_equal_is_not_said(void **state)
{
	check(SITE GATEWAYS DC("", "") ATTACHED, SITE GATEWAYS DC("", "") ATTACHED, "");
	/* Defaults that are spelled out, another order, another way to write the same. */
	check(SITE GATEWAYS DC(", psk: abc", "") ATTACHED,
	    ATTACHED "customer-gateways: {gw-b: {address: 192.0.2.2}, gw-a: {address: "
		     "192.0.2.1}}\n" DC(", psk: abc, nat-traversal: yes, ike: {encryption: aes, "
					"dh-group: 2}",
			 ", dpd: {interval: 10}") SITE,
	    "");
	/* A connection that is written where it is used, or by name. */
	check(SITE GATEWAYS DC("", "") ATTACHED,
	    SITE GATEWAYS "attachments: {dc1: {kind: vpn, connection: {tunnels: "
			  "[{customer-gateway: gw-a}, {customer-gateway: gw-b}]}}}\n",
	    "");
}

static void each_key_has_its_effect(void **state)
{
	check(SITE GATEWAYS DC("", "") ATTACHED,
	    SITE GATEWAYS DC(", dpd: {interval: 5}",
		", ike: {encryption: [aes256, aes128]}, ipsec: {lifetime: 3600}") ATTACHED,
	    "vpn-connections.dc1.tunnels.1.dpd.interval: 10 -> 5 [live] (dc1/1)\n"
	    "vpn-connections.dc1.tunnels.2.ike.encryption: [aes128] -> [aes256, aes128] "
	    "[renegotiate] (dc1/2)\n"
	    "vpn-connections.dc1.tunnels.2.ipsec.lifetime: 86400 -> 3600 [rekey] (dc1/2)\n");
	check(SITE GATEWAYS DC("", "") ATTACHED,
	    "system: {log-level: debug, memory: 1G}\n" SITE
	    "customer-gateways: {gw-a: {address: 192.0.2.9}, gw-b: {address: 192.0.2.2}}\n" DC(
		"", "") "attachments: {dc1: {kind: vpn, connection: dc1, propagate: []}}\n",
	    "system.memory: 512M -> 1G [restart]\n"
	    "system.log-level: info -> debug [live]\n"
	    "customer-gateways.gw-a.address: 192.0.2.1 -> 192.0.2.9 [renegotiate] (dc1/1)\n"
	    "vpn-connections.dc1.tunnels.1.ike.remote-id: 192.0.2.1 -> 192.0.2.9 [renegotiate] (dc1/1)\n"
	    "attachments.dc1.propagate: [default] -> [] [routes]\n");
	check(SITE GATEWAYS DC("", "") ATTACHED,
	    SITE GATEWAYS DC(", ingress-policer: {cir: 10M}",
		"") "attachments: {dc1: {kind: vpn, connection: dc1, egress-policer: {packet-rate: 5k}}}\n",
	    "vpn-connections.dc1.tunnels.1.ingress-policer.cir: - -> 10M [live] (dc1/1)\n"
	    "attachments.dc1.egress-policer.packet-rate: - -> 5k [live]\n");
	check(SITE, SITE "routing-policies: [{priority: 7, direction: egress, action: deny}]\n",
	    "routing-policies.7 default egress: - -> (new) [routes]\n"
	    "routing-policies.7 default egress.priority: - -> 7 [routes]\n"
	    "routing-policies.7 default egress.direction: - -> egress [routes]\n"
	    "routing-policies.7 default egress.action: - -> deny [routes]\n");
}

static void objects_come_and_go(void **state)
{
	check(SITE GATEWAYS ATTACHED "vpn-connections: {dc1: {mode: single, tunnels: "
				     "[{customer-gateway: gw-a}]}}\n",
	    SITE GATEWAYS DC("", ", psk: new-one") ATTACHED,
	    "vpn-connections.dc1.mode: single -> dual [nothing] (dc1)\n"
	    "vpn-connections.dc1.tunnels.2: - -> (new) [tunnels] (dc1/2)\n"
	    "vpn-connections.dc1.tunnels.2.customer-gateway: - -> gw-b [tunnels] (dc1/2)\n"
	    "vpn-connections.dc1.tunnels.2.psk: - -> <secret> [tunnels] (dc1/2)\n");
	check(SITE "route-tables: {red: {routes: [{prefix: 10.0.0.0/8, blackhole: yes}]}}\n",
	    SITE "route-tables: {blue: {}}\n",
	    "route-tables.blue: - -> (new) [routes]\n"
	    "route-tables.red: (removed) -> - [routes]\n"
	    "route-tables.red.routes.10.0.0.0/8: (removed) -> - [routes]\n"
	    "route-tables.red.routes.10.0.0.0/8.prefix: 10.0.0.0/8 -> - [routes]\n"
	    "route-tables.red.routes.10.0.0.0/8.blackhole: yes -> - [routes]\n");
	/* A route in front of others moves none of them. */
	check(SITE "route-tables: {red: {routes: [{prefix: 10.2.0.0/16, blackhole: yes}]}}\n",
	    SITE "route-tables: {red: {routes: [{prefix: 10.1.0.0/16, blackhole: yes}, {prefix: "
		 "10.2.0.0/16, blackhole: yes}]}}\n",
	    "route-tables.red.routes.10.1.0.0/16: - -> (new) [routes]\n"
	    "route-tables.red.routes.10.1.0.0/16.prefix: - -> 10.1.0.0/16 [routes]\n"
	    "route-tables.red.routes.10.1.0.0/16.blackhole: - -> yes [routes]\n");
}

static void inline_connections_have_the_path_of_the_file(void **state)
{
	check(SITE GATEWAYS "attachments: {dc1: {kind: vpn, connection: {mode: single, tunnels: "
			    "[{customer-gateway: gw-a}]}}}\n",
	    SITE GATEWAYS "attachments: {dc1: {kind: vpn, connection: {mode: single, tunnels: "
			  "[{customer-gateway: gw-b}]}}}\n",
	    "attachments.dc1.connection.tunnels.1.customer-gateway: gw-a -> gw-b [renegotiate] "
	    "(dc1/1)\n"
	    "attachments.dc1.connection.tunnels.1.ike.remote-id: 192.0.2.1 -> 192.0.2.2 "
	    "[renegotiate] (dc1/1)\n");
}

static void sections_are_switched_on_and_off(void **state)
{
	static const char with[] =
	    SITE "customer-gateways: {gw-a: {address: 192.0.2.1, asn: 65010}, gw-b: {address: "
		 "192.0.2.2}}\n" DC(", bgp: {cidr: 169.254.10.0/30}", "") ATTACHED;
	static const char without[] =
	    SITE "customer-gateways: {gw-a: {address: 192.0.2.1, asn: 65010}, gw-b: {address: "
		 "192.0.2.2}}\n" DC("", "") ATTACHED;

	check(without, with,
	    "vpn-connections.dc1.tunnels.1.bgp.cidr: - -> 169.254.10.0/30 [session] (dc1/1)\n");
	check(with, without,
	    "vpn-connections.dc1.tunnels.1.bgp.cidr: 169.254.10.0/30 -> - [session] (dc1/1)\n");
}

static void secrets_are_masked(void **state)
{
	static const char canary[] = "canary-psk-77";
	struct conf *from = load(SITE GATEWAYS DC("", ", psk: canary-psk-76") ATTACHED);
	struct conf *to =
	    load(SITE GATEWAYS DC(", psk: canary-psk-77", ", psk: canary-psk-77") ATTACHED);
	struct conf_diff diff;
	json_t *json;
	char *text;

	conf_diff(from, to, &diff);
	assert_int_equal(diff.total, 2);
	assert_null(diff.items[0].from);
	assert_string_equal(diff.items[0].to, "<secret>");
	assert_string_equal(diff.items[1].from, "<secret>");
	assert_string_equal(diff.items[1].to, "<secret>");
	assert_int_equal(diff.items[0].effect, CONF_EFFECT_RENEGOTIATE);
	json = conf_diff_json(&diff);
	text = json_dumps(json, 0);
	assert_null(strstr(text, canary));
	assert_null(strstr(text, "canary"));
	free(text);
	json_decref(json);
	conf_diff_fini(&diff);
	conf_free(from);
	conf_free(to);
}

/* More than anybody reads: the first ones, and how many there are. */
static void the_total_goes_on(void **state)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct conf_diff diff;

	fputs(SITE "route-tables:\n", f);
	for (unsigned i = 0; i < CONF_CHANGES_KEPT + 500; i++)
		fprintf(f, "  table-%u: {}\n", i);
	fclose(f);
	struct conf *from = load(SITE), *to = load(text);
	conf_diff(from, to, &diff);
	assert_int_equal(diff.items_count, CONF_CHANGES_KEPT);
	assert_int_equal(diff.total, CONF_CHANGES_KEPT + 500);
	assert_int_equal(diff.by_effect[CONF_EFFECT_ROUTES], CONF_CHANGES_KEPT + 500);
	conf_diff_fini(&diff);
	conf_free(from);
	conf_free(to);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_equal_is_not_said),
	    cmocka_unit_test(each_key_has_its_effect),
	    cmocka_unit_test(objects_come_and_go),
	    cmocka_unit_test(inline_connections_have_the_path_of_the_file),
	    cmocka_unit_test(sections_are_switched_on_and_off),
	    cmocka_unit_test(secrets_are_masked),
	    cmocka_unit_test(the_total_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
