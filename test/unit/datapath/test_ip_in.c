/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 headers: what is sound goes on, what lies is dropped for its own reason; and the header arithmetic. */

#include <string.h>

#include "datapath/ipv4.h"
#include "world.h"

static const struct ip4 a_to_c = {.src = "10.1.0.1", .dst = "10.3.0.1", .protocol = 253, .id = 7};

/* A sound packet, for a test to spoil. */
static void sound(struct packet *p)
{
	static const uint8_t payload[40];

	p->len = 0;
	packet_ip4(p, &a_to_c, payload, sizeof(payload));
}

static void expect(struct world *t, const struct packet *p, enum drop_reason why)
{
	world_mark(t);
	world_receive_on(t, W_A, p);
	world_dropped_once(t, t->slot[W_A], why);
}

static void test_lengths_that_lie(void **state)
{
	struct world *t = *state;
	static const struct {
		uint8_t first;
		uint16_t total;
		uint16_t bytes;
	} cases[] = {
	    {0x45, 60, 0}, {0x45, 60, 1}, {0x45, 60, 19}, {0x45, 60, 59}, /* shorter than it says */
	    {0x45, 0, 60}, {0x45, 19, 60}, {0x45, 61, 60}, {0x45, 65535, 60}, /* total length */
	    {0x44, 60, 60}, {0x40, 60, 60},                                   /* header length */
	    {0x46, 20, 60}, {0x4f, 59, 60}, {0x4f, 60, 59}, {0x55, 60, 60}, {0x05, 60, 60},
	    {0xf5, 60, 60}, /* version */
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct packet p;

		sound(&p);
		p.bytes[0] = cases[i].first;
		put16(p.bytes + 2, cases[i].total);
		if (p.bytes[0] >> 4 == 4 && (p.bytes[0] & 15) * 4 <= 60)
			packet_ip4_fix(p.bytes);
		p.len = cases[i].bytes;
		expect(t, &p, DROP_IP_MALFORMED);
	}
}

static void test_ipv6_in_an_ipv4_frame(void **state)
{
	struct packet p;

	sound(&p);
	p.bytes[0] = 0x60;
	expect(*state, &p, DROP_IP_FAMILY_OFF);
}

static void test_options(void **state)
{
	struct packet p;

	sound(&p);
	for (uint8_t words = 6; words <= 15; words++) {
		p.bytes[0] = 0x40 | words;
		packet_ip4_fix(p.bytes);
		expect(*state, &p, DROP_IP_OPTIONS);
	}
}

/* Every bit of the header counts. */
static void test_checksum(void **state)
{
	struct world *t = *state;

	for (unsigned bit = 0; bit < 160; bit++) {
		struct slot_counters since;
		struct packet p;

		sound(&p);
		p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		world_mark(t);
		world_receive_on(t, W_A, &p);
		since = world_since(t, t->slot[W_A]);
		assert_int_equal(since.delivered, 0);
		if (bit >= 8 && bit / 16 != 1) /* not version, header or total length */
			assert_int_equal(since.drop[DROP_IP_CHECKSUM], 1);
	}
}

/* A port that checks checksums is believed, either way. */
static void test_checksum_by_port(void **state)
{
	struct world *t = *state;
	static const struct {
		uint64_t flags;
		bool spoilt;
		enum drop_reason why;
	} cases[] = {
	    {RTE_MBUF_F_RX_IP_CKSUM_GOOD, true, DROP_REASON_COUNT},
	    {RTE_MBUF_F_RX_IP_CKSUM_GOOD, false, DROP_REASON_COUNT},
	    {RTE_MBUF_F_RX_IP_CKSUM_BAD, false, DROP_IP_CHECKSUM},
	    {RTE_MBUF_F_RX_IP_CKSUM_NONE, true, DROP_IP_CHECKSUM},
	    {RTE_MBUF_F_RX_IP_CKSUM_NONE, false, DROP_REASON_COUNT},
	    {RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, true, DROP_IP_CHECKSUM},
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct packet f = {0};
		struct rte_mbuf *m;

		packet_vlan(&f, world_mac(1), 100, 0x0800);
		packet_ip4(&f, &a_to_c, "abc", 3);
		f.bytes[18 + 10] ^= cases[i].spoilt;
		m = world_mbuf(t, &f);
		m->ol_flags |= cases[i].flags;
		world_mark(t);
		assert_int_equal(rte_ring_enqueue(t->to_router[1], m), 0);
		world_run(t);
		if (cases[i].why == DROP_REASON_COUNT)
			assert_int_equal(world_since(t, t->slot[W_A]).delivered, 1);
		else
			world_dropped_once(t, t->slot[W_A], cases[i].why);
	}
}

