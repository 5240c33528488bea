/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Layer-3 interfaces: the uplink of each port with addresses, and one per attachment on a port.
 *
 * An interface belongs to one owner for good: it has a ledger slot and a leaf next hop. When a VLAN
 * of a port passes from one owner to another, the new one has its own slot and leaf from the first
 * step on, and takes over the record of the boundary in the third, because workers find the record
 * by port and VLAN.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/pool.h"
#include "model/internal.h"

#define LOG "model"

static const struct port *port_of(const struct model *m, const struct conf_port *conf)
{
	for (unsigned i = 0; i < m->b->ports; i++) {
		if (strcmp(m->b->port[i]->name, conf->name) == 0)
			return m->b->port[i];
	}
	return NULL;
}

/* ---- make ---- */

static struct iface_entry *iface_find(
    const struct model *m, const struct port *port, uint16_t vlan, const struct attach *a)
{
	struct iface_entry *e;

	list_for (e, &m->ifaces, node) {
		if (e->port == port->index && e->vlan == vlan && e->attach == a)
			return e;
	}
	return NULL;
}

/*
 * The record of that port and VLAN, of a former owner; or a new one that is not up yet. Its index
 * or -errno.
 */
static int record_make(struct model *m, const struct iface_entry *e, const struct port *port)
{
	const struct iface *there = iface_of_vlan(&m->b->ifaces, e->port, e->vlan);

	if (there)
		return (int)there->index;
	const struct iface record = {
	    .port = e->port,
	    .vlan = e->vlan,
	    .role = e->attach ? IFACE_ATTACHMENT : IFACE_UPLINK,
	    .mac = port->mac,
	    .slot = e->pub.slot,
	};
	return iface_publish(&m->b->ifaces, &record);
}

static bool record_is_shared(const struct model *m, const struct iface_entry *e)
{
	struct iface_entry *other;

	list_for (other, &m->ifaces, node) {
		if (other != e && other->pub.index == e->pub.index)
			return true;
	}
	return false;
}

static void iface_free(struct model *m, struct iface_entry *e)
{
	nexthop_remove(&m->b->nexthops, e->pub.leaf);
	if (e->pub.index && !record_is_shared(m, e)) {
		iface_remove(&m->b->ifaces, e->pub.index);
		neigh_remove_iface(m->b->neighbours, (uint16_t)e->pub.index);
	}
	if (e->pub.slot) {
		policing_publish(&m->b->policings, e->pub.slot, NULL);
		slot_leave(m, e->pub.slot);
	}
	list_remove(&e->node);
	free(e->gateways);
	free(e->proxies);
	free(e);
}

static int iface_fill(struct model *m, struct iface_entry *e, const struct port *port)
{
	e->pub.slot = slot_alloc(&m->b->counters);
	if (!e->pub.slot)
		return -ENOSPC;
	int rc = record_make(m, e, port);
	if (rc < 0)
		return rc;
	e->pub.index = (uint32_t)rc;
	const struct nexthop_spec leaf = {
	    .kind = NH_CONNECTED,
	    .attachment = e->attach ? e->attach->number : 0,
	    .slot = e->pub.slot,
	    .iface = (uint16_t)e->pub.index,
	};
	return nexthop_publish(&m->b->nexthops, &leaf, &e->pub.leaf);
}

static int iface_new(struct model *m, const struct port *port, uint16_t vlan, struct attach *a,
    struct iface_entry **out)
{
	struct iface_entry *e = xcalloc(1, sizeof(*e));

	e->port = port->index;
	e->vlan = vlan;
	e->attach = a;
	e->link_up = atomic_load(&port->link_up);
	list_init(&e->vias);
	list_append(&m->ifaces, &e->node);
	int rc = iface_fill(m, e, port);
	if (rc < 0)
		iface_free(m, e);
	*out = rc < 0 ? NULL : e;
	return rc;
}

static int iface_make(struct model *m, const struct conf_port *conf, struct attach *a)
{
	uint16_t vlan = (uint16_t)(a ? a->conf->vlan : conf->vlan);
	const struct port *port = port_of(m, conf);
	struct iface_entry *e = port ? iface_find(m, port, vlan, a) : NULL;
	int rc = port ? 0 : -ENODEV;

	if (port && !e)
		rc = iface_new(m, port, vlan, a, &e);
	if (rc < 0) {
		log_write(LOG_ERROR, LOG, a ? a->name : conf->name, "interface on port %s: %s",
		    conf->name, strerror(-rc));
		return rc;
	}
	e->seen = true;
	e->pub.port = conf;
	e->pub.attachment = a ? a->conf : NULL;
	e->pub.number = a ? a->number : 0;
	e->pub.address = a ? a->conf->address : conf->address;
	e->pub.address_count = a ? a->conf->address_count : conf->address_count;
	e->pub.mtu = a ? a->conf->mtu : conf->mtu;
	if (a)
		a->iface = e;
	return 0;
}

