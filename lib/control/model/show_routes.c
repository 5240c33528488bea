/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Routes as operators see them: every candidate, whether it is used, and if not, why (R6). In pages, for a table may
 * be long: of each table first what is configured, then what was learned beside it.
 */

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
	if (c->tunnel)
		json_array_append_new(hops, json_string(c->tunnel->name));
	for (unsigned i = 0; a && !c->tunnel && i < a->tunnel_count; i++)
		json_array_append_new(hops, json_string(a->tunnel[i]->name));
	return hops;
}

static const char *name_of(const struct path_member *member)
{
	const struct attach *a = member->origin;

	if (member->tunnel)
		return member->tunnel->name;
	for (unsigned i = 0; i < a->tunnel_count; i++) {
		if (a->tunnel[i]->leaf == member->leaf)
			return a->tunnel[i]->name;
	}
	return a->name;
}

/* Of its next hops those that packets take now; those of a backup while none of them can carry. */
static json_t *carried_by(const struct path *path, const struct candidate *c)
{
	json_t *names = json_array();
	const struct path *now = path ? path->carrier : NULL;

	for (unsigned i = 0; now && now->carries && i < now->member_count; i++) {
		const struct path_member *member = &now->member[i];

		if (member->alive && (now != path || member->origin == c->origin))
			json_array_append_new(names, json_string(name_of(member)));
	}
	return names;
}

/* Of hundreds of data centers: a row of a table is not to be longer than the table. */
#define REFUSED_SAID 32

/* Which attachments the policies keep from the route; the first of them, and how many more. */
static void set_refused(json_t *row, const struct model *m, const struct path *path)
{
	json_t *list = json_array();
	json_int_t more = 0;
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (!path || permission_has(path->permission, a))
			continue;
		if (json_array_size(list) < REFUSED_SAID)
			json_array_append_new(list, json_string(a->name));
		else
			more++;
	}
	json_object_set_new(row, "refused-to", list);
	if (more)
		json_object_set_new(row, "refused-to-more", json_integer(more));
}

void candidate_attributes(struct json_t *row, const struct candidate *c)
{
	const struct bgp_attrs *a = c->attrs;
	char text[1024];

	json_object_set_new(
	    row, "as-path", json_string(bgp_attrs_path_text(a, text, sizeof(text))));
	json_object_set_new(
	    row, "communities", json_string(bgp_attrs_community_text(a, text, sizeof(text))));
	if (*bgp_attrs_large_text(a, text, sizeof(text)))
		json_object_set_new(row, "large-communities", json_string(text));
	json_object_set_new(row, "origin", json_string(bgp_attrs_origin_text(a)));
	json_object_set_new(
	    row, "local-preference", json_integer((json_int_t)bgp_attrs_preference(a)));
	json_object_set_new(row, "med", a->has_med ? json_integer(a->med) : json_null());
	json_object_set_new(row, "from", json_string(ip_text(&c->learned->addr, text)));
	json_object_set_new(row, "stale", json_boolean(c->learned->stale));
}

static json_t *candidate_row(const struct model *m, const struct table *t, const struct path *path,
    const struct candidate *c)
{
	const bool used = c->lost == LOST_NOT;
	char text[IP_PREFIX_TEXT_MAX];
	json_t *row = json_pack("{s:s, s:s, s:s, s:s?, s:o, s:b, s:s?}", "table", t->name, "prefix",
	    ip_prefix_text(&c->prefix, text), "type",
	    c->blackhole ? "blackhole" : source_text(c->source), "attachment",
	    c->origin ? c->origin->name : NULL, "next-hops", hops_of(c), "used", used,
	    "not-used-because", used ? NULL : candidate_why_lost(c));

	if (c->lost == LOST_POLICY)
		json_object_set_new(row, "policy", json_integer(c->policy));
	if (c->origin)
		json_object_set_new(row, "state", json_string(c->origin->usable ? "up" : "down"));
	if (used) {
		json_object_set_new(row, "carried-by", carried_by(path, c));
		set_refused(row, m, path);
	}
	if (c->attrs)
		candidate_attributes(row, c);
	return row;
}

