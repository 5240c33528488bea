/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of the file into the structs of conf.h, driven by the keyword table.
 *
 * What is wrong with one key by itself is found here: keys that do not exist, values of the wrong shape or
 * range, lists too long, keys that are missing.
 */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "conf/keywords.h"
#include "conf/loader.h"
#include "conf/pool.h"
#include "conf/suggest.h"
#include "conf/value.h"

static void decode_object(
    struct loader *l, const struct object_kind *kind, struct node *node, void *object);

static const char *object_name(const struct object_kind *kind, const void *object)
{
	return kind->name_offset == NO_NAME
	    ? NULL
	    : *(const char *const *)((const char *)object + kind->name_offset);
}

/* "port 'lan0'", or "tunnel". */
static const char *describe(const struct object_kind *kind, const void *object, char buf[256])
{
	const char *name = object_name(kind, object);
	struct text t = text_of(buf, 256);

	text_add(&t, kind->what);
	if (name)
		text_addf(&t, " '%s'", name);
	return buf;
}

/* ---- defaults ---- */

static void preset_scalar(struct loader *l, const struct kw *row, void *object)
{
	void *at = keyword_at(row, object);

	if (row->list) {
		void *one = pool_alloc(l->conf->pool, value_size(row->type));

		*(void **)at = one;
		*keyword_count(row, object) = 1;
		at = one;
	}
	if (value_parse(row, row->preset, l->conf->pool, at) != VALUE_GOOD)
		assert(!"a default of the keyword table is not valid");
}

static void preset_object(struct loader *l, const struct object_kind *kind, void *object)
{
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (row->preset)
			preset_scalar(l, row, object);
	}
}

/* A section that the file leaves out: all defaults, found in the file where its parent is. */
static void absent_object(struct loader *l, const struct object_kind *kind, void *object,
    const struct conf_source *parent)
{
	struct conf_source *source = object;

	*source = (struct conf_source){.line = parent->line, .column = parent->column};
	preset_object(l, kind, object);
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (row->type == VALUE_OBJECT)
			absent_object(l, row->object, keyword_at(row, object), source);
	}
}

/* ---- lists ---- */

/* The values of a list, or the one value that stands for it. */
static uint32_t first_item(const struct loader *l, struct node *node)
{
	return node->kind == NODE_LIST ? node->first : (uint32_t)(node - l->tree.nodes);
}

static uint32_t next_item(const struct loader *l, const struct node *list, uint32_t item)
{
	return list->kind == NODE_LIST ? l->tree.nodes[item].next : 0;
}

static unsigned item_count(const struct node *node)
{
	return node->kind == NODE_LIST ? node->count : node->kind == NODE_NULL ? 0 : 1;
}

static bool length_fits(struct loader *l, const struct kw *row, struct node *node, unsigned n)
{
	if (n < row->list_min && !l->tree.partial)
		fail_node(
		    l, node, "%s: nothing is in it; give at least %u", row->key, row->list_min);
	else if (row->list_max && n > row->list_max)
		fail_node(
		    l, node, "%s: %u values; at most %u are possible", row->key, n, row->list_max);
	else
		return true;
	return false;
}

static bool is_string(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_LABEL || type == VALUE_NAME || type == VALUE_REF;
}

static bool values_equal(const struct kw *row, const void *a, const void *b)
{
	if (is_string(row->type))
		return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
	return memcmp(a, b, value_size(row->type)) == 0;
}

static void check_repeats(
    struct loader *l, const struct kw *row, struct node *list, const char *values, unsigned n)
{
	size_t size = value_size(row->type);
	char text[VALUE_TEXT_MAX], shown[QUOTE_MAX];

	for (unsigned i = 1; i < n; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (!values_equal(row, values + i * size, values + j * size))
				continue;
			value_text(row, values + i * size, text);
			fail_node(l, tree_item(&l->tree, list, i),
			    "%s: '%s' stands twice in the list; remove one", row->key,
			    quote(text, shown));
			break;
		}
	}
}

