/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engines over intel-ipsec-mb: their state, the seam to all engines, and what AEADs and chains of cipher and
 * HMAC have in common behind the crypto.
 */

#include "datapath/esp_mb.h"

#include <rte_malloc.h>

#include "base/secret.h"
#include "datapath/esp_frame.h"

#define P1(n)  n
#define P4(n)  P1(n), P1((n) + 1), P1((n) + 2), P1((n) + 3)
#define P16(n) P4(n), P4((n) + 4), P4((n) + 8), P4((n) + 12)
#define P64(n) P16(n), P16((n) + 16), P16((n) + 32), P16((n) + 48)

const uint8_t esp_padding[ESP_PAD_MAX + 1] = {P64(1), P64(65), P64(129), P16(193), P16(209),
    P16(225), P4(241), P4(245), P4(249), P1(253), P1(254), P1(255), 0};

const struct esp_engine_ops esp_engines[ESP_ENGINE_COUNT] = {
    [ESP_MB_AEAD] = {esp_mb_encap_aead, esp_mb_decap_aead},
    [ESP_MB_CHAIN] = {esp_mb_encap_chain, esp_mb_decap_chain},
    [ESP_RTE_IPSEC_SYNC] = {esp_rte_encap_sync, esp_rte_decap_sync},
    [ESP_RTE_IPSEC_QUEUE] = {esp_rte_encap_queue, esp_rte_decap_queue},
};

/* Of one SA. */
static unsigned decrypted(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	unsigned kept = 0;

	n = esp_inner_accept(w, sa, m, n);
	for (unsigned i = 0; i < n; i++) {
		uint8_t next;

		if (likely(esp_unframe(&sa->head, m[i], &next)))
			m[kept++] = m[i];
		else
			esp_inner_refuse(w, sa, m[i], next);
	}
	return kept ? esp_inner_finish(w, sa, m, kept, inner) : 0;
}

unsigned esp_mb_decrypted(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	unsigned done = 0;

	for (unsigned i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && sa[end] == sa[i]; end++)
			;
		done += decrypted(
		    w, container_of(sa[i], struct sa_in, head), m + i, end - i, inner + done);
	}
	return done;
}

unsigned esp_mb_run_out(struct worker *w, struct rte_mbuf **outer)
{
	unsigned done = esp_mb_run_out_aead(w->esp->mb, outer);

	return w->esp->mb->batch.n ? done + esp_mb_run_out_chain(w, outer + done) : done;
}

unsigned esp_mb_run_in(struct worker *w, struct rte_mbuf **inner)
{
	unsigned done = esp_mb_run_in_aead(w, inner);

	return w->esp->mb->batch.n ? done + esp_mb_run_in_chain(w, inner + done) : done;
}

int esp_mb_init(struct worker *w)
{
	const struct mb *mb = w->b->crypto ? crypto_mb(w->b->crypto) : NULL;

	if (!mb)
		return 0;
	w->esp->mb = rte_zmalloc("esp", sizeof(struct esp_mb), RTE_CACHE_LINE_SIZE);
	if (!w->esp->mb)
		return -ENOMEM;
	w->esp->mb->manager = mb_of_worker(mb, w->id);
	return 0;
}

void esp_mb_fini(struct worker *w)
{
	if (w->esp->mb)
		secret_wipe(w->esp->mb, sizeof(struct esp_mb));
	rte_free(w->esp->mb);
	w->esp->mb = NULL;
}
