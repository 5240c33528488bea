/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Ways out to a neighbour.
 *
 * Of routes: one leaf next hop per interface and neighbour, shared, gone with the last route that
 * names it.
 *
 * Of outer packets (A18): the uplink of a public gateway, the VBR of a private one. A peer on a
 * subnet of that interface is a neighbour, any other lies behind the gateway of the uplink, a
 * route of the VBR or its BGP peer. SAs keep the number of the leaf, so it stays as long as the interface, and its
 * content follows the configuration. Strangers make us ask for any address: there is a way per
 * gateway or route, not per peer.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

struct iface_entry *iface_of_tunnel(const struct model *m, const struct conf_tunnel *t)
{
	struct iface_entry *e;

	list_for (e, &m->ifaces, node) {
		if (!e->seen)
			continue;
		if (t->via ? e->pub.attachment == t->via : (!e->attach && e->pub.port == t->uplink))
			return e;
	}
	return NULL;
}

/* A leaf through the neighbour; NULL address: nowhere. `leaf` 0 takes a new one. 0 or -errno. */
static int leaf_publish(
    struct model *m, const struct iface_entry *e, const struct ip_addr *addr, uint32_t *leaf)
{
	const struct iface *iface = iface_get(&m->b->ifaces, e->pub.index);
	struct nexthop_spec spec = {
	    .kind = addr ? NH_VIA : NH_BLACKHOLE,
	    .attachment = e->attach ? e->attach->number : 0,
	    .slot = e->pub.slot,
	    .iface = (uint16_t)e->pub.index,
	};

	if (addr) {
		const struct neigh *known =
		    neigh_find(m->b->neighbours, (uint16_t)e->pub.index, addr);
		int neigh =
		    known ? (int)known->index : neigh_publish(m->b->neighbours, iface, addr, NULL);

		if (neigh < 0)
			return neigh;
		spec.neigh = (uint32_t)neigh;
	}
	return nexthop_publish(&m->b->nexthops, &spec, leaf);
}

/* ---- of routes ---- */

struct via *via_get(struct model *m, struct iface_entry *e, const struct ip_addr *addr)
{
	struct via *v;
	uint32_t leaf = 0;

	list_for (v, &e->vias, node) {
		if (ip_eq(&v->addr, addr))
			return v;
	}
	if (leaf_publish(m, e, addr, &leaf) < 0)
		return NULL;
	v = xcalloc(1, sizeof(*v));
	v->iface = e;
	v->addr = *addr;
	v->leaf = leaf;
	list_append(&e->vias, &v->node);
	return v;
}

/* Is it named beside the via that goes? Interfaces share the index while a VLAN changes hands. */
static bool is_named(const struct model *m, const struct via *gone)
{
	uint32_t index = gone->iface->pub.index;
	struct iface_entry *e;
	struct via *v;
	struct way *w;

	list_for (e, &m->ifaces, node) {
		if (e->pub.index != index)
			continue;
		list_for (v, &e->vias, node) {
			if (ip_eq(&v->addr, &gone->addr))
				return true;
		}
	}
	list_for (w, &m->ways, node) {
		if (w->iface->pub.index == index && ip_eq(&w->next_hop, &gone->addr))
			return true;
	}
	return false;
}

static void via_free(struct model *m, struct via *v)
{
	const struct neigh *n =
	    neigh_find(m->b->neighbours, (uint16_t)v->iface->pub.index, &v->addr);

	list_remove(&v->node);
	nexthop_remove(&m->b->nexthops, v->leaf);
	/*
	 * A neighbour that never answered is known here alone; of any other the router will tell.
	 */
	if (n && n->state == NEIGH_INCOMPLETE && !is_named(m, v))
		neigh_remove(m->b->neighbours, n->index);
	free(v);
}

void vias_sweep(struct model *m)
{
	struct iface_entry *e;
	struct table *t;
	struct via *v, *next;
	struct path *p;

	list_for (e, &m->ifaces, node) {
		list_for (v, &e->vias, node)
			v->seen = false;
	}
	list_for (t, &m->tables, node) {
		for (uint32_t i = 0; i < t->now.candidate_count; i++) {
			if (t->now.candidate[i].via)
				t->now.candidate[i].via->seen = true;
		}
	}
	list_for (p, &m->paths, node) {
		for (unsigned i = 0; i < p->member_count; i++) {
			if (p->member[i].via)
				p->member[i].via->seen = true;
		}
	}
	list_for (e, &m->ifaces, node) {
		list_for_safe (v, next, &e->vias, node) {
			if (!v->seen)
				via_free(m, v);
		}
	}
}

