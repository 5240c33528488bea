/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resilient ECMP buckets (R8), as a pure function of the members.
 *
 * Each member has a weight for each bucket, a hash of both. First the buckets are dealt out to all
 * members, dead or alive: to the one of highest weight that has not had its share. That hangs on
 * identities alone, so a death does not change it. Then the buckets of dead members go to the
 * living one of highest weight: the death of a heir moves only what it inherited, and any order of
 * deaths and returns ends in the same buckets.
 */

#include <string.h>

#include "boundary/mix.h"
#include "boundary/nexthop.h"

#define NOBODY 0xff

static uint64_t weight(const struct ecmp_member *m, uint64_t bucket)
{
	uint64_t h =
	    mix(m->identity ^ UINT64_C(0x9e3779b97f4a7c15), bucket ^ UINT64_C(0xbf58476d1ce4e5b9));

	return mix(h ^ UINT64_C(0x94d049bb133111eb), m->identity + UINT64_C(0xd6e8feb86659fd93));
}

/* The member of highest weight for the bucket among those whose bit is set; the first of equals. */
static unsigned heaviest(const struct ecmp_member *members, uint64_t among, unsigned bucket)
{
	unsigned best = 0;
	uint64_t best_weight = 0;

	for (bool found = false; among; among &= among - 1) {
		unsigned m = (unsigned)__builtin_ctzll(among);
		uint64_t w = weight(&members[m], bucket);

		if (!found || w > best_weight) {
			found = true;
			best = m;
			best_weight = w;
		}
	}
	return best;
}

static uint64_t living(const struct ecmp_member *members, unsigned count)
{
	uint64_t alive = 0;

	for (unsigned m = 0; m < count; m++)
		alive |= (uint64_t)members[m].alive << m;
	return alive;
}

/* How many buckets each member owns: ECMP_BUCKETS / count, and one more for some, chosen by
 * weight. */
static void shares(
    uint16_t share[], const struct ecmp_member *members, unsigned count, uint64_t all)
{
	for (unsigned m = 0; m < count; m++)
		share[m] = (uint16_t)(ECMP_BUCKETS / count);
	for (unsigned extra = ECMP_BUCKETS % count; extra; extra--) {
		unsigned m = heaviest(members, all, ECMP_BUCKETS);

		share[m]++;
		all &= ~(UINT64_C(1) << m);
	}
}

void ecmp_fill(uint8_t bucket[ECMP_BUCKETS], const struct ecmp_member *members, unsigned count)
{
	uint16_t share[ECMP_MEMBERS_MAX];
	uint64_t alive, hungry;

	memset(bucket, NOBODY, ECMP_BUCKETS);
	if (count == 0 || count > ECMP_MEMBERS_MAX)
		return;
	alive = living(members, count);
	if (!alive)
		return;
	hungry = UINT64_MAX >> (ECMP_MEMBERS_MAX - count);
	shares(share, members, count, hungry);
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		unsigned owner = heaviest(members, hungry, b);

		if (--share[owner] == 0)
			hungry &= ~(UINT64_C(1) << owner);
		bucket[b] = (uint8_t)(alive >> owner & 1 ? owner : heaviest(members, alive, b));
	}
}
