/* SPDX-License-Identifier: BSD-3-Clause */

/* Files that outlive the process: old or new, never a part of either (C-31); what cannot be written changes nothing. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/secret.h"
#include "base/state.h"
#include "testing.h"

static char dir[32], path[48];

static int setup(void **state)
{
	strcpy(dir, "/tmp/test-state-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void check_read(const char *expected, size_t len)
{
	char *bytes;
	size_t have;

	assert_int_equal(state_read(dir, "file", &bytes, &have), 0);
	assert_int_equal(have, len);
	assert_memory_equal(bytes, expected, len + 1);
	secret_free(bytes, have + 1);
}

static int read_only(void)
{
	char *bytes;
	size_t len;
	int rc = state_read(dir, "file", &bytes, &len);

	if (rc == 0)
		secret_free(bytes, len + 1);
	return rc;
}

static void what_is_written_is_read(void **state)
{
	static const char *const texts[] = {
	    "", "x", "\n", "\n\n# end 1 0\n", "several\nlines\n", "no newline"};
	static const char with_zeros[] = "a\0b\n\0";
	struct stat st;

	assert_int_equal(read_only(), -ENOENT);
	for (unsigned i = 0; i < TEST_COUNT(texts); i++) {
		assert_int_equal(state_write(dir, "file", texts[i], strlen(texts[i])), 0);
		check_read(texts[i], strlen(texts[i]));
	}
	assert_int_equal(state_write(dir, "file", with_zeros, 5), 0);
	check_read(with_zeros, 5);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(state_remove(dir, "file"), 0);
	assert_int_equal(state_remove(dir, "file"), 0);
	assert_int_equal(read_only(), -ENOENT);
}

static void put_raw(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void damage_is_seen_at_every_byte(void **state)
{
	static const char text[] = "dc1 1 203.0.113.33\ndc1 2 203.0.113.34\n";
	char *whole;
	size_t len;

	assert_int_equal(state_write(dir, "file", text, strlen(text)), 0);
	assert_int_equal(state_slurp(path, &whole, &len), 0);
	for (size_t i = 0; i < len; i++) {
		put_raw(whole, i);
		assert_int_equal(read_only(), -EBADMSG);
		whole[i] ^= 4;
		put_raw(whole, len);
		assert_int_equal(read_only(), -EBADMSG);
		whole[i] ^= 4;
	}
	put_raw(whole, len);
	assert_int_equal(read_only(), 0);
	free(whole);
}

/* ---- kill -9 ---- */

#define CONTENT 20000

/* Number n, many times: a mixture of two would show. */
static void fill(char *bytes, unsigned n)
{
	for (unsigned i = 0; i + 10 <= CONTENT; i += 10)
		snprintf(bytes + i, 11, "%09u\n", n);
}

/* Says when it begins: on a busy machine that is long after fork(). */
static void write_on_and_on(unsigned from, int begun)
{
	char *bytes = xmalloc(CONTENT + 1);

	close(begun);
	for (unsigned n = from;; n++) {
		fill(bytes, n);
		if (state_write(dir, "file", bytes, CONTENT) < 0)
			_exit(1);
	}
}

static void killed_at_any_instant(void **state)
{
	const unsigned kills = getenv("TRANSITD_TEST_FULL") ? 2000 : 150;
	char *expected = xmalloc(CONTENT + 1), *bytes;
	unsigned last = 0, moved = 0;
	struct rng rng;
	size_t len;

	rng_init_seeded(&rng, 31);
	fill(expected, 0);
	assert_int_equal(state_write(dir, "file", expected, CONTENT), 0);
	for (unsigned i = 0; i < kills; i++) {
		int begun[2];
		char none;

		assert_int_equal(pipe(begun), 0);
		pid_t child = fork();
		if (child == 0) {
			close(begun[0]);
			write_on_and_on(last + 1, begun[1]);
		}
		close(begun[1]);
		assert_int_equal(read(begun[0], &none, 1), 0);
		close(begun[0]);
		usleep((useconds_t)rng_below(&rng, 5000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_int_equal(state_read(dir, "file", &bytes, &len), 0);
		unsigned n = (unsigned)atoi(bytes);
		assert_true(n >= last);
		fill(expected, n);
		assert_int_equal(len, CONTENT);
		assert_memory_equal(bytes, expected, CONTENT);
		moved += n > last;
		last = n;
		secret_free(bytes, len + 1);
	}
	assert_true(moved > kills / 10); /* children did write */
	free(expected);
}

/* ---- what cannot be written ---- */

static void no_room_changes_nothing(void **state)
{
	struct rlimit before, small = {4096, 4096};
	char *large = xcalloc(1, 100000);
	int err;

	assert_int_equal(state_write(dir, "file", "old", 3), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(state_write(dir, "file", large, 100000), -EFBIG);
	assert_null(state_change_begin(path, large, 100000, 0600, &err));
	assert_int_equal(err, -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	check_read("old", 3);
	assert_int_equal(state_write("/nonexistent", "file", "x", 1), -ENOENT);
	free(large);
}

static void check_file(const char *expected)
{
	char *bytes;
	size_t len;

	assert_int_equal(state_slurp(path, &bytes, &len), 0);
	assert_string_equal(bytes, expected);
	secret_free(bytes, len + 1);
}

static void a_change_has_two_steps(void **state)
{
	char link[64], beside[64];
	struct stat st;
	int err;

	put_raw("old", 3);
	assert_int_equal(chmod(path, 0640), 0);
	struct state_change *c = state_change_begin(path, "newer", 5, 0600, &err);
	assert_non_null(c);
	check_file("old");
	state_change_abandon(c);
	check_file("old");
	snprintf(beside, sizeof(beside), "%s.new", path);
	assert_int_equal(access(beside, F_OK), -1);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("file", link), 0);
	c = state_change_begin(link, "newer", 5, 0600, &err);
	assert_int_equal(state_change_commit(c), 0);
	check_file("newer");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(state_change_commit(NULL), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_is_written_is_read),
	    CASE(damage_is_seen_at_every_byte),
	    CASE(killed_at_any_instant),
	    CASE(no_room_changes_nothing),
	    CASE(a_change_has_two_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
