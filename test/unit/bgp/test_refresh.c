/* SPDX-License-Identifier: BSD-3-Clause */

/* Route refresh and its enhanced kind, as asked of us and as begun by the peer (RFC 2918, 7313; BG-09). */

#include "graceful.h"

#define BORR "0001 01 01"
#define EORR "0001 02 01"

static void refresh_out(void **state)
{
	struct speaker s;
	unsigned kinds[3] = {0}, updates = 0;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_put(&s, 1, "10.0.0.0/8", 1);
	speaker_put(&s, 1, "11.0.0.0/8", 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0001 00 01");
	speaker_run(&s);
	while (speaker_next(&s, 1)) { /* BoRR, all of it, EoRR */
		if (s.message.type == BGP_ROUTE_REFRESH) {
			kinds[s.message.body[2]]++;
			assert_int_equal(updates > 0, s.message.body[2] == 2);
		} else if (s.message.type == BGP_UPDATE) {
			updates++;
			assert_int_equal(kinds[1], 1);
		}
	}
	assert_int_equal(kinds[1], 1);
	assert_int_equal(kinds[2], 1);
	assert_int_equal(updates, 1);
	/* families and kinds that are not ours are nothing (G9); a filter is passed over */
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0002 00 01");
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0001 00 02");
	for (unsigned kind = 3; kind < 256; kind++) {
		char body[32];

		snprintf(body, sizeof(body), "0001 %02x 01", kind);
		speaker_send(&s, 1, BGP_ROUTE_REFRESH, body);
	}
	speaker_run(&s);
	speaker_expect_nothing(&s, 1);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0001 00 01 01 80 0003 000000");
	speaker_run(&s);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* Asked for before the first time was told at all: End-of-RIB comes first, then BoRR, all of it, EoRR (RFC 7313 4). */
static void refresh_before_end_of_rib(void **state)
{
	static const char told[] = "U.(U)";
	char heard[16] = "";
	struct speaker s;

	speaker_init(&s);
	speaker_put(&s, 1, "10.0.0.0/8", 1);
	speaker_up(&s, 1);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0001 00 01");
	speaker_run(&s);
	while (speaker_next(&s, 1)) {
		if (s.message.type == BGP_ROUTE_REFRESH)
			strcat(heard, s.message.body[2] == 1 ? "(" : ")");
		else if (s.message.type == BGP_UPDATE)
			strcat(heard, s.message.len == 4 ? "." : "U");
	}
	assert_string_equal(heard, told);
	speaker_fini(&s);
}

/* Old refresh: no demarcation, everything again. */
static void refresh_out_plain(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_add(&s, 1, &c);
	speaker_establish(&s, 1, CAP_REFRESH);
	speaker_put(&s, 1, "10.0.0.0/8", 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	for (unsigned i = 0; i < 5; i++) {
		speaker_send(&s, 1, BGP_ROUTE_REFRESH, "0001 00 01");
		speaker_run(&s);
	}
	while (speaker_next(&s, 1))
		assert_int_equal(s.message.type, BGP_UPDATE);
	assert_int_equal(speaker_info(&s, 1).counters.prefixes_out, 6);
	speaker_fini(&s);
}

static void refresh_in(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, "");
	graceful_learn(&s);
	assert_int_equal(bgp_peer_refresh(s.engine, s.now, 1), 0);
	while (speaker_next(&s, 1))
		;
	assert_int_equal(s.message.type, BGP_ROUTE_REFRESH);
	assert_memory_equal(s.message.body, "\x00\x01\x00\x01", 4);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	assert_int_equal(graceful_stale(&s), 3);
	assert_int_equal(graceful_received(&s), 3);
	speaker_update(&s, 1, "", OK, "08 0a");
	assert_int_equal(graceful_stale(&s), 2);
	speaker_update(&s, 1, "", "", ""); /* End-of-RIB is not EoRR */
	assert_int_equal(graceful_received(&s), 3);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, EORR);
	speaker_settle(&s);
	assert_int_equal(graceful_received(&s), 1);
	speaker_fini(&s);
}

/* Twice begun: what the first one renewed must be renewed again. */
static void refresh_begun_twice(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, "");
	graceful_learn(&s);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	assert_int_equal(graceful_received(&s), 3); /* nothing dies before EoRR */
	assert_int_equal(graceful_stale(&s), 3);
	speaker_update(&s, 1, "", OK, "08 0b");
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, EORR);
	assert_int_equal(graceful_received(&s), 1);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, EORR); /* without a beginning: nothing */
	assert_int_equal(graceful_received(&s), 1);
	speaker_fini(&s);
}

/* From who may restart, a BoRR counts once its End-of-RIB has come (RFC 7313 4). */
static void begun_before_end_of_rib(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, GR("00", "80"));
	speaker_update(&s, 1, "", OK, "08 0a 08 0b");
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	assert_int_equal(graceful_stale(&s), 0);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, EORR);
	assert_int_equal(graceful_received(&s), 2);
	speaker_update(&s, 1, "", "", "");
	assert_true(speaker_info(&s, 1).rib[BGP_IPV4].end_of_rib);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	assert_int_equal(graceful_stale(&s), 2);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, EORR);
	assert_int_equal(graceful_received(&s), 0);
	speaker_fini(&s);
}

/* Never ended (G9): the stale time ends it. */
static void refresh_never_ends(void **state)
{
	struct speaker s;

	speaker_init(&s);
	graceful_up(&s, "");
	graceful_learn(&s);
	for (unsigned i = 0; i < 600; i++) /* begun over and over */
		speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	assert_int_equal(graceful_received(&s), 3);
	speaker_update(&s, 1, "", OK, "08 0a");
	for (unsigned i = 0; i < 360; i++) {
		speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 1);
	}
	assert_int_equal(graceful_received(&s), 1);
	speaker_fini(&s);
}

static void refresh_not_offered(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_add(&s, 1, &config);
	speaker_establish(&s, 1, "");
	graceful_learn(&s);
	assert_int_equal(bgp_peer_refresh(s.engine, s.now, 1), -95); /* EOPNOTSUPP */
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, BORR);
	speaker_send(&s, 1, BGP_ROUTE_REFRESH, EORR);
	assert_int_equal(graceful_received(&s), 3);
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refresh_out),
	    cmocka_unit_test(refresh_before_end_of_rib),
	    cmocka_unit_test(refresh_out_plain),
	    cmocka_unit_test(refresh_in),
	    cmocka_unit_test(refresh_begun_twice),
	    cmocka_unit_test(begun_before_end_of_rib),
	    cmocka_unit_test(refresh_never_ends),
	    cmocka_unit_test(refresh_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
