/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * boundary/policer.h: what passes is rate * time + burst, whoever of the workers carries it (M3). The clock is a number,
 * so that hours of traffic take no time; and once it is turned while threads spend from one account.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "boundary/policer.h"
#include "testing.h"

#define HZ      UINT64_C(2500000000)
#define START   UINT64_C(0x123456789abcd)
#define WORKERS 4

static struct policer *policer_of(
    uint64_t bits, uint64_t cbs, uint64_t packets, uint64_t burst, unsigned workers)
{
	const struct policer_spec spec = {bits, cbs, packets, burst};

	return policer_new(&spec, workers, START, HZ);
}

static bool offer(struct policer *p, unsigned worker, uint32_t bytes, uint64_t now)
{
	if (!policer_covers(p, worker, bytes, now)) {
		policer_refuse(p, worker, bytes);
		return false;
	}
	policer_pass(p, worker, bytes);
	return true;
}

static void assert_within(double is, double wanted, double share)
{
	if (is < wanted * (1 - share) || is > wanted * (1 + share))
		fail_msg("%f is not within %f of %f", is, share, wanted);
}

/* Offers three times the rate for that long, in packets of `bytes`, from workers in turn by `turn`. Bytes that passed. */
static uint64_t flood(struct policer *p, uint64_t rate_bytes, uint32_t bytes, double seconds,
    unsigned (*turn)(unsigned i, struct rng *rng))
{
	struct rng rng = test_rng();
	double gap = (double)HZ * bytes / (3.0 * (double)rate_bytes), at = 0;
	uint64_t passed = 0;

	for (unsigned i = 0; at < seconds * (double)HZ; i++, at += gap)
		passed += offer(p, turn(i, &rng), bytes, START + (uint64_t)at) ? bytes : 0;
	return passed;
}

static unsigned turn_first(unsigned i, struct rng *rng)
{
	return 0;
}
static unsigned turn_round(unsigned i, struct rng *rng)
{
	return i % WORKERS;
}
static unsigned turn_random(unsigned i, struct rng *rng)
{
	return (unsigned)(rng_u64(rng) % WORKERS);
}
/* One carries all, for a while, then the next: what an idle one holds is not lost to the others for good. */
static unsigned turn_slow(unsigned i, struct rng *rng)
{
	return i / 1000 % WORKERS;
}

static void a_rate_is_held_by_any_workers(void **state)
{
	static unsigned (*const turn[])(unsigned, struct rng *) = {
	    turn_first, turn_round, turn_random, turn_slow};
	static const struct {
		uint64_t bits;
		uint32_t bytes;
		double seconds;
	} load[] = {{1000000, 1400, 60}, {10000000, 100, 10}, {100000000, 1400, 10},
	    {1000000000, 1400, 2}, {100000000000, 9000, 0.2}, {64000, 200, 600}};

	for (unsigned k = 0; k < TEST_COUNT(load); k++) {
		for (unsigned i = 0; i < TEST_COUNT(turn); i++) {
			uint64_t rate = load[k].bits / 8, cbs = RTE_MAX(rate / 20, 6000u);
			struct policer *p = policer_of(load[k].bits, cbs, 0, 0, WORKERS);
			uint64_t passed = flood(p, rate, load[k].bytes, load[k].seconds, turn[i]);
			double wanted = (double)rate * load[k].seconds;

			/* never more than the bucket on top, and never 1 % less */
			assert_true((double)passed <= wanted + (double)cbs + load[k].bytes);
			assert_true((double)passed >= wanted * 0.99);
			free(p);
		}
	}
}

static void packets_are_counted_too(void **state)
{
	struct policer *p = policer_of(0, 0, 1000, 50, WORKERS);
	struct policer_share sum;
	unsigned passed = 0;

	for (unsigned ms = 0; ms < 100000; ms++) {
		for (unsigned i = 0; i < 5; i++)
			passed += offer(p, i % WORKERS, 64 + 100 * i, START + ms * (HZ / 1000));
	}
	assert_within(passed, 100000, 0.001);
	policer_read(p, &sum);
	assert_int_equal(sum.passed, passed);
	assert_int_equal(sum.dropped, 500000 - passed);
	assert_int_equal(sum.passed_bytes + sum.dropped_bytes, 100000u * (5 * 64 + 1000));
	free(p);
}

/* Both limits: the tighter one holds, whatever the size of packets. */
static void the_tighter_limit_holds(void **state)
{
	static const struct {
		uint32_t bytes;
		double per_second;
	} load[] = {{100, 1000}, {125, 1000}, {250, 500}, {1250, 100}};

	for (unsigned k = 0; k < TEST_COUNT(load); k++) {
		struct policer *p = policer_of(1000000, 6000, 1000, 50, WORKERS);
		unsigned passed = 0;

		for (unsigned i = 0; i < 300000; i++)
			passed += offer(p, i % WORKERS, load[k].bytes, START + i * (HZ / 3000));
		assert_within(passed, load[k].per_second * 100, 0.005);
		free(p);
	}
}

