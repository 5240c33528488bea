/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_TIMES_H
#define TRANSITBENCH_TIMES_H

/* Many times, in ticks of the time-stamp counter, and what they come to. */

struct times {
	double p50, p99, p999; /* microseconds; 0 without samples */
};

/* From the least to the most. */
void times_sort(float *ticks, unsigned n);
/* Sorts them. */
struct times times_of(float *ticks, unsigned n);

#endif
