/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * NAT traversal: detection and the move to port 4500, keepalives, a mapping that changes and is followed on authentic
 * messages alone (V2-22, T22, C-10).
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

/* A NAT: the responder sees another address and port */
static bool translate_setup(struct pair *p, struct datagram *d)
{
	if (d->from == 0) {
		assert_int_equal(d->local.port, p->count ? IKE_PORT_NATT : IKE_PORT);
		d->local =
		    (struct ike_endpoint){ip_v4(0xcb007101), (uint16_t)(d->local.port + 10000)};
	} else {
		assert_true(d->remote.port > 10000);
		assert_int_equal(d->local.port, p->count ? IKE_PORT_NATT : IKE_PORT);
		d->remote = (struct ike_endpoint){
		    p->side[0].config.local, (uint16_t)(d->remote.port - 10000)};
		p->count = 1;
	}
	return true;
}

/* V2-22 */
static void test_nat(void **state)
{
	struct pair *p = &pair;
	const struct ike_child *a, *b;

	pair_init(p);
	p->side[1].config.remote = ip_v4(0xcb007101);
	p->filter = translate_setup;
	pair_start(p);
	pair_assert_up(p);
	a = &pair_in_use(p, 0)->info;
	b = &pair_in_use(p, 1)->info;
	assert_true(a->udp_encap && b->udp_encap);
	assert_int_equal(a->local.port, IKE_PORT_NATT);
	assert_int_equal(a->remote.port, IKE_PORT_NATT);
	assert_int_equal(b->local.port, IKE_PORT_NATT);
	assert_int_equal(b->remote.port, IKE_PORT_NATT + 10000);
	assert_true(pair_sa(p, 0)->nat.here && !pair_sa(p, 0)->nat.there);
	assert_true(!pair_sa(p, 1)->nat.here && pair_sa(p, 1)->nat.there);
	pair_end(p);
}

static void test_nat_forced(void **state)
{
	struct pair *p = &pair;

	for (unsigned side = 0; side < 2; side++) {
		pair_init(p);
		p->side[side].config.natt = IKE_NATT_FORCE;
		pair_start(p);
		pair_assert_up(p);
		assert_true(pair_in_use(p, 0)->info.udp_encap);
		assert_true(pair_in_use(p, 1)->info.udp_encap);
		assert_int_equal(pair_in_use(p, 1)->info.remote.port, IKE_PORT_NATT);
		pair_end(p);
		pair_init(p);
		p->side[side].config.natt = IKE_NATT_OFF;
		p->side[!side].config.natt = IKE_NATT_FORCE;
		pair_start(p);
		pair_assert_up(p);
		assert_false(pair_in_use(p, 0)->info.udp_encap);
		assert_false(pair_in_use(p, 1)->info.udp_encap);
		pair_end(p);
	}
}

static uint16_t nat_shift;

/* One whose port may change */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nat),
	    cmocka_unit_test(test_nat_forced),
	    cmocka_unit_test(test_keepalive),
	    cmocka_unit_test(test_rebinding),
	    cmocka_unit_test(test_no_hijack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
