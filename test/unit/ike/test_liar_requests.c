/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Requests of a liar on an established IKE SA, under the right keys: what each gets for an answer, or none, and
 * that nothing but what it may move has moved (V2-03, V2-07, V2-11, V2-12, V2-18, V2-19, V2-27, I2, I4 - I6, I8,
 * I18, I19).
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
static uint8_t mem[8192];

#define BODY(literal) (literal), sizeof(literal) - 1

static struct ike_chain nothing(void)
{
	return ike_chain_of(mem, sizeof(mem));
}

/* Nothing is said, the counter tells, and nothing has moved: the next request of A is served. */
static void assert_silence(struct pair *p, const uint64_t *counter, const struct liar_message *m)
{
	struct ike_chain none = nothing();
	unsigned seen = p->seen[1];
	uint64_t before = *counter;

	liar_send(p, m);
	assert_int_equal(p->seen[1], seen);
	assert_int_equal(*counter, before + 1);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	assert_int_equal(pair_children(p, 1), 1);
	assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &none), 0);
	assert_int_equal(liar_answered.count, 0);
}

/* V2-03, V2-27 */
static void test_message_ids(void **state)
{
	static const int64_t beside[] = {-1, -2, -3, 1, 2, 256, 0x10000, 0x7fffffff, 0xfffffffc};
	struct pair *p = &pair;
	const struct ike_counters *counters;
	struct ike_chain c = nothing();

	liar_up(p);
	counters = ike_counters(p->side[1].engine);
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		struct liar_message m;

		c = nothing();
		ike_chain_delete_ike(&c);
		m = liar_message(p, EXCHANGE_INFORMATIONAL, &c);
		m.id += (uint32_t)beside[i];
		assert_silence(p, &counters->unexpected, &m);
	}
	/* a response to no request, with any ID */
	for (uint32_t id = 0; id < 20; id++) {
		struct liar_message m;

		c = nothing();
		ike_chain_delete_ike(&c);
		m = liar_message(p, EXCHANGE_INFORMATIONAL, &c);
		m.flags |= IKE_FLAG_RESPONSE;
		m.id = id;
		assert_silence(p, &counters->unexpected, &m);
	}
	liar_down(p);
}

/* I8: exchanges that there are not, that are another version's, or over */
static void test_exchanges(void **state)
{
	struct pair *p = &pair;
	const struct ike_counters *counters;

	liar_up(p);
	counters = ike_counters(p->side[1].engine);
	for (unsigned exchange = 0; exchange < 256; exchange++) {
		struct ike_chain c = nothing();
		struct liar_message m;

		if (exchange == EXCHANGE_CREATE_CHILD_SA || exchange == EXCHANGE_INFORMATIONAL)
			continue;
		ike_chain_delete_ike(&c);
		m = liar_message(p, (uint8_t)exchange, &c);
		assert_silence(p, &counters->unexpected, &m);
		/* A fragment of such is not kept either. */
		m = liar_message(p, (uint8_t)exchange, &c);
		m.number = 1;
		m.total = 2;
		assert_silence(p, &counters->unexpected, &m);
	}
	liar_down(p);
}

