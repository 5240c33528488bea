/* SPDX-License-Identifier: BSD-3-Clause */
/* conf_json(): the same as conf_print() for programs. Numbers and switches have their JSON types. */
#include <jansson.h>
#include <stdlib.h>

#include "conf/emit.h"

#define LEVELS_MAX 16

struct json_sink {
	struct emit_sink sink;
	json_t *open[LEVELS_MAX]; /* borrowed, but for the first */
	unsigned level;
};

/* Adds to what is open; jansson takes the reference, and fails only when out of memory. */
static void add(struct json_sink *j, const char *key, json_t *value)
{
	json_t *into = j->open[j->level];

	if (key ? json_object_set_new(into, key, value) : json_array_append_new(into, value))
		abort();
}

static void descend(struct json_sink *j, const char *key, json_t *value)
{
	add(j, key, value);
	j->open[++j->level] = value;
}

static void json_open_map(struct emit_sink *sink, const char *key)
{
	descend((struct json_sink *)sink, key, json_object());
}

static void json_open_list(struct emit_sink *sink, const char *key, bool flow)
{
	descend((struct json_sink *)sink, key, json_array());
}

static void json_close(struct emit_sink *sink)
{
	((struct json_sink *)sink)->level--;
}

static void json_scalar(
    struct emit_sink *sink, const char *key, const struct kw *row, const void *at, const char *text)
{
	json_t *value;

	switch (row->type) {
	case VALUE_BOOL:
		value = json_boolean(*(const bool *)at);
		break;
	case VALUE_UINT:
	case VALUE_ASN:
		value = json_integer(*(const uint32_t *)at);
		break;
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_RATE:
		value = json_integer((json_int_t) * (const uint64_t *)at);
		break;
	default:
		value = json_string(text);
	}
	add((struct json_sink *)sink, key, value);
}

json_t *conf_json(const struct conf *conf, unsigned flags)
{
	struct json_sink j = {
	    .sink = {json_open_map, json_close, json_open_list, json_close, json_scalar},
	    .open = {json_object()},
	};

	emit_conf(conf, flags, &j.sink);
	return j.open[0];
}
