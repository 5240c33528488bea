/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP between workers and the neighbour engine: what stays in the boundary's table, and where
 * waiting packets go.
 */

#include <string.h>

#include "base/mem.h"
#include "bench.h"
#include "router/internal.h"

struct net {
	struct bench *t;
	struct router r;
	struct mono now;
	uint16_t iface; /* of vpc-a: VLAN 10 of lan0 */
};

static const char site[] =
    BENCH_SITE "attachments:\n"
	       "  vpc-a: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16,"
	       " routes: [{prefix: 10.9.0.0/16, next-hop: 10.1.0.9}]}\n"
	       "  vpc-b: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n";

static int setup(void **state)
{
	struct net *n = xcalloc(1, sizeof(*n));
	void *t;

	if (bench_setup(&t) != 0)
		return -1;
	n->t = t;
	bench_apply(t, site);
	n->r = (struct router){.b = n->t->b, .model = n->t->m, .conf = n->t->conf};
	timers_init(&n->r.timers);
	n->now = mono_now();
	n->iface = (uint16_t)iface_of_vlan(&n->t->b->ifaces, 2, 10)->index;
	*state = n;
	return neighbours_init(&n->r);
}

/*
 * Frees what control sent and returns how many packets of that kind it were; *last is one of them,
 * to be freed.
 */
static unsigned sent(struct net *n, enum inject_kind kind, struct rte_mbuf **last)
{
	struct rte_mbuf *m;
	unsigned count = 0;

	while (inject_take(n->t->b->inject, 0, &m, 1) == 1) {
		bool wanted = pkt_meta(m)->detail == kind;

		count += wanted;
		if (wanted && last) {
			rte_pktmbuf_free(*last);
			*last = m;
		} else {
			rte_pktmbuf_free(m);
		}
	}
	return count;
}

static int teardown(void **state)
{
	struct net *n = *state;
	void *t = n->t;

	neighbours_fini(&n->r);
	assert_int_equal(n->r.timers.count, 0);
	timers_fini(&n->r.timers);
	sent(n, INJECT_FRAME, NULL);
	test_packets_all_home();
	free(n);
	return bench_teardown(&t);
}

static void pass(struct net *n, int64_t dur)
{
	struct mono end = mono_add(n->now, dur), due;

	while (timers_next(&n->r.timers, &due) && !mono_before(end, due)) {
		n->now = mono_before(n->now, due) ? due : n->now;
		timers_run(&n->r.timers, n->now, 0);
	}
	n->now = end;
	epoch_reclaim(n->t->b->epoch);
}

/*
 * An ARP packet (1: request, 2: reply) of a station to our address, with the VLAN tag on it or
 * taken off.
 */
static void arp(
    struct net *n, uint8_t op, const struct ip_addr *sender, uint8_t station, bool tagged)
{
	static const uint8_t tag[] = {0x81, 0, 0, 10}, head[] = {8, 6, 0, 1, 8, 0, 6, 4, 0};
	const uint8_t mac[6] = {2, 0, 0, 0, 9, station}, target[] = {10, 1, 0, 1};
	struct rte_mbuf *m = test_packet();
	uint8_t frame[64] = {0}, *at = frame;

	memset(at, 0xff, 6);
	memcpy(at + 6, mac, 6);
	at += 12;
	if (tagged) {
		memcpy(at, tag, sizeof(tag));
		at += sizeof(tag);
	}
	memcpy(at, head, sizeof(head));
	at[9] = op;
	memcpy(at + 10, mac, 6);
	memcpy(at + 16, sender->bytes, 4);
	memcpy(at + 26, target, 4);
	memcpy(rte_pktmbuf_mtod(m, void *), frame, sizeof(frame));
	m->data_len = sizeof(frame);
	m->pkt_len = sizeof(frame);
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	pkt_meta(m)->iface = n->iface;
	neighbours_arp(&n->r, m, n->now);
}

static const struct neigh *known(const struct net *n, const char *addr)
{
	struct ip_addr a = test_addr(addr);

	return neigh_find(n->t->b->neighbours, n->iface, &a);
}

static void stations_come_and_go(void **state)
{
	struct net *n = *state;
	struct ip_addr a = test_addr("10.1.0.77"), b = test_addr("10.1.0.78");

	arp(n, 1, &a, 77, true);
	arp(n, 1, &b, 78, false);
	assert_int_equal(known(n, "10.1.0.77")->state, NEIGH_READY);
	assert_int_equal(known(n, "10.1.0.78")->l2_v4[5], 78);
	pass(n, DUR_S(200));
	assert_null(known(n, "10.1.0.77"));
	assert_null(known(n, "10.1.0.78"));
}

