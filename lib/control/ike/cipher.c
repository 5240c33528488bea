/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Protection of IKE messages: CBC with HMAC, encrypt-then-MAC (RFC 7296 3.14), and AEAD (RFC 5282
 * AES-GCM, RFC 7634 ChaCha20-Poly1305). Everything happens in place:
 *
 *     | aad: clear part | IV | text: ciphertext | ICV |
 *       `--- HMAC covers all before the ICV ---'        AEAD: aad alone is additional data
 */

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/secret.h"
#include "ike/crypto.h"
#include "ike/crypto_check.h"

#define NONCE_BYTES 12 /* of both AEADs: salt | IV */

/* Each is looked for once: that costs more than to encrypt a message. DES is 3DES with three equal keys. */
static const EVP_CIPHER *cipher_of(enum alg_encr encr)
{
	static const char *const names[ENCR_COUNT] = {
	    [ENCR_DES] = "DES-EDE3-CBC",
	    [ENCR_3DES] = "DES-EDE3-CBC",
	    [ENCR_AES128] = "AES-128-CBC",
	    [ENCR_AES192] = "AES-192-CBC",
	    [ENCR_AES256] = "AES-256-CBC",
	    [ENCR_AES128GCM16] = "AES-128-GCM",
	    [ENCR_AES256GCM16] = "AES-256-GCM",
	    [ENCR_CHACHA20POLY1305] = "ChaCha20-Poly1305",
	};
	static EVP_CIPHER *found[ENCR_COUNT]; /* by the control thread alone */

	CRYPTO_CHECK(names[encr]);
	if (!found[encr])
		found[encr] = EVP_CIPHER_fetch(NULL, names[encr], NULL);
	return found[encr];
}

size_t ike_cipher_iv_bytes(const struct ike_cipher *c)
{
	return alg_encr(c->encr)->iv_bytes;
}

size_t ike_cipher_icv_bytes(const struct ike_cipher *c)
{
	return alg_is_aead(c->encr) ? alg_encr(c->encr)->icv_bytes : alg_auth(c->integ)->icv_bytes;
}

size_t ike_cipher_pad_bytes(const struct ike_cipher *c, size_t len)
{
	size_t block = alg_encr(c->encr)->block_bytes;
	size_t over = (len + 1) % block;

	return over ? block - over : 0;
}

void ike_cbc(enum alg_encr encr, const uint8_t *key, const uint8_t *iv, uint8_t *text, size_t len,
    bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t des[24];
	int done = 0;

	if (encr == ENCR_DES) {
		for (unsigned i = 0; i < 3; i++)
			memcpy(des + 8 * i, key, 8);
		key = des;
	}
	CRYPTO_CHECK(ctx && EVP_CipherInit_ex(ctx, cipher_of(encr), NULL, key, iv, encrypt));
	CRYPTO_CHECK(EVP_CIPHER_CTX_set_padding(ctx, 0));
	CRYPTO_CHECK(EVP_CipherUpdate(ctx, text, &done, text, (int)len) && (size_t)done == len);
	EVP_CIPHER_CTX_free(ctx);
	if (encr == ENCR_DES)
		secret_wipe(des, sizeof(des));
}

static EVP_CIPHER_CTX *aead_begin(
    const struct ike_cipher *c, const uint8_t *msg, size_t aad_len, bool encrypt)
{
	const struct alg_encr_info *info = alg_encr(c->encr);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[NONCE_BYTES];
	int done;

	memcpy(nonce, c->encr_key + info->key_bytes, info->salt_bytes);
	memcpy(nonce + info->salt_bytes, msg + aad_len, info->iv_bytes);
	CRYPTO_CHECK(
	    ctx && EVP_CipherInit_ex(ctx, cipher_of(c->encr), NULL, c->encr_key, nonce, encrypt));
	CRYPTO_CHECK(EVP_CipherUpdate(ctx, NULL, &done, msg, (int)aad_len));
	return ctx;
}

static void aead_seal(const struct ike_cipher *c, uint8_t *msg, size_t aad_len, size_t text_len)
{
	EVP_CIPHER_CTX *ctx = aead_begin(c, msg, aad_len, true);
	uint8_t *text = msg + aad_len + ike_cipher_iv_bytes(c);
	int done;

	CRYPTO_CHECK(EVP_CipherUpdate(ctx, text, &done, text, (int)text_len));
	CRYPTO_CHECK(EVP_CipherFinal_ex(ctx, text + text_len, &done));
	CRYPTO_CHECK(EVP_CIPHER_CTX_ctrl(
	    ctx, EVP_CTRL_AEAD_GET_TAG, (int)ike_cipher_icv_bytes(c), text + text_len));
	EVP_CIPHER_CTX_free(ctx);
}

static int aead_open(const struct ike_cipher *c, uint8_t *msg, size_t aad_len, size_t text_len)
{
	EVP_CIPHER_CTX *ctx = aead_begin(c, msg, aad_len, false);
	uint8_t *text = msg + aad_len + ike_cipher_iv_bytes(c);
	uint8_t last[EVP_MAX_BLOCK_LENGTH];
	int done, ok;

	CRYPTO_CHECK(EVP_CIPHER_CTX_ctrl(
	    ctx, EVP_CTRL_AEAD_SET_TAG, (int)ike_cipher_icv_bytes(c), text + text_len));
	CRYPTO_CHECK(EVP_CipherUpdate(ctx, text, &done, text, (int)text_len));
	ok = EVP_CipherFinal_ex(ctx, last, &done);
	EVP_CIPHER_CTX_free(ctx);
	if (ok <= 0)
		memset(text, 0, text_len); /* nobody acts on what was not authentic */
	return ok > 0 ? 0 : -EBADMSG;
}

static void mac(const struct ike_cipher *c, const uint8_t *msg, size_t len, uint8_t *out)
{
	struct ike_span all = {msg, len};

	ike_prf(c->integ, c->integ_key, alg_auth(c->integ)->key_bytes, &all, 1, out);
}

void ike_cipher_seal(const struct ike_cipher *c, uint8_t *msg, size_t aad_len, size_t text_len)
{
	size_t iv_len = ike_cipher_iv_bytes(c);
	uint8_t *text = msg + aad_len + iv_len;
	uint8_t icv[IKE_DIGEST_MAX];

	if (alg_is_aead(c->encr)) {
		aead_seal(c, msg, aad_len, text_len);
		return;
	}
	ike_cbc(c->encr, c->encr_key, msg + aad_len, text, text_len, true);
	mac(c, msg, aad_len + iv_len + text_len, icv);
	memcpy(text + text_len, icv, ike_cipher_icv_bytes(c));
}

int ike_cipher_open(const struct ike_cipher *c, uint8_t *msg, size_t aad_len, size_t text_len)
{
	size_t iv_len = ike_cipher_iv_bytes(c);
	uint8_t *text = msg + aad_len + iv_len;
	uint8_t icv[IKE_DIGEST_MAX];

	if (alg_is_aead(c->encr))
		return aead_open(c, msg, aad_len, text_len);
	mac(c, msg, aad_len + iv_len + text_len, icv);
	if (!secret_equal(icv, text + text_len, ike_cipher_icv_bytes(c)))
		return -EBADMSG;
	if (text_len == 0 || text_len % alg_encr(c->encr)->block_bytes)
		return -EBADMSG;
	ike_cbc(c->encr, c->encr_key, msg + aad_len, text, text_len, false);
	return 0;
}
