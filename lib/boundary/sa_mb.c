/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From a struct sa_spec to keys that intel-ipsec-mb works with: round keys of the ciphers, powers of the hash key of
 * GCM, and the two hash states that an HMAC begins with (RFC 2104 4).
 */

#include "boundary/sa_mb.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include "base/secret.h"
#include "boundary/mb.h"

#define HMAC_BLOCK_MAX IMB_SHA_512_BLOCK_SIZE
#define IPAD           0x36
#define OPAD           0x5c

/* AEAD */

static int expand_aead(
    IMB_MGR *m, union sa_mb_aead *a, const struct sa_spec *spec, struct sa_head *h)
{
	unsigned key_bytes = alg_encr(spec->encr)->key_bytes;

	memcpy(h->salt, spec->encr_key + key_bytes, sizeof(h->salt)); /* RFC 4106 4, 7634 2 */
	switch (spec->encr) {
	case ENCR_AES128GCM16:
		h->aead = SA_AES128GCM;
		IMB_AES128_GCM_PRE(m, spec->encr_key, &a->gcm);
		return 0;
	case ENCR_AES256GCM16:
		h->aead = SA_AES256GCM;
		IMB_AES256_GCM_PRE(m, spec->encr_key, &a->gcm);
		return 0;
	case ENCR_CHACHA20POLY1305:
		h->aead = SA_CHACHA20POLY1305;
		memcpy(a->chacha, spec->encr_key, sizeof(a->chacha));
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* Cipher */

static void expand_des(IMB_MGR *m, struct sa_mb_chain *c, const struct sa_spec *spec)
{
	for (unsigned i = 0; i < c->key_bytes / IMB_DES_BLOCK_SIZE; i++) {
		IMB_DES_KEYSCHED(
		    m, c->des.round[i], spec->encr_key + (size_t)i * IMB_DES_BLOCK_SIZE);
		c->des.key[i] = c->des.round[i];
	}
	if (spec->encr == ENCR_DES) {
		c->cipher = IMB_CIPHER_DES;
		c->enc_keys = c->dec_keys = c->des.round[0];
	} else {
		c->cipher = IMB_CIPHER_DES3;
		c->enc_keys = c->dec_keys = c->des.key;
	}
}

static void expand_aes(IMB_MGR *m, struct sa_mb_chain *c, const struct sa_spec *spec)
{
	const keyexp_t expand = c->key_bytes == IMB_KEY_128_BYTES ? m->keyexp_128
	    : c->key_bytes == IMB_KEY_192_BYTES                   ? m->keyexp_192
								  : m->keyexp_256;

	expand(spec->encr_key, c->aes.enc, c->aes.dec);
	c->cipher = IMB_CIPHER_CBC;
	c->enc_keys = c->aes.enc;
	c->dec_keys = c->aes.dec;
}

static int expand_cipher(IMB_MGR *m, struct sa_mb_chain *c, const struct sa_spec *spec)
{
	const struct alg_encr_info *e = alg_encr(spec->encr);

	c->key_bytes = e->key_bytes;
	c->iv_bytes = e->iv_bytes;
	switch (spec->encr) {
	case ENCR_DES:
	case ENCR_3DES:
		expand_des(m, c, spec);
		return 0;
	case ENCR_AES128:
	case ENCR_AES192:
	case ENCR_AES256:
		expand_aes(m, c, spec);
		return 0;
	case ENCR_NULL:
		c->cipher = IMB_CIPHER_NULL;
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* HMAC */

struct hmac {
	IMB_HASH_ALG hash;
	hash_one_block_t first_block;
	unsigned state_bytes;
};

static struct hmac hmac_of(const IMB_MGR *m, enum alg_auth auth)
{
	switch (auth) {
	case AUTH_MD5:
		return (struct hmac){IMB_AUTH_MD5, m->md5_one_block, 16};
	case AUTH_SHA1:
		return (struct hmac){IMB_AUTH_HMAC_SHA_1, m->sha1_one_block, 20};
	case AUTH_SHA256:
		return (struct hmac){IMB_AUTH_HMAC_SHA_256, m->sha256_one_block, 32};
	case AUTH_SHA384:
		return (struct hmac){IMB_AUTH_HMAC_SHA_384, m->sha384_one_block, SA_MB_STATE_MAX};
	case AUTH_SHA512:
		return (struct hmac){IMB_AUTH_HMAC_SHA_512, m->sha512_one_block, SA_MB_STATE_MAX};
	default:
		return (struct hmac){IMB_AUTH_NULL, NULL, 0};
	}
}

static void first_state(
    const struct hmac *h, const struct sa_spec *spec, uint8_t pad, uint8_t *state)
{
	uint8_t block[HMAC_BLOCK_MAX];
	const struct alg_auth_info *a = alg_auth(spec->auth);

	memset(block, pad, sizeof(block));
	for (unsigned i = 0; i < a->key_bytes; i++)
		block[i] ^= spec->auth_key[i];
	h->first_block(block, state);
	secret_wipe(block, sizeof(block));
}

static int expand_chain(IMB_MGR *m, struct sa_mb_chain *c, const struct sa_spec *spec)
{
	struct hmac h = hmac_of(m, spec->auth);
	bool is_short = h.state_bytes <= SA_MB_STATE_MAX / 2;
	uint8_t *outer = c->hmac + (is_short ? SA_MB_STATE_MAX / 2 : SA_MB_STATE_MAX);
	int rc = expand_cipher(m, c, spec);

	if (rc || !h.first_block)
		return -ENOTSUP;
	c->hash = h.hash;
	first_state(&h, spec, IPAD, c->hmac);
	first_state(&h, spec, OPAD, outer);
	c->outer = outer;
	c->bursts = c->cipher == IMB_CIPHER_CBC && c->hash != IMB_AUTH_MD5;
	return 0;
}

/* Both */

int sa_mb_create(struct sa_cold *cold, const struct sa_spec *spec, struct sa_head *h)
{
	IMB_MGR *m = mb_of_control(crypto_mb(cold->crypto));
	bool aead = alg_is_aead(spec->encr);
	int rc;

	cold->mb = rte_zmalloc("sa", sizeof(*cold->mb), RTE_CACHE_LINE_SIZE);
	if (!cold->mb)
		return -ENOMEM;
	rc = aead ? expand_aead(m, &cold->mb->aead, spec, h)
		  : expand_chain(m, &cold->mb->chain, spec);
	h->engine = aead ? ESP_MB_AEAD : ESP_MB_CHAIN;
	if (rc)
		sa_mb_destroy(cold);
	return rc;
}

void sa_mb_destroy(struct sa_cold *cold)
{
	if (cold->mb)
		secret_wipe(cold->mb, sizeof(*cold->mb));
	rte_free(cold->mb);
	cold->mb = NULL;
}
