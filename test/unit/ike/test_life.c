/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A tunnel's life around its SAs: start, stop, change, DPD, deletes, NAT bindings, shutdown (V2-19, V2-20, V2-22,
 * T11, T21, T22, C-02, C-03, C-10, C-32).
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

static uint16_t nat_shift;

static bool translate(struct pair *p, struct datagram *d)
{
	if (d->from == 0) {
		d->local =
		    (struct ike_endpoint){ip_v4(0xcb007101), (uint16_t)(d->local.port + nat_shift)};
		return true;
	}
	if (d->remote.port != IKE_PORT + nat_shift && d->remote.port != IKE_PORT_NATT + nat_shift)
		return false;
	d->remote =
	    (struct ike_endpoint){p->side[0].config.local, (uint16_t)(d->remote.port - nat_shift)};
	return true;
}

static void start_behind_nat(struct pair *p)
{
	pair_init(p);
	p->side[1].config.remote = ip_v4(0xcb007101);
	p->filter = translate;
	nat_shift = 10000;
	pair_start(p);
	pair_assert_up(p);
}

/* V2-22: at most every 20 s, from behind the NAT alone */
static void test_keepalive(void **state)
{
	struct pair *p = &pair;

	start_behind_nat(p);
	pair_run(p, DUR_S(205));
	assert_int_equal(p->side[0].keepalives, 10);
	assert_int_equal(p->side[1].keepalives, 0);
	pair_end(p);
}

/* C-10: a new mapping is followed on an authentic packet of either protocol */
static void test_rebinding(void **state)
{
	struct pair *p = &pair;
	struct ike_endpoint moved = {ip_v4(0xcb007101), IKE_PORT_NATT + 30000};
	uint32_t spi;

	start_behind_nat(p);
	nat_shift = 20000;
	pair_run(p, DUR_S(25)); /* A probes */
	assert_int_equal(pair_in_use(p, 1)->info.remote.port, IKE_PORT_NATT + 20000);
	spi = pair_in_use(p, 1)->info.spi_in;
	nat_shift = 30000;
	ike_child_moved(p->side[1].engine, p->now, TUNNEL, spi, &moved);
	assert_int_equal(pair_in_use(p, 1)->info.remote.port, IKE_PORT_NATT + 30000);
	pair_run(p, DUR_S(100));
	pair_assert_up(p);
	assert_int_equal(ike_counters(p->side[1].engine)->ike_established, 1);
	/* The one behind the NAT does not follow: a relay could lead it astray. */
	ike_child_moved(p->side[0].engine, p->now, TUNNEL, pair_in_use(p, 0)->info.spi_in, &moved);
	assert_int_equal(pair_in_use(p, 0)->info.remote.port, IKE_PORT_NATT);
	pair_end(p);
}

/* Forged and repeated packets from elsewhere move nothing. */
static void test_no_hijack(void **state)
{
	struct pair *p = &pair;
	struct ike_endpoint local, attacker = {ip_v4(0x0a0a0a0a), 4500};
	struct datagram d;

	start_behind_nat(p);
	pair_run(p, DUR_S(15));
	local = pair_in_use(p, 1)->info.local;
	d = p->last[0];
	ike_receive(p->side[1].engine, p->now, &local, &attacker, d.bytes, d.len); /* a replay */
	d.bytes[40] ^= 1;
	ike_receive(p->side[1].engine, p->now, &local, &attacker, d.bytes, d.len);
	assert_int_equal(pair_in_use(p, 1)->info.remote.port, IKE_PORT_NATT + 10000);
	assert_int_equal(pair_sa(p, 1)->remote.port, IKE_PORT_NATT + 10000);
	p->queued = 0;
	pair_end(p);

	/* Without a NAT on the path even an authentic packet moves nothing. */
	pair_init(p);
	pair_start(p);
	ike_child_moved(
	    p->side[1].engine, p->now, TUNNEL, pair_in_use(p, 1)->info.spi_in, &attacker);
	assert_int_equal(pair_in_use(p, 1)->info.remote.port, IKE_PORT);
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
	    cmocka_unit_test(test_shutdown),
	    cmocka_unit_test(test_update),
	    cmocka_unit_test(test_remove),
	    cmocka_unit_test(test_config_refused),
	    cmocka_unit_test(test_dpd_probes),
	    cmocka_unit_test(test_dpd_actions),
	    cmocka_unit_test(test_dpd_times),
	    cmocka_unit_test(test_clear_messages_do_not_count),
	    cmocka_unit_test(test_keepalive),
	    cmocka_unit_test(test_rebinding),
	    cmocka_unit_test(test_no_hijack),
	    cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
