/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * sim_ike [--v1] [--seed N | --from N] [--count N [--full N]] [--all] [-v]
 *
 * Plays seeds and stops at the first that breaks an invariant (--all: goes on), with the command that replays it.
 * --full: how many in a full run.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "sim.h"

static void silent(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static void log_line(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	printf("%12s %s: %s\n", "", object ? object : "-", line);
}

static bool play(uint64_t seed, bool v1, bool verbose)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	bool passed;

	s->seed = seed;
	s->verbose = verbose;
	s->v1 = v1;
	sim_setup(s);
	passed = sim_play(s);
	if (!passed || verbose)
		sim_describe(s);
	if (!passed)
		printf("seed %llu: %s\nreplay: sim_ike %s--seed %llu -v\n",
		    (unsigned long long)seed, s->failure, v1 ? "--v1 " : "",
		    (unsigned long long)seed);
	free(s);
	return passed;
}

int main(int argc, char **argv)
{
	uint64_t from = 1, count = getenv("TRANSITD_TEST_FULL") ? 20000 : 1000;
	bool verbose = false, v1 = false, all = false;
	unsigned failed = 0;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "-v")) {
			verbose = true;
		} else if (!strcmp(argv[i], "--all")) {
			all = true;
		} else if (!strcmp(argv[i], "--v1")) {
			v1 = true;
		} else if (!strcmp(argv[i], "--seed")) {
			from = strtoull(value, NULL, 10);
			count = 1;
			i++;
		} else if (!strcmp(argv[i], "--from")) {
			from = strtoull(value, NULL, 10);
			i++;
		} else if (!strcmp(argv[i], "--count") ||
		    (!strcmp(argv[i], "--full") && getenv("TRANSITD_TEST_FULL"))) {
			count = strtoull(value, NULL, 10);
			i++;
		} else if (!strcmp(argv[i], "--full")) {
			i++;
		} else {
			fprintf(stderr,
			    "sim_ike [--v1] [--seed N | --from N] [--count N [--full N]] [--all] [-v]\n");
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_sink(verbose ? log_line : silent, NULL);
	log_set_level(verbose ? LOG_DEBUG : LOG_NOTICE);
	for (uint64_t seed = from; seed < from + count; seed++)
		if (!play(seed, v1, verbose) && (failed++, !all))
			return 1;
	if (failed > 0) {
		printf("%u of %llu seeds failed\n", failed, (unsigned long long)count);
		return 1;
	}
	printf("%llu seeds passed\n", (unsigned long long)count);
	return 0;
}
