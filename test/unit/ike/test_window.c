/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Message IDs, retransmission, repeated and forged messages (V2-01 - V2-04, V2-11, V2-24, T27 NoResponse).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static struct pair pair;

static int64_t sent_at[256];
static unsigned sent;

static bool note_time(struct pair *p, struct datagram *d)
{
	if (sent < 256)
		sent_at[sent++] = p->now.ns;
	return false;
}

/* V2-02: the first after at most a second, growing, with jitter, at least 12 over minutes */
static void test_back_off(void **state)
{
	struct pair *p = &pair;
	int64_t wait, previous = 0;

	pair_init(p);
	sent = 0;
	p->filter = note_time;
	pair_start_side(p, 0);
	pair_run(p, DUR_S(115));
	assert_in_range(sent, 12, 14);
	for (unsigned i = 1; i < sent; i++) {
		assert_memory_equal(p->last[0].bytes, p->last[0].bytes, 28);
		wait = sent_at[i] - sent_at[i - 1];
		assert_true(i > 1 || wait <= DUR_S(1));
		assert_true(wait > previous);
		assert_true(wait < DUR_S(35));
		previous = wait;
	}
	assert_true(pair_has_error(p, 0, IKE_ERROR_NO_RESPONSE, NULL));
	assert_int_equal(p->side[0].state, IKE_TUNNEL_NEGOTIATING);
	pair_end(p);
}

/* NoResponse is told early, and attempts never end; pauses stay within a minute */
static void test_tries_for_ever(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_info info;
	int64_t longest = 0;

	pair_init(p);
	p->cut = true;
	pair_start_side(p, 0);
	pair_run(p, DUR_S(10));
	assert_true(pair_has_error(p, 0, IKE_ERROR_NO_RESPONSE, NULL));
	for (unsigned hour = 0; hour < 5; hour++) {
		pair_run(p, DUR_S(3600));
		ike_tunnel_get(p->side[0].engine, p->now, TUNNEL, &info);
		if (info.retry_in_ns > longest)
			longest = info.retry_in_ns;
	}
	assert_in_range(info.attempts, 80, 160);
	assert_true(longest <= DUR_S(60));
	p->cut = false;
	pair_start_side(p, 1);
	pair_run(p, DUR_S(65));
	pair_assert_up(p);
	pair_end(p);
}

/* The pauses between attempts differ from tunnel to tunnel. */
static void test_pauses_are_spread(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_info info;
	int64_t first = INT64_MAX, last = 0;

	for (unsigned seed = 0; seed < 30; seed++) {
		pair_init(p);
		rng_init_seeded(&p->side[0].rng, seed);
		snprintf(p->side[0].psk, IKE_PSK_MAX, "wrong");
		pair_start(p);
		ike_tunnel_get(p->side[0].engine, p->now, TUNNEL, &info);
		first = info.retry_in_ns < first ? info.retry_in_ns : first;
		last = info.retry_in_ns > last ? info.retry_in_ns : last;
		pair_end(p);
	}
	assert_true(first >= DUR_MS(750) && last <= DUR_S(1));
	assert_true(last - first > DUR_MS(150));
}

static struct datagram first_copy;

static bool compare_copies(struct pair *p, struct datagram *d)
{
	if (sent++ == 0)
		first_copy = *d;
	assert_int_equal(d->len, first_copy.len);
	assert_memory_equal(d->bytes, first_copy.bytes, d->len);
	return false;
}

static void test_retransmissions_are_identical(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	sent = 0;
	p->filter = compare_copies;
	ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false);
	pair_run(p, DUR_S(9));
	assert_true(sent > 4);
	p->filter = NULL;
	pair_run(p, DUR_S(5));
	pair_assert_up(p);
	pair_end(p);
}

/* V2-03: the window of the peer's requests; others are not even looked at */
static void test_request_ids(void **state)
{
	struct pair *p = &pair;
	struct ike_sa *sa;
	uint8_t mem[64];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	uint32_t right;
	unsigned seen = 0;

	pair_init(p);
	pair_start(p);
	sa = pair_sa(p, 0);
	right = sa->window.next_id;
	assert_int_equal(right, 2);
	for (uint32_t id = 0; id < 200; id++) {
		struct ike_packet *packet;

		if (id == right)
			continue;
		packet = ike_message_seal(sa, EXCHANGE_INFORMATIONAL, false, id, &c);
		seen = p->seen[1];
		pair_inject(p, 1, packet->bytes, packet->len);
		assert_int_equal(p->seen[1], seen);
		free(packet);
	}
	pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
	assert_int_equal(p->seen[1], seen + 1);
	assert_int_equal(message_id_of(&p->last[1]), right);
	pair_end(p);
}

/* No response to a response, nor effect of one that nobody asked for */
static void test_stray_responses(void **state)
{
	struct pair *p = &pair;
	uint8_t mem[64];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	unsigned seen = 0;

	pair_init(p);
	pair_start(p);
	ike_chain_delete_ike(&c);
	seen = p->seen[1];
	for (uint32_t id = 0; id < 10; id++) {
		struct ike_packet *packet =
		    ike_message_seal(pair_sa(p, 0), EXCHANGE_INFORMATIONAL, true, id, &c);

		pair_inject(p, 1, packet->bytes, packet->len);
		free(packet);
	}
	pair_settle(p);
	assert_int_equal(p->seen[1], seen);
	pair_assert_up(p);
	pair_end(p);
}

