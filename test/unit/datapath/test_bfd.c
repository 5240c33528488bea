/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BFD on the clock of a worker: what is heard, what is handed over, what is refused (D1), when packets leave and
 * when silence is told (RFC 5880 6.8.4, 6.8.6, 6.8.7; RFC 5881 5).
 *
 *   10.1.0.1 - W_A - 10.1.255.254: our session, known to the world as discriminator 0x5a0001
 */

#include <string.h>

#include <rte_cycles.h>

#include "boundary/bfd.h"
#include "world.h"

#define OURS   0x5a0000u
#define THEIRS 0x77u
#define UP     (3 << 6)
#define DOWN   (1 << 6)

static void body_of(uint8_t out[24], uint8_t flags, uint32_t mine, uint32_t yours)
{
	const uint8_t body[24] = {1 << 5, flags, 3, 24, (uint8_t)(mine >> 24),
	    (uint8_t)(mine >> 16), (uint8_t)(mine >> 8), (uint8_t)mine, (uint8_t)(yours >> 24),
	    (uint8_t)(yours >> 16), (uint8_t)(yours >> 8), (uint8_t)yours, 0, 1, 0x86, 0xa0, 0, 1,
	    0x86, 0xa0};

	memcpy(out, body, sizeof(body));
}

static struct bfd_orders session(struct world *t)
{
	struct bfd_orders o = {.index = bfd_alloc(&t->b->bfd),
	    .generation = 1,
	    .iface = (uint16_t)t->iface[W_A],
	    .nexthop = t->connected[W_A],
	    .source_port = 49152,
	    .up = true};
	struct ip_addr local = test_addr("10.1.255.254"), peer = test_addr("10.1.0.1");

	o.discriminator = OURS | o.index;
	memcpy(&o.local_be, local.bytes, 4);
	memcpy(&o.peer_be, peer.bytes, 4);
	body_of(o.packet, UP, o.discriminator, THEIRS);
	body_of(o.expected, UP, THEIRS, o.discriminator);
	return o;
}

static void packet_of(struct packet *p, const uint8_t body[24], uint8_t ttl, const char *src)
{
	const struct ip4 ip = {.src = src, .dst = "10.1.255.254", .protocol = 17, .ttl = ttl};

	p->len = 0;
	packet_udp(p, &ip, 50000, 3784, body, 24);
}

static void the_expected_packet_is_heard_and_kept(void **state)
{
	struct world *t = *state;
	struct bfd_orders o = session(t);
	static struct packet p;

	bfd_publish(&t->b->bfd, &o);
	packet_of(&p, o.expected, 255, "10.1.0.1");
	world_mark(t);
	for (unsigned i = 0; i < 10; i++)
		world_receive_on(t, W_A, &p);
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_A]).absorbed, 10);
	assert_null(world_punted(t, PUNT_BFD));
	assert_int_equal(atomic_load(&t->b->bfd.live[o.index].received), 10);
}

static void what_is_new_goes_to_control(void **state)
{
	struct world *t = *state;
	struct bfd_orders o = session(t);
	static struct packet p;
	uint8_t body[24];
	struct rte_mbuf *m;
	static const uint8_t flags[] = {UP | 0x20, UP | 0x10, DOWN, 2 << 6, 0};

	bfd_publish(&t->b->bfd, &o);
	for (unsigned i = 0; i < TEST_COUNT(flags); i++) {
		memcpy(body, o.expected, sizeof(body));
		body[1] = flags[i];
		packet_of(&p, body, 255, "10.1.0.1");
		world_receive_on(t, W_A, &p);
		m = world_punted(t, PUNT_BFD);
		assert_non_null(m);
		assert_int_equal(pkt_meta(m)->iface, t->iface[W_A]);
		rte_pktmbuf_free(m);
	}
	body_of(body, DOWN, THEIRS, 0); /* a stranger begins */
	packet_of(&p, body, 255, "10.1.0.77");
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_BFD);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	o.up = false; /* not up: every packet matters */
	o.generation++;
	bfd_publish(&t->b->bfd, &o);
	packet_of(&p, o.expected, 255, "10.1.0.1");
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_BFD);
	assert_non_null(m);
	rte_pktmbuf_free(m);
}

static void refused(struct world *t, const struct packet *p, enum drop_reason reason)
{
	world_mark(t);
	world_receive_on(t, W_A, p);
	world_dropped_once(t, t->slot[W_A], reason);
	assert_null(world_punted(t, PUNT_BFD));
}

static void lies_are_refused(void **state)
{
	struct world *t = *state;
	struct bfd_orders o = session(t);
	static struct packet p;
	uint8_t body[24];
	static const struct {
		unsigned at;
		uint8_t value;
	} lies[] = {{0, 0}, {0, 2 << 5}, {1, UP | 0x04}, {1, UP | 0x01}, {2, 0}, {3, 0}, {3, 23},
	    {3, 25}, {3, 255}, {8, 9}, {11, 0xfe}};

	bfd_publish(&t->b->bfd, &o);
	for (unsigned i = 0; i < TEST_COUNT(lies); i++) {
		memcpy(body, o.expected, sizeof(body));
		body[lies[i].at] = lies[i].value;
		packet_of(&p, body, 255, "10.1.0.1");
		refused(t, &p, DROP_BFD_INVALID);
	}
	packet_of(&p, o.expected, 254, "10.1.0.1"); /* GTSM */
	refused(t, &p, DROP_BFD_INVALID);
	packet_of(&p, o.expected, 255, "10.1.0.2"); /* not the far end */
	refused(t, &p, DROP_BFD_INVALID);
	body_of(body, UP, THEIRS, 0); /* Up, without a session to name */
	packet_of(&p, body, 255, "10.1.0.1");
	refused(t, &p, DROP_BFD_INVALID);
	body_of(body, UP, 0, o.discriminator);
	packet_of(&p, body, 255, "10.1.0.1");
	refused(t, &p, DROP_BFD_INVALID);
	packet_of(&p, o.expected, 255, "10.1.0.1");
	p.bytes[30] ^= 1; /* the checksum does not hold */
	refused(t, &p, DROP_UDP_MALFORMED);
	assert_int_equal(atomic_load(&t->b->bfd.live[o.index].received), 0);
}

