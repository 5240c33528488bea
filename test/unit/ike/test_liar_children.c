/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * CREATE_CHILD_SA requests of a liar, under the right keys: for a Child SA, new or in place of the old one, and
 * for the IKE SA (V2-05, V2-07, V2-15, V2-16, V2-18, V2-29, I4 - I6, I16, I18). Each case says the notify and its
 * data; what was there before stays, unless the message was malformed.
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

static void up(struct pair *p, enum alg_dh pfs, enum alg_dh ike)
{
	pair_init(p);
	for (unsigned side = 0; side < 2; side++) {
		p->side[side].config.esp.dh[0] = pfs;
		p->side[side].config.ike.dh[0] = ike;
	}
	pair_start(p);
	pair_assert_up(p);
	p->cut = true;
}

static void down(struct pair *p)
{
	p->queued = 0;
	pair_end(p);
}

/* Something to leave out, double, or put in the place of. */
struct request {
	enum { CHILD, REKEY, IKE_SA } kind;
	struct liar_edit edit;
};

static void put(
    struct ike_chain *c, const struct request *r, uint8_t type, const void *body, size_t len)
{
	const struct liar_edit *e = &r->edit;
	bool meant = e->type == type;

	if (meant && e->how == LIE_DROP)
		return;
	if (meant && e->how == LIE_REPLACE)
		ike_chain_put(c, type, e->body, e->len);
	else
		ike_chain_put(c, type, body, len);
	if (meant && e->how == LIE_DOUBLE)
		ike_chain_put(c, type, body, len);
}

/* Sends it; the error notify of the answer, or 0. */
static uint16_t ask(struct pair *p, const struct request *r)
{
	static const uint8_t selector[] = "\1\0\0\0\7\0\0\x10\0\0\xff\xff\0\0\0\0\xff\xff\xff";
	static const uint8_t nonce[32] = {1, 2, 3}, new_spi[8] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct ike_chain c = ike_chain_of(mem, sizeof(mem)), part;
	struct ike_sa *sa = pair_sa(p, 0);
	struct ike_policy policy = r->kind == IKE_SA ? ike_tunnel_ike_policy(sa->tunnel)
						     : ike_tunnel_esp_policy(sa->tunnel, false);
	enum alg_dh group = policy.algs->dh[0];
	uint8_t body[1024];
	unsigned seen = p->seen[1];

	if (r->kind == REKEY)
		ike_chain_notify_spi(&c, NOTIFY_REKEY_SA, pair_in_use(p, 0)->info.spi_in);
	part = ike_chain_of(body, sizeof(body));
	ike_policy_put(&part, &policy, new_spi, r->kind == IKE_SA ? 8 : 4);
	put(&c, r, PAYLOAD_SA, body + 4, wirebuf_len(&part.buf) - 4);
	put(&c, r, PAYLOAD_NONCE, nonce, sizeof(nonce));
	if (group != DH_NONE) {
		struct ike_dh *dh = ike_dh_create(group, &p->side[0].rng);

		part = ike_chain_of(body, sizeof(body));
		ike_chain_ke(&part, dh);
		ike_dh_free(dh);
		put(&c, r, PAYLOAD_KE, body + 4, wirebuf_len(&part.buf) - 4);
	}
	if (r->kind != IKE_SA) {
		put(&c, r, PAYLOAD_TSI, selector, sizeof(selector));
		put(&c, r, PAYLOAD_TSR, selector, sizeof(selector));
	}
	if (r->edit.how == LIE_ADD)
		ike_chain_put(&c, r->edit.type, r->edit.body, r->edit.len);
	pair_send_request(p, 0, EXCHANGE_CREATE_CHILD_SA, &c);
	assert_int_equal(p->seen[1], seen + 1);
	return liar_answer(p, sa->window.next_id - 1);
}

