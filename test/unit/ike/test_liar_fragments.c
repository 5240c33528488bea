/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Fragments of a liar, under the right keys (V2-24, I11, RFC 7383 2.6): numbers and totals that cannot be or that
 * change, pieces that contradict each other, and pieces beside the whole message.
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

static struct ike_chain nothing(void)
{
	return ike_chain_of(mem, sizeof(mem));
}

/* A piece of `text`, delivered. */
static void piece(struct pair *p, const struct ike_chain *c, uint16_t number, uint16_t total,
    size_t from, size_t to)
{
	struct liar_message m = liar_message(p, EXCHANGE_INFORMATIONAL, c);

	m.fragment = true;
	m.number = number;
	m.total = total;
	m.first = number == 1 ? c->first : PAYLOAD_NONE;
	m.text += from;
	m.len = to - from;
	liar_send(p, &m);
}

/* V2-24, I11: each of these leaves the message ID free for the honest message behind it */
static void test_fragments(void **state)
{
	static const uint16_t impossible[][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {2, 1}, {3, 2},
	    {65535, 1}, {1, 65}, {65, 65}, {1, 65535}, {65535, 65535}};
	struct pair *p = &pair;
	const struct ike_counters *counters;
	struct ike_chain c = nothing();
	unsigned seen;
	uint32_t id;

	liar_up(p);
	counters = ike_counters(p->side[1].engine);
	c = nothing();
	ike_chain_delete_ike(&c);
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		uint64_t before = counters->bad_icv;

		seen = p->seen[1];
		piece(p, &c, impossible[i][0], impossible[i][1], 0, 8);
		assert_int_equal(p->seen[1], seen);
		assert_int_equal(counters->bad_icv, before + 1);
	}
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);

	/* Of a total that grows, shrinks, and comes twice: what has most pieces counts (RFC 7383 2.6). */
	c = nothing();
	ike_chain_notify(&c, 40000, "of no meaning", 13);
	id = liar_message(p, EXCHANGE_INFORMATIONAL, &c).id;
	seen = p->seen[1];
	piece(p, &c, 1, 2, 0, 10);
	piece(p, &c, 3, 3, 16, 21); /* grows: anew */
	piece(p, &c, 2, 2, 10, 21); /* shrinks: ignored */
	piece(p, &c, 1, 3, 0, 10);
	piece(p, &c, 1, 3, 2, 12); /* a copy with something else in it */
	piece(p, &c, 1, 2, 0, 10);
	assert_int_equal(p->seen[1], seen);
	piece(p, &c, 2, 3, 10, 16);
	assert_int_equal(p->seen[1], seen + 1);
	p->queued = 0;
	assert_int_equal(liar_answer(p, id), 0);
	assert_int_equal(liar_answered.count, 0);

	/* One in one piece, and an empty piece among others. */
	id++;
	piece(p, &c, 1, 1, 0, 21);
	assert_int_equal(liar_answer(p, id), 0);
	id++;
	piece(p, &c, 1, 3, 0, 21);
	piece(p, &c, 2, 3, 21, 21);
	piece(p, &c, 3, 3, 21, 21);
	assert_int_equal(liar_answer(p, id), 0);
	p->queued = 0;

	/* The whole message beside pieces of it: it is served, and the pieces are late then. */
	id++;
	piece(p, &c, 1, 2, 0, 10);
	assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
	seen = p->seen[1];
	piece(p, &c, 2, 2, 10, 21); /* begins the next message, as it takes the next ID */
	assert_int_equal(p->seen[1], seen);
	c = nothing();
	assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	liar_down(p);
}

/*
 * A peer that misses the response cuts its request into smaller pieces, or into pieces at all (RFC 7383 2.5.2): the
 * first one of them brings the same response again, the others, and what is not authentic, nothing.
 */
static void test_request_cut_anew(void **state)
{
	static struct datagram response;
	struct pair *p = &pair;
	struct ike_chain c;
	unsigned seen;

	liar_up(p);
	for (unsigned whole = 0; whole < 2; whole++) {
		struct liar_message m;
		uint8_t bytes[512];
		size_t len;

		c = nothing();
		ike_chain_notify(&c, 40000, "of no meaning", 13);
		m = liar_message(p, EXCHANGE_INFORMATIONAL, &c);
		if (whole) {
			liar_send(p, &m);
		} else {
			piece(p, &c, 1, 2, 0, 10);
			piece(p, &c, 2, 2, 10, 21);
		}
		assert_int_equal(liar_answer(p, m.id), 0);
		response = p->last[1];
		seen = p->seen[1];
		m.fragment = true;
		m.total = 3;
		m.len = 7;
		m.number = 2;
		liar_send(p, &m);
		m.number = 0;
		liar_send(p, &m);
		m.number = 1;
		len = liar_seal(p, 0, &m, bytes);
		bytes[len - 1] ^= 1;
		pair_inject(p, 1, bytes, len);
		assert_int_equal(p->seen[1], seen);
		liar_send(p, &m);
		assert_int_equal(p->seen[1], seen + 1);
		assert_int_equal(p->last[1].len, response.len);
		assert_memory_equal(p->last[1].bytes, response.bytes, response.len);
		p->queued = 0;
	}
	c = nothing();
	assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
	liar_down(p);
}

/* Pieces that are together no message end the IKE SA as a whole message would */
static void test_fragments_of_nonsense(void **state)
{
	struct pair *p = &pair;
	struct ike_chain c = nothing();
	uint32_t id;

	liar_up(p);
	c = nothing();
	ike_chain_notify(&c, 40000, "of no meaning", 13);
	id = liar_message(p, EXCHANGE_INFORMATIONAL, &c).id;
	piece(p, &c, 1, 2, 0, 10);
	piece(p, &c, 2, 2, 10, 20); /* one byte is missing */
	assert_int_equal(liar_answer(p, id), NOTIFY_INVALID_SYNTAX);
	assert_int_equal(pair_count_sas(p, 1, "established"), 0);
	liar_down(p);
}

/* An IKE SA on which fragments were not agreed */
static void test_fragments_not_agreed(void **state)
{
	struct pair *p = &pair;
	struct ike_chain c = nothing();

	liar_up(p);
	pair_sa(p, 1)->fragments = false;
	c = nothing();
	ike_chain_delete_ike(&c);
	piece(p, &c, 1, 1, 0, 8);
	assert_int_equal(ike_counters(p->side[1].engine)->bad_icv, 1);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	c = nothing();
	assert_int_equal(liar_ask_with(p, EXCHANGE_INFORMATIONAL, &c), 0);
	liar_down(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_request_cut_anew),
	    cmocka_unit_test(test_fragments_of_nonsense),
	    cmocka_unit_test(test_fragments_not_agreed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
