/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_STAGE_H
#define DATAPATH_STAGE_H

/*
 * The stages of a worker, in the order in which a packet meets them; round.c strings them together. Every
 * stage owns the packets it is given: what it does not return or put into a burst of its caller it has sent,
 * handed over or dropped, and counted.
 *
 * The ledger (boundary/counters.h) is written at these points and nowhere else, always at the slot in the
 * packet's meta:
 *   received   classify.c, at the interface that claims the frame, else SLOT_CONTROL; inject.c and bfd.c, at SLOT_CONTROL;
 *              after decryption esp_in(), at the tunnel. Bytes are those of the IP packet (layer 2 and padding off)
 *   created    frag.c, one less than there are fragments; esp stages never make packets
 *   absorbed   reassembly.c, one less than there were fragments, when the last of them has come; bfd.c, what was as expected
 *   delivered  tx.c, when the port took the packet; sent and sent_bytes then count at the slot in meta.out
 *   decrypted  esp_in()
 *   punted     punt.c, when control owns the packet and decides about it: ARP, IKE, ICMP and TCP to us, packets
 *              that wait for a neighbour or a tunnel
 *   drop[]     drop(). A packet we owe an ICMP error for has its fate: it is dropped for that reason,
 *              even where its bytes go on to control as the substance of the error
 */

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "datapath/worker.h"

struct burst {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
};

static inline void burst_put(struct burst *b, struct rte_mbuf *m)
{
	b->m[b->n++] = m;
}

/* Packets with the leaf that they leave by. */
struct departures {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
	const struct nexthop *leaf[BURST_MAX];
};

/* Packets with the tunnel that they go into; NULL: it has gone. */
struct tunnelled {
	unsigned n;
	struct rte_mbuf *m[BURST_MAX];
	const struct tunnel *tunnel[BURST_MAX];
};

static inline void departures_put(
    struct departures *d, struct rte_mbuf *m, const struct nexthop *leaf)
{
	d->m[d->n] = m;
	d->leaf[d->n++] = leaf;
}

static inline void tunnelled_put(
    struct tunnelled *d, struct rte_mbuf *m, const struct tunnel *tunnel)
{
	d->m[d->n] = m;
	d->tunnel[d->n++] = tunnel;
}

#define IPV4_BYTES                                                                                 \
	((unsigned)sizeof(                                                                         \
	    struct rte_ipv4_hdr)) /* packets with options go no further than ip_in() */
#define UDP_BYTES          8
#define IPV4_FRAGMENT_BITS (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)

static inline struct rte_ipv4_hdr *ipv4_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
}
/* A fragment, the first one too. */
static inline bool ipv4_is_fragment(const struct rte_ipv4_hdr *ip)
{
	return (ip->fragment_offset & RTE_BE16(IPV4_FRAGMENT_BITS)) != 0;
}

/* rx.c: polls one queue for up to BURST_MAX frames. */
unsigned rx(struct worker *w, const struct worker_queue *q, struct rte_mbuf **m);

/* classify.c: frames of a port -> IPv4 packets with layer 2 off and their meta filled in. *uplink: some are from one. */
unsigned classify(
    struct worker *w, const struct port *port, struct rte_mbuf **m, unsigned n, bool *uplink);

/* ip_in.c: keeps packets with a sound IP header and sensible addresses. `by_port`: received just now, so that the
 * checksum flags are those of the port. */
unsigned ip_in(struct worker *w, struct rte_mbuf **m, unsigned n, bool by_port);

/* uplink.c: moves the ESP of uplinks to `esp`, as esp_in() wants it, and returns the others. */
unsigned uplink(struct worker *w, struct rte_mbuf **m, unsigned n, struct burst *esp);

/* route.c: looks up and decides. Everything returned in clear and tunnel has its TTL decremented. */
struct routed {
	struct burst local;      /* for an address of the router */
	struct departures clear; /* leaf is NH_CONNECTED or NH_VIA */
	struct tunnelled tunnel;
};
void route(struct worker *w, struct rte_mbuf **m, unsigned n, struct routed *out);
/* The table that looks up what came in there; NULL when the interface or tunnel has gone. */
const struct fib *ingress_fib(struct worker *w, const struct pkt_meta *meta);

