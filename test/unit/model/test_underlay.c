/* SPDX-License-Identifier: BSD-3-Clause */
/* Where outer packets leave (A18): uplinks, circuits, and what answers for gateway addresses. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const char site[] = BENCH_SITE
    "  near: {address: 203.0.113.200}\n"
    "vpn-connections:\n"
    "  dc1: {" BENCH_PAIR "}\n"
    "  dc2: {mode: single, tunnels: [{customer-gateway: near, psk: k, zone: a}]}\n"
    "  dc4: {mode: single, tunnels: [{customer-gateway: near, gateway-address: 203.0.113.10, psk: k}]}\n"
    "  dc3: {mode: single, gateway-type: private, tunnels:"
    " [{customer-gateway: cgw-a, gateway-address: 10.3.0.1, via: line1, psk: k}]}\n"
    "attachments:\n"
    "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"
    "  dc2: {kind: vpn, connection: dc2}\n"
    "  dc3: {kind: vpn, connection: dc3, routes: [{prefix: 10.7.0.0/16}]}\n"
    "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24, mtu: 4000,"
    " routes: [{prefix: 192.0.2.0/24, next-hop: 10.3.0.8}, {prefix: 192.0.2.1/32,"
    " next-hop: 10.3.0.9}, {prefix: 192.0.3.0/24, next-hop: 10.3.0.8}]}\n";

static const struct model_tunnel *tunnel(struct bench *t, const char *name)
{
	const struct model_tunnel **all;
	unsigned n = model_tunnels(t->m, &all);

	for (unsigned i = 0; i < n; i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	}
	fail_msg("there is no tunnel %s", name);
	return NULL;
}

static uint32_t leaf(struct bench *t, const struct ip_addr *local, const char *remote)
{
	struct ip_addr peer = test_addr(remote);

	return model_underlay(t->m, local, &peer);
}

static const char *way(struct bench *t, const struct ip_addr *local, const char *remote)
{
	static char text[128];
	uint32_t index = leaf(t, local, remote);

	if (!index)
		return "nowhere";
	bench_leaf(t, index, text, sizeof(text));
	return text;
}

static bool listed(const struct ip_addr *list, unsigned count, const char *text)
{
	struct ip_addr addr = test_addr(text);
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += ip_eq(&list[i], &addr);
	assert_true(n <= 1); /* never twice */
	return n;
}

static void the_uplink_of_the_gateway(void **state)
{
	struct bench *t = *state;

	bench_apply(t, site);
	const struct ip_addr a = tunnel(t, "dc1/1")->conf->gateway_address,
			     b = tunnel(t, "dc1/2")->conf->gateway_address;
	struct ip_addr port = test_addr("198.51.100.10"), stranger = test_addr("10.1.0.1");

	assert_string_equal(way(t, &a, "192.0.2.1"), "wan0>203.0.113.1");
	assert_string_equal(way(t, &b, "192.0.2.2"), "wan1>198.51.100.1");
	assert_string_equal(way(t, &a, "203.0.113.200"), "wan0");       /* on the link */
	assert_string_equal(way(t, &a, "8.8.8.8"), "wan0>203.0.113.1"); /* behind a NAT, say */
	assert_string_equal(way(t, &port, "8.8.8.8"), "wan1>198.51.100.1");
	assert_string_equal(way(t, &stranger, "192.0.2.1"), "nowhere"); /* no gateway address */
	assert_string_equal(way(t, &a, "2001:db8::1"), "nowhere");
	assert_int_equal(leaf(t, &a, "192.0.2.1"), leaf(t, &a, "8.8.8.8"));
}

static void a_circuit_carries_private_ones(void **state) /* A18 */
{
	struct bench *t = *state;

	bench_apply(t, site);
	const struct ip_addr a = tunnel(t, "dc3/1")->conf->gateway_address;

	assert_string_equal(way(t, &a, "192.0.2.1"), "line1>10.3.0.9"); /* the longer route */
	assert_string_equal(way(t, &a, "192.0.2.77"), "line1>10.3.0.8");
	assert_string_equal(way(t, &a, "10.3.0.77"), "line1");
	assert_string_equal(way(t, &a, "8.8.8.8"), "nowhere");
	/* The gateway address is one of ours in the table of the circuit, and there alone. */
	assert_way(t, "line1", "10.3.0.1", "local");
	assert_int_equal(tunnel(t, "dc3/1")->outer_mtu, 4000);
	assert_int_equal(tunnel(t, "dc1/1")->outer_mtu, 1500);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	assert_way(t, "vpc-a", "10.7.1.1", "dc3/1");
	bench_link(t, "lan0", false);
	assert_int_equal(tunnel(t, "dc3/1")->state, MODEL_TUNNEL_UP); /* as it was set */
	bench_link(t, "lan0", true);
}

