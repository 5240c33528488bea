/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A tunnel's life around its SAs: start on demand and at once, stop, change, deletes, shutdown (V2-19, T11, C-32).
 * Liveness is in test_dpd.c, what lies between the ends in test_nat.c.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static struct pair pair;

/* T11: `apply-immediately: no` */
static void test_on_demand(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[0].config.start = IKE_START_ON_DEMAND;
	pair_start(p);
	pair_run(p, DUR_S(100));
	assert_int_equal(p->seen[0], 0);
	assert_int_equal(p->side[0].state, IKE_TUNNEL_DOWN);
	assert_int_equal(ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL), 0);
	ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL); /* more packets */
	pair_settle(p);
	assert_int_equal(p->seen[0], 2);
	pair_assert_up(p);
	/* The peer closes it: it waits for traffic again. */
	ike_tunnel_stop(p->side[1].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(200));
	assert_int_equal(p->side[0].state, IKE_TUNNEL_DOWN);
	assert_int_equal(p->side[0].down_reason, IKE_ERROR_PEER_DELETED);
	assert_int_equal(pair_count_sas(p, 0, NULL), 0);
	ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(1));
	pair_assert_up(p);
	assert_int_equal(ike_tunnel_trigger(p->side[0].engine, p->now, 99), -ENOENT);
	pair_end(p);
}

/* Traffic for a peer that is not there: one attempt, and the next packet asks again, not before its time. */
static void test_on_demand_gives_up(void **state)
{
	struct pair *p = &pair;
	unsigned seen;

	pair_init(p);
	p->cut = true;
	p->side[0].config.start = IKE_START_ON_DEMAND;
	pair_start_side(p, 0);
	ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(600));
	seen = p->seen[0];
	assert_in_range(seen, 12, 14);
	ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(600));
	assert_int_equal(p->seen[0], 2 * seen);
	/* The operator's word lasts. */
	ike_tunnel_start(p->side[0].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(1200));
	assert_true(p->seen[0] > 6 * seen);
	pair_end(p);
}

/* C-14, C-15: many tunnels begin one after the other, and every one gets its turn */
static void test_many_tunnels(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_config c;
	uint64_t before = 0, now;

	pair_init(p);
	p->cut = true;
	pair_start_side(p, 0);
	c = p->side[0].config;
	for (uint32_t id = 1000; id < 2000; id++) {
		c.remote = ip_v4(0x0a000000 + id);
		assert_int_equal(ike_tunnel_add(p->side[0].engine, p->now, id, &c, NULL), 0);
		p->queued = 0;
	}
	assert_in_range(ike_counters(p->side[0].engine)->dh_computed, 16, 18);
	for (unsigned i = 0; i < 110; i++) {
		p->now = mono_add(p->now, DUR_MS(100));
		ike_run(p->side[0].engine, p->now, 0);
		p->queued = 0;
		now = ike_counters(p->side[0].engine)->dh_computed;
		assert_true(i == 0 || now - before <= 21);
		before = now;
	}
	assert_int_equal(before, 1001);
	pair_end(p);
}

/* A responder answers, and never begins, not even for traffic. */
static void test_responder_waits(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start_side(p, 1);
	assert_int_equal(ike_tunnel_trigger(p->side[1].engine, p->now, TUNNEL), 0);
	pair_run(p, DUR_S(100));
	assert_int_equal(p->seen[1], 0);
	pair_end(p);
}

/* A tunnel to be kept up comes back when the peer closes it. */
static void test_peer_closes(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	pair_run(p, DUR_S(60));
	ike_tunnel_stop(p->side[1].engine, p->now, TUNNEL);
	pair_settle(p);
	pair_assert_down(p, 0);
	pair_assert_down(p, 1);
	pair_run(p, DUR_S(2));
	pair_assert_up(p);
	pair_end(p);
}

static void test_stop(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	ike_tunnel_stop(p->side[0].engine, p->now, TUNNEL);
	assert_int_equal(pair_children(p, 0), 0); /* at once */
	pair_settle(p);
	assert_int_equal(pair_children(p, 1), 0);
	pair_run(p, DUR_S(100));
	assert_int_equal(pair_count_sas(p, 0, NULL), 0);
	assert_int_equal(pair_count_sas(p, 1, NULL), 0);
	assert_int_equal(p->side[0].state, IKE_TUNNEL_DOWN);
	ike_tunnel_start(p->side[0].engine, p->now, TUNNEL);
	pair_settle(p);
	pair_assert_up(p);
	pair_end(p);
}

