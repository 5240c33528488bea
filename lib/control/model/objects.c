/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Attachments and route tables: what the configuration names gets a number or a FIB, and keeps it as long as the name
 * stays. The four steps of internal.h for these, and in which order for interfaces and tunnels.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

#define BITS 64 /* of a word of a permission */

/* ---- what leaves ---- */

struct left_slot {
	struct counters *counters;
	uint16_t slot;
};

static void slot_back(void *ptr)
{
	struct left_slot *left = ptr;

	slot_release(left->counters, left->slot);
	free(left);
}

void slot_leave(struct model *m, uint16_t slot)
{
	struct left_slot *left = xmalloc(sizeof(*left));

	*left = (struct left_slot){&m->b->counters, slot};
	epoch_retire(m->b->epoch, slot_back, left);
}

static void fib_back(void *fib)
{
	fib_free(fib);
}

/* ---- tables ---- */

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
	    .routes = m->limits.routes_per_table,
	    .groups = m->limits.tbl8_per_table,
	    .v6 = true,
	};
	struct fib *fib = fib_create(m->b->epoch, name, ++m->fib_numbers, &limits);

	if (!fib)
		return NULL;
	struct table *t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(name);
	t->fib = fib;
	list_append(&m->tables, &t->node);
	return t;
}

static struct table *table_get(struct model *m, const char *name)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		if (t != m->underlay && strcmp(t->name, name) == 0)
			return t;
	}
	return table_new(m, name);
}

static int tables_make(struct model *m)
{
	struct table *t;

	list_for (t, &m->tables, node)
		t->seen = false;
	if (!m->underlay)
		m->underlay = table_new(m, "(underlay)");
	if (!m->underlay)
		return -ENOMEM;
	m->underlay->seen = true;
	for (unsigned i = 0; i < m->conf->route_tables_count; i++) {
		const struct conf_route_table *conf = m->conf->route_tables[i];

		t = table_get(m, conf->name);
		if (!t) {
			log_write(LOG_ERROR, LOG, conf->name, "route table: %s", strerror(errno));
			return -ENOMEM;
		}
		t->conf = conf;
		t->seen = true;
	}
	return 0;
}

/* Interfaces and tunnels have left the table; workers may look at it until a grace period has passed. */
static void tables_sweep(struct model *m)
{
	struct table *t, *next;

	list_for_safe (t, next, &m->tables, node) {
		if (t->seen)
			continue;
		list_remove(&t->node);
		rib_clear(&t->now);
		epoch_retire(m->b->epoch, fib_back, t->fib);
		free(t->name);
		free(t);
	}
}

/* ---- attachments ---- */

struct attach *attach_of(const struct model *m, const struct conf_attachment *conf)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (conf && a->conf == conf)
			return a;
	}
	return NULL;
}

void attach_refresh_usable(struct attach *a)
{
	bool before = a->usable;

	a->usable = a->iface && a->iface->link_up;
	for (unsigned i = 0; i < a->tunnel_count; i++)
		a->usable |= tunnel_state(a->tunnel[i]) != MODEL_TUNNEL_DOWN;
	a->changed |= a->usable != before;
}

static bool number_is_taken(const struct model *m, uint16_t number)
{
	struct attach *a;

	for (unsigned i = 0; i < m->left_count; i++) {
		if (m->left[i].number == number)
			return true;
	}
	list_for (a, &m->attachments, node) {
		if (a->number == number)
			return true;
	}
	return false;
}

/* Packets carry the number of the attachment they came in on, and policies are asked about it. */
static void numbers_return(struct model *m)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->left_count; i++) {
		if (!epoch_passed(m->b->epoch, m->left[i].mark))
			m->left[kept++] = m->left[i];
	}
	m->left_count = kept;
}

static void number_leave(struct model *m, uint16_t number)
{
	m->left = xrealloc(m->left, (m->left_count + 1) * sizeof(*m->left));
	m->left[m->left_count++] = (struct left_number){number, epoch_mark(m->b->epoch)};
}

