/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_FRAGMENT_H
#define IKE_FRAGMENT_H

/*
 * Reassembly of encrypted fragments (RFC 7383 2.6). Fragments come here after their integrity check, so that only
 * the peer itself can use up the memory; and that is bounded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IKE_FRAGMENTS_MAX 64

struct ike_reassembly {
	bool active;
	uint32_t message_id;
	uint16_t total;
	uint16_t have;
	uint8_t first_payload; /* inside of fragment 1 */
	uint8_t digest[32];    /* of the datagram of fragment 1 */
	size_t bytes;
	uint8_t *part[IKE_FRAGMENTS_MAX];
	uint16_t part_len[IKE_FRAGMENTS_MAX];
};

void ike_reassembly_reset(struct ike_reassembly *r);
/*
 * Adds fragment `number` (1-based) of `total`. 1 when the message is complete: its payloads then stand in `out`,
 * *out_len bytes; 0 when more are needed or it is a repetition; -EBADMSG for numbers that cannot be.
 * A larger total than before starts anew, a smaller one is ignored (2.6).
 */
int ike_reassembly_add(struct ike_reassembly *r, uint32_t message_id, uint16_t number,
    uint16_t total, uint8_t first_payload, const uint8_t *part, size_t len, uint8_t *out,
    size_t capacity, size_t *out_len);

#endif