/* What next hops name keeps its number, and workers ask again. */
static void a_gateway_stays(void **state)
{
	struct net *n = *state;
	struct ip_addr gateway = test_addr("10.1.0.9");
	uint32_t index = known(n, "10.1.0.9")->index;

	assert_int_equal(known(n, "10.1.0.9")->state, NEIGH_INCOMPLETE);
	arp(n, 2, &gateway, 9, true);
	assert_int_equal(known(n, "10.1.0.9")->state, NEIGH_READY);
	pass(n, DUR_S(200));
	assert_int_equal(known(n, "10.1.0.9")->state, NEIGH_INCOMPLETE);
	assert_int_equal(known(n, "10.1.0.9")->index, index);
}

/* The table holds 1024: whoever went makes room. */
static void the_table_does_not_silt_up(void **state)
{
	struct net *n = *state;

	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 600; i++) {
			struct ip_addr a = ip_v4(0x0a010100 + round * 600 + i);

			arp(n, 1, &a, (uint8_t)i, true);
			assert_non_null(neigh_find(n->t->b->neighbours, n->iface, &a));
		}
		pass(n, DUR_S(200));
		sent(n, INJECT_FRAME, NULL);
	}
}

/* A packet on its way to a neighbour that is not known: as a worker hands it over. */
static void wanted(struct net *n, const char *to, uint32_t leaf)
{
	struct ip_addr dst = test_addr(to);
	struct rte_mbuf *m = test_packet();
	uint8_t ip[28] = {0x45, 0, 0, sizeof(ip)};

	memcpy(ip + 16, dst.bytes, 4);
	memcpy(rte_pktmbuf_mtod(m, void *), ip, sizeof(ip));
	m->data_len = sizeof(ip);
	m->pkt_len = sizeof(ip);
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	pkt_meta(m)->nexthop = leaf;
	neighbours_wanted(&n->r, m, n->now);
}

static uint32_t leaf_of(const struct net *n, const char *attachment)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(n->t->m, &all);

	for (unsigned i = 0; i < count; i++) {
		if (all[i]->attachment && strcmp(all[i]->attachment->name, attachment) == 0)
			return all[i]->leaf;
	}
	return 0;
}

static void a_packet_waits_for_its_neighbour(void **state)
{
	struct net *n = *state;
	struct ip_addr host = test_addr("10.1.0.5"), gateway = test_addr("10.1.0.9");
	uint32_t direct = leaf_of(n, "vpc-a");
	uint32_t via = bench_hop(n->t, "vpc-b", "10.9.1.1")->index;
	struct rte_mbuf *last = NULL;

	sent(n, INJECT_FRAME, NULL);
	wanted(n, "10.1.0.5", direct);
	wanted(n, "10.9.1.1", via);
	assert_int_equal(sent(n, INJECT_FRAME, NULL), 1); /* the gateway was asked for before */
	arp(n, 2, &host, 5, true);
	assert_int_equal(sent(n, INJECT_NEXTHOP, &last), 1);
	assert_int_equal(pkt_meta(last)->nexthop, direct);
	arp(n, 2, &gateway, 9, true);
	assert_int_equal(sent(n, INJECT_NEXTHOP, &last), 1);
	assert_int_equal(pkt_meta(last)->nexthop, via);
	rte_pktmbuf_free(last);
}

/* While it waited its next hop went, and another one got the number: it must not go there. */
static void a_packet_does_not_change_its_way(void **state)
{
	struct net *n = *state;
	struct ip_addr host = test_addr("10.1.0.5");
	const struct nexthop other = *nexthop_get(&n->t->b->nexthops, leaf_of(n, "vpc-b"));
	const struct nexthop_spec spec = {
	    .kind = other.kind, .attachment = other.attachment, .iface = other.iface};
	uint32_t leaf = 0;

	assert_int_equal(
	    nexthop_publish(&n->t->b->nexthops,
		&(struct nexthop_spec){.kind = NH_CONNECTED, .iface = n->iface}, &leaf),
	    0);
	wanted(n, "10.1.0.5", leaf);
	assert_int_equal(nexthop_publish(&n->t->b->nexthops, &spec, &leaf), 0);
	arp(n, 2, &host, 5, true);
	assert_int_equal(sent(n, INJECT_NEXTHOP, NULL), 0);
	nexthop_remove(&n->t->b->nexthops, leaf);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(stations_come_and_go),
	    CASE(a_gateway_stays),
	    CASE(the_table_does_not_silt_up),
	    CASE(a_packet_waits_for_its_neighbour),
	    CASE(a_packet_does_not_change_its_way),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
