/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Crypto devices with queues.
 *
 * Operations of all SAs of a burst are staged, then enqueued at once: multi-buffer ciphers fill their lanes with
 * packets of many SAs. A software device does its work when it is dequeued, so it is emptied right after, and its
 * packets leave with the burst they came with; a hardware device is asked again by esp_poll(). Whatever comes out goes
 * through the ring of its direction, because a stage finds packets of both: so packets of an SA stay in order.
 */

#include <rte_malloc.h>

#include "boundary/near.h"
#include "datapath/esp.h"
#include "datapath/esp_worker.h"

#define DRAIN_POLLS 1000000 /* of a device, when its worker has ended */

/* Rings of finished packets */

static inline unsigned done_count(const struct esp_done *d)
{
	return d->tail - d->head;
}

static void done_put(struct esp_done *d, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		d->m[d->tail++ & (ESP_IN_FLIGHT_MAX - 1)] = m[i];
}

unsigned esp_done_take(struct esp_done *d, struct rte_mbuf **m, unsigned max)
{
	unsigned n = RTE_MIN(max, done_count(d));

	for (unsigned i = 0; i < n; i++)
		m[i] = d->m[d->head++ & (ESP_IN_FLIGHT_MAX - 1)];
	return n;
}

/* In */

static inline struct esp_queue *queue_of(struct worker *w, uint8_t device)
{
	struct esp_queue *q = w->esp->queue;

	while (q->device != device)
		q++;
	return q;
}

static unsigned waiting(const struct worker *w)
{
	const struct esp_worker *e = w->esp;
	unsigned n = done_count(&e->inner) + done_count(&e->outer);

	for (unsigned i = 0; i < e->queue_count; i++)
		n += e->queue[i].in_flight + e->queue[i].staged_count;
	return n;
}

unsigned esp_queue_room(const struct worker *w)
{
	unsigned n = waiting(w);

	return n < ESP_IN_FLIGHT_MAX ? ESP_IN_FLIGHT_MAX - n : 0;
}

static inline void count_in_flight(struct worker *w, struct sa_head *sa, int packets)
{
	struct sa_counters *c = &sa->of_worker[w->id];

	__atomic_store_n(
	    &c->in_flight, c->in_flight + (uint64_t)(int64_t)packets, __ATOMIC_RELEASE);
}

void esp_queue_stage(struct worker *w, struct sa_head *sa, struct rte_crypto_op **op, unsigned n)
{
	struct esp_queue *q = queue_of(w, sa->queue_device);

	for (unsigned i = 0; i < n; i++) {
		pkt_meta(op[i]->sym->m_src)->sa = sa;
		q->staged[q->staged_count++] = op[i];
	}
	count_in_flight(w, sa, (int)n);
}

static void refuse(struct worker *w, struct rte_crypto_op **op, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = op[i]->sym->m_src;

		count_in_flight(w, pkt_meta(m)->sa, -1);
		drop(w, m, DROP_CRYPTO_QUEUE_FULL);
	}
	rte_mempool_put_bulk(w->esp->ops, (void **)op, n);
}

static void enqueue(struct worker *w, struct esp_queue *q)
{
	unsigned n = q->staged_count, taken;

	taken = rte_cryptodev_enqueue_burst(q->device, (uint16_t)w->id, q->staged, (uint16_t)n);
	q->in_flight += taken;
	q->staged_count = 0;
	if (unlikely(taken < n))
		refuse(w, q->staged + taken, n - taken);
}

/* Out */

/* The device's verdict, as rte_ipsec reads it. */
static inline struct rte_mbuf *packet_of(struct rte_crypto_op *op)
{
	struct rte_mbuf *m = op->sym->m_src;

	if (unlikely(op->status != RTE_CRYPTO_OP_STATUS_SUCCESS)) {
		m->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
		esp_note(m)->failed = op->status != RTE_CRYPTO_OP_STATUS_AUTH_FAILED;
	}
	return m;
}

