/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/pages.h: zeroed, aligned, and backed only where touched. */

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boundary/pages.h"
#include "testing.h"

#define MIB ((size_t)1 << 20)

static void zeroed_and_writable(void **state)
{
	const size_t sizes[] = {1, 4096, 4097, 2 * MIB - 1, 2 * MIB, 5 * MIB + 3};

	for (unsigned i = 0; i < TEST_COUNT(sizes); i++) {
		uint8_t *p = pages_alloc(sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % (sizes[i] < 2 * MIB ? 4096 : 2 * MIB), 0);
		assert_int_equal(p[0] | p[sizes[i] - 1], 0);
		p[0] = p[sizes[i] - 1] = 1;
		pages_free(p, sizes[i]);
	}
	pages_free(NULL, 10);
}

/* Pages of the mapping that have memory behind them. */
static size_t resident(uint8_t *p, size_t bytes)
{
	static unsigned char in_core[64 * MIB / 4096];
	size_t count = 0;

	assert_int_equal(mincore(p, bytes, in_core), 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		count += in_core[i] & 1;
	return count;
}

static void memory_comes_when_touched(void **state)
{
	uint8_t *p = pages_alloc(64 * MIB);

	assert_int_equal(resident(p, 64 * MIB), 0);
	p[33 * MIB] = 1;
	assert_in_range(resident(p, 64 * MIB), 1, 512); /* one page, or one huge page */
	pages_free(p, 64 * MIB);
}

static void impossible_sizes(void **state)
{
	errno = 0;
	assert_null(pages_alloc(0));
	assert_int_equal(errno, EINVAL);
	assert_null(pages_alloc(SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	assert_null(pages_alloc(SIZE_MAX - 4 * MIB));
	assert_int_equal(errno, ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeroed_and_writable),
	    cmocka_unit_test(memory_comes_when_touched),
	    cmocka_unit_test(impossible_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
