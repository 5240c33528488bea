/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_SA_INIT as both ends make it: message by message, algorithms, cookies, groups, what each says when they do not agree,
 * and no forged answer that ends an attempt (V2-04 - V2-06, V2-10, I10, I12, T27). test_init_strangers.c: what else comes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static struct pair pair;

static void test_four_messages(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	pair_start(p);
	assert_int_equal(p->seen[0], 2);
	assert_int_equal(p->seen[1], 2);
	pair_assert_up(p);
	assert_int_equal(pair_children(p, 0), 1);
	assert_int_equal(pair_children(p, 1), 1);
	assert_int_equal(pair_count_sas(p, 0, NULL), 1);
	assert_int_equal(pair_count_sas(p, 1, NULL), 1);
	assert_int_equal(p->side[0].errors, 0);
	assert_int_equal(p->side[1].errors, 0);
	assert_false(pair_in_use(p, 0)->info.udp_encap);
	assert_int_equal(pair_in_use(p, 0)->info.remote.port, IKE_PORT);
	assert_int_equal(ike_counters(p->side[0].engine)->dh_computed, 2);
	assert_int_equal(ike_counters(p->side[1].engine)->dh_computed, 2);
	pair_end(p);
}

/* Every cipher, hash and group as the one choice of both sides. */
static void test_every_algorithm(void **state)
{
	struct pair *p = &pair;

	for (enum alg_encr e = ENCR_DES; e < ENCR_NULL; e++) {
		for (enum alg_auth a = AUTH_MD5; a < AUTH_COUNT; a++) {
			pair_init(p);
			for (unsigned i = 0; i < 2; i++) {
				struct ike_tunnel_config *c = &p->side[i].config;

				c->ike.encr[0] = c->esp.encr[0] = (uint8_t)e;
				c->ike.auth[0] = c->esp.auth[0] = (uint8_t)a;
			}
			pair_start(p);
			pair_assert_up(p);
			assert_int_equal(pair_in_use(p, 0)->info.encr, e);
			assert_int_equal(
			    pair_in_use(p, 0)->info.auth, alg_is_aead(e) ? AUTH_NONE : a);
			pair_end(p);
		}
	}
	for (enum alg_dh g = DH_1; g < DH_COUNT; g++) {
		pair_init(p);
		p->side[0].config.ike.dh[0] = p->side[1].config.ike.dh[0] = (uint8_t)g;
		pair_start(p);
		pair_assert_up(p);
		pair_end(p);
	}
}

static bool has_cookie(const struct datagram *d)
{
	struct ike_payloads payloads;
	struct ike_header h;
	struct ike_notify n;

	assert_int_equal(ike_header_parse(d->bytes, d->len, &h), 0);
	assert_int_equal(
	    ike_payloads_parse(wire_of(d->bytes + 28, d->len - 28), h.next_payload, &payloads), 0);
	return ike_notify_find(&payloads, NOTIFY_COOKIE, &n);
}

static bool watch_cookie(struct pair *p, struct datagram *d)
{
	if (exchange_of(d) == EXCHANGE_IKE_SA_INIT) {
		assert_int_equal(message_id_of(d), 0); /* V2-04 */
		if (d->from == 0 && has_cookie(d)) {
			p->count++;
			assert_int_equal(d->bytes[16], PAYLOAD_NOTIFY); /* it comes first */
		}
		if (d->from == 1 && has_cookie(d)) { /* stateless */
			uint32_t half_open, sas;

			ike_load(p->side[1].engine, &half_open, &sas);
			assert_int_equal(sas, 0);
			assert_int_equal(ike_counters(p->side[1].engine)->dh_computed, 0);
		}
	}
	return true;
}

static void test_cookie(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[1].limits.cookie_threshold = 0;
	p->filter = watch_cookie;
	pair_start(p);
	pair_assert_up(p);
	assert_int_equal(p->count, 1);
	assert_int_equal(ike_counters(p->side[1].engine)->cookies_sent, 1);
	pair_end(p);
}

