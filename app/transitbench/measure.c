/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A block of bursts is put into the receive ring, which is not timed, then taken through the worker, which is, then
 * taken out again. Of many blocks the fastest counts, because others may use the machine; every second one is
 * run stage by stage. Packets in the ring are in the cache, as behind a port with direct cache access.
 */

#include "transitbench/measure.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#include <rte_cycles.h>

#include "datapath/tx.h"

/* Of a block: few enough for the first two levels of cache; with IMIX a whole number of mixes. */
#define BURSTS      4
#define BURSTS_IMIX 3
#define SAMPLES_MAX 65536

const char *const bench_stage_names[BENCH_STAGES] = {
    "rx", "classify", "esp-in", "route", "out", "tx"};

/* 0, or -EIO when there are too few frames. */
static int load(struct site *s, unsigned bursts)
{
	struct rte_ring *in = s->ports->in[site_port_in(s->profile)][0];

	for (unsigned i = 0; i < bursts; i++) {
		struct rte_mbuf *m[BURST_MAX];

		if (site_frames(s, m, BURST_MAX) != BURST_MAX ||
		    rte_ring_enqueue_bulk(in, (void **)m, BURST_MAX, NULL) == 0)
			return -EIO;
	}
	return 0;
}

static int unload(struct site *s, unsigned packets)
{
	unsigned n, all = 0;

	for (unsigned port = 0; port < SITE_PORTS; port++) {
		struct rte_mbuf *m[BURST_MAX];

		while ((n = rte_ring_dequeue_burst(
			    s->ports->out[port][0], (void **)m, BURST_MAX, NULL)) > 0) {
			rte_pktmbuf_free_bulk(m, n);
			all += n;
		}
	}
	return all == packets ? 0 : -EIO;
}

/* The same stages as round.c strings together, with a look at the clock between them. */
static void round_by_stage(struct site *s, uint64_t spent[BENCH_STAGES])
{
	const struct worker_queue q = {(uint16_t)site_port_in(s->profile), 0};
	struct rte_mbuf *m[BURST_MAX], *inner[BURST_MAX];
	struct worker *w = s->w;
	struct burst esp = {.n = 0};
	struct routed to;
	uint64_t at[BENCH_STAGES + 1];
	bool uplinks;
	unsigned n;

	at[BENCH_RX] = rte_rdtsc();
	n = rx(w, &q, m);
	at[BENCH_CLASSIFY] = rte_rdtsc();
	n = classify(w, w->b->port[q.port], m, n, &uplinks);
	n = ip_in(w, m, n, true);
	if (uplinks)
		n = uplink(w, m, n, &esp);
	at[BENCH_ESP_IN] = rte_rdtsc();
	if (esp.n > 0) {
		n = esp_in(w, esp.m, esp.n, inner);
		n = ip_in(w, inner, n, false);
		tunnel_in(w, inner, n);
	}
	at[BENCH_ROUTE] = rte_rdtsc();
	route(w, esp.n ? inner : m, n, &to);
	at[BENCH_OUT] = rte_rdtsc();
	egress(w, &to.clear);
	tunnel_out(w, &to.tunnel);
	at[BENCH_TX] = rte_rdtsc();
	tx_flush(w);
	at[BENCH_STAGES] = rte_rdtsc();
	for (unsigned i = 0; i < BENCH_STAGES; i++)
		spent[i] += at[i + 1] - at[i];
}

int measure(struct site *s, double seconds, struct measured *out)
{
	static float sample[SAMPLES_MAX];
	const unsigned bursts = s->profile->bytes ? BURSTS : BURSTS_IMIX;
	const unsigned packets = bursts * BURST_MAX;
	uint64_t until = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());
	double ratio = INFINITY, best = INFINITY;
	unsigned samples = 0;

	*out = (struct measured){0};
	for (unsigned i = 0; i < BENCH_STAGES; i++)
		out->stage[i] = INFINITY;
	for (unsigned block = 0; rte_rdtsc() < until || block < 4; block++) {
		uint64_t stage[BENCH_STAGES] = {0}, clear = s->clear_bytes, all = 0;

		if (load(s, bursts) < 0)
			return -EIO;
		out->bytes = (double)(s->clear_bytes - clear) / packets;
		for (unsigned i = 0; i < bursts; i++) {
			uint64_t start = rte_rdtsc();

			if (block % 2)
				round_by_stage(s, stage);
			else
				worker_round(s->w);
			start = rte_rdtsc() - start;
			all += start;
			if (block % 2 == 0 && samples < SAMPLES_MAX)
				sample[samples++] = (float)start;
		}
		if (unload(s, packets) < 0)
			return -EIO;
		ratio = fmin(ratio, ticks_per_cycle());
		for (unsigned i = 0; i < BENCH_STAGES && block % 2; i++)
			out->stage[i] = fmin(out->stage[i], (double)stage[i]);
		if (block % 2 == 0)
			best = fmin(best, (double)all);
	}
	out->cycles = best / packets / ratio;
	out->ns = best / packets * 1e9 / (double)rte_get_tsc_hz();
	for (unsigned i = 0; i < BENCH_STAGES; i++)
		out->stage[i] /= packets * ratio;
	out->burst = times_of(sample, samples);
	return 0;
}

int measure_burst(struct site *s, double *ticks)
{
	uint64_t start;

	if (load(s, 1) < 0)
		return -EIO;
	start = rte_rdtsc();
	worker_round(s->w);
	*ticks = (double)(rte_rdtsc() - start);
	return unload(s, BURST_MAX);
}

int count_once(struct site *s, unsigned bursts)
{
	if (load(s, bursts) < 0)
		return -EIO;
	for (unsigned i = 0; i < bursts; i++)
		worker_round(s->w);
	return unload(s, bursts * BURST_MAX);
}
