/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * Log lines of the control lcore. One line is one event: "subsystem object: what happened". Codes
 * of negotiation errors (T27) come first in the text, so that they can be searched for. Workers
 * never log.
 *
 * The sink is a function, stderr by default, so that tests collect lines. Bytes of peers go through
 * text_sanitise() before they come here.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* `object` names a tunnel, port or peer and may be NULL. `line` has no newline. */
typedef void log_sink_fn(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line);

/* fn NULL: back to stderr. */
void log_set_sink(log_sink_fn *fn, void *ctx);
void log_set_level(enum log_level most_verbose);
enum log_level log_level(void);
const char *log_level_name(enum log_level level);
/* 0, or -EINVAL for an unknown name ("error", "warning", "notice", "info", "debug"). */
int log_level_parse(const char *name, enum log_level *out);

void log_write(enum log_level level, const char *subsystem, const char *object, const char *format,
    ...) __attribute__((format(printf, 4, 5)));
void log_writev(enum log_level level, const char *subsystem, const char *object, const char *format,
    va_list args);

/*
 * At most `burst` lines at once and one more per `interval_ns`; for events that a stranger's
 * packets cause. Usage: if (log_limit(&limit, now)) log_write(...). *suppressed (may be NULL) gets
 * how many were left out since the last line that passed. A burst of 0 lets nothing pass.
 */
struct log_limit {
	int64_t interval_ns;
	uint32_t burst;
	uint32_t tokens;
	uint64_t suppressed;
	struct mono last;
	bool started;
};
bool log_limit(struct log_limit *limit, struct mono now, uint64_t *suppressed);

#endif
