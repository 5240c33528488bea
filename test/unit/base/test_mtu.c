/* SPDX-License-Identifier: BSD-3-Clause */

/* Requirement M4: the table of inner MTUs, and that the two directions of the arithmetic agree. */

#include <stdbool.h>

#include "base/ip.h"
#include "base/mtu.h"
#include "testing.h"

static void inner_mtu_for_outer_1500(void **state)
{
	static const struct {
		enum alg_encr encr;
		enum alg_auth auth;
		uint32_t plain, natt;
	} rows[] = {
	    {ENCR_AES128GCM16, AUTH_NONE, 1446, 1438},
	    {ENCR_AES256GCM16, AUTH_NONE, 1446, 1438},
	    {ENCR_AES128, AUTH_SHA1, 1438, 1422},
	    {ENCR_AES128, AUTH_SHA256, 1438, 1422},
	    {ENCR_AES192, AUTH_SHA256, 1438, 1422},
	    {ENCR_AES256, AUTH_SHA1, 1438, 1422},
	    {ENCR_AES256, AUTH_SHA256, 1438, 1422},
	    {ENCR_AES256, AUTH_SHA384, 1422, 1422},
	    {ENCR_AES256, AUTH_SHA512, 1422, 1406},
	    /* by hand: 20 + [8] + 8 + 8 + 12 fixed, padded part in units of 8 */
	    {ENCR_3DES, AUTH_SHA1, 1446, 1438},
	    {ENCR_DES, AUTH_MD5, 1446, 1438},
	    /* 20 + [8] + 8 + 0 + 16 fixed, units of 4 */
	    {ENCR_NULL, AUTH_SHA256, 1454, 1446},
	    {ENCR_CHACHA20POLY1305, AUTH_NONE, 1446, 1438},
	};

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		enum alg_encr encr = rows[i].encr;
		enum alg_auth auth = rows[i].auth;

		assert_int_equal(mtu_inner(encr, auth, false, IP_V4, 1500), rows[i].plain);
		assert_int_equal(mtu_inner(encr, auth, true, IP_V4, 1500), rows[i].natt);
		/* an outer IPv6 header is 20 bytes longer */
		assert_int_equal(mtu_inner(encr, auth, false, IP_V6, 1520), rows[i].plain);
		assert_int_equal(mtu_inner(encr, auth, true, IP_V6, 1520), rows[i].natt);
	}
}

static void outer_bytes_of_known_packets(void **state)
{
	/* 20 IP, 8 ESP, 8 IV, 84 inner + 2 trailer + 2 pad, 16 ICV */
	assert_int_equal(mtu_outer_bytes(ENCR_AES128GCM16, AUTH_NONE, false, IP_V4, 84), 140);
	assert_int_equal(mtu_outer_bytes(ENCR_AES128GCM16, AUTH_NONE, true, IP_V4, 84), 148);
	assert_int_equal(mtu_outer_bytes(ENCR_AES128GCM16, AUTH_NONE, false, IP_V6, 84), 160);
	/* 86 is padded to 96 */
	assert_int_equal(mtu_outer_bytes(ENCR_AES256, AUTH_SHA256, false, IP_V4, 84), 156);
	/* 1438 + 2 is a multiple of 16 as it stands */
	assert_int_equal(mtu_outer_bytes(ENCR_AES256, AUTH_SHA256, false, IP_V4, 1438), 1500);
	assert_int_equal(mtu_outer_bytes(ENCR_AES256, AUTH_SHA256, false, IP_V4, 1439), 1516);
}

static void an_aead_ignores_the_integrity_algorithm(void **state)
{
	for (enum alg_auth a = AUTH_NONE; a < AUTH_COUNT; a++)
		assert_int_equal(mtu_inner(ENCR_AES256GCM16, a, false, IP_V4, 1500), 1446);
}

/* For one suite: the largest inner packet fits, one byte more does not; nothing fits when it says 0. */
static void check_suite(enum alg_encr encr, enum alg_auth auth, bool natt, uint8_t family)
{
	for (uint32_t outer = 0; outer <= 9216; outer++) {
		uint32_t inner = mtu_inner(encr, auth, natt, family, outer);

		if (inner > 0)
			assert_true(mtu_outer_bytes(encr, auth, natt, family, inner) <= outer);
		assert_true(outer < mtu_outer_bytes(encr, auth, natt, family, inner + 1));
	}
	assert_true(mtu_outer_bytes(encr, auth, natt, family,
			mtu_inner(encr, auth, natt, family, 65535)) <= 65535);
}

static void inner_mtu_is_the_largest_that_fits(void **state)
{
	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		for (enum alg_auth a = AUTH_NONE; a < AUTH_COUNT; a++) {
			check_suite(e, a, false, IP_V4);
			check_suite(e, a, true, IP_V4);
			check_suite(e, a, false, IP_V6);
			check_suite(e, a, true, IP_V6);
		}
	}
}

static void outer_bytes_grow_in_steps_of_the_alignment(void **state)
{
	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		uint32_t block = alg_encr(e)->block_bytes;
		uint32_t align = block > 4 ? block : 4;
		uint32_t last = mtu_outer_bytes(e, AUTH_SHA256, false, IP_V4, 0);
		uint32_t steps = 0;

		for (uint32_t inner = 1; inner <= 4096; inner++) {
			uint32_t now = mtu_outer_bytes(e, AUTH_SHA256, false, IP_V4, inner);

			assert_true(now == last || now == last + align);
			steps += now != last;
			last = now;
		}
		assert_int_equal(steps, 4096 / align);
	}
}

static void mss_is_the_mtu_less_both_headers(void **state)
{
	assert_int_equal(mtu_tcp_mss(1446, IP_V4), 1406);
	assert_int_equal(mtu_tcp_mss(1446, IP_V6), 1386);
	assert_int_equal(mtu_tcp_mss(41, IP_V4), 1);
	assert_int_equal(mtu_tcp_mss(40, IP_V4), 0);
	assert_int_equal(mtu_tcp_mss(39, IP_V4), 0);
	assert_int_equal(mtu_tcp_mss(0, IP_V6), 0);
	assert_int_equal(mtu_tcp_mss(60, IP_V6), 0);
	assert_int_equal(mtu_tcp_mss(61, IP_V6), 1);
	assert_int_equal(mtu_tcp_mss(65535 + 40, IP_V4), 65535);
	assert_int_equal(mtu_tcp_mss(65536 + 40, IP_V4), 65535);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inner_mtu_for_outer_1500),
	    cmocka_unit_test(outer_bytes_of_known_packets),
	    cmocka_unit_test(an_aead_ignores_the_integrity_algorithm),
	    cmocka_unit_test(inner_mtu_is_the_largest_that_fits),
	    cmocka_unit_test(outer_bytes_grow_in_steps_of_the_alignment),
	    cmocka_unit_test(mss_is_the_mtu_less_both_headers),
	};

	return cmocka_run_group_tests_name("mtu", tests, NULL, NULL);
}
