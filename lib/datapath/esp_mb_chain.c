/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A cipher and an HMAC by intel-ipsec-mb, over all packets of a burst, of whatever SAs: its multi-buffer code works
 * on up to 16 packets side by side, so single packets would leave most lanes empty.
 *
 *   engine   frames each packet and describes it in a job of the batch
 *   run      packets of one pair of algorithms in a row go to the library together: all of them through the cipher,
 *            then all through the hash (inbound the other way round). What it takes in no bursts (DES, 3DES, MD5, the
 *            null cipher) goes through its queue of jobs, which is emptied at once.
 *   finish   SA by SA: ICVs written, or compared and the packets handed on
 *
 * AES-CBC: the message begins with a block that holds the sequence number, encrypted under the secret mask of the SA
 * as IV; its ciphertext is the IV on the wire (boundary/sa.c).
 */

#include "datapath/esp.h"
#include "datapath/esp_frame.h"
#include "datapath/esp_mb.h"

/* Describing */

/* What a job needs to know of its SA. The library reads no other fields for these algorithms. */
static inline struct IMB_JOB *add_job(
    struct esp_mb_batch *b, struct sa_head *h, struct rte_mbuf *m, IMB_CIPHER_DIRECTION direction)
{
	const struct sa_mb_chain *c = &h->mb->chain;
	struct IMB_JOB *job = &b->job[b->n];

	job->enc_keys = c->enc_keys;
	job->dec_keys = c->dec_keys;
	job->key_len_in_bytes = c->key_bytes;
	job->iv_len_in_bytes = c->iv_bytes;
	job->auth_tag_output = b->digest[b->n];
	job->auth_tag_output_len_in_bytes = h->icv_bytes;
	job->u.HMAC._hashed_auth_key_xor_ipad = c->hmac;
	job->u.HMAC._hashed_auth_key_xor_opad = c->outer;
	job->status = IMB_STATUS_BEING_PROCESSED;
	job->cipher_mode = c->cipher;
	job->cipher_direction = direction;
	job->hash_alg = c->hash;
	job->chain_order =
	    direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->user_data = (void *)(uintptr_t)b->n;
	b->m[b->n] = m;
	b->sa[b->n] = h;
	b->n++;
	return job;
}

/* The message starts at `offset` of the ESP packet, and is as long as that. */
static inline void set_cipher(
    struct IMB_JOB *job, uint8_t *esp, unsigned offset, unsigned bytes, const uint8_t *iv)
{
	job->src = esp;
	job->dst = esp + offset;
	job->cipher_start_src_offset_in_bytes = offset;
	job->msg_len_to_cipher_in_bytes = bytes;
	job->iv = iv;
}

/* From the ESP header to the trailer; with ESN the upper half of the number follows, where the ICV will be. */
static inline void set_hash(
    struct IMB_JOB *job, const struct sa_head *h, uint8_t *esp, unsigned bytes, uint64_t sequence)
{
	rte_be32_t high = rte_cpu_to_be_32((uint32_t)(sequence >> 32));

	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = bytes;
	if (!h->esn)
		return;
	memcpy(esp + bytes, &high, sizeof(high));
	job->msg_len_to_hash_in_bytes += sizeof(high);
}

/* Running */

static void run_bursts(IMB_MGR *m, struct IMB_JOB *job, unsigned n)
{
	IMB_CIPHER_DIRECTION direction = job->cipher_direction;
	IMB_KEY_SIZE_BYTES key = (IMB_KEY_SIZE_BYTES)job->key_len_in_bytes;

	if (direction == IMB_DIR_DECRYPT)
		IMB_SUBMIT_HASH_BURST_NOCHECK(m, job, n, job->hash_alg);
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(m, job, n, job->cipher_mode, direction, key);
	if (direction == IMB_DIR_ENCRYPT)
		IMB_SUBMIT_HASH_BURST_NOCHECK(m, job, n, job->hash_alg);
}

/* The library works on copies, and gives them back in its own order. */
static void run_jobs(IMB_MGR *m, struct IMB_JOB *job, unsigned n)
{
	struct IMB_JOB *first = job - (uintptr_t)job->user_data;
	struct IMB_JOB *done;

	for (unsigned i = 0; i < n; i++) {
		struct IMB_JOB *next = IMB_GET_NEXT_JOB(m);

		*next = job[i];
		for (done = IMB_SUBMIT_JOB_NOCHECK(m); done; done = IMB_GET_COMPLETED_JOB(m))
			first[(uintptr_t)done->user_data].status = done->status;
	}
	while ((done = IMB_FLUSH_JOB(m)) != NULL)
		first[(uintptr_t)done->user_data].status = done->status;
}

