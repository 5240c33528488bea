/* SPDX-License-Identifier: BSD-3-Clause */

/* Prefixes of base/ip.h: what parses, and membership against arithmetic on numbers. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ip_numbers.h"

static void good_text_parses(void **state)
{
	static const char *const good[] = {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.128/25",
	    "192.0.2.1/32", "::/0", "2001:db8::/32", "2001:db8:0:8000::/49", "2001:db8::1/128",
	    "::ffff:192.0.2.0/120"};
	char buf[IP_PREFIX_TEXT_MAX];

	for (unsigned i = 0; i < TEST_COUNT(good); i++) {
		struct ip_prefix p = test_prefix(good[i]);

		assert_ptr_equal(ip_prefix_text(&p, buf), buf);
		assert_string_equal(buf, good[i]);
	}
}

static void bad_text_is_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
	    {"", -EINVAL},
	    {"/", -EINVAL},
	    {"/8", -EINVAL},
	    {"10.0.0.0", -EINVAL},
	    {"10.0.0.0/", -EINVAL},
	    {"10.0.0.0/08", -EINVAL},
	    {"10.0.0.0/00", -EINVAL},
	    {"10.0.0.0/+8", -EINVAL},
	    {"10.0.0.0/-8", -EINVAL},
	    {"10.0.0.0/8 ", -EINVAL},
	    {"10.0.0.0/ 8", -EINVAL},
	    {"10.0.0.0/8/8", -EINVAL},
	    {"10.0.0.0/0x8", -EINVAL},
	    {"10.0.0.0/255.0.0.0", -EINVAL},
	    {"10.0.0/8", -EINVAL},
	    {"10.0.0.0/33", -ERANGE},
	    {"10.0.0.0/256", -ERANGE},
	    {"10.0.0.0/264", -ERANGE},
	    {"10.0.0.0/4294967304", -ERANGE},
	    {"10.0.0.0/99999999999999999999999999999", -ERANGE},
	    {"::/129", -ERANGE},
	    {"::/1280", -ERANGE},
	    {"1000:2000:3000:4000:5000:6000:7000:255.255.255/8", -EINVAL},
	    {"0000:0000:0000:0000:0000:0000:0000.000.000.000/0", -EINVAL},
	    {"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64", -EINVAL},
	};
	struct ip_prefix before = test_prefix("192.0.2.0/24"), p = before;
	struct ip_addr addr = before.addr;
	uint8_t len = 7;

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		assert_int_equal(ip_prefix_parse(rows[i].text, &p), rows[i].err);
		assert_true(ip_prefix_eq(&p, &before));
		assert_int_equal(ip_ifaddr_parse(rows[i].text, &addr, &len), rows[i].err);
		assert_true(ip_eq(&addr, &before.addr));
		assert_int_equal(len, 7);
	}
}

static void host_bits_give_the_prefix_as_a_hint(void **state)
{
	static const char *const rows[][2] = {{"10.1.255.254/16", "10.1.0.0/16"},
	    {"192.0.2.1/31", "192.0.2.0/31"}, {"255.255.255.255/0", "0.0.0.0/0"},
	    {"2001:db8::1/64", "2001:db8::/64"}, {"8000::/0", "::/0"}};
	char buf[IP_PREFIX_TEXT_MAX];

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		struct ip_prefix p;

		assert_int_equal(ip_prefix_parse(rows[i][0], &p), -EDOM);
		assert_string_equal(ip_prefix_text(&p, buf), rows[i][1]);
	}
}

static void an_interface_keeps_its_host_bits(void **state)
{
	struct ip_addr a, expected = test_addr("10.1.255.254");
	uint8_t len;

	assert_int_equal(ip_ifaddr_parse("10.1.255.254/16", &a, &len), 0);
	assert_true(ip_eq(&a, &expected));
	assert_int_equal(len, 16);
	expected = test_addr("2001:db8::1");
	assert_int_equal(ip_ifaddr_parse("2001:db8::1/128", &a, &len), 0);
	assert_true(ip_eq(&a, &expected));
	assert_int_equal(len, 128);
	assert_int_equal(ip_ifaddr_parse("10.0.0.1/0", &a, &len), 0);
	assert_int_equal(len, 0);
}

static void every_length_masks_as_numbers_do(void **state)
{
	static const uint8_t families[] = {IP_V4, IP_V6};
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 200; round++) {
		uint8_t family = families[round % 2];
		struct ip_addr a = random_addr(&rng, family);

		for (unsigned len = 0; len <= bits_of(family); len++) {
			struct ip_prefix p = ip_prefix_of(&a, (uint8_t)len), again;
			char buf[IP_PREFIX_TEXT_MAX];

			assert_int_equal(p.len, len);
			assert_int_equal(p.addr.family, family);
			assert_true(
			    number_of(&p.addr) == (number_of(&a) & ~host_bits(family, len)));
			assert_int_equal(ip_prefix_parse(ip_prefix_text(&p, buf), &again), 0);
			assert_true(ip_prefix_eq(&p, &again));
		}
	}
}

static void membership_agrees_with_numbers(void **state)
{
	static const uint8_t families[] = {IP_V4, IP_V6};
	struct rng rng = test_rng();
	unsigned hits[3] = {0};
	enum { ROUNDS = 50000 };

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint8_t family = families[round % 2];
		struct ip_addr a = random_addr(&rng, family), b = random_near(&rng, &a);
		struct ip_prefix p =
		    ip_prefix_of(&a, (uint8_t)rng_below(&rng, bits_of(family) + 1));
		struct ip_prefix q =
		    ip_prefix_of(&b, (uint8_t)rng_below(&rng, bits_of(family) + 1));
		number p0 = number_of(&p.addr), p1 = p0 + host_bits(family, p.len);
		number q0 = number_of(&q.addr), q1 = q0 + host_bits(family, q.len);
		bool has = p0 <= number_of(&b) && number_of(&b) <= p1;
		bool covers = p0 <= q0 && q1 <= p1;
		bool overlaps = p0 <= q1 && q0 <= p1;

		assert_int_equal(ip_prefix_has(&p, &b), has);
		assert_int_equal(ip_prefix_covers(&p, &q), covers);
		assert_int_equal(ip_prefix_overlaps(&p, &q), overlaps);
		assert_int_equal(ip_prefix_overlaps(&q, &p), overlaps);
		hits[0] += has;
		hits[1] += covers;
		hits[2] += overlaps;
	}
	for (unsigned i = 0; i < 3; i++) /* both answers were met */
		assert_in_range(hits[i], ROUNDS / 10, ROUNDS - ROUNDS / 20);
}

