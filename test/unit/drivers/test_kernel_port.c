/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Ports on interfaces of the kernel, in a network namespace of this process alone. Skipped without
 * the privilege to make one.
 */

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <rte_cycles.h>

#include "base/log.h"
#include "drivers/kernel_if.h"
#include "eal.h"

static bool is_privileged;

/* With sanitizers: what libxdp and the driver never give back is no leak of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:xsk_umem__create\nleak:libbpf.so\n";
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

	test_pool = packet_pool_create("second", 2047, 9000, false, -1);
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

static void keep_line(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	if (level == LOG_WARNING)
		snprintf(ctx, 256, "%s", line);
}

static void joined_segments_are_told(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_packet:va", 0);
	char said[256] = "";
	struct port *port;

	log_set_sink(keep_line, said);
	port = open_ok(&a);
	assert_string_equal(said, "");
	port_close(port);
	run("ethtool -K va gro on");
	port = open_ok(&a);
	log_set_sink(NULL, NULL);
	assert_non_null(strstr(said, "`ethtool -K va gro off lro off`"));
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
	a.exclusive = true;
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

	test_pool = packet_pool_create("second", 1023, 9000, false, -1);
	assert_non_null(test_pool);
	struct port_spec a = spec_of("af_xdp:va", 0);
	a.mtu = 9000;
	open_fails(&a, EMSGSIZE, "net_af_xdp carries at most");
	a.mtu = 1500; /* but another port is */
	open_fails(&a, EMSGSIZE, "AF_XDP takes buffers of at most");
	rte_mempool_free(test_pool);
	test_pool = usual;
}

/* ---- an interface that the host uses too ---- */

struct count {
	const char *name;
	uint64_t value;
};
struct counts {
	struct count row[32];
	unsigned n;
};

static uint64_t counted(const struct count *all, const char *name)
{
	for (; all->name; all++) {
		if (!strcmp(all->name, name))
			return all->value;
	}
	fail_msg("no counter %s", name);
	return 0;
}

static void keep_count(void *ctx, const char *name, uint64_t value)
{
	struct counts *c = ctx;

	c->row[c->n++] = (struct count){name, value};
}

/* One frame of these bytes from vb; whether the port got it, by the verdict that was counted. */
static void assert_verdict(
    struct port *from, struct port *to, const char *bytes, size_t len, const char *verdict)
{
	struct counts before = {0}, after = {0};
	struct rte_mbuf *m = rte_pktmbuf_alloc(test_pool);
	bool ours = strcmp(verdict, "host") != 0 && strcmp(verdict, "truncated") != 0;

	memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes, len);
	port_counts(to, keep_count, &before);
	assert_int_equal(rte_eth_tx_burst(from->dpdk_id, 0, &m, 1), 1);
	for (unsigned tries = 0; tries < 2000; tries++) {
		memset(&after, 0, sizeof(after));
		port_counts(to, keep_count, &after);
		if (counted(after.row, verdict) == counted(before.row, verdict) + 1)
			break;
		usleep(1000);
	}
	for (unsigned i = 0; i < after.n; i++)
		if (after.row[i].value !=
		    before.row[i].value + (strcmp(after.row[i].name, verdict) == 0))
			fail_msg("expected verdict %s, counted %s", verdict, after.row[i].name);
	m = receive(to, ours ? 2000 : 20);
	assert_int_equal(m != NULL, ours);
	if (m) {
		assert_int_equal(rte_pktmbuf_pkt_len(m), len);
		assert_memory_equal(rte_pktmbuf_mtod(m, char *), bytes, len);
	}
	rte_pktmbuf_free(m);
}

#define MAC_A  "\x02\0\0\0\0\x0a"
#define MAC_B  "\x02\0\0\0\0\x0b"
#define ALL    "\xff\xff\xff\xff\xff\xff"
#define OURS   "\xcb\x00\x71\x21" /* 203.0.113.33 */
#define THEIRS "\xcb\x00\x71\x05" /* 203.0.113.5 */
#define TAG    "\x81\x00\x20\x64" /* VLAN 100, with a priority */
/* version to checksum: no options, no checksum; `frag`: two bytes, `proto`: one */
#define IPV4(frag, proto, dst) "\x45\0\0\x28\0\x01" frag "\x40" proto "\0\0\xc0\0\x02\x01" dst
#define WHOLE                  "\x40\0"
#define FIRST                  "\x20\0"
#define LATER                  "\x00\xb9"
#define ARP_FOR(tpa)           "\x08\x06\0\x01\x08\0\x06\x04\0\x01" MAC_B "\xcb\x00\x71\x01\0\0\0\0\0\0" tpa
#define UDP(port)              "\x13\x88" port "\0\x14\0\0data of no meaning"
#define REST                   "twenty-odd bytes of no meaning at all"
#define FRAME(bytes)           bytes, sizeof(bytes) - 1

