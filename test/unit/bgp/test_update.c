/* SPDX-License-Identifier: BSD-3-Clause */

/* UPDATEs and what the Adj-RIB-In makes of them: good ones, bad ones, both families, End-of-RIB. */

#include "speaker.h"

#define O  "400101 00"
#define P  "400206 0201 0000fde9"
#define N  "400304 0a000001"
#define OK O P N

static unsigned received(struct speaker *s, unsigned peer)
{
	return speaker_info(s, peer).rib[BGP_IPV4].received;
}

static unsigned paths(struct speaker *s, const char *prefix)
{
	return speaker_paths(s, prefix, NULL, 0);
}

static void announce_and_withdraw(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "18 0a0101 10 0a02 00 20 c0000201");
	assert_int_equal(received(&s, 1), 4);
	assert_int_equal(paths(&s, "10.1.1.0/24"), 1);
	assert_int_equal(paths(&s, "10.2.0.0/16"), 1);
	assert_int_equal(paths(&s, "0.0.0.0/0"), 1);
	assert_int_equal(paths(&s, "192.0.2.1/32"), 1);
	assert_int_equal(paths(&s, "10.1.0.0/16"), 0);
	speaker_update(&s, 1, "18 0a0101 18 0a0103", "", "");
	assert_int_equal(received(&s, 1), 3);
	assert_int_equal(paths(&s, "10.1.1.0/24"), 0);
	/* the same prefix withdrawn and announced in one message stays (RFC 4271 3.1) */
	speaker_update(&s, 1, "10 0a02", OK "800404 00000009", "10 0a02");
	assert_int_equal(speaker_attrs(&s, "10.2.0.0/16")->med, 9);
	speaker_fini(&s);
}

/* Bits behind the length mean nothing. */
static void host_bits(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "09 0aff 17 c00003");
	assert_int_equal(paths(&s, "10.128.0.0/9"), 1);
	assert_int_equal(paths(&s, "192.0.2.0/23"), 1);
	speaker_update(&s, 1, "09 0a80", "", "");
	assert_int_equal(received(&s, 1), 1);
	speaker_fini(&s);
}

/* Prefixes nobody routes are passed over, the rest of the message is not (G5). */
static void martians(void **state)
{
	static const char *const prefix[] = {"08 7f", "20 7f000001", "04 e0", "18 e00000", "04 f0",
	    "20 ffffffff", "08 00", "20 00000000"};
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	for (unsigned i = 0; i < TEST_COUNT(prefix); i++)
		speaker_update(&s, 1, "", OK, prefix[i]);
	assert_int_equal(received(&s, 1), 0);
	speaker_update(&s, 1, "", OK, "08 7f 08 0a 08 80 01 80 00");
	assert_int_equal(received(&s, 1), 4);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

static void implicit_withdraw(void **state)
{
	struct bgp_change change[4];
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "08 0a");
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	speaker_update(&s, 1, "", OK, "08 0a"); /* the same: no change */
	assert_int_equal(bgp_changes(s.engine, change, 4), 0);
	speaker_update(&s, 1, "", OK "800404 00000001", "08 0a");
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	assert_int_equal(speaker_attrs(&s, "10.0.0.0/8")->med, 1);
	assert_int_equal(received(&s, 1), 1);
	/* many changes of one prefix are one */
	for (unsigned i = 0; i < 10; i++) {
		speaker_update(&s, 1, "", i % 2 ? OK : OK "800404 00000001", "08 0a");
		speaker_update(&s, 1, "08 0a", "", "");
	}
	assert_int_equal(bgp_changes_waiting(s.engine), 1);
	speaker_fini(&s);
}

/* ---- errors: the session stays unless it cannot ---- */

static void treated_as_withdraw(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "08 0a 08 0b");
	speaker_update(&s, 1, "", "400101 07" P N, "08 0a");
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(paths(&s, "10.0.0.0/8"), 0);
	assert_int_equal(paths(&s, "11.0.0.0/8"), 1);
	assert_int_equal(speaker_info(&s, 1).counters.treated_as_withdraw, 1);
	/* what the message withdraws is withdrawn all the same */
	speaker_update(&s, 1, "08 0b", "400101 07" P N, "08 0a");
	assert_int_equal(received(&s, 1), 0);
	speaker_drain(&s, 1);
	speaker_fini(&s);
}

static void attribute_discarded(void **state)
{
	struct speaker s;
	size_t len;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "",
	    OK "c00706 fde9 0a000001"
	       "400601 01",
	    "08 0a");
	assert_int_equal(paths(&s, "10.0.0.0/8"), 1);
	assert_null(bgp_attrs_value(speaker_attrs(&s, "10.0.0.0/8"), BGP_ATTR_AGGREGATOR, &len));
	assert_null(
	    bgp_attrs_value(speaker_attrs(&s, "10.0.0.0/8"), BGP_ATTR_ATOMIC_AGGREGATE, &len));
	assert_int_equal(speaker_info(&s, 1).counters.attributes_discarded, 2);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

