/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The parts of IKEv1 by themselves: keys against vectors.py, lifetimes in all their forms, selectors, fragments.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ike/v1/v1.h"
#include "vectors_v1.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void fill(uint8_t *out, uint8_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)(first + i);
}

static size_t put(uint8_t *out, size_t at, const void *bytes, size_t len)
{
	memcpy(out + at, bytes, len);
	return at + len;
}

/* ---- keys (RFC 2409 5, 5.5, appendix B) ---- */

static struct v1_transcript transcript_of(uint8_t mem[1024])
{
	fill(mem, 0x10, 32);
	fill(mem + 32, 0x40, 20);
	fill(mem + 100, 1, 96);
	fill(mem + 200, 2, 96);
	fill(mem + 300, 0x77, 52);
	fill(mem + 400, 0x90, 256);
	return (struct v1_transcript){
	    .spi_i = 0xa0a1a2a3a4a5a6a7,
	    .spi_r = 0xb0b1b2b3b4b5b6b7,
	    .nonce_i = {mem, 32},
	    .nonce_r = {mem + 32, 20},
	    .ke_i = {mem + 100, 96},
	    .ke_r = {mem + 200, 96},
	    .sa_i = {mem + 300, 52},
	    .secret = {mem + 400, 256},
	};
}

/* Both directions, without PFS and with it. */
static size_t children(
    const struct v1_keys *k, const struct v1_transcript *t, uint8_t *out, size_t at)
{
	for (unsigned pfs = 0; pfs < 2; pfs++) {
		struct ike_child c = {
		    .encr = ENCR_AES256,
		    .auth = AUTH_SHA512,
		    .spi_in = 0x11223344,
		    .spi_out = 0x55667788,
		};

		v1_keys_child(
		    k, pfs ? t->secret : (struct ike_span){NULL, 0}, t->nonce_i, t->nonce_r, &c);
		at = put(out, at, c.encr_key_in, c.encr_key_bytes);
		at = put(out, at, c.auth_key_in, c.auth_key_bytes);
		at = put(out, at, c.encr_key_out, c.encr_key_bytes);
		at = put(out, at, c.auth_key_out, c.auth_key_bytes);
	}
	return at;
}

static size_t derive_all(
    enum alg_auth hash, enum alg_encr encr, struct ike_span psk, uint8_t out[2048])
{
	static const uint8_t id[] = {1, 0, 0, 0, 192, 0, 2, 1};
	size_t digest = alg_auth(hash)->digest_bytes, iv = alg_encr(encr)->iv_bytes, at = 0;
	uint8_t mem[1024], rest[100], made[IKE_DIGEST_MAX], first[V1_IV_MAX], later[V1_IV_MAX];
	struct v1_transcript t = transcript_of(mem);
	struct v1_keys k;

	fill(rest, 0x66, sizeof(rest));
	v1_keys_derive(&k, encr, hash, psk, &t);
	at = put(out, at, k.skeyid, digest);
	at = put(out, at, k.skeyid_d, digest);
	at = put(out, at, k.skeyid_a, digest);
	at = put(out, at, k.encr_key, alg_encr(encr)->key_bytes);
	for (unsigned i = 0; i < 2; i++) {
		v1_keys_proof(&k, &t, i == 0, (struct ike_span){id, sizeof(id)}, made);
		at = put(out, at, made, digest);
	}
	v1_iv_first(&k, &t, first);
	v1_iv_later(&k, first, 0xdeadbeef, later);
	at = put(out, at, first, iv);
	at = put(out, at, later, iv);
	for (unsigned i = 0; i < 2; i++) {
		v1_keys_hash(&k, 0xdeadbeef, i ? t.nonce_i : (struct ike_span){NULL, 0},
		    (struct ike_span){rest, sizeof(rest)}, made);
		at = put(out, at, made, digest);
	}
	v1_keys_hash3(&k, 0xdeadbeef, t.nonce_i, t.nonce_r, made);
	at = put(out, at, made, digest);
	return children(&k, &t, out, at);
}

static void test_keys(void **state)
{
	for (size_t i = 0; i < COUNT(v1_vectors); i++) {
		uint8_t psk[129], all[2048], digest[IKE_DIGEST_MAX];
		struct ike_span in = {all, 0};
		enum alg_auth hash;
		enum alg_encr encr;
		char text[80];

		assert_int_equal(alg_auth_parse(v1_vectors[i].hash, &hash), 0);
		assert_int_equal(alg_encr_parse(v1_vectors[i].encr, &encr), 0);
		for (size_t k = 0; k < sizeof(psk); k++)
			psk[k] = (uint8_t)(0x21 + k % 90);
		in.len = derive_all(hash, encr, (struct ike_span){psk, v1_vectors[i].psk_len}, all);
		ike_hash(AUTH_SHA256, &in, 1, digest);
		assert_string_equal(text_hex(digest, 32, text, sizeof(text)), v1_vectors[i].sha);
	}
}

/* ---- lifetimes (RFC 2407 4.5, RFC 2408 3.3) ---- */

