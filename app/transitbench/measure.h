/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_MEASURE_H
#define TRANSITBENCH_MEASURE_H

/* The clock, and what a profile costs. */

#include "transitbench/clock.h"
#include "transitbench/site.h"
#include "transitbench/times.h"

enum bench_stage {
	BENCH_RX,
	BENCH_CLASSIFY, /* and IP header checks, and which packets are ESP */
	BENCH_ESP_IN,   /* decryption, and the inner header's checks */
	BENCH_ROUTE,
	BENCH_OUT, /* encryption, or layer 2 alone */
	BENCH_TX,
	BENCH_STAGES
};
extern const char *const bench_stage_names[BENCH_STAGES];

struct measured {
	double cycles; /* core cycles per packet, a whole round; ports and all */
	double stage[BENCH_STAGES];
	double ns;          /* the same in time, at the clock of that moment */
	double bytes;       /* of a clear frame, on average, also where it arrives encrypted */
	struct times burst; /* that a burst takes through the worker */
};

/* 0, or -EIO when packets get lost. */
int measure(struct site *s, double seconds, struct measured *out);
/* One burst through the worker, in TSC ticks. 0, or -EIO when packets get lost. */
int measure_burst(struct site *s, double *ticks);
/* One fixed set of packets, once, for counting instructions. 0 or -EIO. */
int count_once(struct site *s, unsigned bursts);

#endif
