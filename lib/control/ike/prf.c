/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Hashes, HMAC as PRF, and prf+ (RFC 7296 2.13). Keys of any length: HMAC hashes those above its block.
 */

#include <assert.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/secret.h"
#include "ike/crypto.h"
#include "ike/crypto_check.h"

/*
 * Finding an algorithm in libcrypto costs more than the HMAC of a short text: each is looked for once. What
 * is found never changes, and the control thread alone comes here.
 */
static const EVP_MD *digest_of(enum alg_auth alg)
{
	static const char *const names[AUTH_COUNT] = {
	    [AUTH_MD5] = "MD5",
	    [AUTH_SHA1] = "SHA1",
	    [AUTH_SHA256] = "SHA256",
	    [AUTH_SHA384] = "SHA384",
	    [AUTH_SHA512] = "SHA512",
	};
	static EVP_MD *found[AUTH_COUNT];

	CRYPTO_CHECK(names[alg]);
	if (!found[alg])
		found[alg] = EVP_MD_fetch(NULL, names[alg], NULL);
	CRYPTO_CHECK(found[alg]);
	return found[alg];
}

/* A context that knows its digest but has no key yet, to make copies of. */
static const EVP_MAC_CTX *hmac_of(enum alg_auth alg)
{
	static EVP_MAC_CTX *found[AUTH_COUNT];
	OSSL_PARAM params[2];
	EVP_MAC *hmac;

	if (found[alg])
		return found[alg];
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	CRYPTO_CHECK(hmac);
	found[alg] = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac); /* the context holds it */
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_MAC_PARAM_DIGEST, (char *)EVP_MD_get0_name(digest_of(alg)), 0);
	params[1] = OSSL_PARAM_construct_end();
	CRYPTO_CHECK(found[alg] && EVP_MAC_CTX_set_params(found[alg], params));
	return found[alg];
}

static EVP_MAC_CTX *hmac_begin(enum alg_auth alg, const void *key, size_t key_len)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(hmac_of(alg));

	/* An empty key is one byte of "no key" to libcrypto unless it gets a pointer. */
	CRYPTO_CHECK(ctx && EVP_MAC_init(ctx, key_len ? key : "", key_len, NULL));
	return ctx;
}

static void hmac_add(EVP_MAC_CTX *ctx, const struct ike_span *in, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CRYPTO_CHECK(EVP_MAC_update(ctx, in[i].bytes, in[i].len));
}

static void hmac_end(EVP_MAC_CTX *ctx, uint8_t out[IKE_DIGEST_MAX])
{
	size_t len;

	CRYPTO_CHECK(EVP_MAC_final(ctx, out, &len, IKE_DIGEST_MAX));
}

void ike_prf(enum alg_auth alg, const void *key, size_t key_len, const struct ike_span *in,
    unsigned count, uint8_t out[IKE_DIGEST_MAX])
{
	EVP_MAC_CTX *ctx = hmac_begin(alg, key, key_len);

	hmac_add(ctx, in, count);
	hmac_end(ctx, out);
	EVP_MAC_CTX_free(ctx);
}

/* T1 = prf(K, S | 0x01), Tn = prf(K, Tn-1 | S | n). */
void ike_prf_plus(enum alg_auth alg, const void *key, size_t key_len, const struct ike_span *seed,
    unsigned count, uint8_t *out, size_t len)
{
	size_t digest = alg_auth(alg)->digest_bytes;
	EVP_MAC_CTX *ctx = hmac_begin(alg, key, key_len);
	uint8_t block[IKE_DIGEST_MAX];

	assert(len <= 255 * digest);
	for (uint8_t n = 1; len > 0; n++) {
		struct ike_span number = {&n, 1}, previous = {block, digest};
		size_t take = len < digest ? len : digest;

		if (n > 1) {
			CRYPTO_CHECK(EVP_MAC_init(ctx, NULL, 0, NULL));
			hmac_add(ctx, &previous, 1);
		}
		hmac_add(ctx, seed, count);
		hmac_add(ctx, &number, 1);
		hmac_end(ctx, block);
		memcpy(out, block, take);
		out += take;
		len -= take;
	}
	secret_wipe(block, sizeof(block));
	EVP_MAC_CTX_free(ctx);
}

void ike_hash(
    enum alg_auth alg, const struct ike_span *in, unsigned count, uint8_t out[IKE_DIGEST_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	CRYPTO_CHECK(ctx && EVP_DigestInit_ex(ctx, digest_of(alg), NULL));
	for (unsigned i = 0; i < count; i++)
		CRYPTO_CHECK(EVP_DigestUpdate(ctx, in[i].bytes, in[i].len));
	CRYPTO_CHECK(EVP_DigestFinal_ex(ctx, out, NULL));
	EVP_MD_CTX_free(ctx);
}
