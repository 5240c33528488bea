/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resilient ECMP buckets (R8), as a pure function of the members.
 *
 * Each member has a weight for each bucket, a hash of both. First the buckets are dealt out to all members,
 * dead or alive: to the one of highest weight that has not had its share. That hangs on identities alone, so
 * a death does not change it. Then the buckets of dead members go to the living one of highest weight: the
 * death of a heir moves only what it inherited, and any order of deaths and returns ends in the same buckets.
 */

#include <string.h>

#include "boundary/flow.h"
#include "boundary/nexthop.h"

#define NOBODY 0xff

static uint64_t weight(const struct ecmp_member *m, uint64_t bucket)
{
	uint64_t h = flow_mix(
	    m->identity ^ UINT64_C(0x9e3779b97f4a7c15), bucket ^ UINT64_C(0xbf58476d1ce4e5b9));

	return flow_mix(
	    h ^ UINT64_C(0x94d049bb133111eb), m->identity + UINT64_C(0xd6e8feb86659fd93));
}

/* How many buckets each member owns: ECMP_BUCKETS / count, and one more for some, chosen by weight. */
static void shares(uint16_t share[], const struct ecmp_member *members, unsigned count)
{
	bool more[ECMP_MEMBERS_MAX] = {false};

	for (unsigned extra = ECMP_BUCKETS % count; extra; extra--) {
		unsigned best = NOBODY;

		for (unsigned m = 0; m < count; m++)
			if (!more[m] &&
			    (best == NOBODY ||
				weight(&members[m], ECMP_BUCKETS) >
				    weight(&members[best], ECMP_BUCKETS)))
				best = m;
		more[best] = true;
	}
	for (unsigned m = 0; m < count; m++)
		share[m] = ECMP_BUCKETS / count + more[m];
}

static uint8_t heir(unsigned bucket, const struct ecmp_member *members, unsigned count)
{
	uint64_t best = 0;
	uint8_t who = NOBODY;

	for (unsigned m = 0; m < count; m++) {
		uint64_t w = weight(&members[m], bucket);

		if (members[m].alive && (who == NOBODY || w > best)) {
			who = (uint8_t)m;
			best = w;
		}
	}
	return who;
}

void ecmp_fill(uint8_t bucket[ECMP_BUCKETS], const struct ecmp_member *members, unsigned count)
{
	uint16_t share[ECMP_MEMBERS_MAX];

	memset(bucket, NOBODY, ECMP_BUCKETS);
	if (count == 0 || count > ECMP_MEMBERS_MAX)
		return;
	shares(share, members, count);
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		uint64_t best = 0;
		unsigned owner = NOBODY;

		for (unsigned m = 0; m < count; m++) {
			uint64_t w = weight(&members[m], b);

			if (share[m] && (owner == NOBODY || w > best)) {
				owner = m;
				best = w;
			}
		}
		share[owner]--;
		bucket[b] = members[owner].alive ? (uint8_t)owner : heir(b, members, count);
	}
}
