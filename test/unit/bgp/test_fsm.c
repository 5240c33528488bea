/* SPDX-License-Identifier: BSD-3-Clause */

/* States, timers and collisions over a clock that the test turns (BG-01, BG-14, BG-15). */

#include "speaker.h"

static void start(struct speaker *s, unsigned peer)
{
	struct bgp_peer_config config = speaker_config(peer);

	speaker_add(s, peer, &config);
}

static void six_states(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	assert_int_equal(bgp_peer_add(s.engine, s.now, 1, &config, NULL), 0);
	assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
	bgp_peer_start(s.engine, s.now, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_CONNECT);
	bgp_connect_failed(s.engine, s.now, s.remote[1].conn);
	s.remote[1].connecting = false;
	assert_int_equal(speaker_state(&s, 1), BGP_ACTIVE);
	speaker_wait(&s, DUR_S(30)); /* connect retry */
	assert_int_equal(s.remote[1].connects, 2);
	assert_int_equal(speaker_state(&s, 1), BGP_CONNECT);
	speaker_accept(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_OPENSENT);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.type, BGP_OPEN);
	speaker_open(&s, 1, NULL);
	assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.type, BGP_KEEPALIVE);
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(s.remote[1].ups, 1);
	speaker_fini(&s);
}

/* Our OPEN, octet by octet. */
static void our_open(void **state)
{
	static const char want[] = "04 fde8 0078 0a0000fe"
				   "26 02 24"
				   "01 04 0001 0001"
				   "01 04 0002 0001"
				   "02 00"
				   "06 00"
				   "40 0a 4078 0001 01 80 0002 01 80"
				   "41 04 0000fde8"
				   "46 00";
	const struct bgp_config engine = {
	    .router_id = LOCAL_ID, .restart_s = 120, .forwarding_kept = true};
	struct bgp_peer_config config = speaker_config(1);
	uint8_t bytes[256];
	struct speaker s;

	speaker_init_with(&s, &engine);
	config.families = BGP_FAMILIES_ALL;
	config.next_hop[BGP_IPV6] = test_addr("2001:db8::fe");
	config.hold_s = 120;
	speaker_add(&s, 1, &config);
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.len, unhex(want, bytes, sizeof(bytes)));
	assert_memory_equal(s.message.body, bytes, s.message.len);
	speaker_fini(&s);
}

/* An AS of four octets stands as AS_TRANS in front and whole in the capability. */
static void our_open_with_a_long_as(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	config.local_as = 200000;
	speaker_add(&s, 1, &config);
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_memory_equal(s.message.body + 1, "\x5b\xa0", 2);
	assert_memory_equal(
	    memmem(s.message.body, s.message.len, "\x41\x04", 2), "\x41\x04\x00\x03\x0d\x40", 6);
	speaker_fini(&s);
}

static void passive(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	config.passive = true;
	speaker_add(&s, 1, &config);
	assert_int_equal(speaker_state(&s, 1), BGP_ACTIVE);
	speaker_wait(&s, DUR_S(3600));
	assert_int_equal(s.remote[1].connects, 0);
	assert_true(speaker_connect(&s, 1));
	speaker_establish(&s, 1, "");
	speaker_fini(&s);
}

/* ---- timers ---- */

static void connect_retry_is_jittered(void **state)
{
	struct speaker s;
	int64_t least = INT64_MAX, most = 0;

	speaker_init(&s);
	start(&s, 1);
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
	start(&s, 1);
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
	start(&s, 1);
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
	start(&s, 1);
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
	start(&s, 1);
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

/* ---- a peer that does not read ---- */

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

/* The OPEN is still on its way out when the peer's comes: the KEEPALIVE follows it all the same. */
static void keepalive_behind_a_slow_open(void **state)
{
	struct speaker s;

	speaker_init(&s);
	start(&s, 1);
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

/* ---- two connections (RFC 4271 6.8) ---- */

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
	start(&s, 1);
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
	start(&s, 1);
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
	start(&s, 1);
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
		start(&s, 1);
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

/* ---- commands and their reasons ---- */

static void stop_with_text(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_SHUTDOWN, "back at 9");
	speaker_expect_notification(
	    &s, 1, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, "09 6261636b2061742039");
	assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
	speaker_wait(&s, DUR_S(3600));
	assert_int_equal(s.remote[1].connects, 1); /* does not come back by itself */
	assert_false(speaker_connect(&s, 1));
	bgp_peer_start(s.engine, s.now, 1);
	assert_int_equal(s.remote[1].connects, 2);
	speaker_establish(&s, 1, "");
	bgp_peer_reset(s.engine, s.now, 1, false, NULL);
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_RESET, "");
	speaker_wait(&s, DUR_S(2));
	assert_int_equal(s.remote[1].connects, 3); /* and this one does */
	speaker_establish(&s, 1, "");
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_BFD_DOWN, "not told");
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "");
	bgp_peer_start(s.engine, s.now, 1);
	speaker_establish(&s, 1, "");
	bgp_peer_remove(s.engine, s.now, 1);
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED, "");
	speaker_fini(&s);
}

