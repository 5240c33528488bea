/* SPDX-License-Identifier: BSD-3-Clause */

/* Routes of an attachment, for `diagnose`, on all three sides (A22): the networks of the site, the transit router, the far end. */

#include <string.h>

#include "base/text.h"
#include "router/show/diagnose.h"

/* ---- what is used ---- */

static void count_route(struct report *p, json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "attachment"));
	const char *table = json_string_value(json_object_get(row, "table"));
	json_t *list = name ? json_object_get(p->routes_of, name) : NULL;

	if (!name || !json_is_true(json_object_get(row, "used")))
		return;
	if (!list) {
		list = json_array();
		json_object_set_new(p->routes_of, name, list);
	}
	json_array_append(list, row);
	json_object_set_new(p->routes_in, table,
	    json_integer(json_integer_value(json_object_get(p->routes_in, table)) + 1));
}

/* Once for all that are diagnosed: tables may be long, and connections many. */
static void look_at_routes(struct report *p)
{
	json_t *rows, *row;
	size_t i;

	if (p->routes_of)
		return;
	p->routes_of = json_object();
	p->routes_in = json_object();
	rows = model_show_routes(p->r->model, NULL);
	json_array_foreach(rows, i, row)
	{
		count_route(p, row);
	}
	json_decref(rows);
}

void diagnose_routes_fini(struct report *p)
{
	json_decref(p->routes_of);
	json_decref(p->routes_in);
	p->routes_of = p->routes_in = NULL;
}

/* What the peer's packets can reach: routes of others in the table that looks them up. */
static unsigned routes_to_site(const struct report *p, const struct conf_attachment *a)
{
	const char *table = a->associate->name;
	json_int_t count = json_integer_value(json_object_get(p->routes_in, table));
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(p->routes_of, a->name), i, row)
	{
		count -= row_has(row, "table", table);
	}
	return (unsigned)count;
}

/* ---- to the peer ---- */

struct reach {
	unsigned routes;        /* to the data center, in any table */
	unsigned tables_in_use; /* that have one, and that a network is associated with */
	struct text refused;
	char refused_room[256];
};

static bool is_looked_up_by_others(const struct report *p, const char *table)
{
	for (unsigned i = 0; i < p->r->conf->attachments_count; i++) {
		const struct conf_attachment *a = p->r->conf->attachments[i];

		if (a != p->a && a->associate && strcmp(a->associate->name, table) == 0)
			return true;
	}
	return false;
}

static void add_refused(struct reach *reach, const json_t *row, const char *own)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(row, "refused-to"), i, name)
	{
		if (strcmp(json_string_value(name), own) != 0 &&
		    !strstr(reach->refused_room, json_string_value(name)))
			text_addf(&reach->refused, "%s%s", reach->refused.len ? ", " : "",
			    json_string_value(name));
	}
}

static void look_for_peer(const struct report *p, const char *attachment, struct reach *out)
{
	const char *last = NULL;
	json_t *row;
	size_t i;

	out->refused = text_of(out->refused_room, sizeof(out->refused_room));
	json_array_foreach(json_object_get(p->routes_of, attachment), i, row)
	{
		const char *table = json_string_value(json_object_get(row, "table"));

		out->routes++;
		add_refused(out, row, attachment);
		if ((!last || strcmp(last, table) != 0) && is_looked_up_by_others(p, table))
			out->tables_in_use++;
		last = table;
	}
}

void diagnose_routes(struct report *p)
{
	const struct conf_attachment *a = p->a;
	const char *far = p->c ? "the data center" : "the far end";
	struct reach reach = {0};
	unsigned to_site;

	if (!a) {
		find(p, FINDING_NOT_ATTACHED, p->c->name, "no attachment uses the connection");
		return;
	}
	if (!a->associate) {
		find(p, FINDING_NOT_ASSOCIATED, a->name, "the attachment has no route table");
		return;
	}
	look_at_routes(p);
	to_site = routes_to_site(p, a);
	if (!to_site)
		find(p, FINDING_NO_ROUTES_TO_SITE, a->name,
		    "table \"%s\" has no route to any network for packets of %s",
		    a->associate->name, far);
	look_for_peer(p, a->name, &reach);
	if (!reach.routes)
		find(p, FINDING_NO_ROUTES_TO_PEER, a->name,
		    "no table has a route to %s through this %s", far,
		    p->c ? "connection" : "attachment");
	else if (!reach.tables_in_use)
		find(p, FINDING_NOT_PROPAGATED, a->name,
		    "%u routes lead to %s, in tables that no network is associated with",
		    reach.routes, far);
	else if (to_site)
		find(p, FINDING_ROUTES_COMPLETE, a->name,
		    "%u routes to %s, %u routes from it to networks", reach.routes, far, to_site);
	if (reach.refused.len)
		find(p, FINDING_ROUTES_REFUSED, a->name, "policies refuse the routes to: %s",
		    reach.refused_room);
}
