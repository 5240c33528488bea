/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The generator sends copies of a stock of frames, as many as are due by the clock. What finds no room in a receive
 * queue is a loss; so is what a worker drops. A generator that was held up itself skips what it could not send, instead
 * of sending it all at once.
 *
 * A machine that does other things takes packets away from any rate: a rate is without loss when one of TRIES trials
 * was. Frames come again and again, so that inbound the SAs have no replay window; its cost is part of the measurement
 * without load.
 */

#include "transitbench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_jhash.h>
#include <rte_launch.h>
#include <rte_mbuf_dyn.h>

#include "base/mem.h"

#define STOCK       2048 /* frames: flows, and bytes beyond the first level of cache */
#define BURST       32
#define LATE_MAX    256 /* packets that a generator sends late, not never */
#define TRIES       3
#define STEPS       6    /* of the search, once a power of two is known: to a hundredth */
#define RATE_LEAST  10e3 /* packets per second */
#define SAMPLES_MAX 65536
#define WAY_MS      20   /* for packets that a worker has taken */
#define WAIT_MS     1000 /* for packets that none has taken */

struct stock {
	struct rte_mbuf *m[STOCK];
	uint8_t queue[STOCK];
};

struct generator {
	struct site *s;
	struct stock stock;
	unsigned in;    /* port of the frames */
	unsigned next;  /* frame of the stock */
	unsigned every; /* packets, of which one has a time stamp */
	int stamp;      /* offset in the buffer */
	uint64_t sent, received, skipped;
	bool lost; /* packets in every trial of the rate that was asked for last */
	unsigned samples;
	float sample[SAMPLES_MAX];
};

static uint64_t *stamp_of(const struct generator *g, struct rte_mbuf *m)
{
	return RTE_MBUF_DYNFIELD(m, g->stamp, uint64_t *);
}

/* As a NIC spreads flows: by addresses, and by ports where they are in the clear. */
static uint8_t queue_of(struct rte_mbuf *m, unsigned queues)
{
	const struct rte_ipv4_hdr *ip =
	    rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	uint32_t flow[3] = {ip->src_addr, ip->dst_addr};

	if (ip->next_proto_id == IPPROTO_UDP)
		memcpy(&flow[2], ip + 1, sizeof(flow[2]));
	return (uint8_t)(rte_jhash_32b(flow, RTE_DIM(flow), 0) % queues);
}

static int fill_stock(struct generator *g, double *bytes)
{
	uint64_t clear = g->s->clear_bytes;

	for (unsigned i = 0; i < STOCK; i += BURST_MAX) {
		if (site_frames(g->s, g->stock.m + i, BURST_MAX) != BURST_MAX)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < STOCK; i++)
		g->stock.queue[i] = queue_of(g->stock.m[i], g->s->ports->queues);
	*bytes = (double)(g->s->clear_bytes - clear) / STOCK;
	return 0;
}

static void fill_frame(struct generator *g, struct rte_mbuf *m, uint64_t now)
{
	const struct rte_mbuf *from = g->stock.m[g->next];

	rte_memcpy(rte_pktmbuf_mtod(m, void *), rte_pktmbuf_mtod(from, void *), from->data_len);
	m->data_len = from->data_len;
	m->pkt_len = from->pkt_len;
	*stamp_of(g, m) = g->sent++ % g->every ? 0 : now;
}

static void send_burst(struct generator *g, unsigned n)
{
	struct rte_mbuf *m[BURST], *to[BENCH_WORKERS_MAX][BURST];
	unsigned count[BENCH_WORKERS_MAX] = {0};
	uint64_t now = rte_rdtsc();

	if (rte_pktmbuf_alloc_bulk(g->s->pool, m, n) != 0) {
		g->sent += n;
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned q = g->stock.queue[g->next];

		fill_frame(g, m[i], now);
		to[q][count[q]++] = m[i];
		g->next = (g->next + 1) % STOCK;
	}
	for (unsigned q = 0; q < g->s->ports->queues; q++) {
		unsigned fit = rte_ring_sp_enqueue_burst(
		    g->s->ports->in[g->in][q], (void **)to[q], count[q], NULL);

		rte_pktmbuf_free_bulk(to[q] + fit, count[q] - fit);
	}
}

static void receive(struct generator *g)
{
	const struct bench_ports *p = g->s->ports;
	struct rte_mbuf *m[BURST];

	for (unsigned i = 0; i < SITE_PORTS * p->queues; i++) {
		struct rte_ring *from = p->out[i % SITE_PORTS][i / SITE_PORTS];
		unsigned n = rte_ring_sc_dequeue_burst(from, (void **)m, BURST, NULL);
		uint64_t now = n ? rte_rdtsc() : 0;

		for (unsigned k = 0; k < n; k++) {
			uint64_t sent = *stamp_of(g, m[k]);

			if (sent && g->samples < SAMPLES_MAX)
				g->sample[g->samples++] = (float)(now - sent);
		}
		rte_pktmbuf_free_bulk(m, n);
		g->received += n;
	}
}

