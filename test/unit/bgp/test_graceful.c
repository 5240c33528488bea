/* SPDX-License-Identifier: BSD-3-Clause */

/* Graceful restart, the peer's and ours (RFC 4724, 8538; BG-08). */

#include "graceful.h"

static const struct bgp_peer_config *peer_config(unsigned peer)
{
	static struct bgp_peer_config config;

	config = speaker_config(peer);
	return &config;
}

static bool has(struct speaker *s, const char *prefix)
{
	return speaker_paths(s, prefix, NULL, 0) == 1;
}

/* ---- the peer restarts ---- */

static void peer_comes_back(void **state)
{
	struct bgp_path path = {0};
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	assert_int_equal(s.remote[1].kept, 1);
	assert_int_equal(graceful_received(&s), 3);
	assert_int_equal(graceful_stale(&s), 3);
	assert_int_equal(bgp_changes_waiting(s.engine), 0); /* forwarding goes on */
	speaker_wait(&s, DUR_S(60));
	assert_true(has(&s, "10.0.0.0/8"));
	graceful_up(&s, GR("80", "80"));
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_update(&s, 1, "", OK "800404 00000001", "08 0b");
	assert_int_equal(speaker_paths(&s, "12.0.0.0/8", &path, 1), 1);
	assert_true(path.stale);
	assert_int_equal(speaker_paths(&s, "10.0.0.0/8", &path, 1), 1);
	assert_false(path.stale);
	speaker_update(&s, 1, "", "", ""); /* End-of-RIB */
	speaker_settle(&s);
	assert_int_equal(graceful_received(&s), 2);
	assert_false(has(&s, "12.0.0.0/8"));
	assert_int_equal(speaker_attrs(&s, "11.0.0.0/8")->med, 1);
	speaker_fini(&s);
}

static void peer_stays_away(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	speaker_wait(&s, DUR_S(119));
	assert_int_equal(graceful_received(&s), 3);
	speaker_wait(&s, DUR_S(1));
	assert_int_equal(graceful_received(&s), 0);
	assert_int_equal(bgp_changes_waiting(s.engine), 3);
	speaker_fini(&s);
}

/* Back, but without End-of-RIB: what is stale goes after the stale time. */
static void peer_never_ends(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	graceful_up(&s, GR("80", "80"));
	speaker_update(&s, 1, "", OK, "08 0a");
	for (unsigned i = 0; i < 359; i++) {
		speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 1);
	}
	assert_int_equal(graceful_received(&s), 3);
	speaker_wait(&s, DUR_S(1));
	assert_int_equal(graceful_received(&s), 1);
	speaker_fini(&s);
}

/* Back, and says it has not forwarded, or nothing of restarts at all. */
static void peer_forgot(void **state)
{
	static const char *const gr[] = {GR("80", "00"), "40 02 8078", ""};

	for (unsigned i = 0; i < TEST_COUNT(gr); i++) {
		struct speaker s;

		speaker_init(&s);
		graceful_up(&s, GR("00", "80"));
		graceful_learn(&s);
		speaker_close(&s, 1);
		assert_int_equal(graceful_received(&s), 3);
		graceful_up(&s, gr[i]);
		assert_int_equal(graceful_received(&s), 0);
		speaker_fini(&s);
	}
}

/* Gone again before it was through: what is stale from before goes, the rest is stale now (4.2). */
static void second_failure(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	graceful_up(&s, GR("80", "80"));
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_close(&s, 1);
	speaker_settle(&s);
	assert_int_equal(graceful_received(&s), 1);
	assert_int_equal(graceful_stale(&s), 1);
	assert_false(has(&s, "11.0.0.0/8"));
	graceful_up(&s, GR("80", "80"));
	speaker_update(&s, 1, "", OK, "08 0b");
	speaker_update(&s, 1, "", "", "");
	speaker_settle(&s);
	assert_int_equal(graceful_received(&s), 1);
	assert_true(has(&s, "11.0.0.0/8"));
	speaker_fini(&s);
}

