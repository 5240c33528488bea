/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops and permits. A record holds a reference to its permit until it is freed, after its
 * grace period, so what a worker reaches through a next hop lives as long as that.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "boundary/fib_table.h"
#include "boundary/nexthop.h"

static void nexthop_free(void *ptr)
{
	struct nexthop *nh = ptr;

	permit_unref((struct permit *)nh->permit);
	record_free(nh);
}

int nexthops_init(struct nexthops *t, struct epoch *e, uint32_t capacity)
{
	int rc;

	if (capacity > FIB_NEXTHOP_MAX + 1)
		return -EINVAL;
	rc = records_init(&t->rec, e, capacity);
	if (rc == 0) /* a lookup without a route leads to a record, too */
		records_publish(&t->rec, 0, record_new(sizeof(struct nexthop)), NULL);
	return rc;
}

void nexthops_fini(struct nexthops *t)
{
	records_fini(&t->rec, nexthop_free);
}

static int check(const struct nexthops *t, const struct nexthop_spec *spec, uint32_t index)
{
	if (index >= t->rec.capacity || (index && !nexthop_get(t, index)))
		return -EINVAL;
	if (spec->kind != NH_GROUP)
		return 0;
	if (spec->member_count == 0 || spec->member_count > ECMP_MEMBERS_MAX)
		return -EINVAL;
	for (unsigned m = 0; m < spec->member_count; m++) {
		uint32_t leaf = spec->members[m].leaf;
		const struct nexthop *nh = leaf < t->rec.capacity ? nexthop_get(t, leaf) : NULL;

		if (!leaf || !nh || nh->kind == NH_GROUP)
			return -EINVAL;
	}
	return 0;
}

/* 0: none, or one with a number that a bucket does not hold. */
static uint16_t tunnel_of(const struct nexthop *leaf)
{
	return leaf->kind == NH_TUNNEL && leaf->tunnel <= UINT16_MAX ? (uint16_t)leaf->tunnel : 0;
}

static void fill_buckets(
    const struct nexthops *t, struct nexthop *nh, const struct nexthop_spec *spec)
{
	uint8_t member[ECMP_BUCKETS];

	ecmp_fill(member, spec->members, spec->member_count);
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		if (member[b] >= spec->member_count)
			continue; /* 0: no leaf, no tunnel */
		nh->bucket[b] = (uint16_t)spec->members[member[b]].leaf;
		nh->bucket[ECMP_BUCKETS + b] = tunnel_of(nexthop_get(t, nh->bucket[b]));
	}
}

int nexthop_publish(struct nexthops *t, const struct nexthop_spec *spec, uint32_t *index)
{
	size_t buckets = spec->kind == NH_GROUP ? 2 * ECMP_BUCKETS : 0;
	struct nexthop *nh;
	int rc = check(t, spec, *index);

	if (rc)
		return rc;
	if (!*index)
		*index = records_alloc(&t->rec);
	if (!*index)
		return -ENOSPC;
	nh = record_new(sizeof(*nh) + buckets * sizeof(nh->bucket[0]));
	nh->index = *index;
	nh->kind = (uint8_t)spec->kind;
	nh->attachment = spec->attachment;
	nh->slot = spec->slot;
	nh->iface = spec->iface;
	nh->neigh = spec->neigh;
	nh->tunnel = spec->tunnel;
	nh->permit = spec->permit;
	if (spec->permit)
		spec->permit->refs++;
	if (buckets)
		fill_buckets(t, nh, spec);
	records_publish(&t->rec, *index, nh, nexthop_free);
	return 0;
}

void nexthop_remove(struct nexthops *t, uint32_t index)
{
	if (index && index < t->rec.capacity && nexthop_get(t, index))
		records_release_late(&t->rec, index, nexthop_free);
}

struct permit *permit_create(uint32_t attachments)
{
	struct permit *p;

	p = xcalloc(1, sizeof(*p) + ((size_t)attachments + 63) / 64 * sizeof(p->word[0]));
	p->refs = 1;
	p->bits = attachments;
	return p;
}

void permit_allow(struct permit *p, uint32_t attachment)
{
	if (attachment < p->bits)
		p->word[attachment >> 6] |= UINT64_C(1) << (attachment & 63);
}

void permit_unref(struct permit *p)
{
	if (p && --p->refs == 0)
		free(p);
}