/* ---- pages ---- */

#define AT_ONCE 16 /* prefixes looked at */

enum part { CONFIGURED, LEARNED };

struct page {
	struct model *m;
	json_t *rows;
	size_t max;
	json_int_t table, part, at; /* where it goes on */
};

static bool is_full(const struct page *p)
{
	return json_array_size(p->rows) >= p->max;
}

static void add_rows(struct page *p, struct table *t, const struct gathered *g, struct path *path)
{
	for (unsigned i = 0; i < g->count; i++)
		json_array_append_new(p->rows, candidate_row(p->m, t, path, &g->candidate[i]));
}

static void configured(struct page *p, struct table *t)
{
	struct model *m = p->m;

	for (; p->at < t->now.route_count && !is_full(p); p->at++) {
		const struct route *r = &t->now.route[p->at];
		const struct bgp_change change = {.prefix = r->prefix};
		struct gathered *g = gather(m, t, &t->now.candidate[r->first], r->count, &change);

		if (g->learned)
			select_winners(g->candidate, g->count, m->conf->transit_router.limits.ecmp);
		add_rows(p, t, g, r->path);
		gathered_done(m, g);
	}
	if (is_full(p))
		return;
	p->part = LEARNED;
	p->at = 0;
}

static void learned_one(struct page *p, struct table *t, const struct bgp_change *change)
{
	struct model *m = p->m;
	struct gathered *g;
	uint32_t tag = 0;

	if (rib_find(&t->now, &change->prefix))
		return;
	g = gather(m, t, NULL, 0, change);
	select_winners(g->candidate, g->count, m->conf->transit_router.limits.ecmp);
	bgp_view_find_changed(m->bgp, t->fib->index, change, &tag);
	add_rows(p, t, g, tag ? path_of_index(m, tag) : NULL);
	gathered_done(m, g);
}

static void learned(struct page *p, struct table *t)
{
	struct bgp_change change[AT_ONCE];
	uint64_t cursor = (uint64_t)p->at;
	size_t n = p->m->bgp ? AT_ONCE : 0;

	while (n == AT_ONCE && !is_full(p)) {
		n = bgp_walk(p->m->bgp, &cursor, change, AT_ONCE);
		for (size_t i = 0; i < n; i++)
			learned_one(p, t, &change[i]);
	}
	p->at = (json_int_t)cursor;
	if (n == AT_ONCE)
		return;
	p->part = CONFIGURED;
	p->at = 0;
	p->table++;
}

/* True: there is such a table. */
static bool tables(struct page *p, const char *name)
{
	json_int_t number = 0;
	bool found = !name;
	struct table *t;

	list_for (t, &p->m->tables, node) {
		if (!t->conf || (name && strcmp(name, t->name) != 0))
			continue;
		found = true;
		if (number == p->table && p->part == CONFIGURED && !is_full(p))
			configured(p, t);
		if (number == p->table && p->part == LEARNED && !is_full(p))
			learned(p, t);
		number++;
	}
	p->max = p->table >= number ? 0 : p->max; /* all is told */
	return found;
}

struct json_t *model_show_routes_page(
    struct model *m, const char *name, const struct json_t *from, unsigned max)
{
	struct page p = {.m = m, .rows = json_array(), .max = max};
	bool found;

	if (from && json_unpack((json_t *)from, "[I, I, I]", &p.table, &p.part, &p.at) < 0)
		p.table = p.part = p.at = 0;
	found = p.at >= 0 && tables(&p, name);
	if (found && p.max == 0)
		return p.rows;
	if (found)
		return json_pack(
		    "{s:o, s:[I, I, I]}", "rows", p.rows, "next", p.table, p.part, p.at);
	json_decref(p.rows);
	return NULL;
}

struct json_t *model_show_routes(struct model *m, const char *name)
{
	return model_show_routes_page(m, name, NULL, UINT32_MAX);
}
