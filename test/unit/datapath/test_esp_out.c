/* SPDX-License-Identifier: BSD-3-Clause */

/* The outer header, the limits of an SA, and which SA takes a packet (ES-03, ES-12, ES-13, ES-14, ES-17, T9). */

#include "esp_rig.h"
#include "testing_eal.h"

#define LEN 100

static const uint8_t *ip_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, const uint8_t *);
}

/* An inner packet with that TOS and fragment word. */
static void inner_with(struct packet *p, uint8_t tos, uint16_t fragment)
{
	struct ip4 ip = {
	    .src = "10.1.2.3", .dst = "10.9.8.7", .protocol = 1, .tos = tos, .fragment = fragment};
	uint8_t payload[LEN - 20];

	packet_fill(payload, sizeof(payload));
	p->len = 0;
	packet_ip4(p, &ip, payload, sizeof(payload));
}

static void df(void **state)
{
	static const struct {
		enum sa_df policy;
		uint16_t inner, outer;
	} cases[] = {{SA_DF_COPY, 0, 0}, {SA_DF_COPY, DF, DF}, {SA_DF_SET, 0, DF},
	    {SA_DF_SET, DF, DF}, {SA_DF_CLEAR, 0, 0}, {SA_DF_CLEAR, DF, 0},
	    /* an inner fragment is no outer fragment */
	    {SA_DF_COPY, MF, 0}, {SA_DF_COPY, 185, 0}, {SA_DF_COPY, DF | MF | 185, DF}};
	struct rig *r = *state;

	for (unsigned i = 0; i < 2 * TEST_COUNT(cases); i++) {
		struct sa_spec spec = rig_spec(r, i & 1 ? CBC_SHA1 : GCM, 0x10 + i);
		struct packet p;
		struct rte_mbuf *m;

		spec.df = cases[i / 2].policy;
		inner_with(&p, 0, cases[i / 2].inner);
		m = rig_send_one(r, rig_tunnel(r, rig_out(r, &spec)), &p);
		assert_non_null(m);
		assert_int_equal(get16(ip_of(m) + 6), cases[i / 2].outer);
		assert_true(packet_ip4_is_right(ip_of(m)));
		rig_free(r, m);
	}
}

/* IPv6 is never fragmented on its way: its tunnel packets are not either, unless told so. */
static void df_of_ipv6(void **state)
{
	static const uint16_t expected[] = {[SA_DF_COPY] = DF, [SA_DF_SET] = DF, [SA_DF_CLEAR] = 0};
	struct rig *r = *state;

	for (unsigned policy = 0; policy < TEST_COUNT(expected); policy++) {
		struct sa_spec spec = rig_spec(r, GCM, 0x38 + policy);
		struct ip_prefix all = {.addr = ip_any(IP_V6)};
		struct packet p = {.len = 60, .bytes = {0x60, [5] = 20}};
		struct rte_mbuf *m;

		spec.df = policy;
		spec.inner_family = IP_V6;
		spec.selector[0].local = spec.selector[0].remote = ip_range_of_prefix(&all);
		m = rig_send_one(r, rig_tunnel(r, rig_out(r, &spec)), &p);
		assert_non_null(m);
		assert_int_equal(get16(ip_of(m) + 6), expected[policy]);
		rig_free(r, m);
	}
}

static void dscp(void **state)
{
	struct rig *r = *state;

	for (unsigned copy = 0; copy < 2; copy++) {
		struct sa_spec spec = rig_spec(r, GCM, 0x40 + copy);
		uint32_t tunnel;

		spec.copy_dscp = copy;
		spec.dscp = 34;
		tunnel = rig_tunnel(r, rig_out(r, &spec));
		for (unsigned tos = 0; tos < 256; tos++) {
			struct packet p;
			struct rte_mbuf *m;

			inner_with(&p, (uint8_t)tos, 0);
			m = rig_send_one(r, tunnel, &p);
			assert_non_null(m);
			assert_int_equal(ip_of(m)[1] & 3, tos & 3); /* RFC 6040 4.1 */
			assert_int_equal(ip_of(m)[1] >> 2, copy ? tos >> 2 : 34);
			assert_true(packet_ip4_is_right(ip_of(m)));
			rig_free(r, m);
		}
	}
}

