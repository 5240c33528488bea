/* SPDX-License-Identifier: BSD-3-Clause */
/* Out of a port: neighbours, roles, links, queues; and what control injects. */

#include <string.h>

#include "world.h"

static void packet_of(struct packet *p, const char *src, const char *dst)
{
	const struct ip4 ip = {.src = src, .dst = dst, .protocol = 253, .ttl = 64};

	p->len = 0;
	packet_ip4(p, &ip, "payload!", 8);
}

static void expect_bytes(struct rte_mbuf *m, const struct packet *p)
{
	struct packet seen;

	world_bytes(m, &seen);
	assert_int_equal(seen.len, p->len);
	assert_memory_equal(seen.bytes, p->bytes, p->len);
}

/* The same with one TTL less. */
static void expect_spent(struct rte_mbuf *m, const struct packet *p)
{
	struct packet expect = *p;

	expect.bytes[8]--;
	packet_ip4_fix(expect.bytes);
	expect_bytes(m, &expect);
}

/* An unknown neighbour: the packet waits with control, comes back by INJECT_NEXTHOP, and has then spent one TTL. */
static void test_neighbour_unknown(void **state)
{
	struct world *t = *state;
	struct packet p, out;
	struct rte_mbuf *m;

	packet_of(&p, "10.1.0.1", "10.3.0.77");
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_A]).punted, 1);
	m = world_punted(t, PUNT_NEIGH);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->iface, t->iface[W_A]);
	assert_int_equal(pkt_meta(m)->attachment, W_A);
	assert_int_equal(pkt_meta(m)->nexthop, t->connected[W_C]);
	expect_spent(m, &p);

	world_neighbour(t, W_C, "10.3.0.77", 0x77);
	pkt_meta(m)->detail = INJECT_NEXTHOP;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(world_since(t, SLOT_CONTROL).received, 1);
	assert_int_equal(world_since(t, SLOT_CONTROL).delivered, 1);
	assert_int_equal(world_since(t, t->slot[W_C]).sent, 1);
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(out.bytes[5], 0x77);
	assert_int_equal(out.bytes[14 + 8], 63);
	assert_true(packet_ip4_is_right(out.bytes + 14));
}

/* It stays transit: should its leaf be another one by then, it does not leave by an uplink. */
static void test_waited_for_a_leaf_that_changed(void **state)
{
	struct world *t = *state;
	struct packet p;
	struct rte_mbuf *m;

	packet_of(&p, "10.1.0.1", "10.3.0.77");
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_NEIGH);
	assert_non_null(m);
	world_mark(t);
	pkt_meta(m)->detail = INJECT_NEXTHOP;
	pkt_meta(m)->nexthop = t->gateway;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	world_dropped_once(t, SLOT_CONTROL, DROP_CLEAR_ON_UPLINK);
}

/* Unresolved again: it waits again, and knows as much as before. */
static void test_waits_twice(void **state)
{
	struct world *t = *state;
	struct packet p;
	struct rte_mbuf *m;

	packet_of(&p, "10.1.0.1", "10.3.0.77");
	world_receive_on(t, W_A, &p);
	for (unsigned i = 0; i < 2; i++) {
		m = world_punted(t, PUNT_NEIGH);
		assert_non_null(m);
		assert_int_equal(pkt_meta(m)->iface, t->iface[W_A]);
		assert_int_equal(pkt_meta(m)->nexthop, t->connected[W_C]);
		expect_spent(m, &p);
		pkt_meta(m)->detail = INJECT_NEXTHOP;
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
		world_run(t);
	}
	m = world_punted(t, PUNT_NEIGH);
	rte_pktmbuf_free(m);
}

static void test_neighbour_incomplete(void **state)
{
	struct world *t = *state;
	struct ip_addr addr = test_addr("10.3.0.9");
	struct packet p;
	struct rte_mbuf *m;

	assert_true(neigh_publish(t->b->neighbours, iface_get(&t->b->ifaces, t->iface[W_C]), &addr,
			NULL) > 0);
	packet_of(&p, "10.1.0.1", "10.9.0.1"); /* via 10.3.0.9 */
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_NEIGH);
	assert_non_null(m);
	expect_spent(m, &p);
	rte_pktmbuf_free(m);
}