/* Deletes that nobody answers still free everything (V2-19). */
static void test_unanswered_delete(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	p->cut = true;
	ike_tunnel_stop(p->side[0].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(20));
	assert_int_equal(pair_count_sas(p, 0, NULL), 0);
	pair_end(p);
}

/* Both delete at once: answers without SPIs, nothing left (V2-19). */
static void test_crossing_deletes(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	ike_child_limit(p->side[0].engine, p->now, TUNNEL, pair_in_use(p, 0)->info.spi_in, true);
	ike_child_limit(p->side[1].engine, p->now, TUNNEL, pair_in_use(p, 1)->info.spi_in, true);
	pair_settle(p);
	pair_run(p, DUR_S(5));
	pair_assert_up(p); /* by a new one */
	assert_int_equal(pair_children(p, 0), 1);
	assert_int_equal(pair_children(p, 1), 1);
	ike_tunnel_stop(p->side[0].engine, p->now, TUNNEL);
	ike_tunnel_stop(p->side[1].engine, p->now, TUNNEL);
	pair_run(p, DUR_S(1));
	assert_int_equal(pair_count_sas(p, 0, NULL), 0);
	assert_int_equal(pair_count_sas(p, 1, NULL), 0);
	pair_end(p);
}

static bool lose_child_responses(struct pair *p, struct datagram *d)
{
	return !(exchange_of(d) == EXCHANGE_CREATE_CHILD_SA && is_response(d) && p->count);
}

static void assert_same_children(struct pair *p)
{
	for (unsigned side = 0; side < 2; side++) {
		assert_int_equal(pair_children(p, side), 2);
		for (unsigned i = 0; i < CHILDREN_MAX; i++) {
			const struct pair_child *c = &p->side[side].child[i];
			unsigned found = 0;

			for (unsigned k = 0; c->in && k < CHILDREN_MAX; k++)
				found += p->side[!side].child[k].in &&
				    p->side[!side].child[k].info.spi_in == c->info.spi_out;
			assert_int_equal(found, c->in);
		}
	}
}

/* A delete overtakes the response that makes its Child SA: the initiator does not keep what the peer has no more. */
static void test_delete_before_response(void **state)
{
	struct pair *p = &pair;

	for (unsigned rekey = 0; rekey < 2; rekey++) {
		uint32_t newest = 0;
		unsigned order = 0;

		pair_init(p);
		for (unsigned i = 0; i < 2; i++) {
			p->side[i].local_ts[1] = p->side[i].remote_ts[1] =
			    (struct ip_prefix){.addr = ip_any(IP_V6)};
			p->side[i].config.local_ts_count = p->side[i].config.remote_ts_count = 2;
		}
		p->side[1].config.start = IKE_START_RESPONDER;
		p->filter = lose_child_responses;
		p->count = !rekey;
		pair_start(p);
		pair_run(p, DUR_S(1));
		if (rekey) {
			uint32_t spi = pair_in_use(p, 0)->info.spi_in;

			p->count = 1;
			ike_child_limit(p->side[0].engine, p->now, TUNNEL, spi, false);
			pair_settle(p);
		}
		assert_int_equal(pair_children(p, 1), rekey ? 3 : 2);
		for (unsigned i = 0; i < CHILDREN_MAX; i++) {
			const struct pair_child *c = &p->side[1].child[i];

			if (c->in && (rekey ? !c->out : c->order >= order)) {
				order = c->order;
				newest = c->info.spi_in;
			}
		}
		ike_child_limit(p->side[1].engine, p->now, TUNNEL, newest, true);
		pair_settle(p);
		assert_int_equal(
		    pair_children(p, 1), rekey ? 3 : 1); /* it drains beside the old one */
		p->count = 0;
		pair_run(p, DUR_S(90));
		assert_same_children(p);
		assert_int_equal(pair_count_sas(p, 0, NULL), 1);
		p->filter = NULL;
		pair_end(p);
	}
}

