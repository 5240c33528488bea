/* SPDX-License-Identifier: BSD-3-Clause */

/* Handing NICs over, on a tree of files that looks like sysfs. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testing.h"
#include "transitctl/nic.h"

static char root[] = "/tmp/test-nic-XXXXXX";

static void shell(const char *format, const char *more)
{
	char command[1024];
	int n = snprintf(command, sizeof(command), "cd %s && ", root);

	snprintf(command + n, sizeof(command) - (size_t)n, format, more);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* Two NICs and a disk; the first belongs to ixgbe and is eth-test, the second to nobody. */
static int tree(void **state)
{
	strcpy(root, "/tmp/test-nic-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	shell("mkdir -p sys/bus/pci/devices sys/bus/pci/drivers/ixgbe sys/bus/pci/drivers/vfio-pci "
	      "sys/module/vfio/parameters sys/kernel/iommu_groups/3%s",
	    "");
	shell(
	    "for d in 0000:03:00.0 0000:03:00.1 0000:04:00.0; do mkdir sys/bus/pci/devices/$d; "
	    "cd sys/bus/pci/devices/$d; echo 0x020000 >class; echo 0x8086 >vendor; echo 0x1572 >device; "
	    "echo 1 >numa_node; : >driver_override; cd ../../../../..; done%s",
	    "");
	shell(
	    "echo 0x010802 >sys/bus/pci/devices/0000:04:00.0/class; cd sys/bus/pci/devices/0000:03:00.0; "
	    "mkdir -p net/%s; ln -s ../../drivers/ixgbe driver; ln -s ../../../../kernel/iommu_groups/3 "
	    "iommu_group",
	    "eth-test");
	shell("touch sys/bus/pci/drivers/ixgbe/unbind sys/bus/pci/drivers_probe "
	      "sys/module/vfio/parameters/enable_unsafe_noiommu_mode%s",
	    "");
	return 0;
}

static int clean(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void assert_file(const char *path, const char *text)
{
	char full[256], have[64] = "";
	FILE *f;

	snprintf(full, sizeof(full), "%s/sys/%s", root, path);
	f = fopen(full, "re");
	assert_non_null(f);
	if (!fgets(have, sizeof(have), f))
		have[0] = '\0';
	fclose(f);
	have[strcspn(have, "\n")] = '\0';
	assert_string_equal(have, text);
}

/* `b` and `c` may be NULL; `c` may be several words. */
static int nic(const char *a, const char *b, const char *c)
{
	char text[128], *words[6], *save = NULL;
	int count = 0;

	snprintf(text, sizeof(text), "%s %s %s", a, b ? b : "", c ? c : "");
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[count++] = w;
	return nic_main(root, true, words, count);
}

static void nics_are_listed(void **state)
{
	char out[] = "/tmp/test-nic-out-XXXXXX", text[2048];
	int fd = mkstemp(out), saved = dup(STDOUT_FILENO);
	ssize_t n;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	assert_int_equal(nic("list", NULL, NULL), 0);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	close(saved);
	unlink(out);
	assert_non_null(strstr(text, "\"address\": \"0000:03:00.0\""));
	assert_non_null(strstr(text, "\"driver\": \"ixgbe\""));
	assert_non_null(strstr(text, "\"interface\": \"eth-test\""));
	assert_non_null(strstr(text, "\"device\": \"8086:1572\""));
	assert_non_null(strstr(text, "\"numa-node\": \"1\""));
	assert_non_null(strstr(text, "\"of\": \"nobody\""));
	assert_null(strstr(text, "0000:04:00.0")); /* a disk */
}

static void a_nic_goes_to_vfio_and_back(void **state)
{
	assert_int_equal(nic("bind", "0000:03:00.0", NULL), 0);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "vfio-pci");
	assert_file("bus/pci/drivers/ixgbe/unbind", "0000:03:00.0");
	assert_file("bus/pci/drivers_probe", "0000:03:00.0");
	assert_file("module/vfio/parameters/enable_unsafe_noiommu_mode", ""); /* it has an IOMMU */

	assert_int_equal(nic("unbind", "0000:03:00.0", NULL), 0);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "");
}

