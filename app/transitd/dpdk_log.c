/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * DPDK writes its lines to a stdio stream; this one hands them to base/log. They may come from
 * threads of DPDK too, one whole line per call, and the sink writes a line at once.
 */

#include "transitd/dpdk_log.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_log.h>

#include "base/log.h"
#include "base/text.h"

#define LOG "dpdk"

/* Its errors are warnings here: the part of ours that failed says what that means. */
static enum log_level level_of(int level)
{
	if (level <= 0)
		return LOG_WARNING;
	if (level <= (int)RTE_LOG_CRIT)
		return LOG_ERROR;
	if (level <= (int)RTE_LOG_ERR)
		return LOG_WARNING;
	if (level <= (int)RTE_LOG_NOTICE)
		return LOG_INFO;
	return LOG_DEBUG;
}

static ssize_t on_write(void *cookie, const char *bytes, size_t len)
{
	char line[1024];
	size_t rest = len;

	while (rest > 0) {
		const char *end = memchr(bytes, '\n', rest);
		size_t n = end ? (size_t)(end - bytes) : rest;

		if (n > 0) {
			text_sanitise(bytes, n, line, sizeof(line));
			log_write(level_of(rte_log_cur_msg_loglevel()), LOG, NULL, "%s", line);
		}
		bytes += n + (end != NULL);
		rest -= n + (end != NULL);
	}
	return (ssize_t)len;
}

void dpdk_log_start(void)
{
	cookie_io_functions_t io = {.write = on_write};
	FILE *stream = fopencookie(NULL, "w", io);

	if (!stream)
		return;
	setvbuf(stream, NULL, _IOLBF, 0);
	rte_openlog_stream(stream);
}
