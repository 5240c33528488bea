/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two configurations side by side, along the keyword table. Objects with a name are matched by it, others by what
 * tells them apart (struct object_kind, `identity`), or else by their place; so the order of a file means nothing.
 * What a file leaves out counts with its default: saying it makes no difference.
 */
#include "conf/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/emit.h"
#include "conf/names.h"
#include "conf/pool.h"
#include "conf/value.h"

#define LEVELS_MAX   16
#define TUNNELS_SAID 8 /* of a customer gateway */

struct differ {
	const struct conf *from, *to;
	struct conf_diff *out;
	const char *step[LEVELS_MAX]; /* of the path */
	unsigned level;
	const struct conf_connection *connection; /* inside of it */
	const struct conf_tunnel *tunnel;
	const struct conf_customer_gateway *gateway;
	const struct kw *whole; /* an object came or went: this row says what that does */
	bool quiet;             /* effects are counted, nothing is put in words */
};

const char *conf_effect_name(enum conf_effect effect)
{
#define NAME(id, name, help) name,
	static const char *const names[] = {CONF_EFFECT_LIST(NAME)};
#undef NAME
	return names[effect];
}

const char *conf_effect_help(enum conf_effect effect)
{
#define HELP(id, name, help) help,
	static const char *const helps[] = {CONF_EFFECT_LIST(HELP)};
#undef HELP
	return helps[effect];
}

void conf_diff_fini(struct conf_diff *diff)
{
	for (unsigned i = 0; i < diff->items_count; i++) {
		free(diff->items[i].path);
		free(diff->items[i].from);
		free(diff->items[i].to);
		free(diff->items[i].about);
	}
	free(diff->items);
	*diff = (struct conf_diff){0};
}

/* ---- what is reported ---- */

/* Tunnels of a customer gateway: a change of it is a change of them. */
static void add_users(const struct differ *d, struct text *t)
{
	unsigned said = 0, more = 0;

	for (unsigned i = 0; i < d->to->vpn_connections_count; i++) {
		const struct conf_connection *c = d->to->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			if (strcmp(c->tunnels[k]->customer_gateway_name, d->gateway->name) != 0)
				continue;
			if (said == TUNNELS_SAID) {
				more++;
				continue;
			}
			text_addf(t, "%s%s/%u", said++ ? ", " : "", c->name, c->tunnels[k]->number);
		}
	}
	if (more)
		text_addf(t, " and %u more", more);
}

static char *about(const struct differ *d)
{
	char buf[TUNNELS_SAID * 140];
	struct text t = text_of(buf, sizeof(buf));

	if (d->tunnel)
		text_addf(&t, "%s/%u", d->connection->name, d->tunnel->number);
	else if (d->connection)
		text_add(&t, d->connection->name);
	else if (d->gateway)
		add_users(d, &t);
	return t.len ? xstrdup(buf) : NULL;
}

static char *path_text(const struct differ *d, const char *key)
{
	char buf[1024];
	struct text t = text_of(buf, sizeof(buf));

	for (unsigned i = 0; i < d->level; i++)
		text_addf(&t, "%s%s", i ? "." : "", d->step[i]);
	if (key)
		text_addf(&t, "%s%s", d->level ? "." : "", key);
	return xstrdup(buf);
}

/* Takes the texts. */
static void report(struct differ *d, const struct kw *row, const char *key, char *from, char *to)
{
	struct conf_diff *out = d->out;
	enum conf_effect effect = d->whole ? d->whole->effect : row->effect;

	out->total++;
	out->by_effect[effect]++;
	if (out->items_count == CONF_CHANGES_KEPT) {
		free(from);
		free(to);
		return;
	}
	if (out->items_count == out->capacity) {
		out->capacity = out->capacity ? 2 * out->capacity : 16;
		out->items = xrealloc(out->items, out->capacity * sizeof(*out->items));
	}
	out->items[out->items_count++] =
	    (struct conf_change){path_text(d, key), from, to, about(d), effect};
}

/* ---- values ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_value(const struct kw *row, const void *a, const void *b)
{
	char x[VALUE_TEXT_MAX], y[VALUE_TEXT_MAX];

	switch (row->type) {
	case VALUE_TEXT:
	case VALUE_LABEL:
	case VALUE_NAME:
	case VALUE_PATH:
	case VALUE_SECRET:
	case VALUE_REF:
		return same_text(*(const char *const *)a, *(const char *const *)b);
	case VALUE_PSK:
		return strcmp(a, b) == 0;
	case VALUE_ID:
		return ((const struct conf_id *)a)->type == ((const struct conf_id *)b)->type &&
		    same_text(((const struct conf_id *)a)->text, ((const struct conf_id *)b)->text);
	case VALUE_KEY:
		return ((const struct conf_key *)a)->len == ((const struct conf_key *)b)->len &&
		    memcmp(a, b, ((const struct conf_key *)a)->len) == 0;
	default:
		/* Structs may have gaps: the words decide. */
		return memcmp(a, b, value_size(row->type)) == 0 ||
		    strcmp(value_text(row, a, x), value_text(row, b, y)) == 0;
	}
}

