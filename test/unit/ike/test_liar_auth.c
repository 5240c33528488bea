/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_AUTH of a liar, from either side: payloads that are missing, doubled, of the wrong method, length or
 * value, and such as nobody asked for (V2-08, V2-09, V2-12, V2-14, V2-27, V2-34, I16, I17, I20). Each case says the
 * answer, and which SAs there are behind it; then the peer is honest again and the tunnel comes up.
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
#define REPLACE(type, literal)                                                                     \
	{                                                                                          \
		LIE_REPLACE, PAYLOAD_##type, BODY(literal)                                         \
	}
#define FLIP(type, at, bits)                                                                       \
	{                                                                                          \
		LIE_FLIP, PAYLOAD_##type, bits, at                                                 \
	}
#define RESIZE(type, len)                                                                          \
	{                                                                                          \
		LIE_RESIZE, PAYLOAD_##type, NULL, len                                              \
	}
#define ADD(type, literal)                                                                         \
	{                                                                                          \
		LIE_ADD, type, BODY(literal)                                                       \
	}
#define AUTH_BYTES      36
#define TS(first, last) "\7\0\0\x10\0\0\xff\xff" first last
#define SUITE_DH(group)                                                                            \
	"\0\0\0\x28\1\3\4\3\0\0\x12\x34"                                                           \
	"\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"                                                       \
	"\3\0\0\x08\4\0\0" group "\0\0\0\x08\5\0\0\0"
#define SUITE(encr) "\0\0\0\x20\1\3\4\2\0\0\x12\x34" encr "\0\0\0\x08\5\0\0\0"

static void begin(struct pair *p, unsigned liar, const struct liar_edit *edit)
{
	pair_init(p);
	ip_prefix_parse("10.0.0.0/8", &p->side[0].local_ts[0]);
	ip_prefix_parse("10.0.0.0/8", &p->side[1].remote_ts[0]);
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	liar_arm(p, liar, EXCHANGE_IKE_AUTH, liar == 1, edit);
	pair_settle(p);
	assert_int_equal(liar_seen.armed, 1);
}

/* Whatever it was, it does not stand in the way of the truth; `theirs`: the Child SAs of B then. */
static void end(struct pair *p, size_t number, unsigned theirs)
{
	liar_arm(p, 0, 0, false, NULL);
	pair_run(p, DUR_S(60));
	if (pair_count_sas(p, 0, NULL) != 1 || pair_count_sas(p, 1, NULL) != 1 ||
	    pair_children(p, 0) != 1 || pair_children(p, 1) != theirs)
		fail_msg("case %zu: more or less than one pair in the end", number);
	pair_assert_up(p);
	assert_int_equal(p->side[0].spis + p->side[1].spis, 0);
	pair_end(p);
}

enum outcome {
	UP,        /* with its Child SA */
	CHILDLESS, /* the IKE SA alone (2.21.2) */
	NOTHING,   /* no IKE SA */
};

