/* SPDX-License-Identifier: BSD-3-Clause */

/* Two BFD engines against each other, and one against all that is wrong (RFC 5880 6.2, 6.5, 6.8; D1). */

#include "testing.h"

#include <string.h>

#include "base/log.h"
#include "bfd/packet.h"

#define ID 5

struct end {
	struct bfd_engine *engine;
	struct bfd_orders_text orders;
	enum bfd_state state;
	uint8_t diag;
	unsigned orders_given, changes, sent;
	uint8_t last[BFD_BYTES]; /* sent at once */
};

struct bench {
	struct rng rng;
	struct mono now;
	struct end a, b;
};

static void on_orders(void *ctx, uint32_t id, const struct bfd_orders_text *o)
{
	struct end *e = ctx;

	assert_int_equal(id, ID);
	e->orders = *o;
	e->orders_given++;
}

static void on_send(void *ctx, uint32_t id, const uint8_t packet[BFD_BYTES])
{
	struct end *e = ctx;

	memcpy(e->last, packet, BFD_BYTES);
	e->sent++;
}

static void on_changed(void *ctx, uint32_t id, enum bfd_state state, uint8_t diag)
{
	struct end *e = ctx;

	e->state = state;
	e->diag = diag;
	e->changes++;
}

static const struct bfd_ops ops = {.orders = on_orders, .send = on_send, .changed = on_changed};
static const struct bfd_config fast = {.transmit_us = 50000, .receive_us = 50000, .multiplier = 3};
static const struct bfd_config slow = {
    .transmit_us = 300000, .receive_us = 200000, .multiplier = 5};

static int setup(void **state)
{
	struct bench *t = calloc(1, sizeof(*t));

	t->rng = test_rng();
	t->now.ns = DUR_S(50);
	t->a.engine = bfd_create(&ops, &t->a, &t->rng);
	t->b.engine = bfd_create(&ops, &t->b, &t->rng);
	bfd_set(t->a.engine, t->now, ID, "a", &fast);
	bfd_set(t->b.engine, t->now, ID, "b", &slow);
	bfd_path(t->a.engine, t->now, ID, true);
	bfd_path(t->b.engine, t->now, ID, true);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct bench *t = *state;

	bfd_free(t->a.engine);
	bfd_free(t->b.engine);
	free(t);
	return 0;
}

/* What one end sends now arrives at the other, and an answer at once too. */
static void carry(struct bench *t, struct end *from, struct end *to)
{
	unsigned before = to->sent;

	bfd_receive(to->engine, t->now, ID, from->orders.packet, BFD_BYTES);
	if (to->sent != before)
		bfd_receive(from->engine, t->now, ID, to->last, BFD_BYTES);
}

static void bring_up(struct bench *t)
{
	for (unsigned i = 0; i < 4; i++) {
		carry(t, &t->a, &t->b);
		carry(t, &t->b, &t->a);
	}
	assert_int_equal(t->a.state, BFD_UP);
	assert_int_equal(t->b.state, BFD_UP);
}

static struct bfd_packet says(const struct end *e)
{
	struct bfd_packet p;

	assert_true(bfd_packet_read(e->orders.packet, BFD_BYTES, &p));
	return p;
}

static void three_packets_bring_it_up(void **state)
{
	struct bench *t = *state;

	assert_int_equal(says(&t->a).state, BFD_DOWN);
	assert_int_equal(says(&t->a).transmit_us, 1000000); /* 6.8.3: slow while not up */
	assert_int_equal(says(&t->a).yours, 0);
	assert_int_equal(t->a.orders.detect_ns, 0);
	carry(t, &t->a, &t->b); /* Down -> */
	assert_int_equal(t->b.state, BFD_INIT);
	carry(t, &t->b, &t->a); /* <- Init */
	assert_int_equal(t->a.state, BFD_UP);
	assert_true(says(&t->a).poll); /* its interval is new */
	carry(t, &t->a, &t->b);        /* Up, P -> and <- F */
	assert_int_equal(t->b.state, BFD_UP);
	assert_false(says(&t->a).poll);
	assert_int_equal(bfd_verdict(t->a.engine, ID), BFD_SAYS_ALIVE);
}

static void intervals_are_the_slower_of_both(void **state)
{
	struct bench *t = *state;

	bring_up(t);
	/* a wants to send every 50 ms, b takes one every 200 ms; b sends every 300 ms */
	assert_int_equal(t->a.orders.transmit_ns, DUR_MS(200));
	assert_int_equal(t->b.orders.transmit_ns, DUR_MS(300));
	assert_int_equal(t->b.orders.detect_ns, 3 * DUR_MS(200));
	assert_int_equal(t->a.orders.detect_ns, 5 * DUR_MS(300));
}

