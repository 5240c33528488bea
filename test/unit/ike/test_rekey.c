/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Rekeys of Child and IKE SAs, at one end and at both (V2-15 - V2-18, V2-31, T18, T19).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/child.h"
#include "pair.h"

static struct pair pair;

static void rekey(struct pair *p, unsigned side, bool ike_sa)
{
	assert_int_equal(ike_tunnel_rekey(p->side[side].engine, p->now, TUNNEL, ike_sa), 0);
}

/* One IKE SA and one Child SA, alike on both sides, once late packets have been waited for. */
static void assert_single(struct pair *p)
{
	pair_run(p, DUR_S(15));
	pair_assert_up(p);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pair_children(p, i), 1);
		assert_int_equal(pair_count_sas(p, i, NULL), 1);
	}
	assert_int_equal(pair_sa(p, 0)->spi_i, pair_sa(p, 1)->spi_i);
	assert_int_equal(pair_sa(p, 0)->spi_r, pair_sa(p, 1)->spi_r);
}

/* Both sides can always send on what they use to something that the other one receives on. */
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

/* A first packet came in on the newest Child SA of that side. */
static void use_newest(struct pair *p, unsigned side)
{
	struct pair_child *newest = NULL;

	for (unsigned k = 0; k < CHILDREN_MAX; k++) {
		struct pair_child *c = &p->side[side].child[k];

		if (c->in && !c->out && (!newest || c->info.spi_in > newest->info.spi_in))
			newest = c;
	}
	assert_non_null(newest);
	ike_child_used(p->side[side].engine, p->now, TUNNEL, newest->info.spi_in);
}

/* V2-15 */
static void test_child(void **state)
{
	struct pair *p = &pair;
	struct ike_child before;

	for (unsigned side = 0; side < 2; side++) {
		for (unsigned pfs = 0; pfs < 2; pfs++) {
			pair_init(p);
			if (pfs)
				p->side[0].config.esp.dh[0] = p->side[1].config.esp.dh[0] = DH_31;
			pair_start(p);
			before = pair_in_use(p, 0)->info;
			p->filter = watch_traffic;
			rekey(p, side, false);
			pair_settle(p);
			pair_assert_up(p);
			/* both receive on the new one; what leaves stays on the old one for a moment */
			assert_int_equal(pair_children(p, 0), 2);
			assert_int_equal(pair_children(p, 1), 2);
			assert_int_equal(pair_in_use(p, 0)->info.spi_in, before.spi_in);
			/* a sign of life on it tells the one who began nothing (some peers send early) */
			use_newest(p, side);
			pair_settle(p);
			assert_int_equal(pair_in_use(p, 0)->info.spi_in, before.spi_in);
			pair_run(p, DUR_MS(1100));
			pair_assert_up(p);
			assert_int_not_equal(pair_in_use(p, 0)->info.spi_in, before.spi_in);
			assert_memory_not_equal(
			    pair_in_use(p, 0)->info.encr_key_in, before.encr_key_in, 16);
			assert_int_equal(pair_in_use(p, 0)->info.dh, pfs ? DH_31 : DH_NONE);
			/* late packets are still taken */
			assert_int_equal(pair_children(p, 0), 2);
			assert_int_equal(pair_children(p, 1), 2);
			pair_run(p, DUR_S(5));
			assert_int_equal(pair_children(p, 0), 2);
			assert_single(p);
			pair_end(p);
		}
	}
}

