/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/fib_rules.h: control's copy of the prefixes, against a plain list. */

#include <string.h>

#include "boundary/fib_rules.h"
#include "testing.h"

#define RULES 400

static struct fib_rules *rules;

static int setup(void **state)
{
	rules = fib_rules_create();
	return 0;
}

static int teardown(void **state)
{
	fib_rules_free(rules);
	return 0;
}

static uint16_t find(const char *text)
{
	struct ip_prefix p = test_prefix(text);

	return fib_rules_find(rules, &p);
}

static void set(const char *text, uint16_t nexthop)
{
	struct ip_prefix p = test_prefix(text);

	fib_rules_set(rules, &p, nexthop);
}

static uint16_t cover(const char *text, uint8_t *len)
{
	struct ip_prefix p = test_prefix(text);

	return fib_rules_cover(rules, &p, len);
}

static void exact(void **state)
{
	struct ip_prefix p = test_prefix("10.0.0.0/8");

	set("10.0.0.0/8", 5);
	assert_int_equal(find("10.0.0.0/8"), 5);
	assert_int_equal(find("10.0.0.0/9"), 0);
	assert_int_equal(find("a00::/8"), 0); /* the same bits of the other family */
	set("10.0.0.0/8", 6);
	assert_int_equal(find("10.0.0.0/8"), 6);
	fib_rules_remove(rules, &p);
	assert_int_equal(find("10.0.0.0/8"), 0);
	fib_rules_remove(rules, &p);
}

static void covers(void **state)
{
	uint8_t len;

	set("0.0.0.0/0", 9);
	assert_int_equal(cover("10.1.2.3/32", &len), 0); /* the default route is none */
	assert_int_equal(len, 0);
	set("10.0.0.0/8", 1);
	set("10.1.0.0/16", 2);
	set("10.1.2.3/32", 3);
	assert_int_equal(cover("10.1.2.3/32", &len), 2);
	assert_int_equal(len, 16);
	assert_int_equal(cover("10.1.0.0/16", &len), 1); /* not itself */
	assert_int_equal(len, 8);
	assert_int_equal(cover("10.0.0.0/8", &len), 0);
	assert_int_equal(cover("0.0.0.0/0", &len), 0);
	set("2001:db8::/32", 4);
	set("8000::/1", 7);
	assert_int_equal(cover("2001:db8:1::/64", &len), 4);
	assert_int_equal(cover("c000::/2", &len), 7);
	assert_int_equal(len, 1);
}

static struct ip_prefix random_prefix(struct rng *rng)
{
	struct ip_addr a = ip_v4(rng_below(rng, 64) << 26 | rng_below(rng, 8));

	if (rng_below(rng, 3) == 0) {
		uint8_t bytes[16] = {0x20, (uint8_t)rng_below(rng, 4)};

		bytes[15] = (uint8_t)rng_below(rng, 4);
		a = ip_from_bytes(IP_V6, bytes);
		return ip_prefix_of(&a, (uint8_t)rng_below(rng, 129));
	}
	return ip_prefix_of(&a, (uint8_t)rng_below(rng, 33));
}

static void random_ops_match_a_list(void **state)
{
	struct ip_prefix list[RULES];
	uint16_t nexthop[RULES] = {0};
	struct rng rng = test_rng();

	for (unsigned i = 0; i < RULES;
	     i++) /* places of one prefix may be several: keep the first */
		list[i] = random_prefix(&rng);
	for (unsigned op = 0; op < 40000; op++) {
		unsigned i = rng_below(&rng, RULES);
		unsigned first = 0;
		uint8_t len, best_len = 0;
		uint16_t best = 0;

		while (!ip_prefix_eq(&list[first], &list[i]))
			first++;
		if (rng_below(&rng, 2)) {
			nexthop[first] = (uint16_t)(1 + rng_below(&rng, 1000));
			fib_rules_set(rules, &list[i], nexthop[first]);
		} else {
			nexthop[first] = 0;
			fib_rules_remove(rules, &list[i]);
		}
		i = rng_below(&rng, RULES);
		for (unsigned j = 0; j < RULES; j++) {
			if (nexthop[j] && list[j].len > best_len && list[j].len < list[i].len &&
			    ip_prefix_covers(&list[j], &list[i])) {
				best = nexthop[j];
				best_len = list[j].len;
			}
		}
		assert_int_equal(fib_rules_cover(rules, &list[i], &len), best);
		assert_int_equal(len, best_len);
	}
	for (unsigned i = 0; i < RULES; i++) {
		unsigned first = 0;

		while (!ip_prefix_eq(&list[first], &list[i]))
			first++;
		assert_int_equal(fib_rules_find(rules, &list[i]), nexthop[first]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(exact, setup, teardown),
	    cmocka_unit_test_setup_teardown(covers, setup, teardown),
	    cmocka_unit_test_setup_teardown(random_ops_match_a_list, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
