/* SPDX-License-Identifier: BSD-3-Clause */
/* Layer 2: which interface claims a frame, and what becomes of frames that none does. */

#include <string.h>

#include "world.h"

static const struct ip4 a_to_c = {.src = "10.1.0.1", .dst = "10.3.0.1", .protocol = 253, .id = 7};

static void frame_of(struct packet *f, unsigned port, uint16_t vlan, uint16_t type)
{
	f->len = 0;
	if (vlan)
		packet_vlan(f, world_mac(port), vlan, type);
	else
		packet_eth(f, world_mac(port), type);
}

static void test_vlan_names_the_interface(void **state)
{
	struct world *t = *state;
	struct packet f, out;

	world_mark(t);
	frame_of(&f, 1, 100, 0x0800);
	packet_ip4(&f, &a_to_c, "0123456789", 10);
	world_receive(t, 1, &f);
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_A]).received, 1);
	assert_int_equal(world_since(t, t->slot[W_A]).received_bytes, 30);
	assert_int_equal(world_since(t, t->slot[W_A]).delivered, 1);
	assert_int_equal(world_since(t, t->slot[W_C]).sent, 1);
	assert_int_equal(world_since(t, t->slot[W_C]).sent_bytes, 30);
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(out.len, 14 + 30);
	assert_memory_equal(out.bytes, "\x02\xee\0\0\0\xc1", 6);
	assert_memory_equal(out.bytes + 6, world_mac(2), 6);
	assert_int_equal(get16(out.bytes + 12), 0x0800);
	assert_int_equal(out.bytes[14 + 8], 63);
	assert_true(packet_ip4_is_right(out.bytes + 14));
	assert_memory_equal(out.bytes + 14 + 20, "0123456789", 10);
}

static void test_vlan_on_the_way_out(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "10.3.0.1", .dst = "10.2.0.1", .protocol = 253};
	struct packet p = {0}, out;

	packet_ip4(&p, &ip, "abc", 3);
	world_receive_on(t, W_C, &p);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(get16(out.bytes + 12), 0x8100);
	assert_int_equal(get16(out.bytes + 14), 200);
	assert_int_equal(get16(out.bytes + 16), 0x0800);
	assert_int_equal(out.len, 18 + 23);
}

static void test_priority_tag_is_untagged(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "10.3.0.1", .dst = "10.1.0.1", .protocol = 253};
	struct packet f = {0}, out;

	world_mark(t);
	packet_vlan(&f, world_mac(2), 0xa000, 0x0800);
	packet_ip4(&f, &ip, "abc", 3);
	world_receive(t, 2, &f);
	assert_int_equal(world_since(t, t->slot[W_C]).delivered, 1);
	assert_true(world_sent(t, 1, &out));
}

static void test_stripped_vlan(void **state)
{
	struct world *t = *state;
	struct packet f, out;
	struct rte_mbuf *m;

	world_mark(t);
	frame_of(&f, 1, 0, 0x0800);
	packet_ip4(&f, &a_to_c, "abc", 3);
	m = world_mbuf(t, &f);
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 0x6000 | 100;
	assert_int_equal(rte_ring_enqueue(t->to_router[1], m), 0);
	world_run(t);
	assert_int_equal(world_since(t, t->slot[W_A]).delivered, 1);
	assert_true(world_sent(t, 2, &out));
}

static void test_truncated(void **state)
{
	struct world *t = *state;
	static const size_t lengths[] = {1, 13, 14, 17};

	for (unsigned i = 0; i < TEST_COUNT(lengths); i++) {
		struct packet f;

		world_mark(t);
		frame_of(&f, 1, 100, 0x0800);
		f.len = lengths[i];
		world_receive(t, 1, &f);
		world_dropped_once(t, SLOT_CONTROL, DROP_L2_TRUNCATED);
		assert_int_equal(world_since(t, SLOT_CONTROL).received_bytes, lengths[i]);
	}
}

