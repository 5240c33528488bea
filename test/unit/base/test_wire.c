/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * base/wire.h: every access at every distance from the end. Buffers of the tests are allocated with
 * their exact size, so that the address sanitizer sees a step beyond.
 */

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "testing.h"

/* Reads an integer of `bytes` bytes with the function of that width. */
static uint64_t read_width(struct wire *w, unsigned bytes)
{
	switch (bytes) {
	case 1:
		return wire_u8(w);
	case 2:
		return wire_u16(w);
	case 3:
		return wire_u24(w);
	case 4:
		return wire_u32(w);
	default:
		return wire_u64(w);
	}
}

static void write_width(struct wirebuf *b, unsigned bytes, uint64_t v)
{
	switch (bytes) {
	case 1:
		wirebuf_u8(b, (uint8_t)v);
		break;
	case 2:
		wirebuf_u16(b, (uint16_t)v);
		break;
	case 3:
		wirebuf_u24(b, (uint32_t)v);
		break;
	case 4:
		wirebuf_u32(b, (uint32_t)v);
		break;
	default:
		wirebuf_u64(b, v);
		break;
	}
}

static const unsigned widths[] = {1, 2, 3, 4, 8};

/* The bytes 0xf0, 0xf1, ... in memory of exactly that size; NULL for none. */
static uint8_t *exact(size_t len)
{
	static const uint8_t pattern[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8};

	assert_true(len <= sizeof(pattern));
	return len ? memcpy(xmalloc(len), pattern, len) : NULL;
}

static void integers_are_big_endian(void **state)
{
	static const uint8_t bytes[] = {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
	    0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91};
	struct wire w = wire_of(bytes, sizeof(bytes));

	assert_true(wire_u8(&w) == 0x80);
	assert_true(wire_u16(&w) == 0x8182);
	assert_true(wire_u24(&w) == 0x838485);
	assert_true(wire_u32(&w) == 0x86878889);
	assert_true(wire_u64(&w) == 0x8a8b8c8d8e8f9091);
	assert_true(wire_done(&w));
}

static void a_read_succeeds_exactly_when_it_fits(void **state)
{
	for (size_t len = 0; len <= 9; len++) {
		uint8_t *bytes = exact(len);

		for (unsigned i = 0; i < TEST_COUNT(widths); i++) {
			struct wire w = wire_of(bytes, len);
			uint64_t expected = 0;

			for (unsigned j = 0; j < widths[i]; j++)
				expected = expected << 8 | (0xf0 + j);
			if (widths[i] <= len) {
				assert_true(read_width(&w, widths[i]) == expected);
				assert_true(wire_ok(&w));
				assert_int_equal(wire_left(&w), len - widths[i]);
				assert_int_equal(wire_done(&w), len == widths[i]);
			} else {
				assert_true(read_width(&w, widths[i]) == 0);
				assert_false(wire_ok(&w));
				assert_int_equal(wire_left(&w), 0);
				assert_false(wire_done(&w));
			}
		}
		free(bytes);
	}
}

static void a_failure_sticks(void **state)
{
	static const uint8_t bytes[16] = {1, 2, 3};
	struct wire w = wire_of(bytes, sizeof(bytes)), sub;
	uint8_t out[4] = {9, 9, 9, 9};

	wire_skip(&w, 17);
	assert_false(wire_ok(&w));
	assert_int_equal(wire_left(&w), 0);
	for (unsigned i = 0; i < TEST_COUNT(widths); i++)
		assert_true(read_width(&w, widths[i]) == 0);
	assert_null(wire_bytes(&w, 0));
	assert_null(wire_bytes(&w, 1));
	wire_copy(&w, out, 3);
	assert_memory_equal(out, ((uint8_t[]){0, 0, 0, 9}), 4);
	sub = wire_sub(&w, 0);
	assert_false(wire_ok(&sub));
	wire_skip(&w, 0);
	assert_false(wire_ok(&w));
	assert_false(wire_done(&w));
}

