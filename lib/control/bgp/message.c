/* SPDX-License-Identifier: BSD-3-Clause */

/* Headers and ROUTE-REFRESH. */

#include "bgp/message.h"

#include <string.h>

static const uint8_t marker[16] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Shortest and longest message of a type; ROUTE-REFRESH judges its own length (RFC 7313 5). */
static bool length_ok(uint8_t type, uint16_t len, unsigned max)
{
	switch (type) {
	case BGP_OPEN:
		return len >= 29 && len <= BGP_MESSAGE_MAX;
	case BGP_UPDATE:
		return len >= 23 && len <= max;
	case BGP_NOTIFICATION:
		return len >= 21 && len <= max;
	case BGP_KEEPALIVE:
		return len == BGP_HEADER_BYTES;
	default:
		return len >= 23 && len <= max;
	}
}

bool bgp_header_parse(const uint8_t bytes[BGP_HEADER_BYTES], unsigned max, struct bgp_header *out,
    struct bgp_error *error)
{
	struct wire w = wire_of(bytes + sizeof(marker), BGP_HEADER_BYTES - sizeof(marker));

	out->len = wire_u16(&w);
	out->type = wire_u8(&w);
	if (memcmp(bytes, marker, sizeof(marker)) != 0)
		*error = bgp_error_of(BGP_ERR_HEADER, BGP_HEADER_SYNC);
	else if (out->len < BGP_HEADER_BYTES || out->len > max)
		*error = bgp_error_u16(BGP_ERR_HEADER, BGP_HEADER_LENGTH, out->len);
	else if (out->type < BGP_OPEN || out->type > BGP_ROUTE_REFRESH)
		*error = bgp_error_u8(BGP_ERR_HEADER, BGP_HEADER_TYPE, out->type);
	else if (!length_ok(out->type, out->len, max))
		*error = bgp_error_u16(BGP_ERR_HEADER, BGP_HEADER_LENGTH, out->len);
	else
		return true;
	return false;
}

size_t bgp_message_begin(struct wirebuf *out, enum bgp_message_type type)
{
	size_t begin = wirebuf_len(out);

	wirebuf_put(out, marker, sizeof(marker));
	wirebuf_u16(out, 0);
	wirebuf_u8(out, (uint8_t)type);
	return begin;
}

void bgp_message_end(struct wirebuf *out, size_t begin)
{
	wirebuf_u16_at(out, begin + sizeof(marker), (uint16_t)(wirebuf_len(out) - begin));
}

void bgp_refresh_write(struct wirebuf *out, enum bgp_family family, enum bgp_refresh_kind kind)
{
	size_t begin = bgp_message_begin(out, BGP_ROUTE_REFRESH);

	wirebuf_u16(out, bgp_family_afi(family));
	wirebuf_u8(out, (uint8_t)kind);
	wirebuf_u8(out, 1);
	bgp_message_end(out, begin);
}

/*
 * A request may carry outbound route filters (RFC 5291), which we never offered: the request stands,
 * the filters do not. Demarcations have exactly four octets.
 */
bool bgp_refresh_parse(struct wire whole, struct bgp_refresh *out, struct bgp_error *error)
{
	struct wire w = whole;
	uint16_t afi;

	wire_skip(&w, BGP_HEADER_BYTES);
	afi = wire_u16(&w);
	out->kind = wire_u8(&w);
	out->family = bgp_family_of(afi, wire_u8(&w));
	if (wire_ok(&w) && (out->kind != BGP_REFRESH_BEGIN || wire_left(&w) == 0) &&
	    (out->kind != BGP_REFRESH_END || wire_left(&w) == 0))
		return true;
	*error = bgp_error_bytes(BGP_ERR_REFRESH, BGP_REFRESH_LENGTH, whole.at, wire_left(&whole));
	return false;
}
