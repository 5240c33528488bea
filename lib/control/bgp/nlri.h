/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_NLRI_H
#define BGP_NLRI_H

/* Prefixes on the wire: a length in bits and as many octets as that needs (RFC 4271 4.3, 4760 5). */

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "bgp/numbers.h"

struct bgp_nlri {
	uint8_t len;
	uint8_t key[16]; /* as struct bgp_net has it: bits behind len are 0 */
};

/* All of `nlri` are prefixes that fit the family (RFC 7606 5.3). */
bool bgp_nlri_ok(enum bgp_family family, struct wire nlri);
/* The next one of a field that passed bgp_nlri_ok(); false at its end. */
bool bgp_nlri_next(enum bgp_family family, struct wire *nlri, struct bgp_nlri *out);
static inline unsigned bgp_nlri_bytes(uint8_t len)
{
	return 1 + (len + 7u) / 8;
}
void bgp_nlri_put(struct wirebuf *out, const uint8_t *key, uint8_t len);

/* A prefix somebody may route: not loopback, multicast, class E, link-local, or this-network. */
bool bgp_nlri_is_routable(enum bgp_family family, const struct bgp_nlri *n);
/* An address that can be a next hop (RFC 4271 6.3). */
bool bgp_next_hop_ok(enum bgp_family family, const uint8_t *addr);

#endif
