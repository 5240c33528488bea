/* SPDX-License-Identifier: BSD-3-Clause */
/* What a loaded conf holds: defaults, references, addresses that it gave itself, places in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"

static struct conf *load(const char *yaml, const struct conf_options *options)
{
	struct conf_errors errs;
	struct conf *conf;

	conf_errors_init(&errs);
	conf_load_buffer("test.yaml", yaml, strlen(yaml), options, &conf, &errs);
	if (errs.errors)
		conf_errors_print(&errs, stderr);
	assert_non_null(conf);
	conf_errors_fini(&errs);
	return conf;
}

#define SITE                                                                                       \
	"ports:\n"                                                                                 \
	"  wan0: {device: '0000:03:00.0', address: 203.0.113.10/24, gateway: 203.0.113.1}\n"       \
	"  lan0: {device: '0000:04:00.0', mtu: 9000}\n"                                            \
	"transit-router: {cidr: [203.0.113.32/29, '2001:db8:f::/64']}\n"                           \
	"customer-gateways:\n"                                                                     \
	"  gw-a: {address: 192.0.2.1, asn: 1.2}\n"                                                 \
	"  gw-b: {address: 192.0.2.2}\n"

#define DC(name) "  " name ": {tunnels: [{customer-gateway: gw-a}, {customer-gateway: gw-b}]}\n"

#define assert_ip(addr, text)                                                                      \
	do {                                                                                       \
		char buf_[IP_TEXT_MAX];                                                            \
		assert_string_equal(ip_text(&(addr), buf_), text);                                 \
	} while (0)

static void test_defaults_of_the_site(void **state)
{
	struct conf *c = load("ports: {lan0: {device: '0000:04:00.0'}}\n", NULL);
	const struct conf_system *s = &c->system;

	assert_int_equal(s->control_core, 0);
	assert_int_equal(s->worker_cores_count, 1);
	assert_int_equal(s->worker_cores[0], 1);
	assert_int_equal(s->memory, 512u << 20);
	assert_int_equal(s->huge_pages, CONF_HUGE_AUTO);
	assert_int_equal(s->poll, CONF_POLL_ADAPTIVE);
	assert_string_equal(s->crypto, "auto");
	assert_int_equal(s->crypto_profile, CONF_CRYPTO_COMPATIBLE);
	assert_string_equal(s->run_dir, "/run/transitd");
	assert_string_equal(s->state_dir, "/var/lib/transitd");
	assert_int_equal(s->log_level, LOG_INFO);
	assert_int_equal(c->transit_router.asn, 45104);
	assert_int_equal(c->transit_router.limits.vpn_attachments, 50);
	assert_int_equal(c->transit_router.limits.ecmp, 16);
	assert_int_equal(c->ports[0]->mtu, 1500);
	assert_int_equal(c->ports[0]->descriptors, 1024);
	assert_int_equal(c->route_tables_count, 1);
	assert_ptr_equal(c->default_table, conf_find_route_table(c, "default"));
	assert_int_equal(c->default_table->source.line, 0);
	conf_free(c);
}

static void check_tunnel_defaults(const struct conf_tunnel *t)
{
	assert_false(t->apply_immediately); /* T11 */
	assert_true(t->psk_absent);
	assert_int_equal(t->psk[0], '\0');
	assert_true(t->nat_traversal);                         /* T22 */
	assert_int_equal(t->ike.version, CONF_IKEV2);          /* T13 */
	assert_int_equal(t->ike.mode, CONF_IKE_MAIN);          /* T14 */
	assert_int_equal(t->ike.encryption_count, 1);          /* T15 */
	assert_int_equal(t->ike.encryption[0], ENCR_AES128);   /* T15 */
	assert_int_equal(t->ike.authentication[0], AUTH_SHA1); /* T16 */
	assert_int_equal(t->ike.dh_group[0], DH_2);            /* T17 */
	assert_int_equal(t->ike.lifetime, 86400);              /* T19 */
	assert_int_equal(t->ipsec.encryption[0], ENCR_AES128);
	assert_int_equal(t->ipsec.authentication[0], AUTH_SHA1);
	assert_int_equal(t->ipsec.dh_group[0], DH_2); /* T18 */
	assert_int_equal(t->ipsec.lifetime, 86400);
	assert_int_equal(t->ipsec.lifetime_bytes, 0);
	assert_int_equal(t->ipsec.replay_window, 1024);
	assert_int_equal(t->ipsec.esn, CONF_ESN_NO);
	assert_true(t->dpd.enabled); /* T21 */
	assert_int_equal(t->dpd.action, CONF_DPD_RESTART);
	assert_int_equal(t->dpd.interval, 10);
	assert_int_equal(t->dpd.timeout, 30);
	assert_false(t->bgp.enabled);          /* B1 */
	assert_false(t->health_check.enabled); /* H1 */
	assert_int_equal(t->health_check.interval, 3);
	assert_int_equal(t->health_check.retries, 3);
	assert_true(t->health_check.switch_route); /* H3 */
}

