/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A responder that answers what was not asked: in IKE_SA_INIT, where anybody could have said it, and under the
 * right keys in CREATE_CHILD_SA (V2-05, V2-07, V2-10, V2-13, V2-29, I4 - I6, I16). Each case says what the
 * initiator does next, and what it still has.
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

#define BODY(literal) (literal), sizeof(literal) - 1

/* What A offers: AES-128 in CBC, HMAC-SHA256 twice, X25519. */
#define I_ENCR "\3\0\0\x0c\1\0\0\x0c\x80\x0e\0\x80"
#define I_PRF  "\3\0\0\x08\2\0\0\5"
#define I_AUTH "\3\0\0\x08\3\0\0\x0c"
#define I_DH   "\0\0\0\x08\4\0\0\x1f"

struct choice {
	const char *body;
	size_t len;
	bool good;
};

/* A response to IKE_SA_INIT with this change: does A go on to IKE_AUTH? */
static void answer_init(const struct liar_edit *edit, bool good, size_t number)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[0].config.ike.dh_count = 1;
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	liar_arm(p, 1, EXCHANGE_IKE_SA_INIT, true, edit);
	pair_settle(p);
	assert_int_equal(liar_seen.armed, 1);
	if ((p->seen[0] > 1) != good)
		fail_msg("case %zu: A sent %u messages", number, p->seen[0]);
	if (!good) {
		/* Silence; it waits for a better one, which then comes. */
		assert_int_equal(ike_counters(p->side[0].engine)->malformed, 1);
		assert_int_equal(pair_count_sas(p, 0, "connecting"), 1);
		assert_int_equal(p->side[0].spis, 0);
		liar_arm(p, 0, 0, false, NULL);
		pair_run(p, DUR_S(2));
		pair_assert_up(p);
		assert_int_equal(pair_count_sas(p, 0, NULL), 1);
	}
	liar_arm(p, 0, 0, false, NULL);
	pair_end(p);
}

