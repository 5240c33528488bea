/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_TRACE_H
#define DATAPATH_TRACE_H

/*
 * The points at which a packet that is traced says where it is (boundary/trace.h). Off, each is one branch per burst
 * on worker.trace, which the top of the round has set; what follows a packet is in trace.c.
 */

#include "datapath/stage.h"

void trace_received_on(struct worker *w, struct rte_mbuf **m, unsigned n);
void trace_decrypted_on(struct worker *w, struct rte_mbuf **m, unsigned n);
void trace_routed_on(struct worker *w, const struct routed *to);
void trace_stage_on(
    struct worker *w, enum trace_stage stage, unsigned what, struct rte_mbuf **m, unsigned n);
void trace_dropped_on(struct worker *w, enum drop_reason reason, struct rte_mbuf **m, unsigned n);
int trace_punt_on(struct worker *w, struct rte_mbuf *m, enum punt_class class);
uint16_t trace_send_on(
    struct worker *w, const struct port *port, uint16_t queue, struct rte_mbuf **m, uint16_t n);

/* Packets of an interface, layer 2 off. */
static inline void trace_received(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	if (unlikely(w->trace != NULL))
		trace_received_on(w, m, n);
}

/* Packets just come out of a tunnel. */
static inline void trace_decrypted(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	if (unlikely(w->trace != NULL))
		trace_decrypted_on(w, m, n);
}

static inline void trace_routed(struct worker *w, const struct routed *to)
{
	if (unlikely(w->trace != NULL))
		trace_routed_on(w, to);
}

static inline void trace_stage(
    struct worker *w, enum trace_stage stage, unsigned what, struct rte_mbuf **m, unsigned n)
{
	if (unlikely(w->trace != NULL))
		trace_stage_on(w, stage, what, m, n);
}

/* Packets about to be dropped. */
static inline void trace_dropped(
    struct worker *w, enum drop_reason reason, struct rte_mbuf **m, unsigned n)
{
	if (unlikely(w->trace != NULL))
		trace_dropped_on(w, reason, m, n);
}

#endif
