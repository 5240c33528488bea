/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What peers are told: attributes as they leave, who is told what, packing, and nothing more often than
 * it changes (BG-17, BG-18, BG-19). Views are in test_views.c, refresh in test_refresh.c.
 */

#include "speaker.h"

#define O "400101 00"
#define P "400206 0201 0000fde9"
#define N "400304 0a000001"

/* Hex of attributes as struct route has them: code by code. */
#define TOLD_ORIGIN "4001:00 "
#define TOLD_HOP    "4003:0a0000fe "

static void up_as(struct speaker *s, unsigned peer, const struct bgp_peer_config *config)
{
	char open[256];

	speaker_add(s, peer, config);
	speaker_accept(s, peer);
	snprintf(open, sizeof(open),
	    "04 %04x 005a %08x 18 02 16 4104%08x" CAP_MP4 CAP_MP6 CAP_REFRESH CAP_ENHANCED,
	    config->remote_as, PEER_ID(peer), config->remote_as);
	speaker_send(s, peer, BGP_OPEN, open);
	KEEPALIVE(s, peer);
	assert_int_equal(speaker_state(s, peer), BGP_ESTABLISHED);
}

static struct bgp_peer_config internal(unsigned peer)
{
	struct bgp_peer_config c = speaker_config(peer);

	c.remote_as = c.local_as;
	return c;
}

static void up_internal(struct speaker *s, unsigned peer)
{
	struct bgp_peer_config c = internal(peer);

	up_as(s, peer, &c);
}

static void told(struct speaker *s, unsigned peer, const char *prefix, const char *attrs)
{
	const struct route *r = speaker_route(s, peer, prefix);

	if (!r)
		fail_msg("%s was not told", prefix);
	assert_string_equal(r->attrs, attrs);
}

/* ---- attributes ---- */

static void to_external(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_update(&s, 1, "",
	    O P N "800404 00000007"
		  "c00804 00010002"
		  "c06301 05"
		  "806401 05"
		  "c00708 0000fde9 0a000001"
		  "400600",
	    "08 0a");
	speaker_settle(&s);
	/* our AS in front, our next hop, no MED; unknown ones with Partial; the rest as it was */
	told(&s, 2, "10.0.0.0/8",
	    TOLD_ORIGIN "4002:02020000fde80000fde9 " TOLD_HOP
			"4006: c007:0000fde90a000001 c008:00010002 e063:05 ");
	/* never back to where it came from */
	assert_null(speaker_route(&s, 1, "10.0.0.0/8"));
	speaker_fini(&s);
}

static void to_internal(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	up_internal(&s, 2);
	up_internal(&s, 3);
	speaker_update(&s, 1, "",
	    O P N "800404 00000007"
		  "c00804 00010002",
	    "08 0a");
	speaker_settle(&s);
	/* path, MED and next hop stay; LOCAL_PREF comes in */
	told(&s, 2, "10.0.0.0/8",
	    TOLD_ORIGIN
	    "4002:02010000fde9 4003:0a000001 8004:00000007 4005:00000064 c008:00010002 ");
	/* and what an internal peer tells is not for another one */
	speaker_update(&s, 2, "",
	    O P "400304 0a000002"
		"400504 00000032",
	    "08 0b");
	speaker_settle(&s);
	assert_null(speaker_route(&s, 3, "11.0.0.0/8"));
	assert_null(speaker_route(&s, 2, "11.0.0.0/8"));
	told(&s, 1, "11.0.0.0/8", TOLD_ORIGIN "4002:02020000fde80000fde9 " TOLD_HOP);
	speaker_fini(&s);
}

static void local_routes(void **state)
{
	const struct bgp_edit edit = {
	    .set_med = true, .med = 5, .community_count = 1, .community = {9}};
	struct ip_prefix prefix = test_prefix("172.16.0.0/12");
	struct bgp_peer_config self = internal(2);
	const struct bgp_attrs *attrs;
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	up_as(&s, 2, &self);
	attrs = bgp_attrs_local(s.engine, BGP_ORIGIN_INCOMPLETE, &edit);
	bgp_view_set(s.engine, 1, &prefix, attrs, 0, 0);
	bgp_attrs_unref(s.engine, attrs);
	speaker_run(&s);
	/* a MED of our own goes out */
	told(&s, 1, "172.16.0.0/12",
	    "4001:02 4002:02010000fde8 " TOLD_HOP "8004:00000005 c008:00000009 ");
	told(&s, 2, "172.16.0.0/12",
	    "4001:02 4002: " TOLD_HOP "8004:00000005 4005:00000064 c008:00000009 ");
	speaker_fini(&s);
}

