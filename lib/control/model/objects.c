/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Attachments, interfaces, tunnels and tables: what the configuration names gets a number, a ledger slot and a
 * record in the boundary, and keeps them as long as the name stays. What it no longer names goes in objects_sweep(), after
 * the routes that used it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

/* ---- tables ---- */

static struct table *table_named(const struct model *m, const char *name)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		if (t != m->underlay && strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

struct table *table_of(const struct model *m, const struct conf_route_table *conf)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		if (conf && t->conf == conf)
			return t;
	}
	return NULL;
}

static struct table *table_new(struct model *m, const char *name)
{
	const struct fib_limits limits = {
	    m->limits.routes_per_table, m->limits.tbl8_per_table, false};
	static uint16_t index;
	struct table *t = xcalloc(1, sizeof(*t));

	t->name = xstrdup(name);
	t->fib = fib_create(m->b->epoch, name, ++index, &limits);
	if (!t->fib) {
		log_write(LOG_ERROR, LOG, name, "route table: %s", strerror(errno));
		free(t->name);
		free(t);
		return NULL;
	}
	list_append(&m->tables, &t->node);
	return t;
}

static int tables_apply(struct model *m)
{
	struct table *t;

	list_for (t, &m->tables, node)
		t->seen = t == m->underlay;
	if (!m->underlay) {
		m->underlay = table_new(m, "(underlay)");
		if (!m->underlay)
			return -ENOMEM;
		m->underlay->seen = true;
	}
	for (unsigned i = 0; i < m->conf->route_tables_count; i++) {
		t = table_named(m, m->conf->route_tables[i]->name);
		if (!t)
			t = table_new(m, m->conf->route_tables[i]->name);
		if (!t)
			return -ENOMEM;
		t->conf = m->conf->route_tables[i];
		t->seen = true;
	}
	return 0;
}

static void table_free(struct table *t)
{
	list_remove(&t->node);
	fib_free(t->fib);
	free(t->candidate);
	free(t->route);
	free(t->name);
	free(t);
}

/* ---- attachments ---- */

struct attach *attach_of(const struct model *m, const struct conf_attachment *conf)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (a->conf == conf)
			return a;
	}
	return NULL;
}

void attach_refresh_usable(struct attach *a)
{
	a->usable = a->iface && a->iface->link_up;
	for (unsigned i = 0; i < a->tunnel_count; i++)
		a->usable |= a->tunnel[i]->pub.state != MODEL_TUNNEL_DOWN;
}

static uint16_t number_free(const struct model *m)
{
	struct attach *a;
	uint16_t n = 1;

	for (bool taken = true; taken; n += taken) {
		taken = false;
		list_for (a, &m->attachments, node)
			taken |= a->number == n;
	}
	return n;
}

static void attachment_apply(struct model *m, const struct conf_attachment *conf)
{
	struct attach *a, *found = NULL;

	list_for (a, &m->attachments, node) {
		if (strcmp(a->name, conf->name) == 0)
			found = a;
	}
	if (!found) {
		found = xcalloc(1, sizeof(*found));
		found->name = xstrdup(conf->name);
		found->number = number_free(m);
		list_append(&m->attachments, &found->node);
	}
	found->conf = conf;
	found->seen = true;
	found->tunnel_count = 0;
	found->iface = NULL;
	if (found->number > m->numbers)
		m->numbers = found->number;
	m->has_vpn |= conf->kind == CONF_KIND_VPN;
}

static void attach_free(struct attach *a)
{
	list_remove(&a->node);
	free(a->name);
	free(a);
}

/* ---- interfaces ---- */

static struct iface_entry *iface_get_entry(
    struct model *m, const struct conf_port *port, uint32_t vlan)
{
	struct iface_entry *e;

	list_for (e, &m->ifaces, node) {
		const struct iface *i = iface_get(&m->b->ifaces, e->pub.index);

		if (i && m->b->port[i->port] &&
		    strcmp(m->b->port[i->port]->name, port->name) == 0 && i->vlan == vlan)
			return e;
	}
	e = xcalloc(1, sizeof(*e));
	e->link_up = true;
	e->pub.slot = slot_alloc(&m->b->counters);
	list_append(&m->ifaces, &e->node);
	return e;
}

static const struct port *port_of(const struct model *m, const struct conf_port *conf)
{
	for (unsigned i = 0; i < m->b->ports; i++) {
		if (strcmp(m->b->port[i]->name, conf->name) == 0)
			return m->b->port[i];
	}
	return NULL;
}

