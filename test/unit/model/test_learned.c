/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Learned routes: peers behind six tunnels announce and withdraw, tunnels, links, sessions and configurations come and go by chance.
 * After each step the boundary is compared with a recomputation that knows no history; right after a death, before
 * anything was chosen anew, no packet is led into a dead tunnel while another one has the route.
 *
 * TEST_SEED=N and TEST_STEPS=N in the environment search elsewhere, and longer.
 */

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "bgp/speaker.h"
#include "flows.h"

#define TUNNELS    6
#define PREFIXES   8
#define LENGTH_MAX 3
#define MANY       3000
#define STEPS      100000

#ifdef __SANITIZE_ADDRESS__
#	define SLOWER 10
#else
#	define SLOWER 1
#endif

/* c1 has a configured route to 172.16.7.0/24, and nobody can take 172.16.6.0/24 from its blackhole. */
#define CONFIG                                                                                     \
	BENCH_SITE                                                                                 \
	"route-tables: {default: {routes: [{prefix: 172.16.6.0/24, blackhole: yes}]}}\n"           \
	"vpn-connections:\n"                                                                       \
	"  c0: {" BENCH_PAIR "}\n"                                                                 \
	"  c1: {ha: active-standby, " BENCH_PAIR "}\n"                                             \
	"  c2: {" BENCH_PAIR "}\n"                                                                 \
	"attachments:\n"                                                                           \
	"  c0: {kind: vpn, connection: c0}\n"                                                      \
	"  c1: {kind: vpn, connection: c1, routes: [{prefix: 172.16.7.0/24}]}\n"                   \
	"  c2: {kind: vpn, connection: c2}\n"                                                      \
	"  asker: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
/* What a change of the configuration brings and takes: a network, and nothing for any route that was learned. */
#define OTHER "  other: {kind: vpc, port: lan0, vlan: 20, address: 10.2.0.1/16}\n"
/* Another: a policy that keeps what c2 has of one prefix out of the table. */
#define POLICY                                                                                     \
	"routing-policies: [{priority: 7, direction: ingress, source-attachment: c2, "             \
	"prefixes: [172.16.3.0/24], action: deny}]\n"
#define DENIED     3
#define BLACKHOLE  6
#define CONFIGURED 7

struct far_end { /* of a tunnel, as it really is */
	const struct model_tunnel *tunnel;
	enum model_tunnel_state state;
	bool session;
	unsigned length[PREFIXES]; /* of the AS path it announced; 0: nothing */
};

struct play {
	struct bench *t;
	struct speaker s;
	struct rng rng;
	struct far_end end[TUNNELS];
	bool link[2], policy;
	struct flows flows[PREFIXES];
	unsigned steps, moved, shared, single, none;
};

static struct play p;

static unsigned peer_of(unsigned i)
{
	return model_peer_of_tunnel(p.end[i].tunnel);
}

static int setup(void **state)
{
	const struct model_tunnel **all;
	void *bench;

	p = (struct play){.rng = test_rng(), .link = {true, true}};
	assert_int_equal(bench_setup(&bench), 0);
	p.t = bench;
	speaker_init(&p.s);
	model_set_bgp(p.t->m, p.s.engine);
	bench_apply(p.t, CONFIG);
	assert_int_equal(model_tunnels(p.t->m, &all), TUNNELS);
	for (unsigned i = 0; i < TUNNELS; i++) {
		unsigned number =
		    (unsigned)(2 * (all[i]->name[1] - '0')) + all[i]->conf->number - 1u;

		for (unsigned k = 0; k < PREFIXES; k++)
			p.flows[k].place[number] = (uint8_t)(number == 3 ? 2 : number);
		p.end[number] =
		    (struct far_end){.tunnel = all[i], .state = MODEL_TUNNEL_UP, .session = true};
	}
	for (unsigned i = 0; i < TUNNELS; i++)
		speaker_up(&p.s, peer_of(i));
	model_peers_changed(p.t->m);
	bench_tunnels(p.t, MODEL_TUNNEL_UP);
	return 0;
}

static int teardown(void **state)
{
	void *bench = p.t;

	bench_teardown(&bench);
	speaker_fini(&p.s);
	log_set_sink(NULL, NULL);
	return 0;
}

static void settle(void)
{
	do
		speaker_run(&p.s);
	while (model_learn(p.t->m, UINT32_MAX));
	epoch_reclaim(p.t->b->epoch);
}

/* ---- what is expected ---- */