static void test_defaults_of_a_tunnel(void **state)
{
	struct conf *c = load(SITE
	    "vpn-connections:\n" DC("dc1") "attachments: {up: {kind: vpn, connection: dc1}}\n",
	    NULL);
	const struct conf_connection *dc1 = conf_find_connection(c, "dc1");
	const struct conf_attachment *up = conf_find_attachment(c, "up");

	assert_int_equal(dc1->mode, CONF_MODE_DUAL);
	assert_int_equal(dc1->ha, CONF_HA_ECMP);
	assert_int_equal(dc1->gateway_type, CONF_GATEWAY_PUBLIC);
	assert_int_equal(dc1->routing_mode, CONF_ROUTING_DESTINATION);
	assert_int_equal(dc1->keying, CONF_KEYING_IKE);
	assert_int_equal(dc1->tunnels_count, 2);
	check_tunnel_defaults(dc1->tunnels[0]);
	assert_int_equal(dc1->tunnels[1]->number, 2);
	assert_ptr_equal(dc1->tunnels[1]->connection, dc1);
	assert_ptr_equal(dc1->tunnels[1]->customer_gateway, conf_find_customer_gateway(c, "gw-b"));
	assert_ptr_equal(dc1->tunnels[0]->uplink, conf_find_port(c, "wan0"));
	assert_ptr_equal(dc1->attachment, up);
	assert_ptr_equal(up->connection, dc1);
	assert_ptr_equal(up->associate, c->default_table); /* R2 */
	assert_int_equal(up->propagate_count, 1);
	assert_ptr_equal(up->propagate[0], c->default_table);
	assert_true(up->advertise_routes); /* B8 */
	assert_string_equal(dc1->owner, "default");
	assert_null(conf_find_connection(c, "up"));
	conf_free(c);
}

/* T20 */
static void test_identities(void **state)
{
	struct conf *c = load(SITE
	    "vpn-connections:\n"
	    "  dc1: {tunnels: [{customer-gateway: gw-a, ike: {remote-id: 'keyid:x'}}, {customer-gateway: "
	    "gw-b, ike: {local-id: '@hub.example', remote-id: me@example.net}}]}\n",
	    NULL);
	struct conf_tunnel **t = conf_find_connection(c, "dc1")->tunnels;

	assert_int_equal(t[0]->ike.local_id.type, CONF_ID_ADDRESS);
	assert_ip(t[0]->ike.local_id.addr, "203.0.113.33");
	assert_string_equal(t[0]->ike.local_id.text, "203.0.113.33");
	assert_int_equal(t[0]->ike.remote_id.type, CONF_ID_KEY_ID);
	assert_string_equal(t[0]->ike.remote_id.text, "x");
	assert_int_equal(t[1]->ike.local_id.type, CONF_ID_FQDN);
	assert_string_equal(t[1]->ike.local_id.text, "hub.example");
	assert_int_equal(t[1]->ike.remote_id.type, CONF_ID_USER_FQDN);
	assert_string_equal(t[1]->ike.remote_id.text, "me@example.net");
	conf_free(c);
}

