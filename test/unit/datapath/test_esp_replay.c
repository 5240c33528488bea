/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Replays and late packets through the whole inbound stage, with the library's own window switched off or kept from
 * doing harm (ES-04, ES-05); lifetimes (ES-12); events for control (T22).
 */

#include "esp_rig.h"
#include "testing_eal.h"

#define LEN 60

static struct sa_spec peer_of(struct rig *r, struct suite s, uint32_t spi, bool esn,
    uint32_t window, uint64_t first, struct sa_in **in)
{
	struct sa_spec spec = rig_spec(r, s, spi), mirror;

	spec.esn = esn;
	mirror = rig_mirror(&spec);
	mirror.window = window;
	mirror.first_sequence = first;
	*in = rig_in(r, &mirror);
	return spec;
}

static struct rte_mbuf *outer_packet(struct rig *r, const struct sa_spec *spec, uint64_t sequence)
{
	static const struct oracle_trailer right;
	static const uint8_t iv[16] = {1, 2, 3};
	static struct packet inner, p;
	static uint8_t esp[ORACLE_MAX];

	rig_inner(&inner, LEN);
	rig_outer(&p, spec, esp, oracle_seal(spec, sequence, iv, &right, inner.bytes, LEN, esp));
	return rig_to_receive(r, p.bytes, p.len);
}

/* Receives packets with these numbers as one burst; returns how many came through. */
static unsigned receive(
    struct rig *r, const struct sa_spec *spec, const uint64_t *sequence, unsigned n)
{
	struct rte_mbuf *m[BURST_MAX], *inner[BURST_MAX];

	for (unsigned i = 0; i < n; i++)
		m[i] = outer_packet(r, spec, sequence[i]);
	n = rig_receive(r, m, n, inner);
	for (unsigned i = 0; i < n; i++)
		rig_free(r, inner[i]);
	return n;
}

static unsigned receive_one(struct rig *r, const struct sa_spec *spec, uint64_t sequence)
{
	return receive(r, spec, &sequence, 1);
}

/* Numbers since `first`, as a receiver with unlimited memory would judge them. */
struct model {
	uint64_t first, top;
	uint32_t window;
	bool seen[60000];
};

static bool model_accepts(struct model *m, uint64_t s)
{
	if (s < m->first || (s <= m->top && m->top - s >= m->window) || m->seen[s - m->first])
		return false;
	m->seen[s - m->first] = true;
	if (s > m->top)
		m->top = s;
	return true;
}

/* Bursts in random order with copies of old packets and jumps: exactly what the model accepts comes through. */
static void like_model(struct rig *r, struct suite s, uint32_t spi, bool esn, uint32_t window)
{
	static struct model m;
	struct rng rng = test_rng();
	struct sa_spec spec;
	struct sa_in *in;

	memset(&m, 0, sizeof(m));
	m.first = esn ? UINT64_C(0x4ffff8000) : 1; /* through 2^32 with ESN */
	m.top = m.first - 1;
	m.window = window;
	spec = peer_of(r, s, spi, esn, window, m.first, &in);
	for (unsigned burst = 0; burst < 400; burst++) {
		unsigned n = 1 + rng_below(&rng, BURST_MAX), expected = 0;
		uint64_t sequence[BURST_MAX];

		for (unsigned i = 0; i < n; i++) {
			uint32_t what = rng_below(&rng, 100);
			uint64_t back = rng_below(&rng, window + window / 4);

			if (what < 40 && m.top >= m.first + back)
				sequence[i] = m.top - back;
			else
				sequence[i] = m.top + 1 +
				    (what == 99 ? rng_below(&rng, window) : rng_below(&rng, 3));
			if (sequence[i] - m.first >= TEST_COUNT(m.seen))
				return;
			expected += model_accepts(&m, sequence[i]);
		}
		assert_int_equal(receive(r, &spec, sequence, n), expected);
		assert_int_equal(in->replay.top, m.top);
	}
}

