/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * outer packet = IP, [UDP], SPI + sequence, IV, { inner, padding, pad length, next header }, ICV
 *
 * Only the part in braces is padded, to the block of the cipher or to 4 bytes (RFC 4303 2.4). UDP
 * stands there with NAT traversal (RFC 3948 2.1).
 */

#include "base/mtu.h"

#include "base/ip.h"

#define IPV4_HEADER       20
#define IPV6_HEADER       40
#define TCP_HEADER        20
#define UDP_HEADER        8
#define ESP_HEADER        8 /* SPI and sequence number */
#define ESP_TRAILER       2 /* pad length and next header */
#define ESP_MIN_ALIGNMENT 4 /* RFC 4303 2.4: also when the cipher has no block */

/* Bytes of the outer packet that stand before and behind the padded part. */
static uint32_t fixed_bytes(enum alg_encr encr, enum alg_auth auth, bool natt, uint8_t outer_family)
{
	const struct alg_encr_info *e = alg_encr(encr);
	uint32_t icv = alg_is_aead(encr) ? e->icv_bytes : alg_auth(auth)->icv_bytes;

	return (outer_family == IP_V6 ? IPV6_HEADER : IPV4_HEADER) + (natt ? UDP_HEADER : 0) +
	    ESP_HEADER + e->iv_bytes + icv;
}

/* A power of two. */
static uint32_t alignment(enum alg_encr encr)
{
	uint32_t block = alg_encr(encr)->block_bytes;

	return block > ESP_MIN_ALIGNMENT ? block : ESP_MIN_ALIGNMENT;
}

uint32_t mtu_outer_bytes(
    enum alg_encr encr, enum alg_auth auth, bool natt, uint8_t outer_family, uint32_t inner)
{
	uint32_t align = alignment(encr);
	uint32_t padded = (inner + ESP_TRAILER + align - 1) & ~(align - 1);

	return fixed_bytes(encr, auth, natt, outer_family) + padded;
}

uint32_t mtu_inner(
    enum alg_encr encr, enum alg_auth auth, bool natt, uint8_t outer_family, uint32_t outer_mtu)
{
	uint32_t fixed = fixed_bytes(encr, auth, natt, outer_family);
	uint32_t padded;

	if (outer_mtu < fixed)
		return 0;
	padded = (outer_mtu - fixed) & ~(alignment(encr) - 1);
	return padded > ESP_TRAILER ? padded - ESP_TRAILER : 0;
}

uint16_t mtu_tcp_mss(uint32_t inner_mtu, uint8_t inner_family)
{
	uint32_t headers = (inner_family == IP_V6 ? IPV6_HEADER : IPV4_HEADER) + TCP_HEADER;

	if (inner_mtu <= headers)
		return 0;
	inner_mtu -= headers;
	return inner_mtu < UINT16_MAX ? (uint16_t)inner_mtu : UINT16_MAX;
}
