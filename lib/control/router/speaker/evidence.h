/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_EVIDENCE_H
#define ROUTER_EVIDENCE_H

/*
 * Why a session does not come about, by what its peer sends. The kernel drops a segment with a wrong signature or TTL
 * without a word; its SYN passes through here before, and says which of the two it is.
 */

#include <stddef.h>
#include <stdint.h>

/*  X(enumerator, text) */
#define EVIDENCE_LIST(X)                                                                           \
	X(NONE, NULL)                                                                              \
	X(FINE, NULL)                                                                              \
	X(KEY_MISSING, "the peer does not sign its packets, and `password` is set here")           \
	X(KEY_UNEXPECTED, "the peer signs its packets, and no `password` is set here")             \
	X(KEY_WRONG, "the peer signs its packets with another key than `password` here")           \
	X(TTL_LOW, "packets of the peer come with a TTL below 255, and `gtsm` is on here")         \
	X(REFUSED, "the peer refuses the connection (TCP reset)")

enum evidence {
#define X(e, text) EVIDENCE_##e,
	EVIDENCE_LIST(X)
#undef X
};

/* NULL: nothing speaks against the session. */
const char *evidence_text(enum evidence e);

/*
 * What an IPv4 packet without options says that the peer sent for the session: with that key (NULL: none), and that
 * least TTL. EVIDENCE_NONE: nothing, for it is no TCP, or its TTL is high enough and it neither opens nor refuses a connection.
 */
enum evidence evidence_of(const uint8_t *packet, size_t len, const char *key, uint8_t ttl_min);

#endif
