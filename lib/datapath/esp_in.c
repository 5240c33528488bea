/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Inbound: from outer packets to inner ones.
 *
 * The SPI gives the SA. What a packet must show before the work of decrypting it: a
 * length that holds every field (before anything else is read), the outer addresses of its SA, a sequence
 * number that is not known to be used. An SA belongs to one worker, which alone writes its replay window: packets
 * of another worker's SA go there as they came.
 * What follows the decryption is in esp_inner.c.
 */

#include <rte_esp.h>
#include <rte_ip.h>
#include <rte_ring.h>

#include "datapath/esp.h"
#include "datapath/esp_mb.h"
#include "datapath/stage.h"
#include "datapath/trace.h"

static inline const struct rte_esp_hdr *esp_of(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const struct rte_esp_hdr *, esp_note(m)->offset);
}

/* One segment, into which a chain of them is copied if it fits. */
static inline bool is_whole(struct rte_mbuf *m)
{
	return likely(m->nb_segs == 1) || rte_pktmbuf_linearize(m) == 0;
}

static inline bool has_length_of(const struct sa_in *sa, const struct rte_mbuf *m)
{
	const struct sa_head *h = &sa->head;
	unsigned bytes = m->pkt_len - esp_note(m)->offset;

	return bytes >= sa->min_bytes &&
	    ((bytes - h->header_bytes - h->icv_bytes) & (h->align - 1u)) == 0;
}

/* Outer addresses */

static bool is_peer_v6(const struct sa_in *sa, const struct rte_mbuf *m, bool any_source)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);

	return memcmp(ip->dst_addr, sa->local.bytes, sizeof(ip->dst_addr)) == 0 &&
	    (any_source || memcmp(ip->src_addr, sa->remote.bytes, sizeof(ip->src_addr)) == 0);
}

/* In UDP from anywhere, when the SA was negotiated so; the ICV will tell. */
static inline bool is_peer(const struct sa_in *sa, const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	bool any_source = sa->head.natt && esp_note(m)->in_udp;
	uint64_t addresses;

	if (unlikely(ip[0] >> 4 != sa->outer_family))
		return false;
	if (unlikely(sa->outer_family == IP_V6))
		return is_peer_v6(sa, m, any_source);
	memcpy(&addresses, ip + offsetof(struct rte_ipv4_hdr, src_addr), sizeof(addresses));
	if (any_source)
		return (addresses ^ sa->outer_v4) >> 32 == 0; /* little endian: the local address */
	return addresses == sa->outer_v4;
}

/* In one segment, and long enough for an SPI and a number? Why not, or DROP_NOT. */
static inline unsigned misses_header(struct rte_mbuf *m)
{
	if (unlikely(!is_whole(m)))
		return DROP_NO_HEADROOM;
	return unlikely(m->data_len < esp_note(m)->offset + sizeof(struct rte_esp_hdr))
	    ? DROP_ESP_TRUNCATED
	    : DROP_NOT;
}

/* The SA of each packet; those with none are dropped. */
static unsigned find_sas(struct worker *w, struct rte_mbuf **m, unsigned n, struct sa_in **sa)
{
	uint32_t spi[BURST_MAX];
	unsigned whole = 0, kept = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned why = misses_header(m[i]);

		if (unlikely(why != DROP_NOT)) {
			drop(w, m[i], why);
			continue;
		}
		spi[whole] = rte_be_to_cpu_32(esp_of(m[i])->spi);
		m[whole++] = m[i];
	}
	if (unlikely(whole == 0))
		return 0;
	sa_in_find_burst(w->b->sas, spi, sa, whole);
	for (unsigned i = 0; i < whole; i++) {
		if (unlikely(!sa[i])) {
			if (early_hold(w, m[i]))
				continue;
			sa[i] = sa_in_find(w->b->sas, spi[i]); /* made in between */
		}
		if (unlikely(!sa[i])) {
			drop(w, m[i], DROP_ESP_UNKNOWN_SPI);
			continue;
		}
		sa[kept] = sa[i];
		m[kept++] = m[i];
	}
	return kept;
}

/* Owner */

/* Packets for other workers, in the order they came. */
struct away {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
	int16_t owner[BURST_MAX];
};

/* Is it ours, from now on at the latest? */
static inline bool is_owner(struct worker *w, struct sa_in *sa, int16_t *owner)
{
	*owner = atomic_load_explicit(&sa->owner, memory_order_acquire);
	if (likely(*owner == (int16_t)w->id))
		return true;
	return *owner < 0 &&
	    atomic_compare_exchange_strong_explicit(
		&sa->owner, owner, (int16_t)w->id, memory_order_acq_rel, memory_order_acquire);
}

