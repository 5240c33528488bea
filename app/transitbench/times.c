/* SPDX-License-Identifier: BSD-3-Clause */

/* Percentiles. */

#include "transitbench/times.h"

#include <stdint.h>
#include <stdlib.h>

#include <rte_cycles.h>

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void times_sort(float *ticks, unsigned n)
{
	qsort(ticks, n, sizeof(*ticks), by_size);
}

struct times times_of(float *ticks, unsigned n)
{
	const double us = 1e6 / (double)rte_get_tsc_hz();

	if (n == 0)
		return (struct times){0};
	times_sort(ticks, n);
	return (struct times){.p50 = (double)ticks[n / 2] * us,
	    .p99 = (double)ticks[(uint64_t)n * 99 / 100] * us,
	    .p999 = (double)ticks[(uint64_t)n * 999 / 1000] * us};
}
