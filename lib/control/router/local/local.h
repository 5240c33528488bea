/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_LOCAL_H
#define ROUTER_LOCAL_H

/* Packets to and from the router itself: ARP, ICMP, UDP, and what the control lcore sends. Control lcore only. */

#include "base/wire.h"
#include "neigh/icmp.h"
#include "router/tunnels/vpn.h"

/* host_io.c: all take ownership of nothing; -errno when the packet could not be sent. */
/* An IP packet (from its header on) out of a leaf next hop, into a tunnel, or by the table of an interface. */
int host_send_nexthop(struct router *r, uint32_t nexthop, const uint8_t *packet, size_t len);
int host_send_tunnel(struct router *r, uint32_t tunnel, const uint8_t *packet, size_t len);
int host_send_route(struct router *r, uint32_t iface, const uint8_t *packet, size_t len);
/* A frame without VLAN tag; the tag of the interface is put in. */
int host_send_frame(struct router *r, uint32_t iface, const uint8_t *frame, size_t len);
/* UDP between our gateway address and a peer; `marker`: four zero bytes first (RFC 3948 2.2). */
int host_send_udp(struct router *r, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, bool marker, const uint8_t *bytes, size_t len);
/* A UDP datagram with its IP header: endpoints and payload, or -EINVAL when lengths or checksum lie. */
int host_parse_udp(const uint8_t *packet, size_t len, struct ike_endpoint *local,
    struct ike_endpoint *remote, struct wire *payload);
/* The bytes of a whole packet in one piece; copies into `room` when the mbuf is chained. NULL when too long. */
const uint8_t *host_bytes(struct rte_mbuf *m, uint8_t *room, size_t capacity, size_t *len);
/* A packet that waited goes on. Takes the mbuf. */
void host_resume(struct router *r, struct rte_mbuf *m, uint8_t inject_kind);
#define HOST_PACKET_MAX 65535

/* neighbours.c */
int neighbours_init(struct router *r);
void neighbours_fini(struct router *r);
void neighbours_arp(struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void neighbours_wanted(
    struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void neighbours_link(struct router *r, const struct port *port, bool up, struct mono now);

/* icmp.c: echo to our addresses and the errors we owe; both take the packet */
void icmp_host_local(struct router *r, struct rte_mbuf *m, struct mono now);
void icmp_host_error(struct router *r, struct rte_mbuf *m, struct mono now);
/* The error about a packet of which the ingress is still in its meta; frees nothing. */
void icmp_host_report(
    struct router *r, struct rte_mbuf *m, enum icmp_error kind, uint32_t mtu, struct mono now);

#endif
