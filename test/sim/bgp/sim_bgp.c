/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * sim_bgp [--seed N | --from N] [--count N] [-v]
 *
 * Plays seeds and stops at the first that breaks an invariant, with the command that replays it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "sim.h"

#define REST_S 600 /* from the last fault to the last route, and sessions that back off */

static struct sim *playing;

void sim_fail(struct sim *s, const char *format, ...)
{
	va_list args;

	if (s->failure[0])
		return;
	va_start(args, format);
	vsnprintf(s->failure, sizeof(s->failure), format, args);
	va_end(args);
}

void sim_log(struct sim *s, const char *format, ...)
{
	va_list args;

	if (!s->verbose)
		return;
	printf("%12.6f ", (double)s->now.ns / 1e9 - 1000);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void silent(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static void log_line(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
	sim_log(playing, "  %s: %s", object ? object : "-", line);
}

static void describe(const struct sim *s)
{
	printf("seed %llu: %u routers%s, %u prefixes, %llu events\n", (unsigned long long)s->seed,
	    s->routers, s->internal ? ", two in one AS" : "", s->prefixes,
	    (unsigned long long)s->handled);
}

static void finish(struct sim *s)
{
	for (unsigned i = 0; i < s->routers && !s->failure[0]; i++)
		sim_router_down(&s->router[i], true);
	for (unsigned i = 0; i < s->routers; i++)
		sim_router_down(&s->router[i], false);
	sim_wire_free(s);
	sim_clock_free(s);
}

static bool play(uint64_t seed, bool verbose)
{
	struct sim *s = xcalloc(1, sizeof(*s));
	bool passed;

	playing = s;
	s->seed = seed;
	s->verbose = verbose;
	sim_setup(s);
	sim_run_until(s, s->actions_end);
	sim_heal(s);
	sim_run_until(s, mono_add(s->now, DUR_S(REST_S)));
	if (!s->failure[0])
		sim_check(s);
	if (!s->failure[0])
		sim_restart(s);
	if (!s->failure[0])
		sim_check(s);
	if (!s->failure[0])
		finish(s);
	passed = !s->failure[0];
	if (!passed || verbose)
		describe(s);
	if (!passed) {
		printf("seed %llu: %s\nreplay: sim_bgp --seed %llu -v\n", (unsigned long long)seed,
		    s->failure, (unsigned long long)seed);
		finish(s);
	}
	free(s);
	return passed;
}

int main(int argc, char **argv)
{
	uint64_t from = 1, count = getenv("TRANSITD_TEST_FULL") ? 20000 : 1000;
	bool verbose = false;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "-v")) {
			verbose = true;
		} else if (!strcmp(argv[i], "--seed")) {
			from = strtoull(value, NULL, 10);
			count = 1;
			i++;
		} else if (!strcmp(argv[i], "--from")) {
			from = strtoull(value, NULL, 10);
			i++;
		} else if (!strcmp(argv[i], "--count")) {
			count = strtoull(value, NULL, 10);
			i++;
		} else {
			fprintf(stderr, "sim_bgp [--seed N | --from N] [--count N] [-v]\n");
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_sink(verbose ? log_line : silent, NULL);
	log_set_level(verbose ? LOG_DEBUG : LOG_ERROR);
	for (uint64_t seed = from; seed < from + count; seed++)
		if (!play(seed, verbose))
			return 1;
	printf("%llu seeds passed\n", (unsigned long long)count);
	return 0;
}
