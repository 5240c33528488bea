/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Cookies (V2-06, I10), NAT detection (V2-22), reassembly (V2-24, I11), ties (V2-17).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/cookie.h"
#include "ike/fragment.h"
#include "ike/natd.h"
#include "ike/sa.h"

static const struct mono start = {DUR_S(100)};
static const struct ike_span nonce = {"0123456789abcdef", 16};

static void test_cookie_binds(void **state)
{
	struct ike_cookie_jar jar = {0};
	struct ip_addr from = ip_v4(0xc0000201), other = ip_v4(0xc0000202);
	struct ike_span other_nonce = {"0123456789abcdeF", 16};
	uint8_t cookie[IKE_COOKIE_BYTES];
	struct ike_span c = {cookie, sizeof(cookie)};
	struct rng rng;

	rng_init_seeded(&rng, 1);
	ike_cookie_make(&jar, &rng, start, nonce, &from, 77, cookie);
	assert_true(ike_cookie_check(&jar, &rng, start, c, nonce, &from, 77));
	assert_false(ike_cookie_check(&jar, &rng, start, c, nonce, &other, 77));
	assert_false(ike_cookie_check(&jar, &rng, start, c, nonce, &from, 78));
	assert_false(ike_cookie_check(&jar, &rng, start, c, other_nonce, &from, 77));
	for (unsigned bit = 0; bit < 8 * sizeof(cookie); bit++) {
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(ike_cookie_check(&jar, &rng, start, c, nonce, &from, 77));
		cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_cookie_lengths(void **state)
{
	struct ike_cookie_jar jar = {0};
	struct ip_addr from = ip_v4(0xc0000201);
	uint8_t cookie[70] = {0};
	struct rng rng;

	rng_init_seeded(&rng, 1);
	ike_cookie_make(&jar, &rng, start, nonce, &from, 77, cookie);
	for (size_t len = 0; len <= sizeof(cookie); len++)
		assert_int_equal(ike_cookie_check(&jar, &rng, start, (struct ike_span){cookie, len},
				     nonce, &from, 77),
		    len == IKE_COOKIE_BYTES);
}

/* One old secret is kept: a cookie lives between one and two periods. */
static void test_cookie_ages(void **state)
{
	struct ike_cookie_jar jar = {0};
	struct ip_addr from = ip_v4(0xc0000201);
	uint8_t cookie[IKE_COOKIE_BYTES], newer[IKE_COOKIE_BYTES];
	struct ike_span c = {cookie, sizeof(cookie)};
	struct rng rng;

	rng_init_seeded(&rng, 1);
	ike_cookie_make(&jar, &rng, start, nonce, &from, 77, cookie);
	assert_true(ike_cookie_check(&jar, &rng, mono_add(start, DUR_S(59)), c, nonce, &from, 77));
	ike_cookie_make(&jar, &rng, mono_add(start, DUR_S(60)), nonce, &from, 77, newer);
	assert_memory_not_equal(cookie, newer, sizeof(cookie));
	assert_true(ike_cookie_check(&jar, &rng, mono_add(start, DUR_S(119)), c, nonce, &from, 77));
	assert_false(
	    ike_cookie_check(&jar, &rng, mono_add(start, DUR_S(120)), c, nonce, &from, 77));

	/* After a pause of any length: the one before is too old even when it is the last one made. */
	memset(&jar, 0, sizeof(jar));
	ike_cookie_make(&jar, &rng, start, nonce, &from, 77, cookie);
	assert_false(
	    ike_cookie_check(&jar, &rng, mono_add(start, DUR_S(500)), c, nonce, &from, 77));
	/* A cookie is not valid in a jar that never made one. */
	memset(&jar, 0, sizeof(jar));
	assert_false(ike_cookie_check(&jar, &rng, start, c, nonce, &from, 77));
}

static struct ike_endpoint at(uint32_t addr, uint16_t port)
{
	return (struct ike_endpoint){ip_v4(addr), port};
}

static bool detect(const struct ike_endpoint *sender, const struct ike_endpoint *sent_to,
    bool force, const struct ike_endpoint *seen_from, const struct ike_endpoint *seen_at,
    struct ike_nat *nat)
{
	uint8_t mem[128];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_payloads p;
	struct rng rng;

	rng_init_seeded(&rng, 9);
	ike_natd_put(&c, 11, 22, sender, sent_to, force, &rng);
	assert_int_equal(ike_payloads_parse(wire_of(mem, wirebuf_len(&c.buf)), c.first, &p), 0);
	return ike_natd_check(&p, 11, 22, seen_at, seen_from, nat);
}

static void test_natd(void **state)
{
	struct ike_endpoint a = at(0x0a000001, 500), b = at(0xc0000201, 500);
	struct ike_endpoint mapped = at(0xc6336401, 500), shifted = at(0x0a000001, 1024);
	struct ike_nat nat = {0};

	assert_true(detect(&a, &b, false, &a, &b, &nat));
	assert_false(nat.here || nat.there);
	assert_true(detect(&a, &b, false, &mapped, &b, &nat)); /* the sender's address */
	assert_true(nat.there && !nat.here);
	assert_true(detect(&a, &b, false, &shifted, &b, &nat)); /* its port alone */
	assert_true(nat.there && !nat.here);
	assert_true(detect(&a, &mapped, false, &a, &b, &nat)); /* ours */
	assert_true(!nat.there && nat.here);
	assert_true(detect(&a, &mapped, false, &mapped, &b, &nat));
	assert_true(nat.there && nat.here);
	assert_true(detect(&a, &b, true, &a, &b, &nat)); /* pretended */
	assert_true(nat.there && !nat.here);
}

static void test_natd_absent(void **state)
{
	struct ike_endpoint a = at(0x0a000001, 500);
	struct ike_payloads none = {0};
	struct ike_nat nat = {.here = true, .there = true};

	assert_false(ike_natd_check(&none, 1, 2, &a, &a, &nat));
	assert_false(nat.here || nat.there);
}

/* RFC 7296 2.23: several source hashes, one of them right */
static void test_natd_several_sources(void **state)
{
	struct ike_endpoint a = at(0x0a000001, 500), b = at(0xc0000201, 500),
			    x = at(0x0a000002, 500);
	uint8_t mem[256];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_payloads p;
	struct ike_nat nat;

	ike_natd_put(&c, 11, 22, &x, &b, false, NULL);
	ike_natd_put(&c, 11, 22, &a, &b, false, NULL);
	assert_int_equal(ike_payloads_parse(wire_of(mem, wirebuf_len(&c.buf)), c.first, &p), 0);
	assert_true(ike_natd_check(&p, 11, 22, &b, &a, &nat));
	assert_false(nat.here || nat.there);
}

static int add(struct ike_reassembly *r, uint32_t id, uint16_t number, uint16_t total,
    const char *text, char *out)
{
	uint8_t bytes[256];
	size_t len = 0;
	int result = ike_reassembly_add(r, id, number, total, 40, (const uint8_t *)text,
	    strlen(text), bytes, sizeof(bytes), &len);

	memcpy(out, bytes, len);
	out[len] = '\0';
	return result;
}

static void test_reassembly_any_order(void **state)
{
	static const char *const parts[] = {"one ", "two ", "three"};
	static const uint16_t orders[6][3] = {
	    {1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};

	for (unsigned i = 0; i < 6; i++) {
		struct ike_reassembly r = {0};
		char out[257];

		for (unsigned k = 0; k < 3; k++) {
			uint16_t n = orders[i][k];

			assert_int_equal(add(&r, 5, n, 3, parts[n - 1], out), k == 2);
			if (k < 2) /* a repetition changes nothing, whatever it says */
				assert_int_equal(add(&r, 5, n, 3, "forged", out), 0);
		}
		assert_string_equal(out, "one two three");
		assert_int_equal(r.first_payload, 40);
		ike_reassembly_reset(&r);
	}
}

static void test_reassembly_refused(void **state)
{
	struct ike_reassembly r = {0};
	char out[257];

	assert_int_equal(add(&r, 5, 0, 3, "x", out), -EBADMSG);
	assert_int_equal(add(&r, 5, 4, 3, "x", out), -EBADMSG);
	assert_int_equal(add(&r, 5, 1, 0, "x", out), -EBADMSG);
	assert_int_equal(add(&r, 5, 1, IKE_FRAGMENTS_MAX + 1, "x", out), -EBADMSG);
	assert_int_equal(add(&r, 5, 1, 65535, "x", out), -EBADMSG);
	assert_false(r.active);
	/* all pieces together are bounded */
	memset(out, 'a', 200);
	out[200] = '\0';
	assert_int_equal(add(&r, 5, 1, 3, out, out), 0);
	memset(out, 'a', 200);
	out[200] = '\0';
	assert_int_equal(add(&r, 5, 2, 3, out, out), -EBADMSG);
	ike_reassembly_reset(&r);
}

static void test_reassembly_restart(void **state)
{
	struct ike_reassembly r = {0};
	char out[257];

	assert_int_equal(add(&r, 5, 1, 2, "old", out), 0);
	assert_int_equal(add(&r, 5, 1, 3, "a", out), 0);   /* more pieces: anew */
	assert_int_equal(add(&r, 5, 2, 2, "old", out), 0); /* fewer: ignored */
	assert_int_equal(add(&r, 5, 2, 3, "b", out), 0);
	assert_int_equal(add(&r, 5, 3, 3, "c", out), 1);
	assert_string_equal(out, "abc");
	ike_reassembly_reset(&r);
	assert_int_equal(add(&r, 6, 1, 2, "x", out), 0);
	assert_int_equal(add(&r, 7, 2, 2, "y", out), 0); /* the next message */
	assert_int_equal(add(&r, 7, 1, 2, "x", out), 1);
	assert_string_equal(out, "xy");
	ike_reassembly_reset(&r);
}

/* Both sides see the same four nonces, in other roles: exactly one of the two loses, and both agree which. */
static void test_tie(void **state)
{
	struct rng rng;

	rng_init_seeded(&rng, 4);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t n[4][40];
		struct ike_span s[4];
		struct ike_tie mine, theirs, seen_mine, seen_theirs;

		for (unsigned k = 0; k < 4; k++) {
			s[k] = (struct ike_span){n[k], 16 + rng_below(&rng, 25)};
			rng_fill(&rng, n[k], sizeof(n[k]));
		}
		mine = ike_tie_of(s[0], s[1], true);
		theirs = ike_tie_of(s[2], s[3], false);
		seen_theirs = ike_tie_of(s[3], s[2], true);
		seen_mine = ike_tie_of(s[1], s[0], false);
		assert_int_equal(
		    ike_tie_loses(&mine, &theirs), ike_tie_loses(&seen_mine, &seen_theirs));
		assert_int_not_equal(ike_tie_loses(&mine, &theirs), ike_tie_loses(&theirs, &mine));
	}
}

/* RFC 7296 2.8.1: the SA made with the lowest of the four nonces is the one to go. */
static void test_tie_rule(void **state)
{
	static const struct ike_span n[4] = {{"b...............", 16}, {"d...............", 16},
	    {"c...............", 16}, {"a...............", 16}};
	struct ike_tie high = ike_tie_of(n[0], n[1], true), low = ike_tie_of(n[2], n[3], false);

	assert_true(ike_tie_loses(&low, &high));
	assert_false(ike_tie_loses(&high, &low));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cookie_binds),
	    cmocka_unit_test(test_cookie_lengths),
	    cmocka_unit_test(test_cookie_ages),
	    cmocka_unit_test(test_natd),
	    cmocka_unit_test(test_natd_absent),
	    cmocka_unit_test(test_natd_several_sources),
	    cmocka_unit_test(test_reassembly_any_order),
	    cmocka_unit_test(test_reassembly_refused),
	    cmocka_unit_test(test_reassembly_restart),
	    cmocka_unit_test(test_tie),
	    cmocka_unit_test(test_tie_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
