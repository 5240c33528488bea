/* SPDX-License-Identifier: BSD-3-Clause */

/* AS paths: well-formed or not, counted, prepended, narrowed, and put together again (RFC 6793). */

#include "speaker.h"

#include <errno.h>

#include "bgp/as_path.h"

static uint8_t bytes[70000], more[70000], out[70000], want[70000];

static bool check(const char *hex, uint8_t as_bytes, unsigned allowed)
{
	return bgp_as_path_check(bytes, unhex(hex, bytes, sizeof(bytes)), as_bytes, allowed);
}

static void well_formed(void **state)
{
	assert_true(check("", 4, 0));
	assert_true(check("0201 00000001", 4, 0));
	assert_true(check("0201 00000001 0202 ffffffff 00005ba0", 4, 0));
	assert_true(check("0202 0001 0002", 2, 0));
	assert_true(check("0102 0001 0002", 2, BGP_PATH_SETS));
	assert_true(check("0302 0001 0002", 2, BGP_PATH_CONFED));
	assert_true(check("0402 0001 0002", 2, BGP_PATH_CONFED | BGP_PATH_SETS));
	assert_false(check("0402 0001 0002", 2, BGP_PATH_CONFED));
	assert_false(check("02", 4, 0));
	assert_false(check("0200", 4, 0));
	assert_false(check("0201 000000", 4, 0));
	assert_false(check("0202 00000001", 4, 0));
	assert_false(check("0201 00000001 02", 4, 0));
	assert_false(check("0001 00000001", 4, ~0u));
	assert_false(check("0501 00000001", 4, ~0u));
	assert_false(check("0202 00000001 00000000", 4, 0));
	assert_false(check("02ff 00000001", 4, 0));
}

/* Every cut of a good path but those between segments is bad. */
static void every_cut(void **state)
{
	size_t len = unhex("0203 00000001 00000002 00000003 0201 00000004", bytes, sizeof(bytes));

	for (size_t n = 0; n <= len; n++)
		assert_int_equal(bgp_as_path_check(bytes, n, 4, 0), n == 0 || n == 14 || n == len);
}

static void counting(void **state)
{
	size_t len = unhex("0203 00000001 00000002 00000002 0102 00000007 00000008 0301 00000009"
			   "0201 00000002",
	    bytes, sizeof(bytes));

	assert_int_equal(bgp_as_path_length(bytes, len, 4), 5);
	assert_int_equal(bgp_as_path_count(bytes, len, 2), 3);
	assert_int_equal(bgp_as_path_count(bytes, len, 8), 1);
	assert_int_equal(bgp_as_path_count(bytes, len, 3), 0);
	assert_int_equal(bgp_as_path_first(bytes, len), 1);
	assert_int_equal(bgp_as_path_last(bytes, len), 2);
	len = unhex("0102 00000007 00000008", bytes, sizeof(bytes));
	assert_int_equal(bgp_as_path_first(bytes, len), 0);
	assert_int_equal(bgp_as_path_last(bytes, len), 0);
	assert_int_equal(bgp_as_path_length(NULL, 0, 4), 0);
}

static void prepended(const char *path, uint32_t as, unsigned times, const char *result)
{
	size_t len = unhex(path, bytes, sizeof(bytes)), n = unhex(result, want, sizeof(want));

	assert_int_equal(bgp_as_path_prepend(bytes, len, as, times, out, sizeof(out)), n);
	assert_memory_equal(out, want, n);
	if (n > 0)
		assert_int_equal(bgp_as_path_prepend(bytes, len, as, times, out, n - 1), -ENOSPC);
}

static void prepending(void **state)
{
	char path[4096] = "02ff", result[4096] = "0202 00000009 00000009 02ff";

	prepended("", 9, 1, "0201 00000009");
	prepended("0201 00000001", 9, 1, "0202 00000009 00000001");
	prepended("0201 00000001", 9, 3, "0204 00000009 00000009 00000009 00000001");
	prepended("0101 00000001", 9, 1, "0201 00000009 0101 00000001");
	prepended("0201 00000001", 9, 0, "0201 00000001");
	for (int i = 0; i < 255; i++) { /* a full segment: another one in front */
		strcat(path, "00000001");
		strcat(result, "00000001");
	}
	prepended(path, 9, 2, result);
}

