/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a stranger's IKE_SA_INIT gets, byte for byte: an SA, a notify with its data, or silence and which counter
 * tells of it (V2-05, V2-07, V2-12, V2-26, V2-27, V2-29, I1 - I9, I14). A refusal leaves no state.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "liar.h"

static struct pair pair;
static struct datagram request; /* of A, which B has not seen */

#define BODY(literal) (literal), sizeof(literal) - 1

enum outcome {
	SERVED,    /* a half-open SA and the full response */
	REFUSED,   /* a notify */
	MALFORMED, /* silence, counted as such */
	NO_SA,     /* silence: it belongs to no IKE SA */
};

static void begin(struct pair *p, enum alg_dh group)
{
	pair_init(p);
	for (unsigned side = 0; side < 2; side++)
		p->side[side].config.ike.dh[0] = group;
	p->cut = true;
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	pair_settle(p);
	request = p->last[0];
}

/* B without memory of what came before. */
static void begin_again(struct pair *p)
{
	pair_kill_side(p, 1);
	pair_start_side(p, 1);
}

static void end(struct pair *p)
{
	p->queued = 0;
	pair_end(p);
}

/* The header of an answer: to this exchange and ID, in clear, of our version. */
static void check_header(struct pair *p, const struct datagram *asked)
{
	const struct datagram *d = &p->last[1];

	assert_memory_equal(d->bytes, asked->bytes, 8);
	assert_int_equal(d->bytes[17], 0x20);
	assert_int_equal(d->bytes[18], asked->bytes[18]);
	assert_int_equal(d->bytes[19], IKE_FLAG_RESPONSE);
	assert_memory_equal(d->bytes + 20, asked->bytes + 20, 4);
}

/* A lone notify without protocol and SPI. */
static void check_notify(
    struct pair *p, const struct datagram *asked, uint16_t notify, const void *data, size_t len)
{
	uint8_t head[8] = {
	    0, 0, 0, (uint8_t)(8 + len), 0, 0, (uint8_t)(notify >> 8), (uint8_t)notify};
	const struct datagram *d = &p->last[1];

	check_header(p, asked);
	assert_int_equal(d->len, 36 + len);
	assert_memory_equal(d->bytes + 8, "\0\0\0\0\0\0\0", 8);
	assert_int_equal(d->bytes[16], PAYLOAD_NOTIFY);
	assert_memory_equal(d->bytes + 28, head, 8);
	assert_memory_equal(d->bytes + 36, data, len);
}

static void expect(struct pair *p, const struct datagram *d, enum outcome outcome)
{
	const struct ike_counters *c = ike_counters(p->side[1].engine);
	uint64_t malformed = c->malformed, unknown = c->unknown_spi;
	uint32_t half_open, sas, before, all;
	unsigned seen = p->seen[1];

	ike_load(p->side[1].engine, &before, &all);
	pair_inject(p, 1, d->bytes, d->len);
	p->queued = 0;
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(p->seen[1] - seen, outcome == SERVED || outcome == REFUSED);
	assert_int_equal(c->malformed - malformed, outcome == MALFORMED);
	assert_int_equal(c->unknown_spi - unknown, outcome == NO_SA);
	assert_int_equal(half_open - before, outcome == SERVED);
	assert_int_equal(sas - all, outcome == SERVED);
	if (outcome == SERVED) {
		check_header(p, d);
		assert_int_equal(p->last[1].bytes[16], PAYLOAD_SA);
		assert_memory_not_equal(p->last[1].bytes + 8, "\0\0\0\0\0\0\0", 8);
	}
}

struct vector {
	struct liar_edit edit;
	enum outcome outcome;
	uint16_t notify;
	uint8_t data[2];
	size_t data_len;
};

static void run(enum alg_dh group, const struct vector *list, size_t count)
{
	struct pair *p = &pair;

	for (size_t i = 0; i < count; i++) {
		begin(p, group);
		liar_change(p, &request, &list[i].edit);
		expect(p, &request, list[i].outcome);
		if (list[i].notify)
			check_notify(p, &request, list[i].notify, list[i].data, list[i].data_len);
		end(p);
	}
}

#define RUN(group, list) run(group, list, sizeof(list) / sizeof(list[0]))
#define REPLACE(type, literal)                                                                     \
	{                                                                                          \
		LIE_REPLACE, PAYLOAD_##type, BODY(literal)                                         \
	}