/* A stop while the IKE SA is being replaced closes the old one and the new one. */
static void test_stop_during_rekey(void **state)
{
	struct pair *p = &pair;

	for (unsigned rekeyer = 0; rekeyer < 2; rekeyer++) {
		for (unsigned stopper = 0; stopper < 2; stopper++) {
			pair_init(p);
			pair_start(p);
			ike_tunnel_rekey(p->side[rekeyer].engine, p->now, TUNNEL, true);
			ike_tunnel_stop(p->side[stopper].engine, p->now, TUNNEL);
			p->side[0].config.start = IKE_START_RESPONDER;
			ike_tunnel_stop(p->side[0].engine, p->now, TUNNEL);
			pair_run(p, DUR_S(15));
			for (unsigned i = 0; i < 2; i++) {
				assert_int_equal(pair_count_sas(p, i, NULL), 0);
				assert_int_equal(pair_children(p, i), 0);
			}
			pair_end(p);
		}
	}
}

/* C-02: deletes for all, at once, even with a request under way */
static void test_shutdown(void **state)
{
	struct pair *p = &pair;

	for (unsigned busy = 0; busy < 2; busy++) {
		pair_init(p);
		pair_start(p);
		if (busy) {
			p->cut = true;
			ike_tunnel_rekey(p->side[0].engine, p->now, TUNNEL, true);
			pair_settle(p);
			p->cut = false;
		}
		assert_false(ike_is_quiet(p->side[0].engine));
		ike_shutdown(p->side[0].engine, p->now);
		pair_run(p, busy ? DUR_S(1) : 0);
		assert_true(ike_is_quiet(p->side[0].engine));
		assert_int_equal(pair_children(p, 1), 0);
		pair_assert_down(p, 1);
		/* and nobody is let in any more */
		ike_tunnel_start(p->side[1].engine, p->now, TUNNEL);
		pair_run(p, DUR_S(2));
		assert_true(ike_is_quiet(p->side[0].engine));
		pair_end(p);
	}
}

/* C-32, O10: a commit without a change sends nothing; names, lifetimes, DPD change without an SA's notice */
static void test_update(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_config c;
	unsigned seen;
	uint32_t spi;

	pair_init(p);
	pair_start(p);
	c = p->side[0].config;
	spi = pair_in_use(p, 0)->info.spi_in;
	seen = p->seen[0];
	assert_int_equal(ike_tunnel_update(p->side[0].engine, p->now, TUNNEL, &c, NULL), 0);
	strcpy(c.name, "renamed");
	c.esp_lifetime_s = 1200;
	c.dpd_interval_s = 20;
	assert_int_equal(ike_tunnel_update(p->side[0].engine, p->now, TUNNEL, &c, NULL), 0);
	pair_settle(p);
	assert_int_equal(p->seen[0], seen);
	assert_int_equal(pair_in_use(p, 0)->info.spi_in, spi);
	/* What the peer can notice begins anew. */
	c.ike_lifetime_s = 0;
	c.esp.encr[0] = ENCR_AES256GCM16;
	p->side[1].config.esp.encr[1] = ENCR_AES256GCM16;
	p->side[1].config.esp.encr_count = 2;
	assert_int_equal(
	    ike_tunnel_update(p->side[1].engine, p->now, TUNNEL, &p->side[1].config, NULL), 0);
	pair_settle(p);
	assert_int_equal(ike_tunnel_update(p->side[0].engine, p->now, TUNNEL, &c, NULL), 0);
	pair_run(p, DUR_S(15));
	pair_assert_up(p);
	assert_int_equal(pair_in_use(p, 0)->info.encr, ENCR_AES256GCM16);
	assert_int_equal(pair_children(p, 1), 1);
	assert_int_equal(ike_tunnel_update(p->side[0].engine, p->now, 99, &c, NULL), -ENOENT);
	c.psk_len = 0;
	assert_int_equal(ike_tunnel_update(p->side[0].engine, p->now, TUNNEL, &c, NULL), -EINVAL);
	pair_end(p);
}

