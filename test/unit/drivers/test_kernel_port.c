/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Ports on interfaces of the kernel, in a network namespace of this process alone. Skipped without
 * the privilege to make one.
 */

#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "drivers/kernel_if.h"
#include "eal.h"

static bool is_privileged;

/* With sanitizers: what libxdp never gives back is no leak of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:xsk_umem__create\n";
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int namespace_setup(void **state)
{
	is_privileged = unshare(CLONE_NEWNET) == 0;
	return eal_setup(state);
}

/* A veth pair va - vb, both up, without IPv6 chatter. */
static int pair_setup(void **state)
{
	if (is_privileged)
		run("ip link add va type veth peer name vb && "
		    "sysctl -qw net.ipv6.conf.va.disable_ipv6=1 net.ipv6.conf.vb.disable_ipv6=1 && "
		    "ip link set va up && ip link set vb up");
	return 0;
}

static int pair_teardown(void **state)
{
	if (is_privileged)
		run("ip link del va");
	return 0;
}

static void need_privilege(void)
{
	if (!is_privileged)
		skip();
}

/* Until `ms` have passed; a frame of the other port's making is told by its first bytes. */
static struct rte_mbuf *receive(const struct port *port, unsigned ms)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 1000 * ms;
	struct rte_mbuf *m;

	do {
		if (rte_eth_rx_burst(port->dpdk_id, 0, &m, 1) == 1)
			return m;
	} while (rte_rdtsc() < end);
	return NULL;
}

static void assert_passes(struct port *from, struct port *to, uint16_t bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(test_pool);
	char *frame = rte_pktmbuf_append(m, bytes);

	assert_non_null(frame);
	memset(frame, 0x42, bytes);
	memcpy(frame, &to->mac, 6);
	memcpy(frame + 6, &from->mac, 6);
	memcpy(frame + 12, "\x88\xb5", 2); /* local experimental */
	assert_int_equal(rte_eth_tx_burst(from->dpdk_id, 0, &m, 1), 1);
	m = receive(to, 2000);
	assert_non_null(m);
	assert_int_equal(rte_pktmbuf_pkt_len(m), bytes);
	assert_memory_equal(rte_pktmbuf_mtod(m, char *), &to->mac, 6);
	assert_int_equal(*rte_pktmbuf_mtod_offset(m, char *, bytes - 1), 0x42);
	rte_pktmbuf_free(m);
}

static void af_packet_carries_frames(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_packet:va", 0), b = spec_of("af_packet:vb", 1);
	struct port *pa = open_ok(&a), *pb = open_ok(&b);

	assert_passes(pa, pb, 60);
	assert_passes(pb, pa, 1514);
	port_close(pa);
	port_close(pb);
}

static void af_packet_carries_jumbo_frames(void **state)
{
	need_privilege();
	struct rte_mempool *usual = test_pool;
	struct port_spec a, b;
	struct port *pa, *pb;

	test_pool = packet_pool_create("second", 2047, 9000, false);
	assert_non_null(test_pool);
	a = spec_of("af_packet:va", 0);
	b = spec_of("af_packet:vb", 1);
	a.mtu = b.mtu = 9000;
	pa = open_ok(&a);
	pb = open_ok(&b);
	for (int i = 0; i < 600; i++) /* more than once around the ring */
		assert_passes(pa, pb, 9014);
	assert_int_equal(pa->mtu, 9000);
	port_close(pa);
	port_close(pb);
	rte_mempool_free(test_pool);
	test_pool = usual;
}

static void interfaces_are_set_up(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_packet:va", 0);
	struct port *port;

	run("ip link set va down");
	assert_false(kernel_if_running("va"));
	port = open_ok(&a);
	assert_true(kernel_if_running("va"));
	port_close(port);
}

/* The kernel tells of a carrier a while after it came or went, up to a second later (linkwatch). */
static void assert_link_becomes(struct port *port, bool up)
{
	for (unsigned tries = 0; tries < 500 && port_link_up(port) != up; tries++)
		usleep(10000);
	assert_int_equal(port_link_up(port), up);
}

static void the_carrier_is_followed(void **state)
{
	need_privilege();
	static const char *const devices[] = {"af_packet:va", "af_xdp:va"};

	for (unsigned i = 0; i < TEST_COUNT(devices); i++) {
		struct port_spec a = spec_of(devices[i], 0);
		struct port *port = open_ok(&a);

		assert_link_becomes(port, true);
		run("ip link set vb down");
		assert_link_becomes(port, false);
		run("ip link set vb up");
		assert_link_becomes(port, true);
		port_close(port);
	}
}

static void af_xdp_carries_frames(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_xdp:va", 0), b = spec_of("af_packet:vb", 1);
	struct port *pa = open_ok(&a), *pb = open_ok(&b);

	for (int i = 0; i < 3000; i++) { /* more than once around its rings */
		assert_passes(pa, pb, 1514);
		assert_passes(pb, pa, 60);
	}
	port_close(pa);
	port_close(pb);
}

static void af_xdp_is_no_jumbo_port(void **state)
{
	need_privilege();
	struct rte_mempool *usual = test_pool;

	test_pool = packet_pool_create("second", 1023, 9000, false);
	assert_non_null(test_pool);
	struct port_spec a = spec_of("af_xdp:va", 0);
	a.mtu = 9000;
	open_fails(&a, EMSGSIZE, "net_af_xdp carries at most");
	a.mtu = 1500; /* but another port is */
	open_fails(&a, EMSGSIZE, "AF_XDP takes buffers of at most");
	rte_mempool_free(test_pool);
	test_pool = usual;
}

static void tap_comes_and_goes(void **state)
{
	need_privilege();
	struct port_spec spec = spec_of("tap:tap9", 0);
	struct port *port;

	spec.mtu = 1400;
	port = open_ok(&spec);
	assert_true(kernel_if_exists("tap9"));
	assert_true(port_link_up(port));
	run("ip link show tap9 | grep -q 'mtu 1400'");
	port_close(port);
	assert_false(kernel_if_exists("tap9"));
}

static void tap_is_no_jumbo_port(void **state)
{
	need_privilege();
	struct rte_mempool *usual = test_pool;

	test_pool = packet_pool_create("second", 1023, 9000, false);
	assert_non_null(test_pool);
	struct port_spec spec = spec_of("tap:tap9", 0);
	spec.mtu = 9000;
	open_fails(&spec, EMSGSIZE, "net_tap carries at most 1504");
	assert_false(kernel_if_exists("tap9"));
	rte_mempool_free(test_pool);
	test_pool = usual;
}

static void tap_takes_no_foreign_interface(void **state)
{
	need_privilege();
	struct port_spec spec = spec_of("tap:va", 0);

	open_fails(&spec, EEXIST, "'va' is another interface of this machine (veth)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(af_packet_carries_frames, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(
		af_packet_carries_jumbo_frames, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(interfaces_are_set_up, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(the_carrier_is_followed, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(af_xdp_carries_frames, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(af_xdp_is_no_jumbo_port, pair_setup, pair_teardown),
	    cmocka_unit_test(tap_comes_and_goes),
	    cmocka_unit_test(tap_is_no_jumbo_port),
	    cmocka_unit_test_setup_teardown(
		tap_takes_no_foreign_interface, pair_setup, pair_teardown),
	};

	return cmocka_run_group_tests(tests, namespace_setup, eal_teardown);
}
