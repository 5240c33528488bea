/* SPDX-License-Identifier: BSD-3-Clause */
/* select_winners() alone: a pure function of candidates, without a boundary. */

#include <stdio.h>
#include <string.h>

#include "model/internal.h"
#include "testing.h"

#define ATTACHMENTS 12

static struct conf_connection pair = {.ha = CONF_HA_ACTIVE_STANDBY};
static struct conf_attachment conf[ATTACHMENTS];
static struct attach attach[ATTACHMENTS];
static char names[ATTACHMENTS][8];

/* Attachments a00, a01, ... of a kind, with so many tunnels, usable. */
static int setup(void **state)
{
	memset(conf, 0, sizeof(conf));
	memset(attach, 0, sizeof(attach));
	for (unsigned i = 0; i < ATTACHMENTS; i++) {
		snprintf(names[i], sizeof(names[i]), "a%02u", i);
		attach[i].name = names[i];
		attach[i].conf = &conf[i];
		attach[i].usable = true;
	}
	return 0;
}

static struct attach *of(unsigned i, enum conf_kind kind, unsigned tunnels)
{
	conf[i].kind = kind;
	attach[i].tunnel_count = tunnels;
	return &attach[i];
}

static struct candidate from(struct attach *a, unsigned rank)
{
	return (struct candidate){.origin = a, .rank = (uint8_t)rank, .source = SOURCE_ATTACHED};
}

/* Where the candidate of that attachment ended. */
static enum lost lost_of(const struct candidate *c, unsigned count, const struct attach *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (c[i].origin == a)
			return c[i].lost;
	}
	fail();
	return LOST_NOT;
}

static void the_rank_comes_first(void **state)
{
	struct candidate c[] = {from(of(0, CONF_KIND_VPN, 2), 5), from(of(1, CONF_KIND_VPC, 0), 3),
	    from(of(2, CONF_KIND_VBR, 0), 4)};

	c[0].preference = 1000;
	assert_int_equal(select_winners(c, 3, 16), 1);
	assert_int_equal(lost_of(c, 3, &attach[1]), LOST_NOT);
	assert_int_equal(lost_of(c, 3, &attach[0]), LOST_RANK);
	assert_int_equal(lost_of(c, 3, &attach[2]), LOST_RANK);
}

static void then_the_preference_then_the_kind(void **state)
{
	struct candidate c[] = {from(of(0, CONF_KIND_CCN, 0), 4), from(of(1, CONF_KIND_VBR, 0), 4),
	    from(of(2, CONF_KIND_VBR, 0), 4)};

	assert_int_equal(select_winners(c, 3, 16), 2);
	assert_int_equal(lost_of(c, 3, &attach[0]), LOST_KIND); /* A9 */
	for (unsigned i = 0; i < 3; i++)
		c[i].preference = c[i].origin == &attach[0] ? 7 : 6;
	assert_int_equal(select_winners(c, 3, 16), 1);
	assert_int_equal(lost_of(c, 3, &attach[0]), LOST_NOT);
	assert_int_equal(lost_of(c, 3, &attach[1]), LOST_PREFERENCE);
}

/* Who is down stays a member of its class, but does not keep a worse class from being used. */
static void what_is_down(void **state)
{
	struct candidate c[] = {from(of(0, CONF_KIND_VPC, 0), 3), from(of(1, CONF_KIND_VPC, 0), 3),
	    from(of(2, CONF_KIND_VPN, 2), 5)};

	attach[0].usable = false;
	assert_int_equal(select_winners(c, 3, 16), 2);
	assert_int_equal(lost_of(c, 3, &attach[0]), LOST_NOT);
	attach[1].usable = false;
	assert_int_equal(select_winners(c, 3, 16), 1);
	assert_int_equal(lost_of(c, 3, &attach[0]), LOST_UNUSABLE);
	assert_int_equal(lost_of(c, 3, &attach[2]), LOST_NOT);
	attach[2].usable = false;
	assert_int_equal(select_winners(c, 3, 16), 2); /* nothing left: the best class drops it */
	assert_int_equal(lost_of(c, 3, &attach[0]), LOST_NOT);
	assert_int_equal(lost_of(c, 3, &attach[2]), LOST_RANK);
}

static void the_limit_prefers_what_is_up(void **state) /* A8 */
{
	struct candidate c[ATTACHMENTS];

	for (unsigned i = 0; i < ATTACHMENTS; i++) {
		c[i] = from(of(i, CONF_KIND_VPC, 0), 3);
		attach[i].usable = i >= 3;
	}
	assert_int_equal(select_winners(c, ATTACHMENTS, 10), 10);
	assert_int_equal(lost_of(c, ATTACHMENTS, &attach[0]), LOST_NOT); /* in the tenth place */
	assert_int_equal(lost_of(c, ATTACHMENTS, &attach[1]), LOST_LIMIT);
	assert_int_equal(lost_of(c, ATTACHMENTS, &attach[2]), LOST_LIMIT);
	assert_int_equal(select_winners(c, ATTACHMENTS, 4), 4);
	for (unsigned i = 0; i < ATTACHMENTS; i++)
		assert_int_equal(
		    lost_of(c, ATTACHMENTS, &attach[i]), i >= 3 && i < 7 ? LOST_NOT : LOST_LIMIT);
}

