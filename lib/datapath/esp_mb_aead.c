/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * AES-GCM (RFC 4106) and ChaCha20-Poly1305 (RFC 7634) by intel-ipsec-mb, packet by packet: its code for one packet
 * fills the vector units of the CPU, so there is nothing to gain from more at a time.
 *
 * Still the packets of a burst are first framed, all of them, and then worked on, all of them, whatever their SAs: the
 * library reads in wide pieces what framing wrote in small ones, which stalls the CPU while the writes are not
 * in the cache yet.
 *
 * The nonce is the SA's salt and the packet's IV; ours is the sequence number, so that none is used twice under a
 * key. Additional data is the ESP header as it lies in the packet, or with ESN the number in full.
 */

#include "datapath/esp_frame.h"
#include "datapath/esp_mb.h"

#define AEAD_ICV    16
#define AEAD_IV     8
#define AAD_BYTES   8
#define AAD_ESN     12
#define NONCE_BYTES 12

/* `esp`: header and IV are written. */
static inline void add_work(struct esp_mb_aead_batch *b, struct sa_head *h, struct rte_mbuf *m,
    struct esp_frame f, uint64_t sequence)
{
	struct esp_mb_aead_work *work = &b->work[b->n];
	rte_be32_t high = rte_cpu_to_be_32((uint32_t)(sequence >> 32));

	b->m[b->n] = m;
	b->sa[b->n++] = h;
	work->text = f.esp + ESP_BYTES + AEAD_IV;
	work->bytes = f.clear;
	memcpy(work->nonce, h->salt, sizeof(h->salt));
	memcpy(work->nonce + sizeof(h->salt), f.esp + ESP_BYTES, AEAD_IV);
	work->aad = f.esp;
	work->aad_bytes = AAD_BYTES;
	if (!h->esn)
		return;
	memcpy(work->esn, f.esp, 4);
	memcpy(work->esn + 4, &high, 4);
	memcpy(work->esn + 8, f.esp + 4, 4);
	work->aad = work->esn;
	work->aad_bytes = AAD_ESN;
}

/*
 * In place; the ICV to `tag`. A job of its own, which is done on return: faster than the library's functions for
 * messages in pieces, and there are no others.
 */
static void chacha(IMB_MGR *manager, const union sa_mb_aead *key,
    const struct esp_mb_aead_work *work, IMB_CIPHER_DIRECTION direction, uint8_t *tag)
{
	struct IMB_JOB *job = IMB_GET_NEXT_JOB(manager);

	job->enc_keys = job->dec_keys = key->chacha;
	job->key_len_in_bytes = sizeof(key->chacha);
	job->src = job->dst = work->text;
	job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = work->bytes;
	job->iv = work->nonce;
	job->iv_len_in_bytes = NONCE_BYTES;
	job->u.CHACHA20_POLY1305.aad = work->aad;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = work->aad_bytes;
	job->auth_tag_output = tag;
	job->auth_tag_output_len_in_bytes = AEAD_ICV;
	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->cipher_direction = direction;
	job->chain_order =
	    direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	IMB_SUBMIT_JOB_NOCHECK(manager);
}

/* Packet i of the batch, in place. */
static inline void crypt_one(
    struct esp_mb *mb, unsigned i, IMB_CIPHER_DIRECTION direction, uint8_t *tag)
{
	const struct esp_mb_aead_work *work = &mb->aead.work[i];
	const struct sa_head *h = mb->aead.sa[i];
	aes_gcm_enc_dec_t crypt =
	    direction == IMB_DIR_ENCRYPT ? mb->seal[h->aead] : mb->open[h->aead];

	if (likely(crypt))
		crypt(&h->mb->aead.gcm, &mb->gcm, work->text, work->text, work->bytes, work->nonce,
		    work->aad, work->aad_bytes, tag, AEAD_ICV);
	else
		chacha(mb->manager, &h->mb->aead, work, direction, tag);
}

/* Outbound */

static inline void frame(struct esp_mb_aead_batch *b, unsigned worker, struct sa_out *sa,
    struct rte_mbuf **m, unsigned n)
{
	struct esp_mb_out_count count = {.packets = n};

	for (unsigned i = 0; i < n; i++) {
		uint64_t sequence = esp_note(m[i])->sequence;
		rte_be64_t iv = rte_cpu_to_be_64(sequence);
		struct esp_frame f;

		count.inner_bytes += m[i]->pkt_len;
		f = esp_frame(sa, m[i], sequence);
		count.outer_bytes += m[i]->pkt_len;
		memcpy(f.esp + ESP_BYTES, &iv, sizeof(iv));
		add_work(b, &sa->head, m[i], f, sequence);
	}
	esp_mb_count_out(worker, &sa->head, &count);
}

unsigned esp_mb_encap_aead(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	struct esp_mb_aead_batch *b = &w->esp->mb->aead;
	unsigned worker = w->id;

	(void)outer;
	if (esp_one_sa(sa, n)) {
		frame(b, worker, sa_out_of(sa[0]), m, n);
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		frame(b, worker, sa_out_of(sa[i]), m + i, 1);
	return 0;
}

unsigned esp_mb_run_out_aead(struct esp_mb *mb, struct rte_mbuf **outer)
{
	struct esp_mb_aead_batch *b = &mb->aead;
	unsigned n = b->n;

	for (unsigned i = 0; i < n; i++) {
		crypt_one(mb, i, IMB_DIR_ENCRYPT, b->work[i].text + b->work[i].bytes);
		outer[i] = b->m[i];
	}
	b->n = 0;
	return n;
}

/* Inbound */

unsigned esp_mb_decap_aead(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	(void)inner;
	for (unsigned i = 0; i < n; i++)
		add_work(&w->esp->mb->aead, sa[i], m[i], esp_frame_of(sa[i], m[i]),
		    esp_note(m[i])->sequence);
	return 0;
}

unsigned esp_mb_run_in_aead(struct worker *w, struct rte_mbuf **inner)
{
	struct esp_mb *mb = w->esp->mb;
	struct esp_mb_aead_batch *b = &mb->aead;
	unsigned done;

	for (unsigned i = 0; i < b->n; i++) {
		const uint8_t *received = b->work[i].text + b->work[i].bytes;
		uint8_t tag[AEAD_ICV];

		crypt_one(mb, i, IMB_DIR_DECRYPT, tag);
		b->m[i]->ol_flags &= ~RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
		if (unlikely(!esp_icv_equal(tag, received, AEAD_ICV)))
			b->m[i]->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
	}
	done = esp_inner_decrypted(w, b->sa, b->m, b->n, inner);
	b->n = 0;
	return done;
}
