/* SPDX-License-Identifier: BSD-3-Clause */

/* What goes through tunnels, and what must not: both ways, between workers, down, unfit, from tunnel to tunnel. */

#include <string.h>

#include "boundary/decide.h"
#include "boundary/flow.h"
#include "ends.h"

static void test_through(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	static const size_t lengths[] = {20, 21, 46, 64, 100, 999, 1399, 1400};

	for (unsigned i = 0; i < TEST_COUNT(lengths); i++) {
		size_t len = lengths[i];

		ends_inner(&p, "10.100.0.1", 0, len);
		world_mark(t);
		world_receive_on(t, W_A, &p);
		assert_int_equal(world_since(t, t->slot[W_A]).delivered, 1);
		assert_int_equal(world_since(t, e->left.slot).sent, 1);
		assert_int_equal(ends_carry(t), 1);
		world_no_drops(t);
		assert_int_equal(world_since(t, t->slot[W_UPLINK]).received, 1);
		assert_int_equal(world_since(t, t->slot[W_UPLINK]).decrypted, 1);
		assert_int_equal(world_since(t, e->right.slot).received, 1);
		assert_int_equal(world_since(t, e->right.slot).received_bytes, len);
		assert_int_equal(world_since(t, e->right.slot).delivered, 1);
		assert_int_equal(world_since(t, t->slot[W_B]).sent_bytes, len);
		assert_true(world_sent(t, 1, &out));
		assert_int_equal(get16(out.bytes + 14), 200);
		assert_int_equal(out.len, 18 + len);
		assert_int_equal(out.bytes[18 + 8], 62);
		assert_true(packet_ip4_is_right(out.bytes + 18));
		assert_memory_equal(out.bytes + 18 + 12, p.bytes + 12, len - 12);
	}
}

static unsigned take(struct world *t, struct trace_entry *out, unsigned n)
{
	unsigned i = 0;

	while (i < n && trace_take(&t->b->trace, &out[i]))
		i++;
	return i;
}

/* Both halves of the way, seen by a trace of the tunnel that encrypts and one of what came out of the other. */
static void test_traced(void **state)
{
	static const enum trace_stage out[] = {
	    TRACE_RECEIVED, TRACE_ROUTED, TRACE_ENCRYPTED, TRACE_SENT};
	static const enum trace_stage in[] = {
	    TRACE_RECEIVED, TRACE_DECRYPTED, TRACE_ROUTED, TRACE_SENT};
	struct ends *e = *state;
	struct world *t = e->t;
	static struct trace_entry seen[16];
	const uint8_t *outer;
	static struct packet p, f;

	ends_inner(&p, "10.100.0.1", 0, 100);
	assert_int_equal(
	    trace_start(&t->b->trace, &(struct trace_filter){.tunnel = e->left.tunnel}, 1, 0), 0);
	world_receive_on(t, W_A, &p);
	assert_int_equal(take(t, seen, 16), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seen[i].record.stage, out[i]);
	assert_int_equal(seen[2].record.tunnel, e->left.tunnel);
	assert_int_equal(seen[2].record.spi, 0x1001);
	assert_int_equal(seen[2].record.sequence, 1);
	assert_int_equal(seen[3].record.what, 0);

	assert_int_equal(
	    trace_start(&t->b->trace, &(struct trace_filter){.tunnel = e->right.tunnel}, 1, 2000),
	    0);
	assert_int_equal(ends_carry(t), 1);
	assert_int_equal(take(t, seen, 16), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seen[i].record.stage, in[i]);
	assert_int_equal(seen[0].record.spi, 0x1001);
	assert_int_equal(seen[1].record.tunnel, e->right.tunnel);
	assert_int_equal(seen[1].record.dst, 0x0a640001);
	/* After decryption it is what went in, but for the TTL; before, it was ESP in a frame. */
	assert_int_equal(seen[1].record.l2_bytes, 0);
	assert_int_equal(seen[1].record.kept, p.len);
	assert_memory_equal(seen[1].bytes + 12, p.bytes + 12, p.len - 12);
	outer = seen[0].bytes + seen[0].record.l2_bytes;
	assert_memory_equal(outer + (outer[9] == 17 ? 28 : 20), "\0\0\x10\x01", 4);
	assert_true(world_sent(t, 1, &f));
}

/* Both ways at once, in bursts. */
static void test_both_ways(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	unsigned to_a = 0, to_b = 0;

	world_mark(t);
	for (unsigned i = 0; i < 300; i++) {
		const struct ip4 back = {.src = "10.2.0.1", .dst = "10.101.0.1", .protocol = 253};

		ends_inner(&p, "10.100.0.1", 0, 40 + i);
		world_queue_on(t, W_A, &p);
		p.len = 0;
		packet_ip4(&p, &back, "back", 4);
		world_queue_on(t, W_B, &p);
	}
	world_route(t, t->table_a, "10.101.0.0/16", t->connected[W_A]);
	world_neighbour(t, W_A, "10.101.0.1", 0x55);
	world_run(t);
	assert_int_equal(ends_carry(t), 600);
	world_no_drops(t);
	while (world_sent(t, 1, &out))
		*(get16(out.bytes + 14) == 200 ? &to_b : &to_a) += 1;
	assert_int_equal(to_a, 300);
	assert_int_equal(to_b, 300);
}

