/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Diffie-Hellman groups: MODP 1, 2, 5, 14, 15, 16 (RFC 2409, 3526), ECP 19, 20, 21 (RFC 5903) and
 * X25519 (RFC 8031). Values are fixed-size byte strings, as the KE payload carries them. Peer values
 * are checked as RFC 6989 demands before they meet the private value.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/crypto.h"
#include "ike/crypto_check.h"

#define PRIVATE_MAX 66 /* bytes: P-521; MODP uses short exponents */

struct ike_dh {
	enum alg_dh group;
	size_t private_len;
	uint8_t private_value[PRIVATE_MAX];
	uint8_t public_value[IKE_DH_PUBLIC_MAX];
};

struct kind {
	BIGNUM *(*prime)(BIGNUM *); /* MODP */
	int curve;                  /* ECP: NID */
	uint8_t private_bytes;
};

/* MODP exponents: twice the strength of the group and more (RFC 3526 8). */
static const struct kind kinds[DH_COUNT] = {
    [DH_1] = {BN_get_rfc2409_prime_768, 0, 32},
    [DH_2] = {BN_get_rfc2409_prime_1024, 0, 32},
    [DH_5] = {BN_get_rfc3526_prime_1536, 0, 32},
    [DH_14] = {BN_get_rfc3526_prime_2048, 0, 40},
    [DH_15] = {BN_get_rfc3526_prime_3072, 0, 52},
    [DH_16] = {BN_get_rfc3526_prime_4096, 0, 60},
    [DH_19] = {NULL, NID_X9_62_prime256v1, 32},
    [DH_20] = {NULL, NID_secp384r1, 48},
    [DH_21] = {NULL, NID_secp521r1, 66},
    [DH_31] = {NULL, 0, 32},
};

/* The scope of big numbers of one computation. */
static BN_CTX *numbers_begin(void)
{
	BN_CTX *ctx = BN_CTX_secure_new();

	CRYPTO_CHECK(ctx);
	BN_CTX_start(ctx);
	return ctx;
}

static void numbers_end(BN_CTX *ctx)
{
	BN_CTX_end(ctx);
	BN_CTX_free(ctx); /* clears what it held */
}

static BIGNUM *number_of(BN_CTX *ctx, const uint8_t *bytes, size_t len)
{
	BIGNUM *n = BN_CTX_get(ctx);

	CRYPTO_CHECK(n && BN_bin2bn(bytes, (int)len, n));
	return n;
}

/* out = base ^ private mod p, padded to the size of the prime. */
static void modp_power(
    const struct ike_dh *dh, BN_CTX *ctx, const BIGNUM *base, const BIGNUM *prime, uint8_t *out)
{
	BIGNUM *result = BN_CTX_get(ctx);
	BIGNUM *exponent = number_of(ctx, dh->private_value, dh->private_len);

	BN_set_flags(exponent, BN_FLG_CONSTTIME);
	CRYPTO_CHECK(BN_mod_exp_mont_consttime(result, base, exponent, prime, ctx, NULL));
	CRYPTO_CHECK(BN_bn2binpad(result, out, alg_dh(dh->group)->public_bytes) > 0);
}

static void modp_public(struct ike_dh *dh)
{
	BN_CTX *ctx = numbers_begin();
	BIGNUM *prime = kinds[dh->group].prime(NULL);
	BIGNUM *generator = BN_CTX_get(ctx);

	CRYPTO_CHECK(prime && generator && BN_set_word(generator, 2));
	modp_power(dh, ctx, generator, prime, dh->public_value);
	BN_free(prime);
	numbers_end(ctx);
}

/* RFC 6989 2.1: 1 < value < p - 1. The groups here are of safe primes, so that nothing more is needed. */
static int modp_shared(const struct ike_dh *dh, const uint8_t *peer, uint8_t *out)
{
	size_t size = alg_dh(dh->group)->public_bytes;
	BN_CTX *ctx = numbers_begin();
	BIGNUM *prime = kinds[dh->group].prime(NULL);
	BIGNUM *value = number_of(ctx, peer, size);
	BIGNUM *last = BN_CTX_get(ctx);
	int result = -EINVAL;

	CRYPTO_CHECK(prime && last && BN_sub(last, prime, BN_value_one()));
	if (BN_cmp(value, BN_value_one()) > 0 && BN_cmp(value, last) < 0) {
		modp_power(dh, ctx, value, prime, out);
		result = (int)size;
	}
	BN_free(prime);
	numbers_end(ctx);
	return result;
}

/* X and Y, each padded to the size of the field (RFC 5903 7). */
static void ecp_public(struct ike_dh *dh)
{
	int half = alg_dh(dh->group)->public_bytes / 2;
	BN_CTX *ctx = numbers_begin();
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(kinds[dh->group].curve);
	EC_POINT *point = EC_POINT_new(curve);
	BIGNUM *scalar = number_of(ctx, dh->private_value, dh->private_len);
	BIGNUM *x = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);

	BN_set_flags(scalar, BN_FLG_CONSTTIME);
	CRYPTO_CHECK(curve && point && y);
	CRYPTO_CHECK(EC_POINT_mul(curve, point, scalar, NULL, NULL, ctx));
	CRYPTO_CHECK(EC_POINT_get_affine_coordinates(curve, point, x, y, ctx));
	CRYPTO_CHECK(BN_bn2binpad(x, dh->public_value, half) == half);
	CRYPTO_CHECK(BN_bn2binpad(y, dh->public_value + half, half) == half);
	EC_POINT_free(point);
	EC_GROUP_free(curve);
	numbers_end(ctx);
}