/* What side 0 sent first, as another initiator at its address would. */
static void inject_stranger(struct pair *p, const struct datagram *first)
{
	struct datagram d = *first;

	d.bytes[0] ^= 1; /* SPI */
	pair_inject(p, 1, d.bytes, d.len);
}

/* A copy of the first request comes late, when there would be room without cookies again: it gets no other answer than the
 * first one did, or the initiator would sign a request that the responder does not know. */
static void test_cookies_do_not_end_at_once(void **state)
{
	struct pair *p = &pair;
	struct datagram first, cookie;
	uint32_t half_open, sas;

	pair_init(p);
	p->side[1].limits.cookie_threshold = 1;
	p->side[1].limits.half_open_s = 1;
	p->cut = true;
	pair_start(p);
	first = p->last[0];
	inject_stranger(p, &first);
	pair_inject(p, 1, first.bytes, first.len);
	cookie = p->last[1];
	assert_true(has_cookie(&cookie));
	pair_run(p, DUR_MS(1500));
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(half_open, 0);
	pair_inject(p, 1, first.bytes, first.len);
	assert_true(has_cookie(&p->last[1]));
	p->cut = false;
	pair_inject(p, 0, cookie.bytes, cookie.len);
	pair_settle(p);
	pair_assert_up(p);
	assert_int_equal(p->side[0].errors + p->side[1].errors, 0);
	pair_run(p, DUR_S(11));
	inject_stranger(p, &first);
	assert_false(has_cookie(&p->last[1]));
	pair_end(p);
}

/* V2-06: a cookie, then another group with the same cookie */
static void test_cookie_and_group(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->side[1].limits.cookie_threshold = 0;
	p->side[0].config.ike.dh[0] = DH_19;
	p->side[0].config.ike.dh[1] = DH_31;
	p->side[0].config.ike.dh_count = 2;
	p->filter = watch_cookie;
	pair_start(p);
	pair_assert_up(p);
	assert_int_equal(p->count, 2);
	pair_end(p);
}

static void test_other_group(void **state)
{
	struct pair *p = &pair;
	unsigned before;

	pair_init(p);
	p->side[0].config.ike.dh[0] = DH_2;
	p->side[0].config.ike.dh[1] = DH_31;
	p->side[0].config.ike.dh_count = 2;
	pair_start(p);
	pair_assert_up(p);
	before = p->seen[0];
	assert_int_equal(before, 3);
	assert_int_equal(p->side[0].errors, 0);
	pair_end(p);
}

/* A response to the initiator's IKE_SA_INIT with nothing but a notify, from nowhere. */
static void forge_notify(struct pair *p, uint16_t type, const void *data, size_t len)
{
	uint8_t mem[256];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_packet *packet;
	struct ike_header h;

	assert_int_equal(ike_header_parse(p->last[0].bytes, p->last[0].len, &h), 0);
	ike_chain_notify(&c, type, data, len);
	packet = ike_message_plain(h.spi_i, 0, EXCHANGE_IKE_SA_INIT, false, true, &c);
	pair_inject(p, 0, packet->bytes, packet->len);
	free(packet);
}

/* V2-05: groups that we did not offer, and the same group again and again */
static void test_group_no_loop(void **state)
{
	static const uint8_t wanted[][2] = {{0, 1}, {0, 14}, {0, 0}, {255, 255}, {0, 31}, {0, 2}};
	struct pair *p = &pair;

	pair_init(p);
	p->cut = true;
	p->side[0].config.ike.dh[0] = DH_31;
	p->side[0].config.ike.dh[1] = DH_2;
	p->side[0].config.ike.dh_count = 2;
	pair_start_side(p, 0);
	for (unsigned round = 0; round < 5; round++)
		for (unsigned i = 0; i < 6; i++)
			forge_notify(p, NOTIFY_INVALID_KE_PAYLOAD, wanted[i], 2);
	pair_settle(p);
	assert_int_equal(p->seen[0], 2); /* group 31, then group 2, once */
	forge_notify(p, NOTIFY_INVALID_KE_PAYLOAD, "\0", 1);
	forge_notify(p, NOTIFY_INVALID_KE_PAYLOAD, "\0\2\0", 3);
	assert_int_equal(p->seen[0], 2);
	assert_true(pair_has_error(p, 0, IKE_ERROR_DH_GROUP_MISMATCH, NULL));
	pair_end(p);
}

