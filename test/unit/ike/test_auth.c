/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_AUTH: keys, identities, the first Child SA, INITIAL_CONTACT (V2-08, V2-09, V2-13, V2-14, V2-21, V2-27,
 * V2-32, V2-33, T20, T27).
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static struct pair pair;

static struct ike_id id_of(const char *text)
{
	struct ike_id id;

	assert_int_equal(ike_id_parse(text, &id), 0);
	return id;
}

static void test_wrong_psk(void **state)
{
	struct pair *p = &pair;
	unsigned i;

	pair_init(p);
	snprintf(p->side[0].psk, IKE_PSK_MAX, "the key of botH");
	pair_start(p);
	pair_assert_down(p, 0);
	pair_assert_down(p, 1);
	assert_true(pair_has_error(p, 1, IKE_ERROR_PSK_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].field, "psk");
	assert_string_equal(p->side[1].error[i].ours, ""); /* T12: never shown */
	assert_string_equal(p->side[1].error[i].theirs, "");
	assert_true(pair_has_error(p, 0, IKE_ERROR_AUTHENTICATION_FAILED, &i));
	assert_int_equal(ike_counters(p->side[1].engine)->auth_failed, 1);
	assert_int_equal(ike_counters(p->side[1].engine)->ike_established, 0);
	pair_end(p);
}

/* V2-09: the answer does not tell what was wrong */
static void test_no_oracle(void **state)
{
	struct pair *p = &pair;
	size_t psk_len, id_len, idr_len;

	pair_init(p);
	snprintf(p->side[0].psk, IKE_PSK_MAX, "another key");
	pair_start(p);
	psk_len = p->last[1].len;
	assert_int_equal(exchange_of(&p->last[1]), EXCHANGE_IKE_AUTH);
	pair_end(p);

	pair_init(p);
	p->side[0].config.local_id = id_of("who.example");
	pair_start(p);
	id_len = p->last[1].len;
	pair_end(p);

	pair_init(p);
	p->side[0].config.remote_id = id_of("whom.example");
	pair_start(p);
	idr_len = p->last[1].len;
	pair_end(p);
	assert_int_equal(psk_len, id_len);
	assert_int_equal(psk_len, idr_len);
}

/* T20, T27: which ID, and both values, on either side */
static void test_wrong_id(void **state)
{
	struct pair *p = &pair;
	unsigned i;

	pair_init(p);
	p->side[0].config.local_id = id_of("who.example");
	pair_start(p);
	pair_assert_down(p, 0);
	assert_true(pair_has_error(p, 1, IKE_ERROR_PEER_ID_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].field, "remote-id");
	assert_string_equal(p->side[1].error[i].ours, "198.51.100.1");
	assert_string_equal(p->side[1].error[i].theirs, "who.example");
	pair_end(p);

	/* We expect another name of the peer: it refuses at first, and tells its name at the next attempt. */
	pair_init(p);
	p->side[0].config.remote_id = id_of("whom.example");
	pair_start(p);
	assert_true(pair_has_error(p, 1, IKE_ERROR_PEER_ID_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].field, "local-id");
	assert_string_equal(p->side[1].error[i].ours, "198.51.100.2");
	assert_string_equal(p->side[1].error[i].theirs, "whom.example");
	pair_run(p, DUR_S(3));
	assert_true(pair_has_error(p, 0, IKE_ERROR_PEER_ID_MISMATCH, &i));
	assert_string_equal(p->side[0].error[i].field, "remote-id");
	assert_string_equal(p->side[0].error[i].ours, "whom.example");
	assert_string_equal(p->side[0].error[i].theirs, "198.51.100.2");
	pair_assert_down(p, 0);
	pair_assert_down(p, 1);
	/* The peer was told: nothing of it is left there. */
	assert_int_equal(pair_count_sas(p, 1, "established"), 0);
	pair_end(p);
}

/* V2-33 */
static void test_id_types(void **state)
{
	static const char *const ids[] = {
	    "gw.example", "ops@gw.example", "keyid:site 7", "2001:db8::7", "203.0.113.200"};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		pair_init(p);
		p->side[0].config.local_id = p->side[1].config.remote_id = id_of(ids[i]);
		p->side[1].config.local_id = p->side[0].config.remote_id = id_of(ids[(i + 1) % 5]);
		pair_start(p);
		pair_assert_up(p);
		pair_end(p);
	}
}

/* A21: any address, found by its ID among others that wait for any address as well */
static void test_unknown_address(void **state)
{
	struct pair *p = &pair;
	struct ike_tunnel_config other;

	pair_init(p);
	p->side[0].config.local_id = p->side[1].config.remote_id = id_of("roaming.example");
	p->side[1].config.remote = ip_any(IP_V4);
	pair_start_side(p, 1);
	other = p->side[1].config;
	other.remote_id = id_of("another.example");
	other.psk = (const uint8_t *)"another key";
	other.psk_len = 11;
	assert_int_equal(ike_tunnel_add(p->side[1].engine, p->now, 0, &other, NULL), 0);
	pair_start_side(p, 0);
	pair_settle(p);
	pair_assert_up(p);
	assert_int_equal(ike_tunnel_start(p->side[1].engine, p->now, TUNNEL), -EADDRNOTAVAIL);
	pair_end(p);
}

