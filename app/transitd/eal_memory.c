/* SPDX-License-Identifier: BSD-3-Clause */

/* Huge pages: how much is free, and whether to use them. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "transitd/eal.h"

#define LOG "memory"
#define MIB (1024ull * 1024)

static uint64_t read_number(const char *dir, const char *size, const char *file)
{
	unsigned long long n = 0;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, size, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

uint64_t eal_huge_free(const char *dir)
{
	uint64_t bytes = 0;
	DIR *d = opendir(dir);

	if (!d)
		return 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		unsigned long long kib, free_pages, promised;

		if (sscanf(e->d_name, "hugepages-%llukB", &kib) != 1)
			continue;
		free_pages = read_number(dir, e->d_name, "free_hugepages");
		promised = read_number(dir, e->d_name, "resv_hugepages");
		if (free_pages > promised)
			bytes += (free_pages - promised) * kib * 1024;
	}
	closedir(d);
	return bytes;
}

int eal_choose_memory(
    const struct conf_system *system, bool no_huge, uint64_t huge_free, bool *huge)
{
	unsigned long long want = system->memory / MIB, have = huge_free / MIB;

	*huge = false;
	if (no_huge || system->huge_pages == CONF_HUGE_NO) {
		log_write(LOG_NOTICE, LOG, NULL, "%llu MiB of ordinary memory, as asked for", want);
		return 0;
	}
	if (huge_free >= system->memory) {
		*huge = true;
		return 0;
	}
	if (system->huge_pages == CONF_HUGE_REQUIRED) {
		log_write(LOG_ERROR, LOG, NULL,
		    "system.huge-pages is required, but of %llu MiB only %llu are free; `sysctl "
		    "vm.nr_hugepages=N` makes room, or lower system.memory",
		    want, have);
		return -ENOMEM;
	}
	log_write(LOG_WARNING, LOG, NULL,
	    "RUNNING WITHOUT HUGE PAGES: %llu MiB are needed and %llu free. Everything works, but "
	    "slower, and no hardware ports. `sysctl vm.nr_hugepages=%llu` before the start helps",
	    want, have, (want + 1) / 2 + 8);
	return 0;
}
