/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Interfaces and their neighbours under a change of the configuration: the engine hears of what is different, and of
 * nothing else. An interface whose addresses stay is not announced again, a neighbour that is known stays known.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/names.h"
#include "conf/pool.h"
#include "router/change/apply.h"
#include "router/local/neighbours.h"

/* An interface as it was. Neighbours of the file are still in the old configuration. */
struct before {
	uint32_t index;
	struct neigh_iface spec;
	struct ip_addr *proxy, *gateway;
	unsigned proxy_count, gateway_count;
	struct conf_neighbor *const *fixed;
	unsigned fixed_count;
	bool stays;
};

struct snapshot {
	struct before *items;
	unsigned count;
};

static struct ip_addr *copy(const struct ip_addr *list, unsigned count)
{
	struct ip_addr *out = xcalloc(count + 1, sizeof(*out));

	if (count)
		memcpy(out, list, count * sizeof(*out));
	return out;
}

static int prepare(struct apply *a, void **own)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	const struct model_iface **all;
	unsigned count = model_ifaces(a->r->model, &all);

	*own = s;
	s->items = xcalloc(count + 1, sizeof(*s->items));
	for (unsigned i = 0; i < count; i++) {
		struct before *b = &s->items[s->count++];

		b->index = all[i]->index;
		neighbours_spec(a->r, all[i], &b->spec);
		b->proxy = copy(all[i]->proxy, all[i]->proxy_count);
		b->proxy_count = all[i]->proxy_count;
		b->gateway = copy(all[i]->gateway, all[i]->gateway_count);
		b->gateway_count = all[i]->gateway_count;
		b->fixed_count = neighbours_fixed(all[i], &b->fixed);
	}
	return 0;
}

static struct before *before_of(const struct snapshot *s, uint32_t index)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->items[i].index == index)
			return &s->items[i];
	}
	return NULL;
}

static void leave(struct apply *a, void *own)
{
	struct snapshot *s = own;
	const struct model_iface **all;
	unsigned count = model_ifaces(a->r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		struct before *b = before_of(s, all[i]->index);

		if (b)
			b->stays = true;
	}
	for (unsigned i = 0; i < s->count; i++) {
		if (!s->items[i].stays)
			neigh_iface_remove(a->r->neigh, s->items[i].index);
	}
}

/* ---- what is different on an interface that stays ---- */

static bool has(const struct ip_addr *list, unsigned count, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < count; i++) {
		if (ip_eq(&list[i], addr))
			return true;
	}
	return false;
}

static bool same_spec(const struct neigh_iface *a, const struct neigh_iface *b)
{
	if (a->subnet_count != b->subnet_count || memcmp(a->mac, b->mac, sizeof(a->mac)) != 0)
		return false;
	for (unsigned i = 0; i < a->subnet_count; i++) {
		if (!ip_eq(&a->subnet[i].addr, &b->subnet[i].addr) ||
		    a->subnet[i].len != b->subnet[i].len)
			return false;
	}
	return true;
}

static bool is_on(const struct neigh_iface *spec, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < spec->subnet_count; i++) {
		struct ip_prefix subnet = ip_prefix_of(&spec->subnet[i].addr, spec->subnet[i].len);

		if (ip_prefix_has(&subnet, addr))
			return true;
	}
	return false;
}

static const struct conf_neighbor *fixed_of(
    struct conf_neighbor *const *list, unsigned count, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < count; i++) {
		if (ip_eq(&list[i]->address, addr))
			return list[i];
	}
	return NULL;
}

/* There are as many as tunnels: found by hash. */
static void proxies_change(struct apply *a, const struct before *b, const struct model_iface *mi)
{
	struct conf_pool *pool = pool_new();
	struct names old = {0}, new = {0};

	for (unsigned i = 0; i < mi->proxy_count; i++)
		names_put_bytes(&new, pool, &mi->proxy[i], sizeof(mi->proxy[i]), pool);
	for (unsigned i = 0; i < b->proxy_count; i++) {
		names_put_bytes(&old, pool, &b->proxy[i], sizeof(b->proxy[i]), pool);
		if (!names_put_bytes(&new, pool, &b->proxy[i], sizeof(b->proxy[i]), pool))
			neigh_proxy_remove(a->r->neigh, mi->index, &b->proxy[i]);
	}
	for (unsigned i = 0; i < mi->proxy_count; i++) {
		if (!names_put_bytes(&old, pool, &mi->proxy[i], sizeof(mi->proxy[i]), pool))
			neigh_proxy_add(a->r->neigh, mi->index, &mi->proxy[i], a->now);
	}
	names_fini(&old);
	names_fini(&new);
	pool_free(pool);
}

static void fixed_change(struct apply *a, const struct before *b, const struct model_iface *mi,
    const struct neigh_iface *spec)
{
	struct conf_neighbor *const *now;
	unsigned count = neighbours_fixed(mi, &now);

	for (unsigned i = 0; i < b->fixed_count; i++) {
		if (!fixed_of(now, count, &b->fixed[i]->address))
			neigh_static_remove(a->r->neigh, mi->index, &b->fixed[i]->address);
	}
	for (unsigned i = 0; i < count; i++) {
		const struct conf_neighbor *old =
		    fixed_of(b->fixed, b->fixed_count, &now[i]->address);

		if (!old || memcmp(&old->mac, &now[i]->mac, sizeof(old->mac)) != 0 ||
		    !is_on(&b->spec, &now[i]->address))
			neigh_static_add(
			    a->r->neigh, mi->index, &now[i]->address, now[i]->mac.bytes, a->now);
	}
}

/* Pins are counted: one per gateway that is on a subnet. Off the new ones, the engine has dropped it itself. */
static void gateways_change(struct apply *a, const struct before *b, const struct model_iface *mi,
    const struct neigh_iface *spec)
{
	for (unsigned i = 0; i < b->gateway_count; i++) {
		if (!has(mi->gateway, mi->gateway_count, &b->gateway[i]) &&
		    is_on(spec, &b->gateway[i]))
			neigh_unpin(a->r->neigh, mi->index, &b->gateway[i]);
	}
	for (unsigned i = 0; i < mi->gateway_count; i++) {
		bool pinned = has(b->gateway, b->gateway_count, &mi->gateway[i]) &&
		    is_on(&b->spec, &mi->gateway[i]);

		if (!pinned)
			neigh_pin(a->r->neigh, mi->index, &mi->gateway[i], a->now);
	}
}

static void enter(struct apply *a, void *own)
{
	struct snapshot *s = own;
	const struct model_iface **all;
	unsigned count = model_ifaces(a->r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		const struct before *b = before_of(s, all[i]->index);
		struct neigh_iface spec;

		if (!b) {
			neighbours_add(a->r, all[i], a->now);
			continue;
		}
		neighbours_spec(a->r, all[i], &spec);
		if (!same_spec(&b->spec, &spec))
			neigh_iface_set(a->r->neigh, &spec, a->now);
		proxies_change(a, b, all[i]);
		fixed_change(a, b, all[i], &spec);
		gateways_change(a, b, all[i], &spec);
	}
}

static void done(struct apply *a, void *own)
{
	struct snapshot *s = own;

	if (!s)
		return;
	for (unsigned i = 0; i < s->count; i++) {
		free(s->items[i].proxy);
		free(s->items[i].gateway);
	}
	free(s->items);
	free(s);
}

const struct apply_part apply_neighbours = {prepare, leave, enter, done, NULL};
