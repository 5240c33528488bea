/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_CHURN_H
#define TRANSITBENCH_CHURN_H

/* What control does beside a worker at its limit: routes that change, and rekeys. */

#include "transitbench/site.h"

#define CHURN_ROUTES 10000 /* changes a second */
#define CHURN_REKEYS 1     /* a second */

struct churned {
	double quiet, busy;      /* core cycles per packet, on average, without and with it */
	uint64_t routes, rekeys; /* how many there were */
};

/* Control runs on that core. 0 or -errno. */
int churn_measure(struct site *s, unsigned core, double seconds, struct churned *out);

#endif
