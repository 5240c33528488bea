/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/nexthop.h: leaves, groups of them, and the permits that they share. */

#include <errno.h>

#include "boundary/nexthop.h"
#include "testing.h"

static struct epoch *epoch;
static struct nexthops nexthops;

static int setup(void **state)
{
	epoch = epoch_create(1);
	return nexthops_init(&nexthops, epoch, 100);
}

static int teardown(void **state)
{
	nexthops_fini(&nexthops);
	epoch_free(epoch);
	return 0;
}

static uint32_t leaf(uint32_t tunnel)
{
	const struct nexthop_spec spec = {.kind = NH_TUNNEL, .tunnel = tunnel};
	uint32_t index = 0;

	assert_int_equal(nexthop_publish(&nexthops, &spec, &index), 0);
	return index;
}

static void no_route_is_a_record_too(void **state)
{
	assert_int_equal(nexthop_get(&nexthops, 0)->kind, NH_NONE);
	assert_int_equal(nexthop_get(&nexthops, 0)->index, 0);
	nexthop_remove(&nexthops, 0);
	epoch_reclaim(epoch);
	epoch_reclaim(epoch);
	assert_int_equal(nexthop_get(&nexthops, 0)->kind, NH_NONE);
}

static void a_leaf_says_what_was_asked(void **state)
{
	const struct nexthop_spec spec = {
	    .kind = NH_VIA, .attachment = 3, .slot = 4, .iface = 5, .neigh = 6, .tunnel = 7};
	const struct nexthop *nh;
	uint32_t index = 0;

	assert_int_equal(nexthop_publish(&nexthops, &spec, &index), 0);
	nh = nexthop_get(&nexthops, index);
	assert_int_equal(nh->index, index);
	assert_int_equal(nh->kind, NH_VIA);
	assert_int_equal(nh->attachment, 3);
	assert_int_equal(nh->slot, 4);
	assert_int_equal(nh->iface, 5);
	assert_int_equal(nh->neigh, 6);
	assert_int_equal(nh->tunnel, 7);
	assert_null(nh->permit);
	assert_int_equal((uintptr_t)nh % RTE_CACHE_LINE_SIZE, 0);
}

static struct nexthop_spec group_of(const uint32_t *leaf, unsigned count)
{
	struct nexthop_spec spec = {.kind = NH_GROUP, .member_count = count};

	for (unsigned m = 0; m < count; m++)
		spec.members[m] =
		    (struct ecmp_member){.leaf = leaf[m], .identity = 1000 + m, .alive = true};
	return spec;
}

static unsigned owned(uint32_t group, uint32_t of)
{
	const struct nexthop *nh = nexthop_get(&nexthops, group);
	unsigned n = 0;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++)
		n += nh->bucket[b] == of;
	return n;
}

/* Buckets that name that tunnel. */
static unsigned into(uint32_t group, uint32_t tunnel)
{
	const struct nexthop *nh = nexthop_get(&nexthops, group);
	unsigned n = 0;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++)
		n += nexthop_bucket_tunnel(nh, b) == tunnel;
	return n;
}

/* Only those of tunnels, and of numbers that a bucket holds. */
static void a_group_names_the_tunnels_of_its_leaves(void **state)
{
	const struct nexthop_spec via = {.kind = NH_VIA, .iface = 5, .tunnel = 7};
	uint32_t leaves[] = {leaf(9), leaf(UINT16_MAX), leaf(UINT16_MAX + 1), 0};
	struct nexthop_spec spec;
	uint32_t group = 0;

	assert_int_equal(nexthop_publish(&nexthops, &via, &leaves[3]), 0);
	spec = group_of(leaves, 4);
	assert_int_equal(nexthop_publish(&nexthops, &spec, &group), 0);
	assert_int_equal(into(group, 9), owned(group, leaves[0]));
	assert_int_equal(into(group, UINT16_MAX), owned(group, leaves[1]));
	assert_int_equal(into(group, 0), owned(group, leaves[2]) + owned(group, leaves[3]));
	for (unsigned m = 0; m < 4; m++)
		spec.members[m].alive = false;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &group), 0);
	assert_int_equal(into(group, 0), ECMP_BUCKETS);
}