static void next_hop_self(void **state)
{
	struct bgp_peer_config c = internal(2);
	struct speaker s;

	speaker_init(&s);
	c.next_hop_self = true;
	c.next_hop[BGP_IPV4] = test_addr("192.0.2.9");
	speaker_up(&s, 1);
	up_as(&s, 2, &c);
	speaker_update(&s, 1, "", O P N, "08 0a");
	speaker_settle(&s);
	told(&s, 2, "10.0.0.0/8", TOLD_ORIGIN "4002:02010000fde9 4003:c0000209 4005:00000064 ");
	speaker_fini(&s);
}

/* Another next hop of ours is told at once, though the sets are the same. */
static void next_hop_changes(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_local(&s, "10.0.0.0/8");
	speaker_run(&s);
	told(&s, 1, "10.0.0.0/8", TOLD_ORIGIN "4002:02010000fde8 " TOLD_HOP);
	c.next_hop[BGP_IPV4] = test_addr("192.0.2.9");
	assert_int_equal(bgp_peer_update(s.engine, s.now, 1, &c, NULL), 0);
	speaker_run(&s);
	told(&s, 1, "10.0.0.0/8", TOLD_ORIGIN "4002:02010000fde8 4003:c0000209 ");
	assert_int_equal(s.remote[1].downs, 0);
	speaker_fini(&s);
}

static void well_known_communities(void **state)
{
	static const struct {
		const char *community;
		bool external, internal;
	} cell[] = {
	    {"ffffff01", false, true},  /* NO_EXPORT */
	    {"ffffff02", false, false}, /* NO_ADVERTISE */
	    {"ffffff03", false, true},  /* NO_EXPORT_SUBCONFED */
	    {"ffffff04", true, true},   /* NOPEER: for others to judge */
	    {"00010002", true, true},
	};
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	up_internal(&s, 3);
	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		char attrs[256];

		snprintf(attrs, sizeof(attrs), O P N "c00808 00050006 %s", cell[i].community);
		speaker_update(&s, 1, "", attrs, "08 0a");
		speaker_settle(&s);
		assert_int_equal(speaker_route(&s, 2, "10.0.0.0/8") != NULL, cell[i].external);
		assert_int_equal(speaker_route(&s, 3, "10.0.0.0/8") != NULL, cell[i].internal);
	}
	speaker_fini(&s);
}

/* Extended communities that are not transitive stay within the AS (RFC 4360 6). */
static void extended_communities(void **state)
{
	static const struct {
		const char *attr, *external, *internal;
	} cell[] = {
	    {"c01008 0002fde900000001", "c010:0002fde900000001 ", "c010:0002fde900000001 "},
	    {"c01010 4004fde900000001 0002fde900000001", "c010:0002fde900000001 ",
		"c010:4004fde9000000010002fde900000001 "},
	    {"c01008 4004fde900000001", "", "c010:4004fde900000001 "},
	    {"c01914 4002 20010db8000000000000000000000001 0001", "",
		"c019:400220010db80000000000000000000000010001 "},
	    {"c01914 0002 20010db8000000000000000000000001 0001",
		"c019:000220010db80000000000000000000000010001 ",
		"c019:000220010db80000000000000000000000010001 "},
	};
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	up_internal(&s, 3);
	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		char attrs[256], want[256];

		snprintf(attrs, sizeof(attrs), O P N "%s", cell[i].attr);
		speaker_update(&s, 1, "", attrs, "08 0a");
		speaker_settle(&s);
		snprintf(want, sizeof(want), TOLD_ORIGIN "4002:02020000fde80000fde9 " TOLD_HOP "%s",
		    cell[i].external);
		told(&s, 2, "10.0.0.0/8", want);
		snprintf(want, sizeof(want),
		    TOLD_ORIGIN "4002:02010000fde9 4003:0a000001 4005:00000064 %s",
		    cell[i].internal);
		told(&s, 3, "10.0.0.0/8", want);
	}
	speaker_fini(&s);
}

