/* SPDX-License-Identifier: BSD-3-Clause */

/* Routes as operators see them: every candidate, whether it is used, and if not, why (R6). */

#include <jansson.h>
#include <string.h>

#include "model/internal.h"

static json_t *hops_of(const struct candidate *c)
{
	const struct attach *a = c->origin;
	json_t *hops = json_array();
	char text[IP_TEXT_MAX];

	if (c->source == SOURCE_LOCAL || c->source == SOURCE_HEALTH)
		json_array_append_new(hops, json_string("local"));
	else if (!a)
		json_array_append_new(hops, json_string("blackhole"));
	else if (ip_is_set(&c->next_hop))
		json_array_append_new(hops, json_string(ip_text(&c->next_hop, text)));
	else if (a->iface)
		json_array_append_new(hops, json_string(a->name));
	for (unsigned i = 0; a && i < a->tunnel_count; i++)
		json_array_append_new(hops, json_string(a->tunnel[i]->name));
	return hops;
}

/* Which attachments the policies keep from the route. */
static json_t *refused(const struct model *m, const struct path *path)
{
	json_t *list = json_array();
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (path && !permission_has(path->permission, a))
			json_array_append_new(list, json_string(a->name));
	}
	return list;
}

static json_t *candidate_row(
    const struct model *m, const struct table *t, const struct route *r, const struct candidate *c)
{
	const bool used = c->lost == LOST_NOT;
	char text[IP_PREFIX_TEXT_MAX];
	json_t *row = json_pack("{s:s, s:s, s:s, s:s?, s:o, s:b, s:s?}", "table", t->name, "prefix",
	    ip_prefix_text(&r->prefix, text), "type",
	    c->blackhole ? "blackhole" : source_text(c->source), "attachment",
	    c->origin ? c->origin->name : NULL, "next-hops", hops_of(c), "used", used,
	    "not-used-because", used ? NULL : lost_text(c->lost));

	if (c->lost == LOST_POLICY)
		json_object_set_new(row, "policy", json_integer(c->policy));
	if (c->origin)
		json_object_set_new(row, "state", json_string(c->origin->usable ? "up" : "down"));
	if (used)
		json_object_set_new(row, "refused-to", refused(m, r->path));
	return row;
}

static void add_rows(const struct model *m, const struct table *t, json_t *rows)
{
	for (uint32_t i = 0; i < t->now.route_count; i++) {
		const struct route *r = &t->now.route[i];

		for (uint32_t k = 0; k < r->count; k++)
			json_array_append_new(
			    rows, candidate_row(m, t, r, &t->now.candidate[r->first + k]));
	}
}

struct json_t *model_show_routes(const struct model *m, const char *name)
{
	json_t *rows = json_array();
	struct table *t;
	bool found = !name;

	list_for (t, &m->tables, node) {
		if (!t->conf || (name && strcmp(name, t->name) != 0))
			continue;
		found = true;
		add_rows(m, t, rows);
	}
	if (found)
		return rows;
	json_decref(rows);
	return NULL;
}
