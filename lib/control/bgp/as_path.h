/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_AS_PATH_H
#define BGP_AS_PATH_H

/*
 * AS paths in wire form: segments of a type, a count and so many AS numbers of 2 or 4 octets. All but
 * bgp_as_path_check() take paths that passed it; those of attribute sets have 4 octets.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bgp/numbers.h"

struct bgp_segment {
	uint8_t type; /* enum bgp_segment_type */
	uint8_t count;
	uint8_t as_bytes;
	const uint8_t *as;
};

/* The next segment; false at the end, or (wire_ok() tells) when it is cut off. */
bool bgp_segment_next(struct wire *path, uint8_t as_bytes, struct bgp_segment *out);
uint32_t bgp_segment_as(const struct bgp_segment *s, unsigned i);

/* What a path may hold beside sequences. */
#define BGP_PATH_SETS   1
#define BGP_PATH_CONFED 2
/* Well-formed (RFC 7606 7.2), of allowed segments, without AS 0 (RFC 7607). */
bool bgp_as_path_check(const uint8_t *path, size_t len, uint8_t as_bytes, unsigned allowed);

/* As the decision counts: a set is one, confederation segments none (RFC 4271 9.1.2.2 a, 5065). */
unsigned bgp_as_path_length(const uint8_t *path, size_t len, uint8_t as_bytes);
/* Leftmost AS if the path begins with a sequence, else 0. */
uint32_t bgp_as_path_first(const uint8_t *path, size_t len);
uint32_t bgp_as_path_last(const uint8_t *path, size_t len);
unsigned bgp_as_path_count(const uint8_t *path, size_t len, uint32_t as);

/*
 * Each returns the length of what it wrote to `out`, or -ENOSPC when it does not fit. `out` must not
 * overlap `path`.
 */
int bgp_as_path_prepend(
    const uint8_t *path, size_t len, uint32_t as, unsigned times, uint8_t *out, size_t capacity);
int bgp_as_path_widen(const uint8_t *path2, size_t len, uint8_t *out, size_t capacity);
/* To 2 octets, AS_TRANS for what does not fit (RFC 6793 4.2.2); *lossy says if there was any. */
int bgp_as_path_narrow(const uint8_t *path, size_t len, uint8_t *out, size_t capacity, bool *lossy);
/*
 * What an OLD speaker forwarded: AS_PATH (widened) and AS4_PATH to the whole path (RFC 6793 4.2.3). What AS4_PATH says
 * of a confederation is passed over (6).
 */
int bgp_as_path_merge(const uint8_t *path, size_t len, const uint8_t *path4, size_t len4,
    uint8_t *out, size_t capacity);
/* The path with `from` replaced by `to` wherever it stands. */
void bgp_as_path_replace(const uint8_t *path, size_t len, uint32_t from, uint32_t to, uint8_t *out);
/* Only if all of the path is private use (RFC 6996), it is dropped: else it stays as it is. */
bool bgp_as_path_is_private(const uint8_t *path, size_t len);

#endif