/* police.c: drops what is above the rate of a policer. To be called only when there are any. */
void police(struct worker *w, struct departures *d);
void police_tunnelled(struct worker *w, struct tunnelled *d);

/* local.c: what is addressed to the router. Adds ESP to `esp`; none comes from packets that were in a tunnel. */
void local(struct worker *w, struct burst *in, struct burst *esp);

/* reassembly.c: takes a fragment to us; the whole packet (chained) when this was its last, else NULL. */
struct rte_mbuf *reassemble(struct worker *w, struct rte_mbuf *m);
/* Drops what waited too long. Once a round. */
void reassembly_expire(struct worker *w);
struct worker_reassembly *reassembly_create(const struct boundary *b, unsigned worker);
void reassembly_free(struct worker *w); /* drops what waits */

/* early.c: keeps the ESP packet when its SPI is reserved and there is room; false: the caller still has it. */
bool early_hold(struct worker *w, struct rte_mbuf *m);
/* Packets whose SA has come, for esp_in(); BURST_MAX at most. Drops what waited in vain. Once a round and more. */
unsigned early_take(struct worker *w, struct rte_mbuf **m);
struct worker_early *early_create(const struct boundary *b, unsigned worker);
void early_free(struct worker *w); /* drops what waits */

/* tunnel.c: into tunnels: state, MTU, MSS, encryption, and out by the underlay. */
void tunnel_out(struct worker *w, struct tunnelled *d);
/* The same for one packet. 0 or the number of one that has gone: no tunnel. */
void tunnel_out_one(struct worker *w, struct rte_mbuf *m, uint32_t tunnel);
/* Packets just decrypted: MSS. */
void tunnel_in(struct worker *w, struct rte_mbuf **m, unsigned n);

/* egress.c: MTU, neighbour, layer-2 header, tx. */
enum egress_origin {
	EGRESS_TRANSIT, /* clear packets of attachments: never onto an uplink */
	EGRESS_OWN,     /* outer packets of tunnels, and what control sends */
};
/* Transit. */
void egress(struct worker *w, struct departures *d);
/* A packet to the leaf in its meta.nexthop. */
void egress_leaf(struct worker *w, struct rte_mbuf *m, enum egress_origin origin);
/* Outer packets, to the leaf in the meta of each. They forget the ingress of what they carry: they are our own. */
void egress_outer(struct worker *w, struct rte_mbuf **m, unsigned n);

/* frag.c: cuts an IPv4 packet into fragments of at most `mtu` bytes. Returns how many are in out[], or 0 when it
 * was dropped (MTU_EXCEEDED after telling its source, FRAG_FAILED, NO_MBUF). DF is heeded. */
#define FRAGMENTS_MAX BURST_MAX
unsigned fragment(
    struct worker *w, struct rte_mbuf *m, uint32_t mtu, struct rte_mbuf *out[FRAGMENTS_MAX]);

/* mss.c: lowers the MSS option of a TCP SYN to at most `mss`. `m` has 20 bytes of TCP in its first segment. */
void mss_clamp_syn(struct rte_mbuf *m, uint16_t mss);

/* punt.c: to control, or dropped when control is busy. */
void punt(struct worker *w, struct rte_mbuf *m, enum punt_class class);
/* To wait for something; dropped with `reason` when control takes no more. */
void punt_waiting(
    struct worker *w, struct rte_mbuf *m, enum punt_class class, enum drop_reason reason);
/* Drops the packet, and lets control know that its source is owed an ICMP error; nobody is told of a packet of the
 * router itself (attachment 0). */
void drop_with_icmp(struct worker *w, struct rte_mbuf *m, enum drop_reason reason, uint32_t mtu);

/* inject.c: takes what control has for this worker and sends it on its way. Returns how many. */
unsigned inject(struct worker *w);

/* round.c: packets with a sound IP header, from wherever: to where their table says. */
void forward(struct worker *w, struct rte_mbuf **m, unsigned n, struct burst *esp);

#endif
