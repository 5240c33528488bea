/* SPDX-License-Identifier: BSD-3-Clause */

/* Measures the data path in memory: see usage(). */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include "transitbench/report.h"

#define RING        4096
#define RING_LOADED 1024 /* what a queue of a NIC holds */
#define BUFFERS     16383
#define RESULTS_MAX 2048

struct options {
	bool json, all, list, load, churn;
	unsigned count; /* bursts; 0: measure */
	double seconds;
	const char *cores, *svg;
	unsigned other_core; /* of the generator with `load`, of control with `churn` */
	unsigned core[BENCH_WORKERS_MAX]; /* of workers */
	unsigned workers;
	char **word;
	int words;
};

static int usage(FILE *f, int status)
{
	fprintf(f,
	    "usage: transitbench [--json] [--svg FILE] [--all] [--seconds S] [--core N] [PROFILE...]\n"
	    "       transitbench --load CORE [--core N[,N...]] [--json] [--seconds S] [PROFILE...]\n"
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
	    "--churn has control on another core change %u routes and rekey %u tunnel a second, and\n"
	    "tells what packets cost without and with it.\n"
	    "--count runs one fixed set of packets once, for tools that count instructions.\n",
	    CHURN_ROUTES, CHURN_REKEYS);
	return status;
}

/* "1" or, with --load, "1,2,3". */
static bool parse_cores(struct options *o)
{
	const char *at = o->cores;

	for (o->workers = 0; o->workers < BENCH_WORKERS_MAX; at++) {
		char *end;
		unsigned core = (unsigned)strtoul(at, &end, 10);

		if (end == at || ((o->load || o->churn) && core == o->other_core))
			return false;
		o->core[o->workers++] = core;
		at = end;
		if (*at != ',')
			break;
	}
	return *at == '\0' && (o->load || o->workers == 1);
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
	    {"all", no_argument, NULL, 'a'}, {"list", no_argument, NULL, 'l'},
	    {"count", required_argument, NULL, 'c'}, {"load", required_argument, NULL, 'L'},
	    {"churn", required_argument, NULL, 'H'}, {"seconds", required_argument, NULL, 's'},
	    {"core", required_argument, NULL, 'C'}, {"svg", required_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'}, {0}};
	int c;

	*o = (struct options){.seconds = 0.2, .cores = "0"};
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			o->json = true;
			break;
		case 'a':
			o->all = true;
			break;
		case 'l':
			o->list = true;
			break;
		case 'c':
			o->count = (unsigned)atoi(optarg);
			break;
		case 'L':
		case 'H':
			*(c == 'L' ? &o->load : &o->churn) = true;
			o->other_core = (unsigned)atoi(optarg);
			break;
		case 's':
			o->seconds = atof(optarg);
			break;
		case 'C':
			o->cores = optarg;
			break;
		case 'v':
			o->svg = optarg;
			break;
		case 'h':
			exit(usage(stdout, 0));
		default:
			return false;
		}
	}
	o->word = argv + optind;
	o->words = argc - optind;
	return parse_cores(o);
}

static bool wanted(const struct options *o, const struct profile *p)
{
	for (int i = 0; i < o->words; i++) {
		if (profile_matches(p, o->word[i]))
			return true;
	}
	return o->words == 0 && (o->all || profile_is_default(p));
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

	if (o->load)
		at += (size_t)snprintf(text, size, "%u@%u,", id++, o->other_core);
	for (unsigned i = 0; i < o->workers && at < size; i++)
		at += (size_t)snprintf(
		    text + at, size - at, "%s%u@%u", i ? "," : "", id++, o->core[i]);
}

/* Huge pages when there are some and time counts, else ordinary memory. */
static int start_eal(const struct options *o)
{
	const char *argv[16] = {
	    "transitbench", "--no-pci", "--no-telemetry", "--log-level=*:error", "--lcores"};
	char lcores[256];
	unsigned n = 5;

	name_lcores(o, lcores, sizeof(lcores));
	argv[n++] = lcores;
	if (huge_pages() && !o->count) {
		argv[n++] = "--in-memory";
	} else {
		argv[n++] = "--no-huge";
		argv[n++] = "-m768";
	}
	return rte_eal_init((int)n, (char **)argv);
}

struct bench {
	const struct options *o;
	struct rte_mempool *pool;
	struct bench_ports ports;
	struct result *results;
	unsigned n;
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

	if (rc == 0 && b->o->count)
		rc = count_once(&s, b->o->count);
	else if (rc == 0 && b->o->churn)
		rc = churn_measure(&s, b->o->other_core, b->o->seconds, &r->churn);
	else if (rc == 0)
		rc = measure(&s, b->o->seconds, &r->m);
	site_close(&s);
	return rc;
}

static int run(struct bench *b, const struct profile *p)
{
	struct result *r = &b->results[b->n];
	char name[PROFILE_NAME_MAX];
	int rc;

	r->profile = *p;
	rc = b->o->load ? run_loaded(b, p, r) : run_alone(b, p, r);
	if (rc)
		fprintf(stderr, "transitbench: %s: %s\n", profile_name(p, name), strerror(-rc));
	if (rc || b->o->count)
		return rc;
	if (!b->o->json && b->o->load)
		report_load_line(r, b->n == 0);
	else if (!b->o->json && b->o->churn)
		report_churn_line(r, b->n == 0);
	else if (!b->o->json)
		report_line(r, b->n == 0);
	b->n++;
	return 0;
}

static int run_all(struct bench *b)
{
	struct profile p;
	unsigned at = 0;
	int rc = 0;

	while (rc == 0 && b->n < RESULTS_MAX && profile_next(&at, &p)) {
		if (wanted(b->o, &p))
			rc = run(b, &p);
	}
	if (b->o->json && b->o->load)
		report_load_json(b->results, b->n);
	else if (b->o->json && b->o->churn)
		report_churn_json(b->results, b->n);
	else if (b->o->json)
		report_json(b->results, b->n);
	if (rc == 0 && b->o->svg)
		rc = report_svg(b->o->svg, b->results, b->n);
	return rc;
}

static void list(const struct options *o)
{
	char name[PROFILE_NAME_MAX];
	struct profile p;
	unsigned at = 0;

	while (profile_next(&at, &p)) {
		if (o->words == 0 || wanted(o, &p))
			puts(profile_name(&p, name));
	}
}

int main(int argc, char **argv)
{
	struct options o;
	struct bench b = {.o = &o};
	int rc;

	if (!parse(argc, argv, &o))
		return usage(stderr, 2);
	if (o.list) {
		list(&o);
		return 0;
	}
	if (start_eal(&o) < 0) {
		fprintf(stderr, "transitbench: DPDK does not start\n");
		return 1;
	}
	b.results = calloc(RESULTS_MAX, sizeof(*b.results));
	b.pool = rte_pktmbuf_pool_create("bench", BUFFERS, 256, META_BYTES, 2176, SOCKET_ID_ANY);
	b.ports.queues = o.workers;
	b.ports.descriptors = o.load ? RING_LOADED : RING;
	rc = b.pool && b.results ? bench_ports_open(&b.ports, b.pool) : -ENOMEM;
	if (rc)
		fprintf(stderr, "transitbench: no ports: %s\n", strerror(-rc));
	else
		rc = run_all(&b);
	free(b.results);
	rte_eal_cleanup();
	return rc ? 1 : 0;
}
