/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which candidates of one prefix win: R6 (rank), A9 (one kind), A8 (at most so many equal paths).
 * Pure.
 *
 * Candidates of one rank, preference and kind make a class. The best class of which anything is
 * usable wins, and with it all of its candidates, also those that are down: they keep their share
 * of the buckets of the ECMP group, so that nobody else's flows move when they go and return (R8).
 * Where nothing is usable at all the best class wins all the same: packets are then dropped with
 * the reason of the tunnel or port, and never follow a shorter prefix elsewhere.
 *
 * What is configured and what is learned are classes of their own, in that order. Among learned
 * routes BGP decides (RFC 4271 9.1.2.2), with multipath over paths of equal length.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

const char *lost_text(enum lost lost)
{
	static const char *const text[] = {
	    [LOST_NOT] = "used",
	    [LOST_RANK] = "a route of a preferred type exists",
	    [LOST_PREFERENCE] = "a routing policy prefers another one",
	    [LOST_KIND] = "another kind of attachment is preferred; kinds are not mixed",
	    [LOST_UNUSABLE] = "its attachment is down",
	    [LOST_LIMIT] = "more equal paths than the limit",
	    [LOST_DUPLICATE] = "the same path is there already",
	    [LOST_UNRESOLVED] = "no route of its attachment names a next hop for it",
	    [LOST_POLICY] = "refused by a routing policy",
	    [LOST_CONFIGURED] = "a configured route is preferred to a learned one",
	    [LOST_BGP] = "BGP prefers another path",
	    [LOST_STANDBY] = "the active tunnel of its connection has the route too",
	};
	return text[lost];
}

const char *candidate_why_lost(const struct candidate *c)
{
	return c->lost == LOST_BGP ? bgp_step_text(c->step) : lost_text(c->lost);
}

const char *source_text(enum source source)
{
	static const char *const text[] = {
	    [SOURCE_STATIC] = "static",
	    [SOURCE_CONNECTED] = "connected",
	    [SOURCE_ATTACHED] = "attached",
	    [SOURCE_FLOW] = "flow-protection",
	    [SOURCE_LOCAL] = "local",
	    [SOURCE_HEALTH] = "health-check",
	    [SOURCE_BGP] = "bgp",
	};
	return text[source];
}

bool attach_is_one_hop(const struct attach *a, unsigned ecmp_limit)
{
	const struct conf_connection *c = a->conf->connection;

	return a->tunnel_count <= 1 || a->tunnel_count > ecmp_limit ||
	    (c && c->ha == CONF_HA_ACTIVE_STANDBY);
}

static bool is_out(const struct candidate *c)
{
	return c->lost == LOST_POLICY || c->lost == LOST_UNRESOLVED;
}

static bool is_usable(const struct candidate *c)
{
	return !c->origin || c->origin->usable;
}

static int kind_of(const struct candidate *c)
{
	return c->origin ? (int)c->origin->conf->kind : -1;
}

static int is_learned(const struct candidate *c)
{
	return c->source == SOURCE_BGP;
}

static int compare_class(const struct candidate *a, const struct candidate *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->preference != b->preference)
		return a->preference > b->preference ? -1 : 1;
	if (kind_of(a) != kind_of(b))
		return kind_of(a) - kind_of(b);
	return is_learned(a) - is_learned(b);
}

/* A total order, in which the same paths are neighbours. */
static int compare(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;
	int order = is_out(a) - is_out(b);

	if (order == 0)
		order = compare_class(a, b);
	if (order == 0 && a->origin != b->origin)
		order = !a->origin ? -1 : !b->origin ? 1 : strcmp(a->origin->name, b->origin->name);
	if (order == 0)
		order = ip_cmp(&a->next_hop, &b->next_hop);
	if (order == 0 && a->tunnel && b->tunnel)
		order = (int)a->tunnel->pub.conf->number - (int)b->tunnel->pub.conf->number;
	return order ? order : (int)a->source - (int)b->source;
}

static bool same_path(const struct candidate *a, const struct candidate *b)
{
	return a->origin == b->origin && a->blackhole == b->blackhole && a->tunnel == b->tunnel &&
	    ip_eq(&a->next_hop, &b->next_hop);
}

