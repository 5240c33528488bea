/* SPDX-License-Identifier: BSD-3-Clause */

/* Two connections with one peer (RFC 4271 6.8, BG-15). */

#include "speaker.h"

/*
 * We have a connection of our own in OpenConfirm, the peer makes another: the higher identifier's stays.
 * Peer 1 is 10.0.0.1, and below us; with `higher` it says it is 10.0.1.0.
 */
static void collide(bool higher, bool theirs_first)
{
	const char *open = higher ? "04 fde9 005a 0a000100 00" : "04 fde9 005a 0a000001 00";
	struct speaker s;
	bgp_conn ours, theirs;
	struct ip_addr local = ip_v4(LOCAL_ID);
	struct bgp_peer_info info;

	speaker_init(&s);
	speaker_begin(&s, 1);
	ours = s.remote[1].conn;
	if (!theirs_first)
		bgp_connected(s.engine, s.now, ours, &local);
	theirs = bgp_accepted(s.engine, s.now, 1);
	assert_true(theirs != 0);
	bgp_connected(s.engine, s.now, theirs, &local);
	if (theirs_first)
		bgp_connected(s.engine, s.now, ours, &local);
	s.remote[1].conn = theirs_first ? theirs : ours;
	speaker_send(&s, 1, BGP_OPEN, open);
	s.remote[1].conn = theirs_first ? ours : theirs;
	speaker_send(&s, 1, BGP_OPEN, open);
	/* one is left */
	assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
	assert_int_equal(speaker_info(&s, 1).counters.collisions, 1);
	s.remote[1].conn = higher ? theirs : ours;
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	/* the other one is dead to us */
	s.remote[1].conn = higher ? ours : theirs;
	speaker_hex(&s, 1, "00");
	info = speaker_info(&s, 1);
	assert_int_equal(info.state, BGP_ESTABLISHED);
	speaker_fini(&s);
}

static void collisions(void **state)
{
	for (int i = 0; i < 4; i++)
		collide(i & 1, i & 2);
}

/* The loser is told why. */
static void collision_notification(void **state)
{
	struct speaker s;
	struct ip_addr local = ip_v4(LOCAL_ID);
	bgp_conn ours, theirs;

	speaker_init(&s);
	speaker_begin(&s, 1);
	ours = s.remote[1].conn;
	speaker_accept(&s, 1);
	speaker_send(&s, 1, BGP_OPEN, "04 fde9 005a 0a000001 00");
	theirs = bgp_accepted(s.engine, s.now, 1);
	s.remote[1].conn = theirs;
	bgp_connected(s.engine, s.now, theirs, &local);
	speaker_send(&s, 1, BGP_OPEN, "04 fde9 005a 0a000001 00");
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_COLLISION, "");
	s.remote[1].conn = ours;
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* Equal identifiers: the higher AS's connection stays (RFC 6286). Ours is 65000, the peer's 65001. */
static void collision_of_equal_identifiers(void **state)
{
	struct speaker s;
	struct ip_addr local = ip_v4(LOCAL_ID);
	bgp_conn theirs;

	speaker_init(&s);
	speaker_begin(&s, 1);
	speaker_accept(&s, 1);
	speaker_send(&s, 1, BGP_OPEN, "04 fde9 005a 0a0000fe 00");
	theirs = bgp_accepted(s.engine, s.now, 1);
	bgp_connected(s.engine, s.now, theirs, &local);
	s.remote[1].conn = theirs;
	speaker_send(&s, 1, BGP_OPEN, "04 fde9 005a 0a0000fe 00");
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* Established stays; without graceful restart the newcomer goes. */
static void collision_with_established(void **state)
{
	struct speaker s;
	struct ip_addr local = ip_v4(LOCAL_ID);
	bgp_conn ours, theirs;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_wait(&s, DUR_S(4));
	ours = s.remote[1].conn;
	theirs = bgp_accepted(s.engine, s.now, 1);
	s.remote[1].conn = theirs;
	s.remote[1].len = 0;
	bgp_connected(s.engine, s.now, theirs, &local);
	speaker_send(&s, 1, BGP_OPEN, "04 fde9 005a ffffffff 00");
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_COLLISION, "");
	s.remote[1].conn = ours;
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(s.remote[1].downs, 0);
	speaker_fini(&s);
}

/* Just established: the peer may be comparing while we are through. So do we, and agree. */
static void collision_with_young_established(void **state)
{
	for (int higher = 0; higher < 2; higher++) {
		struct ip_addr local = ip_v4(LOCAL_ID);
		struct speaker s;
		bgp_conn ours, theirs;

		speaker_init(&s);
		speaker_begin(&s, 1);
		speaker_accept(&s, 1);
		ours = s.remote[1].conn;
		theirs = bgp_accepted(s.engine, s.now, 1);
		bgp_connected(s.engine, s.now, theirs, &local);
		speaker_send(&s, 1, BGP_OPEN,
		    higher ? "04 fde9 005a 0a000100 00" : "04 fde9 005a 0a000001 00");
		KEEPALIVE(&s, 1);
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		s.remote[1].conn = theirs;
		speaker_send(&s, 1, BGP_OPEN,
		    higher ? "04 fde9 005a 0a000100 00" : "04 fde9 005a 0a000001 00");
		KEEPALIVE(&s, 1);
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		assert_int_equal(s.remote[1].downs, higher);
		assert_int_equal(s.remote[1].ups, 1 + higher);
		s.remote[1].conn = higher ? theirs : ours;
		speaker_close(&s, 1);
		assert_int_equal(s.remote[1].downs, 1 + higher);
		speaker_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(collisions),
	    cmocka_unit_test(collision_notification),
	    cmocka_unit_test(collision_of_equal_identifiers),
	    cmocka_unit_test(collision_with_established),
	    cmocka_unit_test(collision_with_young_established),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
