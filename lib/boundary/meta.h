/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_META_H
#define BOUNDARY_META_H

/*
 * What travels with a packet: the private area behind struct rte_mbuf. Every pool of transitd is
 * made with META_BYTES of it.
 */

#include <rte_mbuf.h>

struct pkt_meta {
	union {
		struct {
			uint16_t attachment; /* ingress attachment number; 0: none */
			uint16_t iface;      /* ingress interface; 0 after decryption */
			uint32_t tunnel;     /* ingress tunnel after decryption, egress tunnel when
						it waits for it */
		};
		uint32_t
		    table_key; /* the first two: packets with the same are looked up in one table */
		uint64_t ingress; /* the three as one, to be cleared */
	};
	uint16_t slot;      /* where it was received: ledger */
	uint8_t punt_class; /* enum punt_class, in the punt ring */
	uint8_t detail;     /* enum drop_reason behind a punt (ICMP error), or enum inject_kind */
	uint32_t nexthop;
	uint32_t mtu; /* PUNT_ICMP_ERROR: of the next hop, for fragmentation needed */
	union {
		uint32_t vlan;      /* of a frame that no interface claims */
		uint32_t punted_at; /* PUNT_IKE_INIT, in the punt ring: punt_waited() */
	};
	uint16_t port;  /* inject: egress port */
	uint16_t trace; /* its number in a trace (trace.h); 0: none */
	uint32_t out;   /* pkt_out(): how it is metered on its way out */
	/* up to here is PKT_META_HEAD, which a received packet starts with */
	void *sa; /* struct sa_in or sa_out while in an asynchronous crypto queue */
	union {
		struct {                                /* while it waits to be put together */
			struct rte_mbuf *next_fragment; /* the next by offset */
			uint16_t fragment_start, fragment_end; /* payload: start <= x < end */
		};
		uint64_t esp[3]; /* struct esp_note, within the ESP stages */
	};
};

#define PKT_META_HEAD offsetof(struct pkt_meta, sa)
#define META_BYTES    RTE_ALIGN(sizeof(struct pkt_meta), 64)

/* Egress ledger slot, and bytes of the layer-2 header in front, which are not metered: one number, as packets that have
 * the same are counted together. */
static inline uint32_t pkt_out(uint16_t slot, uint16_t l2_bytes)
{
	return (uint32_t)l2_bytes << 16 | slot;
}
static inline uint16_t pkt_out_slot(uint32_t out)
{
	return (uint16_t)out;
}
static inline uint16_t pkt_out_l2_bytes(uint32_t out)
{
	return (uint16_t)(out >> 16);
}

static inline struct pkt_meta *pkt_meta(struct rte_mbuf *m)
{
	return (struct pkt_meta *)(m + 1);
}

#endif
