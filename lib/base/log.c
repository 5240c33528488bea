/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From a printf format to one clean line in the sink. The control lcore calls; nothing here is
 * locked.
 */

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_NOTICE] = "notice",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};
#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

static void write_stderr(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	char wall[WALL_TEXT_MAX];

	fprintf(stderr, "%s %s %s%s%s: %s\n", wall_text(wall), log_level_name(level), subsystem,
	    object ? " " : "", object ? object : "", line);
}

/* The process has one log; only the control lcore touches it. */
static struct {
	log_sink_fn *sink;
	void *ctx;
	enum log_level most_verbose;
} current = {.sink = write_stderr, .most_verbose = LOG_INFO};

void log_set_sink(log_sink_fn *fn, void *ctx)
{
	current.sink = fn ? fn : write_stderr;
	current.ctx = fn ? ctx : NULL;
}

void log_set_level(enum log_level most_verbose)
{
	current.most_verbose = most_verbose;
}

enum log_level log_level(void)
{
	return current.most_verbose;
}

const char *log_level_name(enum log_level level)
{
	return (unsigned)level < LEVELS ? level_names[level] : "unknown";
}

int log_level_parse(const char *name, enum log_level *out)
{
	for (unsigned i = 0; i < LEVELS; i++) {
		if (!strcmp(name, level_names[i])) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One event stays one line, and no terminal obeys it: control characters become '?'. */
static void keep_one_line(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

void log_writev(enum log_level level, const char *subsystem, const char *object, const char *format,
    va_list args)
{
	char line[LINE_MAX_BYTES];
	int n;

	if (level > current.most_verbose)
		return;
	n = vsnprintf(line, sizeof(line), format, args);
	if (n < 0) /* not encodable: then the bare format still says what happened */
		n = snprintf(line, sizeof(line), "%s", format);
	if ((size_t)n >= sizeof(line))
		strcpy(line + sizeof(line) - 4, "...");
	keep_one_line(line);
	current.sink(current.ctx, level, subsystem, object, line);
}

void log_write(
    enum log_level level, const char *subsystem, const char *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_writev(level, subsystem, object, format, args);
	va_end(args);
}

/*
 * Whole intervals since `last` become tokens; the rest of the time stays for the next call, but a
 * full bucket keeps none of it, or the line after the burst would come too early.
 */
static void earn_tokens(struct log_limit *limit, struct mono now)
{
	int64_t earned = mono_diff(limit->last, now) / limit->interval_ns;

	if (earned >= (int64_t)limit->burst - limit->tokens) {
		limit->tokens = limit->burst;
		limit->last = now;
	} else if (earned > 0) {
		limit->tokens += (uint32_t)earned;
		limit->last = mono_add(limit->last, earned * limit->interval_ns);
	}
}

bool log_limit(struct log_limit *limit, struct mono now, uint64_t *suppressed)
{
	if (!limit->started) {
		limit->started = true;
		limit->tokens = limit->burst;
		limit->last = now;
	} else if (limit->interval_ns > 0) {
		earn_tokens(limit, now);
	}
	if (suppressed)
		*suppressed = limit->suppressed;
	if (limit->tokens == 0) {
		limit->suppressed++;
		return false;
	}
	limit->tokens--;
	limit->suppressed = 0;
	return true;
}