static void windows(void **state)
{
	static const uint32_t sizes[] = {32, 64, 128, 256, 1024, 1984, 2048, 4096, 32768};
	struct rig *r = *state;

	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		like_model(r, GCM, 0x100 + i, false, sizes[i]);
		like_model(r, CBC_SHA1, 0x200 + i, false, sizes[i]);
	}
	assert_int_equal(rig_drops(r, DROP_ESP_ICV), 0);
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		like_model(r, GCM, 0x300 + i, true, sizes[i]);
		like_model(r, CBC_SHA1, 0x400 + i, true, sizes[i]);
	}
	/* left of the window that infers ESN, a number is taken for one 2^32 later, which its ICV denies */
	assert_true(rig_drops(r, DROP_ESP_ICV) < rig_drops(r, DROP_ESP_REPLAY_OLD));
	assert_int_equal(rig_drops(r, DROP_CRYPTO_FAILED), 0);
	assert_int_equal(rig_drops(r, DROP_ESP_PADDING), 0);
}

/* 640 packets, then each of them again, byte by byte the same: none passes twice. */
static void identical_copies(void **state)
{
	struct rig *r = *state;

	for (unsigned esn = 0; esn < 2; esn++) {
		struct sa_in *in;
		struct sa_spec spec = peer_of(r, GCM, 0x500 + esn, esn, 64, 0, &in);

		for (uint64_t s = 1; s <= 640; s++) {
			assert_int_equal(receive_one(r, &spec, s), 1);
			for (uint64_t again = s > 63 ? s - 63 : 1; again <= s; again += 7)
				assert_int_equal(receive_one(r, &spec, again), 0);
		}
		assert_int_equal(in->packets, 640);
	}
}

static void copies_in_one_burst(void **state)
{
	struct rig *r = *state;
	uint64_t sequence[BURST_MAX];

	for (unsigned i = 0; i < 2; i++) {
		struct sa_in *in;
		struct sa_spec spec = peer_of(r, i ? CBC_SHA1 : GCM, 0x580 + i, false, 64, 0, &in);

		for (unsigned k = 0; k < BURST_MAX; k++)
			sequence[k] = 1 + k / 4;
		assert_int_equal(receive(r, &spec, sequence, BURST_MAX), BURST_MAX / 4);
		rig_dropped(r, DROP_ESP_REPLAY, BURST_MAX / 4 * 3);
		assert_int_equal(in->head.of_worker[0].replay, BURST_MAX / 4 * 3);
		sequence[0] = 1000;
		sequence[1] = 900;
		assert_int_equal(receive(r, &spec, sequence, 2), 1);
		rig_dropped(r, DROP_ESP_REPLAY_OLD, 1);
		assert_int_equal(in->head.of_worker[0].replay_old, 1);
	}
}

/*
 * With ESN, a burst that moves the window past a packet behind in the same burst: that one is old, not one
 * of the next 2^32 numbers, and the SA lives on. (rte_ipsec would take it for new and refuse all that follow.)
 */
static void late_behind_a_jump(void **state)
{
	static const uint64_t burst[] = {1000, 9000, 1001, 9001}, after[] = {9002, 9003};
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct sa_in *in;
		struct sa_spec spec = peer_of(r, i ? CBC_SHA1 : GCM, 0x600 + i, true, 1024, 0, &in);

		assert_int_equal(receive(r, &spec, burst, 4), 3);
		rig_dropped(r, DROP_ESP_REPLAY_OLD, 1);
		assert_int_equal(in->replay.top, 9001);
		assert_int_equal(receive(r, &spec, after, 2), 2);
	}
}

/* Between our window and the library's wider one: old as well, and the upper half is inferred alike. */
static void older_than_ours(void **state)
{
	struct rig *r = *state;
	struct sa_in *in;
	struct sa_spec spec = peer_of(r, GCM, 0x700, true, 64, 0, &in);

	assert_int_equal(receive_one(r, &spec, 5000), 1);
	for (uint64_t s = 5000 - 1990; s <= 5000 - 64; s += 13) {
		assert_int_equal(receive_one(r, &spec, s), 0);
		assert_int_equal(in->replay.top, 5000);
	}
	assert_int_equal(receive_one(r, &spec, 5000 - 63), 1);
	assert_int_equal(receive_one(r, &spec, 5001), 1);
}

