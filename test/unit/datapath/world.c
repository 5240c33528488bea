/* SPDX-License-Identifier: BSD-3-Clause */
/* world.h says what this builds. */

#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "testing_eal.h"
#include "world.h"

#define WIRE    4096 /* frames on a wire */
#define BUFFERS 8191

static const uint8_t macs[W_PORTS][6] = {
    {2, 0, 0, 0, 0, 0x10}, {2, 0, 0, 0, 0, 0x11}, {2, 0, 0, 0, 0, 0x12}};
static const unsigned port_of[W_IFACES] = {0, 1, 1, 2};
static const uint16_t vlan_of[W_IFACES] = {VLAN_NONE, 100, 200, VLAN_NONE};

const uint8_t *world_mac(unsigned port)
{
	return macs[port];
}

static void start_eal(void)
{
	static bool started;
	static char lcores[5 * CPU_SETSIZE];
	static const char *const args[] = {"test", "--lcores", lcores, "--no-huge", "-m", "512",
	    "--no-pci", "--no-shconf", "--no-telemetry", "--log-level=critical"};
	char *copy[TEST_COUNT(args)], *argv[TEST_COUNT(args) + 1] = {0};

	if (started)
		return;
	test_lcores(lcores, sizeof(lcores));
	for (unsigned i = 0; i < TEST_COUNT(args); i++)
		argv[i] = copy[i] = strdup(args[i]); /* EAL moves them about */
	assert_true(rte_eal_init(TEST_COUNT(args), argv) >= 0);
	for (unsigned i = 0; i < TEST_COUNT(args); i++)
		free(copy[i]);
	started = true;
}

static struct rte_ring *wire(const char *name, unsigned i)
{
	static unsigned made;
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *r;

	snprintf(full, sizeof(full), "%s%u.%u", name, i, made++);
	r = rte_ring_create(full, WIRE, SOCKET_ID_ANY, 0);
	assert_non_null(r);
	return r;
}