/* V2-07 as initiator: one choice out of one proposal of ours, or it was not the answer */
static void test_init_choices(void **state)
{
	static const struct choice cases[] = {
	    {BODY("\0\0\0\x2c\1\1\0\4" I_ENCR I_PRF I_AUTH I_DH), true},
	    /* a proposal that there was not; another protocol; an SPI */
	    {BODY("\0\0\0\x2c\0\1\0\4" I_ENCR I_PRF I_AUTH I_DH), false},
	    {BODY("\0\0\0\x2c\2\1\0\4" I_ENCR I_PRF I_AUTH I_DH), false},
	    {BODY("\0\0\0\x2c\xff\1\0\4" I_ENCR I_PRF I_AUTH I_DH), false},
	    {BODY("\0\0\0\x2c\1\3\0\4" I_ENCR I_PRF I_AUTH I_DH), false},
	    {BODY("\0\0\0\x34\1\1\x08\4"
		  "12345678" I_ENCR I_PRF I_AUTH I_DH),
		false},
	    /* another key, cipher, PRF, integrity, group */
	    {BODY("\0\0\0\x2c\1\1\0\4"
		  "\3\0\0\x0c\1\0\0\x0c\x80\x0e\1\0" I_PRF I_AUTH I_DH),
		false},
	    {BODY("\0\0\0\x28\1\1\0\4"
		  "\3\0\0\x08\1\0\0\3" I_PRF I_AUTH I_DH),
		false},
	    {BODY("\0\0\0\x2c\1\1\0\4" I_ENCR "\3\0\0\x08\2\0\0\2" I_AUTH I_DH), false},
	    {BODY("\0\0\0\x2c\1\1\0\4" I_ENCR I_PRF "\3\0\0\x08\3\0\0\2" I_DH), false},
	    {BODY("\0\0\0\x2c\1\1\0\4" I_ENCR I_PRF I_AUTH "\0\0\0\x08\4\0\0\x0e"), false},
	    {BODY("\0\0\0\x2c\1\1\0\4" I_ENCR I_PRF I_AUTH "\0\0\0\x08\4\0\0\0"), false},
	    /* one too few of each kind */
	    {BODY("\0\0\0\x20\1\1\0\3" I_PRF I_AUTH I_DH), false},
	    {BODY("\0\0\0\x24\1\1\0\3" I_ENCR I_AUTH I_DH), false},
	    {BODY("\0\0\0\x24\1\1\0\3" I_ENCR I_PRF I_DH), false},
	    {BODY("\0\0\0\x24\1\1\0\3" I_ENCR I_PRF "\0\0\0\x08\3\0\0\x0c"), false},
	    {BODY("\0\0\0\x08\1\1\0\0"), false},
	    /* one too many: the same again, one that nobody knows, kinds that were not there */
	    {BODY("\0\0\0\x38\1\1\0\5" I_ENCR I_ENCR I_PRF I_AUTH I_DH), false},
	    {BODY("\0\0\0\x38\1\1\0\5" I_ENCR
		  "\3\0\0\x0c\1\0\3\xe8\x80\x0e\0\x80" I_PRF I_AUTH I_DH),
		false},
	    {BODY("\0\0\0\x34\1\1\0\5" I_ENCR I_PRF "\3\0\0\x08\2\0\3\xe8" I_AUTH I_DH), false},
	    {BODY("\0\0\0\x34\1\1\0\5" I_ENCR I_PRF I_AUTH "\3\0\0\x08\4\0\3\xe8" I_DH), false},
	    {BODY("\0\0\0\x34\1\1\0\5" I_ENCR I_PRF I_AUTH "\3\0\0\x08\5\0\0\0" I_DH), false},
	    {BODY("\0\0\0\x34\1\1\0\5" I_ENCR I_PRF I_AUTH "\3\0\0\x08\6\0\0\1" I_DH), false},
	    /* the length of the key twice, in long form, and as long as the packet */
	    {BODY("\0\0\0\x30\1\1\0\4"
		  "\3\0\0\x10\1\0\0\x0c\x80\x0e\0\x80\x80\x0e\0\x80" I_PRF I_AUTH I_DH),
		false},
	    {BODY("\0\0\0\x2e\1\1\0\4"
		  "\3\0\0\x0e\1\0\0\x0c\0\x0e\0\2\0\x80" I_PRF I_AUTH I_DH),
		false},
	    {BODY("\0\0\0\x2e\1\1\0\4"
		  "\3\0\0\x0e\1\0\0\x0c\0\x0e\xff\xff\0\x80" I_PRF I_AUTH I_DH),
		false},
	    /* two proposals, none, and half of one */
	    {BODY("\2\0\0\x2c\1\1\0\4" I_ENCR I_PRF I_AUTH I_DH
		  "\0\0\0\x2c\2\1\0\4" I_ENCR I_PRF I_AUTH I_DH),
		false},
	    {BODY(""), false},
	    {BODY("\0\0\0\x2c\1\1\0\4" I_ENCR I_PRF I_AUTH), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct liar_edit edit = {LIE_REPLACE, PAYLOAD_SA, cases[i].body, cases[i].len};

		answer_init(&edit, cases[i].good, i);
	}
}

/* V2-29: public values and nonces of a responder; payloads that are missing, doubled, or nobody knows */
static void test_init_payloads(void **state)
{
	static const uint8_t zeros[300],
	    ke[36] = {0, 31, [4] = 9}, one[36] = {0, 31, [4] = 1},
	    other[4 + 256] = {0, 14, [4] = 9}, none[36] = {0, 0, [4] = 9},
	    reserved[36] = {0, 31, 0xff, 0xff, 9}, longer[37] = {0, 31, [4] = 9};
	static const struct {
		struct liar_edit edit;
		bool good;
	} cases[] = {
	    {{LIE_REPLACE, PAYLOAD_KE, ke, 36}, true},
	    {{LIE_REPLACE, PAYLOAD_KE, reserved, 36}, true},
	    {{LIE_REPLACE, PAYLOAD_KE, one, 36}, false}, /* of small order */
	    {{LIE_REPLACE, PAYLOAD_KE, "\0\x1f\0\0", 4}, false},
	    {{LIE_REPLACE, PAYLOAD_KE, ke, 35}, false},
	    {{LIE_REPLACE, PAYLOAD_KE, longer, 37}, false},
	    {{LIE_REPLACE, PAYLOAD_KE, other, 4 + 256}, false},
	    {{LIE_REPLACE, PAYLOAD_KE, none, 36}, false}, {{LIE_REPLACE, PAYLOAD_KE, ke, 3}, false},
	    {{LIE_REPLACE, PAYLOAD_KE, ke, 0}, false}, {{LIE_DOUBLE, PAYLOAD_KE}, false},
	    {{LIE_DROP, PAYLOAD_KE}, false}, {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 0}, false},
	    {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 15}, false},
	    {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 16}, true},
	    {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 256}, true},
	    {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 257}, false}, {{LIE_DOUBLE, PAYLOAD_NONCE}, false},
	    {{LIE_DROP, PAYLOAD_NONCE}, false}, {{LIE_DOUBLE, PAYLOAD_SA}, false},
	    {{LIE_DROP, PAYLOAD_SA}, false}, {{LIE_ADD, PAYLOAD_CERTREQ, "\4garbage", 8}, true},
	    {{LIE_ADD, PAYLOAD_VENDOR, "somebody", 8}, true},
	    {{LIE_ADD, 200, "what is it", 10}, true},
	    {{LIE_ADD, 200, "what is it", 10, true}, false},
	    {{LIE_ADD, PAYLOAD_NOTIFY, "\0\xff\x40\x02", 4}, false}, /* no SPI that long */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		answer_init(&cases[i].edit, cases[i].good, i);
}