static inline bool same_algorithms(const struct IMB_JOB *a, const struct IMB_JOB *b)
{
	return a->cipher_mode == b->cipher_mode && a->hash_alg == b->hash_alg &&
	    a->key_len_in_bytes == b->key_len_in_bytes;
}

static void run(IMB_MGR *m, struct esp_mb_batch *b)
{
	for (unsigned i = 0, end; i < b->n; i = end) {
		for (end = i + 1; end < b->n && same_algorithms(&b->job[i], &b->job[end]); end++)
			;
		if (b->sa[i]->mb->chain.bursts)
			run_bursts(m, &b->job[i], end - i);
		else
			run_jobs(m, &b->job[i], end - i);
	}
}

static inline bool is_done(const struct IMB_JOB *job)
{
	return likely(job->status == IMB_STATUS_COMPLETED);
}

/* Outbound */

static inline void frame(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	uint64_t inner_bytes = 0, outer_bytes = 0;
	struct sa_head *h = &sa->head;
	unsigned iv_bytes = h->mb->chain.iv_bytes;

	for (unsigned i = 0; i < n; i++) {
		uint64_t sequence = esp_note(m[i])->sequence;
		rte_be64_t number[2] = {rte_cpu_to_be_64(sequence), 0};
		struct IMB_JOB *job;
		struct esp_frame f;

		inner_bytes += m[i]->pkt_len;
		f = esp_frame(sa, m[i], sequence);
		outer_bytes += f.total;
		memcpy(f.esp + ESP_BYTES, number, iv_bytes);
		job = add_job(&w->esp->mb->batch, h, m[i], IMB_DIR_ENCRYPT);
		set_cipher(job, f.esp, ESP_BYTES, iv_bytes + f.clear, h->mb->chain.iv_mask);
		set_hash(job, h, f.esp, h->header_bytes + f.clear, sequence);
	}
	esp_count_out(w, sa, inner_bytes, outer_bytes, w->esp->shared_sas);
}

unsigned esp_mb_encap_chain(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	unsigned run = esp_one_sa(sa, n) ? n : 1;

	(void)outer;
	for (unsigned i = 0; i < n; i += run)
		frame(w, sa_out_of(sa[i]), m + i, run);
	return 0;
}

unsigned esp_mb_run_out_chain(struct worker *w, struct rte_mbuf **outer)
{
	struct esp_mb_batch *b = &w->esp->mb->batch;
	unsigned done = 0;

	run(w->esp->mb->manager, b);
	for (unsigned i = 0; i < b->n; i++) {
		unsigned icv = b->sa[i]->icv_bytes;
		struct rte_mbuf *m = b->m[i];

		if (unlikely(!is_done(&b->job[i]))) {
			b->sa[i]->of_worker[w->id].other++;
			drop(w, m, DROP_CRYPTO_FAILED);
			continue;
		}
		memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len - icv), b->digest[i], icv);
		outer[done++] = m;
	}
	b->n = 0;
	return done;
}

/* Inbound */

unsigned esp_mb_decap_chain(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner)
{
	struct esp_mb_batch *b = &w->esp->mb->batch;

	(void)inner;
	for (unsigned i = 0; i < n; i++) {
		struct sa_head *h = sa[i];
		struct esp_frame f = esp_frame_of(h, m[i]);
		struct IMB_JOB *job = add_job(b, h, m[i], IMB_DIR_DECRYPT);

		memcpy(b->received[b->n - 1], f.esp + h->header_bytes + f.clear, h->icv_bytes);
		set_cipher(job, f.esp, h->header_bytes, f.clear, f.esp + ESP_BYTES);
		set_hash(job, h, f.esp, h->header_bytes + f.clear, esp_note(m[i])->sequence);
	}
	return 0;
}

/* The verdict on a packet, as esp_inner_accept() reads it. */
static inline void judge(struct esp_mb_batch *b, unsigned i)
{
	struct rte_mbuf *m = b->m[i];
	bool done = is_done(&b->job[i]);

	m->ol_flags &= ~RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
	if (unlikely(!done || !esp_icv_equal(b->digest[i], b->received[i], b->sa[i]->icv_bytes))) {
		m->ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
		esp_note(m)->failed = !done;
	}
}

unsigned esp_mb_run_in_chain(struct worker *w, struct rte_mbuf **inner)
{
	struct esp_mb_batch *b = &w->esp->mb->batch;
	unsigned done;

	run(w->esp->mb->manager, b);
	for (unsigned i = 0; i < b->n; i++)
		judge(b, i);
	done = esp_inner_decrypted(w, b->sa, b->m, b->n, inner);
	b->n = 0;
	return done;
}
