/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments to the router: orders, overlaps, limits, time; and what the ledger says of each. */

#include <string.h>

#include <rte_cycles.h>

#include "world.h"

#define PAYLOAD 4000

/* A UDP datagram on port 500 whose bytes tell their place, as one packet. */
static void datagram(struct packet *whole, uint16_t id)
{
	const struct ip4 ip = {.src = "198.51.100.7", .dst = "203.0.113.10", .id = id};
	uint8_t bytes[PAYLOAD - 8];

	packet_fill(bytes, sizeof(bytes));
	whole->len = 0;
	packet_udp(whole, &ip, 500, 500, bytes, sizeof(bytes));
}

/* Bytes start..end of its payload. */
static void cut(const struct packet *whole, unsigned start, unsigned end, struct packet *piece)
{
	memcpy(piece->bytes, whole->bytes, 20);
	memcpy(piece->bytes + 20, whole->bytes + 20 + start, end - start);
	piece->len = 20 + end - start;
	put16(piece->bytes + 2, (unsigned)piece->len);
	put16(piece->bytes + 6, start / 8 | (end < PAYLOAD ? MF : 0));
	packet_ip4_fix(piece->bytes);
}

static void send_piece(struct world *t, const struct packet *whole, unsigned start, unsigned end)
{
	static struct packet piece;

	cut(whole, start, end, &piece);
	world_receive_on(t, W_UPLINK, &piece);
}

/* The whole packet came out, and only now. */
static void expect_whole(struct world *t, const struct packet *whole)
{
	static struct packet seen;
	struct rte_mbuf *m = world_punted(t, PUNT_IKE_KNOWN);

	assert_non_null(m);
	assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
	world_bytes(m, &seen);
	assert_int_equal(seen.len, whole->len);
	assert_memory_equal(seen.bytes, whole->bytes, whole->len);
	rte_pktmbuf_free(m);
	assert_null(world_punted(t, PUNT_IKE_KNOWN));
}

static void expect_nothing(struct world *t)
{
	assert_null(world_punted(t, PUNT_IKE_KNOWN));
}

static void expect_counts(struct world *t, unsigned received, unsigned absorbed, unsigned dropped)
{
	struct slot_counters since = world_since(t, t->slot[W_UPLINK]);

	assert_int_equal(since.received, received);
	assert_int_equal(since.absorbed, absorbed);
	assert_int_equal(since.drop[DROP_REASSEMBLY], dropped);
}

/* While fragments wait the ledger cannot balance; it does again after this. */
static void let_time_pass(struct world *t)
{
	for (unsigned i = 0; i < W_WORKERS; i++) {
		t->workers[i].now = rte_rdtsc() + 3 * rte_get_tsc_hz();
		reassembly_expire(&t->workers[i]);
	}
}

static const unsigned borders[] = {0, 1000, 2000, 3000, PAYLOAD};

static void test_every_order(void **state)
{
	struct world *t = *state;
	static struct packet whole;
	unsigned orders = 0;

	t->waiting = true;
	for (unsigned code = 0; code < 256; code++) {
		unsigned order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};

		if ((1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3]) != 15)
			continue;
		world_mark(t);
		datagram(&whole, (uint16_t)code);
		for (unsigned i = 0; i < 4; i++) {
			expect_nothing(t);
			send_piece(t, &whole, borders[order[i]], borders[order[i] + 1]);
		}
		expect_whole(t, &whole);
		expect_counts(t, 4, 3, 0);
		orders++;
	}
	assert_int_equal(orders, 24);
}

static void test_two_at_once(void **state)
{
	struct world *t = *state;
	static struct packet a, b;

	t->waiting = true;
	datagram(&a, 1);
	datagram(&b, 2);
	send_piece(t, &a, 0, 2000);
	send_piece(t, &b, 2000, PAYLOAD);
	expect_nothing(t);
	send_piece(t, &a, 2000, PAYLOAD);
	expect_whole(t, &a);
	send_piece(t, &b, 0, 2000);
	expect_whole(t, &b);
}

