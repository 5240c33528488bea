/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_ERROR_H
#define BGP_ERROR_H

/* What a NOTIFICATION says. Parsers return it as a verdict; the FSM sends it. */

#include <stddef.h>
#include <stdint.h>

#define BGP_ERROR_OWN_MAX 32

struct bgp_error {
	uint8_t code, subcode;
	uint8_t own_len;
	uint8_t own[BGP_ERROR_OWN_MAX]; /* the data field when it was made here ... */
	const uint8_t *data;            /* ... or, not NULL, borrowed from the message at fault */
	size_t len;
};

static inline struct bgp_error bgp_error_of(uint8_t code, uint8_t subcode)
{
	return (struct bgp_error){.code = code, .subcode = subcode};
}
static inline struct bgp_error bgp_error_u8(uint8_t code, uint8_t subcode, uint8_t data)
{
	return (struct bgp_error){.code = code, .subcode = subcode, .own_len = 1, .own = {data}};
}
static inline struct bgp_error bgp_error_u16(uint8_t code, uint8_t subcode, uint16_t data)
{
	return (struct bgp_error){.code = code,
	    .subcode = subcode,
	    .own_len = 2,
	    .own = {(uint8_t)(data >> 8), (uint8_t)data}};
}
static inline struct bgp_error bgp_error_bytes(
    uint8_t code, uint8_t subcode, const uint8_t *data, size_t len)
{
	return (struct bgp_error){.code = code, .subcode = subcode, .data = data, .len = len};
}

#endif
