/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Policies that match what only BGP routes have, and change it (R5); which routes a peer is told, and of which table (B8, B9,
 * B11); the limit of equal paths that are learned (A8, X3).
 */

#include <stdio.h>
#include <string.h>

#include "learned_site.h"

enum end { C0_1, C0_2, C1_1, C1_2, C2_1, C2_2, L0, L1, L2 };

/* AS paths, as AS numbers in hex; the first is that of the peer. */
#define AS_C0_1 "0000fde9"
#define AS_C0_2 "0000fdea"
#define AS_C2_1 "0000fded"
#define AS_L0   "0000fdef"
#define AS_7    " 00000007"
/* 65000:7 and 65000:8, 65000:8 alone */
#define BOTH_COMMUNITIES "c00808 fde80007 fde80008"
#define COMMUNITY_8      "c00804 fde80008"

#define OPEN                                                                                       \
	"{priority: 90, direction: egress, source-kind: [vpn, vbr, ccn], "                         \
	"destination-kind: [vpn, vbr, ccn], action: permit}"
#define WITH(policies) SITE_ALL "routing-policies: [" policies "]\n"

static struct site site;

static int setup(void **state)
{
	site_setup(&site);
	return 0;
}

static int teardown(void **state)
{
	site_teardown(&site);
	return 0;
}

static const char *way(unsigned prefix)
{
	char to[IP_TEXT_MAX];

	snprintf(to, sizeof(to), "172.16.%u.9", prefix);
	return bench_ask(site.t, "asker", to);
}

static void apply(const char *yaml)
{
	site_apply(&site, yaml);
	site_settle(&site);
}

/* ---- on the way in ---- */

/* Both ends of c0 announce two prefixes: 1 with AS 7 behind and both communities, 2 without. */
static void announce_two(void)
{
	site_announce_with(&site, C0_1, 1, AS_C0_1 AS_7, BOTH_COMMUNITIES);
	site_announce_with(&site, C0_1, 2, AS_C0_1, COMMUNITY_8);
	site_settle(&site);
	assert_string_equal(way(1), "c0/1");
	assert_string_equal(way(2), "c0/1");
}

/* Which of the two prefixes an ingress policy with that match keeps out. */
static unsigned denied_by(const char *match)
{
	char yaml[8192];

	snprintf(yaml, sizeof(yaml),
	    SITE_ALL "routing-policies: [{priority: 5, direction: ingress, %s, action: deny}]\n",
	    match);
	apply(yaml);
	return (strcmp(way(1), "no route") == 0 ? 1u : 0) |
	    (strcmp(way(2), "no route") == 0 ? 2u : 0);
}

static void ingress_matches_what_was_announced(void **state)
{
	announce_two();
	assert_int_equal(denied_by("as-path: [7]"), 1);
	assert_int_equal(denied_by("as-path: [65001]"), 1 | 2);
	assert_int_equal(denied_by("as-path: [8, 9]"), 0);
	assert_int_equal(denied_by("as-path: [65001], as-path-match: exact"), 2);
	assert_int_equal(denied_by("as-path: [65001, 7], as-path-match: exact"), 1);
	assert_int_equal(denied_by("as-path: [7, 65001], as-path-match: exact"), 0);
	assert_int_equal(denied_by("communities: ['65000:7']"), 1);
	assert_int_equal(denied_by("communities: ['65000:8']"), 1 | 2);
	assert_int_equal(denied_by("communities: ['65000:9']"), 0);
	assert_int_equal(denied_by("communities: ['65000:8'], community-match: exact"), 2);
	assert_int_equal(
	    denied_by("communities: ['65000:8', '65000:7'], community-match: exact"), 1);
	assert_int_equal(denied_by("route-type: [bgp]"), 1 | 2);
	assert_int_equal(denied_by("route-type: [static, connected]"), 0);
	assert_int_equal(denied_by("source-attachment: [c0], communities: ['65000:7']"), 1);
	assert_int_equal(denied_by("source-attachment: [c1], communities: ['65000:7']"), 0);
	assert_int_equal(denied_by("source-kind: [vpn], prefixes: [172.16.2.0/24]"), 2);
	assert_int_equal(denied_by("prefixes: [172.16.0.0/16]"), 1 | 2);
	assert_int_equal(denied_by("prefixes: [172.16.0.0/16], prefix-match: exact"), 0);
	apply(SITE_ALL);
	assert_string_equal(way(1), "c0/1");
}

