/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Cycles per packet of plain forwarding: a whole worker_round() from port to port, and each stage by itself.
 *
 *   forward-bench [EAL options] -- [PACKETS [SECONDS]]
 *
 * Two ports are rings in memory. PACKETS frames of 64 bytes (60 and the checksum that no ring carries) circulate:
 * 64 have everything in the first-level cache, 4096 are what a receive queue holds. Between rounds, outside
 * the measured time, each frame gets its old header back. "wire" is the port alone, received and sent again:
 * what no router can beat. Core cycles: a loop of dependent multiplications, 3 cycles each, tells how many TSC
 * ticks a core cycle takes at that moment.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "datapath/stage.h"
#include "datapath/tx.h"
#include "drivers/buffers.h"
#include "transitbench/clock.h"

#define FRAME_BYTES 60
#define MTU         1500
#define ROUTES      1024
#define MEMBERS     16
#define BLOCK       256 /* rounds */
#define TABLES      2

static const struct rte_ether_addr our_mac = {{2, 0, 0, 0, 0, 1}};

enum spread { ONE_FLOW, MANY_ROUTES, MANY_HOSTS, ECMP, TWO_TABLES };

static const struct profile {
	const char *name;
	enum spread spread;
} profiles[] = {
    {"one flow", ONE_FLOW},
    {"1024 routes, 16 gateways", MANY_ROUTES},
    {"1024 hosts, connected", MANY_HOSTS},
    {"1024 flows, ECMP of 16", ECMP},
    {"two VLANs and tables, mixed", TWO_TABLES},
};

struct bench {
	struct rte_mempool *pool;
	struct boundary *b;
	struct worker *w;
	struct port port[2];
	struct rte_ring *in[2], *out[2];
	struct fib *table[TABLES];
	uint32_t iface_in[TABLES], iface_out;
	uint32_t gateway[MEMBERS], connected, group;
	uint16_t slot;
	unsigned packets;
	double seconds;
};

static void die(const char *what)
{
	fprintf(stderr, "forward-bench: %s\n", what);
	exit(1);
}

