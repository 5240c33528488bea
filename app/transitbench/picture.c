/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The picture of results, an SVG file: a row for each profile, under a heading for what they have in common. Either bars
 * of core cycles by stage, or the rate without a loss and, on a logarithmic axis, how long packets take.
 *
 *   |<- labels ->|<- left panel: bars        ->|<- right panel: figures, or latency ->|
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "transitbench/report.h"

#define ROW    22
#define GROUP  34 /* a heading */
#define LABELS 250
#define PANEL  620 /* left */
#define LOADED 330 /* left, with latency beside it */
#define SIDE   300 /* figures */
#define HEAD   104
#define FOOT   24
#define WIDTH  (LABELS + PANEL + SIDE)
#define GREY   "#667"
#define TICKS  5
#define BEYOND 6 /* medians: what takes more than so many is cut */

#define US_LEAST 0.1
#define US_MOST  1e5
#define HALF     "#2f6fde"
#define MOST     "#d9822b"

static const char *const colours[BENCH_STAGES] = {
    "#9aa5b1", "#5b8def", "#d9534f", "#43a47a", "#e8a33d", "#7e6bc4"};
static const char *const stage_titles[BENCH_STAGES] = {
    "receive", "classify", "decrypt", "route", "encrypt, layer 2", "send"};

struct canvas {
	FILE *f;
	const struct result *r;
	unsigned n, y;
	double most; /* of the left panel's axis */
	double panel;
};

/* Frame */

/* The model of the CPU, as far as an SVG takes it as it is. */
static void cpu_model(char *text, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(text, size, "unknown CPU");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10) != 0 || !strchr(line, ':'))
			continue;
		line[strcspn(line, "\n<&")] = '\0';
		snprintf(text, size, "%s", strchr(line, ':') + 2);
		break;
	}
	if (f)
		fclose(f);
}

static bool same_group(const struct profile *a, const struct profile *b)
{
	return a->direction == b->direction && a->encr == b->encr && a->auth == b->auth;
}

static bool begins_group(const struct canvas *c, unsigned i)
{
	return i == 0 || !same_group(&c->r[i - 1].profile, &c->r[i].profile);
}

static unsigned height(const struct canvas *c)
{
	unsigned y = HEAD + FOOT;

	for (unsigned i = 0; i < c->n; i++)
		y += ROW + (begins_group(c, i) ? GROUP : 0);
	return y;
}