/* A text is cut at 255 octets, between characters (RFC 9003). */
static void long_text(void **state)
{
	char text[400] = "";
	struct speaker s;

	for (unsigned i = 0; i < 130; i++)
		strcat(text, "\xc3\xa4");
	speaker_init(&s);
	speaker_up(&s, 1);
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_SHUTDOWN, text);
	while (speaker_next(&s, 1))
		;
	assert_int_equal(s.message.type, BGP_NOTIFICATION);
	assert_int_equal(s.message.body[2], 254);
	assert_int_equal(s.message.len, 2 + 1 + 254);
	speaker_fini(&s);
}

/* What a peer says is printable, whatever it sends (G8). */
static void shutdown_texts_received(void **state)
{
	static const struct {
		const char *body, *text;
	} cell[] = {
	    {"06 02 05 68656c6c6f", "hello"},
	    {"06 04 05 68656c6c6f", "hello"},
	    {"06 02 04 1b5b316d", "\\x1b[1m"},
	    {"06 02 03 00 0a ff", "\\x00\\x0a\\xff"},
	    {"06 02 02 c3a4", "\\xc3\\xa4"},
	    {"06 02 00", ""},
	    {"06 02", ""},
	    {"06 02 09 6869", ""}, /* longer than it is */
	    {"06 03 05 68656c6c6f", ""},
	    {"03 02 05 68656c6c6f", ""},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct speaker s;

		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_send(&s, 1, BGP_NOTIFICATION, cell[i].body);
		assert_int_equal(s.remote[1].end.by, BGP_END_RECEIVED);
		assert_string_equal(s.remote[1].end.text, cell[i].text);
		speaker_fini(&s);
	}
}

/* NOTIFICATIONs of every length, never answered by another one. */
static void notifications_of_any_length(void **state)
{
	static char hex[9000];

	for (unsigned len = 0; len <= 4075; len += len < 300 ? 1 : 775) {
		struct speaker s;

		strcpy(hex, "06 02 ff");
		for (unsigned i = 1; i < len; i++)
			strcat(hex, "41");
		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_drain(&s, 1);
		speaker_send(&s, 1, BGP_NOTIFICATION, len ? hex : "06 02");
		speaker_expect_nothing(&s, 1);
		assert_int_equal(s.remote[1].downs, 1);
		speaker_fini(&s);
	}
}

/* A peer that knows no optional parameters is asked again without them (RFC 5492). */
static void retry_without_capabilities(void **state)
{
	struct speaker s;

	speaker_init(&s);
	start(&s, 1);
	speaker_accept(&s, 1);
	speaker_send(&s, 1, BGP_NOTIFICATION, "02 04");
	speaker_wait(&s, DUR_S(2));
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.len, 10);
	speaker_open(&s, 1, NULL);
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* Events of connections that are gone, and of peers that are. */
static void stale_events(void **state)
{
	struct ip_addr local = ip_v4(LOCAL_ID);
	struct speaker s;
	bgp_conn old;

	speaker_init(&s);
	speaker_up(&s, 1);
	old = s.remote[1].conn;
	speaker_close(&s, 1);
	bgp_closed(s.engine, s.now, old);
	bgp_writable(s.engine, s.now, old);
	bgp_connected(s.engine, s.now, old, &local);
	assert_int_equal(bgp_received(s.engine, s.now, old, (const uint8_t *)"x", 1), 1);
	bgp_closed(s.engine, s.now, 0);
	bgp_closed(s.engine, s.now, ~UINT64_C(0));
	assert_int_equal(s.remote[1].downs, 1);
	bgp_peer_remove(s.engine, s.now, 1);
	speaker_run(&s);
	bgp_closed(s.engine, s.now, old);
	assert_int_equal(bgp_accepted(s.engine, s.now, 1), 0);
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(six_states),
	    cmocka_unit_test(our_open),
	    cmocka_unit_test(our_open_with_a_long_as),
	    cmocka_unit_test(passive),
	    cmocka_unit_test(connect_retry_is_jittered),
	    cmocka_unit_test(idle_hold_backs_off),
	    cmocka_unit_test(short_sessions_back_off),
	    cmocka_unit_test(one_connection_is_enough),
	    cmocka_unit_test(hold_timer),
	    cmocka_unit_test(hold_timer_of_opensent),
	    cmocka_unit_test(negotiated_times),
	    cmocka_unit_test(send_hold_timer),
	    cmocka_unit_test(send_hold_time_configured),
	    cmocka_unit_test(slow_reader),
	    cmocka_unit_test(progress_counts),
	    cmocka_unit_test(keepalive_behind_a_slow_open),
	    cmocka_unit_test(collisions),
	    cmocka_unit_test(collision_notification),
	    cmocka_unit_test(collision_of_equal_identifiers),
	    cmocka_unit_test(collision_with_established),
	    cmocka_unit_test(collision_with_young_established),
	    cmocka_unit_test(stop_with_text),
	    cmocka_unit_test(long_text),
	    cmocka_unit_test(shutdown_texts_received),
	    cmocka_unit_test(notifications_of_any_length),
	    cmocka_unit_test(retry_without_capabilities),
	    cmocka_unit_test(stale_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
