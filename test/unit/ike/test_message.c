/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Header, payload chain, small payloads, and the rules of presence: round trips, and what is refused (I1 - I4,
 * I10, I14, I19, V2-12).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "ike/message.h"

static void test_header_round_trip(void **state)
{
	struct ike_header h = {0x0102030405060708, 0x1112131415161718, PAYLOAD_SA, 2, 5,
			      EXCHANGE_IKE_AUTH, IKE_FLAG_INITIATOR, 0xfffefdfc, 28},
			  back;
	uint8_t bytes[28];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));

	ike_header_put(&b, &h);
	assert_true(wirebuf_ok(&b));
	assert_int_equal(ike_header_parse(bytes, 28, &back), 0);
	assert_true(back.spi_i == h.spi_i && back.spi_r == h.spi_r);
	assert_int_equal(back.next_payload, PAYLOAD_SA);
	assert_int_equal(back.major, 2);
	assert_int_equal(back.minor, 5);
	assert_int_equal(back.exchange, EXCHANGE_IKE_AUTH);
	assert_int_equal(back.flags, IKE_FLAG_INITIATOR);
	assert_int_equal(back.message_id, 0xfffefdfc);
}

/* I1 */
static void test_header_lengths(void **state)
{
	static const uint32_t wrong[] = {0, 1, 27, 29, 0xffffffff};
	struct ike_header h = {.major = 2, .length = 28};
	uint8_t bytes[29] = {0};
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));

	ike_header_put(&b, &h);
	for (size_t len = 0; len < 28; len++)
		assert_int_equal(ike_header_parse(bytes, len, &h), -EBADMSG);
	assert_int_equal(ike_header_parse(bytes, 29, &h), -EBADMSG);
	assert_int_equal(ike_header_parse(bytes, 28, &h), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		wirebuf_u32_at(&b, 24, wrong[i]);
		assert_int_equal(ike_header_parse(bytes, 28, &h), -EBADMSG);
	}
}

static int parse(const void *bytes, size_t len, uint8_t first, struct ike_payloads *out)
{
	return ike_payloads_parse(wire_of(bytes, len), first, out);
}

static void test_chain_round_trip(void **state)
{
	uint8_t mem[256];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_payloads p;
	struct ike_notify n;

	ike_chain_put(&c, PAYLOAD_NONCE, "0123456789abcdef", 16);
	ike_chain_notify(&c, NOTIFY_COOKIE, "cookie", 6);
	ike_chain_notify_spi(&c, NOTIFY_REKEY_SA, 0xdeadbeef);
	ike_chain_put(&c, PAYLOAD_VENDOR, "a vendor", 8);
	ike_chain_put(&c, PAYLOAD_KE, "", 0);
	assert_int_equal(c.first, PAYLOAD_NONCE);
	assert_int_equal(parse(mem, wirebuf_len(&c.buf), c.first, &p), 0);
	assert_int_equal(p.count, 4); /* vendor IDs are skipped */
	assert_int_equal(ike_payload_find(&p, PAYLOAD_NONCE)->len, 16);
	assert_int_equal(ike_payload_find(&p, PAYLOAD_KE)->len, 0);
	assert_null(ike_payload_find(&p, PAYLOAD_SA));
	assert_true(ike_notify_find(&p, NOTIFY_COOKIE, &n));
	assert_int_equal(n.data.len, 6);
	assert_memory_equal(n.data.bytes, "cookie", 6);
	assert_true(ike_notify_find(&p, NOTIFY_REKEY_SA, &n));
	assert_int_equal(n.protocol, PROTOCOL_ESP);
	assert_int_equal(n.spi_len, 4);
	assert_memory_equal(n.spi, "\xde\xad\xbe\xef", 4);
	assert_false(ike_notify_find(&p, NOTIFY_INITIAL_CONTACT, &n));
	assert_false(ike_notify_error(&p, &n));
}

/* I2: lengths 0..3, past the end, a chain that ends too early or too late */
static void test_chain_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"", 0},
	    {"\0\0\0", 3},
	    {"\0\0\0\0", 4},
	    {"\0\0\0\1", 4},
	    {"\0\0\0\3", 4}, /* length 0..3 */
	    {"\0\0\0\5", 4},
	    {"\0\0\xff\xff", 4}, /* past the end */
	    {"\0\0\0\4x", 5},    /* bytes behind the last */
	    {"\x28\0\0\4", 4},   /* the next one is missing */
	    {"\x28\0\0\4\0\0\0\3", 8},
	};
	struct ike_payloads p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i].bytes, bad[i].len, PAYLOAD_NONCE, &p), -EBADMSG);
	assert_int_equal(parse("", 0, PAYLOAD_NONE, &p), 0);
	assert_int_equal(parse("x", 1, PAYLOAD_NONE, &p), -EBADMSG);
	assert_int_equal(parse("\0\0\0\4", 4, PAYLOAD_NONCE, &p), 0);
}

