/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels through the whole pipeline. Both ends are in one router: what tunnel "left" encrypts leaves on the
 * uplink; the test carries it back to the uplink, where tunnel "right" decrypts it, and the other way round.
 *
 *   10.1.0.1 - W_A -> table A: 10.100/16 -> left  == ESP over port 0 ==  right -> table R: via 10.2.0.1 - W_B
 *   10.2.0.1 - W_B -> table B: 10.101/16 -> right == ESP over port 0 ==  left  -> table A
 */

#include <string.h>

#include "world.h"

#define INNER_MTU 1400
#define MSS       1360

struct end {
	uint32_t tunnel, nexthop;
	uint16_t slot, attachment;
	struct tunnel spec;
	struct sa_in *in;
};

struct ends {
	struct world *t;
	struct end left, right;
	struct fib *table_r;
	uint32_t underlay;
};

static struct sa_spec sa_of(struct ends *e, const struct end *from, const struct end *to,
    bool inbound, bool aead, bool natt)
{
	struct ip_prefix all = {.addr = ip_any(IP_V4)};
	bool left = from == &e->left;
	const struct end *owner = inbound ? to : from;
	struct ip_addr source = test_addr(left ? "203.0.113.10" : "203.0.113.20");
	struct ip_addr target = test_addr(left ? "203.0.113.20" : "203.0.113.10");
	struct sa_spec spec = {.spi = left ? 0x1001 : 0x1002,
	    .tunnel = owner->tunnel,
	    .attachment = owner->attachment,
	    .slot = owner->slot,
	    .inner_family = IP_V4,
	    .local = inbound ? target : source,
	    .remote = inbound ? source : target,
	    .natt = natt,
	    .local_port = 4500,
	    .remote_port = 4500,
	    .encr = aead ? ENCR_AES128GCM16 : ENCR_AES128,
	    .auth = aead ? AUTH_NONE : AUTH_SHA1,
	    .underlay = e->underlay,
	    .outer_mtu = 1500,
	    .df = SA_DF_CLEAR,
	    .selector_count = 1};

	memset(spec.encr_key, left ? 0x11 : 0x22, sizeof(spec.encr_key));
	memset(spec.auth_key, left ? 0x33 : 0x44, sizeof(spec.auth_key));
	spec.selector[0] = (struct sa_selector){.local = ip_range_of_prefix(&all),
	    .remote = ip_range_of_prefix(&all),
	    .local_port_last = 65535,
	    .remote_port_last = 65535};
	return spec;
}

static void end_init(struct ends *e, struct end *end, uint16_t attachment, struct fib *fib)
{
	struct world *t = e->t;

	end->tunnel = tunnel_alloc(&t->b->tunnels);
	assert_int_not_equal(end->tunnel, 0);
	end->attachment = attachment;
	end->slot = slot_alloc(&t->b->counters);
	end->nexthop = world_nexthop(t,
	    &(struct nexthop_spec){.kind = NH_TUNNEL,
		.tunnel = end->tunnel,
		.slot = end->slot,
		.attachment = attachment});
	end->spec = (struct tunnel){.index = end->tunnel,
	    .slot = end->slot,
	    .attachment = attachment,
	    .state = TUNNEL_UP,
	    .fib = fib,
	    .inner_mtu = INNER_MTU,
	    .mss_v4 = MSS,
	    .any = true,
	    .out_count = 1};
}

static void end_up(struct ends *e, struct end *from, struct end *to, bool aead, bool natt)
{
	struct world *t = e->t;
	struct sa_spec spec = sa_of(e, from, to, true, aead, natt);

	to->in = sa_in_create(t->b->sas, &spec);
	assert_non_null(to->in);
	spec = sa_of(e, from, to, false, aead, natt);
	from->spec.out[0].sa = sa_out_create(t->b->sas, &spec);
	assert_non_null(from->spec.out[0].sa);
	tunnel_publish(&t->b->tunnels, &from->spec);
}