/* Of the best class with anything usable in it; NULL when there is no candidate at all. */
static const struct candidate *best_of(const struct candidate *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!is_out(&c[i]) && is_usable(&c[i]))
			return &c[i];
	}
	return count && !is_out(&c[0]) ? &c[0] : NULL;
}

static enum lost reason(const struct candidate *best, const struct candidate *c)
{
	if (is_usable(best) && !is_usable(c) && compare_class(c, best) < 0)
		return LOST_UNUSABLE;
	if (c->rank != best->rank)
		return LOST_RANK;
	if (c->preference != best->preference)
		return LOST_PREFERENCE;
	if (kind_of(c) != kind_of(best))
		return LOST_KIND;
	return is_learned(c) != is_learned(best) ? LOST_CONFIGURED : LOST_NOT;
}

static unsigned path_count(const struct candidate *c, unsigned limit)
{
	return c->origin && !is_learned(c) && !attach_is_one_hop(c->origin, limit)
	    ? c->origin->tunnel_count
	    : 1;
}

/*
 * Within the winning class; what is usable comes before what is not when there is not room for all.
 */
static unsigned apply_limit(struct candidate *c, unsigned count, unsigned limit)
{
	unsigned winners = 0, paths = 0;

	for (unsigned usable = 2; usable-- > 0;) {
		for (unsigned i = 0; i < count; i++) {
			if (c[i].lost != LOST_NOT || is_usable(&c[i]) != usable)
				continue;
			if (paths + path_count(&c[i], limit) > limit) {
				c[i].lost = LOST_LIMIT;
				continue;
			}
			paths += path_count(&c[i], limit);
			winners++;
		}
	}
	return winners;
}

/* ---- learned routes ---- */

/* Of an active-standby connection the first tunnel that has the route carries it. */
static void leave_active(struct candidate *c, unsigned count, unsigned limit)
{
	const struct attach *last = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost != LOST_NOT || !c[i].tunnel || !attach_is_one_hop(c[i].origin, limit))
			continue;
		if (c[i].origin == last)
			c[i].lost = LOST_STANDBY;
		last = c[i].origin;
	}
}

static struct candidate *of_peer(struct candidate *c, unsigned count, uint32_t peer)
{
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost == LOST_NOT && c[i].peer == peer)
			return &c[i];
	}
	return NULL;
}

/* Each peer has one path; those of the class, `n` of them, are ordered by the decision process. */
static void decide(struct candidate *c, unsigned count, unsigned n, unsigned limit)
{
	const struct bgp_decide_options options = {.relax_as_path = true, .max_paths = limit};
	struct bgp_path few[16], *path = n <= 16 ? few : xmalloc(n * sizeof(*path));

	n = 0;
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost != LOST_NOT)
			continue;
		path[n] = *c[i].learned;
		path[n++].attrs = c[i].attrs;
	}
	bgp_decide(path, n, &options);
	for (unsigned i = 0; i < n; i++) {
		struct candidate *of = of_peer(c, count, path[i].peer);

		of->step = path[i].lost;
		if (of->step > BGP_STEP_MULTIPATH)
			of->lost = LOST_BGP;
	}
	if (path != few)
		free(path);
}

static void select_learned(struct candidate *c, unsigned count, unsigned limit)
{
	struct candidate *only = NULL;
	unsigned n = 0;

	leave_active(c, count, limit);
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost != LOST_NOT)
			continue;
		only = &c[i];
		n++;
	}
	if (n == 1)
		only->step = BGP_STEP_BEST;
	else if (n > 1)
		decide(c, count, n, limit);
}

unsigned select_winners(struct candidate *c, unsigned count, unsigned ecmp_limit)
{
	if (count > 1)
		qsort(c, count, sizeof(*c), compare);
	const struct candidate *best = best_of(c, count);

	for (unsigned i = 0; i < count && !is_out(&c[i]); i++) {
		c[i].lost = reason(best, &c[i]);
		if (c[i].lost == LOST_NOT && i && same_path(&c[i - 1], &c[i]))
			c[i].lost = LOST_DUPLICATE;
	}
	if (best && is_learned(best))
		select_learned(c, count, ecmp_limit);
	return best ? apply_limit(c, count, ecmp_limit) : 0;
}
