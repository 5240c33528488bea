/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The decision process, step by step under the letters of RFC 4271 9.1.2.2, and against an oracle that
 * follows the text of the RFC path by path (BG-04): 100,000 random sets, each in two orders.
 */

#include "speaker.h"

#include "bgp/decide.h"
#include "bgp/set.h"

static struct bgp_sets sets;

struct sketch { /* of a path */
	uint32_t preference, med, router_id, peer, metric, age, originator;
	uint8_t origin, clusters, hops, first; /* hops of the path, all after `first` equal */
	bool has_med, has_originator, external;
};

static struct bgp_path draw(const struct sketch *k)
{
	uint8_t path[64], pref[4], med[4], id[4], clusters[64] = {0};
	struct wirebuf b = wirebuf_of(path, sizeof(path));
	struct bgp_list list = {0};
	struct wirebuf w;
	struct bgp_path out = {.peer = k->peer,
	    .router_id = k->router_id,
	    .metric = k->metric,
	    .learned_s = k->age,
	    .addr = ip_v4(0x0a000000 + k->peer),
	    .external = k->external};

	bgp_list_put(&list, (struct bgp_attr){BGP_ATTR_ORIGIN, 0x40, 1, &k->origin});
	if (k->hops) {
		wirebuf_u8(&b, BGP_AS_SEQUENCE);
		wirebuf_u8(&b, k->hops);
		for (unsigned i = 0; i < k->hops; i++)
			wirebuf_u32(&b, i == 0 ? k->first : 100);
	}
	bgp_list_put(
	    &list, (struct bgp_attr){BGP_ATTR_AS_PATH, 0x40, (uint16_t)wirebuf_len(&b), path});
	w = wirebuf_of(pref, 4);
	wirebuf_u32(&w, k->preference);
	bgp_list_put(&list, (struct bgp_attr){BGP_ATTR_LOCAL_PREF, 0x40, 4, pref});
	if (k->has_med) {
		w = wirebuf_of(med, 4);
		wirebuf_u32(&w, k->med);
		bgp_list_put(&list, (struct bgp_attr){BGP_ATTR_MED, 0x80, 4, med});
	}
	if (k->has_originator) {
		w = wirebuf_of(id, 4);
		wirebuf_u32(&w, k->originator);
		bgp_list_put(&list, (struct bgp_attr){BGP_ATTR_ORIGINATOR_ID, 0x80, 4, id});
	}
	if (k->clusters)
		bgp_list_put(&list,
		    (struct bgp_attr){
			BGP_ATTR_CLUSTER_LIST, 0x80, (uint16_t)(4 * k->clusters), clusters});
	out.attrs = bgp_set_intern(&sets, &list);
	return out;
}

static struct sketch plain(uint32_t peer)
{
	return (struct sketch){.preference = 100,
	    .router_id = peer,
	    .peer = peer,
	    .hops = 2,
	    .first = 1,
	    .external = true};
}

/* Two paths: `a` wins, and `b` is told why it lost, in whatever order they are given. */
static void wins(
    struct sketch a, struct sketch b, const struct bgp_decide_options *o, enum bgp_step step)
{
	for (int turn = 0; turn < 2; turn++) {
		struct bgp_path path[2] = {draw(turn ? &b : &a), draw(turn ? &a : &b)};

		assert_int_equal(bgp_decide(path, 2, o), 1);
		assert_int_equal(path[0].peer, a.peer);
		assert_int_equal(path[0].lost, BGP_STEP_BEST);
		assert_int_equal(path[1].lost, step);
	}
}

static const struct bgp_decide_options one = {0};

static void local_preference(void **state)
{
	struct sketch a = plain(2), b = plain(1);

	a.preference = 101;
	a.hops = 9;
	wins(a, b, &one, BGP_STEP_PREFERENCE);
}

static void step_a_as_path(void **state)
{
	struct sketch a = plain(2), b = plain(1);

	b.hops = 3;
	a.origin = 2;
	wins(a, b, &one, BGP_STEP_AS_PATH);
}

static void step_b_origin(void **state)
{
	struct sketch a = plain(2), b = plain(1);

	b.origin = BGP_ORIGIN_EGP;
	a.has_med = true;
	a.med = 5;
	wins(a, b, &one, BGP_STEP_ORIGIN);
	a.origin = BGP_ORIGIN_EGP;
	b.origin = BGP_ORIGIN_INCOMPLETE;
	wins(a, b, &one, BGP_STEP_ORIGIN);
}

static void step_c_med(void **state)
{
	const struct bgp_decide_options always = {.compare_med_always = true};
	const struct bgp_decide_options worst = {.missing_med_is_worst = true};
	struct sketch a = plain(2), b = plain(1);

	a.has_med = b.has_med = true;
	a.med = 5;
	b.med = 6;
	wins(a, b, &one, BGP_STEP_MED);
	b.first = 7; /* another neighbour AS: not compared */
	wins(b, a, &one, BGP_STEP_ROUTER_ID);
	wins(a, b, &always, BGP_STEP_MED);
	b.first = 1;
	a.has_med = false;
	wins(a, b, &one, BGP_STEP_MED); /* none is 0 */
	wins(b, a, &worst, BGP_STEP_MED);
}

