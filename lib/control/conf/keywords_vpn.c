/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyword table: IPsec-VPN connections and their tunnels (T1..T23, B1..B6, H1..H3). */
#include "conf/keywords.h"

static const struct value_name mode_names[] = {
    {"dual", CONF_MODE_DUAL}, {"single", CONF_MODE_SINGLE}, {0}};
static const struct value_name ha_names[] = {
    {"ecmp", CONF_HA_ECMP}, {"active-standby", CONF_HA_ACTIVE_STANDBY}, {0}};
static const struct value_name gateway_type_names[] = {
    {"public", CONF_GATEWAY_PUBLIC}, {"private", CONF_GATEWAY_PRIVATE}, {0}};
static const struct value_name routing_mode_names[] = {{"destination", CONF_ROUTING_DESTINATION},
    {"flow-protection", CONF_ROUTING_FLOW_PROTECTION}, {0}};
static const struct value_name keying_names[] = {
    {"ike", CONF_KEYING_IKE}, {"manual", CONF_KEYING_MANUAL}, {0}};
static const struct value_name version_names[] = {
    {"ikev2", CONF_IKEV2}, {"ikev1", CONF_IKEV1}, {0}};
static const struct value_name ike_mode_names[] = {
    {"main", CONF_IKE_MAIN}, {"aggressive", CONF_IKE_AGGRESSIVE}, {0}};
static const struct value_name dpd_action_names[] = {
    {"restart", CONF_DPD_RESTART}, {"clear", CONF_DPD_CLEAR}, {"none", CONF_DPD_NONE}, {0}};
static const struct value_name df_names[] = {
    {"copy", CONF_DF_COPY}, {"set", CONF_DF_SET}, {"clear", CONF_DF_CLEAR}, {0}};
static const struct value_name esn_names[] = {
    {"no", CONF_ESN_NO}, {"yes", CONF_ESN_YES}, {"auto", CONF_ESN_AUTO}, {0}};

/* T15. Without "null", which base/alg.h knows too: a tunnel that encrypts nothing is not on offer. */
static const struct value_name encryption_names[] = {{"aes128", ENCR_AES128}, {"aes", ENCR_AES128},
    {"aes192", ENCR_AES192}, {"aes256", ENCR_AES256}, {"aes128gcm16", ENCR_AES128GCM16},
    {"aes256gcm16", ENCR_AES256GCM16}, {"chacha20poly1305", ENCR_CHACHA20POLY1305},
    {"des", ENCR_DES}, {"3des", ENCR_3DES}, {0}};

#define AUTH_NAME(e, name, ...) {name, e},
static const struct value_name authentication_names[] = {ALG_AUTH_LIST(AUTH_NAME){0}};
#undef AUTH_NAME

/* T17, T18: "group14", and "14" alone. */
#define GROUP_NAME(e, name, ...)       {name, e},
#define GROUP_NUMBER(e, name, id, ...) {#id, e},
static const struct value_name ike_group_names[] = {
    ALG_DH_LIST(GROUP_NAME) ALG_DH_LIST(GROUP_NUMBER){0}};
static const struct value_name ipsec_group_names[] = {
    {"disabled", DH_NONE}, ALG_DH_LIST(GROUP_NAME) ALG_DH_LIST(GROUP_NUMBER){0}};
#undef GROUP_NAME
#undef GROUP_NUMBER

static bool is_ikev2(const void *ike)
{
	return ((const struct conf_ike *)ike)->version == CONF_IKEV2;
}

static bool is_aead_only(const void *ipsec)
{
	const struct conf_ipsec *s = ipsec;

	for (unsigned i = 0; i < s->encryption_count; i++) {
		if (!alg_is_aead(s->encryption[i]))
			return false;
	}
	return true;
}

static bool is_single(const void *connection)
{
	return ((const struct conf_connection *)connection)->mode == CONF_MODE_SINGLE;
}

