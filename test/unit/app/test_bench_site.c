/* SPDX-License-Identifier: BSD-3-Clause */

/* The router in memory that transitbench measures. */

#include "testing_eal.h"
#include "transitbench/site.h"

#define WORKERS 2

static struct bench_ports ports = {.queues = WORKERS, .descriptors = 1024};

static struct profile profile_of(const char *name)
{
	struct profile p;
	unsigned at = 0;

	while (profile_next(&at, &p)) {
		if (profile_matches(&p, name))
			return p;
	}
	fail_msg("no profile %s", name);
	return p;
}

static unsigned sent_on(unsigned queue)
{
	return rte_ring_count(ports.out[LAN][queue]) + rte_ring_count(ports.out[WAN][queue]);
}

/* The rings of a queue have one producer and one consumer: two workers in one of them would send a buffer twice. */
static void each_worker_has_queues_of_its_own(void **state)
{
	static const char *const names[] = {"out/aes128gcm16/64/1/1", "in/aes128gcm16/64/1/1",
	    "relay/aes128-sha1/64/1/1", "plain/none/64/1/1"};

	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(names); i++) {
		struct profile p = profile_of(names[i]);
		struct site s;

		assert_int_equal(site_open(&s, &p, test_packets, &ports, true), 0);
		epoch_online(s.b->epoch, 1); /* site_open() has done so for the first worker */
		for (unsigned q = 0; q < WORKERS; q++) {
			struct rte_mbuf *m[BURST_MAX];

			assert_int_equal(site_frames(&s, m, BURST_MAX), BURST_MAX);
			assert_int_equal(rte_ring_enqueue_bulk(ports.in[site_port_in(&p)][q],
					     (void **)m, BURST_MAX, NULL),
			    BURST_MAX);
			worker_round(&s.w[q]);
			if (sent_on(q) == 0) /* the SA is the first worker's */
				worker_round(&s.w[0]);
			assert_int_equal(sent_on(0) + sent_on(1), BURST_MAX * (q + 1));
			if (p.direction == DIR_OUT || p.direction == DIR_PLAIN)
				assert_int_equal(sent_on(q), BURST_MAX);
		}
		epoch_offline(s.b->epoch, 1);
		site_close(&s);
		assert_int_equal(sent_on(0) + sent_on(1), 0);
	}
}

/* The average of a mix is the same in every block, and the peers' encryption adds nothing to what counts as clear. */
static void clear_bytes_are_those_of_the_mix(void **state)
{
	static const struct {
		const char *name;
		unsigned bytes; /* of twelve frames */
	} rows[] = {{"out/aes128gcm16/imix/1/1", 7 * 64 + 4 * 576 + 1424},
	    {"in/aes128-sha1/imix/1/1", 7 * 64 + 4 * 576 + 1424},
	    {"relay/aes128gcm16/64/1/1", 12 * 64}, {"plain/none/1424/1/1", 12 * 1424}};

	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		struct profile p = profile_of(rows[i].name);
		struct site s;

		assert_int_equal(site_open(&s, &p, test_packets, &ports, true), 0);
		for (unsigned n = 1; n <= 20; n++) {
			struct rte_mbuf *m[SITE_MIX];

			assert_int_equal(site_frames(&s, m, SITE_MIX), SITE_MIX);
			assert_int_equal(s.clear_bytes, n * rows[i].bytes);
			rte_pktmbuf_free_bulk(m, SITE_MIX);
		}
		site_close(&s);
	}
}

/* Routes that churn must not change what a packet costs: a detour leads into tunnels where the route did. */
static void a_detour_encrypts_like_the_route(void **state)
{
	static const char *const names[] = {"out/aes128gcm16/64/1/1", "out/aes128gcm16/64/16ecmp/1",
	    "relay/aes128gcm16/64/1/1", "in/aes128gcm16/64/1/1"};

	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(names); i++) {
		struct profile p = profile_of(names[i]);
		struct ip_addr a = ip_v4(SITE_ROUTES);
		struct ip_prefix route = ip_prefix_of(&a, 24);
		struct rte_mbuf *m[BURST_MAX];
		struct site s;

		assert_int_equal(site_open(&s, &p, test_packets, &ports, true), 0);
		assert_int_equal(fib_set(s.fib, &route, s.detour), 0);
		assert_int_equal(site_frames(&s, m, BURST_MAX), BURST_MAX);
		rte_ring_enqueue_bulk(ports.in[site_port_in(&p)][0], (void **)m, BURST_MAX, NULL);
		worker_round(&s.w[0]);
		assert_int_equal(
		    rte_ring_count(ports.out[p.direction == DIR_IN ? LAN : WAN][0]), BURST_MAX);
		site_close(&s);
	}
}

static int setup(void **state)
{
	int rc = test_eal_setup(state);

	return rc ? rc : bench_ports_open(&ports, test_packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_worker_has_queues_of_its_own),
	    cmocka_unit_test(clear_bytes_are_those_of_the_mix),
	    cmocka_unit_test(a_detour_encrypts_like_the_route),
	};

	return cmocka_run_group_tests(tests, setup, test_eal_teardown);
}
