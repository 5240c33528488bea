/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The two engines over rte_ipsec: the crypto of a run of packets at once (AEAD), or through the queues of a crypto
 * device (CBC and HMAC).
 *
 * rte_ipsec frames: header template, padding, ESN, the nonce and AAD of an AEAD. It gives packets it refuses
 * behind the good ones. The stages have checked lengths and room before, so that what it refuses here is the
 * fault of the crypto device or, inbound, of the trailer.
 *
 * Inbound its two steps are kept apart by esp_inner_accept(): its second step would infer the upper half of an
 * ESN anew for each packet, after the packets before have moved its window, and take an old packet for one
 * of the next 2^32. What our own window let pass in order is never that old.
 */

#include <rte_ipsec.h>

#include "datapath/esp_worker.h"

#define ESN_BYTES 4

static void drop_unprepared(struct worker *w, struct sa_head *sa, struct rte_mbuf **m, unsigned n)
{
	sa->of_worker[w->id].other += n;
	drop_burst(w, m, n, DROP_CRYPTO_FAILED);
}

/* rte_ipsec reads where ESP starts, and sets the flag that says that an ICV did not hold. */
static void ready_inbound(struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		m[i]->tx_offload = rte_mbuf_tx_offload(0, esp_note(m[i])->offset, 0, 0, 0, 0, 0);
		m[i]->ol_flags &= ~RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
	}
}

static void ready_outbound(const struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		esp_outer_note(sa, m[i]);
		m[i]->tx_offload = 0;
		m[i]->ol_flags &= ~RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
	}
}

/* After the crypto */

/* What rte_ipsec refused: outer header and ICV are still there, and with ESN its upper half in front of the ICV. */
static void refuse(struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n)
{
	unsigned icv = sa->head.icv_bytes + (sa->head.esn ? ESN_BYTES : 0);

	for (unsigned i = 0; i < n; i++) {
		uint8_t next = *rte_pktmbuf_mtod_offset(m[i], uint8_t *, m[i]->data_len - icv - 1);

		esp_inner_refuse(w, &sa->head, m[i], next);
	}
}

unsigned esp_rte_encap_done(
    struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer)
{
	unsigned good = rte_ipsec_pkt_process(&sa->session, m, (uint16_t)n);

	if (unlikely(good < n))
		drop_unprepared(w, &sa->head, m + good, n - good);
	esp_outer_finish(w, sa, m, good);
	memcpy(outer, m, good * sizeof(*m));
	return good;
}

unsigned esp_rte_decap_done(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	struct sa_head *of[BURST_MAX];
	unsigned good;

	for (unsigned i = 0; i < n; i++)
		of[i] = &sa->head;
	n = esp_inner_accept(w, of, m, n);
	if (n == 0)
		return 0;
	good = rte_ipsec_pkt_process(&sa->session, m, (uint16_t)n);
	if (unlikely(good < n))
		refuse(w, sa, m + good, n - good);
	return esp_inner_finish(w, of, m, good, inner);
}

/* Synchronous */

static unsigned encap_sync(
    struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer)
{
	unsigned ready;

	ready_outbound(sa, m, n);
	ready = rte_ipsec_pkt_cpu_prepare(&sa->session, m, (uint16_t)n);
	if (unlikely(ready < n))
		drop_unprepared(w, &sa->head, m + ready, n - ready);
	return ready ? esp_rte_encap_done(w, sa, m, ready, outer) : 0;
}

static unsigned decap_sync(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	unsigned ready;

	ready_inbound(m, n);
	ready = rte_ipsec_pkt_cpu_prepare(&sa->session, m, (uint16_t)n);
	if (unlikely(ready < n))
		drop_unprepared(w, &sa->head, m + ready, n - ready);
	return ready ? esp_rte_decap_done(w, sa, m, ready, inner) : 0;
}

/* Through a crypto device */

/* Operations for up to n packets; the others are dropped. */
static unsigned get_ops(struct worker *w, struct sa_head *sa, struct rte_mbuf **m, unsigned n,
    struct rte_crypto_op **op)
{
	unsigned fit = RTE_MIN(n, esp_queue_room(w));

	if (fit > 0 &&
	    rte_crypto_op_bulk_alloc(
		w->esp->ops, RTE_CRYPTO_OP_TYPE_SYMMETRIC, op, (uint16_t)fit) == 0)
		fit = 0;
	if (unlikely(fit < n))
		drop_burst(w, m + fit, n - fit, DROP_CRYPTO_QUEUE_FULL);
	return fit;
}

/* What rte_ipsec refused. */
static void put_back(struct worker *w, struct sa_head *sa, struct rte_mbuf **m,
    struct rte_crypto_op **op, unsigned n)
{
	if (likely(n == 0))
		return;
	rte_mempool_put_bulk(w->esp->ops, (void **)op, n);
	drop_unprepared(w, sa, m, n);
}

static void encap_queue(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	struct rte_crypto_op *op[BURST_MAX];
	unsigned ready;

	n = get_ops(w, &sa->head, m, n, op);
	if (n == 0)
		return;
	ready_outbound(sa, m, n);
	ready = rte_ipsec_pkt_crypto_prepare(&sa->session, m, op, (uint16_t)n);
	put_back(w, &sa->head, m + ready, op + ready, n - ready);
	for (unsigned i = 0; i < ready && sa->cbc; i++)
		memcpy(rte_crypto_op_ctod_offset(op[i], void *, CRYPTO_IV_OFFSET), sa->iv_mask,
		    sizeof(sa->iv_mask));
	esp_queue_stage(w, &sa->head, op, ready);
}

static void decap_queue(struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n)
{
	struct rte_crypto_op *op[BURST_MAX];
	unsigned ready;

	n = get_ops(w, &sa->head, m, n, op);
	if (n == 0)
		return;
	ready_inbound(m, n);
	ready = rte_ipsec_pkt_crypto_prepare(&sa->session, m, op, (uint16_t)n);
	put_back(w, &sa->head, m + ready, op + ready, n - ready);
	esp_queue_stage(w, &sa->head, op, ready);
}

/* The seam */

static inline unsigned same_sa(struct sa_head *const *sa, unsigned n)
{
	unsigned i = 1;

	while (i < n && sa[i] == sa[0])
		i++;
	return i;
}

unsigned esp_rte_encap_sync(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	unsigned done = 0;

	for (unsigned i = 0, run; i < n; i += run) {
		run = same_sa(sa + i, n - i);
		done += encap_sync(w, sa_out_of(sa[i]), m + i, run, outer + done);
	}
	return done;
}

unsigned esp_rte_decap_sync(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	unsigned done = 0;

	for (unsigned i = 0, run; i < n; i += run) {
		run = same_sa(sa + i, n - i);
		done += decap_sync(w, sa_in_of(sa[i]), m + i, run, inner + done);
	}
	return done;
}

unsigned esp_rte_encap_queue(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	(void)outer;
	for (unsigned i = 0, run; i < n; i += run) {
		run = same_sa(sa + i, n - i);
		encap_queue(w, sa_out_of(sa[i]), m + i, run);
	}
	return 0;
}

unsigned esp_rte_decap_queue(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	(void)inner;
	for (unsigned i = 0, run; i < n; i += run) {
		run = same_sa(sa + i, n - i);
		decap_queue(w, sa_in_of(sa[i]), m + i, run);
	}
	return 0;
}
