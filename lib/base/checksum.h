/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

/* The Internet checksum (RFC 1071), for control; workers have the routines of DPDK. */

#include <stddef.h>
#include <stdint.h>

/* Ones' complement sum over big-endian 16-bit words, on top of `sum`, folded to 16 bits. */
uint32_t inet_sum(uint32_t sum, const void *bytes, size_t len);
/* What goes into a checksum field of zero; 0 over bytes that hold their right checksum. */
static inline uint16_t inet_checksum(const void *bytes, size_t len)
{
	return (uint16_t)~inet_sum(0, bytes, len);
}

#endif