/* The SA belongs to the other worker: the one that polls the port hands its packets over. */
static void test_hand_off(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;

	atomic_store(&e->right.in->owner, 1);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	for (unsigned i = 0; i < 100; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	t->waiting = true;
	assert_int_equal(ends_carry_together(t), 100);
	world_no_drops(t);
	assert_int_equal(t->workers[0].slots[e->right.slot].received, 0);
	assert_int_equal(t->workers[1].slots[e->right.slot].delivered, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_true(world_sent(t, 1, &out));
}

static void test_down(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	ends_expect_state(e, &e->left, TUNNEL_DOWN);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_TUNNEL_DOWN);
	assert_int_equal(ends_carry(t), 0);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->detail, DROP_TUNNEL_DOWN);
	assert_int_equal(pkt_meta(m)->iface, t->iface[W_A]);
	assert_int_equal(pkt_meta(m)->tunnel, 0);
	rte_pktmbuf_free(m);
}

/* A group of a tunnel, an interface, and a tunnel that has gone: each flow of a burst goes as `explain` says. */
static void test_group_of_all_kinds(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.77.1.1"};
	struct ip_addr src = test_addr(ip.src), dst = test_addr(ip.dst);
	int neigh = world_neighbour(t, W_C, "10.3.1.1", 0xc1);
	struct nexthop_spec via = {.kind = NH_VIA,
	    .iface = (uint16_t)t->iface[W_C],
	    .slot = t->slot[W_C],
	    .neigh = (uint32_t)neigh};
	struct nexthop_spec group = {.kind = NH_GROUP, .member_count = 3};
	uint32_t leaf[] = {e->left.nexthop, world_nexthop(t, &via),
	    world_nexthop(t, &(struct nexthop_spec){.kind = NH_TUNNEL, .tunnel = 7})};
	unsigned expected[3] = {0};
	static struct packet p;
	struct rte_mbuf *m;
	uint32_t index;

	assert_null(tunnel_get(&t->b->tunnels, 7));
	for (unsigned i = 0; i < 3; i++)
		group.members[i] =
		    (struct ecmp_member){.leaf = leaf[i], .identity = i + 1, .alive = true};
	index = world_nexthop(t, &group);
	world_route(t, t->table_a, "10.77.0.0/16", index);
	world_mark(t);
	for (unsigned i = 0; i < BURST_MAX; i++) {
		uint32_t hash = flow_hash(&src, &dst, 17, (uint16_t)(1024 + i), 443);
		const struct nexthop *nh = nexthop_get(&t->b->nexthops, index);

		nh = decide_member(&t->b->nexthops, nh, hash);
		for (unsigned k = 0; k < 3; k++)
			expected[k] += nh->index == leaf[k];
		p.len = 0;
		packet_udp(&p, &ip, (uint16_t)(1024 + i), 443, "x", 1);
		world_queue_on(t, W_A, &p);
	}
	world_run(t);
	for (unsigned k = 0; k < 3; k++)
		assert_in_range(expected[k], 1, BURST_MAX - 2);
	assert_int_equal(world_since(t, e->left.slot).sent, expected[0]);
	assert_int_equal(world_since(t, t->slot[W_C]).sent, expected[1]);
	assert_int_equal(world_since(t, t->slot[W_A]).drop[DROP_TUNNEL_DOWN], expected[2]);
	assert_int_equal(ends_carry(t), expected[0]);
	while ((m = world_punted(t, PUNT_ICMP_ERROR)))
		rte_pktmbuf_free(m);
}

/* H3: a tunnel that failed its checks takes probes of the router, and nothing of anybody else. */
static void test_unfit(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	ends_expect_state(e, &e->left, TUNNEL_UNFIT);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_TUNNEL_DOWN);
	assert_int_equal(ends_carry(t), 0);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	/* the same packet as one of the router itself */
	world_mark(t);
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	pkt_meta(m)->tunnel = e->left.tunnel;
	pkt_meta(m)->detail = INJECT_TUNNEL;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(ends_carry(t), 1);
	world_no_drops(t);
	assert_true(world_sent(t, 1, &out));
}

