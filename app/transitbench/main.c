/* SPDX-License-Identifier: BSD-3-Clause */

/* Measures the data path in memory: see usage(). */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "transitbench/report.h"

#define RING        4096
#define BUFFERS     16383
#define RESULTS_MAX 2048

struct options {
	bool json, all, list;
	unsigned count; /* bursts; 0: measure */
	double seconds;
	const char *core, *svg;
	char **word;
	int words;
};

static int usage(FILE *f, int status)
{
	fprintf(f,
	    "usage: transitbench [--json] [--svg FILE] [--all] [--seconds S] [--core N] [PROFILE...]\n"
	    "       transitbench --list [PROFILE...]\n"
	    "       transitbench --count BURSTS PROFILE\n"
	    "\n"
	    "Packets per second, core cycles per packet by stage, and how long a burst takes, of the\n"
	    "libraries that transitd runs, on one core, between ports in memory.\n"
	    "\n"
	    "PROFILE is DIRECTION/ALGORITHM/SIZE/TUNNELS/ROUTES or its beginning, `*` for any part:\n"
	    "in/aes128gcm16, '*/*/64'. Directions: out (clear to ESP), in (ESP to clear), relay (ESP\n"
	    "to ESP), plain. Without words: a choice; --all: the whole grid; --list: names alone.\n"
	    "--count runs one fixed set of packets once, for tools that count instructions.\n");
	return status;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
	    {"all", no_argument, NULL, 'a'}, {"list", no_argument, NULL, 'l'},
	    {"count", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 's'},
	    {"core", required_argument, NULL, 'C'}, {"svg", required_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'}, {0}};
	int c;

	*o = (struct options){.seconds = 0.2, .core = "0"};
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
		case 's':
			o->seconds = atof(optarg);
			break;
		case 'C':
			o->core = optarg;
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
	return true;
}

static bool wanted(const struct options *o, const struct profile *p)
{
	for (int i = 0; i < o->words; i++) {
		if (profile_matches(p, o->word[i]))
			return true;
	}
	return o->words == 0 && (o->all || profile_is_default(p));
}

/* Huge pages when there are some and time counts, else ordinary memory. */
static int start_eal(const struct options *o)
{
	const char *huge[] = {"transitbench", "-l", o->core, "--no-pci", "--no-telemetry",
	    "--in-memory", "--log-level=*:error", NULL};
	const char *plain[] = {"transitbench", "-l", o->core, "--no-pci", "--no-telemetry",
	    "--no-huge", "-m", "768", "--log-level=*:error", NULL};
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned free_pages = 0;

	if (f) {
		if (fscanf(f, "%u", &free_pages) != 1)
			free_pages = 0;
		fclose(f);
	}
	if (free_pages >= 256 && !o->count)
		return rte_eal_init(RTE_DIM(huge) - 1, (char **)huge);
	return rte_eal_init(RTE_DIM(plain) - 1, (char **)plain);
}

static int open_ports(struct rte_mempool *pool, struct rte_ring *rings[2 * SITE_PORTS],
    uint16_t dpdk_port[SITE_PORTS])
{
	struct rte_eth_conf conf = {0};

	for (unsigned i = 0; i < SITE_PORTS; i++) {
		struct rte_ring **in = &rings[i], **out = &rings[SITE_PORTS + i];
		char name[16];
		int id;

		snprintf(name, sizeof(name), "in%u", i);
		*in = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(name, sizeof(name), "out%u", i);
		*out = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(name, sizeof(name), "mem%u", i);
		if (!*in || !*out)
			return -ENOMEM;
		id = rte_eth_from_rings(name, in, 1, out, 1, 0);
		if (id < 0 || rte_eth_dev_configure((uint16_t)id, 1, 1, &conf) < 0 ||
		    rte_eth_rx_queue_setup((uint16_t)id, 0, 512, 0, NULL, pool) < 0 ||
		    rte_eth_tx_queue_setup((uint16_t)id, 0, 512, 0, NULL) < 0 ||
		    rte_eth_dev_start((uint16_t)id) < 0)
			return -EIO;
		dpdk_port[i] = (uint16_t)id;
	}
	return 0;
}

struct bench {
	const struct options *o;
	struct rte_mempool *pool;
	struct rte_ring *rings[2 * SITE_PORTS];
	uint16_t dpdk_port[SITE_PORTS];
	struct result *results;
	unsigned n;
};

static int run(struct bench *b, const struct profile *p)
{
	struct result *r = &b->results[b->n];
	char name[PROFILE_NAME_MAX];
	struct site s;
	int rc = site_open(&s, p, b->pool, b->rings, b->dpdk_port);

	r->profile = *p;
	if (rc == 0 && b->o->count)
		rc = count_once(&s, b->o->count);
	else if (rc == 0)
		rc = measure(&s, b->o->seconds, &r->m);
	if (rc)
		fprintf(stderr, "transitbench: %s: %s\n", profile_name(p, name), strerror(-rc));
	site_close(&s);
	if (rc || b->o->count)
		return rc;
	if (!b->o->json)
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
	if (b->o->json)
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
	rc = b.pool && b.results ? open_ports(b.pool, b.rings, b.dpdk_port) : -ENOMEM;
	if (rc)
		fprintf(stderr, "transitbench: no ports: %s\n", strerror(-rc));
	else
		rc = run_all(&b);
	free(b.results);
	rte_eal_cleanup();
	return rc ? 1 : 0;
}