/* Packets of one SA that the device has finished. */
static void finish(struct worker *w, struct sa_head *sa, struct rte_mbuf **m, unsigned n)
{
	struct esp_worker *e = w->esp;
	struct rte_mbuf *done[BURST_MAX];
	int left = (int)n;

	if (esp_note(m[0])->inbound) {
		n = esp_rte_decap_done(w, container_of(sa, struct sa_in, head), m, n, done);
		done_put(&e->inner, done, n);
	} else {
		n = esp_rte_encap_done(w, container_of(sa, struct sa_out, head), m, n, done);
		done_put(&e->outer, done, n);
	}
	count_in_flight(w, sa, -left); /* the SA may go from here on */
}

static void finish_all(struct worker *w, struct rte_crypto_op **op, unsigned n)
{
	struct rte_mbuf *m[BURST_MAX];

	for (unsigned i = 0; i < n; i++)
		m[i] = packet_of(op[i]);
	rte_mempool_put_bulk(w->esp->ops, (void **)op, n);
	for (unsigned i = 0, end; i < n; i = end) {
		struct sa_head *sa = pkt_meta(m[i])->sa;

		for (end = i + 1; end < n && pkt_meta(m[end])->sa == sa; end++)
			;
		finish(w, sa, m + i, end - i);
	}
}

static unsigned dequeue(struct worker *w, struct esp_queue *q, unsigned max)
{
	struct rte_crypto_op *op[BURST_MAX];
	unsigned n = rte_cryptodev_dequeue_burst(q->device, (uint16_t)w->id, op, (uint16_t)max);

	q->in_flight -= n;
	if (n > 0)
		finish_all(w, op, n);
	return n;
}

void esp_queue_run(struct worker *w)
{
	struct esp_worker *e = w->esp;

	for (unsigned i = 0; i < e->queue_count; i++) {
		struct esp_queue *q = &e->queue[i];

		if (q->staged_count > 0)
			enqueue(w, q);
		while (q->software && q->in_flight > 0 && dequeue(w, q, BURST_MAX) > 0)
			;
	}
}

void esp_poll(struct worker *w, unsigned max, struct rte_mbuf **inner, unsigned *inner_count,
    struct rte_mbuf **outer, unsigned *outer_count)
{
	struct esp_worker *e = w->esp;

	for (unsigned i = 0; i < e->queue_count; i++) {
		if (e->queue[i].in_flight > 0)
			dequeue(w, &e->queue[i], BURST_MAX);
	}
	*inner_count = esp_done_take(&e->inner, inner, max);
	*outer_count = esp_done_take(&e->outer, outer, max);
}

/* State of a worker */

int esp_worker_init(struct worker *w)
{
	struct esp_worker *e = near_zmalloc(w->id, sizeof(struct esp_worker));
	uint8_t device[ESP_QUEUES_MAX];

	if (!e)
		return -ENOMEM;
	e->shared_sas = w->b->workers > 1;
	w->esp = e;
	if (!w->b->crypto)
		return 0; /* no SA will ever be made */
	if (esp_mb_init(w) < 0)
		return -ENOMEM;
	e->sorts_in = !e->mb;
	e->ops = crypto_op_pool(w->b->crypto);
	e->queue_count = crypto_queue_devices(w->b->crypto, device, RTE_DIM(device));
	for (unsigned i = 0; i < e->queue_count; i++) {
		e->queue[i].device = device[i];
		e->queue[i].software = crypto_is_software(w->b->crypto, device[i]);
	}
	return 0;
}

/* Until the devices are empty, or give nothing any more. */
static void drain(struct worker *w)
{
	struct esp_worker *e = w->esp;

	for (unsigned i = 0; i < e->queue_count; i++) {
		for (unsigned polls = 0; e->queue[i].in_flight > 0 && polls < DRAIN_POLLS; polls++)
			dequeue(w, &e->queue[i], BURST_MAX);
	}
}

void esp_worker_fini(struct worker *w)
{
	struct rte_mbuf *m[BURST_MAX];
	unsigned n;

	if (!w->esp)
		return;
	drain(w);
	while ((n = esp_done_take(&w->esp->inner, m, BURST_MAX)) > 0 ||
	    (n = esp_done_take(&w->esp->outer, m, BURST_MAX)) > 0)
		rte_pktmbuf_free_bulk(m, n);
	esp_mb_fini(w);
	rte_free(w->esp);
	w->esp = NULL;
}