/* A forged number far ahead does not move the window. */
static void forged_numbers(void **state)
{
	struct rig *r = *state;

	for (unsigned esn = 0; esn < 2; esn++) {
		struct sa_in *in;
		struct sa_spec spec = peer_of(r, GCM, 0x800 + esn, esn, 64, 0, &in);
		struct rte_mbuf *m = outer_packet(r, &spec, 5), *inner[BURST_MAX];

		rte_pktmbuf_mtod(m, uint8_t *)[24] = 0x7f;
		assert_int_equal(rig_receive(r, &m, 1, inner), 0);
		rig_dropped(r, DROP_ESP_ICV, 1);
		assert_int_equal(in->replay.top, 0);
		assert_int_equal(receive_one(r, &spec, 5), 1);
	}
}

/* Without ESN the numbers end; what the peer would send after them is old. */
static void end_of_numbers(void **state)
{
	struct rig *r = *state;
	struct sa_in *in;
	struct sa_spec spec = peer_of(r, GCM, 0x900, false, 64, 0xfffffff0, &in);

	for (uint64_t s = 0xfffffff0; s <= 0xffffffff; s++)
		assert_int_equal(receive_one(r, &spec, s), 1);
	for (uint64_t s = 0; s < 5; s++)
		assert_int_equal(receive_one(r, &spec, s), 0);
	rig_dropped(r, DROP_ESP_REPLAY_OLD, 5);
}

/* Lifetimes */

static void packet_limit(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0xa00), mirror = rig_mirror(&spec);
	uint64_t sequence[40];
	struct event ev;
	struct sa_in *in;

	mirror.tunnel = 9;
	mirror.soft_packets = 20;
	mirror.hard_packets = 30;
	in = rig_in(r, &mirror);
	for (unsigned i = 0; i < 40; i++)
		sequence[i] = i + 1;
	assert_int_equal(receive(r, &spec, sequence, 19), 19);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_USED);
	assert_int_equal(ev.tunnel, 9);
	assert_int_equal(ev.spi, 0xa00);
	assert_true(ev.inbound);
	assert_false(rig_event(r, &ev));
	assert_int_equal(receive(r, &spec, sequence + 19, 1), 1);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_SOFT);
	assert_int_equal(receive(r, &spec, sequence + 20, 20), 10);
	rig_dropped(r, DROP_SA_EXPIRED, 10);
	assert_int_equal(in->packets, 30);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_HARD);
	assert_false(rig_event(r, &ev));
}

static void byte_limit(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, CBC_SHA1, 0xa01), mirror = rig_mirror(&spec);
	uint64_t sequence[40];
	unsigned kinds = 0;
	struct event ev;

	mirror.hard_bytes = 30 * LEN + LEN - 1;
	mirror.soft_bytes = 10 * LEN;
	rig_in(r, &mirror);
	for (unsigned i = 0; i < 40; i++)
		sequence[i] = i + 1;
	assert_int_equal(receive(r, &spec, sequence, 40), 30);
	rig_dropped(r, DROP_SA_EXPIRED, 10);
	for (; rig_event(r, &ev); kinds |= 1u << ev.kind)
		assert_int_equal(kinds & 1u << ev.kind, 0);
	assert_int_equal(kinds, 1 << EVENT_SA_SOFT | 1 << EVENT_SA_HARD | 1 << EVENT_SA_USED);
}

/* The same, set while the SA is in use: it counts from then on. */
static void byte_limit_later(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, CBC_SHA1, 0xa02), mirror = rig_mirror(&spec);
	uint64_t sequence[60];
	struct sa_in *in = rig_in(r, &mirror);
	unsigned kinds = 0;
	struct event ev;

	for (unsigned i = 0; i < 60; i++)
		sequence[i] = i + 1;
	assert_int_equal(receive(r, &spec, sequence, 20), 20);
	sa_in_limit_bytes(in, 10 * LEN, 30 * LEN);
	assert_int_equal(receive(r, &spec, sequence + 20, 40), 30);
	rig_dropped(r, DROP_SA_EXPIRED, 10);
	for (; rig_event(r, &ev); kinds |= 1u << ev.kind)
		assert_int_equal(kinds & 1u << ev.kind, 0);
	assert_int_equal(kinds, 1 << EVENT_SA_SOFT | 1 << EVENT_SA_HARD | 1 << EVENT_SA_USED);
}

/* NAT */

