/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * OPEN and its capabilities. Optional parameters come in the form of RFC 4271 or, longer, of RFC 9072;
 * all of them are capabilities (RFC 5492), any number per parameter.
 */

#include "bgp/message.h"

#define PARAM_CAPABILITIES 2
#define PARAM_EXTENDED     255 /* RFC 9072 2 */
#define RESTART_STATE      0x8000
#define RESTART_NOTIFY     0x4000
#define RESTART_TIME       0x0fff
#define FORWARDING         0x80

static void take_multiprotocol(struct bgp_open *o, struct wire w, bool *any)
{
	uint16_t afi = wire_u16(&w);
	int family;

	wire_u8(&w);
	family = bgp_family_of(afi, wire_u8(&w));
	if (!wire_done(&w))
		return;
	*any = true;
	if (family >= 0)
		o->families |= BGP_FAMILY_BIT(family);
}

static void take_restart(struct bgp_open *o, struct wire w)
{
	uint16_t head = wire_u16(&w);

	if (!wire_ok(&w) || wire_left(&w) % 4 != 0)
		return;
	o->graceful_restart = true;
	o->restarting = head & RESTART_STATE;
	o->notification_restart = head & RESTART_NOTIFY;
	o->restart_s = head & RESTART_TIME;
	o->restart_families = o->forwarding_families = 0; /* the last one counts */
	while (wire_left(&w) > 0) {
		uint16_t afi = wire_u16(&w);
		uint8_t safi = wire_u8(&w), flags = wire_u8(&w);
		int family = bgp_family_of(afi, safi);

		if (family < 0)
			continue;
		o->restart_families |= BGP_FAMILY_BIT(family);
		if (flags & FORWARDING)
			o->forwarding_families |= BGP_FAMILY_BIT(family);
	}
}

/* True unless the session cannot be what it claims to be. */
static bool take_capability(struct bgp_open *o, uint8_t code, struct wire value, bool *any_mp)
{
	bool empty = wire_left(&value) == 0;

	switch (code) {
	case BGP_CAP_MULTIPROTOCOL:
		take_multiprotocol(o, value, any_mp);
		break;
	case BGP_CAP_ROUTE_REFRESH:
		o->refresh |= empty;
		break;
	case BGP_CAP_ENHANCED_REFRESH:
		o->enhanced_refresh |= empty;
		break;
	case BGP_CAP_EXTENDED_MESSAGE:
		o->extended_messages |= empty;
		break;
	case BGP_CAP_ROLE:
		if (wire_left(&value) != 1)
			break;
		if (o->role != BGP_ROLE_NONE && o->role != *value.at)
			return false; /* RFC 9234 4.2: two that differ */
		o->role = *value.at;
		break;
	case BGP_CAP_GRACEFUL_RESTART:
		take_restart(o, value);
		break;
	case BGP_CAP_AS4:
		if (wire_left(&value) != 4)
			break;
		o->as4 = true;
		o->as = wire_u32(&value);
		break;
	}
	return true;
}

static bool take_capabilities(
    struct bgp_open *o, struct wire w, bool *any_mp, struct bgp_error *error)
{
	o->has_capabilities = true;
	while (wire_left(&w) > 0) {
		uint8_t code = wire_u8(&w), len = wire_u8(&w);
		struct wire value = wire_sub(&w, len);

		if (!wire_ok(&w)) {
			*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC);
			return false;
		}
		if (!take_capability(o, code, value, any_mp)) {
			*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_ROLE);
			return false;
		}
	}
	return true;
}

/* The parameters as a view, whichever form they have; a failed view when the lengths do not fit. */
static struct wire parameters(struct wire w, bool *extended)
{
	uint8_t len = wire_u8(&w);
	struct wire peek = w;

	*extended = len != 0 && wire_u8(&peek) == PARAM_EXTENDED && wire_ok(&peek);
	if (*extended) {
		uint16_t long_len = wire_u16(&peek);

		w = peek;
		if (wire_left(&w) != long_len)
			w.failed = true;
	} else if (wire_left(&w) != len) {
		w.failed = true;
	}
	return w;
}

static bool take_parameters(
    struct bgp_open *o, struct wire body, bool *any_mp, struct bgp_error *error)
{
	bool extended;
	struct wire w = parameters(body, &extended);

	while (wire_left(&w) > 0) {
		uint8_t type = wire_u8(&w);
		uint16_t len = extended ? wire_u16(&w) : wire_u8(&w);
		struct wire value = wire_sub(&w, len);

		if (!wire_ok(&w))
			break;
		if (type != PARAM_CAPABILITIES) {
			*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_PARAMETER);
			return false;
		}
		if (!take_capabilities(o, value, any_mp, error))
			return false;
	}
	*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC);
	return wire_ok(&w);
}

/* The pairs of RFC 9234 4.2. */
static bool roles_fit(uint8_t ours, uint8_t theirs)
{
	switch (ours) {
	case BGP_ROLE_PROVIDER:
		return theirs == BGP_ROLE_CUSTOMER;
	case BGP_ROLE_CUSTOMER:
		return theirs == BGP_ROLE_PROVIDER;
	case BGP_ROLE_RS:
		return theirs == BGP_ROLE_RS_CLIENT;
	case BGP_ROLE_RS_CLIENT:
		return theirs == BGP_ROLE_RS;
	default:
		return theirs == ours;
	}
}

