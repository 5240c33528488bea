/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Learned routes: peers behind six tunnels and on three lines announce and withdraw, tunnels, links, sessions and configurations
 * come and go by chance. After each step the boundary is compared with a recomputation that knows no history; right after a
 * death, before anything was chosen anew, no packet is led into a dead tunnel or port while another one has the route.
 *
 * TEST_SEED=N and TEST_STEPS=N in the environment search elsewhere, and longer.
 */

#include <stdio.h>
#include <string.h>

#include "flows.h"
#include "learned_site.h"

#define STEPS 100000

#ifdef __SANITIZE_ADDRESS__
#	define SLOWER 10
#else
#	define SLOWER 1
#endif

/* What a change of the configuration brings and takes: a network, and nothing for any route that was learned. */
#define OTHER "  other: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"
/* Another: a policy that keeps what c2 has of one prefix out of the table. */
#define POLICY                                                                                     \
	"routing-policies: [{priority: 7, direction: ingress, source-attachment: c2, "             \
	"prefixes: [172.16.3.0/24], action: deny}]\n"
#define DENIED     3
#define BLACKHOLE  6
#define CONFIGURED 7

static const char *const confs[] = {
    SITE_ALL,
    SITE_ALL OTHER,
    SITE_ALL POLICY,
    SITE_CONFIG(SITE_C1 SITE_C2, SITE_A1 SITE_A2),
    SITE_CONFIG(SITE_C0 SITE_C1 SITE_C2S, SITE_A0 SITE_A1 SITE_A2),
};

struct play {
	struct rng rng;
	bool policy;
	struct flows flows[PREFIXES];
	unsigned steps, moved, shared, single, none, lines;
};

static struct play p;
static struct site site;

static int setup(void **state)
{
	static const uint8_t place[ENDS] = {0, 1, 2, 2, 3, 4, 5, 6, 7}; /* c1 has one */

	p = (struct play){.rng = test_rng()};
	for (unsigned k = 0; k < PREFIXES; k++)
		memcpy(p.flows[k].place, place, sizeof(place));
	site_setup(&site);
	return 0;
}

static int teardown(void **state)
{
	site_teardown(&site);
	return 0;
}

/* ---- what is expected ---- */

/* Among ends of that kind: the others are worse, or better (R6, A9). */
static bool is_of(unsigned i, enum conf_kind kind)
{
	return kind ==
	    (i < TUNNELS            ? CONF_KIND_VPN
		    : i == ENDS - 1 ? CONF_KIND_CCN
				    : CONF_KIND_VBR);
}

static bool has(unsigned i, unsigned prefix)
{
	if (!site_is_up(&site, i) || !site.end[i].session || !site.end[i].length[prefix])
		return false;
	if (p.policy && prefix == DENIED && i / 2 == 2)
		return false;
	/* X1: the first tunnel of c1 that has the route is the one that carries */
	return i != 3 || !has(2, prefix);
}

/* The best of what c1, which is configured, can do; false: nothing. */
static bool configured(char *out, size_t size)
{
	enum model_tunnel_state state[2], best;

	for (unsigned k = 0; k < 2; k++)
		state[k] = site.link[k] ? site.end[2 + k].state : MODEL_TUNNEL_DOWN;
	best = state[0] > state[1] ? state[0] : state[1];
	snprintf(out, size, "c1/%u", state[0] == best ? 1 : 2);
	return best != MODEL_TUNNEL_DOWN;
}

/* Those of the kind with the shortest path; how many. */
static unsigned best_of(enum conf_kind kind, unsigned prefix, char *out, size_t size)
{
	unsigned shortest = LENGTH_MAX + 1, n = 0;
	size_t at = 0;

	for (unsigned i = 0; i < ENDS; i++) {
		if (is_of(i, kind) && has(i, prefix) && site.end[i].length[prefix] < shortest)
			shortest = site.end[i].length[prefix];
	}
	for (unsigned i = 0; i < ENDS; i++) {
		if (!is_of(i, kind) || !has(i, prefix) || site.end[i].length[prefix] != shortest)
			continue;
		at +=
		    (size_t)snprintf(out + at, size - at, "%s%s", n++ ? " " : "", site_end_name(i));
	}
	return n;
}

static const char *expected(unsigned prefix, char *out, size_t size)
{
	unsigned n;

	if (prefix == BLACKHOLE)
		return "blackhole";
	n = best_of(CONF_KIND_VBR, prefix, out, size);
	if (!n)
		n = best_of(CONF_KIND_CCN, prefix, out, size);
	p.lines += n > 0;
	if (!n && prefix == CONFIGURED && configured(out, size))
		return out;
	if (!n)
		n = best_of(CONF_KIND_VPN, prefix, out, size);
	p.shared += n > 1;
	p.single += n == 1;
	p.none += n == 0;
	if (n)
		return out;
	if (prefix != CONFIGURED)
		return "no route";
	configured(out, size);
	return out;
}

static const char *asked(unsigned prefix)
{
	char to[IP_TEXT_MAX];

	snprintf(to, sizeof(to), "172.16.%u.9", prefix);
	return bench_ask(site.t, "asker", to);
}