/*
 * Two tunnels from one gateway address, one of them over a circuit: the peer tells which is meant.
 */
static void a_shared_gateway_address(void **state)
{
	struct bench *t = *state;
	struct ip_addr a = test_addr("203.0.113.99");

	bench_apply(t,
	    BENCH_SITE
	    "vpn-connections:\n"
	    "  dc1: {mode: single, tunnels: [{customer-gateway: cgw-a, gateway-address: 203.0.113.99,"
	    " psk: k}]}\n"
	    "  dc2: {mode: single, gateway-type: private, tunnels: [{customer-gateway: cgw-b,"
	    " gateway-address: 203.0.113.99, psk: k}]}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1}\n"
	    "  dc2: {kind: vpn, connection: dc2}\n"
	    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24,"
	    " routes: [{prefix: 192.0.2.0/24, next-hop: 10.3.0.8}]}\n");
	assert_string_equal(way(t, &a, "192.0.2.1"), "wan0>203.0.113.1");
	assert_string_equal(way(t, &a, "192.0.2.2"), "line1>10.3.0.8");
	assert_string_equal(way(t, &a, "192.0.2.9"), "wan0>203.0.113.1"); /* the first one */
}

/*
 * What no route of a circuit has lies behind its BGP peer, for whom the interface keeps looking; with BGP gone, so is
 * the way (B10).
 */
static void a_circuit_with_bgp(void **state)
{
	struct bench *t = *state;
	static const char circuit[] =
	    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24,"
	    " routes: [{prefix: 192.0.2.2/32, next-hop: 10.3.0.8}]";
	char yaml[8192], text[128];
	const struct model_iface **all;

	snprintf(yaml, sizeof(yaml), "%s%s, bgp: {peer: 10.3.0.7, peer-asn: 65001}}\n",
	    BENCH_SITE
	    "vpn-connections:\n"
	    "  dc1: {mode: single, gateway-type: private, tunnels: [{customer-gateway: cgw-a,"
	    " gateway-address: 10.3.0.1, psk: k}]}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1}\n",
	    circuit);
	bench_apply(t, yaml);
	const struct ip_addr a = tunnel(t, "dc1/1")->conf->gateway_address;
	uint32_t kept = leaf(t, &a, "192.0.2.1");

	assert_string_equal(way(t, &a, "192.0.2.1"), "line1>10.3.0.7");
	assert_string_equal(way(t, &a, "8.8.8.8"), "line1>10.3.0.7");
	assert_int_equal(leaf(t, &a, "8.8.8.8"), kept);
	assert_string_equal(way(t, &a, "192.0.2.2"), "line1>10.3.0.8");
	assert_string_equal(way(t, &a, "10.3.0.77"), "line1");
	unsigned n = model_ifaces(t->m, &all), found = 0;
	for (unsigned i = 0; i < n; i++) {
		if (all[i]->attachment)
			found += listed(all[i]->gateway, all[i]->gateway_count, "10.3.0.7");
	}
	assert_int_equal(found, 1);
	strcpy(strstr(yaml, ", bgp: {peer"), "}\n");
	bench_apply(t, yaml);
	bench_leaf(t, kept, text, sizeof(text));
	assert_string_equal(text, "blackhole");
	assert_string_equal(way(t, &a, "192.0.2.1"), "nowhere");
}

/* Outer packets go on through a neighbour that routes no longer name, though it never answered. */
static void a_way_keeps_its_neighbour(void **state)
{
	struct bench *t = *state;
	static const char with[] = BENCH_SITE
	    "vpn-connections:\n"
	    "  dc1: {mode: single, gateway-type: private, tunnels: [{customer-gateway: cgw-a,"
	    " gateway-address: 10.3.0.1, psk: k}]}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1}\n";
	char yaml[4096];

	snprintf(yaml, sizeof(yaml),
	    "%s"
	    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24,"
	    " routes: [{prefix: 192.0.2.0/24, next-hop: 10.3.0.8}]}\n",
	    with);
	bench_apply(t, yaml);
	const struct ip_addr a = tunnel(t, "dc1/1")->conf->gateway_address;

	assert_string_equal(way(t, &a, "192.0.2.1"), "line1>10.3.0.8");
	snprintf(yaml, sizeof(yaml),
	    "%s"
	    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24,"
	    " propagate: [], routes: [{prefix: 192.0.2.0/24, next-hop: 10.3.0.8}]}\n",
	    with);
	bench_apply(t, yaml);
	assert_true(epoch_flush(t->b->epoch));
	assert_string_equal(way(t, &a, "192.0.2.1"), "line1>10.3.0.8");
}