/* Same addresses and ID, another protocol: another datagram. */
static void test_protocol_is_in_the_key(void **state)
{
	struct world *t = *state;
	static struct packet a, piece;

	t->waiting = true;
	world_mark(t);
	datagram(&a, 1);
	cut(&a, 2000, PAYLOAD, &piece);
	piece.bytes[9] = 50;
	packet_ip4_fix(piece.bytes);
	world_receive_on(t, W_UPLINK, &piece);
	send_piece(t, &a, 0, 2000);
	expect_nothing(t);
	send_piece(t, &a, 2000, PAYLOAD);
	expect_whole(t, &a);
	let_time_pass(t);
	expect_counts(t, 3, 1, 1);
}

/* Overlapping networks of two attachments share nothing. */
static void test_attachment_is_in_the_key(void **state)
{
	struct world *t = *state;
	static struct packet whole, piece;

	t->waiting = true;
	datagram(&whole, 1);
	memcpy(whole.bytes + 16, test_addr("10.1.255.254").bytes, 4);
	cut(&whole, 0, 2000, &piece);
	world_receive_on(t, W_A, &piece);
	cut(&whole, 2000, PAYLOAD, &piece);
	world_receive_on(t, W_B, &piece);
	expect_nothing(t);
	let_time_pass(t);
	assert_int_equal(world_since(t, t->slot[W_A]).drop[DROP_REASSEMBLY], 1);
	assert_int_equal(world_since(t, t->slot[W_B]).drop[DROP_REASSEMBLY], 1);
}

/* A copy is dropped, the datagram still comes together. */
static void test_copies(void **state)
{
	struct world *t = *state;
	static struct packet whole;

	t->waiting = true;
	world_mark(t);
	datagram(&whole, 1);
	send_piece(t, &whole, 0, 2000);
	send_piece(t, &whole, 0, 2000);
	send_piece(t, &whole, 3000, PAYLOAD);
	send_piece(t, &whole, 3000, PAYLOAD);
	send_piece(t, &whole, 2000, 3000);
	expect_whole(t, &whole);
	expect_counts(t, 5, 2, 2);
}

/* RFC 5722: an overlap is no accident; everything of the datagram goes. */
static void test_overlaps(void **state)
{
	struct world *t = *state;
	static const unsigned overlaps[][2] = {{992, 2000}, {1992, 3008}, {1000, 1008},
	    {1992, 2000}, {1000, 2008}, {1008, 2000}, {0, 3000}, {1000, 3000}, {1008, 1992}};

	t->waiting = true;
	for (unsigned i = 0; i < TEST_COUNT(overlaps); i++) {
		static struct packet whole;

		world_mark(t);
		datagram(&whole, (uint16_t)i);
		send_piece(t, &whole, 3000, PAYLOAD);
		send_piece(t, &whole, 1000, 2000);
		expect_counts(t, 2, 0, 0);
		send_piece(t, &whole, overlaps[i][0], overlaps[i][1]);
		expect_counts(t, 3, 0, 3);
		send_piece(t, &whole, 0, 1000);
		send_piece(t, &whole, 2000, 3000);
		expect_nothing(t);
		let_time_pass(t);
		expect_counts(t, 5, 0, 5);
	}
}

/* Two ends, an end before what is there already, and something behind the end. */
static void test_ends_that_disagree(void **state)
{
	struct world *t = *state;
	static struct packet whole, piece;

	t->waiting = true;
	for (unsigned i = 0; i < 3; i++) {
		world_mark(t);
		datagram(&whole, (uint16_t)i);
		if (i == 0) {
			send_piece(t, &whole, 2000, PAYLOAD);
			cut(&whole, 1000, 2000, &piece);
			put16(piece.bytes + 6, get16(piece.bytes + 6) & ~MF);
		} else if (i == 1) {
			send_piece(t, &whole, 2000, 3000);
			cut(&whole, 1000, 2000, &piece);
			put16(piece.bytes + 6, get16(piece.bytes + 6) & ~MF);
		} else {
			send_piece(t, &whole, 3000, PAYLOAD);
			cut(&whole, 0, 1000, &piece);
			put16(piece.bytes + 6, MF | PAYLOAD / 8);
		}
		packet_ip4_fix(piece.bytes);
		world_receive_on(t, W_UPLINK, &piece);
		expect_counts(t, 2, 0, 2);
	}
}

