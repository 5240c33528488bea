/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_KEYS_H
#define IKE_KEYS_H

/* Keys of an IKE SA and of its Child SAs, and the proof of the pre-shared key (RFC 7296 2.14 - 2.18). */

#include "ike/crypto.h"
#include "ike/proposal.h"

struct ike_keys {
	enum alg_auth prf;
	uint8_t sk_d[IKE_DIGEST_MAX];
	uint8_t sk_pi[IKE_DIGEST_MAX], sk_pr[IKE_DIGEST_MAX];
	struct ike_cipher i, r; /* messages of the original initiator, of the responder */
};

/* What goes into keys besides the shared secret; i and r are the roles in the IKE SA being made. */
struct ike_key_input {
	struct ike_span nonce_i, nonce_r;
	uint64_t spi_i, spi_r;
	struct ike_span secret; /* g^ir */
};

/* Of the first IKE SA (2.14), or with `old` of the one that replaces it (2.18). */
void ike_keys_derive(struct ike_keys *out, const struct ike_suite *suite,
    const struct ike_key_input *in, const struct ike_keys *old);
/*
 * Keys of a Child SA (2.17). `initiator`: we began the exchange that made it. in->secret is empty without
 * PFS; the SPIs are not used. child->encr and child->auth are already set.
 */
void ike_keys_child(const struct ike_keys *ike, const struct ike_key_input *in, bool initiator,
    struct ike_child *child);

#define IKE_PSK_PAD "Key Pad for IKEv2"
/*
 * The AUTH value of one side (2.15): `message` is its first message, `nonce` the other side's, `sk_p` its
 * key, `id_body` the body of its ID payload. Writes digest_bytes of the PRF.
 */
void ike_keys_auth(enum alg_auth prf, struct ike_span psk, struct ike_span message,
    struct ike_span nonce, const uint8_t *sk_p, struct ike_span id_body,
    uint8_t out[IKE_DIGEST_MAX]);

#endif
