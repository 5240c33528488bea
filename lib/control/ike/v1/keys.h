/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V1_KEYS_H
#define IKE_V1_KEYS_H

/* Keys and proofs of IKEv1 with pre-shared keys (RFC 2409 5, 5.5, appendix B). */

#include "ike/crypto.h"
#include "ike/keys.h"

#define V1_IV_MAX  16
#define V1_KEY_MAX 32

struct v1_keys {
	enum alg_auth prf; /* also the hash */
	enum alg_encr encr;
	uint8_t skeyid[IKE_DIGEST_MAX], skeyid_d[IKE_DIGEST_MAX], skeyid_a[IKE_DIGEST_MAX];
	uint8_t encr_key[V1_KEY_MAX];
};

/* What both sides sent in phase 1. i and r: of initiator and responder. */
struct v1_transcript {
	uint64_t spi_i, spi_r;
	struct ike_span nonce_i, nonce_r;
	struct ike_span ke_i, ke_r; /* values alone */
	struct ike_span sa_i;       /* body of the initiator's SA payload */
	struct ike_span secret;     /* g^xy */
};

void v1_keys_derive(struct v1_keys *out, enum alg_encr encr, enum alg_auth prf, struct ike_span psk,
    const struct v1_transcript *t);
/* HASH_I or HASH_R over the body of that side's ID payload. Writes digest_bytes of the PRF. */
void v1_keys_proof(const struct v1_keys *k, const struct v1_transcript *t, bool initiator,
    struct ike_span id_body, uint8_t out[IKE_DIGEST_MAX]);
/* IV of the first encrypted message of phase 1. */
void v1_iv_first(const struct v1_keys *k, const struct v1_transcript *t, uint8_t out[V1_IV_MAX]);
/* IV of the first message of a later exchange; `last`: last block of phase 1. */
void v1_iv_later(const struct v1_keys *k, const uint8_t last[V1_IV_MAX], uint32_t message_id,
    uint8_t out[V1_IV_MAX]);
/* HASH(1), (2) with `nonce`, of quick mode and informational exchanges: over all payloads behind HASH. */
void v1_keys_hash(const struct v1_keys *k, uint32_t message_id, struct ike_span nonce,
    struct ike_span rest, uint8_t out[IKE_DIGEST_MAX]);
/* HASH(3). */
void v1_keys_hash3(const struct v1_keys *k, uint32_t message_id, struct ike_span nonce_i,
    struct ike_span nonce_r, uint8_t out[IKE_DIGEST_MAX]);
/* Keys of both directions of an ESP SA; `secret` empty without PFS. child->encr, auth, SPIs are set. */
void v1_keys_child(const struct v1_keys *k, struct ike_span secret, struct ike_span nonce_i,
    struct ike_span nonce_r, struct ike_child *child);

#endif