/* RFC 6989 2.3: the point must lie on the curve; cofactor 1 makes that enough. */
static int ecp_shared(const struct ike_dh *dh, const uint8_t *peer, uint8_t *out)
{
	int half = alg_dh(dh->group)->public_bytes / 2;
	BN_CTX *ctx = numbers_begin();
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(kinds[dh->group].curve);
	EC_POINT *point = EC_POINT_new(curve), *shared = EC_POINT_new(curve);
	BIGNUM *scalar = number_of(ctx, dh->private_value, dh->private_len);
	BIGNUM *x = number_of(ctx, peer, (size_t)half);
	BIGNUM *y = number_of(ctx, peer + half, (size_t)half);
	int result = -EINVAL;

	BN_set_flags(scalar, BN_FLG_CONSTTIME);
	CRYPTO_CHECK(curve && point && shared);
	/* Refuses coordinates of p and above, and points off the curve. */
	if (EC_POINT_set_affine_coordinates(curve, point, x, y, ctx) &&
	    EC_POINT_mul(curve, shared, NULL, point, scalar, ctx) &&
	    !EC_POINT_is_at_infinity(curve, shared) &&
	    EC_POINT_get_affine_coordinates(curve, shared, x, NULL, ctx)) {
		CRYPTO_CHECK(BN_bn2binpad(x, out, half) == half);
		result = half;
	}
	ERR_clear_error();
	EC_POINT_clear_free(shared);
	EC_POINT_free(point);
	EC_GROUP_free(curve);
	numbers_end(ctx);
	return result;
}

static EVP_PKEY *x25519_key(const struct ike_dh *dh)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, dh->private_value, 32);

	CRYPTO_CHECK(key);
	return key;
}

static void x25519_public(struct ike_dh *dh)
{
	EVP_PKEY *key = x25519_key(dh);
	size_t len = 32;

	CRYPTO_CHECK(EVP_PKEY_get_raw_public_key(key, dh->public_value, &len));
	EVP_PKEY_free(key);
}

static int x25519_shared(const struct ike_dh *dh, const uint8_t *peer, uint8_t *out)
{
	static const uint8_t zeros[32];
	EVP_PKEY *own = x25519_key(dh);
	EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, 32);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t len = 32;
	int result = -EINVAL;

	CRYPTO_CHECK(other && ctx && EVP_PKEY_derive_init(ctx) > 0);
	/* Low-order points give zeros (RFC 7748 6.1), which libcrypto may refuse by itself. */
	if (EVP_PKEY_derive_set_peer(ctx, other) > 0 && EVP_PKEY_derive(ctx, out, &len) > 0 &&
	    !secret_equal(out, zeros, 32))
		result = 32;
	ERR_clear_error();
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(other);
	EVP_PKEY_free(own);
	return result;
}

static void compute_public(struct ike_dh *dh)
{
	if (kinds[dh->group].prime)
		modp_public(dh);
	else if (kinds[dh->group].curve)
		ecp_public(dh);
	else
		x25519_public(dh);
}

struct ike_dh *ike_dh_create_from(enum alg_dh group, const uint8_t *private_value, size_t len)
{
	struct ike_dh *dh = xcalloc(1, sizeof(*dh));

	CRYPTO_CHECK(group != DH_NONE && len > 0 && len <= PRIVATE_MAX);
	dh->group = group;
	dh->private_len = len;
	memcpy(dh->private_value, private_value, len);
	compute_public(dh);
	return dh;
}

/* A private value of full length; of ECP one that is not zero and below the order of the curve. */
static bool is_usable(enum alg_dh group, const uint8_t *value, size_t len)
{
	EC_GROUP *curve;
	BIGNUM *n;
	bool usable;

	if (!kinds[group].curve)
		return true;
	curve = EC_GROUP_new_by_curve_name(kinds[group].curve);
	n = BN_secure_new();
	CRYPTO_CHECK(curve && n && BN_bin2bn(value, (int)len, n));
	usable = !BN_is_zero(n) && BN_cmp(n, EC_GROUP_get0_order(curve)) < 0;
	BN_clear_free(n);
	EC_GROUP_free(curve);
	return usable;
}

struct ike_dh *ike_dh_create(enum alg_dh group, struct rng *rng)
{
	size_t len = kinds[group].private_bytes;
	uint8_t value[PRIVATE_MAX];
	struct ike_dh *dh;

	do {
		rng_fill(rng, value, len);
		if (group == DH_21)
			value[0] &= 1; /* 521 bits in 66 bytes */
		else if (kinds[group].prime)
			value[0] |= 0x80; /* never short, never zero */
	} while (!is_usable(group, value, len));
	dh = ike_dh_create_from(group, value, len);
	secret_wipe(value, sizeof(value));
	return dh;
}

void ike_dh_free(struct ike_dh *dh)
{
	secret_free(dh, sizeof(*dh));
}

enum alg_dh ike_dh_group(const struct ike_dh *dh)
{
	return dh->group;
}

const uint8_t *ike_dh_public(const struct ike_dh *dh)
{
	return dh->public_value;
}

int ike_dh_shared(
    const struct ike_dh *dh, const uint8_t *peer, size_t len, uint8_t out[IKE_DH_SECRET_MAX])
{
	if (len != alg_dh(dh->group)->public_bytes)
		return -EINVAL;
	if (kinds[dh->group].prime)
		return modp_shared(dh, peer, out);
	if (kinds[dh->group].curve)
		return ecp_shared(dh, peer, out);
	return x25519_shared(dh, peer, out);
}
