/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_REPLAY_H
#define BOUNDARY_REPLAY_H

/*
 * The exact anti-replay window of an inbound SA (RFC 4303 3.4.3, RFC 6479).
 *
 * Bit s & 63 of word (s >> 6) & word_mask stands for sequence number s. The ring has at least one word more
 * than the window needs, so that moving the top never clears a bit that is still inside the window: the window
 * is exactly `size` numbers wide at every alignment. One thread writes it. Of size 0 it never moves, and every number
 * but 0 is fresh.
 *
 * Use: number = replay_infer(); replay_check() before the packet is decrypted, to save the work;
 * replay_accept() after its ICV held. Only the latter changes anything.
 */

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_SIZE_MAX 32768

struct replay_window {
	uint64_t top; /* highest sequence number accepted, 0: none */
	uint64_t *word;
	uint32_t infer_size; /* window that decides the upper half of an ESN, >= size */
	uint16_t size;       /* packets */
	uint16_t word_mask;
};

enum replay_verdict { REPLAY_FRESH, REPLAY_SEEN, REPLAY_OLD };

/* Words that a window of `size` packets needs: a power of two. */
uint32_t replay_words(uint32_t size);
/*
 * `word` has replay_words(size) entries and stays the caller's. Everything up to `top` counts as seen.
 * size: at most REPLAY_SIZE_MAX. infer_size: at least `size`; it differs where another implementation infers the
 * same packet's number first.
 */
void replay_init(
    struct replay_window *w, uint64_t *word, uint32_t size, uint32_t infer_size, uint64_t top);

/* The full number that the 32 bits on the wire stand for (RFC 4303 A2.1). Without ESN: the bits. */
static inline uint64_t replay_infer(const struct replay_window *w, uint32_t low, bool esn)
{
	uint32_t top_low = (uint32_t)w->top;
	uint64_t high = w->top >> 32;
	uint32_t bottom = top_low - w->infer_size + 1; /* wraps below zero in case B */

	if (!esn)
		return low;
	if (top_low >= w->infer_size - 1) /* case A: the window lies within one subspace */
		high += low < bottom;
	else if (high > 0) /* case B: it began in the subspace before */
		high -= low >= bottom;
	return high << 32 | low;
}

/* The word that has the bit of that number. */
static inline uint64_t *replay_word(const struct replay_window *w, uint64_t sequence)
{
	return &w->word[sequence >> 6 & w->word_mask];
}

/* Is it the highest number so far? Never with a window of size 0, for which an old packet is as good as a new one. */
static inline bool replay_is_newest(const struct replay_window *w, uint64_t sequence)
{
	return sequence > w->top && w->size > 0;
}

/* Number 0 is never sent (RFC 4303 3.3.3): OLD. */
static inline enum replay_verdict replay_check(const struct replay_window *w, uint64_t sequence)
{
	if (sequence > w->top)
		return REPLAY_FRESH;
	if (sequence == 0 || w->top - sequence >= w->size)
		return REPLAY_OLD;
	return *replay_word(w, sequence) >> (sequence & 63) & 1 ? REPLAY_SEEN : REPLAY_FRESH;
}

/* Moves the top to a higher number. */
void replay_advance(struct replay_window *w, uint64_t sequence);

/* Marks it and moves the window. Same verdicts: of two copies in one burst the second is SEEN. */
static inline enum replay_verdict replay_accept(struct replay_window *w, uint64_t sequence)
{
	enum replay_verdict verdict = replay_check(w, sequence);

	if (verdict != REPLAY_FRESH || w->size == 0)
		return verdict;
	if (sequence > w->top) {
		if (sequence >> 6 == w->top >> 6)
			w->top = sequence;
		else
			replay_advance(w, sequence);
	}
	*replay_word(w, sequence) |= UINT64_C(1) << (sequence & 63);
	return REPLAY_FRESH;
}

#endif
