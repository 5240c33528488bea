/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

/* What is wrong with a startup file, by place: what conf_load() and conf_check_change() report. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_ERRORS_PRINTED 200

struct conf_error {
	uint32_t line; /* 0: the file as a whole */
	uint32_t column;
	bool warning;
	char *text; /* one line: what is wrong, and what would be right; never a secret */
};

struct conf_errors {
	char *file;
	struct conf_error *items; /* sorted by place once conf_load() is back */
	unsigned items_count;     /* at most a bound of the loader; the totals below go on */
	unsigned capacity;
	unsigned errors;   /* total */
	unsigned warnings; /* total */
};

void conf_errors_init(struct conf_errors *errs);
void conf_errors_fini(struct conf_errors *errs);
/* "file:line:column: error: ..." per line, CONF_ERRORS_PRINTED at most, and then the totals. */
void conf_errors_print(const struct conf_errors *errs, FILE *to);
/* One item as such a line, without newline, cut at the capacity. Returns buf. */
const char *conf_error_text(
    const struct conf_errors *errs, const struct conf_error *item, char *buf, size_t capacity);

#endif
