/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which candidates of one prefix win: R6 (rank), A9 (one kind), A8 (at most so many equal paths). Pure.
 *
 *   usable before unusable; then rank; then preference; then kind; then the name of the attachment
 *
 * An unusable candidate still wins where nothing better is there: the packets are then dropped with the reason
 * of the tunnel or port, and never follow a shorter prefix out in clear.
 */

#include <stdlib.h>
#include <string.h>

#include "model/internal.h"

const char *lost_text(enum lost lost)
{
	static const char *const text[] = {
	    [LOST_NOT] = "used",
	    [LOST_RANK] = "a route of a preferred type exists",
	    [LOST_KIND] = "another kind of attachment is preferred; kinds are not mixed",
	    [LOST_UNUSABLE] = "its attachment is down",
	    [LOST_LIMIT] = "more equal paths than the limit",
	    [LOST_POLICY] = "refused by a routing policy",
	    [LOST_DUPLICATE] = "the same path is there already",
	};
	return text[lost];
}

const char *source_text(enum source source)
{
	static const char *const text[] = {
	    [SOURCE_STATIC] = "static",
	    [SOURCE_CONNECTED] = "connected",
	    [SOURCE_ATTACHED] = "attached",
	    [SOURCE_FLOW] = "flow-protection",
	    [SOURCE_LOCAL] = "local",
	};
	return text[source];
}

static bool is_usable(const struct candidate *c)
{
	return !c->origin || c->origin->usable;
}

static int kind_of(const struct candidate *c)
{
	return c->origin ? (int)c->origin->conf->kind : -1;
}

static int compare(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;

	if ((a->lost == LOST_POLICY) != (b->lost == LOST_POLICY))
		return a->lost == LOST_POLICY ? 1 : -1;
	if (is_usable(a) != is_usable(b))
		return is_usable(a) ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->preference != b->preference)
		return a->preference > b->preference ? -1 : 1;
	if (kind_of(a) != kind_of(b))
		return kind_of(a) < kind_of(b) ? -1 : 1;
	if (a->origin && b->origin && a->origin != b->origin)
		return strcmp(a->origin->name, b->origin->name);
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return ip_cmp(&a->next_hop, &b->next_hop);
}

static enum lost reason(const struct candidate *winner, const struct candidate *c)
{
	if (is_usable(winner) && !is_usable(c))
		return LOST_UNUSABLE;
	if (c->rank != winner->rank || c->preference != winner->preference)
		return LOST_RANK;
	if (kind_of(c) != kind_of(winner))
		return LOST_KIND;
	return LOST_NOT;
}

static unsigned path_count(const struct candidate *c)
{
	return c->origin && c->origin->tunnel_count ? c->origin->tunnel_count : 1;
}

static bool same_path(const struct candidate *a, const struct candidate *b)
{
	return a->origin == b->origin && a->blackhole == b->blackhole &&
	    ip_eq(&a->next_hop, &b->next_hop);
}

unsigned select_winners(struct candidate *c, unsigned count, unsigned ecmp_limit)
{
	unsigned winners = 0, paths = 0;

	qsort(c, count, sizeof(*c), compare);
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost == LOST_POLICY)
			continue;
		c[i].lost = i ? reason(&c[0], &c[i]) : LOST_NOT;
		if (c[i].lost != LOST_NOT)
			continue;
		if (winners && same_path(&c[winners - 1], &c[i]))
			c[i].lost = LOST_DUPLICATE;
		else if (winners && paths + path_count(&c[i]) > ecmp_limit)
			c[i].lost = LOST_LIMIT;
		if (c[i].lost != LOST_NOT)
			continue;
		paths += path_count(&c[i]);
		if (i != winners) { /* keep the winners in front */
			struct candidate t = c[winners];
			c[winners] = c[i];
			c[i] = t;
		}
		winners++;
		if (c[0].blackhole || !c[0].origin)
			ecmp_limit =
			    1; /* nothing is shared with a blackhole or an address of ours */
	}
	return winners;
}
