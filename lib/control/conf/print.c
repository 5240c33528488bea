/* SPDX-License-Identifier: BSD-3-Clause */
/* conf_print(): canonical YAML in block style, keys in the order of the keyword table, two spaces a level. */
#include <string.h>
#include <strings.h>

#include "conf/emit.h"

#define LEVELS_MAX 16

struct yaml_sink {
	struct emit_sink sink;
	FILE *to;
	unsigned level;
	unsigned entries[LEVELS_MAX]; /* said so far at each level */
	bool flow;
	bool behind_dash; /* the next key goes into the line of a "- " */
	bool started;
};

/* What a reader of YAML 1.1 would take for something else than text: yes, null, 12, 1e3, 0x1f. */
static bool is_ambiguous(const char *s)
{
	static const char *const words[] = {
	    "yes", "no", "true", "false", "on", "off", "y", "n", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(s, words[i]) == 0)
			return true;
	}
	return strspn(s, "0123456789") > 0 &&
	    strspn(s, "0123456789abcdefABCDEFxo._+-") == strlen(s);
}

static bool is_plain(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char more[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";

	return (strspn(s, letters) > 0 || strspn(s, "0123456789/") > 0) &&
	    strspn(s, more) == strlen(s);
}

static void put_text(FILE *to, const char *s)
{
	if (is_plain(s) && !is_ambiguous(s)) {
		fputs(s, to);
		return;
	}
	fputc('"', to);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', to);
		fputc(*s, to);
	}
	fputc('"', to);
}

/* Types whose words are never taken for another type, or are meant to be. */
static bool is_bare(const struct kw *row, const char *text)
{
	switch (row->type) {
	case VALUE_BOOL:
	case VALUE_UINT:
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_RATE:
	case VALUE_ENUM:
	case VALUE_ASN:
	case VALUE_SPI:
		return true;
	case VALUE_IP:
	case VALUE_PREFIX:
	case VALUE_IFADDR:
		return strchr(text, ':') == NULL;
	default:
		return false;
	}
}

static void put_value(struct yaml_sink *y, const struct kw *row, const char *text)
{
	if (is_bare(row, text))
		fputs(text, y->to);
	else
		put_text(y->to, text);
}

/* The place where the next entry of this level begins. */
static void begin(struct yaml_sink *y)
{
	if (y->behind_dash)
		fputc(' ', y->to);
	else if (y->started)
		fprintf(y->to, "\n%*s", 2 * (int)y->level, "");
	y->behind_dash = false;
	y->started = true;
	y->entries[y->level]++;
}

static void descend(struct yaml_sink *y)
{
	y->level++;
	y->entries[y->level] = 0;
}

static void begin_key(struct yaml_sink *y, const char *key)
{
	begin(y);
	put_text(y->to, key);
	fputc(':', y->to);
}

static void yaml_open_map(struct emit_sink *sink, const char *key)
{
	struct yaml_sink *y = (struct yaml_sink *)sink;

	if (key) {
		begin_key(y, key);
	} else {
		begin(y);
		fputc('-', y->to);
	}
	descend(y);
	y->behind_dash = !key;
}

static void yaml_close_map(struct emit_sink *sink)
{
	struct yaml_sink *y = (struct yaml_sink *)sink;

	if (y->entries[y->level] == 0)
		fputs(" {}", y->to);
	y->behind_dash = false;
	y->level--;
}

static void yaml_open_list(struct emit_sink *sink, const char *key, bool flow)
{
	struct yaml_sink *y = (struct yaml_sink *)sink;

	begin_key(y, key);
	descend(y);
	y->flow = flow;
	if (flow)
		fputs(" [", y->to);
}

static void yaml_close_list(struct emit_sink *sink)
{
	struct yaml_sink *y = (struct yaml_sink *)sink;

	if (y->flow)
		fputc(']', y->to);
	else if (y->entries[y->level] == 0)
		fputs(" []", y->to);
	y->flow = false;
	y->level--;
}

static void yaml_scalar(
    struct emit_sink *sink, const char *key, const struct kw *row, const void *at, const char *text)
{
	struct yaml_sink *y = (struct yaml_sink *)sink;

	if (key) {
		begin_key(y, key);
		fputc(' ', y->to);
	} else if (y->entries[y->level]++) {
		fputs(", ", y->to);
	}
	put_value(y, row, text);
}

void conf_print(const struct conf *conf, unsigned flags, FILE *to)
{
	struct yaml_sink y = {
	    .sink = {yaml_open_map, yaml_close_map, yaml_open_list, yaml_close_list, yaml_scalar},
	    .to = to,
	};

	emit_conf(conf, flags, &y.sink);
	fputc('\n', to);
}
