/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A million frames that no host would send, and the ledger of every slot balances to the packet; then every buffer
 * is back (M2). Frames are grown from sound ones, so that they get past the first checks: fields are bent,
 * checksums mostly put right again, lengths cut. TEST_SEED and TEST_FRAMES ask for another or a longer run.
 */

#include <string.h>

#include <rte_cycles.h>

#include "world.h"

#define FRAMES 1000000

static const char *const hosts[] = {"10.1.0.1", "10.1.0.9", "10.1.255.254", "10.2.0.1",
    "10.2.255.254", "10.3.0.1", "10.3.0.77", "10.9.1.1", "10.66.0.1", "10.77.0.1", "203.0.113.10",
    "203.0.113.1", "198.51.100.7", "224.0.0.5", "0.0.0.0", "255.255.255.255", "169.254.10.2"};

static const char *host(struct rng *rng)
{
	return hosts[rng_below(rng, TEST_COUNT(hosts))];
}

/* A sound IP packet of some protocol. */
static void grow_ip(struct rng *rng, struct packet *p)
{
	static const uint8_t protocols[] = {1, 6, 17, 50, 47, 0, 255};
	static const uint16_t ports[] = {500, 4500, 179, 53, 4500};
	struct ip4 ip = {.src = host(rng),
	    .dst = host(rng),
	    .ttl = (uint8_t)rng_below(rng, 4),
	    .id = (uint16_t)rng_below(rng, 4),
	    .tos = (uint8_t)rng_u32(rng)};
	uint8_t payload[1600];
	size_t len = rng_below(rng, rng_below(rng, 8) ? 80 : 1480);

	rng_fill(rng, payload, len);
	if (rng_below(rng, 3) == 0)
		memset(payload, rng_below(rng, 2) ? 0 : 0xff, len);
	if (rng_below(rng, 4) == 0)
		ip.fragment = (uint16_t)(rng_u32(rng) & 0xe007);
	else if (rng_below(rng, 8) == 0)
		ip.fragment = (uint16_t)rng_u32(rng);
	switch (rng_below(rng, 4)) {
	case 0:
		packet_udp(p, &ip, (uint16_t)rng_u32(rng), ports[rng_below(rng, 5)], payload, len);
		return;
	case 1:
		packet_tcp(p, &ip, 1, 179, (uint8_t)rng_u32(rng), payload, rng_below(rng, 11) * 4);
		return;
	default:
		ip.protocol = protocols[rng_below(rng, TEST_COUNT(protocols))];
		packet_ip4(p, &ip, payload, len);
	}
}

/* The fragments of one datagram to the router, in any order, now and then twice, short of one, or overlapping. */
static void queue_fragments(struct rng *rng, struct world *t)
{
	struct ip4 ip = {.src = host(rng),
	    .dst = "203.0.113.10",
	    .id = (uint16_t)rng_u32(rng),
	    .protocol = rng_below(rng, 2) ? 17 : 50};
	unsigned count = 2 + rng_below(rng, 4), piece = 8 * (6 + rng_below(rng, 30));
	uint8_t payload[2000] = {
	    1, 0xf4, 1, 0xf4, (uint8_t)(count * piece >> 8), (uint8_t)(count * piece)};

	for (unsigned i = 0; i < count; i++) {
		unsigned n = rng_below(rng, 8) ? (i * 3 + ip.id) % count : rng_below(rng, count);
		unsigned start = n * piece;
		struct packet p = {.len = 0};

		if (rng_below(rng, 32) == 0)
			start += 8 * rng_below(rng, 4);
		ip.fragment = (uint16_t)(start / 8 | (n + 1 < count ? MF : 0));
		packet_ip4(&p, &ip, payload + start, piece);
		world_queue_on(t, W_UPLINK, &p);
	}
}

/* Bends a few bytes of the headers; mostly the checksum is right all the same. */
static void bend(struct rng *rng, struct packet *p, size_t ip_at)
{
	unsigned times = rng_below(rng, 4);

	for (unsigned i = 0; i < times; i++)
		p->bytes[ip_at + rng_below(rng, 40)] = (uint8_t)rng_u32(rng);
	if (rng_below(rng, 8) && (p->bytes[ip_at] & 15) >= 5)
		packet_ip4_fix(p->bytes + ip_at);
	if (rng_below(rng, 16) == 0)
		p->len = rng_below(rng, (uint32_t)p->len) + 1;
	else if (rng_below(rng, 8) == 0)
		p->len += rng_below(rng, 60);
}