static void strangers_cost_nothing(void **state)
{
	struct bench *t = *state;

	bench_apply(t, site);
	const struct ip_addr a = tunnel(t, "dc1/1")->conf->gateway_address;

	leaf(t, &a, "8.8.8.8");
	uint32_t used = records_used(&t->b->nexthops.rec);
	for (uint32_t i = 1; i < 5000; i++) {
		struct ip_addr peer = ip_v4(0x08000000 + i * 997);

		assert_true(model_underlay(t->m, &a, &peer) != 0);
	}
	assert_int_equal(records_used(&t->b->nexthops.rec), used);
}

/*
 * Very many tunnels, some behind a shared gateway address, others out of it by another way: the pair of addresses
 * decides, also after a change took some away.
 */
static void one_of_many(void **state)
{
	struct bench *t = *state;
	size_t room = 1 << 20, at;
	char *yaml = malloc(room);

	for (unsigned count = 240; count; count = count == 240 ? 80 : 0) {
		at = (size_t)snprintf(yaml, room,
		    "ports:\n"
		    "  wan0: {device: \"tap:wan0\", address: 203.0.113.10/24, gateway: 203.0.113.1}\n"
		    "  lan0: {device: \"tap:lan0\"}\n"
		    "transit-router: {name: tr, cidr: [203.0.113.32/28], limits: {vpn-attachments: 500}}\n"
		    "customer-gateways:\n");
		for (unsigned i = 0; i < count; i++)
			at += (size_t)snprintf(yaml + at, room - at,
			    "  gw%u: {address: 192.0.%u.%u}\n", i, 2 + i / 200, 1 + i % 200);
		at += (size_t)snprintf(yaml + at, room - at, "vpn-connections:\n");
		for (unsigned i = 0; i < count; i++)
			at += (size_t)snprintf(yaml + at, room - at,
			    "  c%u: {mode: single, gateway-type: %s, tunnels: [{customer-gateway: gw%u,"
			    " gateway-address: %s, psk: k%s}]}\n",
			    i, i % 2 ? "private" : "public", i, i % 2 ? "10.3.0.1" : "203.0.113.33",
			    i % 2 ? ", via: line1" : "");
		at += (size_t)snprintf(yaml + at, room - at,
		    "attachments:\n"
		    "  line1: {kind: vbr, port: lan0, vlan: 30, address: 10.3.0.2/24,"
		    " routes: [{prefix: 192.0.0.0/16, next-hop: 10.3.0.9}]}\n");
		for (unsigned i = 0; i < count; i++)
			at += (size_t)snprintf(
			    yaml + at, room - at, "  c%u: {kind: vpn, connection: c%u}\n", i, i);
		bench_apply(t, yaml);
		for (unsigned i = 0; i < count; i++) {
			const struct ip_addr ours = test_addr(i % 2 ? "10.3.0.1" : "203.0.113.33");
			char peer[32];

			snprintf(peer, sizeof(peer), "192.0.%u.%u", 2 + i / 200, 1 + i % 200);
			assert_string_equal(
			    way(t, &ours, peer), i % 2 ? "line1>10.3.0.9" : "wan0>203.0.113.1");
		}
	}
	free(yaml);
}

/* SAs keep the number of the leaf: what it leads to follows the configuration. */
static void a_leaf_stays_and_its_content_follows(void **state)
{
	struct bench *t = *state;
	char changed[8192], text[128];

	bench_apply(t, site);
	const struct ip_addr up = tunnel(t, "dc1/1")->conf->gateway_address,
			     line = tunnel(t, "dc3/1")->conf->gateway_address;
	uint32_t uplink = leaf(t, &up, "192.0.2.1"), circuit = leaf(t, &line, "192.0.2.1");

	strcpy(changed, site);
	memcpy(strstr(changed, "gateway: 203.0.113.1,"), "gateway: 203.0.113.7,", 21);
	memcpy(strstr(changed, "next-hop: 10.3.0.9"), "next-hop: 10.3.0.5", 18);
	bench_apply(t, changed);
	assert_int_equal(leaf(t, &up, "192.0.2.1"), uplink);
	assert_string_equal(way(t, &up, "192.0.2.1"), "wan0>203.0.113.7");
	assert_int_equal(leaf(t, &line, "192.0.2.1"), circuit);
	assert_string_equal(way(t, &line, "192.0.2.1"), "line1>10.3.0.5");
	memcpy(strstr(changed, "192.0.2.1/32"), "192.0.9.1/32", 12);
	bench_apply(t, changed); /* without its own route it goes with the shorter one */
	bench_leaf(t, circuit, text, sizeof(text));
	assert_string_equal(text, "line1>10.3.0.8");
	memcpy(strstr(changed, "192.0.2.0/24"), "192.0.8.0/24", 12);
	memcpy(strstr(changed, "gateway: 203.0.113.7,"), "                     ", 21);
	bench_apply(t, changed);
	bench_leaf(t, circuit, text, sizeof(text));
	assert_string_equal(text, "blackhole");
	bench_leaf(t, uplink, text, sizeof(text));
	assert_string_equal(text, "blackhole");
	bench_apply(t, site);
	bench_leaf(t, uplink, text, sizeof(text));
	assert_string_equal(text, "wan0>203.0.113.1");
}