/* A shorter path, and one that a policy prefers or makes longer. */
static void ingress_changes_what_is_chosen(void **state)
{
	site_announce(&site, C0_1, 1, 1);
	site_announce(&site, C2_1, 1, 2);
	site_settle(&site);
	assert_string_equal(way(1), "c0/1");
	apply(WITH("{priority: 5, direction: ingress, source-attachment: [c2], action: permit, "
		   "set-preference: 200}"));
	assert_string_equal(way(1), "c2/1");
	apply(WITH("{priority: 5, direction: ingress, source-attachment: [c0], action: permit, "
		   "prepend: [65001, 65001]}"));
	assert_string_equal(way(1), "c2/1");
	apply(WITH("{priority: 5, direction: ingress, source-attachment: [c0], action: permit, "
		   "prepend: [65001]}"));
	assert_string_equal(way(1), "c0/1 c2/1"); /* paths of equal length share */
}

/* ---- what peers are told ---- */

static void assert_told(unsigned end, unsigned prefix, const char *part)
{
	char text[IP_PREFIX_TEXT_MAX];
	const char *told;

	snprintf(text, sizeof(text), "172.16.%u.0/24", prefix);
	told = site_told(&site, end, text);
	if (!part) {
		assert_null(told);
		return;
	}
	assert_non_null(told);
	if (!strstr(told, part))
		fail_msg("%s is told \"%s\", without \"%s\"", site_end_name(end), told, part);
}

/* R4 keeps kinds apart in what peers are told too, a policy opens it, and nothing goes back to where it came from (B11). */
static void who_is_told(void **state)
{
	announce_two();
	assert_told(L0, 1, NULL);
	assert_told(C2_1, 1, NULL);
	apply(WITH(OPEN));
	assert_told(L0, 1, "4002:");
	assert_told(C2_1, 1, "4002:");
	assert_told(C0_1, 1, NULL);
	assert_told(C0_2, 1, NULL); /* the same connection */
	apply(WITH(
	    "{priority: 10, direction: egress, communities: ['65000:7'], action: deny}, " OPEN));
	assert_told(L0, 1, NULL);
	assert_told(L0, 2, "4002:");
	apply(WITH("{priority: 10, direction: egress, as-path: [7], destination-attachment: [l0], "
		   "action: deny}, " OPEN));
	assert_told(L0, 1, NULL);
	assert_told(L1, 1, "4002:");
	apply(WITH("{priority: 10, direction: egress, as-path: [65001], as-path-match: exact, "
		   "destination-kind: [ccn], action: deny}, " OPEN));
	assert_told(L2, 1, "4002:");
	assert_told(L2, 2, NULL);
	apply(SITE_ALL);
	assert_told(L0, 1, NULL);
	assert_told(L2, 1, NULL);
}

static void lan0(bool up)
{
	atomic_store(&site.t->port[2].link_up, up);
	bench_link(site.t, "lan0", up);
	site_settle(&site);
}

/* What is configured is told while something of it can carry: a tunnel, on demand at least, or the port (H3, BG-20). */
static void what_is_down_is_told_to_nobody(void **state)
{
	apply(WITH(OPEN));
	assert_told(L0, 7, "4002:");
	site_tunnel(&site, C1_1, MODEL_TUNNEL_DOWN);
	site_settle(&site);
	assert_told(L0, 7, "4002:"); /* c1/2 carries */
	site_tunnel(&site, C1_2, MODEL_TUNNEL_DOWN);
	site_settle(&site);
	assert_told(L0, 7, NULL);
	apply(WITH(OPEN)); /* nor does a change of the configuration say it */
	assert_told(L0, 7, NULL);
	site_announce_with(&site, C0_1, 7, AS_C0_1 AS_7, "");
	site_settle(&site);
	assert_told(L0, 7, "00000007"); /* somebody else has a way */
	site_announce(&site, C0_1, 7, 0);
	site_tunnel(&site, C1_2, MODEL_TUNNEL_TRAP);
	site_settle(&site);
	assert_told(L0, 7, "4002:");
	assert_non_null(site_told(&site, L0, "10.1.0.0/16"));
	lan0(false);
	assert_null(site_told(&site, L0, "10.1.0.0/16"));
	lan0(true);
	assert_non_null(site_told(&site, L0, "10.1.0.0/16"));
	assert_int_equal(site.s.remote[L0 + 1].repeated, 0);
}