int ifaces_make(struct model *m)
{
	struct iface_entry *e;
	struct attach *a;
	int rc = 0;

	list_for (e, &m->ifaces, node)
		e->seen = false;
	for (unsigned i = 0; i < m->conf->ports_count && rc == 0; i++) {
		if (m->conf->ports[i]->address_count)
			rc = iface_make(m, m->conf->ports[i], NULL);
	}
	list_for (a, &m->attachments, node) {
		if (rc == 0 && a->seen && a->conf->port)
			rc = iface_make(m, a->conf->port, a);
	}
	return rc;
}

/* ---- commit ---- */

static bool has(const struct ip_addr *list, unsigned count, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < count; i++) {
		if (ip_eq(&list[i], addr))
			return true;
	}
	return false;
}

/*
 * Neighbours that the interface keeps resolved: the gateways of an uplink, next hops of attached
 * routes, a BGP peer.
 */
static void gateways_commit(struct iface_entry *e)
{
	const struct conf_port *port = e->pub.port;
	const struct ip_addr *peer = e->attach ? &e->attach->conf->bgp.peer : NULL;
	unsigned count = e->attach ? e->attach->conf->routes_count : port->gateway_count;

	e->gateways = xrealloc(e->gateways, (count + 1) * sizeof(*e->gateways));
	e->pub.gateway = e->gateways;
	e->pub.gateway_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct ip_addr *addr =
		    e->attach ? &e->attach->conf->routes[i]->next_hop : &port->gateway[i];

		if (ip_is_set(addr) && !has(e->gateways, e->pub.gateway_count, addr))
			e->gateways[e->pub.gateway_count++] = *addr;
	}
	if (peer && e->attach->conf->bgp.enabled && ip_is_set(peer) &&
	    !has(e->gateways, e->pub.gateway_count, peer))
		e->gateways[e->pub.gateway_count++] = *peer;
}

static bool is_own(const struct iface_entry *e, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < e->pub.address_count; i++) {
		if (ip_eq(&e->pub.address[i].addr, addr))
			return true;
	}
	return false;
}

/* Addresses it answers for beside its own: gateway addresses of the tunnels that leave here. */
static void proxies_commit(struct model *m, struct iface_entry *e)
{
	struct conf_pool *pool = pool_new();
	struct names known = {0};
	struct tunnel_entry *t;
	unsigned count = 0;

	list_for (t, &m->tunnels, node)
		count += t->seen && t->out == e;
	e->proxies = xrealloc(e->proxies, (count + 1) * sizeof(*e->proxies));
	e->pub.proxy = e->proxies;
	e->pub.proxy_count = 0;
	list_for (t, &m->tunnels, node) {
		const struct ip_addr *addr = &t->pub.conf->gateway_address;

		if (t->seen && t->out == e && !is_own(e, addr) &&
		    !names_put_bytes(&known, pool, addr, sizeof(*addr), e))
			e->proxies[e->pub.proxy_count++] = *addr;
	}
	names_fini(&known);
	pool_free(pool);
}

/* True when workers may be on their way to another table. */
static bool record_commit(struct model *m, const struct iface_entry *e)
{
	const struct iface *now = iface_get(&m->b->ifaces, e->pub.index);
	const struct table *t = e->attach ? table_of(m, e->attach->conf->associate) : m->underlay;
	struct iface record;

	memcpy(&record, now, sizeof(record)); /* with its padding, to be compared */
	record.role = e->attach ? IFACE_ATTACHMENT : IFACE_UPLINK;
	record.up = true;
	record.any_mac = e->pub.port->promiscuous;
	record.mtu = (uint16_t)e->pub.mtu;
	record.slot = e->pub.slot;
	record.attachment = e->pub.number;
	record.fib = t ? t->fib : NULL;
	record.address =
	    e->pub.address_count ? e->pub.address[0].addr : (struct ip_addr){.family = IP_NONE};
	bool moved = now->fib && now->fib != record.fib;
	if (memcmp(now, &record, sizeof(record)) != 0)
		iface_publish(
		    &m->b->ifaces, &record); /* in place: needs nothing that could be short */
	return moved;
}

bool ifaces_commit(struct model *m)
{
	struct iface_entry *e;
	bool moved = false;

	list_for (e, &m->ifaces, node) {
		if (!e->seen)
			continue;
		moved |= record_commit(m, e);
		gateways_commit(e);
		proxies_commit(m, e);
	}
	return moved;
}

/* ---- sweep ---- */

void ifaces_sweep(struct model *m)
{
	struct iface_entry *e, *next;

	list_for_safe (e, next, &m->ifaces, node) {
		if (!e->seen)
			iface_free(m, e);
	}
}
