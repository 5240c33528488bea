/* SPDX-License-Identifier: BSD-3-Clause */

/* Addresses of base/ip.h: text in both directions, order, and arithmetic, over both families. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "testing.h"

static void families_have_sizes(void **state)
{
	assert_int_equal(ip_bytes(IP_V4), 4);
	assert_int_equal(ip_bytes(IP_V6), 16);
	assert_int_equal(ip_bytes(IP_NONE), 0);
	assert_int_equal(ip_bytes(255), 0);
}

static void v4_converts_both_ways(void **state)
{
	static const uint32_t values[] = {0, 1, 0x7f000001, 0x80000000, 0xc0000201, 0xffffffff};
	struct ip_addr six = test_addr("2001:db8::1");

	for (unsigned i = 0; i < TEST_COUNT(values); i++) {
		struct ip_addr a = ip_v4(values[i]), b;
		uint8_t bytes[4] = {(uint8_t)(values[i] >> 24), (uint8_t)(values[i] >> 16),
		    (uint8_t)(values[i] >> 8), (uint8_t)values[i]};

		assert_int_equal(a.family, IP_V4);
		assert_true(ip_v4_host(&a) == values[i]);
		b = ip_from_bytes(IP_V4, bytes);
		assert_true(ip_eq(&a, &b));
	}
	assert_int_equal(ip_v4_host(&six), 0);
}

/* Comparison is by memcmp: an address must hold nothing but what its family has. */
static void unused_bytes_are_zero(void **state)
{
	uint8_t ones[16], zero[16] = {0};
	struct ip_addr a;

	memset(ones, 0xff, sizeof(ones));
	memset(&a, 0xff, sizeof(a));
	a = ip_from_bytes(IP_V4, ones);
	assert_memory_equal(a.bytes + 4, zero, 12);
	assert_memory_equal(a.zero, zero, 3);
	memset(&a, 0xff, sizeof(a));
	assert_int_equal(ip_parse("255.255.255.255", &a), 0);
	assert_memory_equal(a.bytes + 4, zero, 12);
	assert_memory_equal(a.zero, zero, 3);
	memset(&a, 0xff, sizeof(a));
	a = ip_any(IP_V6);
	assert_memory_equal(a.bytes, zero, 16);
	assert_memory_equal(a.zero, zero, 3);
}

static void any_and_multicast_are_known(void **state)
{
	static const char *const multicast[] = {
	    "224.0.0.0", "239.255.255.255", "ff00::", "ff02::1"};
	static const char *const unicast[] = {
	    "223.255.255.255", "240.0.0.0", "0.0.0.1", "::1", "feff::", "e000::"};
	struct ip_addr any4 = ip_any(IP_V4), any6 = ip_any(IP_V6), none = {0};

	assert_true(ip_is_any(&any4));
	assert_true(ip_is_any(&any6));
	assert_false(ip_is_any(&none));
	assert_false(ip_is_set(&none));
	assert_false(ip_eq(&any4, &any6));
	for (unsigned i = 0; i < TEST_COUNT(multicast); i++) {
		struct ip_addr a = test_addr(multicast[i]);

		assert_true(ip_is_multicast(&a));
	}
	for (unsigned i = 0; i < TEST_COUNT(unicast); i++) {
		struct ip_addr a = test_addr(unicast[i]);

		assert_false(ip_is_multicast(&a));
		assert_false(ip_is_any(&a));
		assert_true(ip_is_set(&a));
	}
}

static void order_is_family_then_bytes(void **state)
{
	static const char *const sorted[] = {"0.0.0.0", "0.0.0.1", "10.0.0.0", "127.255.255.255",
	    "128.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::", "8000::", "ffff::"};

	for (unsigned i = 0; i < TEST_COUNT(sorted); i++) {
		for (unsigned j = 0; j < TEST_COUNT(sorted); j++) {
			struct ip_addr a = test_addr(sorted[i]), b = test_addr(sorted[j]);
			int order = ip_cmp(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(ip_eq(&a, &b), i == j);
		}
	}
}

static void next_carries_and_wraps(void **state)
{
	static const char *const pairs[][2] = {{"0.0.0.0", "0.0.0.1"}, {"10.0.0.255", "10.0.1.0"},
	    {"10.255.255.255", "11.0.0.0"}, {"255.255.255.255", "0.0.0.0"}, {"::", "::1"},
	    {"2001:db8::ffff:ffff", "2001:db8::1:0:0"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"}};
	struct ip_addr none = {0};

	for (unsigned i = 0; i < TEST_COUNT(pairs); i++) {
		struct ip_addr a = test_addr(pairs[i][0]), next = ip_next(&a);
		struct ip_addr expected = test_addr(pairs[i][1]);

		assert_true(ip_eq(&next, &expected));
	}
	none = ip_next(&none);
	assert_false(ip_is_set(&none));
}

static void bad_text_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "-", "any", "1", "1.2.3", "1.2.3.", ".1.2.3.4",
	    "1.2.3.4.5", "256.0.0.0", "1.2.3.256", "01.2.3.4", "1.2.3.04", "0x1.2.3.4", "1.2.3.4 ",
	    " 1.2.3.4", "1.2.3.-4", "+1.2.3.4", "1..2.3", "1.2.3.4/32", ":", ":::", "1::2::3",
	    "1:2:3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", ":1:2:3:4:5:6:7",
	    "12345::", "g::", "::1%eth0", "fe80::1%1", "[::1]", "::1 ", "::256.1.1.1", "::1.2.3",
	    "1.2.3.4::", "2001:db8::/32", "1:2:3:4:5:6:7:1.2.3.4"};
	struct ip_addr before = test_addr("192.0.2.1"), a = before;

	for (unsigned i = 0; i < TEST_COUNT(bad); i++) {
		assert_int_equal(ip_parse(bad[i], &a), -EINVAL);
		assert_true(ip_eq(&a, &before));
	}
}

/* RFC 5952 4: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
static void text_is_canonical(void **state)
{
	static const char *const rows[][2] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"2001:DB8::1", "2001:db8::1"},
	    {"2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"},
	    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
	    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	    {"0:0:0:0:0:0:0:0", "::"},
	    {"0:0:0:0:0:0:0:1", "::1"},
	    {"1:0:0:0:0:0:0:0", "1::"},
	    {"::ffff:c000:201", "::ffff:192.0.2.1"},
	    {"fe80::1", "fe80::1"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	struct ip_addr none = {0};
	char buf[IP_TEXT_MAX];

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		struct ip_addr a = test_addr(rows[i][0]);

		assert_ptr_equal(ip_text(&a, buf), buf);
		assert_string_equal(buf, rows[i][1]);
	}
	assert_string_equal(ip_text(&none, buf), "-");
}

static void every_v4_octet_round_trips(void **state)
{
	struct rng rng = test_rng();
	char text[32], buf[IP_TEXT_MAX];

	for (unsigned i = 0; i < 5000; i++) {
		uint32_t v = i < 1024 ? (i & 255) << 8 * (i >> 8) : rng_u32(&rng);
		struct ip_addr a;

		snprintf(text, sizeof(text), "%u.%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255,
		    v & 255);
		assert_int_equal(ip_parse(text, &a), 0);
		assert_int_equal(a.family, IP_V4);
		assert_true(ip_v4_host(&a) == v);
		assert_string_equal(ip_text(&a, buf), text);
	}
}

/* Start and length of the run of zero groups to write as "::"; length 0 without one. */
static unsigned longest_run(const uint16_t g[8], unsigned *length)
{
	unsigned start = 0;

	*length = 1;
	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && g[i + n] == 0)
			n++;
		if (n > *length) {
			start = i;
			*length = n;
		}
	}
	if (*length == 1)
		*length = 0;
	return start;
}

