/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Rows of JSON to the text format of OpenMetrics 1.0. Each command is asked once per scrape; each family is written in
 * one piece, as the format wants it.
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "api/metrics.h"
#include "api/metrics_table.h"
#include "base/mem.h"

struct scrape {
	struct api *api;
	json_t *answers; /* by command */
	FILE *out;
};

/* All pages of what a command answers; an empty list when it refuses. */
static json_t *ask(struct api *api, const char *command)
{
	const struct api_caller caller = {0};
	json_t *from = NULL, *all = NULL;

	do {
		json_t *request = json_pack("{s:s}", "command", command);
		if (from)
			json_object_set_new(request, "from", from);
		json_t *answer = commands_answer(api, &caller, request);
		json_t *result = json_object_get(answer, "result");
		json_t *rows = json_object_get(result, "rows");

		from = json_is_array(rows) ? json_incref(json_object_get(result, "next")) : NULL;
		if (from && json_is_null(from)) {
			json_decref(from);
			from = NULL;
		}
		if (!json_is_array(rows))
			rows = result;
		if (all && json_is_array(rows))
			json_array_extend(all, rows);
		else if (!all)
			all = rows ? json_incref(rows) : json_array();
		json_decref(answer);
		json_decref(request);
	} while (from);
	return all;
}

static json_t *answer_of(struct scrape *s, const char *command)
{
	json_t *answer = json_object_get(s->answers, command);

	if (!answer) {
		answer = ask(s->api, command);
		json_object_set_new(s->answers, command, answer);
	}
	return answer;
}

/* ---- samples ---- */

/* A label's value: of backslash, quote and newline the escapes, other control characters become '?'. */
static void put_escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", out);
		else
			fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, out);
	}
}

/* Names of members have dashes where labels have underscores. */
static void put_label(FILE *out, char *sep, const char *name, size_t len, const json_t *value)
{
	if (!json_is_string(value) && !json_is_integer(value))
		return;
	fputc(*sep, out);
	*sep = ',';
	for (size_t i = 0; i < len; i++)
		fputc(name[i] == '-' ? '_' : name[i], out);
	fputs("=\"", out);
	if (json_is_string(value))
		put_escaped(out, json_string_value(value));
	else
		fprintf(out, "%" PRIi64, (int64_t)json_integer_value(value));
	fputc('"', out);
}

static void put_labels(
    FILE *out, const struct metric_row *row, const json_t *object, const json_t *extra)
{
	char sep = '{';

	for (const char *l = row->labels; l && *l;) {
		size_t len = strcspn(l, ","), key_len = strcspn(l, ",=");
		const char *name = l[key_len] == '=' ? l + key_len + 1 : l;
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)key_len, l);
		put_label(out, &sep, name, len - (size_t)(name - l), json_object_get(object, key));
		l += len + (l[len] == ',');
	}
	if (extra && row->word)
		put_label(out, &sep, row->word, strlen(row->word), extra);
	if (sep == ',')
		fputc('}', out);
}

static void put_number(FILE *out, const json_t *value)
{
	double real = json_real_value(value);

	if (json_is_integer(value))
		fprintf(out, " %" PRIi64 "\n", (int64_t)json_integer_value(value));
	else
		fprintf(out, " %.6g\n", isfinite(real) ? real : 0.0);
}

static void put_sample(FILE *out, const struct metric_row *row, const json_t *object,
    const char *suffix, const json_t *extra, const json_t *value)
{
	json_t *one = value ? NULL : json_integer(1);

	fprintf(out, "%s%s", row->family, suffix);
	put_labels(out, row, object, extra);
	put_number(out, value ? value : one);
	json_decref(one);
}

static void put_integer(
    FILE *out, const struct metric_row *row, const json_t *object, json_int_t value)
{
	json_t *number = json_integer(value);

	put_sample(out, row, object, "", NULL, number);
	json_decref(number);
}

static void put_map(FILE *out, const struct metric_row *row, const json_t *object, json_t *map)
{
	const char *key;
	json_t *value;

	json_object_foreach(map, key, value)
	{
		json_t *name = json_string(key);

		if (json_is_number(value))
			put_sample(out, row, object, "_total", name, value);
		json_decref(name);
	}
}

static void put_row(FILE *out, const struct metric_row *row, const json_t *object)
{
	json_t *value = row->member ? json_object_get(object, row->member) : NULL;

	switch (row->kind) {
	case METRIC_COUNTER:
		if (json_is_number(value))
			put_sample(out, row, object, "_total", NULL, value);
		break;
	case METRIC_GAUGE:
		if (json_is_number(value))
			put_sample(out, row, object, "", NULL, value);
		break;
	case METRIC_BOOL:
		if (json_is_boolean(value))
			put_integer(out, row, object, json_is_true(value));
		break;
	case METRIC_IS:
		if (json_is_string(value))
			put_integer(out, row, object, !strcmp(json_string_value(value), row->word));
		break;
	case METRIC_STATE:
		if (json_is_string(value))
			put_sample(out, row, object, "", value, NULL);
		break;
	case METRIC_MAP:
		put_map(out, row, object, value);
		break;
	case METRIC_COUNT:
		put_integer(out, row, object, (json_int_t)json_array_size(value));
		break;
	case METRIC_INFO:
		put_sample(out, row, object, "_info", NULL, NULL);
		break;
	}
}

static const char *type_of(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_COUNTER:
	case METRIC_MAP:
		return "counter";
	case METRIC_INFO:
		return "info";
	default:
		return "gauge";
	}
}

static void put_family(struct scrape *s, const struct metric_row *row)
{
	json_t *rows = answer_of(s, row->command), *object;
	size_t i;

	if (row->list)
		rows = json_object_get(rows, row->list);
	fprintf(s->out, "# TYPE %s %s\n# HELP %s %s\n", row->family, type_of(row->kind),
	    row->family, row->help);
	if (json_is_object(rows))
		put_row(s->out, row, rows);
	json_array_foreach(rows, i, object) put_row(s->out, row, object);
}

char *metrics_text(struct api *api)
{
	struct scrape s = {.api = api, .answers = json_object()};
	char *text = NULL;
	size_t len;

	s.out = open_memstream(&text, &len);
	if (!s.out)
		abort();
	for (const struct metric_row *row = metric_rows; row->command; row++)
		put_family(&s, row);
	fputs("# EOF\n", s.out);
	fclose(s.out);
	json_decref(s.answers);
	return text;
}
