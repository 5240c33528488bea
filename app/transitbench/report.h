/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_REPORT_H
#define TRANSITBENCH_REPORT_H

/* What was measured, for people, programs and eyes. */

#include <stdio.h>

#include "transitbench/churn.h"
#include "transitbench/load.h"
#include "transitbench/measure.h"

struct result {
	struct profile profile;
	struct measured m;
	struct loaded load; /* these where they were asked for */
	struct churned churn;
};

double result_mpps(const struct result *r);
/* Of clear frames, also where they arrive encrypted, with checksum, preamble and gap as on Ethernet left out. */
double result_gbit(const struct result *r);
double loaded_gbit(const struct loaded *l);

void report_line(const struct result *r, bool heading);
void report_load_line(const struct result *r, bool heading);
void report_churn_line(const struct result *r, bool heading);
/* An array with an object for each, to stdout. */
void report_json(const struct result *r, unsigned n);
void report_load_json(const struct result *r, unsigned n);
void report_churn_json(const struct result *r, unsigned n);
/* A picture of them, as SVG: cycles by stage, or rates without a loss and latency. Closes the file. 0; -1 with errno. */
int picture_draw(FILE *f, const struct result *r, unsigned n, bool loaded);

#endif