/* More than control takes: dropped, and the reason is the neighbour. */
static void test_neighbour_flood(void **state)
{
	struct world *t = *state;
	struct packet p;
	uint64_t dropped;

	packet_of(&p, "10.1.0.1", "10.3.0.77");
	world_mark(t);
	for (unsigned i = 0; i < 2000; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	dropped = world_drops(t, DROP_NEIGH_UNRESOLVED);
	assert_in_range(dropped, 100, 1800);
	assert_int_equal(world_since(t, t->slot[W_A]).punted, 2000 - dropped);
	assert_int_equal(world_drops(t, DROP_PUNT_LIMITED), 0);
}

/* A table of an attachment with a way out by the uplink cannot be; were it so, nothing would leave in clear. */
static void test_transit_never_leaves_by_an_uplink(void **state)
{
	struct world *t = *state;
	struct packet p;

	world_route(t, t->table_a, "198.51.100.0/24", t->gateway);
	world_route(t, t->table_a, "203.0.113.0/24", t->connected[W_UPLINK]);
	packet_of(&p, "10.1.0.1", "198.51.100.7");
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_CLEAR_ON_UPLINK);
	packet_of(&p, "10.1.0.1", "203.0.113.1");
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_CLEAR_ON_UPLINK);
}

static void test_egress_interface_down(void **state)
{
	struct world *t = *state;
	struct iface spec = *iface_get(&t->b->ifaces, t->iface[W_C]);
	struct packet p;

	spec.up = false;
	assert_true(iface_publish(&t->b->ifaces, &spec) > 0);
	packet_of(&p, "10.1.0.1", "10.3.0.1");
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_IFACE_DOWN);
}

static void test_egress_interface_gone(void **state)
{
	struct world *t = *state;
	struct packet p;

	iface_remove(&t->b->ifaces, t->iface[W_C]);
	packet_of(&p, "10.1.0.1", "10.3.0.1");
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_IFACE_DOWN);
}

static void test_link_down(void **state)
{
	struct world *t = *state;
	struct packet p, out;

	atomic_store(&t->port[2].link_up, false);
	packet_of(&p, "10.1.0.1", "10.3.0.1");
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_TX_PORT_DOWN);
	assert_int_equal(world_since(t, t->slot[W_C]).sent, 0);
	atomic_store(&t->port[2].link_up, true);
	world_receive_on(t, W_A, &p);
	assert_true(world_sent(t, 2, &out));
}

/* A port that takes no more: what it refused was neither delivered nor sent. */
static void test_transmit_queue_full(void **state)
{
	struct world *t = *state;
	const unsigned room = rte_ring_free_count(t->from_router[2]);
	struct slot_counters since;
	struct packet p;

	packet_of(&p, "10.1.0.1", "10.3.0.1");
	world_mark(t);
	for (unsigned sent = 0; sent < room + 100;) {
		for (unsigned i = 0; i < 64 && sent < room + 100; i++, sent++)
			world_queue_on(t, W_A, &p);
		world_run(t);
	}
	assert_int_equal(world_drops(t, DROP_TX_QUEUE_FULL), 100);
	since = world_since(t, t->slot[W_A]);
	assert_int_equal(since.delivered, room);
	since = world_since(t, t->slot[W_C]);
	assert_int_equal(since.sent, room);
	assert_int_equal(since.sent_bytes, room * 28);
}

static void test_no_headroom(void **state)
{
	struct world *t = *state;
	struct packet p, frame = {0};
	struct rte_mbuf *m;

	/* untagged in, tagged out: four bytes more than there were */
	packet_of(&p, "10.3.0.1", "10.2.0.1");
	packet_eth(&frame, world_mac(2), 0x0800);
	memcpy(frame.bytes + 14, p.bytes, p.len);
	frame.len += p.len;
	m = world_mbuf(t, &frame);
	memmove(m->buf_addr, rte_pktmbuf_mtod(m, void *), m->data_len);
	m->data_off = 0;
	world_mark(t);
	assert_int_equal(rte_ring_enqueue(t->to_router[2], m), 0);
	world_run(t);
	world_dropped_once(t, t->slot[W_C], DROP_NO_HEADROOM);
}

/* Two workers on one queue take turns. */
static void test_both_workers_send(void **state)
{
	struct world *t = *state;
	struct packet p, out;

	for (unsigned i = 0; i < W_WORKERS; i++) {
		struct rte_mbuf *m;

		packet_of(&p, "10.1.0.1", "10.3.0.1");
		m = world_mbuf(t, &p);
		pkt_meta(m)->iface = (uint16_t)t->iface[W_A];
		pkt_meta(m)->detail = INJECT_ROUTE;
		assert_int_equal(inject_put(t->b->inject, i, m), 0);
	}
	world_run(t);
	assert_true(world_sent(t, 2, &out));
	assert_true(world_sent(t, 2, &out));
	assert_int_equal(t->b->counters.of_worker[0][SLOT_CONTROL].delivered, 1);
	assert_int_equal(t->b->counters.of_worker[1][SLOT_CONTROL].delivered, 1);
}

/* What control injects */

