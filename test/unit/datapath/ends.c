/* SPDX-License-Identifier: BSD-3-Clause */

#include "ends.h"

#include <string.h>

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

int ends_setup_gcm(void **state)
{
	return setup(state, true, false);
}

int ends_setup_cbc(void **state)
{
	return setup(state, false, false);
}

int ends_setup_natt(void **state)
{
	return setup(state, true, true);
}

static void end_down(struct ends *e, struct end *end)
{
	tunnel_release(&e->t->b->tunnels, end->tunnel);
	sa_out_remove(e->t->b->sas, end->spec.out[0].sa);
}

int ends_teardown(void **state)
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

unsigned ends_carry(struct world *t)
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

unsigned ends_carry_together(struct world *t)
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

void ends_inner(struct packet *p, const char *dst, uint16_t fragment, size_t len)
{
	const struct ip4 ip = {
	    .src = "10.1.0.1", .dst = dst, .protocol = 253, .fragment = fragment, .id = 99};
	static uint8_t payload[PACKET_MAX];

	packet_fill(payload, len - 20);
	p->len = 0;
	packet_ip4(p, &ip, payload, len - 20);
	assert_int_equal(p->len, len);
}

void ends_expect_state(struct ends *e, struct end *end, enum tunnel_state state)
{
	end->spec.state = (uint8_t)state;
	tunnel_publish(&e->t->b->tunnels, &end->spec);
}