static const struct kw rows_ike[] = {
    {"version", VALUE_ENUM, FIELD(ike, version, enum conf_ike_version), .names = version_names,
	PRESET("ikev2"), MEANS(RENEGOTIATE, "version of the protocol")},
    {"mode", VALUE_ENUM, FIELD(ike, mode, enum conf_ike_mode), .names = ike_mode_names,
	PRESET("main"), .moot = is_ikev2,
	MEANS(RENEGOTIATE, "negotiation mode of ikev1; without effect, with a warning, on ikev2")},
    {"encryption", VALUE_ENUM, LIST(ike, encryption, enum alg_encr), .names = encryption_names,
	.list_min = 1, .list_max = 8, PRESET("aes128"),
	MEANS(RENEGOTIATE, "phase 1, in order of preference; aes is aes128")},
    {"authentication", VALUE_ENUM, LIST(ike, authentication, enum alg_auth),
	.names = authentication_names, .list_min = 1, .list_max = 5, PRESET("sha1"),
	MEANS(RENEGOTIATE, "phase 1: integrity and key derivation")},
    {"dh-group", VALUE_ENUM, LIST(ike, dh_group, enum alg_dh), .names = ike_group_names,
	.list_min = 1, .list_max = 8, PRESET("group2"),
	MEANS(RENEGOTIATE, "phase 1: Diffie-Hellman groups, by name or number alone")},
    {"lifetime", VALUE_UINT, FIELD(ike, lifetime, uint32_t), RANGE(0, 86400), PRESET("86400"),
	MEANS(REKEY, "seconds of an IKE SA; 0: no rekey by time of our own")},
    {"local-id", VALUE_ID, FIELD(ike, local_id, struct conf_id),
	DERIVED("the tunnel's gateway address"),
	MEANS(RENEGOTIATE, "what we call ourselves: an address, a FQDN, user@FQDN, or keyid:TEXT")},
    {"remote-id", VALUE_ID, FIELD(ike, remote_id, struct conf_id),
	DERIVED("the customer gateway's address"),
	MEANS(RENEGOTIATE, "what the peer must call itself")},
    {0},
};

static const struct kw rows_ipsec[] = {
    {"encryption", VALUE_ENUM, LIST(ipsec, encryption, enum alg_encr), .names = encryption_names,
	.list_min = 1, .list_max = 8, PRESET("aes128"),
	MEANS(RENEGOTIATE, "phase 2, in order of preference; aes is aes128")},
    {"authentication", VALUE_ENUM, LIST(ipsec, authentication, enum alg_auth),
	.names = authentication_names, .list_min = 1, .list_max = 5, PRESET("sha1"),
	.moot = is_aead_only,
	MEANS(RENEGOTIATE,
	    "phase 2: integrity; not used by aes128gcm16, aes256gcm16 and chacha20poly1305")},
    {"dh-group", VALUE_ENUM, LIST(ipsec, dh_group, enum alg_dh), .names = ipsec_group_names,
	.list_min = 1, .list_max = 8, PRESET("group2"),
	MEANS(
	    RENEGOTIATE, "phase 2: anything but disabled is PFS, a fresh exchange at every rekey")},
    {"lifetime", VALUE_UINT, FIELD(ipsec, lifetime, uint32_t), RANGE(0, 86400), PRESET("86400"),
	MEANS(REKEY, "seconds of an IPsec SA; 0: no rekey by time of our own")},
    {"lifetime-bytes", VALUE_SIZE, FIELD(ipsec, lifetime_bytes, uint64_t), RANGE(0, 1ull << 62),
	PRESET("0"),
	MEANS(REKEY, "rekey before so many bytes; IKEv1 peers are told; 0: no such limit")},
    {"lifetime-packets", VALUE_COUNT, FIELD(ipsec, lifetime_packets, uint64_t),
	RANGE(0, 1ull << 62), PRESET("0"),
	MEANS(REKEY, "rekey before so many packets; 0: no such limit")},
    {"replay-window", VALUE_UINT, FIELD(ipsec, replay_window, uint32_t), RANGE(0, 32768),
	PRESET("1024"),
	MEANS(REKEY,
	    "64 or more packets that may arrive late, and none of them twice; 0: a packet may come "
	    "as often as it likes")},
    {"esn", VALUE_ENUM, FIELD(ipsec, esn, enum conf_esn), .names = esn_names, PRESET("no"),
	MEANS(RENEGOTIATE, "64-bit sequence numbers; auto offers both")},
    {"df", VALUE_ENUM, FIELD(ipsec, df, enum conf_df), .names = df_names, PRESET("copy"),
	MEANS(REKEY,
	    "don't-fragment outside: copy of the packet's; clear helps where a path swallows "
	    "what is too big and does not say so")},
    {0},
};

