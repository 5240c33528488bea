/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_LOAD_H
#define TRANSITBENCH_LOAD_H

/*
 * A generator on the calling lcore, workers on others: the highest rate without a loss (RFC 2544 section 26.1), and how
 * long packets take at half and at nine tenths of it (26.2).
 */

#include "transitbench/site.h"
#include "transitbench/times.h"

struct loaded {
	double mpps;          /* the highest rate without a loss */
	bool generator_bound; /* above it nothing need be lost: the generator sends no faster */
	double bytes;         /* of a clear frame, on average */
	unsigned workers;
	struct times half, most; /* from the receive queue to the generator */
};

/*
 * Workers run on lcores 1, 2, ..., one for each queue of the site's ports. Its SAs let frames come again. A trial takes so
 * many seconds. 0; -EIO when packets get lost at any rate.
 */
int load_measure(struct site *s, double seconds, struct loaded *out);

#endif
