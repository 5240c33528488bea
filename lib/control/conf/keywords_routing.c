/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyword table: attachments and routing policies (A3, R2, R5). */
#include "conf/keywords.h"

static const struct value_name kind_names[] = {{"vpc", CONF_KIND_VPC}, {"vbr", CONF_KIND_VBR},
    {"ccn", CONF_KIND_CCN}, {"vpn", CONF_KIND_VPN}, {"peer", CONF_KIND_PEER}, {0}};
static const struct value_name direction_names[] = {
    {"ingress", CONF_INGRESS}, {"egress", CONF_EGRESS}, {0}};
static const struct value_name action_names[] = {{"permit", CONF_PERMIT}, {"deny", CONF_DENY}, {0}};
static const struct value_name match_names[] = {
    {"include", CONF_MATCH_INCLUDE}, {"exact", CONF_MATCH_EXACT}, {0}};
static const struct value_name route_type_names[] = {{"static", CONF_ROUTE_STATIC},
    {"bgp", CONF_ROUTE_BGP}, {"connected", CONF_ROUTE_CONNECTED}, {0}};

const char *conf_kind_name(enum conf_kind kind)
{
	return keyword_word(kind_names, kind);
}

static bool has_port(const void *attachment)
{
	return ((const struct conf_attachment *)attachment)->kind != CONF_KIND_VPN;
}

static bool is_vpn(const void *attachment)
{
	return !has_port(attachment);
}

static bool may_have_bgp(const void *attachment)
{
	enum conf_kind kind = ((const struct conf_attachment *)attachment)->kind;

	return kind == CONF_KIND_VBR || kind == CONF_KIND_CCN || kind == CONF_KIND_PEER;
}

static const struct kw rows_attached_route[] = {
    {"prefix", VALUE_PREFIX, FIELD(attached_route, prefix, struct ip_prefix), .required = true,
	MEANS(ROUTES, "what lies behind the attachment")},
    {"next-hop", VALUE_IP, FIELD(attached_route, next_hop, struct ip_addr),
	MEANS(ROUTES,
	    "neighbour on the attachment's subnet; needed, but for kind vpn, which has none")},
    {0},
};

static const struct object_kind kind_attached_route = {
    .what = "route",
    .size = sizeof(struct conf_attached_route),
    .rows = rows_attached_route,
    .name_offset = NO_NAME,
    .identity = 2, /* prefix, next hop */
};

static const struct kw rows_bgp[] = {
    {"enabled", VALUE_BOOL, FIELD(attachment_bgp, enabled, bool),
	DERIVED("yes with a `bgp` section, no without"),
	MEANS(SESSION, "run BGP with the neighbour")},
    {"peer", VALUE_IP, FIELD(attachment_bgp, peer, struct ip_addr),
	MEANS(SESSION, "the neighbour, on the attachment's subnet; needed")},
    {"peer-asn", VALUE_ASN, FIELD(attachment_bgp, peer_asn, uint32_t),
	MEANS(SESSION, "the neighbour's AS number; needed")},
    {"local-asn", VALUE_ASN, FIELD(attachment_bgp, local_asn, uint32_t),
	DERIVED("`asn` of the transit router"), MEANS(SESSION, "our AS number")},
    {"hold-time", VALUE_UINT, FIELD(attachment_bgp, hold_time, uint32_t), RANGE(0, 65535),
	PRESET("90"),
	MEANS(
	    SESSION, "seconds without a message until the session ends; 0 (never) or 3 at least")},
    {"keepalive", VALUE_UINT, FIELD(attachment_bgp, keepalive, uint32_t), RANGE(0, 21845),
	DERIVED("a third of hold-time"), MEANS(SESSION, "seconds between keepalives")},
    {"password", VALUE_SECRET, FIELD(attachment_bgp, password, char *), RANGE(1, 80),
	.secret = true, MEANS(SESSION, "TCP MD5 signature (RFC 2385)")},
    {"gtsm", VALUE_BOOL, FIELD(attachment_bgp, gtsm, bool), PRESET("no"),
	MEANS(SESSION, "accept packets of direct neighbours only, TTL 255 (RFC 5082)")},
    {"graceful-restart", VALUE_BOOL, FIELD(attachment_bgp, graceful_restart, bool), PRESET("yes"),
	MEANS(SESSION, "keep the routes while the neighbour restarts (RFC 4724)")},
    {"max-prefixes", VALUE_UINT, FIELD(attachment_bgp, max_prefixes, uint32_t), RANGE(0, 16777216),
	PRESET("100000"), MEANS(LIVE, "routes accepted before the session is ended; 0: no limit")},
    {"restart-after", VALUE_UINT, FIELD(attachment_bgp, restart_after, uint32_t), RANGE(0, 86400),
	PRESET("300"),
	MEANS(LIVE,
	    "seconds after max-prefixes was exceeded until the session is opened again; 0: `bgp enable`")},
    {"max-prefixes-out", VALUE_UINT, FIELD(attachment_bgp, max_prefixes_out, uint32_t),
	RANGE(0, 16777216), PRESET("0"),
	MEANS(LIVE, "routes told to the neighbour at most; 0: all")},
    {"send-hold-time", VALUE_UINT, FIELD(attachment_bgp, send_hold_time, uint32_t), RANGE(5, 65535),
	PRESET("480"),
	MEANS(LIVE,
	    "seconds in which a peer may read nothing, twice the hold time at least (RFC 9687)")},
    {0},
};