#define ADD(type, literal)                                                                         \
	{                                                                                          \
		LIE_ADD, type, BODY(literal)                                                       \
	}
#define NONE_CHOSEN REFUSED, NOTIFY_NO_PROPOSAL_CHOSEN

#define ENCR  "\3\0\0\x0c\1\0\0\x0c\x80\x0e\0\x80"
#define OTHER "\3\0\0\x0c\1\0\0\x0c\x80\x0e\1\0"
#define PRF   "\3\0\0\x08\2\0\0\5"
#define AUTH  "\3\0\0\x08\3\0\0\x0c"
#define DH    "\0\0\0\x08\4\0\0\x1f"
#define GOOD  "\1\0\4" ENCR PRF AUTH DH

/* V2-07, I4 */
static void test_proposals(void **state)
{
	static const struct vector cases[] = {
	    {{LIE_NOTHING}, SERVED},
	    {REPLACE(SA, "\0\0\0\x2c\1" GOOD), SERVED},
	    {REPLACE(SA, "\0\0\0\x2c\0" GOOD), SERVED},
	    {REPLACE(SA, "\2\0\0\x2c\3" GOOD "\0\0\0\x2c\1" GOOD), SERVED},
	    {REPLACE(SA, "\2\0\0\x2c\1\1\0\4" OTHER PRF AUTH DH "\0\0\0\x2c\1" GOOD), SERVED},
	    {REPLACE(SA, "\0\0\0\x38\1\1\0\5" OTHER ENCR PRF AUTH DH), SERVED},
	    {REPLACE(SA, "\0\0\0\x2c\1\1\0\4" OTHER PRF AUTH DH), NONE_CHOSEN},
	    {REPLACE(SA, "\0\0\0\x2c\1\3\0\4" ENCR PRF AUTH DH), NONE_CHOSEN},
	    {REPLACE(SA, "\0\0\0\x34\1\1\0\5" ENCR PRF AUTH "\3\0\0\x08\6\0\0\1" DH), NONE_CHOSEN},
	    {REPLACE(SA, "\0\0\0\x08\1\1\0\0"), NONE_CHOSEN},
	    {REPLACE(SA, ""), NONE_CHOSEN},
	    {REPLACE(SA, "\0\0\0\x2c\1\1\x08\4" ENCR PRF AUTH DH), MALFORMED},
	    {REPLACE(SA,
		 "\0\0\0\x34\1\1\x08\4"
		 "12345678" ENCR PRF AUTH DH),
		MALFORMED}, /* an SPI (3.3.1) */
	    {REPLACE(SA, "\0\0\0\x2c\1\1\0\5" ENCR PRF AUTH DH), MALFORMED},
	    {REPLACE(SA, "\0\0\0\x2c\1\1\0\3" ENCR PRF AUTH DH), MALFORMED},
	    {REPLACE(SA, "\0\0\0\x2d\1" GOOD), MALFORMED},
	    {REPLACE(SA, "\0\0\0\x2b\1" GOOD), MALFORMED},
	    {REPLACE(SA, "\2\0\0\x2c\1" GOOD), MALFORMED},
	    {REPLACE(SA,
		 "\0\0\0\x2c\1\1\0\4"
		 "\3\0\0\x0c\1\0\0\x0c\0\x0e\0\1" PRF AUTH DH),
		MALFORMED},
	    {REPLACE(SA,
		 "\0\0\0\x2c\1\1\0\4"
		 "\3\0\0\x0c\1\0\0\x0c\0\x0e\xff\xff" PRF AUTH DH),
		MALFORMED},
	    {{LIE_DROP, PAYLOAD_SA}, MALFORMED},
	    {{LIE_DOUBLE, PAYLOAD_SA}, MALFORMED},
	};

	RUN(DH_31, cases);
}

#define OTHER_GROUP(group) REFUSED, NOTIFY_INVALID_KE_PAYLOAD, {0, group}, 2

