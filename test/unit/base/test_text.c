/* SPDX-License-Identifier: BSD-3-Clause */

/* base/text.h: whatever the input and the capacity, the output is terminated, within bounds and clean. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"
#include "testing.h"

#define GUARD 0x7f

/* The longest text made of whole units that fits with "...", or everything when that fits: an oracle. */
static void expect_cut(const char *const *units, size_t count, size_t capacity, char *out)
{
	size_t room = capacity - 1, len = 0, kept = 0, total = 0;

	for (size_t i = 0; i < count; i++)
		total += strlen(units[i]);
	out[0] = '\0';
	if (total > room) {
		while (len + strlen(units[kept]) + 3 <= room)
			len += strlen(units[kept++]);
	} else {
		kept = count;
	}
	for (size_t i = 0; i < kept; i++)
		strcat(out, units[i]);
	if (total > room)
		strcat(out, room < 3 ? &"..."[3 - room] : "...");
}

static void check_capacities(bool hex, const uint8_t *in, size_t len)
{
	char store[64][5], expected[300], buf[300];
	const char *units[64];

	for (size_t i = 0; i < len; i++) {
		if (hex)
			snprintf(store[i], sizeof(store[i]), "%02x", in[i]);
		else if (in[i] < ' ' || in[i] > '~' || in[i] == '\\')
			snprintf(store[i], sizeof(store[i]), "\\x%02x", in[i]);
		else
			snprintf(store[i], sizeof(store[i]), "%c", in[i]);
		units[i] = store[i];
	}
	for (size_t capacity = 1; capacity <= 4 * len + 8; capacity++) {
		memset(buf, GUARD, sizeof(buf));
		expect_cut(units, len, capacity, expected);
		if (hex)
			assert_ptr_equal(text_hex(in, len, buf, capacity), buf);
		else
			assert_ptr_equal(text_sanitise(in, len, buf, capacity), buf);
		assert_string_equal(buf, expected);
		for (size_t i = capacity; i < sizeof(buf); i++)
			assert_int_equal(buf[i], GUARD);
	}
}

static void sanitise_and_hex_cut_at_every_capacity(void **state)
{
	struct rng rng = test_rng();
	uint8_t in[64];

	for (unsigned round = 0; round < 200; round++) {
		size_t len = rng_below(&rng, sizeof(in) + 1);

		rng_fill(&rng, in, len);
		for (size_t i = 0; i < len; i++) {
			if (rng_below(&rng, 2))
				in[i] = (uint8_t)('a' + rng_below(&rng, 26));
		}
		check_capacities(false, in, len);
		check_capacities(true, in, len);
	}
}

static void sanitise_known_strings(void **state)
{
	char buf[100];

	assert_string_equal(text_sanitise("peer.example", 12, buf, sizeof(buf)), "peer.example");
	assert_string_equal(text_sanitise("a b~", 4, buf, sizeof(buf)), "a b~");
	assert_string_equal(text_sanitise("\x1b[31m\x7f", 6, buf, sizeof(buf)), "\\x1b[31m\\x7f");
	assert_string_equal(text_sanitise("a\0b\n", 4, buf, sizeof(buf)), "a\\x00b\\x0a");
	assert_string_equal(text_sanitise("\\x41", 4, buf, sizeof(buf)), "\\x5cx41");
	assert_string_equal(text_sanitise("\xc3\xa9\xff", 3, buf, sizeof(buf)), "\\xc3\\xa9\\xff");
	assert_string_equal(text_sanitise("%s%n", 4, buf, sizeof(buf)), "%s%n");
	assert_string_equal(text_sanitise(NULL, 0, buf, sizeof(buf)), "");
}

/* No two inputs look the same: the backslash of an escape cannot come from the peer. */
static void sanitise_every_byte_is_told_apart(void **state)
{
	char seen[256][8];

	for (unsigned i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i;

		text_sanitise(&byte, 1, seen[i], sizeof(seen[i]));
		for (const char *c = seen[i]; *c; c++)
			assert_in_range(*c, 0x20, 0x7e);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
	}
}

static void capacity_zero_writes_nothing(void **state)
{
	char buf[1] = {GUARD};
	struct text t = text_of(buf, 0);

	text_sanitise("abc", 3, buf, 0);
	text_hex("abc", 3, buf, 0);
	text_add(&t, "");
	text_addf(&t, "%s", "");
	assert_false(t.cut);
	text_add(&t, "x");
	assert_true(t.cut);
	t.cut = false;
	text_addf(&t, "%d", 1);
	assert_true(t.cut);
	assert_int_equal(t.len, 0);
	assert_false(text_copy(buf, 0, ""));
	assert_int_equal(buf[0], GUARD);
}