/* The outer ID goes up by one with each packet, and does not start where the numbers do. */
static void ids(void **state)
{
	struct rig *r = *state;
	unsigned same_start = 0;

	for (unsigned i = 0; i < 8; i++) {
		struct sa_spec spec = rig_spec(r, GCM, 0x50 + i);
		uint32_t tunnel = rig_tunnel(r, rig_out(r, &spec));
		uint16_t last = 0;
		struct packet p;

		rig_inner(&p, LEN);
		for (unsigned k = 1; k <= 100; k++) {
			struct rte_mbuf *m = rig_send_one(r, tunnel, &p);
			uint16_t id;

			assert_non_null(m);
			id = get16(ip_of(m) + 4);
			if (k > 1)
				assert_int_equal((uint16_t)(id - last), 1);
			else
				same_start += id == 1;
			last = id;
			rig_free(r, m);
		}
	}
	assert_in_range(same_start, 0, 1);
}

/* Limits */

/* Sends bursts of 40 until nothing leaves any more; how many did. */
static unsigned send_all(struct rig *r, uint32_t tunnel, unsigned tries)
{
	struct packet p;
	unsigned sent = 0;

	rig_inner(&p, LEN);
	while (tries > 0) {
		struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];
		unsigned n = RTE_MIN(tries, 40u), left;

		for (unsigned i = 0; i < n; i++)
			m[i] = rig_to_send(r, tunnel, &p);
		left = rig_send(r, m, n, outer);
		for (unsigned i = 0; i < left; i++)
			rig_free(r, outer[i]);
		sent += left;
		tries -= n;
	}
	return sent;
}

static void expect_event(struct rig *r, enum event_kind kind, uint32_t spi)
{
	struct event ev;

	assert_true(rig_event(r, &ev));
	assert_int_equal(ev.kind, kind);
	assert_int_equal(ev.spi, spi);
	assert_false(ev.inbound);
}

static void packet_limit(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct sa_spec spec = rig_spec(r, i ? CBC_SHA1 : GCM, 0x60 + i);
		struct event ev;
		uint32_t tunnel;

		spec.soft_packets = 100;
		spec.hard_packets = 130;
		tunnel = rig_tunnel(r, rig_out(r, &spec));
		assert_int_equal(send_all(r, tunnel, 99), 99);
		assert_false(rig_event(r, &ev));
		assert_int_equal(send_all(r, tunnel, 1), 1);
		expect_event(r, EVENT_SA_SOFT, spec.spi);
		assert_int_equal(send_all(r, tunnel, 30), 30);
		assert_false(rig_event(r, &ev));
		assert_int_equal(send_all(r, tunnel, 100), 0);
		expect_event(r, EVENT_SA_HARD, spec.spi);
		assert_false(rig_event(r, &ev));
		rig_dropped(r, DROP_SA_EXPIRED, 100);
	}
}

static void byte_limit(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct sa_spec spec = rig_spec(r, GCM, 0x70 + i);
		struct event ev;
		struct sa_out *sa;
		uint32_t tunnel;

		spec.soft_bytes = 50 * LEN;
		spec.hard_bytes = 90 * LEN + i * (LEN - 1) / 2; /* no part of a packet fits */
		sa = rig_out(r, &spec);
		tunnel = rig_tunnel(r, sa);
		assert_int_equal(send_all(r, tunnel, 49), 49);
		assert_false(rig_event(r, &ev));
		assert_int_equal(send_all(r, tunnel, 1), 1);
		expect_event(r, EVENT_SA_SOFT, spec.spi);
		assert_int_equal(send_all(r, tunnel, 150), 40);
		assert_int_equal(sa->bytes, 90 * LEN);
		expect_event(r, EVENT_SA_HARD, spec.spi);
		rig_dropped(r, DROP_SA_EXPIRED, 110);
	}
}