static int setup(void **state, bool aead, bool natt)
{
	const struct fib_limits limits = {.routes = 100, .groups = 16};
	struct ends *e = calloc(1, sizeof(*e));
	struct world *t;
	int neigh_b;

	assert_int_equal(world_setup((void **)&e->t), 0);
	t = e->t;
	e->table_r = fib_create(t->b->epoch, "remote", 3, &limits);
	assert_non_null(e->table_r);
	neigh_b = world_neighbour(t, W_B, "10.2.0.1", 0xb1);
	world_route(t, e->table_r, "0.0.0.0/0",
	    world_nexthop(t,
		&(struct nexthop_spec){.kind = NH_VIA,
		    .iface = (uint16_t)t->iface[W_B],
		    .slot = t->slot[W_B],
		    .neigh = (uint32_t)neigh_b}));
	world_route(t, e->table_r, "169.254.10.2/32", t->local);
	world_route(t, t->underlay, "203.0.113.20/32", t->local);
	e->underlay = t->gateway;
	end_init(e, &e->left, 4, t->table_a);
	end_init(e, &e->right, 5, e->table_r);
	end_up(e, &e->left, &e->right, aead, natt);
	end_up(e, &e->right, &e->left, aead, natt);
	world_route(t, t->table_a, "10.100.0.0/16", e->left.nexthop);
	world_route(t, t->table_a, "169.254.10.2/32", e->left.nexthop);
	world_route(t, t->table_b, "10.101.0.0/16", e->right.nexthop);
	*state = e;
	return 0;
}

static int setup_gcm(void **state)
{
	return setup(state, true, false);
}

static int setup_cbc(void **state)
{
	return setup(state, false, false);
}

static int setup_natt(void **state)
{
	return setup(state, true, true);
}

static void end_down(struct ends *e, struct end *end)
{
	tunnel_release(&e->t->b->tunnels, end->tunnel);
	sa_out_remove(e->t->b->sas, end->spec.out[0].sa);
}

static int teardown(void **state)
{
	struct ends *e = *state;
	struct fib *table_r = e->table_r;

	end_down(e, &e->left);
	end_down(e, &e->right);
	world_teardown((void **)&e->t);
	fib_free(table_r);
	free(e);
	return 0;
}

/* Carries what is on the wire of the uplink back to the uplink, until it is silent. Returns how much that was. */
static unsigned carry(struct world *t)
{
	static struct packet f;
	unsigned n = 0;

	while (world_sent(t, 0, &f)) {
		memcpy(f.bytes, world_mac(0), 6);
		world_receive(t, 0, &f);
		n++;
	}
	return n;
}

/* The same once, as one burst. */
static unsigned carry_together(struct world *t)
{
	static struct packet f;
	unsigned n = 0;

	for (; world_sent(t, 0, &f); n++) {
		memcpy(f.bytes, world_mac(0), 6);
		world_queue(t, 0, &f);
	}
	world_run(t);
	return n;
}

static void inner(struct packet *p, const char *dst, uint16_t fragment, size_t len)
{
	const struct ip4 ip = {
	    .src = "10.1.0.1", .dst = dst, .protocol = 253, .fragment = fragment, .id = 99};
	static uint8_t payload[PACKET_MAX];

	packet_fill(payload, len - 20);
	p->len = 0;
	packet_ip4(p, &ip, payload, len - 20);
	assert_int_equal(p->len, len);
}

static void test_through(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	static const size_t lengths[] = {20, 21, 46, 64, 100, 999, 1399, 1400};

	for (unsigned i = 0; i < TEST_COUNT(lengths); i++) {
		size_t len = lengths[i];

		inner(&p, "10.100.0.1", 0, len);
		world_mark(t);
		world_receive_on(t, W_A, &p);
		assert_int_equal(world_since(t, t->slot[W_A]).delivered, 1);
		assert_int_equal(world_since(t, e->left.slot).sent, 1);
		assert_int_equal(carry(t), 1);
		world_no_drops(t);
		assert_int_equal(world_since(t, t->slot[W_UPLINK]).received, 1);
		assert_int_equal(world_since(t, t->slot[W_UPLINK]).decrypted, 1);
		assert_int_equal(world_since(t, e->right.slot).received, 1);
		assert_int_equal(world_since(t, e->right.slot).received_bytes, len);
		assert_int_equal(world_since(t, e->right.slot).delivered, 1);
		assert_int_equal(world_since(t, t->slot[W_B]).sent_bytes, len);
		assert_true(world_sent(t, 1, &out));
		assert_int_equal(get16(out.bytes + 14), 200);
		assert_int_equal(out.len, 18 + len);
		assert_int_equal(out.bytes[18 + 8], 62);
		assert_true(packet_ip4_is_right(out.bytes + 18));
		assert_memory_equal(out.bytes + 18 + 12, p.bytes + 12, len - 12);
	}
}

