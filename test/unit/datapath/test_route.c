/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables, policies, groups and TTL. */

#include <stdio.h>
#include <string.h>

#include "boundary/flow.h"
#include "datapath/stage.h"
#include "world.h"

static void packet_of(struct packet *p, const char *src, const char *dst, uint8_t ttl)
{
	const struct ip4 ip = {.src = src, .dst = dst, .protocol = 253, .ttl = ttl};

	p->len = 0;
	packet_ip4(p, &ip, "payload!", 8);
}

/* A2: the table of the ingress decides, and the reply goes by its own. */
static void test_table_of_the_ingress(void **state)
{
	struct world *t = *state;
	struct packet p, out;

	packet_of(&p, "10.1.0.1", "10.9.1.2", 64); /* table A: via 10.3.0.9 on port 2 */
	world_receive_on(t, W_A, &p);
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(out.bytes[5], 0xc9);
	world_receive_on(t, W_B, &p); /* table B: default via 10.1.0.9 on VLAN 100 */
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.bytes[5], 0xa9);
	assert_int_equal(get16(out.bytes + 14), 100);
	assert_false(world_sent(t, 2, &out));
}

/* Packets of three tables in one burst: each by its own, order kept within each. */
static void test_mixed_burst(void **state)
{
	struct world *t = *state;
	unsigned next_a = 0, next_b = 0;
	struct packet out;

	world_mark(t);
	for (unsigned i = 0; i < 60; i++) {
		const struct ip4 a = {.src = "10.1.0.1", .dst = "10.2.0.1", .id = (uint16_t)i};
		const struct ip4 b = {.src = "10.2.0.1", .dst = "8.8.8.8", .id = (uint16_t)i};
		struct packet p = {0};

		packet_ip4(&p, i % 3 ? &a : &b, NULL, 0);
		world_queue_on(t, i % 3 ? W_A : W_B, &p);
	}
	world_run(t);
	world_no_drops(t);
	while (world_sent(t, 1, &out)) {
		unsigned id = get16(out.bytes + 18 + 4);
		unsigned *next = id % 3 ? &next_a : &next_b;

		assert_int_equal(get16(out.bytes + 14), id % 3 ? 200 : 100);
		assert_true(id >= *next);
		*next = id + 1;
	}
	assert_int_equal(next_a, 60);
	assert_int_equal(next_b, 58);
	/* one port, two egress slots in turns */
	assert_int_equal(world_since(t, t->slot[W_A]).sent, 20);
	assert_int_equal(world_since(t, t->slot[W_B]).sent, 40);
	assert_int_equal(world_since(t, t->slot[W_B]).sent_bytes, 40 * 20);
	assert_int_equal(world_since(t, t->slot[W_A]).delivered, 40);
	assert_int_equal(world_since(t, t->slot[W_B]).delivered, 20);
}

