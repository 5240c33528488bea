/* SPDX-License-Identifier: BSD-3-Clause */

#include "snapshot.h"

#include "base/mem.h"

static void add_records(struct snapshot *s, const struct records *r)
{
	for (uint32_t i = 0; i < r->capacity; i++)
		s->record[s->count++] = records_get(r, i);
}

void snapshot_take(const struct bench *t, struct snapshot *s)
{
	assert_true(epoch_flush(t->b->epoch));
	s->count = 0;
	add_records(s, &t->b->ifaces.rec);
	add_records(s, &t->b->nexthops.rec);
	add_records(s, &t->b->tunnels.rec);
}

unsigned snapshot_differences(const struct bench *t, const struct snapshot *before)
{
	struct snapshot *now = xcalloc(1, sizeof(*now));
	unsigned n = 0;

	snapshot_take(t, now);
	for (size_t i = 0; i < now->count; i++)
		n += now->record[i] != before->record[i];
	free(now);
	return n;
}
