/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The only two questions to the clocks of the kernel.
 */

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

struct mono mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){DUR_S(ts.tv_sec) + ts.tv_nsec};
}

const char *wall_text(char buf[WALL_TEXT_MAX])
{
	struct timespec ts;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	len = strftime(buf, WALL_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, WALL_TEXT_MAX - len, ".%03uZ", (unsigned)(ts.tv_nsec / 1000000) % 1000);
	return buf;
}