/* Hundreds of restarts in a row: generations wrap, routes do not come back from the dead. */
static void many_failures(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	for (unsigned i = 0; i < 700; i++) {
		bool end = i % 3 == 0;

		speaker_close(&s, 1);
		graceful_up(&s, GR("80", "80"));
		speaker_update(&s, 1, "", OK, i % 2 ? "08 0a" : "08 0a 08 0b");
		if (end)
			speaker_update(&s, 1, "", "", "");
		assert_true(has(&s, "10.0.0.0/8"));
		assert_int_equal(has(&s, "12.0.0.0/8"), false || (i == 0 && !end));
	}
	speaker_fini(&s);
}

/* The peer connects anew before we saw the old connection break: the old one goes, quietly. */
static void unnoticed_restart(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_wait(&s, DUR_S(4));
	assert_true(speaker_connect(&s, 1));
	speaker_open(&s, 1, "41 04 0000fde9" GR("80", "80"));
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(s.remote[1].ups, 2);
	assert_int_equal(s.remote[1].downs, 1);
	assert_int_equal(graceful_received(&s), 3);
	assert_int_equal(graceful_stale(&s), 3);
	speaker_update(&s, 1, "", "", "");
	assert_int_equal(graceful_received(&s), 0);
	speaker_fini(&s);
}

/* The same when it was the peer that connected, both times; without the capability the first connection stays. */
static void unnoticed_restart_of_its_own(void **state)
{
	static const char *const gr[] = {GR("00", "80"), "40 02 0078", "40 06 0000 0001 01 80", ""};

	for (unsigned i = 0; i < TEST_COUNT(gr); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		speaker_init(&s);
		config.passive = true;
		speaker_add(&s, 1, &config);
		assert_true(speaker_connect(&s, 1));
		speaker_establish(&s, 1, gr[i]);
		graceful_learn(&s);
		assert_false(speaker_connect(&s, 1)); /* so soon, it crossed the other */
		speaker_wait(&s, DUR_S(4));
		assert_int_equal(speaker_connect(&s, 1), i == 0);
		assert_int_equal(s.remote[1].downs, i == 0);
		assert_int_equal(graceful_received(&s), 3);
		if (i == 0) {
			assert_int_equal(graceful_stale(&s), 3);
			speaker_establish(&s, 1, GR("80", "80"));
			speaker_update(&s, 1, "", OK, "08 0a");
			speaker_update(&s, 1, "", "", "");
			assert_int_equal(graceful_received(&s), 1);
		}
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		speaker_fini(&s);
	}
}

/*
 * Back on two connections at once: that one takes the place of the other is no second failure. The peer's
 * identifier is above ours, so its own connection stays.
 */
static void back_twice_at_once(void **state)
{
	static const char open[] = "04 fde9 005a 0a000100 10 02 0e 4104 0000fde9" GR("80", "80");
	struct ip_addr local = ip_v4(LOCAL_ID);
	struct speaker s;
	bgp_conn theirs;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	speaker_wait(&s, DUR_S(2));
	speaker_accept(&s, 1);
	theirs = bgp_accepted(s.engine, s.now, 1);
	bgp_connected(s.engine, s.now, theirs, &local);
	speaker_send(&s, 1, BGP_OPEN, open);
	KEEPALIVE(&s, 1);
	assert_int_equal(graceful_stale(&s), 3);
	s.remote[1].conn = theirs;
	speaker_send(&s, 1, BGP_OPEN, open);
	assert_int_equal(s.remote[1].downs, 2);
	assert_int_equal(graceful_received(&s), 3);
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(graceful_received(&s), 3);
	speaker_update(&s, 1, "", "", "");
	assert_int_equal(graceful_received(&s), 0);
	speaker_fini(&s);
}

/*
 * The peer comes back while we wait before we try again. It is let in, and not met half-way: our connection would
 * reach it established, and be taken for a restart of ours. When it fails once more, we do try.
 */