/* B3, B4, B5 */
static void test_bgp(void **state)
{
	struct conf *c = load(SITE
	    "vpn-connections:\n"
	    "  dc1:\n"
	    "    tunnels:\n"
	    "      - {customer-gateway: gw-a, bgp: {cidr: 169.254.10.0/30, hold-time: 30}}\n"
	    "      - {customer-gateway: gw-a, bgp: {cidr: 169.254.10.4/30, local-ip: 169.254.10.6, "
	    "local-asn: 65000}}\n",
	    NULL);
	struct conf_tunnel **t = conf_find_connection(c, "dc1")->tunnels;

	assert_true(t[0]->bgp.enabled);
	assert_ip(t[0]->bgp.local_ip, "169.254.10.1");
	assert_ip(t[0]->bgp.peer_ip, "169.254.10.2");
	assert_int_equal(t[0]->bgp.local_asn, 45104);
	assert_int_equal(t[0]->bgp.peer_asn, 65538);
	assert_int_equal(t[0]->bgp.keepalive, 10);
	assert_ip(t[1]->bgp.local_ip, "169.254.10.6");
	assert_ip(t[1]->bgp.peer_ip, "169.254.10.5");
	assert_int_equal(t[1]->bgp.local_asn, 65000);
	assert_ip(c->transit_router.router_id, "203.0.113.33");
	conf_free(c);
}

/* A10 */
static void test_inline_connection(void **state)
{
	struct conf *c = load(SITE
	    "vpn-connections:\n" DC(
		"dc0") "attachments:\n"
		       "  dc1:\n"
		       "    kind: vpn\n"
		       "    connection: {ha: active-standby, tunnels: [{customer-gateway: gw-a}, {customer-gateway: "
		       "gw-b}]}\n",
	    NULL);
	struct conf_connection *dc1 = conf_find_connection(c, "dc1");

	assert_int_equal(c->vpn_connections_count, 2);
	assert_ptr_equal(c->vpn_connections[1], dc1);
	assert_true(dc1->is_inline);
	assert_int_equal(dc1->ha, CONF_HA_ACTIVE_STANDBY);
	assert_ptr_equal(dc1->attachment, conf_find_attachment(c, "dc1"));
	assert_ip(dc1->tunnels[1]->gateway_address, "203.0.113.36");
	conf_free(c);
}

static void test_port_attachment(void **state)
{
	struct conf *c =
	    load(SITE "route-tables: {blue: {routes: [{prefix: 10.0.0.0/8, attachment: line}]}}\n"
		      "attachments:\n"
		      "  line:\n"
		      "    kind: vbr\n"
		      "    port: lan0\n"
		      "    vlan: 7\n"
		      "    address: [10.255.0.1/30, '2001:db8::1/64']\n"
		      "    bgp: {peer: '2001:db8::2', peer-asn: 65020}\n"
		      "    associate: none\n"
		      "    propagate: [blue, default]\n"
		      "    routes: [{prefix: 10.1.0.0/16, next-hop: 10.255.0.2}]\n",
		NULL);
	const struct conf_attachment *a = conf_find_attachment(c, "line");

	assert_int_equal(a->kind, CONF_KIND_VBR);
	assert_ptr_equal(a->port, conf_find_port(c, "lan0"));
	assert_int_equal(a->mtu, 9000);
	assert_int_equal(a->address_count, 2);
	assert_int_equal(a->address[0].len, 30);
	assert_ip(a->bgp.local_ip, "2001:db8::1");
	assert_int_equal(a->bgp.local_asn, 45104);
	assert_null(a->associate);
	assert_ptr_equal(a->propagate[0], conf_find_route_table(c, "blue"));
	assert_ip(a->routes[0]->next_hop, "10.255.0.2");
	assert_ptr_equal(a->propagate[0]->routes[0]->attachment, a);
	assert_int_equal(a->source.line, 10);
	assert_int_equal(a->source.column, 3);
	assert_int_equal(a->bgp.source.line, 15);
	conf_free(c);
}

