/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_PUNT_H
#define BOUNDARY_PUNT_H

/*
 * Packets for the control lcore. One ring per class, all workers put, control takes a budget from
 * each in turn: no flood of one class starves another. Each worker has a token bucket per class;
 * what is above it is dropped and counted. BGP has buckets by ingress, too: a tunnel, or port, that is
 * flooded takes nothing from the sessions of others. What arrives, and how it goes on (boundary/inject.h):
 *
 *   PUNT_ARP         from the layer-2 header on, VLAN tag too unless the port took it off; meta.iface
 *   PUNT_NEIGH       ready to leave, TTL spent, for the leaf meta.nexthop; the neighbour is that of
 *                    the leaf, or the packet's destination. Back by INJECT_NEXTHOP with its meta
 *                    as it is: transit still has its ingress there, our own packets have none
 *   PUNT_TRAP        TTL spent; meta.tunnel is the tunnel it waits for. Back by INJECT_TUNNEL
 *   PUNT_IKE_*       from the outer IP header on, UDP length and checksum right; meta.iface
 *   PUNT_ICMP_ERROR  a packet that was dropped, and counted, for the reason in meta.detail; meta.mtu
 *                    with DROP_MTU_EXCEEDED. Its ingress is in meta.iface or meta.tunnel
 *   the others       meta.iface, or meta.tunnel when it came out of a tunnel
 *
 * All but ARP start at an IPv4 header of 20 bytes. Fragments to us were put together, and chained.
 */

#include <stdint.h>

#include <rte_mbuf.h>

#include "boundary/epoch.h"
#include "boundary/meta.h"
#include "boundary/reason.h"

/*  X(enumerator, name, packets per second and worker, burst) */
#define PUNT_CLASS_LIST(X)                                                                         \
	X(PUNT_ARP, "arp", 2000, 200)               /* ARP, later ND */                            \
	X(PUNT_NEIGH, "neighbour", 2000, 200)       /* transit packet, neighbour unresolved */     \
	X(PUNT_IKE_KNOWN, "ike", 20000, 2000)       /* of a known SA or peer */                    \
	X(PUNT_IKE_INIT, "ike-init", 12000, 1000)   /* first message of an unknown initiator */    \
	X(PUNT_ICMP_LOCAL, "icmp-local", 1000, 100) /* ICMP to one of our addresses */             \
	X(PUNT_ICMP_ERROR, "icmp-error", 1000, 100) /* we owe an ICMP error; meta.detail: which */ \
	X(PUNT_TRAP, "trap", 500, 50)               /* for an on-demand tunnel; meta.tunnel */     \
	X(PUNT_BFD, "bfd", 5000, 500)               /* BFD that says something new */              \
	X(PUNT_HOST, "host", 20000, 2000)           /* replies to health probes */                 \
	X(PUNT_BGP, "bgp", 200000, 4000)            /* TCP port 179 to us, also by source */

/* Of BGP, per worker and ingress; ingresses share PUNT_SOURCES buckets by number. */
#define PUNT_SOURCES      64
#define PUNT_SOURCE_RATE  40000
#define PUNT_SOURCE_BURST 2000

#define PUNT_CLOCK_SHIFT 20

enum punt_class {
#define X(e, n, rate, burst) e,
	PUNT_CLASS_LIST(X) PUNT_CLASS_COUNT
#undef X
};

struct punt;

/* ring_size: packets a class can hold, rounded up to a power of two less one. NULL with errno. */
struct punt *punt_create(unsigned workers, unsigned ring_size);
void punt_free(struct punt *p); /* drains */
const char *punt_class_name(enum punt_class c);

/* Worker: hands the packet over, sets its meta.punt_class and returns 0 (then the caller counts
 * `punted` at the slot), or keeps it with the caller and returns a negative number of which
 * punt_refusal() tells the reason. now_cycles: rte_rdtsc() of this round. */
int punt_put(
    struct punt *p, unsigned worker, enum punt_class c, struct rte_mbuf *m, uint64_t now_cycles);
/* DROP_PUNT_LIMITED or DROP_PUNT_FULL. */
static inline enum drop_reason punt_refusal(int result)
{
	return (enum drop_reason)(-result - 1);
}
/* Control: up to n packets of a class, now owned by the caller. */
unsigned punt_take(struct punt *p, enum punt_class c, struct rte_mbuf **m, unsigned n);
/* Control: how many cycles ago a packet of PUNT_IKE_INIT was put, to within 2^PUNT_CLOCK_SHIFT. */
static inline uint64_t punt_waited(struct rte_mbuf *m, uint64_t now_cycles)
{
	uint32_t now = (uint32_t)(now_cycles >> PUNT_CLOCK_SHIFT);
	int32_t waited = (int32_t)(now - pkt_meta(m)->punted_at);

	return waited > 0 ? (uint64_t)waited << PUNT_CLOCK_SHIFT : 0;
}
/* Control: packets of a class that were handed over, and those refused by reason, since the
 * start. */
void punt_counts(
    const struct punt *p, enum punt_class c, uint64_t *passed, uint64_t *limited, uint64_t *full);

#endif
