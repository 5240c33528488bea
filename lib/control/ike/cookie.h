/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_COOKIE_H
#define IKE_COOKIE_H

/*
 * Stateless cookies (RFC 7296 2.6): a stranger proves that it receives at its address before it costs us
 * memory or a Diffie-Hellman computation.
 */

#include "base/clock.h"
#include "ike/message.h"

#define IKE_COOKIE_BYTES    33
#define IKE_COOKIE_SECRET_S 60 /* a secret is used this long, and accepted twice as long */

struct ike_cookie_jar {
	uint8_t secret[2][32]; /* by generation, even and odd */
	uint8_t generation;
	bool ready;
	struct mono made;
};

void ike_cookie_make(struct ike_cookie_jar *jar, struct rng *rng, struct mono now,
    struct ike_span nonce, const struct ip_addr *from, uint64_t spi_i,
    uint8_t out[IKE_COOKIE_BYTES]);
/* Is `cookie` one that we made for this nonce, address and SPI? */
bool ike_cookie_check(struct ike_cookie_jar *jar, struct rng *rng, struct mono now,
    struct ike_span cookie, struct ike_span nonce, const struct ip_addr *from, uint64_t spi_i);
void ike_cookie_wipe(struct ike_cookie_jar *jar);

#endif