static void packets_that_say_nothing_new_give_no_orders(void **state)
{
	struct bench *t = *state;

	bring_up(t);
	assert_true(t->a.orders.up);
	assert_memory_equal(t->a.orders.expected, t->b.orders.packet, BFD_BYTES);
	assert_memory_equal(t->b.orders.expected, t->a.orders.packet, BFD_BYTES);
	unsigned orders = t->a.orders_given, changes = t->a.changes;
	for (unsigned i = 0; i < 100; i++)
		carry(t, &t->b, &t->a);
	assert_int_equal(t->a.orders_given, orders);
	assert_int_equal(t->a.changes, changes);
}

static void silence_takes_it_down_and_it_says_why(void **state)
{
	struct bench *t = *state;

	bring_up(t);
	bfd_expired(t->a.engine, t->now, ID);
	assert_int_equal(t->a.state, BFD_DOWN);
	assert_int_equal(says(&t->a).diag, BFD_DIAG_EXPIRED);
	assert_int_equal(says(&t->a).yours, 0); /* 6.8.1 */
	assert_int_equal(bfd_verdict(t->a.engine, ID), BFD_SAYS_DEAD);
	carry(t, &t->a, &t->b);
	assert_int_equal(t->b.state, BFD_DOWN);
	assert_int_equal(t->b.diag, BFD_DIAG_NEIGHBOUR);
	bring_up(t);
	assert_int_equal(bfd_verdict(t->a.engine, ID), BFD_SAYS_ALIVE);
	bfd_expired(t->a.engine, t->now, ID);
	bfd_expired(t->a.engine, t->now, ID); /* twice is once */
	assert_int_equal(t->a.state, BFD_DOWN);
}

static void taken_down_on_purpose_is_no_failure(void **state)
{
	struct bench *t = *state;

	bring_up(t);
	bfd_remove(t->b.engine, ID);
	assert_int_equal(t->b.sent > 0, 1);
	bfd_receive(t->a.engine, t->now, ID, t->b.last, BFD_BYTES);
	assert_int_equal(t->a.state, BFD_DOWN);
	assert_int_equal(bfd_verdict(t->a.engine, ID), BFD_SAYS_NOTHING);
}

static void without_its_path_a_session_is_quiet(void **state)
{
	struct bench *t = *state;

	bring_up(t);
	bfd_path(t->a.engine, t->now, ID, false);
	assert_int_equal(t->a.state, BFD_DOWN);
	assert_int_equal(t->a.orders.transmit_ns, 0);
	assert_int_equal(t->a.orders.detect_ns, 0);
	carry(t, &t->b, &t->a); /* not heard */
	assert_int_equal(t->a.state, BFD_DOWN);
	bfd_path(t->a.engine, t->now, ID, true);
	assert_int_equal(bfd_verdict(t->a.engine, ID), BFD_SAYS_WAIT);
	bring_up(t);
}

static void other_settings_are_agreed_without_a_flap(void **state)
{
	struct bench *t = *state;

	bring_up(t);
	unsigned changes = t->a.changes;
	bfd_set(t->a.engine, t->now, ID, "a", &slow);
	assert_true(says(&t->a).poll);
	carry(t, &t->a, &t->b);
	assert_false(says(&t->a).poll);
	assert_int_equal(t->a.changes, changes);
	assert_int_equal(t->a.orders.transmit_ns, DUR_MS(300));
	assert_int_equal(t->b.orders.detect_ns, 5 * DUR_MS(300));
	unsigned orders = t->a.orders_given;
	bfd_set(t->a.engine, t->now, ID, "a", &slow);
	assert_int_equal(t->a.orders_given, orders);
}

static void a_far_end_that_wants_none_gets_none(void **state)
{
	struct bench *t = *state;
	struct bfd_packet p;
	uint8_t bytes[BFD_BYTES];

	bring_up(t);
	p = says(&t->b);
	p.receive_us = 0;
	bfd_packet_write(&p, bytes);
	bfd_receive(t->a.engine, t->now, ID, bytes, BFD_BYTES);
	assert_int_equal(t->a.orders.transmit_ns, 0);
	p.receive_us = 50000;
	p.demand = true;
	bfd_packet_write(&p, bytes);
	bfd_receive(t->a.engine, t->now, ID, bytes, BFD_BYTES);
	assert_int_equal(t->a.orders.transmit_ns, 0);
	assert_int_equal(t->a.state, BFD_UP);
}

