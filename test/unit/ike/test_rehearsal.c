/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What is learned about the next rekey before it is due, and what is done when a peer makes no second Child SA
 * (T18, T27, V2-15, V2-18, RFC 7296 4): never at the cost of the traffic.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/child.h"
#include "liar.h"

static struct pair pair;

/* What a side sends on is always something that the other one receives on. */
static bool watch_traffic(struct pair *p, struct datagram *d)
{
	for (unsigned i = 0; i < 2; i++) {
		struct pair_child *out = pair_in_use(p, i);
		bool heard = false;

		assert_non_null(out);
		for (unsigned k = 0; k < CHILDREN_MAX; k++) {
			struct pair_child *in = &p->side[!i].child[k];

			heard |= in->in && in->info.spi_in == out->info.spi_out &&
			    !memcmp(in->info.encr_key_in, out->info.encr_key_out, IKE_KEY_MAX);
		}
		assert_true(heard);
	}
	return true;
}

static enum ike_rehearsal result(struct pair *p, unsigned side)
{
	struct ike_tunnel_info info;

	assert_int_equal(ike_tunnel_get(p->side[side].engine, p->now, TUNNEL, &info), 0);
	return info.rehearsal;
}

static enum ike_error_code last_error(struct pair *p, unsigned side)
{
	struct ike_tunnel_info info;

	assert_int_equal(ike_tunnel_get(p->side[side].engine, p->now, TUNNEL, &info), 0);
	return info.last_error;
}

/* `who`: bit 0 A, the initiator; bit 1 B */
static void start(struct pair *p, unsigned who, enum alg_dh pfs_a, enum alg_dh pfs_b)
{
	pair_init(p);
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].config.rehearse = who & 1u << i;
		p->side[i].config.esp.dh[0] = i ? pfs_b : pfs_a;
	}
	pair_start(p);
	pair_assert_up(p);
	p->filter = watch_traffic;
}

static void test_passes(void **state)
{
	struct pair *p = &pair;

	for (unsigned who = 1; who <= 3; who++) {
		start(p, who, DH_31, DH_31);
		uint32_t first = pair_in_use(p, 0)->info.spi_in;

		assert_int_equal(pair_in_use(p, 0)->info.dh, DH_NONE);
		assert_int_equal(result(p, who == 2), IKE_REHEARSAL_PENDING);
		pair_run(p, DUR_S(3));
		assert_int_not_equal(pair_in_use(p, 0)->info.spi_in, first);
		assert_int_equal(pair_in_use(p, 0)->info.dh, DH_31);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(result(p, i),
			    who & 1u << i ? IKE_REHEARSAL_PASSED : IKE_REHEARSAL_NONE);
			assert_int_equal(last_error(p, i), IKE_ERROR_NONE);
		}
		pair_run(p, DUR_S(60));
		assert_int_equal(pair_children(p, 0), 1);
		pair_assert_up(p);
		pair_end(p);
	}
}

/* Off by default: the first Child SA stays. */
static void test_not_asked_for(void **state)
{
	struct pair *p = &pair;

	start(p, 0, DH_31, DH_NONE);
	uint32_t first = pair_in_use(p, 0)->info.spi_in;

	pair_run(p, DUR_S(60));
	assert_int_equal(pair_in_use(p, 0)->info.spi_in, first);
	assert_int_equal(result(p, 0), IKE_REHEARSAL_NONE);
	pair_end(p);
}

/* PFS differs: both ends are told at once, and the tunnel carries on. */
static void test_mismatch(void **state)
{
	static const enum alg_dh groups[][2] = {
	    {DH_31, DH_NONE}, {DH_NONE, DH_31}, {DH_31, DH_19}, {DH_14, DH_2}};
	struct pair *p = &pair;

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		for (unsigned who = 0; who < 2; who++) {
			unsigned index;

			start(p, 1u << who, groups[g][0], groups[g][1]);
			uint32_t first = pair_in_use(p, 0)->info.spi_in;
			uint32_t soft =
			    ike_child_find(pair_sa(p, who), pair_in_use(p, who)->info.spi_in)
				->regular_soft.ns /
			    DUR_S(1);

			pair_run(p, DUR_S(3));
			assert_int_equal(result(p, who), IKE_REHEARSAL_FAILED);
			assert_int_equal(pair_in_use(p, 0)->info.spi_in, first);
			for (unsigned i = 0; i < 2; i++) {
				assert_true(pair_has_error(p, i, IKE_ERROR_PFS_MISMATCH, &index));
				assert_string_equal(
				    p->side[i].error[index].field, "ipsec.dh-group");
				assert_int_equal(last_error(p, i), IKE_ERROR_PFS_MISMATCH);
				assert_int_equal(p->side[i].state, IKE_TUNNEL_UP);
			}
			/* No hammering: the next attempt is the ordinary rekey. */
			assert_int_equal(
			    ike_child_find(pair_sa(p, who), pair_in_use(p, who)->info.spi_in)
				    ->soft.ns /
				DUR_S(1),
			    soft);
			unsigned seen = p->seen[0] + p->seen[1];
			p->side[0].esp_heard = p->side[1].esp_heard = mono_add(p->now, DUR_S(60));
			pair_run(p, DUR_S(30));
			assert_int_equal(p->seen[0] + p->seen[1], seen);
			pair_end(p);
		}
	}
}

