/* SPDX-License-Identifier: BSD-3-Clause */
#include "flows.h"

#include <string.h>

static uint32_t members_of(const uint8_t owner[ECMP_BUCKETS])
{
	uint32_t set = 0;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++)
		set |= 1u << owner[b];
	return set;
}

static uint32_t places_of(const struct flows *f, uint32_t members)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < FLOWS_MEMBERS; i++)
		set |= members >> i & 1 ? 1u << f->place[i] : 0;
	return set;
}

/* A flow leaves a member that is still there only for one that was not. */
static bool moved_for_nothing(
    const struct flows *f, const uint8_t owner[ECMP_BUCKETS], uint32_t before, uint32_t now)
{
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		bool stayed = now >> f->owner[b] & 1, was_there = before >> owner[b] & 1;

		if (owner[b] != f->owner[b] && stayed && was_there)
			return true;
	}
	return false;
}

static uint64_t digest(const struct flows *f, const uint8_t owner[ECMP_BUCKETS])
{
	uint64_t h = 0xcbf29ce484222325;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++)
		h = (h ^ f->place[owner[b]]) * 0x100000001b3;
	return h;
}

/* Who has come back finds his flows: the same members, the same buckets. */
static bool is_as_ever(struct flows *f, const uint8_t owner[ECMP_BUCKETS])
{
	uint32_t places = places_of(f, f->settled);
	uint64_t now = digest(f, owner);
	bool again = f->seen[f->known][places].life == f->life,
	     same = f->seen[f->known][places].digest == now;

	f->returned += again && same;
	f->seen[f->known][places].life = f->life;
	f->seen[f->known][places].digest = now;
	return !again || same;
}

/* They know one another when one of them does; from others that stood in they know nothing. */
static void settle(struct flows *f, uint32_t now)
{
	uint32_t places = places_of(f, now);

	if (!(now & f->settled)) {
		f->life++;
		f->known = f->stood_in || !(places & f->known) ? 0 : f->known;
		f->revived += (f->known & ~places) != 0;
	}
	f->known |= places;
	f->settled = now;
	f->stood_in = false;
}

bool flows_check(struct flows *f, const uint8_t owner[ECMP_BUCKETS], bool settled)
{
	uint32_t now = members_of(owner), before = members_of(f->owner);
	bool fresh = !f->settled || (places_of(f, now) & ~f->known) || !(now & f->settled),
	     good = true;

	if (f->settled && !fresh)
		good = !moved_for_nothing(f, owner, before, now);
	f->moved += f->settled && memcmp(f->owner, owner, sizeof(f->owner)) != 0;
	memcpy(f->owner, owner, sizeof(f->owner));
	if (!settled) {
		f->stood_in |= f->settled && !(now & f->settled);
		return good;
	}
	settle(f, now);
	return good && is_as_ever(f, owner);
}

void flows_gone(struct flows *f)
{
	f->settled = 0;
	f->stood_in = false;
}
