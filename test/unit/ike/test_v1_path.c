/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKEv1 with somebody on the path who has no keys, but sees and sends: garbage under the cookies of a negotiation, true
 * messages with something behind what their proof covers, before the peer's own or after it. And messages that come when
 * what they are about is gone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/v1/v1.h"
#include "pair.h"

static struct pair pair;

static void init(enum ike_v1_mode mode)
{
	pair_init(&pair);
	for (unsigned i = 0; i < 2; i++) {
		pair.side[i].config.version = IKE_V1;
		pair.side[i].config.v1_mode = mode;
	}
}

/* ---- the last message of phase 1 ---- */

static struct {
	unsigned from;  /* whose last message */
	unsigned count; /* forged ones */
	bool garbage, after;
} forger;

/* That of `from`: message 5 or 6 of main mode, 3 of aggressive mode. */
static bool is_last_of_phase_1(const struct datagram *d, unsigned from)
{
	if (d->from != from)
		return false;
	if (exchange_of(d) == EXCHANGE_V1_MAIN)
		return d->bytes[19] & V1_FLAG_ENCRYPTED;
	return exchange_of(d) == EXCHANGE_V1_AGGRESSIVE && from == 0 && pair.seen[0] > 1;
}

static void receive(struct pair *p, const struct datagram *d)
{
	ike_receive(p->side[!d->from].engine, p->now, &d->remote, &d->local, d->bytes, d->len);
}

static void forge(struct pair *p, const struct datagram *d, unsigned number)
{
	struct datagram copy = *d;
	uint8_t fill = (uint8_t)(0xa1 + number);

	if (forger.garbage) {
		for (size_t i = IKE_HEADER_BYTES; i < copy.len; i++)
			copy.bytes[i] ^= fill;
	} else {
		/* One block more, which decrypts to anything: behind the chain it counts as padding. */
		memset(copy.bytes + copy.len, fill, 16);
		copy.len += 16;
		copy.bytes[26] = (uint8_t)(copy.len >> 8);
		copy.bytes[27] = (uint8_t)copy.len;
	}
	receive(p, &copy);
}

static bool forging(struct pair *p, struct datagram *d)
{
	if (!is_last_of_phase_1(d, forger.from))
		return true;
	if (forger.after)
		receive(p, d);
	for (unsigned i = 0; i < forger.count; i++)
		forge(p, d, i);
	return !forger.after;
}

/* Both go on from the message that was sent, at once: no probe, no second phase 1. */
static void assert_undisturbed(void)
{
	pair_assert_up(&pair);
	assert_int_equal(pair_children(&pair, 1), 1);
	assert_int_equal(pair_count_sas(&pair, 0, NULL), 1);
	/* and what is begun on either side is understood */
	pair_run(&pair, DUR_S(2));
	for (unsigned side = 0; side < 2; side++) {
		uint32_t before = pair_in_use(&pair, side)->info.spi_in;

		assert_int_equal(
		    ike_tunnel_rekey(pair.side[side].engine, pair.now, TUNNEL, false), 0);
		pair_run(&pair, DUR_S(2));
		pair_assert_up(&pair);
		assert_int_not_equal(pair_in_use(&pair, side)->info.spi_in, before);
	}
	assert_false(pair_has_error(&pair, 0, IKE_ERROR_PEER_DEAD, NULL));
	assert_false(pair_has_error(&pair, 1, IKE_ERROR_PEER_DEAD, NULL));
}

static void test_forged_last_message(void **state)
{
	for (unsigned i = 0; i < 16; i++) {
		enum ike_v1_mode mode = i & 1 ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN;

		forger.from = 0;
		forger.garbage = i & 2;
		forger.after = i & 4;
		forger.count = i & 8 ? 7 : 1;
		init(mode);
		pair.filter = forging;
		pair_start(&pair);
		assert_undisturbed();
		pair_end(&pair);
	}
}