/* What comes out of tunnels, in one burst: two of them of one attachment, one of another. */
static void test_burst_of_tunnels(void **state)
{
	struct world *t = *state;
	static const struct {
		unsigned tunnel;
		const char *dst;
	} packets[] = {{0, "10.9.1.2"}, {1, "10.9.1.2"}, {2, "8.8.8.8"}, {1, "10.9.1.2"},
	    {0, "8.8.8.8"}, {2, "8.8.8.8"}};
	struct tunnel tunnel[3] = {{.attachment = W_A, .fib = t->table_a},
	    {.attachment = W_A, .fib = t->table_a}, {.attachment = W_B, .fib = t->table_b}};
	struct rte_mbuf *m[RTE_DIM(packets)];
	struct burst none = {.n = 0};
	struct packet p, out;

	for (unsigned i = 0; i < RTE_DIM(tunnel); i++) {
		tunnel[i].index = tunnel_alloc(&t->b->tunnels);
		tunnel_publish(&t->b->tunnels, &tunnel[i]);
	}
	world_mark(t);
	for (unsigned same = 2; same <= RTE_DIM(packets); same += RTE_DIM(packets) - 2) {
		for (unsigned i = 0; i < same; i++) {
			const struct tunnel *from = &tunnel[packets[i].tunnel];

			packet_of(&p, "10.4.0.1", packets[i].dst, 64);
			m[i] = world_mbuf(t, &p);
			pkt_meta(m[i])->attachment = from->attachment;
			pkt_meta(m[i])->tunnel = from->index;
			pkt_meta(m[i])->slot = t->slot[W_C];
			t->w->slots[t->slot[W_C]].received++;
		}
		forward(t->w, m, same, &none);
		world_run(t);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_true(world_sent(t, 2, &out)); /* table A, of both tunnels */
	assert_false(world_sent(t, 2, &out));
	for (unsigned i = 0; i < 2; i++)
		assert_true(world_sent(t, 1, &out)); /* table B has a default route */
	assert_false(world_sent(t, 1, &out));
	assert_int_equal(world_drops(t, DROP_NO_ROUTE), 1);
	for (unsigned i = 0; i < RTE_DIM(tunnel); i++)
		tunnel_release(&t->b->tunnels, tunnel[i].index);
}

static void expect_icmp(
    struct world *t, enum world_iface from, const struct packet *p, enum drop_reason why)
{
	struct rte_mbuf *m = world_punted(t, PUNT_ICMP_ERROR);
	struct packet seen;

	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->detail, why);
	assert_int_equal(pkt_meta(m)->iface, t->iface[from]);
	assert_int_equal(pkt_meta(m)->attachment, from);
	world_bytes(m, &seen);
	assert_int_equal(seen.len, p->len);
	assert_memory_equal(seen.bytes, p->bytes, p->len);
	rte_pktmbuf_free(m);
	assert_null(world_punted(t, PUNT_ICMP_ERROR));
}

static void test_ttl(void **state)
{
	struct world *t = *state;
	struct packet p, out;

	for (unsigned ttl = 255; ttl >= 2; ttl--) {
		packet_of(&p, "10.1.0.1", "10.3.0.1", (uint8_t)ttl);
		world_receive_on(t, W_A, &p);
		assert_true(world_sent(t, 2, &out));
		assert_int_equal(out.bytes[14 + 8], ttl - 1);
		assert_true(packet_ip4_is_right(out.bytes + 14));
	}
	for (unsigned ttl = 0; ttl <= 1; ttl++) {
		packet_of(&p, "10.1.0.1", "10.3.0.1", 64);
		p.bytes[8] = (uint8_t)ttl;
		packet_ip4_fix(p.bytes);
		world_mark(t);
		world_receive_on(t, W_A, &p);
		world_dropped_once(t, t->slot[W_A], DROP_TTL_EXCEEDED);
		expect_icmp(t, W_A, &p, DROP_TTL_EXCEEDED);
	}
}

/* What is for the router itself needs no TTL. */
static void test_ttl_of_local(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.1.255.254", .ttl = 1};
	struct packet p = {0};
	struct rte_mbuf *m;

	packet_icmp(&p, &ip, 8, "ping", 4);
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_ICMP_LOCAL);
	assert_non_null(m);
	rte_pktmbuf_free(m);
}

static void test_no_route(void **state)
{
	struct world *t = *state;
	struct packet p;

	packet_of(&p, "10.1.0.1", "192.0.2.1", 64);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_NO_ROUTE);
	expect_icmp(t, W_A, &p, DROP_NO_ROUTE);
}

static void test_blackhole_is_silent(void **state)
{
	struct world *t = *state;
	struct packet p;

	packet_of(&p, "10.1.0.1", "10.66.1.1", 64);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_BLACKHOLE);
	assert_null(world_punted(t, PUNT_ICMP_ERROR));
}

/* R5: the permit of the route, by ingress attachment. */
static void test_policy(void **state)
{
	struct world *t = *state;
	struct packet p;

	packet_of(&p, "10.2.0.1", "10.1.0.1", 64);
	world_mark(t);
	world_receive_on(t, W_B, &p);
	world_dropped_once(t, t->slot[W_B], DROP_POLICY_DENIED);
	expect_icmp(t, W_B, &p, DROP_POLICY_DENIED);
}