static bool role_ok(const struct bgp_open *o, const struct bgp_open_rules *r)
{
	if (r->role == BGP_ROLE_NONE)
		return true;
	if (o->role == BGP_ROLE_NONE)
		return !r->role_strict;
	return roles_fit(r->role, o->role);
}

/* Capability 1 for each family we want, as the data of "unsupported capability" (RFC 5492 5). */
static struct bgp_error missing_families(uint8_t families)
{
	struct bgp_error e = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_CAPABILITY);
	struct wirebuf b = wirebuf_of(e.own, sizeof(e.own));

	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		if (!(families & BGP_FAMILY_BIT(f)))
			continue;
		wirebuf_u8(&b, BGP_CAP_MULTIPROTOCOL);
		wirebuf_u8(&b, 4);
		wirebuf_u16(&b, bgp_family_afi(f));
		wirebuf_u16(&b, 1);
	}
	e.own_len = (uint8_t)wirebuf_len(&b);
	return e;
}

bool bgp_open_parse(
    struct wire body, const struct bgp_open_rules *r, struct bgp_open *out, struct bgp_error *error)
{
	uint8_t version = wire_u8(&body);
	bool any_mp = false;
	uint16_t my_as;

	*out = (struct bgp_open){.role = BGP_ROLE_NONE};
	if (version != BGP_VERSION) {
		*error = bgp_error_u16(BGP_ERR_OPEN, BGP_OPEN_VERSION, BGP_VERSION);
		return false;
	}
	out->as = my_as = wire_u16(&body);
	out->hold_s = wire_u16(&body);
	out->id = wire_u32(&body);
	if (!take_parameters(out, body, &any_mp, error))
		return false;
	if (!any_mp)
		out->families = BGP_FAMILY_BIT(BGP_IPV4);
	if (out->as != r->remote_as || my_as == 0) /* RFC 7607: in either place */
		*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_PEER_AS);
	else if (out->id == 0 || (out->id == r->local_id && r->local_as == r->remote_as))
		*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_ID);
	else if (out->hold_s != 0 && out->hold_s < BGP_HOLD_MIN_S)
		*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_HOLD);
	else if (!role_ok(out, r))
		*error = bgp_error_of(BGP_ERR_OPEN, BGP_OPEN_ROLE);
	else if (!(out->families & r->families))
		*error = missing_families(r->families);
	else
		return true;
	return false;
}

static void put_multiprotocol(struct wirebuf *out, uint8_t families)
{
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		if (!(families & BGP_FAMILY_BIT(f)))
			continue;
		wirebuf_u8(out, BGP_CAP_MULTIPROTOCOL);
		wirebuf_u8(out, 4);
		wirebuf_u16(out, bgp_family_afi(f));
		wirebuf_u16(out, 1);
	}
}

static void put_restart(struct wirebuf *out, const struct bgp_open *o)
{
	size_t at;

	wirebuf_u8(out, BGP_CAP_GRACEFUL_RESTART);
	at = wirebuf_len(out);
	wirebuf_u8(out, 0);
	wirebuf_u16(out,
	    (uint16_t)((o->restarting ? RESTART_STATE : 0) |
		(o->notification_restart ? RESTART_NOTIFY : 0) | (o->restart_s & RESTART_TIME)));
	for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
		if (!(o->restart_families & BGP_FAMILY_BIT(f)))
			continue;
		wirebuf_u16(out, bgp_family_afi(f));
		wirebuf_u8(out, 1);
		wirebuf_u8(out, o->forwarding_families & BGP_FAMILY_BIT(f) ? FORWARDING : 0);
	}
	wirebuf_u8_at(out, at, (uint8_t)(wirebuf_len(out) - at - 1));
}

static void put_flag(struct wirebuf *out, uint8_t code, bool present)
{
	if (!present)
		return;
	wirebuf_u8(out, code);
	wirebuf_u8(out, 0);
}

static void put_capabilities(struct wirebuf *out, const struct bgp_open *o)
{
	put_multiprotocol(out, o->families);
	put_flag(out, BGP_CAP_ROUTE_REFRESH, o->refresh);
	put_flag(out, BGP_CAP_EXTENDED_MESSAGE, o->extended_messages);
	if (o->role != BGP_ROLE_NONE) {
		wirebuf_u8(out, BGP_CAP_ROLE);
		wirebuf_u8(out, 1);
		wirebuf_u8(out, o->role);
	}
	if (o->graceful_restart)
		put_restart(out, o);
	if (o->as4) {
		wirebuf_u8(out, BGP_CAP_AS4);
		wirebuf_u8(out, 4);
		wirebuf_u32(out, o->as);
	}
	put_flag(out, BGP_CAP_ENHANCED_REFRESH, o->enhanced_refresh);
}

void bgp_open_write(struct wirebuf *out, const struct bgp_open *o)
{
	size_t begin = bgp_message_begin(out, BGP_OPEN), lengths;

	wirebuf_u8(out, BGP_VERSION);
	wirebuf_u16(out, o->as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)o->as);
	wirebuf_u16(out, o->hold_s);
	wirebuf_u32(out, o->id);
	lengths = wirebuf_len(out);
	wirebuf_u8(out, 0);
	if (o->has_capabilities) {
		wirebuf_u8(out, PARAM_CAPABILITIES);
		wirebuf_u8(out, 0);
		put_capabilities(out, o);
		wirebuf_u8_at(out, lengths, (uint8_t)(wirebuf_len(out) - lengths - 1));
		wirebuf_u8_at(out, lengths + 2, (uint8_t)(wirebuf_len(out) - lengths - 3));
	}
	bgp_message_end(out, begin);
}