/* A rekey that costs the IKE SA, by INVALID_SYNTAX or an answer without sense: it costs that one, and no other. */
static void test_fatal(void **state)
{
	static const struct {
		struct liar_edit edit;
		enum ike_error_code error;
	} cases[] = {
	    {{LIE_INSTEAD, PAYLOAD_NOTIFY, "\0\0\0\7", 4}, IKE_ERROR_PEER_REFUSED},
	    {{LIE_DOUBLE, PAYLOAD_KE}, IKE_ERROR_MESSAGE_MALFORMED},
	};
	struct pair *p = &pair;
	uint64_t made;

	for (size_t i = 0; i < 2; i++) {
		start(p, 1, DH_31, DH_31);
		liar_arm(p, 1, EXCHANGE_CREATE_CHILD_SA, true, &cases[i].edit);
		pair_run(p, DUR_S(120));
		assert_int_equal(liar_seen.armed, 1);
		assert_int_equal(ike_counters(p->side[0].engine)->ike_established, 2);
		assert_int_equal(result(p, 0), IKE_REHEARSAL_FAILED);
		assert_true(pair_has_error(p, 0, cases[i].error, NULL));
		pair_assert_up(p);
		liar_arm(p, 0, 0, false, NULL);

		/* The peer was put right: after the next rekey it is rehearsed again. */
		ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false);
		pair_run(p, DUR_S(2));
		made = ike_counters(p->side[0].engine)->child_established;
		ike_tunnel_stop(p->side[0].engine, p->now, TUNNEL);
		pair_run(p, DUR_S(20));
		ike_tunnel_start(p->side[0].engine, p->now, TUNNEL);
		pair_run(p, DUR_S(20));
		pair_assert_up(p);
		assert_int_equal(result(p, 0), IKE_REHEARSAL_PASSED);
		assert_int_equal(ike_counters(p->side[0].engine)->child_established, made + 2);
		pair_end(p);
	}
}

/* Put right at the peer, the error goes with the next rekey. */
static void test_resolved(void **state)
{
	struct pair *p = &pair;

	start(p, 1, DH_31, DH_19);
	pair_run(p, DUR_S(3));
	assert_int_equal(last_error(p, 0), IKE_ERROR_PFS_MISMATCH);
	for (unsigned i = 0; i < 2; i++)
		pair_sa(p, i)->tunnel->config.esp.dh[0] = DH_31;
	ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false);
	pair_settle(p);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(last_error(p, i), IKE_ERROR_NONE);
		assert_int_equal(p->side[i].error[p->side[i].errors - 1].code, IKE_ERROR_NONE);
	}
	pair_end(p);
}

/* A peer that makes one Child SA on an IKE SA: a rekey replaces both, make-before-break. */
static void test_one_child_per_ike_sa(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[1].limits.child_per_ike_max = 1;
	pair_start(p);
	uint32_t first = pair_in_use(p, 0)->info.spi_in;
	uint64_t ike = pair_sa(p, 0)->spi_i;

	p->filter = watch_traffic;
	ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, false);
	pair_run(p, DUR_S(30));
	assert_int_not_equal(pair_in_use(p, 0)->info.spi_in, first);
	assert_int_not_equal(pair_sa(p, 0)->spi_i, ike);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pair_count_sas(p, i, NULL), 1);
		assert_int_equal(pair_children(p, i), 1);
	}
	pair_assert_up(p);
	pair_end(p);
}

/* ... and when the one it had is gone, no attempt on the old IKE SA leads anywhere: a new one is made. */
static void test_no_child_left(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	p->side[1].engine->limits.child_per_ike_max = 0;
	ike_child_limit(p->side[0].engine, p->now, TUNNEL, pair_in_use(p, 0)->info.spi_in, true);
	pair_run(p, DUR_S(3));
	p->side[1].engine->limits.child_per_ike_max = 64;
	pair_run(p, DUR_S(90));
	pair_assert_up(p);
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_passes),
	    cmocka_unit_test(test_not_asked_for),
	    cmocka_unit_test(test_mismatch),
	    cmocka_unit_test(test_fatal),
	    cmocka_unit_test(test_resolved),
	    cmocka_unit_test(test_one_child_per_ike_sa),
	    cmocka_unit_test(test_no_child_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
