/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_BFD_H
#define DATAPATH_BFD_H

/* BFD on the clock of workers (RFC 5880, 5881); boundary/bfd.h says who does what. */

#include "datapath/worker.h"

#define BFD_SCAN_US 1000 /* sessions are looked at so often */

/* Takes an IPv4 packet for us with UDP behind it, to port BFD_PORT, from an attachment. */
void bfd_in(struct worker *w, struct rte_mbuf *m);
/* Sends what is due and finds who is silent; the caller has found w->bfd_due to be over. */
void bfd_scan(struct worker *w);

/* Once a round, after what was received. */
static inline void bfd_run(struct worker *w)
{
	if (unlikely(w->now >= w->bfd_due))
		bfd_scan(w);
}

#endif
