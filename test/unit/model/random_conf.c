/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of startup files by chance; what does not load is thrown away. */

#include "random_conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "oracle.h"

#define CONNECTIONS 5
#define PORTS       7
#define TABLES      3
#define TRIES_MAX   200

static const char *const prefixes[] = {"10.100.0.0/16", "10.100.5.0/24", "10.100.5.7/32",
    "10.101.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "172.16.0.0/12", "10.2.0.0/16", "10.50.0.0/24"};
static const char *const tables[TABLES] = {"default", "red", "blue"};

struct text {
	char *at, *end;
	struct rng *rng;
	bool has[PORTS], attached[CONNECTIONS]; /* which attachments there are */
	bool table[TABLES];
};

static bool one_in(struct text *t, unsigned n)
{
	return rng_below(t->rng, n) == 0;
}

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->at += vsnprintf(t->at, (size_t)(t->end - t->at), format, args);
	va_end(args);
	assert_true(t->at < t->end);
}

static const char *some_prefix(struct text *t)
{
	return prefixes[rng_below(t->rng, TEST_COUNT(prefixes))];
}

static const char *some_table(struct text *t)
{
	unsigned i = rng_below(t->rng, TABLES);

	return tables[t->table[i] ? i : 0];
}

/* The name of an attachment that is there; NULL: there is none. */
static const char *some_attachment(struct text *t)
{
	static char name[8];
	unsigned from = rng_below(t->rng, PORTS + CONNECTIONS);

	for (unsigned k = 0; k < PORTS + CONNECTIONS; k++) {
		unsigned i = (from + k) % (PORTS + CONNECTIONS);

		if (i < PORTS ? !t->has[i] : !t->attached[i - PORTS])
			continue;
		snprintf(
		    name, sizeof(name), "%c%u", i < PORTS ? 'p' : 'c', i < PORTS ? i : i - PORTS);
		return name;
	}
	return NULL;
}

static const char *some_kind(struct text *t)
{
	return conf_kind_name(rng_below(t->rng, CONF_KIND_COUNT));
}

/* ", key: [a, b]" with distinct items; the source gives NULL when it has none. */
static void put_list(
    struct text *t, const char *key, const char *(*some)(struct text *t), unsigned most)
{
	char seen[256] = ",";
	unsigned n = 1 + rng_below(t->rng, most), count = 0;

	for (unsigned i = 0; i < n; i++) {
		const char *item = some(t);
		char whole[64];

		if (!item)
			break;
		snprintf(whole, sizeof(whole), ",%s,", item);
		if (strstr(seen, whole))
			continue;
		strcat(seen, whole + 1);
		if (count++)
			put(t, ", ");
		else
			put(t, ", %s: [", key);
		put(t, "%s", item);
	}
	if (count)
		put(t, "]");
}

static void put_tables(struct text *t)
{
	put(t, "route-tables:\n");
	for (unsigned i = 0; i < TABLES; i++) {
		unsigned n = rng_below(t->rng, 4);

		t->table[i] = i == 0 || !one_in(t, 4);
		if (!t->table[i])
			continue;
		put(t, "  %s: {routes: [", tables[i]);
		for (unsigned k = 0; k < n; k++) {
			const char *a = one_in(t, 4) ? NULL : some_attachment(t);

			put(t, "%s{prefix: %s, ", k ? ", " : "", some_prefix(t));
			if (a)
				put(t, "attachment: %s}", a);
			else
				put(t, "blackhole: yes}");
		}
		put(t, "]}\n");
	}
}

static void put_connection(struct text *t, unsigned i, bool circuit)
{
	bool private = circuit && one_in(t, 3), single = one_in(t, 4);

	put(t, "  c%u: {mode: %s, ha: %s", i, single ? "single" : "dual",
	    one_in(t, 3) ? "active-standby" : "ecmp");
	if (private)
		put(t, ", gateway-type: private");
	if (one_in(t, 4)) {
		put(t, ", routing-mode: flow-protection, local-cidrs: [10.0.0.0/8]");
		put_list(t, "peer-cidrs", some_prefix, 2);
	}
	put(t, ", tunnels: [");
	for (unsigned k = 0; k < (single ? 1 : 2); k++) {
		put(t, "%s{customer-gateway: cgw-%c, psk: k", k ? ", " : "", "ab"[k]);
		if (private)
			put(t, ", via: p6, gateway-address: 10.66.%u.%u", i + 1, k + 1);
		put(t, "}");
	}
	put(t, "]}\n");
}

static void put_places(struct text *t)
{
	if (one_in(t, 3))
		put(t, ", associate: %s", one_in(t, 4) ? "none" : some_table(t));
	if (one_in(t, 6))
		put(t, ", propagate: []");
	else if (one_in(t, 2))
		put_list(t, "propagate", some_table, 3);
}

static void put_routes(struct text *t, const char *subnet)
{
	unsigned n = rng_below(t->rng, 4);

	put(t, ", routes: [");
	for (unsigned k = 0; k < n; k++) {
		put(t, "%s{prefix: %s", k ? ", " : "", some_prefix(t));
		if (subnet)
			put(t, ", next-hop: %s.%u", subnet, 200 + rng_below(t->rng, 3));
		put(t, "}");
	}
	put(t, "]");
}

/* Wider than any test is fast: they look at packets, and hold none up. */
static void put_policers(struct text *t)
{
	if (one_in(t, 3))
		put(t, ", ingress-policer: {cir: 100G, packet-rate: 10000000}");
	if (one_in(t, 3))
		put(t, ", egress-policer: {cir: 100G}");
}

