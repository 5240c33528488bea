/* SPDX-License-Identifier: BSD-3-Clause */

/* Names of the numbers, as log lines and `show` print them. */

#include "bgp/numbers.h"

#include <stddef.h>

struct name {
	uint8_t code, subcode; /* subcode 255: of the code itself */
	const char *text;
};

#define WHOLE 255

static const struct name error_names[] = {
    {BGP_ERR_HEADER, WHOLE, "message header error"},
    {BGP_ERR_HEADER, BGP_HEADER_SYNC, "connection not synchronized"},
    {BGP_ERR_HEADER, BGP_HEADER_LENGTH, "bad message length"},
    {BGP_ERR_HEADER, BGP_HEADER_TYPE, "bad message type"},
    {BGP_ERR_OPEN, WHOLE, "OPEN message error"},
    {BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, "malformed OPEN"},
    {BGP_ERR_OPEN, BGP_OPEN_VERSION, "unsupported version"},
    {BGP_ERR_OPEN, BGP_OPEN_PEER_AS, "bad peer AS"},
    {BGP_ERR_OPEN, BGP_OPEN_ID, "bad BGP identifier"},
    {BGP_ERR_OPEN, BGP_OPEN_PARAMETER, "unsupported optional parameter"},
    {BGP_ERR_OPEN, BGP_OPEN_HOLD, "unacceptable hold time"},
    {BGP_ERR_OPEN, BGP_OPEN_CAPABILITY, "unsupported capability"},
    {BGP_ERR_OPEN, BGP_OPEN_ROLE, "role mismatch"},
    {BGP_ERR_UPDATE, WHOLE, "UPDATE message error"},
    {BGP_ERR_UPDATE, BGP_UPD_LIST, "malformed attribute list"},
    {BGP_ERR_UPDATE, BGP_UPD_UNKNOWN, "unrecognized well-known attribute"},
    {BGP_ERR_UPDATE, BGP_UPD_MISSING, "missing well-known attribute"},
    {BGP_ERR_UPDATE, BGP_UPD_FLAGS, "attribute flags error"},
    {BGP_ERR_UPDATE, BGP_UPD_LENGTH, "attribute length error"},
    {BGP_ERR_UPDATE, BGP_UPD_ORIGIN, "invalid ORIGIN"},
    {BGP_ERR_UPDATE, BGP_UPD_NEXT_HOP, "invalid NEXT_HOP"},
    {BGP_ERR_UPDATE, BGP_UPD_OPTIONAL, "optional attribute error"},
    {BGP_ERR_UPDATE, BGP_UPD_NETWORK, "invalid network field"},
    {BGP_ERR_UPDATE, BGP_UPD_AS_PATH, "malformed AS_PATH"},
    {BGP_ERR_HOLD, WHOLE, "hold timer expired"},
    {BGP_ERR_FSM, WHOLE, "finite state machine error"},
    {BGP_ERR_FSM, BGP_FSM_OPENSENT, "unexpected message in OpenSent"},
    {BGP_ERR_FSM, BGP_FSM_OPENCONFIRM, "unexpected message in OpenConfirm"},
    {BGP_ERR_FSM, BGP_FSM_ESTABLISHED, "unexpected message in Established"},
    {BGP_ERR_CEASE, WHOLE, "cease"},
    {BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, "maximum number of prefixes reached"},
    {BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, "administrative shutdown"},
    {BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED, "peer de-configured"},
    {BGP_ERR_CEASE, BGP_CEASE_RESET, "administrative reset"},
    {BGP_ERR_CEASE, BGP_CEASE_REJECTED, "connection rejected"},
    {BGP_ERR_CEASE, BGP_CEASE_CONFIG, "other configuration change"},
    {BGP_ERR_CEASE, BGP_CEASE_COLLISION, "connection collision resolution"},
    {BGP_ERR_CEASE, BGP_CEASE_RESOURCES, "out of resources"},
    {BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "hard reset"},
    {BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "BFD down"},
    {BGP_ERR_REFRESH, WHOLE, "ROUTE-REFRESH message error"},
    {BGP_ERR_REFRESH, BGP_REFRESH_LENGTH, "invalid message length"},
    {BGP_ERR_SEND_HOLD, WHOLE, "send hold timer expired"},
};