/* V2-05, V2-29, I5, I6: KE over a curve, nonces */
static void test_values(void **state)
{
	static const uint8_t zero[36] = {0, 31}, one[36] = {0, 31, [4] = 1},
			     good[37] = {0, 31, 0xff, 0xff, 9}, none[36] = {0, 0, [4] = 9},
			     modp[4 + 256] = {0, 14, [259] = 9},
			     unknown[36] = {0xff, 0xff, [4] = 9}, nonce[257];
	static const struct vector cases[] = {
	    {{LIE_REPLACE, PAYLOAD_KE, good, 36}, SERVED},
	    {{LIE_REPLACE, PAYLOAD_KE, zero, 36}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, one, 36}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 35}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 37}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 4}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 3}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 0}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, none, 36}, OTHER_GROUP(31)},
	    {{LIE_REPLACE, PAYLOAD_KE, unknown, 36}, OTHER_GROUP(31)},
	    {{LIE_REPLACE, PAYLOAD_KE, modp, sizeof(modp)}, OTHER_GROUP(31)},
	    {{LIE_REPLACE, PAYLOAD_KE, modp, 4}, OTHER_GROUP(31)},
	    {{LIE_DROP, PAYLOAD_KE}, MALFORMED},
	    {{LIE_DOUBLE, PAYLOAD_KE}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_NONCE, nonce, 0}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_NONCE, nonce, 15}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_NONCE, nonce, 16}, SERVED},
	    {{LIE_REPLACE, PAYLOAD_NONCE, nonce, 256}, SERVED},
	    {{LIE_REPLACE, PAYLOAD_NONCE, nonce, 257}, MALFORMED},
	    {{LIE_DROP, PAYLOAD_NONCE}, MALFORMED},
	    {{LIE_DOUBLE, PAYLOAD_NONCE}, MALFORMED},
	};

	RUN(DH_31, cases);
}

/* KE over a prime (p and p - 1: test_crypto.c) */
static void test_values_modp(void **state)
{
	static uint8_t good[4 + 257] = {0, 14, [5] = 1}, zero[4 + 256] = {0, 14},
				one[4 + 256] = {0, 14, [259] = 1}, above[4 + 256] = {0, 14},
				curve[36] = {0, 31, [4] = 9};
	static const struct vector cases[] = {
	    {{LIE_REPLACE, PAYLOAD_KE, good, 260}, SERVED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 259}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, good, 261}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, zero, 260}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, one, 260}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, above, 260}, MALFORMED},
	    {{LIE_REPLACE, PAYLOAD_KE, curve, 36}, OTHER_GROUP(14)},
	};

	memset(above + 4, 0xff, 256);
	RUN(DH_14, cases);
}

/* V2-12, I3, I14: payloads that have no place here, or that nobody knows */
static void test_payloads(void **state)
{
	static const struct vector cases[] = {
	    {ADD(PAYLOAD_CERTREQ, "\4garbage"), SERVED},
	    {ADD(PAYLOAD_CERT, "\4garbage"), SERVED},
	    {ADD(PAYLOAD_CP, "\1\0\0\0"), SERVED},
	    {ADD(PAYLOAD_EAP, "\1\0\0\4"), SERVED},
	    {ADD(PAYLOAD_VENDOR, "somebody"), SERVED},
	    {ADD(PAYLOAD_VENDOR, ""), SERVED},
	    {ADD(PAYLOAD_AUTH, "\2\0\0\0"), SERVED},
	    {ADD(PAYLOAD_DELETE, "\1\0\0\0"), SERVED},
	    {ADD(PAYLOAD_TSI, "\0"), SERVED},
	    {ADD(1, "of IKEv1"), SERVED},
	    {ADD(200, "what is it"), SERVED},
	    {{LIE_ADD, 200, BODY("what is it"), true}, REFUSED, NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
		{200}, 1},
	    {{LIE_ADD, 1, BODY("of IKEv1"), true}, REFUSED, NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
		{1}, 1},
	    {{LIE_ADD, PAYLOAD_VENDOR, BODY("somebody"), true}, SERVED},
	    {ADD(PAYLOAD_NOTIFY, "\0\0\x9c\x40"), SERVED},
	    {ADD(PAYLOAD_NOTIFY, "\0\0\0\7"), SERVED}, /* an error in a request */
	    {ADD(PAYLOAD_NOTIFY, "\0\xff\x9c\x40"), MALFORMED},
	    {ADD(PAYLOAD_NOTIFY, "\0\0\x9c"), MALFORMED},
	};

	RUN(DH_31, cases);
}

