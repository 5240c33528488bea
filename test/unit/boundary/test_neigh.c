/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/neigh.h: ready headers, found by interface and address while the table grows and shrinks. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <rte_byteorder.h>

#include "boundary/neigh.h"
#include "testing.h"

#define CAPACITY 5000

static struct epoch *epoch;
static struct neigh_table *table;
static const struct iface untagged = {.index = 3, .port = 1, .mac = {{0x02, 0, 0, 0, 0, 0x11}}};
static const struct iface tagged = {
    .index = 4, .port = 2, .vlan = 100, .mac = {{0x02, 0, 0, 0, 0, 0x22}}};

static int setup(void **state)
{
	epoch = epoch_create(1);
	table = neigh_table_create(epoch, CAPACITY);
	return table ? 0 : -1;
}

static int teardown(void **state)
{
	neigh_table_free(table);
	epoch_free(epoch);
	return 0;
}

static struct rte_ether_addr mac_of(uint32_t n)
{
	return (struct rte_ether_addr){
	    {0x06, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static int publish(const struct iface *iface, uint32_t host)
{
	struct ip_addr addr = ip_v4(host);
	struct rte_ether_addr mac = mac_of(host);

	return neigh_publish(table, iface, &addr, &mac);
}

static const struct neigh *find(const struct iface *iface, uint32_t host)
{
	return neigh_find_v4(table, (uint16_t)iface->index, rte_cpu_to_be_32(host));
}

static void headers(void **state)
{
	const uint8_t plain[] = {6, 0, 10, 0, 0, 1, 2, 0, 0, 0, 0, 0x11, 0x08, 0x00};
	const uint8_t vlan[] = {
	    6, 0, 10, 0, 0, 1, 2, 0, 0, 0, 0, 0x22, 0x81, 0, 0, 100, 0x86, 0xdd};
	const struct neigh *n;

	publish(&untagged, 0x0a000001);
	publish(&tagged, 0x0a000001);
	n = find(&untagged, 0x0a000001);
	assert_int_equal(n->l2_bytes, 14);
	assert_memory_equal(n->l2_v4, plain, 14);
	assert_int_equal(n->port, 1);
	assert_int_equal(n->state, NEIGH_READY);
	n = find(&tagged, 0x0a000001);
	assert_int_equal(n->l2_bytes, 18);
	assert_memory_equal(n->l2_v6, vlan, 18);
	assert_int_equal(n->port, 2);
	assert_int_equal((uintptr_t)n % RTE_CACHE_LINE_SIZE, 0);
}

static void incomplete_then_ready(void **state)
{
	struct ip_addr addr = test_addr("2001:db8::1");
	struct rte_ether_addr mac = mac_of(1);
	int index = neigh_publish(table, &untagged, &addr, NULL);
	const struct neigh *n = neigh_find(table, 3, &addr);

	assert_int_equal(n->state, NEIGH_INCOMPLETE);
	assert_int_equal(n->l2_bytes, 0);
	assert_int_equal(n->index, index);
	assert_int_equal(neigh_publish(table, &untagged, &addr, &mac), index);
	assert_int_equal(neigh_find(table, 3, &addr)->state, NEIGH_READY);
	assert_int_equal(neigh_get(table, (uint32_t)index)->state, NEIGH_READY);
}

static void keys_are_whole(void **state)
{
	struct ip_addr v6 = test_addr("a00:1::"); /* its first bytes are those of 10.0.0.1 */

	publish(&untagged, 0x0a000001);
	assert_null(neigh_find(table, 3, &v6));
	assert_null(find(&tagged, 0x0a000001));
	assert_null(find(&untagged, 0x0a000002));
}

static void removed(void **state)
{
	uint32_t a = (uint32_t)publish(&untagged, 0x0a000001);
	int b;

	epoch_online(epoch, 0);
	neigh_remove(table, a);
	assert_null(find(&untagged, 0x0a000001));
	assert_non_null(neigh_get(table, a)); /* for a worker that holds the index */
	b = publish(&untagged, 0x0a000001);
	assert_int_not_equal(b, a);
	neigh_remove(table, a); /* again: no effect */
	neigh_remove(table, 999999);
	assert_int_equal(find(&untagged, 0x0a000001)->index, b);
	epoch_quiescent(epoch, 0);
	epoch_reclaim(epoch);
	assert_null(neigh_get(table, a));
	epoch_offline(epoch, 0);
}

static void an_interface_takes_its_neighbours_along(void **state)
{
	int gone = publish(&untagged, 0x0a000001), before = publish(&untagged, 0x0a000002);

	neigh_remove(table, (uint32_t)before);
	for (uint32_t host = 0; host < 20; host++)
		publish(&tagged, host);
	neigh_remove_iface(table, (uint16_t)untagged.index);
	assert_null(find(&untagged, 0x0a000001));
	assert_non_null(neigh_get(table, (uint32_t)gone)); /* until a grace period has passed */
	assert_true(epoch_flush(epoch));
	assert_null(neigh_get(table, (uint32_t)gone));
	for (uint32_t host = 0; host < 20; host++)
		assert_non_null(find(&tagged, host));
	neigh_remove_iface(table, (uint16_t)untagged.index); /* nothing is left */
}

static void full(void **state)
{
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_true(publish(&untagged, i) > 0);
	assert_int_equal(publish(&untagged, CAPACITY), -ENOSPC);
	assert_true(publish(&untagged, 17) > 0); /* replacing needs no room */
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_memory_equal(find(&untagged, i)->l2_v4, mac_of(i).addr_bytes, 6);
	neigh_remove(table, find(&untagged, 5)->index);
	epoch_flush(epoch);
	assert_true(publish(&untagged, CAPACITY) > 0);
}

/* 32 fill half of the first table; the next one makes a larger, and readers may be in the old. */
static void a_rebuilt_table_waits_for_readers(void **state)
{
	epoch_online(epoch, 0);
	for (uint32_t host = 0; host < 33; host++)
		publish(&untagged, host);
	assert_int_equal(epoch_reclaim(epoch), 0);
	epoch_quiescent(epoch, 0);
	assert_int_equal(epoch_reclaim(epoch), 1);
	for (uint32_t host = 33; host < 64; host++)
		publish(&untagged, host); /* has room */
	epoch_quiescent(epoch, 0);
	assert_int_equal(epoch_reclaim(epoch), 0);
	epoch_offline(epoch, 0);
}

/* Those that went take room until the next rebuild, not beyond. */
static void a_rebuild_drops_tombstones(void **state)
{
	for (uint32_t host = 1000; host < 1032; host++)
		neigh_remove(table, (uint32_t)publish(&untagged, host));
	epoch_flush(epoch);
	for (uint32_t host = 0; host < 30; host++)
		publish(&untagged, host);
	assert_true(epoch_reclaim(epoch) <= 1); /* else one with each of them */
}

/* Many come and go through few: tombstones must neither pile up nor hide anyone. */
static void random_ops_match_a_list(void **state)
{
	enum { HOSTS = 300 };
	bool there[HOSTS] = {false};
	struct rng rng = test_rng();

	for (unsigned op = 0; op < 60000; op++) {
		uint32_t host = rng_below(&rng, HOSTS);
		const struct neigh *n = find(&untagged, host);

		assert_int_equal(n != NULL, there[host]);
		if (n && rng_below(&rng, 2)) {
			neigh_remove(table, n->index);
			there[host] = false;
		} else {
			assert_true(publish(&untagged, host) > 0);
			there[host] = true;
		}
		if (op % 16 == 0)
			epoch_reclaim(epoch);
	}
	for (uint32_t host = 0; host < HOSTS; host++)
		assert_int_equal(find(&untagged, host) != NULL, there[host]);
}

#define STABLE   50
#define STRANGER 1000000

static _Atomic bool started, stop;
static _Atomic uint64_t rounds, missed, wrong;

/* Looks up neighbours that are there all the while, and others that come and go. */
static void *reader(void *arg)
{
	epoch_online(epoch, 0);
	started = true;
	for (uint32_t i = 0; !stop; i++) {
		uint32_t host = i % STABLE, stranger = STRANGER + i % 4000;
		const struct neigh *n;

		epoch_quiescent(epoch, 0);
		n = find(&untagged, host);
		if (!n)
			missed++;
		else if (memcmp(n->l2_v4, mac_of(host).addr_bytes, 6) != 0)
			wrong++;
		n = find(&untagged, stranger);
		if (n && memcmp(n->l2_v4, mac_of(stranger).addr_bytes, 6) != 0)
			wrong++;
		rounds++;
	}
	epoch_offline(epoch, 0);
	return NULL;
}

static void grows_under_a_reader(void **state)
{
	pthread_t thread;

	for (uint32_t host = 0; host < STABLE; host++)
		publish(&untagged, host);
	assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	while (!started)
		sched_yield();
	for (unsigned turn = 0; turn < 5; turn++) {
		for (uint32_t i = 0; i < 4000; i++) {
			assert_true(publish(&untagged, STRANGER + i) > 0);
			publish(&untagged, i % STABLE); /* replaced by its equal */
			epoch_reclaim(epoch);
		}
		for (uint32_t i = 0; i < 4000; i++)
			neigh_remove(table, find(&untagged, STRANGER + i)->index);
		assert_true(epoch_flush(epoch));
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
	assert_int_equal(wrong, 0);
	assert_true(rounds > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(headers, setup, teardown),
	    cmocka_unit_test_setup_teardown(incomplete_then_ready, setup, teardown),
	    cmocka_unit_test_setup_teardown(keys_are_whole, setup, teardown),
	    cmocka_unit_test_setup_teardown(removed, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		an_interface_takes_its_neighbours_along, setup, teardown),
	    cmocka_unit_test_setup_teardown(full, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_rebuilt_table_waits_for_readers, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_rebuild_drops_tombstones, setup, teardown),
	    cmocka_unit_test_setup_teardown(random_ops_match_a_list, setup, teardown),
	    cmocka_unit_test_setup_teardown(grows_under_a_reader, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