/* libreswan, which rekeys, sends on the new one some milliseconds before it can receive there. */
static void test_peer_sends_early(void **state)
{
	struct pair *p = &pair;
	uint32_t before;

	for (unsigned side = 0; side < 2; side++) {
		pair_init(p);
		pair_start(p);
		before = pair_in_use(p, !side)->info.spi_out;
		p->filter = watch_traffic;
		rekey(p, side, false);
		pair_settle(p);
		use_newest(p, !side);
		pair_settle(p);
		assert_int_equal(pair_in_use(p, !side)->info.spi_out, before);
		pair_run(p, DUR_MS(100));
		assert_int_equal(pair_in_use(p, !side)->info.spi_out, before);
		pair_run(p, DUR_MS(150)); /* before the other end deletes the old one */
		assert_int_not_equal(pair_in_use(p, !side)->info.spi_out, before);
		pair_run(p, DUR_S(2));
		pair_assert_up(p);
		assert_single(p);
		pair_end(p);
	}
}

/* V2-16, V2-04 */
static void test_ike(void **state)
{
	struct pair *p = &pair;
	uint64_t spi;

	for (unsigned side = 0; side < 2; side++) {
		pair_init(p);
		pair_start(p);
		p->filter = watch_traffic;
		spi = pair_sa(p, 0)->spi_i;
		rekey(p, side, true);
		pair_settle(p);
		assert_single(p);
		assert_true(pair_sa(p, 0)->spi_i != spi);
		assert_int_equal(pair_sa(p, 0)->initiator, side == 0);
		/* and the new one works */
		for (unsigned i = 0; i < 2; i++) {
			rekey(p, i, false);
			pair_settle(p);
			rekey(p, i, true);
			pair_settle(p);
		}
		assert_single(p);
		pair_end(p);
	}
}

static unsigned lost_number;

static bool lose_one(struct pair *p, struct datagram *d)
{
	watch_traffic(p, d);
	return p->count++ != lost_number;
}

/* V2-17, C-05: both ends at once, each kind against each, every message lost once */
static void test_simultaneous(void **state)
{
	struct pair *p = &pair;
	unsigned runs = 0;

	for (unsigned kinds = 0; kinds < 4; kinds++) {
		for (lost_number = 0; lost_number < 14; lost_number++) {
			for (unsigned seed = 0; seed < 8; seed++) {
				pair_init(p);
				p->side[0].config.esp.dh[0] = p->side[1].config.esp.dh[0] =
				    seed & 1 ? DH_31 : DH_NONE;
				pair_start(p);
				rng_init_seeded(&p->side[0].rng, seed);
				rng_init_seeded(&p->side[1].rng, 50 + seed);
				p->count = 0;
				p->filter = lose_one;
				rekey(p, 0, kinds & 1);
				rekey(p, 1, kinds & 2);
				pair_settle(p);
				pair_run(p, DUR_S(20));
				assert_single(p);
				pair_end(p);
				runs++;
			}
		}
	}
	assert_int_equal(runs, 4 * 14 * 8);
}

/* A's requests on the IKE SA being replaced, and the delete of it, are lost. */
static uint64_t old_spi_i;

static bool lose_on_old(struct pair *p, struct datagram *d)
{
	struct ike_header h;

	assert_int_equal(ike_header_parse(d->bytes, d->len, &h), 0);
	if (h.spi_i != old_spi_i || is_response(d))
		return true;
	return d->from == 1 && exchange_of(d) == EXCHANGE_CREATE_CHILD_SA;
}

/*
 * Both rekey the IKE SA. B knows nothing of A's rekey, and goes on with the IKE SA that its own made: so A takes
 * that for the heir as soon as it hears of it, with all its Child SAs.
 */
static void test_heir_is_at_work(void **state)
{
	struct pair *p = &pair;
	struct ike_child before;

	pair_init(p);
	pair_start(p);
	before = pair_in_use(p, 0)->info;
	old_spi_i = pair_sa(p, 0)->spi_i;
	p->filter = lose_on_old;
	rekey(p, 0, true);
	rekey(p, 1, true);
	pair_settle(p);
	assert_int_equal(pair_count_sas(p, 0, "rekey-pending"), 1);
	rekey(p, 1, false);
	pair_settle(p);
	pair_run(p, DUR_S(1));
	pair_assert_up(p);
	assert_int_not_equal(pair_in_use(p, 1)->info.spi_in, before.spi_out);
	assert_int_equal(pair_count_sas(p, 0, "rekey-pending"), 0);
	p->filter = NULL;
	assert_single(p);
	pair_end(p);
}