/* I2, I14: as many payloads as there may be, and more; 300 vendor IDs are no trouble */
static void test_chain_many(void **state)
{
	for (unsigned count = 1; count <= 300; count++) {
		uint8_t mem[4 * 300];
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));
		struct ike_payloads p;

		for (unsigned i = 0; i < count; i++)
			ike_chain_put(&c, PAYLOAD_NONCE, "", 0);
		assert_int_equal(parse(mem, wirebuf_len(&c.buf), c.first, &p),
		    count <= IKE_PAYLOADS_MAX ? 0 : -EBADMSG);
		c = ike_chain_of(mem, sizeof(mem));
		for (unsigned i = 0; i < count; i++)
			ike_chain_put(&c, PAYLOAD_VENDOR, "", 0);
		assert_int_equal(parse(mem, wirebuf_len(&c.buf), c.first, &p), 0);
		assert_int_equal(p.count, 0);
	}
}

/* V2-12 */
static void test_chain_unknown(void **state)
{
	static const uint8_t skipped[] = {40, 0, 0, 6, 'a', 'b', 0, 0x7f, 0, 4};
	static const uint8_t critical[] = {40, 0x80, 0, 6, 'a', 'b', 0, 0x80, 0, 4};
	static const uint8_t two[] = {201, 0x80, 0, 4, 0, 0xff, 0, 4};
	struct ike_payloads p;

	assert_int_equal(parse(skipped, sizeof(skipped), 200, &p), 0);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.unknown_critical, 0);
	/* of a known type the bit means nothing */
	assert_int_equal(parse(critical, sizeof(critical), 200, &p), 0);
	assert_int_equal(p.unknown_critical, 200);
	assert_int_equal(parse(critical + 6, 4, PAYLOAD_NONCE, &p), 0);
	assert_int_equal(p.unknown_critical, 0);
	assert_int_equal(parse(two, sizeof(two), 200, &p), 0);
	assert_int_equal(p.unknown_critical, 200);
}

/* SK ends the chain: its "next" is the first payload inside. */
static void test_chain_sk(void **state)
{
	static const uint8_t sk[] = {PAYLOAD_IDI, 0, 0, 6, 1, 2};
	static const uint8_t behind[] = {PAYLOAD_IDI, 0, 0, 6, 1, 2, 0, 0, 0, 4};
	struct ike_payloads p;

	assert_int_equal(parse(sk, sizeof(sk), PAYLOAD_SK, &p), 0);
	assert_int_equal(p.list[0].next, PAYLOAD_IDI);
	assert_int_equal(parse(behind, sizeof(behind), PAYLOAD_SK, &p), -EBADMSG);
	assert_int_equal(parse(behind, sizeof(behind), PAYLOAD_SKF, &p), -EBADMSG);
}

static struct ike_payload body(uint8_t type, const char *bytes, size_t len)
{
	return (struct ike_payload){
	    .type = type, .body = (const uint8_t *)bytes, .len = (uint16_t)len};
}

static void test_notify_malformed(void **state)
{
	struct ike_notify n;
	struct ike_payload p;

	for (size_t len = 0; len < 4; len++) {
		p = body(PAYLOAD_NOTIFY, "\3\0\0\7", len);
		assert_int_equal(ike_notify_parse(&p, &n), -EBADMSG);
	}
	p = body(PAYLOAD_NOTIFY, "\3\4\0\7abc", 7);
	assert_int_equal(ike_notify_parse(&p, &n), -EBADMSG);
	p = body(PAYLOAD_NOTIFY, "\3\xff\0\7abcd", 8);
	assert_int_equal(ike_notify_parse(&p, &n), -EBADMSG);
	p = body(PAYLOAD_NOTIFY, "\3\4\0\7abcd", 8);
	assert_int_equal(ike_notify_parse(&p, &n), 0);
	assert_int_equal(n.type, NOTIFY_INVALID_SYNTAX);
	assert_int_equal(n.data.len, 0);
}

static void test_ke(void **state)
{
	struct ike_ke ke;
	struct ike_payload p = body(PAYLOAD_KE,
	    "\0\x1f\xff\xff"
	    "0123",
	    8);

	assert_int_equal(ike_ke_parse(&p, &ke), 0);
	assert_int_equal(ke.group, 31);
	assert_int_equal(ke.value.len, 4);
	for (size_t len = 0; len < 4; len++) {
		p.len = (uint16_t)len;
		assert_int_equal(ike_ke_parse(&p, &ke), -EBADMSG);
	}
}

