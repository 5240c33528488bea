/* SPDX-License-Identifier: BSD-3-Clause */

/* What each path attribute is: one row per code, and nothing about a code anywhere else. */

#include "bgp/attr.h"

#define WELL_KNOWN    BGP_FLAG_TRANSITIVE
#define TRANSITIVE    (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE)
#define NONTRANSITIVE BGP_FLAG_OPTIONAL

/* Behind each row the section of RFC 7606, or another RFC, that names the class. */
static const struct bgp_attr_row rows[] = {
    [BGP_ATTR_ORIGIN] = {WELL_KNOWN, BGP_CLASS_WITHDRAW, false, bgp_decode_origin, NULL}, /* 7.1 */
    [BGP_ATTR_AS_PATH] = {WELL_KNOWN, BGP_CLASS_WITHDRAW, false, bgp_decode_as_path,      /* 7.2 */
	bgp_to_old_as_path},
    [BGP_ATTR_NEXT_HOP] = {WELL_KNOWN, BGP_CLASS_WITHDRAW, false, bgp_decode_next_hop, /* 7.3 */
	NULL},
    [BGP_ATTR_MED] = {NONTRANSITIVE, BGP_CLASS_WITHDRAW, false, bgp_decode_u32, NULL},     /* 7.4 */
    [BGP_ATTR_LOCAL_PREF] = {WELL_KNOWN, BGP_CLASS_WITHDRAW, true, bgp_decode_u32, NULL},  /* 7.5 */
    [BGP_ATTR_ATOMIC_AGGREGATE] = {WELL_KNOWN, BGP_CLASS_DISCARD, false, bgp_decode_empty, /* 7.6 */
	NULL},
    [BGP_ATTR_AGGREGATOR] = {TRANSITIVE, BGP_CLASS_DISCARD, false, bgp_decode_aggregator, /* 7.7 */
	bgp_to_old_aggregator},
    [BGP_ATTR_COMMUNITY] = {TRANSITIVE, BGP_CLASS_WITHDRAW, false, bgp_decode_u32s, NULL}, /* 7.8 */
    [BGP_ATTR_ORIGINATOR_ID] = {NONTRANSITIVE, BGP_CLASS_WITHDRAW, true, bgp_decode_u32,   /* 7.9 */
	NULL},
    [BGP_ATTR_CLUSTER_LIST] = {NONTRANSITIVE, BGP_CLASS_WITHDRAW, true, bgp_decode_u32s, /* 7.10 */
	NULL},
    [BGP_ATTR_MP_REACH] = {NONTRANSITIVE, BGP_CLASS_RESET, false, bgp_decode_mp_reach, /* 7.11 */
	NULL},
    [BGP_ATTR_MP_UNREACH] = {NONTRANSITIVE, BGP_CLASS_RESET, false,
	bgp_decode_mp_unreach, /* 7.12 */
	NULL},
    [BGP_ATTR_EXT_COMMUNITY] = {TRANSITIVE, BGP_CLASS_WITHDRAW, false, bgp_decode_ext_community,
	NULL}, /* 7.14 */
    [BGP_ATTR_AS4_PATH] = {TRANSITIVE, BGP_CLASS_DISCARD, false, bgp_decode_as4_path,
	NULL}, /* RFC 6793 6 */
    [BGP_ATTR_AS4_AGGREGATOR] = {TRANSITIVE, BGP_CLASS_DISCARD, false, bgp_decode_as4_aggregator,
	NULL}, /* RFC 6793 6 */
    [BGP_ATTR_IPV6_EXT_COMMUNITY] = {TRANSITIVE, BGP_CLASS_WITHDRAW, false,
	bgp_decode_ipv6_ext_community, NULL}, /* 7.15 */
    [BGP_ATTR_LARGE_COMMUNITY] = {TRANSITIVE, BGP_CLASS_WITHDRAW, false, bgp_decode_large_community,
	NULL},                                                                      /* RFC 8092 6 */
    [BGP_ATTR_OTC] = {TRANSITIVE, BGP_CLASS_WITHDRAW, false, bgp_decode_u32, NULL}, /* RFC 9234 5 */
};

const struct bgp_attr_row *bgp_attr_row(uint8_t code)
{
	if (code >= sizeof(rows) / sizeof(rows[0]) || !rows[code].decode)
		return NULL;
	return &rows[code];
}
