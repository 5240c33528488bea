/* SPDX-License-Identifier: BSD-3-Clause */

/* Measures the data path in memory: see usage(). */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include "drivers/buffers.h"
#include "transitbench/options.h"
#include "transitbench/report.h"

#define RING        (BENCH_COUNT_MAX * BURST_MAX)
#define RING_LOADED 1024 /* what a queue of a NIC holds */
#define BUFFERS     16383
#define MTU         1500
#define RESULTS_MAX 2048

static int usage(void)
{
	printf(
	    "usage: transitbench [--json] [--svg FILE] [--all] [--seconds S] [--core N] [PROFILE...]\n"
	    "       transitbench --load CORE [--core N[,N...]] [--json] [--svg FILE] [--seconds S]\n"
	    "                    [PROFILE...]\n"
	    "       transitbench --list [PROFILE...]\n"
	    "       transitbench --churn CORE [--core N] [--json] [--seconds S] [PROFILE...]\n"
	    "       transitbench --count BURSTS PROFILE\n"
	    "\n"
	    "Packets per second, core cycles per packet by stage, and how long a burst takes, of the\n"
	    "libraries that transitd runs, on one core, between ports in memory.\n"
	    "\n"
	    "PROFILE is DIRECTION/ALGORITHM/SIZE/TUNNELS/ROUTES or its beginning, `*` for any part:\n"
	    "in/aes128gcm16, '*/*/64'. Directions: out (clear to ESP), in (ESP to clear), relay (ESP\n"
	    "to ESP), plain. Without words: a choice; --all: the whole grid; --list: names alone.\n"
	    "--load puts a generator on another core: the highest rate without a loss, and how long\n"
	    "packets take at half and at nine tenths of it, with a worker on each core of --core.\n"
	    "Where a rate is bound by the generator, it sends no faster; workers might do more.\n"
	    "--churn has control on another core change %u routes and rekey %u tunnel a second, and\n"
	    "tells what packets cost without and with it.\n"
	    "--count runs one fixed set of packets once, for tools that count instructions.\n",
	    CHURN_ROUTES, CHURN_REKEYS);
	return 0;
}