/* What is left when that was the answer. */
static void assert_left(struct pair *p, const struct request *r, uint16_t notify, uint32_t old)
{
	bool fatal = notify == NOTIFY_INVALID_SYNTAX;

	if (r->kind == IKE_SA && notify == 0) {
		assert_int_equal(pair_count_sas(p, 1, NULL), 2);
		assert_int_equal(pair_children(p, 1), 1);
		return;
	}
	assert_int_equal(pair_count_sas(p, 1, "established"), !fatal);
	assert_int_equal(pair_count_sas(p, 1, NULL), !fatal);
	assert_int_equal(pair_children(p, 1), fatal ? 0 : notify ? 1 : 2);
	if (notify && !fatal) {
		assert_int_equal(liar_answered.count, 1);
		assert_int_equal(pair_in_use(p, 1)->info.spi_in, old);
	}
	assert_int_equal(p->side[1].spis, 0);
}

struct vector {
	struct request request;
	uint16_t notify;
	uint8_t group; /* in the data of INVALID_KE_PAYLOAD */
};

static void run(enum alg_dh pfs, enum alg_dh ike, const struct vector *list, size_t count)
{
	struct pair *p = &pair;

	for (size_t i = 0; i < count; i++) {
		uint16_t notify;
		uint32_t old;

		up(p, pfs, ike);
		old = pair_in_use(p, 1)->info.spi_in;
		notify = ask(p, &list[i].request);
		if (notify != list[i].notify)
			fail_msg(
			    "case %zu: answered with notify %u, not %u", i, notify, list[i].notify);
		if (notify == NOTIFY_INVALID_KE_PAYLOAD) {
			uint8_t group[2] = {0, list[i].group};

			assert_int_equal(liar_error.data.len, 2);
			assert_memory_equal(liar_error.data.bytes, group, 2);
		} else if (notify) {
			assert_int_equal(liar_error.data.len, 0);
		}
		assert_left(p, &list[i].request, notify, old);
		down(p);
	}
}

#define RUN(pfs, ike, list) run(pfs, ike, list, sizeof(list) / sizeof(list[0]))

/* Payloads that are missing, doubled, or of no meaning here */
static void test_payloads(void **state)
{
	static const struct vector cases[] = {
	    {{CHILD}, 0},
	    {{REKEY}, 0},
	    {{IKE_SA}, 0},
	    {{CHILD, {LIE_DROP, PAYLOAD_SA}}, NOTIFY_INVALID_SYNTAX},
	    {{CHILD, {LIE_DROP, PAYLOAD_NONCE}}, NOTIFY_INVALID_SYNTAX},
	    {{CHILD, {LIE_DROP, PAYLOAD_TSI}}, NOTIFY_INVALID_SYNTAX},
	    {{REKEY, {LIE_DROP, PAYLOAD_TSR}}, NOTIFY_INVALID_SYNTAX},
	    {{IKE_SA, {LIE_DROP, PAYLOAD_NONCE}}, NOTIFY_INVALID_SYNTAX},
	    {{IKE_SA, {LIE_DROP, PAYLOAD_KE}}, NOTIFY_INVALID_SYNTAX},
	    {{CHILD, {LIE_DOUBLE, PAYLOAD_SA}}, NOTIFY_INVALID_SYNTAX},
	    {{CHILD, {LIE_DOUBLE, PAYLOAD_NONCE}}, NOTIFY_INVALID_SYNTAX},
	    {{REKEY, {LIE_DOUBLE, PAYLOAD_TSI}}, NOTIFY_INVALID_SYNTAX},
	    {{REKEY, {LIE_DOUBLE, PAYLOAD_TSR}}, NOTIFY_INVALID_SYNTAX},
	    {{IKE_SA, {LIE_DOUBLE, PAYLOAD_KE}}, NOTIFY_INVALID_SYNTAX},
	    {{IKE_SA, {LIE_DOUBLE, PAYLOAD_SA}}, NOTIFY_INVALID_SYNTAX},
	    {{IKE_SA, {LIE_REPLACE, PAYLOAD_NONCE, BODY("123456789012345")}},
		NOTIFY_INVALID_SYNTAX},
	    {{IKE_SA, {LIE_REPLACE, PAYLOAD_NONCE, BODY("1234567890123456")}}, 0},
	    {{REKEY, {LIE_REPLACE, PAYLOAD_NONCE, BODY("123456789012345")}}, NOTIFY_INVALID_SYNTAX},
	    /* without PFS nobody looks at it */
	    {{CHILD, {LIE_ADD, PAYLOAD_KE, BODY("\0\x1f\0\0")}}, 0},
	    {{CHILD, {LIE_ADD, PAYLOAD_KE, BODY("\0\x1f\0")}}, NOTIFY_INVALID_SYNTAX},
	    {{REKEY, {LIE_ADD, PAYLOAD_DELETE, BODY("\1\0\0\0")}}, 0},
	    {{REKEY, {LIE_ADD, PAYLOAD_CP, BODY("\1\0\0\0")}}, 0},
	    {{REKEY, {LIE_ADD, PAYLOAD_AUTH, BODY("\2\0\0\0")}}, 0},
	    {{REKEY, {LIE_ADD, PAYLOAD_VENDOR, BODY("somebody")}}, 0},
	    {{CHILD, {LIE_ADD, PAYLOAD_NOTIFY, BODY("\3\4\x40\x09\0\0")}}, NOTIFY_INVALID_SYNTAX},
	};

	RUN(DH_NONE, DH_31, cases);
}

