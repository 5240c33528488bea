/* SPDX-License-Identifier: BSD-3-Clause */

/* One value as a person wants to read it. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "transitctl/table.h"

/* Follows "a.b" down. */
static const json_t *member(const json_t *row, const char *path)
{
	const json_t *whole = json_object_get(row, path);
	char key[64];

	if (whole)
		return whole;
	while (row && *path) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		row = json_object_get(row, key);
		path += len + (path[len] == '.');
	}
	return row;
}

static double number(const json_t *value)
{
	return json_is_number(value) ? json_number_value(value) : 0;
}

/* Text of a peer or an operator: printable ASCII and UTF-8 pass, control characters do not. */
static void add_clean(struct text *out, const char *s)
{
	char one[2] = "";

	for (; *s; s++) {
		one[0] = (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s;
		text_add(out, one);
	}
}

static void add_scalar(struct text *out, const json_t *value)
{
	if (json_is_string(value))
		add_clean(out, json_string_value(value));
	else if (json_is_integer(value))
		text_addf(out, "%" PRIi64, (int64_t)json_integer_value(value));
	else if (json_is_real(value))
		text_addf(out, "%.1f", json_real_value(value));
	else if (json_is_boolean(value))
		text_add(out, json_is_true(value) ? "yes" : "no");
}

static void add_list(struct text *out, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (i)
			text_add(out, ",");
		add_scalar(out, item);
	}
}

static const char *add_pair(
    struct text *out, const char *sep, const char *left, const json_t *right)
{
	text_add(out, sep);
	add_clean(out, left);
	text_add(out, " ");
	add_scalar(out, right);
	return ", ";
}

/* The first two members of an object: its name and the state of it. */
static const char *add_first_two(struct text *out, const char *sep, json_t *object)
{
	void *first = json_object_iter(object);
	void *second = json_object_iter_next(object, first);
	const char *name = json_string_value(json_object_iter_value(first));

	return name && second ? add_pair(out, sep, name, json_object_iter_value(second)) : sep;
}

static void add_pairs(struct text *out, const json_t *value)
{
	const char *key, *sep = "";
	json_t *item;
	size_t i;

	json_object_foreach((json_t *)value, key, item) sep = add_pair(out, sep, key, item);
	json_array_foreach(value, i, item) sep = add_first_two(out, sep, item);
}

static void add_bytes(struct text *out, double bytes)
{
	static const char units[] = " KMGTPE";
	unsigned unit = 0;

	while (bytes >= 999.5 && unit < sizeof(units) - 2) {
		bytes /= 1000;
		unit++;
	}
	if (unit == 0)
		text_addf(out, "%.0f", bytes);
	else
		text_addf(out, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
}

static void add_seconds(struct text *out, double seconds)
{
	int64_t s = (int64_t)seconds;

	if (seconds < 0) {
		text_add(out, "-");
		s = (int64_t)-seconds;
	}
	if (s < 60)
		text_addf(out, "%" PRIi64 "s", s);
	else if (s < 3600)
		text_addf(out, "%" PRIi64 "m%02ds", s / 60, (int)(s % 60));
	else if (s < 86400)
		text_addf(out, "%" PRIi64 "h%02dm", s / 3600, (int)(s % 3600 / 60));
	else
		text_addf(out, "%" PRIi64 "d%02dh", s / 86400, (int)(s % 86400 / 3600));
}

static void add_any(struct text *out, const json_t *value)
{
	if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
		text_addf(out, "%zu", json_array_size(value));
	else if (json_is_array(value))
		add_list(out, value);
	else if (json_is_object(value))
		add_pairs(out, value);
	else
		add_scalar(out, value);
}

void cell_text(const json_t *row, const struct column *column, char *buf, size_t capacity)
{
	const json_t *value = member(row, column->key);
	struct text out = text_of(buf, capacity);

	if (!value || json_is_null(value))
		return;
	switch (column->kind) {
	case COLUMN_BYTES:
		add_bytes(&out, number(value));
		break;
	case COLUMN_SECONDS:
		add_seconds(&out, number(value));
		break;
	case COLUMN_YES:
		text_add(&out, json_is_true(value) ? "yes" : "");
		break;
	case COLUMN_PAIRS:
		add_pairs(&out, value);
		break;
	case COLUMN_TEXT:
	case COLUMN_COUNT:
	case COLUMN_NOTE:
		add_any(&out, value);
		break;
	}
}