static void back_while_idle(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
	s.remote[1].connects = 0;
	assert_true(speaker_connect(&s, 1));
	speaker_establish(&s, 1, CAP_REFRESH CAP_ENHANCED GR("80", "80"));
	assert_int_equal(s.remote[1].ups, 2);
	assert_int_equal(s.remote[1].connects, 0);
	speaker_close(&s, 1);
	speaker_wait(&s, DUR_S(30));
	assert_true(s.remote[1].connects > 0);
	speaker_fini(&s);
}

/*
 * Both connect at once, and ours is still on its way, or without OPEN, when the peer's is established. The peer may
 * take ours for our restart and close the established one: that is no second failure of its own.
 */
static void back_and_superseded(void **state)
{
	for (int connected = 0; connected < 2; connected++) {
		struct ip_addr local = ip_v4(LOCAL_ID);
		struct speaker s;
		bgp_conn ours, theirs;

		speaker_init(&s);
		graceful_up(&s, GR("00", "80"));
		graceful_learn(&s);
		speaker_close(&s, 1);
		speaker_wait(&s, DUR_S(2));
		assert_true(s.remote[1].connecting);
		if (connected)
			speaker_accept(&s, 1);
		ours = s.remote[1].conn;
		theirs = bgp_accepted(s.engine, s.now, 1);
		bgp_connected(s.engine, s.now, theirs, &local);
		s.remote[1].conn = theirs;
		s.remote[1].connecting = false;
		speaker_establish(&s, 1, CAP_REFRESH CAP_ENHANCED GR("80", "80"));
		assert_int_equal(s.remote[1].ups, 2);
		bgp_closed(s.engine, s.now, theirs);
		speaker_settle(&s);
		assert_int_equal(s.remote[1].downs, 2);
		assert_int_equal(graceful_received(&s), 3);
		assert_int_equal(graceful_stale(&s), 3);
		if (connected) {
			s.remote[1].conn = ours;
			speaker_establish(&s, 1, CAP_REFRESH CAP_ENHANCED GR("80", "80"));
			assert_int_equal(s.remote[1].ups, 3);
		}
		speaker_fini(&s);
	}
}

/* Another configuration is another session: nothing of the old one is kept for it. */
static void change_forgets(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("40", "80"));
	graceful_learn(&s);
	config.transport.ttl_min = 255;
	assert_int_equal(bgp_peer_update(s.engine, s.now, 1, &config, NULL), 0);
	assert_int_equal(graceful_received(&s), 0);
	speaker_fini(&s);
}

/* ---- NOTIFICATIONs (RFC 8538) ---- */

static void notifications(void **state)
{
	static const struct {
		const char *gr, *body;
		unsigned kept;
	} cell[] = {
	    {GR("00", "80"), "06 04", 0}, /* RFC 4724 alone: any NOTIFICATION ends it */
	    {GR("40", "80"), "06 04", 3}, /* both have the N bit: kept */
	    {GR("40", "80"), "04 00", 3},
	    {GR("40", "80"), "06 09", 0}, /* hard reset */
	    {GR("40", "80"), "06 09 06 02 00", 0},
	    {"", "06 04", 0},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct speaker s;

		speaker_init(&s);
		graceful_up(&s, cell[i].gr);
		graceful_learn(&s);
		speaker_send(&s, 1, BGP_NOTIFICATION, cell[i].body);
		assert_int_equal(graceful_received(&s), cell[i].kept);
		speaker_fini(&s);
	}
}

/* The inside of a hard reset is what is reported. */
static void hard_reset_inside(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("40", "80"));
	speaker_send(&s, 1, BGP_NOTIFICATION, "06 09 06 02 02 6869");
	assert_int_equal(s.remote[1].end.code, BGP_ERR_CEASE);
	assert_int_equal(s.remote[1].end.subcode, BGP_CEASE_SHUTDOWN);
	assert_string_equal(s.remote[1].end.text, "hi");
	speaker_fini(&s);
}