static const struct {
	const char *hex;
	uint32_t s;
	uint64_t kb;
} lifetimes[] = {
    {"8001000180020e10", 3600, 0},
    {"800100010002000400015180", 86400, 0}, /* the long form */
    {"000100020001000200010a", 10, 0},      /* the type in long form as well; one byte */
    {"80010001000200030186a0", 100000, 0},  /* three bytes */
    {"80010001000200080000000000000e10", 3600, 0},
    {"8001000100020005ffffffffff", UINT32_MAX, 0},               /* more than we can count */
    {"8001000100020009010000000000000000", UINT32_MAX, 0},       /* nine bytes */
    {"8001000200020004004630008001000180020e10", 3600, 4599808}, /* both, kilobytes first */
    {"800100028002ffff", 0, 65535},
    {"80020e10", 0, 0},         /* a duration of nothing */
    {"8001000380020e10", 0, 0}, /* a type that nobody knows */
    {"80010001000200ff0e10", 0, 0},
    {"8001", 0, 0},
    {"", 0, 0},
};

static void test_lifetimes(void **state)
{
	for (size_t i = 0; i < COUNT(lifetimes); i++) {
		uint8_t bytes[64];
		int len = text_unhex(lifetimes[i].hex, bytes, sizeof(bytes));
		struct v1_lifetime life;

		assert_true(len >= 0);
		life = v1_lifetime_read((struct ike_span){bytes, (size_t)len}, false);
		if (life.s != lifetimes[i].s || life.kb != lifetimes[i].kb)
			fail_msg("%s: %u s, %llu kB", lifetimes[i].hex, life.s,
			    (unsigned long long)life.kb);
	}
}

/* What we write: the short form as long as it will do, no more than 32 bits. */
static void test_lifetimes_written(void **state)
{
	static const struct {
		struct v1_lifetime life;
		const char *hex;
	} cases[] = {
	    {{0, 0}, ""},
	    {{3600, 0}, "8001000180020e10"},
	    {{0, 65535}, "800100028002ffff"},
	    {{86400, 4608000}, "800100010002000400015180800100020002000400465000"},
	    {{0, 1ull << 40}, "8001000200020004ffffffff"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[V1_LIFETIME_BYTES], expected[64];
		int len = text_unhex(cases[i].hex, expected, sizeof(expected));

		assert_true(len >= 0);
		assert_int_equal(v1_lifetime_put(bytes, false, &cases[i].life), len);
		assert_memory_equal(bytes, expected, (size_t)len);
	}
}

static void test_shorter_lifetime(void **state)
{
	assert_int_equal(v1_shorter(0, 0), 0);
	assert_int_equal(v1_shorter(3600, 0), 3600);
	assert_int_equal(v1_shorter(0, 600), 600);
	assert_int_equal(v1_shorter(3600, 600), 600);
	assert_int_equal(v1_shorter(600, 3600), 600);
	assert_int_equal(v1_shorter(3600, 1), 10); /* not worth its rekeys */
}

/* ---- selectors (RFC 2407 4.6.2) ---- */

static const struct {
	const char *hex;
	const char *text; /* NULL: refused */
} selectors[] = {
    {"010000000a010203", "10.1.2.3/32"},
    {"040000000a010000ffff0000", "10.1.0.0/16"},
    {"040000000000000000000000", "0.0.0.0/0"},
    {"040000000a010203ffff0000", "10.1.0.0/16"}, /* bits behind the mask */
    {"070000000a0100000a01ffff", "10.1.0.0/16"}, /* a range that is a prefix */
    {"070000000a0100050a010009", "10.1.0.5-10.1.0.9"},
    {"0500000020010db8000000000000000000000001", "2001:db8::1/128"},
    {"0600000020010db8000000000000000000000000ffffffff000000000000000000000000", "2001:db8::/32"},
    {"0800000020010db800000000000000000000000020010db8ffffffffffffffffffffffff", "2001:db8::/32"},
    {"070000000a0100090a010005", NULL}, /* ends before it begins */
    {"040000000a010000ff00ff00", NULL}, /* a mask with a hole */
    {"040000000a010000", NULL},
    {"010000000a01020304", NULL},
    {"0200000068756200", NULL}, /* names select no packets */
    {"0b00000001", NULL},
    {"000000000a010203", NULL},
    {"010000", NULL},
    {"", NULL},
};

static void test_selectors(void **state)
{
	for (size_t i = 0; i < COUNT(selectors); i++) {
		uint8_t body[64], mem[128];
		int len = text_unhex(selectors[i].hex, body, sizeof(body));
		struct ike_payload p = {.type = V1_PAYLOAD_ID, .body = body, .len = (uint16_t)len};
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));
		struct ike_selector s, again;
		char text[IKE_TS_TEXT];

		assert_true(len >= 0);
		if (!selectors[i].text) {
			assert_int_equal(v1_selector_read(&p, &s), -EBADMSG);
			continue;
		}
		assert_int_equal(v1_selector_read(&p, &s), 0);
		assert_string_equal(ike_ts_text(&s, 1, text), selectors[i].text);
		v1_selector_put(&c, &s);
		p.body = mem + IKE_PAYLOAD_HEADER_BYTES;
		p.len = (uint16_t)(wirebuf_len(&c.buf) - IKE_PAYLOAD_HEADER_BYTES);
		assert_int_equal(v1_selector_read(&p, &again), 0);
		assert_true(ike_selector_eq(&s, &again));
	}
}

