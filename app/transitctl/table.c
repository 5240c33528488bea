/* SPDX-License-Identifier: BSD-3-Clause */

/* Measures all cells, then prints them: two passes over the rows, nothing is kept. */

#include "transitctl/table.h"

#include <string.h>

#include "base/text.h"

#define COLUMNS_MAX 32
#define CELL_MAX    512
#define GAP         2

/* Characters, not bytes: UTF-8 continuation bytes take no place. */
static unsigned width_of(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool is_right(enum column_kind kind)
{
	return kind == COLUMN_COUNT || kind == COLUMN_BYTES || kind == COLUMN_SECONDS;
}

/* 0: the column is empty. */
static unsigned measure(const json_t *rows, const struct column *column)
{
	char cell[CELL_MAX];
	unsigned most = 0;
	size_t i;
	json_t *row;

	if (column->kind == COLUMN_NOTE)
		return 0;

	json_array_foreach(rows, i, row)
	{
		unsigned n;

		cell_text(row, column, cell, sizeof(cell));
		n = width_of(cell);
		most = n > most ? n : most;
	}
	if (most == 0)
		return 0;
	return most > width_of(column->heading) ? most : width_of(column->heading);
}

struct line {
	FILE *to;
	unsigned blanks; /* owed before the next character */
	bool is_first;
};

static void put(struct line *line, const char *cell, unsigned width, bool right)
{
	unsigned pad = width - width_of(cell);

	if (!line->is_first)
		line->blanks += GAP;
	line->is_first = false;
	if (right)
		line->blanks += pad;
	if (*cell) {
		fprintf(line->to, "%*s%s", (int)line->blanks, "", cell);
		line->blanks = 0;
	} else {
		line->blanks += width - pad;
	}
	if (!right)
		line->blanks += pad;
}

static void print_notes(
    const json_t *rows, const struct column *columns, const struct column *note, FILE *to)
{
	char name[CELL_MAX], cell[CELL_MAX];
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		cell_text(row, &columns[0], name, sizeof(name));
		cell_text(row, note, cell, sizeof(cell));
		if (cell[0])
			fprintf(to, "%s: %s%s%s\n", name, note->heading,
			    note->heading[0] ? ": " : "", cell);
	}
}

void table_print(const json_t *rows, const struct column *columns, unsigned count, FILE *to)
{
	unsigned width[COLUMNS_MAX];
	struct line line = {to, 0, true};
	char cell[CELL_MAX];
	size_t i;
	json_t *row;

	count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
	for (unsigned c = 0; c < count; c++) {
		width[c] = measure(rows, &columns[c]);
		if (width[c])
			put(&line, columns[c].heading, width[c], is_right(columns[c].kind));
	}
	fputc('\n', to);
	json_array_foreach(rows, i, row)
	{
		line = (struct line){to, 0, true};
		for (unsigned c = 0; c < count; c++) {
			if (!width[c])
				continue;
			cell_text(row, &columns[c], cell, sizeof(cell));
			put(&line, cell, width[c], is_right(columns[c].kind));
		}
		fputc('\n', to);
	}
	for (unsigned c = 0; c < count; c++) {
		if (columns[c].kind == COLUMN_NOTE)
			print_notes(rows, columns, &columns[c], to);
	}
}

static bool is_table(const json_t *value)
{
	return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

void object_print(const json_t *object, FILE *to)
{
	unsigned widest = 0;
	const char *key;
	char cell[CELL_MAX];
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (!is_table(value) && width_of(key) > widest)
			widest = width_of(key);
	}
	json_object_foreach((json_t *)object, key, value)
	{
		struct column column = {
		    key, "", json_is_object(value) ? COLUMN_PAIRS : COLUMN_TEXT};

		if (is_table(value))
			continue;
		cell_text(object, &column, cell, sizeof(cell));
		fprintf(to, "%s:%*s%s\n", key, cell[0] ? (int)(widest - width_of(key)) + 1 : 0, "",
		    cell);
	}
	json_object_foreach((json_t *)object, key, value)
	{
		struct column columns[COLUMNS_MAX];

		if (!is_table(value))
			continue;
		fprintf(to, "\n%s\n", key);
		table_print(value, columns, columns_guess(value, columns, COLUMNS_MAX), to);
	}
}

unsigned columns_guess(const json_t *rows, struct column *out, unsigned max)
{
	const char *key;
	json_t *value;
	unsigned n = 0;
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		json_object_foreach(row, key, value)
		{
			unsigned c = 0;

			while (c < n && strcmp(out[c].key, key) != 0)
				c++;
			if (c == n && n < max)
				out[n++] = (struct column){
				    key, key, json_is_number(value) ? COLUMN_COUNT : COLUMN_TEXT};
		}
	}
	return n;
}