/*
 * Nothing that an attachment can look up leads out of an uplink, whatever the peers' addresses are.
 */
static void no_uplink_in_a_table_of_attachments(void **state)
{
	struct bench *t = *state;
	static const char *const from[] = {"vpc-a", "line1", "dc1", "dc3"};
	static const char *const to[] = {"203.0.113.1", "203.0.113.200", "203.0.113.10",
	    "192.0.2.2", "198.51.100.1", "198.51.100.10", "203.0.113.33"};

	bench_apply(t, site);
	bench_tunnels(t, MODEL_TUNNEL_UP);
	for (unsigned i = 0; i < TEST_COUNT(from); i++) {
		for (unsigned k = 0; k < TEST_COUNT(to); k++)
			assert_null(strstr(bench_ask(t, from[i], to[k]), "wan"));
	}
	const struct iface *wan = iface_of_vlan(&t->b->ifaces, 0, 0);

	assert_int_equal(wan->role, IFACE_UPLINK);
	assert_int_equal(wan->attachment, 0);
	assert_ptr_not_equal(wan->fib, bench_ingress(t, "vpc-a").fib);
	/* What comes in on an uplink is for us, or for nobody. */
	for (uint32_t i = 0; i < 65536; i++) {
		struct ip_addr addr = ip_v4(i * 65537u);
		uint32_t hop = fib_lookup_one(wan->fib, &addr);

		assert_true(!hop || nexthop_get(&t->b->nexthops, hop)->kind == NH_LOCAL);
	}
	struct ip_addr own = test_addr("203.0.113.10"), gateway = test_addr("203.0.113.33");
	assert_true(fib_lookup_one(wan->fib, &own) != 0);
	assert_true(fib_lookup_one(wan->fib, &gateway) != 0);
}

static void interfaces_answer_for_gateways(void **state)
{
	struct bench *t = *state;
	const struct model_iface **all;
	unsigned seen = 0;

	bench_apply(t, site);
	unsigned n = model_ifaces(t->m, &all);
	assert_int_equal(n, 4); /* two uplinks, vpc-a, line1 */
	for (unsigned i = 0; i < n; i++) {
		const struct model_iface *f = all[i];
		const struct iface *record = iface_get(&t->b->ifaces, f->index);

		assert_true(record->up);
		assert_int_equal(record->mtu, f->mtu);
		assert_int_equal(record->slot, f->slot);
		if (!f->attachment && strcmp(f->port->name, "wan0") == 0) {
			assert_int_equal(f->proxy_count, 2); /* dc1/1 and dc2/1 */
			assert_true(listed(f->proxy, f->proxy_count, "203.0.113.33"));
			assert_int_equal(f->gateway_count, 1);
			assert_true(listed(f->gateway, f->gateway_count, "203.0.113.1"));
			seen++;
		} else if (f->attachment && strcmp(f->attachment->name, "line1") == 0) {
			assert_int_equal(f->proxy_count, 1);
			assert_true(listed(f->proxy, f->proxy_count, "10.3.0.1"));
			assert_int_equal(f->gateway_count, 2);
			assert_int_equal(f->mtu, 4000);
			seen++;
		}
	}
	assert_int_equal(seen, 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(the_uplink_of_the_gateway),
	    CASE(a_circuit_carries_private_ones),
	    CASE(a_circuit_with_bgp),
	    CASE(a_shared_gateway_address),
	    CASE(one_of_many),
	    CASE(a_way_keeps_its_neighbour),
	    CASE(strangers_cost_nothing),
	    CASE(a_leaf_stays_and_its_content_follows),
	    CASE(no_uplink_in_a_table_of_attachments),
	    CASE(interfaces_answer_for_gateways),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