/* A speaker of 2-octet AS numbers is told both forms. */
static void to_an_old_speaker(void **state)
{
	struct bgp_peer_config c = speaker_config(1), o = speaker_config(2);
	struct speaker s;

	speaker_init(&s);
	c.local_as = o.local_as = 200000;
	speaker_add(&s, 1, &c);
	speaker_establish(&s, 1, "");
	speaker_add(&s, 2, &o);
	speaker_accept(&s, 2);
	speaker_open(&s, 2, NULL);
	KEEPALIVE(&s, 2);
	speaker_update(&s, 1, "", O P N "c00708 00030d41 0a000001", "08 0a");
	speaker_settle(&s);
	told(&s, 2, "10.0.0.0/8",
	    TOLD_ORIGIN "4002:02025ba0fde9 " TOLD_HOP
			"c007:5ba00a000001 c011:020200030d400000fde9 c012:00030d410a000001 ");
	speaker_fini(&s);
}

static void paths_rewritten(void **state)
{
	struct bgp_peer_config c = speaker_config(2);
	struct speaker s;

	speaker_init(&s);
	c.remove_private_as = true;
	c.local_as = 100;
	speaker_up(&s, 1);
	up_as(&s, 2, &c);
	speaker_update(&s, 1, "", O "40020a 0202 0000fde9 0000fc00" N, "08 0a");
	speaker_update(&s, 1, "", O "40020a 0202 0000fde9 00000007" N, "08 0b");
	speaker_settle(&s);
	told(&s, 2, "10.0.0.0/8", TOLD_ORIGIN "4002:020100000064 " TOLD_HOP);
	told(&s, 2, "11.0.0.0/8", TOLD_ORIGIN "4002:0203000000640000fde900000007 " TOLD_HOP);
	/* our AS in place of the peer's */
	c.remove_private_as = false;
	c.replace_peer_as = true;
	bgp_peer_update(s.engine, s.now, 2, &c, NULL);
	speaker_update(&s, 1, "", O "40020a 0202 0000fde9 0000fdea" N, "08 0a");
	speaker_settle(&s);
	told(&s, 2, "10.0.0.0/8", TOLD_ORIGIN "4002:0203000000640000fde900000064 " TOLD_HOP);
	/* or nothing at all that has it already */
	c.replace_peer_as = false;
	c.no_announce_to_as = true;
	bgp_peer_update(s.engine, s.now, 2, &c, NULL);
	speaker_settle(&s);
	assert_null(speaker_route(&s, 2, "10.0.0.0/8"));
	assert_non_null(speaker_route(&s, 2, "11.0.0.0/8"));
	speaker_fini(&s);
}

/* RFC 4456: clients are told everything, others what clients tell. */
static void reflection(void **state)
{
	struct bgp_peer_config client = internal(1), client2 = internal(2);
	struct speaker s;

	speaker_init(&s);
	client.reflect = client2.reflect = true;
	up_as(&s, 1, &client);
	up_as(&s, 2, &client2);
	up_internal(&s, 3);
	up_internal(&s, 4);
	speaker_update(&s, 1, "",
	    O P "400304 0a000001"
		"400504 00000064",
	    "08 0a");
	speaker_update(&s, 3, "",
	    O P "400304 0a000003"
		"400504 00000064"
		"800904 01020304"
		"800a04 09090909",
	    "08 0b");
	speaker_settle(&s);
	told(&s, 2, "10.0.0.0/8",
	    TOLD_ORIGIN
	    "4002:02010000fde9 4003:0a000001 4005:00000064 8009:0a000001 800a:0a0000fe ");
	told(&s, 3, "10.0.0.0/8",
	    TOLD_ORIGIN
	    "4002:02010000fde9 4003:0a000001 4005:00000064 8009:0a000001 800a:0a0000fe ");
	told(&s, 1, "11.0.0.0/8",
	    TOLD_ORIGIN
	    "4002:02010000fde9 4003:0a000003 4005:00000064 8009:01020304 800a:0a0000fe09090909 ");
	assert_null(speaker_route(&s, 4, "11.0.0.0/8"));
	/* what comes round to us is refused */
	speaker_update(&s, 3, "",
	    O P "400304 0a000003"
		"400504 00000064"
		"800904 0a0000fe",
	    "08 0c");
	speaker_update(&s, 3, "",
	    O P "400304 0a000003"
		"400504 00000064"
		"800a08 01010101 0a0000fe",
	    "08 0d");
	assert_int_equal(speaker_paths(&s, "12.0.0.0/8", NULL, 0), 0);
	assert_int_equal(speaker_paths(&s, "13.0.0.0/8", NULL, 0), 0);
	speaker_fini(&s);
}