/* T19: at the soft limit, before the hard one, by itself, for days */
static void test_lifetimes(void **state)
{
	struct pair *p = &pair;
	uint64_t before;

	pair_init(p);
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].config.ike_lifetime_s = 300;
		p->side[i].config.esp_lifetime_s = 120;
	}
	pair_start(p);
	p->filter = watch_traffic;
	pair_run(p, DUR_S(89));
	assert_int_equal(ike_counters(p->side[0].engine)->child_established, 1);
	pair_run(p, DUR_S(22));
	assert_int_equal(ike_counters(p->side[0].engine)->child_established, 2);
	before = ike_counters(p->side[0].engine)->child_established;
	pair_run(p, DUR_S(2 * 86400));
	pair_assert_up(p);
	assert_true(ike_counters(p->side[0].engine)->child_established > before + 1500);
	assert_int_equal(ike_counters(p->side[0].engine)->ike_established, 1); /* IKE_AUTH once */
	assert_int_equal(p->side[0].errors, 0);
	assert_int_equal(p->side[1].errors, 0);
	p->filter = NULL;
	pair_end(p);
}

static int64_t soft_limits[200];
static unsigned soft_count;

static void note_rekey(void *arg, const struct ike_child_info *info)
{
	soft_limits[soft_count++] = info->rekey_in_ns;
	assert_int_equal(info->expire_in_ns, DUR_S(1000));
}

/* V2-31: spread over 10 % of the lifetime and more */
static void test_jitter(void **state)
{
	struct pair *p = &pair;
	int64_t first = INT64_MAX, last = 0;

	soft_count = 0;
	for (unsigned i = 0; i < 100; i++) {
		pair_init(p);
		rng_init_seeded(&p->side[0].rng, i);
		p->side[0].config.esp_lifetime_s = 1000;
		pair_start(p);
		ike_tunnel_each_child(p->side[0].engine, p->now, TUNNEL, note_rekey, NULL);
		pair_end(p);
	}
	for (unsigned i = 0; i < soft_count; i++) {
		first = soft_limits[i] < first ? soft_limits[i] : first;
		last = soft_limits[i] > last ? soft_limits[i] : last;
	}
	assert_true(first >= DUR_S(750) && last <= DUR_S(900));
	assert_true(last - first > DUR_S(100));
}

/* Message IDs never wrap: the IKE SA is replaced long before. */
static void test_message_ids_do_not_wrap(void **state)
{
	struct pair *p = &pair;
	uint64_t spi;

	pair_init(p);
	pair_start(p);
	spi = pair_sa(p, 0)->spi_i;
	pair_sa(p, 0)->window.next_id = pair_sa(p, 1)->window.expected_id = 0x7ffffffe;
	pair_run(p, DUR_S(120));
	assert_true(pair_sa(p, 0)->spi_i != spi);
	assert_true(pair_sa(p, 0)->window.next_id < 100);
	assert_single(p);
	pair_end(p);
}

/* X6: no rekey of our own */
static void test_lifetime_zero(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	for (unsigned i = 0; i < 2; i++)
		p->side[i].config.ike_lifetime_s = p->side[i].config.esp_lifetime_s = 0;
	pair_start(p);
	pair_run(p, DUR_S(7 * 86400));
	assert_int_equal(ike_counters(p->side[0].engine)->child_established, 1);
	pair_assert_up(p);
	/* the peer may, and a limit of bytes or packets does */
	ike_child_limit(p->side[1].engine, p->now, TUNNEL, pair_in_use(p, 1)->info.spi_in, false);
	pair_settle(p);
	assert_int_equal(ike_counters(p->side[0].engine)->child_established, 2);
	assert_single(p);
	pair_end(p);
}