/* V2-01: each request three times */
static bool three_times(struct pair *p, struct datagram *d)
{
	if (is_response(d)) {
		if (p->count++ == 0)
			first_copy = *d;
		assert_memory_equal(d->bytes, first_copy.bytes, d->len);
	}
	return true;
}

static void test_request_three_times(void **state)
{
	struct pair *p = &pair;
	struct datagram request;
	uint64_t dh;

	pair_init(p);
	p->side[0].config.esp.dh[0] = p->side[1].config.esp.dh[0] = DH_31;
	pair_start(p);
	p->cut = true;
	ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false);
	request = p->last[0];
	assert_int_equal(exchange_of(&request), EXCHANGE_CREATE_CHILD_SA);
	pair_settle(p);
	dh = ike_counters(p->side[1].engine)->dh_computed;
	p->filter = three_times;
	for (unsigned i = 0; i < 3; i++)
		pair_inject(p, 1, request.bytes, request.len);
	pair_settle(p);
	assert_int_equal(p->count, 3);
	assert_int_equal(pair_children(p, 1), 2);
	assert_int_equal(ike_counters(p->side[1].engine)->dh_computed, dh + 2);
	/* Changed by one bit it is no repetition. */
	request.bytes[40] ^= 1;
	pair_inject(p, 1, request.bytes, request.len);
	pair_settle(p);
	assert_int_equal(p->count, 3);
	p->cut = false;
	p->filter = NULL;
	pair_run(p, DUR_S(2));
	pair_assert_up(p);
	pair_end(p);
}

/* V2-11: every bit of a protected message: nothing happens, and the right one is still served */
static void test_bit_flips(void **state)
{
	struct pair *p = &pair;
	struct datagram d;
	unsigned seen = 0;

	pair_init(p);
	pair_start(p);
	p->cut = true;
	ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false);
	d = p->last[0];
	seen = p->seen[1];
	for (size_t bit = 0; bit < 8 * d.len; bit++) {
		struct datagram forged = d;

		forged.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (bit / 8 == 17)
			continue; /* a version above ours is answered, in clear */
		pair_inject(p, 1, forged.bytes, forged.len);
	}
	assert_int_equal(p->seen[1], seen);
	assert_int_equal(pair_children(p, 1), 1);
	pair_inject(p, 1, d.bytes, d.len);
	assert_int_equal(p->seen[1], seen + 1);
	assert_int_equal(pair_children(p, 1), 2);
	p->queued = 0;
	pair_end(p);
}

static bool count_fragments(struct pair *p, struct datagram *d)
{
	if (d->bytes[16] == PAYLOAD_SKF) {
		p->count++;
		assert_in_range(d->len, 28, 300);
	}
	/* Lose each first transmission of a third of the pieces. */
	return sent++ % 3 != 1;
}

/* V2-24 */
static void test_fragments(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	for (unsigned i = 0; i < 2; i++) {
		struct ike_algs *a = &p->side[i].config.esp;

		p->side[i].limits.fragment_bytes = 300;
		for (enum alg_encr e = ENCR_DES; e < ENCR_NULL; e++)
			a->encr[a->encr_count++ % 12] = (uint8_t)e;
		a->encr_count = 8;
	}
	sent = 0;
	p->filter = count_fragments;
	pair_start(p);
	pair_run(p, DUR_S(20));
	pair_assert_up(p);
	assert_true(p->count >= 4);
	p->filter = NULL;
	pair_end(p);
}

static bool reverse_fragments(struct pair *p, struct datagram *d)
{
	static struct datagram held[8];
	static unsigned count;

	if (d->bytes[16] != PAYLOAD_SKF)
		return true;
	held[count++] = *d;
	if (d->bytes[33] == d->bytes[35]) { /* the last one: all of them backwards, twice */
		for (unsigned round = 0; round < 2; round++)
			for (unsigned i = count; i-- > 0;)
				ike_receive(p->side[!d->from].engine, p->now, &held[i].remote,
				    &held[i].local, held[i].bytes, held[i].len);
		count = 0;
	}
	return false;
}

/* Any order, and repetitions: the response goes out again for the first fragment alone */
static void test_fragments_reversed(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[0].limits.fragment_bytes = 256;
	for (unsigned i = 0; i < 12; i++)
		p->side[0].config.esp.dh[i] = 0;
	p->filter = reverse_fragments;
	p->side[0].config.local_id.type = p->side[1].config.remote_id.type = IKE_ID_KEY_ID;
	p->side[0].config.local_id.len = p->side[1].config.remote_id.len = 250;
	pair_start(p);
	pair_assert_up(p);
	assert_int_equal(ike_counters(p->side[1].engine)->replays_answered, 1);
	p->filter = NULL;
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_back_off),
	    cmocka_unit_test(test_tries_for_ever),
	    cmocka_unit_test(test_pauses_are_spread),
	    cmocka_unit_test(test_retransmissions_are_identical),
	    cmocka_unit_test(test_request_ids),
	    cmocka_unit_test(test_stray_responses),
	    cmocka_unit_test(test_request_three_times),
	    cmocka_unit_test(test_bit_flips),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_fragments_reversed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