/* The peer's address and port may change behind a NAT. Only an authentic packet that is the newest says so. */
static void follows_the_peer(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0xb00), moved, mirror;
	struct rte_mbuf *m, *inner[BURST_MAX];
	struct event ev;
	char text[IP_TEXT_MAX];

	spec.natt = true;
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	assert_int_equal(receive_one(r, &spec, 10), 1);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_USED);
	moved = spec;
	moved.local = test_addr("203.0.113.9");
	moved.local_port = 61234;
	m = outer_packet(r, &moved, 11); /* spoofed: the ICV does not hold */
	rte_pktmbuf_mtod(m, uint8_t *)[50] ^= 1;
	assert_int_equal(rig_receive(r, &m, 1, inner), 0);
	rig_dropped(r, DROP_ESP_ICV, 1);
	assert_int_equal(receive_one(r, &moved, 10), 0); /* a copy, sent from elsewhere */
	rig_dropped(r, DROP_ESP_REPLAY, 1);
	assert_int_equal(receive_one(r, &moved, 9), 1); /* an old one that was held back */
	assert_false(rig_event(r, &ev));
	assert_int_equal(receive_one(r, &moved, 11), 1);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_MOVED);
	assert_int_equal(ev.spi, 0xb00);
	assert_string_equal(ip_text(&ev.from, text), "203.0.113.9");
	assert_int_equal(ev.from_port, 61234);
	assert_int_equal(receive_one(r, &moved, 12), 1);
	assert_false(rig_event(r, &ev)); /* said once */
}

/* Port or address alone is enough; and to another address of ours nothing may come. */
static void follows_port_or_address(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0xb02), moved, mirror;
	struct event ev;

	spec.natt = true;
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	moved = spec;
	moved.local = test_addr("203.0.113.9");
	assert_int_equal(receive_one(r, &moved, 1), 1);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_MOVED);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_USED);
	spec = rig_spec(r, GCM, 0xb01);

	spec.natt = true;
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	moved = spec;
	moved.local_port = 4501;
	assert_int_equal(receive_one(r, &moved, 1), 1);
	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, EVENT_SA_MOVED);
	assert_int_equal(ev.from_port, 4501);
	moved.remote = test_addr("198.51.100.9");
	assert_int_equal(receive_one(r, &moved, 2), 0);
	rig_dropped(r, DROP_ESP_WRONG_PEER, 1);
}

/* With `replay-window: 0` copies come through, but nobody who sends one becomes the peer. */
static void without_a_window(void **state)
{
	static const struct suite suites[] = {
	    {ENCR_AES128GCM16, AUTH_NONE}, {ENCR_AES128, AUTH_SHA1}};
	struct rig *r = *state;

	for (unsigned i = 0; i < TEST_COUNT(suites); i++) {
		struct sa_spec spec = rig_spec(r, suites[i], 0xb10 + i), moved, mirror;
		uint64_t numbers[] = {7, 7, 1, 900000, 7, 900000};
		struct sa_in *in;
		struct event ev;

		spec.natt = true;
		mirror = rig_mirror(&spec);
		mirror.replays_pass = true;
		mirror.first_sequence = 5000;
		in = rig_in(r, &mirror);
		assert_int_equal(
		    receive(r, &spec, numbers, TEST_COUNT(numbers)), TEST_COUNT(numbers));
		assert_int_equal(receive_one(r, &spec, 7), 1);
		assert_int_equal(receive_one(r, &spec, 0), 0);
		rig_dropped(r, DROP_ESP_REPLAY_OLD, 1);
		assert_int_equal(in->head.of_worker[0].replay, 0);
		while (rig_event(r, &ev))
			assert_int_not_equal(ev.kind, EVENT_SA_MOVED);
		moved = spec;
		moved.local_port = 4501;
		assert_int_equal(receive_one(r, &moved, 900001), 1);
		assert_false(rig_event(r, &ev));
		mirror.esn = true; /* whose upper half only a window can tell */
		assert_null(sa_in_create(r->b->sas, &mirror));
	}
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(windows),
	    RIG_TEST(identical_copies),
	    RIG_TEST(copies_in_one_burst),
	    RIG_TEST(late_behind_a_jump),
	    RIG_TEST(older_than_ours),
	    RIG_TEST(forged_numbers),
	    RIG_TEST(end_of_numbers),
	    RIG_TEST(packet_limit),
	    RIG_TEST(byte_limit),
	    RIG_TEST(byte_limit_later),
	    RIG_TEST(follows_the_peer),
	    RIG_TEST(follows_port_or_address),
	    RIG_TEST(without_a_window),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
