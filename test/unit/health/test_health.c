/* SPDX-License-Identifier: BSD-3-Clause */

/* Health checks in virtual time: when they fail, what counts as an answer, and how they recover (H1, H2, H3). */

#include "testing.h"

#include <string.h>

#include "base/checksum.h"
#include "health/echo.h"
#include "health/health.h"

#define TUNNEL 70

struct bench {
	struct timers timers;
	struct rng rng;
	struct health_engine *engine;
	struct mono now;
	unsigned sent, changes;
	struct mono sent_at;
	uint8_t last[ECHO_PACKET_BYTES];
	enum health_state state;
};

static void on_send(void *ctx, uint32_t tunnel, const uint8_t *packet, size_t len)
{
	struct bench *b = ctx;

	assert_int_equal(tunnel, TUNNEL);
	assert_int_equal(len, ECHO_PACKET_BYTES);
	memcpy(b->last, packet, len);
	b->sent++;
	b->sent_at = b->now;
}

static void on_changed(void *ctx, uint32_t tunnel, enum health_state state)
{
	struct bench *b = ctx;

	assert_int_equal(tunnel, TUNNEL);
	b->state = state;
	b->changes++;
}

static const struct health_ops ops = {.send = on_send, .changed = on_changed};
static struct health_config usual(void)
{
	return (struct health_config){.source = test_addr("10.1.255.1"),
	    .destination = test_addr("10.9.0.1"),
	    .interval_s = 3,
	    .retries = 3};
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct health_config config = usual();

	timers_init(&b->timers);
	b->rng = test_rng();
	b->now.ns = DUR_S(100);
	b->engine = health_create(&ops, b, &b->timers, &b->rng);
	assert_int_equal(health_set(b->engine, b->now, TUNNEL, "dc1/1", &config), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	health_free(b->engine);
	assert_int_equal(b->timers.count, 0);
	timers_fini(&b->timers);
	free(b);
	return 0;
}

/* Time goes on, timer by timer. */
static void pass(struct bench *b, int64_t ns)
{
	struct mono end = mono_add(b->now, ns), due;

	while (timers_next(&b->timers, &due) && !mono_before(end, due)) {
		b->now = due;
		timers_run(&b->timers, b->now, 1);
	}
	b->now = end;
}

/* The answer to the last probe. */
static void reply(const struct bench *b, uint8_t out[ECHO_PACKET_BYTES])
{
	memcpy(out, b->last, ECHO_PACKET_BYTES);
	memcpy(out + 12, b->last + 16, 4);
	memcpy(out + 16, b->last + 12, 4);
	out[20] = 0;
	out[22] = out[23] = 0;
	uint16_t sum = inet_checksum(out + 20, ECHO_PACKET_BYTES - 20);
	out[22] = (uint8_t)(sum >> 8);
	out[23] = (uint8_t)sum;
}

static bool answer(struct bench *b)
{
	uint8_t packet[ECHO_PACKET_BYTES];

	reply(b, packet);
	return health_receive(b->engine, b->now, TUNNEL, packet, sizeof(packet));
}

static void nothing_is_sent_without_a_tunnel(void **state)
{
	struct bench *b = *state;

	pass(b, DUR_S(60));
	assert_int_equal(b->sent, 0);
	assert_int_equal(b->changes, 0);
	assert_false(answer(b));
}

static void probes_are_sound_packets(void **state)
{
	struct bench *b = *state;

	health_sa(b->engine, b->now, TUNNEL, true);
	assert_int_equal(b->sent, 1); /* at once */
	assert_int_equal(b->state, HEALTH_CHECKING);
	assert_int_equal(b->last[0], 0x45);
	assert_int_equal(b->last[9], 1);
	assert_memory_equal(b->last + 12, "\x0a\x01\xff\x01\x0a\x09\x00\x01", 8);
	assert_int_equal(b->last[20], 8);
	assert_int_equal(inet_checksum(b->last, 20), 0);
	assert_int_equal(inet_checksum(b->last + 20, ECHO_PACKET_BYTES - 20), 0);
}

static void an_answer_passes_and_probes_go_on(void **state)
{
	struct bench *b = *state;
	struct health_view view;

	health_sa(b->engine, b->now, TUNNEL, true);
	pass(b, DUR_MS(20));
	assert_true(answer(b));
	assert_int_equal(b->state, HEALTH_PASSED);
	assert_true(health_get(b->engine, b->now, TUNNEL, &view));
	assert_int_equal(view.rtt_ns, DUR_MS(20));
	for (unsigned i = 0; i < 10; i++) {
		pass(b, DUR_S(3));
		assert_int_equal(b->sent, 2 + i);
		assert_true(answer(b));
	}
	assert_int_equal(b->changes, 2);
}

static void fails_after_as_many_as_there_are_retries(void **state)
{
	struct bench *b = *state;

	health_sa(b->engine, b->now, TUNNEL, true);
	assert_true(answer(b));
	pass(b, DUR_S(3)); /* the first that goes unanswered */
	struct mono unanswered = b->sent_at;
	pass(b, DUR_S(9) - 1);
	assert_int_equal(b->state, HEALTH_PASSED);
	pass(b, 1);
	assert_int_equal(b->state, HEALTH_FAILED);
	assert_int_equal(mono_diff(unanswered, b->now), DUR_S(9));
	unsigned sent = b->sent;
	pass(b, DUR_S(30));
	assert_int_equal(b->sent, sent + 10); /* it goes on asking */
	assert_int_equal(b->changes, 3);      /* and says so once */
	assert_true(answer(b));
	assert_int_equal(b->state, HEALTH_PASSED);
}

static void two_lost_probes_are_no_failure(void **state)
{
	struct bench *b = *state;

	health_sa(b->engine, b->now, TUNNEL, true);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(answer(b));
		pass(b, DUR_S(8)); /* two of three are lost */
		assert_int_equal(b->state, HEALTH_PASSED);
	}
}

