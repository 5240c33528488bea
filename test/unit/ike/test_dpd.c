/* SPDX-License-Identifier: BSD-3-Clause */

/* Liveness: when a peer is asked, when it is dead, what then (V2-20, T21, C-02, C-03). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static struct pair pair;

/* V2-20: probes when nothing is heard, and only then */
static void test_dpd_probes(void **state)
{
	struct pair *p = &pair;
	unsigned seen;

	pair_init(p);
	p->side[1].config.dpd_action = IKE_DPD_NONE;
	pair_start(p);
	seen = p->seen[0];
	pair_run(p, DUR_S(100));
	assert_in_range(p->seen[0], seen + 9, seen + 10);
	/* ESP is a sign of life */
	seen = p->seen[0];
	for (unsigned i = 0; i < 50; i++) {
		p->side[0].esp_heard = p->now;
		pair_run(p, DUR_S(2));
	}
	assert_in_range(p->seen[0], seen, seen + 1);
	pair_assert_up(p);
	pair_end(p);
}

/* The time between the last sign of life and the end of the tunnel */
static int64_t silence_until_down(struct pair *p)
{
	struct mono start;

	pair_run(p, DUR_S(60));
	start = p->now;
	pair_kill_side(p, 1);
	while (pair_children(p, 0) > 0 && mono_diff(start, p->now) < DUR_S(1000))
		pair_run(p, DUR_MS(100));
	return mono_diff(start, p->now);
}

/* T21, C-03: dead within the configured time; then by action */
static void test_dpd_actions(void **state)
{
	struct pair *p = &pair;
	int64_t silence;

	for (int action = IKE_DPD_RESTART; action <= IKE_DPD_CLEAR; action++) {
		pair_init(p);
		p->side[0].config.dpd_action = (enum ike_dpd_action)action;
		pair_start(p);
		silence = silence_until_down(p);
		assert_true(silence > DUR_S(20) && silence <= DUR_S(31));
		assert_true(pair_has_error(p, 0, IKE_ERROR_PEER_DEAD, NULL));
		assert_int_equal(pair_count_sas(p, 0, "connecting"), action == IKE_DPD_RESTART);
		pair_start_side(p, 1);
		pair_run(p, DUR_S(15));
		assert_int_equal(pair_children(p, 0), action == IKE_DPD_RESTART);
		if (action == IKE_DPD_CLEAR) {
			assert_int_equal(p->side[0].state, IKE_TUNNEL_DOWN);
			ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL);
			pair_run(p, DUR_S(1));
		}
		pair_assert_up(p);
		pair_end(p);
	}
	pair_init(p);
	p->side[0].config.dpd_action = IKE_DPD_NONE;
	p->side[0].config.ike_lifetime_s = p->side[0].config.esp_lifetime_s = 0;
	pair_start(p);
	assert_true(silence_until_down(p) >= DUR_S(1000));
	pair_end(p);
}

/* Configured times are kept, whatever they are. */
static void test_dpd_times(void **state)
{
	static const uint32_t times[][2] = {{5, 15}, {10, 60}, {30, 120}, {1, 4}, {3, 30}};
	struct pair *p = &pair;

	for (size_t i = 0; i < 5; i++) {
		int64_t silence, limit = DUR_S(times[i][1]);

		pair_init(p);
		p->side[0].config.dpd_interval_s = times[i][0];
		p->side[0].config.dpd_timeout_s = times[i][1];
		pair_start(p);
		silence = silence_until_down(p);
		assert_true(silence >= limit - DUR_S(times[i][0]) - DUR_S(1));
		assert_true(silence <= limit + DUR_S(1));
		pair_end(p);
	}
}

/* Messages in clear, whoever sends them, are neither life nor death. */
static void test_clear_messages_do_not_count(void **state)
{
	struct pair *p = &pair;
	uint8_t mem[64];
	struct ike_packet *packet;
	int64_t silence = 0;

	pair_init(p);
	pair_start(p);
	pair_run(p, DUR_S(60));
	pair_kill_side(p, 1);
	while (pair_children(p, 0) > 0 && silence < DUR_S(1000)) {
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));
		struct ike_sa *sa = pair_sa(p, 0);

		ike_chain_notify(&c, NOTIFY_INVALID_IKE_SPI, NULL, 0);
		for (unsigned response = 0; response < 2; response++) {
			packet = ike_message_plain(
			    sa->spi_i, sa->spi_r, EXCHANGE_INFORMATIONAL, false, response, &c);
			pair_inject(p, 0, packet->bytes, packet->len);
			free(packet);
		}
		pair_run(p, DUR_S(1));
		silence += DUR_S(1);
	}
	assert_true(silence > DUR_S(20) && silence <= DUR_S(31));
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dpd_probes),
	    cmocka_unit_test(test_dpd_actions),
	    cmocka_unit_test(test_dpd_times),
	    cmocka_unit_test(test_clear_messages_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
