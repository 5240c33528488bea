/* SPDX-License-Identifier: BSD-3-Clause */

/* Packets of the router itself that come out of a tunnel. */

#include <string.h>

#include "ends.h"

/* A packet that comes out of the right end for an address of the router. */
static void receive_local(struct ends *e, const struct packet *p)
{
	world_mark(e->t);
	world_receive_on(e->t, W_A, p);
	assert_int_equal(ends_carry(e->t), 1);
}

static const struct ip4 to_bgp_address = {.src = "10.1.0.1", .dst = "169.254.10.2"};

static void expect_local(struct ends *e, const struct packet *p, enum punt_class class)
{
	struct rte_mbuf *m;

	receive_local(e, p);
	world_no_drops(e->t);
	m = world_punted(e->t, class);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->right.tunnel);
	assert_int_equal(pkt_meta(m)->iface, 0);
	assert_int_equal(pkt_meta(m)->slot, e->right.slot);
	assert_int_equal(m->pkt_len, p->len);
	rte_pktmbuf_free(m);
	assert_int_equal(world_since(e->t, e->right.slot).punted, 1);
}

static void test_local(void **state)
{
	struct ends *e = *state;
	static struct packet p;

	p.len = 0;
	packet_icmp(&p, &to_bgp_address, 8, "ping", 4);
	expect_local(e, &p, PUNT_ICMP_LOCAL);
	p.len = 0;
	packet_icmp(&p, &to_bgp_address, 0, "pong", 4);
	expect_local(e, &p, PUNT_HOST);
	p.len = 0;
	packet_tcp(&p, &to_bgp_address, 40000, 179, 2, NULL, 0);
	expect_local(e, &p, PUNT_BGP);
}

/* No tunnel ends inside a tunnel, and nobody negotiates from inside one. */
static void test_local_refused(void **state)
{
	struct ends *e = *state;
	struct ip4 esp = to_bgp_address;
	static const uint8_t bytes[64] = {0, 0, 0x10, 0x01};
	static struct packet p;

	esp.protocol = 50;
	for (unsigned i = 0; i < 3; i++) {
		p.len = 0;
		if (i == 0)
			packet_ip4(&p, &esp, bytes, sizeof(bytes));
		else
			packet_udp(
			    &p, &to_bgp_address, 500, i == 1 ? 500 : 4500, bytes, sizeof(bytes));
		receive_local(e, &p);
		assert_int_equal(world_since(e->t, e->right.slot).drop[DROP_LOCAL_UNWANTED], 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_local),
	    TEST(test_local_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
