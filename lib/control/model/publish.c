/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The outcome, carried to the FIBs, of which this file is the only writer.
 *
 * A change of the configuration resolves every table beside what is in force, and only then touches
 * the FIBs: what is new or different first, what has gone only when interfaces and tunnels have
 * moved to the table that they are to use from then on, so that no destination is without a route
 * in between. When one FIB is too small, those before it are put back. A change of state chooses
 * anew where it matters, route by route.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

static int by_prefix(const void *a, const void *b)
{
	const struct candidate *ca = a, *cb = b;

	return ip_prefix_cmp(&ca->prefix, &cb->prefix);
}

static bool all_refused(const struct candidate *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost != LOST_POLICY &&
		    !(c[i].source == SOURCE_BGP && c[i].lost == LOST_UNRESOLVED))
			return false;
	}
	return true;
}

static int choose(struct model *m, struct table *t, struct candidate *c, unsigned count,
    const struct path *before, struct path **path)
{
	select_winners(c, count, m->conf->transit_router.limits.ecmp);
	*path = NULL;
	if (all_refused(c, count))
		return 0;
	struct path *backup = backup_of(m, t, c, count);
	*path = path_follow(m, c, count, permission_of(m, t, c, count), backup, before);
	return *path ? 0 : -errno;
}

int route_choose(struct model *m, struct table *t, struct gathered *g, const struct path *before,
    struct path **path)
{
	return choose(m, t, g->candidate, g->count, before, path);
}

/*
 * The path of a configured route, chosen from its candidates and what was learned; *path NULL: policies leave it none.
 * Without learned routes the candidates keep the reasons why they lost. 0 or -errno.
 */
static int choose_configured(
    struct model *m, struct table *t, struct candidate *c, unsigned count, struct path **path)
{
	const struct bgp_change change = {.prefix = c->prefix};
	const struct route *now;
	struct gathered *g;
	int rc;

	if (!m->bgp || !t->conf)
		return choose(m, t, c, count, NULL, path);
	g = gather(m, t, c, count, &change);
	now = g->learned ? rib_find(&t->now, &change.prefix) : NULL;
	rc = g->learned ? route_choose(m, t, g, now ? now->path : NULL, path)
			: choose(m, t, c, count, NULL, path);
	gathered_done(m, g);
	return rc;
}

void rib_clear(struct rib *rib)
{
	for (uint32_t i = 0; i < rib->route_count; i++) {
		if (rib->route[i].path)
			rib->route[i].path->routes--;
	}
	free(rib->candidate);
	free(rib->route);
	*rib = (struct rib){0};
}

/* Routes from candidates. 0 or -errno; the routes made until then stay. */
static int resolve(struct model *m, struct table *t, struct rib *rib)
{
	uint32_t count = rib->candidate_count;

	rib->route = xcalloc(count + 1, sizeof(*rib->route));
	if (count)
		qsort(rib->candidate, count, sizeof(*rib->candidate), by_prefix);
	for (uint32_t i = 0, end; i < count; i = end) {
		struct candidate *c = &rib->candidate[i];
		struct route *r = &rib->route[rib->route_count];

		for (end = i + 1; end < count; end++) {
			if (!ip_prefix_eq(&c->prefix, &rib->candidate[end].prefix))
				break;
		}
		*r = (struct route){.prefix = c->prefix, .first = i, .count = end - i};
		int rc = choose_configured(m, t, c, r->count, &r->path);

		if (rc < 0)
			return rc;
		rib->route_count++;
	}
	return 0;
}

/* ---- differences ---- */

enum part { WHAT_IS_NEW, WHAT_HAS_GONE, WHAT_IS_UNDONE };

/* Both lists are in order: walks them side by side. 0 or -errno. */
static int carry_part(
    struct model *m, struct table *t, const struct rib *from, const struct rib *to, enum part part)
{
	uint32_t f = 0, n = 0;

	while (f < from->route_count || n < to->route_count) {
		const struct route *old = f < from->route_count ? &from->route[f] : NULL;
		const struct route *new = n < to->route_count ? &to->route[n] : NULL;
		int order = !old ? 1 : !new ? -1 : ip_prefix_cmp(&old->prefix, &new->prefix);
		uint32_t before = order <= 0 && old->path ? old->path->index : 0;
		uint32_t after = order >= 0 && new->path ? new->path->index : 0;
		int rc = 0;

		if (part == WHAT_IS_NEW && after && after != before)
			rc = fib_set(t->fib, &new->prefix, after);
		else if (part == WHAT_HAS_GONE && before && !after)
			fib_unset(t->fib, &old->prefix);
		else if (part == WHAT_IS_UNDONE && before && !after &&
		    !learned_restore(m, t, &old->prefix))
			fib_unset(t->fib, &old->prefix);
		if (rc < 0)
			return rc;
		f += order <= 0;
		n += order >= 0;
	}
	return 0;
}

