/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names to objects. Inline connections join the others here, the default table is made when the file
 * has none, and every reference of the keyword table becomes a pointer, or an error that says where to
 * define what is missing.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/keywords.h"
#include "conf/loader.h"
#include "conf/pool.h"
#include "conf/suggest.h"

struct conf_port *conf_find_port(const struct conf *conf, const char *name)
{
	return names_get(&conf->index->ports, name);
}

struct conf_route_table *conf_find_route_table(const struct conf *conf, const char *name)
{
	return names_get(&conf->index->route_tables, name);
}

struct conf_customer_gateway *conf_find_customer_gateway(const struct conf *conf, const char *name)
{
	return names_get(&conf->index->customer_gateways, name);
}

struct conf_connection *conf_find_connection(const struct conf *conf, const char *name)
{
	return names_get(&conf->index->connections, name);
}

struct conf_attachment *conf_find_attachment(const struct conf *conf, const char *name)
{
	return names_get(&conf->index->attachments, name);
}

static void add_default_table(struct loader *l)
{
	struct conf *conf = l->conf;
	struct conf_route_table **tables;
	struct conf_route_table *table = NULL;

	for (unsigned i = 0; i < conf->route_tables_count && !table; i++) {
		if (strcmp(conf->route_tables[i]->name, CONF_DEFAULT_TABLE) == 0)
			table = conf->route_tables[i];
	}
	if (!table) {
		table = pool_alloc(conf->pool, sizeof(*table));
		table->name = CONF_DEFAULT_TABLE;
		tables = pool_alloc(conf->pool, (conf->route_tables_count + 1) * sizeof(*tables));
		tables[0] = table;
		for (unsigned i = 0; i < conf->route_tables_count; i++)
			tables[i + 1] = conf->route_tables[i];
		conf->route_tables = tables;
		conf->route_tables_count++;
	}
	conf->default_table = table;
}

/* Puts the connections that are written inside attachments behind those that have a name of their own. */
static void add_inline_connections(struct loader *l)
{
	struct conf *conf = l->conf;
	unsigned n = conf->vpn_connections_count;
	struct conf_connection **all =
	    pool_alloc(conf->pool, (n + conf->attachments_count) * sizeof(*all));

	for (unsigned i = 0; i < n; i++)
		all[i] = conf->vpn_connections[i];
	for (unsigned i = 0; i < conf->attachments_count; i++) {
		if (conf->attachments[i]->connection)
			all[n++] = conf->attachments[i]->connection;
	}
	conf->vpn_connections = all;
	conf->vpn_connections_count = n;
}

static void index_connections(struct loader *l)
{
	struct conf *conf = l->conf;

	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		struct conf_connection *c = conf->vpn_connections[i];
		struct conf_connection *first = names_put(&conf->index->connections, c->name, c);

		if (first)
			fail_object(l, &c->source,
			    "the connection written here takes the attachment's name '%s', which "
			    "vpn-connections has in line %u already; rename the attachment, or write "
			    "`connection: %s`",
			    c->name, first->source.line, c->name);
		for (unsigned k = 0; k < c->tunnels_count; k++) {
			c->tunnels[k]->connection = c;
			c->tunnels[k]->number = k + 1;
		}
	}
}

static void index_all(struct loader *l)
{
	struct conf *conf = l->conf;
	struct conf_index *index = conf->index;

	for (unsigned i = 0; i < conf->ports_count; i++)
		names_put(&index->ports, conf->ports[i]->name, conf->ports[i]);
	for (unsigned i = 0; i < conf->route_tables_count; i++)
		names_put(&index->route_tables, conf->route_tables[i]->name, conf->route_tables[i]);
	for (unsigned i = 0; i < conf->customer_gateways_count; i++)
		names_put(&index->customer_gateways, conf->customer_gateways[i]->name,
		    conf->customer_gateways[i]);
	for (unsigned i = 0; i < conf->attachments_count; i++)
		names_put(&index->attachments, conf->attachments[i]->name, conf->attachments[i]);
	index_connections(l);
}

static const struct target {
	const char *what;
	const char *section;
	size_t names_offset; /* in struct conf_index */
	const char *advice;
} targets[] = {
    [REF_PORT] = {"port", "ports", offsetof(struct conf_index, ports), ""},
    [REF_TABLE] = {"route table", "route-tables", offsetof(struct conf_index, route_tables), ""},
    [REF_CUSTOMER_GATEWAY] = {"customer gateway", "customer-gateways",
	offsetof(struct conf_index, customer_gateways), ""},
    [REF_CONNECTION] = {"connection", "vpn-connections", offsetof(struct conf_index, connections),
	"; to delete a connection, detach first: remove this attachment"},
    [REF_ATTACHMENT] = {"attachment", "attachments", offsetof(struct conf_index, attachments), ""},
};

static void fail_dangling(struct loader *l, struct conf_source *object, const struct kw *row,
    unsigned i, const char *name)
{
	const struct target *target = &targets[row->target];
	const struct names *names =
	    (const struct names *)((const char *)l->conf->index + target->names_offset);
	struct suggest s = suggest_for(name);
	bool no_table = row->list && row->target == REF_TABLE && strcmp(name, "none") == 0;
	char shown[QUOTE_MAX], what[HINT_MAX];

	for (size_t k = 0; k < names->capacity && l->suggestions_left; k++) {
		if (!names->slots[k].name)
			continue;
		suggest_try(&s, names->slots[k].name);
		l->suggestions_left--;
	}
	if (no_table) {
		fail_item(l, object, row->key, i, "%s: for no table give the empty list, `%s: []`",
		    row->key, row->key);
		return;
	}
	fail_item(l, object, row->key, i, "%s: there is no %s '%s'%s%s%s%s", row->key, target->what,
	    quote(name, shown), s.best ? hint(&s, what) : "; define it under `",
	    s.best ? "" : target->section, s.best ? "" : "`", target->advice);
}

/* The object of one name; NULL when it was reported, or is none on purpose. */
static void *look_up(struct loader *l, struct conf_source *object, const struct kw *row, unsigned i,
    const char *name)
{
	const struct target *target = &targets[row->target];
	void *found;

	if (row->may_be_none && strcmp(name, "none") == 0)
		return NULL;
	found = names_get(
	    (const struct names *)((const char *)l->conf->index + target->names_offset), name);
	if (!found)
		fail_dangling(l, object, row, i, name);
	return found;
}

static void resolve_row(struct loader *l, struct conf_source *object, const struct kw *row)
{
	void **ref = (void **)((char *)object + row->ref_offset);
	void *at = keyword_at(row, object);
	const char **names = row->list ? *(const char ***)at : at;
	unsigned n = row->list ? *keyword_count(row, object) : *names != NULL;

	if (n == 0 || (!row->list && *ref)) /* not given, or written inline */
		return;
	if (row->list) {
		void **list = pool_alloc(l->conf->pool, n * sizeof(*list));

		*ref = list;
		ref = list;
	}
	for (unsigned i = 0; i < n; i++)
		ref[i] = look_up(l, object, row, i, names[i]);
}

static void resolve_object(void *ctx, const struct object_kind *kind, void *object)
{
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (row->type == VALUE_REF)
			resolve_row(ctx, object, row);
	}
}

void resolve_names(struct loader *l)
{
	add_default_table(l);
	add_inline_connections(l);
	index_all(l);
	keyword_walk(&conf_kind_root, l->conf, resolve_object, l);
}
