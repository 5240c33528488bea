/* SPDX-License-Identifier: BSD-3-Clause */

/* Ranges of base/ip.h: all small ones, and random large ones against arithmetic on numbers. */

#include <stdbool.h>
#include <string.h>

#include "ip_numbers.h"

static const uint8_t families[] = {IP_V4, IP_V6};

static struct ip_range range_of(uint8_t family, number first, number last)
{
	return (struct ip_range){address_of(family, first), address_of(family, last)};
}

static void a_prefix_becomes_its_range(void **state)
{
	static const char *const rows[][2] = {
	    {"10.0.0.0/8", "10.0.0.0-10.255.255.255"},
	    {"192.0.2.1/32", "192.0.2.1-192.0.2.1"},
	    {"0.0.0.0/0", "0.0.0.0-255.255.255.255"},
	    {"192.0.2.128/25", "192.0.2.128-192.0.2.255"},
	    {"2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
	    {"::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	char buf[IP_RANGE_TEXT_MAX];

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		struct ip_prefix p = test_prefix(rows[i][0]), again;
		struct ip_range r = ip_range_of_prefix(&p);

		assert_ptr_equal(ip_range_text(&r, buf), buf);
		assert_string_equal(buf, rows[i][1]);
		assert_true(ip_range_is_valid(&r));
		assert_true(ip_range_to_prefix(&r, &again));
		assert_true(ip_prefix_eq(&p, &again));
	}
}

static void the_longest_text_fits(void **state)
{
	char buf[IP_RANGE_TEXT_MAX];
	struct ip_addr a = test_addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	struct ip_range r = {a, a};

	assert_string_equal(ip_range_text(&r, buf),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void every_prefix_survives_the_way_through_a_range(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 100; round++) {
		uint8_t family = families[round % 2];
		struct ip_addr a = random_addr(&rng, family);

		for (unsigned len = 0; len <= bits_of(family); len++) {
			struct ip_prefix p = ip_prefix_of(&a, (uint8_t)len), again;
			struct ip_range r = ip_range_of_prefix(&p);

			assert_true(
			    number_of(&r.last) - number_of(&r.first) == host_bits(family, len));
			assert_true(ip_range_to_prefix(&r, &again));
			assert_true(ip_prefix_eq(&p, &again));
		}
	}
}

/* Host bits in the address of a prefix are not part of it. */
static void a_careless_prefix_gives_the_whole_range(void **state)
{
	struct ip_prefix p = {.addr = test_addr("10.1.2.3"), .len = 16};
	struct ip_range r = ip_range_of_prefix(&p);
	char buf[IP_RANGE_TEXT_MAX];

	assert_string_equal(ip_range_text(&r, buf), "10.1.0.0-10.1.255.255");
}

static void invalid_ranges_are_known(void **state)
{
	struct ip_addr low = test_addr("10.0.0.1"), high = test_addr("10.0.0.2"), none = {0};
	struct ip_addr six = test_addr("::1");
	struct ip_range good = {low, high}, untouched = good;
	const struct ip_range bad[] = {
	    {high, low}, {low, six}, {six, low}, {none, none}, {none, low}, {low, none}};

	for (unsigned i = 0; i < TEST_COUNT(bad); i++) {
		struct ip_prefix p = {.len = 99};

		assert_false(ip_range_is_valid(&bad[i]));
		assert_false(ip_range_has(&bad[i], &low));
		assert_false(ip_range_has(&bad[i], &high));
		assert_false(ip_range_has(&bad[i], &six));
		assert_false(ip_range_has(&bad[i], &none));
		assert_false(ip_range_covers(&bad[i], &good));
		assert_false(ip_range_intersect(&good, &bad[i], &untouched));
		assert_false(ip_range_intersect(&bad[i], &good, &untouched));
		assert_false(ip_range_to_prefix(&bad[i], &p));
		assert_int_equal(p.len, 99);
	}
	assert_memory_equal(&untouched, &good, sizeof(good));
}

/* Checks a pair with a bit per member: the ranges lie within base..base+15. */
static void check_pair(
    const struct ip_range *a, const struct ip_range *b, unsigned a_set, unsigned b_set, number base)
{
	struct ip_range common;
	bool found = ip_range_intersect(a, b, &common);

	assert_int_equal(found, (a_set & b_set) != 0);
	assert_int_equal(ip_range_covers(a, b), (a_set & b_set) == b_set);
	for (unsigned i = 0; i < 16; i++) {
		struct ip_addr member = address_of(a->first.family, base + i);

		assert_int_equal(ip_range_has(a, &member), a_set >> i & 1);
		if (found)
			assert_int_equal(ip_range_has(&common, &member), (a_set & b_set) >> i & 1);
	}
}

static unsigned set_of(unsigned first, unsigned last)
{
	return (2u << last) - (1u << first);
}

static void all_small_ranges_intersect_as_sets_do(void **state)
{
	/* around carries between bytes, and at both ends of the address space */
	const number bases[] = {0, 0xf8, 0xfffffff0, ((number)1 << 64) - 8, ~(number)0 - 15};

	for (unsigned i = 0; i < TEST_COUNT(bases); i++) {
		uint8_t family = i < 3 ? IP_V4 : IP_V6;

		for (unsigned n = 0; n < 16 * 16 * 16 * 16; n++) {
			unsigned a0 = n & 15, a1 = n >> 4 & 15, b0 = n >> 8 & 15, b1 = n >> 12;
			struct ip_range a, b;

			if (a0 > a1 || b0 > b1)
				continue;
			a = range_of(family, bases[i] + a0, bases[i] + a1);
			b = range_of(family, bases[i] + b0, bases[i] + b1);
			check_pair(&a, &b, set_of(a0, a1), set_of(b0, b1), bases[i]);
		}
	}
}

static void small_ranges_are_prefixes_when_aligned(void **state)
{
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned last = first; last < 256; last++) {
			struct ip_range r = range_of(IP_V4, 0x0a000000 + first, 0x0a000000 + last);
			unsigned size = last - first + 1;
			bool expected = !(size & (size - 1)) && first % size == 0;
			struct ip_prefix p;

			assert_int_equal(ip_range_to_prefix(&r, &p), expected);
			if (expected) {
				assert_true(number_of(&p.addr) == 0x0a000000 + first);
				assert_int_equal(1u << (32 - p.len), size);
			}
		}
	}
}

static void random_ranges_agree_with_numbers(void **state)
{
	struct rng rng = test_rng();
	unsigned found = 0;

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t family = families[round % 2];
		number v[4];
		struct ip_range a, b, common;
		bool expected;

		for (unsigned i = 0; i < 4; i++) {
			struct ip_addr addr = random_addr(&rng, family);

			v[i] = number_of(&addr);
		}
		a = v[0] < v[1] ? range_of(family, v[0], v[1]) : range_of(family, v[1], v[0]);
		b = v[2] < v[3] ? range_of(family, v[2], v[3]) : range_of(family, v[3], v[2]);
		expected = number_of(&a.first) <= number_of(&b.last) &&
		    number_of(&b.first) <= number_of(&a.last);
		assert_int_equal(ip_range_intersect(&a, &b, &common), expected);
		if (!expected)
			continue;
		found++;
		assert_true(ip_range_is_valid(&common));
		assert_true(ip_range_covers(&a, &common) && ip_range_covers(&b, &common));
		assert_true(ip_eq(&common.first, &a.first) || ip_eq(&common.first, &b.first));
		assert_true(ip_eq(&common.last, &a.last) || ip_eq(&common.last, &b.last));
	}
	assert_in_range(found, 12000, 15000); /* two thirds of random pairs meet */
}

static void an_intersection_may_go_into_its_source(void **state)
{
	struct ip_range a = range_of(IP_V4, 10, 20), b = range_of(IP_V4, 15, 30);
	char buf[IP_RANGE_TEXT_MAX];

	assert_true(ip_range_intersect(&a, &b, &a));
	assert_string_equal(ip_range_text(&a, buf), "0.0.0.15-0.0.0.20");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_prefix_becomes_its_range),
	    cmocka_unit_test(the_longest_text_fits),
	    cmocka_unit_test(every_prefix_survives_the_way_through_a_range),
	    cmocka_unit_test(a_careless_prefix_gives_the_whole_range),
	    cmocka_unit_test(invalid_ranges_are_known),
	    cmocka_unit_test(all_small_ranges_intersect_as_sets_do),
	    cmocka_unit_test(small_ranges_are_prefixes_when_aligned),
	    cmocka_unit_test(random_ranges_agree_with_numbers),
	    cmocka_unit_test(an_intersection_may_go_into_its_source),
	};

	return cmocka_run_group_tests_name("ip_range", tests, NULL, NULL);
}
