/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A burst sorted by SA, so that each SA is worked on once per burst however its packets are interleaved.
 *
 * Whether an SA has a group in this burst already is written in the worker's own block of the SA, stamped with
 * the number of the burst: no table, no search, and nothing to clean up.
 */

#include "datapath/esp_worker.h"

/* The number of the SA's group, a new one when it has none in this burst. */
static inline uint16_t group_of(struct worker *w, struct esp_groups *g, struct sa_head *sa)
{
	struct sa_counters *c = &sa->of_worker[w->id];

	if (c->burst != w->esp->burst) {
		c->burst = w->esp->burst;
		c->group = g->count;
		g->sa[g->count] = sa;
		g->start[g->count] = 0;
		g->count++;
	}
	return (uint16_t)c->group;
}

/* From sizes in start[] to places. */
static void sizes_to_starts(struct esp_groups *g)
{
	unsigned at = 0;

	for (unsigned i = 0; i < g->count; i++) {
		unsigned size = g->start[i];

		g->start[i] = (uint16_t)at;
		at += size;
	}
	g->start[g->count] = (uint16_t)at;
}

/* How many packets from the first on have the SA of the first. */
static inline unsigned same_sa(struct sa_head *const *sa, unsigned n)
{
	unsigned i = 1;

	while (i < n && sa[i] == sa[0])
		i++;
	return i;
}

void esp_group(struct worker *w, struct rte_mbuf **m, struct sa_head *const *sa, unsigned n)
{
	struct esp_groups *g = &w->esp->groups;
	uint16_t group[BURST_MAX], next[BURST_MAX];
	uint16_t current = 0;

	g->m = m;
	if (likely(same_sa(sa, n) == n)) {
		g->count = 1;
		g->sa[0] = sa[0];
		g->start[0] = 0;
		g->start[1] = (uint16_t)n;
		return;
	}
	w->esp->burst++;
	g->count = 0;
	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || sa[i] != sa[i - 1])
			current = group_of(w, g, sa[i]);
		group[i] = current;
		g->start[current]++;
	}
	sizes_to_starts(g);
	for (unsigned i = 0; i < g->count; i++)
		next[i] = g->start[i];
	for (unsigned i = 0; i < n; i++)
		g->sorted[next[group[i]]++] = m[i];
	g->m = g->sorted;
}