static bool without_spi(struct pair *p, struct datagram *d)
{
	if (d->from == 1 && exchange_of(d) == EXCHANGE_IKE_SA_INIT && p->count++ == 0)
		memset(d->bytes + 8, 0, 8);
	return true;
}

/* A full response whose SPI is zero */
static void test_init_spi(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->filter = without_spi;
	pair_start(p);
	assert_int_equal(p->seen[0], 1);
	assert_int_equal(ike_counters(p->side[0].engine)->malformed, 1);
	pair_run(p, DUR_S(2));
	pair_assert_up(p);
	p->filter = NULL;
	pair_end(p);
}

/* ---- CREATE_CHILD_SA ---- */

enum outcome {
	TAKEN,    /* the new Child SA is in use */
	DECLINED, /* the old one stays in use, the peer is told that ours is none */
	FATAL,    /* the IKE SA is gone, and another is made */
};

static void start_with_net(struct pair *p)
{
	pair_init(p);
	ip_prefix_parse("10.0.0.0/8", &p->side[0].local_ts[0]);
	ip_prefix_parse("10.0.0.0/8", &p->side[1].remote_ts[0]);
	pair_start(p);
	pair_assert_up(p);
}

/* A rekeys its Child SA, and the answer has this change. */
static void answer_child(const struct liar_edit *edit, enum outcome outcome, size_t number)
{
	struct pair *p = &pair;
	uint64_t established;
	uint32_t old;

	start_with_net(p);
	old = pair_in_use(p, 0)->info.spi_in;
	established = ike_counters(p->side[0].engine)->ike_established;
	liar_arm(p, 1, EXCHANGE_CREATE_CHILD_SA, true, edit);
	assert_int_equal(ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false), 0);
	pair_settle(p);
	assert_int_equal(liar_seen.requests, 1);
	assert_int_equal(liar_seen.armed, 1);
	liar_arm(p, 0, 0, false, NULL);
	if (outcome == FATAL) {
		assert_true(pair_has_error(p, 0, IKE_ERROR_MESSAGE_MALFORMED, NULL) ||
		    pair_has_error(p, 0, IKE_ERROR_PEER_REFUSED, NULL));
		pair_run(p, DUR_S(10));
		assert_int_equal(ike_counters(p->side[0].engine)->ike_established, established + 1);
		assert_int_equal(pair_count_sas(p, 0, NULL), 1);
		pair_assert_up(p);
		pair_end(p);
		return;
	}
	pair_run(p, DUR_S(15));
	assert_int_equal(ike_counters(p->side[0].engine)->ike_established, established);
	if ((pair_in_use(p, 0)->info.spi_in != old) != (outcome == TAKEN))
		fail_msg("case %zu: the Child SA in use is the %s one", number,
		    outcome == TAKEN ? "old" : "new");
	assert_int_equal(pair_children(p, 0), 1);
	assert_int_equal(pair_children(p, 1), 1); /* nothing is left of what A refused */
	pair_assert_up(p);
	assert_int_equal(p->side[0].spis, 0);
	assert_int_equal(
	    pair_has_error(p, 0, IKE_ERROR_MESSAGE_MALFORMED, NULL), outcome == DECLINED);
	pair_end(p);
}

