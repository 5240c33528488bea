/* SPDX-License-Identifier: BSD-3-Clause */
/* BFD sessions: orders by index, and beside them what workers keep of each. */

#include "boundary/bfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boundary/pages.h"

int bfd_table_init(struct bfd_table *t, struct epoch *e, uint32_t capacity)
{
	*t = (struct bfd_table){.capacity = capacity};
	int rc = records_init(&t->rec, e, capacity);

	if (rc < 0)
		return rc;
	t->live = pages_alloc(capacity * sizeof(*t->live));
	if (!t->live)
		return -ENOMEM;
	t->next = xcalloc(capacity, sizeof(*t->next));
	return 0;
}

void bfd_table_fini(struct bfd_table *t)
{
	if (t->live)
		pages_free(t->live, t->capacity * sizeof(*t->live));
	free(t->next);
	records_fini(&t->rec, record_free);
	*t = (struct bfd_table){0};
}

uint32_t bfd_alloc(struct bfd_table *t)
{
	uint32_t index = records_alloc(&t->rec);

	if (index >= atomic_load(&t->end))
		atomic_store(&t->end, index + 1);
	return index;
}

void bfd_publish(struct bfd_table *t, const struct bfd_orders *orders)
{
	struct bfd_orders *rec = record_new(sizeof(*rec));

	*rec = *orders;
	records_publish(&t->rec, orders->index, rec, record_free);
	atomic_store_explicit(&t->next[orders->index], 0, memory_order_release);
}

void bfd_release(struct bfd_table *t, uint32_t index)
{
	records_release(&t->rec, index, record_free);
}
