/* SPDX-License-Identifier: BSD-3-Clause */

/* Tunnels and sizes: fragments before encryption, DF, fragments of outer packets, MSS (M4). */

#include <string.h>

#include "ends.h"

static void test_mtu_and_df(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	ends_inner(&p, "10.100.0.1", DF, INNER_MTU);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_int_equal(ends_carry(t), 1);
	world_no_drops(t);
	ends_inner(&p, "10.100.0.1", DF, INNER_MTU + 1);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_MTU_EXCEEDED);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->mtu, INNER_MTU);
	assert_int_equal(pkt_meta(m)->detail, DROP_MTU_EXCEEDED);
	assert_int_equal(pkt_meta(m)->tunnel, 0); /* where it came from, not where it was to go */
	assert_int_equal(m->pkt_len, INNER_MTU + 1);
	rte_pktmbuf_free(m);
}

/* Fragments enter the tunnel, each encrypted by itself, and leave it as fragments. */
static void test_fragments_before_encryption(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	unsigned bytes = 0, n = 0;

	ends_inner(&p, "10.100.0.1", 0, 9000);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_int_equal(world_since(t, t->slot[W_A]).created, 6);
	assert_int_equal(ends_carry(t), 7);
	world_no_drops(t);
	while (world_sent(t, 1, &out)) {
		const uint8_t *ip = out.bytes + 18;
		unsigned offset = (get16(ip + 6) & 0x1fff) * 8;

		assert_true(out.len - 18 <= INNER_MTU);
		assert_memory_equal(ip + 20, p.bytes + 20 + offset, out.len - 38);
		bytes += out.len - 38;
		n++;
	}
	assert_int_equal(bytes, 8980);
	assert_int_equal(n, 7);
}

/* More fragments than a burst holds, behind a burst of others. */
static void test_burst_of_fragments(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;

	world_mark(t);
	for (unsigned i = 0; i < 40; i++) {
		ends_inner(&p, "10.100.0.1", 0, 4000);
		world_queue_on(t, W_A, &p);
	}
	world_run(t);
	assert_int_equal(world_since(t, t->slot[W_A]).created, 80);
	assert_int_equal(ends_carry(t), 120);
	world_no_drops(t);
	assert_int_equal(world_since(t, e->right.slot).delivered, 120);
}

/* An underlay that is narrower than the tunnel thinks: outer fragments, put together before decryption. */
static void test_outer_fragments(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	struct iface spec = *iface_get(&t->b->ifaces, t->iface[W_UPLINK]);
	static struct packet p, out;

	spec.mtu = 1000;
	assert_true(iface_publish(&t->b->ifaces, &spec) > 0);
	t->waiting = true;
	ends_inner(&p, "10.100.0.1", 0, 1300);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_int_equal(ends_carry(t), 2);
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).received, 2);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).absorbed, 1);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).decrypted, 1);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.len, 18 + 1300);
	assert_memory_equal(out.bytes + 18 + 20, p.bytes + 20, 1280);
}

/* M4: the MSS of a SYN is lowered as it enters a tunnel and as it leaves one. */
static void test_mss(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static const struct {
		uint16_t left, right, said, seen;
	} cases[] = {{1360, 1360, 1460, 1360}, {1300, 1360, 1460, 1300}, {1360, 1300, 1460, 1300},
	    {0, 1300, 1460, 1300}, {1300, 0, 1460, 1300}, {0, 0, 1460, 1460},
	    {1360, 1360, 1200, 1200}};
	static const uint8_t flags[] = {0x02, 0x12};
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.100.0.1"};

	for (unsigned i = 0; i < TEST_COUNT(cases) * TEST_COUNT(flags); i++) {
		uint8_t option[4] = {2, 4};
		static struct packet p, out;

		e->left.spec.mss_v4 = cases[i / 2].left;
		e->right.spec.mss_v4 = cases[i / 2].right;
		tunnel_publish(&t->b->tunnels, &e->left.spec);
		tunnel_publish(&t->b->tunnels, &e->right.spec);
		put16(option + 2, cases[i / 2].said);
		p.len = 0;
		packet_tcp(&p, &ip, 40000, 80, flags[i % 2], option, 4);
		for (unsigned k = 0; k < 3; k++)
			world_queue_on(t, W_A, &p);
		world_run(t);
		assert_int_equal(ends_carry_together(t), 3);
		for (unsigned k = 0; k < 3; k++) {
			assert_true(world_sent(t, 1, &out));
			assert_int_equal(get16(out.bytes + 18 + 42), cases[i / 2].seen);
			assert_true(packet_l4_is_right(out.bytes + 18));
		}
	}
}

/* No SYN, no TCP, no first fragment: not touched. */
static void test_mss_of_others(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;

	for (unsigned i = 0; i < 4; i++) {
		const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.100.0.1"};
		static struct packet p, out;

		p.len = 0;
		packet_tcp(
		    &p, &ip, 40000, 80, i == 0 ? 0x10 : 0x02, (const uint8_t *)"\2\4\xff\xff", 4);
		if (i == 1)
			p.bytes[9] = 253;
		if (i == 2)
			put16(p.bytes + 6, 100);
		if (i == 3) {
			p.len -= 8; /* cut off */
			put16(p.bytes + 2, (unsigned)p.len);
		}
		packet_ip4_fix(p.bytes);
		world_receive_on(t, W_A, &p);
		assert_int_equal(ends_carry(t), 1);
		assert_true(world_sent(t, 1, &out));
		assert_memory_equal(out.bytes + 18 + 20, p.bytes + 20, p.len - 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_mtu_and_df),
	    TEST(test_fragments_before_encryption),
	    TEST(test_burst_of_fragments),
	    TEST(test_outer_fragments),
	    TEST(test_mss),
	    TEST(test_mss_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