#define OPEN_TO_LINES "{priority: 10, direction: egress, destination-kind: [vbr], action: permit"

/* Each change is heard, also when the way of the packets stays the same. */
static void egress_changes_what_is_told(void **state)
{
	announce_two();
	apply(WITH(OPEN_TO_LINES "}"));
	assert_told(L0, 1, "4002:02030000fde80000fde900000007 ");
	assert_told(L0, 1, "c008:fde80007fde80008 ");
	apply(WITH(OPEN_TO_LINES ", prepend: [65000, 9]}"));
	assert_told(L0, 1, "4002:02050000fde80000fde8000000090000fde900000007 ");
	apply(WITH(OPEN_TO_LINES ", add-communities: ['65000:9']}"));
	assert_told(L0, 1, "4002:02030000fde80000fde900000007 ");
	assert_told(L0, 1, "c008:fde80007fde80008fde80009 ");
	apply(WITH(OPEN_TO_LINES ", set-communities: ['65000:9']}"));
	assert_told(L0, 1, "c008:fde80009 ");
	apply(WITH(OPEN_TO_LINES "}"));
	assert_told(L0, 1, "c008:fde80007fde80008 ");
}

/* What a policy on the way in has made of it, is told on. */
static void what_ingress_changed_is_told(void **state)
{
	announce_two();
	apply(WITH("{priority: 5, direction: ingress, source-attachment: [c0], action: permit, "
		   "prepend: [9], set-communities: ['65000:5']}, " OPEN));
	assert_told(L0, 1, "4002:02040000fde8000000090000fde900000007 ");
	assert_told(L0, 1, "c008:fde80005 ");
}

/* A community that an ingress policy put on a network is one that egress policies match: in what is told, and in use. */
static void a_tag_of_a_network_is_matched(void **state)
{
	apply(WITH(
	    "{priority: 5, direction: ingress, source-attachment: asker, action: permit, "
	    "add-communities: ['65000:5']}, "
	    "{priority: 6, direction: egress, communities: ['65000:5'], destination-attachment: "
	    "[c0, l0], action: deny}"));
	assert_way(site.t, "c0", "10.1.0.7", "denied");
	assert_way(site.t, "l0", "10.1.0.7", "denied");
	assert_way(site.t, "c2", "10.1.0.7", "asker");
	assert_null(site_told(&site, C0_1, "10.1.0.0/16"));
	assert_non_null(site_told(&site, C2_1, "10.1.0.0/16"));
	apply(WITH("{priority: 5, direction: ingress, source-attachment: asker, action: permit, "
		   "prepend: [77]}, {priority: 6, direction: egress, as-path: [77], "
		   "destination-kind: vpn, action: deny}"));
	assert_way(site.t, "c0", "10.1.0.7", "denied");
	assert_way(site.t, "l0", "10.1.0.7", "asker");
	apply(SITE_ALL);
	assert_way(site.t, "c0", "10.1.0.7", "asker");
}

/* ---- which table ---- */

#define TABLES(associate, advertise)                                                               \
	BENCH_SITE                                                                                 \
	"route-tables: {default: {}, red: {}}\n"                                                   \
	"vpn-connections:\n" SITE_C0 SITE_C1 SITE_C2 "attachments:\n"                              \
	"  c0: {kind: vpn, connection: c0, associate: " associate ", advertise-routes: " advertise \
	"}\n" SITE_A1 SITE_A2 SITE_LINE("l0", "vbr", "30", "10.30.0")                              \
	    SITE_LINE("l1", "vbr", "31", "10.31.0") SITE_LINE("l2", "ccn", "32",                   \
		"10.32.0") "  asker: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"    \
			   "  red: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16, "       \
			   "associate: red, propagate: [red, default]}\n"                          \
			   "  redder: {kind: vpc, port: lan0, vlan: 21, address: 10.3.0.1/16, "    \
			   "associate: red, propagate: red}\n"

