/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_EAL_H
#define TRANSITD_EAL_H

/*
 * EAL, the environment of DPDK: its arguments from the startup file, start and end.
 *
 * Lcore 0 is control, lcore 1 + i is worker i, whichever CPUs they are pinned to. No devices are
 * looked for but those that the file names.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "drivers/homes.h"

#define EAL_WORDS_MAX 160
#define EAL_PCI_MAX   64

/* What the arguments depend on beside the file. */
struct eal_facts {
	bool huge_pages;
	enum log_level log_level;
	bool shares_memory;    /* with a vhost-user peer, which takes few pieces only */
	uint64_t packet_bytes; /* of the pool of packet buffers, in one piece */
	/* On a machine of several NUMA nodes, with huge pages: node by node what is needed at first; 0: nothing. */
	bool by_node;
	uint64_t first_on[NUMA_NODES_MAX];
	const char *prefix; /* of the instance; eal_prefix() */
	unsigned pci_count;
	char pci[EAL_PCI_MAX][32];
};

/* Bytes of the first memory of a node that has packet pools of so many, and shared records besides when workers live there. */
uint64_t eal_first_bytes(uint64_t packet_bytes, bool workers);

/* The words of EAL's command line, in memory of their own. */
struct eal_words {
	unsigned count;
	char *word[EAL_WORDS_MAX + 1];
};

/* 0, or -E2BIG. Release with eal_words_free(). */
int eal_words_make(
    const struct conf_system *system, const struct eal_facts *facts, struct eal_words *out);
void eal_words_free(struct eal_words *words);

/* "transitd" for the default run-dir, else that with a hash: instances do not meet. */
#define EAL_PREFIX_MAX 48
void eal_prefix(const char *run_dir, char out[EAL_PREFIX_MAX]);

/* Bytes of huge pages that are free, by /sys/kernel/mm/hugepages or another directory like it. */
uint64_t eal_huge_free(const char *dir);
/*
 * Huge pages or ordinary memory: by the file, what is free, and the command line. 0 with *huge, or
 * -ENOMEM when the file insists and there are too few. Logs what an operator should know.
 */
int eal_choose_memory(
    const struct conf_system *system, bool no_huge, uint64_t huge_free, bool *huge);

/* Once in the life of a process. 0, or -errno after log lines. */
int eal_start(const struct conf_system *system, const struct eal_facts *facts);
void eal_stop(void);

#endif
