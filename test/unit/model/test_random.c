/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configurations, tunnels and links by chance. After each step what the boundary says about packets
 * of every attachment is compared with oracle.c, which knows the requirements and nothing of the
 * model.
 *
 * Beside that, whatever the history: an unchanged configuration changes no record; a refused one
 * neither; buckets of an ECMP group change only where a way went or returned (R8); the end state is
 * that of a fresh start (B9).
 *
 * TEST_SEED=N and TEST_STEPS=N in the environment search elsewhere, and longer.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "bench.h"
#include "oracle.h"
#include "random_conf.h"

#define STEPS          20000
#define STEPS_PER_CONF 40
#define DESTINATIONS   8 /* asked about after each step, for every attachment */

#ifdef __SANITIZE_ADDRESS__
#	define SLOWER 4
#else
#	define SLOWER 1
#endif

/* So that a run shows that it asked about everything. */
enum decision { NO_TABLE, NO_ROUTE, DENIED, LOCAL, BLACKHOLE, SHARED, SINGLE, KINDS };
static const char *const decision_text[KINDS] = {
    "no table", "no route", "denied", "local", "blackhole", "shared", "single"};

struct play {
	struct bench *t;
	struct world world;
	struct rng rng;
	uint64_t decisions, of[KINDS];
	unsigned confs, unchanged, refused, fresh, steps;
};

static const char *const ports[WORLD_PORTS] = {"wan0", "wan1", "lan0", "lan1"};

static void fail_at(const struct play *p, const char *from, const struct ip_addr *to,
    const char *expected, const char *got)
{
	char addr[IP_TEXT_MAX];

	conf_print(p->t->conf, CONF_PRINT_SECRETS | CONF_PRINT_EFFECTIVE, stderr);
	fail_msg("TEST_SEED=%s step %u: from %s to %s: \"%s\" instead of \"%s\"",
	    getenv("TEST_SEED") ? getenv("TEST_SEED") : "1", p->steps, from, ip_text(to, addr), got,
	    expected);
}

static enum decision kind_of(const char *text)
{
	for (unsigned i = NO_TABLE; i < SHARED; i++) {
		if (strcmp(text, decision_text[i]) == 0)
			return i;
	}
	return strchr(text, ' ') ? SHARED : SINGLE;
}

static bool has_ingress(const struct conf_attachment *a)
{
	return a->kind != CONF_KIND_VPN || a->connection->tunnels_count;
}

static void compare(struct play *p, const struct conf_attachment *a, const struct ip_addr *to)
{
	char text[ORACLE_TEXT_MAX];
	const char *expected = oracle_ask(p->t->conf, &p->world, a, to, text);
	const char *got = bench_ask_addr(p->t, a->name, to);

	p->decisions++;
	p->of[kind_of(expected)]++;
	if (strcmp(expected, got) != 0)
		fail_at(p, a->name, to, expected, got);
}

static void compare_all(struct play *p)
{
	const struct conf *conf = p->t->conf;

	for (unsigned k = 0; k < DESTINATIONS; k++) {
		struct ip_addr to = random_destination(&p->rng);

		for (unsigned i = 0; i < conf->attachments_count; i++) {
			if (has_ingress(conf->attachments[i]))
				compare(p, conf->attachments[i], &to);
		}
	}
}

/* ---- steps ---- */

static void set_tunnel(struct play *p)
{
	const struct model_tunnel **all;
	unsigned n = model_tunnels(p->t->m, &all);

	if (n == 0)
		return;
	const struct model_tunnel *t = all[rng_below(&p->rng, n)];
	unsigned dice = rng_below(&p->rng, 6);
	enum model_tunnel_state state = dice < MODEL_TUNNEL_UP ? dice : MODEL_TUNNEL_UP;

	*world_tunnel(&p->world, t->conf) = state;
	model_tunnel_set(p->t->m, t->index, state);
}