static int iface_apply(struct model *m, const struct conf_port *conf, struct attach *a)
{
	uint32_t vlan = a ? a->conf->vlan : conf->vlan, mtu = a ? a->conf->mtu : conf->mtu;
	struct iface_entry *e = iface_get_entry(m, conf, vlan);
	const struct port *port = port_of(m, conf);
	struct table *t = a ? table_of(m, a->conf->associate) : m->underlay;

	if (!port || !e->pub.slot)
		return port ? -ENOSPC : -ENODEV;
	e->pub.port = conf;
	e->pub.attachment = a ? a->conf : NULL;
	e->pub.number = a ? a->number : 0;
	e->pub.address = a ? a->conf->address : conf->address;
	e->pub.address_count = a ? a->conf->address_count : conf->address_count;
	e->attach = a;
	e->seen = true;
	struct iface record = {
	    .index = e->pub.index,
	    .port = port->index,
	    .vlan = (uint16_t)vlan,
	    .role = a ? IFACE_ATTACHMENT : IFACE_UPLINK,
	    .up = true,
	    .mtu = (uint16_t)mtu,
	    .mac = port->mac,
	    .slot = e->pub.slot,
	    .attachment = e->pub.number,
	    .fib = t ? t->fib : NULL,
	};
	if (e->pub.address_count)
		record.address = e->pub.address[0].addr;
	int rc = iface_publish(&m->b->ifaces, &record);
	if (rc < 0)
		return rc;
	e->pub.index = (uint32_t)rc;
	const struct nexthop_spec leaf = {
	    .kind = NH_CONNECTED,
	    .attachment = e->pub.number,
	    .slot = e->pub.slot,
	    .iface = (uint16_t)e->pub.index,
	};
	rc = nexthop_publish(&m->b->nexthops, &leaf, &e->pub.leaf);
	if (a)
		a->iface = e;
	return rc;
}