/* Ours: a shutdown is a hard reset where the peer would keep the routes else. */
static void our_notifications(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("40", "80"));
	graceful_learn(&s);
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_SHUTDOWN, "bye");
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "06 02 03 627965");
	assert_int_equal(graceful_received(&s), 0);
	bgp_peer_start(s.engine, s.now, 1);
	graceful_up(&s, GR("40", "80"));
	graceful_learn(&s);
	bgp_peer_reset(s.engine, s.now, 1, true, NULL);
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "06 04");
	assert_int_equal(graceful_received(&s), 0);
	speaker_wait(&s, DUR_S(2));
	graceful_up(&s, GR("40", "80"));
	graceful_learn(&s);
	bgp_peer_reset(s.engine, s.now, 1, false, NULL);
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_RESET, "");
	assert_int_equal(graceful_received(&s), 3); /* and we keep the peer's */
	/* an error in a message is no reason to forget what was good */
	speaker_wait(&s, DUR_S(2));
	graceful_up(&s, GR("40", "80"));
	graceful_learn(&s);
	speaker_update(&s, 1, "", OK "406300", "08 0d");
	assert_int_equal(graceful_received(&s), 3);
	speaker_fini(&s);
}

static void hold_timer_expires(void **state)
{
	for (int n = 0; n < 2; n++) {
		struct speaker s;

		speaker_init(&s);
		graceful_up(&s, n ? GR("40", "80") : GR("00", "80"));
		graceful_learn(&s);
		speaker_wait(&s, DUR_S(91));
		assert_int_equal(s.remote[1].downs, 1);
		assert_int_equal(graceful_received(&s), n ? 3 : 0);
		speaker_fini(&s);
	}
}

/* While its routes are kept, the peer may come back at once; else Idle refuses. */
static void welcome_back(void **state)
{
	for (int gr = 0; gr < 2; gr++) {
		struct speaker s;

		speaker_init(&s);
		graceful_up(&s, gr ? GR("00", "80") : "");
		speaker_close(&s, 1);
		assert_int_equal(speaker_connect(&s, 1), gr);
		speaker_fini(&s);
	}
}

static void stop_forgets(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	graceful_learn(&s);
	speaker_close(&s, 1);
	assert_int_equal(graceful_received(&s), 3);
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_SHUTDOWN, NULL);
	assert_int_equal(graceful_received(&s), 0);
	speaker_fini(&s);
}

/* ---- we restart ---- */

static void init_restarting(struct speaker *s)
{
	const struct bgp_config config = {.router_id = LOCAL_ID,
	    .restart_s = 120,
	    .forwarding_kept = true,
	    .restarting = true,
	    .deferral_s = 100};

	speaker_init_with(s, &config);
}

/* Two peers; nothing is told before both have sent End-of-RIB and the model has decided. */
static void we_restart(void **state)
{
	struct bgp_peer_config config = speaker_config(2);
	struct speaker s;

	init_restarting(&s);
	speaker_add(&s, 1, peer_config(1));
	speaker_add(&s, 2, &config);
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_non_null(
	    memmem(s.message.body, s.message.len, "\x40\x06\xc0\x78\x00\x01\x01\x80", 8));
	speaker_establish(&s, 1, GR("00", "80"));
	speaker_establish(&s, 2, GR("00", "80"));
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_update(&s, 1, "", "", "");
	speaker_settle(&s);
	speaker_wait(&s, DUR_S(10));
	assert_int_equal(s.learned, 0);
	speaker_update(&s, 2, "", "", "");
	assert_int_equal(s.learned, 1);
	speaker_settle(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].updates, 0);
	bgp_restart_done(s.engine, s.now);
	speaker_run(&s);
	assert_non_null(speaker_route(&s, 2, "10.0.0.0/8"));
	assert_int_equal(s.remote[2].end_of_ribs[BGP_IPV4], 1);
	/* the R bit is set no longer */
	speaker_close(&s, 2);
	speaker_wait(&s, DUR_S(2));
	speaker_accept(&s, 2);
	assert_true(speaker_next(&s, 2));
	assert_non_null(memmem(s.message.body, s.message.len, "\x40\x06\x40\x78", 4));
	speaker_fini(&s);
}