static void a_group_names_its_leaves(void **state)
{
	const uint32_t leaves[] = {leaf(1), leaf(2), leaf(3)};
	struct nexthop_spec spec = group_of(leaves, 3);
	uint32_t group = 0, same;

	assert_int_equal(nexthop_publish(&nexthops, &spec, &group), 0);
	for (unsigned m = 0; m < 3; m++)
		assert_in_range(owned(group, leaves[m]), 85, 86);
	/* a death: other content under the same index */
	spec.members[1].alive = false;
	same = group;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &same), 0);
	assert_int_equal(same, group);
	assert_int_equal(owned(group, leaves[1]), 0);
	assert_int_equal(owned(group, leaves[0]) + owned(group, leaves[2]), ECMP_BUCKETS);
	/* all dead: no route */
	spec.members[0].alive = spec.members[2].alive = false;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &group), 0);
	assert_int_equal(owned(group, 0), ECMP_BUCKETS);
}

static void groups_that_are_refused(void **state)
{
	uint32_t leaves[ECMP_MEMBERS_MAX + 1] = {leaf(1), leaf(2)};
	struct nexthop_spec spec = group_of(leaves, 2);
	uint32_t group = 0, none = 0, unknown = 77, outside = 100;

	assert_int_equal(nexthop_publish(&nexthops, &spec, &group), 0);
	spec.members[1].leaf = group;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &none), -EINVAL);
	spec.members[1].leaf = 0;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &none), -EINVAL);
	spec.members[1].leaf = 50; /* not there */
	assert_int_equal(nexthop_publish(&nexthops, &spec, &none), -EINVAL);
	spec.members[1].leaf = 100;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &none), -EINVAL);
	spec.member_count = 0;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &none), -EINVAL);
	spec.member_count = ECMP_MEMBERS_MAX + 1;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &none), -EINVAL);
	assert_int_equal(none, 0);
	spec = (struct nexthop_spec){.kind = NH_BLACKHOLE};
	assert_int_equal(nexthop_publish(&nexthops, &spec, &unknown), -EINVAL);
	assert_int_equal(nexthop_publish(&nexthops, &spec, &outside), -EINVAL);
}

static void full(void **state)
{
	const struct nexthop_spec spec = {.kind = NH_BLACKHOLE};
	uint32_t index = 0;

	for (unsigned i = 1; i < 100; i++)
		leaf(i);
	assert_int_equal(nexthop_publish(&nexthops, &spec, &index), -ENOSPC);
	nexthop_remove(&nexthops, 40);
	epoch_flush(epoch);
	assert_int_equal(nexthop_publish(&nexthops, &spec, &index), 0);
	assert_int_equal(index, 40);
}

static void a_removed_one_serves_who_holds_it(void **state)
{
	uint32_t index = leaf(9);

	epoch_online(epoch, 0); /* a worker read `index` from a table */
	nexthop_remove(&nexthops, index);
	epoch_reclaim(epoch);
	assert_int_equal(nexthop_get(&nexthops, index)->tunnel, 9);
	epoch_quiescent(epoch, 0);
	epoch_reclaim(epoch);
	assert_null(nexthop_get(&nexthops, index));
	epoch_offline(epoch, 0);
}

static void permits(void **state)
{
	struct permit *p = permit_create(70);
	struct nexthop_spec spec = {.kind = NH_TUNNEL, .permit = p};
	uint32_t index = 0, other = 0;
	const struct nexthop *nh;

	permit_allow(p, 0);
	permit_allow(p, 63);
	permit_allow(p, 69);
	permit_allow(p, 70); /* beyond: no effect */
	assert_int_equal(nexthop_publish(&nexthops, &spec, &index), 0);
	assert_int_equal(nexthop_publish(&nexthops, &spec, &other), 0);
	assert_int_equal(p->refs, 3);
	permit_unref(p);
	nh = nexthop_get(&nexthops, index);
	for (uint32_t attachment = 0; attachment < 200; attachment++)
		assert_int_equal(nexthop_permits(nh, attachment),
		    attachment == 0 || attachment == 63 || attachment == 69);
	nexthop_remove(&nexthops, other);
	epoch_flush(epoch);
	assert_int_equal(p->refs, 1);
	spec.permit = NULL;
	assert_int_equal(nexthop_publish(&nexthops, &spec, &index), 0);
	assert_true(nexthop_permits(nexthop_get(&nexthops, index), 12345));
}

static void no_more_than_a_fib_entry_can_name(void **state)
{
	struct nexthops t;

	assert_int_equal(nexthops_init(&t, epoch, 32769), -EINVAL);
	assert_int_equal(nexthops_init(&t, epoch, 32768), 0);
	nexthops_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_route_is_a_record_too, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_leaf_says_what_was_asked, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_group_names_its_leaves, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_group_names_the_tunnels_of_its_leaves, setup, teardown),
	    cmocka_unit_test_setup_teardown(groups_that_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(full, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_removed_one_serves_who_holds_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(permits, setup, teardown),
	    cmocka_unit_test_setup_teardown(no_more_than_a_fib_entry_can_name, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