/* Both halves of the way, seen by a trace of the tunnel that encrypts and one of what came out of the other. */
static void test_traced(void **state)
{
	static const enum trace_stage out[] = {
	    TRACE_RECEIVED, TRACE_ROUTED, TRACE_ENCRYPTED, TRACE_SENT};
	static const enum trace_stage in[] = {
	    TRACE_RECEIVED, TRACE_DECRYPTED, TRACE_ROUTED, TRACE_SENT};
	struct ends *e = *state;
	struct world *t = e->t;
	struct trace_record seen[16];
	static struct packet p, f;

	inner(&p, "10.100.0.1", 0, 100);
	assert_int_equal(
	    trace_start(&t->b->trace, &(struct trace_filter){.tunnel = e->left.tunnel}, 1), 0);
	world_receive_on(t, W_A, &p);
	assert_int_equal(trace_take(&t->b->trace, seen, 16), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seen[i].stage, out[i]);
	assert_int_equal(seen[2].tunnel, e->left.tunnel);
	assert_int_equal(seen[2].spi, 0x1001);
	assert_int_equal(seen[2].sequence, 1);
	assert_int_equal(seen[3].what, 0);

	assert_int_equal(
	    trace_start(&t->b->trace, &(struct trace_filter){.tunnel = e->right.tunnel}, 1), 0);
	assert_int_equal(carry(t), 1);
	assert_int_equal(trace_take(&t->b->trace, seen, 16), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seen[i].stage, in[i]);
	assert_int_equal(seen[0].spi, 0x1001);
	assert_int_equal(seen[1].tunnel, e->right.tunnel);
	assert_int_equal(seen[1].dst, 0x0a640001);
	assert_true(world_sent(t, 1, &f));
}

/* Both ways at once, in bursts. */
static void test_both_ways(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	unsigned to_a = 0, to_b = 0;

	world_mark(t);
	for (unsigned i = 0; i < 300; i++) {
		const struct ip4 back = {.src = "10.2.0.1", .dst = "10.101.0.1", .protocol = 253};

		inner(&p, "10.100.0.1", 0, 40 + i);
		world_queue_on(t, W_A, &p);
		p.len = 0;
		packet_ip4(&p, &back, "back", 4);
		world_queue_on(t, W_B, &p);
	}
	world_route(t, t->table_a, "10.101.0.0/16", t->connected[W_A]);
	world_neighbour(t, W_A, "10.101.0.1", 0x55);
	world_run(t);
	assert_int_equal(carry(t), 600);
	world_no_drops(t);
	while (world_sent(t, 1, &out))
		*(get16(out.bytes + 14) == 200 ? &to_b : &to_a) += 1;
	assert_int_equal(to_a, 300);
	assert_int_equal(to_b, 300);
}

/* The SA belongs to the other worker: the one that polls the port hands its packets over. */
static void test_hand_off(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;

	atomic_store(&e->right.in->owner, 1);
	inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	for (unsigned i = 0; i < 100; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	t->waiting = true;
	assert_int_equal(carry_together(t), 100);
	world_no_drops(t);
	assert_int_equal(t->workers[0].slots[e->right.slot].received, 0);
	assert_int_equal(t->workers[1].slots[e->right.slot].delivered, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_true(world_sent(t, 1, &out));
}

static void expect_state(struct ends *e, struct end *end, enum tunnel_state state)
{
	end->spec.state = (uint8_t)state;
	tunnel_publish(&e->t->b->tunnels, &end->spec);
}

static void test_down(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	expect_state(e, &e->left, TUNNEL_DOWN);
	inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_TUNNEL_DOWN);
	assert_int_equal(carry(t), 0);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->detail, DROP_TUNNEL_DOWN);
	assert_int_equal(pkt_meta(m)->iface, t->iface[W_A]);
	assert_int_equal(pkt_meta(m)->tunnel, 0);
	rte_pktmbuf_free(m);
}

/* H3: a tunnel that failed its checks takes probes of the router, and nothing of anybody else. */
static void test_unfit(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	expect_state(e, &e->left, TUNNEL_UNFIT);
	inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_TUNNEL_DOWN);
	assert_int_equal(carry(t), 0);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	/* the same packet as one of the router itself */
	world_mark(t);
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	pkt_meta(m)->tunnel = e->left.tunnel;
	pkt_meta(m)->detail = INJECT_TUNNEL;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(carry(t), 1);
	world_no_drops(t);
	assert_true(world_sent(t, 1, &out));
}