/*
 * The place of a value that was no good: its number in the list stays, and as it is reported, whatever a
 * later step would say about it is not said.
 */
static void set_nothing(const struct kw *row, struct node *item, void *at)
{
	item->reported = true;
	memset(at, 0, value_size(row->type));
	if (is_string(row->type))
		*(const char **)at = "";
}

static void decode_list(struct loader *l, const struct kw *row, struct node *node, void *object)
{
	size_t size = value_size(row->type);
	unsigned n = item_count(node), i = 0;
	char *values;

	*keyword_count(row, object) = 0;
	*(void **)keyword_at(row, object) = NULL;
	if (node->kind == NODE_BROKEN || !length_fits(l, row, node, n) || n == 0)
		return;
	values = pool_alloc(l->conf->pool, n * size);
	for (uint32_t at = first_item(l, node); at; at = next_item(l, node, at), i++) {
		struct node *item = tree_node(&l->tree, at);

		if (!value_read(l, row, item, values + i * size))
			set_nothing(row, item, values + i * size);
	}
	if (!row->repeats)
		check_repeats(l, row, node, values, n);
	*(void **)keyword_at(row, object) = values;
	*keyword_count(row, object) = n;
}

/* ---- objects ---- */

static void fail_shape(struct loader *l, struct node *node, const char *what, const char *wanted)
{
	static const char *const shapes[] = {
	    [NODE_SCALAR] = "a single value", [NODE_LIST] = "a list", [NODE_MAP] = "a mapping"};

	if (node->kind != NODE_BROKEN)
		fail_node(
		    l, node, "%s: %s stands where %s belongs", what, shapes[node->kind], wanted);
}

static void decode_map(struct loader *l, const struct kw *row, struct node *node, void *object)
{
	const struct object_kind *kind = row->object;
	char shown[QUOTE_MAX];
	unsigned n = 0;
	void **list;

	if (node->kind != NODE_MAP && node->kind != NODE_NULL) {
		fail_shape(l, node, row->key, "a mapping of names, `NAME: {...}`,");
		return;
	}
	if (!length_fits(l, row, node, node->count) || node->count == 0)
		return;
	list = pool_alloc(l->conf->pool, node->count * sizeof(*list));
	for (uint32_t i = node->first; i; i = l->tree.nodes[i].next) {
		struct node *item = tree_node(&l->tree, i);
		char *child = pool_alloc(l->conf->pool, kind->size);

		if (!is_name(item->key))
			errors_add(l->errs, SEVERITY_ERROR, item->key_line, item->key_column,
			    "'%s' cannot be the name of %s %s; give 2..128 characters: a letter, then "
			    "letters, digits, '_' or '-'",
			    quote(item->key, shown), article(kind->what), kind->what);
		*(const char **)(child + kind->name_offset) =
		    pool_text(l->conf->pool, item->key, strlen(item->key));
		decode_object(l, kind, item, child);
		list[n++] = child;
	}
	*(void ***)keyword_at(row, object) = list;
	*keyword_count(row, object) = n;
}

static void decode_sequence(struct loader *l, const struct kw *row, struct node *node, void *object)
{
	unsigned n = item_count(node), i = 0;
	void **list;

	if (node->kind == NODE_SCALAR) {
		fail_shape(l, node, row->key, "a list of mappings, `- {...}`,");
		return;
	}
	if (node->kind == NODE_BROKEN || !length_fits(l, row, node, n) || n == 0)
		return;
	list = pool_alloc(l->conf->pool, n * sizeof(*list));
	for (uint32_t at = first_item(l, node); at; at = next_item(l, node, at)) {
		list[i] = pool_alloc(l->conf->pool, row->object->size);
		decode_object(l, row->object, tree_node(&l->tree, at), list[i++]);
	}
	*(void ***)keyword_at(row, object) = list;
	*keyword_count(row, object) = n;
}