/* A hard limit of bytes: out of use at once, deleted, made anew */
static void test_hard_limit(void **state)
{
	struct pair *p = &pair;
	uint32_t spi;

	pair_init(p);
	pair_start(p);
	spi = pair_in_use(p, 0)->info.spi_in;
	p->cut = true;
	ike_child_limit(p->side[0].engine, p->now, TUNNEL, spi, true);
	assert_null(pair_in_use(p, 0));
	pair_settle(p);
	p->cut = false;
	pair_run(p, DUR_S(3));
	assert_single(p);
	assert_int_not_equal(pair_in_use(p, 0)->info.spi_in, spi);
	pair_end(p);
}

/* T27: PFS that only one side wants shows at the first rekey; the SA lives on to its end */
static void test_pfs_mismatch(void **state)
{
	struct pair *p = &pair;
	unsigned i;

	for (unsigned side = 0; side < 2; side++) {
		pair_init(p);
		p->side[0].config.esp.dh[0] = DH_31;
		pair_start(p);
		pair_assert_up(p);
		rekey(p, side, false);
		pair_settle(p);
		pair_assert_up(p);
		assert_true(pair_has_error(p, !side, IKE_ERROR_PFS_MISMATCH, &i));
		assert_string_equal(p->side[!side].error[i].field, "ipsec.dh-group");
		assert_string_equal(p->side[!side].error[i].ours, side ? "group31" : "disabled");
		assert_string_equal(p->side[!side].error[i].theirs, side ? "disabled" : "group31");
		assert_true(pair_has_error(p, side, IKE_ERROR_PFS_MISMATCH, NULL));
		pair_end(p);
	}
}

/* Another group of the list, asked for by INVALID_KE_PAYLOAD */
static void test_pfs_other_group(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[0].config.esp.dh[0] = DH_19;
	p->side[0].config.esp.dh[1] = DH_31;
	p->side[0].config.esp.dh_count = 2;
	p->side[1].config.esp.dh[0] = DH_31;
	pair_start(p);
	rekey(p, 0, false);
	pair_run(p, DUR_S(2));
	assert_int_equal(pair_in_use(p, 0)->info.dh, DH_31);
	assert_single(p);
	pair_end(p);

	/* one offers no PFS as well, the other has nothing else */
	pair_init(p);
	p->side[0].config.esp.dh[0] = DH_31;
	p->side[0].config.esp.dh[1] = DH_NONE;
	p->side[0].config.esp.dh_count = 2;
	pair_start(p);
	rekey(p, 0, false);
	pair_settle(p);
	assert_int_equal(pair_in_use(p, 0)->info.dh, DH_NONE);
	assert_int_equal(p->side[0].errors, 0);
	assert_single(p);
	pair_end(p);
}

static uint16_t notify_of_last(struct pair *p, unsigned side)
{
	static uint8_t buffer[4096];
	struct ike_payloads payloads;
	struct ike_notify n;

	assert_true(pair_open_last(p, side, buffer, &payloads));
	return ike_notify_error(&payloads, &n) ? n.type : 0;
}

/* V2-18: while something else goes on */
static void test_temporary_failure(void **state)
{
	struct pair *p = &pair;
	struct datagram request;

	/* A Child SA rekey while the IKE SA's own is under way. */
	pair_init(p);
	pair_start(p);
	p->cut = true;
	rekey(p, 0, true);
	pair_settle(p);
	rekey(p, 1, false);
	request = p->last[1];
	pair_settle(p);
	pair_inject(p, 0, request.bytes, request.len);
	assert_int_equal(notify_of_last(p, 0), NOTIFY_TEMPORARY_FAILURE);
	p->cut = false;
	pair_run(p, DUR_S(10));
	assert_single(p);
	pair_end(p);

	/* The other way round. */
	pair_init(p);
	pair_start(p);
	p->cut = true;
	rekey(p, 0, false);
	pair_settle(p);
	rekey(p, 1, true);
	request = p->last[1];
	pair_settle(p);
	pair_inject(p, 0, request.bytes, request.len);
	assert_int_equal(notify_of_last(p, 0), NOTIFY_TEMPORARY_FAILURE);
	p->cut = false;
	pair_run(p, DUR_S(10));
	assert_single(p);
	pair_end(p);
}

