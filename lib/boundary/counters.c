/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger. A worker's counters are plain words that it alone writes; control reads them one by
 * one, so a sum is exact once the worker is quiet, and never torn.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boundary/counters.h"
#include "boundary/near.h"
#include "boundary/pages.h"

#define WORDS (offsetof(struct slot_counters, drop) / sizeof(uint64_t) + DROP_REASON_COUNT)

static size_t block_bytes(const struct counters *c)
{
	return (size_t)c->slots * sizeof(struct slot_counters);
}

int counters_init(struct counters *c, unsigned workers, uint32_t slots)
{
	*c = (struct counters){.slots = slots, .workers = workers};
	if (workers == 0 || workers > WORKERS_MAX || slots == 0 || slots > UINT16_MAX + 1)
		return -EINVAL;
	for (unsigned w = 0; w < workers; w++) {
		c->of_worker[w] = pages_alloc(block_bytes(c));
		if (!c->of_worker[w]) {
			counters_fini(c);
			return -ENOMEM;
		}
		near_pages(w, c->of_worker[w], block_bytes(c));
	}
	c->slot_used = xcalloc(slots, sizeof(*c->slot_used));
	c->slot_used[SLOT_CONTROL] = true;
	return 0;
}

void counters_fini(struct counters *c)
{
	for (unsigned w = 0; w < c->workers && w < WORKERS_MAX; w++)
		pages_free(c->of_worker[w], block_bytes(c));
	free(c->slot_used);
	*c = (struct counters){0};
}

uint16_t slot_alloc(struct counters *c)
{
	for (uint32_t s = SLOT_CONTROL + 1; s < c->slots; s++) {
		if (c->slot_used[s])
			continue;
		c->slot_used[s] = true;
		for (unsigned w = 0; w < c->workers; w++)
			memset(&c->of_worker[w][s], 0, sizeof(c->of_worker[w][s]));
		return (uint16_t)s;
	}
	return 0;
}

void slot_release(struct counters *c, uint16_t slot)
{
	if (slot != SLOT_CONTROL && slot < c->slots)
		c->slot_used[slot] = false;
}

void slot_read(const struct counters *c, uint16_t slot, struct slot_counters *sum)
{
	uint64_t *total = (uint64_t *)sum;

	memset(sum, 0, sizeof(*sum));
	for (unsigned w = 0; w < c->workers; w++) {
		const uint64_t *word = (const uint64_t *)&c->of_worker[w][slot];

		for (size_t i = 0; i < WORDS; i++)
			total[i] += __atomic_load_n(&word[i], __ATOMIC_RELAXED);
	}
}

int64_t slot_balance(const struct slot_counters *sum)
{
	uint64_t in = sum->received + sum->created;
	uint64_t out = sum->delivered + sum->decrypted + sum->punted + sum->absorbed;

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		out += sum->drop[r];
	return (int64_t)(in - out);
}
