/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_SA_HEADER_H
#define BOUNDARY_SA_HEADER_H

/* Private to boundary: the outer header of an SA, as far as it is the same in every packet. */

#include "boundary/sa.h"

/* IP, and UDP when the SA has it; lengths, checksums and ID are 0, and what is copied from inner
 * packets of TOS and DF. Returns the bytes of both. */
uint8_t sa_header_fill(union sa_outer_header *h, const struct sa_spec *spec);
/* Of IP alone. */
uint8_t sa_header_ip_bytes(const struct sa_spec *spec);
/* The sum of the IPv4 header's words from TTL on, folded; 0 for IPv6. Byte order as in memory (RFC 1071). */
uint16_t sa_header_sum(const union sa_outer_header *h, const struct sa_spec *spec);

#endif
