/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * NAT detection: each side sends SHA-1(SPIs | address | port) of both ends as it sees them. A hash that
 * does not match what the other side sees was made for an address that a NAT has changed.
 */

#include "ike/natd.h"

#include <string.h>

#define HASH_BYTES 20

static void put_number(uint8_t *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static void hash(
    uint64_t spi_i, uint64_t spi_r, const struct ike_endpoint *at, uint8_t out[IKE_DIGEST_MAX])
{
	uint8_t spis[16], port[2];
	struct ike_span in[3] = {
	    {spis, 16}, {at->addr.bytes, ip_bytes(at->addr.family)}, {port, 2}};

	put_number(spis, spi_i, 8);
	put_number(spis + 8, spi_r, 8);
	put_number(port, at->port, 2);
	ike_hash(AUTH_SHA1, in, 3, out);
}

void ike_natd_put(struct ike_chain *c, uint64_t spi_i, uint64_t spi_r,
    const struct ike_endpoint *local, const struct ike_endpoint *remote, bool force,
    struct rng *rng)
{
	uint8_t digest[IKE_DIGEST_MAX];

	hash(spi_i, spi_r, local, digest);
	if (force)
		rng_fill(rng, digest, HASH_BYTES);
	ike_chain_notify(c, NOTIFY_NAT_DETECTION_SOURCE_IP, digest, HASH_BYTES);
	hash(spi_i, spi_r, remote, digest);
	ike_chain_notify(c, NOTIFY_NAT_DETECTION_DESTINATION_IP, digest, HASH_BYTES);
}

bool ike_natd_check(const struct ike_payloads *p, uint64_t spi_i, uint64_t spi_r,
    const struct ike_endpoint *local, const struct ike_endpoint *remote, struct ike_nat *out)
{
	uint8_t here[IKE_DIGEST_MAX], there[IKE_DIGEST_MAX];
	bool source = false, source_matches = false;
	bool destination = false, destination_matches = false;
	struct ike_notify n;

	hash(spi_i, spi_r, local, here);
	hash(spi_i, spi_r, remote, there);
	/* A peer with several addresses may send several source hashes: one match is enough. */
	for (unsigned i = 0; i < p->count; i++) {
		if (p->list[i].type != PAYLOAD_NOTIFY || ike_notify_parse(&p->list[i], &n) ||
		    n.data.len != HASH_BYTES)
			continue;
		if (n.type == NOTIFY_NAT_DETECTION_SOURCE_IP) {
			source = true;
			source_matches |= !memcmp(n.data.bytes, there, HASH_BYTES);
		} else if (n.type == NOTIFY_NAT_DETECTION_DESTINATION_IP) {
			destination = true;
			destination_matches |= !memcmp(n.data.bytes, here, HASH_BYTES);
		}
	}
	out->here = destination && !destination_matches;
	out->there = source && !source_matches;
	return source && destination;
}
