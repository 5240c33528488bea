/* SPDX-License-Identifier: BSD-3-Clause */
/* Where memory of workers lies; see near.h. The kernel is asked directly: it is two calls of libnuma's. */

#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include <rte_malloc.h>

#include "boundary/epoch.h"
#include "boundary/near.h"

#define MASK_BITS (8 * sizeof(unsigned long))

static struct {
	unsigned workers;
	int node[WORKERS_MAX];
	bool changed; /* the policy of this thread, by near_begin() */
	int policy;   /* it had before */
	unsigned long mask;
} near;

void near_learn(const int node[], unsigned workers)
{
	near.workers = workers < WORKERS_MAX ? workers : WORKERS_MAX;
	for (unsigned w = 0; w < near.workers; w++)
		near.node[w] = node[w];
}

int near_node(unsigned worker)
{
	return worker < near.workers ? near.node[worker] : -1;
}

static bool mask_of(unsigned worker, unsigned long *mask)
{
	int node = near_node(worker);

	*mask = node >= 0 && node < (int)MASK_BITS ? 1ul << node : 0;
	return *mask != 0;
}

void *near_zmalloc(unsigned worker, size_t bytes)
{
	int node = near_node(worker);
	void *p = node >= 0 ? rte_zmalloc_socket("near", bytes, RTE_CACHE_LINE_SIZE, node) : NULL;

	return p ? p : rte_zmalloc("near", bytes, RTE_CACHE_LINE_SIZE);
}

/* A wish: a kernel that refuses it leaves things as they were. */
void near_pages(unsigned worker, void *pages, size_t bytes)
{
	unsigned long mask;

	if (mask_of(worker, &mask))
		syscall(SYS_mbind, pages, bytes, MPOL_PREFERRED, &mask, MASK_BITS + 1, 0);
}

void near_begin(unsigned worker)
{
	unsigned long mask;

	if (near.changed || !mask_of(worker, &mask) ||
	    syscall(SYS_get_mempolicy, &near.policy, &near.mask, MASK_BITS + 1, NULL, 0) != 0)
		return;
	near.changed = syscall(SYS_set_mempolicy, MPOL_PREFERRED, &mask, MASK_BITS + 1) == 0;
}

void near_anywhere(void)
{
	if (near.changed)
		syscall(SYS_set_mempolicy, near.policy, near.mask ? &near.mask : NULL,
		    near.mask ? MASK_BITS + 1 : 0);
	near.changed = false;
}
