/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_ALG_H
#define BASE_ALG_H

/*
 * The cryptographic algorithms that transitd knows: one table per kind, used by the startup file,
 * IKE proposals, the ESP data path and every printed line, so that a name has one meaning.
 *
 * Columns: enumerator, name in config and output, IKEv2 transform ID (RFC 7296 3.3.2), IKEv1 IDs
 * (phase 1 and ESP; 0: none), sizes in bytes, and whether the use of it is weak (X14).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */

/* Encryption (transform type 1). iv: bytes on the wire in ESP. block: padding unit. */
/*  X(enum, name, v2, v1 ike, v1 esp, key, salt, iv, block, icv, weak) */
#define ALG_ENCR_LIST(X)                                                                           \
	X(ENCR_DES,              "des",               2,  1,  2,  8, 0,  8,  8,  0, true)          \
	X(ENCR_3DES,             "3des",              3,  5,  3, 24, 0,  8,  8,  0, true)          \
	X(ENCR_AES128,           "aes128",           12,  7, 12, 16, 0, 16, 16,  0, false)         \
	X(ENCR_AES192,           "aes192",           12,  7, 12, 24, 0, 16, 16,  0, false)         \
	X(ENCR_AES256,           "aes256",           12,  7, 12, 32, 0, 16, 16,  0, false)         \
	X(ENCR_AES128GCM16,      "aes128gcm16",      20,  0, 20, 16, 4,  8,  1, 16, false)         \
	X(ENCR_AES256GCM16,      "aes256gcm16",      20,  0, 20, 32, 4,  8,  1, 16, false)         \
	X(ENCR_CHACHA20POLY1305, "chacha20poly1305", 28,  0,  0, 32, 4,  8,  1, 16, false)         \
	X(ENCR_NULL,             "null",             11,  0, 11,  0, 0,  0,  1,  0, true)

/* Integrity (type 3), and the hash and PRF (type 2) of the same name. */
/*  X(enum, name, v2 integ, v2 prf, v1 hash, v1 esp auth, key, icv, digest, block, weak) */
#define ALG_AUTH_LIST(X)                                                                           \
	X(AUTH_MD5,     "md5",     1, 1, 1, 1, 16, 12, 16,  64, true)                              \
	X(AUTH_SHA1,    "sha1",    2, 2, 2, 2, 20, 12, 20,  64, false)                             \
	X(AUTH_SHA256,  "sha256", 12, 5, 4, 5, 32, 16, 32,  64, false)                             \
	X(AUTH_SHA384,  "sha384", 13, 6, 5, 6, 48, 24, 48, 128, false)                             \
	X(AUTH_SHA512,  "sha512", 14, 7, 6, 7, 64, 32, 64, 128, false)

/* Diffie-Hellman groups (type 4). size: bytes of the public value on the wire. */
/*  X(enum,     name,      id, size, weak) */
#define ALG_DH_LIST(X)                                                                             \
	X(DH_1,     "group1",   1,  96, true)                                                      \
	X(DH_2,     "group2",   2, 128, true)                                                      \
	X(DH_5,     "group5",   5, 192, true)                                                      \
	X(DH_14,    "group14", 14, 256, false)                                                     \
	X(DH_15,    "group15", 15, 384, false)                                                     \
	X(DH_16,    "group16", 16, 512, false)                                                     \
	X(DH_19,    "group19", 19,  64, false)                                                     \
	X(DH_20,    "group20", 20,  96, false)                                                     \
	X(DH_21,    "group21", 21, 132, false)                                                     \
	X(DH_31,    "group31", 31,  32, false)

/* clang-format on */

#define ALG_ENUM(e, ...) e,
enum alg_encr { ENCR_NONE, ALG_ENCR_LIST(ALG_ENUM) ENCR_COUNT };
enum alg_auth { AUTH_NONE, ALG_AUTH_LIST(ALG_ENUM) AUTH_COUNT };
enum alg_dh { DH_NONE, ALG_DH_LIST(ALG_ENUM) DH_COUNT };
#undef ALG_ENUM

struct alg_encr_info {
	const char *name;
	uint16_t v2_id, v1_ike_id, v1_esp_id;
	uint8_t key_bytes;  /* without the salt */
	uint8_t salt_bytes; /* taken from the key material behind the key */
	uint8_t iv_bytes;
	uint8_t block_bytes;
	uint8_t icv_bytes; /* of an AEAD; 0: an integrity algorithm is needed */
	bool weak;
	bool fixed_key; /* no KEY_LENGTH attribute on the wire (des, 3des, chacha20poly1305) */
};
struct alg_auth_info {
	const char *name;
	uint16_t v2_integ_id, v2_prf_id, v1_hash_id, v1_esp_id;
	uint8_t key_bytes; /* of the integrity algorithm and preferred size of the PRF */
	uint8_t icv_bytes; /* truncated, on the wire */
	uint8_t digest_bytes;
	uint8_t block_bytes;
	bool weak;
};
struct alg_dh_info {
	const char *name;
	uint16_t id;
	uint16_t public_bytes;
	bool weak;
};

/* Rows by enumerator, below *_COUNT. The *_NONE row has the name "none" and zero sizes. */
const struct alg_encr_info *alg_encr(enum alg_encr e);
const struct alg_auth_info *alg_auth(enum alg_auth a);
const struct alg_dh_info *alg_dh(enum alg_dh g);
static inline bool alg_is_aead(enum alg_encr e)
{
	return alg_encr(e)->icv_bytes != 0;
}
/* By config name ("aes" is aes128; "disabled" is DH_NONE). 0, or -EINVAL, also for "none". */
int alg_encr_parse(const char *name, enum alg_encr *out);
int alg_auth_parse(const char *name, enum alg_auth *out);
int alg_dh_parse(const char *name, enum alg_dh *out);

#endif
