/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers that come to an end: next hops of paths, and route tables, are used far more often than there are numbers,
 * while routes are learned. What becomes of a packet is asked the way workers ask it.
 */

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "bgp/speaker.h"

#define TUNNELS   6
#define PREFIXES  32
#define CHANGES   210000
#define TABLES    500 /* in one configuration */
#define TABLES_IN 140 /* configurations */
#define NUMBERS   65536
#define FEW       40 /* next hops: a dozen are for what is configured */

#define CONFIG_HEAD                                                                                \
	BENCH_SITE                                                                                 \
	"vpn-connections:\n"                                                                       \
	"  c0: {" BENCH_PAIR "}\n"                                                                 \
	"  c1: {" BENCH_PAIR "}\n"                                                                 \
	"  c2: {" BENCH_PAIR "}\n"
/* Attachments that learn into, and ask, the table of that name. */
#define CONFIG_ATTACHMENTS                                                                         \
	"attachments:\n"                                                                           \
	"  c0: {kind: vpn, connection: c0, propagate: [%1$s]}\n"                                   \
	"  c1: {kind: vpn, connection: c1, propagate: [%1$s]}\n"                                   \
	"  c2: {kind: vpn, connection: c2, propagate: [%1$s]}\n"                                   \
	"  asker: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16, associate: %1$s}\n"
#define YAML_MAX (TABLES * 16 + 4096)

struct play {
	struct bench *t;
	struct speaker s;
	unsigned peer[TUNNELS];
	uint8_t announced[PREFIXES]; /* bit i: by peer[i] */
};

static struct play p;

/* `tables` beside the default one, the first of them being `first`; the middle one is learned into. */
static void apply(unsigned first, unsigned tables)
{
	static char yaml[YAML_MAX];
	char table[16] = "default";
	int at = snprintf(yaml, sizeof(yaml), "%sroute-tables: {default: {}", CONFIG_HEAD);

	for (unsigned i = 0; i < tables; i++)
		at += snprintf(yaml + at, sizeof(yaml) - (size_t)at, ", t%u: {}", first + i);
	if (tables)
		snprintf(table, sizeof(table), "t%u", first + tables / 2);
	at += snprintf(yaml + at, sizeof(yaml) - (size_t)at, "}\n");
	snprintf(yaml + at, sizeof(yaml) - (size_t)at, CONFIG_ATTACHMENTS, table);
	bench_apply(p.t, yaml);
}

static void begin(void *bench)
{
	const struct model_tunnel **all;

	p.t = bench;
	speaker_init(&p.s);
	model_set_bgp(p.t->m, p.s.engine);
	apply(0, 0);
	assert_int_equal(model_tunnels(p.t->m, &all), TUNNELS);
	for (unsigned i = 0; i < TUNNELS; i++)
		p.peer[2 * (all[i]->name[1] - '0') + all[i]->conf->number - 1] =
		    model_peer_of_tunnel(all[i]);
	for (unsigned i = 0; i < TUNNELS; i++)
		speaker_up(&p.s, p.peer[i]);
	model_peers_changed(p.t->m);
	bench_tunnels(p.t, MODEL_TUNNEL_UP);
}

static int setup(void **state)
{
	void *bench;

	p = (struct play){0};
	assert_int_equal(bench_setup(&bench), 0);
	begin(bench);
	return 0;
}

/* Next hops for the six tunnels, what the site needs, and few besides. */
static int setup_short(void **state)
{
	void *bench;

	p = (struct play){0};
	assert_int_equal(bench_setup_nexthops(&bench, FEW), 0);
	begin(bench);
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
}

/* Prefix k is announced by the tunnels of `set`, and by no other. */
static void announce(unsigned k, unsigned set)
{
	for (unsigned i = 0; i < TUNNELS; i++) {
		char nlri[16], attrs[128];

		if (!((set ^ p.announced[k]) >> i & 1))
			continue;
		snprintf(nlri, sizeof(nlri), "18 ac10%02x", k);
		snprintf(attrs, sizeof(attrs), "400101 00 4002 06 0201 %08x 400304 0a0000%02x",
		    PEER_AS(p.peer[i]), p.peer[i]);
		if (set >> i & 1)
			speaker_update(&p.s, p.peer[i], "", attrs, nlri);
		else
			speaker_update(&p.s, p.peer[i], nlri, "", "");
	}
	p.announced[k] = (uint8_t)set;
}