static void builder_appends_and_cuts(void **state)
{
	static const char whole[] = "tunnel a: 17 of 0x2a up";

	for (size_t capacity = 1; capacity <= sizeof(whole) + 2; capacity++) {
		size_t fits = capacity - 1 < sizeof(whole) - 1 ? capacity - 1 : sizeof(whole) - 1;
		char buf[sizeof(whole) + 8];
		struct text t = text_of(buf, capacity);

		memset(buf + 1, GUARD, sizeof(buf) - 1);
		text_add(&t, "tunnel ");
		text_addf(&t, "%s: %d", "a", 17);
		text_add(&t, "");
		text_addf(&t, " of 0x%x", 42);
		text_add(&t, " up");
		assert_int_equal(t.len, fits);
		assert_int_equal(strlen(buf), fits);
		assert_memory_equal(buf, whole, fits);
		assert_int_equal(t.cut, fits < sizeof(whole) - 1);
		for (size_t i = capacity; i < sizeof(buf); i++)
			assert_int_equal(buf[i], GUARD);
	}
}

/* vsnprintf() fails at a wide character it cannot encode: what stood there before stays. */
static void builder_survives_a_failing_format(void **state)
{
	wchar_t invalid[] = {0x7fffffff, 0}; /* no character of any locale */
	char buf[16];
	struct text t = text_of(buf, sizeof(buf));

	text_add(&t, "ab");
	text_addf(&t, "12345%ls", invalid);
	assert_true(t.cut);
	assert_string_equal(buf, "ab");
	assert_int_equal(t.len, 2);
	text_add(&t, "c");
	assert_string_equal(buf, "abc");
}

static void unhex_reads_back_what_hex_writes(void **state)
{
	struct rng rng = test_rng();
	uint8_t in[40], out[40];
	char text[90];

	for (unsigned round = 0; round < 500; round++) {
		size_t len = rng_below(&rng, sizeof(in) + 1);

		rng_fill(&rng, in, len);
		strcpy(text, "0x");
		text_hex(in, len, text + 2, sizeof(text) - 2);
		assert_int_equal(text_unhex(text, out, sizeof(out)), len);
		assert_memory_equal(out, in, len);
		assert_int_equal(text_unhex(text + 2, out, len), len);
		assert_memory_equal(out, in, len);
		if (len > 0)
			assert_int_equal(text_unhex(text, out, len - 1), -ENOSPC);
	}
}

static void unhex_refuses_what_is_no_hex(void **state)
{
	static const char *const bad[] = {"0", "0x0", "xyz", "0g", "g0", " 00", "00 ", "0x00 ",
	    "-1", "0x0x00", "00:11", "0001020304050607x", "000102030405060708090"};
	uint8_t out[4] = {1, 2, 3, 4};

	for (unsigned i = 0; i < TEST_COUNT(bad); i++)
		assert_int_equal(text_unhex(bad[i], out, sizeof(out)), -EINVAL);
	assert_int_equal(text_unhex("0001020304", out, sizeof(out)), -ENOSPC);
	assert_memory_equal(out, ((uint8_t[]){1, 2, 3, 4}), 4); /* errors leave it alone */
	assert_int_equal(text_unhex("", out, sizeof(out)), 0);
	assert_int_equal(text_unhex("0x", out, sizeof(out)), 0);
	assert_int_equal(text_unhex("AbCdeF", out, sizeof(out)), 3);
	assert_memory_equal(out, ((uint8_t[]){0xab, 0xcd, 0xef}), 3);
}

static void copy_tells_when_it_cuts(void **state)
{
	char buf[5];

	assert_true(text_copy(buf, sizeof(buf), "abcd"));
	assert_string_equal(buf, "abcd");
	assert_false(text_copy(buf, sizeof(buf), "abcde"));
	assert_string_equal(buf, "abcd");
	assert_true(text_copy(buf, 1, ""));
	assert_string_equal(buf, "");
	assert_false(text_copy(buf, 1, "a"));
	assert_string_equal(buf, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sanitise_and_hex_cut_at_every_capacity),
	    cmocka_unit_test(sanitise_known_strings),
	    cmocka_unit_test(sanitise_every_byte_is_told_apart),
	    cmocka_unit_test(capacity_zero_writes_nothing),
	    cmocka_unit_test(builder_appends_and_cuts),
	    cmocka_unit_test(builder_survives_a_failing_format),
	    cmocka_unit_test(unhex_reads_back_what_hex_writes),
	    cmocka_unit_test(unhex_refuses_what_is_no_hex),
	    cmocka_unit_test(copy_tells_when_it_cuts),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
