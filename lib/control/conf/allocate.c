/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Gateway addresses of tunnels that give none (A5): from the transit router's blocks.
 *
 * Every address that the file names is off limits, and so are the first and the last of a block, which
 * some peers refuse as hosts. Leases of earlier runs are served first, so that an address stays with its
 * tunnel whatever else changes in the file; the rest get the lowest free addresses in file order.
 */
#include <stdio.h>
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"
#include "conf/pool.h"

struct block {
	struct ip_range usable;
	struct ip_addr next; /* the lowest one that was not looked at yet */
	bool empty;
};

struct allocator {
	struct loader *l;
	struct names used;   /* addresses, as bytes */
	struct names leases; /* "connection/number" */
	struct block *blocks;
	unsigned blocks_count;
};

/* True when nobody had it. */
static bool use(struct allocator *a, const struct ip_addr *addr)
{
	static char somebody;

	return !names_put_bytes(&a->used, a->l->conf->pool, addr, sizeof(*addr), &somebody);
}

static void use_neighbors(
    struct allocator *a, struct conf_neighbor *const *neighbors, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		use(a, &neighbors[i]->address);
}

static void use_port(struct allocator *a, const struct conf_port *p)
{
	for (unsigned i = 0; i < p->address_count; i++)
		use(a, &p->address[i].addr);
	for (unsigned i = 0; i < p->gateway_count; i++)
		use(a, &p->gateway[i]);
	use_neighbors(a, p->neighbors, p->neighbors_count);
}

/* Neighbours too: a block may be of the subnet of the circuit that carries private tunnels. */
static void use_attachment(struct allocator *a, const struct conf_attachment *at)
{
	for (unsigned i = 0; i < at->address_count; i++)
		use(a, &at->address[i].addr);
	for (unsigned i = 0; i < at->routes_count; i++)
		use(a, &at->routes[i]->next_hop);
	use_neighbors(a, at->neighbors, at->neighbors_count);
	use(a, &at->bgp.peer);
	use(a, &at->bfd.peer);
}

static void use_tunnel(struct allocator *a, const struct conf_tunnel *t)
{
	use(a, &t->gateway_address);
	use(a, &t->health_check.source_address);
	use(a, &t->health_check.destination);
	use(a, &t->bfd.local);
	use(a, &t->bfd.peer);
}

static void use_named(struct allocator *a)
{
	const struct conf *conf = a->l->conf;

	for (unsigned i = 0; i < conf->ports_count; i++)
		use_port(a, conf->ports[i]);
	for (unsigned i = 0; i < conf->attachments_count; i++)
		use_attachment(a, conf->attachments[i]);
	for (unsigned i = 0; i < conf->customer_gateways_count; i++)
		use(a, &conf->customer_gateways[i]->address);
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++)
			use_tunnel(a, c->tunnels[k]);
	}
}

/* The address before `a`, which is not the first one of its family. */
static struct ip_addr previous(const struct ip_addr *a)
{
	struct ip_addr p = *a;

	for (unsigned i = ip_bytes(a->family); i-- > 0;) {
		if (p.bytes[i]-- != 0)
			break;
	}
	return p;
}

static void add_blocks(struct allocator *a)
{
	const struct conf_transit_router *tr = &a->l->conf->transit_router;

	a->blocks = pool_alloc(a->l->conf->pool, (tr->cidr_count + 1) * sizeof(*a->blocks));
	for (unsigned i = 0; i < tr->cidr_count; i++) {
		struct block *b = &a->blocks[a->blocks_count++];
		unsigned bits = 8 * ip_bytes(tr->cidr[i].addr.family);

		b->usable = ip_range_of_prefix(&tr->cidr[i]);
		if (bits - tr->cidr[i].len >= 2) {
			b->usable.first = ip_next(&b->usable.first);
			b->usable.last = previous(&b->usable.last);
		}
		b->next = b->usable.first;
	}
}

static bool from_leases(struct allocator *a, struct conf_tunnel *t)
{
	char key[160];
	const struct conf_lease *lease;

	snprintf(key, sizeof(key), "%s/%u", t->connection->name, t->number);
	lease = names_get(&a->leases, key);
	if (!lease || lease->address.family != t->customer_gateway->address.family)
		return false;
	for (unsigned i = 0; i < a->blocks_count; i++) {
		if (ip_range_has(&a->blocks[i].usable, &lease->address) &&
		    use(a, &lease->address)) {
			t->gateway_address = lease->address;
			return true;
		}
	}
	return false;
}

static bool from_block(struct allocator *a, struct block *b, struct conf_tunnel *t)
{
	while (!b->empty) {
		struct ip_addr addr = b->next;

		b->empty = ip_eq(&addr, &b->usable.last);
		b->next = ip_next(&addr);
		if (use(a, &addr)) {
			t->gateway_address = addr;
			return true;
		}
	}
	return false;
}

static bool from_blocks(struct allocator *a, struct conf_tunnel *t)
{
	uint8_t family = t->customer_gateway->address.family;

	for (unsigned i = 0; i < a->blocks_count; i++) {
		if (a->blocks[i].usable.first.family == family && from_block(a, &a->blocks[i], t))
			return true;
	}
	return false;
}

static void fail_allocation(struct allocator *a, const struct conf_tunnel *t)
{
	uint8_t family = t->customer_gateway->address.family;
	unsigned blocks = 0;

	if (is_reported(a->l, &a->l->conf->transit_router.source, "cidr"))
		return;
	for (unsigned i = 0; i < a->blocks_count; i++)
		blocks += a->blocks[i].usable.first.family == family;
	if (blocks == 0)
		fail_object(a->l, &t->source,
		    "tunnel: no `gateway-address`, and the transit router has no IPv%u `cidr` to take one "
		    "from; give one of them",
		    family);
	else
		fail_object(a->l, &t->source,
		    "tunnel: no `gateway-address`, and the `cidr` of the transit router is exhausted; add a "
		    "block, or give the address");
}

static bool needs_address(const struct loader *l, const struct conf_tunnel *t)
{
	return t->customer_gateway && ip_is_set(&t->customer_gateway->address) &&
	    !is_given(l, &t->source, "gateway-address");
}

typedef bool source_fn(struct allocator *a, struct conf_tunnel *t);

/* Serves the tunnels that have no address yet. */
static void serve(struct allocator *a, source_fn *from, bool last)
{
	const struct conf *conf = a->l->conf;

	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			struct conf_tunnel *t = c->tunnels[k];

			if (t->gateway_allocated || !needs_address(a->l, t))
				continue;
			t->gateway_allocated = from(a, t);
			if (last && !t->gateway_allocated)
				fail_allocation(a, t);
		}
	}
}

void allocate_gateways(struct loader *l)
{
	struct allocator a = {.l = l};
	char key[160];

	for (unsigned i = 0; l->options && i < l->options->leases_count; i++) {
		const struct conf_lease *lease = &l->options->leases[i];

		snprintf(key, sizeof(key), "%s/%u", lease->connection, lease->tunnel);
		names_put(&a.leases, pool_text(l->conf->pool, key, strlen(key)),
		    (void *)(uintptr_t)lease);
	}
	use_named(&a);
	add_blocks(&a);
	serve(&a, from_leases, false);
	serve(&a, from_blocks, true);
	names_fini(&a.used);
	names_fini(&a.leases);
}