#define ENCR  "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80" /* AES-128 in GCM */
#define OTHER "\3\0\0\x0c\1\0\0\x14\x80\x0e\1\0"
#define ESN   "\0\0\0\x08\5\0\0\0"
#define GOOD  "\3\4\2\0\0\x12\x34" ENCR ESN
#define SA(kind, literal)                                                                          \
	{                                                                                          \
		kind,                                                                              \
		{                                                                                  \
			LIE_REPLACE, PAYLOAD_SA, BODY(literal)                                     \
		}                                                                                  \
	}

/* V2-07, I4: proposals. A number is only repeated in the answer, whatever it is. */
static void test_proposals(void **state)
{
	static const struct vector cases[] = {
	    {SA(CHILD, "\0\0\0\x20\1\3\4\2\0\0\x12\x34" OTHER ESN), NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY, "\0\0\0\x20\1\3\4\2\0\0\x12\x34" OTHER ESN), NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(IKE_SA,
		 "\0\0\0\x18\1\1\x08\1"
		 "12345678"
		 "\0\0\0\x08\1\0\0\x0c"),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY, ""), NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY, "\0\0\0\x0c\1\3\4\0\0\0\x12\x34"), NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY,
		 "\0\0\0\x20\1\2"
		 "\4\2\0\0\x12\x34" ENCR ESN),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY, "\0\0\0\x20\1\4\4\2\0\0\x12\x34" ENCR ESN), NOTIFY_NO_PROPOSAL_CHOSEN},
	    /* a kind that nobody knows, a kind that has no place here, ESN that we do not have */
	    {SA(REKEY, "\0\0\0\x28\1\3\4\3\0\0\x12\x34" ENCR "\3\0\0\x08\6\0\0\1" ESN),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY, "\0\0\0\x28\1\3\4\3\0\0\x12\x34" ENCR "\3\0\0\x08\2\0\0\5" ESN),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY, "\0\0\0\x20\1\3\4\2\0\0\x12\x34" ENCR "\0\0\0\x08\5\0\0\1"),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    /* the length of the key twice, in long form, of no bytes */
	    {SA(REKEY,
		 "\0\0\0\x24\1\3\4\2\0\0\x12\x34"
		 "\3\0\0\x10\1\0\0\x14\x80\x0e\0\x80\x80\x0e\0\x80" ESN),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY,
		 "\0\0\0\x22\1\3\4\2\0\0\x12\x34"
		 "\3\0\0\x0e\1\0\0\x14\0\x0e\0\2\0\x80" ESN),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    {SA(REKEY,
		 "\0\0\0\x20\1\3\4\2\0\0\x12\x34"
		 "\3\0\0\x0c\1\0\0\x14\0\x0e\0\0" ESN),
		NOTIFY_NO_PROPOSAL_CHOSEN},
	    /* attributes that are longer than their transform, transforms than their proposal */
	    {SA(REKEY,
		 "\0\0\0\x20\1\3\4\2\0\0\x12\x34"
		 "\3\0\0\x0c\1\0\0\x14\0\x0e\0\1" ESN),
		NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY,
		 "\0\0\0\x20\1\3\4\2\0\0\x12\x34"
		 "\3\0\0\x0c\1\0\0\x14\0\x0e\xff\xff" ESN),
		NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY,
		 "\0\0\0\x1e\1\3\4\2\0\0\x12\x34"
		 "\3\0\0\x0a\1\0\0\x14\x80\x0e" ESN),
		NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY, "\0\0\0\x20\1\3\4\2\0\0\x12\x34" ENCR "\0\0\0\x09\5\0\0\0"),
		NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY, "\0\0\0\x20\1\3\4\3\0\0\x12\x34" ENCR ESN), NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY, "\0\0\0\x20\1\3\4\1\0\0\x12\x34" ENCR ESN), NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY, "\0\0\0\x21\1\3\4\2\0\0\x12\x34" ENCR ESN), NOTIFY_INVALID_SYNTAX},
	    {SA(REKEY, "\0\0\0\x20\1\3\xff\2\0\0\x12\x34" ENCR ESN), NOTIFY_INVALID_SYNTAX},
	    /* a good one first does not excuse what is behind it */
	    {SA(REKEY, "\2\0\0\x20\1" GOOD "\0\0\0\7\2\3\0"), NOTIFY_INVALID_SYNTAX},
	};
	static const struct {
		struct request request;
		uint8_t number;
	} good[] = {
	    {SA(REKEY, "\0\0\0\x20\0" GOOD), 0},
	    {SA(REKEY, "\0\0\0\x20\xff" GOOD), 255},
	    {SA(REKEY, "\2\0\0\x20\2" GOOD "\0\0\0\x20\1" GOOD), 2},
	    {SA(REKEY, "\2\0\0\x20\1\3\4\2\0\0\x12\x34" OTHER ESN "\0\0\0\x20\7" GOOD), 7},
	    {SA(REKEY, "\2\0\0\x0c\1\3\4\0\0\0\x12\x34\0\0\0\x20\2" GOOD), 2},
	    {SA(CHILD, "\2\0\0\x20\1" GOOD "\0\0\0\x20\1" GOOD), 1},
	};
	struct pair *p = &pair;

	RUN(DH_NONE, DH_31, cases);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct ike_payload *sa;

		up(p, DH_NONE, DH_31);
		assert_int_equal(ask(p, &good[i].request), 0);
		sa = ike_payload_find(&liar_answered, PAYLOAD_SA);
		assert_non_null(sa);
		assert_int_equal(sa->len, 32); /* one proposal, one transform of each kind */
		assert_int_equal(sa->body[0], 0);
		assert_int_equal(sa->body[4], good[i].number);
		assert_memory_equal(sa->body + 12, ENCR ESN, 20);
		assert_int_equal(pair_children(p, 1), 2);
		down(p);
	}
}