static void test_martians(void **state)
{
	struct world *t = *state;
	static const char *martians[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255",
	    "224.0.0.5", "239.1.1.1", "240.0.0.1", "255.255.255.255"};

	for (unsigned i = 0; i < TEST_COUNT(martians); i++) {
		struct ip4 ip = a_to_c;
		struct packet p = {0};

		ip.src = martians[i];
		packet_ip4(&p, &ip, "abc", 3);
		expect(t, &p, DROP_IP_MARTIAN);
		p.len = 0;
		ip.src = a_to_c.src;
		ip.dst = martians[i];
		packet_ip4(&p, &ip, "abc", 3);
		expect(t, &p, DROP_IP_MARTIAN);
	}
}

/* Their neighbours are ordinary addresses. */
static void test_no_martians(void **state)
{
	struct world *t = *state;
	static const char *hosts[] = {"1.0.0.0", "126.255.255.255", "128.0.0.1", "223.255.255.255",
	    "169.254.10.1", "100.64.0.1", "192.168.1.255"};

	for (unsigned i = 0; i < TEST_COUNT(hosts); i++) {
		struct ip4 ip = a_to_c;
		struct packet p = {0};

		ip.src = hosts[i];
		packet_ip4(&p, &ip, "abc", 3);
		world_mark(t);
		world_receive_on(t, W_A, &p);
		world_no_drops(t);
		assert_int_equal(world_since(t, t->slot[W_A]).delivered, 1);
	}
}

/* The last fragment may not reach beyond 65535 bytes ("ping of death"). */
static void test_fragment_beyond_the_end(void **state)
{
	struct world *t = *state;
	static const uint8_t payload[40];
	struct ip4 ip = a_to_c;
	struct packet p = {0};

	ip.fragment = 8189 - 4; /* 8185 * 8 + 40 = 65520 > 65515 */
	packet_ip4(&p, &ip, payload, sizeof(payload));
	expect(t, &p, DROP_IP_MALFORMED);
	p.len = 0;
	packet_ip4(&p, &ip, payload, 35); /* ends at 65515 */
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_no_drops(t);
}

/* Padding of the frame is no part of the packet, nor of the bytes that are metered. */
static void test_padding_is_cut_off(void **state)
{
	struct world *t = *state;
	struct packet p = {0}, out;

	packet_ip4(&p, &a_to_c, "abc", 3);
	memset(p.bytes + p.len, 0xee, 23);
	p.len += 23;
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(out.len, 14 + 23);
	assert_int_equal(world_since(t, t->slot[W_A]).received_bytes, 23);
	assert_int_equal(world_since(t, t->slot[W_C]).sent_bytes, 23);
}

