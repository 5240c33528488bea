/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Inbound: from outer packets to inner ones.
 *
 * The SPI gives the SA; the burst is sorted by SA. What a packet must show before the work of decrypting it: a
 * length that holds every field (before anything else is read), the outer addresses of its SA, a sequence
 * number that is not known to be used. An SA belongs to one worker, which alone writes its replay window: packets
 * of another worker's SA go there as they came.
 * What follows the decryption is in esp_inner.c.
 */

#include <rte_esp.h>
#include <rte_ip.h>
#include <rte_ring.h>

#include "datapath/esp.h"
#include "datapath/esp_worker.h"
#include "datapath/stage.h"

/* Bytes in front of the ESP header. */
static inline unsigned esp_offset(const struct rte_mbuf *m)
{
	return m->l3_len + m->l4_len;
}

static inline const struct rte_esp_hdr *esp_of(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const struct rte_esp_hdr *, esp_offset(m));
}

/* One segment, into which a chain of them is copied if it fits. */
static inline bool is_whole(struct rte_mbuf *m)
{
	return likely(m->nb_segs == 1) || rte_pktmbuf_linearize(m) == 0;
}

static inline bool has_length_of(const struct sa_in *sa, const struct rte_mbuf *m)
{
	const struct sa_head *h = &sa->head;
	unsigned bytes = m->pkt_len - esp_offset(m);

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
	bool any_source = sa->head.natt && m->l4_len != 0;
	uint64_t addresses;

	if (ip[0] >> 4 != sa->local.family)
		return false;
	if (sa->local.family == IP_V6)
		return is_peer_v6(sa, m, any_source);
	memcpy(&addresses, ip + offsetof(struct rte_ipv4_hdr, src_addr), sizeof(addresses));
	if (any_source)
		return memcmp((uint8_t *)&addresses + 4, sa->local.bytes, 4) == 0;
	return addresses == sa->outer_v4;
}

static void note_outer(struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct esp_note *note = esp_note(m);

	note->tos = ip[0] >> 4 == IP_V4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
	note->bytes = m->pkt_len;
	note->inbound = true;
	note->failed = false;
}

/* The SA, or NULL and the reason. */
static inline struct sa_in *sa_of(
    struct worker *w, struct rte_mbuf *m, struct sa_in *last, enum drop_reason *why)
{
	struct sa_in *sa = last;
	uint32_t spi;

	*why = DROP_NO_HEADROOM;
	if (unlikely(!is_whole(m)))
		return NULL;
	*why = DROP_ESP_TRUNCATED;
	if (unlikely(m->data_len < esp_offset(m) + sizeof(struct rte_esp_hdr)))
		return NULL;
	spi = rte_be_to_cpu_32(esp_of(m)->spi);
	if (!sa || sa->head.spi != spi)
		sa = sa_in_find(w->b->sas, spi);
	*why = DROP_ESP_UNKNOWN_SPI;
	if (unlikely(!sa))
		return NULL;
	*why = DROP_ESP_WRONG_PEER;
	if (unlikely(!is_peer(sa, m)))
		goto refused;
	*why = DROP_ESP_TRUNCATED;
	if (unlikely(!has_length_of(sa, m)))
		goto refused;
	return sa;
refused:
	sa->head.of_worker[w->id].other++;
	return NULL;
}

static unsigned find_sas(struct worker *w, struct rte_mbuf **m, unsigned n, struct sa_head **sa)
{
	struct sa_in *in = NULL;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		enum drop_reason why;

		in = sa_of(w, m[i], in, &why);
		if (unlikely(!in) && why == DROP_ESP_UNKNOWN_SPI) {
			if (early_hold(w, m[i]))
				continue;
			in = sa_of(w, m[i], NULL, &why); /* made in between */
		}
		if (unlikely(!in)) {
			drop(w, m[i], why);
			continue;
		}
		note_outer(m[i]);
		sa[kept] = &in->head;
		m[kept++] = m[i];
	}
	return kept;
}

/* Owner */

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

static void hand_over(struct worker *w, int16_t owner, struct rte_mbuf **m, unsigned n)
{
	unsigned taken = rte_ring_enqueue_burst(w->peers[owner].handoff_in, (void **)m, n, NULL);

	if (unlikely(taken < n))
		drop_burst(w, m + taken, n - taken, DROP_HANDOFF_FULL);
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

static unsigned check_replay(struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t sequence =
		    replay_infer(&sa->replay, rte_be_to_cpu_32(esp_of(m[i])->seq), sa->head.esn);
		enum replay_verdict verdict = replay_check(&sa->replay, sequence);

		if (unlikely(verdict != REPLAY_FRESH)) {
			esp_drop_replayed(w, sa, m[i], verdict);
			continue;
		}
		esp_note(m[i])->sequence = sequence;
		m[kept++] = m[i];
	}
	return kept;
}

/* The packets of one SA. Returns how many are finished. */
static unsigned receive_group(
    struct worker *w, struct sa_in *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	int16_t owner;

	if (unlikely(!is_owner(w, sa, &owner))) {
		hand_over(w, owner, m, n);
		return 0;
	}
	n = check_replay(w, sa, m, n);
	return n ? esp_engines[sa->head.engine].decap(w, sa, m, n, inner) : 0;
}

unsigned esp_in(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	struct esp_groups *g = &w->esp->groups;
	struct sa_head *sa[BURST_MAX];
	unsigned room = n, done = 0;

	n = find_sas(w, m, n, sa);
	if (n == 0)
		return 0;
	esp_group(w, m, sa, n);
	for (unsigned i = 0; i < g->count; i++)
		done += receive_group(w, container_of(g->sa[i], struct sa_in, head),
		    g->m + g->start[i], g->start[i + 1] - g->start[i], inner + done);
	if (w->esp->mb)
		return done + esp_mb_run_in(w, inner + done);
	esp_queue_run(w);
	return done + esp_done_take(&w->esp->inner, inner + done, room - done);
}
