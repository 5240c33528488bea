/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_FLOWS_H
#define MODEL_FLOWS_H

/*
 * Whose flows move when members of a group come and go (R8). Of one destination it is told the members that own each bucket,
 * after each step; a member is a number below FLOWS_MEMBERS, its place one below FLOWS_PLACES. It knows nothing of how buckets are dealt out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "boundary/nexthop.h"

#define FLOWS_MEMBERS 9
#define FLOWS_PLACES  8

struct flows {
	uint8_t place[FLOWS_MEMBERS]; /* two of the same place are never there together */
	uint32_t settled;             /* members, as a set; 0: there was no route */
	uint32_t known;               /* places that have been taken beside one another */
	bool stood_in; /* nobody is left of the members: others carry that know nothing of them */
	uint8_t owner[ECMP_BUCKETS];
	unsigned life; /* there has been a member that stayed, all the time */
	struct {
		unsigned life;
		uint64_t digest;
	} seen[1 << FLOWS_PLACES][1 << FLOWS_PLACES]; /* what known and taken places led to */
	unsigned moved, returned, revived;            /* steps */
};

/* False: flows have moved that had no reason to. `settled`: no route waits to be chosen anew. */
bool flows_check(struct flows *f, const uint8_t owner[ECMP_BUCKETS], bool settled);
/* There is no route. */
void flows_gone(struct flows *f);

#endif
