/* SPDX-License-Identifier: BSD-3-Clause */

/* What stands on the wire: published packets, and OpenSSL as the other end (ES-01, ES-02, ES-06, ES-07). */

#include <errno.h>

#include "esp_rig.h"
#include "testing_eal.h"

#include "base/text.h"

static size_t unhex(const char *hex, uint8_t *out)
{
	int n = text_unhex(hex, out, ORACLE_MAX);

	assert_true(n >= 0);
	return (size_t)n;
}

/* Published answers */

/* DES: FIPS 81, table C1; AES: RFC 3602 section 4, case 7 without its trailer; 3DES with one key three times is DES. */
static void oracle_knows_cbc(void **state)
{
	uint8_t text[32], key[24], iv[16], expected[32];

	(void)state;
	unhex("0123456789abcdef", key);
	unhex("1234567890abcdef", iv);
	memcpy(key + 8, key, 8);
	memcpy(key + 16, key, 8);
	unhex("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6", expected);
	memcpy(text, "Now is the time for all ", 24);
	oracle_cbc(ENCR_DES, key, iv, true, text, 24);
	assert_memory_equal(text, expected, 24);
	memcpy(text, "Now is the time for all ", 24);
	oracle_cbc(ENCR_3DES, key, iv, true, text, 24);
	assert_memory_equal(text, expected, 24);
	unhex("0123456789abcdef0123456789abcdef", key);
	unhex("f4e765244f6407adf13dc1380f673f37", iv);
	unhex("773b5241a4c449225e4f3ce5ed611b0c", text);
	unhex("45000054090400004001f988c0a87b03", expected);
	oracle_cbc(ENCR_AES128, key, iv, false, text, 16);
	assert_memory_equal(text, expected, 16);
}

/* A published ESP packet (hex) from 198.51.100.5's end; what comes out, NULL when it was dropped. */
static struct rte_mbuf *receive_published(
    struct rig *r, const struct sa_spec *spec, const char *hex)
{
	static uint8_t esp[ORACLE_MAX];
	struct rte_mbuf *m, *inner[BURST_MAX];
	struct packet p;

	rig_outer(&p, spec, esp, unhex(hex, esp));
	m = rig_to_receive(r, p.bytes, p.len);
	return rig_receive(r, &m, 1, inner) ? inner[0] : NULL;
}

/* RFC 7634, appendix A: a whole packet. A backend without the cipher refuses the SA and says so. */
static void rfc7634(void **state)
{
	struct suite chacha = {ENCR_CHACHA20POLY1305, AUTH_NONE};
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x01020304), mirror;
	uint8_t expected[256];
	struct rte_mbuf *m;
	size_t n;

	spec.encr = ENCR_CHACHA20POLY1305;
	unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3",
	    spec.encr_key);
	if (!rig_has(chacha)) {
		assert_null(sa_out_create(r->b->sas, &spec));
		assert_int_equal(errno, ENOTSUP);
		return;
	}
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	m = receive_published(r, &spec,
	    "0102030400000005101112131415161724039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef"
	    "407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b50"
	    "2773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43");
	n = unhex(
	    "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f"
	    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
	    expected);
	assert_non_null(m);
	assert_int_equal(m->pkt_len, n);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), expected, n);
	rig_free(r, m);
}

/*
 * draft-mcgrew-gcm-test-01, whose packets carry next header 1: the ICV holds, with and without ESN, and the
 * packet is refused only then. One wrong bit, and it is refused for the ICV.
 */
static void gcm_drafts(void **state)
{
	static const struct {
		enum alg_encr encr;
		uint64_t sequence;
		uint32_t spi;
		bool esn;
		const char *key_and_salt, *esp;
	} cases[] = {
	    {ENCR_AES128GCM16, UINT64_C(0x8765432100000000), 0x4321, true,
		"4c80cdefbb5d10da906ac73c3613a6342e443b68",
		"00004321000000004956ed7e3b244cfe"
		"fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf"
		"65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732"
		"459018148f6cbe722fd04796562dfdb4"},
	    {ENCR_AES128GCM16, 10, 0xa5f8, false, "feffe9928665731c6d6a8f9467308308cafebabe",
		"0000a5f80000000afacedbaddecaf888"
		"deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827c10e9a4f"
		"51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1"
		"83b70d3aa8bc6ee4c309e9d85a41ad4a"},
	    {ENCR_AES256GCM16, 2, 0x4a2cbfe3, false,
		"abbccddef00112233445566778899aababbccddef00112233445566778899aab11223344",
		"4a2cbfe3000000020102030405060708"
		"ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d34"
		"7f0545659f14e99def842d8e"
		"b335f4eecfdbf831824b4c4915956c96"},
	    {ENCR_AES128GCM16, UINT64_C(0x1010101010101010), 0x42f67e3f, true,
		"3de09874b388e6491988d0c3607eae1f57690e43",
		"42f67e3f101010104e280000a2fca1a3"
		"fba2caa4853cf9f0f22cb10d86dd83b0fec75691cf1a04b00d1138ec9c35791765acbd8701ad7984"
		"5bf9fe3fba487bc91755e6662b4c8d0d1f5e22739530320a"
		"e0d731cc978ecafaeae88f00e80d6e48"},
	};
	struct rig *r = *state;

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct sa_spec spec = rig_spec(r, GCM, cases[i].spi), mirror;
		char wrong[512];

		spec.encr = cases[i].encr;
		spec.esn = cases[i].esn;
		unhex(cases[i].key_and_salt, spec.encr_key);
		mirror = rig_mirror(&spec);
		mirror.first_sequence = cases[i].sequence > 5 ? cases[i].sequence - 5 : 0;
		rig_in(r, &mirror);
		assert_true(text_copy(wrong, sizeof(wrong), cases[i].esp));
		wrong[60] = wrong[60] == '0' ? '1' : '0';
		assert_null(receive_published(r, &spec, wrong));
		rig_dropped(r, DROP_ESP_ICV, 1);
		assert_null(receive_published(r, &spec, cases[i].esp));
		rig_dropped(r, DROP_ESP_PADDING, 1);
	}
}