static const struct kw rows_dpd[] = {
    {"enabled", VALUE_BOOL, FIELD(dpd, enabled, bool), PRESET("yes"),
	MEANS(LIVE, "ask a silent peer")},
    {"action", VALUE_ENUM, FIELD(dpd, action, enum conf_dpd_action), .names = dpd_action_names,
	PRESET("restart"),
	MEANS(LIVE,
	    "what follows when the peer is dead: its SAs are deleted and negotiated anew, deleted "
	    "until traffic needs them, or kept")},
    {"interval", VALUE_UINT, FIELD(dpd, interval, uint32_t), RANGE(1, 3600), PRESET("10"),
	MEANS(LIVE, "seconds of silence before a question")},
    {"timeout", VALUE_UINT, FIELD(dpd, timeout, uint32_t), RANGE(1, 86400), PRESET("30"),
	MEANS(LIVE, "seconds without an answer until the peer is dead")},
    {0},
};

static const struct kw rows_tunnel_bgp[] = {
    {"enabled", VALUE_BOOL, FIELD(tunnel_bgp, enabled, bool),
	DERIVED("yes with a `bgp` section, no without"), MEANS(SESSION, "run BGP over the tunnel")},
    {"cidr", VALUE_PREFIX, FIELD(tunnel_bgp, cidr, struct ip_prefix),
	MEANS(SESSION,
	    "addresses of the session: a /30 of 169.254.0.0/16, not a reserved one, used once; "
	    "needed")},
    {"local-ip", VALUE_IP, FIELD(tunnel_bgp, local_ip, struct ip_addr),
	DERIVED("the first host of `cidr`"),
	MEANS(SESSION, "our address, a host of `cidr`; the peer is the other one")},
    {"local-asn", VALUE_ASN, FIELD(tunnel_bgp, local_asn, uint32_t),
	DERIVED("`asn` of the transit router"), MEANS(SESSION, "our AS number")},
    {"hold-time", VALUE_UINT, FIELD(tunnel_bgp, hold_time, uint32_t), RANGE(0, 65535), PRESET("90"),
	MEANS(
	    SESSION, "seconds without a message until the session ends; 0 (never) or 3 at least")},
    {"keepalive", VALUE_UINT, FIELD(tunnel_bgp, keepalive, uint32_t), RANGE(0, 21845),
	DERIVED("a third of hold-time"), MEANS(SESSION, "seconds between keepalives")},
    {"password", VALUE_SECRET, FIELD(tunnel_bgp, password, char *), RANGE(1, 80), .secret = true,
	MEANS(SESSION, "TCP MD5 signature (RFC 2385)")},
    {"gtsm", VALUE_BOOL, FIELD(tunnel_bgp, gtsm, bool), PRESET("no"),
	MEANS(SESSION, "accept packets of direct neighbours only, TTL 255 (RFC 5082)")},
    {"graceful-restart", VALUE_BOOL, FIELD(tunnel_bgp, graceful_restart, bool), PRESET("yes"),
	MEANS(SESSION, "keep the routes while the peer restarts (RFC 4724)")},
    {"max-prefixes", VALUE_UINT, FIELD(tunnel_bgp, max_prefixes, uint32_t), RANGE(0, 16777216),
	PRESET("100000"), MEANS(LIVE, "routes accepted before the session is ended; 0: no limit")},
    {"restart-after", VALUE_UINT, FIELD(tunnel_bgp, restart_after, uint32_t), RANGE(0, 86400),
	PRESET("300"),
	MEANS(LIVE,
	    "seconds after max-prefixes was exceeded until the session is opened again; 0: `bgp enable`")},
    {"max-prefixes-out", VALUE_UINT, FIELD(tunnel_bgp, max_prefixes_out, uint32_t),
	RANGE(0, 16777216), PRESET("0"), MEANS(LIVE, "routes told to the peer at most; 0: all")},
    {"send-hold-time", VALUE_UINT, FIELD(tunnel_bgp, send_hold_time, uint32_t), RANGE(5, 65535),
	PRESET("480"),
	MEANS(LIVE,
	    "seconds in which a peer may read nothing, twice the hold time at least (RFC 9687)")},
    {0},
};