/* Padding in segments of its own, and across their border. */
static void test_cut_segments(void **state)
{
	struct world *t = *state;
	static const unsigned lengths[] = {20, 1999, 2000, 2001, 3500, 4000, 4001, 5999, 6000};
	static struct packet p, seen;

	p.len = 6000;
	packet_fill(p.bytes, p.len);
	for (unsigned i = 0; i < TEST_COUNT(lengths); i++) {
		struct rte_mbuf *m = NULL;

		for (unsigned s = 0; s < 3; s++) {
			struct packet part = {.len = 2000};
			struct rte_mbuf *piece;

			memcpy(part.bytes, p.bytes + s * 2000, 2000);
			piece = world_mbuf(t, &part);
			if (m)
				assert_int_equal(rte_pktmbuf_chain(m, piece), 0);
			else
				m = piece;
		}
		packet_cut(m, lengths[i]);
		assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
		assert_int_equal(m->nb_segs, (lengths[i] + 1999) / 2000);
		world_bytes(m, &seen);
		assert_int_equal(seen.len, lengths[i]);
		assert_memory_equal(seen.bytes, p.bytes, lengths[i]);
		rte_pktmbuf_free(m);
	}
}

/* TTL by difference equals the sum anew, for every checksum. */
static void test_ttl_checksum(void **state)
{
	for (unsigned id = 0; id < 65536; id++) {
		struct ip4 ip = a_to_c;
		struct packet p = {0}, expect = {0};
		struct rte_ipv4_hdr *h = (struct rte_ipv4_hdr *)p.bytes;

		ip.id = (uint16_t)id;
		ip.ttl = (uint8_t)(2 + id % 254);
		packet_ip4(&p, &ip, NULL, 0);
		assert_true(ipv4_checksum_holds(h));
		ip.ttl--;
		packet_ip4(&expect, &ip, NULL, 0);
		ipv4_ttl_decrement(h, ipv4_ttl_word(h));
		assert_memory_equal(p.bytes, expect.bytes, 20);
		assert_true(ipv4_checksum_holds(h));
		h->hdr_checksum = 0x1234;
		ipv4_checksum_set(h);
		assert_memory_equal(p.bytes, expect.bytes, 20);
	}
}

/* A header is sound exactly when its words add up to 0xffff, whatever is in it. */
static void test_checksum_verdict(void **state)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < 100000; i++) {
		uint8_t octets[20];
		struct rte_ipv4_hdr *h = (struct rte_ipv4_hdr *)octets;
		unsigned bit = rng_below(&rng, 160);

		rng_fill(&rng, octets, sizeof(octets));
		if (i % 4 == 0)
			memset(octets + 1, i % 8 ? 0xff : 0, sizeof(octets) - 1);
		octets[0] = 0x45;
		assert_int_equal(ipv4_checksum_holds(h), packet_checksum(octets, 20, 0) == 0);
		ipv4_checksum_set(h);
		assert_true(ipv4_checksum_holds(h));
		octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(ipv4_checksum_holds(h));
	}
}

/* Folding and adjusting against sums made word by word. */
static void test_sums(void **state)
{
	struct rng rng = test_rng();

	for (unsigned i = 0; i < 100000; i++) {
		uint64_t sum = i % 8 ? rng_u64(&rng) >> rng_below(&rng, 64)
				     : -(uint64_t)rng_below(&rng, 70000);
		uint16_t word[4] = {(uint16_t)sum, (uint16_t)(sum >> 16), (uint16_t)(sum >> 32),
		    (uint16_t)(sum >> 48)};
		uint16_t old = word[0], new = (uint16_t)(rng_u32(&rng) | 1), checksum;
		uint8_t bytes[8];

		for (unsigned k = 0; k < 4; k++)
			put16(bytes + 2 * k, word[k]);
		checksum = packet_checksum(bytes, 8, 0);
		assert_int_equal(sum_fold(sum), (uint16_t)~checksum);
		put16(bytes, new);
		assert_int_equal(packet_checksum(bytes, 8, checksum_adjust(checksum, old, new)), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lengths_that_lie),
	    TEST(test_ipv6_in_an_ipv4_frame),
	    TEST(test_options),
	    TEST(test_checksum),
	    TEST(test_checksum_by_port),
	    TEST(test_martians),
	    TEST(test_no_martians),
	    TEST(test_fragment_beyond_the_end),
	    TEST(test_padding_is_cut_off),
	    TEST(test_cut_segments),
	    cmocka_unit_test(test_ttl_checksum),
	    cmocka_unit_test(test_checksum_verdict),
	    cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
