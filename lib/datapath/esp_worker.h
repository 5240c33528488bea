/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_WORKER_H
#define DATAPATH_ESP_WORKER_H

/*
 * What the files of the ESP stages share: a worker's state, what they note in a packet, and the seam between
 * the stages and the engines.
 *
 *   esp_out.c    tunnel -> SA, room, limits, numbers         esp_in.c     SPI -> SA, owner, peer, replay
 *        |                                                          |
 *   engine.encap                                               engine.decap
 *        |                                                          |
 *   outer packets                                              esp_inner.c  ICV, replay, inner packet
 *
 * A burst is packets m[] with their SAs sa[]. When all have one, what an SA needs is done once. When SAs are mixed,
 * each step goes through the burst packet by packet, and asks nothing that depends on whether two packets have the same
 * SA: a branch on that is guessed wrong half the time, which costs more than the work that it saves. Nor does a step
 * fetch for the next one what the CPU finds in time by itself: keys and counters asked for ahead only cost.
 *
 * Engines (enum esp_engine; which one is settled when the SA is made):
 *   esp_mb_aead.c   intel-ipsec-mb, packet by packet; esp_frame.h frames
 *   esp_mb_chain.c  intel-ipsec-mb over the burst, across SAs; esp_frame.h frames
 *   esp_rte.c       rte_ipsec over a crypto device: at once, or through esp_queue.c; esp_outer.c completes
 *
 * rte_ipsec takes packets SA by SA, workers that share an SA take numbers for all its packets at once, and near a limit
 * each SA is asked how many may pass: for these esp_group.c sorts the burst.
 */

#include <rte_crypto.h>

#include "datapath/esp.h"

/* Packets of one worker that may wait in a crypto device, both directions; more are dropped. */
#define ESP_IN_FLIGHT_MAX 1024 /* a power of two */
#define ESP_QUEUES_MAX    8    /* crypto devices with queues */

/* Finished packets that wait to leave a stage: a ring of ESP_IN_FLIGHT_MAX. */
struct esp_done {
	uint32_t head, tail;
	struct rte_mbuf *m[ESP_IN_FLIGHT_MAX];
};

/* One crypto device, this worker's queue pair. */
struct esp_queue {
	uint8_t device;
	bool software;      /* an empty dequeue means that nothing is left inside */
	uint16_t in_flight; /* enqueued, not dequeued */
	uint16_t staged_count;
	struct rte_crypto_op *staged[BURST_MAX];
};

/* A burst sorted by SA: packets of group g are m[start[g]] .. m[start[g + 1] - 1], in the order they came. */
struct esp_groups {
	unsigned count;
	uint16_t start[BURST_MAX + 1];
};

struct esp_mb; /* esp_mb.h */

struct esp_worker {
	uint64_t burst;  /* number of the last one that was grouped */
	bool shared_sas; /* more than one worker: sequence numbers are taken atomically */
	bool sorts_in;   /* the burst by SA, before the engine is called */
	unsigned queue_count;
	struct rte_mempool *ops;
	struct esp_mb *mb; /* NULL: crypto devices do the work */
	struct esp_done inner, outer;
	struct esp_queue queue[ESP_QUEUES_MAX];
};

/* A way to do ESP. m[i] is a packet of sa[i], checked, its number in its note (rte_ipsec counts by itself). Puts what it
 * finished at once into outer[] or inner[], keeps or drops the rest, and returns how many it put. */
struct esp_engine_ops {
	unsigned (*encap)(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
	    unsigned n, struct rte_mbuf **outer);
	unsigned (*decap)(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
	    unsigned n, struct rte_mbuf **inner);
};
extern const struct esp_engine_ops esp_engines[ESP_ENGINE_COUNT];

/* Packets from the first on that go to the engine of the first: as a rule all. */
static inline unsigned esp_same_engine(struct sa_head *const *sa, unsigned n)
{
	unsigned i = 1;

	while (i < n && sa[i]->engine == sa[0]->engine)
		i++;
	return i;
}

