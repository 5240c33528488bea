/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_H
#define DATAPATH_ESP_H

/*
 * The two ESP stages and the poll of asynchronous crypto devices (RFC 4303, 3948, 4301 5.1, 6040).
 *
 * Packets come and go with their data starting at an IP header: layer 2 is off.
 */

#include "datapath/worker.h"

/*
 * Inbound. m[]: whole outer packets (never fragments) addressed to us, m->l3_len set, ESP directly or behind a
 * UDP header (m->l4_len 8, else 0). Finds the SA by SPI, hands over what another worker owns, checks outer
 * addresses, length and replay window, decrypts, then replay again, padding, selectors, ECN. Puts inner packets that are
 * finished now into inner[] (room for n) and returns their number: meta slot, attachment and tunnel are those of the
 * tunnel; the ledger has moved them (decrypted, received).
 */
unsigned esp_in(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);

/*
 * Outbound. m[]: inner packets with meta.tunnel = egress tunnel, TTL already decremented, not larger than its
 * inner MTU. Puts outer packets that are finished now into outer[] and returns their number: meta.nexthop is the
 * underlay leaf, IPv4 header complete with checksum.
 */
unsigned esp_out(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer);

/* Takes up to `max` finished packets from the queues of the crypto devices; same promises as above. */
void esp_poll(struct worker *w, unsigned max, struct rte_mbuf **inner, unsigned *inner_count,
    struct rte_mbuf **outer, unsigned *outer_count);

/* Control: the state of a worker's ESP stages, w->b and w->id set. 0 or -ENOMEM. */
int esp_worker_init(struct worker *w);
/* Takes back what is in the crypto devices, and frees everything. The SAs must still be there. */
void esp_worker_fini(struct worker *w);

#endif