/* Protocol and port come along; port 0 is any. */
static void test_selector_ports(void **state)
{
	static const uint8_t tcp[] = {V1_ID_IPV4_ADDR, 6, 0, 80, 10, 1, 2, 3};
	struct ike_payload p = {.type = V1_PAYLOAD_ID, .body = tcp, .len = sizeof(tcp)};
	struct ike_selector s;
	uint8_t mem[64];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));

	assert_int_equal(v1_selector_read(&p, &s), 0);
	assert_int_equal(s.protocol, 6);
	assert_int_equal(s.port_first, 80);
	assert_int_equal(s.port_last, 80);
	v1_selector_put(&c, &s);
	assert_memory_equal(mem + IKE_PAYLOAD_HEADER_BYTES, tcp, sizeof(tcp));
}

/* ---- fragments ---- */

static struct v1_fragments fragments;
static uint8_t whole[V1_FRAGMENT_BYTES_MAX];
static size_t whole_len;

static int add(uint16_t id, uint8_t number, uint8_t flags, const char *text)
{
	uint8_t body[64] = {(uint8_t)(id >> 8), (uint8_t)id, number, flags};

	memcpy(body + 4, text, strlen(text));
	return v1_fragments_add(
	    &fragments, wire_of(body, 4 + strlen(text)), whole, sizeof(whole), &whole_len);
}

static void assert_whole(const char *text)
{
	assert_int_equal(whole_len, strlen(text));
	assert_memory_equal(whole, text, whole_len);
	assert_int_equal(fragments.have, 0);
}

static void test_fragments(void **state)
{
	/* in order, the other way round, with repetitions */
	assert_int_equal(add(1, 1, 0, "abc"), 0);
	assert_int_equal(add(1, 2, 1, "de"), 1);
	assert_whole("abcde");
	assert_int_equal(add(1, 3, 1, "f"), 0);
	assert_int_equal(add(1, 2, 0, "de"), 0);
	assert_int_equal(add(1, 2, 0, "de"), 0);
	assert_int_equal(add(1, 1, 0, "abc"), 1);
	assert_whole("abcdef");
	assert_int_equal(add(1, 1, 1, "alone"), 1);
	assert_whole("alone");
	/* what cannot be */
	assert_int_equal(add(1, 0, 0, "abc"), -EBADMSG);
	assert_int_equal(add(1, V1_FRAGMENTS_MAX + 1, 0, "abc"), -EBADMSG);
	assert_int_equal(add(1, 1, 0, ""), -EBADMSG);
	assert_int_equal(
	    v1_fragments_add(&fragments, wire_of("\0\1\1", 3), whole, sizeof(whole), &whole_len),
	    -EBADMSG);
}

/* A piece that contradicts the others begins a new message. */
static void test_fragments_contradict(void **state)
{
	assert_int_equal(add(1, 1, 0, "old"), 0);
	assert_int_equal(add(2, 1, 0, "new"), 0); /* another ID */
	assert_int_equal(add(2, 2, 1, "er"), 1);
	assert_whole("newer");
	assert_int_equal(add(1, 1, 0, "old"), 0);
	assert_int_equal(add(1, 1, 0, "other"), 0); /* the same number, other bytes */
	assert_int_equal(add(1, 2, 1, "!"), 1);
	assert_whole("other!");
	assert_int_equal(add(1, 2, 1, "b"), 0);
	assert_int_equal(add(1, 3, 0, "c"), 0); /* behind the last one */
	assert_int_equal(add(1, 1, 0, "a"), 0);
	assert_int_equal(add(1, 4, 1, "d"), 0);
	assert_int_equal(add(1, 2, 1, "b"), 0); /* an earlier end */
	assert_int_equal(add(1, 1, 0, "a"), 1);
	assert_whole("ab");
}

static void test_fragments_too_long(void **state)
{
	static uint8_t body[4 + 1000];
	int err = 0;

	body[1] = 1;
	for (uint8_t i = 1; i <= V1_FRAGMENTS_MAX && err == 0; i++) {
		body[2] = i;
		err = v1_fragments_add(
		    &fragments, wire_of(body, sizeof(body)), whole, sizeof(whole), &whole_len);
	}
	assert_int_equal(err, -EBADMSG);
	assert_int_equal(fragments.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_lifetimes),
	    cmocka_unit_test(test_lifetimes_written),
	    cmocka_unit_test(test_shorter_lifetime),
	    cmocka_unit_test(test_selectors),
	    cmocka_unit_test(test_selector_ports),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_fragments_contradict),
	    cmocka_unit_test(test_fragments_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