static bool same_list(const struct kw *row, const void *a, const void *b)
{
	const char *x = *(const char *const *)keyword_at(row, a);
	const char *y = *(const char *const *)keyword_at(row, b);
	unsigned count = *keyword_count(row, a);

	if (count != *keyword_count(row, b))
		return false;
	for (unsigned i = 0; i < count; i++) {
		size_t at = i * value_size(row->type);

		if (!same_value(row, x + at, y + at))
			return false;
	}
	return true;
}

static bool same_tags(const struct kw *row, const void *a, const void *b)
{
	const struct conf_tag *x = *(const struct conf_tag *const *)keyword_at(row, a);
	const struct conf_tag *y = *(const struct conf_tag *const *)keyword_at(row, b);
	unsigned count = *keyword_count(row, a);

	if (count != *keyword_count(row, b))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(x[i].key, y[i].key) != 0 || strcmp(x[i].value, y[i].value) != 0)
			return false;
	}
	return true;
}

static bool same(const struct kw *row, const void *a, const void *b)
{
	if (row->type == VALUE_TAGS)
		return same_tags(row, a, b);
	if (row->list)
		return same_list(row, a, b);
	return same_value(row, keyword_at(row, a), keyword_at(row, b));
}

/* In the words of the file, for free(); NULL when there is nothing. */
static char *words(const struct kw *row, const void *object, bool given)
{
	char value[VALUE_TEXT_MAX], *text = NULL;
	const char *at = object ? keyword_at(row, object) : NULL;
	size_t len;

	if (!object || !emit_has_value(row, object))
		return given && row->list ? xstrdup("[]") : NULL;
	if (row->secret)
		return xstrdup(VALUE_SECRET_PLACEHOLDER);
	if (!row->list && row->type != VALUE_TAGS)
		return xstrdup(value_text(row, at, value));
	FILE *f = open_memstream(&text, &len);
	if (!f)
		abort();
	fputc(row->list ? '[' : '{', f);
	for (unsigned i = 0; i < *keyword_count(row, object); i++) {
		const struct conf_tag *tag = &(*(const struct conf_tag *const *)at)[i];

		fputs(i ? ", " : "", f);
		if (row->list)
			fputs(value_text(
				  row, *(const char *const *)at + i * value_size(row->type), value),
			    f);
		else
			fprintf(f, "%s: %s", tag->key, tag->value);
	}
	fputc(row->list ? ']' : '}', f);
	fclose(f);
	return text;
}

/* ---- objects ---- */

static void walk(
    struct differ *d, const struct object_kind *kind, const void *from, const void *to);

static bool is_given(const struct object_kind *kind, const struct kw *row, const void *object)
{
	return object && ((const struct conf_source *)object)->given >> (row - kind->rows) & 1;
}

static void leaf(struct differ *d, const struct object_kind *kind, const struct kw *row,
    const void *from, const void *to)
{
	bool was_given = is_given(kind, row, from), given = is_given(kind, row, to);

	if (from && to ? same(row, from, to) : !was_given && !given)
		return;
	if (d->quiet) {
		d->out->by_effect[row->effect]++;
		return;
	}
	char *x = words(row, from, was_given), *y = words(row, to, given);
	if (x || y)
		report(d, row, row->key, x, y);
}

static void enter(struct differ *d, const char *step)
{
	if (d->level < LEVELS_MAX)
		d->step[d->level++] = step;
}

static void section(struct differ *d, const struct kw *row, const void *from, const void *to)
{
	if (from && emit_is_off(row, from))
		from = NULL;
	if (to && emit_is_off(row, to))
		to = NULL;
	enter(d, row->key);
	if (from || to)
		walk(d, row->object, from ? keyword_at(row, from) : NULL,
		    to ? keyword_at(row, to) : NULL);
	d->level--;
}

/* What an object is called among its likes, in `buf` unless it has a name. */
static const char *name_of(
    const struct object_kind *kind, const void *object, unsigned place, char *buf, size_t capacity)
{
	struct text t = text_of(buf, capacity);
	char value[VALUE_TEXT_MAX];

	if (kind->name_offset != NO_NAME)
		return *(const char *const *)((const char *)object + kind->name_offset);
	if (!kind->identity)
		text_addf(&t, "%u", place + 1);
	for (unsigned i = 0; i < kind->identity; i++) {
		const struct kw *row = &kind->rows[i];

		if (emit_has_value(row, object))
			text_addf(&t, "%s%s", t.len ? " " : "",
			    value_text(row, keyword_at(row, object), value));
	}
	return buf;
}