/* Not a multiple of 8 before the end; empty; a first one without room for the headers (RFC 1858). */
static void test_odd_fragments(void **state)
{
	struct world *t = *state;
	static const struct {
		unsigned start, end, bytes;
	} cases[] = {{0, 1000, 999}, {0, 1000, 1001}, {1000, 2000, 4}, {1000, 2000, 0},
	    {3000, PAYLOAD, 0}, {0, 8, 8}, {0, 32, 32}};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		static struct packet whole, piece;

		datagram(&whole, (uint16_t)i);
		cut(&whole, cases[i].start, cases[i].end, &piece);
		piece.len = 20 + cases[i].bytes;
		put16(piece.bytes + 2, (unsigned)piece.len);
		packet_ip4_fix(piece.bytes);
		world_mark(t);
		world_receive_on(t, W_UPLINK, &piece);
		world_dropped_once(t, t->slot[W_UPLINK], DROP_REASSEMBLY);
	}
}

/* 40 bytes are enough. */
static void test_smallest_first_fragment(void **state)
{
	struct world *t = *state;
	static struct packet whole;

	t->waiting = true;
	datagram(&whole, 1);
	send_piece(t, &whole, 0, 40);
	send_piece(t, &whole, 40, PAYLOAD);
	expect_whole(t, &whole);
}

static void test_time(void **state)
{
	struct world *t = *state;
	static struct packet whole;

	t->waiting = true;
	world_mark(t);
	datagram(&whole, 1);
	send_piece(t, &whole, 0, 2000);
	send_piece(t, &whole, 3000, PAYLOAD);
	world_run(t);
	expect_counts(t, 2, 0, 0);
	let_time_pass(t);
	expect_counts(t, 2, 0, 2);
	send_piece(t, &whole, 2000, 3000);
	expect_nothing(t);
	let_time_pass(t);
	t->waiting = false;
	world_run(t);
	expect_counts(t, 3, 0, 3);
}

/* Every datagram beyond the limit pushes out the oldest; a new one still comes together. */
static void test_flood_of_datagrams(void **state)
{
	struct world *t = *state;
	static struct packet whole, piece;

	t->waiting = true;
	world_mark(t);
	for (unsigned i = 0; i < 3000; i++) {
		datagram(&whole, (uint16_t)i);
		cut(&whole, 1000, 1048, &piece);
		world_queue_on(t, W_UPLINK, &piece);
	}
	world_run(t);
	expect_counts(t, 3000, 0, 3000 - 256);
	datagram(&whole, 5000);
	send_piece(t, &whole, 0, 2000);
	send_piece(t, &whole, 2000, PAYLOAD);
	expect_whole(t, &whole);
	let_time_pass(t);
	t->waiting = false;
	world_run(t);
	expect_counts(t, 3002, 1, 3000);
}

/* So does every fragment beyond theirs: no more than 1/8 of the pool waits. */
static void test_flood_of_fragments(void **state)
{
	struct world *t = *state;
	static struct packet whole, piece;
	unsigned sent = 0;

	t->waiting = true;
	world_mark(t);
	for (unsigned i = 0; i < 100; i++) {
		datagram(&whole, (uint16_t)i);
		for (unsigned f = 0; f < 40; f++) {
			cut(&whole, 8 + 96 * f, 56 + 96 * f, &piece);
			world_queue_on(t, W_UPLINK, &piece);
			sent++;
		}
		world_run(t);
		assert_in_range(t->buffers - rte_mempool_avail_count(t->pool), 0, 1024);
	}
	assert_in_range(world_drops(t, DROP_REASSEMBLY), sent - 1024, sent - 900);
	let_time_pass(t);
	t->waiting = false;
	world_run(t);
	expect_counts(t, sent, 0, sent);
}

static void test_too_many_pieces(void **state)
{
	struct world *t = *state;
	static struct packet whole;

	t->waiting = true;
	world_mark(t);
	datagram(&whole, 1);
	for (unsigned i = 0; i < 65; i++)
		send_piece(t, &whole, i * 48, i * 48 + 48);
	expect_counts(t, 65, 0, 65);
}