static void a_poll_is_answered_at_once(void **state)
{
	struct bench *t = *state;
	struct bfd_packet p, answer;
	uint8_t bytes[BFD_BYTES];

	bring_up(t);
	for (unsigned i = 0; i < 1000; i++) { /* a storm of them changes nothing else */
		unsigned sent = t->a.sent, orders = t->a.orders_given;

		p = says(&t->b);
		p.poll = true;
		bfd_packet_write(&p, bytes);
		bfd_receive(t->a.engine, t->now, ID, bytes, BFD_BYTES);
		assert_int_equal(t->a.sent, sent + 1);
		assert_true(bfd_packet_read(t->a.last, BFD_BYTES, &answer));
		assert_true(answer.final && !answer.poll);
		assert_true(i == 0 || t->a.orders_given == orders);
	}
	assert_int_equal(t->a.state, BFD_UP);
}

/* D1: each lie alone, in a session that is up. */
static void lies_change_nothing(void **state)
{
	struct bench *t = *state;
	uint8_t good[BFD_BYTES], bad[BFD_BYTES];

	bring_up(t);
	memcpy(good, t->b.orders.packet, BFD_BYTES);
	good[1] = (uint8_t)((good[1] & 0x3f) | BFD_DOWN << 6); /* would take it down */
	static const struct {
		unsigned at;
		uint8_t value;
	} lies[] = {{0, 0}, {0, 2 << 5}, {1, BFD_DOWN << 6 | 0x04}, {1, BFD_DOWN << 6 | 0x01},
	    {2, 0}, {3, 0}, {3, 23}, {3, 25}, {3, 255}, {8, 0x55}, {11, 0xee}};
	for (unsigned i = 0; i < TEST_COUNT(lies); i++) {
		memcpy(bad, good, BFD_BYTES);
		bad[lies[i].at] = lies[i].value;
		bfd_receive(t->a.engine, t->now, ID, bad, BFD_BYTES);
		assert_int_equal(t->a.state, BFD_UP);
	}
	memcpy(bad, good, BFD_BYTES);
	memset(bad + 4, 0, 4); /* no discriminator of its own */
	bfd_receive(t->a.engine, t->now, ID, bad, BFD_BYTES);
	assert_int_equal(t->a.state, BFD_UP);
	memcpy(bad, t->b.orders.packet, BFD_BYTES);
	memset(bad + 8, 0, 4); /* Up, and names no session */
	bfd_receive(t->a.engine, t->now, ID, bad, BFD_BYTES);
	for (size_t len = 0; len < BFD_BYTES; len++)
		bfd_receive(t->a.engine, t->now, ID, good, len);
	bfd_receive(t->a.engine, t->now, ID + 1, good, BFD_BYTES);
	bfd_receive(t->a.engine, t->now, 60000, good, BFD_BYTES);
	assert_int_equal(t->a.state, BFD_UP);
	bfd_receive(t->a.engine, t->now, ID, good, BFD_BYTES); /* the truth does */
	assert_int_equal(t->a.state, BFD_DOWN);
}

/* Any bytes: no crash, and states only by the table of 6.2. */
static void random_packets(void **state)
{
	struct bench *t = *state;
	uint8_t bytes[BFD_BYTES + 8];

	for (unsigned i = 0; i < 200000; i++) {
		rng_fill(&t->rng, bytes, sizeof(bytes));
		if (i % 2) { /* near the truth */
			memcpy(bytes, t->b.orders.packet, BFD_BYTES);
			memcpy(bytes + 8, t->a.orders.packet + 4, 4);
			bytes[rng_below(&t->rng, 4)] = (uint8_t)rng_u32(&t->rng);
		}
		enum bfd_state before = t->a.state;
		bfd_receive(t->a.engine, t->now, ID, bytes, rng_below(&t->rng, sizeof(bytes) + 1));
		assert_false(before == BFD_UP && t->a.state == BFD_INIT);
		assert_int_not_equal(t->a.changes ? t->a.state : BFD_DOWN, BFD_ADMIN_DOWN);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(three_packets_bring_it_up),
	    TEST(intervals_are_the_slower_of_both),
	    TEST(packets_that_say_nothing_new_give_no_orders),
	    TEST(silence_takes_it_down_and_it_says_why),
	    TEST(taken_down_on_purpose_is_no_failure),
	    TEST(without_its_path_a_session_is_quiet),
	    TEST(other_settings_are_agreed_without_a_flap),
	    TEST(a_far_end_that_wants_none_gets_none),
	    TEST(a_poll_is_answered_at_once),
	    TEST(lies_change_nothing),
	    TEST(random_packets),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