static bool duplicate_auth(struct pair *p, struct datagram *d)
{
	if (d->from == 0 && exchange_of(d) == EXCHANGE_IKE_AUTH && p->count < 5) {
		p->count++;
		p->queue[(p->head + p->queued++) % 64] = *d;
	}
	return true;
}

/* V2-01, V2-27: the same request again gets the same bytes; it is not served again */
static void test_repeated_auth(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->filter = duplicate_auth;
	pair_start(p);
	pair_assert_up(p);
	assert_int_equal(ike_counters(p->side[1].engine)->ike_established, 1);
	assert_true(ike_counters(p->side[1].engine)->replays_answered == 5);
	assert_int_equal(pair_children(p, 1), 1);
	p->filter = NULL;
	pair_end(p);
}

/* A second IKE_AUTH with the next message ID, under the right keys */
static void test_second_auth(void **state)
{
	struct pair *p = &pair;
	uint8_t mem[512];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	uint64_t unexpected;

	pair_init(p);
	pair_start(p);
	unexpected = ike_counters(p->side[1].engine)->unexpected;
	ike_chain_put(&c, PAYLOAD_IDI, "\1\0\0\0\1\2\3\4", 8);
	pair_send_request(p, 0, EXCHANGE_IKE_AUTH, &c);
	assert_int_equal(ike_counters(p->side[1].engine)->unexpected, unexpected + 1);
	assert_int_equal(p->seen[1], 2);
	pair_end(p);
}

/* V2-14, V2-13: the IKE SA stays, and a Child SA that fits comes up on it */
static void test_child_fails(void **state)
{
	struct pair *p = &pair;
	struct ip_prefix net;
	unsigned i;

	pair_init(p);
	ip_prefix_parse("10.0.0.0/8", &net);
	p->side[0].local_ts[0] = net;
	ip_prefix_parse("172.16.0.0/12", &net);
	p->side[1].remote_ts[0] = net;
	pair_start(p);
	assert_int_equal(pair_count_sas(p, 0, "established"), 1);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	assert_int_equal(pair_children(p, 0), 0);
	assert_true(pair_has_error(p, 1, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].ours, "0.0.0.0/0 === 172.16.0.0/12");
	assert_string_equal(p->side[1].error[i].theirs, "0.0.0.0/0 === 10.0.0.0/8");
	assert_true(pair_has_error(p, 0, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, &i));
	pair_run(p, DUR_S(30)); /* it is tried again, with pauses */
	assert_in_range(p->seen[0], 4, 10);
	assert_int_equal(ike_counters(p->side[0].engine)->ike_established, 1);
	pair_end(p);
}

static void test_child_proposal_fails(void **state)
{
	struct pair *p = &pair;
	unsigned i;

	pair_init(p);
	p->side[0].config.esp.encr[0] = ENCR_AES256;
	pair_start(p);
	assert_int_equal(pair_count_sas(p, 0, "established"), 1);
	assert_true(pair_has_error(p, 1, IKE_ERROR_ENCRYPTION_ALGORITHM_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].field, "ipsec.encryption");
	assert_true(pair_has_error(p, 0, IKE_ERROR_PROPOSAL_MISMATCH, &i));
	assert_string_equal(
	    p->side[0].error[i].field, "ipsec.encryption, ipsec.authentication, ipsec.esn");
	pair_end(p);
}

/* The data path of one side has no room: no SA on the other side either */
static void test_child_not_installed(void **state)
{
	struct pair *p = &pair;

	for (unsigned side = 0; side < 2; side++) {
		pair_init(p);
		p->side[side].refuse_child = true;
		pair_start(p);
		assert_int_equal(pair_count_sas(p, 0, "established"), 1);
		assert_int_equal(pair_children(p, 0), 0);
		assert_int_equal(pair_children(p, 1), 0);
		assert_true(pair_has_error(p, side, IKE_ERROR_INSTALL_FAILED, NULL));
		p->side[side].refuse_child = false;
		pair_run(p, DUR_S(8));
		pair_assert_up(p);
		pair_end(p);
	}
}

/* T9: the lists of both sides, of which one is wider */
static void test_narrowing(void **state)
{
	struct pair *p = &pair;
	const struct ike_child *a, *b;
	struct pair_child *used;

	pair_init(p);
	ip_prefix_parse("10.1.0.0/16", &p->side[1].remote_ts[0]);
	ip_prefix_parse("10.7.0.0/24", &p->side[1].remote_ts[1]);
	p->side[1].config.remote_ts_count = 2;
	pair_start(p);
	pair_assert_up(p);
	used = pair_in_use(p, 0);
	a = &used->info;
	b = &pair_in_use(p, 1)->info;
	assert_int_equal(a->local_ts_count, 2);
	assert_int_equal(b->remote_ts_count, 2);
	assert_int_equal(ip_v4_host(&used->local_ts[0].addr.first), 0x0a010000);
	assert_int_equal(ip_v4_host(&used->local_ts[0].addr.last), 0x0a01ffff);
	assert_int_equal(ip_v4_host(&used->local_ts[1].addr.last), 0x0a0700ff);
	assert_int_equal(ip_v4_host(&used->remote_ts[0].addr.last), 0xffffffff);
	pair_end(p);
}

