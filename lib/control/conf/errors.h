/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_ERRORS_H
#define CONF_ERRORS_H

/* Adding to a `struct conf_errors` (conf.h). */

#include <stdarg.h>

#include "conf/conf.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* Line and column from 1; line 0: the file as a whole. Beyond a bound, items are only counted. */
void errors_add(struct conf_errors *errs, enum severity severity, uint32_t line, uint32_t column,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
void errors_addv(struct conf_errors *errs, enum severity severity, uint32_t line, uint32_t column,
    const char *format, va_list args);
/* By line, then column. */
void errors_sort(struct conf_errors *errs);
void errors_set_file(struct conf_errors *errs, const char *name);

#endif
