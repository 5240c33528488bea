/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What carries the packets of a path when nothing of it is left: known beforehand, so that the loss of a tunnel or port
 * costs one record for each path that led there, and not one step for each of the routes behind it (prefix-independent
 * convergence).
 *
 *   candidates of a prefix -> winners -> path
 *                       `-> without the winners, and what falls with them -> winners -> backup of the path -> ...
 *
 * A path whose members can carry nothing publishes what the first path of its chain says that can: members and
 * permission. Routes are chosen anew behind that, prefix by prefix, with the same outcome. Paths are shared, so memory
 * goes with the different orders of preference, never with the routes; at most half of the next hops have a backup.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "model/internal.h"

#define CHAIN_MAX 2  /* backups of a path: two ways may go with one port */
#define FEW       16 /* candidates without memory of their own */

/* Does the loss of all that the winner uses take the other one away, too? */
static bool falls_with(const struct candidate *other, const struct candidate *winner)
{
	return other->origin == winner->origin &&
	    (!winner->tunnel || other->tunnel == winner->tunnel);
}

static bool is_left(const struct candidate *c, const struct candidate *all, unsigned count)
{
	if (c->lost == LOST_NOT || c->lost == LOST_POLICY || c->lost == LOST_UNRESOLVED)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (all[i].lost == LOST_NOT && falls_with(c, &all[i]))
			return false;
	}
	return true;
}

/* What does not hang on a tunnel or port is never lost. */
static bool can_be_lost(const struct candidate *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost == LOST_NOT && !c[i].origin)
			return false;
	}
	return true;
}

static struct path *backup_at(
    struct model *m, struct table *t, const struct candidate *c, unsigned count, unsigned depth);

static struct path *best_of_rest(
    struct model *m, struct table *t, struct candidate *rest, unsigned n, unsigned depth)
{
	select_winners(rest, n, m->conf->transit_router.limits.ecmp);
	return path_get(
	    m, rest, n, permission_of(m, t, rest, n), backup_at(m, t, rest, n, depth - 1));
}

static struct path *backup_at(
    struct model *m, struct table *t, const struct candidate *c, unsigned count, unsigned depth)
{
	struct candidate few[FEW], *rest = count <= FEW ? few : xmalloc(count * sizeof(*rest));
	struct path *path = NULL;
	unsigned n = 0;

	for (unsigned i = 0; depth && i < count; i++) {
		if (!is_left(&c[i], c, count))
			continue;
		rest[n] = c[i];
		rest[n++].lost = LOST_NOT;
	}
	if (n && can_be_lost(c, count))
		path = best_of_rest(m, t, rest, n, depth);
	if (rest != few)
		free(rest);
	if (!path || path->kind == NH_GROUP)
		return path;
	path_leave(m, path); /* to nowhere: as good as none */
	return NULL;
}

struct path *backup_of(struct model *m, struct table *t, const struct candidate *c, unsigned count)
{
	if (count < 2 || m->backed >= m->b->nexthops.rec.capacity / 2)
		return NULL;
	return backup_at(m, t, c, count, CHAIN_MAX);
}

struct path *backup_carrier(struct path *p)
{
	for (struct path *at = p; at; at = at->backup) {
		if (at->carries)
			return at;
	}
	return p;
}
