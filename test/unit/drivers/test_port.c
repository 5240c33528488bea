/* SPDX-License-Identifier: BSD-3-Clause */

/* Opening and closing ports on virtual devices that need no privilege. */

#include <unistd.h>

#include "eal.h"

static void queues_follow_workers(void **state)
{
	struct port_spec spec = spec_of("vdev:net_null0", 4);
	struct port *port;

	spec.workers = 3;
	port = open_ok(&spec);
	assert_int_equal(port->index, 4);
	assert_int_equal(port->rx_queues, 3);
	assert_int_equal(port->tx_queues, 3);
	assert_false(port->tx_shared);
	for (unsigned w = 0; w < 3; w++)
		assert_int_equal(port->tx_queue_of[w], w);
	assert_int_equal(port->mtu, 1500);
	assert_true(atomic_load(&port->link_up));
	assert_string_equal(port->name, "p0");
	assert_string_equal(port->device, "vdev:net_null0");
	port_close(port);
	assert_int_equal(rte_eth_dev_count_total(), 0);
}

static void fewer_tx_queues_are_shared(void **state)
{
	struct port_spec spec = spec_of("vdev:net_null0", 0);
	struct port *port;

	spec.workers = 5;
	spec.queues = 2;
	port = open_ok(&spec);
	assert_int_equal(port->rx_queues, 2);
	assert_int_equal(port->tx_queues, 2);
	assert_true(port->tx_shared);
	for (unsigned w = 0; w < 5; w++)
		assert_int_equal(port->tx_queue_of[w], w % 2);
	port_close(port);
}

/* A capture file goes in and comes out: what the generator's ports do. */
static void a_capture_file_is_a_port(void **state)
{
	static const uint8_t capture[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0xff, 0xff, 0, 0, 1, 0, 0, 0, /* file header, then one packet of 16 bytes */
	    0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	    8, 0, 0xca, 0xfe};
	char in[] = "/tmp/test-port-XXXXXX", device[128];
	int fd = mkstemp(in);
	struct rte_mbuf *m = NULL;
	struct port_spec spec;
	struct port *port;

	assert_int_equal(write(fd, capture, sizeof(capture)), sizeof(capture));
	close(fd);
	snprintf(device, sizeof(device), "vdev:net_pcap0,rx_pcap=%s", in);
	spec = spec_of(device, 0);
	spec.workers = 2;
	port = open_ok(&spec);
	assert_int_equal(port->rx_queues, 1);
	assert_int_equal(port->tx_queues, 1);
	assert_true(port->tx_shared);
	assert_int_equal(rte_eth_rx_burst(port->dpdk_id, 0, &m, 1), 1);
	assert_int_equal(rte_pktmbuf_pkt_len(m), 16);
	assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), capture + 40, 16);
	rte_pktmbuf_free(m);
	port_close(port);
	unlink(in);
}

static void reopening_works(void **state)
{
	struct port_spec spec = spec_of("vdev:net_null0", 0);

	for (int i = 0; i < 20; i++)
		port_close(open_ok(&spec));
	assert_int_equal(rte_eth_dev_count_total(), 0);
	assert_int_equal(rte_mempool_in_use_count(test_pool), 0);
}

static void a_device_is_one_port_only(void **state)
{
	struct port_spec spec = spec_of("vdev:net_null0", 0);
	struct port *port = open_ok(&spec);

	spec.index = 1;
	open_fails(&spec, EEXIST, "another port has the virtual device 'net_null0'");
	port_close(port);
}

static void failures_leave_nothing(void **state)
{
	struct port_spec unknown = spec_of("vdev:net_nonsense0", 0);
	struct port_spec capture = spec_of("vdev:net_pcap0,rx_pcap=/nonexistent.pcap", 0);
	struct port_spec crypto = spec_of("vdev:crypto_null0", 0);
	struct port_spec jumbo = spec_of("vdev:net_null0", 0);
	struct port_spec syntax = spec_of("eth0", 0);

	open_fails(&unknown, ENODEV, "no driver for a device named 'net_nonsense0'");
	open_fails(&capture, EIO, "net_pcap0,rx_pcap=/nonexistent.pcap");
	open_fails(&crypto, ENODEV, "is no network device");
	open_fails(&syntax, EINVAL, "give a PCI address");
	jumbo.mtu = 9000;
	open_fails(&jumbo, ENOSPC, "packet buffers of 2048 bytes are too small for mtu 9000");
}

static void the_mac_can_be_given(void **state)
{
	struct port_spec spec = spec_of("vdev:net_null0", 0);
	struct port *port;

	spec.mac = (struct rte_ether_addr){{2, 0, 0, 0, 0, 7}};
	port = open_ok(&spec);
	assert_memory_equal(&port->mac, &spec.mac, sizeof(spec.mac));
	port_close(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(queues_follow_workers),
	    cmocka_unit_test(fewer_tx_queues_are_shared),
	    cmocka_unit_test(a_capture_file_is_a_port),
	    cmocka_unit_test(reopening_works),
	    cmocka_unit_test(a_device_is_one_port_only),
	    cmocka_unit_test(failures_leave_nothing),
	    cmocka_unit_test(the_mac_can_be_given),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