/* The path of an inline connection is where it is written. */
static void step_into(struct differ *d, const struct kw *row, const char *name, const void *object)
{
	bool is_inline = row->object == &conf_kind_connection &&
	    ((const struct conf_connection *)object)->is_inline;

	enter(d, is_inline ? "attachments" : row->key);
	enter(d, name);
	if (is_inline)
		enter(d, "connection");
}

static void member(
    struct differ *d, const struct kw *row, const char *name, const void *from, const void *to)
{
	const struct differ before = *d;
	const void *object = to ? to : from;

	step_into(d, row, name, object);
	if (row->object == &conf_kind_connection)
		d->connection = object;
	else if (row->object == &conf_kind_tunnel)
		d->tunnel = object;
	else if (row->object == &conf_kind_customer_gateway)
		d->gateway = object;
	if ((!from || !to) && !d->whole)
		d->whole = row;
	if (!from)
		report(d, row, NULL, NULL, xstrdup("(new)"));
	else if (!to)
		report(d, row, NULL, xstrdup("(removed)"), NULL);
	walk(d, row->object, from, to);
	*d = before;
}

struct side {
	void *const *list;
	unsigned count;
};

static struct side side_of(const struct kw *row, const void *object)
{
	return object ? (struct side){*(void *const *const *)keyword_at(row, object),
			    *keyword_count(row, object)}
		      : (struct side){NULL, 0};
}

#define IDENTITY_MAX 512

/* Those that are not in the same place under the same name. */
static void match_rest(struct differ *d, const struct kw *row, struct side from, struct side to,
    unsigned char *from_done, const unsigned char *to_done)
{
	struct conf_pool *pool = pool_new();
	struct names old = {0};
	char buf[IDENTITY_MAX];

	for (unsigned i = 0; i < from.count; i++) {
		const char *name = name_of(row->object, from.list[i], i, buf, sizeof(buf));

		if (!from_done[i])
			names_put(
			    &old, pool_text(pool, name, strlen(name)), (void *)(uintptr_t)(i + 1));
	}
	for (unsigned i = 0; i < to.count; i++) {
		if (to_done[i])
			continue;
		const char *name = name_of(row->object, to.list[i], i, buf, sizeof(buf));
		size_t at = (size_t)(uintptr_t)names_get(&old, name);

		if (at && from_done[at - 1])
			at = 0; /* two of the same: the first one had it */
		if (at)
			from_done[at - 1] = 1;
		member(d, row, name, at ? from.list[at - 1] : NULL, to.list[i]);
	}
	for (unsigned i = 0; i < from.count; i++) {
		if (!from_done[i])
			member(d, row, name_of(row->object, from.list[i], i, buf, sizeof(buf)),
			    from.list[i], NULL);
	}
	names_fini(&old);
	pool_free(pool);
}

static void members(struct differ *d, const struct kw *row, const void *a, const void *b)
{
	struct side from = side_of(row, a), to = side_of(row, b);
	unsigned char *from_done = xcalloc(from.count + 1, 1), *to_done = xcalloc(to.count + 1, 1);
	char x[IDENTITY_MAX], y[IDENTITY_MAX];
	unsigned paired = 0;

	for (unsigned i = 0; i < from.count && i < to.count; i++) {
		const char *name = name_of(row->object, to.list[i], i, y, sizeof(y));

		if (strcmp(name_of(row->object, from.list[i], i, x, sizeof(x)), name) != 0)
			continue;
		from_done[i] = to_done[i] = 1;
		paired++;
		member(d, row, name, from.list[i], to.list[i]);
	}
	if (paired < from.count || paired < to.count)
		match_rest(d, row, from, to, from_done, to_done);
	free(from_done);
	free(to_done);
}

static void walk(struct differ *d, const struct object_kind *kind, const void *from, const void *to)
{
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (row->type == VALUE_OBJECT)
			section(d, row, from, to);
		else if (row->type == VALUE_MAP || row->type == VALUE_SEQUENCE)
			members(d, row, from, to);
		else
			leaf(d, kind, row, from, to);
	}
}

void conf_diff(const struct conf *from, const struct conf *to, struct conf_diff *out)
{
	struct differ d = {.from = from, .to = to, .out = out};

	*out = (struct conf_diff){0};
	walk(&d, &conf_kind_root, from, to);
}

unsigned conf_tunnel_effects(const struct conf_tunnel *from, const struct conf_tunnel *to)
{
	const struct object_kind *kind = &conf_kind_connection;
	struct conf_diff out = {0};
	struct differ d = {.out = &out, .quiet = true};
	unsigned effects = 0;

	walk(&d, &conf_kind_tunnel, from, to);
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (row->object != &conf_kind_tunnel)
			leaf(&d, kind, row, from->connection, to->connection);
	}
	walk(&d, &conf_kind_customer_gateway, from->customer_gateway, to->customer_gateway);
	for (unsigned e = 0; e < CONF_EFFECTS; e++)
		effects |= out.by_effect[e] ? 1u << e : 0;
	return effects;
}
