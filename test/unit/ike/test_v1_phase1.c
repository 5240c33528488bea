/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Phase 1 of IKEv1: main and aggressive mode, message by message, what is refused and why.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/v1/v1.h"
#include "pair.h"

static void init_v1(struct pair *p, enum ike_v1_mode mode)
{
	pair_init(p);
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].config.version = IKE_V1;
		p->side[i].config.v1_mode = mode;
	}
}

static void test_main_mode(void **state)
{
	struct pair p;

	init_v1(&p, IKE_V1_MAIN);
	pair_start(&p);
	pair_assert_up(&p);
	assert_int_equal(p.side[0].errors + p.side[1].errors, 0);
	/* 6 of main mode, 3 of quick mode */
	assert_int_equal(p.seen[0], 5);
	assert_int_equal(p.seen[1], 4);
	pair_end(&p);
}

static void test_aggressive_mode(void **state)
{
	struct pair p;

	init_v1(&p, IKE_V1_AGGRESSIVE);
	pair_start(&p);
	pair_assert_up(&p);
	assert_int_equal(p.side[0].errors + p.side[1].errors, 0);
	assert_int_equal(p.seen[0], 4);
	assert_int_equal(p.seen[1], 3); /* one says INITIAL-CONTACT */
	pair_end(&p);
}

/* T15 to T18: every algorithm that IKEv1 knows, on both phases */
static void test_algorithms(void **state)
{
	static const uint8_t groups[] = {
	    DH_1, DH_2, DH_5, DH_14, DH_15, DH_16, DH_19, DH_20, DH_21};
	struct pair p;
	unsigned n = 0;

	for (unsigned e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		for (unsigned a = AUTH_NONE + 1; a < AUTH_COUNT; a++) {
			init_v1(&p, n % 3 ? IKE_V1_MAIN : IKE_V1_AGGRESSIVE);
			for (unsigned i = 0; i < 2; i++) {
				struct ike_tunnel_config *c = &p.side[i].config;

				if (alg_encr(e)->v1_ike_id)
					c->ike.encr[0] = (uint8_t)e;
				c->ike.auth[0] = (uint8_t)a;
				c->ike.dh[0] = groups[n % 9];
				c->esp.encr[0] = alg_encr(e)->v1_esp_id ? (uint8_t)e : ENCR_3DES;
				c->esp.auth[0] = (uint8_t)a;
				c->esp.dh[0] = n % 2 ? groups[(n + 4) % 9] : DH_NONE;
			}
			pair_start(&p);
			pair_assert_up(&p);
			assert_int_equal(
			    pair_in_use(&p, 0)->info.encr, p.side[0].config.esp.encr[0]);
			assert_int_equal(pair_in_use(&p, 1)->info.dh, p.side[0].config.esp.dh[0]);
			pair_end(&p);
			n++;
		}
	}
}

/* V1-01: main mode finds the key by the address; a wrong one is told on both sides */
static void test_wrong_key(void **state)
{
	struct pair p;

	for (unsigned mode = 0; mode < 2; mode++) {
		init_v1(&p, mode ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN);
		snprintf(p.side[1].psk, sizeof(p.side[1].psk), "another key");
		pair_start(&p);
		pair_run(&p, DUR_S(10));
		pair_assert_down(&p, 0);
		pair_assert_down(&p, 1);
		/* In aggressive mode the initiator is the one who sees it. */
		assert_true(pair_has_error(&p, mode ? 0 : 1, IKE_ERROR_PSK_MISMATCH, NULL));
		if (!mode)
			assert_true(pair_has_error(&p, 0, IKE_ERROR_AUTHENTICATION_FAILED, NULL));
		pair_end(&p);
	}
}

