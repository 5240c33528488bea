/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_CRYPTO_H
#define IKE_CRYPTO_H

/*
 * The primitives under IKE, over OpenSSL's libcrypto: PRFs and hashes (prf.c), Diffie-Hellman groups (dh.c),
 * and the protection of messages (cipher.c). All randomness comes from the caller's struct rng. What
 * libcrypto cannot fail at but for lack of memory aborts the process, as small allocations do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/rng.h"
#include "ike/ike.h"

/* Bytes of somebody else's. */
struct ike_span {
	const void *bytes;
	size_t len;
};

/* ---- prf.c ---- */

#define IKE_DIGEST_MAX 64

/* HMAC over the concatenation of `count` spans (RFC 2104). Writes digest_bytes of `alg`. */
void ike_prf(enum alg_auth alg, const void *key, size_t key_len, const struct ike_span *in,
    unsigned count, uint8_t out[IKE_DIGEST_MAX]);
/* prf+ of RFC 7296 2.13. len <= 255 * digest_bytes. */
void ike_prf_plus(enum alg_auth alg, const void *key, size_t key_len, const struct ike_span *seed,
    unsigned count, uint8_t *out, size_t len);
/* The plain hash over the concatenation. */
void ike_hash(
    enum alg_auth alg, const struct ike_span *in, unsigned count, uint8_t out[IKE_DIGEST_MAX]);

/* ---- dh.c ---- */

#define IKE_DH_PUBLIC_MAX 512 /* group 16 */
#define IKE_DH_SECRET_MAX 512

struct ike_dh;

/* A fresh key pair of the group (not DH_NONE). Release with ike_dh_free(). */
struct ike_dh *ike_dh_create(enum alg_dh group, struct rng *rng);
/* The key pair of a given private value, big-endian; X25519: as RFC 7748 writes it. For tests with vectors. */
struct ike_dh *ike_dh_create_from(enum alg_dh group, const uint8_t *private_value, size_t len);
/* Wipes the private value. NULL is fine. */
void ike_dh_free(struct ike_dh *dh);
enum alg_dh ike_dh_group(const struct ike_dh *dh);
/* The value for the KE payload: alg_dh(group)->public_bytes bytes, owned by `dh`. */
const uint8_t *ike_dh_public(const struct ike_dh *dh);
/*
 * The shared secret g^ir as it goes into key derivation: MODP padded to the size of the prime, ECP the x
 * coordinate (RFC 5903 7), X25519 32 bytes. Its length, or -EINVAL for a peer value that RFC 6989 refuses:
 * wrong size, 0, 1, p-1, p and above, a point not on the curve, a shared secret of zeros.
 */
int ike_dh_shared(
    const struct ike_dh *dh, const uint8_t *peer, size_t len, uint8_t out[IKE_DH_SECRET_MAX]);

/* ---- cipher.c ---- */

/* Keys that protect the messages of one direction. */
struct ike_cipher {
	enum alg_encr encr;
	enum alg_auth integ;           /* AUTH_NONE with an AEAD */
	uint8_t encr_key[IKE_KEY_MAX]; /* the salt of an AEAD behind the key */
	uint8_t integ_key[IKE_KEY_MAX];
};

size_t ike_cipher_iv_bytes(const struct ike_cipher *c);
size_t ike_cipher_icv_bytes(const struct ike_cipher *c);
/* Padding bytes, without the pad length byte, behind `len` bytes of plaintext (RFC 7296 3.14). */
size_t ike_cipher_pad_bytes(const struct ike_cipher *c, size_t len);
/*
 * `msg` is laid out as: aad_len bytes in clear, IV (already chosen by the caller), text_len bytes of padded
 * plaintext, room for the ICV. Encrypts in place and writes the ICV.
 */
void ike_cipher_seal(const struct ike_cipher *c, uint8_t *msg, size_t aad_len, size_t text_len);
/*
 * The reverse. The ICV is checked first, in constant time. 0, or -EBADMSG when it is wrong or text_len is no
 * multiple of the block.
 */
int ike_cipher_open(const struct ike_cipher *c, uint8_t *msg, size_t aad_len, size_t text_len);

/* CBC over whole blocks in place (also of single DES, as 3DES with three equal keys). `iv` is not changed. */
void ike_cbc(enum alg_encr encr, const uint8_t *key, const uint8_t *iv, uint8_t *text, size_t len,
    bool encrypt);

#endif