static bool is_waiting(const struct bench_ports *p)
{
	for (unsigned i = 0; i < SITE_PORTS * p->queues; i++) {
		if (!rte_ring_empty(p->in[i % SITE_PORTS][i / SITE_PORTS]))
			return true;
	}
	return false;
}

/* What is on its way arrives soon after the workers have taken the last packet, which may not run at the moment. */
static void await_rest(struct generator *g)
{
	const uint64_t ms = rte_get_tsc_hz() / 1000;
	uint64_t begin = rte_rdtsc(), taken = begin;

	while (g->received < g->sent) {
		uint64_t now = rte_rdtsc();

		receive(g);
		if (is_waiting(g->s->ports))
			taken = now;
		if (now - taken > WAY_MS * ms || now - begin > WAIT_MS * ms)
			break;
	}
}

/* Returns how many packets were lost. */
static uint64_t trial(struct generator *g, double pps, double seconds)
{
	const double hz = (double)rte_get_tsc_hz();
	const uint64_t total = (uint64_t)(pps * seconds);
	uint64_t start = rte_rdtsc();

	g->sent = g->received = g->skipped = 0;
	g->samples = 0;
	g->every = (unsigned)(total / SAMPLES_MAX) + 1;
	while (g->sent + g->skipped < total) {
		uint64_t due = (uint64_t)((double)(rte_rdtsc() - start) * pps / hz);
		uint64_t behind = due - RTE_MIN(due, g->sent + g->skipped);

		if (behind > LATE_MAX) {
			g->skipped += behind - LATE_MAX;
			behind = LATE_MAX;
		}
		if (behind > 0)
			send_burst(g, RTE_MIN(behind, BURST));
		receive(g);
	}
	await_rest(g);
	return g->sent - g->received;
}

/* And the generator must have managed the rate, but for a hundredth. */
static bool without_loss(struct generator *g, double pps, double seconds)
{
	g->lost = true;
	for (unsigned i = 0; i < TRIES; i++) {
		bool lost = trial(g, pps, seconds) > 0;

		if (!lost && g->skipped * 100 <= g->sent)
			return true;
		g->lost &= lost;
	}
	return false;
}

static void search(struct generator *g, double seconds, struct loaded *out)
{
	double low = 0, high = RATE_LEAST;

	while (without_loss(g, high, seconds)) {
		low = high;
		high *= 2;
	}
	out->generator_bound = !g->lost;
	for (unsigned i = 0; i < STEPS; i++) {
		double rate = (low + high) / 2;

		if (without_loss(g, rate, seconds)) {
			low = rate;
		} else {
			high = rate;
			out->generator_bound = !g->lost;
		}
	}
	out->mpps = low / 1e6;
}

/* Of the trial with the least median. */
static struct times latency_at(struct generator *g, double pps, double seconds)
{
	struct times best = {0};

	for (unsigned i = 0; i < TRIES; i++) {
		struct times t;

		trial(g, pps, seconds);
		t = times_of(g->sample, g->samples);
		if (t.p50 > 0 && (best.p50 == 0 || t.p50 < best.p50))
			best = t;
	}
	return best;
}

static int launch(struct site *s)
{
	epoch_offline(s->b->epoch, 0);
	for (unsigned i = 0; i < s->ports->queues; i++) {
		int rc = rte_eal_remote_launch(worker_main, &s->w[i], i + 1);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void join(struct site *s)
{
	atomic_store(&s->b->stop, true);
	rte_eal_mp_wait_lcore();
	epoch_online(s->b->epoch, 0);
}

int load_measure(struct site *s, double seconds, struct loaded *out)
{
	static const struct rte_mbuf_dynfield stamp = {
	    .name = "transitbench_sent", .size = sizeof(uint64_t), .align = sizeof(uint64_t)};
	struct generator *g = xcalloc(1, sizeof(*g));
	int rc;

	*out = (struct loaded){.workers = s->ports->queues};
	g->s = s;
	g->in = site_port_in(s->profile);
	g->stamp = rte_mbuf_dynfield_register(&stamp);
	rc = g->stamp < 0 ? -ENOSPC : fill_stock(g, &out->bytes);
	if (rc == 0)
		rc = launch(s);
	if (rc == 0) {
		search(g, seconds, out);
		out->half = latency_at(g, out->mpps * 0.5e6, seconds);
		out->most = latency_at(g, out->mpps * 0.9e6, seconds);
		if (out->mpps == 0)
			rc = -EIO;
	}
	join(s);
	for (unsigned i = 0; i < STOCK; i++)
		rte_pktmbuf_free(g->stock.m[i]);
	free(g);
	return rc;
}