static void hand_over(struct worker *w, struct away *away)
{
	for (unsigned i = 0, end; i < away->n; i = end) {
		struct rte_ring *ring = w->peers[away->owner[i]].handoff_in;
		unsigned taken;

		for (end = i + 1; end < away->n && away->owner[end] == away->owner[i]; end++)
			;
		trace_stage(w, TRACE_HANDED, (unsigned)away->owner[i], away->m + i, end - i);
		taken = rte_ring_enqueue_burst(ring, (void **)away->m + i, end - i, NULL);
		if (unlikely(taken < end - i))
			drop_burst(w, away->m + i + taken, end - i - taken, DROP_HANDOFF_FULL);
	}
}

/* Replay, before the work */

void esp_drop_replayed(
    struct worker *w, struct sa_in *sa, struct rte_mbuf *m, enum replay_verdict verdict)
{
	struct sa_counters *c = &sa->head.of_worker[w->id];

	if (verdict == REPLAY_SEEN)
		c->replay++;
	else
		c->replay_old++;
	drop(w, m, verdict == REPLAY_SEEN ? DROP_ESP_REPLAY : DROP_ESP_REPLAY_OLD);
}

/* Why a packet is not worth the work, before anything of it is believed; DROP_NOT when it is. */
static inline unsigned refused(const struct sa_in *sa, const struct rte_mbuf *m)
{
	if (unlikely(!is_peer(sa, m)))
		return DROP_ESP_WRONG_PEER;
	return unlikely(!has_length_of(sa, m)) ? DROP_ESP_TRUNCATED : DROP_NOT;
}

static inline void note(const struct sa_in *sa, struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct esp_note *note = esp_note(m);

	note->sequence = replay_infer(&sa->replay, rte_be_to_cpu_32(esp_of(m)->seq), sa->head.esn);
	note->tos = ip[0] >> 4 == IP_V4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
	note->bytes = m->pkt_len;
	note->inbound = true;
	note->failed = false;
}

/* What the stages behind decryption read and write of many SAs: with 10,000 tunnels it is far away. */
static void fetch(
    const struct worker *w, struct sa_head *const *sa, struct rte_mbuf *const *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(&w->slots[sa[i]->slot]);
		rte_prefetch0(replay_word(&sa_in_of(sa[i])->replay, esp_note(m[i])->sequence));
	}
}

/* May it be decrypted here and now? If not, it is dropped or on its way to its worker. */
static inline bool admit(struct worker *w, struct sa_in *sa, struct rte_mbuf *m, struct away *away)
{
	unsigned why = refused(sa, m);
	enum replay_verdict verdict;
	int16_t owner;

	if (unlikely(why != DROP_NOT)) {
		sa->head.of_worker[w->id].other++;
		drop(w, m, why);
		return false;
	}
	if (unlikely(!is_owner(w, sa, &owner))) {
		away->m[away->n] = m;
		away->owner[away->n++] = owner;
		return false;
	}
	note(sa, m);
	verdict = replay_check(&sa->replay, esp_note(m)->sequence);
	if (unlikely(verdict != REPLAY_FRESH)) {
		esp_drop_replayed(w, sa, m, verdict);
		return false;
	}
	return true;
}

unsigned esp_in(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	struct sa_in *in[BURST_MAX];
	struct sa_head *sa[BURST_MAX];
	struct away away;
	unsigned room = n, done = 0, kept = 0;

	away.n = 0;
	n = find_sas(w, m, n, in);
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(!admit(w, in[i], m[i], &away)))
			continue;
		sa[kept] = &in[i]->head;
		m[kept++] = m[i];
	}
	hand_over(w, &away);
	if (sa_many_in(w->b->sas) && !esp_one_sa(sa, kept))
		fetch(w, sa, m, kept);
	if (w->esp->sorts_in)
		esp_group(w, sa, m, kept, &(struct esp_groups){0});
	for (unsigned i = 0, run; i < kept; i += run) {
		run = esp_same_engine(sa + i, kept - i);
		done += esp_engines[sa[i]->engine].decap(w, sa + i, m + i, run, inner + done);
	}
	if (w->esp->mb)
		return done + esp_mb_run_in(w, inner + done);
	esp_queue_run(w);
	return done + esp_done_take(&w->esp->inner, inner + done, room - done);
}