/* Control may set a byte limit, or a lower one, while the SA is in use; it counts from then on. */
static void byte_limit_later(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct sa_spec spec = rig_spec(r, GCM, 0x7a + i);
		struct event ev;
		struct sa_out *sa;
		uint32_t tunnel;

		spec.hard_bytes = i == 0 ? 0 : 1000 * LEN;
		sa = rig_out(r, &spec);
		tunnel = rig_tunnel(r, sa);
		assert_int_equal(send_all(r, tunnel, 30), 30);
		sa_out_limit_bytes(sa, 50 * LEN, 90 * LEN);
		if (i == 2)
			sa_out_limit_bytes(sa, 500 * LEN, UINT64_MAX); /* never raises */
		assert_int_equal(send_all(r, tunnel, 49), 49);
		assert_false(rig_event(r, &ev));
		assert_int_equal(send_all(r, tunnel, 1), 1);
		expect_event(r, EVENT_SA_SOFT, spec.spi);
		assert_int_equal(send_all(r, tunnel, 150), 40);
		expect_event(r, EVENT_SA_HARD, spec.spi);
		rig_dropped(r, DROP_SA_EXPIRED, 110);
	}
}

/* A small packet does not pass where a large one before it did not. */
static void byte_limit_keeps_order(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x78);
	struct rte_mbuf *m[2], *outer[BURST_MAX];
	struct packet p;
	uint32_t tunnel;

	spec.hard_bytes = 500;
	tunnel = rig_tunnel(r, rig_out(r, &spec));
	rig_inner(&p, 501);
	m[0] = rig_to_send(r, tunnel, &p);
	rig_inner(&p, 40);
	m[1] = rig_to_send(r, tunnel, &p);
	assert_int_equal(rig_send(r, m, 2, outer), 0);
	rig_dropped(r, DROP_SA_EXPIRED, 2);
}

/* Without ESN no number is used again: the last is 2^32 - 2, and control hears in time. */
static void end_of_numbers(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct sa_spec spec = rig_spec(r, i ? CBC_SHA1 : GCM, 0x80 + i);
		struct sa_out *sa;
		uint32_t tunnel;

		spec.first_sequence = SA_SEQUENCE_LAST - 99;
		sa = rig_out(r, &spec);
		tunnel = rig_tunnel(r, sa);
		assert_int_equal(send_all(r, tunnel, 90), 90);
		assert_int_equal(sa_out_sequence(sa), SA_SEQUENCE_LAST - 9);
		expect_event(r, EVENT_SA_SOFT, spec.spi);
		assert_int_equal(send_all(r, tunnel, 50), 10);
		expect_event(r, EVENT_SA_HARD, spec.spi);
		rig_dropped(r, DROP_SA_EXPIRED, 40);
		assert_int_equal(send_all(r, tunnel, 50), 0);
		rig_dropped(r, DROP_SA_EXPIRED, 50);
		assert_int_equal(sa_out_sequence(sa), SA_SEQUENCE_LAST + 1);
	}
}

/* Numbers by grant: none before the first, none behind the last, and none left out or used twice between two. */
static void by_grant(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct sa_spec spec = rig_spec(r, i ? CBC_SHA1 : GCM, 0x90 + i);
		struct sa_out *sa;
		uint32_t tunnel;

		spec.first_sequence = 1000;
		spec.granted = true;
		sa = rig_out(r, &spec);
		tunnel = rig_tunnel(r, sa);
		assert_int_equal(send_all(r, tunnel, 10), 0);
		rig_dropped(r, DROP_SA_EXPIRED, 10);
		expect_event(r, EVENT_SA_HARD, spec.spi);
		sa_out_grant(sa, 1049, 1099);
		assert_int_equal(send_all(r, tunnel, 60), 60);
		assert_int_equal(sa_out_sequence(sa), 1060);
		expect_event(r, EVENT_SA_SOFT, spec.spi);
		sa_out_grant(sa, 1149, 1199);
		assert_int_equal(send_all(r, tunnel, 150), 140);
		rig_dropped(r, DROP_SA_EXPIRED, 10);
		expect_event(r, EVENT_SA_SOFT, spec.spi);
		expect_event(r, EVENT_SA_HARD, spec.spi);
		/* The end of the number space is not for a grant to move. */
		sa_out_grant(sa, UINT64_MAX, UINT64_MAX);
		assert_int_equal(atomic_load(&sa->hard_sequence), SA_SEQUENCE_LAST);
	}
}