static const struct name attr_names[] = {
    {BGP_ATTR_ORIGIN, 0, "ORIGIN"},
    {BGP_ATTR_AS_PATH, 0, "AS_PATH"},
    {BGP_ATTR_NEXT_HOP, 0, "NEXT_HOP"},
    {BGP_ATTR_MED, 0, "MULTI_EXIT_DISC"},
    {BGP_ATTR_LOCAL_PREF, 0, "LOCAL_PREF"},
    {BGP_ATTR_ATOMIC_AGGREGATE, 0, "ATOMIC_AGGREGATE"},
    {BGP_ATTR_AGGREGATOR, 0, "AGGREGATOR"},
    {BGP_ATTR_COMMUNITY, 0, "COMMUNITIES"},
    {BGP_ATTR_ORIGINATOR_ID, 0, "ORIGINATOR_ID"},
    {BGP_ATTR_CLUSTER_LIST, 0, "CLUSTER_LIST"},
    {BGP_ATTR_MP_REACH, 0, "MP_REACH_NLRI"},
    {BGP_ATTR_MP_UNREACH, 0, "MP_UNREACH_NLRI"},
    {BGP_ATTR_EXT_COMMUNITY, 0, "EXTENDED_COMMUNITIES"},
    {BGP_ATTR_AS4_PATH, 0, "AS4_PATH"},
    {BGP_ATTR_AS4_AGGREGATOR, 0, "AS4_AGGREGATOR"},
    {BGP_ATTR_IPV6_EXT_COMMUNITY, 0, "IPV6_EXTENDED_COMMUNITIES"},
    {BGP_ATTR_LARGE_COMMUNITY, 0, "LARGE_COMMUNITIES"},
    {BGP_ATTR_OTC, 0, "ONLY_TO_CUSTOMER"},
};

static const char *lookup(const struct name *names, size_t count, uint8_t code, uint8_t subcode)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].code == code && names[i].subcode == subcode)
			return names[i].text;
	return NULL;
}

const char *bgp_error_name(uint8_t code)
{
	const char *text =
	    lookup(error_names, sizeof(error_names) / sizeof(error_names[0]), code, WHOLE);

	return text ? text : "unknown error";
}

const char *bgp_suberror_name(uint8_t code, uint8_t subcode)
{
	const char *text =
	    lookup(error_names, sizeof(error_names) / sizeof(error_names[0]), code, subcode);

	if (text && subcode != WHOLE)
		return text;
	return subcode ? "unknown subcode" : "unspecific";
}

const char *bgp_attr_name(uint8_t code)
{
	const char *text = lookup(attr_names, sizeof(attr_names) / sizeof(attr_names[0]), code, 0);

	return text ? text : "attribute";
}

const char *bgp_family_name(enum bgp_family family)
{
	return family == BGP_IPV4 ? "IPv4 unicast" : "IPv6 unicast";
}

uint16_t bgp_family_afi(enum bgp_family family)
{
	return family == BGP_IPV4 ? 1 : 2;
}

int bgp_family_of(uint16_t afi, uint8_t safi)
{
	if (safi != 1)
		return -1;
	return afi == 1 ? BGP_IPV4 : afi == 2 ? BGP_IPV6 : -1;
}

const char *bgp_role_name(enum bgp_role role)
{
	switch (role) {
	case BGP_ROLE_PROVIDER:
		return "provider";
	case BGP_ROLE_RS:
		return "route server";
	case BGP_ROLE_RS_CLIENT:
		return "route server client";
	case BGP_ROLE_CUSTOMER:
		return "customer";
	case BGP_ROLE_PEER:
		return "peer";
	case BGP_ROLE_NONE:
		break;
	}
	return "none";
}
