/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers: making them, and the loop that each runs on its lcore.
 *
 * A worker that polls in vain backs off when it is told to be adaptive: first it pauses between rounds, then it
 * sleeps, longer each time up to SLEEP_MAX_US. Asleep it holds no pointer and says so, so that control never waits
 * for it. Any packet ends the back-off. Sleeping is the one system call of the data path.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "boundary/near.h"
#include "datapath/esp.h"
#include "datapath/stage.h"
#include "datapath/tx.h"

#define ROUNDS_BEFORE_PAUSE 16
#define ROUNDS_BEFORE_SLEEP 512
#define SLEEP_MAX_US        100

static int worker_init(struct worker *w, struct boundary *b, unsigned id)
{
	char name[RTE_RING_NAMESIZE];

	w->b = b;
	w->id = id;
	w->slots = b->counters.of_worker[id];
	w->now = rte_rdtsc();
	snprintf(name, sizeof(name), "ho%" PRIxPTR, (uintptr_t)w);
	w->handoff_in = rte_ring_create(name, HANDOFF_RING, near_node(id), RING_F_SC_DEQ);
	if (!w->handoff_in) /* its node has no memory left */
		w->handoff_in = rte_ring_create(name, HANDOFF_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
	w->tx = tx_create(id);
	w->reassembly = reassembly_create(b, id);
	w->early = early_create(b, id);
	if (!w->handoff_in || !w->tx || !w->reassembly || !w->early)
		return -ENOMEM;
	if (b->crypto)
		w->queue_device_count =
		    crypto_queue_devices(b->crypto, w->queue_device, RTE_DIM(w->queue_device));
	return esp_worker_init(w);
}

static void worker_fini(struct worker *w)
{
	struct rte_mbuf *m;

	w->trace = NULL; /* it may have ended since the last round */
	esp_worker_fini(w);
	reassembly_free(w);
	early_free(w);
	tx_free(w->tx);
	while (w->handoff_in && rte_ring_dequeue(w->handoff_in, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(w->handoff_in);
}

struct worker *workers_create(struct boundary *b, bool adaptive)
{
	struct worker *all =
	    rte_zmalloc(NULL, b->workers * sizeof(struct worker), RTE_CACHE_LINE_SIZE);

	if (!all) {
		errno = ENOMEM;
		return NULL;
	}
	for (unsigned i = 0; i < b->workers; i++) {
		all[i].peers = all;
		all[i].adaptive = adaptive;
		if (worker_init(&all[i], b, i) < 0) {
			workers_free(all, i + 1);
			errno = ENOMEM;
			return NULL;
		}
	}
	return all;
}

void workers_free(struct worker *all, unsigned count)
{
	if (!all)
		return;
	for (unsigned i = 0; i < count; i++)
		worker_fini(&all[i]);
	rte_free(all);
}

int worker_add_queue(struct worker *w, uint16_t port, uint16_t queue)
{
	if (w->queue_count == WORKER_QUEUES_MAX)
		return -ENOSPC;
	w->queue[w->queue_count++] = (struct worker_queue){.port = port, .queue = queue};
	return 0;
}

/* Single writer: a plain addition that readers on another lcore see whole. */
static inline void add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

/* After a round without packets. */
static void back_off(struct worker *w)
{
	struct timespec nap = {.tv_sec = 0};
	unsigned slept;

	w->idle_rounds++;
	if (!w->adaptive || w->idle_rounds < ROUNDS_BEFORE_PAUSE)
		return;
	if (w->idle_rounds < ROUNDS_BEFORE_SLEEP) {
		rte_pause();
		return;
	}
	slept = w->idle_rounds - ROUNDS_BEFORE_SLEEP + 1;
	nap.tv_nsec = RTE_MIN(slept, SLEEP_MAX_US) * 1000L;
	epoch_offline(w->b->epoch, w->id);
	nanosleep(&nap, NULL);
	epoch_online(w->b->epoch, w->id);
}

/* Control puts nothing more: what it said last, farewells to peers among it, still goes out. */
static void finish(struct worker *w)
{
	do
		worker_round(w);
	while (!inject_is_empty(w->b->inject, w->id));
}

int worker_main(void *arg)
{
	struct worker *w = arg;
	struct heartbeat *beat = &w->b->beat[w->id];
	uint64_t begin = rte_rdtsc();

	prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	if (w->b->crypto)
		crypto_warm_up(w->b->crypto);
	epoch_online(w->b->epoch, w->id);
	while (!atomic_load_explicit(&w->b->stop, memory_order_acquire)) {
		unsigned moved = worker_round(w);
		uint64_t end;

		if (moved > 0)
			w->idle_rounds = 0;
		else
			back_off(w);
		end = rte_rdtsc();
		add(&beat->rounds, 1);
		add(&beat->packets, moved);
		add(moved > 0 ? &beat->busy_cycles : &beat->idle_cycles, end - begin);
		begin = end;
	}
	finish(w);
	epoch_offline(w->b->epoch, w->id);
	return 0;
}
