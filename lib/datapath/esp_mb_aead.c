/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * AES-GCM (RFC 4106) and ChaCha20-Poly1305 (RFC 7634) by intel-ipsec-mb, packet by packet: its code for one packet
 * fills the vector units of the CPU, so there is nothing to gain from more at a time.
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

struct aead_input {
	uint8_t nonce[NONCE_BYTES + 4]; /* read in a piece of 16 */
	uint8_t esn[AAD_ESN + 4];
	const uint8_t *aad;
	unsigned aad_bytes;
};

/* `esp`: header and IV are written. */
static inline void input_of(struct aead_input *in, const struct sa_head *h,
    const struct sa_mb_aead *key, const uint8_t *esp, uint64_t sequence)
{
	rte_be32_t high = rte_cpu_to_be_32((uint32_t)(sequence >> 32));

	memcpy(in->nonce, key->salt, sizeof(key->salt));
	memcpy(in->nonce + sizeof(key->salt), esp + ESP_BYTES, AEAD_IV);
	in->aad = esp;
	in->aad_bytes = AAD_BYTES;
	if (!h->esn)
		return;
	memcpy(in->esn, esp, 4);
	memcpy(in->esn + 4, &high, 4);
	memcpy(in->esn + 8, esp + 4, 4);
	in->aad = in->esn;
	in->aad_bytes = AAD_ESN;
}

/*
 * In place; the ICV to `tag`. A job of its own, which is done on return: faster than the library's functions for
 * messages in pieces, and there are no others.
 */
static void chacha(struct esp_mb *mb, const struct sa_mb_aead *key, const struct aead_input *in,
    IMB_CIPHER_DIRECTION direction, uint8_t *text, unsigned bytes, uint8_t *tag)
{
	struct IMB_JOB *job = IMB_GET_NEXT_JOB(mb->manager);

	job->enc_keys = job->dec_keys = key->chacha;
	job->key_len_in_bytes = sizeof(key->chacha);
	job->src = job->dst = text;
	job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = bytes;
	job->iv = in->nonce;
	job->iv_len_in_bytes = NONCE_BYTES;
	job->u.CHACHA20_POLY1305.aad = in->aad;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = in->aad_bytes;
	job->auth_tag_output = tag;
	job->auth_tag_output_len_in_bytes = AEAD_ICV;
	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->cipher_direction = direction;
	job->chain_order =
	    direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	IMB_SUBMIT_JOB_NOCHECK(mb->manager);
}

unsigned esp_mb_encap_aead(struct worker *w, struct sa_out *sa, uint64_t first, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	struct esp_mb *mb = w->esp->mb;
	const struct sa_mb_aead *key = &sa->head.mb->aead;
	uint64_t inner_bytes = 0, outer_bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t sequence = first + i;
		rte_be64_t iv = rte_cpu_to_be_64(sequence);
		struct aead_input in;
		struct esp_frame f;
		uint8_t *text;

		inner_bytes += m[i]->pkt_len;
		f = esp_frame(sa, m[i], sequence);
		outer_bytes += m[i]->pkt_len;
		memcpy(f.esp + ESP_BYTES, &iv, sizeof(iv));
		text = f.esp + ESP_BYTES + AEAD_IV;
		input_of(&in, &sa->head, key, f.esp, sequence);
		if (likely(key->crypt))
			key->crypt(&key->gcm, &mb->gcm, text, text, f.clear, in.nonce, in.aad,
			    in.aad_bytes, text + f.clear, AEAD_ICV);
		else
			chacha(mb, key, &in, IMB_DIR_ENCRYPT, text, f.clear, text + f.clear);
		outer[i] = m[i];
	}
	esp_mb_count_out(w, &sa->head, n, inner_bytes, outer_bytes);
	return n;
}

unsigned esp_mb_decap_aead(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	struct esp_mb *mb = w->esp->mb;
	const struct sa_mb_aead *key = &sa->head.mb->aead;

	for (unsigned i = 0; i < n; i++) {
		struct esp_frame f = esp_frame_of(&sa->head, m[i]);
		uint8_t *text = f.esp + ESP_BYTES + AEAD_IV;
		uint8_t tag[AEAD_ICV];
		struct aead_input in;

		input_of(&in, &sa->head, key, f.esp, esp_note(m[i])->sequence);
		if (likely(key->crypt))
			key->crypt(&key->gcm, &mb->gcm, text, text, f.clear, in.nonce, in.aad,
			    in.aad_bytes, tag, AEAD_ICV);
		else
			chacha(mb, key, &in, IMB_DIR_DECRYPT, text, f.clear, tag);
		m[i]->ol_flags &= ~RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
		if (unlikely(!esp_icv_equal(tag, text + f.clear, AEAD_ICV)))
			m[i]->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
	}
	return esp_mb_decrypted(w, sa, m, n, inner);
}
