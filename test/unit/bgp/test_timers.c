/* SPDX-License-Identifier: BSD-3-Clause */

/* Timers of sessions over a clock that the test turns: connecting again, hold time, keepalives (BG-14). */

#include "speaker.h"

static void connect_retry_is_jittered(void **state)
{
	struct speaker s;
	int64_t least = INT64_MAX, most = 0;

	speaker_init(&s);
	speaker_begin(&s, 1);
	for (unsigned i = 0; i < 300; i++) {
		struct mono before = s.now, due;
		int64_t wait;

		assert_true(bgp_next(s.engine, &due));
		wait = mono_diff(before, due);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
		s.now = due;
		s.remote[1].connecting = false;
		speaker_run(&s);
	}
	assert_int_equal(s.remote[1].connects, 301);
	assert_in_range(least, DUR_MS(22500), DUR_S(23)); /* three quarters of 30 s */
	assert_in_range(most, DUR_S(29), DUR_S(30));
	speaker_fini(&s);
}

/* 2, 4, 8 ... 120 s, each less up to a quarter; forgotten once a session has lasted. */
static void idle_hold_backs_off(void **state)
{
	struct speaker s;
	int64_t want = DUR_S(2);

	speaker_init(&s);
	speaker_begin(&s, 1);
	for (unsigned i = 0; i < 10; i++) {
		struct mono due;
		int64_t wait;

		speaker_accept(&s, 1);
		speaker_send(&s, 1, BGP_NOTIFICATION, "02 02");
		assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
		assert_false(speaker_connect(&s, 1)); /* Idle refuses */
		assert_true(bgp_next(s.engine, &due));
		wait = mono_diff(s.now, due);
		assert_in_range(wait, want / 4 * 3, want);
		assert_int_equal(speaker_info(&s, 1).retry.ns, due.ns);
		s.now = due;
		speaker_run(&s);
		want = want * 2 < DUR_S(120) ? want * 2 : DUR_S(120);
	}
	speaker_establish(&s, 1, "");
	for (unsigned i = 0; i < 7; i++) {
		speaker_wait(&s, DUR_S(10));
		KEEPALIVE(&s, 1);
	}
	speaker_send(&s, 1, BGP_NOTIFICATION, "06 04");
	assert_in_range(mono_diff(s.now, speaker_info(&s, 1).retry), DUR_MS(1500), DUR_S(2));
	speaker_fini(&s);
}

/* Sessions that come up and fall at once are failures too. */
static void short_sessions_back_off(void **state)
{
	int64_t want = DUR_S(2);
	struct speaker s;

	speaker_init(&s);
	speaker_begin(&s, 1);
	for (unsigned i = 0; i < 5; i++) {
		speaker_establish(&s, 1, "");
		speaker_send(&s, 1, BGP_NOTIFICATION, "06 04");
		assert_in_range(mono_diff(s.now, speaker_info(&s, 1).retry), want / 4 * 3, want);
		speaker_wait(&s, want);
		want *= 2;
	}
	speaker_fini(&s);
}

/* While the peer's connection is being opened, we make none of our own. */
static void one_connection_is_enough(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_begin(&s, 1);
	bgp_connect_failed(s.engine, s.now, s.remote[1].conn);
	s.remote[1].connecting = false;
	assert_true(speaker_connect(&s, 1));
	speaker_wait(&s, DUR_S(200));
	assert_int_equal(s.remote[1].connects, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_OPENSENT);
	speaker_fini(&s);
}

static void hold_timer(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	assert_int_equal(speaker_info(&s, 1).hold_s, 90);
	for (unsigned i = 0; i < 5; i++) { /* any message keeps it alive */
		speaker_wait(&s, DUR_S(89));
		if (i % 2)
			KEEPALIVE(&s, 1);
		else
			speaker_update(&s, 1, "", "", "");
	}
	speaker_wait(&s, DUR_S(89));
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_wait(&s, DUR_S(1));
	assert_int_equal(s.remote[1].downs, 1);
	speaker_expect_notification(&s, 1, BGP_ERR_HOLD, 0, "");
	speaker_fini(&s);
}

/* Until the OPEN has come: four minutes. */
static void hold_timer_of_opensent(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_begin(&s, 1);
	speaker_accept(&s, 1);
	speaker_wait(&s, DUR_S(239));
	assert_int_equal(speaker_state(&s, 1), BGP_OPENSENT);
	speaker_wait(&s, DUR_S(1));
	speaker_expect_notification(&s, 1, BGP_ERR_HOLD, 0, "");
	speaker_fini(&s);
}

static unsigned count_keepalives(struct speaker *s)
{
	unsigned n = 0;

	while (speaker_next(s, 1))
		n += s->message.type == BGP_KEEPALIVE;
	return n;
}

/* The lower hold time counts, keepalives come every third of it, or less. */
static void negotiated_times(void **state)
{
	static const struct {
		uint16_t ours, keepalive;
		const char *theirs;
		uint16_t hold_s;
		unsigned least, most; /* keepalives in 1000 s */
	} cell[] = {
	    {90, 0, "005a", 90, 33, 45},
	    {90, 0, "0003", 3, 1000, 1340},
	    {3, 0, "ffff", 3, 1000, 1340},
	    {90, 10, "005a", 90, 100, 134},
	    {90, 80, "005a", 90, 33, 45}, /* never slower than a third */
	    {90, 0, "0000", 0, 0, 0},
	    {0, 0, "005a", 0, 0, 0},
	    {65535, 0, "ffff", 65535, 0, 0},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;
		char open[64];

		speaker_init(&s);
		config.hold_s = cell[i].ours;
		config.keepalive_s = cell[i].keepalive;
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		snprintf(open, sizeof(open), "04 fde9 %s 0a000001 00", cell[i].theirs);
		speaker_send(&s, 1, BGP_OPEN, open);
		KEEPALIVE(&s, 1);
		assert_int_equal(speaker_info(&s, 1).hold_s, cell[i].hold_s);
		count_keepalives(&s);
		for (unsigned t = 0; t < 1000; t++) {
			speaker_wait(&s, DUR_S(1));
			if (cell[i].hold_s)
				KEEPALIVE(&s, 1);
		}
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		assert_in_range(count_keepalives(&s), cell[i].least, cell[i].most);
		speaker_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(connect_retry_is_jittered),
	    cmocka_unit_test(idle_hold_backs_off),
	    cmocka_unit_test(short_sessions_back_off),
	    cmocka_unit_test(one_connection_is_enough),
	    cmocka_unit_test(hold_timer),
	    cmocka_unit_test(hold_timer_of_opensent),
	    cmocka_unit_test(negotiated_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