static void session_reset(void **state)
{
	static const struct {
		const char *attrs, *nlri;
		uint8_t subcode;
		const char *data;
	} bad[] = {
	    {OK "406303 010203", "08 0a", BGP_UPD_UNKNOWN, "406303 010203"},
	    {OK "800e04 00020110", "08 0a", BGP_UPD_OPTIONAL, "800e04 00020110"},
	    {OK "800f02 0002", "08 0a", BGP_UPD_OPTIONAL, "800f02 0002"},
	    {OK "800f03 000201 800f03 000201", "08 0a", BGP_UPD_LIST, ""},
	    {"400101 07", "", BGP_UPD_ORIGIN, "400101 07"},
	};

	for (unsigned i = 0; i < TEST_COUNT(bad); i++) {
		struct speaker s;

		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_update(&s, 1, "", bad[i].attrs, bad[i].nlri);
		speaker_expect_notification(&s, 1, BGP_ERR_UPDATE, bad[i].subcode, bad[i].data);
		assert_int_equal(s.remote[1].downs, 1);
		speaker_fini(&s);
	}
}

/* What only the peer's configuration can tell is no error of the attribute. */
static void first_as(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_update(&s, 1, "", O "40020a 0202 0000fdea 0000fde9" N, "08 0a");
	assert_int_equal(received(&s, 1), 0);
	speaker_update(&s, 1, "", O "400200" N, "08 0a");
	assert_int_equal(received(&s, 1), 0);
	speaker_fini(&s);

	config.any_first_as = true;
	speaker_init(&s);
	speaker_add(&s, 1, &config);
	speaker_establish(&s, 1, "");
	speaker_update(&s, 1, "", O "40020a 0202 0000fdea 0000fde9" N, "08 0a");
	assert_int_equal(received(&s, 1), 1);
	speaker_fini(&s);
}

/* A thousand bad messages from one peer, routes of another: nothing of it moves (C-46). */
static void bad_peer_hurts_nobody(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_update(&s, 2, "", speaker_good(2), "08 0a 08 0b 08 0c");
	for (unsigned i = 0; i < 1000; i++)
		speaker_update(&s, 1, "", i % 2 ? "400101 07" P N : O P, "08 0a 08 0d");
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(received(&s, 1), 0);
	assert_int_equal(received(&s, 2), 3);
	speaker_fini(&s);
}

/* ---- IPv6 (RFC 4760) ---- */

#define HOP6 "10 20010db8000000000000000000000001 00"

static void up_with_ipv6(struct speaker *s, unsigned peer)
{
	struct bgp_peer_config config = speaker_config(peer);

	config.families = BGP_FAMILIES_ALL;
	config.next_hop[BGP_IPV6] = test_addr("2001:db8::fe");
	speaker_add(s, peer, &config);
	speaker_establish(s, peer, CAP_MP4 CAP_MP6);
}

static void ipv6_routes(void **state)
{
	struct speaker s;
	const struct bgp_attrs *a;

	speaker_init(&s);
	up_with_ipv6(&s, 1);
	speaker_update(&s, 1, "", "800e22 000201" HOP6 "30 20010db80001 20 20010db9 00" O P, "");
	assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV6].received, 3);
	a = speaker_attrs(&s, "2001:db8:1::/48");
	assert_string_equal(ip_text(&a->next_hop, (char[IP_TEXT_MAX]){0}), "2001:db8::1");
	speaker_update(&s, 1, "", "800f0a 000201 30 20010db80001", "");
	assert_int_equal(paths(&s, "2001:db8:1::/48"), 0);
	assert_int_equal(paths(&s, "2001:db9::/32"), 1);
	/* both families in one message, each with its next hop */
	speaker_update(&s, 1, "", "800e1d 000201" HOP6 "38 20010db8000200" O P N, "08 0a");
	assert_int_equal(speaker_attrs(&s, "10.0.0.0/8")->next_hop.family, IP_V4);
	assert_int_equal(speaker_attrs(&s, "2001:db8:2::/56")->next_hop.family, IP_V6);
	/* announced and withdrawn in one message */
	speaker_update(
	    &s, 1, "08 0a", "800e1a 000201" HOP6 "20 20010dba" O P "800f08 000201 20 20010db9", "");
	assert_int_equal(paths(&s, "10.0.0.0/8"), 0);
	assert_int_equal(paths(&s, "2001:db9::/32"), 0);
	assert_int_equal(paths(&s, "2001:dba::/32"), 1);
	/* a bad attribute withdraws MP routes too */
	speaker_update(&s, 1, "",
	    "800e1a 000201" HOP6 "20 20010dba"
	    "400101 09" P,
	    "");
	assert_int_equal(paths(&s, "2001:dba::/32"), 0);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* Not negotiated: passed over, whatever it holds. */