static void make_port(struct world *t, unsigned i)
{
	static unsigned made;
	struct port *p = &t->port[i];
	struct rte_eth_conf conf = {0};
	char name[32];
	int id;

	t->to_router[i] = wire("to", i);
	t->from_router[i] = wire("from", i);
	snprintf(name, sizeof(name), "wire%u", made++);
	id = rte_eth_from_rings(name, &t->to_router[i], 1, &t->from_router[i], 1, 0);
	assert_true(id >= 0);
	assert_int_equal(rte_eth_dev_configure((uint16_t)id, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup((uint16_t)id, 0, 512, 0, NULL, t->pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup((uint16_t)id, 0, 512, 0, NULL), 0);
	assert_int_equal(rte_eth_dev_start((uint16_t)id), 0);
	*p = (struct port){.dpdk_id = (uint16_t)id,
	    .index = (uint16_t)i,
	    .rx_queues = 1,
	    .tx_queues = 1,
	    .tx_shared = true,
	    .mtu = 1500};
	memcpy(p->mac.addr_bytes, macs[i], 6);
	atomic_store(&p->link_up, true);
	rte_spinlock_init(&p->tx_lock[0]);
	t->b->port[i] = p;
	t->b->ports = i + 1;
}

static void make_iface(struct world *t, enum world_iface i, struct fib *fib, const char *address)
{
	struct iface spec = {.port = (uint16_t)port_of[i],
	    .vlan = vlan_of[i],
	    .role = i == W_UPLINK ? IFACE_UPLINK : IFACE_ATTACHMENT,
	    .up = true,
	    .mtu = i == W_C ? 1300 : 1500,
	    .slot = slot_alloc(&t->b->counters),
	    .attachment = (uint16_t)i,
	    .fib = fib,
	    .address = test_addr(address)};
	int index;

	memcpy(spec.mac.addr_bytes, macs[port_of[i]], 6);
	index = iface_publish(&t->b->ifaces, &spec);
	assert_true(index > 0);
	t->iface[i] = (uint32_t)index;
	t->slot[i] = spec.slot;
	t->connected[i] = world_nexthop(t,
	    &(struct nexthop_spec){.kind = NH_CONNECTED,
		.iface = (uint16_t)index,
		.slot = spec.slot,
		.attachment = spec.attachment});
}

uint32_t world_nexthop(struct world *t, const struct nexthop_spec *spec)
{
	uint32_t index = 0;

	assert_int_equal(nexthop_publish(&t->b->nexthops, spec, &index), 0);
	return index;
}

void world_route(struct world *t, struct fib *f, const char *prefix, uint32_t nexthop)
{
	struct ip_prefix p = test_prefix(prefix);

	assert_int_equal(fib_set(f, &p, nexthop), 0);
}

int world_neighbour(struct world *t, enum world_iface iface, const char *addr, uint8_t last)
{
	struct ip_addr a = test_addr(addr);
	struct rte_ether_addr mac = {{2, 0xee, 0, 0, 0, last}};
	int index =
	    neigh_publish(t->b->neighbours, iface_get(&t->b->ifaces, t->iface[iface]), &a, &mac);

	assert_true(index > 0);
	return index;
}

static struct fib *make_table(struct world *t, uint16_t index)
{
	const struct fib_limits limits = {.routes = 1000, .groups = 64};
	struct fib *f = fib_create(t->b->epoch, "test", index, &limits);

	assert_non_null(f);
	return f;
}

static void make_routes(struct world *t)
{
	struct fib *tables[] = {t->underlay, t->table_a, t->table_b};
	static const char *own[] = {"10.1.255.254/32", "10.2.255.254/32", "10.3.255.254/32"};
	struct permit *only_a = permit_create(8);
	uint32_t via;

	t->local = world_nexthop(t, &(struct nexthop_spec){.kind = NH_LOCAL});
	world_route(t, t->underlay, "203.0.113.10/32", t->local);
	for (unsigned i = 0; i < TEST_COUNT(own); i++)
		for (unsigned f = 1; f < TEST_COUNT(tables); f++)
			world_route(t, tables[f], own[i], t->local);
	world_route(t, t->table_a, "10.1.0.0/16", t->connected[W_A]);
	world_route(t, t->table_a, "10.2.0.0/16", t->connected[W_B]);
	world_route(t, t->table_a, "10.3.0.0/16", t->connected[W_C]);
	world_route(t, t->table_b, "10.2.0.0/16", t->connected[W_B]);
	world_neighbour(t, W_A, "10.1.0.1", 0xa1);
	world_neighbour(t, W_B, "10.2.0.1", 0xb1);
	world_neighbour(t, W_C, "10.3.0.1", 0xc1);
	via = world_nexthop(t,
	    &(struct nexthop_spec){.kind = NH_VIA,
		.iface = (uint16_t)t->iface[W_C],
		.slot = t->slot[W_C],
		.attachment = W_C,
		.neigh = (uint32_t)world_neighbour(t, W_C, "10.3.0.9", 0xc9)});
	world_route(t, t->table_a, "10.9.0.0/16", via);
	world_route(t, t->table_a, "10.66.0.0/16",
	    world_nexthop(t, &(struct nexthop_spec){.kind = NH_BLACKHOLE}));
	t->neigh_a9 = world_neighbour(t, W_A, "10.1.0.9", 0xa9);
	world_route(t, t->table_b, "0.0.0.0/0",
	    world_nexthop(t,
		&(struct nexthop_spec){.kind = NH_VIA,
		    .iface = (uint16_t)t->iface[W_A],
		    .slot = t->slot[W_A],
		    .attachment = W_A,
		    .neigh = (uint32_t)t->neigh_a9}));
	permit_allow(only_a, W_A);
	world_route(t, t->table_b, "10.1.0.0/16",
	    world_nexthop(t,
		&(struct nexthop_spec){.kind = NH_CONNECTED,
		    .permit = only_a,
		    .iface = (uint16_t)t->iface[W_A],
		    .slot = t->slot[W_A]}));
	permit_unref(only_a);
	t->neigh_gateway = world_neighbour(t, W_UPLINK, "203.0.113.1", 0x01);
	t->gateway = world_nexthop(t,
	    &(struct nexthop_spec){.kind = NH_VIA,
		.iface = (uint16_t)t->iface[W_UPLINK],
		.slot = t->slot[W_UPLINK],
		.neigh = (uint32_t)t->neigh_gateway});
	world_route(t, t->underlay, "0.0.0.0/0", t->gateway);
}

int world_setup(void **state)
{
	const struct boundary_limits limits = {.workers = W_WORKERS,
	    .ifaces = 16,
	    .neighbours = 64,
	    .nexthops = 256,
	    .tunnels = 16,
	    .sas = 64,
	    .slots = TEST_COUNT(((struct world *)0)->before)};
	struct world *t = calloc(1, sizeof(*t));
	static unsigned made;
	const char *why;
	char name[32];

	assert_non_null(t);
	start_eal();
	snprintf(name, sizeof(name), "packets%u", made++);
	t->pool = rte_pktmbuf_pool_create(
	    name, BUFFERS, 128, META_BYTES, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(t->pool);
	t->crypto = crypto_open("auto", W_WORKERS, 128, &why);
	assert_non_null(t->crypto);
	t->b = boundary_create(&limits, t->crypto, t->pool);
	assert_non_null(t->b);
	for (unsigned i = 0; i < W_PORTS; i++)
		make_port(t, i);
	t->underlay = make_table(t, 0);
	t->table_a = make_table(t, 1);
	t->table_b = make_table(t, 2);
	make_iface(t, W_UPLINK, t->underlay, "203.0.113.10");
	make_iface(t, W_A, t->table_a, "10.1.255.254");
	make_iface(t, W_B, t->table_b, "10.2.255.254");
	make_iface(t, W_C, t->table_a, "10.3.255.254");
	make_routes(t);
	t->workers = workers_create(t->b, true);
	assert_non_null(t->workers);
	t->w = &t->workers[0];
	for (uint16_t i = 0; i < W_PORTS; i++)
		assert_int_equal(worker_add_queue(t->w, i, 0), 0);
	for (unsigned i = 0; i < W_WORKERS; i++)
		epoch_online(t->b->epoch, i);
	t->buffers = rte_mempool_avail_count(t->pool);
	*state = t;
	return 0;
}

static void expect_balance(struct world *t)
{
	for (uint16_t s = 0; s < t->b->counters.slots; s++) {
		struct slot_counters sum;

		slot_read(&t->b->counters, s, &sum);
		assert_int_equal(slot_balance(&sum), 0);
	}
}

static void free_port(struct world *t, unsigned i)
{
	assert_int_equal(rte_eth_dev_stop(t->port[i].dpdk_id), 0);
	assert_int_equal(rte_eth_dev_close(t->port[i].dpdk_id), 0);
	rte_ring_free(t->to_router[i]);
	rte_ring_free(t->from_router[i]);
}

int world_teardown(void **state)
{
	struct world *t = *state;
	static struct packet p;

	for (unsigned i = 0; i < W_PORTS; i++)
		while (world_sent(t, i, &p))
			continue;
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++)
		for (struct rte_mbuf *m; (m = world_punted(t, c)) != NULL;)
			rte_pktmbuf_free(m);
	for (unsigned i = 0; i < W_WORKERS; i++)
		epoch_offline(t->b->epoch, i);
	workers_free(t->workers, W_WORKERS);
	expect_balance(t);
	assert_int_equal(rte_mempool_avail_count(t->pool), t->buffers);
	for (unsigned i = 0; i < W_PORTS; i++)
		free_port(t, i);
	fib_free(t->underlay);
	fib_free(t->table_a);
	fib_free(t->table_b);
	boundary_free(t->b);
	crypto_close(t->crypto);
	rte_mempool_free(t->pool);
	free(t);
	return 0;
}

struct rte_mbuf *world_mbuf(struct world *t, const struct packet *p)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(t->pool), *last = head;

	assert_non_null(head);
	memset(pkt_meta(head), 0, sizeof(struct pkt_meta));
	for (size_t at = 0; at < p->len;) {
		size_t part = RTE_MIN(p->len - at, (size_t)rte_pktmbuf_tailroom(last));

		if (part == 0) {
			last = rte_pktmbuf_alloc(t->pool);
			assert_non_null(last);
			assert_int_equal(rte_pktmbuf_chain(head, last), 0);
			continue;
		}
		memcpy(rte_pktmbuf_mtod_offset(last, void *, last->data_len), p->bytes + at, part);
		last->data_len += (uint16_t)part;
		head->pkt_len += (uint32_t)part;
		at += part;
	}
	return head;
}

void world_queue(struct world *t, unsigned port, const struct packet *frame)
{
	assert_int_equal(rte_ring_enqueue(t->to_router[port], world_mbuf(t, frame)), 0);
}

void world_run(struct world *t)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (unsigned i = 0; i < W_WORKERS; i++)
			moved |= worker_round(&t->workers[i]) > 0;
	}
	if (!t->waiting)
		expect_balance(t);
}