/* ---- IPv6 ---- */

static void ipv6(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;
	char prefix[64];

	speaker_init(&s);
	c.families = BGP_FAMILIES_ALL;
	c.next_hop[BGP_IPV6] = test_addr("2001:db8::fe");
	up_as(&s, 1, &c);
	speaker_local(&s, "2001:db8:1::/48");
	speaker_run(&s);
	told(&s, 1, "2001:db8:1::/48",
	    "900e:0002011020010db80000000000000000000000fe " TOLD_ORIGIN "4002:02010000fde8 ");
	assert_int_equal(s.remote[1].end_of_ribs[BGP_IPV6], 1);
	assert_int_equal(s.remote[1].end_of_ribs[BGP_IPV4], 1);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(prefix, sizeof(prefix), "2001:db8:%x::/48", 16 + i);
		speaker_local(&s, prefix);
	}
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 1001);
	bgp_view_remove(s.engine, 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 0);
	assert_in_range(s.remote[1].updates, 6, 12);
	speaker_fini(&s);
}

/* ---- how much, and how often ---- */

/* Prefixes of three sets, thrown together: as few messages as they fit in. */
static void packing(void **state)
{
	struct speaker s;
	char prefix[32];

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_run(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].updates, 1); /* End-of-RIB */
	for (unsigned i = 0; i < 3000; i++) {
		char attrs[256];

		snprintf(prefix, sizeof(prefix), "18 %02x%02x%02x", 1 + i % 100, i / 100, 7);
		snprintf(attrs, sizeof(attrs), O P N "c00804 0000000%u", i % 3);
		speaker_update(&s, 1, "", attrs, prefix);
	}
	speaker_settle(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].routes, 3000);
	assert_int_equal(s.remote[2].announcements, 3000);
	assert_int_equal(s.remote[2].updates, 4); /* one per set: 1000 prefixes of 4 octets fit */
	speaker_close(&s, 1);
	speaker_settle(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].routes, 0);
	assert_int_equal(s.remote[2].withdrawals, 3000);
	assert_in_range(s.remote[2].updates, 7, 8); /* 1017 withdrawn prefixes fit one */
	speaker_fini(&s);
}

/* A change that looks the same from outside is not told (both tunnels of one customer). */
static void no_duplicates(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_update(&s, 1, "", O P N, "08 0a");
	speaker_settle(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].announcements, 1);
	/* another next hop, another MED: neither leaves */
	speaker_update(&s, 1, "", O P "400304 0a000063", "08 0a");
	speaker_settle(&s);
	speaker_update(&s, 1, "", O P N "800404 00000007", "08 0a");
	speaker_settle(&s);
	/* gone and back before anybody looked */
	speaker_update(&s, 1, "08 0a", "", "");
	speaker_update(&s, 1, "", O P N, "08 0a");
	speaker_settle(&s);
	/* a thousand flaps in between two rounds */
	for (unsigned i = 0; i < 1000; i++) {
		speaker_update(&s, 1, "", i % 2 ? O P N : O P N "c00804 00000001", "08 0a");
		speaker_decide(&s);
	}
	speaker_settle(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].announcements, 1);
	assert_int_equal(s.remote[2].withdrawals, 0);
	speaker_update(&s, 1, "", O P N "c00804 00000001", "08 0a");
	speaker_settle(&s);
	speaker_drain(&s, 2);
	assert_int_equal(s.remote[2].announcements, 2);
	speaker_fini(&s);
}