#define C_ENCR "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80" /* AES-128 in GCM */
#define C_ESN  "\0\0\0\x08\5\0\0\0"

/* V2-07: the choice for a Child SA */
static void test_child_choices(void **state)
{
	static const struct choice cases[] = {
	    {BODY("\0\0\0\x20\2\3\4\2\0\0\x12\x34" C_ENCR C_ESN), false},
	    {BODY("\0\0\0\x20\0\3\4\2\0\0\x12\x34" C_ENCR C_ESN), false},
	    {BODY("\0\0\0\x20\1\2\4\2\0\0\x12\x34" C_ENCR C_ESN), false},
	    {BODY("\0\0\0\x20\1\1\4\2\0\0\x12\x34" C_ENCR C_ESN), false},
	    /* the SPI: zero, none, of an IKE SA */
	    {BODY("\0\0\0\x20\1\3\4\2\0\0\0\0" C_ENCR C_ESN), false},
	    {BODY("\0\0\0\x1c\1\3\0\2" C_ENCR C_ESN), false},
	    {BODY("\0\0\0\x24\1\3\x08\2\0\0\x12\x34\0\0\x12\x34" C_ENCR C_ESN), false},
	    /* other algorithms, or too few, or too many of them */
	    {BODY("\0\0\0\x20\1\3\4\2\0\0\x12\x34"
		  "\3\0\0\x0c\1\0\0\x14\x80\x0e\1\0" C_ESN),
		false},
	    {BODY("\0\0\0\x20\1\3\4\2\0\0\x12\x34"
		  "\3\0\0\x0c\1\0\0\x0c\x80\x0e\0\x80" C_ESN),
		false},
	    {BODY("\0\0\0\x1c\1\3\4\2\0\0\x12\x34"
		  "\3\0\0\x08\1\0\0\x0b" C_ESN),
		false},
	    {BODY("\0\0\0\x20\1\3\4\2\0\0\x12\x34" C_ENCR "\0\0\0\x08\5\0\0\1"), false},
	    {BODY("\0\0\0\x14\1\3\4\1\0\0\x12\x34" C_ESN), false},
	    {BODY("\0\0\0\x0c\1\3\4\0\0\0\x12\x34"), false},
	    {BODY("\0\0\0\x28\1\3\4\3\0\0\x12\x34" C_ENCR "\3\0\0\x08\3\0\0\x0c" C_ESN), false},
	    {BODY("\0\0\0\x28\1\3\4\3\0\0\x12\x34" C_ENCR "\3\0\0\x08\4\0\0\x1f" C_ESN), false},
	    {BODY("\0\0\0\x28\1\3\4\3\0\0\x12\x34" C_ENCR "\3\0\0\x08\2\0\0\5" C_ESN), false},
	    {BODY("\0\0\0\x2c\1\3\4\3\0\0\x12\x34" C_ENCR
		  "\3\0\0\x0c\1\0\3\xe8\x80\x0e\0\x80" C_ESN),
		false},
	    {BODY("\0\0\0\x28\1\3\4\3\0\0\x12\x34" C_ENCR "\3\0\0\x08\5\0\0\0" C_ESN), false},
	    {BODY("\0\0\0\x28\1\3\4\3\0\0\x12\x34" C_ENCR "\3\0\0\x08\5\0\3\xe8" C_ESN), false},
	    {BODY("\2\0\0\x20\1\3\4\2\0\0\x12\x34" C_ENCR C_ESN
		  "\0\0\0\x20\2\3\4\2\0\0\x12\x34" C_ENCR C_ESN),
		false},
	    {BODY(""), false},
	    {BODY("\0\0\0\x20\1\3\4\2\0\0\x12\x34" C_ENCR), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct liar_edit edit = {LIE_REPLACE, PAYLOAD_SA, cases[i].body, cases[i].len};

		answer_child(&edit, DECLINED, i);
	}
}

/* A new Child SA that has the SPI of the one which is there, and stays */
static void test_child_spi_in_use(void **state)
{
	uint8_t body[] = "\0\0\0\x20\1\3\4\2\0\0\0\0" C_ENCR C_ESN;
	struct liar_edit edit = {LIE_REPLACE, PAYLOAD_SA, body, sizeof(body) - 1};
	struct wirebuf spi = wirebuf_of(body + 8, 4);
	struct pair *p = &pair;
	uint32_t old;

	start_with_net(p);
	old = pair_in_use(p, 0)->info.spi_in;
	wirebuf_u32(&spi, pair_in_use(p, 0)->info.spi_out);
	liar_arm(p, 1, EXCHANGE_CREATE_CHILD_SA, true, &edit);
	assert_int_equal(ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false), 0);
	pair_settle(p);
	assert_int_equal(liar_seen.armed, 1);
	liar_arm(p, 0, 0, false, NULL);
	pair_run(p, DUR_S(15));
	assert_int_equal(pair_in_use(p, 0)->info.spi_in, old);
	assert_true(pair_has_error(p, 0, IKE_ERROR_MESSAGE_MALFORMED, NULL));
	assert_int_equal(pair_children(p, 0), 1);
	assert_int_equal(pair_children(p, 1), 1);
	pair_assert_up(p);
	pair_end(p);
}

