/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Key derivation. Key material is cut in the order that RFC 7296 gives: {SK_d, SK_ai, SK_ar, SK_ei,
 * SK_er, SK_pi, SK_pr} for the IKE SA; for a Child SA encryption then integrity, initiator to responder
 * first.
 */

#include "ike/keys.h"

#include <string.h>

#include "base/secret.h"

#define MATERIAL_MAX (7 * IKE_KEY_MAX)

static size_t encr_bytes(enum alg_encr e)
{
	return (size_t)alg_encr(e)->key_bytes + alg_encr(e)->salt_bytes;
}

static void cut(uint8_t *out, const uint8_t **at, size_t len)
{
	memcpy(out, *at, len);
	*at += len;
}

static void seed_key(const struct ike_suite *suite, const struct ike_key_input *in,
    const struct ike_keys *old, uint8_t out[IKE_DIGEST_MAX])
{
	uint8_t nonces[2 * IKE_NONCE_MAX];
	struct ike_span seed[3] = {in->secret, in->nonce_i, in->nonce_r};

	if (old) {
		ike_prf(old->prf, old->sk_d, alg_auth(old->prf)->digest_bytes, seed, 3, out);
		return;
	}
	memcpy(nonces, in->nonce_i.bytes, in->nonce_i.len);
	memcpy(nonces + in->nonce_i.len, in->nonce_r.bytes, in->nonce_r.len);
	ike_prf(suite->prf, nonces, in->nonce_i.len + in->nonce_r.len, &in->secret, 1, out);
}

static void put_u64(uint8_t out[8], uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

void ike_keys_derive(struct ike_keys *out, const struct ike_suite *suite,
    const struct ike_key_input *in, const struct ike_keys *old)
{
	size_t digest = alg_auth(suite->prf)->digest_bytes;
	size_t integ = alg_auth(suite->integ)->key_bytes;
	size_t encr = encr_bytes(suite->encr);
	uint8_t spis[16], key[IKE_DIGEST_MAX], material[MATERIAL_MAX];
	struct ike_span seed[3] = {in->nonce_i, in->nonce_r, {spis, sizeof(spis)}};
	const uint8_t *at = material;

	put_u64(spis, in->spi_i);
	put_u64(spis + 8, in->spi_r);
	seed_key(suite, in, old, key);
	ike_prf_plus(suite->prf, key, alg_auth(old ? old->prf : suite->prf)->digest_bytes, seed, 3,
	    material, 3 * digest + 2 * integ + 2 * encr);

	*out = (struct ike_keys){.prf = suite->prf};
	out->i.encr = out->r.encr = suite->encr;
	out->i.integ = out->r.integ = suite->integ;
	cut(out->sk_d, &at, digest);
	cut(out->i.integ_key, &at, integ);
	cut(out->r.integ_key, &at, integ);
	cut(out->i.encr_key, &at, encr);
	cut(out->r.encr_key, &at, encr);
	cut(out->sk_pi, &at, digest);
	cut(out->sk_pr, &at, digest);
	secret_wipe(key, sizeof(key));
	secret_wipe(material, sizeof(material));
}

void ike_keys_child(const struct ike_keys *ike, const struct ike_key_input *in, bool initiator,
    struct ike_child *child)
{
	uint8_t material[4 * IKE_KEY_MAX];
	const uint8_t *at = material;
	struct ike_span seed[3] = {in->secret, in->nonce_i, in->nonce_r};
	bool pfs = in->secret.len > 0;

	child->encr_key_bytes = (uint8_t)encr_bytes(child->encr);
	child->auth_key_bytes = alg_auth(child->auth)->key_bytes;
	ike_prf_plus(ike->prf, ike->sk_d, alg_auth(ike->prf)->digest_bytes, pfs ? seed : seed + 1,
	    pfs ? 3 : 2, material, 2u * (child->encr_key_bytes + child->auth_key_bytes));
	cut(initiator ? child->encr_key_out : child->encr_key_in, &at, child->encr_key_bytes);
	cut(initiator ? child->auth_key_out : child->auth_key_in, &at, child->auth_key_bytes);
	cut(initiator ? child->encr_key_in : child->encr_key_out, &at, child->encr_key_bytes);
	cut(initiator ? child->auth_key_in : child->auth_key_out, &at, child->auth_key_bytes);
	secret_wipe(material, sizeof(material));
}

void ike_keys_auth(enum alg_auth prf, struct ike_span psk, struct ike_span message,
    struct ike_span nonce, const uint8_t *sk_p, struct ike_span id_body,
    uint8_t out[IKE_DIGEST_MAX])
{
	size_t digest = alg_auth(prf)->digest_bytes;
	struct ike_span pad = {IKE_PSK_PAD, sizeof(IKE_PSK_PAD) - 1};
	uint8_t key[IKE_DIGEST_MAX], id_mac[IKE_DIGEST_MAX];
	struct ike_span octets[3] = {message, nonce, {id_mac, digest}};

	ike_prf(prf, sk_p, digest, &id_body, 1, id_mac);
	ike_prf(prf, psk.bytes, psk.len, &pad, 1, key);
	ike_prf(prf, key, digest, octets, 3, out);
	secret_wipe(key, sizeof(key));
	secret_wipe(id_mac, sizeof(id_mac));
}