/* The responder's, message 6 of main mode: the initiator goes on behind each version until it is told which was true. */
static void test_forged_last_answer(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		forger.from = 1;
		forger.garbage = i & 1;
		forger.after = i & 2;
		forger.count = i & 4 ? 7 : 1;
		init(IKE_V1_MAIN);
		pair.filter = forging;
		pair_start(&pair);
		assert_undisturbed();
		pair_end(&pair);
	}
}

/* ---- what the last message of aggressive mode says of NATs ---- */

/* The NAT-D payload of our end spoilt; `longer`: with a block more, and so another end of phase 1. */
static bool spoil_natd(struct pair *p, struct datagram *d)
{
	struct datagram copy = *d;
	bool longer = p->count & 1, after = p->count & 2;

	if (!is_last_of_phase_1(d, 0))
		return true;
	if (after)
		receive(p, d);
	/* Within {HASH_I: 36 bytes, NAT-D: 36, NAT-D: 36}; the block behind changes where this one does. */
	for (size_t i = 48; i < 56; i++)
		copy.bytes[IKE_HEADER_BYTES + i] ^= 0x55;
	if (longer) {
		memset(copy.bytes + copy.len, 7, 16);
		copy.len += 16;
		copy.bytes[26] = (uint8_t)(copy.len >> 8);
		copy.bytes[27] = (uint8_t)copy.len;
	}
	receive(p, &copy);
	return !after;
}

/*
 * A NAT that somebody on the path invents does not put ESP into UDP. (Where the forged message comes first and ends in the
 * block of the true one, nobody can tell them apart: p->count 0 is left out.)
 */
static void test_invented_nat(void **state)
{
	for (unsigned i = 1; i < 4; i++) {
		init(IKE_V1_AGGRESSIVE);
		pair.count = i;
		pair.filter = spoil_natd;
		pair_start(&pair);
		pair_assert_up(&pair);
		assert_false(ike_nat_found(&pair_sa(&pair, 1)->nat));
		assert_false(pair_in_use(&pair, 1)->info.udp_encap);
		pair_end(&pair);
	}
}

/* When the peer has shown which one it sent, no other version is answered or moves anything any more. */
static struct datagram last_message;

static bool keep_last(struct pair *p, struct datagram *d)
{
	if (is_last_of_phase_1(d, forger.from))
		last_message = *d;
	return true;
}

static void test_forged_when_confirmed(void **state)
{
	for (unsigned mode = 0; mode < 2; mode++) {
		unsigned seen;

		forger.from = 0;
		init(mode ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN);
		pair.filter = keep_last;
		pair_start(&pair);
		pair_assert_up(&pair);
		forger.garbage = false;
		seen = pair.seen[1];
		for (unsigned i = 0; i < 20; i++)
			forge(&pair, &last_message, i);
		assert_int_equal(pair.seen[1], seen);
		pair_run(&pair, DUR_S(60));
		pair_assert_up(&pair);
		assert_int_equal(pair_count_sas(&pair, 1, NULL), 1);
		pair_end(&pair);
	}
}

/* ---- late ones ---- */

/* Peers answer our delete with deletes of their own. With the tunnel gone nobody is left to hear them. */
static void test_deletes_after_the_tunnel(void **state)
{
	struct datagram answer[2];
	const struct ike_counters *c;
	uint64_t unknown;
	unsigned seen;

	for (unsigned mode = 0; mode < 2; mode++) {
		init(mode ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN);
		pair_start(&pair);
		pair_assert_up(&pair);
		pair.cut = true;
		v1_send_delete_child(pair_sa(&pair, 1), pair_in_use(&pair, 1)->info.spi_in);
		answer[0] = pair.last[1];
		v1_send_delete_ike(pair_sa(&pair, 1));
		answer[1] = pair.last[1];
		pair_settle(&pair);
		pair.cut = false;

		assert_int_equal(ike_tunnel_remove(pair.side[0].engine, pair.now, TUNNEL), 0);
		pair_settle(&pair);
		seen = pair.seen[0];
		c = ike_counters(pair.side[0].engine);
		unknown = c->unknown_spi;
		for (unsigned i = 0; i < 4; i++) /* each of them twice */
			pair_inject(&pair, 0, answer[i / 2].bytes, answer[i / 2].len);
		pair_run(&pair, DUR_S(20));
		assert_int_equal(pair.seen[0], seen);
		assert_true(c->unknown_spi >= unknown + 4);
		assert_true(ike_is_quiet(pair.side[0].engine));
		assert_int_equal(pair_children(&pair, 0), 0);
		pair_assert_down(&pair, 1);
		pair_end(&pair);
	}
}