#define TS(first, last) "\7\0\0\x10\0\0\xff\xff" first last

/* V2-13, I16 as initiator: A offered 10.0.0.0/8 to anywhere */
static void test_child_selectors(void **state)
{
	static const struct {
		enum outcome outcome;
		const char *body;
		size_t len;
	} cases[] = {
	    {TAKEN, BODY("\1\0\0\0" TS("\x0a\0\0\0", "\x0a\xff\xff\xff"))},
	    {DECLINED, BODY("\1\0\0\0" TS("\0\0\0\0", "\xff\xff\xff\xff"))}, /* more than offered */
	    {DECLINED, BODY("\1\0\0\0" TS("\x0a\0\0\0", "\x0b\0\0\0"))},     /* by one address */
	    {DECLINED, BODY("\1\0\0\0" TS("\xc0\xa8\0\0", "\xc0\xa8\xff\xff"))},
	    {DECLINED,
		BODY("\2\0\0\0" TS("\x0a\0\0\0", "\x0a\0\0\xff") TS("\x0b\0\0\0", "\x0b\0\0\xff"))},
	    {DECLINED, BODY("\0\0\0\0")},
	    {DECLINED, BODY("\1\0\0\0" TS("\x0a\0\0\2", "\x0a\0\0\1"))}, /* start > end */
	    {DECLINED,
		BODY("\2\0\0\0" TS("\x0a\0\0\0", "\x0a\0\0\xff") TS("\x0a\0\0\2", "\x0a\0\0\1"))},
	    {DECLINED, BODY("\1\0\0\0\x0a\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\xff\xff\xff")},
	    {DECLINED,
		BODY("\2\0\0\0" TS("\x0a\0\0\0", "\x0a\0\0\xff") "\x09\0\0\x08\0\0\xff\xff")},
	    {DECLINED, BODY("\1\0\0\0\7\0\0\x28\0\0\xff\xff\x0a\0\0\0\x0a\xff\xff\xff")},
	    {DECLINED, BODY("\2\0\0\0" TS("\x0a\0\0\0", "\x0a\xff\xff\xff"))},
	    {DECLINED, BODY("\1")},
	    {DECLINED, BODY("")},
	};
	static const struct liar_edit lost[] = {{LIE_DROP, PAYLOAD_TSI}, {LIE_DROP, PAYLOAD_TSR}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct liar_edit edit = {LIE_REPLACE, PAYLOAD_TSI, cases[i].body, cases[i].len};

		answer_child(&edit, cases[i].outcome, i);
	}
	for (size_t i = 0; i < 2; i++)
		answer_child(&lost[i], DECLINED, 100 + i);
}