/* I19 */
static void test_delete(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} cases[] = {
	    {"\3\4\0\2"
	     "aaaabbbb",
		12, 0},
	    {"\3\4\0\0", 4, 0},
	    {"\1\0\0\0", 4, 0},
	    {"\2\4\0\1"
	     "aaaa",
		8, 0}, /* AH: well formed, ignored later */
	    {"\3\4\0\1"
	     "aaaabbbb",
		12, -EBADMSG}, /* more SPIs than counted */
	    {"\3\4\0\3"
	     "aaaabbbb",
		12, -EBADMSG}, /* fewer */
	    {"\3\4\xff\xff"
	     "aaaa",
		8, -EBADMSG},
	    {"\3\0\0\2", 4, 0}, /* SPIs of size 0: names nothing, deletes nothing */
	    {"\3\5\0\1"
	     "aaaaa",
		9, -EBADMSG}, /* SPI size */
	    {"\1\4\0\1"
	     "aaaa",
		8, -EBADMSG},
	    {"\1\0\0\1", 4, -EBADMSG}, /* an IKE SA has no SPI here */
	    {"\4\4\0\1"
	     "aaaa",
		8, -EBADMSG},
	    {"\0\0\0\0", 4, -EBADMSG}, /* protocols */
	    {"\3\4\0", 3, -EBADMSG},
	    {"", 0, -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_payload p = body(PAYLOAD_DELETE, cases[i].bytes, cases[i].len);
		struct ike_delete d;

		assert_int_equal(ike_delete_parse(&p, &d), cases[i].result);
	}
}

static void test_delete_round_trip(void **state)
{
	static const uint32_t spis[] = {0x11223344, 0x55667788};
	uint8_t mem[64];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_payloads p;
	struct ike_delete d;

	ike_chain_delete_children(&c, spis, 2);
	ike_chain_delete_ike(&c);
	assert_int_equal(parse(mem, wirebuf_len(&c.buf), c.first, &p), 0);
	assert_int_equal(ike_delete_parse(&p.list[0], &d), 0);
	assert_int_equal(d.count, 2);
	assert_int_equal(wire_u32(&d.spis), spis[0]);
	assert_int_equal(wire_u32(&d.spis), spis[1]);
	assert_int_equal(ike_delete_parse(&p.list[1], &d), 0);
	assert_int_equal(d.protocol, PROTOCOL_IKE);
}

/* Payloads by type alone, for the rules. */
static struct ike_payloads of_types(const uint8_t *types, size_t count)
{
	struct ike_payloads p = {.count = (unsigned)count};

	for (size_t i = 0; i < count; i++)
		p.list[i] = (struct ike_payload){.type = types[i]};
	return p;
}

/* I3: every payload of each message missing, and doubled */
static void test_rules(void **state)
{
	static const struct {
		uint8_t exchange;
		bool response;
		uint8_t need[4], may[8];
	} messages[] = {
	    {EXCHANGE_IKE_SA_INIT, false, {PAYLOAD_SA, PAYLOAD_KE, PAYLOAD_NONCE}, {0}},
	    {EXCHANGE_IKE_SA_INIT, true, {PAYLOAD_SA, PAYLOAD_KE, PAYLOAD_NONCE}, {0}},
	    {EXCHANGE_IKE_AUTH, false, {PAYLOAD_IDI},
		{PAYLOAD_AUTH, PAYLOAD_IDR, PAYLOAD_SA, PAYLOAD_TSI, PAYLOAD_TSR}},
	    {EXCHANGE_IKE_AUTH, true, {PAYLOAD_IDR, PAYLOAD_AUTH},
		{PAYLOAD_SA, PAYLOAD_TSI, PAYLOAD_TSR}},
	    {EXCHANGE_CREATE_CHILD_SA, false, {PAYLOAD_SA, PAYLOAD_NONCE},
		{PAYLOAD_KE, PAYLOAD_TSI, PAYLOAD_TSR}},
	    {EXCHANGE_CREATE_CHILD_SA, true, {PAYLOAD_SA, PAYLOAD_NONCE},
		{PAYLOAD_KE, PAYLOAD_TSI, PAYLOAD_TSR}},
	    {EXCHANGE_INFORMATIONAL, false, {0}, {0}},
	};

	for (size_t m = 0; m < sizeof(messages) / sizeof(messages[0]); m++) {
		uint8_t types[16], exchange = messages[m].exchange, found;
		bool response = messages[m].response;
		size_t needed = 0, all;
		struct ike_payloads p;

		while (messages[m].need[needed]) {
			types[needed] = messages[m].need[needed];
			needed++;
		}
		all = needed;
		for (const uint8_t *may = messages[m].may; *may; may++)
			types[all++] = *may;
		p = of_types(types, all);
		assert_int_equal(ike_payloads_check(&p, exchange, response, &found), 0);
		p = of_types(types, needed);
		assert_int_equal(ike_payloads_check(&p, exchange, response, &found), 0);
		for (size_t i = 0; i < needed; i++) {
			p = of_types(types, all);
			p.list[i].type = PAYLOAD_CP; /* missing */
			assert_int_equal(
			    ike_payloads_check(&p, exchange, response, &found), -EBADMSG);
			assert_int_equal(found, types[i]);
		}
		for (size_t i = 0; i < all; i++) {
			p = of_types(types, all);
			p.list[p.count++].type = types[i]; /* doubled */
			assert_int_equal(
			    ike_payloads_check(&p, exchange, response, &found), -EBADMSG);
			assert_int_equal(found, types[i]);
		}
	}
}

