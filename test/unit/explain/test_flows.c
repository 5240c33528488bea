/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * O4 as a property: whatever the configuration, the states and the flow, what `explain` says of a
 * packet is what a worker does with it. 48 random configurations, 2,500 random flows each, every one
 * sent through the real data path; TEST_FLOWS=N in the environment for more each.
 */

#include <stdio.h>

#include "boundary/decide.h"
#include "random_conf.h"
#include "rig.h"

#define CONFIGURATIONS 48
#define FLOWS          2500

struct tally {
	unsigned flows, sent, tunnelled, grouped, held, local, dropped[DROP_REASON_COUNT];
};

static void random_flow(struct rig *r, struct model_flow *f)
{
	static const uint8_t protocols[] = {
	    IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, 47, IPPROTO_SCTP};
	static const char *const sources[] = {"10.1.0.77", "10.100.5.7", "10.90.0.9", "172.20.0.1",
	    "10.2.0.200", "127.0.0.1", "8.8.8.8", "10.50.0.5"};
	uint32_t net = rng_below(&r->rng, 9);

	*f = (struct model_flow){
	    .from = r->conf->attachments[rng_below(&r->rng, r->conf->attachments_count)]->name,
	    .src = test_addr(sources[rng_below(&r->rng, TEST_COUNT(sources))]),
	    .dst = random_destination(&r->rng),
	    .protocol = protocols[rng_below(&r->rng, TEST_COUNT(protocols))],
	    .src_port = (uint16_t)(10000 + rng_below(&r->rng, 20000)),
	    .dst_port = (uint16_t)(10000 + rng_below(&r->rng, 20000)),
	    .bytes = 60 + rng_below(&r->rng, 1500),
	};
	if (rng_below(&r->rng, 3) == 0) /* any host of the nets that are there */
		f->dst = ip_v4(
		    10u << 24 | net << 16 | rng_below(&r->rng, 4) << 8 | rng_below(&r->rng, 256));
}

static void tell(
    const struct model_flow *f, const struct model_verdict *v, const struct rig_outcome *o, bool df)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX];

	fprintf(stderr, "from %s: %s -> %s, protocol %u, ports %u %u, %u bytes%s\n", f->from,
	    ip_text(&f->src, src), ip_text(&f->dst, dst), f->protocol, f->src_port, f->dst_port,
	    f->bytes, df ? ", DF" : "");
	fprintf(stderr, "explained: fate %d, %s, too big %d\n", v->fate,
	    v->drop == DROP_NOT ? "-" : drop_reason_name(v->drop), v->too_big);
	fprintf(stderr, "happened: %u frames (port %u, vlan %u, spi %x), %u punted", o->frames,
	    o->port, o->vlan, o->spi, o->punted);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		if (o->drop[i])
			fprintf(stderr, ", %s", drop_reason_name(i));
	}
	fprintf(stderr, "\n");
}

static bool only_dropped(const struct rig_outcome *o, unsigned reason)
{
	return o->drops > 0 && o->drop[reason] == o->drops && o->frames == 0 && o->punted == 0;
}

static bool left_as_said(const struct model_verdict *v, const struct rig_outcome *o)
{
	if (o->drops || o->punted || !o->frames || (o->frames > 1) != v->too_big)
		return false;
	if (o->port != v->iface->port || o->vlan != v->iface->vlan ||
	    memcmp(o->mac, v->neigh->l2_v4, sizeof(o->mac)) != 0)
		return false;
	return o->spi == (v->sa ? v->sa->head.spi : 0);
}

/* Control takes only so many packets that wait; what is too many is dropped for want of what it waits for. */
static bool held_as_said(const struct model_verdict *v, const struct rig_outcome *o)
{
	unsigned reason = v->tunnel && !v->sa ? DROP_TUNNEL_DOWN : DROP_NEIGH_UNRESOLVED;

	return o->frames == 0 && o->punted == o->waiting && o->drops == o->drop[reason] &&
	    o->drops + o->waiting > 0;
}

/* Which service of the router answers is not what routes say; that nothing leaves is. */
static bool stayed(const struct rig_outcome *o)
{
	return o->frames == 0 && o->waiting == 0 && o->punted + o->drops == 1 &&
	    !o->drop[DROP_NO_ROUTE] && !o->drop[DROP_POLICY_DENIED] && !o->drop[DROP_BLACKHOLE];
}

static bool agrees(const struct model_verdict *v, const struct rig_outcome *o, bool df)
{
	if (v->too_big && df)
		return only_dropped(o, DROP_MTU_EXCEEDED);
	switch (v->fate) {
	case FATE_DROPPED:
		return only_dropped(o, v->drop);
	case FATE_LOCAL:
		return stayed(o);
	case FATE_SENT:
		return left_as_said(v, o);
	case FATE_HELD:
		break;
	}
	return held_as_said(v, o);
}

static void compare(struct rig *r, struct tally *tally)
{
	struct model_flow flow;
	struct model_verdict said;
	struct rig_outcome happened;
	bool df = rng_below(&r->rng, 2);

	random_flow(r, &flow);
	assert_int_equal(model_explain(r->m, &flow, &said), 0);
	rig_send(r, &flow, df, &happened);
	tally->flows++;
	tally->sent += said.fate == FATE_SENT;
	tally->tunnelled += said.fate == FATE_SENT && said.tunnel;
	tally->grouped += said.fate == FATE_SENT && said.grouped;
	tally->held += said.fate == FATE_HELD;
	tally->local += said.fate == FATE_LOCAL;
	if (said.fate == FATE_DROPPED)
		tally->dropped[said.drop]++;
	if (agrees(&said, &happened, df))
		return;
	tell(&flow, &said, &happened, df);
	fail_msg("flow %u is not as explained", tally->flows);
}

static void what_is_explained_happens(void **state)
{
	const char *more = getenv("TEST_FLOWS");
	unsigned flows = more ? (unsigned)strtoul(more, NULL, 0) : FLOWS;
	struct rig *r = *state;
	struct tally tally = {0};

	for (unsigned c = 0; c < CONFIGURATIONS; c++) {
		rig_apply(r, random_conf(&r->rng));
		for (unsigned i = 0; i < flows; i++)
			compare(r, &tally);
	}
	printf(
	    "%u flows as explained: %u sent (%u through tunnels, %u by ECMP), %u held, %u local\n",
	    tally.flows, tally.sent, tally.tunnelled, tally.grouped, tally.held, tally.local);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		if (tally.dropped[i])
			printf("  dropped, %s: %u\n", drop_reason_name(i), tally.dropped[i]);
	}
	/* each verdict was met often enough to mean something */
	assert_true(tally.tunnelled > tally.flows / 100);
	assert_true(tally.grouped > tally.flows / 200);
	assert_true(tally.held > tally.flows / 1000 && tally.local > tally.flows / 1000);
	static const unsigned met[] = {DROP_NO_ROUTE, DROP_POLICY_DENIED, DROP_BLACKHOLE,
	    DROP_TUNNEL_DOWN, DROP_TUNNEL_SELECTOR, DROP_IP_MARTIAN};
	for (unsigned i = 0; i < TEST_COUNT(met); i++)
		assert_true(tally.dropped[met[i]] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_explained_happens)};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