static void canonical(const uint16_t g[8], char *out)
{
	unsigned length, start = longest_run(g, &length);

	*out = '\0';
	for (unsigned i = 0; i < 8; i++) {
		if (length && i == start) {
			strcat(out, "::");
			i += length - 1;
			continue;
		}
		if (i > 0 && out[strlen(out) - 1] != ':')
			strcat(out, ":");
		sprintf(out + strlen(out), "%x", g[i]);
	}
}

static void random_v6_round_trips(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 20000; round++) {
		char whole[IP_TEXT_MAX], expected[IP_TEXT_MAX], buf[IP_TEXT_MAX];
		uint16_t g[8];
		struct ip_addr a, b;

		for (unsigned i = 0; i < 8;
		     i++) /* many zeros; the first group not, against ::1.2.3.4 */
			g[i] = rng_below(&rng, 2) || i == 0
			    ? (uint16_t)(1 + rng_below(&rng, 0xffff))
			    : 0;
		snprintf(whole, sizeof(whole), "%04x:%04X:%x:%x:%x:%x:%x:%x", g[0], g[1], g[2],
		    g[3], g[4], g[5], g[6], g[7]);
		assert_int_equal(ip_parse(whole, &a), 0);
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(a.bytes[2 * i] << 8 | a.bytes[2 * i + 1], g[i]);
		canonical(g, expected);
		assert_string_equal(ip_text(&a, buf), expected);
		assert_int_equal(ip_parse(buf, &b), 0);
		assert_true(ip_eq(&a, &b));
	}
}

/* Whatever the text, the C library is asked in both families, and says the same. */
static void random_text_agrees_with_inet_pton(void **state)
{
	static const char alphabet[] = "0123456789abcdefABCDEF::::....%/ x";
	struct rng rng = test_rng();
	unsigned valid = 0;

	for (unsigned round = 0; round < 100000; round++) {
		char text[48];
		uint8_t bytes[16];
		struct ip_addr a = {0};
		unsigned len;
		int err;

		strcpy(text, rng_below(&rng, 2) ? "10.0.200.1" : "2001:db8::7:0");
		len = (unsigned)strlen(text);
		for (unsigned changes = rng_below(&rng, 4); changes > 0; changes--)
			text[rng_below(&rng, len)] =
			    alphabet[rng_below(&rng, sizeof(alphabet) - 1)];
		err = ip_parse(text, &a);
		if (inet_pton(AF_INET, text, bytes) == 1)
			assert_true(err == 0 && a.family == IP_V4 && !memcmp(a.bytes, bytes, 4));
		else if (inet_pton(AF_INET6, text, bytes) == 1)
			assert_true(err == 0 && a.family == IP_V6 && !memcmp(a.bytes, bytes, 16));
		else
			assert_int_equal(err, -EINVAL);
		valid += err == 0;
	}
	assert_in_range(valid, 25000, 99000); /* both outcomes were met */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(families_have_sizes),
	    cmocka_unit_test(v4_converts_both_ways),
	    cmocka_unit_test(unused_bytes_are_zero),
	    cmocka_unit_test(any_and_multicast_are_known),
	    cmocka_unit_test(order_is_family_then_bytes),
	    cmocka_unit_test(next_carries_and_wraps),
	    cmocka_unit_test(bad_text_is_refused),
	    cmocka_unit_test(text_is_canonical),
	    cmocka_unit_test(every_v4_octet_round_trips),
	    cmocka_unit_test(random_v6_round_trips),
	    cmocka_unit_test(random_text_agrees_with_inet_pton),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