static void test_wrong_identity(void **state)
{
	struct pair p;
	unsigned i;

	for (unsigned mode = 0; mode < 2; mode++) {
		init_v1(&p, mode ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN);
		ike_id_parse("somebody.example", &p.side[0].config.local_id);
		pair_start(&p);
		pair_run(&p, DUR_S(3));
		pair_assert_down(&p, 0);
		assert_true(pair_has_error(&p, 1, IKE_ERROR_PEER_ID_MISMATCH, &i));
		assert_string_equal(p.side[1].error[i].theirs, "somebody.example");
		assert_string_equal(p.side[1].error[i].ours, "198.51.100.1");
		pair_end(&p);
	}
}

/* V1-02: aggressive mode is for tunnels that ask for it */
static void test_wrong_mode(void **state)
{
	struct pair p;
	unsigned i;

	init_v1(&p, IKE_V1_AGGRESSIVE);
	p.side[1].config.v1_mode = IKE_V1_MAIN;
	pair_start(&p);
	pair_run(&p, DUR_S(3));
	pair_assert_down(&p, 0);
	assert_int_equal(pair_count_sas(&p, 1, NULL), 0);
	assert_true(pair_has_error(&p, 1, IKE_ERROR_NEGOTIATION_MODE_MISMATCH, &i));
	assert_string_equal(p.side[1].error[i].ours, "main");
	assert_string_equal(p.side[1].error[i].theirs, "aggressive");
	pair_end(&p);
}

/* T27: the field and both values */
static void test_mismatches(void **state)
{
	struct pair p;
	unsigned i;

	init_v1(&p, IKE_V1_MAIN);
	p.side[0].config.ike.encr[0] = ENCR_3DES;
	pair_start(&p);
	pair_run(&p, DUR_S(2));
	assert_true(pair_has_error(&p, 1, IKE_ERROR_ENCRYPTION_ALGORITHM_MISMATCH, &i));
	assert_string_equal(p.side[1].error[i].theirs, "3des");
	assert_true(pair_has_error(&p, 0, IKE_ERROR_PROPOSAL_MISMATCH, NULL));
	pair_end(&p);

	init_v1(&p, IKE_V1_MAIN);
	p.side[0].config.ike.dh[0] = DH_19;
	pair_start(&p);
	assert_true(pair_has_error(&p, 1, IKE_ERROR_DH_GROUP_MISMATCH, &i));
	assert_string_equal(p.side[1].error[i].theirs, "group19");
	pair_end(&p);

	init_v1(&p, IKE_V1_MAIN);
	p.side[0].config.esp.dh[0] = DH_31;
	pair_start(&p);
	assert_true(pair_has_error(&p, 1, IKE_ERROR_PFS_MISMATCH, &i));
	assert_string_equal(p.side[1].error[i].ours, "disabled");
	assert_true(pair_has_error(&p, 0, IKE_ERROR_PROPOSAL_MISMATCH, NULL));
	pair_end(&p);

	init_v1(&p, IKE_V1_MAIN);
	ip_prefix_parse("10.9.0.0/16", &p.side[1].local_ts[0]);
	pair_start(&p);
	assert_true(pair_has_error(&p, 1, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, NULL));
	assert_true(pair_has_error(&p, 0, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, NULL));
	pair_end(&p);
}

/* V1-05: the same message again gets the same answer, and never much more than it sent */
/* A first message again and again, of one who shows no more than that: no more than one and a half times its bytes. */
static void repeat_first(enum ike_v1_mode mode)
{
	struct datagram first;
	struct pair p;
	size_t in, out;

	init_v1(&p, mode);
	pair_start_side(&p, 1);
	p.cut = true;
	pair_start_side(&p, 0);
	first = p.last[0];
	pair_kill_side(&p, 0);
	pair_settle(&p);
	for (in = out = 0; in < 50 * first.len;) {
		unsigned seen = p.seen[1];

		pair_inject(&p, 1, first.bytes, first.len);
		in += first.len;
		out += (p.seen[1] - seen) * p.last[1].len;
		p.queued = 0;
		assert_true(out <= 2 * first.len || 2 * out <= 3 * in);
	}
	assert_true(out > 0 && 2 * out <= 3 * in);
	assert_int_equal(pair_count_sas(&p, 1, NULL), 1);
	/* Nothing goes out of our own accord. */
	in = p.seen[1];
	pair_run(&p, DUR_S(60));
	assert_int_equal(p.seen[1], in);
	assert_int_equal(pair_count_sas(&p, 1, NULL), 0);
	pair_end(&p);
}

