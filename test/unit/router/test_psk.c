/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pre-shared keys that the startup file leaves out: made once, kept, never open to others (T12,
 * X5).
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "router/internal.h"
#include "testing.h"

static char dir[64], state_dir[80];
static char lines[4][256];
static unsigned line_count;

static void collect(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	if (line_count < TEST_COUNT(lines))
		snprintf(lines[line_count++], sizeof(lines[0]), "%s", line);
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test-router-keys.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
	line_count = 0;
	log_set_sink(collect, NULL);
	return 0;
}

static void path_of(char path[192], const char *name)
{
	snprintf(path, 192, "%s/%s", state_dir, name);
}

static int teardown(void **state)
{
	static const char *const names[] = {"psk-dc1-1", "psk-dc1-2", "psk-dc2-1", "psk-dc1-1.new"};
	char path[192];

	log_set_sink(NULL, NULL);
	for (unsigned i = 0; i < TEST_COUNT(names); i++) {
		path_of(path, names[i]);
		unlink(path);
	}
	rmdir(state_dir);
	return rmdir(dir);
}

static void made_once_and_kept(void **state)
{
	struct rng rng = test_rng();
	char first[CONF_PSK_MAX + 1], again[CONF_PSK_MAX + 1], path[192];
	struct stat st;

	assert_int_equal(psk_load_or_make(state_dir, "dc1", 1, &rng, first), 0);
	assert_int_equal(strlen(first), 16);
	for (unsigned i = 0; i < 16; i++)
		assert_true(isgraph((unsigned char)first[i]));
	path_of(path, "psk-dc1-1");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(psk_load_or_make(state_dir, "dc1", 1, &rng, again), 0);
	assert_string_equal(again, first);
	assert_int_equal(line_count, 1); /* said once, and not what it is */
	assert_null(strstr(lines[0], first));
	assert_int_equal(psk_load_or_make(state_dir, "dc1", 2, &rng, again), 0);
	assert_string_not_equal(again, first);
	assert_int_equal(psk_load_or_make(state_dir, "dc2", 1, &rng, again), 0);
	assert_string_not_equal(again, first);
}

static void put(const char *name, const char *text)
{
	char path[192];

	mkdir(state_dir, 0700);
	path_of(path, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void an_operator_may_put_one_there(void **state)
{
	struct rng rng = test_rng();
	char key[CONF_PSK_MAX + 1];

	put("psk-dc1-1", "Secret!of#the$operator\n");
	assert_int_equal(psk_load_or_make(state_dir, "dc1", 1, &rng, key), 0);
	assert_string_equal(key, "Secret!of#the$operator");
}

/* Not quietly replaced by another one: the peer has the old. */
static void what_cannot_be_read_is_an_error(void **state)
{
	struct rng rng = test_rng();
	char key[CONF_PSK_MAX + 1], path[192], name[512];

	put("psk-dc1-1", "");
	assert_int_equal(psk_load_or_make(state_dir, "dc1", 1, &rng, key), -EINVAL);
	path_of(path, "psk-dc1-2");
	assert_int_equal(symlink("psk-dc1-1", path), 0);
	assert_int_equal(psk_load_or_make(state_dir, "dc1", 2, &rng, key), -ELOOP);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(psk_load_or_make(state_dir, name, 1, &rng, key), -ENAMETOOLONG);
	assert_int_equal(psk_load_or_make("/proc/none/such", "dc1", 1, &rng, key), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(made_once_and_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_operator_may_put_one_there, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_read_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
