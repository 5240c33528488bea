/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/punt.h: the rate of each class, kept apart from the others, in turned time; full rings. */

#include <errno.h>

#include <rte_cycles.h>

#include "boundary/punt.h"
#include "testing_eal.h"

static const struct {
	uint32_t rate, burst;
} classes[PUNT_CLASS_COUNT] = {
#define X(e, n, rate, burst) [e] = {rate, burst},
    PUNT_CLASS_LIST(X)
#undef X
};

static struct punt *punt;
static uint64_t hz;

static int setup(void **state)
{
	hz = rte_get_tsc_hz();
	punt = punt_create(2, 4095);
	return punt ? 0 : -1;
}

static int teardown(void **state)
{
	punt_free(punt);
	test_packets_all_home();
	return 0;
}

/* Offers one packet and drains the ring, so that the rate alone decides. */
static int offer(unsigned worker, enum punt_class c, uint64_t now)
{
	struct rte_mbuf *m = test_packet(), *taken = NULL;
	int rc = punt_put(punt, worker, c, m, now);

	if (rc == 0) {
		assert_int_equal(punt_take(punt, c, &taken, 1), 1);
		assert_ptr_equal(taken, m);
		assert_int_equal(pkt_meta(m)->punt_class, c);
	} else {
		assert_int_equal(punt_refusal(rc), DROP_PUNT_LIMITED);
	}
	rte_pktmbuf_free(m);
	return rc == 0;
}

static unsigned offer_many(unsigned worker, enum punt_class c, uint64_t now, unsigned n)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++)
		passed += (unsigned)offer(worker, c, now);
	return passed;
}

/* Of one ingress. */
static unsigned rate_of(enum punt_class c)
{
	return c == PUNT_BGP ? PUNT_SOURCE_RATE : classes[c].rate;
}

static unsigned burst_of(enum punt_class c)
{
	return c == PUNT_BGP ? PUNT_SOURCE_BURST : classes[c].burst;
}

static void burst_then_rate(void **state)
{
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		const unsigned rate = rate_of(c), burst = burst_of(c);
		uint64_t now = 1000 * hz;

		assert_int_equal(offer_many(0, c, now, burst + 50), burst);
		/* one more with each 1/rate of a second */
		for (unsigned i = 0; i < 20; i++) {
			now += hz / rate;
			assert_int_equal(offer_many(0, c, now, 3), 1);
		}
		assert_int_equal(offer_many(0, c, now + hz / rate / 2, 3), 0);
		/* a long rest gives no more than the burst */
		assert_int_equal(offer_many(0, c, now + 3600 * hz, burst + 50), burst);
	}
}

static void rate_over_seconds(void **state)
{
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		const unsigned steps = 2000, seconds = 2;
		const unsigned rate = rate_of(c), burst = burst_of(c);
		uint64_t now = 1000 * hz;
		unsigned passed = offer_many(0, c, now, burst + 1);

		for (unsigned i = 0; i < steps; i++) {
			now += seconds * hz / steps;
			passed += offer_many(0, c, now, 3 * rate * seconds / steps + 1);
		}
		assert_in_range(passed, burst + seconds * rate - 2, burst + seconds * rate + 2);
	}
}

static int offer_from(uint32_t tunnel, uint16_t iface, uint64_t now)
{
	struct rte_mbuf *m = test_packet(), *taken = NULL;
	int rc;

	pkt_meta(m)->tunnel = tunnel;
	pkt_meta(m)->iface = iface;
	rc = punt_put(punt, 0, PUNT_BGP, m, now);
	if (rc == 0)
		assert_int_equal(punt_take(punt, PUNT_BGP, &taken, 1), 1);
	rte_pktmbuf_free(m);
	return rc == 0;
}

/* A tunnel that is flooded has its own burst and rate; sessions elsewhere get theirs. */
static void bgp_of_one_ingress_does_not_starve_another(void **state)
{
	uint64_t now = 1000 * hz;
	unsigned flood = 0, others = 0;

	for (unsigned ms = 0; ms < 500; ms++, now += hz / 1000) {
		for (unsigned i = 0; i < 400; i++) /* 400,000 a second */
			flood += (unsigned)offer_from(1, 0, now);
		others += (unsigned)offer_from(2, 0, now) + (unsigned)offer_from(0, 1, now);
	}
	assert_int_equal(others, 2 * 500);
	assert_in_range(flood, PUNT_SOURCE_RATE / 2, PUNT_SOURCE_RATE / 2 + PUNT_SOURCE_BURST + 1);
}

static void bgp_of_all_has_a_rate_too(void **state)
{
	uint64_t now = 1000 * hz;
	unsigned passed = 0;

	for (unsigned ms = 0; ms < 500; ms++, now += hz / 1000) {
		for (unsigned i = 0; i < 320; i++) /* 16 tunnels with 20,000 a second each */
			passed += (unsigned)offer_from(1 + i % 16, 0, now);
	}
	assert_in_range(passed, classes[PUNT_BGP].rate / 2,
	    classes[PUNT_BGP].rate / 2 + classes[PUNT_BGP].burst + 1);
}