/* 64 pieces are taken, so a whole packet of 65515 bytes of payload over 1500 bytes each. */
static void test_largest(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "198.51.100.7", .dst = "203.0.113.10", .id = 3};
	static struct packet whole, piece;
	static uint8_t bytes[65507];
	const unsigned payload = sizeof(bytes) + 8;

	t->waiting = true;
	packet_fill(bytes, sizeof(bytes));
	packet_udp(&whole, &ip, 500, 500, bytes, sizeof(bytes));
	for (unsigned start = 0; start < payload; start += 1480) {
		unsigned end = RTE_MIN(start + 1480, payload);

		expect_nothing(t);
		memcpy(piece.bytes, whole.bytes, 20);
		memcpy(piece.bytes + 20, whole.bytes + 20 + start, end - start);
		piece.len = 20 + end - start;
		put16(piece.bytes + 2, (unsigned)piece.len);
		put16(piece.bytes + 6, start / 8 | (end < payload ? MF : 0));
		packet_ip4_fix(piece.bytes);
		world_receive_on(t, W_UPLINK, &piece);
	}
	expect_whole(t, &whole);
}

/* RFC 3168 5.3: CE of one fragment is the whole's, unless another does not know ECN. */
static void test_ecn(void **state)
{
	struct world *t = *state;
	static const struct {
		uint8_t first, second;
		int whole; /* -1: dropped */
	} cases[] = {{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {3, 3, 3}, {3, 2, 3}, {2, 3, 3}, {1, 3, 3},
	    {0, 3, -1}, {3, 0, -1}};

	t->waiting = true;
	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		static struct packet whole, piece;

		world_mark(t);
		datagram(&whole, (uint16_t)i);
		cut(&whole, 0, 2000, &piece);
		piece.bytes[1] = cases[i].first;
		packet_ip4_fix(piece.bytes);
		world_receive_on(t, W_UPLINK, &piece);
		cut(&whole, 2000, PAYLOAD, &piece);
		piece.bytes[1] = cases[i].second;
		packet_ip4_fix(piece.bytes);
		world_receive_on(t, W_UPLINK, &piece);
		if (cases[i].whole < 0) {
			expect_counts(t, 2, 0, 2);
			expect_nothing(t);
		} else {
			whole.bytes[1] = (uint8_t)cases[i].whole;
			packet_ip4_fix(whole.bytes);
			expect_whole(t, &whole);
		}
	}
}

/* Outer ESP in fragments reaches decryption as one packet. */
static void test_esp(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {
	    .src = "198.51.100.7", .dst = "203.0.113.10", .id = 3, .protocol = 50};
	static const uint8_t esp[1600] = {1, 2, 3, 4};
	static struct packet whole, piece;

	t->waiting = true;
	world_mark(t);
	packet_ip4(&whole, &ip, esp, sizeof(esp));
	for (unsigned i = 0; i < 2; i++) {
		memcpy(piece.bytes, whole.bytes, 820);
		piece.len = 820;
		put16(piece.bytes + 2, 820);
		put16(piece.bytes + 6, i ? 100 : MF);
		packet_ip4_fix(piece.bytes);
		world_receive_on(t, W_UPLINK, &piece);
	}
	expect_counts(t, 2, 1, 0);
	assert_int_equal(world_drops(t, DROP_ESP_UNKNOWN_SPI), 1);
}

/* Fragments that wait when the worker ends are dropped; the fixture looks at the ledger and the pool. */
static void test_end_of_worker(void **state)
{
	struct world *t = *state;
	static struct packet whole;

	t->waiting = true;
	datagram(&whole, 1);
	send_piece(t, &whole, 0, 2000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_order),
	    TEST(test_two_at_once),
	    TEST(test_protocol_is_in_the_key),
	    TEST(test_attachment_is_in_the_key),
	    TEST(test_copies),
	    TEST(test_overlaps),
	    TEST(test_ends_that_disagree),
	    TEST(test_odd_fragments),
	    TEST(test_smallest_first_fragment),
	    TEST(test_time),
	    TEST(test_flood_of_datagrams),
	    TEST(test_flood_of_fragments),
	    TEST(test_too_many_pieces),
	    TEST(test_largest),
	    TEST(test_ecn),
	    TEST(test_esp),
	    TEST(test_end_of_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