/* RFC 3602 section 4, case 7 (tunnel mode), with an ICV of HMAC-SHA1 behind it. */
static void rfc3602(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, CBC_SHA1, 0x8765), mirror;
	uint8_t expected[256], iv[16];
	struct rte_mbuf *m;
	uint8_t esp[ORACLE_MAX];
	size_t n;

	unhex("0123456789abcdef0123456789abcdef", spec.encr_key);
	unhex("f4e765244f6407adf13dc1380f673f37", iv);
	n = unhex(
	    "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b0c0d0e0f"
	    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
	    expected);
	assert_int_equal(
	    oracle_seal(&spec, 2, iv, &(struct oracle_trailer){0}, expected, n, esp), 132);
	n = unhex(
	    "0000876500000002f4e765244f6407adf13dc1380f673f37773b5241a4c449225e4f3ce5ed611b0c237ca96c"
	    "f74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5"
	    "c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d",
	    expected);
	assert_memory_equal(esp, expected, n); /* the oracle is right, too */
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	n = unhex(
	    "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b0c0d0e0f"
	    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
	    expected);
	m = rig_receive_sealed(r, &spec, 3, NULL, expected, n);
	assert_non_null(m);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), expected, n);
	rig_free(r, m);
}

/* OpenSSL as the other end */

/* Our packet as the other end sees it. */
static void check_sent(
    struct rte_mbuf *m, const struct sa_spec *spec, uint64_t sequence, const struct packet *inner)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *esp = ip + 20 + (spec->natt ? 8 : 0);
	struct oracle_opened opened;

	assert_int_equal(ip[0], 0x45);
	assert_int_equal(get16(ip + 2), m->pkt_len);
	assert_int_equal(m->data_len, m->pkt_len);
	assert_int_equal(ip[8], 64);
	assert_int_equal(ip[9], spec->natt ? 17 : 50);
	assert_memory_equal(ip + 12, spec->local.bytes, 4);
	assert_memory_equal(ip + 16, spec->remote.bytes, 4);
	assert_true(packet_ip4_is_right(ip));
	if (spec->natt) {
		assert_int_equal(get16(ip + 20), spec->local_port);
		assert_int_equal(get16(ip + 22), spec->remote_port);
		assert_int_equal(get16(ip + 24), m->pkt_len - 20);
		assert_int_equal(get16(ip + 26), 0);
	}
	assert_true(oracle_open(
	    spec, esp, m->pkt_len - (size_t)(esp - ip), (uint32_t)(sequence >> 32), &opened));
	assert_int_equal(opened.spi, spec->spi);
	assert_int_equal(opened.sequence, (uint32_t)sequence);
	assert_int_equal(opened.next, 4);
	assert_true(opened.padding_is_right);
	assert_int_equal(opened.len, inner->len);
	assert_memory_equal(opened.inner, inner->bytes, inner->len);
	assert_int_equal(pkt_meta(m)->nexthop, spec->underlay);
	assert_int_equal(pkt_out_slot(pkt_meta(m)->out), spec->slot);
}

static void openssl_opens(void **state)
{
	struct rig *r = *state;
	struct packet inner;

	for (unsigned i = 0; i < 4 * SUITES; i++) {
		struct sa_spec spec = rig_spec(r, suite_of(i / 4), 0x100 + i);
		uint64_t sequence = 1;
		uint32_t tunnel;

		if (!rig_has(suite_of(i / 4)))
			continue;
		spec.natt = i & 1;
		spec.esn = i & 2;
		spec.local_port = 4501;
		spec.remote_port = 60000;
		if (spec.esn)
			sequence = spec.first_sequence = UINT64_C(0x7fffffff8);
		tunnel = rig_tunnel(r, rig_out(r, &spec));
		for (size_t len = 20; len < 1440; len += 37, sequence++) {
			struct rte_mbuf *m;

			rig_inner(&inner, len);
			m = rig_send_one(r, tunnel, &inner);
			assert_non_null(m);
			check_sent(m, &spec, sequence, &inner);
			rig_free(r, m);
		}
	}
}

