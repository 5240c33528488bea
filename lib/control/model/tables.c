/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Route tables: each has a FIB for as long as its name is in the configuration, and so has the
 * underlay, which is for the addresses that outer packets come to and is nobody's table.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

static void fib_back(void *fib)
{
	fib_free(fib);
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

static bool speaks_bgp(const struct conf_attachment *a)
{
	bool speaks = a->bgp.enabled;

	for (unsigned i = 0; a->connection && i < a->connection->tunnels_count; i++)
		speaks |= a->connection->tunnels[i]->bgp.enabled;
	return speaks;
}

static bool learns(const struct model *m, const char *name)
{
	for (unsigned i = 0; i < m->conf->attachments_count; i++) {
		const struct conf_attachment *a = m->conf->attachments[i];

		for (unsigned k = 0; speaks_bgp(a) && k < a->propagate_count; k++) {
			if (strcmp(a->propagate[k]->name, name) == 0)
				return true;
		}
	}
	return false;
}

/* Of a FIB there is, or of a view that is not emptied yet: what is left in it is not the new table's. */
static bool number_is_taken(const struct model *m, uint16_t number)
{
	const struct table *t;

	list_for (t, &m->tables, node) {
		if (t->fib->index == number)
			return true;
	}
	return left_view_is(m, number);
}

/* The number that was free for the longest time; 0: none is. */
static uint16_t number_take(struct model *m)
{
	for (uint32_t tried = 0; tried <= UINT16_MAX; tried++) {
		uint16_t number = ++m->fib_numbers;

		if (number && !number_is_taken(m, number))
			return number;
	}
	errno = ENOSPC;
	return 0;
}

/*
 * At the start there is time to take the memory of a table that peers may fill, in large pages. Later the kernel is
 * asked as routes come, and need not look for any while everybody waits.
 */
static struct table *table_new(struct model *m, const char *name)
{
	uint16_t number = number_take(m);
	const struct fib_limits limits = {
	    .routes = m->limits.routes_per_table,
	    .groups = m->limits.tbl8_per_table,
	    .v6 = true,
	    .many = m->first && learns(m, name),
	};
	struct fib *fib = number ? fib_create(m->b->epoch, name, number, &limits) : NULL;

	if (!fib)
		return NULL;
	struct table *t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(name);
	t->fib = fib;
	list_init(&t->verdicts);
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

int tables_make(struct model *m)
{
	struct table *t;

	list_for (t, &m->tables, node)
		t->seen = false;
	m->first = !m->underlay;
	if (m->first)
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
		if (!m->first)
			fib_calm(t->fib);
		verdicts_clear(t);
		policies_sort(t, m->conf);
	}
	return 0;
}

/*
 * Interfaces and tunnels have left the table; workers may look at it until a grace period has
 * passed.
 */
void tables_sweep(struct model *m)
{
	struct table *t, *next;

	list_for_safe (t, next, &m->tables, node) {
		if (t->seen)
			continue;
		list_remove(&t->node);
		learned_leave_table(m, t);
		rib_clear(&t->now);
		verdicts_clear(t);
		epoch_retire(m->b->epoch, fib_back, t->fib);
		free(t->name);
		free(t);
	}
}