static void soft_before_end_of_numbers(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x88);
	struct event ev;
	uint32_t tunnel;

	assert_true(SA_SEQUENCE_SOFT < UINT64_C(0x100000000) - (1 << 20));
	spec.first_sequence = SA_SEQUENCE_SOFT - 10;
	tunnel = rig_tunnel(r, rig_out(r, &spec));
	assert_int_equal(send_all(r, tunnel, 10), 10);
	assert_false(rig_event(r, &ev));
	assert_int_equal(send_all(r, tunnel, 1), 1);
	expect_event(r, EVENT_SA_SOFT, spec.spi);
}

/* Ciphers with small blocks have a limit of bytes even when none was asked for. */
static void small_blocks(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, (struct suite){ENCR_3DES, AUTH_SHA1}, 0x90), mirror;
	struct sa_out *out;
	uint32_t tunnel;

	out = rig_out(r, &spec);
	mirror = rig_mirror(&spec);
	assert_int_equal(out->hard_bytes, SA_SMALL_BLOCK_BYTES);
	assert_true(out->soft_bytes < out->hard_bytes);
	assert_int_equal(rig_in(r, &mirror)->hard_bytes, SA_SMALL_BLOCK_BYTES);
	tunnel = rig_tunnel(r, out);
	atomic_store(&out->limited_bytes, SA_SMALL_BLOCK_BYTES - 10 * LEN);
	assert_int_equal(send_all(r, tunnel, 30), 10);
	rig_dropped(r, DROP_SA_EXPIRED, 20);
	spec = rig_spec(r, GCM, 0x91);
	out = rig_out(r, &spec);
	assert_int_equal(out->hard_bytes, UINT64_MAX);
}

/* When the queue of events is full, a later packet says it. */
static void full_events(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x98);
	struct event ev = {.kind = EVENT_SA_USED};
	unsigned filled = 0, found = 0;
	uint32_t tunnel;

	spec.soft_packets = 1;
	tunnel = rig_tunnel(r, rig_out(r, &spec));
	while (event_put(r->b->events, &ev))
		filled++;
	assert_int_equal(send_all(r, tunnel, 5), 5);
	while (rig_event(r, &ev))
		found += ev.kind == EVENT_SA_SOFT;
	assert_int_equal(found, 0);
	assert_true(filled > 0);
	assert_int_equal(send_all(r, tunnel, 5), 5);
	expect_event(r, EVENT_SA_SOFT, spec.spi);
	assert_false(rig_event(r, &ev));
}

/* Which SA */

static void by_selector(void **state)
{
	static const struct {
		const char *src, *dst;
		int sa; /* -1: none */
	} cases[] = {{"10.1.0.1", "10.9.0.1", 0}, {"10.1.0.1", "10.8.0.1", 1},
	    {"10.1.0.1", "10.7.0.1", -1}, {"10.2.0.1", "10.9.0.1", -1},
	    {"10.9.0.1", "10.1.0.1", -1}};
	static const char *const remote[] = {"10.9.0.0/16", "10.8.0.0/16"};
	struct rig *r = *state;
	struct tunnel t = {.slot = r->lan, .state = TUNNEL_UP, .out_count = 2};

	for (unsigned i = 0; i < 2; i++) {
		struct sa_spec spec = rig_spec(r, GCM, 0xa0 + i);
		struct ip_prefix near = test_prefix("10.1.0.0/16"), far = test_prefix(remote[i]);

		spec.selector[0].local = ip_range_of_prefix(&near);
		spec.selector[0].remote = ip_range_of_prefix(&far);
		t.out[i].sa = rig_out(r, &spec);
		t.out[i].selector = spec.selector[0];
	}
	t.index = tunnel_alloc(&r->b->tunnels);
	tunnel_publish(&r->b->tunnels, &t);
	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct ip4 ip = {.src = cases[i].src, .dst = cases[i].dst, .protocol = 1};
		struct packet p = {.len = 0};
		struct rte_mbuf *m;
		uint8_t payload[30] = {0};

		packet_ip4(&p, &ip, payload, sizeof(payload));
		m = rig_send_one(r, t.index, &p);
		if (cases[i].sa < 0) {
			assert_null(m);
			rig_dropped(r, DROP_TUNNEL_SELECTOR, 1);
			continue;
		}
		assert_non_null(m);
		assert_int_equal(ip_of(m)[23], 0xa0 + cases[i].sa);
		rig_free(r, m);
	}
}

