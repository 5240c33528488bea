/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/iface.h: found by port and VLAN, one owner each, gone at once when removed. */

#include <errno.h>

#include "boundary/iface.h"
#include "testing.h"

static struct epoch *epoch;
static struct ifaces ifaces;

static int setup(void **state)
{
	epoch = epoch_create(1);
	return ifaces_init(&ifaces, epoch, 8);
}

static int teardown(void **state)
{
	ifaces_fini(&ifaces);
	epoch_free(epoch);
	return 0;
}

static int publish(uint32_t index, uint16_t port, uint16_t vlan, uint16_t mtu)
{
	const struct iface spec = {.index = index, .port = port, .vlan = vlan, .mtu = mtu};

	return iface_publish(&ifaces, &spec);
}

static void found_by_port_and_vlan(void **state)
{
	int a = publish(0, 0, VLAN_NONE, 1500);
	int b = publish(0, PORTS_MAX - 1, 4094, 9000);

	assert_true(a > 0 && b > 0 && a != b);
	assert_int_equal(iface_of_vlan(&ifaces, 0, VLAN_NONE)->index, a);
	assert_int_equal(iface_of_vlan(&ifaces, PORTS_MAX - 1, 4094)->index, b);
	assert_int_equal(iface_get(&ifaces, (uint32_t)b)->mtu, 9000);
	assert_null(iface_of_vlan(&ifaces, 1, VLAN_NONE));
	assert_null(iface_of_vlan(&ifaces, 0, 4094));
}

static void a_copy_is_published(void **state)
{
	struct iface spec = {.port = 3, .vlan = 7, .up = true, .mtu = 1500, .slot = 9};
	int index = iface_publish(&ifaces, &spec);
	const struct iface *old = iface_get(&ifaces, (uint32_t)index);

	assert_int_equal((uintptr_t)old % RTE_CACHE_LINE_SIZE, 0);
	spec.index = (uint32_t)index;
	spec.mtu = 1400;
	epoch_online(epoch, 0); /* holds `old` */
	assert_int_equal(iface_publish(&ifaces, &spec), index);
	epoch_reclaim(epoch);
	assert_int_equal(old->mtu, 1500);
	assert_int_equal(iface_of_vlan(&ifaces, 3, 7)->mtu, 1400);
	assert_int_equal(iface_of_vlan(&ifaces, 3, 7)->slot, 9);
	epoch_offline(epoch, 0);
}

static void one_owner_of_a_vlan(void **state)
{
	int a = publish(0, 1, 10, 1500);

	assert_int_equal(publish(0, 1, 10, 1500), -EEXIST);
	assert_int_equal(publish((uint32_t)publish(0, 1, 11, 1500), 1, 10, 1500), -EEXIST);
	assert_int_equal(iface_of_vlan(&ifaces, 1, 10)->index, a);
}

static void refused(void **state)
{
	int a = publish(0, 1, 10, 1500);

	assert_int_equal(publish(0, PORTS_MAX, 10, 1500), -EINVAL);
	assert_int_equal(publish(0, 1, 4095, 1500), -EINVAL);
	assert_int_equal(publish(0, 1, 5000, 1500), -EINVAL);
	assert_int_equal(publish((uint32_t)a, 1, 12, 1500), -EINVAL); /* moves */
	assert_int_equal(publish(5, 1, 13, 1500), -EINVAL);           /* never given out */
	assert_int_equal(publish(8, 1, 13, 1500), -EINVAL);
	assert_null(iface_of_vlan(&ifaces, 1, 12));
	assert_null(iface_of_vlan(&ifaces, 1, 13));
}

static void full(void **state)
{
	for (uint16_t vlan = 1; vlan < 8; vlan++)
		assert_true(publish(0, 0, vlan, 1500) > 0);
	assert_int_equal(publish(0, 0, 100, 1500), -ENOSPC);
	assert_null(iface_of_vlan(&ifaces, 0, 100));
	iface_remove(&ifaces, 3);
	assert_int_equal(publish(0, 0, 100, 1500), -ENOSPC); /* not before the grace period */
	epoch_reclaim(epoch);
	assert_int_equal(publish(0, 0, 100, 1500), 3);
}

static void removed(void **state)
{
	uint32_t a = (uint32_t)publish(0, 2, 20, 1500);
	int b;

	iface_remove(&ifaces, a);
	assert_null(iface_of_vlan(&ifaces, 2, 20));
	assert_null(iface_get(&ifaces, a));
	b = publish(0, 2, 20, 1400);
	assert_true(b > 0);
	iface_remove(&ifaces, a); /* again: does not hurt the new one */
	iface_remove(&ifaces, 12345);
	assert_int_equal(iface_of_vlan(&ifaces, 2, 20)->index, b);
}

static void too_many_for_16_bits(void **state)
{
	struct ifaces t;

	assert_int_equal(ifaces_init(&t, epoch, 65537), -EINVAL);
	assert_int_equal(ifaces_init(&t, epoch, 65536), 0);
	ifaces_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(found_by_port_and_vlan, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_copy_is_published, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_owner_of_a_vlan, setup, teardown),
	    cmocka_unit_test_setup_teardown(refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(full, setup, teardown),
	    cmocka_unit_test_setup_teardown(removed, setup, teardown),
	    cmocka_unit_test_setup_teardown(too_many_for_16_bits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