static void families_do_not_mix(void **state)
{
	struct ip_prefix all4 = test_prefix("0.0.0.0/0"), all6 = test_prefix("::/0"), none = {0};
	struct ip_addr four = test_addr("192.0.2.1"), six = test_addr("2001:db8::1"), unset = {0};
	char buf[IP_PREFIX_TEXT_MAX];

	assert_true(ip_prefix_has(&all4, &four));
	assert_true(ip_prefix_has(&all6, &six));
	assert_false(ip_prefix_has(&all4, &six));
	assert_false(ip_prefix_has(&all6, &four));
	assert_false(ip_prefix_covers(&all4, &all6));
	assert_false(ip_prefix_overlaps(&all6, &all4));
	assert_false(ip_prefix_eq(&all6, &all4));
	assert_false(ip_prefix_has(&all4, &unset));
	assert_false(ip_prefix_has(&none, &four));
	assert_false(ip_prefix_has(&none, &unset));
	assert_string_equal(ip_prefix_text(&none, buf), "-");
}

static void order_is_address_then_length(void **state)
{
	static const char *const sorted[] = {"0.0.0.0/0", "0.0.0.0/32", "10.0.0.0/8", "10.0.0.0/16",
	    "10.1.0.0/16", "255.255.255.255/32", "::/0", "::/128", "2001:db8::/32",
	    "2001:db8::/33"};

	for (unsigned i = 0; i < TEST_COUNT(sorted); i++) {
		for (unsigned j = 0; j < TEST_COUNT(sorted); j++) {
			struct ip_prefix a = test_prefix(sorted[i]), b = test_prefix(sorted[j]);
			int order = ip_prefix_cmp(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(ip_prefix_eq(&a, &b), i == j);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_text_parses),
	    cmocka_unit_test(bad_text_is_refused),
	    cmocka_unit_test(host_bits_give_the_prefix_as_a_hint),
	    cmocka_unit_test(an_interface_keeps_its_host_bits),
	    cmocka_unit_test(every_length_masks_as_numbers_do),
	    cmocka_unit_test(membership_agrees_with_numbers),
	    cmocka_unit_test(families_do_not_mix),
	    cmocka_unit_test(order_is_address_then_length),
	};

	return cmocka_run_group_tests_name("ip_prefix", tests, NULL, NULL);
}