static void inject_it(struct world *t, const struct packet *p, struct pkt_meta meta)
{
	struct rte_mbuf *m = world_mbuf(t, p);

	*pkt_meta(m) = meta;
	world_mark(t);
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
}

static void test_inject_frame(void **state)
{
	struct world *t = *state;
	struct packet f = {0}, out;

	packet_vlan(&f, (const uint8_t[]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 100, 0x0806);
	memset(f.bytes + f.len, 1, 28);
	f.len += 28;
	inject_it(t, &f, (struct pkt_meta){.detail = INJECT_FRAME, .port = 1});
	world_no_drops(t);
	assert_int_equal(world_since(t, SLOT_CONTROL).received, 1);
	assert_int_equal(world_since(t, SLOT_CONTROL).delivered, 1);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.len, f.len);
	assert_memory_equal(out.bytes, f.bytes, f.len);
}

static void test_inject_frame_for_no_port(void **state)
{
	struct world *t = *state;
	struct packet f = {0};

	packet_eth(&f, world_mac(0), 0x0806);
	inject_it(t, &f, (struct pkt_meta){.detail = INJECT_FRAME, .port = W_PORTS});
	world_dropped_once(t, SLOT_CONTROL, DROP_TX_PORT_DOWN);
}

/* IKE goes out by the underlay, TTL untouched. */
static void test_inject_nexthop(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "203.0.113.10", .dst = "198.51.100.7", .ttl = 64};
	struct packet p = {0}, out;

	packet_udp(&p, &ip, 500, 500, "ike", 3);
	inject_it(t, &p, (struct pkt_meta){.detail = INJECT_NEXTHOP, .nexthop = t->gateway});
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).sent, 1);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).sent_bytes, p.len);
	assert_true(world_sent(t, 0, &out));
	assert_int_equal(out.bytes[5], 0x01);
	assert_int_equal(out.len, 14 + p.len);
	assert_memory_equal(out.bytes + 14, p.bytes, p.len);
}

/* Too long for the uplink: fragmented, as IKE with long certificates is. */
static void test_inject_nexthop_fragments(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "203.0.113.10", .dst = "198.51.100.7", .ttl = 64, .id = 3};
	static const uint8_t ike[3000];
	struct packet p = {0}, out;
	unsigned n = 0;

	packet_udp(&p, &ip, 500, 500, ike, sizeof(ike));
	inject_it(t, &p, (struct pkt_meta){.detail = INJECT_NEXTHOP, .nexthop = t->gateway});
	world_no_drops(t);
	while (world_sent(t, 0, &out))
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(world_since(t, SLOT_CONTROL).created, 2);
}

/* An own packet whose neighbour is unknown says which leaf it is for, and has no ingress. */
static void test_inject_nexthop_waits(void **state)
{
	struct world *t = *state;
	const struct ip4 ip = {.src = "203.0.113.10", .dst = "203.0.113.77", .ttl = 64};
	struct packet p = {0};
	struct rte_mbuf *m;

	packet_udp(&p, &ip, 500, 500, "ike", 3);
	inject_it(
	    t, &p, (struct pkt_meta){.detail = INJECT_NEXTHOP, .nexthop = t->connected[W_UPLINK]});
	m = world_punted(t, PUNT_NEIGH);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->nexthop, t->connected[W_UPLINK]);
	assert_int_equal(pkt_meta(m)->iface, 0);
	assert_int_equal(pkt_meta(m)->tunnel, 0);
	assert_int_equal(pkt_meta(m)->attachment, 0);
	expect_bytes(m, &p);
	rte_pktmbuf_free(m);
}

static void test_inject_nexthop_that_is_none(void **state)
{
	struct world *t = *state;
	const uint32_t wrong[] = {0, t->local, 255};
	struct packet p;

	for (unsigned i = 0; i < TEST_COUNT(wrong); i++) {
		packet_of(&p, "203.0.113.10", "198.51.100.7");
		inject_it(t, &p, (struct pkt_meta){.detail = INJECT_NEXTHOP, .nexthop = wrong[i]});
		world_dropped_once(t, SLOT_CONTROL, DROP_NO_MEMBER);
	}
}