/* I10, V2-06 */
static void test_cookie_lengths(void **state)
{
	static const uint8_t cookie[65] = {1, 2, 3};
	struct pair *p = &pair;

	pair_init(p);
	p->cut = true;
	pair_start_side(p, 0);
	forge_notify(p, NOTIFY_COOKIE, cookie, 0);
	forge_notify(p, NOTIFY_COOKIE, cookie, 65);
	assert_int_equal(p->seen[0], 1);
	forge_notify(p, NOTIFY_COOKIE, cookie, 64);
	assert_int_equal(p->seen[0], 2);
	forge_notify(p, NOTIFY_COOKIE, cookie, 64); /* a late copy */
	assert_int_equal(p->seen[0], 2);
	for (size_t len = 1; len <= 64; len++) /* one who never stops asking */
		forge_notify(p, NOTIFY_COOKIE, cookie, len);
	assert_in_range(p->seen[0], 3, 10);
	pair_settle(p);
	pair_end(p);
}

/* V2-10, I12: no forged error ends the attempt */
static void test_forged_errors(void **state)
{
	struct pair *p = &pair;

	pair_init(p);
	p->cut = true;
	pair_start_side(p, 0);
	pair_settle(p);
	for (unsigned type = 1; type < 64; type++)
		forge_notify(p, (uint16_t)type, NULL, 0);
	assert_true(pair_has_error(p, 0, IKE_ERROR_PROPOSAL_MISMATCH, NULL));
	p->cut = false;
	pair_start_side(p, 1);
	pair_run(p, DUR_S(1));
	pair_assert_up(p);
	assert_int_equal(ike_counters(p->side[0].engine)->ike_established, 1);
	pair_end(p);
}

/* T27 on both sides */
static void test_mismatch_reported(void **state)
{
	struct pair *p = &pair;
	unsigned i;

	pair_init(p);
	p->side[0].config.ike.encr[0] = ENCR_AES256;
	pair_start(p);
	pair_run(p, DUR_S(3));
	assert_true(pair_has_error(p, 1, IKE_ERROR_ENCRYPTION_ALGORITHM_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].field, "ike.encryption");
	assert_string_equal(p->side[1].error[i].ours, "aes128");
	assert_string_equal(p->side[1].error[i].theirs, "aes256");
	assert_true(pair_has_error(p, 0, IKE_ERROR_PROPOSAL_MISMATCH, &i));
	assert_string_equal(p->side[0].error[i].ours, "aes256/sha256/group31");
	pair_end(p);

	pair_init(p);
	p->side[0].config.ike.dh[0] = DH_2;
	pair_start(p);
	assert_true(pair_has_error(p, 1, IKE_ERROR_DH_GROUP_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].ours, "group31");
	assert_string_equal(p->side[1].error[i].theirs, "group2");
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_four_messages),
	    cmocka_unit_test(test_every_algorithm),
	    cmocka_unit_test(test_cookie),
	    cmocka_unit_test(test_cookies_do_not_end_at_once),
	    cmocka_unit_test(test_cookie_and_group),
	    cmocka_unit_test(test_other_group),
	    cmocka_unit_test(test_group_no_loop),
	    cmocka_unit_test(test_cookie_lengths),
	    cmocka_unit_test(test_forged_errors),
	    cmocka_unit_test(test_mismatch_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
