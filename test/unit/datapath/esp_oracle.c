/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 4303, 2451 and 3602 (CBC), 2403, 2404 and 4868 (HMAC), 4106 (GCM), 7634 (ChaCha20-Poly1305). */

#define OPENSSL_SUPPRESS_DEPRECATED /* single DES has no other interface without the legacy provider */

#include "esp_oracle.h"

#include <string.h>

#include <openssl/des.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "testing.h"

static void put32(uint8_t *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static size_t icv_bytes(const struct sa_spec *sa)
{
	return alg_is_aead(sa->encr) ? alg_encr(sa->encr)->icv_bytes
				     : alg_auth(sa->auth)->icv_bytes;
}

/* Ciphers */

static void des_cbc(const uint8_t *key, const uint8_t *iv, bool encrypt, uint8_t *data, size_t len)
{
	DES_key_schedule schedule;
	DES_cblock k = {0}, v = {0};

	memcpy(k, key, 8);
	memcpy(v, iv, 8);
	DES_set_key_unchecked(&k, &schedule);
	DES_ncbc_encrypt(data, data, (long)len, &schedule, &v, encrypt ? DES_ENCRYPT : DES_DECRYPT);
}

void oracle_cbc(enum alg_encr encr, const uint8_t *key, const uint8_t *iv, bool encrypt,
    uint8_t *data, size_t len)
{
	const EVP_CIPHER *cipher = encr == ENCR_3DES ? EVP_des_ede3_cbc()
	    : encr == ENCR_AES128                    ? EVP_aes_128_cbc()
	    : encr == ENCR_AES192                    ? EVP_aes_192_cbc()
						     : EVP_aes_256_cbc();
	EVP_CIPHER_CTX *c;
	int done = 0, last = 0;

	if (encr == ENCR_NULL)
		return;
	if (encr == ENCR_DES) {
		des_cbc(key, iv, encrypt, data, len);
		return;
	}
	c = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_CipherInit_ex(c, cipher, NULL, key, iv, encrypt), 1);
	EVP_CIPHER_CTX_set_padding(c, 0);
	assert_int_equal(EVP_CipherUpdate(c, data, &done, data, (int)len), 1);
	assert_int_equal(EVP_CipherFinal_ex(c, data + done, &last), 1);
	assert_int_equal(done + last, len);
	EVP_CIPHER_CTX_free(c);
}

/* In place; `tag` is written, or compared. */
static bool aead(const struct sa_spec *sa, const uint8_t *iv, const uint8_t *aad, size_t aad_len,
    bool encrypt, uint8_t *data, size_t len, uint8_t *tag)
{
	const EVP_CIPHER *cipher = sa->encr == ENCR_AES128GCM16 ? EVP_aes_128_gcm()
	    : sa->encr == ENCR_AES256GCM16                      ? EVP_aes_256_gcm()
								: EVP_chacha20_poly1305();
	const uint8_t *salt = sa->encr_key + alg_encr(sa->encr)->key_bytes;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[12];
	int n = 0;
	bool held;

	memcpy(nonce, salt, 4);
	memcpy(nonce + 4, iv, 8);
	assert_int_equal(EVP_CipherInit_ex(c, cipher, NULL, sa->encr_key, nonce, encrypt), 1);
	assert_int_equal(EVP_CipherUpdate(c, NULL, &n, aad, (int)aad_len), 1);
	assert_int_equal(EVP_CipherUpdate(c, data, &n, data, (int)len), 1);
	if (!encrypt)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag);
	held = EVP_CipherFinal_ex(c, data + len, &n) == 1;
	if (encrypt)
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	EVP_CIPHER_CTX_free(c);
	return held;
}

/* SPI and sequence number as the AAD has them: 8 or 12 bytes. */
static size_t make_aad(const struct sa_spec *sa, uint64_t sequence, uint8_t aad[12])
{
	put32(aad, sa->spi);
	if (!sa->esn) {
		put32(aad + 4, (uint32_t)sequence);
		return 8;
	}
	put32(aad + 4, (uint32_t)(sequence >> 32));
	put32(aad + 8, (uint32_t)sequence);
	return 12;
}

