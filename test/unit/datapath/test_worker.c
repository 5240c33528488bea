/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a worker: it starts and stops, moves packets, counts its rounds, and backs off when idle. */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

static const struct ip4 a_to_c = {.src = "10.1.0.1", .dst = "10.3.0.1", .protocol = 253};

/* How often the last worker went to sleep by itself. */
static long naps;

static void *run(void *arg)
{
	struct rusage usage;

	assert_int_equal(worker_main(arg), 0);
	assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
	naps = usage.ru_nvcsw;
	return NULL;
}

static pthread_t start(struct world *t)
{
	pthread_t thread;

	for (unsigned i = 0; i < W_WORKERS; i++)
		epoch_offline(t->b->epoch, i);
	assert_int_equal(pthread_create(&thread, NULL, run, t->w), 0);
	return thread;
}

static void stop(struct world *t, pthread_t thread)
{
	atomic_store(&t->b->stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (unsigned i = 0; i < W_WORKERS; i++)
		epoch_online(t->b->epoch, i);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_moves_packets(void **state)
{
	struct world *t = *state;
	pthread_t thread = start(t);
	struct packet p = {0}, f = {0}, out;
	unsigned got = 0;

	packet_ip4(&p, &a_to_c, "abc", 3);
	packet_vlan(&f, world_mac(1), 100, 0x0800);
	memcpy(f.bytes + f.len, p.bytes, p.len);
	f.len += p.len;
	for (unsigned i = 0; i < 1000; i++)
		world_queue(t, 1, &f);
	while (got < 1000)
		got += world_sent(t, 2, &out);
	stop(t, thread);
	assert_false(world_sent(t, 2, &out));
	assert_int_equal(atomic_load(&t->b->beat[0].packets), 1000);
	assert_true(atomic_load(&t->b->beat[0].rounds) > 0);
	assert_true(atomic_load(&t->b->beat[0].busy_cycles) > 0);
}

/* An idle worker sleeps most of the time, still beats, and never keeps control waiting. */
static void test_backs_off(void **state)
{
	struct world *t = *state;
	pthread_t thread = start(t);
	uint64_t rounds = 0;
	double wall, cpu;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
	while (atomic_load(&t->b->beat[0].rounds) < 1000) /* past the beginning */
		usleep(1000);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(clock);
	rounds = atomic_load(&t->b->beat[0].rounds);
	for (unsigned i = 0; i < 50; i++) {
		assert_true(epoch_wait(t->b->epoch));
		usleep(4000);
	}
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(clock) - cpu;
	assert_true(atomic_load(&t->b->beat[0].rounds) > rounds);
	assert_true(atomic_load(&t->b->beat[0].idle_cycles) > 0);
	stop(t, thread);
	assert_true(cpu < wall / 3);
	assert_true(naps > 100);
}

/* One that is told to be busy never sleeps. */
static void test_busy(void **state)
{
	struct world *t = *state;
	pthread_t thread;

	t->w->adaptive = false;
	thread = start(t);
	while (atomic_load(&t->b->beat[0].rounds) < 20000)
		usleep(1000);
	stop(t, thread);
	assert_in_range(naps, 0, 10);
}

/* Told to stop, it sends what control put before: that is how peers hear that we go. */
static void test_stops_when_all_is_said(void **state)
{
	struct world *t = *state;
	struct packet f = {0}, out;
	unsigned sent = 0;

	packet_vlan(&f, (const uint8_t[]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 100, 0x0806);
	memset(f.bytes + f.len, 1, 28);
	f.len += 28;
	for (unsigned i = 0; i < 3 * BURST_MAX; i++) {
		struct rte_mbuf *m = world_mbuf(t, &f);

		*pkt_meta(m) = (struct pkt_meta){.detail = INJECT_FRAME, .port = 1};
		assert_int_equal(inject_put(t->b->inject, 0, m), 0);
	}
	atomic_store(&t->b->stop, true);
	stop(t, start(t));
	while (world_sent(t, 1, &out))
		sent++;
	assert_int_equal(sent, 3 * BURST_MAX);
}

static void test_queues(void **state)
{
	struct world *t = *state;

	for (uint16_t i = W_PORTS; i < WORKER_QUEUES_MAX; i++)
		assert_int_equal(worker_add_queue(t->w, 0, i), 0);
	assert_int_equal(worker_add_queue(t->w, 0, 99), -ENOSPC);
	t->w->queue_count = W_PORTS;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_moves_packets),
	    TEST(test_backs_off),
	    TEST(test_busy),
	    TEST(test_stops_when_all_is_said),
	    TEST(test_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
