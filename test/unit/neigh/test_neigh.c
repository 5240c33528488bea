/* SPDX-License-Identifier: BSD-3-Clause */

/* The neighbour engine over virtual time: what it learns, asks, answers, forgets, and whose packets it keeps. */

#include "testing.h"

#include <stdio.h>
#include <string.h>

#include "neigh/neigh.h"

#define IFACE 7

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t host_mac[6] = {2, 0, 0, 0, 0, 9};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 8};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct bench {
	struct timers timers;
	struct neigh_engine *engine;
	struct mono now;
	unsigned requests, unicast_requests, replies, announcements;
	uint8_t last[64];
	size_t last_len;
	unsigned ready, gone, conflicts, resolved, failed;
	uint8_t ready_mac[6];
	void *packet[64];
};

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static void on_send(void *ctx, uint32_t iface, const uint8_t *frame, size_t len)
{
	struct bench *b = ctx;

	assert_int_equal(iface, IFACE);
	assert_int_equal(len, 42);
	assert_memory_equal(frame + 6, our_mac, 6);
	memcpy(b->last, frame, len);
	b->last_len = len;
	if (frame[21] == 2)
		b->replies++;
	else if (memcmp(frame + 28, frame + 38, 4) == 0)
		b->announcements++;
	else if (memcmp(frame, broadcast, 6) == 0)
		b->requests++;
	else
		b->unicast_requests++;
}

static void on_ready(void *ctx, uint32_t iface, const struct ip_addr *a, const uint8_t mac[6])
{
	struct bench *b = ctx;

	b->ready++;
	memcpy(b->ready_mac, mac, 6);
}

static void on_gone(void *ctx, uint32_t iface, const struct ip_addr *a)
{
	((struct bench *)ctx)->gone++;
}

static void on_packet(
    void *ctx, uint32_t iface, const struct ip_addr *a, void *packet, bool resolved)
{
	struct bench *b = ctx;

	b->packet[b->resolved + b->failed] = packet;
	if (resolved)
		b->resolved++;
	else
		b->failed++;
}

static void on_conflict(void *ctx, uint32_t iface, const struct ip_addr *a, const uint8_t mac[6])
{
	((struct bench *)ctx)->conflicts++;
}

static const struct neigh_ops ops = {on_send, on_ready, on_gone, on_packet, on_conflict};

static int setup(void **state)
{
	static struct bench b;
	const struct neigh_limits limits = {
	    .neighbours_per_iface = 8, .packets_per_neighbour = 3, .packets = 16};
	struct neigh_iface iface = {.iface = IFACE, .subnet_count = 1};

	memset(&b, 0, sizeof(b));
	b.now.ns = DUR_S(1000);
	timers_init(&b.timers);
	b.engine = neigh_create(&ops, &b, &b.timers, &limits);
	memcpy(iface.mac, our_mac, 6);
	iface.subnet[0].addr = addr("10.1.0.1");
	iface.subnet[0].len = 24;
	neigh_iface_set(b.engine, &iface, b.now);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	neigh_free(b->engine);
	assert_int_equal(b->timers.count, 0);
	timers_fini(&b->timers);
	return 0;
}

static void pass(struct bench *b, int64_t dur)
{
	struct mono end = mono_add(b->now, dur), due;

	while (timers_next(&b->timers, &due) && !mono_before(end, due)) {
		b->now = mono_before(b->now, due) ? due : b->now;
		timers_run(&b->timers, b->now, 0);
	}
	b->now = end;
}

static void arp(
    struct bench *b, uint8_t op, const uint8_t *mac, const char *sender, const char *target)
{
	uint8_t f[60] = {0};
	static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0};
	struct ip_addr s = addr(sender), t = addr(target);

	memcpy(f, op == 1 ? broadcast : our_mac, 6);
	memcpy(f + 6, mac, 6);
	memcpy(f + 12, head, sizeof(head));
	f[21] = op;
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, s.bytes, 4);
	memcpy(f + 38, t.bytes, 4);
	neigh_receive(b->engine, IFACE, f, sizeof(f), b->now);
}

static void test_announces(void **state)
{
	struct bench *b = *state;

	pass(b, DUR_S(10));
	assert_int_equal(b->announcements, 3);
}

static void test_answers_for_its_own_addresses_only(void **state)
{
	struct bench *b = *state;
	struct ip_addr gateway = addr("10.1.0.200");

	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.1");
	assert_int_equal(b->replies, 1);
	assert_memory_equal(b->last, host_mac, 6);
	assert_memory_equal(b->last + 22, our_mac, 6);
	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.200");
	assert_int_equal(b->replies, 1);
	neigh_proxy_add(b->engine, IFACE, &gateway, b->now);
	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.200");
	assert_int_equal(b->replies, 2);
	neigh_proxy_remove(b->engine, IFACE, &gateway);
	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.200");
	assert_int_equal(b->replies, 2);
	arp(b, 1, host_mac, "0.0.0.0",
	    "10.1.0.1"); /* a probe (RFC 5227) is answered, and teaches nothing */
	assert_int_equal(b->replies, 3);
}

