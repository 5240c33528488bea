/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_H
#define DATAPATH_ESP_H

/*
 * The two ESP stages and the poll of asynchronous crypto devices (RFC 4303, 3948, 4301 5.1, 6040).
 *
 * Packets come and go with their data starting at an IP header: layer 2 is off.
 */

#include <assert.h>

#include "datapath/worker.h"

/* Noted in a packet (pkt_meta.esp) from the first look of a stage to its end. In the meta, and not in the second line of
 * struct rte_mbuf, which nothing else touches on the way through a worker. */
struct esp_note {
	uint64_t sequence; /* inbound: as inferred before decryption; outbound: to be sent */
	union {
		uint64_t copied;        /* outbound, rte_ipsec: esp_outer_copied() */
		struct {                /* inbound */
			uint8_t tos;    /* of the outer header */
			uint8_t offset; /* bytes in front of the ESP header */
			bool in_udp;
		};
	};
	uint32_t bytes; /* of the packet as it came to the stage */
	bool inbound;
	bool failed; /* by the device, for another reason than the ICV */
};

static_assert(sizeof(struct esp_note) <= sizeof(((struct pkt_meta *)0)->esp), "esp_note");

static inline struct esp_note *esp_note(const struct rte_mbuf *m)
{
	return (struct esp_note *)pkt_meta((struct rte_mbuf *)(uintptr_t)m)->esp;
}

/* For esp_in(): where ESP begins, behind an IP header of so many bytes and a UDP header or none. */
static inline void esp_found(struct rte_mbuf *m, unsigned ip_bytes, unsigned udp_bytes)
{
	esp_note(m)->offset = (uint8_t)(ip_bytes + udp_bytes);
	esp_note(m)->in_udp = udp_bytes != 0;
}

/*
 * Inbound. m[]: whole outer packets (never fragments) addressed to us, with esp_found(). Finds the SA by SPI, hands over what another worker owns, checks outer
 * addresses, length and replay window, decrypts, then replay again, padding, selectors, ECN. Puts inner packets that are
 * finished now into inner[] (room for n) and returns their number: meta slot, attachment and tunnel are those of the
 * tunnel; the ledger has moved them (decrypted, received).
 */
unsigned esp_in(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);

/*
 * Outbound. m[]: inner packets, each with the tunnel that it goes through: TTL already decremented, not larger than its
 * inner MTU. Puts outer packets that are finished now into outer[] and returns their number: meta.nexthop is the
 * underlay leaf, IPv4 header complete with checksum.
 */
unsigned esp_out(struct worker *w, const struct tunnel *const *tunnel, struct rte_mbuf **m,
    unsigned n, struct rte_mbuf **outer);

/* Takes up to `max` finished packets from the queues of the crypto devices; same promises as above. */
void esp_poll(struct worker *w, unsigned max, struct rte_mbuf **inner, unsigned *inner_count,
    struct rte_mbuf **outer, unsigned *outer_count);

/* Control: the state of a worker's ESP stages, w->b and w->id set. 0 or -ENOMEM. */
int esp_worker_init(struct worker *w);
/* Takes back what is in the crypto devices, and frees everything. The SAs must still be there. */
void esp_worker_fini(struct worker *w);

#endif
