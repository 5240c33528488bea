/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

/* What workers see at one time, to be compared with a later one. */

#include "bench.h"

/* Everything that workers can reach by index: pointers to immutable records. */
struct snapshot {
	size_t count;
	void *record[8192];
};

/* Once nobody reads what is older. */
void snapshot_take(const struct bench *t, struct snapshot *s);
/* How many records are others than they were. */
unsigned snapshot_differences(const struct bench *t, const struct snapshot *before);

#endif