static void begin(struct canvas *c, const char *title)
{
	char model[128], day[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	cpu_model(model, sizeof(model));
	if (localtime_r(&now, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	fprintf(c->f,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
	    "viewBox=\"0 0 %u %u\" font-family=\"sans-serif\" font-size=\"13\">\n"
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	    "<text x=\"14\" y=\"26\" font-size=\"18\" font-weight=\"bold\">%s</text>\n"
	    "<text x=\"14\" y=\"46\" fill=\"" GREY "\">transitbench, %s, %s</text>\n",
	    WIDTH, height(c), WIDTH, height(c), title, model, day);
	c->y = HEAD;
}

static void label(struct canvas *c, unsigned i)
{
	char text[PROFILE_NAME_MAX];

	if (begins_group(c, i)) {
		c->y += GROUP;
		fprintf(c->f, "<text x=\"14\" y=\"%u\" font-weight=\"bold\">%s</text>\n", c->y - 8,
		    profile_group(&c->r[i].profile, text));
	}
	fprintf(c->f, "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">%s</text>\n", LABELS - 10,
	    c->y + 15, profile_case(&c->r[i].profile, text));
}

static void key(struct canvas *c, double x, const char *colour, const char *text)
{
	fprintf(c->f,
	    "<rect x=\"%.0f\" y=\"60\" width=\"12\" height=\"12\" fill=\"%s\"/>"
	    "<text x=\"%.0f\" y=\"71\">%s</text>\n",
	    x, colour, x + 17, text);
}

static void tick(struct canvas *c, double x, const char *text)
{
	fprintf(c->f,
	    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%u\" y2=\"%u\" stroke=\"#dde\"/>"
	    "<text x=\"%.1f\" y=\"%u\" text-anchor=\"middle\" fill=\"" GREY "\">%s</text>\n",
	    x, x, HEAD, height(c) - FOOT, x, HEAD - 6, text);
}

/* A step of 1, 2 or 5 times a power of ten, so that there are some TICKS of them. */
static double step_of(double most)
{
	double rough = most / TICKS, power = pow(10, floor(log10(rough))), by = rough / power;

	return (by > 5 ? 10 : by > 2 ? 5 : by > 1 ? 2 : 1) * power;
}

/* From 0 to `most`, on the left panel. */
static void axis(struct canvas *c, const char *unit)
{
	double step = step_of(c->most);
	char text[64];

	for (unsigned i = 0; i * step <= c->most; i++) {
		snprintf(text, sizeof(text), "%g%s", i * step, i == 0 ? unit : "");
		tick(c, LABELS + i * step / c->most * c->panel, text);
	}
}

static int end(struct canvas *c)
{
	fprintf(c->f, "</svg>\n");
	if (ferror(c->f)) {
		fclose(c->f);
		errno = EIO;
		return -1;
	}
	return fclose(c->f) == 0 ? 0 : -1;
}

/* Cycles by stage */

static double total(const struct result *r)
{
	double sum = 0;

	for (unsigned s = 0; s < BENCH_STAGES; s++)
		sum += r->m.stage[s];
	return fmax(sum, r->m.cycles);
}

/* The most, but for profiles of another order (3DES), next to which nothing would be seen of the others. */
static double most_cycles(const struct canvas *c)
{
	float all[2048];
	unsigned n = 0;
	double most = 1;

	for (; n < c->n && n < sizeof(all) / sizeof(all[0]); n++)
		all[n] = (float)total(&c->r[n]);
	times_sort(all, n);
	for (unsigned i = 0; i < n; i++)
		most = all[i] <= BEYOND * all[n / 2] ? (double)all[i] : most;
	return most * 1.02;
}

static void stages(struct canvas *c, const struct result *r)
{
	double x = LABELS, right = LABELS + c->panel;

	for (unsigned s = 0; s < BENCH_STAGES; s++) {
		double width = fmin(r->m.stage[s] / c->most * c->panel, right - x);

		fprintf(c->f,
		    "<rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\" fill=\"%s\">"
		    "<title>%s: %.1f cycles</title></rect>\n",
		    x, c->y + 2, width, ROW - 5, colours[s], stage_titles[s], r->m.stage[s]);
		x += width;
	}
	if (total(r) > c->most) /* cut */
		fprintf(c->f, "<path d=\"M%.0f %u l6 -%u h5 l-6 %u z\" fill=\"white\"/>\n",
		    right - 24, c->y + ROW, ROW + 2, ROW + 2);
}

static void figures(struct canvas *c, const struct result *r)
{
	fprintf(c->f,
	    "<g text-anchor=\"end\"><text x=\"%u\" y=\"%u\">%.0f</text><text x=\"%u\" "
	    "y=\"%u\">%.2f</text><text x=\"%u\" y=\"%u\">%.2f</text></g>\n",
	    LABELS + PANEL + 90, c->y + 15, r->m.cycles, LABELS + PANEL + 180, c->y + 15,
	    result_mpps(r), LABELS + PANEL + 270, c->y + 15, result_gbit(r));
}

static void draw_cycles(struct canvas *c)
{
	static const char *const heads[] = {"cycles", "Mpps", "Gbit/s"};
	unsigned x = LABELS;

	c->panel = PANEL;
	c->most = most_cycles(c);
	begin(c, "What a packet costs: core cycles by stage, one worker");
	for (unsigned s = 0; s < BENCH_STAGES; x += 40 + 7 * (unsigned)strlen(stage_titles[s++]))
		key(c, x, colours[s], stage_titles[s]);
	axis(c, " cycles");
	for (unsigned i = 0; i < 3; i++)
		fprintf(c->f,
		    "<text x=\"%u\" y=\"%u\" text-anchor=\"end\" fill=\"" GREY "\">%s</text>\n",
		    LABELS + PANEL + 90 + i * 90, HEAD - 6, heads[i]);
	for (unsigned i = 0; i < c->n; i++, c->y += ROW) {
		label(c, i);
		stages(c, &c->r[i]);
		figures(c, &c->r[i]);
	}
}

/* Rate and latency */

static double at_us(double us)
{
	double share = log(fmin(fmax(us, US_LEAST), US_MOST) / US_LEAST) / log(US_MOST / US_LEAST);

	return LABELS + LOADED + 40 + share * (WIDTH - LABELS - LOADED - 70);
}

/* From the median, a dot, over the 99th percentile, a stroke, to that of 99.9. */
static void spread(struct canvas *c, const struct times *t, unsigned y, const char *colour)
{
	fprintf(c->f,
	    "<g stroke=\"%s\" fill=\"%s\"><line x1=\"%.1f\" x2=\"%.1f\" y1=\"%u\" y2=\"%u\" "
	    "stroke-width=\"2\"/><line x1=\"%.1f\" x2=\"%.1f\" y1=\"%u\" y2=\"%u\" "
	    "stroke-width=\"2\"/><circle cx=\"%.1f\" cy=\"%u\" r=\"3.5\"/><title>p50 %.1f, p99 %.1f, "
	    "p99.9 %.1f us</title></g>\n",
	    colour, colour, at_us(t->p50), at_us(t->p999), y, y, at_us(t->p99), at_us(t->p99),
	    y - 4, y + 4, at_us(t->p50), y, t->p50, t->p99, t->p999);
}

static void rate(struct canvas *c, const struct loaded *l)
{
	double width = l->mpps / c->most * c->panel;

	fprintf(c->f,
	    "<rect x=\"%u\" y=\"%u\" width=\"%.1f\" height=\"%u\" fill=\"#43a47a\"/>"
	    "<text x=\"%.1f\" y=\"%u\">%.2f%s</text>\n",
	    LABELS, c->y + 2, width, ROW - 5, LABELS + width + 6, c->y + 15, l->mpps,
	    l->generator_bound ? " *" : "");
}

static void draw_load(struct canvas *c)
{
	char text[32];

	c->panel = LOADED - 60;
	c->most = 0.01;
	for (unsigned i = 0; i < c->n; i++)
		c->most = fmax(c->most, c->r[i].load.mpps);
	snprintf(text, sizeof(text), "%u worker%s", c->r[0].load.workers,
	    c->r[0].load.workers > 1 ? "s" : "");
	begin(c, "Highest rate without a loss, and how long packets take");
	key(c, LABELS, "#43a47a", text);
	fprintf(c->f,
	    "<text x=\"%u\" y=\"71\" fill=\"" GREY "\">* the generator sends no faster</text>\n",
	    LABELS + 100);
	key(c, LABELS + LOADED + 40, HALF, "at 50 % of that rate");
	key(c, LABELS + LOADED + 200, MOST, "at 90 %");
	fprintf(c->f,
	    "<text x=\"%u\" y=\"71\" fill=\"" GREY
	    "\">dot: median, stroke: 99 %%, end: 99.9 %%</text>\n",
	    LABELS + LOADED + 290);
	axis(c, " Mpps");
	for (double us = US_LEAST; us <= US_MOST * 1.1; us *= 10) {
		snprintf(text, sizeof(text), us < 999 ? "%g &#181;s" : "%g ms",
		    us < 999 ? us : us / 1000);
		tick(c, at_us(us), text);
	}
	for (unsigned i = 0; i < c->n; i++, c->y += ROW) {
		label(c, i);
		rate(c, &c->r[i].load);
		spread(c, &c->r[i].load.half, c->y + 7, HALF);
		spread(c, &c->r[i].load.most, c->y + 16, MOST);
	}
}

int picture_draw(FILE *f, const struct result *r, unsigned n, bool loaded)
{
	struct canvas c = {.f = f, .r = r, .n = n};

	if (n == 0)
		begin(&c, "Nothing was measured");
	else if (loaded)
		draw_load(&c);
	else
		draw_cycles(&c);
	return end(&c);
}