/* After any pause a burst passes at once, and no more; credit of all workers is part of it. */
static void a_burst_is_a_burst(void **state)
{
	struct policer *p = policer_of(8000000, 100000, 0, 0, WORKERS);
	uint64_t now = START;

	for (unsigned round = 0; round < 20; round++) {
		uint64_t passed = 0;

		for (unsigned i = 0; i < 10000; i++)
			passed += offer(p, i % WORKERS, 100, now) ? 100 : 0;
		assert_true(passed <= 100000);
		assert_true(passed >= 87500 - WORKERS * 100);
		now += HZ * 3600;
	}
	free(p);
}

/* At first, when no worker holds any credit, without the share of those that are idle. */
static void one_worker_alone_has_nearly_all_of_it(void **state)
{
	struct policer *p = policer_of(8000000, 100000, 0, 0, WORKERS);
	unsigned passed = 0;

	while (offer(p, 0, 100, START))
		passed++;
	assert_in_range(passed, 875, 1000);
	free(p);
	p = policer_of(8000000, 100000, 0, 0, 1);
	assert_true(offer(p, 0, 100, START));
	for (passed = 0; offer(p, 0, 100, START + HZ); passed++)
		;
	assert_in_range(passed, 990, 1000);
	free(p);
}

/* A packet that the bucket cannot hold is not held back for ever, and the rate is the same in the long run. */
static void packets_larger_than_the_burst_pass(void **state)
{
	struct policer *p = policer_of(8000000, 1500, 0, 0, WORKERS);
	uint64_t passed = flood(p, 1000000, 9000, 60, turn_random);

	assert_within((double)passed, 60e6, 0.01);
	free(p);
}

/* The round of a worker began before control made the policer; another worker's clock is ahead. */
static void clocks_may_differ_a_little(void **state)
{
	struct policer *p = policer_of(8000000, 10000, 0, 0, 2);

	for (unsigned i = 0; i < 50; i++)
		assert_true(offer(p, 0, 100, START - 1000 + i));
	assert_true(offer(p, 1, 100, START + HZ / 1000));
	for (unsigned i = 0; i < 1000; i++)
		offer(p, i % 2, 100, START + (i % 2 ? 0 : HZ / 1000));
	assert_false(offer(p, 1, 100, START));
	assert_false(offer(p, 0, 100, START + HZ / 1000));
	free(p);
}

static void years_do_not_wear_it_out(void **state)
{
	struct policer *p = policer_of(1000000000000, 1000000, 0, 0, WORKERS);
	uint64_t now = START + 3600 * 24 * 365 * HZ, passed = 0;

	assert_true(offer(p, 0, 1000, now));
	for (unsigned i = 0; i < 1000000; i++)
		passed += offer(p, i % WORKERS, 1000, now + i * (HZ / 500000000)) ? 1000 : 0;
	/* 125 GB/s, in 5 cycles of 2.5e9 in a second that pass from one to the next */
	assert_within((double)passed, 125e9 * 1000000 * 5 / 2.5e9, 0.01);
	free(p);
}

/* ---- threads ---- */

static struct policer *shared;
static _Atomic uint64_t clock_now;
static _Atomic bool over;

static void *spend(void *arg)
{
	unsigned worker = (unsigned)(uintptr_t)arg;

	while (!atomic_load_explicit(&over, memory_order_relaxed))
		offer(shared, worker, 64 + worker * 300,
		    atomic_load_explicit(&clock_now, memory_order_relaxed));
	return NULL;
}

/*
 * While the clock is turned, as fast as everybody gets to run. The account is exact: all that passed is what the clock
 * has issued, but for credit that lies with workers.
 */
static void threads_spend_from_one_account(void **state)
{
	pthread_t thread[WORKERS];
	struct policer_share sum = {0};
	uint64_t wanted = 0;

	shared = policer_of(1000000000, 1000000, 0, 0, WORKERS);
	atomic_store(&clock_now, START);
	for (uintptr_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, spend, (void *)i), 0);
	for (unsigned step = 0; step < 200; step++) {
		atomic_fetch_add(&clock_now, HZ / 1000); /* 125,000 bytes */
		wanted += 125000;
		do
			policer_read(shared, &sum);
		while (sum.passed_bytes < wanted);
	}
	atomic_store(&over, true);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	policer_read(shared, &sum);
	assert_true(sum.passed_bytes <= wanted + 1000000);
	assert_true(sum.passed_bytes >= wanted);
	free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rate_is_held_by_any_workers),
	    cmocka_unit_test(packets_are_counted_too),
	    cmocka_unit_test(the_tighter_limit_holds),
	    cmocka_unit_test(a_burst_is_a_burst),
	    cmocka_unit_test(one_worker_alone_has_nearly_all_of_it),
	    cmocka_unit_test(packets_larger_than_the_burst_pass),
	    cmocka_unit_test(clocks_may_differ_a_little),
	    cmocka_unit_test(years_do_not_wear_it_out),
	    cmocka_unit_test(threads_spend_from_one_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