static unsigned grow_frame(struct rng *rng, struct packet *p)
{
	static const uint16_t vlans[] = {100, 200, 0, 300};
	static const uint16_t types[] = {0x0806, 0x86dd, 0x8100, 0x1234};
	unsigned port = rng_below(rng, W_PORTS);
	uint16_t vlan =
	    port == 1 || rng_below(rng, 32) == 0 ? vlans[rng_below(rng, 32) % 4 & 1] : 0;
	uint16_t type = rng_below(rng, 32) ? 0x0800 : types[rng_below(rng, 4)];
	uint8_t mac[6];
	size_t ip_at;

	memcpy(mac, world_mac(port), 6);
	if (rng_below(rng, 32) == 0)
		mac[rng_below(rng, 6)] = (uint8_t)rng_u32(rng);
	p->len = 0;
	if (vlan)
		packet_vlan(p, mac, vlan, type);
	else
		packet_eth(p, mac, type);
	ip_at = p->len;
	memset(p->bytes + ip_at, 0, 100);
	grow_ip(rng, p);
	bend(rng, p, ip_at);
	return port;
}

/* As an mbuf, now and then in segments that are cut anywhere behind the headers. */
static struct rte_mbuf *to_mbuf(struct rng *rng, struct world *t, const struct packet *p)
{
	struct rte_mbuf *m = world_mbuf(t, p), *rest;
	unsigned at = 80 + rng_below(rng, 400);

	if (rng_below(rng, 8) || p->len <= at)
		return m;
	rest = rte_pktmbuf_copy(m, t->pool, at, UINT32_MAX);
	if (!rest)
		return m;
	assert_int_equal(rte_pktmbuf_trim(m, (uint16_t)(p->len - at)), 0);
	assert_int_equal(rte_pktmbuf_chain(m, rest), 0);
	return m;
}

static void discard_output(struct world *t)
{
	struct rte_mbuf *m;

	for (unsigned port = 0; port < W_PORTS; port++)
		while (rte_ring_dequeue(t->from_router[port], (void **)&m) == 0) {
			assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
			rte_pktmbuf_free(m);
		}
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++)
		while ((m = world_punted(t, c)) != NULL) {
			assert_int_equal(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
			rte_pktmbuf_free(m);
		}
}

/* Control's part: packets of any kind with any meta, within the tables. */
static void inject_something(struct rng *rng, struct world *t)
{
	struct packet p = {.len = 0};
	struct rte_mbuf *m;

	grow_ip(rng, &p);
	m = world_mbuf(t, &p);
	*pkt_meta(m) = (struct pkt_meta){.detail = (uint8_t)rng_below(rng, 5),
	    .iface = (uint16_t)rng_below(rng, 8),
	    .tunnel = rng_below(rng, 8),
	    .nexthop = rng_below(rng, 32),
	    .port = (uint16_t)rng_below(rng, 4)};
	assert_int_equal(inject_put(t->b->inject, rng_below(rng, W_WORKERS), m), 0);
}

static void test_garbage(void **state)
{
	struct world *t = *state;
	struct rng rng = test_rng();
	const char *asked = getenv("TEST_FRAMES");
	unsigned long frames = asked ? strtoul(asked, NULL, 0) : FRAMES;
	struct slot_counters sum, all = {0};
	static struct packet p;
	unsigned kinds = 0;

	t->waiting = true;
	for (unsigned long i = 0; i < frames; i++) {
		unsigned port = grow_frame(&rng, &p);

		assert_int_equal(rte_ring_enqueue(t->to_router[port], to_mbuf(&rng, t, &p)), 0);
		if (rng_below(&rng, 16) == 0)
			inject_something(&rng, t);
		if (rng_below(&rng, 16) == 0)
			queue_fragments(&rng, t);
		if (rng_below(&rng, 48) == 0) {
			world_run(t);
			discard_output(t);
		}
	}
	world_run(t);
	discard_output(t);
	for (unsigned i = 0; i < W_WORKERS; i++) {
		t->workers[i].now = rte_rdtsc() + 3 * rte_get_tsc_hz();
		reassembly_expire(&t->workers[i]);
	}
	for (uint16_t s = 0; s < t->b->counters.slots; s++) {
		slot_read(&t->b->counters, s, &sum);
		assert_int_equal(slot_balance(&sum), 0);
		all.received += sum.received;
		all.delivered += sum.delivered;
		all.punted += sum.punted;
		all.absorbed += sum.absorbed;
		all.created += sum.created;
		for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
			all.drop[r] += sum.drop[r];
	}
	assert_in_range(all.received, frames, 2 * frames);
	/* it was not all thrown away at the door */
	assert_in_range(all.delivered, frames / 50, frames);
	assert_in_range(all.punted, 100, frames);
	assert_in_range(all.absorbed, frames / 100, frames);
	assert_in_range(all.created, 100, frames);
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		kinds += all.drop[r] > 0;
	assert_in_range(kinds, 20, DROP_REASON_COUNT);
	if (asked)
		for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
			print_message("%-24s %" PRIu64 "\n", drop_reason_name(r), all.drop[r]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_garbage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
