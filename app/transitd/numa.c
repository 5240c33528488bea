/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Workers by the CPUs of the startup file: DPDK's own table of lcores and nodes takes the number of an lcore for that
 * of a CPU.
 */

#include "transitd/numa.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "base/log.h"
#include "transitd/eal.h"

#define LOG "numa"

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool read = f && fgets(line, (int)size, f);

	if (f)
		fclose(f);
	if (read)
		line[strcspn(line, "\n")] = '\0';
	return read;
}

/* "0-1,3" as bits; what is beyond the nodes that we know is left out. */
static uint32_t mask_of_list(const char *list)
{
	unsigned first, last;
	uint32_t mask = 0;
	int used;

	for (const char *s = list; sscanf(s, "%u%n", &first, &used) == 1;) {
		s += used;
		last = first;
		if (sscanf(s, "-%u%n", &last, &used) == 1)
			s += used;
		for (unsigned n = first; n <= last && n < NUMA_NODES_MAX; n++)
			mask |= UINT32_C(1) << n;
		if (*s == ',')
			s++;
	}
	return mask;
}

/* The folder of a CPU has a link with the name of its node. */
static int node_of_cpu(const char *sys, uint32_t cpu)
{
	char path[256];
	int node = -1;
	DIR *d;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%u", sys, cpu);
	d = opendir(path);
	if (!d)
		return -1;
	for (struct dirent *e = readdir(d); e && node < 0; e = readdir(d)) {
		if (sscanf(e->d_name, "node%d", &node) != 1)
			node = -1;
	}
	closedir(d);
	return node;
}

void numa_look(struct numa *out, const char *sys, const struct conf_system *system)
{
	char path[256], line[256];

	memset(out, 0, sizeof(*out));
	out->workers = system->worker_cores_count;
	snprintf(path, sizeof(path), "%s/devices/system/node/has_memory", sys);
	if (read_line(path, line, sizeof(line)))
		out->memory = mask_of_list(line);
	out->several = __builtin_popcount(out->memory) > 1;
	for (unsigned w = 0; w < out->workers; w++)
		out->worker_node[w] = out->several ? node_of_cpu(sys, system->worker_cores[w]) : -1;
	for (int n = 0; n < NUMA_NODES_MAX && out->several; n++) {
		snprintf(path, sizeof(path), "%s/devices/system/node/node%d/hugepages", sys, n);
		out->huge_free[n] = eal_huge_free(path);
	}
}

uint32_t numa_usable(const struct numa *numa, uint64_t bytes)
{
	uint32_t usable = 0;

	for (int n = 0; n < NUMA_NODES_MAX && numa->several; n++) {
		if ((numa->memory >> n & 1) && numa->huge_free[n] >= bytes)
			usable |= UINT32_C(1) << n;
	}
	return usable;
}

void numa_settle(const struct numa *numa)
{
	unsigned long mask = 0;

	for (unsigned w = 0; w < numa->workers; w++) {
		if (numa->worker_node[w] >= 0 && (numa->memory >> numa->worker_node[w] & 1))
			mask |= 1ul << numa->worker_node[w];
	}
	if (!mask)
		return;
	int policy = __builtin_popcountl(mask) > 1 ? MPOL_INTERLEAVE : MPOL_PREFERRED;
	if (syscall(SYS_set_mempolicy, policy, &mask, 8 * sizeof(mask) + 1) < 0)
		log_write(LOG_WARNING, LOG, NULL,
		    "tables cannot be put near the workers: %s; lookups take longer",
		    strerror(errno));
}

void numa_cpus(const char *sys, int node, struct text *out)
{
	char path[256], line[256];

	snprintf(path, sizeof(path), "%s/devices/system/node/node%d/cpulist", sys, node);
	text_add(out, read_line(path, line, sizeof(line)) && line[0] ? line : "?");
}
