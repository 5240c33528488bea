/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEALTH_ECHO_H
#define HEALTH_ECHO_H

/* Probes on the wire: ICMP echo (RFC 792) in an IPv4 packet, as pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define ECHO_DATA_BYTES   32
#define ECHO_PACKET_BYTES (20 + 8 + ECHO_DATA_BYTES)

struct echo {
	struct ip_addr source, destination; /* of the request; IPv4 */
	uint16_t id, number;
	uint64_t nonce; /* tells our probes from what others send */
};

void echo_request(const struct echo *e, uint8_t out[ECHO_PACKET_BYTES]);
/* Whether `packet` is the answer to a request of these addresses, id and nonce; e->number is set. */
bool echo_is_reply(struct echo *e, const uint8_t *packet, size_t len);

#endif
