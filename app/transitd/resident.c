/* SPDX-License-Identifier: BSD-3-Clause */

/* Only what comes from files: mlockall() would also fill the address space that EAL reserves. */

#include "transitd/resident.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

#define LOG "transitd"

#ifndef MADV_POPULATE_READ
#	define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

struct kept {
	uintptr_t page;
	size_t bytes;
	int error; /* the first, as errno */
};

static void keep(struct kept *kept, uintptr_t first, size_t bytes)
{
	uintptr_t begin = first & ~(kept->page - 1);
	size_t len = first + bytes - begin;

	/* An older kernel does not know the first one, and with a sanitizer the second one does nothing. */
	madvise((void *)begin, len, MADV_POPULATE_READ);
	if (mlock((void *)begin, len) < 0 && kept->error == 0)
		kept->error = errno;
	kept->bytes += len;
}

static int keep_object(struct dl_phdr_info *object, size_t size, void *ctx)
{
	for (unsigned i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && segment->p_filesz > 0)
			keep(ctx, object->dlpi_addr + segment->p_vaddr, segment->p_filesz);
	}
	return 0;
}

void resident_code(void)
{
	struct kept kept = {.page = (uintptr_t)sysconf(_SC_PAGESIZE)};

	dl_iterate_phdr(keep_object, &kept);
	log_write(
	    LOG_DEBUG, LOG, NULL, "%zu KiB of code and constants in memory", kept.bytes / 1024);
	if (kept.error)
		log_write(LOG_WARNING, LOG, NULL,
		    "code may be read from disk again, while packets wait: %s; raise the limit of locked memory (ulimit -l)",
		    strerror(kept.error));
}