static const struct steered_frame {
	const char *bytes;
	size_t len;
	const char *uplink;  /* verdict on an uplink with 203.0.113.33 */
	const char *rest;    /* and where an untagged attachment has that address, the host .5 */
	const char *own_mac; /* and with a MAC address of its own, MAC_A */
} steered[] = {
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x32", OURS) REST), "esp", "attachment", "attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(FIRST, "\x32", OURS) REST), "esp", "attachment", "attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(LATER, "\x32", OURS) REST), "fragment", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(LATER, "\x11", OURS) REST), "fragment", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(LATER, "\x06", OURS) REST), "host", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x11", OURS) UDP("\x01\xf4")), "ike", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x11", OURS) UDP("\x11\x94")), "ike", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x11", OURS) UDP("\x00\x35")), "host", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x01", OURS) REST), "icmp", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x06", OURS) REST), "host", "attachment",
	"attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x32", THEIRS) REST), "host", "host", "attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x06", THEIRS) REST), "host", "host", "attachment"},
    {FRAME(MAC_A MAC_B "\x08\0" IPV4(WHOLE, "\x06", "\x0a\x01\x02\x03") REST), "host", "attachment",
	"attachment"},
    {FRAME(MAC_B MAC_B "\x08\0" IPV4(WHOLE, "\x32", OURS) REST), "esp", "attachment", "host"},
    {FRAME(ALL MAC_B "\x08\0" IPV4(WHOLE, "\x11", "\xff\xff\xff\xff") REST), "host", "host",
	"host"},
    {FRAME(ALL MAC_B ARP_FOR(OURS) REST), "neighbour", "neighbour", "neighbour"},
    {FRAME(MAC_A MAC_B ARP_FOR(OURS) REST), "neighbour", "neighbour", "attachment"},
    {FRAME(ALL MAC_B ARP_FOR(THEIRS) REST), "host", "host", "host"},
    {FRAME(MAC_A MAC_B "\x88\xb5" REST), "host", "host", "attachment"},
    {FRAME(MAC_A MAC_B "\x81\x00\x20\x65\x08\0" IPV4(WHOLE, "\x32", OURS) REST), "host", "host",
	"host"},
    {FRAME(MAC_B MAC_B TAG "\x88\xb5" REST), "attachment", "attachment", "attachment"},
    {FRAME(ALL MAC_B TAG ARP_FOR(THEIRS) REST), "attachment", "attachment", "attachment"},
};

static struct port_steering rules_of(enum port_share untagged)
{
	static struct port_steered_vlan vlans[2] = {{0, 0}, {100, PORT_SHARE_ALL}};
	static struct port_steered_address address;

	vlans[0].share = untagged;
	address.address = ip_from_bytes(IP_V4, (const uint8_t *)OURS);
	return (struct port_steering){
	    .vlan_count = 2, .vlan = vlans, .address_count = 1, .address = &address};
}

static void frames_are_told_apart(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_xdp:va", 0), b = spec_of("af_packet:vb", 1);
	struct port_steering uplink = rules_of(PORT_SHARE_ADDRESSED), none = {0};

	run("ip addr add 203.0.113.5/24 dev va");
	for (unsigned own_mac = 0; own_mac < 2; own_mac++) {
		if (own_mac)
			memcpy(a.mac.addr_bytes, MAC_A, 6);
		struct port *pa = open_ok(&a), *pb = open_ok(&b);

		for (unsigned i = 0; i < TEST_COUNT(steered); i++) {
			const struct steered_frame *f = &steered[i];

			assert_int_equal(port_steer(pa, &none), 0);
			assert_verdict(pb, pa, f->bytes, f->len, "host");
			assert_int_equal(port_steer(pa, &uplink), 0);
			if (!own_mac)
				assert_verdict(pb, pa, f->bytes, f->len, f->uplink);
			struct port_steering rest = rules_of(PORT_SHARE_REST);
			assert_int_equal(port_steer(pa, &rest), 0);
			assert_verdict(pb, pa, f->bytes, f->len, own_mac ? f->own_mac : f->rest);
			uplink = rules_of(PORT_SHARE_ADDRESSED);
		}
		if (own_mac)
			assert_memory_equal(pa->mac.addr_bytes, MAC_A, 6);
		port_close(pa);
		port_close(pb);
	}
}

static void addresses_of_the_host_are_followed(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_xdp:va", 0), b = spec_of("af_packet:vb", 1);
	struct port *pa = open_ok(&a), *pb = open_ok(&b);
	struct port_steering rest = rules_of(PORT_SHARE_REST);
	const struct steered_frame *f = &steered[11];

	assert_int_equal(port_steer(pa, &rest), 0);
	assert_verdict(pb, pa, f->bytes, f->len, "attachment");
	run("ip addr add 203.0.113.5/24 dev va");
	port_tend(pa);
	assert_verdict(pb, pa, f->bytes, f->len, "host");
	run("ip addr del 203.0.113.5/24 dev va");
	port_tend(pa);
	assert_verdict(pb, pa, f->bytes, f->len, "attachment");
	port_close(pa);
	port_close(pb);
}