/* A5: file order, and addresses that the file names are left out. */
static void test_allocation(void **state)
{
	struct conf *c = load(SITE
	    "  gw-c: {address: 203.0.113.33}\n"
	    "vpn-connections:\n" DC(
		"dc1") "  dc2: {tunnels: [{customer-gateway: gw-a, gateway-address: 203.0.113.35}, {customer-gateway: "
		       "gw-b}]}\n",
	    NULL);
	struct conf_tunnel **one = conf_find_connection(c, "dc1")->tunnels;
	struct conf_tunnel **two = conf_find_connection(c, "dc2")->tunnels;

	assert_ip(one[0]->gateway_address, "203.0.113.34");
	assert_true(one[0]->gateway_allocated);
	assert_ip(one[1]->gateway_address, "203.0.113.36");
	assert_false(two[0]->gateway_allocated);
	assert_ip(two[1]->gateway_address, "203.0.113.37");
	conf_free(c);
}

/* A5, A18: out of the subnet of the circuit, but never what a neighbour there has, nor the far end of a check. */
static void test_allocation_on_a_circuit(void **state)
{
	struct conf *c = load(
	    "ports: {lan0: {device: '0000:04:00.0'}}\n"
	    "transit-router: {cidr: 10.3.0.0/28}\n"
	    "customer-gateways: {gw-a: {address: 192.0.2.1}, gw-b: {address: 192.0.2.2}}\n"
	    "vpn-connections:\n"
	    "  dc1: {gateway-type: private, tunnels: [{customer-gateway: gw-a, health-check: {source: 10.3.0.6, "
	    "destination: 10.3.0.8}}, {customer-gateway: gw-b}]}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1}\n"
	    "  line1: {kind: vbr, port: lan0, address: 10.3.0.1/28, bgp: {peer: 10.3.0.2, peer-asn: 65001}, "
	    "bfd: {peer: 10.3.0.5}, routes: [{prefix: 10.9.0.0/16, next-hop: 10.3.0.3}], "
	    "neighbors: [{address: 10.3.0.4, mac: '02:00:00:00:00:04'}]}\n",
	    NULL);
	struct conf_tunnel **one = conf_find_connection(c, "dc1")->tunnels;

	assert_ip(one[0]->gateway_address, "10.3.0.7");
	assert_ip(one[1]->gateway_address, "10.3.0.9");
	conf_free(c);
}

static struct conf_lease lease(const char *connection, unsigned tunnel, const char *address)
{
	struct conf_lease l = {connection, tunnel, {0}};

	assert_int_equal(ip_parse(address, &l.address), 0);
	return l;
}

/* C-32: a connection put before the others does not move their addresses. */
static void test_leases(void **state)
{
	struct conf_lease leases[] = {
	    lease("dc1", 1, "203.0.113.33"), lease("dc1", 2, "203.0.113.34"),
	    lease("gone", 1, "203.0.113.35"),
	    lease("dc0", 1, "203.0.113.39"), /* the last address of the block */
	    lease("dc0", 2, "198.51.100.1"), /* of no block */
	};
	struct conf_options options = {leases, 5};
	struct conf *c = load(SITE "vpn-connections:\n" DC("dc0") DC("dc1"), &options);
	struct conf_tunnel **zero = conf_find_connection(c, "dc0")->tunnels;
	struct conf_tunnel **one = conf_find_connection(c, "dc1")->tunnels;

	assert_ip(one[0]->gateway_address, "203.0.113.33");
	assert_ip(one[1]->gateway_address, "203.0.113.34");
	assert_ip(zero[0]->gateway_address, "203.0.113.35");
	assert_ip(zero[1]->gateway_address, "203.0.113.36");
	conf_free(c);
}

static void test_leases_give_way_to_the_file(void **state)
{
	struct conf_lease leases[] = {
	    lease("dc1", 1, "203.0.113.34"), lease("dc1", 2, "203.0.113.34")};
	struct conf_options options = {leases, 2};
	struct conf *c =
	    load(SITE "  gw-c: {address: 203.0.113.34}\nvpn-connections:\n" DC("dc1"), &options);
	struct conf_tunnel **one = conf_find_connection(c, "dc1")->tunnels;

	assert_ip(one[0]->gateway_address, "203.0.113.33");
	assert_ip(one[1]->gateway_address, "203.0.113.35");
	conf_free(c);
}