/* I18, V2-18: rekeys of what is not there */
static void test_rekey_of_nothing(void **state)
{
	static const struct {
		uint8_t protocol, spi_len;
		uint32_t spi; /* 0: the right one */
	} cases[] = {{3, 4, 0xdeadbeef}, {0, 4, 0}, {1, 4, 0}, {2, 4, 0}, {4, 4, 0}, {3, 3, 0},
	    {3, 0, 0}, {3, 5, 0}};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t mem[1024], spi[8] = {0}, nonce[32] = {1};
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));
		struct ike_policy policy;
		struct ike_sa *sa;
		struct wirebuf b = wirebuf_of(spi, 4);

		pair_init(p);
		pair_start(p);
		sa = pair_sa(p, 0);
		wirebuf_u32(&b, cases[i].spi ? cases[i].spi : pair_in_use(p, 0)->info.spi_in);
		ike_chain_begin(&c, PAYLOAD_NOTIFY);
		wirebuf_u8(&c.buf, cases[i].protocol);
		wirebuf_u8(&c.buf, cases[i].spi_len);
		wirebuf_u16(&c.buf, NOTIFY_REKEY_SA);
		wirebuf_put(&c.buf, spi, cases[i].spi_len);
		ike_chain_end(&c);
		policy = ike_tunnel_esp_policy(sa->tunnel, false);
		ike_policy_put(&c, &policy, (const uint8_t *)"\1\2\3\4", 4);
		ike_chain_put(&c, PAYLOAD_NONCE, nonce, 32);
		ike_ts_put(&c, PAYLOAD_TSI, sa->tunnel->slots[0].local_ts, 1);
		ike_ts_put(&c, PAYLOAD_TSR, sa->tunnel->slots[0].remote_ts, 1);
		pair_send_request(p, 0, EXCHANGE_CREATE_CHILD_SA, &c);
		assert_int_equal(notify_of_last(p, 1), NOTIFY_CHILD_SA_NOT_FOUND);
		assert_int_equal(pair_children(p, 1), 1);
		p->queued = 0;
		pair_end(p);
	}
}

/* The peer lost the Child SA: it is made anew (2.25.1) */
static void test_child_not_found(void **state)
{
	struct pair *p = &pair;
	uint32_t old;

	pair_init(p);
	pair_start(p);
	old = pair_in_use(p, 0)->info.spi_in;
	pair_in_use(p, 1)->info.spi_out = 0; /* the books of the test do not matter */
	ike_child_kill(ike_child_find_out(pair_sa(p, 1), old));
	ike_engine_settle(p->side[1].engine);
	rekey(p, 0, false);
	pair_settle(p);
	pair_run(p, DUR_S(3));
	assert_single(p);
	assert_int_not_equal(pair_in_use(p, 0)->info.spi_in, old);
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_child),
	    cmocka_unit_test(test_peer_sends_early),
	    cmocka_unit_test(test_ike),
	    cmocka_unit_test(test_simultaneous),
	    cmocka_unit_test(test_heir_is_at_work),
	    cmocka_unit_test(test_lifetimes),
	    cmocka_unit_test(test_jitter),
	    cmocka_unit_test(test_message_ids_do_not_wrap),
	    cmocka_unit_test(test_lifetime_zero),
	    cmocka_unit_test(test_hard_limit),
	    cmocka_unit_test(test_pfs_mismatch),
	    cmocka_unit_test(test_pfs_other_group),
	    cmocka_unit_test(test_temporary_failure),
	    cmocka_unit_test(test_rekey_of_nothing),
	    cmocka_unit_test(test_child_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
