/* SPDX-License-Identifier: BSD-3-Clause */
/* A boundary with four ports, a model on it, and the eyes of a worker. */

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bench.h"

#define TEXT_MAX 4096

static const struct boundary_limits roomy = {.workers = 1,
    .ifaces = 256,
    .neighbours = 1024,
    .nexthops = 4096,
    .tunnels = 256,
    .sas = 16,
    .slots = 512};
static const struct boundary_limits tight = {.workers = 1,
    .ifaces = 6,
    .neighbours = 8,
    .nexthops = 18,
    .tunnels = 4,
    .sas = 16,
    .slots = 8};

static unsigned slots_used(const struct counters *c)
{
	unsigned used = 0;

	for (uint32_t s = 0; s < c->slots; s++)
		used += c->slot_used[s];
	return used;
}

static void usage(const struct bench *t, struct boundary_limits *out)
{
	assert_true(epoch_flush(t->b->epoch));
	*out = (struct boundary_limits){
	    .ifaces = records_used(&t->b->ifaces.rec),
	    .nexthops = records_used(&t->b->nexthops.rec),
	    .tunnels = records_used(&t->b->tunnels.rec),
	    .slots = slots_used(&t->b->counters),
	};
}

static void open_ports(struct bench *t)
{
	static const char *const names[BENCH_PORTS] = {"wan0", "wan1", "lan0", "lan1"};

	for (unsigned i = 0; i < BENCH_PORTS; i++) {
		struct port *p = &t->port[i];

		p->index = (uint16_t)i;
		p->mac.addr_bytes[0] = 2;
		p->mac.addr_bytes[5] = (uint8_t)i;
		snprintf(p->name, sizeof(p->name), "%s", names[i]);
		atomic_init(&p->link_up, true);
		t->b->port[t->b->ports++] = p;
	}
}

static int setup(
    void **state, const struct boundary_limits *limits, const struct model_limits *model)
{
	struct bench *t = xcalloc(1, sizeof(*t));

	*state = t;
	t->b = boundary_create(limits, NULL, rte_mempool_lookup(TEST_POOL)); /* of the test's EAL */
	if (!t->b)
		return -1;
	open_ports(t);
	usage(t, &t->before);
	t->m = model_create(t->b, model);
	return 0;
}

int bench_setup(void **state)
{
	const struct model_limits model = {.routes_per_table = 4096, .tbl8_per_table = 256};

	return setup(state, &roomy, &model);
}

int bench_setup_small(void **state)
{
	const struct model_limits model = {.routes_per_table = 8, .tbl8_per_table = 4};

	return setup(state, &tight, &model);
}

int bench_setup_nexthops(void **state, uint32_t nexthops)
{
	const struct model_limits model = {.routes_per_table = 4096, .tbl8_per_table = 256};
	struct boundary_limits limits = roomy;

	limits.nexthops = nexthops;
	return setup(state, &limits, &model);
}

int bench_teardown(void **state)
{
	struct bench *t = *state;
	struct boundary_limits after;

	model_free(t->m);
	conf_free(t->conf);
	usage(t, &after);
	assert_int_equal(after.ifaces, t->before.ifaces);
	assert_int_equal(after.nexthops, t->before.nexthops);
	assert_int_equal(after.tunnels, t->before.tunnels);
	assert_int_equal(after.slots, t->before.slots);
	boundary_free(t->b);
	free(t);
	return 0;
}

/* ---- configuration and states ---- */

struct conf *bench_conf(const char *yaml)
{
	struct conf_errors errs;
	struct conf *conf;

	conf_errors_init(&errs);
	int rc = conf_load_buffer("test", yaml, strlen(yaml), NULL, &conf, &errs);
	if (rc < 0) {
		conf_errors_print(&errs, stderr);
		fprintf(stderr, "%s", yaml);
	}
	conf_errors_fini(&errs);
	assert_int_equal(rc, 0);
	return conf;
}

void bench_apply(struct bench *t, const char *yaml)
{
	struct conf *conf = bench_conf(yaml);

	assert_int_equal(model_apply(t->m, conf), 0);
	conf_free(t->conf);
	t->conf = conf;
}

void bench_tunnel(struct bench *t, const char *name, enum model_tunnel_state state)
{
	const struct model_tunnel **all;
	unsigned count = model_tunnels(t->m, &all);

	for (unsigned i = 0; i < count; i++) {
		if (strcmp(all[i]->name, name) == 0) {
			model_tunnel_set(t->m, all[i]->index, state);
			return;
		}
	}
	fail_msg("there is no tunnel %s", name);
}

void bench_tunnels(struct bench *t, enum model_tunnel_state state)
{
	const struct model_tunnel **all;
	unsigned count = model_tunnels(t->m, &all);

	for (unsigned i = 0; i < count; i++)
		model_tunnel_set(t->m, all[i]->index, state);
}

void bench_link(struct bench *t, const char *port, bool up)
{
	const struct conf_port *conf = conf_find_port(t->conf, port);

	assert_non_null(conf);
	model_link_set(t->m, conf, up);
}

/* ---- what a worker would do ---- */

struct bench_ingress bench_ingress(const struct bench *t, const char *attachment)
{
	const struct model_iface **ifaces;
	const struct model_tunnel **tunnels;
	unsigned n = model_ifaces(t->m, &ifaces);

