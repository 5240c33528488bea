/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Words between the old and the new top are cleared when the top moves, each before its first bit is set.
 * The word of the old top keeps its bits: they belong to the window still.
 */

#include "boundary/replay.h"

#include <string.h>

#define WORD_BITS 64

uint32_t replay_words(uint32_t size)
{
	uint32_t need = (size + WORD_BITS - 1) / WORD_BITS + 1;
	uint32_t words = 2;

	while (words < need)
		words *= 2;
	return words;
}

void replay_init(
    struct replay_window *w, uint64_t *word, uint32_t size, uint32_t infer_size, uint64_t top)
{
	uint32_t words = replay_words(size);

	*w = (struct replay_window){.top = top,
	    .size = (uint16_t)size,
	    .infer_size = infer_size,
	    .word_mask = (uint16_t)(words - 1),
	    .word = word};
	memset(word, 0, words * sizeof(word[0]));
	for (uint64_t s = top; s > 0 && top - s < size; s--)
		word[s >> 6 & w->word_mask] |= UINT64_C(1) << (s & 63);
}

void replay_advance(struct replay_window *w, uint64_t sequence)
{
	uint64_t from = w->top >> 6;
	uint64_t steps = (sequence >> 6) - from;

	if (steps > w->word_mask)
		steps = (uint64_t)w->word_mask + 1; /* all of them */
	for (uint64_t i = 1; i <= steps; i++)
		w->word[(from + i) & w->word_mask] = 0;
	w->top = sequence;
}
