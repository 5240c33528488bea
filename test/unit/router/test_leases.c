/* SPDX-License-Identifier: BSD-3-Clause */

/* Addresses of tunnels outlive the process; a damaged file is seen at every byte (C-31). */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../app/logged.h"
#include "base/state.h"
#include "router/tunnels/leases.h"

static char dir[32], path[48];

static int dir_setup(void **state)
{
	strcpy(dir, "/tmp/test-leases-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/leases", dir);
	return log_setup(state);
}

static int dir_teardown(void **state)
{
	unlink(path);
	return rmdir(dir) | log_teardown(state);
}

/* Two connections; three of their four addresses were allocated. */
static void write_sample(void)
{
	struct conf_tunnel tunnel[4] = {
	    {.number = 1, .gateway_allocated = true, .gateway_address = test_addr("203.0.113.33")},
	    {.number = 2, .gateway_allocated = true, .gateway_address = test_addr("203.0.113.34")},
	    {.number = 1, .gateway_address = test_addr("203.0.113.9")},
	    {.number = 2, .gateway_allocated = true, .gateway_address = test_addr("2001:db8::7")},
	};
	struct conf_tunnel *first[] = {&tunnel[0], &tunnel[1]},
			   *second[] = {&tunnel[2], &tunnel[3]};
	struct conf_connection connection[2] = {
	    {.name = "dc1", .tunnels = first, .tunnels_count = 2},
	    {.name = "dc-2_x", .tunnels = second, .tunnels_count = 2},
	};
	struct conf_connection *list[] = {&connection[0], &connection[1]};
	struct conf conf = {.vpn_connections = list, .vpn_connections_count = 2};

	assert_int_equal(leases_write(dir, &conf), 0);
}

static void what_is_written_is_read(void **state)
{
	struct leases leases;
	struct stat st;

	write_sample();
	leases_read(dir, &leases);
	assert_int_equal(leases.count, 3);
	assert_string_equal(leases.lease[1].connection, "dc1");
	assert_int_equal(leases.lease[1].tunnel, 2);
	assert_string_equal(leases.lease[2].connection, "dc-2_x");
	char text[IP_TEXT_MAX];
	assert_string_equal(ip_text(&leases.lease[2].address, text), "2001:db8::7");
	leases_free(&leases);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(logged, "");
}

static void nothing_kept_is_no_fault(void **state)
{
	struct leases leases;

	leases_read(dir, &leases);
	assert_int_equal(leases.count, 0);
	assert_string_equal(logged, "");
}

/* The same again touches nothing. */
static void no_change_no_write(void **state)
{
	struct stat before, after;

	write_sample();
	assert_int_equal(stat(path, &before), 0);
	write_sample();
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void every_truncation_is_seen(void **state)
{
	struct leases leases;
	struct stat st;

	write_sample();
	assert_int_equal(stat(path, &st), 0);
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		assert_int_equal(truncate(path, len), 0);
		logged[0] = '\0';
		leases_read(dir, &leases);
		assert_int_equal(leases.count, 0);
		assert_logged("is damaged");
	}
}

static void foreign_lines_are_seen(void **state)
{
	static const char *const texts[] = {"dc1 1\n", "dc1 1 203.0.113.999\n",
	    "dc1 1 203.0.113.33 more\n", "\n", "dc1 1 203.0.113.33", "dc1 x 203.0.113.33\n"};
	struct leases leases;

	for (unsigned i = 0; i < TEST_COUNT(texts); i++) {
		assert_int_equal(state_write(dir, "leases", texts[i], strlen(texts[i])), 0);
		logged[0] = '\0';
		leases_read(dir, &leases);
		assert_int_equal(leases.count, 0);
		assert_logged("is damaged");
	}
}

static void a_missing_directory_is_told(void **state)
{
	struct conf conf = {0};

	assert_int_equal(leases_write("/nonexistent", &conf), -ENOENT);
}

#define dir_test(name) cmocka_unit_test_setup_teardown(name, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    dir_test(what_is_written_is_read),
	    dir_test(nothing_kept_is_no_fault),
	    dir_test(no_change_no_write),
	    dir_test(every_truncation_is_seen),
	    dir_test(foreign_lines_are_seen),
	    dir_test(a_missing_directory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