static int ifaces_apply(struct model *m)
{
	struct iface_entry *e;
	struct attach *a;

	list_for (e, &m->ifaces, node)
		e->seen = false;
	for (unsigned i = 0; i < m->conf->ports_count; i++) {
		int rc =
		    m->conf->ports[i]->address_count ? iface_apply(m, m->conf->ports[i], NULL) : 0;

		if (rc < 0)
			return rc;
	}
	list_for (a, &m->attachments, node) {
		int rc = a->seen && a->conf->port ? iface_apply(m, a->conf->port, a) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Neighbours that the interface keeps resolved, and addresses it answers for. */
static void iface_neighbours(struct model *m, struct iface_entry *e)
{
	const struct conf_port *port = e->pub.port;
	unsigned gateways = e->attach ? e->attach->conf->routes_count : port->gateway_count;
	struct tunnel_entry *t;
	unsigned proxies = 0;

	list_for (t, &m->tunnels, node)
		proxies += t->seen;
	e->gateways = xrealloc(e->gateways, (gateways + 1) * sizeof(*e->gateways));
	e->proxies = xrealloc(e->proxies, (proxies + 1) * sizeof(*e->proxies));
	e->pub.gateway = e->gateways;
	e->pub.proxy = e->proxies;
	e->pub.gateway_count = e->pub.proxy_count = 0;
	for (unsigned i = 0; i < gateways; i++) {
		struct ip_addr addr =
		    e->attach ? e->attach->conf->routes[i]->next_hop : port->gateway[i];

		if (ip_is_set(&addr))
			e->gateways[e->pub.gateway_count++] = addr;
	}
	list_for (t, &m->tunnels, node) {
		if (t->seen && iface_of_tunnel(m, t->pub.conf) == e)
			e->proxies[e->pub.proxy_count++] = t->pub.conf->gateway_address;
	}
}

static void iface_free(struct model *m, struct iface_entry *e)
{
	list_remove(&e->node);
	nexthop_remove(&m->b->nexthops, e->pub.leaf);
	iface_remove(&m->b->ifaces, e->pub.index);
	if (epoch_wait(
		m->b->epoch)) /* else a stalled worker may still count on it: the slot stays taken */
		slot_release(&m->b->counters, e->pub.slot);
	free(e->gateways);
	free(e->proxies);
	free(e);
}

/* ---- tunnels ---- */

static struct tunnel_entry *tunnel_get_entry(struct model *m, const struct conf_tunnel *conf)
{
	char name[sizeof(((struct tunnel_entry *)0)->name)];
	struct tunnel_entry *t;

	snprintf(name, sizeof(name), "%s/%u", conf->connection->name, conf->number);
	list_for (t, &m->tunnels, node) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	t = xcalloc(1, sizeof(*t));
	memcpy(t->name, name, sizeof(name));
	t->pub.name = t->name;
	t->pub.index = tunnel_alloc(&m->b->tunnels);
	t->pub.slot = slot_alloc(&m->b->counters);
	list_append(&m->tunnels, &t->node);
	return t;
}

static int tunnel_apply(struct model *m, const struct conf_tunnel *conf)
{
	struct tunnel_entry *t = tunnel_get_entry(m, conf);
	struct attach *a =
	    conf->connection->attachment ? attach_of(m, conf->connection->attachment) : NULL;
	struct table *table = a ? table_of(m, a->conf->associate) : NULL;

	if (!t->pub.index || !t->pub.slot)
		return -ENOSPC;
	t->pub.conf = conf;
	t->pub.attachment = a ? a->number : 0;
	t->pub.fib = table ? table->fib : NULL;
	t->attach = a;
	t->seen = true;
	struct iface_entry *out = iface_of_tunnel(m, conf);
	t->pub.outer_mtu = out ? iface_get(&m->b->ifaces, out->pub.index)->mtu : 1500;
	if (a)
		a->tunnel[a->tunnel_count++] = t;
	const struct nexthop_spec leaf = {
	    .kind = NH_TUNNEL,
	    .attachment = t->pub.attachment,
	    .slot = t->pub.slot,
	    .tunnel = t->pub.index,
	};
	return nexthop_publish(&m->b->nexthops, &leaf, &t->leaf);
}

static int tunnels_apply(struct model *m)
{
	struct tunnel_entry *t;

	list_for (t, &m->tunnels, node)
		t->seen = false;
	for (unsigned i = 0; i < m->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = m->conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			int rc = tunnel_apply(m, c->tunnels[k]);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static void tunnel_free(struct model *m, struct tunnel_entry *t)
{
	list_remove(&t->node);
	nexthop_remove(&m->b->nexthops, t->leaf);
	tunnel_release(&m->b->tunnels, t->pub.index);
	if (epoch_wait(m->b->epoch))
		slot_release(&m->b->counters, t->pub.slot);
	free(t);
}

/* ---- all ---- */

static int leaves_apply(struct model *m)
{
	const struct nexthop_spec local = {.kind = NH_LOCAL}, blackhole = {.kind = NH_BLACKHOLE};
	int rc = m->local_leaf ? 0 : nexthop_publish(&m->b->nexthops, &local, &m->local_leaf);

	if (rc == 0 && !m->blackhole_leaf)
		rc = nexthop_publish(&m->b->nexthops, &blackhole, &m->blackhole_leaf);
	return rc;
}

int objects_apply(struct model *m)
{
	struct attach *a;
	struct iface_entry *e;
	int rc = tables_apply(m);

	list_for (a, &m->attachments, node)
		a->seen = false;
	m->has_vpn = false;
	for (unsigned i = 0; i < m->conf->attachments_count; i++)
		attachment_apply(m, m->conf->attachments[i]);
	m->words = m->numbers / 64 + 1;
	if (rc == 0)
		rc = leaves_apply(m);
	if (rc == 0)
		rc = ifaces_apply(m);
	if (rc == 0)
		rc = tunnels_apply(m);
	list_for (e, &m->ifaces, node)
		iface_neighbours(m, e);
	list_for (a, &m->attachments, node)
		attach_refresh_usable(a);
	return rc;
}

void objects_sweep(struct model *m)
{
	struct tunnel_entry *t, *next_t;
	struct iface_entry *e, *next_e;
	struct table *table, *next_table;
	struct attach *a, *next_a;

	list_for_safe (t, next_t, &m->tunnels, node) {
		if (!t->seen)
			tunnel_free(m, t);
	}
	list_for_safe (e, next_e, &m->ifaces, node) {
		if (!e->seen)
			iface_free(m, e);
	}
	list_for_safe (a, next_a, &m->attachments, node) {
		if (!a->seen)
			attach_free(a);
	}
	list_for_safe (table, next_table, &m->tables, node) {
		if (!table->seen)
			table_free(table);
	}
}

void objects_free(struct model *m)
{
	struct tunnel_entry *t;
	struct iface_entry *e;
	struct table *table;
	struct attach *a;

	list_for (t, &m->tunnels, node)
		t->seen = false;
	list_for (e, &m->ifaces, node)
		e->seen = false;
	list_for (a, &m->attachments, node)
		a->seen = false;
	list_for (table, &m->tables, node)
		table->seen = false;
	objects_sweep(m);
	m->underlay = NULL;
}
