/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two sources behind one function pointer: getrandom(2), and xoshiro256** seeded by splitmix64. The
 * integers are built from bytes, low byte first, so that a seed replays on any machine.
 */

#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void fill_system(struct rng *rng, void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			fprintf(stderr, "getrandom: %s\n", strerror(errno));
			abort();
		}
		at += n;
		len -= (size_t)n;
	}
}

void rng_init_system(struct rng *rng)
{
	*rng = (struct rng){.fill = fill_system};
}

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* One step of xoshiro256**, the generator of Blackman and Vigna. */
static uint64_t seeded_step(uint64_t s[4])
{
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* The rest of the last step is thrown away. */
static void fill_seeded(struct rng *rng, void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		uint64_t v = seeded_step(rng->state);

		for (unsigned i = 0; i < 8 && len > 0; i++, len--) {
			*at++ = (uint8_t)v;
			v >>= 8;
		}
	}
}

void rng_init_seeded(struct rng *rng, uint64_t seed)
{
	rng->fill = fill_seeded;
	/* splitmix64 spreads the seed; four zeros, a fixed point, do not come out of it */
	for (unsigned i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		rng->state[i] = z ^ z >> 31;
	}
}

uint32_t rng_u32(struct rng *rng)
{
	uint8_t b[4];

	rng_fill(rng, b, sizeof(b));
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

uint64_t rng_u64(struct rng *rng)
{
	uint8_t b[8];
	uint64_t v = 0;

	rng_fill(rng, b, sizeof(b));
	for (unsigned i = sizeof(b); i-- > 0;)
		v = v << 8 | b[i];
	return v;
}

/*
 * A 32-bit draw times the bound, of which the upper half is the result. 2^32 mod bound draws are
 * one too many for some results; they show in the lower half and are drawn again.
 */
uint32_t rng_below(struct rng *rng, uint32_t bound)
{
	uint64_t product;
	uint32_t excess;

	if (bound == 0)
		return 0;
	excess = -bound % bound;
	do {
		product = (uint64_t)rng_u32(rng) * bound;
	} while ((uint32_t)product < excess);
	return (uint32_t)(product >> 32);
}
