/* SPDX-License-Identifier: BSD-3-Clause */

/* Whose the path of the socket is: stale ones are replaced, live ones and other files are not. */

#include <sys/stat.h>

#include "socket_rig.h"

static void the_mode_is_0660(void **state)
{
	struct stat st;

	assert_int_equal(stat(rig.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_live_socket_stays(void **state)
{
	int fd;

	assert_null(api_create(rig.base, rig.path));
	assert_int_equal(errno, EADDRINUSE);
	turn();
	fd = client_open();
	client_asks(fd, "{\"command\":\"help\"}", "");
	close(fd);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct api *second;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/stale", rig.dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd); /* as after kill -9: the name is left */
	second = api_create(rig.base, addr.sun_path);
	assert_non_null(second);
	api_free(second);
	assert_int_equal(access(addr.sun_path, F_OK), -1);
}

static void a_file_is_not_replaced(void **state)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", rig.dir);
	file = fopen(path, "w");
	fclose(file);
	assert_null(api_create(rig.base, path));
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(unlink(path), 0);
}

static void bad_paths(void **state)
{
	char path[200] = "/tmp/";

	memset(path + 5, 'a', 150);
	assert_null(api_create(rig.base, path));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(api_create(rig.base, "/nonexistent/dir/sock"));
	assert_int_equal(errno, ENOENT);
}

/* Somebody replaced the socket by another one: that one is left alone. */
static void only_our_own_is_removed(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct api *second;
	char moved[80];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/second", rig.dir);
	second = api_create(rig.base, addr.sun_path);
	assert_non_null(second);
	snprintf(moved, sizeof(moved), "%s.moved", addr.sun_path);
	assert_int_equal(rename(addr.sun_path, moved), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	api_free(second);
	assert_int_equal(access(addr.sun_path, F_OK), 0);
	close(fd);
	unlink(addr.sun_path);
	unlink(moved);
}

#define rig_test(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rig_test(the_mode_is_0660),
	    rig_test(a_live_socket_stays),
	    rig_test(a_stale_socket_is_replaced),
	    rig_test(a_file_is_not_replaced),
	    rig_test(bad_paths),
	    rig_test(only_our_own_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