/* HMAC over ESP header to next header, and the upper half of the number. */
static void mac(
    const struct sa_spec *sa, const uint8_t *esp, size_t len, uint32_t high, uint8_t *out)
{
	static const char *const digest[AUTH_COUNT] = {[AUTH_MD5] = "MD5",
	    [AUTH_SHA1] = "SHA1",
	    [AUTH_SHA256] = "SHA256",
	    [AUTH_SHA384] = "SHA384",
	    [AUTH_SHA512] = "SHA512"};
	static uint8_t input[ORACLE_MAX + 4];
	uint8_t full[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	memcpy(input, esp, len);
	if (sa->esn) {
		put32(input + len, high);
		len += 4;
	}
	assert_non_null(HMAC(EVP_get_digestbyname(digest[sa->auth]), sa->auth_key,
	    alg_auth(sa->auth)->key_bytes, input, len, full, &n));
	memcpy(out, full, alg_auth(sa->auth)->icv_bytes);
}

/* Packets */

size_t oracle_seal(const struct sa_spec *sa, uint64_t sequence, const uint8_t iv[16],
    const struct oracle_trailer *t, const void *inner, size_t len, uint8_t *out)
{
	const struct alg_encr_info *e = alg_encr(sa->encr);
	size_t block = e->block_bytes > 4 ? e->block_bytes : 4;
	size_t pad = (block - (len + 2) % block) % block + t->extra;
	size_t clear = len + pad + 2;
	uint8_t *body = out + 8 + e->iv_bytes;
	uint8_t aad[12];

	put32(out, sa->spi);
	put32(out + 4, (uint32_t)sequence);
	memcpy(body, inner, len);
	for (size_t i = 0; i < pad; i++)
		body[len + i] = (uint8_t)(i + 1);
	if (t->wrong_byte)
		body[len + (size_t)t->wrong_byte - 1] ^= 0x40;
	body[len + pad] = t->lie ? 255 : (uint8_t)pad;
	body[len + pad + 1] = t->zero_next ? 0
	    : t->next                      ? t->next
	    : sa->inner_family == IP_V4    ? 4
					   : 41;
	if (alg_is_aead(sa->encr)) {
		put32(out + 8, (uint32_t)(sequence >> 32));
		put32(out + 12, (uint32_t)sequence);
		assert_true(aead(sa, out + 8, aad, make_aad(sa, sequence, aad), true, body, clear,
		    body + clear));
	} else {
		memcpy(out + 8, iv, e->iv_bytes);
		oracle_cbc(sa->encr, sa->encr_key, out + 8, true, body, clear);
		mac(sa, out, (size_t)(body - out) + clear, (uint32_t)(sequence >> 32),
		    body + clear);
	}
	return (size_t)(body - out) + clear + icv_bytes(sa);
}

static bool decrypt(const struct sa_spec *sa, uint8_t *esp, size_t len, uint32_t high)
{
	const struct alg_encr_info *e = alg_encr(sa->encr);
	size_t icv = icv_bytes(sa);
	uint8_t *body = esp + 8 + e->iv_bytes;
	size_t clear = len - 8 - e->iv_bytes - icv;
	uint8_t expected[EVP_MAX_MD_SIZE], aad[12];

	if (alg_is_aead(sa->encr))
		return aead(sa, esp + 8, aad,
		    make_aad(sa, (uint64_t)high << 32 | get32(esp + 4), aad), false, body, clear,
		    body + clear);
	mac(sa, esp, len - icv, high, expected);
	if (memcmp(expected, esp + len - icv, icv) != 0)
		return false;
	oracle_cbc(sa->encr, sa->encr_key, esp + 8, false, body, clear);
	return true;
}

bool oracle_open(const struct sa_spec *sa, const uint8_t *esp, size_t len, uint32_t high,
    struct oracle_opened *out)
{
	const struct alg_encr_info *e = alg_encr(sa->encr);
	size_t head = 8 + e->iv_bytes, clear;
	static uint8_t copy[ORACLE_MAX];

	memset(out, 0, sizeof(*out));
	if (len < head + 2 + icv_bytes(sa) || len > sizeof(copy))
		return false;
	memcpy(copy, esp, len);
	if (!decrypt(sa, copy, len, high))
		return false;
	out->spi = get32(copy);
	out->sequence = get32(copy + 4);
	memcpy(out->iv, copy + 8, e->iv_bytes);
	clear = len - head - icv_bytes(sa);
	out->pad = copy[head + clear - 2];
	out->next = copy[head + clear - 1];
	if (out->pad + 2u > clear)
		return true;
	out->len = clear - 2 - out->pad;
	out->padding_is_right = true;
	for (unsigned i = 0; i < out->pad; i++)
		out->padding_is_right &= copy[head + out->len + i] == i + 1;
	memcpy(out->inner, copy + head, out->len);
	return true;
}