/* What is new. The FIB of a full table may have room only when what has gone is out of it. */
static int carry_new(struct model *m, struct table *t, const struct rib *from, const struct rib *to)
{
	int rc = carry_part(m, t, from, to, WHAT_IS_NEW);

	if (rc != -ENOSPC)
		return rc;
	carry_part(m, t, from, to, WHAT_HAS_GONE);
	return carry_part(m, t, from, to, WHAT_IS_NEW);
}

static void put_back(struct model *m, const struct table *failed)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		if (!t->seen)
			continue;
		int rc = carry_new(m, t, &t->next, &t->now);

		carry_part(m, t, &t->next, &t->now, WHAT_IS_UNDONE);
		if (rc < 0)
			log_write(
			    LOG_ERROR, LOG, t->name, "routes not put back: %s", strerror(-rc));
		if (t == failed)
			return;
	}
}

static int carry_new_all(struct model *m)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		int rc = t->seen ? carry_new(m, t, &t->now, &t->next) : 0;

		if (rc == 0)
			continue;
		log_write(LOG_ERROR, LOG, t->name, "%u routes do not fit the table: %s",
		    t->next.route_count, strerror(-rc));
		put_back(m, t);
		return rc;
	}
	return 0;
}

static int resolve_all(struct model *m)
{
	struct table *t;
	int rc = candidates_collect(m);

	list_for (t, &m->tables, node) {
		if (rc == 0 && t->seen)
			rc = resolve(m, t, &t->next);
	}
	if (rc < 0)
		log_write(LOG_ERROR, LOG, NULL, "too many next hops: %s", strerror(-rc));
	return rc;
}

int routes_make(struct model *m)
{
	struct table *t;
	int rc = resolve_all(m);

	if (rc == 0)
		rc = carry_new_all(m);
	list_for (t, &m->tables, node) {
		if (rc < 0)
			rib_clear(&t->next);
	}
	return rc;
}

/* What has gone leaves the FIB, or a learned route takes its place; the table's view follows. */
static void commit(struct model *m, struct table *t, const struct rib *from)
{
	const struct rib *to = &t->now;
	uint32_t f = 0, n = 0;

	while (f < from->route_count || n < to->route_count) {
		const struct route *old = f < from->route_count ? &from->route[f] : NULL;
		const struct route *new = n < to->route_count ? &to->route[n] : NULL;
		int order = !old ? 1 : !new ? -1 : ip_prefix_cmp(&old->prefix, &new->prefix);

		if (order >= 0)
			learned_configured(m, t, new, order > 0);
		if (order < 0 ? !learned_take_over(m, t, &old->prefix) && old->path
			      : order == 0 && old->path && !new->path)
			fib_unset(t->fib, &old->prefix);
		f += order <= 0;
		n += order >= 0;
	}
}

void routes_commit(struct model *m)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		struct rib before = t->now;

		if (!t->seen)
			continue;
		t->now = t->next;
		t->next = (struct rib){0};
		commit(m, t, &before);
		rib_clear(&before);
	}
}

/* ---- changes of state ---- */

static bool has_changed(const struct rib *rib, const struct route *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct attach *a = rib->candidate[r->first + i].origin;

		if (a && a->changed)
			return true;
	}
	return false;
}

void route_reselect(struct model *m, struct table *t, struct route *r)
{
	struct path *path;
	int rc = choose_configured(m, t, &t->now.candidate[r->first], r->count, &path);

	if (rc == 0 && path)
		rc = fib_set(t->fib, &r->prefix, path->index);
	else if (rc == 0 && r->path)
		fib_unset(t->fib, &r->prefix);
	if (rc < 0) {
		char text[IP_PREFIX_TEXT_MAX];

		log_write(LOG_ERROR, LOG, t->name, "route to %s not updated: %s",
		    ip_prefix_text(&r->prefix, text), strerror(-rc));
		if (path)
			path->routes--;
		return;
	}
	if (r->path && --r->path->routes == 0)
		m->idle_paths = true;
	r->path = path;
	learned_configured(m, t, r, false);
}

/* Does anything else want its place? */
static bool has_rival(const struct model *m, const struct table *t, const struct route *r)
{
	const struct bgp_change change = {.prefix = r->prefix};

	return r->count > 1 ||
	    (m->bgp && t->conf && bgp_paths_changed(m->bgp, &change, NULL, 0) > 0);
}

void routes_reselect(struct model *m)
{
	struct attach *a;
	struct table *t;

	list_for (t, &m->tables, node) {
		for (uint32_t i = 0; i < t->now.route_count; i++) {
			struct route *r = &t->now.route[i];

			if (!has_changed(&t->now, r))
				continue;
			if (has_rival(m, t, r))
				route_reselect(m, t, r);
			else
				learned_configured(m, t, r, false); /* peers are told */
		}
	}
	list_for (a, &m->attachments, node)
		a->changed = false;
}
