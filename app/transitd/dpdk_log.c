/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * DPDK writes its lines to a stdio stream; this one hands them to base/log. They may come from
 * threads of DPDK too, so a lock keeps them apart.
 */

#include "transitd/dpdk_log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <rte_log.h>

#include "base/log.h"
#include "base/text.h"

#define LOG        "dpdk"
#define HELD_MAX   8
#define LINE_BYTES 256

static struct {
	pthread_mutex_t lock;
	bool running;
	unsigned count; /* of lines held so far; the last HELD_MAX are here */
	char held[HELD_MAX][LINE_BYTES];
	struct log_limit limit;
} lines = {.lock = PTHREAD_MUTEX_INITIALIZER, .limit = {.interval_ns = DUR_S(1), .burst = 10}};

static void take_line(int level, const char *bytes, size_t len)
{
	char line[LINE_BYTES];

	text_sanitise(bytes, len, line, sizeof(line));
	if (level <= 0 || level > (int)RTE_LOG_WARNING) {
		log_write(LOG_DEBUG, LOG, NULL, "%s", line);
		return;
	}
	if (lines.running) {
		/* a warning here: the part of ours that fails says what it means */
		if (log_limit(&lines.limit, mono_now(), NULL))
			log_write(LOG_WARNING, LOG, NULL, "%s", line);
		return;
	}
	text_copy(lines.held[lines.count++ % HELD_MAX], LINE_BYTES, line);
	log_write(LOG_DEBUG, LOG, NULL, "%s", line);
}

static ssize_t on_write(void *cookie, const char *bytes, size_t len)
{
	size_t rest = len;

	pthread_mutex_lock(&lines.lock);
	while (rest > 0) {
		const char *end = memchr(bytes, '\n', rest);
		size_t n = end ? (size_t)(end - bytes) : rest;

		if (n > 0)
			take_line(rte_log_cur_msg_loglevel(), bytes, n);
		bytes += n + (end != NULL);
		rest -= n + (end != NULL);
	}
	pthread_mutex_unlock(&lines.lock);
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

void dpdk_log_tell(void)
{
	pthread_mutex_lock(&lines.lock);
	unsigned n = lines.count < HELD_MAX ? lines.count : HELD_MAX;

	for (unsigned i = lines.count - n; i < lines.count; i++)
		log_write(LOG_WARNING, LOG, NULL, "%s", lines.held[i % HELD_MAX]);
	lines.count = 0;
	pthread_mutex_unlock(&lines.lock);
}

void dpdk_log_run(void)
{
	pthread_mutex_lock(&lines.lock);
	lines.running = true;
	lines.count = 0;
	pthread_mutex_unlock(&lines.lock);
}
