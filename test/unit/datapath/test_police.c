/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Packets above the rate of a policer (M3): which are counted and where, and the ledger beside them. The clock of the
 * worker is the test's.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "datapath/tx.h"
#include "world.h"

#define BYTES 1000

struct policed {
	struct world *t;
	struct policer *made[8];
	unsigned count;
};

static int setup(void **state)
{
	struct policed *e = calloc(1, sizeof(*e));
	void *world;

	if (!e || world_setup(&world) != 0)
		return -1;
	e->t = world;
	e->t->w->now = rte_rdtsc();
	*state = e;
	return 0;
}

static int teardown(void **state)
{
	struct policed *e = *state;
	void *world = e->t;

	for (unsigned i = 0; i < W_IFACES; i++)
		policing_publish(&e->t->b->policings, e->t->slot[i], NULL);
	for (unsigned i = 0; i < e->count; i++)
		policer_retire(&e->t->b->policings, e->made[i]);
	free(e);
	return world_teardown(&world);
}

static struct policer *policer(struct policed *e, uint64_t bits, uint64_t packets)
{
	const struct policer_spec spec = {bits, 10 * BYTES, packets, 10};

	return e->made[e->count++] = policer_new(&spec, W_WORKERS, e->t->w->now, rte_get_tsc_hz());
}

static void hold(struct policed *e, enum world_iface iface, struct policer *in, struct policer *out)
{
	policing_publish(
	    &e->t->b->policings, e->t->slot[iface], &(struct policing){.in = {in}, .out = {out}});
}

static void received(struct world *t, enum world_iface from, struct rte_mbuf *m)
{
	struct pkt_meta *meta = pkt_meta(m);

	meta->slot = t->slot[from];
	meta->attachment = (uint16_t)from;
	meta->iface = (uint16_t)t->iface[from];
	t->w->slots[meta->slot].received++;
	t->w->slots[meta->slot].received_bytes += m->pkt_len;
}

/* A burst of packets from one network to another, now. How many left there. */
static unsigned burst(struct policed *e, enum world_iface from, enum world_iface to, unsigned n)
{
	static const char *const host[] = {
	    [W_A] = "10.1.0.1", [W_B] = "10.2.0.1", [W_C] = "10.3.0.9"};
	static uint8_t payload[BYTES - 20];
	static struct packet p, out;
	struct rte_mbuf *m[BURST_MAX];
	struct burst esp = {.n = 0};
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct ip4 ip = {.src = host[from], .dst = host[to], .protocol = 253};

		p.len = 0;
		packet_ip4(&p, &ip, payload, sizeof(payload));
		m[i] = world_mbuf(e->t, &p);
		received(e->t, from, m[i]);
	}
	forward(e->t->w, m, n, &esp);
	tx_flush(e->t->w);
	for (unsigned port = 0; port < W_PORTS; port++)
		while (world_sent(e->t, port, &out))
			left++;
	return left;
}

static void pass_time(struct policed *e, unsigned ms)
{
	e->t->w->now += ms * (rte_get_tsc_hz() / 1000);
}

/* 10 packets a millisecond for that long; how many left. */
static unsigned flood(struct policed *e, enum world_iface from, enum world_iface to, unsigned ms)
{
	unsigned left = 0;

	for (unsigned i = 0; i < ms; i++, pass_time(e, 1))
		left += burst(e, from, to, 10);
	return left;
}

static void test_off(void **state)
{
	struct policed *e = *state;

	assert_false(policings_any(&e->t->b->policings));
	assert_int_equal(flood(e, W_A, W_B, 10), 100);
	hold(e, W_C, policer(e, 8000, 0), NULL);
	assert_true(policings_any(&e->t->b->policings));
	assert_int_equal(flood(e, W_A, W_B, 10), 100); /* another's */
	policing_publish(&e->t->b->policings, e->t->slot[W_C], NULL);
	assert_false(policings_any(&e->t->b->policings));
}

/* 8 Mbit/s are a packet per millisecond here. */
static void test_in(void **state)
{
	struct policed *e = *state;
	struct world *t = e->t;
	struct policer *p = policer(e, 8000000, 0);
	struct policer_share sum;
	unsigned left;

	hold(e, W_A, p, NULL);
	world_mark(t);
	left = flood(e, W_A, W_B, 1000);
	assert_in_range(left, 1000 - 5, 1000 + 10);
	assert_int_equal(world_since(t, t->slot[W_A]).drop[DROP_POLICED], 10000 - left);
	assert_int_equal(world_since(t, t->slot[W_A]).received, 10000);
	assert_int_equal(world_since(t, t->slot[W_A]).delivered, left);
	policer_read(p, &sum);
	assert_int_equal(sum.passed, left);
	assert_int_equal(sum.passed_bytes, left * BYTES);
	assert_int_equal(sum.dropped, 10000 - left);
	assert_int_equal(flood(e, W_C, W_A, 10), 100); /* the other way is free */
}

static void test_out(void **state)
{
	struct policed *e = *state;
	struct world *t = e->t;
	unsigned left;

	hold(e, W_B, NULL, policer(e, 0, 2000));
	world_mark(t);
	left = flood(e, W_A, W_B, 500) + flood(e, W_C, W_B, 500);
	assert_in_range(left, 2000 - 5, 2000 + 10);
	/* dropped on the ledger of where they came in */
	assert_int_equal(world_since(t, t->slot[W_B]).drop[DROP_POLICED], 0);
	assert_int_equal(world_drops(t, DROP_POLICED), 10000 - left);
	assert_true(world_since(t, t->slot[W_A]).drop[DROP_POLICED] > 3900);
	assert_true(world_since(t, t->slot[W_C]).drop[DROP_POLICED] > 3900);
}