static inline bool esp_one_sa(struct sa_head *const *sa, unsigned n)
{
	unsigned same = 1;

	while (same < n && sa[same] == sa[0])
		same++;
	return same >= n;
}

static inline struct sa_in *sa_in_of(struct sa_head *h)
{
	return container_of(h, struct sa_in, head);
}

static inline struct sa_out *sa_out_of(struct sa_head *h)
{
	return container_of(h, struct sa_out, head);
}

/* Counts packets of an SA that have been framed: bytes of the inner ones, and of the outer ones. `shared`: as in esp_worker; then
 * each worker counts for itself, and none waits for another's cache line. */
static inline void esp_count_out(
    const struct worker *w, struct sa_out *sa, uint64_t inner, uint64_t outer, bool shared)
{
	struct sa_counters *c;

	if (likely(!shared)) {
		sa->bytes += inner;
		sa->outer_bytes += outer;
		return;
	}
	c = &sa->head.of_worker[w->id];
	c->bytes += inner;
	c->outer_bytes += outer;
}

/* esp_group.c. Sorts a burst by SA, in place. */
void esp_group(
    struct worker *w, struct sa_head **sa, struct rte_mbuf **m, unsigned n, struct esp_groups *g);

/* esp_in.c. Counts and drops a packet whose number was used. */
void esp_drop_replayed(
    struct worker *w, struct sa_in *sa, struct rte_mbuf *m, enum replay_verdict verdict);

/* esp_outer.c, for rte_ipsec. Notes what the outer header takes over from the inner one, before that is encrypted. */
void esp_outer_note(const struct sa_out *sa, struct rte_mbuf *m);
/* Completes the outer headers of encrypted packets, counts, sets meta. */
void esp_outer_finish(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n);

/* esp_inner.c. Those whose ICV held (ol_flags tell) and whose number is fresh stay, in front, their number returned; the
 * replay windows have moved. The outer header must still be there. */
unsigned esp_inner_accept(struct worker *w, struct sa_head **sa, struct rte_mbuf **m, unsigned n);
/* Drops one whose trailer is not as it must be, `next` being the next header in it. */
void esp_inner_refuse(struct worker *w, struct sa_head *sa, struct rte_mbuf *m, uint8_t next);
/* Bare inner packets. Those that may go on are put into inner[], their number returned. */
unsigned esp_inner_finish(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner);
/* All three, and the frame comes off in between: packets decrypted in place. */
unsigned esp_inner_decrypted(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner);

/* esp_mb.c */
int esp_mb_init(struct worker *w); /* 0 or -ENOMEM */
void esp_mb_fini(struct worker *w);
/* Work on what the engines have collected since the last time, and finish it. */
unsigned esp_mb_run_out(struct worker *w, struct rte_mbuf **outer);
unsigned esp_mb_run_in(struct worker *w, struct rte_mbuf **inner);

/* esp_rte.c. In runs of one SA. */
unsigned esp_rte_encap_sync(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer);
unsigned esp_rte_decap_sync(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner);
unsigned esp_rte_encap_queue(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer);
unsigned esp_rte_decap_queue(struct worker *w, struct sa_head *const *sa, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **inner);
/* From what a crypto device has finished, packets of one SA, to what a stage returns. */
unsigned esp_rte_encap_done(
    struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer);
unsigned esp_rte_decap_done(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);

/* esp_queue.c. Stages operations of packets of one SA. */
void esp_queue_stage(struct worker *w, struct sa_head *sa, struct rte_crypto_op **op, unsigned n);
/* How many more packets may be on their way through crypto devices. */
unsigned esp_queue_room(const struct worker *w);
/* Enqueues what is staged, and empties the software devices into the rings of finished packets. */
void esp_queue_run(struct worker *w);
unsigned esp_done_take(struct esp_done *d, struct rte_mbuf **m, unsigned max);

/* esp_event.c: at most once per SA and kind. */
void esp_event(struct worker *w, const struct sa_head *sa, bool inbound, enum event_kind kind,
    _Atomic bool *raised);
void esp_event_moved(struct worker *w, struct sa_in *sa, const struct ip_addr *from, uint16_t port);

#endif
