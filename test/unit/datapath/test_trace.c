/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces: which packets, which records, how many; and that a trace that ended leaves nothing behind. */

#include <errno.h>

#include "boundary/flow.h"
#include "world.h"

static struct trace_record seen[256];

static void start(struct world *t, const struct trace_filter *filter, unsigned packets)
{
	assert_int_equal(trace_start(&t->b->trace, filter, packets, 0), 0);
}

static unsigned take(struct world *t)
{
	static struct trace_entry e;
	unsigned n = 0;

	while (n < TEST_COUNT(seen) && trace_take(&t->b->trace, &e))
		seen[n++] = e.record;
	return n;
}

static void send_from(struct world *t, enum world_iface from, const char *dst, uint16_t port)
{
	const struct ip4 ip = {.src = from == W_A ? "10.1.0.1" : "10.2.0.1", .dst = dst};
	struct ip4 udp = ip;
	struct packet p = {0}, out;

	udp.protocol = 17;
	packet_udp(&p, &udp, 4000, port, "secret", 6);
	world_receive_on(t, from, &p);
	while (world_sent(t, 1, &out) || world_sent(t, 2, &out))
		;
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		struct rte_mbuf *m;

		while ((m = world_punted(t, c)))
			rte_pktmbuf_free(m);
	}
}

static void expect_stages(unsigned n, const enum trace_stage *stage, unsigned count)
{
	assert_int_equal(n, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(seen[i].stage, stage[i]);
		assert_int_equal(seen[i].packet, seen[0].packet);
		assert_true(i == 0 || seen[i].clock >= seen[i - 1].clock);
	}
}

static void test_forwarded(void **state)
{
	static const enum trace_stage stages[] = {TRACE_RECEIVED, TRACE_ROUTED, TRACE_SENT};
	struct world *t = *state;

	start(t, &(struct trace_filter){.attachment = 1}, 1);
	send_from(t, W_B, "10.2.0.9", 53); /* another ingress */
	send_from(t, W_A, "10.9.1.2", 53);
	expect_stages(take(t), stages, 3);
	assert_int_equal(seen[0].iface, t->iface[W_A]);
	assert_int_equal(seen[0].src, 0x0a010001);
	assert_int_equal(seen[0].dst, 0x0a090102);
	assert_int_equal(seen[0].src_port, 4000);
	assert_int_equal(seen[0].dst_port, 53);
	assert_int_equal(seen[0].protocol, 17);
	assert_int_equal(seen[0].bytes, 34);
	assert_int_equal(seen[0].ttl, 64);
	assert_int_equal(seen[1].what, DROP_NOT);
	assert_int_not_equal(seen[1].leaf, 0);
	assert_int_equal(seen[2].what, 2);
	assert_int_equal(seen[2].bytes, 34); /* layer 2 off */
	assert_int_equal(seen[2].ttl, 63);
	send_from(t, W_A, "10.9.1.2", 53); /* there were enough */
	assert_int_equal(take(t), 0);
}

static void test_dropped(void **state)
{
	static const enum trace_stage stages[] = {TRACE_RECEIVED, TRACE_ROUTED, TRACE_DROPPED};
	struct world *t = *state;

	start(t, &(struct trace_filter){.drops = false}, 10);
	send_from(t, W_A, "10.66.0.1", 1);
	expect_stages(take(t), stages, 3);
	assert_int_equal(seen[1].what, DROP_NOT);
	assert_int_equal(seen[2].what, DROP_BLACKHOLE);
	send_from(t, W_B, "10.1.0.1", 1); /* for attachment 1 alone */
	assert_int_equal(take(t), 4);     /* its source is told */
	assert_int_equal(seen[1].what, DROP_POLICY_DENIED);
	assert_int_equal(seen[2].what, DROP_POLICY_DENIED);
	assert_int_equal(seen[3].stage, TRACE_PUNTED);
	assert_int_equal(seen[3].what, PUNT_ICMP_ERROR);
}

