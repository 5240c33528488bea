/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragmentation: the arithmetic of every size and MTU, and the content put together again by an oracle that knows
 * RFC 791 and nothing of the code.
 */

#include <string.h>

#include "world.h"

/* A datagram as fragments make it. */
struct oracle {
	uint8_t bytes[PACKET_MAX];
	bool have[PACKET_MAX];
	size_t end; /* 0: last fragment not seen */
	unsigned fragments;
};

/* A fragment of the packet `whole` that must fit `mtu`; all but the last as full as they can be. */
static void oracle_take(
    struct oracle *o, const uint8_t *ip, size_t len, const uint8_t *whole, unsigned mtu)
{
	unsigned word = get16(ip + 6), offset = (word & 0x1fff) * 8;
	unsigned start = (get16(whole + 6) & 0x1fff) * 8;

	assert_true(len <= mtu);
	assert_int_equal(get16(ip + 2), len);
	assert_true(packet_ip4_is_right(ip));
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[1], whole[1]);
	assert_memory_equal(ip + 4, whole + 4, 2);
	assert_memory_equal(ip + 9, whole + 9, 1);
	assert_memory_equal(ip + 12, whole + 12, 8);
	assert_int_equal(word & 0xc000, 0);
	assert_true(offset >= start);
	offset -= start;
	for (size_t i = 20; i < len; i++) {
		assert_false(o->have[offset + i - 20]);
		o->have[offset + i - 20] = true;
		o->bytes[offset + i - 20] = ip[i];
	}
	if (word & MF) {
		assert_int_equal((len - 20) % 8, 0);
		if (!(get16(whole + 6) & MF) || offset + len - 20 < get16(whole + 2) - 20u)
			assert_true(len + 8 > mtu);
	} else {
		o->end = offset + len - 20;
	}
	o->fragments++;
}

static void check(
    struct world *t, const struct ip4 *ip, size_t payload, unsigned mtu, unsigned expect)
{
	static uint8_t bytes[PACKET_MAX];
	static struct packet p, seen;
	static struct oracle o;
	struct rte_mbuf *out[FRAGMENTS_MAX], *m;
	struct slot_counters since;
	unsigned n;

	packet_fill(bytes, payload);
	p.len = 0;
	packet_ip4(&p, ip, bytes, payload);
	m = world_mbuf(t, &p);
	pkt_meta(m)->slot = t->slot[W_A];
	pkt_meta(m)->attachment = W_A;
	pkt_meta(m)->nexthop = 4711;
	world_mark(t);
	n = fragment(t->w, m, mtu, out);
	assert_int_equal(n, expect);
	since = world_since(t, t->slot[W_A]);
	assert_int_equal(since.created, n - 1);
	memset(&o, 0, sizeof(o));
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(rte_mbuf_check(out[i], 1, &(const char *){NULL}), 0);
		assert_int_equal(pkt_meta(out[i])->slot, t->slot[W_A]);
		assert_int_equal(pkt_meta(out[i])->nexthop, 4711);
		assert_true(rte_pktmbuf_headroom(out[i]) >= 80);
		world_bytes(out[i], &seen);
		oracle_take(&o, seen.bytes, seen.len, p.bytes, mtu);
		rte_pktmbuf_free(out[i]);
	}
	for (size_t i = 0; i < payload; i++)
		assert_true(o.have[i]);
	assert_memory_equal(o.bytes, bytes, payload);
	assert_int_equal(o.end, ip->fragment & MF ? 0 : payload);
}

static void test_sizes(void **state)
{
	struct ip4 ip = {
	    .src = "10.1.0.1", .dst = "10.9.0.1", .protocol = 253, .id = 77, .tos = 0xb9};
	static const unsigned mtus[] = {68, 576, 1280, 1300, 1406, 1438, 1446, 1499, 1500};

	for (unsigned i = 0; i < TEST_COUNT(mtus); i++) {
		unsigned unit = (mtus[i] - 20) / 8 * 8;

		for (unsigned payload = mtus[i] - 20 + 1; payload < 1600; payload += 13)
			check(*state, &ip, payload, mtus[i], (payload + unit - 1) / unit);
		for (unsigned k = 1; k <= 4; k++)
			for (int d = -9; d <= 9; d++)
				if (k * unit + d > mtus[i] - 20)
					check(*state, &ip, k * unit + d, mtus[i],
					    (k * unit + d + unit - 1) / unit);
	}
}

/* Chained buffers, up to the most fragments there may be. */
static void test_large(void **state)
{
	struct ip4 ip = {.src = "10.1.0.1", .dst = "10.9.0.1", .protocol = 253, .id = 77};

	check(*state, &ip, 9000, 1500, 7);
	check(*state, &ip, 9000, 1300, 8);
	check(*state, &ip, 64 * 576, 596, 64);
	check(*state, &ip, 60000, 1500, 41);
	check(*state, &ip, 9000, 4000, 3);
}

/* A fragment is cut again; only the last piece of the last fragment ends the datagram. */
static void test_fragment_of_fragment(void **state)
{
	static const uint16_t words[] = {MF, MF | 3, 3, MF | 185, 185, 1000};

	for (unsigned i = 0; i < TEST_COUNT(words); i++) {
		struct ip4 ip = {.src = "10.1.0.1",
		    .dst = "10.9.0.1",
		    .protocol = 253,
		    .id = 77,
		    .fragment = words[i]};

		check(*state, &ip, 1480, 1300, 2);
		check(*state, &ip, 1480, 576, 3);
	}
}

