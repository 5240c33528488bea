/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_TABLE_H
#define TRANSITCTL_TABLE_H

/* JSON rows as a table for people. */

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

enum column_kind {
	COLUMN_TEXT,    /* any scalar; a list is joined with commas */
	COLUMN_COUNT,   /* a number, to the right */
	COLUMN_BYTES,   /* 1.5G */
	COLUMN_SECONDS, /* 1h02m */
	COLUMN_YES,     /* yes, or nothing */
	COLUMN_PAIRS, /* members of an object, or the first two of each in a list: "ttl 1, mtu 3" */
	COLUMN_NOTE,  /* a long text: in a line of its own below the table, behind the first cell */
};

struct column {
	const char *key; /* member of the row; "a.b": member b of member a */
	const char *heading;
	enum column_kind kind;
};

/* One cell as text; never longer than the capacity, never a control character. "" for null. */
void cell_text(const json_t *row, const struct column *column, char *buf, size_t capacity);

/*
 * Rows below headings, aligned, two blanks apart, no blanks at the end of lines; then the notes.
 * Columns that are empty in every row are left out.
 */
void table_print(const json_t *rows, const struct column *columns, unsigned count, FILE *to);

/* An object as "key: value" lines; lists of objects in it become tables below. */
void object_print(const json_t *object, FILE *to);

/* Columns made of what the rows have, for rows that nobody described. Returns how many. The keys
 * belong to the rows. */
unsigned columns_guess(const json_t *rows, struct column *out, unsigned max);

#endif