/* The packet that wakes a tunnel waits with control and goes on by INJECT_TUNNEL. */
static void test_trap(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	expect_state(e, &e->left, TUNNEL_TRAP);
	inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_no_drops(t);
	m = world_punted(t, PUNT_TRAP);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->left.tunnel);
	assert_int_equal(m->pkt_len, 100);
	expect_state(e, &e->left, TUNNEL_UP);
	pkt_meta(m)->detail = INJECT_TUNNEL;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(world_since(t, SLOT_CONTROL).delivered, 1);
	assert_int_equal(carry(t), 1);
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

	expect_state(e, &e->left, TUNNEL_TRAP);
	inner(&p, "10.100.0.1", DF, INNER_MTU + 1);
	world_receive_on(t, W_A, &p);
	m = world_punted(t, PUNT_TRAP);
	assert_non_null(m);
	expect_state(e, &e->left, TUNNEL_UP);
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

	expect_state(e, &e->left, TUNNEL_TRAP);
	inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	for (unsigned i = 0; i < 1000; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	assert_in_range(world_since(t, t->slot[W_A]).punted, 50, 200);
	assert_int_equal(
	    world_drops(t, DROP_TUNNEL_DOWN), 1000 - world_since(t, t->slot[W_A]).punted);
}

static void test_mtu_and_df(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	inner(&p, "10.100.0.1", DF, INNER_MTU);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_int_equal(carry(t), 1);
	world_no_drops(t);
	inner(&p, "10.100.0.1", DF, INNER_MTU + 1);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	world_dropped_once(t, t->slot[W_A], DROP_MTU_EXCEEDED);
	m = world_punted(t, PUNT_ICMP_ERROR);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->mtu, INNER_MTU);
	assert_int_equal(pkt_meta(m)->detail, DROP_MTU_EXCEEDED);
	assert_int_equal(pkt_meta(m)->tunnel, 0); /* where it came from, not where it was to go */
	assert_int_equal(m->pkt_len, INNER_MTU + 1);
	rte_pktmbuf_free(m);
}

/* Fragments enter the tunnel, each encrypted by itself, and leave it as fragments. */
static void test_fragments_before_encryption(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	unsigned bytes = 0, n = 0;

	inner(&p, "10.100.0.1", 0, 9000);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_int_equal(world_since(t, t->slot[W_A]).created, 6);
	assert_int_equal(carry(t), 7);
	world_no_drops(t);
	while (world_sent(t, 1, &out)) {
		const uint8_t *ip = out.bytes + 18;
		unsigned offset = (get16(ip + 6) & 0x1fff) * 8;

		assert_true(out.len - 18 <= INNER_MTU);
		assert_memory_equal(ip + 20, p.bytes + 20 + offset, out.len - 38);
		bytes += out.len - 38;
		n++;
	}
	assert_int_equal(bytes, 8980);
	assert_int_equal(n, 7);
}

/* More fragments than a burst holds, behind a burst of others. */
static void test_burst_of_fragments(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;

	world_mark(t);
	for (unsigned i = 0; i < 40; i++) {
		inner(&p, "10.100.0.1", 0, 4000);
		world_queue_on(t, W_A, &p);
	}
	world_run(t);
	assert_int_equal(world_since(t, t->slot[W_A]).created, 80);
	assert_int_equal(carry(t), 120);
	world_no_drops(t);
	assert_int_equal(world_since(t, e->right.slot).delivered, 120);
}

/* An underlay that is narrower than the tunnel thinks: outer fragments, put together before decryption. */
static void test_outer_fragments(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	struct iface spec = *iface_get(&t->b->ifaces, t->iface[W_UPLINK]);
	static struct packet p, out;

	spec.mtu = 1000;
	assert_true(iface_publish(&t->b->ifaces, &spec) > 0);
	t->waiting = true;
	inner(&p, "10.100.0.1", 0, 1300);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	assert_int_equal(carry(t), 2);
	world_no_drops(t);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).received, 2);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).absorbed, 1);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).decrypted, 1);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.len, 18 + 1300);
	assert_memory_equal(out.bytes + 18 + 20, p.bytes + 20, 1280);
}