/* V2-12: versions, reserved bits */
static void test_versions(void **state)
{
	static const uint8_t reserved[] = {0x01, 0x02, 0x04, 0x10, 0x40, 0x80, 0xd7};
	struct pair *p = &pair;
	struct ike_chain none = nothing();
	struct liar_message m;
	unsigned seen;

	liar_up(p);
	for (uint8_t minor = 1; minor < 16; minor++) {
		m = liar_message(p, EXCHANGE_INFORMATIONAL, &none);
		m.version |= minor;
		assert_int_equal(liar_ask(p, &m), 0);
		assert_int_equal(p->last[1].bytes[17], 0x20);
	}
	for (size_t i = 0; i < sizeof(reserved); i++) {
		m = liar_message(p, EXCHANGE_INFORMATIONAL, &none);
		m.flags |= reserved[i];
		assert_int_equal(liar_ask(p, &m), 0);
		assert_int_equal(p->last[1].bytes[19], IKE_FLAG_RESPONSE); /* sent as zero */
	}
	for (unsigned bit = 1; bit < 256; bit <<= 1) { /* of the payload header of SK */
		m = liar_message(p, EXCHANGE_INFORMATIONAL, &none);
		m.sk_flags = (uint8_t)bit;
		assert_int_equal(liar_ask(p, &m), 0);
	}

	/* A higher version: in clear, of that ID and exchange, and nothing was done. */
	m = liar_message(p, EXCHANGE_INFORMATIONAL, &none);
	m.version = 0x30;
	liar_send(p, &m);
	assert_int_equal(p->last[1].bytes[16], PAYLOAD_NOTIFY);
	assert_int_equal(p->last[1].bytes[17], 0x20);
	assert_int_equal(exchange_of(&p->last[1]), EXCHANGE_INFORMATIONAL);
	assert_true(is_response(&p->last[1]));
	assert_int_equal(message_id_of(&p->last[1]), m.id);
	assert_int_equal(p->last[1].len, 36);
	assert_int_equal(p->last[1].bytes[35], NOTIFY_INVALID_MAJOR_VERSION);
	p->queued = 0;
	/* No answer to an answer, however much later. */
	pair_run(p, DUR_S(5));
	seen = p->seen[1];
	m.flags |= IKE_FLAG_RESPONSE;
	liar_send(p, &m);
	assert_int_equal(p->seen[1], seen);
	m = liar_message(p, EXCHANGE_INFORMATIONAL, &none);
	assert_int_equal(liar_ask(p, &m), 0);
	liar_down(p);
}

/* V2-11, I2: what is inside of SK */
static void test_sk(void **state)
{
	static const uint8_t exchanges[] = {EXCHANGE_INFORMATIONAL, EXCHANGE_CREATE_CHILD_SA};
	static uint8_t bytes[4096];
	struct pair *p = &pair;
	const struct ike_counters *counters;
	struct ike_chain c = nothing();
	struct liar_message m;
	unsigned seen;

	/* Empty: a question whether we live; no Child SA is asked for with nothing. */
	liar_up(p);
	c = nothing();
	m = liar_message(p, EXCHANGE_INFORMATIONAL, &c);
	assert_int_equal(liar_ask(p, &m), 0);
	assert_int_equal(liar_answered.count, 0);
	m = liar_message(p, EXCHANGE_CREATE_CHILD_SA, &c);
	assert_int_equal(liar_ask(p, &m), NOTIFY_INVALID_SYNTAX);
	assert_int_equal(pair_count_sas(p, 1, "established"), 0);
	assert_int_equal(pair_children(p, 1), 0);
	liar_down(p);

	/* More padding than there is; as much as there is (no payload is left, but one was announced) */
	for (unsigned i = 0; i < 2; i++) {
		static const int pads[] = {16, 17, 255, 15, 14};

		for (unsigned k = 0; k < sizeof(pads) / sizeof(pads[0]); k++) {
			liar_up(p);
			c = nothing();
			ike_chain_notify(&c, 40000, NULL, 0);
			m = liar_message(p, exchanges[i], &c);
			m.pad = pads[k];
			assert_int_equal(liar_ask(p, &m), NOTIFY_INVALID_SYNTAX);
			assert_int_equal(pair_count_sas(p, 1, "established"), 0);
			liar_down(p);
		}
	}

	/* Not authentic, no whole block, too short for anything: silence */
	liar_up(p);
	counters = ike_counters(p->side[1].engine);
	c = nothing();
	ike_chain_delete_ike(&c);
	m = liar_message(p, EXCHANGE_INFORMATIONAL, &c);
	m.cut = 1;
	assert_silence(p, &counters->bad_icv, &m);
	m = liar_message(p, EXCHANGE_INFORMATIONAL, NULL);
	m.cut = 16;
	assert_silence(p, &counters->bad_icv, &m);
	m = liar_message(p, EXCHANGE_INFORMATIONAL, &c);
	for (size_t back = 1; back <= 16; back++) {
		size_t len = liar_seal(p, 0, &m, bytes);
		uint64_t before = counters->bad_icv;

		seen = p->seen[1];
		bytes[len - back] ^= 0x10;
		pair_inject(p, 1, bytes, len);
		assert_int_equal(p->seen[1], seen);
		assert_int_equal(counters->bad_icv, before + 1);
	}
	for (size_t body = 0; body < 33; body++) {
		size_t len = 32 + body;

		seen = p->seen[1];
		liar_seal(p, 0, &m, bytes);
		bytes[27] = (uint8_t)len;
		bytes[31] = (uint8_t)(4 + body);
		pair_inject(p, 1, bytes, len);
		assert_int_equal(p->seen[1], seen);
	}
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	assert_int_equal(liar_ask(p, &m), 0); /* and the right one ends it */
	assert_int_equal(pair_count_sas(p, 1, "established"), 0);
	liar_down(p);
}