/* p6 is always a circuit; p4 and p5 may share a subnet. VLANs are dealt anew each time. */
static void put_port(struct text *t, unsigned i, unsigned vlan)
{
	char subnet[32];

	snprintf(subnet, sizeof(subnet), i == 4 || i == 5 ? "10.50.0" : "10.%u.0", i + 1);
	put(t, "  p%u: {kind: ", i);
	if (i == 6) {
		put(t, "vbr");
	} else {
		const char *kind = some_kind(t);

		put(t, "%s", strcmp(kind, "vpn") == 0 ? "vpc" : kind);
	}
	put(t, ", port: lan%u, vlan: %u, address: %s.%u/%u", i % 2, vlan, subnet, i + 1,
	    i == 4 || i == 5 ? 24 : 16);
	put_routes(t, subnet);
	put_places(t);
	put_policers(t);
	put(t, "}\n");
}

static void put_policy(struct text *t, unsigned priority)
{
	bool permit = one_in(t, 2);

	put(t, "  - {priority: %u, table: %s, direction: %s", priority, some_table(t),
	    one_in(t, 3) ? "ingress" : "egress");
	if (one_in(t, 3))
		put_list(t, "source-attachment", some_attachment, 3);
	if (one_in(t, 3))
		put_list(t, "destination-attachment", some_attachment, 3);
	if (one_in(t, 3))
		put_list(t, "source-kind", some_kind, 3);
	if (one_in(t, 3))
		put_list(t, "destination-kind", some_kind, 3);
	if (one_in(t, 4)) {
		put_list(t, "prefixes", some_prefix, 3);
		put(t, ", prefix-match: %s", one_in(t, 2) ? "include" : "exact");
	}
	if (one_in(t, 5))
		put(t, ", route-type: [%s]", one_in(t, 2) ? "static" : "connected");
	put(t, ", action: %s", permit ? "permit" : "deny");
	if (permit && one_in(t, 2))
		put(t, ", set-preference: %u", rng_below(t->rng, 3));
	put(t, "}\n");
}

static void put_all(struct text *t)
{
	static const unsigned limits[] = {16, 16, 16, 64, 1, 2, 3};
	bool there[CONNECTIONS];
	unsigned connections = 0, first = rng_below(t->rng, 100);

	for (unsigned i = 0; i < PORTS; i++)
		t->has[i] = !one_in(t, 3);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		there[i] = !one_in(t, 3);
		t->attached[i] = there[i] && !one_in(t, 6);
		connections += there[i];
	}
	put(t,
	    "ports:\n"
	    "  wan0: {device: 'tap:w0', address: 203.0.113.10/24, gateway: 203.0.113.1, zone: a}\n"
	    "  wan1: {device: 'tap:w1', address: 198.51.100.10/24, gateway: 198.51.100.1, zone: b}\n"
	    "  lan0: {device: 'tap:l0'}\n  lan1: {device: 'tap:l1'}\n"
	    "transit-router: {cidr: [203.0.113.32/27], limits: {ecmp: %u}}\n"
	    "customer-gateways: {cgw-a: {address: 192.0.2.1}, cgw-b: {address: 192.0.2.2}}\n",
	    limits[rng_below(t->rng, TEST_COUNT(limits))]);
	put_tables(t);
	if (connections)
		put(t, "vpn-connections:\n");
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (there[i])
			put_connection(t, i, t->has[6]);
	}
	put(t,
	    "attachments:\n  asker: {kind: vpc, port: lan1, vlan: 500, address: 10.90.0.1/24}\n");
	for (unsigned i = 0; i < PORTS; i++) {
		if (t->has[i])
			put_port(t, i, 100 + (i + first) % PORTS);
	}
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (!t->attached[i])
			continue;
		put(t, "  c%u: {kind: vpn, connection: c%u", i, i);
		if (!one_in(t, 4))
			put_routes(t, NULL);
		put_places(t);
		put_policers(t);
		put(t, "}\n");
	}
	unsigned policies = one_in(t, 3) ? 0 : rng_below(t->rng, 6);
	if (policies)
		put(t, "routing-policies:\n");
	for (unsigned i = 0; i < policies; i++)
		put_policy(t, 1 + (i * 37 + first) % 100);
}

struct conf *random_conf(struct rng *rng)
{
	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		char yaml[16384];
		struct text t = {.at = yaml, .end = yaml + sizeof(yaml), .rng = rng};
		struct conf_errors errs;
		struct conf *conf;

		put_all(&t);
		conf_errors_init(&errs);
		conf_load_buffer("random", yaml, (size_t)(t.at - yaml), NULL, &conf, &errs);
		conf_errors_fini(&errs);
		if (conf)
			return conf;
	}
	fail_msg("no configuration out of %u loads", TRIES_MAX);
	return NULL;
}

struct ip_addr random_destination(struct rng *rng)
{
	static const char *const addresses[] = {"10.100.0.1", "10.100.5.1", "10.100.5.7",
	    "10.101.9.9", "10.200.1.1", "8.8.8.8", "172.20.0.1", "10.1.0.77", "10.2.0.2",
	    "10.2.0.77", "10.4.0.77", "10.50.0.5", "10.50.0.6", "10.50.0.77", "10.7.0.7",
	    "10.90.0.1", "10.66.1.1", "10.66.3.2", "203.0.113.1", "192.0.2.1"};

	return test_addr(addresses[rng_below(rng, TEST_COUNT(addresses))]);
}
