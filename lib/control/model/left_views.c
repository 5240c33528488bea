/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Views of tables that have gone. A million routes in one go would hold the control lcore up, so that a view is emptied
 * in portions, as routes are learned. Nobody is told it any more, and no FIB has its routes; all that is left to do is
 * to let go of the paths.
 *
 *   learned_leave_table() --> m->left_views --> left_views_run(), portion by portion --> bgp_view_remove()
 */

#include <stdlib.h>

#include "base/mem.h"
#include "model/internal.h"

#define PORTION 64

struct left_view {
	struct list node;
	uint32_t view;
	uint64_t cursor; /* of bgp_walk() */
};

/* What is configured has its path from the table, not from the view. */
static void forget_configured(struct model *m, const struct table *t)
{
	for (uint32_t i = 0; i < t->now.route_count; i++)
		bgp_view_unset(m->bgp, t->fib->index, &t->now.route[i].prefix);
}

void learned_leave_table(struct model *m, const struct table *t)
{
	struct left_view *left;

	if (!m->bgp || !t->conf)
		return;
	forget_configured(m, t);
	left = xcalloc(1, sizeof(*left));
	left->view = t->fib->index;
	list_append(&m->left_views, &left->node);
}

bool left_view_is(const struct model *m, uint32_t view)
{
	const struct left_view *left;

	list_for (left, &m->left_views, node) {
		if (left->view == view)
			return true;
	}
	return false;
}

static void forget(struct model *m, const struct left_view *left, const struct bgp_change *change)
{
	uint32_t tag;

	if (!bgp_view_find_changed(m->bgp, left->view, change, &tag))
		return;
	path_leave(m, path_of_index(m, tag));
	bgp_view_unset(m->bgp, left->view, &change->prefix);
}

unsigned left_views_run(struct model *m)
{
	struct bgp_change change[PORTION];
	struct left_view *left;
	size_t n;

	if (list_is_empty(&m->left_views))
		return 0;
	left = list_entry(m->left_views.next, struct left_view, node);
	n = bgp_walk(m->bgp, &left->cursor, change, PORTION);
	for (size_t i = 0; i < n; i++)
		forget(m, left, &change[i]);
	if (n == PORTION)
		return PORTION;
	bgp_view_remove(m->bgp, left->view);
	list_remove(&left->node);
	free(left);
	return PORTION; /* there may be another one */
}