#define KE(kind, body, len)                                                                        \
	{                                                                                          \
		kind,                                                                              \
		{                                                                                  \
			LIE_REPLACE, PAYLOAD_KE, body, len                                         \
		}                                                                                  \
	}

/* V2-05, V2-29, I5: KE with PFS and of the IKE SA, over a curve */
static void test_curve(void **state)
{
	static const uint8_t zero[36] = {0, 31}, one[36] = {0, 31, [4] = 1},
			     longer[37] = {0, 31, [4] = 9}, none[36] = {0, 0, [4] = 9},
			     modp[4 + 256] = {0, 14, [259] = 9},
			     unknown[36] = {0xff, 0xff, [4] = 9};
	static const struct vector cases[] = {
	    {KE(REKEY, longer, 36), 0},
	    {KE(REKEY, zero, 36), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, one, 36), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, longer, 35), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, longer, 37), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, longer, 4), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, longer, 3), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, modp, sizeof(modp)), NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {KE(REKEY, unknown, 36), NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {KE(REKEY, none, 36), NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {{REKEY, {LIE_DROP, PAYLOAD_KE}}, NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {{REKEY, {LIE_DOUBLE, PAYLOAD_KE}}, NOTIFY_INVALID_SYNTAX},
	    {{CHILD, {LIE_DROP, PAYLOAD_KE}}, NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {KE(CHILD, modp, sizeof(modp)), NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {KE(CHILD, zero, 36), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, longer, 36), 0},
	    {KE(IKE_SA, zero, 36), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, one, 36), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, longer, 37), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, modp, sizeof(modp)), NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {KE(IKE_SA, none, 36), NOTIFY_INVALID_KE_PAYLOAD, 31},
	    {KE(IKE_SA, unknown, 36), NOTIFY_INVALID_KE_PAYLOAD, 31},
	};

	RUN(DH_31, DH_31, cases);
}