void world_receive(struct world *t, unsigned port, const struct packet *frame)
{
	world_queue(t, port, frame);
	world_run(t);
}

void world_queue_on(struct world *t, enum world_iface iface, const struct packet *p)
{
	static struct packet frame;

	frame.len = 0;
	if (vlan_of[iface] == VLAN_NONE)
		packet_eth(&frame, macs[port_of[iface]], 0x0800);
	else
		packet_vlan(&frame, macs[port_of[iface]], vlan_of[iface], 0x0800);
	assert_true(frame.len + p->len <= PACKET_MAX);
	memcpy(frame.bytes + frame.len, p->bytes, p->len);
	frame.len += p->len;
	world_queue(t, port_of[iface], &frame);
}

void world_receive_on(struct world *t, enum world_iface iface, const struct packet *p)
{
	world_queue_on(t, iface, p);
	world_run(t);
}

void world_bytes(struct rte_mbuf *m, struct packet *out)
{
	const void *at;

	assert_true(m->pkt_len <= PACKET_MAX);
	out->len = m->pkt_len;
	at = rte_pktmbuf_read(m, 0, m->pkt_len, out->bytes);
	assert_non_null(at);
	if (at != out->bytes)
		memcpy(out->bytes, at, m->pkt_len);
}

bool world_sent(struct world *t, unsigned port, struct packet *frame)
{
	struct rte_mbuf *m;

	if (rte_ring_dequeue(t->from_router[port], (void **)&m) != 0)
		return false;
	world_bytes(m, frame);
	rte_pktmbuf_free(m);
	return true;
}