/* A tunnel without an SA sends nothing; those that are not up are tunnel_out()'s to hold back. */
static void no_sa(void **state)
{
	struct rig *r = *state;
	struct tunnel t = {.slot = r->lan, .any = true};
	struct packet p;

	rig_inner(&p, LEN);
	t.index = tunnel_alloc(&r->b->tunnels);
	for (t.state = TUNNEL_UNFIT; t.state <= TUNNEL_UP; t.state++) {
		tunnel_publish(&r->b->tunnels, &t);
		assert_null(rig_send_one(r, t.index, &p));
	}
	t.any = false;
	tunnel_publish(&r->b->tunnels, &t);
	assert_null(rig_send_one(r, t.index, &p));
	rig_dropped(r, DROP_TUNNEL_DOWN, 3);
}

/* Room */

static void no_room(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct sa_spec spec = rig_spec(r, i ? CBC_SHA1 : GCM, 0xc0 + i);
		uint32_t tunnel = rig_tunnel(r, rig_out(r, &spec));
		struct rte_mbuf *m[2], *outer[BURST_MAX];
		struct packet p;

		rig_inner(&p, LEN);
		m[0] = rig_to_send(r, tunnel, &p);
		m[0]->data_off = 20; /* short of headroom */
		memcpy(rte_pktmbuf_mtod(m[0], void *), p.bytes, p.len);
		rig_inner(&p, 2040);
		m[1] = rig_to_send(r, tunnel, &p); /* short of tailroom */
		assert_int_equal(rig_send(r, m, 2, outer), 0);
		rig_dropped(r, DROP_NO_HEADROOM, 2);
	}
}

/* A chain of buffers becomes one where it fits, and is dropped where it does not. */
static void chained(void **state)
{
	struct rig *r = *state;

	for (unsigned big = 0; big < 2; big++) {
		struct sa_spec spec = rig_spec(r, GCM, 0xd0 + big);
		struct rte_mbuf *m, *tail, *outer[BURST_MAX];
		struct oracle_opened opened;
		struct packet p;
		uint32_t tunnel = rig_tunnel(r, rig_out(r, &spec));
		size_t len = big ? 3000 : 1000;

		rig_inner(&p, len);
		m = rig_mbuf(r, r->lan, p.bytes, 600);
		pkt_meta(m)->tunnel = tunnel;
		for (size_t at = 600; at < len; at += 400) {
			tail = rte_pktmbuf_alloc(r->pool);
			memcpy(rte_pktmbuf_append(tail, 400), p.bytes + at, 400);
			assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
		}
		if (big) {
			assert_int_equal(rig_send(r, &m, 1, outer), 0);
			rig_dropped(r, DROP_NO_HEADROOM, 1);
			continue;
		}
		assert_int_equal(rig_send(r, &m, 1, outer), 1);
		assert_true(
		    oracle_open(&spec, ip_of(outer[0]) + 20, outer[0]->pkt_len - 20, 0, &opened));
		assert_int_equal(opened.len, len);
		assert_memory_equal(opened.inner, p.bytes, len);
		rig_free(r, outer[0]);
	}
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(df),
	    RIG_TEST(df_of_ipv6),
	    RIG_TEST(dscp),
	    RIG_TEST(ids),
	    RIG_TEST(packet_limit),
	    RIG_TEST(byte_limit),
	    RIG_TEST(byte_limit_later),
	    RIG_TEST(byte_limit_keeps_order),
	    RIG_TEST(end_of_numbers),
	    RIG_TEST(soft_before_end_of_numbers),
	    RIG_TEST(by_grant),
	    RIG_TEST(small_blocks),
	    RIG_TEST(full_events),
	    RIG_TEST(by_selector),
	    RIG_TEST(no_sa),
	    RIG_TEST(no_room),
	    RIG_TEST(chained),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
