/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_NATD_H
#define IKE_NATD_H

/* Finding NATs on the path (RFC 7296 2.23). */

#include "base/rng.h"
#include "ike/message.h"

struct ike_nat {
	bool here;   /* our address is translated on the way */
	bool there;  /* the peer's is */
	bool forced; /* we pretend to be behind one, for the sake of UDP encapsulation */
};

static inline bool ike_nat_found(const struct ike_nat *n)
{
	return n->here || n->there || n->forced;
}

/*
 * Writes both NAT_DETECTION notifies for a message from `local` to `remote`. With `force` the hash of the
 * source is a random one, so that the peer finds a NAT.
 */
void ike_natd_put(struct ike_chain *c, uint64_t spi_i, uint64_t spi_r,
    const struct ike_endpoint *local, const struct ike_endpoint *remote, bool force,
    struct rng *rng);
/* Compares the peer's notifies with what arrived. False when it sent none: no NAT traversal. */
bool ike_natd_check(const struct ike_payloads *p, uint64_t spi_i, uint64_t spi_r,
    const struct ike_endpoint *local, const struct ike_endpoint *remote, struct ike_nat *out);

#endif