static void assert_hears(unsigned end, bool asker, bool red, bool redder)
{
	assert_int_equal(site_told(&site, end, "10.1.0.0/16") != NULL, asker);
	assert_int_equal(site_told(&site, end, "10.2.0.0/16") != NULL, red);
	assert_int_equal(site_told(&site, end, "10.3.0.0/16") != NULL, redder);
}

/* B8, B9: what the new table lacks is withdrawn, what the old one lacked is announced; what both have is said once. */
static void another_association_is_told_as_the_difference(void **state)
{
	apply(TABLES("default", "yes"));
	assert_hears(C0_1, true, true, false);
	unsigned before = site.s.remote[C0_1 + 1].announcements;
	apply(TABLES("red", "yes"));
	assert_hears(C0_1, false, true, true);
	assert_int_equal(site.s.remote[C0_1 + 1].announcements, before + 1);
	assert_int_equal(site.s.remote[C0_1 + 1].repeated, 0);
	assert_int_equal(site.s.remote[C0_1 + 1].ups, 1);
	apply(TABLES("red", "no"));
	assert_hears(C0_1, false, false, false);
	apply(TABLES("default", "no"));
	assert_hears(C0_1, false, false, false);
	apply(TABLES("default", "yes"));
	assert_hears(C0_1, true, true, false);
	assert_hears(L0, true, true, false); /* nobody else's business, all along */
	assert_int_equal(site.s.remote[L0 + 1].repeated, 0);
	apply(TABLES("none", "yes"));
	assert_hears(C0_1, false, false, false);
}

/* ---- how many share ---- */

static unsigned ways(unsigned prefix)
{
	const char *text = way(prefix);
	unsigned n = 1;

	for (; *text; text++)
		n += *text == ' ';
	return n;
}

#define LIMIT(n)                                                                                   \
	"ports:\n"                                                                                 \
	"  wan0: {device: 'tap:w0', address: 203.0.113.10/24, gateway: 203.0.113.1, zone: a}\n"    \
	"  wan1: {device: 'tap:w1', address: 198.51.100.10/24, gateway: 198.51.100.1, zone: b}\n"  \
	"  lan0: {device: 'tap:l0', mtu: 9000}\n  lan1: {device: 'tap:l1'}\n"                      \
	"transit-router: {cidr: [203.0.113.32/27], limits: {ecmp: " n "}}\n"                       \
	"customer-gateways: {cgw-a: {address: 192.0.2.1}, cgw-b: {address: 192.0.2.2}}\n"          \
	"vpn-connections:\n" SITE_C0 SITE_C1 SITE_C2                                               \
	"attachments:\n" SITE_A0 SITE_A1 SITE_A2 SITE_LINE("l0", "vbr", "30", "10.30.0")           \
	    SITE_LINE("l1", "vbr", "31", "10.31.0") SITE_LINE("l2", "ccn", "32",                   \
		"10.32.0") "  asker: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"

static void so_many_equal_paths_share(void **state) /* A8, X3 */
{
	static const unsigned ends[] = {C0_1, C0_2, C2_1, C2_2};

	for (unsigned i = 0; i < TEST_COUNT(ends); i++)
		site_announce(&site, ends[i], 1, 1);
	site_settle(&site);
	assert_int_equal(ways(1), 4);
	apply(LIMIT("2"));
	assert_int_equal(ways(1), 2);
	apply(LIMIT("3"));
	assert_int_equal(ways(1), 3);
	apply(LIMIT("64"));
	assert_int_equal(ways(1), 4);
	site_announce(&site, L2, 1, 1);
	site_announce(&site, L0, 1, 1); /* A9: kinds are not mixed, nor with those above */
	site_settle(&site);
	assert_string_equal(way(1), site_end_name(L0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(ingress_matches_what_was_announced),
	    TEST(ingress_changes_what_is_chosen),
	    TEST(who_is_told),
	    TEST(what_is_down_is_told_to_nobody),
	    TEST(egress_changes_what_is_told),
	    TEST(what_ingress_changed_is_told),
	    TEST(a_tag_of_a_network_is_matched),
	    TEST(another_association_is_told_as_the_difference),
	    TEST(so_many_equal_paths_share),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
