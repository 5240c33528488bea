/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V1_FRAGMENT_H
#define IKE_V1_FRAGMENT_H

/*
 * Fragments of IKEv1 messages as Cisco and others send them (payload 132): the whole message, header included, cut
 * into pieces, each with a header of its own. Fragments are not authentic, so that their number, size and life
 * are bounded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

#define V1_FRAGMENTS_MAX      32
#define V1_FRAGMENT_BYTES_MAX 16384 /* of one message */
#define V1_FRAGMENT_HEADER    8     /* with the generic header */

struct v1_fragments {
	uint16_t id;
	uint8_t last; /* number of the last one, once seen */
	uint8_t have;
	size_t bytes;
	uint8_t *part[V1_FRAGMENTS_MAX];
	uint16_t part_len[V1_FRAGMENTS_MAX];
};

void v1_fragments_reset(struct v1_fragments *f);
/*
 * Adds the body of a fragment payload. 1 when the message is complete: it stands in `out`, *out_len bytes, and the
 * pieces are forgotten; 0 when more are needed; -EBADMSG for what cannot be.
 */
int v1_fragments_add(
    struct v1_fragments *f, struct wire body, uint8_t *out, size_t capacity, size_t *out_len);

#endif
