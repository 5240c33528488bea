/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTING_H
#define TESTING_H

/*
 * What every unit test includes: cmocka with the headers it wants first, and random numbers that replay.
 *
 * A test draws from test_rng(): always the same sequence, unless TEST_SEED=N in the environment asks for
 * another one, for long searches by hand. Whoever finds a failure that way writes a test of its own for it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/ip.h"
#include "base/rng.h"

#define TEST_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline struct rng test_rng(void)
{
	const char *seed = getenv("TEST_SEED");
	struct rng rng;

	rng_init_seeded(&rng, seed ? strtoull(seed, NULL, 0) : 1);
	return rng;
}

/* Literals of a test: fail it when they do not parse. */
static inline struct ip_addr test_addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static inline struct ip_prefix test_prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

#endif
