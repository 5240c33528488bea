/* SPDX-License-Identifier: BSD-3-Clause */
/* Zeroed memory from mmap(2); see pages.h. */

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boundary/pages.h"

#define HUGE_BYTES ((size_t)2 << 20)

static size_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) & ~(page - 1);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void *pages_alloc(size_t bytes)
{
	size_t size = whole_pages(bytes);
	size_t lead;
	char *p;

	if (bytes == 0 || size < bytes || size + HUGE_BYTES < size) {
		errno = bytes ? ENOMEM : EINVAL;
		return NULL;
	}
	if (size < HUGE_BYTES)
		return map(size);
	p = map(size + HUGE_BYTES);
	if (!p)
		return NULL;
	lead = -(uintptr_t)p & (HUGE_BYTES - 1);
	if (lead)
		munmap(p, lead);
	munmap(p + lead + size, HUGE_BYTES - lead);
	madvise(p + lead, size, MADV_HUGEPAGE); /* a wish: kernels without it say EINVAL */
	return p + lead;
}

void pages_touch(void *p, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
	madvise(p, whole_pages(bytes), MADV_POPULATE_WRITE);
#endif
}

void pages_small(void *p, size_t bytes)
{
	madvise(p, whole_pages(bytes), MADV_NOHUGEPAGE);
}

void pages_touch_small(void *p, size_t bytes)
{
	pages_small(p, bytes);
#ifdef MADV_POPULATE_WRITE
	if (madvise(p, whole_pages(bytes), MADV_POPULATE_WRITE) == 0)
		madvise(p, whole_pages(bytes), MADV_HUGEPAGE);
#endif
}

void pages_free(void *p, size_t bytes)
{
	if (p)
		munmap(p, whole_pages(bytes));
}
