/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_NUMBERS_H
#define BGP_NUMBERS_H

/* The numbers of BGP messages, and their names (IANA "BGP Parameters"). */

#include <stdint.h>

#define BGP_PORT            179
#define BGP_VERSION         4
#define BGP_AS_TRANS        23456 /* RFC 6793 */
#define BGP_HEADER_BYTES    19
#define BGP_MESSAGE_MAX     4096
#define BGP_MESSAGE_EXT_MAX 65535 /* RFC 8654 */
#define BGP_HOLD_MIN_S      3
#define BGP_OPEN_HOLD_S     240 /* hold time until the OPEN has come (RFC 4271 8.2.2) */
#define BGP_SEND_HOLD_S     480 /* at least, unless configured (RFC 9687) */
#define BGP_SHUTDOWN_MAX    255 /* bytes of a shutdown communication (RFC 9003) */
#define BGP_LOCAL_PREF      100 /* of routes that carry none */

enum bgp_message_type {
	BGP_OPEN = 1,
	BGP_UPDATE = 2,
	BGP_NOTIFICATION = 3,
	BGP_KEEPALIVE = 4,
	BGP_ROUTE_REFRESH = 5,
};

/* Families: AFI and SAFI. Unicast only; one more row here and in numbers.c is one more table. */
enum bgp_family { BGP_IPV4, BGP_IPV6, BGP_FAMILY_COUNT };
#define BGP_FAMILY_BIT(family) (1u << (family))
#define BGP_FAMILIES_ALL       ((1u << BGP_FAMILY_COUNT) - 1)

enum bgp_capability_code {
	BGP_CAP_MULTIPROTOCOL = 1,
	BGP_CAP_ROUTE_REFRESH = 2,
	BGP_CAP_EXTENDED_MESSAGE = 6,
	BGP_CAP_ROLE = 9,
	BGP_CAP_GRACEFUL_RESTART = 64,
	BGP_CAP_AS4 = 65,
	BGP_CAP_ENHANCED_REFRESH = 70,
};

enum bgp_attr_code {
	BGP_ATTR_ORIGIN = 1,
	BGP_ATTR_AS_PATH = 2,
	BGP_ATTR_NEXT_HOP = 3,
	BGP_ATTR_MED = 4,
	BGP_ATTR_LOCAL_PREF = 5,
	BGP_ATTR_ATOMIC_AGGREGATE = 6,
	BGP_ATTR_AGGREGATOR = 7,
	BGP_ATTR_COMMUNITY = 8,
	BGP_ATTR_ORIGINATOR_ID = 9,
	BGP_ATTR_CLUSTER_LIST = 10,
	BGP_ATTR_MP_REACH = 14,
	BGP_ATTR_MP_UNREACH = 15,
	BGP_ATTR_EXT_COMMUNITY = 16,
	BGP_ATTR_AS4_PATH = 17,
	BGP_ATTR_AS4_AGGREGATOR = 18,
	BGP_ATTR_IPV6_EXT_COMMUNITY = 25,
	BGP_ATTR_LARGE_COMMUNITY = 32,
	BGP_ATTR_OTC = 35,
};

#define BGP_FLAG_OPTIONAL   0x80
#define BGP_FLAG_TRANSITIVE 0x40
#define BGP_FLAG_PARTIAL    0x20
#define BGP_FLAG_EXTENDED   0x10

enum bgp_origin { BGP_ORIGIN_IGP, BGP_ORIGIN_EGP, BGP_ORIGIN_INCOMPLETE };

enum bgp_segment_type {
	BGP_AS_SET = 1,
	BGP_AS_SEQUENCE = 2,
	BGP_AS_CONFED_SEQUENCE = 3,
	BGP_AS_CONFED_SET = 4,
};

/* Communities with a meaning of their own (RFC 1997, 8326). */
#define BGP_COMMUNITY_GRACEFUL_SHUTDOWN   0xffff0000u
#define BGP_COMMUNITY_NO_EXPORT           0xffffff01u
#define BGP_COMMUNITY_NO_ADVERTISE        0xffffff02u
#define BGP_COMMUNITY_NO_EXPORT_SUBCONFED 0xffffff03u

