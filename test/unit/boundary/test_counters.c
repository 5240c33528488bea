/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/counters.h: the ledger adds up over workers, and tells when a packet is missing (M2). */

#include <errno.h>

#include "boundary/counters.h"
#include "testing.h"

#define WORKERS 3
#define SLOTS   6

static struct counters counters;

static int setup(void **state)
{
	return counters_init(&counters, WORKERS, SLOTS);
}

static int teardown(void **state)
{
	counters_fini(&counters);
	return 0;
}

static void slots_are_handed_out_once(void **state)
{
	bool seen[SLOTS] = {[SLOT_CONTROL] = true};

	for (unsigned i = 1; i < SLOTS; i++) {
		uint16_t slot = slot_alloc(&counters);

		assert_true(slot < SLOTS);
		assert_false(seen[slot]);
		seen[slot] = true;
	}
	assert_int_equal(slot_alloc(&counters), 0);
	slot_release(&counters, SLOT_CONTROL); /* control's is never given away */
	slot_release(&counters, SLOTS);
	assert_int_equal(slot_alloc(&counters), 0);
	slot_release(&counters, 4);
	assert_int_equal(slot_alloc(&counters), 4);
}

static void a_slot_starts_at_zero(void **state)
{
	uint16_t slot = slot_alloc(&counters);
	struct slot_counters sum;

	for (unsigned w = 0; w < WORKERS; w++) {
		slot_of(&counters, w, slot)->received = 5;
		slot_of(&counters, w, slot)->drop[DROP_REASON_COUNT - 1] = 5;
	}
	slot_release(&counters, slot);
	assert_int_equal(slot_alloc(&counters), slot);
	slot_read(&counters, slot, &sum);
	assert_int_equal(sum.received, 0);
	assert_int_equal(sum.drop[DROP_REASON_COUNT - 1], 0);
}

static void every_field_is_summed(void **state)
{
	uint16_t slot = slot_alloc(&counters);
	struct slot_counters sum;

	for (unsigned w = 0; w < WORKERS; w++) {
		uint64_t *word = (uint64_t *)slot_of(&counters, w, slot);

		for (uint64_t i = 0; i < 9 + DROP_REASON_COUNT; i++)
			word[i] = (i + 1) << (8 * w);
	}
	slot_read(&counters, slot, &sum);
	assert_int_equal(sum.received, 0x010101);
	assert_int_equal(sum.received_bytes, 0x020202);
	assert_int_equal(sum.created, 0x070707);
	assert_int_equal(sum.delivered, 0x030303);
	assert_int_equal(sum.decrypted, 0x040404);
	assert_int_equal(sum.punted, 0x080808);
	assert_int_equal(sum.absorbed, 0x090909);
	assert_int_equal(sum.sent, 0x050505);
	assert_int_equal(sum.sent_bytes, 0x060606);
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		assert_int_equal(sum.drop[r], 0x010101 * (10 + r));
}

/* One packet of the life that `what` says: 0..4 and then each drop reason. */
static void live(struct slot_counters *s, unsigned what)
{
	s->received++;
	switch (what) {
	case 0:
		s->delivered++;
		break;
	case 1: /* cut in three */
		s->created += 2;
		s->delivered += 3;
		break;
	case 2:
		s->decrypted++;
		break;
	case 3:
		s->punted++;
		break;
	case 4:
		s->absorbed++;
		break;
	default:
		s->drop[what - 5]++;
	}
}

static void every_life_balances(void **state)
{
	struct rng rng = test_rng();
	uint16_t slot = slot_alloc(&counters);
	struct slot_counters sum;

	for (unsigned i = 0; i < 50000; i++) {
		struct slot_counters *s = slot_of(&counters, rng_below(&rng, WORKERS), slot);

		live(s, i < 5 + DROP_REASON_COUNT ? i : rng_below(&rng, 5 + DROP_REASON_COUNT));
		s->sent += 3; /* no part of the equation */
	}
	slot_read(&counters, slot, &sum);
	assert_int_equal(sum.received, 50000);
	assert_int_equal(slot_balance(&sum), 0);
	sum.received += 2; /* two vanished */
	assert_int_equal(slot_balance(&sum), 2);
	sum.drop[DROP_NO_ROUTE] += 5; /* three counted twice */
	assert_int_equal(slot_balance(&sum), -3);
}

static void slots_do_not_share_cache_lines(void **state)
{
	for (unsigned w = 0; w < WORKERS; w++)
		for (uint16_t s = 0; s < SLOTS; s++)
			assert_int_equal(
			    (uintptr_t)slot_of(&counters, w, s) % RTE_CACHE_LINE_SIZE, 0);
}

static void bad_sizes(void **state)
{
	struct counters c;

	assert_int_equal(counters_init(&c, 0, 8), -EINVAL);
	assert_int_equal(counters_init(&c, WORKERS_MAX + 1, 8), -EINVAL);
	assert_int_equal(counters_init(&c, 1, 0), -EINVAL);
	assert_int_equal(counters_init(&c, 1, 65537), -EINVAL);
	assert_int_equal(counters_init(&c, WORKERS_MAX, 65536), 0);
	counters_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(slots_are_handed_out_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_slot_starts_at_zero, setup, teardown),
	    cmocka_unit_test_setup_teardown(every_field_is_summed, setup, teardown),
	    cmocka_unit_test_setup_teardown(every_life_balances, setup, teardown),
	    cmocka_unit_test_setup_teardown(slots_do_not_share_cache_lines, setup, teardown),
	    cmocka_unit_test(bad_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
