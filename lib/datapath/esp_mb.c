/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engines over intel-ipsec-mb: their state, and the seam to all engines.
 */

#include "datapath/esp_mb.h"

#include <rte_malloc.h>

#include "base/secret.h"
#include "boundary/near.h"
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
	IMB_MGR *m;

	if (!mb)
		return 0;
	w->esp->mb = near_zmalloc(w->id, sizeof(struct esp_mb));
	if (!w->esp->mb)
		return -ENOMEM;
	m = mb_of_worker(mb, w->id);
	w->esp->mb->manager = m;
	w->esp->mb->seal[SA_AES128GCM] = m->gcm128_enc;
	w->esp->mb->seal[SA_AES256GCM] = m->gcm256_enc;
	w->esp->mb->open[SA_AES128GCM] = m->gcm128_dec;
	w->esp->mb->open[SA_AES256GCM] = m->gcm256_dec;
	return 0;
}

void esp_mb_fini(struct worker *w)
{
	if (w->esp->mb)
		secret_wipe(w->esp->mb, sizeof(struct esp_mb));
	rte_free(w->esp->mb);
	w->esp->mb = NULL;
}