/* Roles (RFC 9234): what we are to the peer. The values are those of the capability. */
enum bgp_role {
	BGP_ROLE_PROVIDER = 0,
	BGP_ROLE_RS = 1,
	BGP_ROLE_RS_CLIENT = 2,
	BGP_ROLE_CUSTOMER = 3,
	BGP_ROLE_PEER = 4,
	BGP_ROLE_NONE = 255, /* no capability sent, no rule applied */
};

/* NOTIFICATION: code, then subcode within it. */
enum bgp_error_code {
	BGP_ERR_HEADER = 1,
	BGP_ERR_OPEN = 2,
	BGP_ERR_UPDATE = 3,
	BGP_ERR_HOLD = 4,
	BGP_ERR_FSM = 5, /* RFC 6608 */
	BGP_ERR_CEASE = 6,
	BGP_ERR_REFRESH = 7,   /* RFC 7313 */
	BGP_ERR_SEND_HOLD = 8, /* RFC 9687 */
};

enum bgp_header_error { BGP_HEADER_SYNC = 1, BGP_HEADER_LENGTH = 2, BGP_HEADER_TYPE = 3 };

enum bgp_open_error {
	BGP_OPEN_UNSPECIFIC = 0,
	BGP_OPEN_VERSION = 1,
	BGP_OPEN_PEER_AS = 2,
	BGP_OPEN_ID = 3,
	BGP_OPEN_PARAMETER = 4,
	BGP_OPEN_HOLD = 6,
	BGP_OPEN_CAPABILITY = 7, /* RFC 5492 */
	BGP_OPEN_ROLE = 11,      /* RFC 9234 */
};

enum bgp_update_error {
	BGP_UPD_LIST = 1,
	BGP_UPD_UNKNOWN = 2,
	BGP_UPD_MISSING = 3,
	BGP_UPD_FLAGS = 4,
	BGP_UPD_LENGTH = 5,
	BGP_UPD_ORIGIN = 6,
	BGP_UPD_NEXT_HOP = 8,
	BGP_UPD_OPTIONAL = 9,
	BGP_UPD_NETWORK = 10,
	BGP_UPD_AS_PATH = 11,
};

enum bgp_fsm_error { BGP_FSM_OPENSENT = 1, BGP_FSM_OPENCONFIRM = 2, BGP_FSM_ESTABLISHED = 3 };

enum bgp_cease { /* RFC 4486, 8538, 9384 */
	BGP_CEASE_MAX_PREFIXES = 1,
	BGP_CEASE_SHUTDOWN = 2,
	BGP_CEASE_DECONFIGURED = 3,
	BGP_CEASE_RESET = 4,
	BGP_CEASE_REJECTED = 5,
	BGP_CEASE_CONFIG = 6,
	BGP_CEASE_COLLISION = 7,
	BGP_CEASE_RESOURCES = 8,
	BGP_CEASE_HARD_RESET = 9,
	BGP_CEASE_BFD_DOWN = 10,
};

enum bgp_refresh_error { BGP_REFRESH_LENGTH = 1 };

/* "Cease: administrative shutdown", "OPEN error: bad peer AS"; never NULL. */
const char *bgp_error_name(uint8_t code);
const char *bgp_suberror_name(uint8_t code, uint8_t subcode);
const char *bgp_attr_name(uint8_t code); /* "AS_PATH"; "attribute" when unknown */
const char *bgp_family_name(enum bgp_family family);
const char *bgp_role_name(enum bgp_role role);
uint16_t bgp_family_afi(enum bgp_family family); /* all of SAFI 1 */
/* The family of AFI and SAFI, or -1. */
int bgp_family_of(uint16_t afi, uint8_t safi);
static inline unsigned bgp_family_bytes(enum bgp_family family) /* of an address */
{
	return family == BGP_IPV4 ? 4 : 16;
}

#endif
