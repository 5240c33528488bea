/* SPDX-License-Identifier: BSD-3-Clause */

/* What an explanation tells: table, candidates with the reason each lost, policies, member, SA, MTU (O4, R6, X13). */

#include <jansson.h>
#include <stdio.h>

#include "bench.h"
#include "rig.h"

#define SITE                                                                                       \
	BENCH_SITE                                                                                 \
	"vpn-connections:\n"                                                                       \
	"  dc1: {" BENCH_PAIR "}\n"                                                                \
	"  dc2: {" BENCH_PAIR "}\n"                                                                \
	"route-tables: {default: {routes: [{prefix: 10.66.0.0/16, blackhole: yes}]}}\n"            \
	"attachments:\n"                                                                           \
	"  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n"                   \
	"  dc2: {kind: vpn, connection: dc2, routes: [{prefix: 10.9.7.0/24},"                      \
	" {prefix: 10.1.7.0/24}]}\n"                                                               \
	"  vpc-a: {kind: vpc, port: lan1, vlan: 10, address: 10.1.0.1/16}\n"                       \
	"  vpc-b: {kind: vpc, port: lan1, vlan: 20, address: 10.2.0.1/16, routes:"                 \
	" [{prefix: 10.1.7.0/24, next-hop: 10.2.0.9}]}\n"

static json_t *explain(struct rig *r, const char *from, const char *dst, uint16_t port)
{
	struct model_flow f = {.from = from,
	    .src = test_addr("10.1.0.77"),
	    .dst = test_addr(dst),
	    .protocol = IPPROTO_UDP,
	    .src_port = port,
	    .dst_port = 53};
	json_t *out = model_explain_json(r->m, &f);

	assert_non_null(out);
	return out;
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "-";
}

/* The row of a list where `key` is `value`. */
static const json_t *row(const json_t *out, const char *list, const char *key, const char *value)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(out, list), i, item)
	{
		if (strcmp(text(item, key), value) == 0)
			return item;
	}
	fail_msg("%s has no row with %s %s", list, key, value);
	return NULL;
}

static void apply(struct rig *r, const char *more, enum tunnel_state dc1_2)
{
	char yaml[4096];

	snprintf(yaml, sizeof(yaml), "%s%s", SITE, more);
	rig_apply(r, bench_conf(yaml));
	rig_tunnel(r, "dc1/1", TUNNEL_UP);
	rig_tunnel(r, "dc1/2", dc1_2);
	rig_tunnel(r, "dc2/1", TUNNEL_UP);
	rig_tunnel(r, "dc2/2", TUNNEL_UP);
	rig_neighbours(r, 100);
}

static void the_way_through_a_tunnel(void **state)
{
	struct rig *r = *state;
	unsigned first = 0, second = 0;

	apply(r, "", TUNNEL_UP);
	for (uint16_t port = 1000; port < 1100; port++) {
		json_t *out = explain(r, "vpc-a", "10.9.1.1", port);
		struct model_flow f = {.from = "vpc-a",
		    .src = test_addr("10.1.0.77"),
		    .dst = test_addr("10.9.1.1"),
		    .protocol = IPPROTO_UDP,
		    .src_port = port,
		    .dst_port = 53};
		struct rig_outcome happened;
		char spi[12];

		assert_string_equal(text(out, "verdict"), "sent");
		assert_string_equal(text(out, "table"), "default");
		assert_string_equal(text(out, "prefix"), "10.9.0.0/16");
		first += strcmp(text(out, "out"), "dc1/1") == 0;
		second += strcmp(text(out, "out"), "dc1/2") == 0;
		rig_send(r, &f, false, &happened);
		snprintf(spi, sizeof(spi), "%08x", happened.spi);
		assert_string_equal(text(json_object_get(out, "sa"), "spi-out"), spi);
		assert_true(json_is_true(
		    json_object_get(row(out, "members", "member", text(out, "out")), "chosen")));
		assert_int_equal(json_integer_value(json_object_get(out, "mtu")), 1300);
		json_decref(out);
	}
	assert_int_equal(first + second, 100);
	assert_true(first > 20 && second > 20);
}

static void a_member_that_does_not_carry(void **state)
{
	struct rig *r = *state;

	apply(r, "", TUNNEL_UNFIT);
	json_t *out = explain(r, "vpc-a", "10.9.1.1", 7);
	assert_string_equal(text(out, "out"), "dc1/1");
	assert_true(
	    json_is_false(json_object_get(row(out, "members", "member", "dc1/2"), "carries")));
	json_decref(out);
}

static void why_candidates_lose(void **state)
{
	struct rig *r = *state;

	apply(r, "", TUNNEL_UP);
	json_t *out = explain(r, "vpc-a", "10.9.7.7", 7); /* the longer prefix */
	assert_string_equal(text(row(out, "candidates", "attachment", "dc1"), "not-used-because"),
	    "a longer prefix matches");
	assert_true(
	    json_is_true(json_object_get(row(out, "candidates", "attachment", "dc2"), "used")));
	json_decref(out);
	out = explain(r, "vpc-a", "10.1.7.7", 7); /* VPC before VPN: kinds are ranked, R6 */
	assert_string_equal(text(row(out, "candidates", "attachment", "dc2"), "not-used-because"),
	    "a route of a preferred type exists");
	assert_string_equal(
	    text(row(out, "candidates", "attachment", "vpc-b"), "next-hop"), "10.2.0.9");
	assert_string_equal(text(out, "neighbor"), "10.2.0.9");
	json_decref(out);
	out = explain(r, "vpc-a", "10.66.1.1", 7);
	assert_string_equal(text(out, "reason"), "blackhole");
	json_decref(out);
	out = explain(r, "vpc-a", "8.8.8.8", 7);
	assert_string_equal(text(out, "reason"), "no-route");
	json_decref(out);
}

static void the_built_in_policy_has_a_name(void **state) /* X13 */
{
	struct rig *r = *state;

	apply(r, "", TUNNEL_UP);
	json_t *out = explain(r, "dc2", "10.9.1.1", 7);
	assert_string_equal(text(out, "reason"), "policy-denied");
	const json_t *policy = row(out, "policies", "direction", "egress");
	assert_int_equal(json_integer_value(json_object_get(policy, "policy")), 5000);
	assert_string_equal(text(policy, "action"), "deny");
	json_decref(out);
	apply(r,
	    "routing-policies:\n"
	    "  - {priority: 50, direction: egress, source-kind: [vpn], destination-kind: [vpn],"
	    " action: permit}\n",
	    TUNNEL_UP);
	out = explain(r, "dc2", "10.9.1.1", 7);
	assert_string_equal(text(out, "verdict"), "sent");
	policy = row(out, "policies", "direction", "egress");
	assert_int_equal(json_integer_value(json_object_get(policy, "policy")), 50);
	assert_string_equal(text(policy, "action"), "permit");
	json_decref(out);
}

static void questions_that_have_no_answer(void **state)
{
	struct rig *r = *state;
	struct model_flow f = {
	    .from = "nobody", .src = test_addr("10.1.0.7"), .dst = test_addr("10.9.0.1")};

	apply(r, "", TUNNEL_UP);
	assert_null(model_explain_json(r->m, &f));
	f.from = "vpc-a";
	f.dst = test_addr("2001:db8::1");
	assert_null(model_explain_json(r->m, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_way_through_a_tunnel),
	    cmocka_unit_test(a_member_that_does_not_carry),
	    cmocka_unit_test(why_candidates_lose),
	    cmocka_unit_test(the_built_in_policy_has_a_name),
	    cmocka_unit_test(questions_that_have_no_answer),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