/* M4: the MSS of a SYN is lowered as it enters a tunnel and as it leaves one. */
static void test_mss(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static const struct {
		uint16_t left, right, said, seen;
	} cases[] = {{1360, 1360, 1460, 1360}, {1300, 1360, 1460, 1300}, {1360, 1300, 1460, 1300},
	    {0, 1300, 1460, 1300}, {1300, 0, 1460, 1300}, {0, 0, 1460, 1460},
	    {1360, 1360, 1200, 1200}};
	static const uint8_t flags[] = {0x02, 0x12};
	const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.100.0.1"};

	for (unsigned i = 0; i < TEST_COUNT(cases) * TEST_COUNT(flags); i++) {
		uint8_t option[4] = {2, 4};
		static struct packet p, out;

		e->left.spec.mss_v4 = cases[i / 2].left;
		e->right.spec.mss_v4 = cases[i / 2].right;
		tunnel_publish(&t->b->tunnels, &e->left.spec);
		tunnel_publish(&t->b->tunnels, &e->right.spec);
		put16(option + 2, cases[i / 2].said);
		p.len = 0;
		packet_tcp(&p, &ip, 40000, 80, flags[i % 2], option, 4);
		for (unsigned k = 0; k < 3; k++)
			world_queue_on(t, W_A, &p);
		world_run(t);
		assert_int_equal(carry_together(t), 3);
		for (unsigned k = 0; k < 3; k++) {
			assert_true(world_sent(t, 1, &out));
			assert_int_equal(get16(out.bytes + 18 + 42), cases[i / 2].seen);
			assert_true(packet_l4_is_right(out.bytes + 18));
		}
	}
}

/* No SYN, no TCP, no first fragment: not touched. */
static void test_mss_of_others(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;

	for (unsigned i = 0; i < 4; i++) {
		const struct ip4 ip = {.src = "10.1.0.1", .dst = "10.100.0.1"};
		static struct packet p, out;

		p.len = 0;
		packet_tcp(
		    &p, &ip, 40000, 80, i == 0 ? 0x10 : 0x02, (const uint8_t *)"\2\4\xff\xff", 4);
		if (i == 1)
			p.bytes[9] = 253;
		if (i == 2)
			put16(p.bytes + 6, 100);
		if (i == 3) {
			p.len -= 8; /* cut off */
			put16(p.bytes + 2, (unsigned)p.len);
		}
		packet_ip4_fix(p.bytes);
		world_receive_on(t, W_A, &p);
		assert_int_equal(carry(t), 1);
		assert_true(world_sent(t, 1, &out));
		assert_memory_equal(out.bytes + 18 + 20, p.bytes + 20, p.len - 20);
	}
}

/* A packet that comes out of the right end for an address of the router. */
static void receive_local(struct ends *e, const struct packet *p)
{
	world_mark(e->t);
	world_receive_on(e->t, W_A, p);
	assert_int_equal(carry(e->t), 1);
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

/* What comes out is asked the same as what comes in by a port. */
static void test_inner_is_judged(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p;
	struct rte_mbuf *m;

	for (unsigned i = 0; i < 4; i++) {
		static const enum drop_reason why[] = {
		    DROP_IP_CHECKSUM, DROP_IP_MARTIAN, DROP_IP_OPTIONS, DROP_TTL_EXCEEDED};

		inner(&p, "10.100.0.1", 0, 100);
		switch (i) {
		case 0:
			p.bytes[10] ^= 1;
			break;
		case 1:
			p.bytes[12] = 127;
			break;
		case 2:
			p.bytes[0] = 0x46;
			break;
		case 3:
			p.bytes[8] = 1;
			break;
		}
		if (i > 0)
			packet_ip4_fix(p.bytes);
		/* straight into the left tunnel, which asks nothing of what control sends */
		m = world_mbuf(t, &p);
		pkt_meta(m)->detail = INJECT_TUNNEL;
		pkt_meta(m)->tunnel = e->left.tunnel;
		world_mark(t);
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
		world_run(t);
		assert_int_equal(carry(t), 1);
		assert_int_equal(world_since(t, e->right.slot).drop[why[i]], 1);
		assert_int_equal(world_since(t, e->right.slot).received, 1);
	}
	m = world_punted(
	    t, PUNT_ICMP_ERROR); /* of the TTL: control sees which tunnel it came from */
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->right.tunnel);
	assert_int_equal(pkt_meta(m)->attachment, e->right.attachment);
	rte_pktmbuf_free(m);
}

