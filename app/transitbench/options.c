/* SPDX-License-Identifier: BSD-3-Clause */

/* What the command line says, and what is wrong with it. */

#include "transitbench/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 3600.0

static bool __attribute__((format(printf, 2, 3))) wrong(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, BENCH_WHY_MAX, format, args);
	va_end(args);
	return false;
}

/* Digits alone, up to `end`. */
static bool number(const char *text, const char **end, unsigned long most, unsigned *out)
{
	unsigned long value;
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &stop, 10);
	*end = stop;
	*out = (unsigned)value;
	return errno == 0 && value <= most;
}

/* CPUs of this process, as "0, 1, 5". */
static void list_cpus(char *text, size_t size)
{
	cpu_set_t cpus;
	size_t at = 0;

	*text = '\0';
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (int cpu = 0; cpu < CPU_SETSIZE && at < size; cpu++) {
		if (CPU_ISSET(cpu, &cpus))
			at += (size_t)snprintf(text + at, size - at, "%s%d", at ? ", " : "", cpu);
	}
}

static bool core(const char *option, const char *text, const char **end, unsigned *out, char *why)
{
	char have[128];
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (number(text, end, CPU_SETSIZE - 1, out) && CPU_ISSET(*out, &cpus))
		return true;
	list_cpus(have, sizeof(have));
	return wrong(why, "%s %s: no such core; this process may run on %s", option, text, have);
}

/* "1" or, with --load, "1,2,3". */
static bool worker_cores(struct options *o, const char *text, char *why)
{
	const char *at = text;

	for (o->workers = 0;; at++) {
		if (o->workers == BENCH_WORKERS_MAX)
			return wrong(why, "--core %s: at most %u workers", text, BENCH_WORKERS_MAX);
		if (!core("--core", at, &at, &o->core[o->workers++], why))
			return false;
		if (*at != ',')
			break;
	}
	return *at == '\0' || wrong(why, "--core %s: core numbers with commas, such as 0,2", text);
}

static bool other_core(struct options *o, const char *option, const char *text, char *why)
{
	const char *end;

	if (!core(option, text, &end, &o->other_core, why))
		return false;
	return *end == '\0' || wrong(why, "%s %s: one core", option, text);
}

static bool seconds(struct options *o, const char *text, char *why)
{
	char *end;

	o->seconds = strtod(text, &end);
	if (end != text && *end == '\0' && isfinite(o->seconds) && o->seconds > 0 &&
	    o->seconds <= SECONDS_MAX)
		return true;
	return wrong(
	    why, "--seconds %s: a number above 0 and up to %.0f, such as 0.2", text, SECONDS_MAX);
}

static bool bursts(struct options *o, const char *text, char *why)
{
	const char *end;

	if (number(text, &end, BENCH_COUNT_MAX, &o->count) && *end == '\0' && o->count > 0)
		return true;
	return wrong(why, "--count %s: a number of bursts from 1 to %u", text, BENCH_COUNT_MAX);
}

static bool set_mode(struct options *o, enum bench_mode mode, char *why)
{
	if (o->mode != BENCH_MEASURE && o->mode != mode)
		return wrong(why, "one of --load, --churn, --count and --list at a time");
	o->mode = mode;
	return true;
}

static bool option(struct options *o, int c, const char *text, char *why)
{
	switch (c) {
	case 'j':
		return o->json = true;
	case 'a':
		return o->all = true;
	case 'l':
		return set_mode(o, BENCH_LIST, why);
	case 'c':
		return set_mode(o, BENCH_COUNT, why) && bursts(o, text, why);
	case 'L':
		return set_mode(o, BENCH_LOAD, why) && other_core(o, "--load", text, why);
	case 'H':
		return set_mode(o, BENCH_CHURN, why) && other_core(o, "--churn", text, why);
	case 's':
		return seconds(o, text, why);
	case 'C':
		return worker_cores(o, text, why);
	case 'v':
		o->svg = text;
		return true;
	default:
		return wrong(why, "what there is: transitbench --help"); /* getopt has said what */
	}
}

/* What options mean together. */
static bool fits(const struct options *o, char *why)
{
	bool beside = o->mode == BENCH_LOAD || o->mode == BENCH_CHURN;

	if (o->workers > 1 && o->mode != BENCH_LOAD)
		return wrong(why, "--core: several workers need --load");
	for (unsigned i = 0; i < o->workers && beside; i++) {
		if (o->core[i] == o->other_core)
			return wrong(why,
			    "--core %u: that core is the one of --load or --churn; a worker needs another",
			    o->core[i]);
	}
	if (o->svg && o->mode != BENCH_MEASURE && o->mode != BENCH_LOAD)
		return wrong(why, "--svg: draws what is measured without other options, or --load");
	if (o->mode == BENCH_COUNT && o->words == 0)
		return wrong(why, "--count: which PROFILE?");
	for (int i = 0; i < o->words; i++) {
		if (!profile_check(o->word[i], why, BENCH_WHY_MAX))
			return false;
	}
	return true;
}

bool options_parse(int argc, char **argv, struct options *o, char why[BENCH_WHY_MAX])
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
	    {"all", no_argument, NULL, 'a'}, {"list", no_argument, NULL, 'l'},
	    {"count", required_argument, NULL, 'c'}, {"load", required_argument, NULL, 'L'},
	    {"churn", required_argument, NULL, 'H'}, {"seconds", required_argument, NULL, 's'},
	    {"core", required_argument, NULL, 'C'}, {"svg", required_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'}, {0}};
	int c;

	*o = (struct options){.seconds = 0.2, .workers = 1};
	optind = 0; /* from the start, whatever was parsed before */
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h') {
			o->mode = BENCH_HELP;
			return true;
		}
		if (!option(o, c, optarg, why))
			return false;
	}
	o->word = argv + optind;
	o->words = argc - optind;
	return fits(o, why);
}

bool options_want(const struct options *o, const struct profile *p)
{
	for (int i = 0; i < o->words; i++) {
		if (profile_matches(p, o->word[i]))
			return true;
	}
	return o->words == 0 && (o->all || o->mode == BENCH_LIST || profile_is_default(p));
}
