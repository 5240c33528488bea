/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The steps of internal.h for all objects together, and in which order: what is referred to comes
 * first and goes last.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "model/internal.h"

struct left_slot {
	struct counters *counters;
	uint16_t slot;
};

static void slot_back(void *ptr)
{
	struct left_slot *left = ptr;

	slot_release(left->counters, left->slot);
	free(left);
}

void slot_leave(struct model *m, uint16_t slot)
{
	struct left_slot *left = xmalloc(sizeof(*left));

	*left = (struct left_slot){&m->b->counters, slot};
	epoch_retire(m->b->epoch, slot_back, left);
}

static int leaves_make(struct model *m)
{
	const struct nexthop_spec local = {.kind = NH_LOCAL}, blackhole = {.kind = NH_BLACKHOLE};
	int rc = m->local_leaf ? 0 : nexthop_publish(&m->b->nexthops, &local, &m->local_leaf);

	if (rc == 0 && !m->blackhole_leaf)
		rc = nexthop_publish(&m->b->nexthops, &blackhole, &m->blackhole_leaf);
	return rc;
}

int objects_make(struct model *m)
{
	struct attach *a;
	int rc = leaves_make(m);

	if (rc == 0)
		rc = tables_make(m);
	if (rc == 0)
		rc = attachments_make(m);
	if (rc == 0)
		rc = ifaces_make(m);
	if (rc == 0)
		rc = tunnels_make(m);
	learned_tables(m);
	list_for (a, &m->attachments, node) {
		if (rc == 0 && a->seen)
			attach_refresh_usable(a);
		a->changed = false; /* every route is chosen anew anyway */
	}
	return rc;
}

void objects_commit(struct model *m)
{
	bool moved = ifaces_commit(m);

	moved |= tunnels_commit(m);
	policers_commit(m);
	ways_commit(m);
	paths_refresh(m);
	if (moved)
		epoch_wait(m->b->epoch); /* a worker may be on its way to the table of before */
}

void objects_sweep(struct model *m)
{
	tables_sweep(m);
	paths_disown(m);
	paths_sweep(m);
	vias_sweep(m);
	ways_sweep(m);
	tunnels_sweep(m);
	ifaces_sweep(m);
	attachments_sweep(m);
}

void objects_free(struct model *m)
{
	struct tunnel_entry *t;
	struct iface_entry *i;
	struct table *table;
	struct attach *a;

	list_for (table, &m->tables, node)
		table->seen = false;
	list_for (t, &m->tunnels, node)
		t->seen = false;
	list_for (i, &m->ifaces, node)
		i->seen = false;
	list_for (a, &m->attachments, node)
		a->seen = false;
	tables_sweep(m);
	while (left_views_run(m))
		;
	objects_sweep(m);
	nexthop_remove(&m->b->nexthops, m->local_leaf);
	nexthop_remove(&m->b->nexthops, m->blackhole_leaf);
}