/* The classic: pairwise comparison would depend on the order. */
static void step_c_in_any_order(void **state)
{
	static const unsigned order[6][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct sketch k[3] = {plain(3), plain(2), plain(1)};

	k[0].has_med = k[1].has_med = k[2].has_med = true;
	k[0].first = k[2].first = 1;
	k[1].first = 2;
	k[0].med = 10;
	k[2].med = 20; /* lowest router ID, but loses to k[0] in its AS */
	for (unsigned i = 0; i < 6; i++) {
		struct bgp_path path[3];

		for (unsigned n = 0; n < 3; n++)
			path[n] = draw(&k[order[i][n]]);
		assert_int_equal(bgp_decide(path, 3, &one), 1);
		assert_int_equal(path[0].peer, 2);
	}
}

static void step_d_external(void **state)
{
	struct sketch a = plain(2), b = plain(1);

	b.external = false;
	a.metric = 9;
	wins(a, b, &one, BGP_STEP_EXTERNAL);
}

static void step_e_metric(void **state)
{
	struct sketch a = plain(2), b = plain(1);

	b.metric = 1;
	wins(a, b, &one, BGP_STEP_METRIC);
}

static void option_oldest(void **state)
{
	const struct bgp_decide_options oldest = {.prefer_oldest = true};
	struct sketch a = plain(2), b = plain(1);

	a.age = 10;
	b.age = 20;
	wins(a, b, &oldest, BGP_STEP_AGE);
	wins(b, a, &one, BGP_STEP_ROUTER_ID);
	a.external = b.external = false;
	wins(b, a, &oldest, BGP_STEP_ROUTER_ID);
}

static void step_f_router_id(void **state)
{
	struct sketch a = plain(1), b = plain(2);

	wins(a, b, &one, BGP_STEP_ROUTER_ID);
	b.has_originator = true;
	b.originator = 0;
	wins(b, a, &one, BGP_STEP_ROUTER_ID);
}

static void step_f_cluster_list(void **state)
{
	struct sketch a = plain(2), b = plain(1);

	b.router_id = a.router_id = 7;
	b.clusters = 2;
	a.clusters = 1;
	wins(a, b, &one, BGP_STEP_CLUSTER);
}

static void step_g_address(void **state)
{
	struct sketch a = plain(1), b = plain(2);

	b.router_id = a.router_id = 7;
	wins(a, b, &one, BGP_STEP_ADDRESS);
}

/* ---- multipath ---- */

static void multipath(void **state)
{
	struct bgp_decide_options o = {.max_paths = 16};
	struct bgp_path path[24];
	struct sketch k;

	for (unsigned i = 0; i < 20; i++) {
		k = plain(20 - i);
		path[i] = draw(&k);
	}
	k = plain(30);
	k.metric = 5;
	path[20] = draw(&k);
	assert_int_equal(bgp_decide(path, 21, &o), 16);
	for (unsigned i = 0; i < 16; i++) { /* the best, then in the order of steps f and g */
		assert_int_equal(path[i].peer, i + 1);
		assert_int_equal(path[i].lost, i ? BGP_STEP_MULTIPATH : BGP_STEP_BEST);
	}
	for (unsigned i = 16; i < 20; i++)
		assert_int_equal(path[i].lost, BGP_STEP_MULTIPATH_LIMIT);
	assert_int_equal(path[20].lost, BGP_STEP_METRIC);
	o.max_paths = 64;
	assert_int_equal(bgp_decide(path, 21, &o), 20);
}

static void multipath_of_other_paths(void **state)
{
	struct bgp_decide_options o = {.max_paths = 16};
	struct sketch k[3] = {plain(1), plain(2), plain(3)};
	struct bgp_path path[3];

	k[1].first = 9;
	for (unsigned i = 0; i < 3; i++)
		path[i] = draw(&k[i]);
	assert_int_equal(bgp_decide(path, 3, &o), 2);
	assert_int_equal(path[0].peer, 1);
	assert_int_equal(path[1].peer, 3);
	assert_int_equal(path[2].peer, 2);
	assert_int_equal(path[2].lost, BGP_STEP_MULTIPATH_PATH);
	o.relax_as_path = true;
	assert_int_equal(bgp_decide(path, 3, &o), 3);
}

/* ---- the oracle ---- */

static uint32_t oracle_med(const struct sketch *k, const struct bgp_decide_options *o)
{
	return k->has_med ? k->med : o->missing_med_is_worst ? UINT32_MAX : 0;
}

static bool oracle_same_as(const struct sketch *a, const struct sketch *b)
{
	return (a->hops ? a->first : 0) == (b->hops ? b->first : 0);
}

/* One round of "remove from consideration all routes for which another one is better". */
#define REMOVE(other_is_better)                                                                    \
	do {                                                                                       \
		bool gone[16] = {false};                                                           \
		for (unsigned m = 0; m < n; m++)                                                   \
			for (unsigned r = 0; r < n; r++) {                                         \
				const struct sketch *a = &k[m], *b = &k[r];                        \
				if (in[m] && in[r] && (other_is_better))                           \
					gone[m] = true;                                            \
			}                                                                          \
		for (unsigned m = 0; m < n; m++)                                                   \
			in[m] = in[m] && !gone[m];                                                 \
	} while (0)

static uint32_t oracle_id(const struct sketch *k)
{
	return k->has_originator ? k->originator : k->router_id;
}

/* Number of the best peer; in[] says who survived step e. */
static uint32_t oracle(
    const struct sketch *k, unsigned n, const struct bgp_decide_options *o, bool in[16])
{
	bool equal[16];

	for (unsigned i = 0; i < n; i++)
		in[i] = true;
	REMOVE(b->preference > a->preference);
	REMOVE(b->hops < a->hops);
	REMOVE(b->origin < a->origin);
	REMOVE(
	    (o->compare_med_always || oracle_same_as(a, b)) && oracle_med(b, o) < oracle_med(a, o));
	REMOVE(b->external && !a->external);
	REMOVE(b->metric < a->metric);
	memcpy(equal, in, sizeof(equal));
	if (o->prefer_oldest)
		REMOVE(a->external && b->external && b->age < a->age);
	REMOVE(oracle_id(b) < oracle_id(a));
	REMOVE(b->clusters < a->clusters);
	REMOVE(b->peer < a->peer);
	for (unsigned i = 0; i < n; i++) {
		if (!in[i])
			continue;
		memcpy(in, equal, sizeof(equal));
		return k[i].peer;
	}
	return 0;
}

static void shuffle(struct sketch *k, unsigned n, struct rng *rng)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned with = rng_below(rng, i);
		struct sketch t = k[i - 1];

		k[i - 1] = k[with];
		k[with] = t;
	}
}

