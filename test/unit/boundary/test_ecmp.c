/* SPDX-License-Identifier: BSD-3-Clause */

/* ecmp_fill() of boundary/nexthop.h: balanced, resilient, and nothing but a function of the members (R8). */

#include <string.h>

#include "boundary/nexthop.h"
#include "testing.h"

#define NOBODY 0xff

struct group {
	unsigned count;
	struct ecmp_member member[ECMP_MEMBERS_MAX];
};

static struct group group_of(struct rng *rng, unsigned count)
{
	struct group g = {.count = count};

	for (unsigned m = 0; m < count; m++)
		g.member[m] =
		    (struct ecmp_member){.leaf = m + 1, .identity = rng_u64(rng), .alive = true};
	return g;
}

static void fill(const struct group *g, uint8_t bucket[ECMP_BUCKETS])
{
	ecmp_fill(bucket, g->member, g->count);
}

static unsigned owned(const uint8_t bucket[ECMP_BUCKETS], unsigned member)
{
	unsigned n = 0;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++)
		n += bucket[b] == member;
	return n;
}

static void all_alive_is_balanced(void **state)
{
	struct rng rng = test_rng();
	uint8_t bucket[ECMP_BUCKETS];

	for (unsigned count = 1; count <= ECMP_MEMBERS_MAX; count++) {
		struct group g = group_of(&rng, count);
		unsigned least = ECMP_BUCKETS / count, total = 0;

		fill(&g, bucket);
		for (unsigned m = 0; m < count; m++) {
			assert_in_range(
			    owned(bucket, m), least, least + (ECMP_BUCKETS % count != 0));
			total += owned(bucket, m);
		}
		assert_int_equal(total, ECMP_BUCKETS);
	}
}

static void small_identities_spread_as_well(void **state)
{
	struct group g = {.count = 4};
	uint8_t bucket[ECMP_BUCKETS];
	unsigned runs = 0;

	for (unsigned m = 0; m < g.count; m++)
		g.member[m] = (struct ecmp_member){.leaf = m + 1, .identity = m, .alive = true};
	fill(&g, bucket);
	for (unsigned b = 1; b < ECMP_BUCKETS; b++)
		runs += bucket[b] != bucket[b - 1];
	assert_in_range(runs, 128, 250); /* mixed, not in blocks: 3/4 of 255 expected */
}

static void a_death_moves_only_its_buckets(void **state)
{
	struct rng rng = test_rng();
	uint8_t before[ECMP_BUCKETS], after[ECMP_BUCKETS], again[ECMP_BUCKETS];

	for (unsigned count = 2; count <= ECMP_MEMBERS_MAX; count++) {
		struct group g = group_of(&rng, count);
		unsigned dead = rng_below(&rng, count);

		fill(&g, before);
		g.member[dead].alive = false;
		fill(&g, after);
		for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
			if (before[b] != dead)
				assert_int_equal(after[b], before[b]);
			else
				assert_true(after[b] < count && after[b] != dead);
		}
		g.member[dead].alive = true;
		fill(&g, again);
		assert_memory_equal(again, before, ECMP_BUCKETS);
	}
}

/* One member after the other dies or returns: each step moves only what it must. */
static void steps_move_the_least(void **state)
{
	struct rng rng = test_rng();
	uint8_t before[ECMP_BUCKETS], after[ECMP_BUCKETS];

	for (unsigned turn = 0; turn < 60; turn++) {
		struct group g = group_of(&rng, 2 + rng_below(&rng, ECMP_MEMBERS_MAX - 1));

		fill(&g, before);
		for (unsigned step = 0; step < 30; step++) {
			unsigned m = rng_below(&rng, g.count);
			bool returns = !g.member[m].alive;

			g.member[m].alive = returns;
			fill(&g, after);
			for (unsigned b = 0; b < ECMP_BUCKETS; b++)
				if (after[b] != before[b])
					assert_int_equal(returns ? after[b] : before[b], m);
			memcpy(before, after, sizeof(before));
		}
	}
}

static void the_dead_own_nothing_and_heirs_share(void **state)
{
	struct rng rng = test_rng();
	uint8_t bucket[ECMP_BUCKETS];
	unsigned most = 0;

	for (unsigned turn = 0; turn < 100; turn++) {
		struct group g = group_of(&rng, 8);
		unsigned alive = 0;

		for (unsigned m = 0; m < g.count; m++)
			alive += g.member[m].alive = m < 4;
		fill(&g, bucket);
		for (unsigned m = 0; m < g.count; m++) {
			assert_true(owned(bucket, m) == 0 || g.member[m].alive);
			if (g.member[m].alive)
				assert_true(owned(bucket, m) >= 32); /* its own at least */
			if (owned(bucket, m) > most)
				most = owned(bucket, m);
		}
		assert_int_equal(alive, 4);
	}
	assert_in_range(most, 64, 110); /* 64 is the mean; 32 of the 128 inherited on average */
}

static void order_of_members_is_no_matter(void **state)
{
	struct rng rng = test_rng();
	uint8_t one[ECMP_BUCKETS], other[ECMP_BUCKETS];

	for (unsigned turn = 0; turn < 100; turn++) {
		struct group g = group_of(&rng, 1 + rng_below(&rng, ECMP_MEMBERS_MAX));
		struct group shuffled;

		for (unsigned m = 0; m < g.count; m++)
			g.member[m].alive = rng_below(&rng, 4) != 0;
		shuffled = g;
		for (unsigned m = g.count; m > 1; m--) {
			unsigned with = rng_below(&rng, m);
			struct ecmp_member moved = shuffled.member[m - 1];

			shuffled.member[m - 1] = shuffled.member[with];
			shuffled.member[with] = moved;
		}
		fill(&g, one);
		fill(&shuffled, other);
		for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
			if (one[b] == NOBODY)
				assert_int_equal(other[b], NOBODY);
			else
				assert_int_equal(
				    g.member[one[b]].leaf, shuffled.member[other[b]].leaf);
		}
	}
}

static void nobody_lives(void **state)
{
	struct rng rng = test_rng();
	struct group g = group_of(&rng, 5);
	uint8_t bucket[ECMP_BUCKETS];

	for (unsigned m = 0; m < g.count; m++)
		g.member[m].alive = false;
	fill(&g, bucket);
	assert_int_equal(owned(bucket, NOBODY), ECMP_BUCKETS);
	g.member[3].alive = true;
	fill(&g, bucket);
	assert_int_equal(owned(bucket, 3), ECMP_BUCKETS);
	ecmp_fill(bucket, g.member, 0);
	assert_int_equal(owned(bucket, NOBODY), ECMP_BUCKETS);
}

static void equal_identities_still_balance(void **state)
{
	struct group g = {.count = 3};
	uint8_t bucket[ECMP_BUCKETS];

	for (unsigned m = 0; m < g.count; m++)
		g.member[m] = (struct ecmp_member){.leaf = m + 1, .identity = 7, .alive = true};
	fill(&g, bucket);
	for (unsigned m = 0; m < g.count; m++)
		assert_in_range(owned(bucket, m), 85, 86);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_alive_is_balanced),
	    cmocka_unit_test(small_identities_spread_as_well),
	    cmocka_unit_test(a_death_moves_only_its_buckets),
	    cmocka_unit_test(steps_move_the_least),
	    cmocka_unit_test(the_dead_own_nothing_and_heirs_share),
	    cmocka_unit_test(order_of_members_is_no_matter),
	    cmocka_unit_test(nobody_lives),
	    cmocka_unit_test(equal_identities_still_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
