/* SPDX-License-Identifier: BSD-3-Clause */

/* What is announced out of views: several peers of one, one that changes its view, sets that come and go (B8, B9). */

#include "speaker.h"

/* Hex of attributes as struct route has them: code by code. */
#define TOLD_ORIGIN "4001:00 "
#define TOLD_HOP    "4003:0a0000fe "

/* The same attributes from another peer: who must not hear of it is another one. */
static void same_set_from_another(void **state)
{
	struct ip_prefix prefix = test_prefix("10.0.0.0/8");
	const struct bgp_attrs *a;
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	a = bgp_attrs_local(s.engine, BGP_ORIGIN_IGP, NULL);
	bgp_view_set(s.engine, 1, &prefix, a, 1, 0);
	speaker_run(&s);
	assert_null(speaker_route(&s, 1, "10.0.0.0/8"));
	assert_non_null(speaker_route(&s, 2, "10.0.0.0/8"));
	bgp_view_set(s.engine, 1, &prefix, a, 2, 0);
	speaker_run(&s);
	assert_non_null(speaker_route(&s, 1, "10.0.0.0/8"));
	assert_null(speaker_route(&s, 2, "10.0.0.0/8"));
	bgp_attrs_unref(s.engine, a);
	speaker_fini(&s);
}

/* Host routes fill withdrawals to the last octet. */
static void full_withdrawals(void **state)
{
	struct speaker s;
	char prefix[32];

	speaker_init(&s);
	speaker_up(&s, 1);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(prefix, sizeof(prefix), "10.0.%u.%u/32", i / 256, i % 256);
		speaker_local(&s, prefix);
	}
	speaker_run(&s);
	speaker_drain(&s, 1);
	bgp_view_remove(s.engine, 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 0);
	assert_int_equal(s.remote[1].withdrawals, 3000);
	speaker_fini(&s);
}

/* Another view: what it lacks is withdrawn, what it adds announced, what both have not touched (B9). */
static void change_of_view(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_put(&s, 1, "10.0.0.0/8", 1);
	speaker_put(&s, 1, "11.0.0.0/8", 1);
	speaker_put(&s, 1, "12.0.0.0/8", 1);
	speaker_put(&s, 2, "11.0.0.0/8", 1);
	speaker_put(&s, 2, "12.0.0.0/8", 2);
	speaker_put(&s, 2, "13.0.0.0/8", 2);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].announcements, 3);
	c.view = 2;
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	assert_null(speaker_route(&s, 1, "10.0.0.0/8"));
	assert_non_null(speaker_route(&s, 1, "13.0.0.0/8"));
	assert_int_equal(s.remote[1].announcements, 5);
	assert_int_equal(s.remote[1].withdrawals, 1);
	assert_int_equal(s.remote[1].repeated, 0);
	c.view = 0; /* advertise-routes off (B8) */
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 0);
	c.view = 1;
	bgp_peer_update(s.engine, s.now, 1, &c, NULL);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 3);
	bgp_view_remove(s.engine, 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_int_equal(s.remote[1].routes, 0);
	bgp_view_remove(s.engine, 2);
	speaker_fini(&s);
}

/* Random sets and unsets, rounds at random moments: the peer has what the view has, and heard it once. */
static void random_views(void **state)
{
	enum { PREFIXES = 300 };
	uint32_t have[PREFIXES] = {0};
	struct rng rng = test_rng();
	struct speaker s;
	unsigned rounds = 0;

	speaker_init(&s);
	speaker_up(&s, 1);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = rng_below(&rng, PREFIXES);
		char prefix[32];
		struct ip_prefix p;

		snprintf(prefix, sizeof(prefix), "10.%u.%u.0/24", i / 16, i % 16);
		p = test_prefix(prefix);
		if (rng_below(&rng, 3) == 0) {
			bgp_view_unset(s.engine, 1, &p);
			have[i] = 0;
		} else {
			have[i] = 1 + rng_below(&rng, 5);
			speaker_put(&s, 1, prefix, have[i]);
		}
		if (rng_below(&rng, 50) == 0)
			bgp_run(s.engine, s.now);
		if (rng_below(&rng, 500) == 0)
			speaker_run(&s), speaker_drain(&s, 1), rounds++;
	}
	speaker_run(&s);
	speaker_drain(&s, 1);
	assert_true(rounds > 10);
	assert_int_equal(s.remote[1].repeated, 0);
	for (unsigned i = 0; i < PREFIXES; i++) {
		char prefix[32], attrs[128];
		const struct route *r;

		snprintf(prefix, sizeof(prefix), "10.%u.%u.0/24", i / 16, i % 16);
		r = speaker_route(&s, 1, prefix);
		assert_int_equal(r != NULL, have[i] != 0);
		if (!r)
			continue;
		snprintf(attrs, sizeof(attrs),
		    TOLD_ORIGIN "4002:02010000fde8 " TOLD_HOP "c008:%08x ", have[i]);
		assert_string_equal(r->attrs, attrs);
	}
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_set_from_another),
	    cmocka_unit_test(full_withdrawals),
	    cmocka_unit_test(change_of_view),
	    cmocka_unit_test(random_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