static void bytes_copy_and_skip_keep_the_end(void **state)
{
	static const size_t too_much[] = {1, 2, 1000, SIZE_MAX - 100, SIZE_MAX - 1, SIZE_MAX};

	for (size_t len = 0; len <= 5; len++) {
		uint8_t *bytes = exact(len), out[8] = {0};
		struct wire w = wire_of(bytes, len);

		assert_ptr_equal(wire_bytes(&w, len), bytes);
		assert_true(wire_done(&w));
		w = wire_of(bytes, len);
		wire_copy(&w, out, len);
		assert_true(wire_done(&w));
		assert_true(len == 0 || !memcmp(out, bytes, len));
		assert_int_equal(out[len], 0);
		w = wire_of(bytes, len);
		wire_skip(&w, len);
		assert_true(wire_done(&w));
		for (unsigned i = 0; i < TEST_COUNT(too_much); i++) {
			size_t ask = too_much[i] > 1000 ? too_much[i] : len + too_much[i];

			w = wire_of(bytes, len);
			assert_null(wire_bytes(&w, ask));
			assert_false(wire_ok(&w));
			w = wire_of(bytes, len);
			wire_skip(&w, ask);
			assert_false(wire_ok(&w));
		}
		free(bytes);
	}
}

static void copy_zero_fills_what_it_cannot_read(void **state)
{
	static const uint8_t bytes[2] = {1, 2};
	struct wire w = wire_of(bytes, sizeof(bytes));
	uint8_t out[5] = {9, 9, 9, 9, 9};

	wire_copy(&w, out, 3);
	assert_memory_equal(out, ((uint8_t[]){0, 0, 0, 9, 9}), 5);
	assert_false(wire_ok(&w));
	wire_copy(&w, NULL, 0);
}

static void a_sub_view_cannot_be_overrun(void **state)
{
	uint8_t *bytes = exact(8);
	struct wire w = wire_of(bytes, 8), sub;

	wire_skip(&w, 2);
	sub = wire_sub(&w, 3);
	assert_int_equal(wire_left(&w), 3);
	assert_int_equal(wire_left(&sub), 3);
	assert_true(wire_u16(&sub) == 0xf2f3);
	assert_true(wire_u16(&sub) == 0); /* one byte is left in the view, four in the buffer */
	assert_false(wire_ok(&sub));
	assert_true(wire_ok(&w)); /* the view's error is its own */
	assert_true(wire_u8(&w) == 0xf5);
	sub = wire_sub(&w, 3);
	assert_false(wire_ok(&sub));
	assert_false(wire_ok(&w)); /* but a view that does not fit is the parent's */
	assert_int_equal(wire_left(&sub), 0);
	free(bytes);
}

static void sub_views_nest_and_may_be_empty(void **state)
{
	uint8_t *bytes = exact(6);
	struct wire w = wire_of(bytes, 6);
	struct wire a = wire_sub(&w, 6), b = wire_sub(&a, 4), c = wire_sub(&b, 2),
		    d = wire_sub(&b, 2);
	struct wire none = wire_sub(&b, 0);

	assert_true(wire_done(&w) && wire_done(&b) && wire_done(&none));
	assert_int_equal(wire_left(&a), 2);
	assert_true(wire_u16(&d) == 0xf2f3);
	assert_true(wire_u16(&c) == 0xf0f1);
	assert_true(wire_u16(&a) == 0xf4f5);
	assert_true(wire_u8(&none) == 0);
	assert_false(wire_ok(&none));
	none = wire_of(NULL, 0);
	assert_true(wire_done(&none));
	a = wire_sub(&none, 0);
	assert_true(wire_done(&a) && wire_done(&none));
	free(bytes);
}