/* The other payloads of the answer */
static void test_child_payloads(void **state)
{
	static const uint8_t zeros[300];
	static const struct {
		struct liar_edit edit;
		enum outcome outcome;
	} cases[] = {
	    {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 15}, DECLINED},
	    {{LIE_REPLACE, PAYLOAD_NONCE, zeros, 257}, DECLINED},
	    {{LIE_DROP, PAYLOAD_NONCE}, FATAL}, {{LIE_DOUBLE, PAYLOAD_NONCE}, FATAL},
	    {{LIE_DROP, PAYLOAD_SA}, FATAL}, {{LIE_DOUBLE, PAYLOAD_SA}, FATAL},
	    {{LIE_DOUBLE, PAYLOAD_TSR}, FATAL},
	    {{LIE_ADD, PAYLOAD_NOTIFY, "\0\xff\x40\x02", 4}, FATAL},
	    {{LIE_ADD, 200, "what is it", 10, true}, FATAL},
	    /* RFC 7296 2.21.3: it ended the IKE SA over there */
	    {{LIE_INSTEAD, PAYLOAD_NOTIFY, "\0\0\0\7", 4}, FATAL},
	    {{LIE_ADD, 200, "what is it", 10}, TAKEN},
	    {{LIE_ADD, PAYLOAD_VENDOR, "somebody", 8}, TAKEN},
	    {{LIE_ADD, PAYLOAD_CP, "\2\0\0\0", 4}, TAKEN},
	    {{LIE_ADD, PAYLOAD_DELETE, "\1\0\0\0", 4}, TAKEN}, /* has no meaning here */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer_child(&cases[i].edit, cases[i].outcome, i);
	}
}

/* V2-05: INVALID_KE_PAYLOAD to a rekey, naming groups of A's list and others: once for each, and no loop */
static void test_groups_named(void **state)
{
	static const struct {
		const char *notify;
		size_t len;
		unsigned requests;
	} cases[] = {
	    {BODY("\0\0\0\x11\0\x0e"), 1},   /* 14: not offered */
	    {BODY("\0\0\0\x11\0\x1f"), 1},   /* 31: the one that was in use */
	    {BODY("\0\0\0\x11\0\x13"), 2},   /* 19: offered; and named again when it came */
	    {BODY("\0\0\0\x11\0\0"), 1},     /* none */
	    {BODY("\0\0\0\x11\xff\xff"), 1}, /* none that there is */
	    {BODY("\0\0\0\x11"), 1},
	    {BODY("\0\0\0\x11\x13"), 1},
	    {BODY("\0\0\0\x11\0\x13\0"), 1},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct liar_edit edit = {
		    LIE_INSTEAD, PAYLOAD_NOTIFY, cases[i].notify, cases[i].len};

		for (unsigned ike_sa = 0; ike_sa < 2; ike_sa++) {
			struct ike_algs *algs;
			uint32_t old;

			pair_init(p);
			for (unsigned side = 0; side < 2; side++) {
				algs =
				    ike_sa ? &p->side[side].config.ike : &p->side[side].config.esp;
				algs->dh[0] = DH_31;
				algs->dh[1] = DH_19;
				algs->dh_count = 2;
			}
			pair_start(p);
			old = pair_in_use(p, 0)->info.spi_in;
			liar_arm(p, 1, EXCHANGE_CREATE_CHILD_SA, true, &edit);
			assert_int_equal(
			    ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, ike_sa), 0);
			pair_run(p, DUR_MS(400));
			assert_int_equal(liar_seen.requests, cases[i].requests);
			assert_int_equal(pair_in_use(p, 0)->info.spi_in, old);
			assert_int_equal(pair_count_sas(p, 0, "established"), 1);
			assert_int_equal(p->side[0].spis, 0);
			assert_true(pair_has_error(p, 0,
			    ike_sa ? IKE_ERROR_PROPOSAL_MISMATCH : IKE_ERROR_PFS_MISMATCH, NULL));
			liar_arm(p, 0, 0, false, NULL);
			pair_end(p);
		}
	}
}

