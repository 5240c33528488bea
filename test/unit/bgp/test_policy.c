/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What is refused or changed on the way in and out: loops, roles, policies, their change while routes are
 * there, and the limits on their number (BG-05, BG-10, BG-11, BG-18, BG-21).
 */

#include "speaker.h"

#define O  "400101 00"
#define P  "400206 0201 0000fde9"
#define N  "400304 0a000001"
#define OK O P N

static void up_with(
    struct speaker *s, unsigned peer, const struct bgp_peer_config *config, const char *caps)
{
	speaker_add(s, peer, config);
	speaker_establish(s, peer, caps);
}

static const char *why;

static void note(void *arg, const struct bgp_route_info *info)
{
	why = info->refused ? info->refused : "";
	++*(unsigned *)arg;
}

/* The one route of peer 1 is there, and refused for that reason. */
static void refused(struct speaker *s, const char *reason)
{
	uint32_t cursor = 0;
	unsigned n = 0;

	assert_false(bgp_each_learned(s->engine, 1, BGP_IPV4, &cursor, 1000, note, &n));
	assert_int_equal(n, 1);
	assert_string_equal(why, reason);
	assert_int_equal(speaker_info(s, 1).rib[BGP_IPV4].accepted, reason[0] == '\0');
	assert_int_equal(speaker_paths(s, "10.0.0.0/8", NULL, 0), reason[0] == '\0');
}

/* ---- the protocol's own refusals ---- */

static void loops(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	c.allow_as_in = 1;
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "08 0a");
	refused(&s, "");
	/* a loop takes the place of what was there */
	speaker_update(&s, 1, "", O "40020a 0202 0000fde9 0000fde8" N, "08 0a");
	refused(&s, "our AS is in the path");
	assert_int_equal(bgp_peer_update(s.engine, s.now, 1, &c, NULL), 0);
	speaker_run(&s);
	refused(&s, "");
	speaker_update(&s, 1, "", O "40020e 0203 0000fde9 0000fde8 0000fde8" N, "08 0a");
	refused(&s, "our AS is in the path");
	assert_int_equal(s.remote[1].downs, 0);
	speaker_fini(&s);
}

static void own_next_hop(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", O P "400304 0a0000fe", "08 0a");
	refused(&s, "the next hop is an address of ours");
	speaker_fini(&s);
}

/* RFC 8212: an external peer without policy has no routes, in or out; an internal one has. */
static void default_deny(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	c.require_policy = true;
	up_with(&s, 1, &c, "");
	speaker_update(&s, 1, "", OK, "08 0a");
	refused(&s, "no import policy is configured");
	speaker_local(&s, "11.0.0.0/8");
	speaker_run(&s);
	assert_null(speaker_route(&s, 1, "11.0.0.0/8"));
	c.has_import = c.has_export = true;
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	refused(&s, "");
	assert_non_null(speaker_route(&s, 1, "11.0.0.0/8"));
	c.has_import = c.has_export = false;
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	refused(&s, "no import policy is configured");
	assert_null(speaker_route(&s, 1, "11.0.0.0/8"));
	assert_int_equal(s.remote[1].downs, 0);
	speaker_fini(&s);
}

/* ---- roles (RFC 9234) ---- */

static const char *role_cap(unsigned role)
{
	static char hex[16];

	snprintf(hex, sizeof(hex), "09 01 %02x", role);
	return hex;
}

static void role_pairs(void **state)
{
	static const int fits[5] = {
	    [BGP_ROLE_PROVIDER] = BGP_ROLE_CUSTOMER,
	    [BGP_ROLE_CUSTOMER] = BGP_ROLE_PROVIDER,
	    [BGP_ROLE_RS] = BGP_ROLE_RS_CLIENT,
	    [BGP_ROLE_RS_CLIENT] = BGP_ROLE_RS,
	    [BGP_ROLE_PEER] = BGP_ROLE_PEER,
	};

	for (unsigned ours = 0; ours < 5; ours++) {
		for (int theirs = -1; theirs < 6; theirs++) {
			for (int strict = 0; strict < 2; strict++) {
				struct bgp_peer_config c = speaker_config(1);
				struct speaker s;
				char caps[64];
				bool good = theirs < 0 ? !strict : theirs == fits[ours];

				c.role = ours;
				c.role_strict = strict;
				speaker_init(&s);
				speaker_add(&s, 1, &c);
				speaker_accept(&s, 1);
				snprintf(caps, sizeof(caps), "4104 0000fde9 %s",
				    theirs < 0 ? "" : role_cap((unsigned)theirs));
				speaker_open(&s, 1, caps);
				if (good)
					assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
				else
					speaker_expect_notification(
					    &s, 1, BGP_ERR_OPEN, BGP_OPEN_ROLE, "");
				speaker_fini(&s);
			}
		}
	}
}

