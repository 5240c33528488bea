/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_RNG_H
#define BASE_RNG_H

/*
 * Where random bytes come from. Engines get a `struct rng *`: the kernel's CSPRNG in the product, a
 * seeded generator in tests and simulations, so that a seed replays a run. The seeded one is no
 * cryptography.
 */

#include <stddef.h>
#include <stdint.h>

struct rng {
	void (*fill)(struct rng *rng, void *out, size_t len);
	uint64_t state[4]; /* of the seeded generator (xoshiro256**) */
};

/* getrandom(2). Never fails: aborts when the kernel has no randomness. */
void rng_init_system(struct rng *rng);
void rng_init_seeded(struct rng *rng, uint64_t seed);

static inline void rng_fill(struct rng *rng, void *out, size_t len)
{
	rng->fill(rng, out, len);
}
uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
/* 0 <= result < bound, without bias. bound 0 gives 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

#endif
