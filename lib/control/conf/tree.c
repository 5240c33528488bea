/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "conf/errors.h"
#include "conf/names.h"
#include "conf/pool.h"

/* A list or mapping that is still open. */
struct open {
	uint32_t node;
	uint32_t last;   /* child */
	bool have_key;   /* of a mapping: the next node is the value of the key below */
	const char *key; /* NULL: the key was no good, its value is left out */
	uint32_t key_line;
	uint32_t key_column;
};

struct builder {
	struct tree *tree;
	struct conf_errors *errs;
	yaml_parser_t yaml;
	struct open stack[TREE_DEPTH_MAX];
	unsigned depth;
	unsigned skipping; /* levels of a list or mapping that stands where a key should */
	bool stopped;
};

struct node *tree_child(const struct tree *tree, uint32_t map, const char *key)
{
	if (map == 0 || tree->nodes[map].kind != NODE_MAP)
		return NULL;
	for (uint32_t i = tree->nodes[map].first; i; i = tree->nodes[i].next) {
		if (strcmp(tree->nodes[i].key, key) == 0)
			return &tree->nodes[i];
	}
	return NULL;
}

struct node *tree_item(const struct tree *tree, struct node *list, unsigned i)
{
	uint32_t at;

	if (list->kind != NODE_LIST)
		return list;
	for (at = list->first; at && i; i--)
		at = tree->nodes[at].next;
	return at ? &tree->nodes[at] : list;
}

static void fail(struct builder *b, yaml_mark_t at, const char *text)
{
	errors_add(
	    b->errs, SEVERITY_ERROR, (uint32_t)at.line + 1, (uint32_t)at.column + 1, "%s", text);
}

static uint32_t add_node(struct builder *b, enum node_kind kind, yaml_mark_t at)
{
	struct tree *t = b->tree;

	if (t->count > TREE_NODES_MAX) {
		fail(b, at, "the file has too many values (2097152 at most); the rest is not read");
		b->stopped = true;
		return 0;
	}
	if (t->count == t->capacity) {
		t->capacity *= 2;
		t->nodes = xrealloc(t->nodes, t->capacity * sizeof(*t->nodes));
	}
	t->nodes[t->count] = (struct node){
	    .kind = kind, .line = (uint32_t)at.line + 1, .column = (uint32_t)at.column + 1};
	return t->count++;
}

/* Hangs a node under the list or mapping that is open, or makes it the root. */
static void link_node(struct builder *b, uint32_t number)
{
	struct tree *t = b->tree;
	struct node *node = &t->nodes[number], *parent;
	struct open *open;

	if (b->depth == 0) {
		t->root = number;
		return;
	}
	open = &b->stack[b->depth - 1];
	parent = &t->nodes[open->node];
	if (parent->kind == NODE_MAP) {
		open->have_key = false;
		if (!open->key)
			return;
		node->key = open->key;
		node->key_line = open->key_line;
		node->key_column = open->key_column;
	}
	if (open->last)
		t->nodes[open->last].next = number;
	else
		parent->first = number;
	open->last = number;
	parent->count++;
}

static bool wants_key(const struct builder *b)
{
	const struct open *open;

	if (b->depth == 0)
		return false;
	open = &b->stack[b->depth - 1];
	return !open->have_key && b->tree->nodes[open->node].kind == NODE_MAP;
}

static void take_key(struct builder *b, const char *key, yaml_mark_t at)
{
	struct open *open = &b->stack[b->depth - 1];

	open->have_key = true;
	open->key = key;
	open->key_line = (uint32_t)at.line + 1;
	open->key_column = (uint32_t)at.column + 1;
}

static void open_node(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	uint32_t number;

	if (wants_key(b)) {
		fail(b, event->start_mark, "a key must be one word, not a list or mapping");
		take_key(b, NULL, event->start_mark);
		b->skipping = 1;
		return;
	}
	if (b->depth == TREE_DEPTH_MAX) {
		fail(b, event->start_mark,
		    "nested deeper than 32 levels; no setting is that deep, and the rest is not read");
		b->stopped = true;
		return;
	}
	number = add_node(b, kind, event->start_mark);
	if (number == 0)
		return;
	link_node(b, number);
	b->stack[b->depth++] = (struct open){.node = number};
}

static void report_double(struct builder *b, struct node *node, const struct node *first)
{
	char key[64];

	errors_add(b->errs, SEVERITY_ERROR, node->key_line, node->key_column,
	    "'%s' stands here for the second time, first in line %u column %u; remove one of them",
	    text_sanitise(node->key, strlen(node->key), key, sizeof(key)), first->key_line,
	    first->key_column);
}

/* Takes what has the key of an earlier child out of a mapping. */
static void drop_doubles(struct builder *b, struct node *map)
{
	struct node *nodes = b->tree->nodes;
	struct names seen = {0};
	uint32_t *link = &map->first;

	for (uint32_t i = *link; i; i = *link) {
		struct node *first = names_put(&seen, nodes[i].key, &nodes[i]);

		if (first) {
			report_double(b, &nodes[i], first);
			*link = nodes[i].next;
			map->count--;
		} else {
			link = &nodes[i].next;
		}
	}
	names_fini(&seen);
}

static void close_node(struct builder *b)
{
	struct node *node = &b->tree->nodes[b->stack[--b->depth].node];

	if (node->kind == NODE_MAP && node->count > 1)
		drop_doubles(b, node);
}

static bool is_null(const yaml_event_t *event)
{
	const char *s = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return *s == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 ||
	    strcmp(s, "Null") == 0 || strcmp(s, "NULL") == 0;
}