static bool is_up(unsigned i)
{
	return p.end[i].state == MODEL_TUNNEL_UP && p.link[i % 2]; /* first tunnels leave by wan0 */
}

static bool has(unsigned i, unsigned prefix)
{
	if (!is_up(i) || !p.end[i].session || !p.end[i].length[prefix])
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
		state[k] = p.link[k] ? p.end[2 + k].state : MODEL_TUNNEL_DOWN;
	best = state[0] > state[1] ? state[0] : state[1];
	snprintf(out, size, "c1/%u", state[0] == best ? 1 : 2);
	return best != MODEL_TUNNEL_DOWN;
}

static const char *expected(unsigned prefix, char *out, size_t size)
{
	unsigned shortest = LENGTH_MAX + 1, n = 0;
	char last[32];
	size_t at = 0;

	if (prefix == BLACKHOLE)
		return "blackhole";
	if (prefix == CONFIGURED && configured(out, size))
		return out;
	for (unsigned i = 0; i < TUNNELS; i++) {
		if (has(i, prefix) && p.end[i].length[prefix] < shortest)
			shortest = p.end[i].length[prefix];
	}
	for (unsigned i = 0; i < TUNNELS; i++) {
		if (!has(i, prefix) || p.end[i].length[prefix] != shortest)
			continue;
		at += (size_t)snprintf(
		    out + at, size - at, "%sc%u/%u", n++ ? " " : "", i / 2, i % 2 + 1);
	}
	p.shared += n > 1;
	p.single += n == 1;
	p.none += n == 0;
	if (n)
		return out;
	if (prefix != CONFIGURED)
		return "no route";
	configured(last, sizeof(last));
	snprintf(out, size, "%s", last);
	return out;
}

static const char *asked(unsigned prefix)
{
	char to[IP_TEXT_MAX];

	snprintf(to, sizeof(to), "172.16.%u.9", prefix);
	return bench_ask(p.t, "asker", to);
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
		if (asked(k)[0] != 'c') {
			if (settled)
				flows_gone(&p.flows[k]);
			continue;
		}
		snprintf(to, sizeof(to), "172.16.%u.9", k);
		bench_buckets(p.t, "asker", to, &buckets);
		for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
			const char *way = buckets.way[b];

			owner[b] = (uint8_t)(2 * (way[1] - '0') + way[3] - '1');
		}
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

/* Where anything living has the route, nothing leads into a dead tunnel. */
static void assert_none_into(unsigned dead)
{
	char name[32], text[256];

	snprintf(name, sizeof(name), "c%u/%u", dead / 2, dead % 2 + 1);
	for (unsigned k = 0; k < PREFIXES; k++) {
		const char *want = expected(k, text, sizeof(text));

		if (!strchr(want, '/') || strstr(want, name) || !is_way(want))
			continue;
		if (strstr(asked(k), name))
			fail_msg("step %u: 172.16.%u.0/24 leads into %s, which is dead; \"%s\" "
				 "would do",
			    p.steps, k, name, want);
		p.moved++;
	}
}

/* ---- steps ---- */

static const char *attributes(unsigned peer, unsigned length)
{
	static char hex[256];
	int at = snprintf(hex, sizeof(hex), "400101 00 4002%02x 02%02x", 2 + 4 * length, length);

	for (unsigned k = 0; k < length; k++)
		at += snprintf(hex + at, sizeof(hex) - (size_t)at, " %08x", PEER_AS(peer));
	snprintf(hex + at, sizeof(hex) - (size_t)at, " 400304 0a0000%02x", peer);
	return hex;
}

static void announce(unsigned i, unsigned prefix, unsigned length)
{
	char nlri[16];

	snprintf(nlri, sizeof(nlri), "18 ac10%02x", prefix);
	if (!p.end[i].session)
		return;
	if (length)
		speaker_update(&p.s, peer_of(i), "", attributes(peer_of(i), length), nlri);
	else
		speaker_update(&p.s, peer_of(i), nlri, "", "");
	p.end[i].length[prefix] = length;
}

static void set_session(unsigned i, bool up)
{
	if (p.end[i].session == up)
		return;
	p.end[i].session = up;
	if (up) {
		bgp_peer_start(p.s.engine, p.s.now, peer_of(i));
		speaker_run(&p.s);
		speaker_establish(&p.s, peer_of(i), CAP_REFRESH);
		return;
	}
	bgp_peer_stop(p.s.engine, p.s.now, peer_of(i), BGP_CEASE_SHUTDOWN, NULL);
	memset(p.end[i].length, 0, sizeof(p.end[i].length));
}

