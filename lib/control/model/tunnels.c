/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Tunnels as routes see them: a number in the boundary, a ledger slot and a leaf next hop each,
 * kept as long as the connection has them, whatever it is attached to. SAs and the state in the
 * boundary's record are the router's.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

#define MTU_WITHOUT_IFACE 1500

enum model_tunnel_state tunnel_state(const struct tunnel_entry *t)
{
	return t->out && t->out->link_up ? t->pub.state : MODEL_TUNNEL_DOWN;
}

/* ---- make ---- */

static void tunnel_free(struct model *m, struct tunnel_entry *t)
{
	nexthop_remove(&m->b->nexthops, t->leaf);
	if (t->pub.index)
		tunnel_release(&m->b->tunnels, t->pub.index);
	if (t->pub.slot) {
		policing_publish(&m->b->policings, t->pub.slot, NULL);
		slot_leave(m, t->pub.slot);
	}
	policers_leave(m, &t->policer);
	list_remove(&t->node);
	free(t->name);
	free(t);
}

static int leaf_publish(struct model *m, struct tunnel_entry *t)
{
	const struct nexthop_spec leaf = {
	    .kind = NH_TUNNEL,
	    .attachment = t->pub.attachment,
	    .slot = t->pub.slot,
	    .tunnel = t->pub.index,
	};

	return nexthop_publish(&m->b->nexthops, &leaf, &t->leaf);
}

static struct tunnel_entry *tunnel_new(struct model *m, const char *name)
{
	struct tunnel_entry *t = xcalloc(1, sizeof(*t));

	t->name = xstrdup(name);
	t->identity = identity_of_name(name);
	list_append(&m->tunnels, &t->node);
	t->pub.name = t->name;
	t->pub.index = tunnel_alloc(&m->b->tunnels);
	t->pub.slot = t->pub.index ? slot_alloc(&m->b->counters) : 0;
	if (t->pub.slot && leaf_publish(m, t) == 0)
		return t;
	tunnel_free(m, t);
	return NULL;
}

/* `known`: all there are, by name. */
static struct tunnel_entry *tunnel_get_entry(
    struct model *m, struct names *known, const struct conf_tunnel *conf)
{
	char name[192];
	struct tunnel_entry *t;

	snprintf(name, sizeof(name), "%s/%u", conf->connection->name, conf->number);
	t = names_get(known, name);
	if (t)
		return t;
	t = tunnel_new(m, name);
	if (t)
		names_put(known, t->name, t);
	else
		log_write(LOG_ERROR, LOG, name, "there are too many tunnels");
	return t;
}

static int tunnel_make(struct model *m, struct names *known, const struct conf_tunnel *conf)
{
	struct tunnel_entry *t = tunnel_get_entry(m, known, conf);
	struct attach *a = attach_of(m, conf->connection->attachment);
	const struct table *table = a ? table_of(m, a->conf->associate) : NULL;

	if (!t)
		return -ENOSPC;
	t->seen = true;
	t->attach = a;
	t->out = iface_of_tunnel(m, conf);
	t->pub.conf = conf;
	t->pub.attachment = a ? a->number : 0;
	t->pub.fib = table ? table->fib : NULL;
	t->pub.outer_mtu = t->out ? t->out->pub.mtu : MTU_WITHOUT_IFACE;
	if (a)
		a->tunnel[a->tunnel_count++] = t;
	return 0;
}

int tunnels_make(struct model *m)
{
	struct tunnel_entry *t;
	struct names known = {0};
	int rc = 0;

	list_for (t, &m->tunnels, node) {
		t->seen = false;
		names_put(&known, t->name, t);
	}
	for (unsigned i = 0; i < m->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = m->conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count && rc == 0; k++)
			rc = tunnel_make(m, &known, c->tunnels[k]);
	}
	names_fini(&known);
	return rc;
}

/* ---- commit ---- */

/*
 * What comes out of the tunnel is looked up in the table of its attachment from now on. True when
 * it had another.
 */
static bool record_commit(struct model *m, const struct tunnel_entry *t)
{
	const struct tunnel *now = tunnel_get(&m->b->tunnels, t->pub.index);
	struct tunnel record = *now;

	record.slot = t->pub.slot;
	record.attachment = t->pub.attachment;
	record.fib = t->pub.fib;
	bool moved = now->fib && now->fib != record.fib;
	if (now->fib != record.fib || now->slot != record.slot ||
	    now->attachment != record.attachment)
		tunnel_publish(&m->b->tunnels, &record);
	return moved;
}

bool tunnels_commit(struct model *m)
{
	struct tunnel_entry *t;
	bool moved = false;

	list_for (t, &m->tunnels, node) {
		if (!t->seen)
			continue;
		if (nexthop_get(&m->b->nexthops, t->leaf)->attachment != t->pub.attachment)
			leaf_publish(m, t); /* in place: needs nothing that could be short */
		moved |= record_commit(m, t);
	}
	return moved;
}

/* ---- sweep ---- */

void tunnels_sweep(struct model *m)
{
	struct tunnel_entry *t, *next;

	list_for_safe (t, next, &m->tunnels, node) {
		if (!t->seen)
			tunnel_free(m, t);
	}
}