static void test_repeated(void **state)
{
	repeat_first(IKE_V1_MAIN);
	repeat_first(IKE_V1_AGGRESSIVE);
}

/* V1-04: a delete in clear, whoever sends it, changes nothing */
static void test_forged_delete(void **state)
{
	struct ike_chain c;
	struct ike_packet *packet;
	uint8_t buffer[256], spi[16];
	struct wirebuf b = wirebuf_of(spi, sizeof(spi));
	struct ike_sa *sa;
	struct pair p;

	init_v1(&p, IKE_V1_MAIN);
	pair_start(&p);
	sa = pair_sa(&p, 1);
	wirebuf_u64(&b, sa->spi_i);
	wirebuf_u64(&b, sa->spi_r);
	c = ike_chain_of(buffer, sizeof(buffer));
	v1_chain_delete(&c, V1_PROTOCOL_ISAKMP, (struct ike_span){spi, sizeof(spi)});
	packet = v1_plain(sa->spi_i, sa->spi_r, EXCHANGE_V1_INFORMATIONAL, 77, &c);
	pair_inject(&p, 1, packet->bytes, packet->len);
	free(packet);
	pair_settle(&p);
	pair_assert_up(&p);
	pair_end(&p);
}

/* Every byte of every message of a negotiation, damaged: nothing breaks, and it still comes up. */
static bool damage(struct pair *p, struct datagram *d)
{
	struct datagram copy = *d;
	struct side *to = &p->side[!d->from];

	if (!to->engine || !(d->bytes[19] & V1_FLAG_ENCRYPTED) ||
	    exchange_of(d) != EXCHANGE_V1_QUICK)
		return true;
	for (size_t i = 28; i < d->len; i++) {
		copy.bytes[i] ^= (uint8_t)(1 + p->count++ % 255);
		ike_receive(to->engine, p->now, &d->remote, &d->local, copy.bytes, copy.len);
		copy.bytes[i] = d->bytes[i];
	}
	return true;
}

static void test_damaged_quick_mode(void **state)
{
	struct pair p;

	init_v1(&p, IKE_V1_MAIN);
	p.filter = damage;
	pair_start(&p);
	pair_assert_up(&p);
	assert_int_equal(pair_children(&p, 0), 1);
	assert_true(ike_counters(p.side[1].engine)->bad_icv > 100);
	pair_end(&p);
}

/* V1-11: a peer that asks for CONNECTED, in any message, is not waited for. */
static bool commit_bit(struct pair *p, struct datagram *d)
{
	d->bytes[19] |= V1_FLAG_COMMIT;
	p->count++;
	return true;
}

static void test_commit_bit(void **state)
{
	struct pair p;

	for (enum ike_v1_mode mode = IKE_V1_MAIN; mode <= IKE_V1_AGGRESSIVE; mode++) {
		init_v1(&p, mode);
		p.filter = commit_bit;
		pair_start(&p);
		assert_true(p.count >= 6);
		pair_assert_up(&p);
		assert_int_equal(pair_children(&p, 0), 1);
		pair_run(&p, DUR_S(60));
		pair_assert_up(&p);
		pair_end(&p);
	}
}

/* V1-07, T21: a peer that answers no more */
static void test_dpd(void **state)
{
	struct pair p;

	init_v1(&p, IKE_V1_MAIN);
	pair_start(&p);
	pair_run(&p, DUR_S(60));
	pair_assert_up(&p);
	p.cut = true;
	pair_run(&p, DUR_S(45));
	assert_true(pair_has_error(&p, 0, IKE_ERROR_PEER_DEAD, NULL));
	pair_assert_down(&p, 0);
	p.cut = false;
	pair_run(&p, DUR_S(90));
	pair_assert_up(&p);
	pair_end(&p);
}

