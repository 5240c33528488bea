/* SPDX-License-Identifier: BSD-3-Clause */

/* A peer that does not read: send hold timer (RFC 9687), and what counts as progress. */

#include "speaker.h"

static void send_hold_timer(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_drain(&s, 1);
	s.remote[1].window = s.remote[1].len; /* nothing more is taken */
	for (unsigned i = 0; i < 300; i++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", i % 256);
		speaker_local(&s, prefix);
		speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 1);
		KEEPALIVE(&s, 2);
	}
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].routes, 256); /* others are told at once */
	for (unsigned i = 0; i < 200; i++) {
		speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 1);
		KEEPALIVE(&s, 2);
	}
	assert_int_equal(s.remote[1].downs, 1); /* after 480 s without progress */
	assert_int_equal(s.remote[1].end.code, BGP_ERR_SEND_HOLD);
	assert_int_equal(speaker_state(&s, 2), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* A shorter time is configured; but never less than twice the hold time of 90 s. */
static void send_hold_time_configured(void **state)
{
	static const struct {
		uint16_t send_hold_s;
		unsigned stays_s, ends_s;
	} cell[] = {{200, 198, 202}, {20, 178, 182}};

	for (unsigned i = 0; i < sizeof(cell) / sizeof(cell[0]); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		speaker_init(&s);
		config.send_hold_s = cell[i].send_hold_s;
		speaker_add(&s, 1, &config);
		speaker_establish(&s, 1, "");
		speaker_drain(&s, 1);
		s.remote[1].window = s.remote[1].len;
		speaker_local(&s, "10.1.0.0/16");
		for (unsigned second = 0; second < cell[i].ends_s; second++) {
			if (second == cell[i].stays_s)
				assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
			speaker_wait(&s, DUR_S(1));
			KEEPALIVE(&s, 1);
		}
		assert_int_equal(s.remote[1].downs, 1);
		assert_int_equal(s.remote[1].end.code, BGP_ERR_SEND_HOLD);
		speaker_fini(&s);
	}
}

/* As long as the peer reads a little, the session stays, and in the end it has all. */
static void slow_reader(void **state)
{
	struct speaker s;
	static uint8_t stream[1 << 20];
	size_t len = 0;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	s.remote[1].window = 10;
	for (unsigned i = 0; i < 2000; i++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "10.%u.%u.0/24", i / 256, i % 256);
		speaker_local(&s, prefix);
	}
	speaker_run(&s);
	for (unsigned i = 0; i < 100000 && speaker_info(&s, 1).rib[BGP_IPV4].announced < 2000;
	     i++) {
		struct remote *r = &s.remote[1];

		memcpy(stream + len, r->bytes, r->len);
		len += r->len;
		r->len = 0;
		if (i % 100 == 0)
			speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 1);
		bgp_writable(s.engine, s.now, r->conn);
		speaker_run(&s);
	}
	memcpy(stream + len, s.remote[1].bytes, s.remote[1].len);
	len += s.remote[1].len;
	s.remote[1].window = SIZE_MAX;
	s.remote[1].len = 0;
	bgp_writable(s.engine, s.now, s.remote[1].conn); /* the rest */
	speaker_run(&s);
	memcpy(stream + len, s.remote[1].bytes, s.remote[1].len);
	len += s.remote[1].len;
	s.remote[1].bytes = realloc(s.remote[1].bytes, len);
	s.remote[1].room = len;
	memcpy(s.remote[1].bytes, stream, len);
	s.remote[1].len = len;
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].len, 0);
	assert_int_equal(s.remote[1].routes, 2000);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* A little is read every 400 s, and at last all: the send hold timer never runs out. */
static void progress_counts(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	config.hold_s = 0;
	speaker_add(&s, 1, &config);
	speaker_establish(&s, 1, "");
	speaker_run(&s);
	speaker_drain(&s, 1);
	s.remote[1].window = 0;
	speaker_local(&s, "10.0.0.0/8");
	speaker_run(&s);
	for (unsigned i = 1; i <= 5; i++) {
		speaker_wait(&s, DUR_S(400));
		s.remote[1].window = 5 * i;
		bgp_writable(s.engine, s.now, s.remote[1].conn);
	}
	s.remote[1].window = SIZE_MAX;
	bgp_writable(s.engine, s.now, s.remote[1].conn);
	speaker_wait(&s, DUR_S(5000));
	assert_int_equal(s.remote[1].downs, 0);
	assert_non_null(speaker_route(&s, 1, "10.0.0.0/8"));
	speaker_fini(&s);
}

/* What it asks for meanwhile counts as waiting, although nothing of it is looked at yet. */
static void refresh_waits(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_add(&s, 1, &config);
	speaker_establish(&s, 1, CAP_REFRESH);
	for (unsigned i = 0; i < 20; i++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", i);
		speaker_local(&s, prefix);
	}
	speaker_run(&s);
	speaker_drain(&s, 1);
	s.remote[1].window = s.remote[1].len;
	for (unsigned i = 0; i < 2;
	     i++) { /* the first is written, and makes the transport be behind */
		speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0001 00 01");
		speaker_run(&s);
		assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].waiting, 20 * i);
	}
	s.remote[1].window = SIZE_MAX;
	bgp_writable(s.engine, s.now, s.remote[1].conn);
	speaker_run(&s);
	assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].waiting, 0);
	assert_int_equal(speaker_info(&s, 1).counters.prefixes_out, 60);
	speaker_fini(&s);
}

/* The OPEN is still on its way out when the peer's comes: the KEEPALIVE follows it all the same. */
static void keepalive_behind_a_slow_open(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_begin(&s, 1);
	s.remote[1].window = 10;
	speaker_accept(&s, 1);
	speaker_open(&s, 1, NULL);
	assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
	s.remote[1].window = SIZE_MAX;
	bgp_writable(s.engine, s.now, s.remote[1].conn);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.type, BGP_OPEN);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.type, BGP_KEEPALIVE);
	speaker_expect_nothing(&s, 1);
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(send_hold_timer),
	    cmocka_unit_test(send_hold_time_configured),
	    cmocka_unit_test(slow_reader),
	    cmocka_unit_test(progress_counts),
	    cmocka_unit_test(refresh_waits),
	    cmocka_unit_test(keepalive_behind_a_slow_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