static const struct kw rows_health_check[] = {
    {"enabled", VALUE_BOOL, FIELD(health_check, enabled, bool),
	DERIVED("yes with a `health-check` section, no without"),
	MEANS(LIVE, "probe through the tunnel")},
    {"destination", VALUE_IP, FIELD(health_check, destination, struct ip_addr),
	MEANS(LIVE, "address that answers, on the side of the data center; needed")},
    {"source", VALUE_IP, FIELD(health_check, source_address, struct ip_addr),
	MEANS(LIVE, "address to ask from, on the side of the transit router; needed")},
    {"interval", VALUE_UINT, FIELD(health_check, interval, uint32_t), RANGE(1, 3600), PRESET("3"),
	MEANS(LIVE, "seconds between probes")},
    {"retries", VALUE_UINT, FIELD(health_check, retries, uint32_t), RANGE(1, 100), PRESET("3"),
	MEANS(LIVE, "probes without an answer until the tunnel counts as down")},
    {"switch-route", VALUE_BOOL, FIELD(health_check, switch_route, bool), PRESET("yes"),
	MEANS(LIVE, "withdraw the tunnel's routes while it is down")},
    {0},
};

static const struct kw rows_manual_sa[] = {
    {"spi", VALUE_SPI, FIELD(manual_sa, spi, uint32_t), RANGE(256, UINT32_MAX), .required = true,
	MEANS(RENEGOTIATE, "security parameters index")},
    {"encryption-key", VALUE_KEY, FIELD(manual_sa, encryption_key, struct conf_key), .secret = true,
	.required = true,
	MEANS(RENEGOTIATE,
	    "hexadecimal; for aes128gcm16, aes256gcm16 and chacha20poly1305 the key, then 4 bytes "
	    "of salt")},
    {"authentication-key", VALUE_KEY, FIELD(manual_sa, authentication_key, struct conf_key),
	.secret = true, MEANS(RENEGOTIATE, "hexadecimal; not for the algorithms named above")},
    {0},
};

static const struct object_kind kind_manual_sa = {
    .what = "manual SA",
    .size = sizeof(struct conf_manual_sa),
    .rows = rows_manual_sa,
    .name_offset = NO_NAME,
};

static const struct kw rows_manual[] = {
    {"in", VALUE_OBJECT, FIELD(manual, in, struct conf_manual_sa), .object = &kind_manual_sa,
	.required = true, MEANS(RENEGOTIATE, "what the peer sends")},
    {"out", VALUE_OBJECT, FIELD(manual, out, struct conf_manual_sa), .object = &kind_manual_sa,
	.required = true, MEANS(RENEGOTIATE, "what we send")},
    {"udp-encapsulation", VALUE_BOOL, FIELD(manual, udp_encapsulation, bool), PRESET("no"),
	MEANS(RENEGOTIATE, "ESP in UDP port 4500 (RFC 3948)")},
    {0},
};

#define KIND(id, text, type, table)                                                                \
	static const struct object_kind id = {                                                     \
	    .what = text, .size = sizeof(type), .rows = table, .name_offset = NO_NAME}
KIND(kind_ike, "ike", struct conf_ike, rows_ike);
KIND(kind_ipsec, "ipsec", struct conf_ipsec, rows_ipsec);
KIND(kind_dpd, "dpd", struct conf_dpd, rows_dpd);
KIND(kind_tunnel_bgp, "tunnel bgp", struct conf_tunnel_bgp, rows_tunnel_bgp);
KIND(kind_health_check, "health-check", struct conf_health_check, rows_health_check);
KIND(kind_manual, "manual", struct conf_manual, rows_manual);
#undef KIND

static bool with_ike(const void *tunnel)
{
	return ((const struct conf_tunnel *)tunnel)->connection->keying == CONF_KEYING_IKE;
}

