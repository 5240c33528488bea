/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP between the engines and the workers: what control sends can be read again, and lies are
 * found.
 */

#include <errno.h>
#include <string.h>

#include "base/wire.h"
#include "bench.h"
#include "router/internal.h"

static const char site[] = BENCH_SITE "vpn-connections:\n"
				      "  dc1: {" BENCH_PAIR "}\n"
				      "attachments:\n"
				      "  dc1: {kind: vpn, connection: dc1}\n";

static struct router router_on(struct bench *t)
{
	struct router r = {.b = t->b, .model = t->m, .conf = t->conf};

	rng_init_seeded(&r.rng, 1);
	return r;
}

static struct rte_mbuf *taken(struct bench *t)
{
	struct rte_mbuf *m = NULL;

	assert_int_equal(inject_take(t->b->inject, 0, &m, 1), 1);
	return m;
}

static void what_is_sent_can_be_read(void **state)
{
	struct bench *t = *state;
	uint8_t bytes[2000], room[2048];

	bench_apply(t, site);
	struct router r = router_on(t);
	const struct ike_endpoint local = {t->conf->vpn_connections[0]->tunnels[0]->gateway_address,
				      4500},
				  remote = {test_addr("192.0.2.1"), 61000};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= 1500; len += len < 20 ? 1 : 93) {
		for (unsigned marker = 0; marker < 2; marker++) {
			struct ike_endpoint to, from;
			struct wire payload;
			size_t got;

			assert_int_equal(host_send_udp(&r, &local, &remote, marker, bytes, len), 0);
			struct rte_mbuf *m = taken(t);
			assert_int_equal(pkt_meta(m)->detail, INJECT_NEXTHOP);
			assert_int_equal(
			    pkt_meta(m)->nexthop, model_underlay(t->m, &local.addr, &remote.addr));
			const uint8_t *packet = host_bytes(m, room, sizeof(room), &got);
			assert_int_equal(host_parse_udp(packet, got, &to, &from, &payload), 0);
			assert_true(ip_eq(&to.addr, &remote.addr) && to.port == remote.port);
			assert_true(ip_eq(&from.addr, &local.addr) && from.port == local.port);
			if (marker)
				assert_int_equal(wire_u32(&payload), 0);
			assert_int_equal(wire_left(&payload), len);
			if (len)
				assert_memory_equal(payload.at, bytes, len);
			rte_pktmbuf_free(m);
		}
	}
}

static void nowhere_to_send(void **state)
{
	struct bench *t = *state;
	static uint8_t bytes[5000];

	bench_apply(t, site);
	struct router r = router_on(t);
	struct ike_endpoint local = {test_addr("10.77.0.1"), 500},
			    remote = {test_addr("192.0.2.1"), 500};
	struct ike_endpoint v6 = {test_addr("2001:db8::1"), 500};

	assert_int_equal(host_send_udp(&r, &local, &remote, false, bytes, 100), -ENETUNREACH);
	local.addr = t->conf->vpn_connections[0]->tunnels[0]->gateway_address;
	assert_int_equal(host_send_udp(&r, &local, &v6, false, bytes, 100), -EAFNOSUPPORT);
	assert_int_equal(
	    host_send_udp(&r, &local, &remote, false, bytes, sizeof(bytes)), -EMSGSIZE);
	assert_int_equal(
	    host_send_udp(&r, &local, &remote, false, bytes, 4000), -ENOBUFS); /* one buffer */
	test_packets_all_home();
}

/* Every byte that lies is found, or changes nothing that matters: never read beyond the end. */
static void lies_are_found(void **state)
{
	static const uint8_t good[] = {0x45, 0, 0, 36, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 203,
	    0, 113, 33, 0x01, 0xf4, 0x01, 0xf4, 0, 16, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
	struct ike_endpoint local, remote;
	struct wire payload;
	struct rng rng = test_rng();

	assert_int_equal(host_parse_udp(good, sizeof(good), &local, &remote, &payload), 0);
	assert_int_equal(wire_left(&payload), 8);
	for (size_t len = 0; len < sizeof(good); len++) {
		uint8_t *cut = malloc(len + 1); /* for the sanitizer to watch the end */

		memcpy(cut, good, len);
		assert_int_equal(host_parse_udp(cut, len, &local, &remote, &payload), -EINVAL);
		free(cut);
	}
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t *bad = malloc(sizeof(good));

		memcpy(bad, good, sizeof(good));
		for (unsigned i = 0; i < 3; i++)
			bad[rng_below(&rng, sizeof(good))] = (uint8_t)rng_u32(&rng);
		if (host_parse_udp(bad, sizeof(good), &local, &remote, &payload) == 0)
			assert_true(payload.at >= bad && payload.end <= bad + sizeof(good));
		free(bad);
	}
}

static void the_checksum_counts(void **state)
{
	struct bench *t = *state;
	struct ike_endpoint from, to;
	struct wire payload;
	uint8_t copy[256];

	bench_apply(t, site);
	struct router r = router_on(t);
	const struct ike_endpoint local = {t->conf->vpn_connections[0]->tunnels[0]->gateway_address,
				      500},
				  remote = {test_addr("192.0.2.1"), 500};

	assert_int_equal(
	    host_send_udp(&r, &local, &remote, false, (const uint8_t *)"abcdefg", 7), 0);
	struct rte_mbuf *m = taken(t);
	size_t len = rte_pktmbuf_pkt_len(m);
	memcpy(copy, rte_pktmbuf_mtod(m, uint8_t *), len);
	rte_pktmbuf_free(m);
	assert_int_equal(host_parse_udp(copy, len, &to, &from, &payload), 0);
	for (size_t i = 12; i < len; i++) {
		if (i == 26 || i == 27)
			continue; /* the checksum itself: 0 would mean none */
		copy[i] ^= 0x10;
		assert_int_equal(host_parse_udp(copy, len, &to, &from, &payload), -EINVAL);
		copy[i] ^= 0x10;
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_is_sent_can_be_read),
	    CASE(nowhere_to_send),
	    cmocka_unit_test(lies_are_found),
	    CASE(the_checksum_counts),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