/* A20. */
static const char *tag_fault(const char *s, int least, int most)
{
	int n = text_characters(s);

	if (n < 0)
		return "has control characters; give printable text";
	if (n < least || n > most)
		return least ? "has a bad length; give 1..64 characters"
			     : "has a bad length; give 0..128 characters";
	if (strncmp(s, "acs:", 4) == 0 || strncmp(s, "aliyun", 6) == 0)
		return "begins with 'acs:' or 'aliyun', which are reserved; take another beginning";
	if (strstr(s, "http://") || strstr(s, "https://"))
		return "holds 'http://' or 'https://'; leave that out";
	return NULL;
}

static void decode_tag(struct loader *l, struct node *item, struct conf_tag *tag)
{
	const char *fault = tag_fault(item->key, 1, 64);
	char shown[QUOTE_MAX];

	if (fault)
		errors_add(l->errs, SEVERITY_ERROR, item->key_line, item->key_column,
		    "tags: the key '%s' %s", quote(item->key, shown), fault);
	tag->key = pool_text(l->conf->pool, item->key, strlen(item->key));
	tag->value = "";
	if (item->kind == NODE_LIST || item->kind == NODE_MAP) {
		fail_shape(l, item, "tags", "one value");
	} else if (item->kind == NODE_SCALAR) {
		fault = tag_fault(item->text, 0, 128);
		if (fault)
			fail_node(
			    l, item, "tags: the value '%s' %s", quote(item->text, shown), fault);
		tag->value = pool_text(l->conf->pool, item->text, strlen(item->text));
	}
}

static void decode_tags(struct loader *l, const struct kw *row, struct node *node, void *object)
{
	struct conf_tag *tags;
	unsigned n = 0;

	if (node->kind != NODE_MAP && node->kind != NODE_NULL) {
		fail_shape(l, node, row->key, "a mapping, `KEY: VALUE`,");
		return;
	}
	if (!length_fits(l, row, node, node->count) || node->count == 0)
		return;
	tags = pool_alloc(l->conf->pool, node->count * sizeof(*tags));
	for (uint32_t i = node->first; i; i = l->tree.nodes[i].next)
		decode_tag(l, tree_node(&l->tree, i), &tags[n++]);
	*(struct conf_tag **)keyword_at(row, object) = tags;
	*keyword_count(row, object) = n;
}

/* A10: a connection that is written inside its attachment takes the attachment's name. */
static void decode_inline(
    struct loader *l, const struct kw *row, struct node *node, void *object, const char *name)
{
	struct conf_connection *connection = pool_alloc(l->conf->pool, sizeof(*connection));

	assert(row->object == &conf_kind_connection);
	connection->name = name;
	connection->is_inline = true;
	decode_object(l, row->object, node, connection);
	*(const char **)keyword_at(row, object) = name;
	*(struct conf_connection **)((char *)object + row->ref_offset) = connection;
}

static void decode_row(struct loader *l, const struct object_kind *kind, const struct kw *row,
    struct node *node, void *object)
{
	switch (row->type) {
	case VALUE_OBJECT:
		decode_object(l, row->object, node, keyword_at(row, object));
		break;
	case VALUE_MAP:
		decode_map(l, row, node, object);
		break;
	case VALUE_SEQUENCE:
		decode_sequence(l, row, node, object);
		break;
	case VALUE_TAGS:
		decode_tags(l, row, node, object);
		break;
	default:
		if (row->list)
			decode_list(l, row, node, object);
		else if (row->object && node->kind == NODE_MAP)
			decode_inline(l, row, node, object, object_name(kind, object));
		else
			value_read(l, row, node, keyword_at(row, object));
	}
}

