/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Traffic selectors (V2-13, I16): narrowing against an oracle of points, round trips, malformed payloads.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "ike/ts.h"

/* A small world: 16 addresses, 3 protocols, 8 ports, so that every point can be tried. */
static struct ike_selector random_selector(struct rng *rng)
{
	uint32_t a = rng_below(rng, 16), b = a + rng_below(rng, 16 - a);
	uint16_t p = (uint16_t)rng_below(rng, 8);

	return (struct ike_selector){
	    .addr = {ip_v4(a), ip_v4(b)},
	    .protocol = (uint8_t)rng_below(rng, 3),
	    .port_first = p,
	    .port_last = (uint16_t)(p + rng_below(rng, 8u - p)),
	};
}

static bool selects(
    const struct ike_selector *list, unsigned count, uint32_t addr, uint8_t protocol, uint16_t port)
{
	for (unsigned i = 0; i < count; i++)
		if (ip_v4_host(&list[i].addr.first) <= addr &&
		    addr <= ip_v4_host(&list[i].addr.last) &&
		    (list[i].protocol == 0 || list[i].protocol == protocol) &&
		    list[i].port_first <= port && port <= list[i].port_last)
			return true;
	return false;
}

/* A packet is in the result exactly when it is in both lists. */
static void test_narrow_equals_oracle(void **state)
{
	struct rng rng;

	rng_init_seeded(&rng, 3);
	for (unsigned round = 0; round < 20000; round++) {
		struct ike_selector theirs[4], ours[4], out[IKE_TS_WIRE_MAX];
		unsigned n = 1 + rng_below(&rng, 4), m = 1 + rng_below(&rng, 4), count;

		for (unsigned i = 0; i < 4; i++) {
			theirs[i] = random_selector(&rng);
			ours[i] = random_selector(&rng);
		}
		count = ike_ts_narrow(theirs, n, ours, m, out);
		assert_true(count <= n * m);
		for (uint32_t a = 0; a < 16; a++)
			for (uint8_t p = 1; p < 4; p++)
				for (uint16_t port = 0; port < 8; port++)
					assert_int_equal(selects(out, count, a, p, port),
					    selects(theirs, n, a, p, port) &&
						selects(ours, m, a, p, port));
		for (unsigned i = 1; i < count; i++) /* nothing twice */
			assert_false(ike_ts_covers(out, i, &out[i], 1));
		assert_true(ike_ts_covers(theirs, n, out, count)); /* never wider */
		assert_true(ike_ts_covers(ours, m, out, count));
	}
}

static struct ike_selector of(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return ike_selector_of(&p);
}

static void test_narrow_to_default(void **state)
{
	struct ike_selector any = of("0.0.0.0/0"), net = of("10.1.0.0/16"), out[IKE_TS_WIRE_MAX];
	struct ike_selector v6 = of("::/0");

	assert_int_equal(ike_ts_narrow(&any, 1, &net, 1, out), 1);
	assert_true(ike_selector_eq(&out[0], &net));
	assert_int_equal(ike_ts_narrow(&net, 1, &any, 1, out), 1);
	assert_true(ike_selector_eq(&out[0], &net));
	assert_int_equal(ike_ts_narrow(&v6, 1, &any, 1, out), 0);
}

/* The packet that asked for the SA comes first in the offer, and stays first. */
static void test_narrow_keeps_order(void **state)
{
	struct ike_selector theirs[2] = {of("10.1.2.3/32"), of("10.0.0.0/8")};
	struct ike_selector ours = of("10.1.0.0/16"), out[IKE_TS_WIRE_MAX];

	assert_int_equal(ike_ts_narrow(theirs, 2, &ours, 1, out), 2);
	assert_true(ike_selector_eq(&out[0], &theirs[0]));
	assert_true(ike_selector_eq(&out[1], &ours));
}

/* 255 x 64 overlaps must not run over. */
static void test_narrow_is_bounded(void **state)
{
	struct ike_selector theirs[IKE_TS_WIRE_MAX], ours[64], out[IKE_TS_WIRE_MAX];

	for (unsigned i = 0; i < IKE_TS_WIRE_MAX; i++)
		theirs[i] =
		    (struct ike_selector){{ip_v4(i), ip_v4(1000 + i)}, 0, (uint16_t)i, 65535};
	for (unsigned i = 0; i < 64; i++)
		ours[i] = (struct ike_selector){
		    {ip_v4(500 - i), ip_v4(2000 - i)}, 0, 0, (uint16_t)(60000 + i)};
	assert_int_equal(ike_ts_narrow(theirs, IKE_TS_WIRE_MAX, ours, 64, out), IKE_TS_WIRE_MAX);
}

