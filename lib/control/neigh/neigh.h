/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEIGH_NEIGH_H
#define NEIGH_NEIGH_H

/*
 * Neighbours of the layer-3 interfaces: ARP for IPv4 (RFC 826, 5227), a place for ND. Sans-I/O: frames come in
 * as bytes, leave through `ops`, time is passed in, timers are in a set of the caller.
 *
 * A neighbour is asked for when a packet waits for it or when control wants it (a gateway), answered from then
 * on, probed by unicast before it grows old, forgotten when it does not answer and nothing needs it. Packets that
 * wait are opaque to this engine, few per neighbour, and given back either way.
 *
 *   INCOMPLETE --reply--> READY --age--> PROBING --reply--> READY
 *       `--retries spent--> FAILED (packets given back, asks again after a hold-down)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/timer.h"
#include "base/wire.h"

struct neigh_engine;

struct neigh_ops {
	/* A complete Ethernet frame without VLAN tag (the caller adds it) for that interface. */
	void (*send)(void *ctx, uint32_t iface, const uint8_t *frame, size_t len);
	/* The neighbour is usable with that MAC (also when it changed). */
	void (*ready)(void *ctx, uint32_t iface, const struct ip_addr *addr, const uint8_t mac[6]);
	/* It is no longer. */
	void (*gone)(void *ctx, uint32_t iface, const struct ip_addr *addr);
	/* A waiting packet is the caller's again: send it (`resolved`) or report it unreachable. */
	void (*packet)(
	    void *ctx, uint32_t iface, const struct ip_addr *addr, void *packet, bool resolved);
	/* Another station uses one of our addresses (RFC 5227 2.4): we keep it and defend it, rate-limited. */
	void (*conflict)(
	    void *ctx, uint32_t iface, const struct ip_addr *addr, const uint8_t mac[6]);
};

struct neigh_limits {
	unsigned
	    neighbours_per_iface; /* learned ones; beyond: the oldest unused goes, else refused */
	unsigned packets_per_neighbour; /* that wait */
	unsigned
	    packets; /* of all; a neighbour gets a quarter of what is left, so that no scan takes everybody's */
};

struct neigh_engine *neigh_create(const struct neigh_ops *ops, void *ctx, struct timers *timers,
    const struct neigh_limits *limits);
/* Gives every waiting packet back, unresolved. */
void neigh_free(struct neigh_engine *n);

#define NEIGH_SUBNETS_MAX 16 /* as many as the startup file allows */

/*
 * An interface with its addresses. Announces each (gratuitous ARP). Adding twice replaces; neighbours that are on none
 * of its subnets any more are forgotten, pins on them too.
 */
struct neigh_iface {
	uint32_t iface;
	uint8_t mac[6];
	unsigned subnet_count;
	struct {
		struct ip_addr addr; /* our own */
		uint8_t len;
	} subnet[NEIGH_SUBNETS_MAX];
};
void neigh_iface_set(struct neigh_engine *n, const struct neigh_iface *iface, struct mono now);
/* Forgets its neighbours; waiting packets come back unresolved. */
void neigh_iface_remove(struct neigh_engine *n, uint32_t iface);
/* An address that this interface answers for beside its own: gateway addresses of tunnels. */
void neigh_proxy_add(
    struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr, struct mono now);
void neigh_proxy_remove(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr);
/* Link went down: what was learned there is doubtful and asked again; up: announce. */
void neigh_link(struct neigh_engine *n, uint32_t iface, bool up, struct mono now);

/* An ARP frame as received, from its Ethernet header on, VLAN tag removed. Anything odd is ignored and counted. */
void neigh_receive(
    struct neigh_engine *n, uint32_t iface, const uint8_t *frame, size_t len, struct mono now);
/* Asks for the neighbour unless it is known; `packet` (may be NULL) waits. True: the packet was taken. False: the
 * queue is full, the address failed lately or is no neighbour of that interface; it stays the caller's. */
bool neigh_resolve(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr, void *packet,
    struct mono now);
/* Keeps this neighbour resolved for good (a gateway, a BGP peer); pairs with neigh_unpin(). */
void neigh_pin(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr, struct mono now);
void neigh_unpin(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr);

/* A neighbour whose MAC is given: never asked for, never forgotten, not changed by what comes in. */
void neigh_static_add(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr,
    const uint8_t mac[6], struct mono now);
/* It is asked for again, like any other, as soon as somebody needs it. */
void neigh_static_remove(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr);

struct neigh_view { /* for `show neighbors` */
	uint32_t iface;
	struct ip_addr addr;
	uint8_t mac[6];
	const char *state;
	int64_t age_ns; /* since the last answer */
	unsigned waiting;
	bool pinned;
};
void neigh_walk(const struct neigh_engine *n, struct mono now,
    void (*fn)(void *ctx, const struct neigh_view *v), void *ctx);

#endif