/* The request of A has this change. */
static void test_requests(void **state)
{
	static const struct {
		struct liar_edit edit;
		enum outcome outcome;
		uint16_t notify;
	} cases[] = {
	    /* missing */
	    {{LIE_DROP, PAYLOAD_AUTH}, NOTHING, NOTIFY_AUTHENTICATION_FAILED}, /* EAP */
	    {{LIE_DROP, PAYLOAD_IDI}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DROP, PAYLOAD_IDR}, UP, 0},
	    {{LIE_DROP, PAYLOAD_SA}, CHILDLESS, 0}, /* RFC 6023 */
	    {{LIE_DROP, PAYLOAD_TSI}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DROP, PAYLOAD_TSR}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    /* doubled */
	    {{LIE_DOUBLE, PAYLOAD_AUTH}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DOUBLE, PAYLOAD_IDI}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DOUBLE, PAYLOAD_IDR}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DOUBLE, PAYLOAD_SA}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DOUBLE, PAYLOAD_TSI}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    {{LIE_DOUBLE, PAYLOAD_TSR}, NOTHING, NOTIFY_INVALID_SYNTAX},
	    /* the proof: RSA, DSS, a signature, NULL, none, of other lengths, by one bit */
	    {FLIP(AUTH, 0, "\3"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(AUTH, 0, "\1"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(AUTH, 0, "\x0c"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(AUTH, 0, "\x0f"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(AUTH, 0, "\2"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(AUTH, 3, "\xff"), UP, 0}, /* reserved */
	    {FLIP(AUTH, 4, "\x80"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(AUTH, AUTH_BYTES - 1, "\1"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {RESIZE(AUTH, AUTH_BYTES - 1), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {RESIZE(AUTH, AUTH_BYTES + 1), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {RESIZE(AUTH, 4), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {RESIZE(AUTH, 3), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {RESIZE(AUTH, 0), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    /* identities: another address, another name, none; of us */
	    {REPLACE(IDI, "\1\0\0\0\xc6\x33\x64\x09"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {REPLACE(IDI, "\2\0\0\0who.example"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {REPLACE(IDI, ""), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {FLIP(IDI, 1, "\1"), NOTHING, NOTIFY_AUTHENTICATION_FAILED}, /* AUTH covers it */
	    {REPLACE(IDR, "\2\0\0\0whom.example"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    {REPLACE(IDR, "\1\0\0"), NOTHING, NOTIFY_AUTHENTICATION_FAILED},
	    /* the Child SA */
	    {REPLACE(SA, SUITE("\3\0\0\x0c\1\0\0\x14\x80\x0e\1\0")), CHILDLESS,
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {REPLACE(SA, ""), CHILDLESS, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {REPLACE(SA, "\0\0\0\x20\1\3\4\2"), NOTHING, NOTIFY_INVALID_SYNTAX},
	    {REPLACE(TSI, "\0\0\0\0"), CHILDLESS, NOTIFY_TS_UNACCEPTABLE},
	    {REPLACE(TSI, "\1\0\0\0" TS("\xc0\xa8\0\0", "\xc0\xa8\xff\xff")), CHILDLESS,
		NOTIFY_TS_UNACCEPTABLE},
	    {REPLACE(TSR, "\1\0\0\0" TS("\x0a\0\0\2", "\x0a\0\0\1")), CHILDLESS,
		NOTIFY_TS_UNACCEPTABLE},
	    {REPLACE(TSR, "\2\0\0\0" TS("\0\0\0\0", "\xff\xff\xff\xff")), NOTHING,
		NOTIFY_INVALID_SYNTAX},
	    /* of no use to us */
	    {ADD(PAYLOAD_CERT, "\4garbage"), UP, 0},
	    {ADD(PAYLOAD_CERTREQ, "\4garbage"), UP, 0},
	    {ADD(PAYLOAD_CP, "\1\0\0\0\0\1\0\0"), UP, 0},
	    {ADD(PAYLOAD_EAP, "\1\0\0\4"), UP, 0},
	    {ADD(PAYLOAD_VENDOR, "somebody"), UP, 0},
	    {ADD(PAYLOAD_KE, "\0\x1f\0\0"), UP, 0},
	    {ADD(200, "what is it"), UP, 0},
	    {{LIE_ADD, 200, BODY("what is it"), true}, NOTHING,
		NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD},
	    {ADD(PAYLOAD_NOTIFY, "\3\x08\x40\x09"), NOTHING, NOTIFY_INVALID_SYNTAX},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool up = cases[i].outcome != NOTHING;

		begin(p, 0, &cases[i].edit);
		if (p->last[1].bytes[18] != EXCHANGE_IKE_AUTH && !up)
			fail_msg("case %zu: no answer", i);
		if (liar_seen.notify != cases[i].notify)
			fail_msg("case %zu: answered with notify %u, not %u", i, liar_seen.notify,
			    cases[i].notify);
		if (pair_count_sas(p, 1, "established") != up ||
		    pair_count_sas(p, 0, "established") != up)
			fail_msg("case %zu: IKE SAs %u and %u", i,
			    pair_count_sas(p, 0, "established"),
			    pair_count_sas(p, 1, "established"));
		assert_int_equal(pair_children(p, 1), cases[i].outcome == UP);
		assert_int_equal(ike_counters(p->side[1].engine)->auth_failed,
		    cases[i].notify == NOTIFY_AUTHENTICATION_FAILED);
		if (cases[i].notify == NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD) {
			assert_int_equal(liar_seen.data_len, 1);
			assert_int_equal(liar_seen.data[0], 200);
		} else {
			assert_int_equal(liar_seen.data_len, 0); /* the notify and nothing more */
		}
		end(p, i, 1);
	}
}

/* The response of B has this change; `error`: what the operator of A reads. */
static void test_responses(void **state)
{
	static const struct {
		struct liar_edit edit;
		enum outcome outcome;
		enum ike_error_code error;
		bool told; /* B learns of it, and has no IKE SA either */
	} cases[] = {
	    {{LIE_DROP, PAYLOAD_AUTH}, NOTHING, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DROP, PAYLOAD_IDR}, NOTHING, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DOUBLE, PAYLOAD_AUTH}, NOTHING, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DOUBLE, PAYLOAD_IDR}, NOTHING, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DOUBLE, PAYLOAD_SA}, NOTHING, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DROP, PAYLOAD_SA}, CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DROP, PAYLOAD_TSI}, CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    {{LIE_DROP, PAYLOAD_TSR}, CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    /* a method that is not ours, and what is no proof */
	    {FLIP(AUTH, 0, "\3"), NOTHING, IKE_ERROR_AUTHENTICATION_FAILED, true},
	    {FLIP(AUTH, 0, "\x0c"), NOTHING, IKE_ERROR_AUTHENTICATION_FAILED, true},
	    {FLIP(AUTH, 0, "\2"), NOTHING, IKE_ERROR_AUTHENTICATION_FAILED, true},
	    {FLIP(AUTH, 3, "\xff"), UP, IKE_ERROR_COUNT},
	    {FLIP(AUTH, 4, "\x80"), NOTHING, IKE_ERROR_PSK_MISMATCH, true},
	    {FLIP(AUTH, AUTH_BYTES - 1, "\1"), NOTHING, IKE_ERROR_PSK_MISMATCH, true},
	    {RESIZE(AUTH, AUTH_BYTES - 1), NOTHING, IKE_ERROR_PSK_MISMATCH, true},
	    {RESIZE(AUTH, AUTH_BYTES + 1), NOTHING, IKE_ERROR_PSK_MISMATCH, true},
	    {RESIZE(AUTH, 4), NOTHING, IKE_ERROR_PSK_MISMATCH, true},
	    {RESIZE(AUTH, 0), NOTHING, IKE_ERROR_AUTHENTICATION_FAILED, true},
	    {REPLACE(IDR, "\1\0\0\0\xc6\x33\x64\x09"), NOTHING, IKE_ERROR_PEER_ID_MISMATCH, true},
	    {REPLACE(IDR, "\2\0\0\0who.example"), NOTHING, IKE_ERROR_PEER_ID_MISMATCH, true},
	    {REPLACE(IDR, "\1\0\0"), NOTHING, IKE_ERROR_PEER_ID_MISMATCH, true},
	    {FLIP(IDR, 1, "\1"), NOTHING, IKE_ERROR_PSK_MISMATCH, true},
	    /* a Child SA that we did not ask for */
	    {REPLACE(SA, SUITE("\3\0\0\x0c\1\0\0\x14\x80\x0e\1\0")), CHILDLESS,
		IKE_ERROR_MESSAGE_MALFORMED},
	    {REPLACE(SA, ""), CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    /* a group, which there is none of here (1.2), and one that nobody knows */
	    {REPLACE(SA, SUITE_DH("\x1f")), CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    {REPLACE(SA, SUITE_DH("\xc8")), CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    {REPLACE(TSI, "\1\0\0\0" TS("\0\0\0\0", "\xff\xff\xff\xff")), CHILDLESS,
		IKE_ERROR_MESSAGE_MALFORMED},
	    {REPLACE(TSI, "\0\0\0\0"), CHILDLESS, IKE_ERROR_MESSAGE_MALFORMED},
	    {REPLACE(TSR, "\1\0\0\0" TS("\x0a\0\0\2", "\x0a\0\0\1")), CHILDLESS,
		IKE_ERROR_MESSAGE_MALFORMED},
	    /* errors beside the proof: of the Child SA, and one that ends all */
	    {ADD(PAYLOAD_NOTIFY, "\0\0\0\x26"), CHILDLESS, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH},
	    {ADD(PAYLOAD_NOTIFY, "\0\0\0\x0e"), CHILDLESS, IKE_ERROR_PROPOSAL_MISMATCH},
	    {ADD(PAYLOAD_NOTIFY, "\0\0\0\7"), NOTHING, IKE_ERROR_PEER_REFUSED},
	    {{LIE_INSTEAD, PAYLOAD_NOTIFY, BODY("\0\0\0\7")}, NOTHING, IKE_ERROR_PEER_REFUSED},
	    {{LIE_INSTEAD, PAYLOAD_NOTIFY, BODY("\0\0\0\x18")}, NOTHING,
		IKE_ERROR_AUTHENTICATION_FAILED},
	    {ADD(PAYLOAD_CERT, "\4garbage"), UP, IKE_ERROR_COUNT},
	    {ADD(PAYLOAD_CERTREQ, "\4garbage"), UP, IKE_ERROR_COUNT},
	    {ADD(PAYLOAD_CP, "\2\0\0\0\0\1\0\4\x0a\0\0\1"), UP, IKE_ERROR_COUNT},
	    {ADD(PAYLOAD_EAP, "\3\0\0\4"), UP, IKE_ERROR_COUNT},
	    {ADD(PAYLOAD_VENDOR, "somebody"), UP, IKE_ERROR_COUNT},
	    {ADD(200, "what is it"), UP, IKE_ERROR_COUNT},
	    {{LIE_ADD, 200, BODY("what is it"), true}, NOTHING, IKE_ERROR_MESSAGE_MALFORMED},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool up = cases[i].outcome != NOTHING;

		begin(p, 1, &cases[i].edit);
		if (pair_count_sas(p, 0, "established") != up)
			fail_msg("case %zu: the IKE SA is %s", i, up ? "not up" : "up");
		assert_int_equal(pair_children(p, 0), cases[i].outcome == UP);
		assert_int_equal(p->side[0].spis, 0);
		if (up)
			assert_int_equal(pair_count_sas(p, 1, "established"), 1);
		if (cases[i].told)
			assert_int_equal(pair_count_sas(p, 1, "established"), 0);
		assert_int_equal(ike_counters(p->side[0].engine)->auth_failed, cases[i].told);
		if (cases[i].error == IKE_ERROR_COUNT)
			assert_int_equal(p->side[0].errors, 0);
		else if (!pair_has_error(p, 0, cases[i].error, NULL))
			fail_msg("case %zu: the operator is not told", i);
		/* B keeps the Child SA that it denied: A knows nothing of it. */
		end(p, i,
		    cases[i].outcome == CHILDLESS && cases[i].edit.type == PAYLOAD_NOTIFY ? 2 : 1);
	}
}

/* T27: a peer with certificates is not taken for one with another key */
static void test_method_is_told(void **state)
{
	static const struct liar_edit edit = FLIP(AUTH, 0, "\3");
	struct pair *p = &pair;
	unsigned at;

	for (unsigned liar = 0; liar < 2; liar++) {
		begin(p, liar, &edit);
		assert_true(pair_has_error(p, !liar, IKE_ERROR_AUTHENTICATION_FAILED, &at));
		assert_string_equal(p->side[!liar].error[at].field, "psk");
		assert_string_equal(p->side[!liar].error[at].ours, "pre-shared key");
		assert_string_equal(p->side[!liar].error[at].theirs, "authentication method 1");
		end(p, liar, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_responses),
	    cmocka_unit_test(test_method_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
