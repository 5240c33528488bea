/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A burst sorted by SA, so that an SA is worked on once per burst however its packets are interleaved.
 *
 * Whether an SA has a group in this burst already is written in the worker's own block of the SA, stamped with
 * the number of the burst: no table, no search, and nothing to clean up.
 */

#include "datapath/esp_worker.h"

/* The number of the SA's group, a new one when it has none in this burst. Without a branch: see esp_worker.h. */
static inline unsigned group_of(struct worker *w, const struct sa_head *sa, unsigned *count)
{
	struct sa_counters *c = &sa->of_worker[w->id];
	bool known = c->burst == w->esp->burst;
	unsigned group = known ? c->group : *count;

	c->burst = w->esp->burst;
	c->group = group;
	*count += !known;
	return group;
}

void esp_group(
    struct worker *w, struct sa_head **sa, struct rte_mbuf **m, unsigned n, struct esp_groups *g)
{
	struct sa_head *sorted_sa[BURST_MAX];
	struct rte_mbuf *sorted[BURST_MAX];
	uint16_t group[BURST_MAX], next[BURST_MAX] = {0}; /* by group: size, then place */
	unsigned at = 0;

	w->esp->burst++;
	g->count = 0;
	for (unsigned i = 0; i < n; i++) {
		group[i] = (uint16_t)group_of(w, sa[i], &g->count);
		next[group[i]]++;
	}
	for (unsigned i = 0; i < g->count; i++) {
		g->start[i] = (uint16_t)at;
		at += next[i];
		next[i] = g->start[i];
	}
	g->start[g->count] = (uint16_t)at;
	if (g->count == 1)
		return;
	for (unsigned i = 0; i < n; i++) {
		sorted[next[group[i]]] = m[i];
		sorted_sa[next[group[i]]++] = sa[i];
	}
	memcpy(m, sorted, n * sizeof(m[0]));
	memcpy(sa, sorted_sa, n * sizeof(sa[0]));
}