static void test_unknown_vlan(void **state)
{
	struct world *t = *state;
	static const uint16_t vlans[] = {0, 1, 101, 4095};

	for (unsigned i = 0; i < TEST_COUNT(vlans); i++) {
		struct packet f;

		world_mark(t);
		frame_of(&f, 1, vlans[i], 0x0800);
		packet_ip4(&f, &a_to_c, "abc", 3);
		world_receive(t, 1, &f);
		world_dropped_once(t, SLOT_CONTROL, DROP_VLAN_UNKNOWN);
	}
}

static void test_another_station(void **state)
{
	struct world *t = *state;
	struct packet f;

	world_mark(t);
	frame_of(&f, 1, 100, 0x0800);
	f.bytes[5] ^= 1;
	packet_ip4(&f, &a_to_c, "abc", 3);
	world_receive(t, 1, &f);
	world_dropped_once(t, t->slot[W_A], DROP_L2_NOT_OURS);
}

/* RFC 1812 5.3.4: never forwarded. */
static void test_ip_in_a_broadcast_frame(void **state)
{
	struct world *t = *state;
	static const uint8_t first[] = {0xff, 0x01};

	for (unsigned i = 0; i < TEST_COUNT(first); i++) {
		struct packet f;

		world_mark(t);
		frame_of(&f, 1, 100, 0x0800);
		memset(f.bytes, first[i], 6);
		packet_ip4(&f, &a_to_c, "abc", 3);
		world_receive(t, 1, &f);
		world_dropped_once(t, t->slot[W_A], DROP_IP_MARTIAN);
	}
}

static void test_ethertypes(void **state)
{
	struct world *t = *state;
	/* LLDP, a second tag, length of 802.3, IPv6 */
	static const struct {
		uint16_t type;
		enum drop_reason why;
	} cases[] = {{0x88cc, DROP_ETHERTYPE_UNKNOWN}, {0x8100, DROP_ETHERTYPE_UNKNOWN},
	    {0x88a8, DROP_ETHERTYPE_UNKNOWN}, {46, DROP_ETHERTYPE_UNKNOWN},
	    {0x86dd, DROP_IP_FAMILY_OFF}};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct packet f;

		world_mark(t);
		frame_of(&f, 1, 100, cases[i].type);
		packet_ip4(&f, &a_to_c, "abc", 3);
		world_receive(t, 1, &f);
		world_dropped_once(t, t->slot[W_A], cases[i].why);
	}
}

static void test_arp_goes_to_control(void **state)
{
	struct world *t = *state;
	struct packet f, seen;
	struct rte_mbuf *m;

	world_mark(t);
	frame_of(&f, 1, 200, 0x0806);
	memset(f.bytes, 0xff, 6);
	memset(f.bytes + f.len, 0x5a, 28);
	f.len += 28;
	world_receive(t, 1, &f);
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_B]).punted, 1);
	m = world_punted(t, PUNT_ARP);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->iface, t->iface[W_B]);
	assert_int_equal(pkt_meta(m)->slot, t->slot[W_B]);
	world_bytes(m, &seen);
	assert_int_equal(seen.len, f.len);
	assert_memory_equal(seen.bytes, f.bytes, f.len);
	rte_pktmbuf_free(m);
}

/* What is above the rate of the class is dropped and counted, and no other class suffers. */
static void test_arp_flood(void **state)
{
	struct world *t = *state;
	struct packet f;
	uint64_t limited, full, passed;

	world_mark(t);
	frame_of(&f, 1, 200, 0x0806);
	memset(f.bytes + f.len, 0, 28);
	f.len += 28;
	for (unsigned i = 0; i < 2000; i++)
		world_queue(t, 1, &f);
	world_run(t);
	punt_counts(t->b->punt, PUNT_ARP, &passed, &limited, &full);
	assert_in_range(passed, 200, 1000);
	assert_int_equal(passed + limited, 2000);
	assert_int_equal(world_drops(t, DROP_PUNT_LIMITED), limited);
	assert_int_equal(world_since(t, t->slot[W_B]).punted, passed);
}