/* ---- deletes ---- */

/* V2-19, I19: the body of a Delete payload, with the SPI of A's Child SA (X) or of B's (Y) put in. */
static void test_deletes(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		uint16_t answer;
		bool deleted; /* the Child SA; its SPI is in the answer then */
	} cases[] = {
	    {BODY("\3\4\0\1XXXX"), 0, true},
	    {BODY("\3\4\0\2XXXXXXXX"), 0, true},
	    {BODY("\3\4\0\3\0\0\0\0XXXXYYYY"), 0, true},
	    {BODY("\3\4\0\1YYYY"), 0, false}, /* ours: it deletes what it receives on */
	    {BODY("\3\4\0\1\0\0\0\0"), 0, false},
	    {BODY("\3\4\0\1\xff\xff\xff\xff"), 0, false},
	    {BODY("\2\4\0\1XXXX"), 0, false}, /* AH */
	    {BODY("\3\4\0\0"), 0, false},
	    {BODY("\3\4\0\0XXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\3\4\0\2XXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\3\3\0\1XXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\3\x08\0\1XXXXXXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\3\2\0\2XXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\3\xff\xff\xffXXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\1\x08\0\1XXXXXXXX"), NOTIFY_INVALID_SYNTAX, false}, /* IKE has none (3.11) */
	    {BODY("\1\0\0\1"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\0\4\0\1XXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\4\4\0\1XXXX"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY("\3\4\0"), NOTIFY_INVALID_SYNTAX, false},
	    {BODY(""), NOTIFY_INVALID_SYNTAX, false},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_chain c = nothing();
		uint8_t spi[2][4], body[64];
		uint16_t notify;

		liar_up(p);
		for (unsigned side = 0; side < 2; side++) {
			struct wirebuf b = wirebuf_of(spi[side], 4);

			wirebuf_u32(&b, pair_in_use(p, side)->info.spi_in);
		}
		memcpy(body, cases[i].body, cases[i].len);
		for (size_t at = 4; at < cases[i].len; at++)
			if (cases[i].body[at] == 'X' || cases[i].body[at] == 'Y')
				body[at] = spi[cases[i].body[at] == 'Y'][at % 4];
		ike_chain_put(&c, PAYLOAD_DELETE, body, cases[i].len);
		notify = liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c);
		if (notify != cases[i].answer)
			fail_msg("case %zu: liar_answered with notify %u, not %u", i, notify,
			    cases[i].answer);
		if (notify) {
			assert_int_equal(pair_count_sas(p, 1, "established"), 0);
			assert_int_equal(pair_children(p, 1), 0);
			liar_down(p);
			continue;
		}
		assert_int_equal(pair_count_sas(p, 1, "established"), 1);
		assert_int_equal(pair_in_use(p, 1) == NULL, cases[i].deleted);
		assert_int_equal(liar_answered.count, cases[i].deleted);
		if (cases[i].deleted) {
			assert_int_equal(liar_answered.list[0].type, PAYLOAD_DELETE);
			assert_int_equal(liar_answered.list[0].len, 8); /* once */
			assert_memory_equal(liar_answered.list[0].body, "\3\4\0\1", 4);
			assert_memory_equal(liar_answered.list[0].body + 4, spi[1], 4);
		}
		liar_down(p);
	}
}