static struct rte_mbuf *packet_from_a(struct world *t, uint16_t word, size_t payload)
{
	struct ip4 ip = {.src = "10.1.0.1", .dst = "10.9.0.1", .protocol = 253, .fragment = word};
	static uint8_t bytes[PACKET_MAX];
	static struct packet p;
	struct rte_mbuf *m;

	p.len = 0;
	packet_ip4(&p, &ip, bytes, payload);
	m = world_mbuf(t, &p);
	pkt_meta(m)->slot = t->slot[W_A];
	pkt_meta(m)->attachment = W_A;
	world_mark(t);
	return m;
}

static void test_df(void **state)
{
	struct world *t = *state;
	struct rte_mbuf *out[FRAGMENTS_MAX], *m;

	assert_int_equal(fragment(t->w, packet_from_a(t, DF, 1400), 1300, out), 0);
	assert_int_equal(world_drops(t, DROP_MTU_EXCEEDED), 1);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->detail, DROP_MTU_EXCEEDED);
	assert_int_equal(pkt_meta(m)->mtu, 1300);
	assert_int_equal(m->pkt_len, 1420);
	rte_pktmbuf_free(m);
}

/* Nobody is told about what the router itself sent too big. */
static void test_df_of_own(void **state)
{
	struct world *t = *state;
	struct rte_mbuf *out[FRAGMENTS_MAX], *m = packet_from_a(t, DF, 1400);

	pkt_meta(m)->attachment = 0;
	assert_int_equal(fragment(t->w, m, 1300, out), 0);
	assert_int_equal(world_drops(t, DROP_MTU_EXCEEDED), 1);
	assert_null(world_punted(t, PUNT_ICMP_ERROR));
}

static void test_cannot(void **state)
{
	struct world *t = *state;
	struct rte_mbuf *out[FRAGMENTS_MAX];

	assert_int_equal(fragment(t->w, packet_from_a(t, 0, 1400), 27, out), 0);
	assert_int_equal(world_drops(t, DROP_FRAG_FAILED), 1);
	assert_int_equal(fragment(t->w, packet_from_a(t, 0, 1400), 0, out), 0);
	assert_int_equal(world_drops(t, DROP_FRAG_FAILED), 1);
	assert_int_equal(fragment(t->w, packet_from_a(t, 0, 65 * 24), 44, out), 0);
	assert_int_equal(world_drops(t, DROP_FRAG_FAILED), 1);
}

static void test_no_memory(void **state)
{
	struct world *t = *state;
	struct rte_mbuf *out[FRAGMENTS_MAX], *m = packet_from_a(t, 0, 9000);
	static struct rte_mbuf *hoard[8192];
	unsigned n = 0;

	while (n < 8192 && (hoard[n] = rte_pktmbuf_alloc(t->pool)))
		n++;
	for (unsigned spare = 0; spare < 6; spare++) {
		struct rte_mbuf *copy;

		for (unsigned i = 0; i < 5 + spare; i++)
			rte_pktmbuf_free(hoard[--n]);
		copy = rte_pktmbuf_copy(m, t->pool, 0, UINT32_MAX);
		assert_non_null(copy);
		*pkt_meta(copy) = *pkt_meta(m);
		world_mark(t);
		assert_int_equal(fragment(t->w, copy, 1500, out), 0);
		assert_int_equal(world_drops(t, DROP_NO_MBUF), 1);
		assert_int_equal(world_since(t, t->slot[W_A]).created, 0);
		while ((hoard[n] = rte_pktmbuf_alloc(t->pool)))
			n++;
	}
	rte_pktmbuf_free(m);
	rte_pktmbuf_free_bulk(hoard, n);
}

/* On the wire: attachment 3 has an MTU of 1300. */
static void test_through_the_router(void **state)
{
	struct world *t = *state;
	struct ip4 ip = {.src = "10.1.0.1", .dst = "10.3.0.1", .protocol = 253, .id = 5};
	static uint8_t bytes[1480];
	struct packet p = {0}, out;
	struct slot_counters since;

	packet_ip4(&p, &ip, bytes, 1280);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_true(world_sent(t, 2, &out)); /* exactly 1300 fits */
	assert_int_equal(out.len, 14 + 1300);
	p.len = 0;
	packet_ip4(&p, &ip, bytes, 1281);
	world_receive_on(t, W_A, &p);
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(out.len, 14 + 1300);
	assert_int_equal(get16(out.bytes + 14 + 6), MF);
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(out.len, 14 + 21);
	assert_int_equal(get16(out.bytes + 14 + 6), 160);
	assert_false(world_sent(t, 2, &out));
	since = world_since(t, t->slot[W_A]);
	assert_int_equal(since.received, 2);
	assert_int_equal(since.created, 1);
	assert_int_equal(since.delivered, 3);
	ip.fragment = DF;
	p.len = 0;
	packet_ip4(&p, &ip, bytes, 1281);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_MTU_EXCEEDED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* fragment() alone moves no packet in or out: the slot is made to balance by hand. */
static int settle(void **state)
{
	struct world *t = *state;
	struct slot_counters *slot = &t->w->slots[t->slot[W_A]];

	memset(slot, 0, sizeof(*slot));
	return world_teardown(state);
}
#define ALONE(f) cmocka_unit_test_setup_teardown(f, world_setup, settle)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(test_sizes),
	    ALONE(test_large),
	    ALONE(test_fragment_of_fragment),
	    ALONE(test_df),
	    ALONE(test_df_of_own),
	    ALONE(test_cannot),
	    ALONE(test_no_memory),
	    TEST(test_through_the_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