#define OTC(as) "c02304 " as

/* What comes in: the attribute is added, kept, or betrays a leak (section 5). */
static void otc_in(void **state)
{
	static const struct {
		uint8_t ours;
		const char *otc, *refused;
		unsigned after; /* AS in the attribute; 0: none */
	} cell[] = {
	    {BGP_ROLE_CUSTOMER, "", "", 65001},
	    {BGP_ROLE_CUSTOMER, OTC("00000007"), "", 7},
	    {BGP_ROLE_PEER, "", "", 65001},
	    {BGP_ROLE_PEER, OTC("0000fde9"), "", 65001},
	    {BGP_ROLE_PEER, OTC("00000007"), "a route leak, by its role", 0},
	    {BGP_ROLE_RS_CLIENT, "", "", 65001},
	    {BGP_ROLE_PROVIDER, "", "", 0},
	    {BGP_ROLE_PROVIDER, OTC("0000fde9"), "a route leak, by its role", 0},
	    {BGP_ROLE_RS, OTC("00000007"), "a route leak, by its role", 0},
	    {BGP_ROLE_NONE, OTC("00000007"), "", 7},
	    {BGP_ROLE_NONE, "", "", 0},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct bgp_peer_config c = speaker_config(1);
		struct speaker s;
		char attrs[256];

		c.role = cell[i].ours;
		speaker_init(&s);
		up_with(&s, 1, &c, "");
		snprintf(attrs, sizeof(attrs), OK "%s", cell[i].otc);
		speaker_update(&s, 1, "", attrs, "08 0a");
		refused(&s, cell[i].refused);
		if (!cell[i].refused[0]) {
			const struct bgp_attrs *a = speaker_attrs(&s, "10.0.0.0/8");
			size_t len;
			const uint8_t *otc = bgp_attrs_value(a, BGP_ATTR_OTC, &len);

			assert_int_equal(len, cell[i].after ? 4 : 0);
			if (otc)
				assert_int_equal(otc[2] << 8 | otc[3], cell[i].after);
		}
		speaker_fini(&s);
	}
}

/* What goes out: added towards customers, peers and clients; with it, to no others. */
static void otc_out(void **state)
{
	static const struct {
		uint8_t ours;
		bool plain, marked; /* told a route without, with the attribute */
		bool adds;
	} cell[] = {
	    {BGP_ROLE_PROVIDER, true, true, true},
	    {BGP_ROLE_PEER, true, false, true},
	    {BGP_ROLE_RS, true, true, true},
	    {BGP_ROLE_CUSTOMER, true, false, false},
	    {BGP_ROLE_RS_CLIENT, true, false, false},
	    {BGP_ROLE_NONE, true, true, false},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct bgp_peer_config c = speaker_config(2);
		struct speaker s;
		const struct route *r;

		c.role = cell[i].ours;
		speaker_init(&s);
		speaker_up(&s, 1);
		up_with(&s, 2, &c, "");
		speaker_update(&s, 1, "", OK, "08 0a");
		speaker_update(&s, 1, "", OK OTC("00000007"), "08 0b");
		speaker_settle(&s);
		r = speaker_route(&s, 2, "10.0.0.0/8");
		assert_int_equal(r != NULL, cell[i].plain);
		assert_int_equal(strstr(r->attrs, "c023:0000fde8") != NULL, cell[i].adds);
		r = speaker_route(&s, 2, "11.0.0.0/8");
		assert_int_equal(r != NULL, cell[i].marked);
		if (r)
			assert_non_null(strstr(r->attrs, "c023:00000007"));
		speaker_fini(&s);
	}
}

/* ---- policies ---- */

static unsigned mode;

static bool import(uint32_t peer, const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
    struct bgp_edit *edit)
{
	if (mode == 1)
		return false;
	if (mode == 2) {
		edit->set_local_pref = true;
		edit->local_pref = 300 + peer;
		edit->community_count = 2;
		edit->community[0] = 0x00010002; /* is there already */
		edit->community[1] = 0x00010003;
		edit->remove_count = 1;
		edit->remove[0] = 0x00010001;
		edit->large_count = 1;
		edit->large[0][2] = 7;
		edit->prepend_count = 2;
	}
	return true;
}

