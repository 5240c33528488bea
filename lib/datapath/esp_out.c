/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Outbound: from inner packets with an egress tunnel to outer packets with an underlay next hop.
 *
 * A packet's tunnel gives its SA, by traffic selector where there is more than one. The burst is sorted by SA; of
 * each SA as many packets are sent as its limits allow, and its engine encrypts them at once. The limits of
 * packets and of the number space are one: the last sequence number that may be used. Numbers are taken
 * before anything is encrypted, so that no worker passes a limit and no number is used twice (RFC 4303 3.3.3).
 */

#include <rte_prefetch.h>

#include "datapath/esp.h"
#include "datapath/esp_select.h"
#include "datapath/esp_worker.h"

/* Which SA. NULL and the reason. */
static inline struct sa_out *sa_of(
    const struct tunnel *t, struct rte_mbuf *m, enum drop_reason *why)
{
	uint8_t version = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4;
	struct sa_out *sa;

	*why = DROP_TUNNEL_DOWN;
	if (unlikely(!t || t->state < TUNNEL_UNFIT || t->out_count == 0))
		return NULL;
	*why = DROP_TUNNEL_SELECTOR;
	sa = t->any ? t->out[0].sa : esp_select_out(t, m);
	return likely(sa && sa->head.inner_family == version) ? sa : NULL;
}

/* One segment, with room for all that the engine adds? */
static inline bool make_room(const struct sa_out *sa, struct rte_mbuf *m)
{
	if (unlikely(m->nb_segs > 1) && rte_pktmbuf_linearize(m) != 0)
		return false;
	return rte_pktmbuf_headroom(m) >= sa->head_bytes &&
	    rte_pktmbuf_tailroom(m) >= sa->tail_bytes;
}

/*
 * What many tunnels in one burst cost is waiting for memory: their records are asked for ahead, all at once at each
 * step of the way from tunnel to SA to what belongs to it.
 */
static void fetch_sas(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	const struct tunnel *tunnel[BURST_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i > 0 && pkt_meta(m[i])->tunnel == pkt_meta(m[i - 1])->tunnel)
			continue;
		tunnel[count] = tunnel_get(&w->b->tunnels, pkt_meta(m[i])->tunnel);
		rte_prefetch0(tunnel[count]);
		count += tunnel[count] != NULL;
	}
	if (likely(count <= 1))
		return;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *sa = (const uint8_t *)tunnel[i]->out[0].sa;

		rte_prefetch0(sa); /* NULL is fine */
		rte_prefetch0(sa + RTE_CACHE_LINE_SIZE);
		rte_prefetch0(sa + 2 * RTE_CACHE_LINE_SIZE);
		rte_prefetch0(sa + offsetof(struct sa_out, next_sequence));
	}
	for (unsigned i = 0; i < count; i++) {
		const struct sa_out *sa = tunnel[i]->out[0].sa;

		if (likely(sa))
			rte_prefetch0(&sa->head.of_worker[w->id]);
	}
}

/* Keeps the packets that have an SA, in sa[]. */
static unsigned find_sas(struct worker *w, struct rte_mbuf **m, unsigned n, struct sa_head **sa)
{
	const struct tunnel *t = NULL;
	uint32_t index = 0; /* of `t` */
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t wanted = pkt_meta(m[i])->tunnel;
		enum drop_reason why;
		struct sa_out *out;

		if (wanted != index || !t) {
			index = wanted;
			t = tunnel_get(&w->b->tunnels, index);
		}
		out = sa_of(t, m[i], &why);
		if (unlikely(!out)) {
			drop(w, m[i], why);
			continue;
		}
		if (unlikely(!make_room(out, m[i]))) {
			drop(w, m[i], DROP_NO_HEADROOM);
			continue;
		}
		sa[kept] = &out->head;
		m[kept++] = m[i];
	}
	return kept;
}

/* Limits */

/* How many of the packets, from the first on, fit the byte limit. */
static unsigned take_bytes(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	uint64_t used = atomic_load_explicit(&sa->bytes, memory_order_relaxed);
	uint64_t total = 0;
	unsigned fit;

	for (unsigned i = 0; i < n; i++)
		total += m[i]->pkt_len;
	if (w->esp->shared_sas)
		used = atomic_fetch_add_explicit(&sa->bytes, total, memory_order_relaxed);
	for (fit = 0; fit < n && used + m[fit]->pkt_len <= sa->hard_bytes; fit++)
		used += m[fit]->pkt_len;
	if (!w->esp->shared_sas)
		atomic_store_explicit(&sa->bytes, used, memory_order_relaxed);
	if (used >= sa->soft_bytes)
		esp_event(w, &sa->head, false, EVENT_SA_SOFT, &sa->soft_raised);
	return fit;
}

/* Takes up to n sequence numbers, from *taken on; returns how many there were. */
static unsigned take_numbers(struct worker *w, struct sa_out *sa, unsigned n, uint64_t *taken)
{
	uint64_t first = atomic_load_explicit(&sa->next_sequence, memory_order_relaxed);
	uint64_t last = atomic_load_explicit(&sa->hard_sequence, memory_order_relaxed);

	if (unlikely(first > last))
		return 0;
	if (w->esp->shared_sas) {
		first = atomic_fetch_add_explicit(&sa->next_sequence, n, memory_order_relaxed);
		if (unlikely(first > last))
			return 0;
	}
	if (unlikely(n > last - first + 1))
		n = (unsigned)(last - first + 1);
	if (!w->esp->shared_sas)
		atomic_store_explicit(&sa->next_sequence, first + n, memory_order_relaxed);
	if (unlikely(first + n > atomic_load_explicit(&sa->soft_sequence, memory_order_relaxed)))
		esp_event(w, &sa->head, false, EVENT_SA_SOFT, &sa->soft_raised);
	*taken = first;
	return n;
}

/* How many of the packets may be sent, from the first on, and its number. */
static unsigned allowed(
    struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n, uint64_t *first)
{
	unsigned fit = sa->counts_bytes ? take_bytes(w, sa, m, n) : n;

	if (fit > 0)
		fit = take_numbers(w, sa, fit, first);
	if (unlikely(fit < n))
		esp_event(w, &sa->head, false, EVENT_SA_HARD, &sa->hard_raised);
	return fit;
}

/* The packets of one SA. Returns how many are finished. */
static unsigned send_group(
    struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer)
{
	uint64_t first;
	unsigned fit = allowed(w, sa, m, n, &first);

	if (unlikely(fit < n))
		drop_burst(w, m + fit, n - fit, DROP_SA_EXPIRED);
	return fit ? esp_engines[sa->head.engine].encap(w, sa, first, m, fit, outer) : 0;
}

unsigned esp_out(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer)
{
	struct esp_groups *g = &w->esp->groups;
	struct sa_head *sa[BURST_MAX];
	unsigned room = n, done = 0;

	fetch_sas(w, m, n);
	n = find_sas(w, m, n, sa);
	if (n == 0)
		return 0;
	esp_group(w, m, sa, n);
	for (unsigned i = 0; i < g->count; i++)
		done += send_group(w, container_of(g->sa[i], struct sa_out, head),
		    g->m + g->start[i], g->start[i + 1] - g->start[i], outer + done);
	if (w->esp->mb)
		return done + esp_mb_run_out(w, outer + done);
	esp_queue_run(w);
	return done + esp_done_take(&w->esp->outer, outer + done, room - done);
}