/* I2: the length of each payload, and where the chain ends */
static void test_chains(void **state)
{
	struct pair *p = &pair;
	struct datagram d;
	size_t at = 28;

	begin(p, DH_31);
	while (at < request.len) {
		size_t len = (size_t)request.bytes[at + 2] << 8 | request.bytes[at + 3];
		size_t wrong[] = {0, 1, 2, 3, request.len - at + 1, 0x7fff, 0xffff};

		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			d = request;
			d.bytes[at + 2] = (uint8_t)(wrong[i] >> 8);
			d.bytes[at + 3] = (uint8_t)wrong[i];
			expect(p, &d, MALFORMED);
		}
		d = request; /* the last one is not; the one before it is */
		d.bytes[at] = d.bytes[at] ? PAYLOAD_NONE : PAYLOAD_VENDOR;
		expect(p, &d, MALFORMED);
		at += len;
	}
	d = request;
	d.bytes[16] = PAYLOAD_NONE; /* no payload, and many bytes of it */
	expect(p, &d, MALFORMED);
	d.len = 28;
	d.bytes[26] = 0;
	d.bytes[27] = 28;
	expect(p, &d, MALFORMED); /* nothing is missing but all payloads */
	expect(p, &request, SERVED);
	end(p);
}

/* I1: the length in the header is that of the datagram */
static void test_lengths(void **state)
{
	struct pair *p = &pair;
	struct datagram d;

	begin(p, DH_31);
	{
		size_t claimed[] = {
		    0, 1, 27, 28, request.len - 1, request.len + 1, 0xffff, 0xffffffff};

		for (size_t i = 0; i < sizeof(claimed) / sizeof(claimed[0]); i++) {
			d = request;
			for (unsigned k = 0; k < 4; k++)
				d.bytes[24 + k] = (uint8_t)(claimed[i] >> (24 - 8 * k));
			expect(p, &d, MALFORMED);
		}
	}
	for (size_t len = 0; len < request.len; len++) {
		d = request;
		d.len = len;
		expect(p, &d, MALFORMED);
	}
	d = request;
	d.len++;
	expect(p, &d, MALFORMED);
	expect(p, &request, SERVED);
	end(p);
}

/* I7, I8, I9: SPIs, exchanges, flags, message IDs */
static void test_headers(void **state)
{
	struct pair *p = &pair;
	struct datagram d;

	begin(p, DH_31);
	d = request;
	memset(d.bytes, 0, 8);
	expect(p, &d, MALFORMED);
	d = request;
	d.bytes[8] = 1; /* of an IKE SA that there is not */
	expect(p, &d, NO_SA);
	for (unsigned exchange = 0; exchange < 256; exchange++) {
		d = request;
		d.bytes[18] = (uint8_t)exchange;
		if (exchange != EXCHANGE_IKE_SA_INIT)
			expect(p, &d, NO_SA);
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		d = request;
		d.bytes[20 + bit / 8] |= (uint8_t)(1 << bit % 8);
		expect(p, &d, NO_SA);
	}
	/* The version bit and the reserved ones mean nothing; I without R makes it a first message. */
	for (unsigned flags = 0; flags < 256; flags++) {
		begin_again(p);
		d = request;
		d.bytes[19] = (uint8_t)flags;
		expect(p, &d,
		    (flags & (IKE_FLAG_INITIATOR | IKE_FLAG_RESPONSE)) == IKE_FLAG_INITIATOR
			? SERVED
			: NO_SA);
	}
	end(p);
}

/* V2-12: versions. The answer to a higher one is never longer than the question, and seldom. */
static void test_versions(void **state)
{
	struct pair *p = &pair;
	struct datagram d;

	begin(p, DH_31);
	for (uint8_t major = 3; major < 16; major++) {
		d = request;
		d.bytes[17] = (uint8_t)(major << 4 | 5);
		expect(p, &d, REFUSED);
		check_notify(p, &d, NOTIFY_INVALID_MAJOR_VERSION, "", 0);
		pair_run(p, DUR_S(2));
		p->queued = 0;
	}
	/* not to an answer, not to what is shorter than the answer, not to version 0 */
	d = request;
	d.bytes[17] = 0x30;
	d.bytes[19] |= IKE_FLAG_RESPONSE;
	{
		unsigned seen = p->seen[1];

		pair_inject(p, 1, d.bytes, d.len);
		d = request;
		d.bytes[17] = 0x30;
		d.len = 35;
		d.bytes[26] = 0;
		d.bytes[27] = 35;
		pair_inject(p, 1, d.bytes, d.len);
		assert_int_equal(p->seen[1], seen);
	}
	d = request;
	d.bytes[17] = 0x05;
	expect(p, &d, MALFORMED);
	d = request;
	d.bytes[17] = 0x25;
	expect(p, &d, SERVED);
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_proposals),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_values_modp),
	    cmocka_unit_test(test_payloads),
	    cmocka_unit_test(test_chains),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