/* Both protocols in one message: AH means nothing, ESP what it says */
static void test_deletes_of_both(void **state)
{
	struct pair *p = &pair;
	struct ike_chain c = nothing();
	uint8_t body[8] = {2, 4, 0, 1};
	struct wirebuf b = wirebuf_of(body + 4, 4);

	liar_up(p);
	wirebuf_u32(&b, pair_in_use(p, 0)->info.spi_in);
	c = nothing();
	ike_chain_put(&c, PAYLOAD_DELETE, body, 8);
	body[0] = 3;
	ike_chain_put(&c, PAYLOAD_DELETE, body, 8);
	assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
	assert_int_equal(liar_answered.count, 1);
	assert_null(pair_in_use(p, 1));
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	liar_down(p);
}

/* ---- payloads that nobody knows ---- */

/* V2-12: refused by its type when critical, and nothing else of the message is done; ignored when not */
static void test_unknown_payloads(void **state)
{
	static const uint8_t exchanges[] = {EXCHANGE_INFORMATIONAL, EXCHANGE_CREATE_CHILD_SA};
	static const uint8_t types[] = {1, 32, 49, 52, 54, 127, 128, 200, 255};
	struct pair *p = &pair;

	liar_up(p);
	for (unsigned i = 0; i < 2 * sizeof(types); i++) {
		struct ike_chain c = nothing();

		ike_chain_put(&c, types[i / 2], "what is it", 10);
		mem[1] = 0x80;
		ike_chain_put(&c, 99, "and this", 8);
		mem[15] = 0x80;
		ike_chain_delete_ike(&c);
		assert_int_equal(
		    liar_ask_with(p, exchanges[i % 2], &c), NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD);
		assert_int_equal(liar_answered.count, 1);
		assert_int_equal(liar_error.protocol, 0);
		assert_int_equal(liar_error.spi_len, 0);
		assert_int_equal(liar_error.data.len, 1);
		assert_memory_equal(liar_error.data.bytes, &types[i / 2], 1);
		assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	}
	for (unsigned i = 0; i < sizeof(types); i++) {
		struct ike_chain c = nothing();

		ike_chain_put(&c, types[i], "what is it", 10);
		mem[1] = 0x7f; /* reserved */
		ike_chain_put(&c, types[i], "", 0);
		assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
		assert_int_equal(liar_answered.count, 0);
	}
	/* The bit on payloads that are known means nothing (2.5). */
	{
		struct ike_chain c = nothing();

		ike_chain_notify(&c, 40000, NULL, 0);
		mem[1] = 0x80;
		assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
	}
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	assert_int_equal(pair_children(p, 1), 1);
	liar_down(p);
}

/* I2: notifies that are shorter than they say; SPIs as long as there can be */
static void test_notifies(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		uint16_t answer;
	} cases[] = {
	    {BODY(""), NOTIFY_INVALID_SYNTAX},
	    {BODY("\0\0\x9c"), NOTIFY_INVALID_SYNTAX},
	    {BODY("\3\4\x40\x09\0\0\0"), NOTIFY_INVALID_SYNTAX}, /* REKEY_SA */
	    {BODY("\0\xff\x9c\x40"), NOTIFY_INVALID_SYNTAX},
	    {BODY("\0\x08\x9c\x40"
		  "12345678"),
		0},
	    {BODY("\xff\0\x9c\x40"), 0},
	    {BODY("\0\0\xff\xff"), 0},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_chain c = nothing();
		uint16_t notify;

		liar_up(p);
		c = nothing();
		ike_chain_put(&c, PAYLOAD_NOTIFY, cases[i].body, cases[i].len);
		notify = liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c);
		if (notify != cases[i].answer)
			fail_msg("case %zu: liar_answered with notify %u, not %u", i, notify,
			    cases[i].answer);
		assert_int_equal(pair_count_sas(p, 1, "established"), notify == 0);
		liar_down(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_message_ids),
	    cmocka_unit_test(test_exchanges),
	    cmocka_unit_test(test_versions),
	    cmocka_unit_test(test_sk),
	    cmocka_unit_test(test_deletes),
	    cmocka_unit_test(test_deletes_of_both),
	    cmocka_unit_test(test_unknown_payloads),
	    cmocka_unit_test(test_notifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