static void mrai(void **state)
{
	struct bgp_peer_config c = speaker_config(2);
	struct speaker s;

	speaker_init(&s);
	c.mrai_ms = 5000;
	speaker_up(&s, 1);
	up_as(&s, 2, &c);
	speaker_settle(&s);
	for (unsigned t = 0; t < 60; t++) {
		char attrs[256];

		snprintf(attrs, sizeof(attrs), O P N "c00804 000000%02x", t);
		speaker_update(&s, 1, "", attrs, "08 0a");
		speaker_settle(&s);
		speaker_wait(&s, DUR_S(1));
		KEEPALIVE(&s, 2);
	}
	speaker_drain(&s, 2);
	assert_in_range(s.remote[2].announcements, 11, 17);
	speaker_wait(&s, DUR_S(6));
	assert_string_equal(speaker_route(&s, 2, "10.0.0.0/8")->attrs,
	    TOLD_ORIGIN "4002:02020000fde80000fde9 " TOLD_HOP "c008:0000003b ");
	speaker_fini(&s);
}

static void limit_out(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct ip_prefix prefix = test_prefix("10.3.0.0/16");
	struct speaker s;

	speaker_init(&s);
	c.limit_out[BGP_IPV4] = 10;
	up_as(&s, 1, &c);
	for (unsigned i = 0; i < 20; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.%u.0.0/16", i);
		speaker_local(&s, text);
	}
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 10);
	bgp_view_unset(s.engine, 1, &prefix); /* room for another one, if it was among them */
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 10);
	c.limit_out[BGP_IPV4] = 15;
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 15);
	c.limit_out[BGP_IPV4] = 0;
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 19);
	speaker_fini(&s);
}

/* Attributes that fit no message of the peer: not told, and withdrawn if it was. */
static void oversized(void **state)
{
	static char attrs[40000];
	struct speaker s;

	for (int extended = 0; extended < 2; extended++) {
		struct bgp_peer_config c = speaker_config(1);

		speaker_init(&s);
		speaker_add(&s, 1, &c);
		speaker_establish(&s, 1, CAP_EXTENDED);
		speaker_add(&s, 2, (c = speaker_config(2), &c));
		speaker_establish(&s, 2, extended ? CAP_EXTENDED : "");
		speaker_update(&s, 1, "", O P N, "08 0a 08 0b");
		speaker_settle(&s);
		assert_non_null(speaker_route(&s, 2, "10.0.0.0/8"));
		s.remote[2].message_max = extended ? BGP_MESSAGE_EXT_MAX : BGP_MESSAGE_MAX;
		strcpy(attrs, O P N "d063 1388"); /* 5000 octets of something unknown */
		for (unsigned i = 0; i < 5000; i++)
			strcat(attrs, "aa");
		if (!extended) { /* nothing to withdraw: no message, which would be an End-of-RIB */
			speaker_update(&s, 1, "", attrs, "08 0d");
			speaker_settle(&s);
		}
		speaker_update(&s, 1, "", attrs, "08 0a 08 0c");
		speaker_settle(&s);
		if (extended) {
			unsigned types = 0;

			while (speaker_next(&s, 2))
				types |= s.message.len > 5000 ? 1u << s.message.type : 0;
			assert_int_equal(types, 1u << BGP_UPDATE);
		} else {
			assert_null(speaker_route(&s, 2, "10.0.0.0/8"));
			assert_null(speaker_route(&s, 2, "12.0.0.0/8"));
			assert_non_null(speaker_route(&s, 2, "11.0.0.0/8"));
			assert_int_equal(s.remote[2].end_of_ribs[BGP_IPV4], 1);
		}
		speaker_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_external),
	    cmocka_unit_test(to_internal),
	    cmocka_unit_test(local_routes),
	    cmocka_unit_test(next_hop_self),
	    cmocka_unit_test(next_hop_changes),
	    cmocka_unit_test(well_known_communities),
	    cmocka_unit_test(extended_communities),
	    cmocka_unit_test(to_an_old_speaker),
	    cmocka_unit_test(paths_rewritten),
	    cmocka_unit_test(reflection),
	    cmocka_unit_test(ipv6),
	    cmocka_unit_test(packing),
	    cmocka_unit_test(no_duplicates),
	    cmocka_unit_test(mrai),
	    cmocka_unit_test(limit_out),
	    cmocka_unit_test(oversized),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