/* A key that would be right one level down, or in the connection of an attachment (A10). */
static const char *right_place(const struct object_kind *kind, const char *key, char buf[256])
{
	struct text t = text_of(buf, 256);

	for (const struct kw *row = kind->rows; row->key; row++) {
		size_t len = strlen(row->key);

		if (row->type != VALUE_OBJECT)
			continue;
		if (keyword_find(row->object, key)) {
			text_addf(&t, "; it belongs under `%s`", row->key);
			return buf;
		}
		if (strncmp(key, row->key, len) == 0 && key[len] == '-' &&
		    keyword_find(row->object, key + len + 1)) {
			text_addf(&t, "; write `%s: {%s: ...}`", row->key, key + len + 1);
			return buf;
		}
	}
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (row->type == VALUE_REF && row->object && keyword_find(row->object, key)) {
			text_addf(&t,
			    "; it is a setting of the connection: change it under vpn-connections, or "
			    "write the connection here as `%s: {...}`",
			    row->key);
			return buf;
		}
	}
	return NULL;
}

static void fail_unknown(
    struct loader *l, const struct object_kind *kind, const struct node *node, const void *object)
{
	struct suggest s = suggest_for(node->key);
	char shown[QUOTE_MAX], where[256], advice[256];
	struct text t = text_of(advice, sizeof(advice));

	for (const struct kw *row = kind->rows; row->key; row++)
		suggest_try(&s, row->key);
	if (s.best) {
		text_addf(&t, "; did you mean '%s'?", s.best);
	} else if (!right_place(kind, node->key, advice)) {
		text_add(&t, "; known keys: ");
		for (const struct kw *row = kind->rows; row->key; row++)
			text_addf(&t, "%s%s", row == kind->rows ? "" : ", ", row->key);
	}
	errors_add(l->errs, SEVERITY_ERROR, node->key_line, node->key_column,
	    "unknown key '%s' in %s%s", quote(node->key, shown), describe(kind, object, where),
	    advice);
}

/* The rows whose keys did not come: a section of defaults, or an error unless `quiet`. */
static void finish_object(
    struct loader *l, const struct object_kind *kind, struct conf_source *source, bool quiet)
{
	char where[256], expect[EXPECT_MAX];

	for (const struct kw *row = kind->rows; row->key; row++) {
		if (source->given >> (row - kind->rows) & 1)
			continue;
		if (row->type == VALUE_OBJECT)
			absent_object(l, row->object, keyword_at(row, source), source);
		if (!row->required || quiet)
			continue;
		if (row->type < VALUE_SCALARS)
			fail_object(l, source, "%s: '%s' is missing; give %s",
			    describe(kind, source, where), row->key, value_expect(row, expect));
		else
			fail_object(l, source, "%s: '%s' is missing; it holds %s",
			    describe(kind, source, where), row->key, row->meaning);
	}
}

static void decode_object(
    struct loader *l, const struct object_kind *kind, struct node *node, void *object)
{
	struct conf_source *source = object;
	bool quiet = l->tree.partial;
	char where[256];

	source->line = node->key ? node->key_line : node->line;
	source->column = node->key ? node->key_column : node->column;
	source->node = (uint32_t)(node - l->tree.nodes);
	preset_object(l, kind, object);
	if (node->kind != NODE_MAP && node->kind != NODE_NULL) {
		fail_shape(l, node, describe(kind, object, where), "a mapping, `KEY: VALUE`,");
		quiet = true;
	}
	for (uint32_t i = node->kind == NODE_MAP ? node->first : 0; i; i = l->tree.nodes[i].next) {
		struct node *child = tree_node(&l->tree, i);
		const struct kw *row = keyword_find(kind, child->key);

		if (!row) {
			fail_unknown(l, kind, child, object);
			continue;
		}
		source->given |= 1ull << (row - kind->rows);
		decode_row(l, kind, row, child, object);
	}
	finish_object(l, kind, source, quiet);
}

void decode_file(struct loader *l)
{
	struct conf *conf = l->conf;

	if (l->tree.root == 0) {
		struct conf_source start = {.line = 1, .column = 1};

		if (!l->tree.partial)
			fail_object(l, &start, "the file is empty; it needs at least `ports`");
		conf->source = start;
		absent_object(l, &conf_kind_root, conf, &start);
		return;
	}
	decode_object(l, &conf_kind_root, tree_node(&l->tree, l->tree.root), conf);
}
