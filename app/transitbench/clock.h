/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_CLOCK_H
#define TRANSITBENCH_CLOCK_H

/* The clock of the core, which drifts, by that of the time-stamp counter, which does not. */

#include <stdint.h>

#include <rte_cycles.h>

#define CLOCK_MULTIPLY_CYCLES 3 /* of a 64-bit multiplication on the CPUs of interest */

/* Ticks per core cycle at this moment: a loop of dependent multiplications, the best of a few, so that no interruption counts. */
static inline double ticks_per_cycle(void)
{
	const unsigned tries = 5, n = 2000;
	uint64_t best = UINT64_MAX;

	for (unsigned try = 0; try < tries; try++) {
		uint64_t x = 3, start = rte_rdtsc_precise(), ticks;

		for (unsigned i = 0; i < n; i++)
			__asm__ volatile("imul %0, %0" : "+r"(x));
		ticks = rte_rdtsc_precise() - start;
		best = ticks < best ? ticks : best;
	}
	return (double)best / (n * CLOCK_MULTIPLY_CYCLES);
}

#endif
