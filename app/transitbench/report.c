/* SPDX-License-Identifier: BSD-3-Clause */

/* Table and JSON of results. */

#include "transitbench/report.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

double result_mpps(const struct result *r)
{
	return 1e3 / r->m.ns;
}

double result_gbit(const struct result *r)
{
	return r->m.bytes * 8 / r->m.ns;
}

double loaded_gbit(const struct loaded *l)
{
	return l->mpps * l->bytes * 8 / 1e3;
}

void report_line(const struct result *r, bool heading)
{
	char name[PROFILE_NAME_MAX];

	if (heading) {
		printf("%-34s %7s %7s %7s ", "profile", "Mpps", "Gbit/s", "cycles");
		for (unsigned i = 0; i < BENCH_STAGES; i++)
			printf(" %8s", bench_stage_names[i]);
		printf("   burst us: p50 p99 p99.9\n");
	}
	printf("%-34s %7.2f %7.2f %7.1f ", profile_name(&r->profile, name), result_mpps(r),
	    result_gbit(r), r->m.cycles);
	for (unsigned i = 0; i < BENCH_STAGES; i++)
		printf(" %8.1f", r->m.stage[i]);
	printf("   %.1f %.1f %.1f\n", r->m.burst.p50, r->m.burst.p99, r->m.burst.p999);
	fflush(stdout);
}

static const char *bound_by(const struct loaded *l)
{
	return l->generator_bound ? "generator" : "worker";
}

void report_load_line(const struct result *r, bool heading)
{
	const struct times *half = &r->load.half, *most = &r->load.most;
	char name[PROFILE_NAME_MAX];

	if (heading)
		printf("%-34s %7s %7s %-9s  %25s  %25s\n", "profile", "Mpps", "Gbit/s", "bound by",
		    "us at 50 %: p50 p99 p99.9", "us at 90 %: p50 p99 p99.9");
	printf("%-34s %7.2f %7.2f %-9s  %8.1f %7.1f %8.1f  %8.1f %7.1f %8.1f\n",
	    profile_name(&r->profile, name), r->load.mpps, loaded_gbit(&r->load),
	    bound_by(&r->load), half->p50, half->p99, half->p999, most->p50, most->p99, most->p999);
	fflush(stdout);
}

/* Takes it over. */
static void print_json(json_t *all)
{
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(all);
}

static json_t *times_json(const struct times *t)
{
	return json_pack("{s:f, s:f, s:f}", "p50", t->p50, "p99", t->p99, "p999", t->p999);
}

void report_load_json(const struct result *r, unsigned n)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		const struct loaded *l = &r[i].load;
		char name[PROFILE_NAME_MAX];

		json_array_append_new(all,
		    json_pack("{s:s, s:i, s:f, s:f, s:s, s:o, s:o}", "profile",
			profile_name(&r[i].profile, name), "workers", (int)l->workers,
			"mpps-without-loss", l->mpps, "gbit-per-s-without-loss", loaded_gbit(l),
			"bound-by", bound_by(l), "latency-us-at-50", times_json(&l->half),
			"latency-us-at-90", times_json(&l->most)));
	}
	print_json(all);
}

static double cost_percent(const struct churned *c)
{
	return (c->busy / c->quiet - 1) * 100;
}

void report_churn_line(const struct result *r, bool heading)
{
	const struct churned *c = &r->churn;
	char name[PROFILE_NAME_MAX];

	if (heading)
		printf("%-34s %9s %9s %8s %8s %7s\n", "profile", "cycles", "churning", "cost",
		    "routes", "rekeys");
	printf("%-34s %9.1f %9.1f %7.1f%% %8" PRIu64 " %7" PRIu64 "\n",
	    profile_name(&r->profile, name), c->quiet, c->busy, cost_percent(c), c->routes,
	    c->rekeys);
	fflush(stdout);
}

void report_churn_json(const struct result *r, unsigned n)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		const struct churned *c = &r[i].churn;
		char name[PROFILE_NAME_MAX];

		json_array_append_new(all,
		    json_pack("{s:s, s:f, s:f, s:f, s:I, s:I}", "profile",
			profile_name(&r[i].profile, name), "cycles-per-packet", c->quiet,
			"cycles-per-packet-churning", c->busy, "cost-percent", cost_percent(c),
			"routes-changed", (json_int_t)c->routes, "rekeys", (json_int_t)c->rekeys));
	}
	print_json(all);
}

void report_json(const struct result *r, unsigned n)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		char name[PROFILE_NAME_MAX];
		json_t *stages = json_object(), *row;

		for (unsigned s = 0; s < BENCH_STAGES; s++)
			json_object_set_new(
			    stages, bench_stage_names[s], json_real(r[i].m.stage[s]));
		row = json_pack("{s:s, s:f, s:f, s:f, s:o, s:f, s:f, s:f}", "profile",
		    profile_name(&r[i].profile, name), "mpps", result_mpps(&r[i]), "gbit-per-s",
		    result_gbit(&r[i]), "cycles-per-packet", r[i].m.cycles, "stages", stages,
		    "burst-us-p50", r[i].m.burst.p50, "burst-us-p99", r[i].m.burst.p99,
		    "burst-us-p999", r[i].m.burst.p999);
		json_array_append_new(all, row);
	}
	print_json(all);
}