static void assert_set(unsigned k, unsigned set)
{
	char to[IP_TEXT_MAX], want[128] = "no route";
	size_t at = 0;

	for (unsigned i = 0; i < TUNNELS; i++) {
		if (set >> i & 1)
			at += (size_t)snprintf(want + at, sizeof(want) - at, "%sc%u/%u",
			    at ? " " : "", i / 2, i % 2 + 1);
	}
	snprintf(to, sizeof(to), "172.16.%u.9", k);
	assert_string_equal(bench_ask(p.t, "asker", to), want);
}

/* ---- next hops ---- */

/* Each change is another set of ways out, and nobody calls for what has passed its grace period. */
static void next_hops_are_reused(void **state)
{
	struct rng rng = test_rng();
	uint32_t most = 0;

	for (unsigned n = 0; n < CHANGES; n++) {
		unsigned k = rng_below(&rng, PREFIXES), set = 1 + rng_below(&rng, 63);

		announce(k, set);
		settle();
		assert_set(k, set);
		if (records_used(&p.t->b->nexthops.rec) > most)
			most = records_used(&p.t->b->nexthops.rec);
	}
	print_message("%u changes, at most %u of %u next hops at a time\n", CHANGES, most,
	    p.t->b->nexthops.rec.capacity);
	for (unsigned k = 0; k < PREFIXES; k++)
		assert_set(k, p.announced[k]);
}

static unsigned told_no_room, told_room;

static void sink(
    void *ctx, enum log_level level, const char *area, const char *object, const char *line)
{
	told_no_room += strstr(line, "no next hop is left") != NULL;
	told_room += strstr(line, "next hops are free again") != NULL;
}

/* More different sets than next hops: the rest has no route, it is said once, and comes when there is room. */
static void more_sets_than_next_hops(void **state)
{
	unsigned without = 0;

	told_no_room = told_room = 0;
	log_set_sink(sink, NULL);
	for (unsigned k = 0; k < PREFIXES; k++)
		announce(k, k + 1); /* no two alike */
	settle();
	for (unsigned k = 0; k < PREFIXES; k++) {
		char to[IP_TEXT_MAX];

		snprintf(to, sizeof(to), "172.16.%u.9", k);
		without += strcmp(bench_ask(p.t, "asker", to), "no route") == 0;
	}
	assert_in_range(without, 1, PREFIXES - 1);
	assert_int_equal(told_no_room, 1);
	assert_int_equal(told_room, 0);
	for (unsigned k = 0; k < PREFIXES; k++)
		announce(k, k == 5 ? 63 : 1);
	for (unsigned n = 0; n < 10; n++) {
		settle();
		epoch_flush(p.t->b->epoch);
	}
	assert_int_equal(told_room, 1);
	for (unsigned k = 0; k < PREFIXES; k++)
		assert_set(k, k == 5 ? 63 : 1);
}

/* ---- route tables ---- */

/* More tables come and go than there are numbers for them; each is learned into, and told to whoever asks there. */
static void table_numbers_are_reused(void **state)
{
	announce(1, 9);
	for (unsigned n = 0; n < TABLES_IN; n++) {
		unsigned set = 1 + n % 63;

		apply(n * TABLES, TABLES);
		announce(2, set);
		settle();
		assert_set(1, 9);
		assert_set(2, set);
		assert_int_not_equal(
		    model_view_of(p.t->m, conf_find_attachment(p.t->conf, "asker")), 0);
	}
	assert_true(TABLES * TABLES_IN > NUMBERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(next_hops_are_reused, setup, teardown),
	    cmocka_unit_test_setup_teardown(more_sets_than_next_hops, setup_short, teardown),
	    cmocka_unit_test_setup_teardown(table_numbers_are_reused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