static void compare_all(void)
{
	for (unsigned k = 0; k < PREFIXES; k++) {
		char text[256];
		const char *want = expected(k, text, sizeof(text)), *got = asked(k);

		if (strcmp(want, got) != 0)
			fail_msg("TEST_SEED=%s step %u: 172.16.%u.0/24 leads to \"%s\" instead of "
				 "\"%s\"",
			    getenv("TEST_SEED") ? getenv("TEST_SEED") : "1", p.steps, k, got, want);
	}
}

/* R8. Whichever of the tunnels of c1 has the route stands in the same place. */
static void check_flows(bool settled)
{
	static struct bench_buckets buckets;

	for (unsigned k = 0; k < PREFIXES; k++) {
		uint8_t owner[ECMP_BUCKETS];
		char to[IP_TEXT_MAX];

		if (k == BLACKHOLE || k == CONFIGURED)
			continue;
		if (!strchr("cl", asked(k)[0])) {
			if (settled)
				flows_gone(&p.flows[k]);
			continue;
		}
		snprintf(to, sizeof(to), "172.16.%u.9", k);
		bench_buckets(site.t, "asker", to, &buckets);
		for (unsigned b = 0; b < ECMP_BUCKETS; b++)
			owner[b] = (uint8_t)site_end_of(buckets.way[b]);
		if (!flows_check(&p.flows[k], owner, settled))
			fail_msg("TEST_SEED=%s step %u: flows to 172.16.%u.0/24 move between "
				 "members that stay, or do not come back",
			    getenv("TEST_SEED") ? getenv("TEST_SEED") : "1", p.steps, k);
	}
}

/* Not the last resort, a configured route that is down. */
static bool is_way(const char *want)
{
	char text[32];

	return configured(text, sizeof(text)) || strncmp(want, "c1", 2) != 0 || strchr(want, ' ');
}

/* Where anything living has the route, nothing leads into what is dead. */
static void assert_none_into(unsigned dead)
{
	const char *name = site_end_name(dead);
	char text[256];

	for (unsigned k = 0; k < PREFIXES; k++) {
		const char *want = expected(k, text, sizeof(text));

		if (!strpbrk(want, "/>") || strstr(want, name) || !is_way(want))
			continue;
		if (strstr(asked(k), name))
			fail_msg("step %u: 172.16.%u.0/24 leads into %s, which is dead; \"%s\" "
				 "would do",
			    p.steps, k, name, want);
		p.moved++;
	}
}

/* ---- steps ---- */

static void set_tunnel(unsigned i, enum model_tunnel_state state)
{
	bool died = site_is_up(&site, i) && state != MODEL_TUNNEL_UP;

	if (!site.end[i].there)
		return;
	site_tunnel(&site, i, state);
	if (!died)
		return;
	assert_none_into(i);
	check_flows(false);
}

static void set_link(enum site_port port, bool up)
{
	bool was[ENDS];

	for (unsigned i = 0; i < ENDS; i++)
		was[i] = site_is_up(&site, i);
	site_link(&site, port, up);
	for (unsigned i = 0; i < ENDS; i++) {
		if (was[i] && !site_is_up(&site, i))
			assert_none_into(i);
	}
	check_flows(false);
}

static void change_conf(void)
{
	unsigned next = rng_below(&p.rng, TEST_COUNT(confs));

	p.policy = next == 2;
	site_apply(&site, confs[next]);
}

static void step(void)
{
	unsigned i = rng_below(&p.rng, ENDS), dice = rng_below(&p.rng, 16);

	if (rng_below(&p.rng, 200) == 0) {
		change_conf();
	} else if (dice < 9) {
		/* what lines have hides the rest */
		unsigned length = i < TUNNELS || rng_below(&p.rng, 3) == 0
		    ? rng_below(&p.rng, LENGTH_MAX + 1)
		    : 0;

		site_announce(&site, i, rng_below(&p.rng, PREFIXES), length);
	} else if (dice < 13) {
		unsigned state = rng_below(&p.rng, 5);

		set_tunnel(i % TUNNELS, state < MODEL_TUNNEL_UP ? state : MODEL_TUNNEL_UP);
	} else if (dice < 15) {
		site_session(&site, i, rng_below(&p.rng, 3) > 0);
	} else {
		set_link(i % SITE_PORTS, rng_below(&p.rng, 3) > 0);
	}
}

static void learned_routes_match_a_recomputation(void **state)
{
	const char *steps = getenv("TEST_STEPS");
	unsigned total = steps ? (unsigned)strtoul(steps, NULL, 0) : STEPS / SLOWER;

	for (p.steps = 1; p.steps <= total; p.steps++) {
		step();
		site_settle(&site);
		compare_all();
		check_flows(true);
		assert_in_range(records_used(&site.t->b->nexthops.rec), 1, 128);
	}
	print_message("%u steps: shared %u, single %u, none %u, on lines %u; %u times a backup was "
		      "needed at once\n",
	    total, p.shared, p.single, p.none, p.lines, p.moved);
	assert_true(p.shared && p.single && p.none && p.moved && p.lines);
	print_message("flows to the first: moved %u, as ever %u, all lost and back one by one %u\n",
	    p.flows[0].moved, p.flows[0].returned, p.flows[0].revived);
	assert_true(p.flows[0].moved > total / 100 && p.flows[0].returned > total / 100);
	assert_true(p.flows[0].revived > total / 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(learned_routes_match_a_recomputation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