/* The answer to a rekey with PFS: KE of another group, length, value; missing; doubled */
static void test_child_ke(void **state)
{
	static const uint8_t zero[36] = {0, 31}, one[36] = {0, 31, [4] = 1},
			     other[36] = {0, 19, [4] = 9}, longer[37] = {0, 31, [4] = 9};
	static const struct liar_edit edits[] = {
	    {LIE_REPLACE, PAYLOAD_KE, zero, 36},
	    {LIE_REPLACE, PAYLOAD_KE, one, 36},
	    {LIE_REPLACE, PAYLOAD_KE, other, 36},
	    {LIE_REPLACE, PAYLOAD_KE, longer, 37},
	    {LIE_REPLACE, PAYLOAD_KE, longer, 35},
	    {LIE_REPLACE, PAYLOAD_KE, longer, 3},
	    {LIE_DROP, PAYLOAD_KE},
	    {LIE_DOUBLE, PAYLOAD_KE},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		for (unsigned ike_sa = 0; ike_sa < 2; ike_sa++) {
			bool fatal = edits[i].how == LIE_DOUBLE;
			uint32_t old;

			pair_init(p);
			p->side[0].config.esp.dh[0] = p->side[1].config.esp.dh[0] = DH_31;
			pair_start(p);
			old = pair_in_use(p, 0)->info.spi_in;
			liar_arm(p, 1, EXCHANGE_CREATE_CHILD_SA, true, &edits[i]);
			assert_int_equal(
			    ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, ike_sa), 0);
			pair_settle(p);
			assert_int_equal(liar_seen.armed, 1);
			assert_true(pair_has_error(p, 0, IKE_ERROR_MESSAGE_MALFORMED, NULL));
			if (!fatal) {
				assert_int_equal(pair_count_sas(p, 0, "established"), 1);
				assert_int_equal(pair_in_use(p, 0)->info.spi_in, old);
			}
			assert_int_equal(p->side[0].spis, 0);
			liar_arm(p, 0, 0, false, NULL);
			pair_end(p);
		}
	}
}

/* V2-03 as initiator: answers that fit no request of ours */
static void test_answers_out_of_place(void **state)
{
	static const struct {
		uint8_t exchange;
		int32_t id; /* beside that of the request */
	} cases[] = {
	    {EXCHANGE_INFORMATIONAL, 0}, {EXCHANGE_IKE_AUTH, 0}, {EXCHANGE_IKE_SA_INIT, 0}, {0, 0},
	    {38, 0}, {255, 0}, {EXCHANGE_CREATE_CHILD_SA, -1}, {EXCHANGE_CREATE_CHILD_SA, 1},
	    {EXCHANGE_CREATE_CHILD_SA, 0x7ffffff0},
	    {EXCHANGE_CREATE_CHILD_SA, -3}, /* below zero, around the end of the numbers */
	};
	struct pair *p = &pair;
	uint8_t bytes[4096], body[256];
	struct ike_chain c = ike_chain_of(body, sizeof(body));
	uint64_t unexpected;

	start_with_net(p);
	ike_chain_notify(&c, NOTIFY_INVALID_SYNTAX, NULL, 0);
	unexpected = ike_counters(p->side[0].engine)->unexpected;
	for (unsigned busy = 0; busy < 2; busy++) {
		unsigned seen;

		if (busy) {
			p->cut = true;
			assert_int_equal(
			    ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false), 0);
			pair_settle(p);
		}
		seen = p->seen[0];
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct liar_message m = liar_message(p, cases[i].exchange, &c);

			m.flags = IKE_FLAG_RESPONSE;
			m.id = pair_sa(p, 0)->window.next_id + (uint32_t)cases[i].id;
			pair_inject(p, 0, bytes, liar_seal(p, 1, &m, bytes));
			assert_int_equal(ike_counters(p->side[0].engine)->unexpected, ++unexpected);
		}
		assert_int_equal(p->seen[0], seen);
		assert_int_equal(pair_count_sas(p, 0, "established"), 1);
	}
	p->cut = false;
	pair_run(p, DUR_S(15));
	pair_assert_up(p);
	assert_int_equal(ike_counters(p->side[0].engine)->ike_established, 1);
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_init_choices),
	    cmocka_unit_test(test_init_payloads),
	    cmocka_unit_test(test_init_spi),
	    cmocka_unit_test(test_child_choices),
	    cmocka_unit_test(test_child_spi_in_use),
	    cmocka_unit_test(test_child_selectors),
	    cmocka_unit_test(test_child_payloads),
	    cmocka_unit_test(test_groups_named),
	    cmocka_unit_test(test_child_ke),
	    cmocka_unit_test(test_answers_out_of_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
