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

/* SPI, and the number in full (RFC 4106 5). */
static inline void set_esn(uint8_t *aad, const uint8_t *esp, uint64_t sequence)
{
	rte_be64_t number = rte_cpu_to_be_64(sequence);

	memcpy(aad, esp, 4);
	memcpy(aad + 4, &number, sizeof(number));
}

/* Packet i of the batch. Header and IV are written; `iv` as they are in the packet. */
static inline void set_work(struct esp_mb_aead_batch *b, unsigned i, struct sa_head *h,
    struct rte_mbuf *m, struct esp_frame f, rte_be64_t iv)
{
	struct esp_mb_aead_work *work = &b->work[i];

	b->m[i] = m;
	b->sa[i] = h;
	memcpy(work->nonce, h->salt, sizeof(h->salt));
	memcpy(work->nonce + sizeof(h->salt), &iv, sizeof(iv));
	work->esp = f.esp;
	work->bytes = f.clear;
	if (h->esn)
		set_esn(b->esn[i], f.esp, esp_note(m)->sequence);
}

static inline uint8_t *text_of(const struct esp_mb_aead_work *work)
{
	return work->esp + ESP_BYTES + AEAD_IV;
}

static inline uint8_t *icv_of(const struct esp_mb_aead_work *work)
{
	return text_of(work) + work->bytes;
}

/*
 * In place; the ICV to `tag`. A job of its own, which is done on return: faster than the library's functions for
 * messages in pieces, and there are no others.
 */
static void chacha(IMB_MGR *manager, const union sa_mb_aead *key,
    const struct esp_mb_aead_work *work, const uint8_t *aad, unsigned aad_bytes,
    IMB_CIPHER_DIRECTION direction, uint8_t *tag)
{
	struct IMB_JOB *job = IMB_GET_NEXT_JOB(manager);

	job->enc_keys = job->dec_keys = key->chacha;
	job->key_len_in_bytes = sizeof(key->chacha);
	job->src = job->dst = text_of(work);
	job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = work->bytes;
	job->iv = work->nonce;
	job->iv_len_in_bytes = NONCE_BYTES;
	job->u.CHACHA20_POLY1305.aad = aad;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = aad_bytes;
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
	uint8_t *text = text_of(work);
	const uint8_t *aad = work->esp;
	unsigned aad_bytes = AAD_BYTES;

	if (h->esn) {
		aad = mb->aead.esn[i];
		aad_bytes = AAD_ESN;
	}
	if (likely(crypt))
		crypt(&h->mb->aead.gcm, &mb->gcm, text, text, work->bytes, work->nonce, aad,
		    aad_bytes, tag, AEAD_ICV);
	else
		chacha(mb->manager, &h->mb->aead, work, aad, aad_bytes, direction, tag);
}

/* Outbound */

/* Packet i of the batch. Returns the bytes of the outer packet. */
static __rte_always_inline unsigned frame(
    struct esp_mb_aead_batch *b, unsigned i, struct sa_out *sa, struct rte_mbuf *m)
{
	uint64_t sequence = esp_note(m)->sequence;
	rte_be64_t iv = rte_cpu_to_be_64(sequence);
	struct esp_frame f = esp_frame(sa, m, sequence);

	memcpy(f.esp + ESP_BYTES, &iv, sizeof(iv));
	set_work(b, i, &sa->head, m, f, iv);
	return f.total;
}

static void frame_one_sa(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	struct esp_mb_aead_batch *b = &w->esp->mb->aead;
	uint64_t inner_bytes = 0, outer_bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		inner_bytes += m[i]->pkt_len;
		outer_bytes += frame(b, b->n + i, sa, m[i]);
	}
	esp_count_out(w, sa, inner_bytes, outer_bytes, w->esp->shared_sas);
}

static void frame_mixed(
    struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m, unsigned n)
{
	struct esp_mb_aead_batch *b = &w->esp->mb->aead;
	bool shared = w->esp->shared_sas;

	for (unsigned i = 0; i < n; i++) {
		struct sa_out *out = sa_out_of(sa[i]);
		unsigned inner_bytes = m[i]->pkt_len;

		esp_count_out(w, out, inner_bytes, frame(b, b->n + i, out, m[i]), shared);
	}
}

unsigned esp_mb_encap_aead(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	(void)outer;
	if (esp_one_sa(sa, n))
		frame_one_sa(w, sa_out_of(sa[0]), m, n);
	else
		frame_mixed(w, sa, m, n);
	w->esp->mb->aead.n += n;
	return 0;
}

unsigned esp_mb_run_out_aead(struct esp_mb *mb, struct rte_mbuf **outer)
{
	struct esp_mb_aead_batch *b = &mb->aead;
	unsigned n = b->n;

	for (unsigned i = 0; i < n; i++) {
		crypt_one(mb, i, IMB_DIR_ENCRYPT, icv_of(&b->work[i]));
		outer[i] = b->m[i];
	}
	b->n = 0;
	return n;
}

/* Inbound */

unsigned esp_mb_decap_aead(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	struct esp_mb_aead_batch *b = &w->esp->mb->aead;

	(void)inner;
	for (unsigned i = 0; i < n; i++) {
		struct esp_frame f = esp_frame_of(sa[i], m[i]);
		rte_be64_t iv;

		memcpy(&iv, f.esp + ESP_BYTES, sizeof(iv));
		set_work(b, b->n + i, sa[i], m[i], f, iv);
	}
	b->n += n;
	return 0;
}

unsigned esp_mb_run_in_aead(struct worker *w, struct rte_mbuf **inner)
{
	struct esp_mb *mb = w->esp->mb;
	struct esp_mb_aead_batch *b = &mb->aead;
	unsigned done;

	for (unsigned i = 0; i < b->n; i++) {
		uint8_t tag[AEAD_ICV];

		crypt_one(mb, i, IMB_DIR_DECRYPT, tag);
		b->m[i]->ol_flags &= ~RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
		if (unlikely(!esp_icv_equal(tag, icv_of(&b->work[i]), AEAD_ICV)))
			b->m[i]->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
	}
	done = esp_inner_decrypted(w, b->sa, b->m, b->n, inner);
	b->n = 0;
	return done;
}
