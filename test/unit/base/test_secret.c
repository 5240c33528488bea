/* SPDX-License-Identifier: BSD-3-Clause */

/* base/secret.h. free() of the C library is replaced, to see what the memory holds when it goes back. */

#include <stdbool.h>
#include <string.h>

#include "base/secret.h"
#include "testing.h"

void __real_free(void *p);
void __wrap_free(void *p);

static struct {
	const void *expected;
	uint8_t seen[32];
	unsigned calls;
} freed;

void __wrap_free(void *p)
{
	if (p && p == freed.expected) {
		memcpy(freed.seen, p, sizeof(freed.seen));
		freed.calls++;
	}
	__real_free(p);
}

static void wipe_clears_just_that(void **state)
{
	uint8_t b[16];

	memset(b, 0xaa, sizeof(b));
	secret_wipe(b + 4, 8);
	for (unsigned i = 0; i < sizeof(b); i++)
		assert_int_equal(b[i], i >= 4 && i < 12 ? 0 : 0xaa);
	secret_wipe(b, 0);
	assert_int_equal(b[0], 0xaa);
	secret_wipe(NULL, 0);
}

static void free_wipes_first(void **state)
{
	uint8_t zero[sizeof(freed.seen)] = {0};
	uint8_t *p = malloc(sizeof(freed.seen));

	assert_non_null(p);
	memset(p, 0xaa, sizeof(freed.seen));
	memset(&freed, 0xbb, sizeof(freed));
	freed.expected = p;
	freed.calls = 0;
	secret_free(p, sizeof(freed.seen));
	assert_int_equal(freed.calls, 1);
	assert_memory_equal(freed.seen, zero, sizeof(zero));
	secret_free(NULL, 0);
	secret_free(NULL, 32);
}

static void equal_compares_all_bytes(void **state)
{
	uint8_t a[33], b[33];

	for (unsigned i = 0; i < sizeof(a); i++)
		a[i] = b[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= sizeof(a); len++)
		assert_true(secret_equal(a, b, len));
	for (unsigned i = 0; i < sizeof(a); i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b[i] ^= (uint8_t)(1 << bit);
			assert_false(secret_equal(a, b, sizeof(a)));
			assert_true(secret_equal(a, b, i)); /* not beyond len */
			b[i] ^= (uint8_t)(1 << bit);
		}
	}
	assert_true(secret_equal(NULL, NULL, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wipe_clears_just_that),
	    cmocka_unit_test(free_wipes_first),
	    cmocka_unit_test(equal_compares_all_bytes),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
