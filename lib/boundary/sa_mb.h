/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_SA_MB_H
#define BOUNDARY_SA_MB_H

/*
 * The intel-ipsec-mb half of an SA: its keys, expanded once when the SA is made. Workers only read it. Secret: it
 * is wiped when the SA is freed, and nothing prints it.
 */

#include <intel-ipsec-mb.h>

#include "boundary/sa.h"

#define SA_MB_DES_ROUNDS 16
#define SA_MB_STATE_MAX  64 /* of SHA-512 */

/* The salt is in the head of the SA. */
union sa_mb_aead {
	struct gcm_key_data gcm;
	uint8_t chacha[32];
};

/* Cipher and HMAC, in as few cache lines as can be: with many tunnels in a burst each is one that has to be waited for. */
struct sa_mb_chain {
	/* as struct IMB_JOB wants them; `outer` is in hmac[], behind the inner state */
	const void *enc_keys, *dec_keys, *outer;
	IMB_CIPHER_MODE cipher;
	IMB_HASH_ALG hash;
	uint8_t key_bytes, iv_bytes;
	bool bursts; /* the library takes whole bursts of this cipher, then of this hash */
	uint8_t iv_mask[SA_IV_MASK_BYTES] __attribute__((aligned(16))); /* outbound: a copy */
	/* HMAC: inner and outer state after the first block, side by side when they are short */
	uint8_t hmac[2 * SA_MB_STATE_MAX] __rte_cache_aligned;
	union {
		struct {
			uint32_t enc[4 * 15] __rte_cache_aligned;
			uint32_t dec[4 * 15] __rte_cache_aligned;
		} aes;
		struct {
			uint64_t round[3][SA_MB_DES_ROUNDS];
			const void *key[3];
		} des;
	};
};
static_assert(
    offsetof(struct sa_mb_chain, hmac) == RTE_CACHE_LINE_SIZE, "what a job needs: one line");

struct sa_mb {
	union {
		union sa_mb_aead aead;
		struct sa_mb_chain chain;
	};
} __rte_cache_aligned;

/* Expands the keys, and puts engine, algorithm and salt into the head. 0, -ENOTSUP, -ENOMEM. */
int sa_mb_create(struct sa_cold *cold, const struct sa_spec *spec, struct sa_head *h);
/* Wipes and frees; also what was never made. */
void sa_mb_destroy(struct sa_cold *cold);

#endif