static const struct object_kind kind_bgp = {
    .what = "bgp",
    .size = sizeof(struct conf_attachment_bgp),
    .rows = rows_bgp,
    .name_offset = NO_NAME,
};

#define PORT_KINDS "only with kind: vpc, vbr, ccn or peer"
#define BGP_KINDS  "only with kind: vbr, ccn or peer; for kind: vpn, BGP stands in the tunnels"

const struct kw conf_rows_attachment[] = {
    {"kind", VALUE_ENUM, FIELD(attachment, kind, enum conf_kind), .names = kind_names,
	.required = true,
	MEANS(ROUTES,
	    "a network of the site (vpc), a private circuit (vbr, ccn), an IPsec-VPN connection "
	    "(vpn), another transit router (peer)")},
    {"port", VALUE_REF, REF(attachment, port, REF_PORT), ONLY(has_port, "kind", PORT_KINDS),
	MEANS(INTERFACE, "where it is plugged in; needed, but for kind vpn")},
    {"vlan", VALUE_UINT, FIELD(attachment, vlan, uint32_t), RANGE(0, 4094), PRESET("0"),
	ONLY(has_port, "kind", PORT_KINDS), MEANS(INTERFACE, "VLAN on the port; 0: untagged")},
    {"address", VALUE_IFADDR, LIST(attachment, address, struct conf_ifaddr), .list_max = 16,
	ONLY(has_port, "kind", PORT_KINDS),
	MEANS(
	    INTERFACE, "our addresses with the length of their subnets; needed, but for kind vpn")},
    {"mtu", VALUE_UINT, FIELD(attachment, mtu, uint32_t), RANGE(576, 9600),
	ONLY(has_port, "kind", PORT_KINDS), DERIVED("`mtu` of the port"),
	MEANS(INTERFACE, "bytes of the largest IP packet")},
    {"connection", VALUE_REF, REF(attachment, connection, REF_CONNECTION),
	.object = &conf_kind_connection, ONLY(is_vpn, "kind", "only with kind: vpn"),
	MEANS(ROUTES,
	    "name of an existing connection, or a whole connection written here, which then has "
	    "the attachment's name; needed with kind vpn")},
    {"routes", VALUE_SEQUENCE, OBJECTS(attachment, routes), .object = &kind_attached_route,
	MEANS(ROUTES, "static prefixes behind the attachment")},
    {"neighbors", VALUE_SEQUENCE, OBJECTS(attachment, neighbors), .object = &conf_kind_neighbor,
	ONLY(has_port, "kind", PORT_KINDS),
	MEANS(INTERFACE, "neighbours that are not asked for by ARP, such as traffic generators")},
    {"bgp", VALUE_OBJECT, FIELD(attachment, bgp, struct conf_attachment_bgp), .object = &kind_bgp,
	ONLY(may_have_bgp, "kind", BGP_KINDS),
	MEANS(SESSION, "BGP with a neighbour; off without this section")},
    {"bfd", VALUE_OBJECT, FIELD(attachment, bfd, struct conf_bfd), .object = &conf_kind_bfd,
	ONLY(may_have_bgp, "kind",
	    "only with kind: vbr, ccn or peer; for kind: vpn, BFD stands in the tunnels"),
	MEANS(LIVE, "BFD with a neighbour (RFC 5881); off without this section")},
    {"ingress-policer", VALUE_OBJECT, FIELD(attachment, ingress_policer, struct conf_policer),
	.object = &conf_kind_policer,
	MEANS(LIVE,
	    "limits what it sends to others, of kind vpn all tunnels together; off without this section")},
    {"egress-policer", VALUE_OBJECT, FIELD(attachment, egress_policer, struct conf_policer),
	.object = &conf_kind_policer,
	MEANS(LIVE, "limits what others send to it; off without this section")},
    {"associate", VALUE_REF, REF(attachment, associate, REF_TABLE), PRESET(CONF_DEFAULT_TABLE),
	.may_be_none = true,
	MEANS(ROUTES,
	    "table that its traffic is looked up in; `none`: no table, the traffic is dropped")},
    {"propagate", VALUE_REF, REFS(attachment, propagate, REF_TABLE), .list_max = 4096,
	PRESET(CONF_DEFAULT_TABLE), MEANS(ROUTES, "tables that learn its routes; []: none")},
    {"advertise-routes", VALUE_BOOL, FIELD(attachment, advertise_routes, bool), PRESET("yes"),
	MEANS(ROUTES, "announce the associated table to its BGP peer")},
    ROW_OWNER(attachment),
    ROW_TAGS(attachment),
    ROW_DESCRIPTION(attachment),
    {0},
};

