/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/fib.h: the longest prefix wins, against a plain list; limits; groups come back. */

#include <errno.h>
#include <string.h>

#include "boundary/fib.h"
#include "testing.h"

static struct epoch *epoch;
static struct fib *fib;

static int setup(void **state)
{
	const struct fib_limits limits = {.routes = 1000, .groups = 500, .v6 = true};

	epoch = epoch_create(1);
	fib = fib_create(epoch, "test", 3, &limits);
	return fib ? 0 : -1;
}

static int teardown(void **state)
{
	fib_free(fib);
	epoch_free(epoch);
	return 0;
}

static int set(const char *text, uint32_t nexthop)
{
	struct ip_prefix p = test_prefix(text);

	return fib_set(fib, &p, nexthop);
}

static int unset(const char *text)
{
	struct ip_prefix p = test_prefix(text);

	return fib_unset(fib, &p);
}

static uint32_t look(const char *text)
{
	struct ip_addr a = test_addr(text);

	return fib_lookup_one(fib, &a);
}

static void longest_wins(void **state)
{
	assert_int_equal(look("10.1.2.3"), 0);
	assert_int_equal(set("0.0.0.0/0", 1), 0);
	assert_int_equal(set("10.0.0.0/8", 2), 0);
	assert_int_equal(set("10.1.2.3/32", 4), 0);
	assert_int_equal(set("10.1.2.0/25", 3), 0); /* a shorter one after a longer one */
	assert_int_equal(look("192.0.2.1"), 1);
	assert_int_equal(look("10.1.2.128"), 2);
	assert_int_equal(look("10.1.2.127"), 3);
	assert_int_equal(look("10.1.2.3"), 4);
	assert_int_equal(look("9.255.255.255"), 1);
	assert_int_equal(look("11.0.0.0"), 1);
	assert_int_equal(unset("10.1.2.0/25"), 0);
	assert_int_equal(look("10.1.2.127"), 2);
	assert_int_equal(look("10.1.2.3"), 4);
	assert_int_equal(unset("10.0.0.0/8"), 0);
	assert_int_equal(look("10.1.2.127"), 1);
	assert_int_equal(unset("0.0.0.0/0"), 0);
	assert_int_equal(look("10.1.2.127"), 0);
	assert_int_equal(look("10.1.2.3"), 4);
	assert_int_equal(fib->routes, 1);
}

static void longest_wins_v6(void **state)
{
	assert_int_equal(set("::/0", 1), 0);
	assert_int_equal(set("2001:db8::/32", 2), 0);
	assert_int_equal(set("2001:db8:0:1::/64", 3), 0);
	assert_int_equal(set("2001:db8:0:1::1/128", 4), 0);
	assert_int_equal(look("2001:db8:0:1::1"), 4);
	assert_int_equal(look("2001:db8:0:1::2"), 3);
	assert_int_equal(look("2001:db8:0:2::1"), 2);
	assert_int_equal(look("2001:db9::1"), 1);
	assert_int_equal(look("192.0.2.1"), 0); /* the other family has no default route */
	assert_int_equal(unset("2001:db8:0:1::/64"), 0);
	assert_int_equal(look("2001:db8:0:1::2"), 2);
	assert_int_equal(look("2001:db8:0:1::1"), 4);
	assert_int_equal(unset("2001:db8:0:1::1/128"), 0);
	assert_int_equal(look("2001:db8:0:1::1"), 2);
	assert_int_equal(fib->v6.groups_used, 1); /* of the /32 */
}

