/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * explain beside BGP: learned candidates with the reason each lost, among configured ones too; policies that were asked about
 * them; the members of the route that decides (O4, R6). Whatever the state, the candidates that it says are used are the
 * ways that packets take.
 */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "learned_site.h"
#include "model/explain.h"

enum end { C0_1, C0_2, C1_1, C1_2, C2_1, C2_2, L0, L1, L2 };

#define STEPS 4000

static struct site site;

static int setup(void **state)
{
	site_setup(&site);
	return 0;
}

static int teardown(void **state)
{
	site_teardown(&site);
	return 0;
}

static void apply(const char *yaml)
{
	site_apply(&site, yaml);
	site_settle(&site);
}

static json_t *explain_from(const char *from, unsigned prefix)
{
	struct model_flow f = {.from = from,
	    .src = test_addr("10.1.0.77"),
	    .protocol = IPPROTO_UDP,
	    .src_port = 1000,
	    .dst_port = 53};
	char to[IP_TEXT_MAX];

	snprintf(to, sizeof(to), "172.16.%u.9", prefix);
	f.dst = test_addr(to);
	json_t *out = model_explain_json(site.t->m, &f);

	assert_non_null(out);
	return out;
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "-";
}

static bool is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* "tunnel c0/1" or "attachment l0", or "blackhole", for each candidate: its reason, "used" for none. */
static const char *reason(const json_t *out, const char *key, const char *name)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(out, "candidates"), i, row)
	{
		if (strcmp(text(row, key), name) == 0)
			return is(row, "used") ? "used" : text(row, "not-used-because");
	}
	return "no such candidate";
}

#define assert_reason(out, key, name, expected)                                                    \
	assert_string_equal(reason(out, key, name), expected)

/* The policy of that direction about routes of the attachment. */
static const json_t *policy(const json_t *out, const char *direction, const char *of)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(out, "policies"), i, row)
	{
		if (strcmp(text(row, "direction"), direction) == 0 &&
		    strcmp(text(row, "route-of"), of) == 0)
			return row;
	}
	fail_msg("no %s policy about %s", direction, of);
	return NULL;
}

static json_int_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void why_learned_ones_lose(void **state)
{
	site_announce(&site, C0_1, 1, 1);
	site_announce(&site, C0_2, 1, 1);
	site_announce(&site, C2_1, 1, 2);
	site_settle(&site);
	json_t *out = explain_from("asker", 1);
	assert_string_equal(text(out, "prefix"), "172.16.1.0/24");
	assert_reason(out, "tunnel", "c0/1", "used");
	assert_reason(out, "tunnel", "c0/2", "used");
	assert_reason(out, "tunnel", "c2/1", "longer AS path");
	assert_int_equal(json_array_size(json_object_get(out, "members")), 2);
	assert_string_equal(
	    text(json_array_get(json_object_get(out, "candidates"), 0), "as-path"), "65001");
	json_decref(out);
	site_announce(&site, L2, 1, 1);
	site_announce(&site, L0, 1, 3);
	site_settle(&site);
	out = explain_from("asker", 1);
	assert_reason(out, "attachment", "l0", "used");
	assert_reason(out, "attachment", "l2",
	    "another kind of attachment is preferred; kinds are not mixed");
	assert_reason(out, "tunnel", "c0/1", "a route of a preferred type exists");
	assert_int_equal(json_array_size(json_object_get(out, "members")), 1);
	json_decref(out);
}

static void beside_what_is_configured(void **state)
{
	site_announce(&site, C0_1, 6, 1);
	site_announce(&site, C0_1, 7, 1);
	site_announce(&site, C1_2, 7, 1);
	site_settle(&site);
	json_t *out = explain_from("asker", 6);
	assert_string_equal(text(out, "reason"), "blackhole");
	assert_reason(out, "type", "blackhole", "used");
	assert_reason(out, "tunnel", "c0/1", "a route of a preferred type exists");
	json_decref(out);
	out = explain_from("asker", 7);
	assert_reason(out, "type", "attached", "used");
	assert_reason(out, "tunnel", "c0/1", "a configured route is preferred to a learned one");
	assert_reason(out, "tunnel", "c1/2", "a configured route is preferred to a learned one");
	json_decref(out);
	site_tunnel(&site, C1_1, MODEL_TUNNEL_DOWN);
	site_tunnel(&site, C1_2, MODEL_TUNNEL_DOWN);
	site_settle(&site);
	out = explain_from("asker", 7);
	assert_reason(out, "type", "attached", "its attachment is down");
	assert_reason(out, "tunnel", "c0/1", "used");
	json_decref(out);
}

#define SHORTER                                                                                    \
	BENCH_SITE                                                                                 \
	"route-tables: {default: {routes: [{prefix: 172.16.0.0/12, attachment: c1}]}}\n"           \
	"vpn-connections:\n" SITE_C0 SITE_C1 SITE_C2                                               \
	"attachments:\n" SITE_A0 SITE_A1 SITE_A2 SITE_LINE("l0", "vbr", "30", "10.30.0")           \
	    SITE_LINE("l1", "vbr", "31", "10.31.0") SITE_LINE("l2", "ccn", "32",                   \
		"10.32.0") "  asker: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"

