/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * boundary/fib.h under a reader: while prefixes longer than /24 come and go and their groups are taken and
 * given back, each lookup gives the old or the new answer of its address, never another, never none.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "boundary/fib.h"
#include "testing.h"

#define SITES    16  /* /24 in IPv4, /40 in IPv6 */
#define PARTS    4   /* longer prefixes in each */
#define BASE     7   /* answer of the prefix around all */
#define SPECIFIC 100 /* + site: answer of the longer prefixes of a site */
#define CHANGES  200000

static struct epoch *epoch;
static struct fib *fib;
static _Atomic bool started, stop;
static _Atomic uint64_t rounds, wrong;

static int setup(void **state)
{
	/* fewer groups than sites: each is used over and over */
	const struct fib_limits limits = {.routes = 1000, .groups = 10, .v6 = true};

	epoch = epoch_create(1);
	fib = fib_create(epoch, "churn", 1, &limits);
	started = stop = false;
	rounds = wrong = 0;
	return fib ? 0 : -1;
}

static int teardown(void **state)
{
	fib_free(fib);
	epoch_free(epoch);
	return 0;
}

static struct ip_addr address(uint8_t family, unsigned site, unsigned part)
{
	const uint8_t v6[16] = {0x20, 0x01, 0x0d, (uint8_t)site, (uint8_t)(part * 64 + 3)};
	const uint8_t v4[4] = {10, 0, (uint8_t)site, (uint8_t)(part * 64 + 3)};

	return ip_from_bytes(family, family == IP_V4 ? v4 : v6);
}

static struct ip_prefix specific(uint8_t family, unsigned site, unsigned part)
{
	struct ip_addr a = address(family, site, part);

	return ip_prefix_of(&a, family == IP_V4 ? 28 : 36);
}

static void look(uint8_t family, uint32_t nexthop[SITES * PARTS])
{
	static uint32_t v4[SITES * PARTS];
	static struct ip_addr v6[SITES * PARTS];
	static const uint8_t *dst[SITES * PARTS];

	if (!rounds) {
		for (unsigned i = 0; i < SITES * PARTS; i++) {
			struct ip_addr a = address(IP_V4, i / PARTS, i % PARTS);

			v4[i] = ip_v4_host(&a);
			v6[i] = address(IP_V6, i / PARTS, i % PARTS);
			dst[i] = v6[i].bytes;
		}
	}
	if (family == IP_V4)
		fib_lookup_v4(fib, v4, nexthop, SITES * PARTS);
	else
		fib_lookup_v6(fib, dst, nexthop, SITES * PARTS);
}

static void *reader(void *arg)
{
	uint8_t family = (uint8_t)(uintptr_t)arg;
	uint32_t nexthop[SITES * PARTS];

	epoch_online(epoch, 0);
	started = true;
	while (!stop) {
		epoch_quiescent(epoch, 0);
		look(family, nexthop);
		for (unsigned i = 0; i < SITES * PARTS; i++)
			if (nexthop[i] != BASE && nexthop[i] != SPECIFIC + i / PARTS)
				wrong++;
		rounds++;
	}
	epoch_offline(epoch, 0);
	return NULL;
}

static void churn(uint8_t family, const char *around, bool by_default)
{
	struct ip_prefix base = test_prefix(around);
	struct rng rng = test_rng();
	struct mono end = mono_add(mono_now(), DUR_MS(1500)); /* when the CPUs are busy */
	unsigned refused = 0, changes;
	pthread_t thread;

	assert_int_equal(fib_set(fib, &base, BASE), 0);
	assert_int_equal(pthread_create(&thread, NULL, reader, (void *)(uintptr_t)family), 0);
	while (!started)
		sched_yield();
	for (changes = 0; changes < CHANGES && mono_before(mono_now(), end); changes++) {
		unsigned site = rng_below(&rng, SITES);
		struct ip_prefix p = specific(family, site, rng_below(&rng, PARTS));
		uint32_t there;

		if (fib_exact(fib, &p, &there) == 0)
			assert_int_equal(fib_unset(fib, &p), 0);
		else
			refused += fib_set(fib, &p, SPECIFIC + site) != 0;
		if (by_default &&
		    changes % 4 == 0) { /* the default route and a cover trade places */
			struct ip_prefix all = test_prefix(family == IP_V4 ? "0.0.0.0/0" : "::/0");

			assert_int_equal(fib_set(fib, &all, BASE), 0);
			assert_int_equal(fib_unset(fib, &base), 0);
			assert_int_equal(fib_set(fib, &all, BASE), 0);
			assert_int_equal(fib_set(fib, &base, BASE), 0);
			assert_int_equal(fib_set(fib, &all, 9999), 0); /* hidden by the cover */
		}
		epoch_reclaim(epoch);
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	assert_true(rounds > 10);
	assert_true(refused < changes / 2); /* most changes did happen */
}

static void groups_come_and_go_v4(void **state)
{
	churn(IP_V4, "10.0.0.0/8", false);
}

static void groups_come_and_go_v6(void **state)
{
	churn(IP_V6, "2001:c00::/23", false);
}

static void the_default_route_trades_with_a_cover_v4(void **state)
{
	churn(IP_V4, "10.0.0.0/16", true);
}

static void the_default_route_trades_with_a_cover_v6(void **state)
{
	churn(IP_V6, "2001:d00::/24", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(groups_come_and_go_v4, setup, teardown),
	    cmocka_unit_test_setup_teardown(groups_come_and_go_v6, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_default_route_trades_with_a_cover_v4, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_default_route_trades_with_a_cover_v6, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
