/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Small allocations of the control side. They never return NULL: a router that cannot get a few
 * bytes has no state worth saving, so the process says what it wanted, aborts, and is started anew.
 * Whatever a peer can make large is bounded before it comes here. Workers do not allocate. Release
 * with free().
 */

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
/* Zeroed; also aborts when count * size overflows. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));

#endif