static void import_policy(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	const struct bgp_attrs *a;
	struct speaker s;
	char text[64];

	speaker_init(&s);
	s.import = import;
	mode = 0;
	c.has_import = true;
	up_with(&s, 1, &c, "");
	speaker_update(&s, 1, "", OK "c00808 00010001 00010002", "08 0a");
	refused(&s, "");
	speaker_settle(&s);
	mode = 1;
	assert_int_equal(bgp_peer_reimport(s.engine, 1), 0);
	speaker_run(&s);
	refused(&s, "refused by policy");
	assert_int_equal(bgp_changes_waiting(s.engine), 1);
	speaker_settle(&s);
	mode = 2;
	assert_int_equal(bgp_peer_reimport(s.engine, 1), 0);
	speaker_run(&s);
	refused(&s, "");
	a = speaker_attrs(&s, "10.0.0.0/8");
	assert_int_equal(bgp_attrs_preference(a), 301);
	assert_string_equal(bgp_attrs_community_text(a, text, sizeof(text)), "1:2 1:3");
	assert_string_equal(bgp_attrs_large_text(a, text, sizeof(text)), "0:0:7");
	assert_string_equal(bgp_attrs_path_text(a, text, sizeof(text)), "65000 65000 65001");
	speaker_settle(&s);
	/* again, and nothing has changed: nobody is bothered */
	bgp_peer_reimport(s.engine, 1);
	speaker_run(&s);
	assert_int_equal(bgp_changes_waiting(s.engine), 0);
	speaker_fini(&s);
}

static bool export(uint32_t peer, const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
    uint32_t tag, struct bgp_edit *edit)
{
	if (mode == 1)
		return prefix->len == 8;
	if (mode == 2) {
		edit->set_med = true;
		edit->med = 77;
		edit->prepend_count = 1;
		edit->remove_communities = true;
	}
	return true;
}

static void export_policy(void **state)
{
	struct bgp_peer_config c = speaker_config(2);
	struct speaker s;

	speaker_init(&s);
	s.export = export;
	mode = 0;
	c.has_export = true;
	speaker_up(&s, 1);
	up_with(&s, 2, &c, "");
	speaker_update(&s, 1, "", OK "c00804 00010001", "08 0a 10 0b01");
	speaker_settle(&s);
	assert_non_null(speaker_route(&s, 2, "11.1.0.0/16"));
	mode = 1;
	bgp_peer_reexport(s.engine, 2);
	speaker_run(&s);
	assert_null(speaker_route(&s, 2, "11.1.0.0/16"));
	assert_non_null(speaker_route(&s, 2, "10.0.0.0/8"));
	assert_int_equal(s.remote[2].announcements, 2); /* only the difference was sent */
	mode = 2;
	bgp_peer_reexport(s.engine, 2);
	speaker_run(&s);
	assert_string_equal(speaker_route(&s, 2, "10.0.0.0/8")->attrs,
	    "4001:00 4002:02030000fde80000fde80000fde9 4003:0a0000fe 8004:0000004d ");
	assert_int_equal(s.remote[2].repeated, 0);
	speaker_fini(&s);
}

/* Routes go, and are announced again, where the second run of import just stands. */
static void import_again_while_routes_change(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;
	char nlri[16];

	speaker_init(&s);
	s.import = import;
	mode = 0;
	c.has_import = true;
	up_with(&s, 1, &c, "");
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(nlri, sizeof(nlri), "18 0a%04x", i);
		speaker_update(&s, 1, "", OK, nlri);
	}
	speaker_settle(&s);
	mode = 2;
	bgp_peer_reimport(s.engine, 1);
	assert_true(bgp_run(s.engine, s.now)); /* a part of it */
	for (unsigned i = 0; i < 4990; i++) {
		snprintf(nlri, sizeof(nlri), "18 0a%04x", i);
		speaker_update(&s, 1, nlri, "", "");
	}
	speaker_update(&s, 1, "", OK "800404 00000001", "18 0a137e"); /* 4990: to the end */
	speaker_run(&s);
	assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].received, 10);
	for (unsigned i = 4990; i < 5000; i++) {
		snprintf(nlri, sizeof(nlri), "10.%u.%u.0/24", i / 256, i % 256);
		assert_int_equal(bgp_attrs_preference(speaker_attrs(&s, nlri)), 301);
	}
	speaker_fini(&s);
}

/* What import made has all that an internal peer wants: it is told as it is. */
static void told_as_it_is(void **state)
{
	struct bgp_peer_config c = speaker_config(1), internal = speaker_config(2);
	struct speaker s;

	speaker_init(&s);
	s.import = import;
	mode = 2;
	c.has_import = true;
	internal.remote_as = LOCAL_AS;
	up_with(&s, 1, &c, "");
	speaker_add(&s, 2, &internal);
	speaker_accept(&s, 2);
	speaker_send(&s, 2, BGP_OPEN, "04 fde8 005a 0a000002 08 02 06 41 04 0000fde8");
	KEEPALIVE(&s, 2);
	speaker_update(&s, 1, "", OK, "08 0a");
	speaker_settle(&s);
	assert_non_null(strstr(speaker_route(&s, 2, "10.0.0.0/8")->attrs, "4005:0000012d"));
	speaker_fini(&s); /* and nothing holds on to itself */
}

