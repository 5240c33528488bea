/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which packets meet which policer (M3): by ledger slot, that of the tunnel before that of its attachment. One that a change
 * of the configuration does not name keeps its bucket and its counts.
 */

#include <jansson.h>
#include <string.h>

#include "bench.h"

#define LAN "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16"
#define SITE(tunnel, vpn, vpc)                                                                     \
	BENCH_SITE "vpn-connections:\n  dc1: {tunnels: [{customer-gateway: cgw-a, psk: k" tunnel   \
		   "}, {customer-gateway: cgw-b, psk: k}]}\nattachments:\n"                        \
		   "  dc1: {kind: vpn, connection: dc1" vpn "}\n" LAN vpc "}\n"

static uint16_t slot_named(const struct bench *t, const char *name)
{
	const struct model_tunnel **tunnels;
	const struct model_iface **ifaces;
	unsigned count = model_tunnels(t->m, &tunnels);

	for (unsigned i = 0; i < count; i++) {
		if (strcmp(tunnels[i]->name, name) == 0)
			return tunnels[i]->slot;
	}
	count = model_ifaces(t->m, &ifaces);
	for (unsigned i = 0; i < count; i++) {
		if (ifaces[i]->attachment && strcmp(ifaces[i]->attachment->name, name) == 0)
			return ifaces[i]->slot;
	}
	fail_msg("no slot of %s", name);
	return 0;
}

/* NULL: nothing is tied to that slot. */
static const struct policing *of(const struct bench *t, const char *name)
{
	return policing_of(&t->b->policings, slot_named(t, name));
}

static unsigned in_use(const struct bench *t)
{
	return atomic_load(&t->b->policings.in_use);
}

static void a_packet_meets_both(void **state)
{
	struct bench *t = *state;

	bench_apply(t, SITE("", "", ""));
	assert_int_equal(in_use(t), 0);
	assert_null(of(t, "dc1/1"));
	bench_apply(t,
	    SITE(", ingress-policer: {cir: 10M}",
		", ingress-policer: {cir: 15M}, egress-policer: "
		"{packet-rate: 20k, packet-burst: 100}",
		", egress-policer: {cir: 1G, cbs: 1M}"));
	const struct policing *one = of(t, "dc1/1"), *two = of(t, "dc1/2"), *lan = of(t, "vpc-a");

	assert_int_equal(in_use(t), 3);
	assert_int_equal(one->in[0]->spec.bits_per_second, 10000000);
	assert_int_equal(one->in[0]->spec.burst_bytes, 62500); /* 50 ms */
	assert_int_equal(one->in[1]->spec.bits_per_second, 15000000);
	assert_ptr_equal(one->in[1], two->in[0]); /* one bucket for both tunnels */
	assert_null(two->in[1]);
	assert_int_equal(one->out[0]->spec.packets_per_second, 20000);
	assert_int_equal(one->out[0]->spec.burst_packets, 100);
	assert_int_equal(one->out[0]->spec.bits_per_second, 0);
	assert_ptr_equal(one->out[0], two->out[0]);
	assert_null(lan->in[0]);
	assert_int_equal(lan->out[0]->spec.bits_per_second, 1000000000);
	assert_int_equal(lan->out[0]->spec.burst_bytes, 1 << 20);
}

static void what_stays_keeps_its_bucket(void **state) /* O10 */
{
	struct bench *t = *state;

	bench_apply(t, SITE(", ingress-policer: {cir: 10M}", ", egress-policer: {cir: 5M}", ""));
	struct policer *own = of(t, "dc1/1")->in[0], *all = of(t, "dc1/2")->out[0];

	assert_true(policer_covers(own, 0, 1000, own->start));
	policer_pass(own, 0, 1000);
	/* another one, another setting, the same again in other words */
	bench_apply(t,
	    SITE(", ingress-policer: {cir: 10000k, cbs: 62500}, dpd: {interval: 5}",
		", egress-policer: {cir: 6M}", ", ingress-policer: {packet-rate: 1}"));
	assert_ptr_equal(of(t, "dc1/1")->in[0], own);
	assert_ptr_not_equal(of(t, "dc1/2")->out[0], all);
	assert_int_equal(of(t, "dc1/2")->out[0]->spec.bits_per_second, 6000000);
	assert_int_equal(of(t, "vpc-a")->in[0]->spec.burst_packets, 8);
	json_t *rows = model_show_policers(t->m), *row;
	bool seen = false;
	size_t i;
	json_array_foreach(rows, i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "name")), "dc1/1 ingress") != 0)
			continue;
		seen = true;
		assert_int_equal(json_integer_value(json_object_get(row, "passed-bytes")), 1000);
	}
	assert_true(seen);
	assert_int_equal(json_array_size(rows), 3);
	json_decref(rows);
	/* switched off, and what it was attached to gone */
	bench_apply(
	    t, SITE(", ingress-policer: {enabled: no}", "", ", ingress-policer: {packet-rate: 1}"));
	assert_null(of(t, "dc1/1"));
	assert_int_equal(in_use(t), 1);
	bench_apply(t, BENCH_SITE);
	assert_int_equal(in_use(t), 0);
}

static void assert_named(
    struct bench *t, const char *object, unsigned index, bool out, const char *expected)
{
	struct policer_gate gate = {
	    .slot = slot_named(t, object), .index = (uint8_t)index, .out = out};
	char name[64];

	assert_string_equal(model_policer_name(t->m, &gate, name, sizeof(name)), expected);
}

/* What a trace says of a packet that a worker refused. */
static void a_policer_is_named_by_where_it_was_met(void **state)
{
	struct bench *t = *state;

	bench_apply(t,
	    SITE(", ingress-policer: {cir: 10M}", ", ingress-policer: {cir: 15M}",
		", egress-policer: {cir: 1G}"));
	assert_named(t, "dc1/1", 0, false, "dc1/1 ingress");
	assert_named(t, "dc1/1", 1, false, "dc1 ingress");
	assert_named(t, "dc1/2", 0, false, "dc1 ingress");
	assert_named(t, "vpc-a", 0, true, "vpc-a egress");
}

/* The attachment leaves its connection: the tunnels stay, and with them what is theirs alone. */
static void a_detached_tunnel_has_its_own(void **state)
{
	struct bench *t = *state;

	bench_apply(t, SITE(", ingress-policer: {cir: 10M}", ", ingress-policer: {cir: 15M}", ""));
	struct policer *own = of(t, "dc1/1")->in[0];

	bench_apply(t,
	    BENCH_SITE "vpn-connections:\n  dc1: {tunnels: [{customer-gateway: cgw-a, psk: k, "
		       "ingress-policer: {cir: 10M}}, {customer-gateway: cgw-b, psk: k}]}\n");
	assert_ptr_equal(of(t, "dc1/1")->in[0], own);
	assert_null(of(t, "dc1/1")->in[1]);
	assert_null(of(t, "dc1/2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_packet_meets_both, bench_setup, bench_teardown),
	    cmocka_unit_test_setup_teardown(
		what_stays_keeps_its_bucket, bench_setup, bench_teardown),
	    cmocka_unit_test_setup_teardown(
		a_policer_is_named_by_where_it_was_met, bench_setup, bench_teardown),
	    cmocka_unit_test_setup_teardown(
		a_detached_tunnel_has_its_own, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
