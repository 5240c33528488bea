/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_SEAL_H
#define IKE_SEAL_H

/* Whole messages: in clear, or with the payloads protected in SK or, in fragments, SKF. */

#include "ike/sa.h"

/* A message in clear. Release with free(). */
struct ike_packet *ike_message_plain(uint64_t spi_i, uint64_t spi_r, uint8_t exchange,
    bool initiator, bool response, const struct ike_chain *c);
/* A message of the SA with the payloads of the chain encrypted; in fragments when long and agreed upon. */
struct ike_packet *ike_message_seal(struct ike_sa *sa, uint8_t exchange, bool response,
    uint32_t message_id, const struct ike_chain *c);

/*
 * Opens a received message whose clear payloads end with SK or SKF. `bytes` is changed. 1: the payloads inside are
 * in *inner (first payload in *first); 0: a fragment was kept, more are needed; -EBADMSG: not authentic;
 * -EPROTO: authentic, but malformed inside.
 */
int ike_message_open(struct ike_sa *sa, const struct ike_header *h, uint8_t *bytes, size_t len,
    const struct ike_payloads *clear, struct wire *inner, uint8_t *first);
/* Is it, authentic, the first fragment of a message? `bytes` is changed. */
bool ike_message_is_first_fragment(
    struct ike_sa *sa, uint8_t *bytes, const struct ike_payloads *clear);

#endif
