/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_OPTIONS_H
#define TRANSITBENCH_OPTIONS_H

/* The command line. */

#include <stdbool.h>
#include <stddef.h>

#include "transitbench/ports.h"
#include "transitbench/profile.h"

enum bench_mode {
	BENCH_MEASURE,
	BENCH_LOAD,
	BENCH_CHURN,
	BENCH_COUNT,
	BENCH_LIST,
	BENCH_HELP,
};

struct options {
	enum bench_mode mode;
	bool json, all;
	unsigned count; /* bursts */
	double seconds;
	const char *svg;     /* NULL: none */
	unsigned other_core; /* of the generator with `load`, of control with `churn` */
	unsigned core[BENCH_WORKERS_MAX]; /* of workers */
	unsigned workers;
	char **word;
	int words;
};

#define BENCH_WHY_MAX   512
#define BENCH_COUNT_MAX 64 /* bursts: what a receive queue holds */

/* True; or false and why, with what would be right. Words stay in argv. */
bool options_parse(int argc, char **argv, struct options *o, char why[BENCH_WHY_MAX]);
/* Is that one of the profiles that were asked for? */
bool options_want(const struct options *o, const struct profile *p);

#endif
