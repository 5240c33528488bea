/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEIGH_ICMP_H
#define NEIGH_ICMP_H

/*
 * ICMP that the router itself speaks (RFC 792, 1122, 1812 4.3, 1191): echo replies and errors, as pure functions
 * from a packet to a packet; the one error it listens to; and the per-source rate limit of errors (RFC 1812 4.3.2.8).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ip.h"

/* The reply to an ICMP echo request; the length written, or 0 when `packet` (from its IP header on) is none or is
 * wrong in any way. `out` needs `len` bytes. Source of the reply is the destination of the request. */
size_t icmp_echo_reply(const uint8_t *packet, size_t len, uint8_t *out, size_t capacity);

enum icmp_error {
	ICMP_TTL_EXCEEDED,      /* 11/0 */
	ICMP_NET_UNREACHABLE,   /* 3/0: no route */
	ICMP_HOST_UNREACHABLE,  /* 3/1: neighbour did not answer, tunnel down */
	ICMP_PROTO_UNREACHABLE, /* 3/2 */
	ICMP_PORT_UNREACHABLE,  /* 3/3 */
	ICMP_FRAG_NEEDED,       /* 3/4 with `mtu` */
	ICMP_ADMIN_PROHIBITED,  /* 3/13: policy */
};
/*
 * The error about `packet` (from its IP header on), with as much of it as 576 bytes hold. The length written,
 * or 0 where none may be sent (RFC 1812 4.3.2.7): about an ICMP error, a fragment but the first, a broadcast or multicast,
 * a source that is not one host.
 */
size_t icmp_error(enum icmp_error kind, uint32_t mtu, const struct ip_addr *source,
    const uint8_t *packet, size_t len, uint8_t *out, size_t capacity);

/*
 * A router on the path says that a packet was too big for it (RFC 792, 1191): what it quotes of that packet. False: it is
 * another message, or wrong in any way. Anybody can send such a report; whether the packet was sent is for the caller to
 * find out.
 */
struct icmp_too_big {
	uint32_t mtu;   /* of the next hop; 0: a router of before RFC 1191, which does not say */
	uint32_t total; /* bytes of the packet */
	struct ip_addr src, dst;
	uint8_t protocol;
	const uint8_t *payload; /* what is quoted behind its IP header */
	size_t payload_len;
};
bool icmp_too_big_read(const uint8_t *packet, size_t len, struct icmp_too_big *out);

/* Token buckets per source prefix (/24) and in total; fixed memory. */
struct icmp_limiter;
struct icmp_limiter *icmp_limiter_create(unsigned per_source_per_second, unsigned total_per_second);
void icmp_limiter_free(struct icmp_limiter *l);
bool icmp_limiter_pass(struct icmp_limiter *l, const struct ip_addr *to, struct mono now);

#endif