static void take_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool broken = memchr(value, '\0', len) != NULL;
	const char *text = pool_text(b->tree->pool, value, len);
	uint32_t number;

	if (broken)
		fail(b, event->start_mark, "a NUL character (\\0) in a text; remove it");
	if (wants_key(b)) {
		take_key(b, broken ? NULL : text, event->start_mark);
		return;
	}
	number = add_node(b,
	    broken               ? NODE_BROKEN
		: is_null(event) ? NODE_NULL
				 : NODE_SCALAR,
	    event->start_mark);
	if (number == 0)
		return;
	b->tree->nodes[number].text = text;
	link_node(b, number);
}

static void take_alias(struct builder *b, const yaml_event_t *event)
{
	uint32_t number;

	fail(b, event->start_mark, "aliases (*name) are not supported; write the value out");
	if (wants_key(b)) {
		take_key(b, NULL, event->start_mark);
		return;
	}
	number = add_node(b, NODE_BROKEN, event->start_mark);
	if (number)
		link_node(b, number);
}

/* Anchors and tags are refused, the value behind them is read. */
static void check_decoration(
    struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		fail(b, event->start_mark, "anchors (&name) are not supported; remove it");
	if (tag)
		fail(b, event->start_mark, "tags (!name) are not supported; remove it");
}

/* Inside of a list or mapping that stands where a key should. */
static void skip_event(struct builder *b, const yaml_event_t *event)
{
	if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
		b->skipping++;
	else if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT)
		b->skipping--;
}

static void take_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->tree->root == 0)
			break;
		fail(b, event->start_mark,
		    "a second YAML document; a file has one, remove the '---'");
		b->stopped = true;
		break;
	case YAML_ALIAS_EVENT:
		take_alias(b, event);
		break;
	case YAML_SCALAR_EVENT:
		check_decoration(b, event, event->data.scalar.anchor, event->data.scalar.tag);
		take_scalar(b, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		check_decoration(
		    b, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		open_node(b, NODE_LIST, event);
		break;
	case YAML_MAPPING_START_EVENT:
		check_decoration(
		    b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		open_node(b, NODE_MAP, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_node(b);
		break;
	default:
		break;
	}
}

/* What helps with the syntax errors that people make; `problem` is libyaml's text. */
static const char *advice(const struct builder *b)
{
	const char *problem = b->yaml.problem ? b->yaml.problem : "";
	const yaml_parser_t *y = &b->yaml;

	if (strstr(problem, "cannot start any token") && y->buffer.pointer < y->buffer.last &&
	    *y->buffer.pointer == '\t')
		return "a tab cannot indent; use spaces";
	if (strstr(problem, "cannot start any token"))
		return "this character cannot begin a value; put the text in double quotes";
	if (strstr(problem, "mapping values are not allowed"))
		return "a ':' in a place where no key can be; check the indentation, or quote the text";
	if (strstr(problem, "could not find expected ':'"))
		return "a key without its ':'; write `key: value`, and check the quotes above";
	if (strstr(problem, "did not find expected key"))
		return "a key was expected; check the indentation of this line and the one above";
	if (strstr(problem, "did not find expected ',' or"))
		return "a bracket or brace is not closed, a ',' is missing, or a text with ': ' needs quotes";
	if (strstr(problem, "did not find expected '-'"))
		return "a '-' was expected: the items of a list are indented alike";
	if (strstr(problem, "unexpected end of stream"))
		return "the file ends inside a quoted text; close the quotes";
	return NULL;
}

static void report_syntax(struct builder *b)
{
	const char *problem = b->yaml.problem ? b->yaml.problem : "unknown problem";
	const char *help = advice(b);
	yaml_mark_t at = b->yaml.problem_mark;

	errors_add(b->errs, SEVERITY_ERROR, (uint32_t)at.line + 1, (uint32_t)at.column + 1,
	    "not valid YAML: %s; the rest is not read", help ? help : problem);
	b->stopped = true;
}

static void wipe_event(yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		secret_wipe(event->data.scalar.value, event->data.scalar.length);
	yaml_event_delete(event);
}

/* libyaml's own buffers hold the file as well. */
static void end_yaml(yaml_parser_t *y)
{
	if (y->raw_buffer.start)
		secret_wipe(y->raw_buffer.start, (size_t)(y->raw_buffer.end - y->raw_buffer.start));
	if (y->buffer.start)
		secret_wipe(y->buffer.start, (size_t)(y->buffer.end - y->buffer.start));
	yaml_parser_delete(y);
}

static void run(struct builder *b)
{
	bool done = false;

	while (!done && !b->stopped) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b->yaml, &event)) {
			report_syntax(b);
			break;
		}
		done = event.type == YAML_STREAM_END_EVENT;
		if (b->skipping)
			skip_event(b, &event);
		else
			take_event(b, &event);
		wipe_event(&event);
	}
	b->tree->partial = b->stopped;
	while (b->depth)
		close_node(b);
}

void tree_parse(struct tree *tree, const char *bytes, size_t len, struct conf_errors *errs)
{
	struct builder b = {.tree = tree, .errs = errs};
	size_t clean_len = len;
	char *clean;

	*tree = (struct tree){.count = 1, .capacity = 64, .pool = pool_new()};
	tree->nodes = xcalloc(tree->capacity, sizeof(*tree->nodes));
	clean = text_clean(bytes, &clean_len, errs);
	if (!clean) {
		tree->partial = true;
		return;
	}
	if (!yaml_parser_initialize(&b.yaml))
		abort();
	yaml_parser_set_encoding(&b.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.yaml, (const unsigned char *)clean, clean_len);
	run(&b);
	end_yaml(&b.yaml);
	secret_free(clean, clean_len + 1);
}

void tree_fini(struct tree *tree)
{
	free(tree->nodes);
	pool_free(tree->pool);
	*tree = (struct tree){0};
}