static void test_policy_permits(void **state)
{
	struct world *t = *state;
	struct permit *permit = permit_create(8);
	struct packet p, out;

	permit_allow(permit, W_B);
	world_route(t, t->table_b, "10.1.0.0/16",
	    world_nexthop(t,
		&(struct nexthop_spec){
		    .kind = NH_CONNECTED, .iface = (uint16_t)t->iface[W_A], .permit = permit}));
	permit_unref(permit);
	packet_of(&p, "10.2.0.1", "10.1.0.1", 64);
	world_mark(t);
	world_receive_on(t, W_B, &p);
	world_no_drops(t);
	assert_true(world_sent(t, 1, &out));
}

/* In and out of one interface: two hosts of a network that know only the router. */
static void test_hairpin(void **state)
{
	struct world *t = *state;
	struct packet p, out;

	packet_of(&p, "10.1.0.1", "10.1.0.9", 64);
	world_receive_on(t, W_A, &p);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.bytes[5], 0xa9);
}

/* ECMP: a group over four neighbours of attachment 3, by what leaves with which MAC */

#define MEMBERS 4

struct ecmp {
	struct nexthop_spec spec;
	uint32_t index;
};

static void ecmp_make(struct world *t, struct ecmp *e)
{
	*e = (struct ecmp){.spec = {.kind = NH_GROUP, .member_count = MEMBERS}};
	for (unsigned i = 0; i < MEMBERS; i++) {
		char addr[IP_TEXT_MAX];
		uint32_t neigh;

		snprintf(addr, sizeof(addr), "10.3.1.%u", i);
		neigh = (uint32_t)world_neighbour(t, W_C, addr, (uint8_t)i);
		e->spec.members[i] = (struct ecmp_member){.identity = 1000 + i,
		    .alive = true,
		    .leaf = world_nexthop(t,
			&(struct nexthop_spec){.kind = NH_VIA,
			    .iface = (uint16_t)t->iface[W_C],
			    .slot = t->slot[W_C],
			    .neigh = neigh})};
	}
	assert_int_equal(nexthop_publish(&t->b->nexthops, &e->spec, &e->index), 0);
	world_route(t, t->table_a, "10.77.0.0/16", e->index);
}

static int ecmp_member(struct world *t)
{
	struct packet out;

	if (!world_sent(t, 2, &out))
		return -1;
	return out.bytes[5];
}

/* UDP flow `i`: ports differ. */
static void ecmp_flow(struct packet *p, unsigned i)
{
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.77.1.1"};

	p->len = 0;
	packet_udp(p, &ip, (uint16_t)(1024 + i), 443, "x", 1);
}

#define FLOWS 2000

static void ecmp_run(struct world *t, int member[FLOWS])
{
	for (unsigned i = 0; i < FLOWS; i++) {
		struct packet p;

		ecmp_flow(&p, i);
		world_receive_on(t, W_A, &p);
		member[i] = ecmp_member(t);
	}
}

