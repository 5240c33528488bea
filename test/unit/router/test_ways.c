/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another zone under a tunnel that is up (A19): the SA that workers encrypt with leaves by the new uplink at once, and
 * goes on with its numbers. Manual keys stand for those of IKE.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench.h"
#include "router/change/apply.h"
#include "router/tunnels/tunnels.h"

static const char *const ports[] = {"wan0", "wan1", "lan0", "lan1"};

struct site {
	struct crypto *crypto;
	struct port port[BENCH_PORTS];
	struct router r;
	char dir[32], yaml[4096];
};

static struct conf *conf_with(struct site *s, const char *first, const char *second)
{
	snprintf(s->yaml, sizeof(s->yaml),
	    "system: {state-dir: %s/state}\n" BENCH_SITE "vpn-connections:\n"
	    "  dc1:\n"
	    "    keying: manual\n"
	    "    tunnels:\n"
	    "      - {customer-gateway: cgw-a, %s ipsec: {encryption: aes128gcm16}, manual: {in: {spi: 0x1001,"
	    " encryption-key: '000102030405060708090a0b0c0d0e0f10111213'}, out: {spi: 0x1002,"
	    " encryption-key: '202122232425262728292a2b2c2d2e2f30313233'}}}\n"
	    "      - {customer-gateway: cgw-b, %s ipsec: {encryption: aes128gcm16}, manual: {in: {spi: 0x2001,"
	    " encryption-key: '400102030405060708090a0b0c0d0e0f10111213'}, out: {spi: 0x2002,"
	    " encryption-key: '602122232425262728292a2b2c2d2e2f30313233'}}}\n"
	    "attachments:\n"
	    "  dc1: {kind: vpn, connection: dc1, routes: [{prefix: 10.9.0.0/16}]}\n",
	    s->dir, first, second);
	return bench_conf(s->yaml);
}

static int setup(void **state)
{
	const struct boundary_limits limits = {.workers = 1,
	    .ifaces = 16,
	    .neighbours = 16,
	    .nexthops = 64,
	    .tunnels = 8,
	    .sas = 16,
	    .slots = 32};
	const struct model_limits model = {.routes_per_table = 64, .tbl8_per_table = 16};
	struct site *s = xcalloc(1, sizeof(*s));
	struct router *r = &s->r;
	const char *why;

	*state = s;
	strcpy(s->dir, "/tmp/test-ways-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->crypto = crypto_open("auto", 1, 16, &why);
	assert_non_null(s->crypto);
	r->b = boundary_create(&limits, s->crypto, rte_mempool_lookup(TEST_POOL));
	assert_non_null(r->b);
	for (unsigned i = 0; i < BENCH_PORTS; i++) {
		s->port[i].index = (uint16_t)i;
		snprintf(s->port[i].name, sizeof(s->port[i].name), "%s", ports[i]);
		atomic_init(&s->port[i].link_up, true);
		r->b->port[r->b->ports++] = &s->port[i];
	}
	r->model = model_create(r->b, &model);
	r->conf = conf_with(s, "", "");
	assert_int_equal(model_apply(r->model, r->conf), 0);
	rng_init_seeded(&r->rng, 1);
	timers_init(&r->timers);
	list_init(&r->meters);
	health_init(r);
	assert_int_equal(vpn_init(r), 0);
	manual_numbers_run(r, mono_now());
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;
	struct router *r = &s->r;
	char path[64];

	vpn_fini(r);
	health_fini(r);
	timers_fini(&r->timers);
	model_free(r->model);
	conf_free(r->conf);
	boundary_free(r->b);
	crypto_close(s->crypto);
	snprintf(path, sizeof(path), "%s/state/sequences", s->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/state", s->dir);
	rmdir(path);
	assert_int_equal(rmdir(s->dir), 0);
	free(s);
	return 0;
}

static void change(struct site *s, const char *first, const char *second)
{
	struct router *r = &s->r;
	struct conf *before = r->conf;
	struct apply a = {
	    .r = r, .from = before, .to = conf_with(s, first, second), .now = mono_now()};
	void *own = NULL;

	assert_int_equal(apply_tunnels.prepare(&a, &own), 0);
	assert_int_equal(model_apply(r->model, a.to), 0);
	r->conf = (struct conf *)a.to;
	apply_tunnels.leave(&a, own);
	apply_tunnels.enter(&a, own);
	apply_tunnels.done(&a, own);
	conf_free(before);
}

/* The outbound SA of dc1/1 or dc1/2. */
static const struct sa_out *out_of(struct site *s, unsigned number)
{
	char name[8];

	snprintf(name, sizeof(name), "dc1/%u", number);
	const struct vpn_tunnel *t = tunnel_by_name(&s->r, name);

	assert_non_null(t);
	assert_int_equal(t->ike_state, IKE_TUNNEL_UP);
	assert_false(list_is_empty(&t->children));
	return list_entry(t->children.next, struct child, node)->out;
}

static const char *uplink_of(struct site *s, unsigned number)
{
	const struct sa_out *out = out_of(s, number);
	const struct nexthop *leaf = out ? nexthop_get(&s->r.b->nexthops, out->underlay) : NULL;

	assert_non_null(leaf);
	return ports[iface_get(&s->r.b->ifaces, leaf->iface)->port];
}

static void assert_uplinks(struct site *s, const char *first, const char *second)
{
	assert_string_equal(uplink_of(s, 1), first);
	assert_string_equal(uplink_of(s, 2), second);
}

static void a_tunnel_gets_another_zone(void **state)
{
	struct site *s = *state;
	const struct sa_out *untouched = out_of(s, 2);

	assert_uplinks(s, "wan0", "wan1");
	change(s, "zone: a,", "zone: b,"); /* in words what it is already */
	assert_ptr_equal(out_of(s, 2), untouched);
	change(s, "zone: b,", "zone: a,");
	assert_uplinks(s, "wan1", "wan0");
	change(s, "", "");
	assert_uplinks(s, "wan0", "wan1");
}

/* The first one says nothing of zones, and makes way. */
static void the_other_tunnel_gets_its_zone(void **state)
{
	struct site *s = *state;

	change(s, "", "zone: a,");
	assert_uplinks(s, "wan1", "wan0");
	change(s, "", "");
	assert_uplinks(s, "wan0", "wan1");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_tunnel_gets_another_zone),
	    CASE(the_other_tunnel_gets_its_zone),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
