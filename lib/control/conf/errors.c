/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with a file, collected and printed in the order of the file.
 *
 * A file may be bad beyond reason (a picture given as configuration has a million bad bytes), so only a
 * bounded number is kept; all are counted. Errors never give way to warnings, neither when kept nor when
 * printed.
 */
#include "conf/errors.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define KEPT_ERRORS   10000
#define KEPT_WARNINGS 1000
#define TEXT_BYTES    512

void conf_errors_init(struct conf_errors *errs)
{
	*errs = (struct conf_errors){0};
}

void conf_errors_fini(struct conf_errors *errs)
{
	for (unsigned i = 0; i < errs->items_count; i++)
		free(errs->items[i].text);
	free(errs->items);
	free(errs->file);
	*errs = (struct conf_errors){0};
}

void errors_set_file(struct conf_errors *errs, const char *name)
{
	free(errs->file);
	errs->file = xstrdup(name);
}

void errors_addv(struct conf_errors *errs, enum severity severity, uint32_t line, uint32_t column,
    const char *format, va_list args)
{
	bool warning = severity == SEVERITY_WARNING;
	unsigned *total = warning ? &errs->warnings : &errs->errors;
	char text[TEXT_BYTES];

	if ((*total)++ >= (warning ? KEPT_WARNINGS : KEPT_ERRORS))
		return;
	if (errs->items_count == errs->capacity) {
		errs->capacity = errs->capacity ? 2 * errs->capacity : 16;
		errs->items = xrealloc(errs->items, errs->capacity * sizeof(*errs->items));
	}
	vsnprintf(text, sizeof(text), format, args);
	errs->items[errs->items_count++] =
	    (struct conf_error){line, column, warning, xstrdup(text)};
}

void errors_add(struct conf_errors *errs, enum severity severity, uint32_t line, uint32_t column,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	errors_addv(errs, severity, line, column, format, args);
	va_end(args);
}

static int by_place(const void *x, const void *y)
{
	const struct conf_error *a = x, *b = y;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	if (a->warning != b->warning)
		return a->warning ? 1 : -1;
	return strcmp(a->text, b->text);
}

void errors_sort(struct conf_errors *errs)
{
	if (errs->items_count)
		qsort(errs->items, errs->items_count, sizeof(*errs->items), by_place);
}

const char *conf_error_text(
    const struct conf_errors *errs, const struct conf_error *item, char *buf, size_t capacity)
{
	struct text t = text_of(buf, capacity);

	text_add(&t, errs->file ? errs->file : "-");
	if (item->line)
		text_addf(&t, ":%u:%u", item->line, item->column);
	text_addf(&t, ": %s: %s", item->warning ? "warning" : "error", item->text);
	return buf;
}

void conf_errors_print(const struct conf_errors *errs, FILE *to)
{
	unsigned errors = errs->errors < CONF_ERRORS_PRINTED ? errs->errors : CONF_ERRORS_PRINTED;
	unsigned room[2] = {errors, CONF_ERRORS_PRINTED - errors}; /* by `warning` */
	char line[TEXT_BYTES + 4096];

	for (unsigned i = 0; i < errs->items_count; i++) {
		const struct conf_error *item = &errs->items[i];

		if (room[item->warning] == 0)
			continue;
		room[item->warning]--;
		fprintf(to, "%s\n", conf_error_text(errs, item, line, sizeof(line)));
	}
	if (errs->errors + errs->warnings == 0)
		return;
	fprintf(to, "%s: %u error%s, %u warning%s", errs->file ? errs->file : "-", errs->errors,
	    errs->errors == 1 ? "" : "s", errs->warnings, errs->warnings == 1 ? "" : "s");
	if (errs->errors + errs->warnings > CONF_ERRORS_PRINTED)
		fprintf(to, "; %u of them are shown", CONF_ERRORS_PRINTED);
	fputc('\n', to);
}
