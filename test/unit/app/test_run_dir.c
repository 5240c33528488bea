/* SPDX-License-Identifier: BSD-3-Clause */

/* The run directory: made with its mode, one holder at a time. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logged.h"
#include "transitd/run_dir.h"

static char root[32];

static int root_setup(void **state)
{
	strcpy(root, "/tmp/test-run-XXXXXX");
	return mkdtemp(root) && log_setup(state) == 0 ? 0 : -1;
}

static int root_teardown(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command) | log_teardown(state);
}

static const char *under(const char *rest)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, rest);
	return path;
}

static void it_is_made(void **state)
{
	struct run_dir *d = run_dir_enter(under("a/b/c"));
	struct stat st;

	assert_non_null(d);
	assert_int_equal(stat(under("a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	run_dir_leave(d);
	d = run_dir_enter(under("a/b/c"));
	assert_non_null(d);
	run_dir_leave(d);
}

static void one_at_a_time(void **state)
{
	struct run_dir *d = run_dir_enter(under("x")), *other;
	char pid[32];

	assert_non_null(d);
	assert_null(run_dir_enter(under("x")));
	assert_int_equal(errno, EBUSY);
	snprintf(pid, sizeof(pid), "(process %d)", (int)getpid());
	assert_logged("another transitd runs here");
	assert_logged(pid);
	other = run_dir_enter(under("y"));
	assert_non_null(other);
	run_dir_leave(other);
	run_dir_leave(d);
	d = run_dir_enter(under("x"));
	assert_non_null(d);
	run_dir_leave(d);
}

/* Two instances with one memory would give their tunnels each other's keys and addresses. */
static void one_state_at_a_time(void **state)
{
	struct run_dir *d = state_dir_enter(under("s")), *run;
	struct stat st;

	assert_non_null(d);
	assert_int_equal(stat(under("s"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_null(state_dir_enter(under("s")));
	assert_int_equal(errno, EBUSY);
	assert_logged("`system.state-dir` lets two run side by side");
	run = run_dir_enter(under("s"));
	assert_non_null(run);
	run_dir_leave(run);
	run_dir_leave(d);
	d = state_dir_enter(under("s"));
	assert_non_null(d);
	run_dir_leave(d);
}

static void it_may_not_be_a_file(void **state)
{
	FILE *f = fopen(under("file"), "w");

	fclose(f);
	assert_null(run_dir_enter(under("file")));
	assert_int_equal(errno, ENOTDIR);
	assert_logged("Not a directory");
	assert_int_equal(make_dir(under("file/below"), 0700), -ENOTDIR);
}

/* Somebody planted a link where the lock should be: it is not followed. */
static void links_are_not_followed(void **state)
{
	char target[128];

	assert_int_equal(make_dir(under("z"), 0750), 0);
	strcpy(target, under("victim"));
	assert_int_equal(symlink(target, under("z/transitd.lock")), 0);
	assert_null(run_dir_enter(under("z")));
	assert_int_equal(access(target, F_OK), -1);
}

#define root_test(name) cmocka_unit_test_setup_teardown(name, root_setup, root_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    root_test(it_is_made),
	    root_test(one_at_a_time),
	    root_test(one_state_at_a_time),
	    root_test(it_may_not_be_a_file),
	    root_test(links_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