static void a_longer_prefix_is_learned(void **state)
{
	apply(SHORTER);
	site_announce(&site, C0_1, 1, 1);
	site_settle(&site);
	json_t *out = explain_from("asker", 1);
	assert_string_equal(text(out, "prefix"), "172.16.1.0/24");
	assert_reason(out, "tunnel", "c0/1", "used");
	assert_reason(out, "type", "static", "a longer prefix matches");
	assert_string_equal(
	    text(json_array_get(json_object_get(out, "members"), 0), "member"), "c0/1");
	json_decref(out);
	site_announce(&site, C0_1, 1, 0);
	site_settle(&site);
	out = explain_from("asker", 1);
	assert_string_equal(text(out, "prefix"), "172.16.0.0/12");
	assert_reason(out, "type", "static", "used");
	json_decref(out);
}

static void policies_that_were_asked(void **state)
{
	apply(SITE_ALL
	    "routing-policies:\n"
	    "  - {priority: 7, direction: ingress, source-attachment: c2, action: deny}\n"
	    "  - {priority: 8, direction: ingress, as-path: [65001], as-path-match: exact, action: permit,"
	    " prepend: [9, 9]}\n");
	site_announce(&site, C0_1, 1, 1);
	site_announce(&site, C2_1, 1, 1);
	site_settle(&site);
	json_t *out = explain_from("asker", 1);
	assert_reason(out, "tunnel", "c2/1", "refused by a routing policy");
	assert_int_equal(number(policy(out, "ingress", "c2"), "policy"), 7);
	assert_string_equal(text(policy(out, "ingress", "c2"), "action"), "deny");
	/* It matched what the peer sent, not what it has made of that. */
	assert_int_equal(number(policy(out, "ingress", "c0"), "policy"), 8);
	assert_string_equal(text(policy(out, "egress", "c0"), "policy"), "none matches");
	json_decref(out);
	out = explain_from("l0", 1);
	assert_string_equal(text(out, "reason"), "policy-denied");
	assert_int_equal(number(policy(out, "egress", "c0"), "policy"), 5000);
	json_decref(out);
}

/* ---- whatever happens ---- */

/* "c0/1" of a tunnel, "l0>10.30.0.2" of a line: is it the way of that candidate? */
static bool is_way_of(const char *way, const json_t *row)
{
	const char *attachment = text(row, "attachment"), *tunnel = text(row, "tunnel");
	size_t len = strlen(attachment);

	if (*tunnel != '-')
		return strcmp(way, tunnel) == 0;
	return strncmp(way, attachment, len) == 0 &&
	    (way[len] == '/' || way[len] == '>' || !way[len]);
}

static unsigned used_for(const json_t *out, const char *way)
{
	unsigned n = 0;
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(out, "candidates"), i, row)
	{
		n += is(row, "used") && is_way_of(way, row);
	}
	return n;
}

static bool is_told(const json_t *out, const char *ways)
{
	char copy[256], *next = copy, *way;

	if (strcmp(ways, "no route") == 0)
		return strcmp(text(out, "prefix"), "-") == 0 &&
		    strcmp(text(out, "reason"), "no-route") == 0;
	if (strcmp(ways, "blackhole") == 0)
		return strcmp(reason(out, "type", "blackhole"), "used") == 0;
	snprintf(copy, sizeof(copy), "%s", ways);
	while ((way = strsep(&next, " "))) {
		if (used_for(out, way) != 1)
			return false;
	}
	return true;
}

/* What lines have hides the rest: it is rare. */
static unsigned length_at(struct rng *rng, unsigned end)
{
	return end < TUNNELS || rng_below(rng, 8) == 0 ? rng_below(rng, LENGTH_MAX + 1) : 0;
}

static void step(struct rng *rng)
{
	unsigned end = rng_below(rng, ENDS), dice = rng_below(rng, 20);

	if (dice < 15) {
		site_announce(&site, end, rng_below(rng, PREFIXES), length_at(rng, end));
	} else if (dice < 18) {
		unsigned state = rng_below(rng, 8);

		site_tunnel(
		    &site, end % TUNNELS, state < MODEL_TUNNEL_UP ? state : MODEL_TUNNEL_UP);
	} else if (dice < 19) {
		site_session(&site, end, rng_below(rng, 4) > 0);
	} else {
		site_link(&site, end % SITE_PORTS, rng_below(rng, 4) > 0);
	}
	site_settle(&site);
}

static void what_is_used_is_the_way(void **state)
{
	struct rng rng = test_rng();
	unsigned learned = 0, shared = 0;

	for (unsigned i = 0; i < STEPS; i++) {
		unsigned k = rng_below(&rng, PREFIXES);
		char to[IP_TEXT_MAX];

		step(&rng);
		snprintf(to, sizeof(to), "172.16.%u.9", k);
		const char *ways = bench_ask(site.t, "asker", to);
		json_t *out = explain_from("asker", k);
		if (!is_told(out, ways)) {
			json_dumpf(out, stderr, JSON_INDENT(2));
			fail_msg("step %u: %s leads to \"%s\"", i, to, ways);
		}
		learned += strcmp(reason(out, "type", "bgp"), "no such candidate") != 0;
		shared += strchr(ways, ' ') && strcmp(ways, "no route") != 0;
		json_decref(out);
	}
	print_message("%u steps: learned candidates %u, shared %u\n", STEPS, learned, shared);
	assert_true(learned > STEPS / 10 && shared > STEPS / 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(why_learned_ones_lose),
	    TEST(beside_what_is_configured),
	    TEST(a_longer_prefix_is_learned),
	    TEST(policies_that_were_asked),
	    TEST(what_is_used_is_the_way),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