static bool has_prefixes(const void *policy)
{
	return ((const struct conf_policy *)policy)->prefixes_count > 0;
}

static bool has_as_path(const void *policy)
{
	return ((const struct conf_policy *)policy)->as_path_count > 0;
}

static bool has_communities(const void *policy)
{
	return ((const struct conf_policy *)policy)->communities_count > 0;
}

static bool permits(const void *policy)
{
	return ((const struct conf_policy *)policy)->action == CONF_PERMIT;
}

const struct kw conf_rows_policy[] = {
    {"priority", VALUE_UINT, FIELD(policy, priority, uint32_t), RANGE(1, 100), .required = true,
	.range_note = " (5000 is the built-in reject, which cannot be changed)", /* R4 */
	MEANS(ROUTES, "the lower number is asked first")},
    {"table", VALUE_REF, REF(policy, table, REF_TABLE), PRESET(CONF_DEFAULT_TABLE),
	MEANS(ROUTES, "table whose routes are judged")},
    {"direction", VALUE_ENUM, FIELD(policy, direction, enum conf_direction),
	.names = direction_names, .required = true,
	MEANS(ROUTES, "routes on their way into the table, or from it to an attachment")},
    {"source-attachment", VALUE_REF, REFS(policy, source_attachment, REF_ATTACHMENT),
	.list_max = 1024, MEANS(ROUTES, "attachments that the route comes from")},
    {"destination-attachment", VALUE_REF, REFS(policy, destination_attachment, REF_ATTACHMENT),
	.list_max = 1024, MEANS(ROUTES, "attachments that the route goes to; on egress alone")},
    {"source-kind", VALUE_ENUM, LIST(policy, source_kind, enum conf_kind), .names = kind_names,
	MEANS(ROUTES, "kinds of attachments that the route comes from")},
    {"destination-kind", VALUE_ENUM, LIST(policy, destination_kind, enum conf_kind),
	.names = kind_names,
	MEANS(ROUTES, "kinds of attachments that the route goes to; on egress alone")},
    {"prefixes", VALUE_PREFIX, LIST(policy, prefixes, struct ip_prefix), .list_max = 32,
	MEANS(ROUTES, "prefixes of the route")},
    {"prefix-match", VALUE_ENUM, FIELD(policy, prefix_match, enum conf_match), .names = match_names,
	PRESET("include"), ONLY(has_prefixes, "prefixes", "only with prefixes"),
	MEANS(ROUTES, "include: also what lies inside of the prefixes")},
    {"route-type", VALUE_ENUM, LIST(policy, route_type, enum conf_route_type),
	.names = route_type_names, MEANS(ROUTES, "how the route came to be")},
    {"as-path", VALUE_ASN, LIST(policy, as_path, uint32_t), .list_max = 32, .repeats = true,
	MEANS(ROUTES, "AS numbers on the path")},
    {"as-path-match", VALUE_ENUM, FIELD(policy, as_path_match, enum conf_match),
	.names = match_names, PRESET("include"), ONLY(has_as_path, "as-path", "only with as-path"),
	MEANS(ROUTES, "include: any of these is on the path; exact: the path is this list")},
    {"communities", VALUE_COMMUNITY, LIST(policy, communities, uint32_t), .list_max = 32,
	MEANS(ROUTES, "communities of the route")},
    {"community-match", VALUE_ENUM, FIELD(policy, community_match, enum conf_match),
	.names = match_names, PRESET("include"),
	ONLY(has_communities, "communities", "only with communities"),
	MEANS(ROUTES, "include: any of these is on the route; exact: these and no other")},
    {"action", VALUE_ENUM, FIELD(policy, action, enum conf_action), .names = action_names,
	.required = true, MEANS(ROUTES, "what becomes of the route")},
    {"set-preference", VALUE_UINT, FIELD(policy, set_preference, uint32_t), RANGE(0, UINT32_MAX),
	ONLY(permits, "action", "only with action: permit"),
	MEANS(ROUTES, "local preference; the higher one wins; on ingress alone")},
    {"prepend", VALUE_ASN, LIST(policy, prepend, uint32_t), .list_max = 32, .repeats = true,
	ONLY(permits, "action", "only with action: permit"),
	MEANS(ROUTES, "AS numbers put before the path")},
    {"set-communities", VALUE_COMMUNITY, LIST(policy, set_communities, uint32_t), .list_max = 32,
	ONLY(permits, "action", "only with action: permit"),
	MEANS(ROUTES, "replace the communities; []: remove all")},
    {"add-communities", VALUE_COMMUNITY, LIST(policy, add_communities, uint32_t), .list_max = 32,
	ONLY(permits, "action", "only with action: permit"), MEANS(ROUTES, "add communities")},
    ROW_OWNER(policy),
    ROW_DESCRIPTION(policy),
    {0},
};