static void open_port(struct bench *t, unsigned i)
{
	struct port *p = &t->port[i];
	struct rte_eth_conf conf = {0};
	char name[32];
	int id;

	snprintf(name, sizeof(name), "in%u", i);
	t->in[i] = rte_ring_create(name, 8192, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "out%u", i);
	t->out[i] = rte_ring_create(name, 8192, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "wire%u", i);
	id = rte_eth_from_rings(name, &t->in[i], 1, &t->out[i], 1, 0);
	if (id < 0 || rte_eth_dev_configure((uint16_t)id, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup((uint16_t)id, 0, 512, 0, NULL, t->pool) < 0 ||
	    rte_eth_tx_queue_setup((uint16_t)id, 0, 512, 0, NULL) < 0 ||
	    rte_eth_dev_start((uint16_t)id) < 0)
		die("cannot open a ring port");
	*p = (struct port){
	    .dpdk_id = (uint16_t)id, .index = (uint16_t)i, .mtu = 1500, .mac = our_mac};
	atomic_store(&p->link_up, true);
	t->b->port[i] = p;
	t->b->ports = i + 1;
}

static uint32_t add_iface(struct bench *t, uint16_t port, uint16_t vlan, struct fib *fib)
{
	struct iface spec = {.port = port,
	    .vlan = vlan,
	    .role = IFACE_ATTACHMENT,
	    .up = true,
	    .mtu = 1500,
	    .mac = our_mac,
	    .slot = slot_alloc(&t->b->counters),
	    .attachment = (uint16_t)(1 + vlan),
	    .fib = fib};
	int index = iface_publish(&t->b->ifaces, &spec);

	if (index <= 0)
		die("no interface");
	t->slot = spec.slot;
	return (uint32_t)index;
}

static uint32_t add_nexthop(struct bench *t, const struct nexthop_spec *spec)
{
	uint32_t index = 0;

	if (nexthop_publish(&t->b->nexthops, spec, &index) < 0)
		die("no next hop");
	return index;
}

static int add_neighbour(struct bench *t, uint32_t addr)
{
	struct ip_addr a = ip_v4(addr);
	struct rte_ether_addr mac = {{2, 0xee, 0, 0, (uint8_t)(addr >> 8), (uint8_t)addr}};
	int index =
	    neigh_publish(t->b->neighbours, iface_get(&t->b->ifaces, t->iface_out), &a, &mac);

	if (index <= 0)
		die("no neighbour");
	return index;
}

static void add_ways_out(struct bench *t)
{
	struct nexthop_spec spec = {
	    .kind = NH_CONNECTED, .iface = (uint16_t)t->iface_out, .slot = t->slot};
	struct nexthop_spec group = {.kind = NH_GROUP, .member_count = MEMBERS};

	t->connected = add_nexthop(t, &spec);
	spec.kind = NH_VIA;
	for (unsigned i = 0; i < MEMBERS; i++) {
		spec.neigh = (uint32_t)add_neighbour(t, 0x0afe0000 + i);
		t->gateway[i] = add_nexthop(t, &spec);
		group.members[i] =
		    (struct ecmp_member){.leaf = t->gateway[i], .identity = i + 1, .alive = true};
	}
	t->group = add_nexthop(t, &group);
	for (unsigned i = 0; i < ROUTES; i++)
		add_neighbour(t, 0x0b000000 + i);
}

static void open_bench(struct bench *t)
{
	struct boundary_limits limits = {.workers = 1,
	    .ifaces = 8,
	    .neighbours = 4096,
	    .nexthops = 256,
	    .tunnels = 8,
	    .sas = 8,
	    .slots = 16};
	struct fib_limits routes = {.routes = 4096, .groups = 16};

	t->pool = packet_pool_create("bench", 8191, MTU, false, SOCKET_ID_ANY);
	t->b = t->pool ? boundary_create(&limits, NULL, t->pool) : NULL;
	if (!t->b)
		die("no memory");
	open_port(t, 0);
	open_port(t, 1);
	t->iface_out = add_iface(t, 1, VLAN_NONE, NULL);
	add_ways_out(t);
	for (uint16_t i = 0; i < TABLES; i++) {
		t->table[i] = fib_create(t->b->epoch, "bench", i, &routes);
		if (!t->table[i])
			die("no table");
		t->iface_in[i] = add_iface(t, 0, i, t->table[i]);
	}
	t->w = workers_create(t->b, false);
	if (!t->w || worker_add_queue(t->w, 0, 0) < 0)
		die("no worker");
	epoch_online(t->b->epoch, 0);
}

/* 10/8 in 1024 pieces by gateway or group, 11/8 connected. */
static void set_routes(struct bench *t, enum spread spread)
{
	for (unsigned table = 0; table < TABLES; table++) {
		struct ip_addr hosts = ip_v4(0x0b000000);
		struct ip_prefix connected = ip_prefix_of(&hosts, 8);

		for (unsigned i = 0; i < ROUTES; i++) {
			struct ip_addr a = ip_v4(0x0a000000 + (i << 14));
			struct ip_prefix p = ip_prefix_of(&a, 18);

			if (fib_set(t->table[table], &p,
				spread == ECMP ? t->group : t->gateway[i % MEMBERS]))
				die("no route");
		}
		if (fib_set(t->table[table], &connected, t->connected))
			die("no route");
	}
}

static uint32_t destination(enum spread spread, unsigned i)
{
	switch (spread) {
	case MANY_ROUTES:
	case ECMP:
		return 0x0a000001 + (i * 7 % ROUTES << 14);
	case MANY_HOSTS:
		return 0x0b000000 + i * 7 % ROUTES;
	default:
		return 0x0a000001;
	}
}

/* The frame as it arrives, in a buffer whose header it may have lost on the way. */
static void make_frame(struct rte_mbuf *m, enum spread spread, unsigned i)
{
	bool tagged = spread == TWO_TABLES && i % 2;
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;

	rte_pktmbuf_reset_headroom(m);
	m->data_len = (uint16_t)(FRAME_BYTES + (tagged ? 4 : 0));
	m->pkt_len = m->data_len;
	eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	eth->dst_addr = our_mac;
	eth->ether_type = tagged ? RTE_BE16(RTE_ETHER_TYPE_VLAN) : RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip = (struct rte_ipv4_hdr *)(eth + 1);
	if (tagged) {
		struct rte_vlan_hdr *tag = (struct rte_vlan_hdr *)(eth + 1);

		*tag = (struct rte_vlan_hdr){RTE_BE16(1), RTE_BE16(RTE_ETHER_TYPE_IPV4)};
		ip = (struct rte_ipv4_hdr *)(tag + 1);
	}
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
	    .total_length = RTE_BE16(FRAME_BYTES - RTE_ETHER_HDR_LEN),
	    .time_to_live = 64,
	    .next_proto_id = IPPROTO_UDP,
	    .src_addr = rte_cpu_to_be_32(0xc0a80001 + i),
	    .dst_addr = rte_cpu_to_be_32(destination(spread, i))};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* What left by port 1 (or was only carried there) is what arrives at port 0 next. */
static void turn_round(struct bench *t, enum spread spread)
{
	static unsigned next;
	struct rte_mbuf *m[BURST_MAX];
	unsigned n;

	while ((n = rte_ring_dequeue_burst(t->out[1], (void **)m, BURST_MAX, NULL)) > 0) {
		for (unsigned i = 0; i < n; i++)
			make_frame(m[i], spread, next++);
		if (rte_ring_enqueue_bulk(t->in[0], (void **)m, n, NULL) != n)
			die("ring full");
	}
}

static unsigned wire_round(struct bench *t)
{
	struct rte_mbuf *m[BURST_MAX];
	unsigned n = rte_eth_rx_burst(t->port[0].dpdk_id, 0, m, BURST_MAX);

	return rte_eth_tx_burst(t->port[1].dpdk_id, 0, m, n);
}

static unsigned forward_round(struct bench *t)
{
	return worker_round(t->w);
}

/* Core cycles per packet of one kind of round: the best block of rounds, as others use the machine too. */
static double measure(struct bench *t, enum spread spread, unsigned (*round)(struct bench *t))
{
	uint64_t until = rte_rdtsc() + (uint64_t)(t->seconds * (double)rte_get_tsc_hz());
	double best = INFINITY, ratio = INFINITY;

	while (rte_rdtsc() < until) {
		uint64_t spent = 0;

		for (unsigned i = 0; i < BLOCK; i++) {
			uint64_t start = rte_rdtsc();
			unsigned n = round(t);

			spent += rte_rdtsc() - start;
			if (n != BURST_MAX)
				die("a round did not move a burst");
			if (rte_ring_count(t->in[0]) < BURST_MAX)
				turn_round(t, spread);
		}
		best = fmin(best, (double)spent / BLOCK / BURST_MAX);
		ratio = fmin(ratio, ticks_per_cycle());
	}
	return best / ratio;
}

/* One stage after the other over the same burst, as round.c has them. */
enum stage { S_RX, S_CLASSIFY, S_IP_IN, S_UPLINK, S_ROUTE, S_EGRESS, S_TX, STAGES };
static const char *const stage_names[STAGES] = {
    "rx", "classify", "ip_in", "uplink", "route", "egress", "tx"};

static void staged_round(struct bench *t, uint64_t spent[STAGES])
{
	const struct worker_queue q = {0, 0};
	struct burst esp = {.n = 0};
	struct rte_mbuf *m[BURST_MAX];
	struct routed to;
	bool from_uplink;
	uint64_t at[STAGES + 1];
	unsigned n;

	at[S_RX] = rte_rdtsc();
	n = rx(t->w, &q, m);
	at[S_CLASSIFY] = rte_rdtsc();
	n = classify(t->w, &t->port[0], m, n, &from_uplink);
	at[S_IP_IN] = rte_rdtsc();
	n = ip_in(t->w, m, n, true);
	at[S_UPLINK] = rte_rdtsc();
	if (from_uplink)
		n = uplink(t->w, m, n, &esp);
	at[S_ROUTE] = rte_rdtsc();
	route(t->w, m, n, &to);
	at[S_EGRESS] = rte_rdtsc();
	egress(t->w, &to.clear);
	at[S_TX] = rte_rdtsc();
	tx_flush(t->w);
	at[STAGES] = rte_rdtsc();
	for (unsigned s = 0; s < STAGES; s++)
		spent[s] += at[s + 1] - at[s];
}

static void print_stages(struct bench *t, enum spread spread)
{
	uint64_t until = rte_rdtsc() + (uint64_t)(t->seconds * (double)rte_get_tsc_hz());
	double best[STAGES], ratio = INFINITY;

	for (unsigned s = 0; s < STAGES; s++)
		best[s] = INFINITY;
	while (rte_rdtsc() < until) {
		uint64_t spent[STAGES] = {0};

		for (unsigned i = 0; i < BLOCK; i++) {
			staged_round(t, spent);
			if (rte_ring_count(t->in[0]) < BURST_MAX)
				turn_round(t, spread);
		}
		for (unsigned s = 0; s < STAGES; s++)
			best[s] = fmin(best[s], (double)spent[s] / BLOCK / BURST_MAX);
		ratio = fmin(ratio, ticks_per_cycle());
	}
	for (unsigned s = 0; s < STAGES; s++)
		printf("  %s %.1f", stage_names[s], best[s] / ratio);
	printf("\n");
}

static void fill_wire(struct bench *t)
{
	for (unsigned i = 0; i < t->packets; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(t->pool);

		if (!m || rte_ring_enqueue(t->out[1], m) != 0)
			die("too many packets");
	}
}

int main(int argc, char **argv)
{
	static struct bench t;
	int used = rte_eal_init(argc, argv);

	if (used < 0)
		die("EAL");
	argc -= used;
	argv += used;
	t.packets = argc > 1 ? (unsigned)atoi(argv[1]) : 4096;
	t.seconds = argc > 2 ? atof(argv[2]) : 1;
	if (t.packets < BURST_MAX || t.packets > 8000 || t.packets % BURST_MAX)
		die("PACKETS: a multiple of 64, at most 8000");
	open_bench(&t);
	fill_wire(&t);
	printf("core cycles per packet, %u packets\n", t.packets);
	for (unsigned i = 0; i < RTE_DIM(profiles); i++) {
		const struct profile *p = &profiles[i];
		double wire, all;

		set_routes(&t, p->spread);
		turn_round(&t, p->spread);
		wire = measure(&t, p->spread, wire_round);
		all = measure(&t, p->spread, forward_round);
		printf("%-28s %6.1f   wire alone %.1f\n", p->name, all, wire);
		print_stages(&t, p->spread);
	}
	return 0;
}
