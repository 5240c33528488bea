/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Outbound: from inner packets with an egress tunnel to outer packets with an underlay next hop.
 *
 * A packet's tunnel gives its SA, by traffic selector where there is more than one. Of each SA as many packets are sent
 * as its limits allow. The limits of packets and of the number space are one: the last sequence number that may be
 * used. Numbers are taken before anything is encrypted, so that no worker passes a limit and no number is used twice
 * (RFC 4303 3.3.3).
 */

#include "datapath/esp.h"
#include "datapath/esp_mb.h"
#include "datapath/esp_select.h"

/* Which SA. NULL and the reason. */
static inline struct sa_out *sa_of(
    const struct tunnel *t, struct rte_mbuf *m, enum drop_reason *why)
{
	uint8_t version = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4;
	struct sa_out *sa = t->any ? t->out[0].sa : esp_select_out(t, m);

	if (likely(sa && sa->head.inner_family == version))
		return sa;
	*why = t->out_count ? DROP_TUNNEL_SELECTOR : DROP_TUNNEL_DOWN;
	return NULL;
}

/* One segment, with room for all that the engine adds? */
static inline bool make_room(const struct sa_out *sa, struct rte_mbuf *m)
{
	if (unlikely(m->nb_segs > 1) && rte_pktmbuf_linearize(m) != 0)
		return false;
	return rte_pktmbuf_headroom(m) >= sa->head_bytes &&
	    rte_pktmbuf_tailroom(m) >= sa->tail_bytes;
}

/* The SA that a packet is for, when there is room for what its engine adds; NULL: dropped. */
static inline struct sa_out *sa_for(struct worker *w, const struct tunnel *t, struct rte_mbuf *m)
{
	enum drop_reason why;
	struct sa_out *sa = sa_of(t, m, &why);

	if (likely(sa && make_room(sa, m)))
		return sa;
	drop(w, m, sa ? DROP_NO_HEADROOM : why);
	return NULL;
}

/* Limits */

/* How many of the packets, from the first on, fit the byte limit. */
static unsigned take_bytes(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	uint64_t used = atomic_load_explicit(&sa->limited_bytes, memory_order_relaxed);
	uint64_t total = 0;
	unsigned fit;

	for (unsigned i = 0; i < n; i++)
		total += m[i]->pkt_len;
	if (w->esp->shared_sas)
		used = atomic_fetch_add_explicit(&sa->limited_bytes, total, memory_order_relaxed);
	for (fit = 0; fit < n && used + m[fit]->pkt_len <= sa->hard_bytes; fit++)
		used += m[fit]->pkt_len;
	if (!w->esp->shared_sas)
		atomic_store_explicit(&sa->limited_bytes, used, memory_order_relaxed);
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

/* How many of the packets of one SA may be sent, from the first on. Notes their numbers; the others are dropped. */
static unsigned take(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	unsigned fit = sa->counts_bytes ? take_bytes(w, sa, m, n) : n;
	uint64_t first = 0;

	if (fit > 0)
		fit = take_numbers(w, sa, fit, &first);
	for (unsigned i = 0; i < fit; i++)
		esp_note(m[i])->sequence = first + i;
	if (fit < n) {
		esp_event(w, &sa->head, false, EVENT_SA_HARD, &sa->hard_raised);
		drop_burst(w, m + fit, n - fit, DROP_SA_EXPIRED);
	}
	return fit;
}

/* The number of a packet whose SA has free ones. */
static inline bool take_free(struct sa_out *sa, struct rte_mbuf *m)
{
	uint64_t next = atomic_load_explicit(&sa->next_sequence, memory_order_relaxed);

	if (unlikely(next >= atomic_load_explicit(&sa->free_sequence, memory_order_relaxed)))
		return false;
	atomic_store_explicit(&sa->next_sequence, next + 1, memory_order_relaxed);
	esp_note(m)->sequence = next;
	return true;
}

/* Finding both */

/* Any packets, sorted by SA. */
static __rte_noinline unsigned find_sorted(struct worker *w, const struct tunnel *const *tunnel,
    struct rte_mbuf **m, unsigned n, struct sa_head **sa)
{
	unsigned found = 0, kept = 0;
	struct esp_groups g;

	for (unsigned i = 0; i < n; i++) {
		struct sa_out *out = sa_for(w, tunnel[i], m[i]);

		if (out) {
			sa[found] = &out->head;
			m[found++] = m[i];
		}
	}
	esp_group(w, sa, m, found, &g);
	for (unsigned i = 0; i < g.count; i++) {
		unsigned at = g.start[i];
		unsigned fit = take(w, sa_out_of(sa[at]), m + at, g.start[i + 1] - at);

		memmove(sa + kept, sa + at, fit * sizeof(*sa));
		memmove(m + kept, m + at, fit * sizeof(*m));
		kept += fit;
	}
	return kept;
}

/* Keeps the packets that have an SA, in sa[], and a number; from the first on that has no free one, sorted by SA. */
static unsigned find(struct worker *w, const struct tunnel *const *tunnel, struct rte_mbuf **m,
    unsigned n, struct sa_head **sa)
{
	unsigned kept = 0, sorted, i;

	for (i = 0; i < n; i++) {
		struct sa_out *out = sa_for(w, tunnel[i], m[i]);

		if (unlikely(!out))
			continue;
		if (unlikely(!take_free(out, m[i])))
			break;
		sa[kept] = &out->head;
		m[kept++] = m[i];
	}
	if (likely(i == n))
		return kept;
	sorted = find_sorted(w, tunnel + i, m + i, n - i, sa + i);
	memmove(sa + kept, sa + i, sorted * sizeof(*sa));
	memmove(m + kept, m + i, sorted * sizeof(*m));
	return kept + sorted;
}

unsigned esp_out(struct worker *w, const struct tunnel *const *tunnel, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer)
{
	struct sa_head *sa[BURST_MAX];
	unsigned room = n, done = 0;

	n = find(w, tunnel, m, n, sa);
	for (unsigned i = 0, run; i < n; i += run) {
		run = esp_same_engine(sa + i, n - i);
		done += esp_engines[sa[i]->engine].encap(w, sa + i, m + i, run, outer + done);
	}
	if (w->esp->mb)
		return done + esp_mb_run_out(w, outer + done);
	esp_queue_run(w);
	return done + esp_done_take(&w->esp->outer, outer + done, room - done);
}
