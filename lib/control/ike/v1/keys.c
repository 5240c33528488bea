/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Key derivation. The chain is SKEYID -> SKEYID_d -> SKEYID_a -> SKEYID_e; the key of the cipher is SKEYID_e,
 * stretched when it is too short. Every exchange has a CBC chain of its own, and each message goes on where the
 * one before ended.
 */

#include "ike/v1/keys.h"

#include <string.h>

#include "base/secret.h"
#include "ike/v1/numbers.h"

#define MATERIAL_MAX (2 * IKE_KEY_MAX)

static size_t digest_bytes(const struct v1_keys *k)
{
	return alg_auth(k->prf)->digest_bytes;
}

static struct ike_span number(uint8_t *buf, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
	return (struct ike_span){buf, bytes};
}

/* K1 = prf(key, seed), K2 = prf(key, K1 | seed) ... until `len` bytes are there. */
static void stretch(const struct v1_keys *k, const uint8_t *key, const struct ike_span *seed,
    unsigned count, bool seed_again, uint8_t *out, size_t len)
{
	uint8_t block[IKE_DIGEST_MAX];
	struct ike_span in[8] = {{block, 0}};

	memcpy(in + 1, seed, count * sizeof(*seed));
	for (size_t at = 0; at < len;) {
		size_t take = len - at < digest_bytes(k) ? len - at : digest_bytes(k);

		ike_prf(k->prf, key, digest_bytes(k), in, 1 + count, block);
		in[0].len = digest_bytes(k);
		count = seed_again ? count : 0;
		memcpy(out + at, block, take);
		at += take;
	}
	secret_wipe(block, sizeof(block));
}

/* Appendix B: Ka = prf(SKEYID_e, 0) | prf(SKEYID_e, K1) | ... when SKEYID_e is too short. */
static void cipher_key(struct v1_keys *k, const uint8_t *skeyid_e)
{
	static const uint8_t zero[1];
	struct ike_span seed = {zero, 1};
	size_t len = alg_encr(k->encr)->key_bytes;

	if (len <= digest_bytes(k))
		memcpy(k->encr_key, skeyid_e, len);
	else
		stretch(k, skeyid_e, &seed, 1, false, k->encr_key, len);
}

void v1_keys_derive(struct v1_keys *k, enum alg_encr encr, enum alg_auth prf, struct ike_span psk,
    const struct v1_transcript *t)
{
	uint8_t skeyid_e[IKE_DIGEST_MAX], i[8], r[8], n[3] = {0, 1, 2};
	struct ike_span nonces[2] = {t->nonce_i, t->nonce_r};
	struct ike_span in[5] = {
	    {NULL, 0}, t->secret, number(i, t->spi_i, 8), number(r, t->spi_r, 8), {n, 1}};

	*k = (struct v1_keys){.prf = prf, .encr = encr};
	ike_prf(prf, psk.bytes, psk.len, nonces, 2, k->skeyid);
	ike_prf(prf, k->skeyid, digest_bytes(k), in + 1, 4, k->skeyid_d);
	in[0] = (struct ike_span){k->skeyid_d, digest_bytes(k)};
	in[4].bytes = n + 1;
	ike_prf(prf, k->skeyid, digest_bytes(k), in, 5, k->skeyid_a);
	in[0].bytes = k->skeyid_a;
	in[4].bytes = n + 2;
	ike_prf(prf, k->skeyid, digest_bytes(k), in, 5, skeyid_e);
	cipher_key(k, skeyid_e);
	secret_wipe(skeyid_e, sizeof(skeyid_e));
}

void v1_keys_proof(const struct v1_keys *k, const struct v1_transcript *t, bool initiator,
    struct ike_span id_body, uint8_t out[IKE_DIGEST_MAX])
{
	uint8_t i[8], r[8];
	struct ike_span spi_i = number(i, t->spi_i, 8), spi_r = number(r, t->spi_r, 8);
	struct ike_span in[6] = {initiator ? t->ke_i : t->ke_r, initiator ? t->ke_r : t->ke_i,
	    initiator ? spi_i : spi_r, initiator ? spi_r : spi_i, t->sa_i, id_body};

	ike_prf(k->prf, k->skeyid, digest_bytes(k), in, 6, out);
}

static void cut_iv(const struct v1_keys *k, const struct ike_span *in, uint8_t out[V1_IV_MAX])
{
	uint8_t digest[IKE_DIGEST_MAX];

	ike_hash(k->prf, in, 2, digest);
	memcpy(out, digest, alg_encr(k->encr)->iv_bytes);
}

void v1_iv_first(const struct v1_keys *k, const struct v1_transcript *t, uint8_t out[V1_IV_MAX])
{
	struct ike_span in[2] = {t->ke_i, t->ke_r};

	cut_iv(k, in, out);
}

void v1_iv_later(const struct v1_keys *k, const uint8_t last[V1_IV_MAX], uint32_t message_id,
    uint8_t out[V1_IV_MAX])
{
	uint8_t id[4];
	struct ike_span in[2] = {
	    {last, alg_encr(k->encr)->iv_bytes}, number(id, message_id, sizeof(id))};

	cut_iv(k, in, out);
}

void v1_keys_hash(const struct v1_keys *k, uint32_t message_id, struct ike_span nonce,
    struct ike_span rest, uint8_t out[IKE_DIGEST_MAX])
{
	uint8_t id[4];
	struct ike_span in[3] = {number(id, message_id, sizeof(id)), nonce, rest};

	ike_prf(k->prf, k->skeyid_a, digest_bytes(k), in, 3, out);
}

void v1_keys_hash3(const struct v1_keys *k, uint32_t message_id, struct ike_span nonce_i,
    struct ike_span nonce_r, uint8_t out[IKE_DIGEST_MAX])
{
	static const uint8_t zero[1];
	uint8_t id[4];
	struct ike_span in[4] = {{zero, 1}, number(id, message_id, sizeof(id)), nonce_i, nonce_r};

	ike_prf(k->prf, k->skeyid_a, digest_bytes(k), in, 4, out);
}

/* One direction (RFC 2409 5.5): KEYMAT of the SPI that its receiver chose. */
static void direction(const struct v1_keys *k, const struct ike_child *child, uint32_t spi,
    struct ike_span secret, struct ike_span nonce_i, struct ike_span nonce_r, uint8_t *encr_key,
    uint8_t *auth_key)
{
	uint8_t protocol = V1_PROTOCOL_ESP, spi_bytes[4], material[MATERIAL_MAX];
	struct ike_span seed[5] = {
	    secret, {&protocol, 1}, number(spi_bytes, spi, 4), nonce_i, nonce_r};

	stretch(k, k->skeyid_d, seed, 5, true, material,
	    (size_t)child->encr_key_bytes + child->auth_key_bytes);
	memcpy(encr_key, material, child->encr_key_bytes);
	memcpy(auth_key, material + child->encr_key_bytes, child->auth_key_bytes);
	secret_wipe(material, sizeof(material));
}

void v1_keys_child(const struct v1_keys *k, struct ike_span secret, struct ike_span nonce_i,
    struct ike_span nonce_r, struct ike_child *child)
{
	const struct alg_encr_info *encr = alg_encr(child->encr);

	child->encr_key_bytes = encr->key_bytes + encr->salt_bytes;
	child->auth_key_bytes = alg_auth(child->auth)->key_bytes;
	direction(k, child, child->spi_in, secret, nonce_i, nonce_r, child->encr_key_in,
	    child->auth_key_in);
	direction(k, child, child->spi_out, secret, nonce_i, nonce_r, child->encr_key_out,
	    child->auth_key_out);
}
