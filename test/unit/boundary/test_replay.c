/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The anti-replay window against a model that remembers every number it has seen (ES-05), and the inference of
 * extended sequence numbers (ES-04, RFC 4303 appendix A2).
 */

#include "testing.h"

#include <string.h>

#include "boundary/replay.h"

static const uint32_t sizes[] = {32, 64, 128, 256, 1024, 1984, 2048, 4096, 32768};

static struct replay_window window_of(uint32_t size, uint64_t top)
{
	struct replay_window w;
	uint64_t *word = calloc(replay_words(size), sizeof(*word));

	assert_non_null(word);
	replay_init(&w, word, size, size, top);
	return w;
}

/* Model: one byte for each of the numbers base .. base + MODEL_NUMBERS - 1. */

#define MODEL_NUMBERS 4000000

struct model {
	uint64_t base, top;
	uint32_t size;
	uint8_t *seen;
};

static enum replay_verdict model_accept(struct model *m, uint64_t s)
{
	if (s == 0 || (s <= m->top && m->top - s >= m->size))
		return REPLAY_OLD;
	assert_in_range(s - m->base, 0, MODEL_NUMBERS - 1);
	if (m->seen[s - m->base])
		return REPLAY_SEEN;
	m->seen[s - m->base] = 1;
	if (s > m->top)
		m->top = s;
	return REPLAY_FRESH;
}

static void both(struct replay_window *w, struct model *m, uint64_t s)
{
	enum replay_verdict checked = replay_check(w, s);
	enum replay_verdict got = replay_accept(w, s);
	enum replay_verdict expected = model_accept(m, s);

	if (got != expected || checked != got)
		fail_msg("window %u, top %llu, number %llu: checked %d, accepted %d, model %d",
		    w->size, (unsigned long long)m->top, (unsigned long long)s, checked, got,
		    expected);
	assert_int_equal(w->top, m->top);
}

/* After a jump to `top` every number of the window is accepted once, whatever the bit that the top stands at. */
static void every_place_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		uint32_t size = sizes[i];

		for (uint64_t at = 0; at < 130; at++) {
			uint64_t top = 3 * (uint64_t)size + 1000 + at;
			struct replay_window w = window_of(size, 0);

			assert_int_equal(replay_accept(&w, top), REPLAY_FRESH);
			for (uint32_t late = size - 1; late >= 1; late--) {
				if (replay_accept(&w, top - late) != REPLAY_FRESH ||
				    replay_accept(&w, top - late) != REPLAY_SEEN)
					fail_msg("window %u, top %llu, late %u", size,
					    (unsigned long long)top, late);
			}
			assert_int_equal(replay_accept(&w, top), REPLAY_SEEN);
			assert_int_equal(replay_accept(&w, top - size), REPLAY_OLD);
			assert_int_equal(replay_accept(&w, 1), REPLAY_OLD);
			assert_int_equal(replay_accept(&w, 0), REPLAY_OLD);
			assert_int_equal(w.top, top);
			free(w.word);
		}
	}
}

/* In order, each number once, then all of the last window again: none twice. */
static void in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		struct replay_window w = window_of(sizes[i], 0);
		uint64_t last = 4 * (uint64_t)sizes[i] + 77;

		for (uint64_t s = 1; s <= last; s++)
			assert_int_equal(replay_accept(&w, s), REPLAY_FRESH);
		for (uint64_t s = 1; s <= last; s++)
			assert_int_equal(
			    replay_accept(&w, s), last - s >= sizes[i] ? REPLAY_OLD : REPLAY_SEEN);
		free(w.word);
	}
}

/* Every jump of the top, from every bit position: what was seen in the part that stays is still seen. */
static void every_jump(void **state)
{
	static uint8_t seen[MODEL_NUMBERS];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint32_t size = sizes[i];

		for (uint64_t from = 500; from < 500 + 64; from++) {
			for (uint64_t jump = 1; jump < 2 * size + 140; jump += 1 + jump / 16) {
				struct replay_window w = window_of(size, 0);
				struct model m = {.size = size, .seen = seen};

				memset(seen, 0, 2000);
				for (uint64_t s = from - size / 2; s <= from; s += 3)
					both(&w, &m, s);
				both(&w, &m, from);
				both(&w, &m, from + jump);
				for (uint64_t s = from + jump + 5;
				     s > 0 && s + size + 5 > from + jump; s--)
					both(&w, &m, s);
				free(w.word);
			}
		}
	}
}

/* A million packets, late by up to twice the window, doubled, and with jumps now and then. */
static void random_order(void **state)
{
	struct rng rng = test_rng();
	uint8_t *seen = malloc(MODEL_NUMBERS);

	(void)state;
	assert_non_null(seen);
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		uint64_t base = i % 2 ? UINT64_C(0xffff0000) : 0; /* also across 2^32 */
		struct replay_window w = window_of(sizes[i], base);
		struct model m = {.base = base, .top = base, .size = sizes[i], .seen = seen};

		memset(seen, 0, MODEL_NUMBERS);
		memset(seen, 1, 1); /* `base` itself counts as seen */
		for (unsigned n = 0; n < 1000000; n++) {
			uint32_t what = rng_below(&rng, 100);
			uint64_t s = m.top + 1 + rng_below(&rng, 3);

			if (what < 45) {
				uint64_t late = rng_below(&rng, 2 * sizes[i]);

				s = late < m.top - base ? m.top - late : base + 1;
			} else if (what == 99 && n % 64 == 0 && m.top - base < MODEL_NUMBERS / 2) {
				s += rng_below(&rng, 3 * sizes[i]);
			}
			if (s - base >= MODEL_NUMBERS)
				break;
			both(&w, &m, s);
		}
		free(w.word);
	}
	free(seen);
}