/* A11: every object has one, and that of the transit router unless it says so. */
static void test_owners(void **state)
{
	struct conf *c = load(
	    "ports: {lan0: {device: '0000:04:00.0'}, lan1: {device: '0000:05:00.0', owner: other}}\n"
	    "transit-router: {owner: netops}\n"
	    "route-tables: {blue: {owner: other}}\n"
	    "customer-gateways: {gw-a: {address: 192.0.2.1}, gw-b: {address: 192.0.2.2, owner: other}}\n"
	    "attachments:\n"
	    "  v1: {kind: vpc, port: lan0, address: 10.1.0.1/24}\n"
	    "  v2: {kind: vpc, port: lan1, address: 10.2.0.1/24, owner: other}\n"
	    "routing-policies:\n"
	    "  - {priority: 1, direction: egress, action: permit}\n"
	    "  - {priority: 2, direction: egress, action: permit, owner: other}\n",
	    NULL);
	const char *const owners[][2] = {
	    {c->ports[0]->owner, c->ports[1]->owner},
	    {c->default_table->owner, conf_find_route_table(c, "blue")->owner},
	    {c->customer_gateways[0]->owner, c->customer_gateways[1]->owner},
	    {c->attachments[0]->owner, c->attachments[1]->owner},
	    {c->routing_policies[0]->owner, c->routing_policies[1]->owner},
	};

	for (unsigned i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		assert_string_equal(owners[i][0], "netops");
		assert_string_equal(owners[i][1], "other");
	}
	conf_free(c);
}

/* A19 */
static void test_zones(void **state)
{
	struct conf *c = load(
	    "ports:\n"
	    "  wan0: {device: 'tap:t0', address: 203.0.113.10/24, gateway: 203.0.113.1, zone: east}\n"
	    "  wan1: {device: 'tap:t1', address: 198.51.100.10/24, gateway: 198.51.100.1, zone: west}\n"
	    "customer-gateways: {gw-a: {address: 192.0.2.1}, gw-b: {address: 192.0.2.2}}\n"
	    "transit-router: {cidr: 203.0.113.32/28}\n"
	    "vpn-connections:\n" DC(
		"dc1") "  dc2: {tunnels: [{customer-gateway: gw-a, gateway-address: 198.51.100.10}, {customer-gateway: "
		       "gw-b}]}\n"
		       "  dc3: {tunnels: [{customer-gateway: gw-a}, {customer-gateway: gw-b, zone: east}]}\n",
	    NULL);
	static const char *const zones[] = {"east", "west", "west", "east", "west", "east"};

	for (unsigned i = 0; i < 6; i++) {
		const struct conf_tunnel *t = c->vpn_connections[i / 2]->tunnels[i % 2];

		assert_string_equal(t->zone, zones[i]);
		assert_string_equal(t->uplink->zone, zones[i]);
	}
	conf_free(c);
}

static void check_change(const char *from, const char *to, const char *expected)
{
	struct conf *a = load(from, NULL), *b = load(to, NULL);
	struct conf_errors errs;
	char line[512];

	conf_errors_init(&errs);
	assert_int_equal(conf_check_change(a, b, &errs), expected ? -22 : 0);
	assert_int_equal(errs.items_count, expected ? 1 : 0);
	if (expected)
		assert_string_equal(
		    conf_error_text(&errs, &errs.items[0], line, sizeof(line)), expected);
	conf_errors_fini(&errs);
	conf_free(a);
	conf_free(b);
}