	for (unsigned i = 0; i < n; i++) {
		const struct iface *record = iface_get(&t->b->ifaces, ifaces[i]->index);

		if (ifaces[i]->attachment && strcmp(ifaces[i]->attachment->name, attachment) == 0)
			return (struct bench_ingress){record->fib, record->attachment};
	}
	n = model_tunnels(t->m, &tunnels);
	for (unsigned i = 0; i < n; i++) {
		const struct conf_attachment *a = tunnels[i]->conf->connection->attachment;
		const struct tunnel *record = tunnel_get(&t->b->tunnels, tunnels[i]->index);

		if (a && strcmp(a->name, attachment) == 0)
			return (struct bench_ingress){record->fib, record->attachment};
	}
	fail_msg("there is no attachment %s", attachment);
	return (struct bench_ingress){NULL, 0};
}

static const char *iface_name(const struct bench *t, uint16_t index)
{
	const struct model_iface **all;
	unsigned n = model_ifaces(t->m, &all);

	for (unsigned i = 0; i < n; i++) {
		if (all[i]->index == index)
			return all[i]->attachment ? all[i]->attachment->name : all[i]->port->name;
	}
	return "?";
}

void bench_leaf(const struct bench *t, uint32_t leaf, char *out, size_t size)
{
	const struct nexthop *nh = nexthop_get(&t->b->nexthops, leaf);
	char text[IP_TEXT_MAX];

	switch (nh ? (enum nexthop_kind)nh->kind : NH_NONE) {
	case NH_TUNNEL:
		snprintf(out, size, "%s", model_tunnel_at(t->m, nh->tunnel)->name);
		return;
	case NH_CONNECTED:
		snprintf(out, size, "%s", iface_name(t, nh->iface));
		return;
	case NH_VIA:
		snprintf(out, size, "%s>%s", iface_name(t, nh->iface),
		    ip_text(&neigh_get(t->b->neighbours, nh->neigh)->addr, text));
		return;
	case NH_BLACKHOLE:
		snprintf(out, size, "blackhole");
		return;
	case NH_LOCAL:
		snprintf(out, size, "local");
		return;
	case NH_NONE:
	case NH_GROUP:
		snprintf(out, size, "?");
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Of a bucket, which also names the tunnel of its leaf. */
static uint16_t leaf_of_bucket(const struct bench *t, const struct nexthop *group, unsigned b)
{
	const struct nexthop *leaf = nexthop_get(&t->b->nexthops, group->bucket[b]);

	assert_non_null(leaf);
	assert_int_equal(
	    nexthop_bucket_tunnel(group, b), leaf->kind == NH_TUNNEL ? leaf->tunnel : 0);
	return group->bucket[b];
}

/* Each way out of a group once, in the order of their names. */
static void group_text(const struct bench *t, const struct nexthop *group, char *out, size_t size)
{
	char names[ECMP_MEMBERS_MAX][160];
	uint16_t leaf[ECMP_MEMBERS_MAX] = {0};
	unsigned n = 0;
	size_t at = 0;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		uint16_t one = leaf_of_bucket(t, group, b);
		unsigned k = 0;

		while (k < n && leaf[k] != one)
			k++;
		if (k == n)
			leaf[n++] = one;
	}
	for (unsigned i = 0; i < n; i++)
		bench_leaf(t, leaf[i], names[i], sizeof(names[i]));
	qsort(names, n, sizeof(names[0]), by_text);
	for (unsigned i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", names[i]);
}

const char *bench_ask_addr(
    const struct bench *t, const char *attachment, const struct ip_addr *destination)
{
	static char ring[4][TEXT_MAX];
	static unsigned turn;
	char *out = ring[turn++ % TEST_COUNT(ring)];
	struct bench_ingress in = bench_ingress(t, attachment);
	uint32_t index = in.fib ? fib_lookup_one(in.fib, destination) : 0;
	const struct nexthop *nh = nexthop_get(&t->b->nexthops, index);

	if (!in.fib || !index)
		return in.fib ? "no route" : "no table";
	assert_non_null(nh);
	if (!nexthop_permits(nh, in.attachment))
		return "denied";
	if (nh->kind == NH_GROUP)
		group_text(t, nh, out, TEXT_MAX);
	else
		bench_leaf(t, index, out, TEXT_MAX);
	return out;
}

const char *bench_ask(const struct bench *t, const char *attachment, const char *destination)
{
	struct ip_addr addr = test_addr(destination);

	return bench_ask_addr(t, attachment, &addr);
}

const struct nexthop *bench_hop(
    const struct bench *t, const char *attachment, const char *destination)
{
	struct bench_ingress in = bench_ingress(t, attachment);
	struct ip_addr addr = test_addr(destination);
	uint32_t index = in.fib ? fib_lookup_one(in.fib, &addr) : 0;

	return index ? nexthop_get(&t->b->nexthops, index) : NULL;
}

void bench_buckets(const struct bench *t, const char *attachment, const char *destination,
    struct bench_buckets *out)
{
	const struct nexthop *nh = bench_hop(t, attachment, destination);

	assert_non_null(nh);
	for (unsigned b = 0; b < ECMP_BUCKETS; b++)
		bench_leaf(t, nh->kind == NH_GROUP ? leaf_of_bucket(t, nh, b) : nh->index,
		    out->way[b], sizeof(out->way[b]));
}
