/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V1_PROPOSAL_H
#define IKE_V1_PROPOSAL_H

/*
 * SA payloads of IKEv1 (RFC 2408 3.5 - 3.6, RFC 2407 4.4 - 4.5, RFC 2409 appendix A).
 *
 * A transform is one complete suite, so that all combinations are spelled out. The answer repeats the chosen
 * transform as it came.
 */

#include "ike/proposal.h"
#include "ike/v1/message.h"

/* One transform of an offer, or the one that was chosen. */
struct v1_suite {
	struct ike_suite suite; /* spi: of the proposal; prf: also the hash of phase 1 */
	uint32_t life_s;        /* 0: not said */
	uint64_t life_kb;       /* 0: not said */
	uint16_t mode;          /* encapsulation; phase 2 */
	uint8_t transform;      /* its number */
	struct ike_span body; /* the transform payload behind its generic header, in the message */
};

/* 0: not said, or not to be understood */
struct v1_lifetime {
	uint32_t s;
	uint64_t kb; /* phase 2 */
};

/* What phase 2 asks for beside the algorithms. */
struct v1_esp_terms {
	uint16_t mode;  /* encapsulation */
	enum alg_dh dh; /* of PFS, the same in all transforms; DH_NONE: none */
	struct v1_lifetime life;
};

/* ---- phase 1 ---- */

/* Writes the SA payload with every combination; `group` other than DH_NONE: of that one alone. */
void v1_ike_offer(
    struct ike_chain *c, const struct ike_algs *algs, enum alg_dh group, uint32_t life_s);
/* The first transform that fits; `group` as above. 0; -ENOENT; -EBADMSG. */
int v1_ike_choose(
    const struct ike_algs *algs, struct wire sa, enum alg_dh group, struct v1_suite *out);
/* As initiator: 0 when the answer is exactly one choice out of what we offered; -ENOENT; -EBADMSG. */
int v1_ike_accept(const struct ike_algs *algs, struct wire sa, struct v1_suite *out);

/* ---- phase 2 ---- */

void v1_esp_offer(struct ike_chain *c, const struct ike_algs *algs,
    const struct v1_esp_terms *terms, uint32_t spi);
int v1_esp_choose(const struct ike_algs *algs, struct wire sa, uint16_t mode, struct v1_suite *out);
int v1_esp_accept(const struct ike_algs *algs, const struct v1_esp_terms *terms, struct wire sa,
    struct v1_suite *out);

/* ---- both ---- */

/* Writes the SA payload that answers with one choice. */
void v1_suite_put(
    struct ike_chain *c, const struct v1_suite *s, uint8_t protocol, struct ike_span spi);
/* Why nothing fitted, for the operator (T27). */
void v1_mismatch_find(const struct ike_policy *policy, struct wire sa, struct ike_mismatch *out);
/* RESPONDER-LIFETIME: the attributes, written and read. */
#define V1_LIFETIME_BYTES 24
size_t v1_lifetime_put(uint8_t out[V1_LIFETIME_BYTES], bool ike, const struct v1_lifetime *life);
struct v1_lifetime v1_lifetime_read(struct ike_span attributes, bool ike);

#endif
