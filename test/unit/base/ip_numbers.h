/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IP_NUMBERS_H
#define IP_NUMBERS_H

/* Addresses as plain numbers: the oracle that prefixes and ranges are checked with. */

#include "testing.h"

typedef unsigned __int128 number;

static inline unsigned bits_of(uint8_t family)
{
	return family == IP_V4 ? 32 : 128;
}

static inline number number_of(const struct ip_addr *a)
{
	number v = 0;

	for (unsigned i = 0; i < ip_bytes(a->family); i++)
		v = v << 8 | a->bytes[i];
	return v;
}

static inline struct ip_addr address_of(uint8_t family, number v)
{
	uint8_t bytes[16] = {0};

	for (unsigned i = ip_bytes(family); i-- > 0; v >>= 8)
		bytes[i] = (uint8_t)v;
	return ip_from_bytes(family, bytes);
}

/* The bits behind a prefix of that length, all set: how far it reaches beyond its first address. */
static inline number host_bits(uint8_t family, unsigned len)
{
	unsigned bits = bits_of(family) - len;

	return bits == 128 ? ~(number)0 : ((number)1 << bits) - 1;
}

static inline struct ip_addr random_addr(struct rng *rng, uint8_t family)
{
	uint8_t bytes[16];

	rng_fill(rng, bytes, sizeof(bytes));
	return ip_from_bytes(family, bytes);
}

/* `a` with one random bit turned or, half of the time, as it is: what prefixes of it hardly miss. */
static inline struct ip_addr random_near(struct rng *rng, const struct ip_addr *a)
{
	struct ip_addr b = *a;
	unsigned bit = rng_below(rng, 2 * bits_of(a->family));

	if (bit < bits_of(a->family))
		b.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	return b;
}

#endif