static void tunnels_count(void **state) /* A8, X1 */
{
	struct candidate c[4];

	for (unsigned i = 0; i < 4; i++)
		c[i] = from(of(i, CONF_KIND_VPN, 2), 5);
	assert_int_equal(select_winners(c, 4, 6), 3);
	conf[0].connection = conf[1].connection = &pair; /* one next hop each */
	assert_int_equal(select_winners(c, 4, 6), 4);
	assert_int_equal(select_winners(c, 4, 5), 3);
	assert_int_equal(select_winners(c, 4, 1), 1);
	assert_true(attach_is_one_hop(&attach[3], 1));
	assert_false(attach_is_one_hop(&attach[3], 2));
}

static void duplicates_and_blackholes(void **state)
{
	struct candidate c[] = {from(of(0, CONF_KIND_VPN, 2), 5), from(&attach[0], 5),
	    {.source = SOURCE_STATIC, .rank = 1, .blackhole = true}};

	c[1].source = SOURCE_FLOW;
	assert_int_equal(select_winners(c, 3, 16), 1);
	assert_true(c[0].blackhole && c[0].lost == LOST_NOT);
	assert_int_equal(select_winners(c + 1, 2, 16), 1);
	assert_int_equal(c[1].lost, LOST_NOT);
	assert_int_equal(c[2].lost, LOST_DUPLICATE);
}

static void what_was_refused_stays_out(void **state)
{
	struct candidate c[] = {from(of(0, CONF_KIND_VPC, 0), 3), from(of(1, CONF_KIND_VPN, 2), 5),
	    from(of(2, CONF_KIND_VPC, 0), 3)};

	c[0].lost = LOST_POLICY;
	c[2].lost = LOST_UNRESOLVED;
	for (unsigned turn = 0; turn < 2; turn++) {
		assert_int_equal(select_winners(c, 3, 16), 1);
		assert_int_equal(lost_of(c, 3, &attach[0]), LOST_POLICY);
		assert_int_equal(lost_of(c, 3, &attach[1]), LOST_NOT);
		assert_int_equal(lost_of(c, 3, &attach[2]), LOST_UNRESOLVED);
	}
	for (unsigned i = 0; i < 3; i++)
		c[i].lost = LOST_POLICY;
	assert_int_equal(select_winners(c, 3, 16), 0);
}

/* The outcome does not hang on the order that candidates come in, nor on what was asked before. */
static void any_order_gives_the_same(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 2000; round++) {
		struct candidate c[ATTACHMENTS], again[ATTACHMENTS];
		unsigned limit = 1 + rng_below(&rng, 12);

		for (unsigned i = 0; i < ATTACHMENTS; i++) {
			of(i, rng_below(&rng, CONF_KIND_COUNT), rng_below(&rng, 3));
			attach[i].usable = rng_below(&rng, 3) > 0;
			c[i] = from(&attach[i], rng_below(&rng, 2));
			c[i].preference = rng_below(&rng, 4) == 0;
			again[i] = c[i];
		}
		unsigned winners = select_winners(c, ATTACHMENTS, limit);

		for (unsigned i = ATTACHMENTS; i > 1; i--) {
			unsigned k = rng_below(&rng, i);
			struct candidate t = again[i - 1];

			again[i - 1] = again[k];
			again[k] = t;
		}
		for (unsigned turn = 0; turn < 2; turn++) {
			assert_int_equal(select_winners(again, ATTACHMENTS, limit), winners);
			for (unsigned i = 0; i < ATTACHMENTS; i++) {
				assert_ptr_equal(again[i].origin, c[i].origin);
				assert_int_equal(again[i].lost, c[i].lost);
			}
		}
	}
}

static void every_reason_has_a_text(void **state)
{
	for (unsigned i = LOST_NOT; i <= LOST_POLICY; i++)
		assert_true(strlen(lost_text(i)) > 3);
	for (unsigned i = SOURCE_STATIC; i <= SOURCE_LOCAL; i++)
		assert_true(strlen(source_text(i)) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_rank_comes_first, setup),
	    cmocka_unit_test_setup(then_the_preference_then_the_kind, setup),
	    cmocka_unit_test_setup(what_is_down, setup),
	    cmocka_unit_test_setup(the_limit_prefers_what_is_up, setup),
	    cmocka_unit_test_setup(tunnels_count, setup),
	    cmocka_unit_test_setup(duplicates_and_blackholes, setup),
	    cmocka_unit_test_setup(what_was_refused_stays_out, setup),
	    cmocka_unit_test_setup(any_order_gives_the_same, setup),
	    cmocka_unit_test(every_reason_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