static void openssl_seals(void **state)
{
	struct rig *r = *state;
	struct packet inner;

	for (unsigned i = 0; i < 4 * SUITES; i++) {
		struct sa_spec spec = rig_spec(r, suite_of(i / 4), 0x100 + i), mirror;
		struct oracle_trailer more = {.extra = 48};
		uint64_t sequence = 1;

		if (!rig_has(suite_of(i / 4)))
			continue;
		spec.natt = i & 1;
		spec.esn = i & 2;
		mirror = rig_mirror(&spec);
		if (spec.esn)
			sequence = mirror.first_sequence = UINT64_C(0x7fffffff8);
		rig_in(r, &mirror);
		for (size_t len = 20; len < 1440; len += 37, sequence++) {
			struct rte_mbuf *m;

			rig_inner(&inner, len);
			m = rig_receive_sealed(
			    r, &spec, sequence, len % 2 ? &more : NULL, inner.bytes, len);
			assert_non_null(m);
			assert_int_equal(m->pkt_len, len);
			assert_memory_equal(rte_pktmbuf_mtod(m, void *), inner.bytes, len);
			rig_free(r, m);
		}
	}
}

/* Initialisation vectors */

static int compare_iv(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/*
 * A hundred thousand packets of a CBC SA: no IV twice; none is the number of its packet or tells the next one by a
 * constant difference; and another SA with the same key has others (ES-06).
 */
static void cbc_ivs(void **state)
{
	enum { PACKETS = 100000, BURST = 50 };
	struct rig *r = *state;
	uint8_t(*iv)[16] = calloc(PACKETS, 16);
	struct packet inner;
	uint8_t first[16];

	assert_non_null(iv);
	rig_inner(&inner, 40);
	for (unsigned again = 0; again < 2; again++) {
		struct sa_spec spec = rig_spec(r, CBC_SHA1, 0x77);
		uint32_t tunnel = rig_tunnel(r, rig_out(r, &spec));
		unsigned ones = 0;

		for (unsigned i = 0; i < PACKETS;) {
			struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];

			for (unsigned k = 0; k < BURST; k++)
				m[k] = rig_to_send(r, tunnel, &inner);
			assert_int_equal(rig_send(r, m, BURST, outer), BURST);
			for (unsigned k = 0; k < BURST; k++, i++) {
				const uint8_t *esp =
				    rte_pktmbuf_mtod_offset(outer[k], uint8_t *, 20);

				memcpy(iv[i], esp + 8, 16);
				assert_memory_not_equal(iv[i] + 4, esp + 4, 4);
				ones += (unsigned)__builtin_popcount(iv[i][0]);
				rig_free(r, outer[k]);
			}
		}
		assert_in_range(
		    ones, PACKETS * 4 - 4000, PACKETS * 4 + 4000); /* half of 8 bits, 9 sigma */
		if (again)
			assert_memory_not_equal(first, iv[0], 16);
		memcpy(first, iv[0], 16);
		for (unsigned i = 2; i < PACKETS; i++) {
			uint64_t a, b, c;

			memcpy(&a, iv[i - 2], 8);
			memcpy(&b, iv[i - 1], 8);
			memcpy(&c, iv[i], 8);
			assert_true(c - b != b - a && (c ^ b) != (b ^ a));
		}
		qsort(iv, PACKETS, 16, compare_iv);
		for (unsigned i = 1; i < PACKETS; i++)
			assert_memory_not_equal(iv[i - 1], iv[i], 16);
	}
	free(iv);
}

/* The IV of an AEAD is the number of the packet, which is never used twice (ES-02, ES-07). */
static void aead_ivs(void **state)
{
	struct rig *r = *state;
	struct packet inner;

	rig_inner(&inner, 60);
	for (unsigned i = SUITES - 3; i < SUITES; i++) {
		struct sa_spec spec = rig_spec(r, suite_of(i), 0x200 + i);
		uint32_t tunnel;

		if (!rig_has(suite_of(i)))
			continue;
		tunnel = rig_tunnel(r, rig_out(r, &spec));
		for (uint32_t sequence = 1; sequence <= 1000; sequence++) {
			struct rte_mbuf *m = rig_send_one(r, tunnel, &inner);
			const uint8_t *esp;

			assert_non_null(m);
			esp = rte_pktmbuf_mtod_offset(m, uint8_t *, 20);
			assert_int_equal(get16(esp + 4) << 16 | get16(esp + 6), sequence);
			assert_int_equal(get16(esp + 8) | get16(esp + 10), 0);
			assert_memory_equal(esp + 12, esp + 4, 4);
			rig_free(r, m);
		}
	}
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(oracle_knows_cbc),
	    RIG_TEST(rfc7634),
	    RIG_TEST(gcm_drafts),
	    RIG_TEST(rfc3602),
	    RIG_TEST(openssl_opens),
	    RIG_TEST(openssl_seals),
	    RIG_TEST(cbc_ivs),
	    RIG_TEST(aead_ivs),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
