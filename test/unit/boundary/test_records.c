/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/records.h: indexes are handed out once, and come back after a grace period. */

#include <errno.h>
#include <string.h>

#include "boundary/records.h"
#include "testing.h"

#define CAPACITY 16

static struct epoch *epoch;
static struct records records;
static unsigned freed;

static void count_free(void *ptr)
{
	freed++;
	record_free(ptr);
}

static void *record(void)
{
	return record_new(40);
}

static int setup(void **state)
{
	freed = 0;
	epoch = epoch_create(1);
	return records_init(&records, epoch, CAPACITY);
}

static int teardown(void **state)
{
	epoch_offline(epoch, 0);
	records_fini(&records, count_free);
	epoch_free(epoch);
	return 0;
}

static void grace(void)
{
	epoch_quiescent(epoch, 0);
	epoch_reclaim(epoch);
}

static void a_record_has_its_cache_lines(void **state)
{
	const uint8_t zero[128] = {0};
	uint8_t *rec = record_new(65);

	assert_int_equal((uintptr_t)rec % RTE_CACHE_LINE_SIZE, 0);
	assert_memory_equal(rec, zero, sizeof(zero));
	record_free(rec);
}

static void each_index_once(void **state)
{
	bool seen[CAPACITY] = {true}; /* never 0 */

	for (unsigned i = 1; i < CAPACITY; i++) {
		uint32_t index = records_alloc(&records);

		assert_true(index < CAPACITY);
		assert_false(seen[index]);
		seen[index] = true;
		assert_null(records_get(&records, index));
		assert_int_equal(records_used(&records), i);
	}
	assert_int_equal(records_alloc(&records), 0);
}

static void an_index_comes_back_after_grace(void **state)
{
	uint32_t index;

	for (unsigned i = 1; i < CAPACITY; i++)
		records_publish(&records, records_alloc(&records), record(), count_free);
	epoch_online(epoch, 0);
	records_release(&records, 7, count_free);
	assert_null(records_get(&records, 7));
	epoch_reclaim(epoch);
	assert_int_equal(freed, 0);
	assert_int_equal(records_alloc(&records), 0);
	grace();
	assert_int_equal(freed, 1);
	assert_int_equal(records_used(&records), CAPACITY - 2);
	index = records_alloc(&records);
	assert_int_equal(index, 7);
	assert_null(records_get(&records, 7));
}

static void a_late_release_keeps_the_record_for_holders(void **state)
{
	uint32_t index = records_alloc(&records);
	void *rec = record();

	epoch_online(epoch, 0);
	records_publish(&records, index, rec, count_free);
	records_release_late(&records, index, count_free);
	epoch_reclaim(epoch);
	assert_ptr_equal(records_get(&records, index), rec);
	grace(); /* holders are gone */
	assert_null(records_get(&records, index));
	assert_int_equal(freed, 0);
	assert_int_equal(records_used(&records), 1);
	grace();
	assert_int_equal(freed, 1);
	assert_int_equal(records_used(&records), 0);
}

static void replacing_retires_the_old(void **state)
{
	uint32_t index = records_alloc(&records);
	void *first = record(), *second = record();

	epoch_online(epoch, 0);
	records_publish(&records, index, first, count_free);
	assert_ptr_equal(records_get(&records, index), first);
	records_publish(&records, index, second, count_free);
	assert_ptr_equal(records_get(&records, index), second);
	assert_int_equal(freed, 0);
	grace();
	assert_int_equal(freed, 1);
	records_publish(&records, index, NULL, NULL); /* not retired: still ours */
	grace();
	assert_int_equal(freed, 1);
	record_free(second);
}

static void fini_frees_what_is_published(void **state)
{
	struct records r;

	assert_int_equal(records_init(&r, epoch, 8), 0);
	for (unsigned i = 0; i < 5; i++)
		records_publish(&r, records_alloc(&r), record(), count_free);
	records_release(&r, 2, count_free);
	records_release_late(&r, 3, count_free);
	records_fini(&r, count_free);
	assert_int_equal(freed, 5);
	records_fini(&r, count_free); /* twice is harmless */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_has_its_cache_lines),
	    cmocka_unit_test_setup_teardown(each_index_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_index_comes_back_after_grace, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_late_release_keeps_the_record_for_holders, setup, teardown),
	    cmocka_unit_test_setup_teardown(replacing_retires_the_old, setup, teardown),
	    cmocka_unit_test_setup_teardown(fini_frees_what_is_published, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