static void classes_and_workers_are_apart(void **state)
{
	uint64_t now = 1000 * hz;

	offer_many(0, PUNT_IKE_INIT, now, 3 * classes[PUNT_IKE_INIT].burst);
	assert_int_equal(offer(0, PUNT_IKE_INIT, now), 0);
	assert_int_equal(offer_many(0, PUNT_IKE_KNOWN, now, 500), 500);
	assert_int_equal(offer_many(1, PUNT_IKE_INIT, now, 500), 500);
}

static void a_clock_that_steps_back_gives_nothing(void **state)
{
	uint64_t now = 1000 * hz;

	offer_many(0, PUNT_TRAP, now, classes[PUNT_TRAP].burst);
	assert_int_equal(offer(0, PUNT_TRAP, now - 5 * hz), 0);
	assert_int_equal(offer_many(0, PUNT_TRAP, now + hz, 1000), classes[PUNT_TRAP].burst);
}

static void counts(void **state)
{
	uint64_t passed, limited, full;

	offer_many(0, PUNT_TRAP, hz, classes[PUNT_TRAP].burst + 7);
	offer_many(1, PUNT_TRAP, hz, 10);
	punt_counts(punt, PUNT_TRAP, &passed, &limited, &full);
	assert_int_equal(passed, classes[PUNT_TRAP].burst + 10);
	assert_int_equal(limited, 7);
	assert_int_equal(full, 0);
	punt_counts(punt, PUNT_HOST, &passed, &limited, &full);
	assert_int_equal(passed + limited + full, 0);
}

static void a_full_ring_refuses_and_charges_nothing(void **state)
{
	struct punt *small = punt_create(1, 15);
	struct rte_mbuf *m[16], *extra = test_packet();
	uint64_t passed, limited, full;
	int rc;

	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(punt_put(small, 0, PUNT_TRAP, test_packet(), hz), 0);
	for (unsigned i = 0; i < 100; i++) { /* more than the burst: a token is not lost by it */
		rc = punt_put(small, 0, PUNT_TRAP, extra, hz);
		assert_int_equal(punt_refusal(rc), DROP_PUNT_FULL);
	}
	assert_int_equal(punt_put(small, 0, PUNT_HOST, test_packet(), hz), 0); /* its own ring */
	assert_int_equal(punt_take(small, PUNT_TRAP, m, 16), 15);
	assert_int_equal(punt_put(small, 0, PUNT_TRAP, extra, hz), 0);
	punt_counts(small, PUNT_TRAP, &passed, &limited, &full);
	assert_int_equal(passed, 16);
	assert_int_equal(limited, 0);
	assert_int_equal(full, 100);
	rte_pktmbuf_free_bulk(m, 15);
	punt_free(small); /* frees the two that wait */
	test_packets_all_home();
}

static void how_long_a_request_waited(void **state)
{
	const uint64_t step = UINT64_C(1) << PUNT_CLOCK_SHIFT, wrap = step << 32;
	const uint64_t at[] = {7 * hz, wrap - hz, 5 * wrap + 1};
	struct rte_mbuf *m = test_packet(), *taken;

	for (unsigned i = 0; i < TEST_COUNT(at); i++) {
		assert_int_equal(punt_put(punt, 1, PUNT_IKE_INIT, m, at[i]), 0);
		assert_int_equal(punt_take(punt, PUNT_IKE_INIT, &taken, 1), 1);
		assert_int_equal(punt_waited(m, at[i]), 0);
		assert_in_range(punt_waited(m, at[i] + 3 * hz), 3 * hz - step, 3 * hz + step);
		assert_int_equal(punt_waited(m, at[i] - 2 * step), 0); /* clocks of two CPUs */
	}
	rte_pktmbuf_free(m);
}

static void names_and_sizes(void **state)
{
	assert_string_equal(punt_class_name(PUNT_IKE_KNOWN), "ike");
	assert_string_equal(punt_class_name(PUNT_CLASS_COUNT), "unknown");
	assert_null(punt_create(0, 16));
	assert_int_equal(errno, EINVAL);
	assert_null(punt_create(1, 1u << 31));
	punt_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(burst_then_rate, setup, teardown),
	    cmocka_unit_test_setup_teardown(rate_over_seconds, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		bgp_of_one_ingress_does_not_starve_another, setup, teardown),
	    cmocka_unit_test_setup_teardown(bgp_of_all_has_a_rate_too, setup, teardown),
	    cmocka_unit_test_setup_teardown(classes_and_workers_are_apart, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_clock_that_steps_back_gives_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(counts, setup, teardown),
	    cmocka_unit_test(a_full_ring_refuses_and_charges_nothing),
	    cmocka_unit_test_setup_teardown(how_long_a_request_waited, setup, teardown),
	    cmocka_unit_test(names_and_sizes),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