static void test_remove(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	assert_int_equal(ike_tunnel_remove(p->side[0].engine, p->now, TUNNEL), 0);
	assert_int_equal(pair_children(p, 0), 0);
	assert_int_equal(ike_tunnel_remove(p->side[0].engine, p->now, TUNNEL), -ENOENT);
	/* The same number is free at once, while the old SA still waits for its answer. */
	p->side[0].state = IKE_TUNNEL_DOWN;
	assert_int_equal(
	    ike_tunnel_add(p->side[0].engine, p->now, TUNNEL, &p->side[0].config, NULL), 0);
	assert_int_equal(
	    ike_tunnel_add(p->side[0].engine, p->now, TUNNEL, &p->side[0].config, NULL), -EEXIST);
	pair_run(p, DUR_S(15));
	pair_assert_up(p);
	assert_int_equal(pair_count_sas(p, 1, NULL), 1);
	pair_end(p);
}

static void test_config_refused(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_config good, c;
	struct ip_prefix v6 = {.addr = ip_any(IP_V6)};
	const char *why = NULL;

	pair_init(p);
	p->cut = true;
	pair_start_side(p, 0);
	good = p->side[0].config;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		c = good;                                                                          \
		change;                                                                            \
		assert_int_equal(ike_tunnel_add(p->side[0].engine, p->now, 5, &c, &why), -EINVAL); \
		assert_non_null(why);                                                              \
	} while (0)
	REFUSED(c.psk = NULL);
	REFUSED(c.psk_len = IKE_PSK_MAX + 1);
	REFUSED(c.remote = ip_any(IP_V4));
	REFUSED(c.remote = ip_any(IP_V6));
	REFUSED(c.local = ip_any(IP_V4));
	REFUSED(c.local_id.type = IKE_ID_ANY);
	REFUSED(c.ike.encr[0] = ENCR_NULL);
	REFUSED(c.ike.encr[0] = ENCR_COUNT);
	REFUSED(c.ike.encr_count = 0);
	REFUSED(c.ike.auth_count = 0);
	REFUSED(c.ike.dh[0] = DH_NONE);
	REFUSED(c.ike.dh_count = 0);
	REFUSED(c.esp.encr_count = 0);
	REFUSED(c.esp.encr_count = IKE_ALGS_MAX + 1);
	REFUSED(c.esp.encr[0] = ENCR_AES128; c.esp.auth_count = 0);
	REFUSED(c.local_ts_count = 0);
	REFUSED(c.local_ts = &v6);
	REFUSED(c.version = (enum ike_version)7);
	c = good;
	c.esp.auth_count = 0; /* with an AEAD there is nothing to choose */
	assert_int_equal(ike_tunnel_add(p->side[0].engine, p->now, 5, &c, &why), 0);
	pair_settle(p);
	pair_end(p);
}

static void count_tunnels(void *arg, const struct ike_tunnel_info *info)
{
	unsigned *count = arg;

	(*count)++;
	assert_int_equal(info->tunnel, TUNNEL);
	assert_int_equal(info->state, IKE_TUNNEL_UP);
	assert_int_equal(info->established, 1);
	assert_string_equal(info->name, "a");
	assert_int_equal(info->retry_in_ns, -1);
}

static void test_show(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_info info;
	unsigned count = 0;

	pair_init(p);
	pair_start(p);
	ike_each_tunnel(p->side[0].engine, p->now, count_tunnels, &count);
	assert_int_equal(count, 1);
	assert_int_equal(ike_tunnel_get(p->side[0].engine, p->now, 42, &info), -ENOENT);
	assert_string_equal(ike_tunnel_state_name(IKE_TUNNEL_UP), "up");
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_on_demand),
	    cmocka_unit_test(test_on_demand_gives_up),
	    cmocka_unit_test(test_many_tunnels),
	    cmocka_unit_test(test_responder_waits),
	    cmocka_unit_test(test_peer_closes),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_stop_during_rekey),
	    cmocka_unit_test(test_unanswered_delete),
	    cmocka_unit_test(test_crossing_deletes),
	    cmocka_unit_test(test_delete_before_response),
	    cmocka_unit_test(test_shutdown),
	    cmocka_unit_test(test_update),
	    cmocka_unit_test(test_remove),
	    cmocka_unit_test(test_config_refused),
	    cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
