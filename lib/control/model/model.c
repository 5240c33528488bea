/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The entry points: a configuration and states come in, everything that follows is published before
 * they return.
 */

#include "model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

static const struct conf nothing; /* applied before the first one */

struct model *model_create(struct boundary *b, const struct model_limits *limits)
{
	struct model *m = xcalloc(1, sizeof(*m));

	m->b = b;
	m->limits = *limits;
	m->conf = &nothing;
	list_init(&m->tables);
	list_init(&m->attachments);
	list_init(&m->ifaces);
	list_init(&m->tunnels);
	list_init(&m->ways);
	list_init(&m->paths);
	for (unsigned i = 0; i < PATH_BUCKETS; i++)
		list_init(&m->path_bucket[i]);
	list_init(&m->permissions);
	list_init(&m->left_views);
	m->new_path =
	    xcalloc(1, sizeof(*m->new_path) + ECMP_MEMBERS_MAX * sizeof(m->new_path->member[0]));
	m->path_of = xcalloc(FIB_NEXTHOP_MAX + 1, sizeof(struct path *));
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	objects_free(m);
	free(m->left);
	free(m->tunnel_at);
	peers_fini(m);
	names_fini(&m->attach_names);
	learned_fini(m);
	free(m->tunnel_view);
	free(m->iface_view);
	free(m->new_path);
	free(m->path_of);
	free(m);
}

static void views_build(struct model *m)
{
	struct tunnel_entry *t;
	struct iface_entry *i;

	m->tunnel_count = m->iface_count = 0;
	list_for (t, &m->tunnels, node)
		m->tunnel_count++;
	list_for (i, &m->ifaces, node)
		m->iface_count++;
	m->tunnel_view = xrealloc(m->tunnel_view, (m->tunnel_count + 1) * sizeof(*m->tunnel_view));
	m->iface_view = xrealloc(m->iface_view, (m->iface_count + 1) * sizeof(*m->iface_view));
	m->tunnel_count = m->iface_count = 0;
	free(m->tunnel_at);
	m->tunnel_at_count = 0;
	list_for (t, &m->tunnels, node) {
		if (t->pub.index >= m->tunnel_at_count)
			m->tunnel_at_count = t->pub.index + 1;
	}
	m->tunnel_at = xcalloc(m->tunnel_at_count + 1, sizeof(*m->tunnel_at));
	list_for (t, &m->tunnels, node) {
		m->tunnel_view[m->tunnel_count++] = &t->pub;
		m->tunnel_at[t->pub.index] = t;
	}
	list_for (i, &m->ifaces, node)
		m->iface_view[m->iface_count++] = &i->pub;
	peers_build(m);
}

int model_apply(struct model *m, const struct conf *conf)
{
	const struct conf *before = m->conf;
	int rc;

	epoch_reclaim(m->b->epoch); /* numbers that left long ago are there again */
	m->conf = conf;
	rc = objects_make(m);
	if (rc == 0)
		rc = routes_make(m);
	if (rc == 0) {
		objects_commit(m);
		routes_commit(m);
	} else {
		log_write(
		    LOG_ERROR, LOG, NULL, "the configuration does not fit: %s", strerror(-rc));
		m->conf = before;
		objects_make(m); /* all that it needs is there */
	}
	objects_sweep(m);
	views_build(m);
	if (rc == 0)
		learned_restart(m);
	return rc;
}

/*
 * A path that lost or won a member changes at once; routes follow where another class of candidates
 * wins now.
 */
static void states_changed(struct model *m)
{
	struct attach *a;
	bool changed = false;

	list_for (a, &m->attachments, node) {
		attach_refresh_usable(a);
		changed |= a->changed;
	}
	paths_refresh(m);
	learned_states(m);
	if (changed) {
		routes_reselect(m);
		paths_sweep(m);
	}
	model_learn(m, LEARNED_AT_ONCE);
}

void model_tunnel_set(struct model *m, uint32_t tunnel, enum model_tunnel_state state)
{
	struct tunnel_entry *t = tunnel < m->tunnel_at_count ? m->tunnel_at[tunnel] : NULL;

	if (!t || t->pub.state == state)
		return;
	t->pub.state = (uint8_t)state;
	states_changed(m);
}

void model_link_set(struct model *m, const struct conf_port *port, bool up)
{
	struct iface_entry *i;
	bool changed = false;

	list_for (i, &m->ifaces, node) {
		if (i->pub.port != port || i->link_up == up)
			continue;
		i->link_up = up;
		changed = true;
	}
	if (changed)
		states_changed(m);
}

void model_attachment_set(struct model *m, const char *name, bool fit)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (strcmp(a->name, name) != 0 || a->unfit == !fit)
			continue;
		a->unfit = !fit;
		states_changed(m);
		return;
	}
}

const struct model_tunnel *model_tunnel_find(const struct model *m, const struct conf_tunnel *conf)
{
	for (unsigned i = 0; i < m->tunnel_count; i++) {
		if (m->tunnel_view[i]->conf == conf)
			return m->tunnel_view[i];
	}
	return NULL;
}

const struct model_tunnel *model_tunnel_at(const struct model *m, uint32_t index)
{
	const struct tunnel_entry *t = index < m->tunnel_at_count ? m->tunnel_at[index] : NULL;

	return t ? &t->pub : NULL;
}

unsigned model_tunnels(const struct model *m, const struct model_tunnel ***all)
{
	*all = m->tunnel_view;
	return m->tunnel_count;
}

unsigned model_ifaces(const struct model *m, const struct model_iface ***all)
{
	*all = m->iface_view;
	return m->iface_count;
}

struct ip_addr model_source_address(
    const struct model *m, uint16_t attachment, const struct ip_addr *towards)
{
	struct ip_addr fallback = {0};
	struct iface_entry *i;
	struct tunnel_entry *t;

	list_for (i, &m->ifaces, node) {
		if (i->pub.number != attachment)
			continue;
		for (unsigned k = 0; k < i->pub.address_count; k++) {
			if (i->pub.address[k].addr.family == towards->family)
				return i->pub.address[k].addr;
		}
	}
	/*
	 * A VPN attachment has no subnet: the gateway address of a tunnel of it speaks for the
	 * router.
	 */
	list_for (t, &m->tunnels, node) {
		if (t->pub.attachment == attachment &&
		    t->pub.conf->gateway_address.family == towards->family)
			return t->pub.conf->gateway_address;
	}
	return fallback;
}