static void set_link(struct play *p)
{
	unsigned i = rng_below(&p->rng, WORLD_PORTS);
	bool up = rng_below(&p->rng, 8) > 0;

	p->world.link[i] = up;
	atomic_store(&p->t->port[i].link_up, up);
	bench_link(p->t, ports[i], up);
}

/* A way that was there before and is there still keeps its buckets. */
static void assert_resilient(
    const struct play *p, const struct bench_buckets *before, const struct bench_buckets *after)
{
	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		bool old_is_left = false, new_was_there = false;

		if (strcmp(before->way[b], after->way[b]) == 0)
			continue;
		for (unsigned k = 0; k < ECMP_BUCKETS; k++) {
			old_is_left |= strcmp(after->way[k], before->way[b]) == 0;
			new_was_there |= strcmp(before->way[k], after->way[b]) == 0;
		}
		if (old_is_left && new_was_there)
			fail_msg(
			    "step %u: bucket %u moved from %s to %s, and both were there before and "
			    "after",
			    p->steps, b, before->way[b], after->way[b]);
	}
}

static void change_state(struct play *p)
{
	bool wide = p->t->conf->transit_router.limits.ecmp >= 16; /* room for all */
	struct bench_buckets before, after;

	if (wide && bench_hop(p->t, "asker", "10.100.5.7"))
		bench_buckets(p->t, "asker", "10.100.5.7", &before);
	else
		wide = false;
	if (rng_below(&p->rng, 4) == 0)
		set_link(p);
	else
		set_tunnel(p);
	if (!wide)
		return;
	bench_buckets(p->t, "asker", "10.100.5.7", &after);
	assert_resilient(p, &before, &after);
}

/* ---- configurations ---- */

/* A tunnel that left, and comes back one day, is a new one. */
static void forget_tunnels(struct play *p)
{
	bool there[WORLD_CONNECTIONS][CONF_TUNNELS_MAX] = {{false}};
	const struct model_tunnel **all;
	unsigned n = model_tunnels(p->t->m, &all);

	for (unsigned i = 0; i < n; i++)
		there[all[i]->name[1] - '0'][all[i]->conf->number - 1] = true;
	for (unsigned c = 0; c < WORLD_CONNECTIONS; c++) {
		for (unsigned k = 0; k < CONF_TUNNELS_MAX; k++) {
			if (!there[c][k])
				p->world.tunnel[c][k] = MODEL_TUNNEL_DOWN;
		}
	}
}

static void apply(struct play *p, struct conf *conf)
{
	assert_int_equal(model_apply(p->t->m, conf), 0);
	conf_free(p->t->conf);
	p->t->conf = conf;
	forget_tunnels(p);
	epoch_reclaim(p->t->b->epoch);
}

/* The text of all decisions, with buckets: the same for equal configurations and states. */
static char *dump(const struct bench *t)
{
	size_t size = 4u << 20, at = 0;
	char *out = xmalloc(size);
	static struct bench_buckets buckets;
	struct rng rng;

	*out = '\0';
	rng_init_seeded(&rng, 7);
	for (unsigned i = 0; i < t->conf->attachments_count; i++) {
		const char *from = t->conf->attachments[i]->name;

		for (unsigned k = 0; k < 16; k++) {
			struct ip_addr to = random_destination(&rng);
			char addr[IP_TEXT_MAX];

			at += (size_t)snprintf(out + at, size - at, "%s %s %s\n", from,
			    ip_text(&to, addr), bench_ask_addr(t, from, &to));
			if (!bench_hop(t, from, addr))
				continue;
			bench_buckets(t, from, addr, &buckets);
			for (unsigned b = 0; b < ECMP_BUCKETS; b += 7)
				at += (size_t)snprintf(out + at, size - at, "%s ", buckets.way[b]);
		}
	}
	assert_true(at < size);
	return out;
}