static void check_against_oracle(
    struct sketch *k, unsigned n, const struct bgp_decide_options *o, uint32_t *members)
{
	struct bgp_path path[16];
	bool equal[16];
	uint32_t best = oracle(k, n, o, equal);
	unsigned used, same = 0;

	for (unsigned i = 0; i < n; i++) {
		path[i] = draw(&k[i]);
		same += equal[i];
	}
	used = bgp_decide(path, n, o);
	assert_int_equal(path[0].peer, best);
	if (o->max_paths > 1 && o->relax_as_path)
		assert_int_equal(used, same < o->max_paths ? same : o->max_paths);
	else if (o->max_paths <= 1)
		assert_int_equal(used, 1);
	*members = 0;
	for (unsigned i = 0; i < used; i++)
		*members |= 1u << path[i].peer;
	for (unsigned i = 0; i < n; i++)
		bgp_set_unref(&sets, (struct bgp_attrs *)path[i].attrs);
}

static void random_sets(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 100000; round++) {
		struct bgp_decide_options o = {.compare_med_always = rng_below(&rng, 4) == 0,
		    .missing_med_is_worst = rng_below(&rng, 4) == 0,
		    .prefer_oldest = rng_below(&rng, 4) == 0,
		    .relax_as_path = rng_below(&rng, 2),
		    .max_paths = rng_below(&rng, 5)};
		unsigned n = 1 + rng_below(&rng, 9);
		uint32_t first, second;
		struct sketch k[16];

		for (unsigned i = 0; i < n; i++)
			k[i] = (struct sketch){.preference = 100 + rng_below(&rng, 2),
			    .med = rng_below(&rng, 3),
			    .router_id = rng_below(&rng, 3),
			    .peer = 1 + i,
			    .metric = rng_below(&rng, 2),
			    .age = rng_below(&rng, 3),
			    .originator = rng_below(&rng, 3),
			    .origin = (uint8_t)rng_below(&rng, 2),
			    .clusters = (uint8_t)rng_below(&rng, 2),
			    .hops = (uint8_t)(1 + rng_below(&rng, 2)),
			    .first = (uint8_t)(1 + rng_below(&rng, 2)),
			    .has_med = rng_below(&rng, 3) > 0,
			    .has_originator = rng_below(&rng, 4) == 0,
			    .external = rng_below(&rng, 3) > 0};
		check_against_oracle(k, n, &o, &first);
		shuffle(k, n, &rng);
		check_against_oracle(k, n, &o, &second);
		assert_int_equal(first, second);
	}
	assert_int_equal(sets.count, 0);
}

static int setup(void **state)
{
	bgp_sets_init(&sets, 9);
	return 0;
}

static int teardown(void **state)
{
	bgp_sets_fini(&sets);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(local_preference),
	    TEST(step_a_as_path),
	    TEST(step_b_origin),
	    TEST(step_c_med),
	    TEST(step_c_in_any_order),
	    TEST(step_d_external),
	    TEST(step_e_metric),
	    TEST(option_oldest),
	    TEST(step_f_router_id),
	    TEST(step_f_cluster_list),
	    TEST(step_g_address),
	    TEST(multipath),
	    TEST(multipath_of_other_paths),
	    TEST(random_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
