/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A cookie is the generation of its secret and HMAC-SHA-256(secret, Ni | IPi | SPIi). Secrets rotate when
 * they are used after their time, so that an idle engine does nothing.
 */

#include "ike/cookie.h"

#include <string.h>

#include "base/secret.h"

static void rotate(struct ike_cookie_jar *jar, struct rng *rng, struct mono now)
{
	int64_t age = mono_diff(jar->made, now);

	if (jar->ready && age < DUR_S(IKE_COOKIE_SECRET_S))
		return;
	jar->generation++;
	rng_fill(rng, jar->secret[jar->generation & 1], sizeof(jar->secret[0]));
	/* The secret before is too old as well, or there was none: nothing made with it passes. */
	if (!jar->ready || age >= DUR_S(2 * IKE_COOKIE_SECRET_S))
		rng_fill(rng, jar->secret[(jar->generation + 1) & 1], sizeof(jar->secret[0]));
	jar->ready = true;
	jar->made = now;
}

static void compute(const struct ike_cookie_jar *jar, uint8_t generation, struct ike_span nonce,
    const struct ip_addr *from, uint64_t spi_i, uint8_t out[IKE_COOKIE_BYTES])
{
	uint8_t digest[IKE_DIGEST_MAX];
	struct ike_span in[3] = {
	    nonce, {from->bytes, ip_bytes(from->family)}, {&spi_i, sizeof(spi_i)}};

	ike_prf(AUTH_SHA256, jar->secret[generation & 1], sizeof(jar->secret[0]), in, 3, digest);
	out[0] = generation;
	memcpy(out + 1, digest, IKE_COOKIE_BYTES - 1);
}

void ike_cookie_make(struct ike_cookie_jar *jar, struct rng *rng, struct mono now,
    struct ike_span nonce, const struct ip_addr *from, uint64_t spi_i,
    uint8_t out[IKE_COOKIE_BYTES])
{
	rotate(jar, rng, now);
	compute(jar, jar->generation, nonce, from, spi_i, out);
}

bool ike_cookie_check(struct ike_cookie_jar *jar, struct rng *rng, struct mono now,
    struct ike_span cookie, struct ike_span nonce, const struct ip_addr *from, uint64_t spi_i)
{
	uint8_t expected[IKE_COOKIE_BYTES], generation;

	rotate(jar, rng, now);
	if (cookie.len != IKE_COOKIE_BYTES)
		return false;
	generation = *(const uint8_t *)cookie.bytes;
	if ((uint8_t)(jar->generation - generation) > 1)
		return false;
	compute(jar, generation, nonce, from, spi_i, expected);
	return secret_equal(expected, cookie.bytes, sizeof(expected));
}

void ike_cookie_wipe(struct ike_cookie_jar *jar)
{
	secret_wipe(jar, sizeof(*jar));
}
