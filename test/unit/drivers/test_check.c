/* SPDX-License-Identifier: BSD-3-Clause */

/* Devices that cannot be opened: the text says what is wrong and what would be right. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drivers/device.h"
#include "testing.h"

static void check_string(const char *string, int rc, const char *said)
{
	struct port_spec spec = {.name = "p", .device = string};
	char why[PORT_WHY_MAX] = "";

	assert_int_equal(port_check(&spec, why), rc);
	if (said)
		assert_non_null(strstr(why, said));
}

static void missing_interfaces(void **state)
{
	check_string("af_packet:nosuchif0", -ENODEV, "no interface 'nosuchif0'");
	check_string("af_xdp:nosuchif0", -ENODEV, "no interface 'nosuchif0'");
	check_string("af_packet:a_name_too_long_0", -EINVAL, "at most 15 characters");
	check_string("tap:a_name_too_long_0", -EINVAL, "at most 15 characters");
	check_string("tap:with/slash", -EINVAL, "no name of an interface");
}

static void missing_sockets(void **state)
{
	char path[] = "/tmp/test-check-XXXXXX", string[128];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	check_string("virtio-user:/nonexistent/x.sock", -ENOENT, "server=1");
	check_string("virtio-user:/nonexistent/x.sock,server=1", 0, NULL);
	snprintf(string, sizeof(string), "virtio-user:%s", path);
	check_string(string, -ENOTSOCK, "neither a socket nor a vhost device");
	unlink(path);
}

/* With server=1 the socket is ours to make: a stale one goes, a live one and a file stay. */
static void sockets_to_be_made(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/test-check-XXXXXX", string[160];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	snprintf(string, sizeof(string), "virtio-user:%s,server=1", addr.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	check_string(string, -EADDRINUSE, "another process listens");
	close(fd);
	check_string(string, 0, NULL);
	assert_int_equal(access(addr.sun_path, F_OK), -1);
	fclose(fopen(addr.sun_path, "w"));
	check_string(string, -ENOTSOCK, "no socket");
	assert_int_equal(unlink(addr.sun_path), 0);
	rmdir(dir);
}

static void missing_pci_devices(void **state)
{
	check_string("ffff:ff:1f.7", -ENODEV, "no PCI device ffff:ff:1f.7");
}

/* A directory like /sys/bus/pci/devices with three devices. */
static void pci_drivers(void **state)
{
	char root[] = "/tmp/test-pci-XXXXXX", command[256], why[PORT_WHY_MAX];

	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
	    "cd %s && mkdir 0000:01:00.0 0000:01:00.1 0000:01:00.2 && "
	    "ln -s ../drivers/vfio-pci 0000:01:00.0/driver && "
	    "ln -s ../drivers/ixgbe 0000:01:00.1/driver",
	    root);
	assert_int_equal(system(command), 0);
	assert_int_equal(check_pci_under(root, "0000:01:00.0", why), 0);
	assert_int_equal(check_pci_under(root, "0000:01:00.1", why), -EBUSY);
	assert_non_null(strstr(why, "driver ixgbe"));
	assert_non_null(strstr(why, "dpdk-devbind.py -b vfio-pci 0000:01:00.1"));
	assert_int_equal(check_pci_under(root, "0000:01:00.2", why), -ENODEV);
	assert_non_null(strstr(why, "has no kernel driver"));
	assert_int_equal(check_pci_under(root, "0000:01:00.3", why), -ENODEV);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

/* The same as an ordinary user, in a process of its own: root's privileges cannot be regained. */
static void without_privilege(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct port_spec spec = {.name = "p", .device = "af_packet:lo"};
		char why[PORT_WHY_MAX] = "";
		int rc = geteuid() == 0 ? setuid(65534) : 0;

		rc = rc < 0 ? 0 : port_check(&spec, why);
		_exit(rc == -EPERM && strstr(why, "CAP_NET_RAW") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(missing_interfaces),
	    cmocka_unit_test(missing_sockets),
	    cmocka_unit_test(sockets_to_be_made),
	    cmocka_unit_test(missing_pci_devices),
	    cmocka_unit_test(pci_drivers),
	    cmocka_unit_test(without_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