/* Both families: a Child SA for each */
static void test_two_families(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].local_ts[1] = p->side[i].remote_ts[1] =
		    (struct ip_prefix){.addr = ip_any(IP_V6)};
		p->side[i].config.local_ts_count = p->side[i].config.remote_ts_count = 2;
	}
	pair_start(p);
	pair_run(p, DUR_S(1));
	assert_int_equal(pair_children(p, 0), 2);
	assert_int_equal(pair_children(p, 1), 2);
	assert_int_equal(pair_count_sas(p, 0, NULL), 1);
	pair_end(p);
}

/* V2-30 */
static void test_esn(void **state)
{
	static const struct {
		enum ike_esn a, b;
		int result; /* -1: no Child SA */
	} cases[] = {
	    {IKE_ESN_NO, IKE_ESN_NO, 0},
	    {IKE_ESN_NO, IKE_ESN_BOTH, 0},
	    {IKE_ESN_NO, IKE_ESN_YES, -1},
	    {IKE_ESN_BOTH, IKE_ESN_NO, 0},
	    {IKE_ESN_BOTH, IKE_ESN_BOTH, 0},
	    {IKE_ESN_BOTH, IKE_ESN_YES, 1},
	    {IKE_ESN_YES, IKE_ESN_NO, -1},
	    {IKE_ESN_YES, IKE_ESN_BOTH, 1},
	    {IKE_ESN_YES, IKE_ESN_YES, 1},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < 9; i++) {
		pair_init(p);
		p->side[0].config.esn = cases[i].a;
		p->side[1].config.esn = cases[i].b;
		pair_start(p);
		if (cases[i].result < 0) {
			assert_int_equal(pair_children(p, 0), 0);
			assert_true(pair_has_error(p, 1, IKE_ERROR_ESN_MISMATCH, NULL));
		} else {
			pair_assert_up(p);
			assert_int_equal(pair_in_use(p, 0)->info.esn, cases[i].result);
		}
		pair_end(p);
	}
}

/* V2-21, C-03: after a restart of the peer one IKE SA and one Child SA, at once */
static void test_initial_contact(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	pair_run(p, DUR_S(2));
	pair_kill_side(p, 0);
	pair_start_side(p, 0);
	pair_settle(p);
	pair_assert_up(p);
	assert_int_equal(pair_count_sas(p, 1, NULL), 1);
	assert_int_equal(pair_children(p, 1), 1);
	pair_end(p);
}

/* Both begin at once: one IKE SA stays, the same on both sides, whoever is heard first */
static void test_both_begin(void **state)
{
	struct pair *p = &pair;

	for (unsigned seed = 0; seed < 32; seed++) {
		pair_init(p);
		rng_init_seeded(&p->side[0].rng, seed);
		rng_init_seeded(&p->side[1].rng, seed + 1000);
		p->side[1].config.start = IKE_START_NOW;
		pair_start_side(p, 1);
		pair_start_side(p, 0);
		pair_run(p, DUR_S(20));
		pair_assert_up(p);
		assert_int_equal(pair_count_sas(p, 0, NULL), 1);
		assert_int_equal(pair_count_sas(p, 1, NULL), 1);
		assert_int_equal(pair_sa(p, 0)->spi_i, pair_sa(p, 1)->spi_i);
		assert_int_equal(pair_children(p, 0), 1);
		assert_int_equal(pair_children(p, 1), 1);
		pair_end(p);
	}
}

/* V2-32: a peer that wants no Child SA yet */
static void test_childless(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	p->side[0].next_spi = 0; /* no SPI: IKE_AUTH goes without SA and TS */
	pair_settle(p);
	assert_int_equal(pair_count_sas(p, 0, "established"), 1);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	assert_int_equal(pair_children(p, 1), 0);
	p->side[0].next_spi = 0x5000;
	pair_run(p, DUR_S(3));
	pair_assert_up(p);
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrong_psk),
	    cmocka_unit_test(test_no_oracle),
	    cmocka_unit_test(test_wrong_id),
	    cmocka_unit_test(test_id_types),
	    cmocka_unit_test(test_unknown_address),
	    cmocka_unit_test(test_repeated_auth),
	    cmocka_unit_test(test_second_auth),
	    cmocka_unit_test(test_child_fails),
	    cmocka_unit_test(test_child_proposal_fails),
	    cmocka_unit_test(test_child_not_installed),
	    cmocka_unit_test(test_narrowing),
	    cmocka_unit_test(test_two_families),
	    cmocka_unit_test(test_esn),
	    cmocka_unit_test(test_initial_contact),
	    cmocka_unit_test(test_both_begin),
	    cmocka_unit_test(test_childless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