static void test_learns_from_those_who_ask_us(void **state)
{
	struct bench *b = *state;

	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.1");
	assert_int_equal(b->ready, 1);
	assert_memory_equal(b->ready_mac, host_mac, 6);
	arp(b, 1, host_mac, "10.1.0.7", "10.1.0.44"); /* not for us */
	arp(b, 1, host_mac, "10.9.0.7", "10.1.0.1");  /* not on the subnet */
	arp(b, 2, host_mac, "10.1.0.6", "10.1.0.44");
	assert_int_equal(b->ready, 1);
	arp(b, 2, other_mac, "10.1.0.9", "10.1.0.9"); /* a known one moved */
	assert_int_equal(b->ready, 2);
	assert_memory_equal(b->ready_mac, other_mac, 6);
}

static void test_resolves_and_sends_what_waited(void **state)
{
	struct bench *b = *state;
	struct ip_addr host = addr("10.1.0.9");
	int p[4];

	for (unsigned i = 0; i < 3; i++)
		assert_true(neigh_resolve(b->engine, IFACE, &host, &p[i], b->now));
	assert_false(neigh_resolve(b->engine, IFACE, &host, &p[3], b->now)); /* bounded */
	assert_int_equal(b->requests, 1);
	pass(b, DUR_MS(1500));
	assert_int_equal(b->requests, 2);
	arp(b, 2, host_mac, "10.1.0.9", "10.1.0.1");
	assert_int_equal(b->ready, 1);
	assert_int_equal(b->resolved, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(b->packet[i], &p[i]);
	assert_true(neigh_resolve(b->engine, IFACE, &host, &p[3], b->now));
	assert_int_equal(b->resolved, 4);
}

/* Hosts that never answer leave room for one that does. */
static void test_a_scan_does_not_take_all_room(void **state)
{
	struct bench *b = *state;
	struct ip_addr host = addr("10.1.0.9");
	unsigned taken = 0;
	int p[32];

	for (unsigned i = 0; i < 24; i++) {
		struct ip_addr nobody = ip_v4(0x0a010014 + i % 6);

		taken += neigh_resolve(b->engine, IFACE, &nobody, &p[i], b->now);
	}
	assert_int_equal(taken, 9);
	assert_true(neigh_resolve(b->engine, IFACE, &host, &p[24], b->now));
	assert_false(neigh_resolve(b->engine, IFACE, &host, &p[25], b->now));
	pass(b, DUR_S(20));
	for (unsigned i = 0; i < 3; i++)
		assert_true(neigh_resolve(b->engine, IFACE, &host, &p[25 + i], b->now));
}

static void test_gives_up_and_holds_down(void **state)
{
	struct bench *b = *state;
	struct ip_addr host = addr("10.1.0.9");
	int p;

	assert_true(neigh_resolve(b->engine, IFACE, &host, &p, b->now));
	pass(b, DUR_MS(3500));
	assert_int_equal(b->requests, 3);
	assert_int_equal(b->failed, 1);
	assert_false(neigh_resolve(b->engine, IFACE, &host, &p, b->now));
	assert_int_equal(b->requests, 3);
	pass(b, DUR_S(6));
	assert_true(neigh_resolve(b->engine, IFACE, &host, &p, b->now));
	assert_int_equal(b->requests, 4);
}

static void test_refreshes_by_unicast_and_forgets(void **state)
{
	struct bench *b = *state;

	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.1");
	pass(b, DUR_MS(30500));
	assert_int_equal(b->unicast_requests, 1);
	assert_memory_equal(b->last, host_mac, 6);
	arp(b, 2, host_mac, "10.1.0.9", "10.1.0.1");
	assert_int_equal(b->gone, 0);
	assert_int_equal(b->ready, 1); /* nothing new */
	pass(b, DUR_S(40));
	assert_int_equal(b->gone, 1);
	pass(b, DUR_S(100));
	assert_int_equal(b->requests, 0); /* nobody needs it */
}

static void test_keeps_a_pinned_one(void **state)
{
	struct bench *b = *state;
	struct ip_addr gateway = addr("10.1.0.254");

	neigh_pin(b->engine, IFACE, &gateway, b->now);
	pass(b, DUR_S(60));
	assert_in_range(b->requests, 30, 60); /* asks for ever */
	arp(b, 2, host_mac, "10.1.0.254", "10.1.0.1");
	assert_int_equal(b->ready, 1);
	pass(b, DUR_S(60));
	assert_int_equal(b->gone, 1);
	arp(b, 2, host_mac, "10.1.0.254", "10.1.0.1");
	assert_int_equal(b->ready, 2);
}

static void test_static_one_stays_as_it_is(void **state)
{
	struct bench *b = *state;
	struct ip_addr host = addr("10.1.0.9");
	int p;

	neigh_static_add(b->engine, IFACE, &host, host_mac, b->now);
	assert_int_equal(b->ready, 1);
	neigh_pin(b->engine, IFACE, &host, b->now);
	pass(b, DUR_S(1000));
	arp(b, 2, other_mac, "10.1.0.9", "10.1.0.1");
	assert_int_equal(b->ready, 1);
	assert_int_equal(b->gone + b->requests + b->unicast_requests, 0);
	assert_true(neigh_resolve(b->engine, IFACE, &host, &p, b->now));
	assert_int_equal(b->resolved, 1);
}

static void test_defends_its_address(void **state)
{
	struct bench *b = *state;

	pass(b, DUR_S(5));
	unsigned before = b->announcements;
	for (unsigned i = 0; i < 5; i++)
		arp(b, 1, other_mac, "10.1.0.1", "10.1.0.1");
	assert_int_equal(b->conflicts, 1);
	assert_int_equal(b->announcements, before + 1);
	assert_int_equal(b->ready, 0);
	pass(b, DUR_S(11));
	arp(b, 2, other_mac, "10.1.0.1", "10.1.0.9");
	assert_int_equal(b->conflicts, 2);
}

static void test_makes_room_but_not_for_ever(void **state)
{
	struct bench *b = *state;
	char text[IP_TEXT_MAX];
	int p[16];

	for (unsigned i = 0; i < 12; i++) { /* learned ones: the oldest goes */
		snprintf(text, sizeof(text), "10.1.0.%u", 20 + i);
		arp(b, 1, host_mac, text, "10.1.0.1");
	}
	assert_int_equal(b->ready, 12);
	assert_int_equal(b->gone, 4);
	for (unsigned i = 0; i < 9; i++) { /* those that packets wait for stay */
		snprintf(text, sizeof(text), "10.1.0.%u", 100 + i);
		struct ip_addr host = addr(text);
		assert_int_equal(neigh_resolve(b->engine, IFACE, &host, &p[i], b->now), i < 8);
	}
}

static void test_ignores_nonsense(void **state)
{
	struct bench *b = *state;
	uint8_t frame[60];
	struct rng rng;

	rng_init_seeded(&rng, 1);
	for (unsigned i = 0; i < 20000; i++) {
		rng_fill(&rng, frame, sizeof(frame));
		neigh_receive(b->engine, IFACE, frame, rng_below(&rng, sizeof(frame) + 1), b->now);
	}
	arp(b, 1, broadcast, "10.1.0.9", "10.1.0.1"); /* a station with a group address */
	arp(b, 1, our_mac, "10.1.0.9", "10.1.0.1");   /* our own, reflected */
	arp(b, 1, host_mac, "224.0.0.1", "10.1.0.1"); /* no station */
	assert_int_equal(b->ready, 0);
	assert_int_equal(b->replies, 0);
}

static void test_link_down_and_up_asks_again(void **state)
{
	struct bench *b = *state;

	arp(b, 1, host_mac, "10.1.0.9", "10.1.0.1");
	pass(b, DUR_S(5));
	unsigned before = b->announcements;
	neigh_link(b->engine, IFACE, false, b->now);
	neigh_link(b->engine, IFACE, true, b->now);
	pass(b, 0);
	assert_int_equal(b->unicast_requests, 1);
	assert_int_equal(b->announcements, before + 1);
}

/* C-12: what was asked in vain while the cable was out is asked at once, what was given up by the next packet. */
static void test_link_up_forgives(void **state)
{
	struct bench *b = *state;
	struct ip_addr given_up = addr("10.1.0.9"), asked = addr("10.1.0.7"),
		       pinned = addr("10.1.0.5");
	int p[3];

	neigh_link(b->engine, IFACE, false, b->now);
	neigh_pin(b->engine, IFACE, &pinned, b->now);
	assert_true(neigh_resolve(b->engine, IFACE, &given_up, &p[0], b->now));
	pass(b, DUR_MS(3500)); /* the pinned one is given up too, for a second */
	assert_false(neigh_resolve(b->engine, IFACE, &given_up, &p[0], b->now));
	assert_true(neigh_resolve(b->engine, IFACE, &asked, &p[1], b->now));
	unsigned before = b->requests;
	neigh_link(b->engine, IFACE, true, b->now);
	assert_int_equal(b->requests, before + 2);
	assert_true(neigh_resolve(b->engine, IFACE, &given_up, &p[2], b->now));
	assert_int_equal(b->requests, before + 3);
	arp(b, 2, host_mac, "10.1.0.7", "10.1.0.1");
	arp(b, 2, host_mac, "10.1.0.9", "10.1.0.1");
	assert_int_equal(b->resolved, 2);
	assert_int_equal(b->failed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_announces, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_answers_for_its_own_addresses_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_learns_from_those_who_ask_us, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_resolves_and_sends_what_waited, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_scan_does_not_take_all_room, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_gives_up_and_holds_down, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refreshes_by_unicast_and_forgets, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_keeps_a_pinned_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_static_one_stays_as_it_is, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_defends_its_address, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_makes_room_but_not_for_ever, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ignores_nonsense, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_link_down_and_up_asks_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_link_up_forgives, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