/*
 * Back without forwarding: the R bit and no F bit, in the first session with each peer, within the restart time. Nothing is
 * deferred. Octets of the capability: flags and time (N, 120 s), AFI, SAFI, flags.
 */
static void we_restart_without_forwarding(void **state)
{
	static const struct {
		bool restarted;
		unsigned after_s;
		const char *gr;
	} open[] = {
	    {true, 0, "\x40\x06\xc0\x78\x00\x01\x01\x00"},
	    {true, 130, "\x40\x06\x40\x78\x00\x01\x01\x00"},
	    {false, 0, "\x40\x06\x40\x78\x00\x01\x01\x00"},
	};

	for (unsigned i = 0; i < TEST_COUNT(open); i++) {
		const struct bgp_config config = {
		    .router_id = LOCAL_ID, .restart_s = 120, .restarted = open[i].restarted};
		struct speaker s;

		speaker_init_with(&s, &config);
		speaker_wait(&s, DUR_S(open[i].after_s));
		speaker_add(&s, 1, peer_config(1));
		speaker_accept(&s, 1);
		assert_true(speaker_next(&s, 1));
		assert_non_null(memmem(s.message.body, s.message.len, open[i].gr, 8));
		speaker_establish(&s, 1, GR("00", "80"));
		speaker_run(&s);
		speaker_drain(&s, 1);
		assert_int_equal(s.remote[1].end_of_ribs[BGP_IPV4], 1);
		speaker_close(&s, 1);
		speaker_wait(&s, DUR_S(2));
		speaker_accept(&s, 1);
		assert_true(speaker_next(&s, 1));
		assert_non_null(memmem(s.message.body, s.message.len, open[2].gr, 8));
		speaker_fini(&s);
	}
}

/* Peers that restart too, or do not know of it, are not waited for. */
static void we_restart_alone(void **state)
{
	static const char *const gr[] = {GR("80", "80"), ""};

	for (unsigned i = 0; i < TEST_COUNT(gr); i++) {
		struct speaker s;

		init_restarting(&s);
		graceful_up(&s, gr[i]);
		assert_int_equal(s.learned, 1);
		speaker_fini(&s);
	}
}

/* A peer that is not there, or never ends, is waited for so long and no longer. */
static void we_restart_in_vain(void **state)
{
	struct speaker s;

	init_restarting(&s);
	speaker_add(&s, 2, peer_config(2));
	graceful_up(&s, GR("00", "80"));
	for (unsigned i = 0; i < 99; i++) {
		speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 1);
	}
	assert_int_equal(s.learned, 0);
	speaker_wait(&s, DUR_S(1));
	assert_int_equal(s.learned, 1);
	speaker_fini(&s);

	init_restarting(&s);
	speaker_add(&s, 2, peer_config(2));
	graceful_up(&s, "");
	assert_int_equal(s.learned, 0);
	bgp_peer_stop(s.engine, s.now, 2, BGP_CEASE_SHUTDOWN, NULL);
	assert_int_equal(s.learned, 1);
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(peer_comes_back),
	    cmocka_unit_test(peer_stays_away),
	    cmocka_unit_test(peer_never_ends),
	    cmocka_unit_test(peer_forgot),
	    cmocka_unit_test(second_failure),
	    cmocka_unit_test(many_failures),
	    cmocka_unit_test(unnoticed_restart),
	    cmocka_unit_test(unnoticed_restart_of_its_own),
	    cmocka_unit_test(back_twice_at_once),
	    cmocka_unit_test(back_while_idle),
	    cmocka_unit_test(back_and_superseded),
	    cmocka_unit_test(change_forgets),
	    cmocka_unit_test(notifications),
	    cmocka_unit_test(hard_reset_inside),
	    cmocka_unit_test(our_notifications),
	    cmocka_unit_test(hold_timer_expires),
	    cmocka_unit_test(welcome_back),
	    cmocka_unit_test(stop_forgets),
	    cmocka_unit_test(we_restart),
	    cmocka_unit_test(we_restart_without_forwarding),
	    cmocka_unit_test(we_restart_alone),
	    cmocka_unit_test(we_restart_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