static bool huge_pages(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned pages = 0;

	if (f) {
		if (fscanf(f, "%u", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return pages >= 256;
}

/* lcores for --lcores: 0 is the generator's, or the only worker's without one. */
static void name_lcores(const struct options *o, char *text, size_t size)
{
	size_t at = 0;
	unsigned id = 0;

	if (o->mode == BENCH_LOAD)
		at += (size_t)snprintf(text, size, "%u@%u,", id++, o->other_core);
	for (unsigned i = 0; i < o->workers && at < size; i++)
		at += (size_t)snprintf(
		    text + at, size - at, "%s%u@%u", i ? "," : "", id++, o->core[i]);
}

/* Huge pages when there are some and time counts, else ordinary memory; no file, so that several may run at once. */
static int start_eal(const struct options *o)
{
	char lcores[256];
	const char *argv[16] = {"transitbench", "--no-pci", "--no-telemetry", "--log-level=*:error",
	    "--lcores", lcores};
	unsigned n = 6;

	name_lcores(o, lcores, sizeof(lcores));
	if (o->mode != BENCH_COUNT && huge_pages()) {
		argv[n++] = "--in-memory";
	} else {
		argv[n++] = "--no-huge";
		argv[n++] = "--no-shconf";
		argv[n++] = "-m768";
	}
	return rte_eal_init((int)n, (char **)argv);
}

struct bench {
	const struct options *o;
	struct rte_mempool *pool;
	struct bench_ports ports;
	struct result *results;
	unsigned n, all; /* measured, and wanted */
};

static int run_loaded(struct bench *b, const struct profile *p, struct result *r)
{
	struct site s;
	int rc = site_open(&s, p, b->pool, &b->ports, true);

	if (rc == 0)
		rc = load_measure(&s, b->o->seconds, &r->load);
	site_close(&s);
	return rc;
}

static int run_alone(struct bench *b, const struct profile *p, struct result *r)
{
	struct site s;
	int rc = site_open(&s, p, b->pool, &b->ports, false);

	if (rc == 0 && b->o->mode == BENCH_COUNT)
		rc = count_once(&s, b->o->count);
	else if (rc == 0 && b->o->mode == BENCH_CHURN)
		rc = churn_measure(&s, b->o->other_core, b->o->seconds, &r->churn);
	else if (rc == 0)
		rc = measure(&s, b->o->seconds, &r->m);
	site_close(&s);
	return rc;
}

static void report_row(const struct bench *b, const struct result *r)
{
	if (b->o->mode == BENCH_LOAD)
		report_load_line(r, b->n == 0);
	else if (b->o->mode == BENCH_CHURN)
		report_churn_line(r, b->n == 0);
	else
		report_line(r, b->n == 0);
}

static void report_all_json(const struct bench *b)
{
	if (b->o->mode == BENCH_LOAD)
		report_load_json(b->results, b->n);
	else if (b->o->mode == BENCH_CHURN)
		report_churn_json(b->results, b->n);
	else
		report_json(b->results, b->n);
}

static int run(struct bench *b, const struct profile *p)
{
	struct result *r = &b->results[b->n];
	char name[PROFILE_NAME_MAX];
	int rc;

	profile_name(p, name);
	if (b->o->json && b->all > 1) /* a table grows as it is measured; JSON comes in the end */
		fprintf(stderr, "%u of %u: %s\n", b->n + 1, b->all, name);
	r->profile = *p;
	rc = b->o->mode == BENCH_LOAD ? run_loaded(b, p, r) : run_alone(b, p, r);
	if (rc)
		fprintf(stderr, "transitbench: %s: %s\n", name,
		    rc == -EIO ? "packets got lost that should not" : strerror(-rc));
	if (rc || b->o->mode == BENCH_COUNT)
		return rc;
	if (!b->o->json)
		report_row(b, r);
	b->n++;
	return 0;
}

static int run_all(struct bench *b)
{
	struct profile p;
	unsigned at = 0;
	int rc = 0;

	while (profile_next(&at, &p))
		b->all += options_want(b->o, &p);
	for (at = 0; rc == 0 && b->n < RESULTS_MAX && profile_next(&at, &p);) {
		if (options_want(b->o, &p))
			rc = run(b, &p);
	}
	if (b->o->json)
		report_all_json(b);
	return rc;
}

static int list(const struct options *o)
{
	char name[PROFILE_NAME_MAX];
	struct profile p;
	unsigned at = 0;

	while (profile_next(&at, &p)) {
		if (options_want(o, &p))
			puts(profile_name(&p, name));
	}
	return 0;
}

static int complain_of_picture(const struct options *o)
{
	fprintf(stderr, "transitbench: --svg %s: %s\n", o->svg, strerror(errno));
	return 1;
}

static int measure_all(const struct options *o, FILE *svg)
{
	struct bench b = {.o = o};
	int rc;

	if (start_eal(o) < 0) {
		fprintf(stderr, "transitbench: DPDK does not start\n");
		return 1;
	}
	b.results = calloc(RESULTS_MAX, sizeof(*b.results));
	b.pool = packet_pool_create("bench", BUFFERS, MTU, false, SOCKET_ID_ANY);
	b.ports.queues = o->workers;
	b.ports.descriptors = o->mode == BENCH_LOAD ? RING_LOADED : RING;
	rc = b.pool && b.results ? bench_ports_open(&b.ports, b.pool) : -ENOMEM;
	if (rc)
		fprintf(stderr, "transitbench: no ports: %s\n", strerror(-rc));
	else
		rc = run_all(&b);
	if (svg && picture_draw(svg, b.results, b.n, o->mode == BENCH_LOAD) < 0)
		rc = -complain_of_picture(o);
	free(b.results);
	rte_eal_cleanup();
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	char why[BENCH_WHY_MAX];
	struct options o;
	FILE *svg = NULL;

	if (!options_parse(argc, argv, &o, why)) {
		fprintf(stderr, "transitbench: %s\n", why);
		return 2;
	}
	if (o.mode == BENCH_HELP)
		return usage();
	if (o.mode == BENCH_LIST)
		return list(&o);
	if (o.svg && !(svg = fopen(o.svg, "w"))) /* known before minutes of work */
		return complain_of_picture(&o);
	return measure_all(&o, svg);
}
