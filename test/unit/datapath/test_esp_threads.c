/* SPDX-License-Identifier: BSD-3-Clause */

/* Two workers at once on the same SAs: no number twice, no packet twice, none lost (ES-02). */

#include "esp_rig.h"
#include "testing_eal.h"

#include <pthread.h>
#include <sched.h>

#include <rte_ring.h>

/* Drivers keep a manager per thread, for ever: lcores do not end, the threads of this test do. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:alloc_mb_mgr";
}

#define PACKETS 800 /* of each worker in a round */
#define ROUNDS  20

struct side {
	pthread_t thread;
	struct worker *w;
	struct rte_mbuf *m[PACKETS];
	struct rte_mbuf *done[2 * PACKETS];
	unsigned count, done_count;
	_Atomic unsigned *all_done;
	unsigned wanted;
};

static void *send_all(void *arg)
{
	struct side *s = arg;

	s->done_count = 0;
	for (unsigned i = 0; i < s->count; i += 16)
		s->done_count += rig_esp_out(
		    s->w, s->m + i, RTE_MIN(16u, s->count - i), s->done + s->done_count);
	return NULL;
}

/* Its own packets and what the other one hands over, until both have them all. */
static void *receive_all(void *arg)
{
	struct side *s = arg;
	unsigned at = 0;

	s->done_count = 0;
	while (atomic_load(s->all_done) < s->wanted) {
		struct rte_mbuf *m[BURST_MAX];
		unsigned n = RTE_MIN(16u, s->count - at), got;

		got = n ? esp_in(s->w, s->m + at, n, s->done + s->done_count) : 0;
		at += n;
		s->done_count += got;
		atomic_fetch_add(s->all_done, got);
		n = rte_ring_dequeue_burst(s->w->handoff_in, (void **)m, BURST_MAX, NULL);
		got = n ? esp_in(s->w, m, n, s->done + s->done_count) : 0;
		s->done_count += got;
		atomic_fetch_add(s->all_done, got);
		if (got == 0)
			sched_yield();
	}
	return NULL;
}

static void run(struct side *sides, void *(*fn)(void *))
{
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&sides[i].thread, NULL, fn, &sides[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_join(sides[i].thread, NULL), 0);
}

/* Packets of both sides, shuffled, half to each side. */
static void deal(struct rig *r, struct side *sides, struct rng *rng)
{
	static struct rte_mbuf *all[2 * PACKETS];
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		memcpy(all + n, sides[i].done, sides[i].done_count * sizeof(all[0]));
		n += sides[i].done_count;
	}
	rig_turn_round(r, all, n);
	for (unsigned i = n; i > 1; i--) { /* within the window */
		unsigned k = i - 1 - rng_below(rng, RTE_MIN(i, 50u));
		struct rte_mbuf *m = all[i - 1];

		all[i - 1] = all[k];
		all[k] = m;
	}
	for (unsigned i = 0; i < 2; i++) {
		sides[i].count = n / 2;
		memcpy(sides[i].m, all + i * (n / 2), n / 2 * sizeof(all[0]));
	}
}

static void two_at_once(void **state)
{
	static const struct suite suites[] = {
	    {ENCR_AES128GCM16, AUTH_NONE}, {ENCR_AES128, AUTH_SHA1}};
	static struct side sides[2];
	static bool seen[2][2 * PACKETS * ROUNDS + 1];
	struct rig *r = *state;
	struct rng rng = test_rng();
	struct sa_out *out[2];
	struct sa_in *in[2];
	uint32_t tunnel[2];
	_Atomic unsigned all_done;
	struct packet p;

	memset(seen, 0, sizeof(seen));
	rig_inner(&p, 60);
	for (unsigned i = 0; i < 2; i++) {
		struct sa_spec spec = rig_spec(r, suites[i], 0x10 + i), mirror = rig_mirror(&spec);

		mirror.window = 4096;
		in[i] = rig_in(r, &mirror);
		out[i] = rig_out(r, &spec);
		tunnel[i] = rig_tunnel(r, out[i]);
		sides[i].w = &r->workers[i];
		sides[i].all_done = &all_done;
		sides[i].wanted = 2 * PACKETS;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < 2 * PACKETS; i++)
			sides[i / PACKETS].m[i % PACKETS] =
			    rig_to_send(r, tunnel[rng_below(&rng, 2)], &p);
		sides[0].count = sides[1].count = PACKETS;
		run(sides, send_all);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(sides[i].done_count, PACKETS);
			for (unsigned k = 0; k < PACKETS; k++) {
				const uint8_t *esp =
				    rte_pktmbuf_mtod_offset(sides[i].done[k], uint8_t *, 20);
				unsigned sa = esp[3] - 0x10,
					 number = get16(esp + 4) << 16 | get16(esp + 6);

				assert_in_range(number, 1, 2 * PACKETS * ROUNDS);
				assert_false(seen[sa][number]);
				seen[sa][number] = true;
			}
		}
		deal(r, sides, &rng);
		atomic_store(&all_done, 0);
		run(sides, receive_all);
		assert_int_equal(sides[0].done_count + sides[1].done_count, 2 * PACKETS);
		for (unsigned i = 0; i < 2; i++) {
			for (unsigned k = 0; k < sides[i].done_count; k++)
				rig_free(r, sides[i].done[k]);
		}
	}
	for (unsigned i = 0; i < 2; i++) { /* no gaps either */
		for (uint64_t number = 1; number < sa_out_sequence(out[i]); number++)
			assert_true(seen[i][number]);
		assert_int_equal(in[i]->replay.top, sa_out_sequence(out[i]) - 1);
		assert_true(in[i]->owner >= 0);
	}
	rig_dropped(r, DROP_ESP_REPLAY, 0);
}

#define RIG_TEST_TWO(f) cmocka_unit_test_setup_teardown(f, rig_setup_two, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST_TWO(two_at_once),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