/* As if received there: its table, its policies; and no ESP, which has no business there. */
static void test_inject_route(void **state)
{
	struct world *t = *state;
	struct ip4 ip = {.src = "10.2.0.1", .dst = "10.2.255.254", .protocol = 50};
	struct packet p, out;

	packet_of(&p, "10.2.0.1", "8.8.8.8");
	inject_it(
	    t, &p, (struct pkt_meta){.detail = INJECT_ROUTE, .iface = (uint16_t)t->iface[W_B]});
	assert_true(world_sent(t, 1, &out));
	packet_of(&p, "10.2.0.1", "10.1.0.1");
	inject_it(
	    t, &p, (struct pkt_meta){.detail = INJECT_ROUTE, .iface = (uint16_t)t->iface[W_B]});
	world_dropped_once(t, SLOT_CONTROL, DROP_POLICY_DENIED);
	p.len = 0;
	packet_ip4(&p, &ip, "12345678", 8);
	inject_it(
	    t, &p, (struct pkt_meta){.detail = INJECT_ROUTE, .iface = (uint16_t)t->iface[W_B]});
	world_dropped_once(t, SLOT_CONTROL, DROP_LOCAL_UNWANTED);
	packet_of(&p, "10.2.0.1", "8.8.8.8");
	p.bytes[10] ^= 1;
	inject_it(
	    t, &p, (struct pkt_meta){.detail = INJECT_ROUTE, .iface = (uint16_t)t->iface[W_B]});
	world_dropped_once(t, SLOT_CONTROL, DROP_IP_CHECKSUM);
}

/*
 * An answer of the router goes back to the attachment that asked although no policy permits that: the network behind a
 * private circuit has to learn that a packet is too big. It is no way to any other attachment.
 */
static void test_inject_route_back(void **state)
{
	struct world *t = *state;
	const struct pkt_meta from_c = {.detail = INJECT_ROUTE, .iface = (uint16_t)t->iface[W_C]};
	const struct pkt_meta from_a = {.detail = INJECT_ROUTE, .iface = (uint16_t)t->iface[W_A]};
	struct permit *nobody = permit_create(8);
	struct packet p, out;

	world_route(t, t->table_a, "10.9.0.0/16",
	    world_nexthop(t,
		&(struct nexthop_spec){.kind = NH_VIA,
		    .permit = nobody,
		    .iface = (uint16_t)t->iface[W_C],
		    .slot = t->slot[W_C],
		    .attachment = W_C,
		    .neigh = (uint32_t)world_neighbour(t, W_C, "10.3.0.9", 0xc9)}));
	permit_unref(nobody);
	packet_of(&p, "10.3.255.254", "10.9.0.1");
	inject_it(t, &p, from_c);
	assert_true(world_sent(t, 2, &out));
	inject_it(t, &p, from_a);
	world_dropped_once(t, SLOT_CONTROL, DROP_POLICY_DENIED);
	world_mark(t);
	world_receive_on(t, W_C, &p); /* transit to where it came from: what policies say */
	world_dropped_once(t, t->slot[W_C], DROP_POLICY_DENIED);
}

/* Its interface has gone while it waited. */
static void test_inject_route_from_nowhere(void **state)
{
	struct world *t = *state;
	struct packet p;

	packet_of(&p, "10.2.0.1", "8.8.8.8");
	inject_it(t, &p, (struct pkt_meta){.detail = INJECT_ROUTE, .iface = 15});
	world_dropped_once(t, SLOT_CONTROL, DROP_IFACE_DOWN);
	inject_it(t, &p, (struct pkt_meta){.detail = INJECT_ROUTE, .tunnel = 15});
	world_dropped_once(t, SLOT_CONTROL, DROP_TUNNEL_DOWN);
	inject_it(t, &p, (struct pkt_meta){.detail = INJECT_ROUTE});
	world_dropped_once(t, SLOT_CONTROL, DROP_TUNNEL_DOWN);
}

static void test_inject_unknown_kind(void **state)
{
	struct world *t = *state;
	struct packet p;

	packet_of(&p, "10.2.0.1", "8.8.8.8");
	inject_it(t, &p, (struct pkt_meta){.detail = 200});
	world_dropped_once(t, SLOT_CONTROL, DROP_LOCAL_UNWANTED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_neighbour_unknown),
	    TEST(test_waited_for_a_leaf_that_changed),
	    TEST(test_waits_twice),
	    TEST(test_neighbour_incomplete),
	    TEST(test_neighbour_flood),
	    TEST(test_transit_never_leaves_by_an_uplink),
	    TEST(test_egress_interface_down),
	    TEST(test_egress_interface_gone),
	    TEST(test_link_down),
	    TEST(test_transmit_queue_full),
	    TEST(test_no_headroom),
	    TEST(test_both_workers_send),
	    TEST(test_inject_frame),
	    TEST(test_inject_frame_for_no_port),
	    TEST(test_inject_nexthop),
	    TEST(test_inject_nexthop_fragments),
	    TEST(test_inject_nexthop_waits),
	    TEST(test_inject_nexthop_that_is_none),
	    TEST(test_inject_route),
	    TEST(test_inject_route_back),
	    TEST(test_inject_route_from_nowhere),
	    TEST(test_inject_unknown_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