static void a_write_succeeds_exactly_when_it_fits(void **state)
{
	for (size_t room = 0; room <= 9; room++) {
		for (unsigned i = 0; i < TEST_COUNT(widths); i++) {
			uint8_t *bytes = exact(room);
			struct wirebuf b = wirebuf_of(bytes, room);
			bool fits = widths[i] <= room;

			write_width(&b, widths[i], 0x0102030405060708);
			assert_int_equal(wirebuf_ok(&b), fits);
			assert_int_equal(wirebuf_len(&b), fits ? widths[i] : 0);
			assert_int_equal(wirebuf_room(&b), fits ? room - widths[i] : 0);
			for (size_t j = 0; j < room; j++) {
				bool written = fits && j < widths[i];

				assert_int_equal(bytes[j], written ? 9 - widths[i] + j : 0xf0 + j);
			}
			free(bytes);
		}
	}
}

static void a_writer_s_failure_sticks(void **state)
{
	uint8_t bytes[8] = {0}, zero[8] = {0};
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));

	wirebuf_u8(&b, 0);
	assert_null(wirebuf_reserve(&b, 8));
	assert_false(wirebuf_ok(&b));
	assert_int_equal(wirebuf_len(&b), 1);
	assert_int_equal(wirebuf_room(&b), 0);
	for (unsigned i = 0; i < TEST_COUNT(widths); i++)
		write_width(&b, widths[i], UINT64_MAX);
	wirebuf_put(&b, "x", 1);
	wirebuf_u8_at(&b, 0, 1);
	assert_null(wirebuf_reserve(&b, 0));
	assert_memory_equal(bytes, zero, sizeof(zero));
	assert_int_equal(wirebuf_len(&b), 1);
	assert_false(wirebuf_ok(&b));
}

static void put_zero_and_reserve_keep_the_capacity(void **state)
{
	static const size_t too_much[] = {6, 7, SIZE_MAX - 8, SIZE_MAX};
	uint8_t *bytes = exact(8);
	struct wirebuf b = wirebuf_of(bytes, 8);

	wirebuf_put(&b, "abc", 3);
	wirebuf_put(&b, NULL, 0);
	assert_ptr_equal(wirebuf_reserve(&b, 1), bytes + 3);
	wirebuf_zero(&b, 4);
	wirebuf_zero(&b, 0);
	assert_true(wirebuf_ok(&b));
	assert_int_equal(wirebuf_room(&b), 0);
	assert_memory_equal(bytes, "abc\xf3\0\0\0\0", 8);
	for (unsigned i = 0; i < TEST_COUNT(too_much); i++) {
		b = wirebuf_of(bytes, 8);
		wirebuf_zero(&b, 3);
		assert_null(wirebuf_reserve(&b, too_much[i]));
		assert_false(wirebuf_ok(&b));
		b = wirebuf_of(bytes, 8);
		wirebuf_zero(&b, 3);
		wirebuf_put(&b, bytes, too_much[i]);
		wirebuf_zero(&b, too_much[i]);
		assert_false(wirebuf_ok(&b));
		assert_int_equal(wirebuf_len(&b), 3);
	}
	b = wirebuf_of(NULL, 0);
	wirebuf_put(&b, NULL, 0);
	wirebuf_zero(&b, 0);
	assert_true(wirebuf_ok(&b));
	free(bytes);
}

/* Fields that are overwritten must lie within what was written, not merely within the capacity. */
static void overwriting_stays_within_what_was_written(void **state)
{
	for (size_t len = 0; len <= 6; len++) {
		for (size_t offset = 0; offset <= 8; offset++) {
			for (unsigned bytes = 1; bytes <= 4; bytes *= 2) {
				uint8_t mem[16], expected[16];
				struct wirebuf b = wirebuf_of(mem, sizeof(mem));
				bool fits = offset + bytes <= len;

				memset(mem, 0x55, sizeof(mem));
				wirebuf_zero(&b, len);
				memcpy(expected, mem, sizeof(mem));
				if (fits)
					memcpy(expected + offset, "\x81\x82\x83\x84", bytes);
				if (bytes == 1)
					wirebuf_u8_at(&b, offset, 0x81);
				else if (bytes == 2)
					wirebuf_u16_at(&b, offset, 0x8182);
				else
					wirebuf_u32_at(&b, offset, 0x81828384);
				assert_int_equal(wirebuf_ok(&b), fits);
				assert_int_equal(wirebuf_len(&b), len);
				assert_memory_equal(mem, expected, sizeof(mem));
			}
		}
	}
}