static void without_an_iommu_that_is_allowed(void **state)
{
	assert_int_equal(nic("bind", "0000:03:00.1", NULL), 0);
	assert_file("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
	assert_file("bus/pci/devices/0000:03:00.1/driver_override", "vfio-pci");
}

/* Debian's kernel: its VFIO always needs an IOMMU. */
static void a_kernel_that_cannot_do_that_has_uio(void **state)
{
	shell("rm sys/module/vfio/parameters/enable_unsafe_noiommu_mode%s", "");
	assert_int_equal(nic("bind", "0000:03:00.1", NULL), 1); /* no UIO either */
	assert_file("bus/pci/devices/0000:03:00.1/driver_override", "");
	shell("mkdir sys/bus/pci/drivers/%s", "uio_pci_generic");
	assert_int_equal(nic("bind", "0000:03:00.1", NULL), 0);
	assert_file("bus/pci/devices/0000:03:00.1/driver_override", "uio_pci_generic");
	assert_int_equal(nic("bind", "0000:03:00.0", NULL), 0);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "vfio-pci");
}

static void the_driver_can_be_named(void **state)
{
	shell("mkdir sys/bus/pci/drivers/%s", "igb_uio");
	assert_int_equal(nic("bind", "0000:03:00.0", "driver igb_uio"), 0);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "igb_uio");
	assert_int_equal(nic("bind", "0000:03:00.1", "driver uio_none"), 1);
	assert_file("bus/pci/devices/0000:03:00.1/driver_override", "");
	assert_int_equal(nic("bind", "0000:03:00.1", "driver"), 2);
	assert_int_equal(nic("bind", "driver", "igb_uio"), 2);
	assert_int_equal(nic("bind", "0000:03:00.1", "driver ../vfio-pci"), 2);
}

static void a_driver_that_works_beside_dpdk_stays(void **state)
{
	shell("mkdir sys/bus/pci/drivers/mlx5_core; ln -s ../../drivers/mlx5_core "
	      "sys/bus/pci/devices/0000:03:00.1/%s",
	    "driver");
	assert_int_equal(nic("bind", "0000:03:00.1", "force"), 1);
	assert_file("bus/pci/devices/0000:03:00.1/driver_override", "");
}

static void what_is_no_nic_is_refused(void **state)
{
	assert_int_equal(nic("bind", "0000:04:00.0", NULL), 1);
	assert_file("bus/pci/devices/0000:04:00.0/driver_override", "");
	assert_int_equal(nic("bind", "0000:99:00.0", NULL), 1);
	assert_int_equal(nic("bind", "../../../etc", NULL), 1);
	assert_int_equal(nic("bind", NULL, NULL), 2);
	assert_int_equal(nic("bend", "0000:03:00.0", NULL), 2);
}

/* lo has an address on every machine. */
static void an_interface_in_use_stays(void **state)
{
	shell(
	    "mv sys/bus/pci/devices/0000:03:00.0/net/eth-test sys/bus/pci/devices/0000:03:00.0/net/%s",
	    "lo");
	assert_int_equal(nic("bind", "0000:03:00.0", NULL), 1);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "");
	assert_int_equal(nic("bind", "0000:03:00.0", "force"), 0);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "vfio-pci");
}

/* The interface of a virtio NIC is a level below, of whichever number it has there. */
static void a_virtio_interface_in_use_stays(void **state)
{
	shell("mkdir -p sys/bus/pci/devices/0000:03:00.1/virtio7/net/%s", "lo");
	assert_int_equal(nic("bind", "0000:03:00.1", NULL), 1);
	assert_file("bus/pci/devices/0000:03:00.1/driver_override", "");
}

/* It has no address itself; the bridge on top of it may. */
static void the_interface_of_a_bridge_stays(void **state)
{
	shell("mkdir -p sys/class/net/eth-test/%s", "upper_br0");
	assert_int_equal(nic("bind", "0000:03:00.0", NULL), 1);
	assert_int_equal(nic("bind", "force", "0000:03:00.0"), 0);
	assert_file("bus/pci/devices/0000:03:00.0/driver_override", "vfio-pci");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nics_are_listed, tree, clean),
	    cmocka_unit_test_setup_teardown(a_nic_goes_to_vfio_and_back, tree, clean),
	    cmocka_unit_test_setup_teardown(without_an_iommu_that_is_allowed, tree, clean),
	    cmocka_unit_test_setup_teardown(a_kernel_that_cannot_do_that_has_uio, tree, clean),
	    cmocka_unit_test_setup_teardown(the_driver_can_be_named, tree, clean),
	    cmocka_unit_test_setup_teardown(a_driver_that_works_beside_dpdk_stays, tree, clean),
	    cmocka_unit_test_setup_teardown(a_virtio_interface_in_use_stays, tree, clean),
	    cmocka_unit_test_setup_teardown(the_interface_of_a_bridge_stays, tree, clean),
	    cmocka_unit_test_setup_teardown(what_is_no_nic_is_refused, tree, clean),
	    cmocka_unit_test_setup_teardown(an_interface_in_use_stays, tree, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
