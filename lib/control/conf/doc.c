/* SPDX-License-Identifier: BSD-3-Clause */
/* conf_doc(): the reference of the startup file, out of the keyword table, as markdown. */
#include <stdio.h>

#include "conf/keywords.h"
#include "conf/value.h"

/* "`NAME: {...}`" and the like for structures, the accepted values for scalars. */
static void put_type(FILE *to, const struct kw *row)
{
	char expect[EXPECT_MAX];

	switch (row->type) {
	case VALUE_OBJECT:
		fputs("mapping", to);
		break;
	case VALUE_MAP:
		fputs("mapping of names, `NAME: {...}`", to);
		break;
	case VALUE_SEQUENCE:
		fputs("list of mappings", to);
		break;
	case VALUE_TAGS:
		fputs("mapping, `KEY: VALUE`", to);
		break;
	default:
		fprintf(to, "%s%s", row->list ? "list: " : "", value_expect(row, expect));
		if (row->object)
			fputs(", or a mapping", to);
	}
	if (row->list_max)
		fprintf(to, "; %u at most", row->list_max);
}

static void put_default(FILE *to, const struct kw *row)
{
	if (row->preset)
		fprintf(to, "`%s`", row->preset);
	else if (row->preset_words)
		fputs(row->preset_words, to);
	else if (row->required)
		fputs("needed", to);
	else if (row->type == VALUE_OBJECT)
		fputs("see below", to);
	else
		fputs("none", to);
}

static void put_row(FILE *to, const struct kw *row)
{
	fprintf(to, "| `%s` | ", row->key);
	put_type(to, row);
	fputs(" | ", to);
	put_default(to, row);
	fprintf(to, " | %s", row->meaning);
	if (row->applies)
		fprintf(to, "; %s", row->applies_words);
	fprintf(to, " | %s |\n",
	    row->type == VALUE_OBJECT ? "see below" : conf_effect_name(row->effect));
}

static bool is_structure(const struct kw *row)
{
	return row->type == VALUE_OBJECT || row->type == VALUE_MAP || row->type == VALUE_SEQUENCE;
}

/* The table of one kind of object, then those of what it holds. `path` is how one gets there. */
static void put_kind(FILE *to, const struct object_kind *kind, const char *path)
{
	char inner[256];

	fprintf(to, "\n## %s\n\n", path);
	if (kind->intro)
		fprintf(to, "%s\n\n", kind->intro);
	fputs("| Key | Value | Default | Meaning | Change |\n|---|---|---|---|---|\n", to);
	for (const struct kw *row = kind->rows; row->key; row++)
		put_row(to, row);
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (!is_structure(row))
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s%s", kind == &conf_kind_root ? "" : path,
		    kind == &conf_kind_root ? "" : ".", row->key,
		    row->type == VALUE_MAP            ? ".NAME"
			: row->type == VALUE_SEQUENCE ? "[]"
						      : "");
		put_kind(to, row->object, inner);
	}
}

/* The words of the last column. */
static void put_effects(FILE *to)
{
	fputs("\nWhat a change does to a running router (`transitctl diff`):\n\n", to);
	for (unsigned e = 0; e < CONF_EFFECTS; e++)
		fprintf(to, "- `%s`: %s\n", conf_effect_name(e), conf_effect_help(e));
}

void conf_doc(FILE *to)
{
	fputs("# Startup file of transitd\n", to);
	put_kind(to, &conf_kind_root, "The file");
	put_effects(to);
	fputs(
	    "\nErrors are reported all at once as `file:line:column: error: ...`. Anchors, aliases, tags and "
	    "several documents are not supported.\n",
	    to);
}