static void overwriting_at_huge_offsets_fails(void **state)
{
	static const size_t offsets[] = {
	    SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 2, SIZE_MAX - 3, SIZE_MAX - 4};
	uint8_t mem[8];

	for (unsigned i = 0; i < TEST_COUNT(offsets); i++) {
		struct wirebuf b = wirebuf_of(mem, sizeof(mem));

		wirebuf_zero(&b, sizeof(mem));
		wirebuf_u32_at(&b, offsets[i], 1);
		assert_false(wirebuf_ok(&b));
		b = wirebuf_of(mem, sizeof(mem));
		wirebuf_zero(&b, sizeof(mem));
		wirebuf_u16_at(&b, offsets[i], 1);
		assert_false(wirebuf_ok(&b));
	}
}

/* One random field: its width, or 0 for raw bytes. */
struct field {
	unsigned width;
	uint64_t value;
	uint8_t raw[20];
	size_t len;
};

static size_t write_fields(struct wirebuf *b, struct rng *rng, struct field *fields, unsigned count)
{
	size_t total = 0;

	for (unsigned i = 0; i < count; i++) {
		struct field *f = &fields[i];

		f->width = rng_below(rng, 3) ? widths[rng_below(rng, TEST_COUNT(widths))] : 0;
		f->len = f->width ? f->width : rng_below(rng, sizeof(f->raw) + 1);
		f->value = f->width ? rng_u64(rng) >> (64 - 8 * f->width) : 0;
		rng_fill(rng, f->raw, f->len);
		if (f->width)
			write_width(b, f->width, f->value);
		else
			wirebuf_put(b, f->raw, f->len);
		total += f->len;
	}
	return total;
}

static void what_was_written_is_read_back(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 2000; round++) {
		uint8_t *mem = xmalloc(256);
		struct wirebuf b = wirebuf_of(mem, 1 + rng_below(&rng, 256));
		struct field fields[16];
		unsigned count = rng_below(&rng, 17);
		size_t capacity = wirebuf_room(&b);
		size_t total = write_fields(&b, &rng, fields, count);
		struct wire w = wire_of(mem, wirebuf_len(&b));

		assert_int_equal(wirebuf_ok(&b), total <= capacity);
		for (unsigned i = 0; i < count && wirebuf_ok(&b); i++) {
			uint8_t raw[20];

			if (fields[i].width) {
				assert_true(read_width(&w, fields[i].width) == fields[i].value);
			} else {
				wire_copy(&w, raw, fields[i].len);
				assert_memory_equal(raw, fields[i].raw, fields[i].len);
			}
		}
		assert_true(!wirebuf_ok(&b) || wire_done(&w));
		free(mem);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(integers_are_big_endian),
	    cmocka_unit_test(a_read_succeeds_exactly_when_it_fits),
	    cmocka_unit_test(a_failure_sticks),
	    cmocka_unit_test(bytes_copy_and_skip_keep_the_end),
	    cmocka_unit_test(copy_zero_fills_what_it_cannot_read),
	    cmocka_unit_test(a_sub_view_cannot_be_overrun),
	    cmocka_unit_test(sub_views_nest_and_may_be_empty),
	    cmocka_unit_test(a_write_succeeds_exactly_when_it_fits),
	    cmocka_unit_test(a_writer_s_failure_sticks),
	    cmocka_unit_test(put_zero_and_reserve_keep_the_capacity),
	    cmocka_unit_test(overwriting_stays_within_what_was_written),
	    cmocka_unit_test(overwriting_at_huge_offsets_fails),
	    cmocka_unit_test(what_was_written_is_read_back),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
