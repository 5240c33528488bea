/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_MB_H
#define DATAPATH_ESP_MB_H

/* A worker's state of the engines over intel-ipsec-mb: esp_mb_aead.c, esp_mb_chain.c. */

#include "boundary/mb.h"
#include "boundary/sa_mb.h"
#include "datapath/esp_worker.h"

#define ESP_ICV_MAX    32
#define ESP_DIGEST_MAX 64 /* what the library may write of a digest */

/* What the library is called with for one packet, in half a cache line. */
struct esp_mb_aead_work {
	uint8_t nonce[16]; /* of which the library may read all, and uses 12 */
	uint8_t *esp;      /* header, which is additional data without ESN; behind it the IV */
	unsigned bytes;    /* to be encrypted, behind the IV; then the ICV */
} __attribute__((aligned(32)));

/* Packets of several SAs that wait to be worked on together, in the order they came. */
struct esp_mb_aead_batch {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
	struct sa_head *sa[BURST_MAX];
	struct esp_mb_aead_work work[BURST_MAX];
	uint8_t esn[BURST_MAX][16]; /* additional data with ESN */
} __rte_cache_aligned;

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
	aes_gcm_enc_dec_t seal[SA_AEAD_COUNT], open[SA_AEAD_COUNT]; /* NULL: takes jobs */
	struct gcm_context_data gcm;
	struct esp_mb_aead_batch aead;
	struct esp_mb_batch batch; /* of cipher and HMAC */
} __rte_cache_aligned;

/* Engines put packets into a batch and finish none; esp_mb_run_out() and esp_mb_run_in() do. */
unsigned esp_mb_encap_aead(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer);
unsigned esp_mb_decap_aead(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner);

unsigned esp_mb_encap_chain(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer);
unsigned esp_mb_decap_chain(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner);

unsigned esp_mb_run_out_aead(struct esp_mb *mb, struct rte_mbuf **outer);
unsigned esp_mb_run_in_aead(struct worker *w, struct rte_mbuf **inner);
unsigned esp_mb_run_out_chain(struct worker *w, struct rte_mbuf **outer);
unsigned esp_mb_run_in_chain(struct worker *w, struct rte_mbuf **inner);

#endif