static void a_check_that_never_passed_fails_too(void **state)
{
	struct bench *b = *state;

	health_sa(b->engine, b->now, TUNNEL, true);
	pass(b, DUR_S(9));
	assert_int_equal(b->state, HEALTH_FAILED);
}

static void only_true_answers_count(void **state)
{
	struct bench *b = *state;
	uint8_t packet[ECHO_PACKET_BYTES];

	health_sa(b->engine, b->now, TUNNEL, true);
	reply(b, packet);
	for (unsigned i = 0; i < ECHO_PACKET_BYTES; i++) {
		/* tos, IP id, flags, TTL and the header's checksum are not looked at */
		if (i == 1 || (i >= 4 && i <= 8) || i == 10 || i == 11)
			continue;
		packet[i] ^= 0x55;
		assert_false(health_receive(b->engine, b->now, TUNNEL, packet, sizeof(packet)));
		packet[i] ^= 0x55;
	}
	for (size_t len = 0; len < sizeof(packet); len++)
		assert_false(health_receive(b->engine, b->now, TUNNEL, packet, len));
	assert_false(health_receive(b->engine, b->now, TUNNEL + 1, packet, sizeof(packet)));
	assert_false(health_receive(b->engine, b->now, 5000, packet, sizeof(packet)));
	assert_false(health_receive(b->engine, b->now, TUNNEL, b->last, sizeof(b->last)));
	assert_int_equal(b->state, HEALTH_CHECKING);
	assert_true(health_receive(b->engine, b->now, TUNNEL, packet, sizeof(packet)));
	assert_int_equal(b->state, HEALTH_PASSED);
}

static void an_old_answer_does_not_speak_for_now(void **state)
{
	struct bench *b = *state;
	uint8_t old[ECHO_PACKET_BYTES];

	health_sa(b->engine, b->now, TUNNEL, true);
	reply(b, old);
	pass(b, DUR_S(9));
	assert_int_equal(b->state, HEALTH_FAILED);
	assert_false(health_receive(b->engine, b->now, TUNNEL, old, sizeof(old)));
	assert_int_equal(b->state, HEALTH_FAILED);
	/* nor does one from before the tunnel went down and came up again */
	reply(b, old);
	health_sa(b->engine, b->now, TUNNEL, false);
	assert_int_equal(b->state, HEALTH_IDLE);
	health_sa(b->engine, b->now, TUNNEL, true);
	assert_false(health_receive(b->engine, b->now, TUNNEL, old, sizeof(old)));
}

static void an_equal_configuration_changes_nothing(void **state)
{
	struct bench *b = *state;
	struct health_config config = usual();

	health_sa(b->engine, b->now, TUNNEL, true);
	assert_true(answer(b));
	unsigned changes = b->changes, sent = b->sent;
	assert_int_equal(health_set(b->engine, b->now, TUNNEL, "dc1/1", &config), 0);
	assert_int_equal(b->changes, changes);
	assert_int_equal(b->sent, sent);
	config.interval_s = 1;
	assert_int_equal(health_set(b->engine, b->now, TUNNEL, "dc1/1", &config), 0);
	assert_int_equal(b->state, HEALTH_CHECKING);
	assert_int_equal(b->sent, sent + 1);
	pass(b, DUR_S(3));
	assert_int_equal(b->state, HEALTH_FAILED);
	config.destination = test_addr("2001:db8::1");
	config.source = test_addr("2001:db8::2");
	assert_true(health_set(b->engine, b->now, TUNNEL, "dc1/1", &config) < 0);
}

static void a_removed_check_is_silent(void **state)
{
	struct bench *b = *state;
	struct health_view view;

	health_sa(b->engine, b->now, TUNNEL, true);
	health_remove(b->engine, TUNNEL);
	health_remove(b->engine, TUNNEL);
	pass(b, DUR_S(30));
	assert_int_equal(b->sent, 1);
	assert_false(health_get(b->engine, b->now, TUNNEL, &view));
	assert_false(answer(b));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_sent_without_a_tunnel),
	    TEST(probes_are_sound_packets),
	    TEST(an_answer_passes_and_probes_go_on),
	    TEST(fails_after_as_many_as_there_are_retries),
	    TEST(two_lost_probes_are_no_failure),
	    TEST(a_check_that_never_passed_fails_too),
	    TEST(only_true_answers_count),
	    TEST(an_old_answer_does_not_speak_for_now),
	    TEST(an_equal_configuration_changes_nothing),
	    TEST(a_removed_check_is_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