static void ipv6_not_negotiated(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", "800e1a 000201" HOP6 "20 20010db8" O P N, "08 0a");
	assert_int_equal(paths(&s, "2001:db8::/32"), 0);
	assert_int_equal(paths(&s, "10.0.0.0/8"), 1);
	speaker_update(&s, 1, "", "800e06 0019 41 00 00 ff" O P N, "08 0b");
	assert_int_equal(paths(&s, "11.0.0.0/8"), 1);
	speaker_fini(&s);
}

/* IPv4 routes in MP_REACH_NLRI are IPv4 routes. */
static void ipv4_in_mp(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", "800e0b 000101 04 0a000001 00 08 0a" O P, "");
	assert_int_equal(paths(&s, "10.0.0.0/8"), 1);
	speaker_update(&s, 1, "", "800f05 000101 08 0a", "");
	assert_int_equal(paths(&s, "10.0.0.0/8"), 0);
	speaker_fini(&s);
}

static void end_of_rib(void **state)
{
	struct speaker s;

	speaker_init(&s);
	up_with_ipv6(&s, 1);
	speaker_update(&s, 1, "", "800f03 000201", "");
	assert_true(speaker_info(&s, 1).rib[BGP_IPV6].end_of_rib);
	assert_false(speaker_info(&s, 1).rib[BGP_IPV4].end_of_rib);
	speaker_update(&s, 1, "", OK, ""); /* attributes and no route: neither */
	assert_false(speaker_info(&s, 1).rib[BGP_IPV4].end_of_rib);
	speaker_update(&s, 1, "", "", "");
	assert_true(speaker_info(&s, 1).rib[BGP_IPV4].end_of_rib);
	speaker_fini(&s);
}

/* A session without 4-octet AS numbers, and what it says of them. */
static void old_speaker(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;
	char text[64];

	speaker_init(&s);
	speaker_add(&s, 1, &config);
	speaker_accept(&s, 1);
	speaker_open(&s, 1, NULL);
	KEEPALIVE(&s, 1);
	assert_false(speaker_info(&s, 1).as4);
	speaker_update(&s, 1, "", O "400206 0202 fde9 5ba0" N "c01106 0201 00030d40", "08 0a");
	bgp_attrs_path_text(speaker_attrs(&s, "10.0.0.0/8"), text, sizeof(text));
	assert_string_equal(text, "65001 200000");
	speaker_fini(&s);
}

/* Attributes already known are found by their bytes, on the session kind they were learned on. */
static void known_bytes(void **state)
{
	struct bgp_peer_config internal = speaker_config(2);
	struct speaker s;

	internal.remote_as = LOCAL_AS;
	internal.local_as = LOCAL_AS;
	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_add(&s, 2, &internal);
	speaker_accept(&s, 2);
	speaker_send(&s, 2, BGP_OPEN, "04 fde8 005a 0a000002 08 02 06 41 04 0000fde8");
	KEEPALIVE(&s, 2);
	speaker_update(&s, 2, "", OK "400504 00000190", "08 0a");
	assert_int_equal(bgp_attrs_preference(speaker_attrs(&s, "10.0.0.0/8")), 400);
	/* the same bytes from outside: LOCAL_PREF is not theirs to set */
	speaker_update(&s, 1, "", OK "400504 00000190", "08 0b");
	assert_int_equal(bgp_attrs_preference(speaker_attrs(&s, "11.0.0.0/8")), 100);
	for (int i = 0; i < 3; i++) {
		speaker_update(&s, 1, "", OK, "08 0c");
		speaker_update(&s, 2, "", OK "400504 00000190", "08 0d");
	}
	assert_int_equal(bgp_usage(s.engine).attribute_sets, 2);
	speaker_fini(&s);
}

/*
 * A session was lost and its routes are not swept yet, but the model has seen that they are dead. Announced
 * again just as they were, they are a change.
 */
static void dead_and_back(void **state)
{
	struct bgp_change change[4];
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_run(&s);
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	speaker_close(&s, 1);
	speaker_update(&s, 2, "", speaker_good(2), "08 0a");
	speaker_update(&s, 2, "08 0a", "", "");
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	assert_int_equal(bgp_paths_changed(s.engine, &change[0], NULL, 0), 0);
	bgp_peer_start(s.engine, s.now, 1);
	speaker_establish(&s, 1, "");
	speaker_update(&s, 1, "", OK, "08 0a");
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	assert_int_equal(bgp_paths_changed(s.engine, &change[0], NULL, 0), 1);
	speaker_fini(&s);
}