/* A window that starts at a number refuses everything up to it. */
static void starts_at(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		for (uint64_t top = 1; top < 200; top++) {
			struct replay_window w = window_of(sizes[i], top);

			for (uint64_t s = 0; s <= top; s++)
				assert_int_not_equal(replay_accept(&w, s), REPLAY_FRESH);
			assert_int_equal(replay_accept(&w, top + 1), REPLAY_FRESH);
			free(w.word);
		}
	}
}

/* RFC 4303 A2.1: of all numbers with these lower bits the one whose place the window makes likely. */
static uint64_t nearest(uint64_t top, uint32_t size, uint32_t low)
{
	uint64_t high = top >> 32;

	for (uint64_t h = high ? high - 1 : 0;; h++) {
		uint64_t s = h << 32 | low;

		if (s + size > top) /* the first that is not left of the window */
			return s;
	}
}

static void infers_upper_half(void **state)
{
	static const uint64_t tops[] = {0, 1, 63, 64, 1000, 0x7fffffff, 0xfffffff0, 0xffffffff,
	    0x100000000, 0x100000001, 0x10000003f, 0x100000040, 0x1000003ff, 0x100000400,
	    0x100001000, 0x1ffffffff, 0x200000000, 0xabcdef0123456789};

	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		for (unsigned t = 0; t < TEST_COUNT(tops); t++) {
			struct replay_window w = window_of(sizes[i], tops[t]);

			for (int64_t d = -70000; d <= 70000; d += d > -70 && d < 70 ? 1 : 67) {
				uint32_t low = (uint32_t)(tops[t] + (uint64_t)d);

				assert_int_equal(
				    replay_infer(&w, low, true), nearest(tops[t], sizes[i], low));
				assert_int_equal(replay_infer(&w, low, false), low);
			}
			assert_int_equal(replay_infer(&w, 0, true), nearest(tops[t], sizes[i], 0));
			assert_int_equal(replay_infer(&w, UINT32_MAX, true),
			    nearest(tops[t], sizes[i], UINT32_MAX));
			free(w.word);
		}
	}
}

/* Numbers go through 2^32 in order and late, known by their lower halves alone. */
static void wraps_with_esn(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		uint64_t first = UINT64_C(0x100000000) - sizes[i] - 100;
		struct replay_window w = window_of(sizes[i], first);

		for (uint64_t s = first + 2; s < first + 3 * (uint64_t)sizes[i] + 300; s += 2) {
			assert_int_equal(replay_infer(&w, (uint32_t)s, true), s);
			assert_int_equal(replay_accept(&w, s), REPLAY_FRESH);
			if (s - first > sizes[i]) { /* the one just inside the left edge */
				uint64_t late = s - sizes[i] + 1;

				assert_int_equal(replay_infer(&w, (uint32_t)late, true), late);
				assert_int_equal(replay_accept(&w, late),
				    late % 2 == s % 2 ? REPLAY_SEEN : REPLAY_FRESH);
			}
		}
		free(w.word);
	}
}

/* Where an engine infers by a larger window, ours agrees with it and still refuses what is older than its own. */
static void infers_by_larger_window(void **state)
{
	uint64_t word[64];
	struct replay_window w;
	uint64_t top = UINT64_C(0x300000000) + 5000;

	(void)state;
	assert_in_range(replay_words(64), 2, TEST_COUNT(word));
	replay_init(&w, word, 64, 1984, top);
	assert_int_equal(replay_infer(&w, (uint32_t)(top - 1983), true), top - 1983);
	assert_int_equal(replay_check(&w, top - 1983), REPLAY_OLD);
	assert_int_equal(
	    replay_infer(&w, (uint32_t)(top - 1984), true), top - 1984 + UINT64_C(0x100000000));
}

/* No window: every number but 0 is fresh, as often as it comes, and none is the newest. */
static void without_a_window(void **state)
{
	static const uint64_t numbers[] = {1, 1, 63, 64, 5000, 1, UINT32_MAX, 64, UINT32_MAX};
	uint64_t word[64] = {0};
	struct replay_window w;

	(void)state;
	assert_in_range(replay_words(0), 1, TEST_COUNT(word));
	replay_init(&w, word, 0, 0, 0);
	for (unsigned i = 0; i < TEST_COUNT(numbers); i++) {
		assert_int_equal(replay_check(&w, numbers[i]), REPLAY_FRESH);
		assert_int_equal(replay_accept(&w, numbers[i]), REPLAY_FRESH);
		assert_false(replay_is_newest(&w, numbers[i] + 1));
	}
	assert_int_equal(replay_accept(&w, 0), REPLAY_OLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_place_once),
	    cmocka_unit_test(in_order),
	    cmocka_unit_test(every_jump),
	    cmocka_unit_test(random_order),
	    cmocka_unit_test(starts_at),
	    cmocka_unit_test(infers_upper_half),
	    cmocka_unit_test(wraps_with_esn),
	    cmocka_unit_test(infers_by_larger_window),
	    cmocka_unit_test(without_a_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
