/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_TS_H
#define IKE_TS_H

/* Traffic selectors: the payload, and narrowing to what both sides allow (RFC 7296 2.9, 3.13). */

#include "ike/message.h"

#define IKE_TS_WIRE_MAX 255 /* the count field has one byte */
#define IKE_TS_TEXT     200

/* Both sides of a Child SA, with room for whatever a message can hold. */
struct ike_ts_pair {
	struct ike_selector local[IKE_TS_WIRE_MAX], remote[IKE_TS_WIRE_MAX];
	unsigned local_count, remote_count;
};

/* The selector of a prefix: every protocol, every port. */
struct ike_selector ike_selector_of(const struct ip_prefix *p);
bool ike_selector_eq(const struct ike_selector *a, const struct ike_selector *b);
/* The common part; false when there is none. */
bool ike_selector_intersect(
    const struct ike_selector *a, const struct ike_selector *b, struct ike_selector *out);
bool ike_selector_covers(const struct ike_selector *outer, const struct ike_selector *inner);

/*
 * Reads TSi or TSr. Selectors that match nothing we can carry (unknown types, opaque ports, ends before they
 * start) are left out of `out`. 0 or -EBADMSG.
 */
int ike_ts_parse(
    const struct ike_payload *p, struct ike_selector out[IKE_TS_WIRE_MAX], unsigned *count);
void ike_ts_put(
    struct ike_chain *c, uint8_t payload, const struct ike_selector *list, unsigned count);
/*
 * What is in both lists, each part once, in the order of `theirs`: never wider than either. Returns the
 * count, at most IKE_TS_WIRE_MAX.
 */
unsigned ike_ts_narrow(const struct ike_selector *theirs, unsigned their_count,
    const struct ike_selector *ours, unsigned our_count, struct ike_selector out[IKE_TS_WIRE_MAX]);
/* True when every one of `inner` lies in one of `outer`. */
bool ike_ts_covers(const struct ike_selector *outer, unsigned outer_count,
    const struct ike_selector *inner, unsigned inner_count);
/* A copy for the heap; free(). NULL for none. */
struct ike_selector *ike_ts_copy(const struct ike_selector *list, unsigned count);
const char *ike_ts_text(const struct ike_selector *list, unsigned count, char buf[IKE_TS_TEXT]);

#endif