static void edges_of_the_address_space(void **state)
{
	assert_int_equal(set("0.0.0.0/1", 1), 0);
	assert_int_equal(set("128.0.0.0/1", 2), 0);
	assert_int_equal(set("255.255.255.255/32", 3), 0);
	assert_int_equal(set("0.0.0.0/32", 4), 0);
	assert_int_equal(look("0.0.0.0"), 4);
	assert_int_equal(look("0.0.0.1"), 1);
	assert_int_equal(look("127.255.255.255"), 1);
	assert_int_equal(look("128.0.0.0"), 2);
	assert_int_equal(look("255.255.255.254"), 2);
	assert_int_equal(look("255.255.255.255"), 3);
	assert_int_equal(set("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 5), 0);
	assert_int_equal(look("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 5);
	assert_int_equal(look("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), 0);
}

static void replaced(void **state)
{
	assert_int_equal(set("10.0.0.0/8", 1), 0);
	assert_int_equal(set("10.0.0.0/30", 2), 0);
	assert_int_equal(set("10.0.0.0/8", 7), 0);
	assert_int_equal(set("10.0.0.0/30", FIB_NEXTHOP_MAX), 0);
	assert_int_equal(look("10.0.0.4"), 7);
	assert_int_equal(look("10.0.0.3"), FIB_NEXTHOP_MAX);
	assert_int_equal(fib->routes, 2);
	assert_int_equal(fib->v4.groups_used, 1);
}

static void bulk(void **state)
{
	uint32_t dst[64], nexthop[64];

	set("10.0.0.0/24", 1);
	set("10.0.0.32/27", 2);
	set("0.0.0.0/0", 3);
	for (uint32_t i = 0; i < 64; i++)
		dst[i] = 0x0a000000 + 8 * i;
	fib_lookup_v4(fib, dst, nexthop, 64);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(nexthop[i], i >= 32 ? 3 : i >= 4 && i < 8 ? 2 : 1);
}

static void host_bits_do_not_matter(void **state)
{
	struct ip_prefix p = {.addr = test_addr("10.1.2.3"), .len = 16};
	uint32_t nexthop = 0;

	assert_int_equal(fib_set(fib, &p, 5), 0);
	assert_int_equal(look("10.1.255.255"), 5);
	assert_int_equal(look("10.2.0.0"), 0);
	p = test_prefix("10.1.0.0/16");
	assert_int_equal(fib_exact(fib, &p, &nexthop), 0);
	assert_int_equal(nexthop, 5);
	p.len = 17;
	assert_int_equal(fib_exact(fib, &p, &nexthop), -ENOENT);
}

static void refused(void **state)
{
	struct fib_limits limits = {.routes = 10, .groups = FIB_GROUPS_MAX + 1};
	struct ip_prefix p = test_prefix("10.0.0.0/8"), v6 = test_prefix("2001:db8::/32");
	struct fib *only_v4;

	assert_int_equal(fib_set(fib, &p, 0), -EINVAL);
	assert_int_equal(fib_set(fib, &p, FIB_NEXTHOP_MAX + 1), -EINVAL);
	assert_int_equal(fib_unset(fib, &p), -ENOENT);
	p.len = 33;
	assert_int_equal(fib_set(fib, &p, 1), -EINVAL);
	assert_null(fib_create(epoch, "x", 0, &limits));
	assert_int_equal(errno, EINVAL);
	limits.groups = 0;
	only_v4 = fib_create(epoch, "x", 0, &limits);
	assert_int_equal(fib_set(only_v4, &v6, 1), -EINVAL);
	assert_int_equal(fib_unset(only_v4, &v6), -ENOENT);
	assert_int_equal(fib_lookup_one(only_v4, &v6.addr), 0);
	p = test_prefix("10.0.0.0/25");
	assert_int_equal(fib_set(only_v4, &p, 1), -ENOSPC);
	assert_int_equal(only_v4->routes, 0);
	fib_free(only_v4);
	fib_free(NULL);
}

static void most_routes(void **state)
{
	struct ip_prefix p = {.len = 24};

	for (uint32_t i = 0; i < 1000; i++) {
		p.addr = ip_v4(i << 8);
		assert_int_equal(fib_set(fib, &p, 1), 0);
	}
	p.addr = ip_v4(1000 << 8);
	assert_int_equal(fib_set(fib, &p, 1), -ENOSPC);
	assert_int_equal(look("0.3.232.0"), 0);
	p.addr = ip_v4(999 << 8);
	assert_int_equal(fib_set(fib, &p, 2), 0); /* a replacement needs no room */
	assert_int_equal(look("0.3.231.0"), 2);
}

static void groups_run_out_and_come_back(void **state)
{
	struct ip_prefix p = {.len = 32};

	for (uint32_t i = 0; i < 500; i++) {
		p.addr = ip_v4(i << 8);
		assert_int_equal(fib_set(fib, &p, 1), 0);
	}
	p.addr = ip_v4(500 << 8);
	assert_int_equal(fib_set(fib, &p, 1), -ENOSPC);
	assert_int_equal(look("0.1.244.0"), 0);
	p.addr = ip_v4(7 << 8 | 1);
	assert_int_equal(fib_set(fib, &p, 1), 0); /* within a group that is there */
	assert_int_equal(fib_unset(fib, &p), 0);
	p.addr = ip_v4(7 << 8);
	assert_int_equal(fib_unset(fib, &p), 0);
	epoch_online(epoch, 0); /* a worker may be in the group: it must not be used again */
	p.addr = ip_v4(8 << 8);
	assert_int_equal(fib_unset(fib, &p), 0);
	assert_int_equal(fib->v4.groups_used, 498);
	p.addr = ip_v4(500 << 8);
	assert_int_equal(
	    fib_set(fib, &p, 1), 0); /* the first was given back before the worker came */
	p.addr = ip_v4(501 << 8);
	assert_int_equal(fib_set(fib, &p, 1), -ENOSPC);
	epoch_quiescent(epoch, 0);
	assert_int_equal(fib_set(fib, &p, 1), 0);
	epoch_offline(epoch, 0);
}

/* The chain of groups of an IPv6 prefix is there whole or not at all. */
static void groups_run_out_on_the_way(void **state)
{
	const struct fib_limits limits = {.routes = 10, .groups = 14, .v6 = true};
	struct fib *tight = fib_create(epoch, "tight", 1, &limits);
	struct ip_prefix far = test_prefix("2001:db8::1/128"), near = test_prefix("2001:db9::/40");
	struct ip_prefix other = test_prefix("2001:db8:0:1::1/128");

	assert_int_equal(fib_set(tight, &far, 1), 0);
	assert_int_equal(tight->v6.groups_used, 13);
	assert_int_equal(fib_set(tight, &other, 1), -ENOSPC);
	assert_int_equal(tight->v6.groups_used, 13);
	assert_int_equal(fib_lookup_one(tight, &other.addr), 0);
	assert_int_equal(fib_set(tight, &near, 2), 0);
	assert_int_equal(fib_unset(tight, &far), 0);
	assert_int_equal(tight->v6.groups_used, 2);
	assert_int_equal(fib_lookup_one(tight, &near.addr), 2);
	fib_free(tight);
}

/* Random prefixes that nest, overlap and repeat, and the addresses around their ends. */

#define PREFIXES 150

struct oracle {
	struct ip_prefix prefix[PREFIXES];
	uint32_t nexthop[PREFIXES]; /* 0: not there */
};

static struct ip_prefix nested_v4(struct rng *rng)
{
	uint32_t host = 0x0a000000 | rng_below(rng, 2) << 16 | rng_below(rng, 3) << 8;
	struct ip_addr a = ip_v4(host | rng_below(rng, 256));

	return ip_prefix_of(&a, (uint8_t)(rng_below(rng, 20) ? 12 + rng_below(rng, 21) : 0));
}

static struct ip_prefix nested_v6(struct rng *rng)
{
	uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
	struct ip_addr a;

	for (unsigned i = 3; i < 16; i++)
		if (rng_below(rng, 6) == 0)
			bytes[i] = (uint8_t)rng_u32(rng);
	a = ip_from_bytes(IP_V6, bytes);
	return ip_prefix_of(&a, (uint8_t)(rng_below(rng, 20) ? 12 + rng_below(rng, 117) : 0));
}

static uint32_t oracle_lookup(const struct oracle *o, const struct ip_addr *a)
{
	uint32_t nexthop = 0;
	int best = -1;

	for (unsigned i = 0; i < PREFIXES; i++)
		if (o->nexthop[i] && o->prefix[i].len > best && ip_prefix_has(&o->prefix[i], a)) {
			best = o->prefix[i].len;
			nexthop = o->nexthop[i];
		}
	return nexthop;
}

static void compare(const struct oracle *o)
{
	for (unsigned i = 0; i < PREFIXES; i++) {
		struct ip_range r = ip_range_of_prefix(&o->prefix[i]);
		struct ip_addr beyond = ip_next(&r.last);

		assert_int_equal(fib_lookup_one(fib, &r.first), oracle_lookup(o, &r.first));
		assert_int_equal(fib_lookup_one(fib, &r.last), oracle_lookup(o, &r.last));
		assert_int_equal(fib_lookup_one(fib, &beyond), oracle_lookup(o, &beyond));
	}
}

static void oracle_op(struct oracle *o, struct rng *rng)
{
	unsigned i = rng_below(rng, PREFIXES), first = 0;
	uint32_t nexthop = rng_below(rng, 5); /* few, so that neighbours have equal ones */

	while (!ip_prefix_eq(&o->prefix[first], &o->prefix[i]))
		first++;
	if (nexthop)
		assert_int_equal(fib_set(fib, &o->prefix[i], nexthop), 0);
	else
		assert_int_equal(fib_unset(fib, &o->prefix[i]), o->nexthop[first] ? 0 : -ENOENT);
	o->nexthop[first] = nexthop;
}

static void random_ops_match_a_list(struct ip_prefix (*nested)(struct rng *rng))
{
	struct rng rng = test_rng();
	struct oracle o = {0};
	uint32_t there = 0;

	for (unsigned i = 0; i < PREFIXES; i++)
		o.prefix[i] = nested(&rng);
	for (unsigned op = 0; op < 3000; op++) {
		oracle_op(&o, &rng);
		if (op == 1500)
			fib_calm(fib);
		if (op % 25 == 0)
			compare(&o);
	}
	compare(&o);
	for (unsigned i = 0; i < PREFIXES; i++)
		there += o.nexthop[i] != 0;
	assert_int_equal(fib->routes, there);
	for (unsigned i = 0; i < PREFIXES; i++) {
		if (o.nexthop[i])
			assert_int_equal(fib_unset(fib, &o.prefix[i]), 0);
		o.nexthop[i] = 0;
	}
	compare(&o);
	assert_int_equal(fib->routes, 0);
	epoch_flush(epoch);
	assert_int_equal(fib->v4.groups_used + fib->v6.groups_used, 0);
	assert_int_equal(fib->v4.groups_grace + fib->v6.groups_grace, 0);
}

static void random_ops_v4(void **state)
{
	random_ops_match_a_list(nested_v4);
}

static void random_ops_v6(void **state)
{
	random_ops_match_a_list(nested_v6);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(longest_wins),
	    WITH(longest_wins_v6),
	    WITH(edges_of_the_address_space),
	    WITH(replaced),
	    WITH(bulk),
	    WITH(host_bits_do_not_matter),
	    WITH(refused),
	    WITH(most_routes),
	    WITH(groups_run_out_and_come_back),
	    WITH(groups_run_out_on_the_way),
	    WITH(random_ops_v4),
	    WITH(random_ops_v6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