static struct attach *attach_new(struct model *m, const char *name)
{
	uint32_t number = 1;

	while (number <= UINT16_MAX && number_is_taken(m, (uint16_t)number))
		number++;
	if (number > UINT16_MAX)
		return NULL;
	struct attach *a = xcalloc(1, sizeof(*a));
	a->name = xstrdup(name);
	a->number = (uint16_t)number;
	list_append(&m->attachments, &a->node);
	return a;
}

static struct attach *attach_get(struct model *m, const char *name)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (strcmp(a->name, name) == 0)
			return a;
	}
	return attach_new(m, name);
}

static int attachments_make(struct model *m)
{
	struct attach *a;
	uint16_t last = 0;

	numbers_return(m);
	m->has_vpn = false;
	list_for (a, &m->attachments, node)
		a->seen = false;
	for (unsigned i = 0; i < m->conf->attachments_count; i++) {
		const struct conf_attachment *conf = m->conf->attachments[i];

		a = attach_get(m, conf->name);
		if (!a)
			return -ENOSPC;
		a->conf = conf;
		a->seen = true;
		a->tunnel_count = 0;
		a->iface = NULL;
		m->has_vpn |= conf->kind == CONF_KIND_VPN;
	}
	list_for (a, &m->attachments, node)
		last = a->number > last ? a->number : last;
	m->words = last / BITS + 1;
	return 0;
}

static void attachments_sweep(struct model *m)
{
	struct attach *a, *next;

	list_for_safe (a, next, &m->attachments, node) {
		if (a->seen)
			continue;
		number_leave(m, a->number);
		list_remove(&a->node);
		free(a->name);
		free(a);
	}
}

/* ---- all ---- */

static int leaves_make(struct model *m)
{
	const struct nexthop_spec local = {.kind = NH_LOCAL}, blackhole = {.kind = NH_BLACKHOLE};
	int rc = m->local_leaf ? 0 : nexthop_publish(&m->b->nexthops, &local, &m->local_leaf);

	if (rc == 0 && !m->blackhole_leaf)
		rc = nexthop_publish(&m->b->nexthops, &blackhole, &m->blackhole_leaf);
	return rc;
}

int objects_make(struct model *m)
{
	struct attach *a;
	int rc = leaves_make(m);

	if (rc == 0)
		rc = tables_make(m);
	if (rc == 0)
		rc = attachments_make(m);
	if (rc == 0)
		rc = ifaces_make(m);
	if (rc == 0)
		rc = tunnels_make(m);
	list_for (a, &m->attachments, node) {
		if (rc == 0 && a->seen)
			attach_refresh_usable(a);
		a->changed = false; /* every route is chosen anew anyway */
	}
	return rc;
}

void objects_commit(struct model *m)
{
	bool moved = ifaces_commit(m);

	moved |= tunnels_commit(m);
	ways_commit(m);
	paths_refresh(m);
	if (moved)
		epoch_wait(m->b->epoch); /* a worker may be on its way to the table of before */
}

/* From what refers to what is referred to: routes, next hops, interfaces and tunnels, attachments. */
void objects_sweep(struct model *m)
{
	tables_sweep(m);
	paths_sweep(m);
	vias_sweep(m);
	ways_sweep(m);
	tunnels_sweep(m);
	ifaces_sweep(m);
	attachments_sweep(m);
}

void objects_free(struct model *m)
{
	struct tunnel_entry *t;
	struct iface_entry *i;
	struct table *table;
	struct attach *a;

	list_for (table, &m->tables, node)
		table->seen = false;
	list_for (t, &m->tunnels, node)
		t->seen = false;
	list_for (i, &m->ifaces, node)
		i->seen = false;
	list_for (a, &m->attachments, node)
		a->seen = false;
	objects_sweep(m);
	nexthop_remove(&m->b->nexthops, m->local_leaf);
	nexthop_remove(&m->b->nexthops, m->blackhole_leaf);
}