/* A11..A15, A18 */
static void test_changes(void **state)
{
	static const char attached[] = SITE
	    "vpn-connections:\n" DC("dc1") "attachments: {dc1: {kind: vpn, connection: dc1}}\n";
	static const char private_type[] = SITE
	    "vpn-connections:\n"
	    "  dc1: {gateway-type: private, tunnels: [{customer-gateway: gw-a}, {customer-gateway: gw-b}]}\n"
	    "attachments: {line: {kind: vbr, port: lan0, address: 10.0.0.1/30}}\n";
	static const char other_owner[] = SITE
	    "vpn-connections:\n"
	    "  dc1: {owner: x, grants: default, tunnels: [{customer-gateway: gw-a}, {customer-gateway: "
	    "gw-b}]}\n"
	    "attachments: {dc1: {kind: vpn, connection: dc1}}\n";
	static const char other_kind[] =
	    SITE "attachments: {dc1: {kind: vpc, port: lan0, address: 10.0.0.1/24}}\n";

	check_change(attached, attached, NULL);
	check_change(attached, SITE, NULL);
	check_change(attached, private_type,
	    "-:9:3: error: gateway-type: connection 'dc1' is public and cannot become private; make a new "
	    "connection under another name");
	check_change(attached, other_owner,
	    "-:9:3: error: owner: connection 'dc1' belongs to 'default' and is attached by 'dc1'; detach "
	    "first, then give it to 'x'");
	check_change(attached, other_kind,
	    "-:8:15: error: kind: attachment 'dc1' is of kind vpn and cannot become vpc; detach first, or "
	    "take another name");
}

static void expect_file_error(const char *path, int code, const char *text)
{
	struct conf_errors errs;
	struct conf *conf;
	char line[512];

	conf_errors_init(&errs);
	assert_int_equal(conf_load(path, NULL, &conf, &errs), code);
	assert_int_equal(conf == NULL, code != 0);
	assert_int_equal(errs.items_count, text ? 1 : 0);
	if (text)
		assert_string_equal(
		    conf_error_text(&errs, &errs.items[0], line, sizeof(line)), text);
	conf_free(conf);
	conf_errors_fini(&errs);
}

/* C-35 */
static void test_files(void **state)
{
	static const char secret[] = SITE
	    "vpn-connections:\n"
	    "  dc1:\n"
	    "    tunnels:\n"
	    "      - {customer-gateway: gw-a, psk: k, ike: {dh-group: 14}, ipsec: {dh-group: 14}}\n"
	    "      - {customer-gateway: gw-b, ike: {dh-group: 14}, ipsec: {dh-group: 14}}\n"
	    "attachments: {dc1: {kind: vpn, connection: dc1}}\n";
	char path[] = "/tmp/conf-test-XXXXXX", expected[128];
	int fd = mkstemp(path);

	expect_file_error("/nonexistent/file", -2,
	    "/nonexistent/file: error: cannot be read: No such file or directory");
	expect_file_error("/", -21, "/: error: cannot be read: Is a directory");
	assert_int_equal(write(fd, secret, sizeof(secret) - 1), sizeof(secret) - 1);
	assert_int_equal(fchmod(fd, 0600), 0);
	expect_file_error(path, 0, NULL);
	assert_int_equal(fchmod(fd, 0644), 0);
	snprintf(expected, sizeof(expected),
	    "%s: warning: everybody can read this file, and keys are in it; `chmod o-r` it", path);
	expect_file_error(path, 0, expected);
	close(fd);
	unlink(path);
}

static void test_reference(void **state)
{
	static const char *const rows[] = {
	    "## vpn-connections.NAME.tunnels[].ike\n",
	    "| `replay-window` | a whole number, 0..32768 | `1024` |",
	    "| `psk` | 1..100 printable characters without spaces | generated once,",
	    "| `dh-group` | list: one of disabled, group1, group2, group5, group14,",
	    "| `routes` | list of mappings | none | static routes | routes |\n",
	    "\n- `rekey`: new keys without loss\n",
	};
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	conf_doc(f);
	fclose(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_non_null(strstr(text, rows[i]));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults_of_the_site),
	    cmocka_unit_test(test_defaults_of_a_tunnel),
	    cmocka_unit_test(test_identities),
	    cmocka_unit_test(test_bgp),
	    cmocka_unit_test(test_inline_connection),
	    cmocka_unit_test(test_port_attachment),
	    cmocka_unit_test(test_allocation),
	    cmocka_unit_test(test_allocation_on_a_circuit),
	    cmocka_unit_test(test_leases),
	    cmocka_unit_test(test_leases_give_way_to_the_file),
	    cmocka_unit_test(test_owners),
	    cmocka_unit_test(test_zones),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
