/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_MB_H
#define DATAPATH_ESP_MB_H

/* A worker's state of the engines over intel-ipsec-mb: esp_mb_aead.c, esp_mb_chain.c. */

#include "boundary/mb.h"
#include "boundary/sa_mb.h"
#include "datapath/esp_worker.h"

#define ESP_ICV_MAX    32
#define ESP_DIGEST_MAX 64 /* what the library may write of a digest */

/* Packets of several SAs that wait to be worked on together, in the order they came. */
struct esp_mb_batch {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
	struct sa_head *sa[BURST_MAX];
	struct IMB_JOB job[BURST_MAX];
	uint8_t digest[BURST_MAX][ESP_DIGEST_MAX];
	uint8_t received[BURST_MAX][ESP_ICV_MAX];
} __rte_cache_aligned;

struct esp_mb {
	IMB_MGR *manager;
	struct gcm_context_data gcm;
	struct esp_mb_batch batch;
} __rte_cache_aligned;

/* Counts packets of one SA that have been encrypted. */
static inline void esp_mb_count_out(struct worker *w, const struct sa_head *h, unsigned packets,
    uint64_t inner_bytes, uint64_t outer_bytes)
{
	struct sa_counters *c = &h->of_worker[w->id];

	c->packets += packets;
	c->bytes += inner_bytes;
	c->outer_bytes += outer_bytes;
}

/*
 * Packets of one SA, decrypted in place, RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED on those whose ICV did not hold: ICV and
 * replay verdicts, frame off, inner checks. Puts what may go on into inner[]; returns how many.
 */
unsigned esp_mb_decrypted(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);

unsigned esp_mb_encap_aead(struct worker *w, struct sa_out *sa, uint64_t first, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer);
unsigned esp_mb_decap_aead(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);

/* These put packets into the batch and finish none; esp_mb_run_*() does. */
unsigned esp_mb_encap_chain(struct worker *w, struct sa_out *sa, uint64_t first,
    struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer);
unsigned esp_mb_decap_chain(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);

#endif