/* What the way out refuses has not cost the way in anything: 4 packets a millisecond in, of them 1 to B, and 3 to C. */
static void test_refused_at_the_end_costs_nothing(void **state)
{
	struct policed *e = *state;
	unsigned to_b = 0, to_c = 0;

	hold(e, W_A, policer(e, 32000000, 0), NULL);
	hold(e, W_B, NULL, policer(e, 8000000, 0));
	for (unsigned i = 0; i < 1000; i++, pass_time(e, 1)) {
		to_b += burst(e, W_A, W_B, 10);
		to_c += burst(e, W_A, W_C, 10);
	}
	assert_in_range(to_b, 1000 - 10, 1000 + 20);
	assert_in_range(to_b + to_c, 4000 - 20, 4000 + 20);
}

/* A tunnel's own and its attachment's: both hold. */
static void test_two_of_a_slot(void **state)
{
	struct policed *e = *state;
	struct policer *own = policer(e, 8000000, 0), *all = policer(e, 12000000, 0);

	policing_publish(
	    &e->t->b->policings, e->t->slot[W_A], &(struct policing){.in = {own, all}});
	policing_publish(&e->t->b->policings, e->t->slot[W_C], &(struct policing){.in = {all}});
	unsigned from_a = 0, from_c = 0;
	for (unsigned i = 0; i < 1000; i++, pass_time(e, 1)) {
		from_c += burst(e, W_C, W_B, 5);
		from_a += burst(e, W_A, W_B, 5);
	}
	assert_in_range(from_a + from_c, 1500 - 10, 1500 + 20);
	assert_true(from_a <= 1010);
}

/* A trace of drops says which of them refused: the tunnel's own is the first of its slot. */
static void test_traced(void **state)
{
	static struct trace_entry entry;
	struct policed *e = *state;
	struct world *t = e->t;
	struct policer *narrow = policer(e, 0, 1), *wide = policer(e, 0, 1000000),
		       *other = policer(e, 0, 1000000);
	const struct {
		struct policing a, b;
		struct policer_gate gate;
	} cases[] = {
	    {{.in = {narrow, wide}}, {.out = {other}}, {t->slot[W_A], 0, false}},
	    {{.in = {wide, narrow}}, {.out = {other}}, {t->slot[W_A], 1, false}},
	    {{.in = {wide}}, {.out = {narrow, other}}, {t->slot[W_B], 0, true}},
	    {{.in = {wide}}, {.out = {other, narrow}}, {t->slot[W_B], 1, true}},
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		unsigned dropped = 0;

		policing_publish(&t->b->policings, t->slot[W_A], &cases[i].a);
		policing_publish(&t->b->policings, t->slot[W_B], &cases[i].b);
		burst(e, W_A, W_B, 20); /* nothing is left of the narrow one */
		pass_time(e, 1);
		assert_int_equal(
		    trace_start(&t->b->trace, &(struct trace_filter){.drops = true}, 5, 0), 0);
		t->w->trace = trace_session(&t->b->trace);
		burst(e, W_A, W_B, 5);
		t->w->trace = NULL;
		while (trace_take(&t->b->trace, &entry)) {
			if (entry.record.stage != TRACE_DROPPED)
				continue;
			dropped++;
			assert_int_equal(entry.record.what, DROP_POLICED);
			assert_int_equal(entry.record.gate.slot, cases[i].gate.slot);
			assert_int_equal(entry.record.gate.index, cases[i].gate.index);
			assert_int_equal(entry.record.gate.out, cases[i].gate.out);
		}
		assert_true(dropped > 0);
		trace_stop(&t->b->trace);
	}
}

/* Packets of the router itself, and for it, are not held to the rate of others. */
static void test_not_our_own(void **state)
{
	struct policed *e = *state;
	struct world *t = e->t;
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.1.255.254", .protocol = 1};
	static struct packet p;
	struct rte_mbuf *m;
	unsigned punted = 0;

	hold(e, W_A, policer(e, 8000, 1), policer(e, 8000, 1));
	flood(e, W_A, W_B, 20);
	world_mark(t);
	for (unsigned i = 0; i < 5; i++) {
		p.len = 0;
		packet_icmp(&p, &ip, 8, "ping", 4);
		world_receive_on(t, W_A, &p);
		m = world_punted(t, PUNT_ICMP_LOCAL);
		punted += m != NULL;
		rte_pktmbuf_free(m);
	}
	assert_int_equal(punted, 5);
	for (unsigned i = 0; i < 50; i++) {
		const struct ip4 back = {.src = "10.1.255.254", .dst = "10.1.0.1", .protocol = 1};

		p.len = 0;
		packet_icmp(&p, &back, 0, "pong", 4);
		m = world_mbuf(t, &p);
		pkt_meta(m)->detail = INJECT_ROUTE;
		pkt_meta(m)->iface = (uint16_t)t->iface[W_A];
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	}
	world_run(t);
	assert_int_equal(world_drops(t, DROP_POLICED), 0);
	assert_int_equal(world_since(t, t->slot[W_A]).sent, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_off, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_in, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refused_at_the_end_costs_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_two_of_a_slot, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_traced, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_not_our_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