static void assert_like_fresh(struct play *p) /* B9 */
{
	const struct model_tunnel **all;
	struct bench *fresh;
	void *state;

	assert_int_equal(bench_setup(&state), 0);
	fresh = state;
	for (unsigned i = 0; i < WORLD_PORTS; i++)
		atomic_store(&fresh->port[i].link_up, p->world.link[i]);
	assert_int_equal(model_apply(fresh->m, p->t->conf), 0);
	unsigned n = model_tunnels(fresh->m, &all);
	for (unsigned i = 0; i < n; i++)
		model_tunnel_set(fresh->m, all[i]->index, *world_tunnel(&p->world, all[i]->conf));
	fresh->conf = p->t->conf;
	char *a = dump(p->t), *b = dump(fresh);
	assert_string_equal(a, b);
	free(a);
	free(b);
	fresh->conf = NULL;
	bench_teardown(&state);
	p->fresh++;
}

struct records_seen {
	void *hop[4096], *iface[256], *tunnel[256];
};

static void look(const struct bench *t, struct records_seen *s)
{
	for (uint32_t i = 0; i < TEST_COUNT(s->hop); i++)
		s->hop[i] = records_get(&t->b->nexthops.rec, i);
	for (uint32_t i = 0; i < TEST_COUNT(s->iface); i++) {
		s->iface[i] = records_get(&t->b->ifaces.rec, i);
		s->tunnel[i] = records_get(&t->b->tunnels.rec, i);
	}
}

static void quiet(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

/* The same again, or one that cannot be: no record changes. */
static void apply_without_effect(struct play *p, bool refused)
{
	static struct records_seen before, after;
	struct conf *conf = p->t->conf;

	assert_true(epoch_flush(p->t->b->epoch));
	look(p->t, &before);
	if (refused) {
		conf = random_conf(&p->rng);
		conf->ports[2 + rng_below(&p->rng, 2)]->name = "lan7"; /* there is no such port */
		log_set_sink(quiet, NULL);
	}
	int rc = model_apply(p->t->m, conf);
	log_set_sink(NULL, NULL);
	if (refused && rc == 0) { /* nothing was on that port */
		forget_tunnels(p);
		model_apply(p->t->m, p->t->conf);
		forget_tunnels(p);
		conf_free(conf);
		return;
	}
	assert_int_equal(rc, refused ? -ENODEV : 0);
	if (refused)
		conf_free(conf);
	assert_true(epoch_flush(p->t->b->epoch));
	look(p->t, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	p->unchanged += !refused;
	p->refused += refused;
}

static void change_conf(struct play *p)
{
	unsigned what = rng_below(&p->rng, 8);

	if (what < 2) {
		apply_without_effect(p, what == 1);
		return;
	}
	apply(p, random_conf(&p->rng));
	p->confs++;
	if (what == 2)
		assert_like_fresh(p);
}

static void decisions_match_the_oracle(void **state)
{
	static struct play p;
	const char *steps = getenv("TEST_STEPS");
	unsigned total = steps ? (unsigned)strtoul(steps, NULL, 0) : STEPS / SLOWER;

	p = (struct play){.t = *state, .rng = test_rng()};
	for (unsigned i = 0; i < WORLD_PORTS; i++)
		p.world.link[i] = true;
	apply(&p, random_conf(&p.rng));
	for (p.steps = 1; p.steps <= total; p.steps++) {
		if (rng_below(&p.rng, STEPS_PER_CONF) == 0)
			change_conf(&p);
		else
			change_state(&p);
		compare_all(&p);
	}
	print_message(
	    "%u steps, %u configurations, %u unchanged, %u refused, %u fresh; decisions: %llu\n",
	    total, p.confs, p.unchanged, p.refused, p.fresh, (unsigned long long)p.decisions);
	for (unsigned i = 0; i < KINDS; i++) {
		print_message("  %s: %llu\n", decision_text[i], (unsigned long long)p.of[i]);
		assert_true(p.of[i] > p.decisions / 200);
	}
	assert_true(p.confs && p.unchanged && p.refused && p.fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		decisions_match_the_oracle, bench_setup, bench_teardown),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