static void test_ecmp_spreads(void **state)
{
	struct world *t = *state;
	unsigned count[MEMBERS] = {0};
	int member[FLOWS];
	struct ecmp e;

	ecmp_make(t, &e);
	ecmp_run(t, member);
	for (unsigned i = 0; i < FLOWS; i++) {
		assert_in_range(member[i], 0, MEMBERS - 1);
		count[member[i]]++;
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_in_range(count[i], FLOWS / MEMBERS * 8 / 10, FLOWS / MEMBERS * 12 / 10);
}

/* R8: only the flows of the dead member move, and exactly they come back. */
static void test_ecmp_is_resilient(void **state)
{
	struct world *t = *state;
	int before[FLOWS], without[FLOWS], after[FLOWS];
	struct ecmp e;

	ecmp_make(t, &e);
	ecmp_run(t, before);
	e.spec.members[2].alive = false;
	assert_int_equal(nexthop_publish(&t->b->nexthops, &e.spec, &e.index), 0);
	ecmp_run(t, without);
	e.spec.members[2].alive = true;
	assert_int_equal(nexthop_publish(&t->b->nexthops, &e.spec, &e.index), 0);
	ecmp_run(t, after);
	for (unsigned i = 0; i < FLOWS; i++) {
		assert_int_equal(before[i], after[i]);
		assert_int_not_equal(without[i], 2);
		if (before[i] != 2)
			assert_int_equal(without[i], before[i]);
	}
}

/* What `explain` computes is what workers do. */
static void test_ecmp_as_explained(void **state)
{
	struct world *t = *state;
	struct ip_addr src = test_addr("10.1.0.1"), dst = test_addr("10.77.1.1");
	const struct nexthop *group;
	int member[FLOWS];
	struct ecmp e;

	ecmp_make(t, &e);
	ecmp_run(t, member);
	group = nexthop_get(&t->b->nexthops, e.index);
	for (unsigned i = 0; i < FLOWS; i++) {
		uint32_t hash = flow_hash(&src, &dst, 17, (uint16_t)(1024 + i), 443);
		uint32_t leaf = group->bucket[nexthop_bucket(hash)];

		assert_int_equal(leaf, e.spec.members[member[i]].leaf);
	}
}

static void test_ecmp_without_members(void **state)
{
	struct world *t = *state;
	struct packet p;
	struct ecmp e;

	ecmp_make(t, &e);
	for (unsigned i = 0; i < MEMBERS; i++)
		e.spec.members[i].alive = false;
	assert_int_equal(nexthop_publish(&t->b->nexthops, &e.spec, &e.index), 0);
	ecmp_flow(&p, 1);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_NO_MEMBER);
	expect_icmp(t, W_A, &p, DROP_NO_MEMBER);
}

/* All fragments of a datagram go one way, though only the first has ports. */
static void test_ecmp_of_fragments(void **state)
{
	struct world *t = *state;
	struct ecmp e;

	ecmp_make(t, &e);
	for (unsigned i = 0; i < 200; i++) {
		const uint8_t payload[16] = {(uint8_t)(i * 37), (uint8_t)i, 1, 187};
		char src[IP_TEXT_MAX];
		struct ip4 ip = {.src = src, .dst = "10.77.1.1", .protocol = 17, .id = (uint16_t)i};
		static const uint16_t word[] = {MF, MF | 2, 4};
		int first = 0;

		snprintf(src, sizeof(src), "10.1.2.%u", i);
		for (unsigned f = 0; f < TEST_COUNT(word); f++) {
			struct packet p = {0};
			int member;

			ip.fragment = word[f];
			packet_ip4(&p, &ip, payload, sizeof(payload));
			world_receive_on(t, W_A, &p);
			member = ecmp_member(t);
			assert_true(member >= 0);
			if (f == 0)
				first = member;
			assert_int_equal(member, first);
		}
	}
}

/* Protocols without ports, and TCP too short for them: by addresses. */
static void test_ecmp_without_ports(void **state)
{
	struct world *t = *state;
	int first = -1;
	struct ecmp e;

	ecmp_make(t, &e);
	for (unsigned i = 0; i < 100; i++) {
		const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.77.1.1", .protocol = 47};
		const uint8_t payload[4] = {(uint8_t)i, (uint8_t)(i * 3), 7, (uint8_t)(i * 11)};
		struct packet p = {0};
		int member;

		packet_ip4(&p, &ip, payload, sizeof(payload));
		world_receive_on(t, W_A, &p);
		member = ecmp_member(t);
		if (i == 0)
			first = member;
		assert_int_equal(member, first);
	}
	for (unsigned len = 0; len < 4; len++) {
		const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.77.1.1", .protocol = 6};
		struct packet p = {0};

		packet_ip4(&p, &ip, "\1\2\3", len);
		world_receive_on(t, W_A, &p);
		assert_true(ecmp_member(t) >= 0);
	}
}