static void set_tunnel(unsigned i, enum model_tunnel_state state)
{
	bool died = is_up(i) && state != MODEL_TUNNEL_UP;

	p.end[i].state = state;
	model_tunnel_set(p.t->m, p.end[i].tunnel->index, state);
	if (!died)
		return;
	assert_none_into(i);
	check_flows(false);
}

static void step(void)
{
	if (rng_below(&p.rng, 200) == 0) {
		static const char *const conf[] = {CONFIG, CONFIG OTHER, CONFIG POLICY};
		unsigned next = rng_below(&p.rng, TEST_COUNT(conf));

		p.policy = next == 2;
		bench_apply(p.t, conf[next]);
		return;
	}
	unsigned i = rng_below(&p.rng, TUNNELS), dice = rng_below(&p.rng, 16);

	if (dice < 9) {
		announce(i, rng_below(&p.rng, PREFIXES), rng_below(&p.rng, LENGTH_MAX + 1));
	} else if (dice < 13) {
		unsigned state = rng_below(&p.rng, 5);

		set_tunnel(i, state < MODEL_TUNNEL_UP ? state : MODEL_TUNNEL_UP);
	} else if (dice < 15) {
		set_session(i, rng_below(&p.rng, 3) > 0);
	} else {
		p.link[i % 2] = rng_below(&p.rng, 3) > 0;
		atomic_store(&p.t->port[i % 2].link_up, p.link[i % 2]);
		bench_link(p.t, i % 2 ? "wan1" : "wan0", p.link[i % 2]);
	}
}

static void learned_routes_match_a_recomputation(void **state)
{
	const char *steps = getenv("TEST_STEPS");
	unsigned total = steps ? (unsigned)strtoul(steps, NULL, 0) : STEPS / SLOWER;

	for (p.steps = 1; p.steps <= total; p.steps++) {
		step();
		settle();
		compare_all();
		check_flows(true);
		assert_in_range(records_used(&p.t->b->nexthops.rec), 1, 128);
	}
	print_message("%u steps: shared %u, single %u, none %u; %u times a backup was needed at "
		      "once\n",
	    total, p.shared, p.single, p.none, p.moved);
	assert_true(p.shared && p.single && p.none && p.moved);
	assert_true(p.flows[0].moved > total / 100 && p.flows[0].returned > total / 100);
}

/* ---- many routes ---- */

static void announce_many(unsigned i, unsigned length)
{
	for (unsigned n = 0; n < MANY; n += 100) {
		char nlri[1024];
		int at = 0;

		for (unsigned k = n; k < n + 100; k++)
			at += snprintf(nlri + at, sizeof(nlri) - (size_t)at, "18 ac%02x%02x ",
			    17 + k / 256, k % 256);
		speaker_update(&p.s, peer_of(i), "", attributes(peer_of(i), length), nlri);
	}
}

static unsigned led_to(const char *way)
{
	unsigned n = 0;

	for (unsigned k = 0; k < MANY; k++) {
		char to[IP_TEXT_MAX];

		snprintf(to, sizeof(to), "172.%u.%u.9", 17 + k / 256, k % 256);
		n += strcmp(bench_ask(p.t, "asker", to), way) == 0;
	}
	return n;
}

/* All at once, and those that hang on the same port with it: three routes of falling worth, two of which go. */
static void a_death_moves_all_learned_routes_at_once(void **state)
{
	announce_many(0, 1);
	announce_many(4, 2); /* c2/1: the same port */
	announce_many(3, 3); /* c1/2: the other one */
	settle();
	assert_int_equal(led_to("c0/1"), MANY);
	uint32_t hops = records_used(&p.t->b->nexthops.rec);
	assert_in_range(hops, 1, 32);
	model_tunnel_set(p.t->m, p.end[0].tunnel->index, MODEL_TUNNEL_DOWN);
	assert_int_equal(led_to("c2/1"), MANY);
	settle();
	assert_int_equal(led_to("c2/1"), MANY);
	model_tunnel_set(p.t->m, p.end[0].tunnel->index, MODEL_TUNNEL_UP);
	settle();
	assert_int_equal(led_to("c0/1"), MANY);
	bench_link(p.t, "wan0", false);
	assert_int_equal(led_to("c1/2"), MANY);
	settle();
	assert_int_equal(led_to("c1/2"), MANY);
	assert_true(epoch_flush(p.t->b->epoch));
	assert_in_range(records_used(&p.t->b->nexthops.rec), 1, hops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(learned_routes_match_a_recomputation, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_death_moves_all_learned_routes_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
