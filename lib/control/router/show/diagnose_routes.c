/* SPDX-License-Identifier: BSD-3-Clause */

/* Routes of an attachment, for `diagnose`, on all three sides (A22): the networks of the site, the transit router, the far end. */

#include <string.h>

#include "base/text.h"
#include "router/show/diagnose.h"

static bool is_network(const struct report *p, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "attachment"));
	const struct conf_attachment *a = name ? conf_find_attachment(p->r->conf, name) : NULL;

	return json_is_true(json_object_get(row, "used")) && a && a != p->a;
}

/* What the peer's packets can reach: routes of others in the table that looks them up. */
static unsigned routes_to_site(const struct report *p, const struct conf_attachment *a)
{
	json_t *rows = model_show_routes(p->r->model, a->associate->name), *row;
	unsigned count = 0;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		count += is_network(p, row);
	}
	json_decref(rows);
	return count;
}

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
	json_t *rows = model_show_routes(p->r->model, NULL), *row;
	const char *last = NULL;
	size_t i;

	out->refused = text_of(out->refused_room, sizeof(out->refused_room));
	json_array_foreach(rows, i, row)
	{
		const char *table = json_string_value(json_object_get(row, "table"));

		if (!row_has(row, "attachment", attachment) ||
		    !json_is_true(json_object_get(row, "used")))
			continue;
		out->routes++;
		add_refused(out, row, attachment);
		if ((!last || strcmp(last, table) != 0) && is_looked_up_by_others(p, table))
			out->tables_in_use++;
		last = table;
	}
	json_decref(rows);
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