/* RFC 8326: what is about to be shut down is used last. */
static void graceful_shutdown(void **state)
{
	struct bgp_path path[2];
	const struct bgp_decide_options options = {0};
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	speaker_update(&s, 1, "", OK "c00804 ffff0000", "08 0a");
	speaker_update(&s, 2, "",
	    O "40020a 0202 0000fdea 00000001"
	      "400304 0a000002",
	    "08 0a");
	assert_int_equal(speaker_paths(&s, "10.0.0.0/8", path, 2), 2);
	assert_int_equal(bgp_decide(path, 2, &options), 1);
	assert_int_equal(path[0].peer, 2);
	assert_int_equal(path[1].lost, BGP_STEP_PREFERENCE);
	speaker_fini(&s);
}

/* ---- limits ---- */

static void announce(struct speaker *s, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char nlri[16];

		snprintf(nlri, sizeof(nlri), "18 0a%04x", i);
		if (speaker_state(s, 1) == BGP_ESTABLISHED)
			speaker_update(s, 1, "", OK, nlri);
	}
}

static void too_many_prefixes(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	c.limit_in[BGP_IPV4] =
	    (struct bgp_prefix_limit){.max = 1000, .warn_percent = 80, .restart_s = 60};
	up_with(&s, 1, &c, "");
	announce(&s, 0, 1000);
	announce(&s, 0, 1000); /* the same: not more */
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	announce(&s, 1000, 1001);
	speaker_expect_notification(
	    &s, 1, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, "0001 01 000003e8");
	speaker_settle(&s);
	assert_int_equal(bgp_usage(s.engine).routes[BGP_IPV4], 0);
	speaker_wait(&s, DUR_S(59));
	assert_false(speaker_connect(&s, 1));
	assert_int_equal(s.remote[1].connects, 1);
	speaker_wait(&s, DUR_S(1));
	assert_int_equal(s.remote[1].connects, 2);
	speaker_establish(&s, 1, "");
	speaker_fini(&s);
}

/* Without a time to restart, a person has to. */
static void too_many_for_good(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	c.limit_in[BGP_IPV4].max = 10;
	up_with(&s, 1, &c, "");
	announce(&s, 0, 20);
	speaker_wait(&s, DUR_S(100000));
	assert_int_equal(s.remote[1].connects, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
	bgp_peer_start(s.engine, s.now, 1);
	assert_int_equal(s.remote[1].connects, 2);
	speaker_fini(&s);
}

/* Counted is what was received, or what was accepted, as configured. */
static void what_is_counted(void **state)
{
	for (int accepted = 0; accepted < 2; accepted++) {
		struct bgp_peer_config c = speaker_config(1);
		struct speaker s;

		speaker_init(&s);
		s.import = import;
		mode = 1; /* refuses all */
		c.has_import = true;
		c.limit_in[BGP_IPV4] =
		    (struct bgp_prefix_limit){.max = 10, .accepted_only = accepted};
		up_with(&s, 1, &c, "");
		announce(&s, 0, 20);
		assert_int_equal(speaker_state(&s, 1) == BGP_ESTABLISHED, accepted);
		speaker_fini(&s);
	}
}

/* One message with all of it is stopped as well, and its routes go. */
static void too_many_at_once(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	static char nlri[20000];
	struct speaker s;

	for (unsigned i = 0; i < 900; i++)
		sprintf(nlri + strlen(nlri), "18 0a%04x", i);
	speaker_init(&s);
	c.limit_in[BGP_IPV4].max = 10;
	up_with(&s, 1, &c, "");
	speaker_update(&s, 1, "", OK, nlri);
	assert_int_equal(s.remote[1].downs, 1);
	speaker_settle(&s);
	assert_int_equal(bgp_usage(s.engine).prefixes[BGP_IPV4], 0);
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(loops),
	    cmocka_unit_test(own_next_hop),
	    cmocka_unit_test(default_deny),
	    cmocka_unit_test(role_pairs),
	    cmocka_unit_test(otc_in),
	    cmocka_unit_test(otc_out),
	    cmocka_unit_test(import_policy),
	    cmocka_unit_test(export_policy),
	    cmocka_unit_test(import_again_while_routes_change),
	    cmocka_unit_test(told_as_it_is),
	    cmocka_unit_test(graceful_shutdown),
	    cmocka_unit_test(too_many_prefixes),
	    cmocka_unit_test(too_many_for_good),
	    cmocka_unit_test(what_is_counted),
	    cmocka_unit_test(too_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