/* One data center to another: out of a tunnel, into the next. */
static void test_tunnel_to_tunnel(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;

	/* out of the right end back into the right tunnel, so out of the left end */
	world_route(t, e->table_r, "10.102.0.0/16", e->right.nexthop);
	world_route(t, t->table_a, "10.102.0.0/16", e->left.nexthop);
	inner(&p, "10.102.0.1", 0, 100);
	p.bytes[8] = 5;
	packet_ip4_fix(p.bytes);
	world_mark(t);
	world_receive_on(t, W_A, &p);
	/* left, right, left, right: then the TTL is spent */
	assert_int_equal(carry(t), 4);
	assert_int_equal(world_drops(t, DROP_TTL_EXCEEDED), 1);
	assert_false(world_sent(t, 1, &out));
}

/* A waiting packet that came out of a tunnel goes on as such. */
static void test_neighbour_of_inner(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	world_route(t, e->table_r, "10.100.0.0/16", t->connected[W_B]);
	inner(&p, "10.100.0.1", 0, 100);
	world_receive_on(t, W_A, &p);
	assert_int_equal(carry(t), 1);
	m = world_punted(t, PUNT_NEIGH);
	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->tunnel, e->right.tunnel);
	assert_int_equal(pkt_meta(m)->iface, 0);
	assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[8], 62);
	world_neighbour(t, W_B, "10.100.0.1", 0x42);
	pkt_meta(m)->detail = INJECT_NEXTHOP;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_true(world_sent(t, 1, &out));
	assert_int_equal(out.bytes[5], 0x42);
	assert_int_equal(out.bytes[18 + 8], 62);
}

/* By the next hop of a tunnel: the same as into the tunnel. */
static void test_inject_nexthop_of_tunnel(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	static struct packet p, out;
	struct rte_mbuf *m;

	inner(&p, "10.100.0.1", 0, 100);
	m = world_mbuf(t, &p);
	pkt_meta(m)->detail = INJECT_NEXTHOP;
	pkt_meta(m)->nexthop = e->left.nexthop;
	assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	world_run(t);
	assert_int_equal(carry(t), 1);
	assert_true(world_sent(t, 1, &out));
}

/* The underlay's neighbour is not there yet: the outer packet waits, and goes on by its leaf. */
static void test_underlay_unresolved(void **state)
{
	struct ends *e = *state;
	struct world *t = e->t;
	struct ip_addr gateway = test_addr("203.0.113.1");
	static struct packet p, out;
	struct rte_mbuf *m;

	assert_true(neigh_publish(t->b->neighbours, iface_get(&t->b->ifaces, t->iface[W_UPLINK]),
			&gateway, NULL) > 0);
	inner(&p, "10.100.0.1", 0, 100);
	world_mark(t);
	for (unsigned i = 0; i < 3; i++)
		world_queue_on(t, W_A, &p);
	world_run(t);
	assert_int_equal(carry(t), 0);
	for (unsigned i = 0; i < 3; i++) {
		m = world_punted(t, PUNT_NEIGH);
		assert_non_null(m);
		assert_int_equal(pkt_meta(m)->nexthop, t->gateway);
		assert_int_equal(
		    pkt_meta(m)->iface | pkt_meta(m)->tunnel | pkt_meta(m)->attachment, 0);
		pkt_meta(m)->detail = INJECT_NEXTHOP;
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	}
	world_neighbour(t, W_UPLINK, "203.0.113.1", 1);
	world_run(t);
	assert_int_equal(carry(t), 3);
	world_no_drops(t);
	assert_true(world_sent(t, 1, &out));
}

#define TEST(f)        cmocka_unit_test_setup_teardown(f, setup_gcm, teardown)
#define WITH(f, setup) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_through),
	    WITH(test_through, setup_cbc),
	    WITH(test_through, setup_natt),
	    TEST(test_traced),
	    WITH(test_traced, setup_cbc),
	    WITH(test_traced, setup_natt),
	    TEST(test_both_ways),
	    WITH(test_both_ways, setup_cbc),
	    TEST(test_hand_off),
	    TEST(test_down),
	    TEST(test_unfit),
	    TEST(test_trap),
	    TEST(test_trapped_too_big),
	    TEST(test_trap_flood),
	    TEST(test_mtu_and_df),
	    TEST(test_fragments_before_encryption),
	    TEST(test_burst_of_fragments),
	    TEST(test_outer_fragments),
	    TEST(test_mss),
	    TEST(test_mss_of_others),
	    TEST(test_local),
	    TEST(test_local_refused),
	    TEST(test_inner_is_judged),
	    TEST(test_tunnel_to_tunnel),
	    TEST(test_neighbour_of_inner),
	    TEST(test_inject_nexthop_of_tunnel),
	    TEST(test_underlay_unresolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
