/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H

/*
 * SA payloads: offers, and the choice of one suite out of them (RFC 7296 2.7, 3.3).
 *
 * An offered proposal is kept as one bit mask per kind of transform, so that any number of transforms needs no
 * memory. A transform that we do not know is no bit; a proposal with a kind of transform that we do
 * not know can not be chosen (3.3.6).
 */

#include "ike/message.h"

/* What we offer and accept. Borrowed lists in order of preference. */
struct ike_policy {
	uint8_t protocol; /* PROTOCOL_IKE or PROTOCOL_ESP */
	const struct ike_algs *algs;
	enum ike_esn esn;
	bool without_dh; /* the Child SA of IKE_AUTH: its keys come from the IKE SA alone */
};

/* The outcome of a negotiation. */
struct ike_suite {
	enum alg_encr encr;
	enum alg_auth integ; /* AUTH_NONE with an AEAD */
	enum alg_auth prf;   /* of the IKE SA */
	enum alg_dh dh;
	bool esn;
	/* How the proposal was written, for the answer to it. */
	uint8_t number;
	uint8_t kinds; /* bit (1 << transform type): the kinds it had */
	uint8_t spi_len;
	uint8_t spi[8];
};

/* One proposal of a peer. Bit n of a mask: enumerator n of the algorithm; bit 0: the transform NONE. */
struct ike_offer {
	uint8_t number, protocol;
	uint8_t spi_len;
	uint8_t spi[8]; /* set for the lengths 0, 4 and 8 */
	uint8_t kinds;  /* bit (1 << transform type), unknown types not counted */
	bool alien;     /* has a kind of transform that we do not know */
	bool doubled;   /* has two transforms of one kind: no choice */
	uint32_t encr, prf, integ, dh;
	uint32_t esn; /* bit 0: no, bit 1: yes */
};

/* The next proposal of an SA payload's body. 1; 0 at the end; -EBADMSG. */
int ike_offer_next(struct wire *sa, struct ike_offer *out);

/*
 * As responder: the first proposal that fits, our order of preference inside of it; the DH group of the KE
 * payload at hand (0: none) goes first to save a round trip. 0; -ENOENT: none fits; -EBADMSG.
 */
int ike_suite_choose(
    const struct ike_policy *policy, struct wire sa, uint16_t ke_group, struct ike_suite *out);
/* As initiator: 0 when the answer is exactly one choice out of what we offered; -ENOENT; -EBADMSG. */
int ike_suite_accept(const struct ike_policy *policy, struct wire sa, struct ike_suite *out);

/* Writes the SA payload with all that `policy` offers; spi_len 0, 4 or 8. */
void ike_policy_put(
    struct ike_chain *c, const struct ike_policy *policy, const uint8_t *spi, uint8_t spi_len);
/* Writes the SA payload that answers with one choice. */
void ike_suite_put(struct ike_chain *c, const struct ike_suite *suite, uint8_t protocol,
    const uint8_t *spi, uint8_t spi_len);

/* DH_NONE for a group that we do not have. */
enum alg_dh ike_dh_by_id(uint16_t id);
bool ike_policy_has_dh(const struct ike_policy *policy, enum alg_dh group);

/* Why nothing fitted, for the operator (T27). */
#define IKE_MISMATCH_TEXT 160
struct ike_mismatch {
	enum ike_error_code code;
	const char *field;
	char ours[IKE_MISMATCH_TEXT];
	char theirs[IKE_MISMATCH_TEXT];
};
/* The same, with all offers of the peer taken together. */
void ike_mismatch_of(
    const struct ike_policy *policy, const struct ike_offer *all, struct ike_mismatch *out);
void ike_mismatch_find(const struct ike_policy *policy, struct wire sa, struct ike_mismatch *out);
/* All that `policy` offers, as text: "aes128,aes256/sha1/group2". */
const char *ike_policy_text(const struct ike_policy *policy, char buf[IKE_MISMATCH_TEXT]);

#endif
