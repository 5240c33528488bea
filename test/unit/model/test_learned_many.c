/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More learned routes than are chosen anew at once. What leads to something that died, or that the configuration takes away,
 * leads to what is left in the same moment, for all of them, and only flows move that have to (R8).
 */

#include <stdio.h>
#include <string.h>

#include "learned_site.h"

#define MANY 3000

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

static void announce_many(unsigned end, unsigned length)
{
	for (unsigned n = 0; n < MANY; n += 100) {
		char nlri[1024];
		int at = 0;

		for (unsigned k = n; k < n + 100; k++)
			at += snprintf(nlri + at, sizeof(nlri) - (size_t)at, "18 ac%02x%02x ",
			    17 + k / 256, k % 256);
		site_announce_hex(&site, end, nlri, length);
	}
}

static const char *destination(unsigned k)
{
	static char to[IP_TEXT_MAX];

	snprintf(to, sizeof(to), "172.%u.%u.9", 17 + k / 256, k % 256);
	return to;
}

static unsigned led_to(const char *way)
{
	unsigned n = 0;

	for (unsigned k = 0; k < MANY; k++)
		n += strcmp(bench_ask(site.t, "asker", destination(k)), way) == 0;
	return n;
}

/* All at once, and those that hang on the same port with it: three routes of falling worth, two of which go. */
static void a_death_moves_all_learned_routes_at_once(void **state)
{
	announce_many(0, 1);
	announce_many(4, 2); /* c2/1: the same port */
	announce_many(3, 3); /* c1/2: the other one */
	site_settle(&site);
	assert_int_equal(led_to("c0/1"), MANY);
	uint32_t hops = records_used(&site.t->b->nexthops.rec);
	assert_in_range(hops, 1, 40);
	site_tunnel(&site, 0, MODEL_TUNNEL_DOWN);
	assert_int_equal(led_to("c2/1"), MANY);
	site_settle(&site);
	assert_int_equal(led_to("c2/1"), MANY);
	site_tunnel(&site, 0, MODEL_TUNNEL_UP);
	site_settle(&site);
	assert_int_equal(led_to("c0/1"), MANY);
	site_link(&site, SITE_WAN0, false);
	assert_int_equal(led_to("c1/2"), MANY);
	site_settle(&site);
	assert_int_equal(led_to("c1/2"), MANY);
	assert_true(epoch_flush(site.t->b->epoch));
	assert_in_range(records_used(&site.t->b->nexthops.rec), 1, hops);
}

/* ---- the configuration takes something away ---- */

static struct bench_buckets before, after;
static const char *left;

/* In the moment between the configuration and the first withdrawal. */
static void nothing_leads_to_what_went(void)
{
	assert_int_equal(led_to(left), MANY);
	if (left[0] != 'c')
		return;
	bench_buckets(site.t, "asker", destination(MANY - 1), &after);
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		if (strcmp(after.way[b], before.way[b]) != 0)
			assert_null(strstr(left, before.way[b]));
	}
}

static void take_away(const char *yaml, const char *what_is_left)
{
	left = what_is_left;
	bench_buckets(site.t, "asker", destination(MANY - 1), &before);
	site_apply_and(&site, yaml, nothing_leads_to_what_went);
	nothing_leads_to_what_went();
	site_settle(&site);
	nothing_leads_to_what_went();
}

#define WITHOUT_C0   SITE_CONFIG(SITE_C1 SITE_C2, SITE_A1 SITE_A2)
#define WITHOUT_C2_2 SITE_CONFIG(SITE_C0 SITE_C1 SITE_C2S, SITE_A0 SITE_A1 SITE_A2)

static void flows_of_a_tunnel_that_is_taken_away_go_to_the_others(void **state)
{
	announce_many(0, 1);
	announce_many(1, 1);
	announce_many(4, 1);
	announce_many(5, 1);
	site_settle(&site);
	assert_int_equal(led_to("c0/1 c0/2 c2/1 c2/2"), MANY);
	take_away(WITHOUT_C2_2, "c0/1 c0/2 c2/1");
	take_away(WITHOUT_C0, "c2/1");
}

static void without_others_they_go_to_the_next_best(void **state)
{
	announce_many(0, 1);
	announce_many(1, 1);
	announce_many(2, 2);
	site_settle(&site);
	assert_int_equal(led_to("c0/1 c0/2"), MANY);
	take_away(WITHOUT_C0, "c1/1");
}

static void with_nothing_left_they_go_nowhere(void **state)
{
	announce_many(0, 1);
	announce_many(1, 2);
	site_settle(&site);
	assert_int_equal(led_to("c0/1"), MANY);
	left = "blackhole";
	site_apply_and(&site, WITHOUT_C0, NULL);
	assert_int_equal(led_to("blackhole") + led_to("no route"), MANY);
	site_settle(&site);
	assert_int_equal(led_to("no route"), MANY);
}

/* ---- all are lost ---- */

static void assert_moved_only_to(const char *way)
{
	bench_buckets(site.t, "asker", destination(7), &after);
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		if (strcmp(after.way[b], before.way[b]) != 0)
			assert_string_equal(after.way[b], way);
	}
	before = after;
}

static void who_returns_after_all_were_lost_takes_only_his_share(void **state)
{
	static const unsigned end[] = {0, 1, 4, 5};

	for (unsigned i = 0; i < TEST_COUNT(end); i++)
		announce_many(end[i], 1);
	site_settle(&site);
	bench_buckets(site.t, "asker", destination(7), &before);
	struct bench_buckets first = before;
	for (unsigned i = 0; i < TEST_COUNT(end); i++) {
		announce_many(end[i], 0);
		site_settle(&site);
	}
	assert_int_equal(led_to("no route"), MANY);
	for (unsigned i = TEST_COUNT(end); i-- > 0;) {
		announce_many(end[i], 1);
		site_settle(&site);
		if (i == TEST_COUNT(end) - 1)
			bench_buckets(site.t, "asker", destination(7), &before);
		assert_moved_only_to(site_end_name(end[i]));
	}
	assert_memory_equal(&first, &after, sizeof(first)); /* every flow is where it was */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_death_moves_all_learned_routes_at_once),
	    TEST(flows_of_a_tunnel_that_is_taken_away_go_to_the_others),
	    TEST(without_others_they_go_to_the_next_best),
	    TEST(with_nothing_left_they_go_nowhere),
	    TEST(who_returns_after_all_were_lost_takes_only_his_share),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
