/* SPDX-License-Identifier: BSD-3-Clause */

/* Device strings: what each kind becomes for DPDK, and what is no device at all. */

#include <errno.h>
#include <string.h>

#include "drivers/device.h"
#include "testing.h"

static void strings_become_arguments(void **state)
{
	static const struct {
		const char *string;
		struct device_shape shape;
		const char *args;
	} rows[] = {
	    {"af_packet:eth1", {2, 512, 1500},
		"net_af_packet_port3,iface=eth1,qpairs=2,framesz=2048,blocksz=4096,framecnt=512"},
	    {"af_packet:eth1", {1, 511, 9000},
		"net_af_packet_port3,iface=eth1,qpairs=1,framesz=9216,blocksz=36864,framecnt=512"},
	    {"af_packet:eth1,qdisc_bypass=0", {1, 256, 1500},
		"net_af_packet_port3,iface=eth1,qpairs=1,framesz=2048,blocksz=4096,framecnt=256,"
		"qdisc_bypass=0"},
	    {"af_xdp:eth1", {4, 512, 1500},
		"net_af_xdp_port3,iface=eth1,start_queue=0,queue_count=4"},
	    {"af_xdp:eth1,force_copy=1", {1, 512, 1500, "/proc/self/fd/7"},
		"net_af_xdp_port3,iface=eth1,start_queue=0,queue_count=1,xdp_prog=/proc/self/fd/7,"
		"force_copy=1"},
	    {"tap:lan0", {1, 512, 1500}, "net_tap_port3,iface=lan0"},
	    {"virtio-user:/run/vm.sock,server=1", {2, 500, 1500},
		"net_virtio_user_port3,path=/run/vm.sock,queues=2,queue_size=512,server=1"},
	    {"vdev:net_pcap0,rx_pcap=in.pcap,infinite_rx=1", {1, 512, 1500},
		"net_pcap0,rx_pcap=in.pcap,infinite_rx=1"},
	    {"vdev:net_null0", {1, 512, 1500}, "net_null0"},
	    {"0000:03:00.0", {1, 512, 1500}, "0000:03:00.0"},
	    {"3:0.1", {1, 512, 1500}, "0000:03:00.1"},
	    {"0000:3b:00.0,representor=0", {1, 512, 1500}, "0000:3b:00.0,representor=0"},
	};

	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		char why[PORT_WHY_MAX] = "", args[512];
		struct text text = text_of(args, sizeof(args));
		struct device d;

		assert_int_equal(device_parse(rows[i].string, 3, &d, why), 0);
		device_args(&d, &rows[i].shape, &text);
		assert_string_equal(args, rows[i].args);
	}
}

static void not_a_device(void **state)
{
	static char long_name[600];
	const struct {
		const char *string;
		const char *said;
	} rows[] = {
	    {"", "names nothing"},
	    {"eth0", "give a PCI address"},
	    {"af_packet:", "names nothing"},
	    {"tap:,iface=x", "names nothing"},
	    {"0000:03:00.9", "give a PCI address"},
	    {"0000:03:00.0x", "give a PCI address"},
	    {"AF_XDP:eth0", "give a PCI address"},
	    {long_name, "longer than"},
	};

	memset(long_name, 'a', sizeof(long_name) - 1);
	memcpy(long_name, "vdev:", 5);
	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		char why[PORT_WHY_MAX] = "";
		struct device d;

		assert_int_equal(device_parse(rows[i].string, 0, &d, why), -EINVAL);
		assert_non_null(strstr(why, rows[i].said));
	}
}

static void long_arguments_are_refused_not_cut(void **state)
{
	char string[400] = "tap:lan0,", why[PORT_WHY_MAX] = "";
	struct device d;

	memset(string + 9, 'x', 300);
	assert_int_equal(device_parse(string, 0, &d, why), -EINVAL);
	memset(string, 0, sizeof(string));
	strcpy(string, "vdev:");
	memset(string + 5, 'n', RTE_DEV_NAME_MAX_LEN);
	assert_int_equal(device_parse(string, 0, &d, why), -EINVAL);
}

static void pci_is_told_apart(void **state)
{
	char address[32];

	assert_true(port_is_pci("3b:00.1", address));
	assert_string_equal(address, "0000:3b:00.1");
	assert_false(port_is_pci("tap:x", address));
	assert_false(port_is_pci("nonsense", address));
}

static void drivers_keep_their_traits(void **state)
{
	assert_true(device_driver_traits("net_tap") & DEVICE_PAIRED);
	assert_true(device_driver_traits("net_tap") & DEVICE_SLOW_CHECKSUM);
	assert_true(device_driver_traits("net_af_packet") & DEVICE_PAIRED);
	assert_int_equal(device_driver_traits("net_ixgbe"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strings_become_arguments),
	    cmocka_unit_test(not_a_device),
	    cmocka_unit_test(long_arguments_are_refused_not_cut),
	    cmocka_unit_test(pci_is_told_apart),
	    cmocka_unit_test(drivers_keep_their_traits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
