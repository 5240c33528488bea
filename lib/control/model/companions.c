/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Who shared a learned route that is lost by now. A path remembers the members that are away, see path.c; when the last
 * one is, the path goes, and so would its memory: members that return one after another would be dealt a new hand each
 * time, and flows would move between those that are back already (R8).
 *
 *   path without any member --> companions_keep() --> m->companions, newest first
 *   route where there was none --> companions_join(): the absent members of sets that one of its members was in
 *
 * Nothing of it hangs on a route, so that sets are few. The oldest is forgotten.
 */

#include <string.h>

#include "model/internal.h"

static bool set_has(const struct companions *set, uint64_t identity)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (set->identity[i] == identity)
			return true;
	}
	return false;
}

static bool is_set_of(const struct companions *set, const struct path *p)
{
	if (set->count != p->member_count)
		return false;
	for (unsigned i = 0; i < p->member_count; i++) {
		if (!set_has(set, p->member[i].identity))
			return false;
	}
	return true;
}

void companions_keep(struct model *m, const struct path *p)
{
	unsigned at = 0;

	if (p->kind != NH_GROUP || p->source != SOURCE_BGP || p->member_count < 2)
		return;
	while (at < m->companions_count && !is_set_of(&m->companions[at], p))
		at++;
	if (at == COMPANIONS_MAX)
		at--;
	else if (at == m->companions_count)
		m->companions_count++;
	memmove(&m->companions[1], &m->companions[0], at * sizeof(m->companions[0]));
	m->companions[0].count = p->member_count;
	for (unsigned i = 0; i < p->member_count; i++)
		m->companions[0].identity[i] = p->member[i].identity;
}

static bool knows_any(const struct companions *set, const struct path *p, unsigned present)
{
	for (unsigned i = 0; i < present; i++) {
		if (set_has(set, p->member[i].identity))
			return true;
	}
	return false;
}

void companions_join(const struct model *m, struct path *p)
{
	unsigned present = p->member_count;

	for (unsigned i = 0; i < m->companions_count; i++) {
		const struct companions *set = &m->companions[i];

		if (!knows_any(set, p, present))
			continue;
		for (unsigned k = 0; k < set->count; k++)
			path_add_absent(m, p, set->identity[k]);
	}
}