static void test_drops_alone(void **state)
{
	static const enum trace_stage stages[] = {TRACE_RECEIVED, TRACE_ROUTED, TRACE_DROPPED};
	static struct packet f;
	struct world *t = *state;

	start(t, &(struct trace_filter){.drops = true, .attachment = 1}, 2);
	send_from(t, W_A, "10.9.1.2", 1); /* not dropped */
	send_from(t, W_B, "10.1.0.1", 1); /* not that ingress */
	assert_int_equal(take(t), 0);
	send_from(t, W_A, "10.66.0.1", 1);
	expect_stages(take(t), stages, 3);

	/* A frame that no interface claims is not of any attachment, but of a trace of all */
	start(t, &(struct trace_filter){.drops = true}, 2);
	packet_vlan(&f, world_mac(1), 999, 0x0800);
	packet_ip4(
	    &f, &(struct ip4){.src = "10.1.0.1", .dst = "10.2.0.1", .protocol = 253}, "x", 1);
	world_receive(t, 1, &f);
	assert_int_equal(take(t), 2);
	assert_int_equal(seen[1].what, DROP_VLAN_UNKNOWN);
	assert_int_equal(seen[1].frame.port, 1);
	assert_int_equal(seen[1].frame.vlan, 999);
	assert_int_equal(seen[1].src, 0x0a010001);
	assert_int_equal(seen[1].bytes, 21);
}

/* A group: the member that its hash means, and the bucket. */
static void test_member(void **state)
{
	struct world *t = *state;
	struct nexthop_spec group = {.kind = NH_GROUP, .member_count = 2};
	uint32_t index = 0, taken[2] = {0};

	for (unsigned i = 0; i < 2; i++)
		group.members[i] = (struct ecmp_member){
		    .leaf = t->connected[i ? W_C : W_B], .identity = 7 + i, .alive = true};
	assert_int_equal(nexthop_publish(&t->b->nexthops, &group, &index), 0);
	world_route(t, t->table_a, "10.101.0.0/16", index);
	for (uint16_t port = 1; port <= 40; port++) {
		const struct nexthop *nh = nexthop_get(&t->b->nexthops, index);

		start(t, &(struct trace_filter){.attachment = 1}, 1);
		send_from(t, W_A, "10.101.0.1", port);
		assert_true(take(t) >= 2);
		assert_int_equal(seen[1].stage, TRACE_ROUTED);
		assert_int_equal(seen[1].entry, index);
		assert_int_equal(seen[1].leaf, nh->bucket[nexthop_bucket(seen[1].hash)]);
		assert_int_equal(
		    seen[1].hash, flow_hash_v4(0x0a010001, 0x0a650001, 17, 4000, port));
		taken[seen[1].leaf == t->connected[W_C]]++;
	}
	assert_true(taken[0] > 5 && taken[1] > 5);
}

/* A capture: the frame as it came, as it left, and no more of it than was asked for. */
static void test_bytes(void **state)
{
	static struct trace_entry in, routed, out;
	struct world *t = *state;
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.9.1.2", .protocol = 253};
	struct packet p = {0}, sent;

	for (unsigned keep = 1; keep <= TRACE_KEEP_MAX; keep = keep == 1 ? 40 : keep * 230) {
		packet_ip4(&p, &ip, "secret", 6);
		assert_int_equal(
		    trace_start(&t->b->trace, &(struct trace_filter){.drops = false}, 1, keep), 0);
		world_receive_on(t, W_A, &p);
		assert_true(world_sent(t, 2, &sent));
		assert_true(trace_take(&t->b->trace, &in));
		assert_true(trace_take(&t->b->trace, &routed));
		assert_true(trace_take(&t->b->trace, &out));
		assert_int_equal(in.record.stage, TRACE_RECEIVED);
		assert_int_equal(routed.record.kept, 0);
		assert_int_equal(out.record.stage, TRACE_SENT);
		assert_int_equal(out.record.l2_bytes + out.record.bytes, sent.len);
		assert_int_equal(out.record.kept, RTE_MIN(keep, (unsigned)sent.len));
		assert_memory_equal(out.bytes, sent.bytes, out.record.kept);
		assert_int_equal(in.record.bytes, 26);
		assert_int_equal(in.record.kept, RTE_MIN(keep, (unsigned)in.record.l2_bytes + 26));
		if (keep > in.record.l2_bytes + 26u)
			assert_memory_equal(in.bytes + in.record.l2_bytes + 20, "secret", 6);
		p.len = 0;
	}
}