/* What comes out is asked the same as what comes in by a port. */
static void test_inner_is_judged(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	for (unsigned i = 0; i < 4; i++) {
		static const enum drop_reason why[] = {
		    DROP_IP_CHECKSUM, DROP_IP_MARTIAN, DROP_IP_OPTIONS, DROP_TTL_EXCEEDED};

		ends_inner(&p, "10.100.0.1", 0, 100);
		switch (i) {
		case 0:
			p.bytes[10] ^= 1;
			break;
		case 1:
			p.bytes[12] = 127;
			break;
		case 2:
			p.bytes[0] = 0x46;
			break;
		case 3:
			p.bytes[8] = 1;
			break;
		}
		if (i > 0)
			packet_ip4_fix(p.bytes);
		/* straight into the left tunnel, which asks nothing of what control sends */
		m = world_mbuf(t, &p);
		pkt_meta(m)->detail = INJECT_TUNNEL;
		pkt_meta(m)->tunnel = e->left.tunnel;
		world_mark(t);
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
		world_run(t);
		assert_int_equal(ends_carry(t), 1);
		assert_int_equal(world_since(t, e->right.slot).drop[why[i]], 1);
		assert_int_equal(world_since(t, e->right.slot).received, 1);
	}
	m = world_punted(
	    t, PUNT_ICMP_ERROR); /* of the TTL: control sees which tunnel it came from */
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->right.tunnel);
	assert_int_equal(pkt_meta(m)->attachment, e->right.attachment);
	rte_pktmbuf_free(m);
}

/* One data center to another: out of a tunnel, into the next. */
static void test_tunnel_to_tunnel(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;

	/* out of the right end back into the right tunnel, so out of the left end */
	world_route(t, e->table_r, "10.102.0.0/16", e->right.nexthop);
	world_route(t, t->table_a, "10.102.0.0/16", e->left.nexthop);
	ends_inner(&p, "10.102.0.1", 0, 100);
	p.bytes[8] = 5;
	packet_ip4_fix(p.bytes);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	/* left, right, left, right: then the TTL is spent */
	assert_int_equal(ends_carry(t), 4);
	assert_int_equal(world_drops(t, DROP_TTL_EXCEEDED), 1);
	assert_false(world_sent(t, 1, &out));
}

/* A waiting packet that came out of a tunnel goes on as such. */
static void test_neighbour_of_inner(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	world_route(t, e->table_r, "10.100.0.0/16", t->connected[W_B]);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_receive_on(t, W_A, &p);
	assert_int_equal(ends_carry(t), 1);
	m = world_punted(t, PUNT_NEIGH);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->right.tunnel);
	assert_int_equal(pkt_meta(m)->iface, 0);
	assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[8], 62);
	world_neighbour(t, W_B, "10.100.0.1", 0x42);
	pkt_meta(m)->detail = INJECT_NEXTHOP;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.bytes[5], 0x42);
	assert_int_equal(out.bytes[18 + 8], 62);
}

/* By the next hop of a tunnel: the same as into the tunnel. */
static void test_inject_nexthop_of_tunnel(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	ends_inner(&p, "10.100.0.1", 0, 100);
	m = world_mbuf(t, &p);
	pkt_meta(m)->detail = INJECT_NEXTHOP;
	pkt_meta(m)->nexthop = e->left.nexthop;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(ends_carry(t), 1);
	assert_true(world_sent(t, 1, &out));
}

/* The underlay's neighbour is not there yet: the outer packet waits, and goes on by its leaf. */
static void test_underlay_unresolved(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	struct ip_addr gateway = test_addr("203.0.113.1");
	static struct packet p, out;
	struct rte_mbuf *m;

	assert_true(neigh_publish(t->b->neighbours, iface_get(&t->b->ifaces, t->iface[W_UPLINK]),
			&gateway, NULL) > 0);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	for (unsigned i = 0; i < 3; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	assert_int_equal(ends_carry(t), 0);
	for (unsigned i = 0; i < 3; i++) {
		m = world_punted(t, PUNT_NEIGH);
		assert_non_null(m);
		assert_int_equal(pkt_meta(m)->nexthop, t->gateway);
		assert_int_equal(
		    pkt_meta(m)->iface | pkt_meta(m)->tunnel | pkt_meta(m)->attachment, 0);
		pkt_meta(m)->detail = INJECT_NEXTHOP;
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	}
	world_neighbour(t, W_UPLINK, "203.0.113.1", 1);
	world_run(t);
	assert_int_equal(ends_carry(t), 3);
	world_no_drops(t);
	assert_true(world_sent(t, 1, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_through),
	    WITH(test_through, ends_setup_cbc),
	    WITH(test_through, ends_setup_natt),
	    TEST(test_traced),
	    WITH(test_traced, ends_setup_cbc),
	    WITH(test_traced, ends_setup_natt),
	    TEST(test_both_ways),
	    WITH(test_both_ways, ends_setup_cbc),
	    TEST(test_hand_off),
	    TEST(test_down),
	    TEST(test_group_of_all_kinds),
	    TEST(test_unfit),
	    TEST(test_inner_is_judged),
	    TEST(test_tunnel_to_tunnel),
	    TEST(test_neighbour_of_inner),
	    TEST(test_inject_nexthop_of_tunnel),
	    TEST(test_underlay_unresolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