/* ---- of outer packets ---- */

/*
 * The next hop of the longest route of an attachment around the prefix, and that route's prefix. What no route of the
 * configuration has lies behind the BGP peer, who is there for the networks beyond the circuit (B10).
 */
static const struct ip_addr *route_to(
    const struct conf_attachment *a, const struct ip_prefix *prefix, struct ip_prefix *around)
{
	const struct conf_attached_route *best = NULL;

	for (unsigned i = 0; i < a->routes_count; i++) {
		const struct conf_attached_route *r = a->routes[i];

		if (ip_is_set(&r->next_hop) && ip_prefix_covers(&r->prefix, prefix) &&
		    (!best || r->prefix.len > best->prefix.len))
			best = r;
	}
	if (best) {
		*around = best->prefix;
		return &best->next_hop;
	}
	if (!a->bgp.enabled || a->bgp.peer.family != prefix->addr.family)
		return NULL;
	*around = (struct ip_prefix){.addr = ip_any(prefix->addr.family)};
	return &a->bgp.peer;
}

/*
 * The neighbour on the way to the prefix, and the whole prefix behind that neighbour; NULL: there
 * is none.
 */
static const struct ip_addr *next_hop_to(
    const struct iface_entry *e, const struct ip_prefix *prefix, struct ip_prefix *around)
{
	const struct conf_port *port = e->pub.port;

	if (e->attach)
		return route_to(e->attach->conf, prefix, around);
	for (unsigned i = 0; i < port->gateway_count; i++) {
		if (port->gateway[i].family == prefix->addr.family) {
			*around = (struct ip_prefix){.addr = ip_any(prefix->addr.family)};
			return &port->gateway[i];
		}
	}
	return NULL;
}

static uint32_t way_get(struct model *m, struct iface_entry *e, const struct ip_prefix *prefix,
    const struct ip_addr *next_hop)
{
	struct way *w;
	uint32_t leaf = 0;

	list_for (w, &m->ways, node) {
		if (w->iface == e && ip_prefix_eq(&w->prefix, prefix))
			return w->leaf;
	}
	if (leaf_publish(m, e, next_hop, &leaf) < 0)
		return 0;
	w = xcalloc(1, sizeof(*w));
	w->iface = e;
	w->prefix = *prefix;
	w->next_hop = *next_hop;
	w->leaf = leaf;
	list_append(&m->ways, &w->node);
	return leaf;
}

void ways_commit(struct model *m)
{
	struct way *w;

	list_for (w, &m->ways, node) {
		struct ip_prefix around;
		struct ip_addr none = {.family = IP_NONE};
		const struct ip_addr *hop;

		if (!w->iface->seen)
			continue;
		hop = next_hop_to(w->iface, &w->prefix, &around);
		if (ip_eq(hop ? hop : &none, &w->next_hop))
			continue;
		int rc = leaf_publish(m, w->iface, hop, &w->leaf);
		if (rc < 0)
			log_write(LOG_ERROR, LOG, NULL, "outer packets: next hop not changed: %s",
			    strerror(-rc));
		else
			w->next_hop = hop ? *hop : none;
	}
}

void ways_sweep(struct model *m)
{
	struct way *w, *next;

	list_for_safe (w, next, &m->ways, node) {
		if (w->iface->seen)
			continue;
		list_remove(&w->node);
		nexthop_remove(&m->b->nexthops, w->leaf);
		free(w);
	}
}

/* That of the tunnel which is meant; without one it is our own address on an uplink. */
static struct iface_entry *iface_of_address(
    struct model *m, const struct ip_addr *local, const struct ip_addr *remote)
{
	const struct tunnel_entry *t = peers_find(m, local, remote);
	struct iface_entry *e;

	if (t && t->out)
		return t->out;
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
	struct iface_entry *e = iface_of_address(m, local, remote);
	const struct ip_prefix host = {
	    .addr = *remote, .len = (uint8_t)(8 * ip_bytes(remote->family))};
	struct ip_prefix around;

	if (!e || local->family != remote->family)
		return 0;
	for (unsigned i = 0; i < e->pub.address_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&e->pub.address[i].addr, e->pub.address[i].len);

		if (ip_prefix_has(&subnet, remote))
			return e->pub.leaf;
	}
	const struct ip_addr *hop = next_hop_to(e, &host, &around);
	return hop ? way_get(m, e, &around, hop) : 0;
}