/* Rounds until the clock of the worker has gone on by so much. */
static void pass(struct world *t, uint64_t us)
{
	uint64_t end = rte_rdtsc() + us * rte_get_tsc_hz() / 1000000;

	while (rte_rdtsc() < end)
		world_run(t);
}

static unsigned sent(struct world *t, uint8_t *flags, uint8_t *diag)
{
	static struct packet out;
	unsigned n = 0;

	while (world_sent(t, 1, &out)) {
		const uint8_t *ip = out.bytes + 18;

		assert_int_equal(out.len, 18 + 52);
		assert_int_equal(ip[8], 255);
		assert_true(packet_ip4_is_right(ip) && packet_l4_is_right(ip));
		assert_int_equal(get16(ip + 22), 3784);
		assert_true(get16(ip + 20) >= 49152);
		*diag = ip[28] & 0x1f;
		*flags = ip[29];
		n++;
	}
	return n;
}

static void packets_leave_by_the_clock(void **state)
{
	struct world *t = *state;
	struct bfd_orders o = session(t);
	uint8_t flags = 0, diag = 0;

	o.transmit_cycles = rte_get_tsc_hz() / 200; /* 5 ms, less up to a quarter */
	bfd_publish(&t->b->bfd, &o);
	uint64_t begin = rte_rdtsc();
	pass(t, 200000);
	uint64_t took = rte_rdtsc() - begin;
	unsigned n = sent(t, &flags, &diag);
	assert_true(n > 1);
	assert_true(n <= took / (o.transmit_cycles * 3 / 4) + 2); /* never faster than that */
	assert_int_equal(flags, UP);
	assert_int_equal(world_since(t, SLOT_CONTROL).drop[DROP_NEIGH_UNRESOLVED], 0);
	bfd_release(&t->b->bfd, o.index);
	pass(t, 20000);
	sent(t, &flags, &diag);
	pass(t, 20000);
	assert_int_equal(sent(t, &flags, &diag), 0);
}

static void silence_is_told_once_and_not_early(void **state)
{
	struct world *t = *state;
	struct bfd_orders o = session(t);
	struct event ev[4];
	uint8_t flags = 0, diag = 0;
	static struct packet p;

	o.transmit_cycles = rte_get_tsc_hz() / 200;
	o.detect_cycles = rte_get_tsc_hz() / 10; /* 100 ms */
	packet_of(&p, o.expected, 255, "10.1.0.1");
	bfd_publish(&t->b->bfd, &o);
	for (unsigned i = 0; i < 60; i++) { /* heard now and then: alive for far longer */
		world_receive_on(t, W_A, &p);
		pass(t, 5000);
	}
	assert_int_equal(events_take(t->b->events, ev, 4), 0);
	uint64_t heard = atomic_load(&t->b->bfd.live[o.index].heard);
	unsigned got = 0;
	while (got == 0) {
		pass(t, 1000);
		got = events_take(t->b->events, ev, 4);
	}
	assert_true(rte_rdtsc() - heard >= o.detect_cycles);
	assert_int_equal(got, 1);
	assert_int_equal(ev[0].kind, EVENT_BFD_EXPIRED);
	assert_int_equal(ev[0].spi, o.index);
	assert_int_equal(ev[0].inbound, 1);
	sent(t, &flags, &diag);
	pass(t, 50000);
	assert_true(
	    sent(t, &flags, &diag) > 0); /* the far end hears of it, whatever control does */
	assert_int_equal(flags, DOWN);
	assert_int_equal(diag, 1);
	assert_int_equal(events_take(t->b->events, ev, 4), 0);
	o.generation++; /* new orders end it */
	bfd_publish(&t->b->bfd, &o);
	pass(t, 20000);
	sent(t, &flags, &diag);
	assert_int_equal(flags, UP);
}

/* A worker that was not running has heard nobody, and blames nobody. */
static void a_worker_that_was_away_does_not_count_it(void **state)
{
	struct world *t = *state;
	struct bfd_orders o = session(t);
	struct event ev;

	o.detect_cycles = rte_get_tsc_hz() / 20; /* 50 ms */
	bfd_publish(&t->b->bfd, &o);
	pass(t, 5000);
	rte_delay_us_block(150000);
	world_run(t);
	assert_int_equal(events_take(t->b->events, &ev, 1), 0);
	unsigned got = 0;
	while (got == 0) {
		pass(t, 1000);
		got = events_take(t->b->events, &ev, 1);
	}
	assert_int_equal(got, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_expected_packet_is_heard_and_kept),
	    TEST(what_is_new_goes_to_control),
	    TEST(lies_are_refused),
	    TEST(packets_leave_by_the_clock),
	    TEST(silence_is_told_once_and_not_early),
	    TEST(a_worker_that_was_away_does_not_count_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