/* As above, but what comes now is refused: a change as well, as nobody has heard of the old route's end. */
static void dead_and_refused(void **state)
{
	struct bgp_change change[4];
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_run(&s);
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	speaker_close(&s, 1);
	bgp_peer_start(s.engine, s.now, 1);
	speaker_establish(&s, 1, "");
	speaker_update(&s, 1, "", O "40020a 0202 0000fde9 0000fde8" N, "08 0a"); /* our AS */
	assert_int_equal(bgp_changes(s.engine, change, 4), 1);
	assert_int_equal(bgp_paths_changed(s.engine, &change[0], NULL, 0), 0);
	speaker_fini(&s);
}

static bool allowed;

static bool import_if_allowed(uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, struct bgp_edit *edit)
{
	return allowed;
}

/* Dead routes are not looked at when the policy changes: those that come back just as they were, are. */
static void dead_and_another_policy(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	config.has_import = true;
	for (int turn = 0; turn < 2; turn++) {
		allowed = turn;
		speaker_init(&s);
		s.import = import_if_allowed;
		speaker_add(&s, 1, &config);
		speaker_establish(&s, 1, "");
		speaker_update(&s, 1, "", OK, "08 0a");
		speaker_settle(&s);
		speaker_close(&s, 1);
		allowed = !turn;
		bgp_peer_reimport(s.engine, 1);
		bgp_peer_start(s.engine, s.now, 1);
		speaker_establish(&s, 1, "");
		speaker_update(&s, 1, "", OK, "08 0a");
		assert_int_equal(paths(&s, "10.0.0.0/8"), !turn);
		assert_int_equal(bgp_changes_waiting(s.engine), 1);
		speaker_fini(&s);
	}
}

/* Nothing can be sent to the peer: its routes are no paths from now on, whatever it says, and others hear of it (BG-20). */
static void unreachable(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_settle(&s);
	assert_non_null(speaker_route(&s, 2, "10.0.0.0/8"));
	assert_int_equal(bgp_peer_reachable(s.engine, 1, false), 0);
	assert_int_equal(paths(&s, "10.0.0.0/8"), 0);
	speaker_update(&s, 1, "", OK, "08 0b");
	speaker_run(&s);
	assert_true(bgp_changes_waiting(s.engine) > 0);
	speaker_settle(&s);
	assert_int_equal(paths(&s, "11.0.0.0/8"), 0);
	assert_null(speaker_route(&s, 2, "10.0.0.0/8"));
	assert_int_equal(s.remote[2].routes, 0);
	assert_int_equal(received(&s, 1), 2);
	assert_int_equal(bgp_peer_reachable(s.engine, 1, true), 0);
	speaker_run(&s);
	speaker_settle(&s);
	assert_non_null(speaker_route(&s, 2, "10.0.0.0/8"));
	assert_non_null(speaker_route(&s, 2, "11.0.0.0/8"));
	assert_int_equal(s.remote[1].downs, 0);
	/* gone while it cannot be reached, and back just as it was before the old routes are swept */
	bgp_peer_reachable(s.engine, 1, false);
	speaker_run(&s);
	speaker_settle(&s);
	speaker_close(&s, 1);
	bgp_peer_reachable(s.engine, 1, true);
	bgp_peer_start(s.engine, s.now, 1);
	speaker_establish(&s, 1, "");
	speaker_update(&s, 1, "", OK, "08 0a");
	assert_int_equal(paths(&s, "10.0.0.0/8"), 1);
	assert_int_equal(bgp_peer_reachable(s.engine, 9, true), -2); /* ENOENT */
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(announce_and_withdraw),
	    cmocka_unit_test(host_bits),
	    cmocka_unit_test(martians),
	    cmocka_unit_test(implicit_withdraw),
	    cmocka_unit_test(treated_as_withdraw),
	    cmocka_unit_test(attribute_discarded),
	    cmocka_unit_test(session_reset),
	    cmocka_unit_test(first_as),
	    cmocka_unit_test(bad_peer_hurts_nobody),
	    cmocka_unit_test(ipv6_routes),
	    cmocka_unit_test(ipv6_not_negotiated),
	    cmocka_unit_test(ipv4_in_mp),
	    cmocka_unit_test(end_of_rib),
	    cmocka_unit_test(old_speaker),
	    cmocka_unit_test(known_bytes),
	    cmocka_unit_test(dead_and_back),
	    cmocka_unit_test(dead_and_refused),
	    cmocka_unit_test(dead_and_another_policy),
	    cmocka_unit_test(unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