static void merged(const char *path, const char *path4, const char *result)
{
	size_t len = unhex(path, bytes, sizeof(bytes)), len4 = unhex(path4, more, sizeof(more));
	size_t n = unhex(result, want, sizeof(want));

	assert_int_equal(bgp_as_path_merge(bytes, len, more, len4, out, sizeof(out)), n);
	assert_memory_equal(out, want, n);
}

#define T "00005ba0"

static void merging(void **state)
{
	merged("0202 00000001" T, "0201 00030d40", "0202 00000001 00030d40");
	merged("0202" T T, "0202 00030d40 00030d41", "0202 00030d40 00030d41");
	merged("0201 00000001", "", "0201 00000001");
	merged("0201" T, "0202 00030d40 00030d41", "0201" T); /* longer: void */
	/* a sequence is cut, a set goes whole */
	merged("0203 00000001 00000002" T, "0201 00030d40", "0203 00000001 00000002 00030d40");
	merged("0102 00000001 00000002 0201" T, "0201 00030d40",
	    "0102 00000001 00000002 0201 00030d40");
	merged("0201 00000001 0102 00000005 00000006", "0102 00030d40 00030d41",
	    "0201 00000001 0102 00030d40 00030d41");
	/* of AS4_PATH they do not count */
	merged("0203 00000001" T T, "0301 00000007 0202 00030d40 00030d41",
	    "0203 00000001 00030d40 00030d41");
	merged("0202 00000001" T, "0301 00000007", "0202 00000001" T);
	/* confederation segments in front go along */
	merged("0301 00000007 0202 00000001" T, "0201 00030d40",
	    "0301 00000007 0202 00000001 00030d40");
}

/* What an OLD speaker would be told, and what a NEW one behind it makes of that, is the path. */
static void narrow_and_back(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 20000; round++) {
		struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
		unsigned segments = 1 + rng_below(&rng, 3);
		bool lossy, any = false;
		int len, narrow, wide;

		for (unsigned i = 0; i < segments; i++) {
			bool set = rng_below(&rng, 4) == 0;
			unsigned count = 1 + rng_below(&rng, 6);

			wirebuf_u8(&b, set ? BGP_AS_SET : BGP_AS_SEQUENCE);
			wirebuf_u8(&b, (uint8_t)count);
			for (unsigned k = 0; k < count; k++) {
				uint32_t as =
				    1 + rng_below(&rng, rng_below(&rng, 2) ? 100 : 200000);

				any |= as > 65535;
				wirebuf_u32(&b, as);
			}
		}
		len = (int)wirebuf_len(&b);
		narrow = bgp_as_path_narrow(bytes, (size_t)len, more, sizeof(more), &lossy);
		assert_int_equal(lossy, any);
		assert_true(bgp_as_path_check(more, (size_t)narrow, 2, BGP_PATH_SETS));
		assert_int_equal(bgp_as_path_length(more, (size_t)narrow, 2),
		    bgp_as_path_length(bytes, (size_t)len, 4));
		wide = bgp_as_path_widen(more, (size_t)narrow, want, sizeof(want));
		assert_int_equal(wide, len);
		/* AS4_PATH was the whole path: so is the result */
		wide = bgp_as_path_merge(want, (size_t)wide, bytes, (size_t)len, out, sizeof(out));
		assert_int_equal(wide, len);
		assert_memory_equal(out, bytes, (size_t)len);
	}
}

static void replacing(void **state)
{
	size_t len = unhex("0203 00000001 00000002 00000001", bytes, sizeof(bytes));

	bgp_as_path_replace(bytes, len, 1, 70000, out);
	unhex("0203 00011170 00000002 00011170", want, sizeof(want));
	assert_memory_equal(out, want, len);
	assert_false(bgp_as_path_is_private(bytes, len));
	len = unhex("0203 0000fc00 0000fffe fffffffe", bytes, sizeof(bytes));
	assert_true(bgp_as_path_is_private(bytes, len));
	len = unhex("0202 0000fc00 0000ffff", bytes, sizeof(bytes));
	assert_false(bgp_as_path_is_private(bytes, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(well_formed),
	    cmocka_unit_test(every_cut),
	    cmocka_unit_test(counting),
	    cmocka_unit_test(prepending),
	    cmocka_unit_test(merging),
	    cmocka_unit_test(narrow_and_back),
	    cmocka_unit_test(replacing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
