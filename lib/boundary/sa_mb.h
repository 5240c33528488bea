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

/* The salt is in the head of the SA. */
union sa_mb_aead {
	struct gcm_key_data gcm;
	uint8_t chacha[32];
};

/* Cipher and HMAC. */
struct sa_mb_chain {
	union {
		struct {
			uint32_t enc[4 * 15], dec[4 * 15];
		} aes __attribute__((aligned(16)));
		struct {
			uint64_t round[3][SA_MB_DES_ROUNDS];
			const void *key[3];
		} des;
	};
	uint8_t inner[64] __attribute__((aligned(16))); /* HMAC: state after the first block */
	uint8_t outer[64];
	/* as struct IMB_JOB wants them */
	const void *enc_keys, *dec_keys;
	uint8_t key_bytes, iv_bytes;
	bool bursts; /* the library takes whole bursts of this cipher, then of this hash */
	IMB_CIPHER_MODE cipher;
	IMB_HASH_ALG hash;
};

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
