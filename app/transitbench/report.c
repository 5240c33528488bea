/* SPDX-License-Identifier: BSD-3-Clause */

/* Table, JSON and picture of results. */

#include "transitbench/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

double result_mpps(const struct result *r)
{
	return 1e3 / r->m.ns;
}

double result_gbit(const struct result *r)
{
	return r->m.bytes * 8 / r->m.ns;
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
	printf("   %.1f %.1f %.1f\n", r->m.p50, r->m.p99, r->m.p999);
	fflush(stdout);
}

void report_load_line(const struct result *r, bool heading)
{
	const struct latency *half = &r->load.half, *most = &r->load.most;
	char name[PROFILE_NAME_MAX];

	if (heading)
		printf("%-34s %9s  %25s  %25s\n", "profile", "Mpps", "us at 50 %: p50 p99 p99.9",
		    "us at 90 %: p50 p99 p99.9");
	printf("%-34s %9.2f  %8.1f %7.1f %8.1f  %8.1f %7.1f %8.1f\n",
	    profile_name(&r->profile, name), r->load.mpps, half->p50, half->p99, half->p999,
	    most->p50, most->p99, most->p999);
	fflush(stdout);
}

/* Takes it over. */
static void print_json(json_t *all)
{
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(all);
}

static json_t *latency_json(const struct latency *l)
{
	return json_pack("{s:f, s:f, s:f}", "p50", l->p50, "p99", l->p99, "p999", l->p999);
}

void report_load_json(const struct result *r, unsigned n)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		char name[PROFILE_NAME_MAX];

		json_array_append_new(all,
		    json_pack("{s:s, s:f, s:o, s:o}", "profile", profile_name(&r[i].profile, name),
			"mpps-without-loss", r[i].load.mpps, "latency-us-at-50",
			latency_json(&r[i].load.half), "latency-us-at-90",
			latency_json(&r[i].load.most)));
	}
	print_json(all);
}

void report_churn_line(const struct result *r, bool heading)
{
	const struct churned *c = &r->churn;
	char name[PROFILE_NAME_MAX];

	if (heading)
		printf("%-34s %9s %9s %8s %8s %7s\n", "profile", "cycles", "churning", "cost",
		    "routes", "rekeys");
	printf("%-34s %9.1f %9.1f %7.1f%% %8" PRIu64 " %7" PRIu64 "\n",
	    profile_name(&r->profile, name), c->quiet, c->busy, (c->busy / c->quiet - 1) * 100,
	    c->routes, c->rekeys);
	fflush(stdout);
}

void report_churn_json(const struct result *r, unsigned n)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		const struct churned *c = &r[i].churn;
		char name[PROFILE_NAME_MAX];

		json_array_append_new(all,
		    json_pack("{s:s, s:f, s:f, s:I, s:I}", "profile",
			profile_name(&r[i].profile, name), "cycles-per-packet", c->quiet,
			"cycles-per-packet-churning", c->busy, "routes-changed",
			(json_int_t)c->routes, "rekeys", (json_int_t)c->rekeys));
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
		    "burst-us-p50", r[i].m.p50, "burst-us-p99", r[i].m.p99, "burst-us-p999",
		    r[i].m.p999);
		json_array_append_new(all, row);
	}
	print_json(all);
}

/* Picture */

#define ROW   26
#define LEFT  300
#define WIDTH 700
#define HEAD  60

static const char *const colours[BENCH_STAGES] = {
    "#9aa5b1", "#5b8def", "#d9534f", "#43a47a", "#e8a33d", "#7e6bc4"};

static void legend(FILE *f)
{
	for (unsigned s = 0; s < BENCH_STAGES; s++)
		fprintf(f,
		    "<rect x=\"%u\" y=\"34\" width=\"12\" height=\"12\" fill=\"%s\"/>"
		    "<text x=\"%u\" y=\"45\">%s</text>\n",
		    LEFT + s * 100, colours[s], LEFT + 18 + s * 100, bench_stage_names[s]);
}

static void bar(FILE *f, const struct result *r, unsigned row, double scale)
{
	char name[PROFILE_NAME_MAX];
	unsigned y = HEAD + row * ROW;
	double x = LEFT;

	fprintf(f, "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">%s</text>\n", LEFT - 10, y + 15,
	    profile_name(&r->profile, name));
	for (unsigned s = 0; s < BENCH_STAGES; s++) {
		double width = r->m.stage[s] * scale;

		fprintf(f,
		    "<rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\" fill=\"%s\"><title>%s: "
		    "%.1f</title></rect>\n",
		    x, y, width, ROW - 6, colours[s], bench_stage_names[s], r->m.stage[s]);
		x += width;
	}
	fprintf(f, "<text x=\"%.1f\" y=\"%u\">%.0f cycles, %.1f Mpps, %.1f Gbit/s</text>\n", x + 8,
	    y + 15, r->m.cycles, result_mpps(r), result_gbit(r));
}

int report_svg(const char *path, const struct result *r, unsigned n)
{
	FILE *f = fopen(path, "w");
	double most = 1;

	if (!f)
		return -errno;
	for (unsigned i = 0; i < n; i++)
		most = r[i].m.cycles > most ? r[i].m.cycles : most;
	fprintf(f,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
	    "font-family=\"sans-serif\" font-size=\"13\">\n"
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	    "<text x=\"10\" y=\"22\" font-size=\"16\">Core cycles per packet by stage, one "
	    "worker</text>\n",
	    LEFT + WIDTH + 260, HEAD + n * ROW + 20);
	legend(f);
	for (unsigned i = 0; i < n; i++)
		bar(f, &r[i], i, WIDTH / most);
	fprintf(f, "</svg>\n");
	return fclose(f) == 0 ? 0 : -errno;
}
