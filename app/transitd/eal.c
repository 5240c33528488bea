/* SPDX-License-Identifier: BSD-3-Clause */

/* EAL keeps what it is given: its arguments live as long as the process. */

#include "transitd/eal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "transitd/dpdk_log.h"

#define LOG       "eal"
#define FIRST_MIB 128ull
#define OTHER_MIB 40ull /* of rings, SAs and tables beside the packet buffers of a large pool */

/* ---- the words ---- */

static int add(struct eal_words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int add(struct eal_words *w, const char *format, ...)
{
	va_list args;

	if (w->count == EAL_WORDS_MAX)
		return -E2BIG;
	va_start(args, format);
	if (vasprintf(&w->word[w->count], format, args) < 0)
		abort();
	va_end(args);
	w->word[++w->count] = NULL;
	return 0;
}

static int add_cores(struct eal_words *w, const struct conf_system *system)
{
	char map[1024];
	struct text text = text_of(map, sizeof(map));

	text_addf(&text, "0@%u", system->control_core);
	for (unsigned i = 0; i < system->worker_cores_count; i++)
		text_addf(&text, ",%u@%u", i + 1, system->worker_cores[i]);
	if (text.cut)
		return -E2BIG;
	return add(w, "--lcores=%s", map) + add(w, "--main-lcore=0");
}

uint64_t eal_first_bytes(uint64_t packet_bytes, bool workers)
{
	unsigned long long first = (packet_bytes >> 20) + 1 + OTHER_MIB;

	if (!workers) /* packets alone */
		return packet_bytes ? ((packet_bytes >> 20) + 1) << 20 : 0;
	return (first < FIRST_MIB ? FIRST_MIB : first) << 20;
}

/* Where EAL would share the first memory out by lcores, which it takes for CPUs of these numbers. */
static int add_by_node(struct eal_words *w, unsigned long long mib, const struct eal_facts *facts)
{
	char list[256];
	struct text text = text_of(list, sizeof(list));

	for (unsigned node = 0; node < NUMA_NODES_MAX; node++) {
		unsigned long long first = facts->first_on[node] >> 20;

		text_addf(&text, "%s%llu", node ? "," : "", mib < first ? mib : first);
	}
	return add(w, "--socket-mem=%s", list);
}

/*
 * So much at first, which is cleared before the first packet moves; the rest of `memory` when a table needs it. Packet
 * buffers are one piece: where the first memory has no room for them, they get their own and leave it empty.
 */
static int add_growing(struct eal_words *w, unsigned long long mib, const struct eal_facts *facts)
{
	unsigned long long first = eal_first_bytes(facts->packet_bytes, true) >> 20;
	char limits[256];
	struct text text = text_of(limits, sizeof(limits));

	for (unsigned node = 0; node < NUMA_NODES_MAX; node++)
		text_addf(&text, "%s%llu", node ? "," : "", mib);
	return (facts->by_node ? add_by_node(w, mib, facts)
			       : add(w, "-m%llu", mib < first ? mib : first)) +
	    add(w, "--socket-limit=%s", limits);
}

/*
 * In memory, without a file or a mount: nothing is left of a process that was killed. Ordinary pages cost nothing until
 * they are used. Memory that is shared with a virtual machine's host stays as the host learned it.
 */
static int add_memory(
    struct eal_words *w, const struct conf_system *system, const struct eal_facts *facts)
{
	unsigned long long mib = system->memory >> 20;
	int rc = add(w, "--file-prefix=%s", facts->prefix);

	if (facts->huge_pages && !facts->shares_memory)
		rc += add_growing(w, mib, facts);
	else
		rc += add(w, "-m%llu", mib);
	if (facts->huge_pages && facts->shares_memory)
		rc += add(w, "--single-file-segments");
	if (facts->huge_pages)
		rc += add(w, "--in-memory");
	else /* EAL does not let --in-memory stand beside --no-huge */
		rc += add(w, "--no-huge") + add(w, "--no-shconf");
	return rc;
}

static int add_devices(struct eal_words *w, const struct eal_facts *facts)
{
	int rc = facts->pci_count == 0 ? add(w, "--no-pci") : 0;

	for (unsigned i = 0; i < facts->pci_count; i++)
		rc += add(w, "--allow=%s", facts->pci[i]);
	return rc;
}

int eal_words_make(
    const struct conf_system *system, const struct eal_facts *facts, struct eal_words *out)
{
	int rc;

	out->count = 0;
	rc = add(out, "transitd");
	rc += add_cores(out, system);
	rc += add_memory(out, system, facts);
	rc += add_devices(out, facts);
	rc += add(out, "--log-level=*:%s", facts->log_level >= LOG_DEBUG ? "info" : "warning");
	for (unsigned i = 0; i < system->eal_args_count; i++)
		rc += add(out, "%s", system->eal_args[i]);
	if (rc == 0)
		return 0;
	eal_words_free(out);
	return -E2BIG;
}

void eal_words_free(struct eal_words *words)
{
	for (unsigned i = 0; i < words->count; i++)
		free(words->word[i]);
	words->count = 0;
}

void eal_prefix(const char *run_dir, char out[EAL_PREFIX_MAX])
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	if (!strcmp(run_dir, "/run/transitd")) {
		snprintf(out, EAL_PREFIX_MAX, "transitd");
		return;
	}
	for (const char *s = run_dir; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 0x100000001b3;
	snprintf(out, EAL_PREFIX_MAX, "transitd-%016llx", (unsigned long long)hash);
}

/* ---- start, end ---- */

static char *runtime_dir;

/* The directory of telemetry's socket, which DPDK empties at exit and leaves behind. */
static void remove_runtime_dir(void)
{
	if (runtime_dir)
		rmdir(runtime_dir);
}

int eal_start(const struct conf_system *system, const struct eal_facts *facts)
{
	static struct eal_words words;
	static char *argv[EAL_WORDS_MAX + 1];
	char line[2048];
	struct text text = text_of(line, sizeof(line));
	int rc = eal_words_make(system, facts, &words);

	if (rc < 0) {
		log_write(LOG_ERROR, LOG, NULL, "too many arguments or devices");
		return rc;
	}
	for (unsigned i = 0; i < words.count; i++)
		text_addf(&text, "%s%s", i ? " " : "", words.word[i]);
	log_write(LOG_DEBUG, LOG, NULL, "%s", line);
	memcpy(argv, words.word, sizeof(argv)); /* EAL reorders its array */
	dpdk_log_start();
	atexit(remove_runtime_dir); /* runs after the handlers that DPDK adds now */
	if (rte_eal_init((int)words.count, argv) < 0) {
		rc = rte_errno ? -rte_errno : -EINVAL;
		log_write(LOG_ERROR, LOG, NULL,
		    "DPDK does not start: %s; its own words follow, and its arguments were: %s",
		    strerror(-rc), line);
		return rc;
	}
	runtime_dir = xstrdup(rte_eal_get_runtime_dir());
	return 0;
}

void eal_stop(void)
{
	rte_eal_cleanup();
}
