/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BFD_PACKET_H
#define BFD_PACKET_H

/* The control packet of RFC 5880 4.1, without authentication. */

#include <stdbool.h>

#include "bfd/bfd.h"

struct bfd_packet {
	uint8_t state, diag, multiplier;
	bool poll, final, demand;
	uint32_t mine, yours; /* discriminators, of the sender and of whom it is for */
	uint32_t transmit_us, receive_us, echo_us;
};

void bfd_packet_write(const struct bfd_packet *p, uint8_t out[BFD_BYTES]);
/* False: RFC 5880 6.8.6 wants it discarded. */
bool bfd_packet_read(const uint8_t *bytes, size_t len, struct bfd_packet *out);

#endif