/* ---- a refusal that is lost ---- */

/* The first error of B behind phase 1: the refusal of A's quick mode. */
static bool without_refusal(struct pair *p, struct datagram *d)
{
	if (d->from != 1 || exchange_of(d) != EXCHANGE_V1_INFORMATIONAL || p->seen[0] < 4)
		return true;
	return p->count++ > 0;
}

/* It is said again when A asks again; A does not take B for dead, and the IKE SA stays. */
static void test_refusal_lost(void **state)
{
	struct pair *p = &pair;

	init(IKE_V1_MAIN);
	p->side[0].config.esp.dh[0] = DH_31;
	p->side[1].config.esp.dh[0] = DH_19;
	p->filter = without_refusal;
	pair_start(p);
	assert_int_equal(p->count, 1);
	assert_false(pair_has_error(p, 0, IKE_ERROR_PROPOSAL_MISMATCH, NULL));
	pair_run(p, DUR_S(5));
	assert_true(p->count > 1);
	assert_true(ike_counters(p->side[1].engine)->replays_answered > 0);
	assert_true(pair_has_error(p, 0, IKE_ERROR_PROPOSAL_MISMATCH, NULL));
	pair_run(p, DUR_S(60));
	assert_false(pair_has_error(p, 0, IKE_ERROR_PEER_DEAD, NULL));
	assert_int_equal(ike_counters(p->side[0].engine)->ike_established, 1);
	assert_int_equal(pair_count_sas(p, 0, "established"), 1);
	p->filter = NULL;
	pair_end(p);
}

/* ---- an IKE SA that the peer has lost ---- */

static uint8_t lost_cookie[8];

/* B no longer knows that IKE SA, and says nothing to what comes on it. */
static bool without_the_lost(struct pair *p, struct datagram *d)
{
	return memcmp(d->bytes, lost_cookie, sizeof(lost_cookie)) != 0;
}

/* Its Child SA lives, packets come from it all the time, and there is always one in use: where nobody answers a rekey, a new
 * phase 1 is begun while there is time. */
static void test_rekey_on_a_lost_sa(void **state)
{
	struct pair *p = &pair;
	struct pair_child *in_use;
	uint32_t spi_in;

	init(IKE_V1_MAIN);
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].config.esp_lifetime_s = 80;
		p->side[i].config.dpd_interval_s = 0;
	}
	pair_start(p);
	pair_assert_up(p);
	spi_in = pair_in_use(p, 0)->info.spi_in;
	memcpy(lost_cookie, p->last[0].bytes, sizeof(lost_cookie));
	p->filter = without_the_lost;
	for (unsigned i = 0; i < 120; i++) {
		pair_run(p, DUR_S(1));
		for (unsigned k = 0; k < 2; k++) {
			p->side[k].esp_heard = p->now;
			in_use = pair_in_use(p, k);
			assert_non_null(in_use);
		}
	}
	assert_int_not_equal(pair_in_use(p, 0)->info.spi_in, spi_in);
	for (unsigned k = 0; k < 2; k++)
		assert_false(pair_has_error(p, k, IKE_ERROR_LIFETIME_EXPIRED, NULL));
	p->filter = NULL;
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forged_last_message),
	    cmocka_unit_test(test_forged_last_answer),
	    cmocka_unit_test(test_invented_nat),
	    cmocka_unit_test(test_forged_when_confirmed),
	    cmocka_unit_test(test_deletes_after_the_tunnel),
	    cmocka_unit_test(test_refusal_lost),
	    cmocka_unit_test(test_rekey_on_a_lost_sa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
