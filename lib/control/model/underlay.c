/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Where outer packets leave: the uplink of a public gateway, the VBR of a private one (A18). A peer on a subnet of
 * that interface is a neighbour, any other lies behind its gateway or a route of the VBR.
 */

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

struct iface_entry *iface_of_tunnel(const struct model *m, const struct conf_tunnel *t)
{
	struct iface_entry *e;

	list_for (e, &m->ifaces, node) {
		if (t->via ? e->pub.attachment == t->via
			   : (!e->pub.attachment && e->pub.port == t->uplink))
			return e;
	}
	return NULL;
}

static uint32_t via_publish(
    struct model *m, const struct iface_entry *e, const struct ip_addr *addr)
{
	const struct iface *iface = iface_get(&m->b->ifaces, e->pub.index);
	const struct neigh *known = neigh_find(m->b->neighbours, (uint16_t)e->pub.index, addr);
	int neigh = known ? (int)known->index : neigh_publish(m->b->neighbours, iface, addr, NULL);
	struct nexthop_spec spec = {
	    .kind = NH_VIA,
	    .attachment = e->pub.number,
	    .slot = e->pub.slot,
	    .iface = (uint16_t)e->pub.index,
	    .neigh = (uint32_t)neigh,
	};
	uint32_t leaf = 0;

	if (neigh < 0 || nexthop_publish(&m->b->nexthops, &spec, &leaf) < 0)
		return 0;
	return leaf;
}

uint32_t via_leaf(struct model *m, const struct iface_entry *e, const struct ip_addr *addr)
{
	struct via *v;

	list_for (v, &m->vias, node) {
		if (v->iface == e->pub.index && ip_eq(&v->addr, addr)) {
			v->seen = true;
			return v->leaf;
		}
	}
	uint32_t leaf = via_publish(m, e, addr);
	if (!leaf)
		return 0;
	v = xcalloc(1, sizeof(*v));
	v->iface = e->pub.index;
	v->addr = *addr;
	v->leaf = leaf;
	v->seen = true;
	list_append(&m->vias, &v->node);
	return leaf;
}

static void via_free(struct model *m, struct via *v)
{
	nexthop_remove(&m->b->nexthops, v->leaf);
	list_remove(&v->node);
	free(v);
}

/* Those on an interface that is gone. Others stay: a tunnel may be sending through them. */
void vias_sweep(struct model *m)
{
	struct via *v, *next;

	list_for_safe (v, next, &m->vias, node) {
		if (!iface_get(&m->b->ifaces, v->iface))
			via_free(m, v);
	}
}

void vias_free(struct model *m)
{
	struct via *v, *next;

	list_for_safe (v, next, &m->vias, node)
		via_free(m, v);
}

static const struct ip_addr *gateway_to(const struct iface_entry *e, const struct ip_addr *remote)
{
	const struct conf_attached_route *best = NULL;

	if (!e->attach) {
		for (unsigned i = 0; i < e->pub.port->gateway_count; i++) {
			if (e->pub.port->gateway[i].family == remote->family)
				return &e->pub.port->gateway[i];
		}
		return NULL;
	}
	for (unsigned i = 0; i < e->attach->conf->routes_count; i++) {
		const struct conf_attached_route *r = e->attach->conf->routes[i];

		if (ip_is_set(&r->next_hop) && ip_prefix_has(&r->prefix, remote) &&
		    (!best || r->prefix.len > best->prefix.len))
			best = r;
	}
	return best ? &best->next_hop : NULL;
}

static struct iface_entry *iface_of_address(const struct model *m, const struct ip_addr *local)
{
	struct tunnel_entry *t;
	struct iface_entry *e;

	list_for (t, &m->tunnels, node) {
		if (ip_eq(&t->pub.conf->gateway_address, local))
			return iface_of_tunnel(m, t->pub.conf);
	}
	list_for (e, &m->ifaces, node) {
		for (unsigned i = 0; !e->attach && i < e->pub.address_count; i++) {
			if (ip_eq(&e->pub.address[i].addr, local))
				return e;
		}
	}
	return NULL;
}

uint32_t model_underlay(struct model *m, const struct ip_addr *local, const struct ip_addr *remote)
{
	const struct iface_entry *e = iface_of_address(m, local);

	if (!e)
		return 0;
	for (unsigned i = 0; i < e->pub.address_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&e->pub.address[i].addr, e->pub.address[i].len);

		if (ip_prefix_has(&subnet, remote))
			return e->pub.leaf;
	}
	const struct ip_addr *gateway = gateway_to(e, remote);
	return gateway ? via_leaf(m, e, gateway) : 0;
}