static void test_interface_down(void **state)
{
	struct world *t = *state;
	struct iface spec = *iface_get(&t->b->ifaces, t->iface[W_A]);
	struct packet p = {0};

	spec.up = false;
	assert_int_equal(iface_publish(&t->b->ifaces, &spec), t->iface[W_A]);
	world_mark(t);
	packet_ip4(&p, &a_to_c, "abc", 3);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_IFACE_DOWN);
}

/* A frame of one of many kinds for port 2, whose interface has no VLAN. */
static struct rte_mbuf *any_frame(struct world *t, struct rng *rng)
{
	static const struct ip4 ip = {.src = "10.3.0.1", .dst = "10.1.0.1", .protocol = 253};
	static const uint16_t types[] = {0x0800, 0x0800, 0x0800, 0x86dd, 0x88cc, 0x8100};
	uint16_t type = types[rng_below(rng, TEST_COUNT(types))];
	struct packet f = {0};
	struct rte_mbuf *m;

	switch (rng_below(rng, 8)) {
	case 0: /* a tag, of priority alone as well */
		packet_vlan(&f, world_mac(2), rng_below(rng, 2) ? 0xa000 : 300, type);
		break;
	case 1:
		packet_eth(&f, (const uint8_t *)"\xff\xff\xff\xff\xff\xff", type);
		break;
	default:
		packet_eth(&f, world_mac(2), type);
	}
	if (rng_below(rng, 8) == 0)
		f.bytes[rng_below(rng, 6)] ^= 4;
	packet_ip4(&f, &ip, "abc", 3);
	if (rng_below(rng, 16) == 0)
		f.len = rng_below(rng, 20);
	m = world_mbuf(t, &f);
	if (rng_below(rng, 8) == 0) {
		m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = (uint16_t)(rng_below(rng, 2) ? 300 : 0);
	}
	return m;
}

static void receive_all(struct world *t, struct rte_mbuf **m, unsigned n)
{
	struct packet out;

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(rte_ring_enqueue(t->to_router[2], m[i]), 0);
	world_run(t);
	while (world_sent(t, 1, &out))
		;
}

/* What becomes of a frame does not depend on the frames around it. */
static void test_frames_of_all_kinds_in_one_burst(void **state)
{
	struct world *t = *state;
	struct rng rng = test_rng();

	for (unsigned turn = 0; turn < 200; turn++) {
		struct rng again = rng;
		unsigned n = 2 + rng_below(&again, 30);
		struct slot_counters alone[2], together[2];
		struct rte_mbuf *m[32];

		rng_below(&rng, 30);
		world_mark(t);
		for (unsigned i = 0; i < n; i++) {
			m[0] = any_frame(t, &rng);
			receive_all(t, m, 1);
		}
		alone[0] = world_since(t, SLOT_CONTROL);
		alone[1] = world_since(t, t->slot[W_C]);
		world_mark(t);
		for (unsigned i = 0; i < n; i++)
			m[i] = any_frame(t, &again);
		receive_all(t, m, n);
		together[0] = world_since(t, SLOT_CONTROL);
		together[1] = world_since(t, t->slot[W_C]);
		assert_memory_equal(together, alone, sizeof(alone));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_vlan_names_the_interface),
	    TEST(test_vlan_on_the_way_out),
	    TEST(test_priority_tag_is_untagged),
	    TEST(test_stripped_vlan),
	    TEST(test_truncated),
	    TEST(test_unknown_vlan),
	    TEST(test_another_station),
	    TEST(test_ip_in_a_broadcast_frame),
	    TEST(test_ethertypes),
	    TEST(test_arp_goes_to_control),
	    TEST(test_arp_flood),
	    TEST(test_interface_down),
	    TEST(test_frames_of_all_kinds_in_one_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
