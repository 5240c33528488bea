/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/records.h: records stand in the memory of packets and SAs while it has room, and elsewhere when it has none. */

#include <rte_memory.h>

#include "boundary/records.h"
#include "testing.h"
#include "testing_eal.h"

#define LARGE   ((size_t)1 << 20)
#define RECORDS 512 /* more than there is memory for */

static bool is_in_eal(const void *rec)
{
	return rte_mem_virt2memseg_list(rec) != NULL;
}

static void *large(void)
{
	uint8_t *rec = record_new(LARGE);

	for (size_t i = 0; i < LARGE; i += 64)
		assert_int_equal(rec[i], 0);
	memset(rec, 0xa5, LARGE);
	return rec;
}

static void beside_the_packets(void **state)
{
	void *rec = record_new(64);

#ifdef __SANITIZE_ADDRESS__
	assert_false(is_in_eal(rec));
#else
	assert_true(is_in_eal(rec));
#endif
	record_free(rec);
}

static void none_is_refused_when_that_is_full(void **state)
{
	static void *rec[RECORDS];
	unsigned elsewhere = 0;

	for (unsigned i = 0; i < RECORDS; i++) {
		rec[i] = large();
		elsewhere += !is_in_eal(rec[i]);
	}
	assert_in_range(elsewhere, 1, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++)
		record_free(rec[i]);
	beside_the_packets(state);
	record_free(large());
}

static void nothing_is_freed(void **state)
{
	record_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(beside_the_packets),
	    cmocka_unit_test(none_is_refused_when_that_is_full),
	    cmocka_unit_test(nothing_is_freed),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