static bool with_manual(const void *tunnel)
{
	return !with_ike(tunnel);
}

static bool is_private(const void *tunnel)
{
	return ((const struct conf_tunnel *)tunnel)->connection->gateway_type ==
	    CONF_GATEWAY_PRIVATE;
}

static bool is_public(const void *tunnel)
{
	return !is_private(tunnel);
}

static const struct kw rows_tunnel[] = {
    {"customer-gateway", VALUE_REF, REF(tunnel, customer_gateway, REF_CUSTOMER_GATEWAY),
	.required = true, MEANS(RENEGOTIATE, "the peer")},
    {"gateway-address", VALUE_IP, FIELD(tunnel, gateway_address, struct ip_addr),
	DERIVED("a free address of the transit router's `cidr`"),
	MEANS(RENEGOTIATE, "our outer address")},
    {"zone", VALUE_LABEL, FIELD(tunnel, zone, char *),
	ONLY(is_public, "gateway-type", "only with gateway-type: public"),
	DERIVED("one that the other tunnel does not take"), MEANS(ROUTES, "zone of the uplink")},
    {"via", VALUE_REF, REF(tunnel, via, REF_ATTACHMENT),
	ONLY(is_private, "gateway-type", "only with gateway-type: private"),
	DERIVED("the one vbr attachment there is"),
	MEANS(ROUTES, "attachment of kind vbr that carries the outer packets")},
    {"psk", VALUE_PSK, FIELD(tunnel, psk, char[CONF_PSK_MAX + 1]), RANGE(1, CONF_PSK_MAX),
	.secret = true, ONLY(with_ike, "keying", "only with keying: ike"),
	DERIVED("generated once, kept in the state directory"),
	MEANS(RENEGOTIATE, "pre-shared key: 1..100 printable characters without spaces")},
    {"apply-immediately", VALUE_BOOL, FIELD(tunnel, apply_immediately, bool), PRESET("no"),
	ONLY(with_ike, "keying", "only with keying: ike"),
	MEANS(LIVE, "negotiate at once; no: when the first packet needs the tunnel")},
    {"nat-traversal", VALUE_BOOL, FIELD(tunnel, nat_traversal, bool), PRESET("yes"),
	ONLY(with_ike, "keying", "only with keying: ike"),
	MEANS(RENEGOTIATE, "find NATs on the path and put ESP into UDP")},
    {"rehearse", VALUE_BOOL, FIELD(tunnel, rehearse, bool), PRESET("no"),
	ONLY(with_ike, "keying", "only with keying: ike"),
	MEANS(LIVE,
	    "replace the keys of IKEv2 once right after the tunnel came up, make-before-break: a "
	    "mismatch of ipsec.dh-group (PFS) shows at once, not at the first rekey hours later")},
    {"expected-mbit", VALUE_UINT, FIELD(tunnel, expected_mbit, uint32_t), RANGE(0, 1000000),
	PRESET("0"),
	MEANS(NOTHING,
	    "Mbit/s that the tunnel is meant for; 0: unknown. For warnings, it limits nothing")},
    {"ike", VALUE_OBJECT, FIELD(tunnel, ike, struct conf_ike), .object = &kind_ike,
	ONLY(with_ike, "keying", "only with keying: ike"), MEANS(RENEGOTIATE, "phase 1")},
    {"ipsec", VALUE_OBJECT, FIELD(tunnel, ipsec, struct conf_ipsec), .object = &kind_ipsec,
	MEANS(RENEGOTIATE, "phase 2")},
    {"dpd", VALUE_OBJECT, FIELD(tunnel, dpd, struct conf_dpd), .object = &kind_dpd,
	ONLY(with_ike, "keying", "only with keying: ike"), MEANS(LIVE, "dead peer detection")},
    {"bgp", VALUE_OBJECT, FIELD(tunnel, bgp, struct conf_tunnel_bgp), .object = &kind_tunnel_bgp,
	MEANS(SESSION, "BGP over the tunnel; off without this section")},
    {"health-check", VALUE_OBJECT, FIELD(tunnel, health_check, struct conf_health_check),
	.object = &kind_health_check,
	MEANS(LIVE, "probes through the tunnel; off without this section")},
    {"bfd", VALUE_OBJECT, FIELD(tunnel, bfd, struct conf_bfd), .object = &conf_kind_bfd,
	MEANS(LIVE, "BFD through the tunnel (RFC 5880); off without this section")},
    {"ingress-policer", VALUE_OBJECT, FIELD(tunnel, ingress_policer, struct conf_policer),
	.object = &conf_kind_policer,
	MEANS(LIVE,
	    "limits what the peer sends to others, counted after decryption; off without this section")},
    {"egress-policer", VALUE_OBJECT, FIELD(tunnel, egress_policer, struct conf_policer),
	.object = &conf_kind_policer,
	MEANS(LIVE,
	    "limits what others send to the peer, counted before encryption; off without this section")},
    {"manual", VALUE_OBJECT, FIELD(tunnel, manual, struct conf_manual), .object = &kind_manual,
	ONLY(with_manual, "keying", "only with keying: manual"),
	MEANS(RENEGOTIATE, "SAs with keys from this file")},
    {0},
};

