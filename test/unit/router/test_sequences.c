/* SPDX-License-Identifier: BSD-3-Clause */

/* What manual keys have used outlives the process, and a file that lies is found out (ES-07). */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/state.h"
#include "router/tunnels/sequences.h"
#include "testing.h"

static char dir[32], state[48], path[64];

static int dir_setup(void **unused)
{
	strcpy(dir, "/tmp/test-sequences-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(path, sizeof(path), "%s/sequences", state);
	return 0;
}

static int dir_teardown(void **unused)
{
	unlink(path);
	rmdir(state);
	return rmdir(dir);
}

static struct sequences *open_store(void)
{
	struct sequences *s = NULL;

	assert_int_equal(sequences_open(state, &s), 0);
	return s;
}

static struct sequence_key key_with(uint8_t first, uint32_t spi, bool aead)
{
	struct conf_manual_sa sa = {.spi = spi, .encryption_key = {.len = 20, .bytes = {first, 7}}};
	struct sequence_key key;

	sequence_key_of(&sa, aead, &key);
	return key;
}

/* Of many keys, in any order, each its own number. */
static void numbers_outlive_the_process(void **unused)
{
	struct sequences *s = open_store();

	for (unsigned i = 0; i < 200; i++) {
		struct sequence_key key = key_with((uint8_t)(i * 77), 1, true);

		assert_int_equal(sequences_unused(s, &key), 1);
		sequences_reserve(s, &key, UINT64_C(0x100000001) + i);
	}
	assert_int_equal(sequences_store(s), 0);
	sequences_free(s);

	s = open_store();
	for (unsigned i = 0; i < 200; i++) {
		struct sequence_key key = key_with((uint8_t)(i * 77), 1, true);

		assert_int_equal(sequences_unused(s, &key), UINT64_C(0x100000001) + i);
	}
	sequences_free(s);
}

/* An AEAD's nonce knows no SPI: a new SPI does not make the numbers of a key new. */
static void which_keys_are_the_same(void **unused)
{
	struct sequence_key a = key_with(1, 0x1001, true), b = key_with(1, 0x1002, true),
			    c = key_with(2, 0x1001, true), d = key_with(1, 0x1001, false),
			    e = key_with(1, 0x1002, false);

	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	assert_memory_not_equal(&d, &e, sizeof(d));
}

static void the_key_itself_is_not_kept(void **unused)
{
	struct sequences *s = open_store();
	struct conf_manual_sa sa = {
	    .encryption_key = {.len = 16, .bytes = "\xab\xcd\xef\x01\x23\x45"}};
	struct sequence_key key;
	struct stat st;
	char *text;
	size_t len;

	sequence_key_of(&sa, true, &key);
	sequences_reserve(s, &key, 5);
	assert_int_equal(sequences_store(s), 0);
	sequences_free(s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(state_slurp(path, &text, &len), 0);
	assert_null(strstr(text, "abcdef"));
	free(text);
}

static void every_truncation_is_seen(void **unused)
{
	struct sequences *s = open_store(), *other = NULL;
	struct sequence_key key = key_with(1, 1, true);
	struct stat st;

	sequences_reserve(s, &key, 1234567);
	assert_int_equal(sequences_store(s), 0);
	assert_int_equal(stat(path, &st), 0);
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		assert_int_equal(truncate(path, len), 0);
		assert_int_equal(sequences_open(state, &other), -EBADMSG);
	}
	sequences_free(s);
}

static void foreign_lines_are_seen(void **unused)
{
	static const char *const texts[] = {"0123456789abcdef0123456789abcdef\n",
	    "0123456789abcdef0123456789abcdef 0\n", "0123456789abcdef0123456789abcde 7\n",
	    "0123456789abcdef0123456789abcdef 7 more\n", "0123456789abcdefg123456789abcdef 7\n",
	    "0123456789abcdef0123456789abcdef 7", "\n"};
	struct sequences *s = NULL;

	assert_int_equal(mkdir(state, 0700), 0);
	for (unsigned i = 0; i < TEST_COUNT(texts); i++) {
		assert_int_equal(state_write(state, "sequences", texts[i], strlen(texts[i])), 0);
		assert_int_equal(sequences_open(state, &s), -EBADMSG);
	}
}

/* What could not be stored is tried again, and never believed to be there. */
static void a_write_that_fails_stays_due(void **unused)
{
	struct sequences *s = open_store();
	struct sequence_key key = key_with(1, 1, true);

	assert_int_equal(mkdir(state, 0700), 0);
	assert_int_equal(mkdir(path, 0700), 0); /* a file cannot take its place */
	sequences_reserve(s, &key, 9);
	assert_true(sequences_store(s) < 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(sequences_store(s), 0);
	sequences_free(s);
	s = open_store();
	assert_int_equal(sequences_unused(s, &key), 9);
	sequences_free(s);
}

#define dir_test(name) cmocka_unit_test_setup_teardown(name, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    dir_test(numbers_outlive_the_process),
	    dir_test(which_keys_are_the_same),
	    dir_test(the_key_itself_is_not_kept),
	    dir_test(every_truncation_is_seen),
	    dir_test(foreign_lines_are_seen),
	    dir_test(a_write_that_fails_stays_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