struct rte_mbuf *world_punted(struct world *t, enum punt_class class)
{
	struct rte_mbuf *m;

	return punt_take(t->b->punt, class, &m, 1) == 1 ? m : NULL;
}

void world_mark(struct world *t)
{
	for (uint16_t s = 0; s < t->b->counters.slots; s++)
		slot_read(&t->b->counters, s, &t->before[s]);
}

struct slot_counters world_since(struct world *t, uint16_t slot)
{
	const uint64_t *before = (const uint64_t *)&t->before[slot];
	struct slot_counters now;
	uint64_t *word = (uint64_t *)&now;

	slot_read(&t->b->counters, slot, &now);
	for (size_t i = 0; i < sizeof(now) / sizeof(*word); i++)
		word[i] -= before[i];
	return now;
}

uint64_t world_drops(struct world *t, enum drop_reason reason)
{
	uint64_t n = 0;

	for (uint16_t s = 0; s < t->b->counters.slots; s++)
		n += world_since(t, s).drop[reason];
	return n;
}

void world_no_drops(struct world *t)
{
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		if (world_drops(t, r) > 0)
			fail_msg("%" PRIu64 " dropped: %s", world_drops(t, r), drop_reason_name(r));
}

void world_dropped_once(struct world *t, uint16_t slot, enum drop_reason reason)
{
	struct slot_counters since = world_since(t, slot);

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		if (world_drops(t, r) != (r == reason))
			fail_msg("%" PRIu64 " dropped: %s", world_drops(t, r), drop_reason_name(r));
	assert_int_equal(since.drop[reason], 1);
	assert_int_equal(since.received, 1);
	assert_int_equal(since.delivered + since.punted + since.decrypted, 0);
}