static void test_round_trip(void **state)
{
	struct ike_selector list[3] = {
	    of("192.0.2.0/24"), of("2001:db8::/32"), {{ip_v4(5), ip_v4(9)}, 17, 500, 4500}};
	struct ike_selector back[IKE_TS_WIRE_MAX];
	uint8_t mem[256];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_payloads p;
	unsigned count;

	ike_ts_put(&c, PAYLOAD_TSR, list, 3);
	assert_int_equal(ike_payloads_parse(wire_of(mem, wirebuf_len(&c.buf)), c.first, &p), 0);
	assert_int_equal(p.list[0].type, PAYLOAD_TSR);
	assert_int_equal(ike_ts_parse(&p.list[0], back, &count), 0);
	assert_int_equal(count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(ike_selector_eq(&list[i], &back[i]));
}

#define HEAD "\1\0\0\0"
#define V4   "\7\0\0\x10"

/* I16 */
static void test_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int result;
		unsigned usable;
	} cases[] = {
	    {HEAD V4 "\0\0\xff\xff"
		     "\1\0\0\0\2\0\0\0",
		20, 0, 1},
	    {"\0\0\0\0", 4, 0, 0}, {"", 0, -EBADMSG, 0}, {"\1\0\0", 3, -EBADMSG, 0},
	    {HEAD, 4, -EBADMSG, 0},
	    {"\2\0\0\0" V4 "\0\0\xff\xff"
	     "\1\0\0\0\2\0\0\0",
		20, -EBADMSG, 0}, /* count too high */
	    {"\0\0\0\0" V4 "\0\0\xff\xff"
	     "\1\0\0\0\2\0\0\0",
		20, -EBADMSG, 0}, /* too low */
	    {"\xff\0\0\0" V4 "\0\0\xff\xff"
	     "\1\0\0\0\2\0\0\0",
		20, -EBADMSG, 0},
	    {HEAD "\7\0\0\x0f"
		  "\0\0\xff\xff"
		  "\1\0\0\0\2\0\0\0",
		20, -EBADMSG, 0}, /* length */
	    {HEAD "\7\0\0\x11"
		  "\0\0\xff\xff"
		  "\1\0\0\0\2\0\0\0\0",
		21, -EBADMSG, 0},
	    {HEAD "\7\0\0\3"
		  "\0\0\xff\xff"
		  "\1\0\0\0\2\0\0\0",
		20, -EBADMSG, 0},
	    {HEAD "\7\0\0\x28"
		  "\0\0\xff\xff"
		  "0123456789abcdef0123456789abcdef",
		44, -EBADMSG, 0}, /* v6 size */
	    {HEAD "\10\0\0\x10"
		  "\0\0\xff\xff"
		  "\1\0\0\0\2\0\0\0",
		20, -EBADMSG, 0},
	    {HEAD V4 "\0\0\xff\xff"
		     "\3\0\0\0\2\0\0\0",
		20, 0, 0}, /* ends before it starts */
	    {HEAD V4 "\0\2\0\1"
		     "\1\0\0\0\2\0\0\0",
		20, 0, 0}, /* ports likewise */
	    {HEAD V4 "\xff\xff\0\0"
		     "\1\0\0\0\2\0\0\0",
		20, 0, 0}, /* opaque */
	    {HEAD "\x0a\0\0\x10"
		  "\0\0\xff\xff"
		  "\1\0\0\0\2\0\0\0",
		20, 0, 0}, /* TS_SECLABEL */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_payload p = {
		    .body = (const uint8_t *)cases[i].bytes, .len = (uint16_t)cases[i].len};
		struct ike_selector out[IKE_TS_WIRE_MAX];
		unsigned count;

		assert_int_equal(ike_ts_parse(&p, out, &count), cases[i].result);
		if (!cases[i].result)
			assert_int_equal(count, cases[i].usable);
	}
}

static void test_text(void **state)
{
	struct ike_selector list[2] = {
	    of("10.0.0.0/8"), {{ip_v4(0x0a000001), ip_v4(0x0a000005)}, 6, 80, 81}};
	char text[IKE_TS_TEXT];

	assert_string_equal(ike_ts_text(list, 2, text), "10.0.0.0/8,10.0.0.1-10.0.0.5[6]:80-81");
	assert_string_equal(ike_ts_text(NULL, 0, text), "none");
}

static void test_copy(void **state)
{
	struct ike_selector one = of("10.0.0.0/8"), *copy = ike_ts_copy(&one, 1);

	assert_true(ike_selector_eq(copy, &one));
	free(copy);
	assert_null(ike_ts_copy(&one, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_narrow_equals_oracle),
	    cmocka_unit_test(test_narrow_to_default),
	    cmocka_unit_test(test_narrow_keeps_order),
	    cmocka_unit_test(test_narrow_is_bounded),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
