/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * PRFs, groups, message protection and key derivation against published vectors, and against vectors.py.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ike/crypto.h"
#include "ike/keys.h"
#include "vectors.h"

static size_t unhex(const char *hex, uint8_t *out, size_t capacity)
{
	int n = text_unhex(hex, out, capacity);

	assert_true(n >= 0);
	return (size_t)n;
}

static void assert_sha(const void *bytes, size_t len, const char *hex)
{
	struct ike_span in = {bytes, len};
	uint8_t digest[IKE_DIGEST_MAX];
	char text[80];

	ike_hash(AUTH_SHA256, &in, 1, digest);
	assert_string_equal(text_hex(digest, 32, text, sizeof(text)), hex);
}

static void fill(uint8_t *out, uint8_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)(first + i);
}

static enum alg_auth auth_of(const char *name)
{
	enum alg_auth a = AUTH_NONE;

	if (strcmp(name, "none"))
		assert_int_equal(alg_auth_parse(name, &a), 0);
	return a;
}

static enum alg_encr encr_of(const char *name)
{
	enum alg_encr e;

	assert_int_equal(alg_encr_parse(name, &e), 0);
	return e;
}

static const struct {
	enum alg_auth alg;
	const char *key, *data, *mac;
} hmac_vectors[] = {
    /* RFC 2202 case 2 of MD5 and SHA-1 */
    {AUTH_MD5, "Jefe", "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"},
    {AUTH_SHA1, "Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    /* RFC 4231 case 2 */
    {AUTH_SHA256, "Jefe", "what do ya want for nothing?",
	"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {AUTH_SHA384, "Jefe", "what do ya want for nothing?",
	"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	"8e2240ca5e69e2c78b3239ecfab21649"},
    {AUTH_SHA512, "Jefe", "what do ya want for nothing?",
	"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
};

static void test_prf_rfc(void **state)
{
	for (size_t i = 0; i < sizeof(hmac_vectors) / sizeof(hmac_vectors[0]); i++) {
		const char *data = hmac_vectors[i].data;
		/* In two pieces: the PRF is over the concatenation. */
		struct ike_span in[2] = {{data, 5}, {data + 5, strlen(data) - 5}};
		uint8_t mac[IKE_DIGEST_MAX], expected[IKE_DIGEST_MAX];
		size_t len = unhex(hmac_vectors[i].mac, expected, sizeof(expected));

		ike_prf(hmac_vectors[i].alg, hmac_vectors[i].key, strlen(hmac_vectors[i].key), in,
		    2, mac);
		assert_int_equal(len, alg_auth(hmac_vectors[i].alg)->digest_bytes);
		assert_memory_equal(mac, expected, len);
	}
}

static void test_prf_key_lengths(void **state)
{
	/* RFC 4231 case 6: a key of 131 bytes, which HMAC hashes; and no key at all (from hashlib) */
	struct ike_span in = {"Test Using Larger Than Block-Size Key - Hash Key First", 54};
	uint8_t key[131], mac[IKE_DIGEST_MAX], expected[32];

	memset(key, 0xaa, sizeof(key));
	ike_prf(AUTH_SHA256, key, sizeof(key), &in, 1, mac);
	unhex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", expected, 32);
	assert_memory_equal(mac, expected, 32);
	ike_prf(AUTH_SHA256, NULL, 0, NULL, 0, mac);
	unhex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", expected, 32);
	assert_memory_equal(mac, expected, 32);
}

static void test_prf_plus(void **state)
{
	for (size_t i = 0; i < sizeof(prf_plus_vectors) / sizeof(prf_plus_vectors[0]); i++) {
		struct ike_span seed[2] = {{"seed of ", 8}, {"the prf", 7}};
		uint8_t out[300];

		ike_prf_plus(auth_of(prf_plus_vectors[i].prf), "key of the prf", 14, seed, 2, out,
		    sizeof(out));
		assert_sha(out, sizeof(out), prf_plus_vectors[i].sha);
	}
}

static void test_dh_modp(void **state)
{
	for (size_t i = 0; i < sizeof(modp_vectors) / sizeof(modp_vectors[0]); i++) {
		const struct modp_vector *v = &modp_vectors[i];
		uint8_t x[32], y[32], secret[IKE_DH_SECRET_MAX], other[IKE_DH_SECRET_MAX];
		enum alg_dh group = DH_NONE;
		struct ike_dh *a, *b;
		size_t size;

		for (enum alg_dh g = DH_1; g < DH_COUNT; g++)
			if (alg_dh(g)->id == v->group)
				group = g;
		size = alg_dh(group)->public_bytes;
		fill(x, 0x01, 32);
		fill(y, 0x81, 32);
		a = ike_dh_create_from(group, x, 32);
		b = ike_dh_create_from(group, y, 32);
		assert_sha(ike_dh_public(a), size, v->public_sha);
		assert_int_equal(ike_dh_shared(a, ike_dh_public(b), size, secret), size);
		assert_int_equal(ike_dh_shared(b, ike_dh_public(a), size, other), size);
		assert_sha(secret, size, v->secret_sha);
		assert_memory_equal(secret, other, size);
		ike_dh_free(a);
		ike_dh_free(b);
	}
}

/* RFC 5903 8.1 - 8.3, RFC 7748 6.1: private values of both sides, x of the first's public value, the secret */
static const struct {
	enum alg_dh group;
	const char *i, *r, *public_x, *secret;
} curve_vectors[] = {
    {DH_19, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	"c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	"dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
	"d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
    {DH_20,
	"099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
	"e35b538041e649ee3faef896783ab194",
	"41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942"
	"e0308312916b8ed2960e4bd55a7448fc",
	"667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
	"de3ac808acb4bdb4c88732aee95f41aa",
	"11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4"
	"d603135569b9e9d09cf5d4a270f59746"},
    {DH_21,
	"0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
	"95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
	"0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
	"9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
	"0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
	"e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e",
	"01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
	"d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"},
};

static void test_dh_curves(void **state)
{
	for (size_t i = 0; i < sizeof(curve_vectors) / sizeof(curve_vectors[0]); i++) {
		enum alg_dh group = curve_vectors[i].group;
		size_t size = alg_dh(group)->public_bytes;
		uint8_t value[66], expected[66], secret[IKE_DH_SECRET_MAX];
		struct ike_dh *a, *b;

		a = ike_dh_create_from(
		    group, value, unhex(curve_vectors[i].i, value, sizeof(value)));
		b = ike_dh_create_from(
		    group, value, unhex(curve_vectors[i].r, value, sizeof(value)));
		unhex(curve_vectors[i].public_x, expected, sizeof(expected));
		assert_memory_equal(ike_dh_public(a), expected, size / 2);
		assert_int_equal(ike_dh_shared(a, ike_dh_public(b), size, secret), size / 2);
		unhex(curve_vectors[i].secret, expected, sizeof(expected));
		assert_memory_equal(secret, expected, size / 2);
		ike_dh_free(a);
		ike_dh_free(b);
	}
}

static void test_dh_x25519(void **state)
{
	uint8_t b[32], alice[32], secret[IKE_DH_SECRET_MAX], expected[32];
	struct ike_dh *bob;

	unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", b, 32);
	unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice, 32);
	unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", expected, 32);
	bob = ike_dh_create_from(DH_31, b, 32);
	assert_int_equal(ike_dh_shared(bob, alice, 32, secret), 32);
	assert_memory_equal(secret, expected, 32);
	ike_dh_free(bob);
}

static void assert_refused(struct ike_dh *dh, const uint8_t *value, size_t len)
{
	uint8_t secret[IKE_DH_SECRET_MAX];

	assert_int_equal(ike_dh_shared(dh, value, len, secret), -EINVAL);
}

/* I5, V2-29: 0, 1, p-1, p, above; -g^x is p - g^x, so that p-1 is found from two public values */
static void test_dh_modp_refused(void **state)
{
	static const enum alg_dh groups[] = {DH_1, DH_2, DH_5, DH_14, DH_15, DH_16};
	/* The low 64 bits of all these primes are ones: p-1 ends in fe, p in ff. */
	for (size_t i = 0; i < 6; i++) {
		size_t size = alg_dh(groups[i])->public_bytes;
		uint8_t value[IKE_DH_PUBLIC_MAX] = {0}, seven[1] = {7};
		struct ike_dh *dh = ike_dh_create_from(groups[i], seven, 1);

		assert_refused(dh, value, size);
		value[size - 1] = 1;
		assert_refused(dh, value, size);
		memset(value, 0xff, size); /* above p */
		assert_refused(dh, value, size);
		assert_refused(dh, value, size - 1);
		assert_refused(dh, value, size + 1);
		assert_refused(dh, value, 0);
		memset(value, 0, size);
		value[size - 1] = 2; /* the smallest that is fine */
		assert_int_equal(ike_dh_shared(dh, value, size, value), size);
		assert_int_equal(value[size - 1], 128); /* 2^7 */
		ike_dh_free(dh);
	}
}

/* p and p-1 of group 14, written out (RFC 3526 3) */
static void test_dh_modp_prime(void **state)
{
	uint8_t p[256], secret[IKE_DH_SECRET_MAX], seven[1] = {7};
	struct ike_dh *dh = ike_dh_create_from(DH_14, seven, 1);

	unhex("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
	      "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
	      "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
	      "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
	      "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
	      "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
	      "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
	      "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
	    p, sizeof(p));
	assert_refused(dh, p, 256);
	p[255]--;
	assert_refused(dh, p, 256);
	p[255]--;
	assert_int_equal(ike_dh_shared(dh, p, 256, secret), 256);
	ike_dh_free(dh);
}

static void test_dh_curve_refused(void **state)
{
	static const enum alg_dh groups[] = {DH_19, DH_20, DH_21};
	struct rng rng;

	rng_init_seeded(&rng, 5);
	for (size_t i = 0; i < 3; i++) {
		size_t size = alg_dh(groups[i])->public_bytes;
		struct ike_dh *a = ike_dh_create(groups[i], &rng);
		struct ike_dh *b = ike_dh_create(groups[i], &rng);
		uint8_t value[IKE_DH_PUBLIC_MAX] = {0};

		assert_refused(a, value, size); /* (0, 0) */
		memset(value, 0xff, size);
		assert_refused(a, value, size); /* coordinates above p */
		memcpy(value, ike_dh_public(b), size);
		value[size - 1] ^= 1;
		assert_refused(a, value, size); /* off the curve */
		assert_refused(a, ike_dh_public(b), size - 1);
		ike_dh_free(a);
		ike_dh_free(b);
	}
}

/* Points of small order make a secret of zeros (RFC 7748 6.1). */
static void test_dh_x25519_refused(void **state)
{
	uint8_t value[32] = {0}, nine[32] = {9};
	struct ike_dh *dh = ike_dh_create_from(DH_31, nine, 32);

	assert_refused(dh, value, 32);
	value[0] = 1;
	assert_refused(dh, value, 32);
	unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", value, 32);
	assert_refused(dh, value, 32);
	unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", value, 32);
	assert_refused(dh, value, 32);
	ike_dh_free(dh);
}

static void test_dh_fresh_keys_agree(void **state)
{
	struct rng rng;

	rng_init_seeded(&rng, 1);
	for (enum alg_dh g = DH_1; g < DH_COUNT; g++) {
		struct ike_dh *a = ike_dh_create(g, &rng), *b = ike_dh_create(g, &rng);
		uint8_t one[IKE_DH_SECRET_MAX], other[IKE_DH_SECRET_MAX];
		size_t size = alg_dh(g)->public_bytes;
		int len = ike_dh_shared(a, ike_dh_public(b), size, one);

		assert_true(len > 0);
		assert_int_equal(ike_dh_shared(b, ike_dh_public(a), size, other), len);
		assert_memory_equal(one, other, (size_t)len);
		assert_memory_not_equal(ike_dh_public(a), ike_dh_public(b), size);
		ike_dh_free(a);
		ike_dh_free(b);
	}
}

static struct ike_cipher cipher_of(const char *encr, const char *integ)
{
	struct ike_cipher c = {.encr = encr_of(encr), .integ = auth_of(integ)};

	fill(c.encr_key, 0x01, sizeof(c.encr_key));
	fill(c.integ_key, 0x71, sizeof(c.integ_key));
	return c;
}

static void test_cipher_seal_and_open(void **state)
{
	for (size_t i = 0; i < sizeof(seal_vectors) / sizeof(seal_vectors[0]); i++) {
		struct ike_cipher c = cipher_of(seal_vectors[i].encr, seal_vectors[i].integ);
		size_t iv = ike_cipher_iv_bytes(&c);
		size_t all = 32 + iv + 48 + ike_cipher_icv_bytes(&c);
		uint8_t msg[256], copy[256], text[48];

		fill(msg, 0x20, 32);
		fill(msg + 32, 0x55, iv);
		fill(msg + 32 + iv, 0xc0, 48);
		fill(text, 0xc0, 48);
		ike_cipher_seal(&c, msg, 32, 48);
		assert_sha(msg, all, seal_vectors[i].sha);
		/* V2-11: one bit anywhere */
		for (size_t bit = 0; bit < 8 * all; bit += 5) {
			memcpy(copy, msg, all);
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(ike_cipher_open(&c, copy, 32, 48), -EBADMSG);
		}
		assert_int_equal(ike_cipher_open(&c, msg, 32, 48), 0);
		assert_memory_equal(msg + 32 + iv, text, 48);
	}
}

static void test_cipher_padding(void **state)
{
	for (size_t i = 0; i < sizeof(seal_vectors) / sizeof(seal_vectors[0]); i++) {
		struct ike_cipher c = cipher_of(seal_vectors[i].encr, seal_vectors[i].integ);
		size_t block = alg_encr(c.encr)->block_bytes;

		for (size_t len = 0; len < 40; len++) {
			assert_true(ike_cipher_pad_bytes(&c, len) < block);
			assert_int_equal((len + ike_cipher_pad_bytes(&c, len) + 1) % block, 0);
		}
	}
}

/* A wrong length under a right ICV: not a multiple of the block. */
static void test_cipher_odd_length(void **state)
{
	struct ike_cipher c = cipher_of("aes128", "sha1");
	uint8_t msg[128] = {0}, mac[IKE_DIGEST_MAX];
	struct ike_span all = {msg, 32 + 16 + 15};

	ike_prf(AUTH_SHA1, c.integ_key, 20, &all, 1, mac);
	memcpy(msg + all.len, mac, 12);
	assert_int_equal(ike_cipher_open(&c, msg, 32, 15), -EBADMSG);
}

static struct ike_key_input key_input(uint8_t *nonce_i, uint8_t *nonce_r, uint8_t *secret)
{
	fill(nonce_i, 0x10, 32);
	fill(nonce_r, 0x40, 48);
	fill(secret, 0x90, 256);
	return (struct ike_key_input){
	    .nonce_i = {nonce_i, 32},
	    .nonce_r = {nonce_r, 48},
	    .spi_i = 0xa0a1a2a3a4a5a6a7,
	    .spi_r = 0xb0b1b2b3b4b5b6b7,
	    .secret = {secret, 256},
	};
}

/* All keys in the order of derivation. */
static size_t flatten(const struct ike_keys *k, uint8_t *out)
{
	size_t digest = alg_auth(k->prf)->digest_bytes, integ = alg_auth(k->i.integ)->key_bytes;
	size_t encr = (size_t)alg_encr(k->i.encr)->key_bytes + alg_encr(k->i.encr)->salt_bytes;
	const struct {
		const uint8_t *key;
		size_t len;
	} parts[] = {{k->sk_d, digest}, {k->i.integ_key, integ}, {k->r.integ_key, integ},
	    {k->i.encr_key, encr}, {k->r.encr_key, encr}, {k->sk_pi, digest}, {k->sk_pr, digest}};
	size_t at = 0;

	for (size_t i = 0; i < 7; i++) {
		memcpy(out + at, parts[i].key, parts[i].len);
		at += parts[i].len;
	}
	return at;
}

static void test_keys(void **state)
{
	for (size_t i = 0; i < sizeof(key_vectors) / sizeof(key_vectors[0]); i++) {
		const struct key_vector *v = &key_vectors[i];
		uint8_t nonce_i[32], nonce_r[48], secret[256], all[512];
		struct ike_key_input in = key_input(nonce_i, nonce_r, secret);
		struct ike_suite suite = {
		    .prf = auth_of(v->prf), .integ = auth_of(v->integ), .encr = encr_of(v->encr)};
		struct ike_child child = {.encr = suite.encr, .auth = suite.integ}, mirror = child;
		struct ike_keys first, next;
		size_t at = 0;

		ike_keys_derive(&first, &suite, &in, NULL);
		assert_sha(all, flatten(&first, all), v->first);
		ike_keys_derive(&next, &suite, &in, &first);
		assert_sha(all, flatten(&next, all), v->rekey);

		ike_keys_child(&first, &in, true, &child);
		ike_keys_child(&first, &in, false, &mirror);
		assert_memory_equal(child.encr_key_out, mirror.encr_key_in, IKE_KEY_MAX);
		assert_memory_equal(child.encr_key_in, mirror.encr_key_out, IKE_KEY_MAX);
		assert_memory_equal(child.auth_key_out, mirror.auth_key_in, IKE_KEY_MAX);
		assert_memory_equal(child.auth_key_in, mirror.auth_key_out, IKE_KEY_MAX);
		memcpy(all, child.encr_key_out, child.encr_key_bytes);
		at += child.encr_key_bytes;
		memcpy(all + at, child.auth_key_out, child.auth_key_bytes);
		at += child.auth_key_bytes;
		memcpy(all + at, child.encr_key_in, child.encr_key_bytes);
		at += child.encr_key_bytes;
		memcpy(all + at, child.auth_key_in, child.auth_key_bytes);
		at += child.auth_key_bytes;
		assert_sha(all, at, v->child);
	}
}

/* A rekey may change the PRF: SK_d of the old one seeds the new (RFC 7296 2.18). */
static void test_keys_rekey_changes_prf(void **state)
{
	uint8_t nonce_i[32], nonce_r[48], secret[256], seed[IKE_DIGEST_MAX], keys[20];
	struct ike_key_input in = key_input(nonce_i, nonce_r, secret);
	struct ike_suite old_suite = {
	    .prf = AUTH_SHA512, .integ = AUTH_SHA512, .encr = ENCR_AES256};
	struct ike_suite suite = {.prf = AUTH_SHA1, .integ = AUTH_SHA1, .encr = ENCR_AES128};
	uint8_t spis[16];
	struct ike_span seed_in[3] = {in.secret, in.nonce_i, in.nonce_r};
	struct ike_span plus_in[3] = {in.nonce_i, in.nonce_r, {spis, 16}};
	struct ike_keys old, next;

	fill(spis, 0xa0, 8);
	fill(spis + 8, 0xb0, 8);
	ike_keys_derive(&old, &old_suite, &in, NULL);
	ike_keys_derive(&next, &suite, &in, &old);
	ike_prf(AUTH_SHA512, old.sk_d, 64, seed_in, 3, seed);
	ike_prf_plus(AUTH_SHA1, seed, 64, plus_in, 3, keys, sizeof(keys));
	assert_memory_equal(next.sk_d, keys, sizeof(keys));
}

/* V2-08 */
static void test_auth(void **state)
{
	uint8_t message[300], nonce[48], sk_p[IKE_DIGEST_MAX], psk[129], out[IKE_DIGEST_MAX];
	static const uint8_t id[] = {
	    2, 1, 2, 3, 'p', 'e', 'e', 'r', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e'};

	fill(message, 5, sizeof(message));
	fill(nonce, 0x40, sizeof(nonce));
	fill(sk_p, 0x33, sizeof(sk_p));
	for (size_t i = 0; i < sizeof(psk); i++)
		psk[i] = (uint8_t)(0x21 + i % 90);
	for (size_t i = 0; i < sizeof(auth_vectors) / sizeof(auth_vectors[0]); i++) {
		enum alg_auth prf = auth_of(auth_vectors[i].prf);

		ike_keys_auth(prf, (struct ike_span){psk, auth_vectors[i].psk_len},
		    (struct ike_span){message, sizeof(message)},
		    (struct ike_span){nonce, sizeof(nonce)}, sk_p,
		    (struct ike_span){id, sizeof(id)}, out);
		assert_sha(out, alg_auth(prf)->digest_bytes, auth_vectors[i].auth_sha);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_prf_rfc),
	    cmocka_unit_test(test_prf_key_lengths),
	    cmocka_unit_test(test_prf_plus),
	    cmocka_unit_test(test_dh_modp),
	    cmocka_unit_test(test_dh_curves),
	    cmocka_unit_test(test_dh_x25519),
	    cmocka_unit_test(test_dh_modp_refused),
	    cmocka_unit_test(test_dh_modp_prime),
	    cmocka_unit_test(test_dh_curve_refused),
	    cmocka_unit_test(test_dh_x25519_refused),
	    cmocka_unit_test(test_dh_fresh_keys_agree),
	    cmocka_unit_test(test_cipher_seal_and_open),
	    cmocka_unit_test(test_cipher_padding),
	    cmocka_unit_test(test_cipher_odd_length),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_keys_rekey_changes_prf),
	    cmocka_unit_test(test_auth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