/* A response that is an error needs nothing else; a request is none. */
static void test_rules_refusal(void **state)
{
	uint8_t mem[64];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_payloads p;

	ike_chain_notify(&c, NOTIFY_NO_PROPOSAL_CHOSEN, NULL, 0);
	assert_int_equal(parse(mem, wirebuf_len(&c.buf), c.first, &p), 0);
	assert_int_equal(ike_payloads_check(&p, EXCHANGE_IKE_SA_INIT, true, NULL), 0);
	assert_int_equal(ike_payloads_check(&p, EXCHANGE_CREATE_CHILD_SA, true, NULL), 0);
	assert_int_equal(ike_payloads_check(&p, EXCHANGE_IKE_SA_INIT, false, NULL), -EBADMSG);
	c = ike_chain_of(mem, sizeof(mem));
	ike_chain_notify(&c, NOTIFY_COOKIE, "x", 1);
	assert_int_equal(parse(mem, wirebuf_len(&c.buf), c.first, &p), 0);
	assert_int_equal(ike_payloads_check(&p, EXCHANGE_IKE_SA_INIT, true, NULL), 0);
	assert_int_equal(ike_payloads_check(&p, EXCHANGE_IKE_AUTH, true, NULL), -EBADMSG);
}

/* Whatever bytes come: no read outside, and what is accepted lies inside. */
static void test_chain_random(void **state)
{
	struct rng rng;

	rng_init_seeded(&rng, 7);
	for (unsigned round = 0; round < 200000; round++) {
		uint8_t bytes[64];
		size_t len = rng_below(&rng, sizeof(bytes) + 1);
		struct ike_payloads p;

		rng_fill(&rng, bytes, sizeof(bytes));
		for (size_t i = 0; i + 3 < len; i += 4 + bytes[i + 3] % 8)
			bytes[i + 2] = 0, bytes[i + 3] = (uint8_t)(4 + bytes[i + 3] % 8);
		if (parse(bytes, len, (uint8_t)(33 + rng_below(&rng, 21)), &p))
			continue;
		for (unsigned i = 0; i < p.count; i++)
			assert_true(p.list[i].body >= bytes &&
			    p.list[i].body + p.list[i].len <= bytes + len);
	}
}

static void test_names(void **state)
{
	assert_string_equal(ike_exchange_name(EXCHANGE_IKE_AUTH), "IKE_AUTH");
	assert_string_equal(ike_payload_name(PAYLOAD_TSI), "TSi");
	assert_string_equal(ike_notify_name(NOTIFY_COOKIE), "COOKIE");
	assert_string_equal(ike_exchange_name(0), "unknown");
	assert_string_equal(ike_payload_name(0), "unknown");
	assert_string_equal(ike_notify_name(9999), "unknown");
	assert_string_equal(ike_error_name(IKE_ERROR_PSK_MISMATCH), "PskMismatch");
	for (int code = IKE_ERROR_NONE + 1; code < IKE_ERROR_COUNT; code++)
		assert_true(*ike_error_suggestion((enum ike_error_code)code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header_round_trip),
	    cmocka_unit_test(test_header_lengths),
	    cmocka_unit_test(test_chain_round_trip),
	    cmocka_unit_test(test_chain_malformed),
	    cmocka_unit_test(test_chain_many),
	    cmocka_unit_test(test_chain_unknown),
	    cmocka_unit_test(test_chain_sk),
	    cmocka_unit_test(test_notify_malformed),
	    cmocka_unit_test(test_ke),
	    cmocka_unit_test(test_delete),
	    cmocka_unit_test(test_delete_round_trip),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_rules_refusal),
	    cmocka_unit_test(test_chain_random),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
