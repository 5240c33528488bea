/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_PAGES_H
#define BOUNDARY_PAGES_H

/*
 * Large tables: zeroed memory straight from the kernel, which backs a page only when it is first
 * touched, on the NUMA node of the lcore that touches it. From 2 MiB on it is aligned to and asks
 * for transparent huge pages, so that a table that workers look up at random costs few TLB entries.
 */

#include <stddef.h>

/* Page-aligned and zeroed; NULL with errno. bytes must not be 0. */
void *pages_alloc(size_t bytes);
/* Has the kernel back all of it now; 2 MiB take up to 45 ms where memory is scattered. A wish. */
void pages_touch(void *p, size_t bytes);
/*
 * The same for a part, without waiting: small pages, which the kernel joins when it has time. Looking for large ones
 * where memory is scattered is what takes so long.
 */
void pages_touch_small(void *p, size_t bytes);
/* From now on no page of it is large, but those that are. */
void pages_small(void *p, size_t bytes);
/* The `bytes` it was allocated with. p may be NULL. */
void pages_free(void *p, size_t bytes);

#endif