/* V1-09: phase 1 ends and is renewed; Child SAs stay what they are */
static void test_renewal(void **state)
{
	uint32_t spi;
	struct pair p;

	init_v1(&p, IKE_V1_MAIN);
	pair_start(&p);
	spi = pair_in_use(&p, 0)->info.spi_in;
	assert_int_equal(ike_tunnel_rekey(p.side[0].engine, p.now, TUNNEL, true), 0);
	pair_run(&p, DUR_S(15));
	pair_assert_up(&p);
	assert_int_equal(pair_in_use(&p, 0)->info.spi_in, spi);
	assert_int_equal(pair_count_sas(&p, 0, NULL), 1);
	assert_int_equal(pair_count_sas(&p, 1, NULL), 1);

	assert_int_equal(ike_tunnel_rekey(p.side[1].engine, p.now, TUNNEL, false), 0);
	pair_run(&p, DUR_S(30));
	pair_assert_up(&p);
	assert_int_not_equal(pair_in_use(&p, 0)->info.spi_in, spi);
	assert_int_equal(pair_children(&p, 0), 1);
	assert_int_equal(pair_children(&p, 1), 1);
	pair_end(&p);
}

/* A delete has no answer: that of the last Child SA is said again, or the peer would send into the void. */
static bool lose_first_delete(struct pair *p, struct datagram *d)
{
	return d->from != 1 || exchange_of(d) != EXCHANGE_V1_INFORMATIONAL || p->count++ > 0;
}

static void test_lost_delete(void **state)
{
	uint32_t spi, theirs;
	struct pair p;

	init_v1(&p, IKE_V1_MAIN);
	pair_start(&p);
	spi = pair_in_use(&p, 1)->info.spi_in;
	theirs = pair_in_use(&p, 0)->info.spi_in;
	p.filter = lose_first_delete;
	ike_child_limit(p.side[1].engine, p.now, TUNNEL, spi, true);
	pair_settle(&p);
	assert_int_equal(p.count, 1);
	assert_int_equal(pair_children(&p, 1), 0);
	assert_int_equal(pair_in_use(&p, 0)->info.spi_in, theirs);
	pair_run(&p, DUR_S(3));
	assert_true(!pair_in_use(&p, 0) || pair_in_use(&p, 0)->info.spi_in != theirs);
	pair_run(&p, DUR_S(70));
	pair_assert_up(&p);
	pair_end(&p);
}

/* Lifetimes that leave less than the wait for the peer's sign: the new SA carries before the old one expires. */
static void test_short_lifetimes(void **state)
{
	struct pair p;
	uint32_t spi;
	unsigned changes = 0;

	init_v1(&p, IKE_V1_MAIN);
	for (unsigned i = 0; i < 2; i++)
		p.side[i].config.dpd_interval_s = 0;
	p.side[0].config.esp_lifetime_s = 6; /* the other side only answers, and sends nothing */
	pair_start(&p);
	pair_assert_up(&p);
	spi = pair_in_use(&p, 0)->info.spi_in;
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t now;

		pair_run(&p, DUR_MS(100));
		now = pair_in_use(&p, 0)->info.spi_in;
		changes += now != spi;
		spi = now;
	}
	assert_true(changes >= 40);
	assert_int_equal(p.side[0].errors + p.side[1].errors, 0); /* no LifetimeExpired */
	pair_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_main_mode),
	    cmocka_unit_test(test_aggressive_mode),
	    cmocka_unit_test(test_algorithms),
	    cmocka_unit_test(test_wrong_key),
	    cmocka_unit_test(test_wrong_identity),
	    cmocka_unit_test(test_wrong_mode),
	    cmocka_unit_test(test_mismatches),
	    cmocka_unit_test(test_repeated),
	    cmocka_unit_test(test_forged_delete),
	    cmocka_unit_test(test_damaged_quick_mode),
	    cmocka_unit_test(test_commit_bit),
	    cmocka_unit_test(test_dpd),
	    cmocka_unit_test(test_renewal),
	    cmocka_unit_test(test_short_lifetimes),
	    cmocka_unit_test(test_lost_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