const struct object_kind conf_kind_tunnel = {
    .what = "tunnel",
    .intro = "Each tunnel has its own peer, addresses, key and settings.",
    .size = sizeof(struct conf_tunnel),
    .rows = rows_tunnel,
    .name_offset = NO_NAME,
};

static bool with_flow_protection(const void *connection)
{
	return ((const struct conf_connection *)connection)->routing_mode ==
	    CONF_ROUTING_FLOW_PROTECTION;
}

const struct kw conf_rows_connection[] = {
    {"mode", VALUE_ENUM, FIELD(connection, mode, enum conf_mode), .names = mode_names,
	PRESET("dual"), MEANS(NOTHING, "two tunnels, or one that is not highly available")},
    {"ha", VALUE_ENUM, FIELD(connection, ha, enum conf_ha), .names = ha_names, PRESET("ecmp"),
	.moot = is_single,
	MEANS(ROUTES, "both tunnels carry data, or the first does and the second stands by")},
    {"gateway-type", VALUE_ENUM, FIELD(connection, gateway_type, enum conf_gateway_type),
	.names = gateway_type_names, PRESET("public"),
	MEANS(RENEGOTIATE,
	    "outer packets take an uplink, or a private circuit (an attachment of kind vbr); "
	    "fixed for the life of the connection")},
    {"routing-mode", VALUE_ENUM, FIELD(connection, routing_mode, enum conf_routing_mode),
	.names = routing_mode_names, PRESET("destination"),
	MEANS(RENEGOTIATE,
	    "what is protected: whatever is routed into it, or the products of local-cidrs and "
	    "peer-cidrs")},
    {"local-cidrs", VALUE_PREFIX, LIST(connection, local_cidrs, struct ip_prefix), .list_max = 64,
	ONLY(with_flow_protection, "routing-mode", "only with routing-mode: flow-protection"),
	MEANS(RENEGOTIATE, "prefixes on the side of the transit router")},
    {"peer-cidrs", VALUE_PREFIX, LIST(connection, peer_cidrs, struct ip_prefix), .list_max = 64,
	ONLY(with_flow_protection, "routing-mode", "only with routing-mode: flow-protection"),
	MEANS(RENEGOTIATE,
	    "prefixes on the side of the data center; they become routes by themselves")},
    {"keying", VALUE_ENUM, FIELD(connection, keying, enum conf_keying), .names = keying_names,
	PRESET("ike"),
	MEANS(RENEGOTIATE, "negotiated keys, or keys in this file for test generators")},
    {"tunnels", VALUE_SEQUENCE, OBJECTS(connection, tunnels), .object = &conf_kind_tunnel,
	.required = true, .list_min = 1, .list_max = CONF_TUNNELS_MAX,
	MEANS(TUNNELS, "the tunnels: two, or one with mode: single")},
    ROW_OWNER(connection),
    {"grants", VALUE_LABEL, LIST(connection, grants, char *), .list_max = 64,
	MEANS(NOTHING, "other owners whose transit router may attach the connection")},
    ROW_TAGS(connection),
    ROW_DESCRIPTION(connection),
    {0},
};
