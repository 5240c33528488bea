/* SPDX-License-Identifier: BSD-3-Clause */

/* base/rng.h: replay, the reference sequence, absence of bias, and a kernel that answers in pieces. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/rng.h"
#include "testing.h"

ssize_t __real_getrandom(void *buf, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);

/* In turns an interrupted call and one that gives a byte less than was asked for, of value `next`. */
static struct {
	bool on;
	uint8_t next;
	unsigned calls;
} kernel;

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags)
{
	if (!kernel.on)
		return __real_getrandom(buf, len, flags);
	if (kernel.calls++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	if (len > 1)
		len--;
	memset(buf, kernel.next++, len);
	return (ssize_t)len;
}

static void a_seed_replays(void **state)
{
	struct rng a, b, c;
	uint8_t x[1000], y[1000], z[1000];

	rng_init_seeded(&a, 42);
	rng_init_seeded(&b, 42);
	rng_init_seeded(&c, 43);
	for (size_t len = 0; len < sizeof(x); len += 37) {
		rng_fill(&a, x, len);
		rng_fill(&b, y, len);
		rng_fill(&c, z, len);
		assert_memory_equal(x, y, len);
		assert_true(rng_u32(&a) == rng_u32(&b));
		assert_true(rng_u64(&a) == rng_u64(&b));
		if (len > 8)
			assert_memory_not_equal(x, z, len);
	}
}

/* The first outputs of xoshiro256** from the state 1, 2, 3, 4, computed by hand from its definition. */
static void the_generator_is_xoshiro256starstar(void **state)
{
	static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
	struct rng rng;

	rng_init_seeded(&rng, 0);
	memcpy(rng.state, (uint64_t[]){1, 2, 3, 4}, sizeof(rng.state));
	for (unsigned i = 0; i < TEST_COUNT(expected); i++)
		assert_true(rng_u64(&rng) == expected[i]);
}

/* Bytes come low first from whole steps; a rest of a step is not kept for the next call. */
static void fill_is_made_of_whole_steps(void **state)
{
	struct rng a, b;
	uint8_t bytes[20];

	rng_init_seeded(&a, 7);
	rng_init_seeded(&b, 7);
	rng_fill(&a, bytes, sizeof(bytes));
	for (unsigned i = 0; i < sizeof(bytes); i += 8) {
		uint64_t step = rng_u64(&b);

		for (unsigned j = i; j < i + 8 && j < sizeof(bytes); j++, step >>= 8)
			assert_int_equal(bytes[j], step & 0xff);
	}
	assert_true(rng_u64(&a) == rng_u64(&b));
}

/* splitmix64 of seed 0 begins with this well-known number. */
static void the_seed_is_spread_by_splitmix64(void **state)
{
	struct rng rng;

	rng_init_seeded(&rng, 0);
	assert_true(rng.state[0] == 0xe220a8397b1dcdaf);
}

static void fill_stays_within_its_length(void **state)
{
	struct rng seeded, kernel_rng;

	rng_init_seeded(&seeded, 1);
	rng_init_system(&kernel_rng);
	for (size_t len = 0; len <= 40; len++) {
		uint8_t b[48] = {0};

		rng_fill(&seeded, b + 4, len);
		rng_fill(&kernel_rng, b + 4, len);
		for (size_t i = 0; i < sizeof(b); i++) {
			if (i < 4 || i >= 4 + len)
				assert_int_equal(b[i], 0);
		}
	}
}

static void system_bytes_differ_each_time(void **state)
{
	struct rng rng;
	uint8_t a[32], b[32];

	rng_init_system(&rng);
	rng_fill(&rng, a, sizeof(a));
	rng_fill(&rng, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

static void system_fill_survives_short_and_interrupted_calls(void **state)
{
	uint8_t b[8] = {0};
	struct rng rng;

	rng_init_system(&rng);
	kernel.on = true;
	kernel.next = 1;
	kernel.calls = 0;
	rng_fill(&rng, b, 4); /* interrupted, 3 bytes, interrupted, 1 byte */
	rng_fill(&rng, b + 4, 0);
	kernel.on = false;
	assert_int_equal(kernel.calls, 4);
	assert_memory_equal(b, ((uint8_t[]){1, 1, 1, 2, 0, 0, 0, 0}), 8);
}

static void below_keeps_its_bound(void **state)
{
	static const uint32_t bounds[] = {1, 2, 3, 7, 10, 255, 256, 257, 65537, 0x7fffffff,
	    0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
	struct rng rng = test_rng();

	assert_int_equal(rng_below(&rng, 0), 0);
	for (unsigned i = 0; i < TEST_COUNT(bounds); i++) {
		for (unsigned n = 0; n < 1000; n++)
			assert_true(rng_below(&rng, bounds[i]) < bounds[i]);
	}
}

/* Draws 0, 1, 2, ... */
static void fill_counter(struct rng *rng, void *out, size_t len)
{
	uint32_t v = (uint32_t)rng->state[0]++;
	uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

	assert_int_equal(len, sizeof(b));
	memcpy(out, b, sizeof(b));
}

/*
 * With bound 3 * 2^30 every result comes from one or two draws of 2^32; those with two must lose one. So
 * a run over consecutive draws yields each result at most once, and rejects one draw in four.
 */
static void below_rejects_what_would_be_a_bias(void **state)
{
	const uint32_t bound = UINT32_C(3) << 30, draws = 4000;
	struct rng rng = {.fill = fill_counter};
	uint32_t results = 0, last = 0;

	while (rng.state[0] < draws) {
		uint32_t r = rng_below(&rng, bound);

		if (results++ > 0)
			assert_true(r > last);
		last = r;
	}
	assert_in_range(results, draws / 4 * 3 - 1, draws / 4 * 3 + 1);
}

/* Chi-squared over 12 cells, 120,000 draws: 99.99 % of fair generators stay below 37.4. */
static void below_is_uniform(void **state)
{
	struct rng rng = test_rng();
	unsigned cells[12] = {0};
	double chi = 0;

	for (unsigned i = 0; i < 120000; i++)
		cells[rng_below(&rng, 12)]++;
	for (unsigned i = 0; i < 12; i++) {
		double off = (double)cells[i] - 10000;

		chi += off * off / 10000;
	}
	assert_true(chi < 37.4);
	assert_true(chi > 0.5); /* nor suspiciously even */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_seed_replays),
	    cmocka_unit_test(the_generator_is_xoshiro256starstar),
	    cmocka_unit_test(fill_is_made_of_whole_steps),
	    cmocka_unit_test(the_seed_is_spread_by_splitmix64),
	    cmocka_unit_test(fill_stays_within_its_length),
	    cmocka_unit_test(system_bytes_differ_each_time),
	    cmocka_unit_test(system_fill_survives_short_and_interrupted_calls),
	    cmocka_unit_test(below_keeps_its_bound),
	    cmocka_unit_test(below_rejects_what_would_be_a_bias),
	    cmocka_unit_test(below_is_uniform),
	};

	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