/* Another address, port or protocol may mean another member; the very same flow never does. */
static void test_flow_hash_depends_on_all(void **state)
{
	struct rng rng = test_rng();
	unsigned changed[5] = {0};

	for (unsigned i = 0; i < 1000; i++) {
		uint32_t src = rng_u32(&rng), dst = rng_u32(&rng);
		uint16_t sp = (uint16_t)rng_u32(&rng), dp = (uint16_t)rng_u32(&rng);
		uint32_t h = flow_hash_v4(src, dst, 6, sp, dp);

		assert_int_equal(h, flow_hash_v4(src, dst, 6, sp, dp));
		changed[0] += (h ^ flow_hash_v4(src ^ 1, dst, 6, sp, dp)) >> 24 != 0;
		changed[1] += (h ^ flow_hash_v4(src, dst ^ 1, 6, sp, dp)) >> 24 != 0;
		changed[2] += (h ^ flow_hash_v4(src, dst, 17, sp, dp)) >> 24 != 0;
		changed[3] += (h ^ flow_hash_v4(src, dst, 6, sp ^ 1, dp)) >> 24 != 0;
		changed[4] += (h ^ flow_hash_v4(src, dst, 6, sp, dp ^ 1)) >> 24 != 0;
	}
	for (unsigned i = 0; i < 5; i++)
		assert_in_range(changed[i], 985, 1000); /* 1 of 256 by chance */
}

/* The most loaded of 16 members, when `flows` flows differ in that way. */
static unsigned most_loaded(
    unsigned flows, uint32_t src_step, uint32_t dst_step, unsigned port_step)
{
	unsigned load[16] = {0}, most = 0;

	for (unsigned i = 0; i < flows; i++) {
		uint32_t hash = flow_hash_v4(0x0a010001 + i * src_step, 0x0a650001 + i * dst_step,
		    17, (uint16_t)(1024 + i * port_step), 443);

		load[nexthop_bucket(hash) % RTE_DIM(load)]++;
	}
	for (unsigned i = 0; i < RTE_DIM(load); i++)
		most = RTE_MAX(most, load[i]);
	return most;
}

/* Hosts and ports count up in networks, and generators count with steps: flows spread as if they had nothing in common. Of
 * 4,096 flows a member has 256 on average, and by chance 4 deviations more once in 30,000. */
static void test_flow_hash_spreads_what_is_regular(void **state)
{
	static const uint32_t step[] = {0, 1, 2, 3, 4, 8, 16, 64, 256, 1000, 4096, 65536};

	for (unsigned i = 1; i < RTE_DIM(step) * RTE_DIM(step) * RTE_DIM(step); i++) {
		uint32_t src = step[i % RTE_DIM(step)];
		uint32_t dst = step[i / RTE_DIM(step) % RTE_DIM(step)];
		unsigned port = step[i / RTE_DIM(step) / RTE_DIM(step)];

		if (src || dst || (port && port < 16)) /* steps of 16 come to the same port again */
			assert_true(most_loaded(4096, src, dst, port) <= 256 + 5 * 16);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_table_of_the_ingress),
	    TEST(test_mixed_burst),
	    TEST(test_burst_of_tunnels),
	    TEST(test_ttl),
	    TEST(test_ttl_of_local),
	    TEST(test_no_route),
	    TEST(test_blackhole_is_silent),
	    TEST(test_policy),
	    TEST(test_policy_permits),
	    TEST(test_hairpin),
	    TEST(test_ecmp_spreads),
	    TEST(test_ecmp_is_resilient),
	    TEST(test_ecmp_as_explained),
	    TEST(test_ecmp_without_members),
	    TEST(test_ecmp_of_fragments),
	    TEST(test_ecmp_without_ports),
	    cmocka_unit_test(test_flow_hash_depends_on_all),
	    cmocka_unit_test(test_flow_hash_spreads_what_is_regular),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
