/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/emit.h"

#include <string.h>

#include "base/secret.h"
#include "conf/value.h"

struct emit {
	struct emit_sink *sink;
	unsigned flags;
};

static void emit_object(
    struct emit *e, const struct object_kind *kind, const void *object, const char *key);

bool emit_has_value(const struct kw *row, const void *object)
{
	const void *at = keyword_at(row, object);

	if (row->list || row->type == VALUE_TAGS || row->type == VALUE_SEQUENCE ||
	    row->type == VALUE_MAP)
		return *keyword_count(row, object) > 0;
	switch (row->type) {
	case VALUE_UINT:
	case VALUE_ASN:
	case VALUE_SPI:
		return row->preset || *(const uint32_t *)at != 0;
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_RATE:
		return row->preset || *(const uint64_t *)at != 0;
	case VALUE_TEXT:
	case VALUE_LABEL:
	case VALUE_NAME:
	case VALUE_PATH:
	case VALUE_SECRET:
	case VALUE_REF:
		return *(const char *const *)at != NULL;
	case VALUE_PSK:
		return *(const char *)at != '\0';
	case VALUE_IP:
	case VALUE_PREFIX:
	case VALUE_IFADDR:
		return ip_is_set(at); /* the first member of all three */
	case VALUE_MAC:
		return memcmp(at, &(struct conf_mac){{0}}, sizeof(struct conf_mac)) != 0;
	case VALUE_ID:
		return ((const struct conf_id *)at)->type != CONF_ID_NONE;
	case VALUE_KEY:
		return ((const struct conf_key *)at)->len != 0;
	default:
		return true;
	}
}

bool emit_is_off(const struct kw *row, const void *object)
{
	const struct kw *enabled =
	    row->type == VALUE_OBJECT ? keyword_find(row->object, "enabled") : NULL;

	return enabled && !enabled->preset &&
	    !*(const bool *)keyword_at(enabled, keyword_at(row, object));
}

static bool is_wanted(
    const struct emit *e, const struct object_kind *kind, const struct kw *row, const void *object)
{
	const struct conf_source *source = object;

	if (source->given >> (row - kind->rows) & 1)
		return true;
	return (e->flags & CONF_PRINT_EFFECTIVE) && (!row->applies || row->applies(object)) &&
	    !(row->moot && row->moot(object)) && emit_has_value(row, object) &&
	    !emit_is_off(row, object);
}

static void emit_scalar(struct emit *e, const struct kw *row, const char *key, const void *at)
{
	char text[VALUE_TEXT_MAX];

	if (row->secret && !(e->flags & CONF_PRINT_SECRETS))
		strcpy(text, VALUE_SECRET_PLACEHOLDER);
	else
		value_text(row, at, text);
	e->sink->scalar(e->sink, key, row, at, text);
	secret_wipe(text, sizeof(text));
}

static void emit_list(struct emit *e, const struct kw *row, const void *object)
{
	const char *values = *(const char *const *)keyword_at(row, object);

	e->sink->open_list(e->sink, row->key, true);
	for (unsigned i = 0; i < *keyword_count(row, object); i++)
		emit_scalar(e, row, NULL, values + i * value_size(row->type));
	e->sink->close_list(e->sink);
}

static void emit_tags(struct emit *e, const struct kw *row, const void *object)
{
	const struct conf_tag *tags = *(const struct conf_tag *const *)keyword_at(row, object);

	e->sink->open_map(e->sink, row->key);
	for (unsigned i = 0; i < *keyword_count(row, object); i++)
		e->sink->scalar(e->sink, tags[i].key, row, &tags[i], tags[i].value);
	e->sink->close_map(e->sink);
}

static bool is_inline(const struct object_kind *kind, const void *object)
{
	return kind == &conf_kind_connection && ((const struct conf_connection *)object)->is_inline;
}

/* Objects by name. Inline connections are said where they stand, defaults only when asked for. */
static void emit_map(struct emit *e, const struct kw *row, const void *object)
{
	void *const *list = *(void *const *const *)keyword_at(row, object);

	e->sink->open_map(e->sink, row->key);
	for (unsigned i = 0; i < *keyword_count(row, object); i++) {
		const struct conf_source *source = list[i];
		const char *name =
		    *(const char *const *)((const char *)list[i] + row->object->name_offset);

		if (is_inline(row->object, list[i]))
			continue;
		if (source->line || (e->flags & CONF_PRINT_EFFECTIVE))
			emit_object(e, row->object, list[i], name);
	}
	e->sink->close_map(e->sink);
}

static void emit_sequence(struct emit *e, const struct kw *row, const void *object)
{
	void *const *list = *(void *const *const *)keyword_at(row, object);

	e->sink->open_list(e->sink, row->key, false);
	for (unsigned i = 0; i < *keyword_count(row, object); i++)
		emit_object(e, row->object, list[i], NULL);
	e->sink->close_list(e->sink);
}

/* An object written in place of its name, or NULL. */
static const void *written_inline(const struct kw *row, const void *object)
{
	const void *target;

	if (row->type != VALUE_REF || !row->object)
		return NULL;
	target = *(void *const *)((const char *)object + row->ref_offset);
	return target && is_inline(row->object, target) ? target : NULL;
}

static void emit_row(struct emit *e, const struct kw *row, const void *object)
{
	const void *inside = written_inline(row, object);

	struct emit as_given = {e->sink, e->flags & ~CONF_PRINT_EFFECTIVE};

	if (row->type == VALUE_OBJECT)
		emit_object(emit_is_off(row, object) ? &as_given : e, row->object,
		    keyword_at(row, object), row->key);
	else if (row->type == VALUE_MAP)
		emit_map(e, row, object);
	else if (row->type == VALUE_SEQUENCE)
		emit_sequence(e, row, object);
	else if (row->type == VALUE_TAGS)
		emit_tags(e, row, object);
	else if (row->list)
		emit_list(e, row, object);
	else if (inside)
		emit_object(e, row->object, inside, row->key);
	else
		emit_scalar(e, row, row->key, keyword_at(row, object));
}

static void emit_rows(struct emit *e, const struct object_kind *kind, const void *object)
{
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (is_wanted(e, kind, row, object))
			emit_row(e, row, object);
	}
}

static void emit_object(
    struct emit *e, const struct object_kind *kind, const void *object, const char *key)
{
	e->sink->open_map(e->sink, key);
	emit_rows(e, kind, object);
	e->sink->close_map(e->sink);
}

void emit_conf(const struct conf *conf, unsigned flags, struct emit_sink *sink)
{
	struct emit e = {sink, flags};

	emit_rows(&e, &conf_kind_root, conf);
}