static void test_filter(void **state)
{
	const struct trace_record tcp = {.version = 4,
	    .protocol = 6,
	    .src = 0x0a010203,
	    .dst = 0x0a020304,
	    .src_port = 1000,
	    .dst_port = 443};
	const struct trace_record other = {.version = 6};
	const struct {
		struct trace_filter f;
		bool fits;
	} cases[] = {
	    {{.drops = false}, true},
	    {{.src = 0x0a010000, .src_mask = 0xffff0000}, true},
	    {{.src = 0x0a0100ff, .src_mask = 0xffff0000}, true}, /* host bits do not count */
	    {{.src = 0x0a020000, .src_mask = 0xffff0000}, false},
	    {{.dst = 0x0a020304, .dst_mask = 0xffffffff}, true},
	    {{.dst = 0x0a020305, .dst_mask = 0xffffffff}, false},
	    {{.src = 0x0a020000, .src_mask = 0xffff0000, .both_ways = true}, true},
	    {{.src_port = 443, .both_ways = true}, true},
	    {{.src_port = 443}, false},
	    {{.src_port = 1000, .dst_port = 443, .has_protocol = true, .protocol = 6}, true},
	    {{.has_protocol = true, .protocol = 17}, false},
	    {{.has_protocol = true, .protocol = 0}, false},
	    {{.src_port = 1000, .dst_port = 1000, .both_ways = true}, false},
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		assert_int_equal(trace_filter_fits(&cases[i].f, &tcp), cases[i].fits);
		assert_int_equal(trace_filter_fits(&cases[i].f, &other), i == 0);
	}
}

/* What control does not take is lost and counted, and nothing waits for it. */
static void test_lost_records(void **state)
{
	static struct trace_entry e;
	struct world *t = *state;
	unsigned all = 0;

	start(t, &(struct trace_filter){.drops = false}, TRACE_PACKETS_MAX);
	for (unsigned i = 0; i < TRACE_RING + 100; i++)
		trace_put(trace_session(&t->b->trace), &(struct trace_record){.packet = 1});
	while (trace_take(&t->b->trace, &e))
		all++;
	assert_true(all >= TRACE_RING);
	assert_int_equal(all + atomic_load(&trace_session(&t->b->trace)->lost), TRACE_RING + 100);
}

/* Numbers of different traces differ, also after they began anew; 0 is none. */
static void test_numbers(void **state)
{
	struct world *t = *state;
	uint16_t before = 0;

	for (unsigned i = 0; i < 200; i++) {
		start(t, &(struct trace_filter){.drops = false}, TRACE_PACKETS_MAX);
		struct trace_session *s = trace_session(&t->b->trace);
		uint16_t first = trace_number(s);

		assert_int_not_equal(first, 0);
		assert_int_not_equal(trace_candidate(s), 0);
		assert_false(trace_has(s, before));
		assert_false(trace_has(s, trace_candidate(s)));
		assert_true(trace_has(s, first));
		for (unsigned k = 1; k < TRACE_PACKETS_MAX; k++)
			before = trace_number(s);
		assert_true(trace_has(s, before));
		assert_int_equal(trace_number(s), 0);
	}
	assert_int_equal(
	    trace_start(&t->b->trace, &(struct trace_filter){.drops = false}, 0, 0), -EINVAL);
	assert_int_equal(trace_start(&t->b->trace, &(struct trace_filter){.drops = false},
			     TRACE_PACKETS_MAX + 1, 0),
	    -EINVAL);
	assert_int_equal(trace_start(&t->b->trace, &(struct trace_filter){.drops = false}, 1,
			     TRACE_KEEP_MAX + 1),
	    -EINVAL);
}

static void test_stopped(void **state)
{
	struct world *t = *state;

	start(t, &(struct trace_filter){.drops = false}, 10);
	send_from(t, W_A, "10.9.1.2", 53);
	trace_stop(&t->b->trace);
	assert_int_equal(take(t), 0);
	send_from(t, W_A, "10.9.1.2", 53);
	assert_null(t->w->trace);
	trace_stop(&t->b->trace);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_forwarded),
	    TEST(test_dropped),
	    TEST(test_drops_alone),
	    TEST(test_member),
	    TEST(test_bytes),
	    cmocka_unit_test(test_filter),
	    TEST(test_lost_records),
	    TEST(test_numbers),
	    TEST(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
