/* SPDX-License-Identifier: BSD-3-Clause */

/* On-demand tunnels: packets that wake one wait, within bounds (T11). */

#include <string.h>

#include "ends.h"

/* The packet that wakes a tunnel waits with control and goes on by INJECT_TUNNEL. */
static void test_trap(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	ends_expect_state(e, &e->left, TUNNEL_TRAP);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_no_drops(t);
	m = world_punted(t, PUNT_TRAP);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->left.tunnel);
	assert_int_equal(m->pkt_len, 100);
	ends_expect_state(e, &e->left, TUNNEL_UP);
	pkt_meta(m)->detail = INJECT_TUNNEL;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(world_since(t, SLOT_CONTROL).delivered, 1);
	assert_int_equal(ends_carry(t), 1);
	world_no_drops(t);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.bytes[18 + 8], 62);
}

/* It turns out to be too big: its source hears of it, not the far end of the tunnel. */
static void test_trapped_too_big(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	ends_expect_state(e, &e->left, TUNNEL_TRAP);
	ends_inner(&p, "10.100.0.1", DF, INNER_MTU + 1);
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_TRAP);
	assert_non_null(m);
	ends_expect_state(e, &e->left, TUNNEL_UP);
	pkt_meta(m)->detail = INJECT_TUNNEL;
	world_mark(t);
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	world_dropped_once(t, SLOT_CONTROL, DROP_MTU_EXCEEDED);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->iface, t->iface[W_A]);
	assert_int_equal(pkt_meta(m)->tunnel, 0);
	rte_pktmbuf_free(m);
}

static void test_trap_flood(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;

	ends_expect_state(e, &e->left, TUNNEL_TRAP);
	ends_inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	for (unsigned i = 0; i < 1000; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	assert_in_range(world_since(t, t->slot[W_A]).punted, 50, 200);
	assert_int_equal(
	    world_drops(t, DROP_TUNNEL_DOWN), 1000 - world_since(t, t->slot[W_A]).punted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_trap),
	    TEST(test_trapped_too_big),
	    TEST(test_trap_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
