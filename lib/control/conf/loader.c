/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/loader.h"

#include <string.h>

#include "base/text.h"
#include "conf/suggest.h"

static void report_node(
    struct loader *l, enum severity severity, struct node *at, const char *format, va_list args)
{
	if (at->reported)
		return;
	at->reported = severity == SEVERITY_ERROR;
	errors_addv(l->errs, severity, at->line, at->column, format, args);
}

static void report_source(struct loader *l, enum severity severity,
    const struct conf_source *object, const char *format, va_list args)
{
	errors_addv(l->errs, severity, object->line, object->column, format, args);
}

/* The value of a key, or its i-th; NULL when the key is not there. */
static struct node *find(
    const struct loader *l, const struct conf_source *object, const char *key, const unsigned *i)
{
	struct node *node = tree_child(&l->tree, object->node, key);

	return node && i ? tree_item(&l->tree, node, *i) : node;
}

static void report_key(struct loader *l, enum severity severity, const struct conf_source *object,
    const char *key, const unsigned *i, const char *format, va_list args)
{
	struct node *node = find(l, object, key, i);

	if (node)
		report_node(l, severity, node, format, args);
	else
		report_source(l, severity, object, format, args);
}

void fail_node(struct loader *l, struct node *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_node(l, SEVERITY_ERROR, at, format, args);
	va_end(args);
}

void fail_key(
    struct loader *l, const struct conf_source *object, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_key(l, SEVERITY_ERROR, object, key, NULL, format, args);
	va_end(args);
}

void warn_key(
    struct loader *l, const struct conf_source *object, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_key(l, SEVERITY_WARNING, object, key, NULL, format, args);
	va_end(args);
}

void fail_item(struct loader *l, const struct conf_source *object, const char *key, unsigned i,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_key(l, SEVERITY_ERROR, object, key, &i, format, args);
	va_end(args);
}

void warn_item(struct loader *l, const struct conf_source *object, const char *key, unsigned i,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_key(l, SEVERITY_WARNING, object, key, &i, format, args);
	va_end(args);
}

void fail_place(
    struct loader *l, const struct conf_source *object, const char *key, const char *format, ...)
{
	struct node *node = find(l, object, key, NULL);
	va_list args;

	if (!node || node->reported)
		return;
	node->reported = true;
	va_start(args, format);
	errors_addv(l->errs, SEVERITY_ERROR, node->key_line, node->key_column, format, args);
	va_end(args);
}

void fail_object(struct loader *l, const struct conf_source *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_source(l, SEVERITY_ERROR, object, format, args);
	va_end(args);
}

void warn_object(struct loader *l, const struct conf_source *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_source(l, SEVERITY_WARNING, object, format, args);
	va_end(args);
}

bool is_given(const struct loader *l, const struct conf_source *object, const char *key)
{
	return tree_child(&l->tree, object->node, key) != NULL;
}

bool is_reported(const struct loader *l, const struct conf_source *object, const char *key)
{
	const struct node *node = tree_child(&l->tree, object->node, key);

	if (!node || node->reported)
		return node != NULL;
	for (uint32_t i = node->kind == NODE_LIST ? node->first : 0; i; i = l->tree.nodes[i].next) {
		if (l->tree.nodes[i].reported)
			return true;
	}
	return false;
}

const char *quote(const char *text, char buf[QUOTE_MAX])
{
	return text_sanitise(text, strlen(text), buf, QUOTE_MAX);
}

const char *article(const char *noun)
{
	return strchr("aeio", noun[0]) ? "an" : "a";
}

const char *hint(const struct suggest *s, char buf[HINT_MAX])
{
	struct text t = text_of(buf, HINT_MAX);

	if (s->best)
		text_addf(&t, "; did you mean '%s'?", s->best);
	return buf;
}