static void short_frames_are_the_hosts(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_xdp:va", 0), b = spec_of("af_packet:vb", 1);
	struct port *pa = open_ok(&a), *pb = open_ok(&b);
	const struct steered_frame *f = &steered[5];
	struct port_steering uplink = rules_of(PORT_SHARE_ADDRESSED);

	assert_int_equal(port_steer(pa, &uplink), 0);
	for (size_t len = 14; len < 14 + 20 + 4; len++)
		assert_verdict(pb, pa, f->bytes, len, "truncated");
	assert_verdict(pb, pa, f->bytes, 14 + 20 + 4, "ike");
	port_close(pa);
	port_close(pb);
}

/* Nothing of it stays; one process at a time; no program of somebody else is pushed aside. */
static void the_program_comes_and_goes(void **state)
{
	need_privilege();
	/* the driver does not give back what its rings held: a pool that ends with the test */
	struct rte_mempool *usual = test_pool;
	test_pool = packet_pool_create("second", 16383, 1500, false, -1);
	assert_non_null(test_pool);
	struct port_spec a = spec_of("af_xdp:va", 0), again = spec_of("af_xdp:va", 1);

	for (int i = 0; i < 3; i++) {
		struct port *pa = open_ok(&a);

		run("ip link show va | grep -q prog/xdp");
		open_fails(&again, EBUSY, "another transitd has the interface");
		port_close(pa);
		run("! ip link show va | grep -q prog/xdp");
	}
	rte_mempool_free(test_pool);
	test_pool = usual;
}

/* A program that lets everything pass, attached under a name. */
static int attach_program(const char *name)
{
	const struct bpf_insn pass[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", pass, TEST_COUNT(pass), NULL);

	assert_true(fd >= 0);
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex("va"), fd, 0, NULL), 0);
	close(fd);
	return 0;
}

static void programs_of_others_stay(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_xdp:va", 0);

	attach_program("somebody");
	open_fails(&a, EBUSY, "'va' has another XDP program already");
	run("ip -d link show va | grep -q somebody");
}

static void a_program_of_a_dead_process_goes(void **state)
{
	need_privilege();
	struct port_spec a = spec_of("af_xdp:va", 0);
	struct port *pa;

	attach_program("transitd_steer");
	pa = open_ok(&a);
	port_close(pa);
	run("! ip link show va | grep -q prog/xdp");
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

	test_pool = packet_pool_create("second", 1023, 9000, false, -1);
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

/* Of any kind, whoever came first; and free again when that one is gone, also without a word. */
static void an_interface_has_one_router(void **state)
{
	need_privilege();
	static const char *const devices[] = {"af_packet:va", "tap:tap9"};

	for (unsigned i = 0; i < TEST_COUNT(devices); i++) {
		struct port_spec spec = spec_of(devices[i], 0);
		const char *name = strchr(devices[i], ':') + 1;
		int status, word[2];
		char byte;

		assert_int_equal(pipe(word), 0);
		pid_t other = fork();
		assert_true(other >= 0);
		if (other == 0) {
			byte = kernel_if_claim(name) >= 0;
			if (write(word[1], &byte, 1) == 1)
				pause();
			_exit(0);
		}
		assert_int_equal(read(word[0], &byte, 1), 1);
		assert_true(byte);
		open_fails(&spec, EBUSY, "another transitd has the interface");
		assert_int_equal(kill(other, SIGKILL), 0);
		assert_int_equal(waitpid(other, &status, 0), other);
		close(word[0]);
		close(word[1]);
		port_close(open_ok(&spec));
		port_close(open_ok(&spec));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(af_packet_carries_frames, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(
		af_packet_carries_jumbo_frames, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(interfaces_are_set_up, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(joined_segments_are_told, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(the_carrier_is_followed, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(af_xdp_carries_frames, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(af_xdp_is_no_jumbo_port, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(frames_are_told_apart, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(
		addresses_of_the_host_are_followed, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(short_frames_are_the_hosts, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(the_program_comes_and_goes, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(programs_of_others_stay, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(
		a_program_of_a_dead_process_goes, pair_setup, pair_teardown),
	    cmocka_unit_test_setup_teardown(an_interface_has_one_router, pair_setup, pair_teardown),
	    cmocka_unit_test(tap_comes_and_goes),
	    cmocka_unit_test(tap_is_no_jumbo_port),
	    cmocka_unit_test_setup_teardown(
		tap_takes_no_foreign_interface, pair_setup, pair_teardown),
	};

	return cmocka_run_group_tests(tests, namespace_setup, eal_teardown);
}