/* The same over a prime: 0, 1, what is above it, and lengths (p and p - 1: test_crypto.c) */
static void test_prime(void **state)
{
	static uint8_t good[4 + 256] = {0, 14, [4] = 1}, zero[4 + 256] = {0, 14},
				one[4 + 256] = {0, 14, [259] = 1}, above[4 + 256] = {0, 14},
				longer[4 + 257] = {0, 14, [5] = 1}, curve[36] = {0, 31, [4] = 9};
	static const struct vector cases[] = {
	    {KE(REKEY, good, 260), 0},
	    {KE(REKEY, zero, 260), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, one, 260), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, above, 260), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, good, 259), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, longer, 261), NOTIFY_INVALID_SYNTAX},
	    {KE(REKEY, curve, 36), NOTIFY_INVALID_KE_PAYLOAD, 14},
	    {KE(IKE_SA, good, 260), 0},
	    {KE(IKE_SA, zero, 260), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, one, 260), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, above, 260), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, good, 259), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, longer, 261), NOTIFY_INVALID_SYNTAX},
	    {KE(IKE_SA, curve, 36), NOTIFY_INVALID_KE_PAYLOAD, 14},
	};

	memset(above + 4, 0xff, 256);
	RUN(DH_14, DH_14, cases);
}

/* V2-18: a rekey of what is not the peer's gets the SPI back, by which the peer knows what is meant */
static void test_rekey_of_nothing(void **state)
{
	struct pair *p = &pair;

	up(p, DH_NONE, DH_31);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t old = pair_in_use(p, 1)->info.spi_in;
		uint32_t named[] = {0xdeadbeef, 0, 0xffffffff, old};
		struct request r = {CHILD, {LIE_ADD, PAYLOAD_NOTIFY}};
		uint8_t body[8] = {3, 4, 0x40, 0x09};
		struct wirebuf b = wirebuf_of(body + 4, 4);

		wirebuf_u32(&b, named[i]);
		r.edit.body = body;
		r.edit.len = sizeof(body);
		assert_int_equal(ask(p, &r), NOTIFY_CHILD_SA_NOT_FOUND);
		assert_int_equal(liar_error.protocol, PROTOCOL_ESP);
		assert_int_equal(liar_error.spi_len, 4);
		assert_memory_equal(liar_error.spi, body + 4, 4);
		assert_int_equal(liar_error.data.len, 0);
		assert_left(p, &r, NOTIFY_CHILD_SA_NOT_FOUND, old);
	}
	down(p);
}

/* A new Child SA, and one in place of the old, with the SPI of the one that is there */
static void test_spi_in_use(void **state)
{
	struct pair *p = &pair;

	for (unsigned kind = CHILD; kind <= REKEY; kind++) {
		uint8_t body[] = "\0\0\0\x20\1\3\4\2\0\0\0\0"
				 "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
				 "\0\0\0\x08\5\0\0\0";
		struct request r = {kind, {LIE_REPLACE, PAYLOAD_SA, body, sizeof(body) - 1}};
		struct wirebuf spi = wirebuf_of(body + 8, 4);
		uint32_t old;

		up(p, DH_NONE, DH_31);
		wirebuf_u32(&spi, pair_in_use(p, 0)->info.spi_in + 1);
		assert_int_equal(ask(p, &r), 0);
		down(p);
		up(p, DH_NONE, DH_31);
		old = pair_in_use(p, 1)->info.spi_in;
		spi = wirebuf_of(body + 8, 4);
		wirebuf_u32(&spi, pair_in_use(p, 0)->info.spi_in);
		assert_int_equal(ask(p, &r), NOTIFY_NO_PROPOSAL_CHOSEN);
		assert_left(p, &r, NOTIFY_NO_PROPOSAL_CHOSEN, old);
		down(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_payloads),
	    cmocka_unit_test(test_proposals),
	    cmocka_unit_test(test_curve),
	    cmocka_unit_test(test_prime),
	    cmocka_unit_test(test_rekey_of_nothing),
	    cmocka_unit_test(test_spi_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
