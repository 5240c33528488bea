/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_CONF_H
#define CONF_CONF_H

/*
 * The startup file as plain structs.
 *
 * conf_load() reads a YAML file, checks all of it and gives either a `struct conf` in which every
 * default is filled in, every name is resolved to a pointer and every tunnel has its addresses, or
 * a list of all errors, each with line and column. Nothing here opens a port or a socket, and a
 * loaded conf is never written again.
 *
 * Conventions
 *   - A member has the name of its key in the file ('-' is '_'); keywords.c holds the table of all
 * keys.
 *   - A list is `T *x` with `unsigned x_count`. Objects with a name are lists of pointers, in file
 * order.
 *   - A reference is `x_name`, as in the file, and `x`, the object; NULL when the key may be left
 * out.
 *   - Strings are NUL-terminated and belong to the conf; NULL: not given and no default.
 *   - Durations are seconds, sizes are bytes, unless the name says otherwise.
 *   - conf_free() wipes all of its memory, pre-shared and manual keys included.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/alg.h"
#include "base/ip.h"
#include "base/log.h"
#include "conf/report.h"

/* Where an object stands in the file, and which of its keys do. */
struct conf_source {
	uint32_t line;   /* from 1; 0: not in the file, made by default */
	uint32_t column; /* from 1, in characters */
	uint32_t node;   /* for the loader alone */
	uint64_t given;  /* bit i: row i of the object's keyword table was in the file */
};

/* An address with the length of its subnet: 203.0.113.10/24. */
struct conf_ifaddr {
	struct ip_addr addr;
	uint8_t len;
};

struct conf_tag {
	const char *key;
	const char *value;
};

/* ---- system ---- */

enum conf_poll { CONF_POLL_ADAPTIVE, CONF_POLL_BUSY };
enum conf_crypto_profile { CONF_CRYPTO_COMPATIBLE, CONF_CRYPTO_STRICT };
enum conf_huge_pages { CONF_HUGE_AUTO, CONF_HUGE_NO, CONF_HUGE_REQUIRED };

/* OpenMetrics over HTTP. While not enabled, the other members mean nothing. */
struct conf_metrics {
	struct conf_source source;
	bool enabled;
	struct ip_addr address;
	uint32_t port;
};

struct conf_system {
	struct conf_source source;
	uint32_t control_core;
	uint32_t *worker_cores; /* at least one, none twice, none the control core */
	unsigned worker_cores_count;
	uint64_t memory;
	enum conf_huge_pages huge_pages;
	enum conf_poll poll;
	const char *crypto; /* "auto", "ipsec-mb", "cryptodev", "openssl", or DPDK crypto devices */
	enum conf_crypto_profile crypto_profile;
	uint32_t buffers; /* packet buffers (mbufs); 0: from the number of ports and workers */
	const char *run_dir;
	const char *state_dir;
	enum log_level log_level;
	struct conf_metrics metrics;
	const char **eal_args; /* handed to the EAL as they are */
	unsigned eal_args_count;
};

/* ---- ports ---- */

struct conf_mac {
	uint8_t bytes[6];
};

/* A neighbour that is not asked for by ARP: for stations that do not answer, such as traffic generators. */
struct conf_neighbor {
	struct conf_source source;
	struct ip_addr address;
	struct conf_mac mac;
};

struct conf_port {
	struct conf_source source;
	const char *name;
	const char *device; /* "0000:03:00.0", "af_xdp:IF", "af_packet:IF", "tap:NAME",
			       "virtio-user:PATH", "vdev:..." */
	/* The port's own addresses. A port that has one is an uplink: it carries the outer packets
	 * of tunnels. */
	struct conf_ifaddr *address;
	unsigned address_count;
	struct ip_addr *gateway; /* at most one per family */
	unsigned gateway_count;
	struct conf_neighbor **neighbors; /* on the subnets of `address` */
	unsigned neighbors_count;
	const char *zone;     /* label; NULL: none */
	uint32_t vlan;        /* tag of the port's own addresses; 0: untagged */
	uint32_t mtu;         /* bytes of an IP packet */
	uint32_t queues;      /* rx and tx queues; 0: one per worker */
	uint32_t descriptors; /* per queue */
	bool promiscuous;
	bool exclusive;      /* an AF_XDP interface is the router's alone */
	struct conf_mac mac; /* all zero: that of the device */
	const char *owner;
	const char *description;
};

/* ---- transit-router ---- */

#define CONF_ASN_DEFAULT 45104
#define CONF_ECMP_MAX    64

struct conf_limits {
	struct conf_source source;
	uint32_t vpn_attachments; /* A7: 50 */
	uint32_t ecmp;            /* A8: 16, at most CONF_ECMP_MAX */
};

struct conf_transit_router {
	struct conf_source source;
	const char *name;
	uint32_t asn;
	struct ip_prefix *cidr; /* gateway addresses of tunnels come from here (A5) */
	unsigned cidr_count;
	struct ip_addr
	    router_id; /* of BGP; IPv4, always set once loaded when any BGP session is configured */
	const char *owner;
	struct conf_limits limits;
	struct conf_tag *tags;
	unsigned tags_count;
	const char *description;
};

/* ---- route-tables ---- */

struct conf_attachment;

/* R3: a static route of a table. Exactly one of `attachment` and `blackhole` is set. */
struct conf_static_route {
	struct conf_source source;
	struct ip_prefix prefix;
	const char *attachment_name;
	struct conf_attachment *attachment;
	bool blackhole;
};

#define CONF_DEFAULT_TABLE "default"

struct conf_route_table {
	struct conf_source source;
	const char *name;
	struct conf_static_route **routes;
	unsigned routes_count;
	const char *owner;
	struct conf_tag *tags;
	unsigned tags_count;
	const char *description;
};

/* ---- customer-gateways ---- */

struct conf_customer_gateway {
	struct conf_source source;
	const char *name;
	struct ip_addr address; /* 0.0.0.0 or ::: any address, responder only (A21) */
	uint32_t asn;           /* 0: none */
	const char *owner;
	struct conf_tag *tags;
	unsigned tags_count;
	const char *description;
};

/* ---- vpn-connections ---- */

enum conf_mode { CONF_MODE_DUAL, CONF_MODE_SINGLE };
enum conf_ha { CONF_HA_ECMP, CONF_HA_ACTIVE_STANDBY };
enum conf_gateway_type { CONF_GATEWAY_PUBLIC, CONF_GATEWAY_PRIVATE };
enum conf_routing_mode { CONF_ROUTING_DESTINATION, CONF_ROUTING_FLOW_PROTECTION };
enum conf_keying { CONF_KEYING_IKE, CONF_KEYING_MANUAL };
enum conf_ike_version { CONF_IKEV2, CONF_IKEV1 };
enum conf_ike_mode { CONF_IKE_MAIN, CONF_IKE_AGGRESSIVE };
enum conf_dpd_action { CONF_DPD_RESTART, CONF_DPD_CLEAR, CONF_DPD_NONE };
enum conf_df { CONF_DF_COPY, CONF_DF_SET, CONF_DF_CLEAR };  /* of outer packets (RFC 4301 8.1) */
enum conf_esn { CONF_ESN_NO, CONF_ESN_YES, CONF_ESN_AUTO }; /* auto: both are offered, ESN first */

/* T20. The file says 192.0.2.1, vpn.example.net (or @vpn.example.net), user@example.net,
 * keyid:TEXT. */
enum conf_id_type {
	CONF_ID_NONE,
	CONF_ID_ADDRESS,
	CONF_ID_FQDN,
	CONF_ID_USER_FQDN,
	CONF_ID_KEY_ID
};
struct conf_id {
	enum conf_id_type type;
	struct ip_addr addr; /* of CONF_ID_ADDRESS */
	const char
	    *text; /* what goes on the wire for the other types; the address in text otherwise */
};

struct conf_ike {
	struct conf_source source;
	enum conf_ike_version version;
	enum conf_ike_mode mode;   /* IKEv1 only (X8) */
	enum alg_encr *encryption; /* the lists are in order of preference and never empty */
	unsigned encryption_count;
	enum alg_auth *authentication; /* integrity and PRF; with an AEAD the PRF alone */
	unsigned authentication_count;
	enum alg_dh *dh_group;
	unsigned dh_group_count;
	uint32_t lifetime; /* 0: no rekey by time of our own (X6) */
	struct conf_id local_id;
	struct conf_id remote_id;
};

struct conf_ipsec {
	struct conf_source source;
	enum alg_encr *encryption;
	unsigned encryption_count;
	enum alg_auth *authentication; /* not used by AEADs */
	unsigned authentication_count;
	enum alg_dh *dh_group; /* DH_NONE alone: disabled, no PFS */
	unsigned dh_group_count;
	uint32_t lifetime;         /* 0: no rekey by time of our own */
	uint64_t lifetime_bytes;   /* 0: none */
	uint64_t lifetime_packets; /* 0: none; the sequence number space always ends an SA */
	uint32_t replay_window;    /* packets */
	enum conf_esn esn;
	enum conf_df df;
};

struct conf_dpd {
	struct conf_source source;
	bool enabled;
	enum conf_dpd_action action;
	uint32_t interval;
	uint32_t timeout;
};

/* BGP of a tunnel (B1..B6). While not enabled, the other members mean nothing. */
struct conf_tunnel_bgp {
	struct conf_source source;
	bool enabled;
	struct ip_prefix cidr; /* a /30 */
	struct ip_addr local_ip;
	struct ip_addr peer_ip; /* the other host of `cidr`; not a key */
	uint32_t local_asn;
	uint32_t peer_asn; /* of the customer gateway; not a key */
	uint32_t hold_time;
	uint32_t keepalive;
	const char *password; /* TCP MD5 (RFC 2385); NULL: none. A secret. */
	bool gtsm;            /* RFC 5082 */
	bool graceful_restart;
	uint32_t max_prefixes, max_prefixes_out; /* accepted, told; 0: no limit */
	uint32_t restart_after; /* seconds, after max_prefixes was exceeded; 0: never */
	uint32_t send_hold_time;
};

struct conf_health_check {
	struct conf_source source;
	bool enabled;
	struct ip_addr destination;    /* data-center side */
	struct ip_addr source_address; /* TR side; key `source` */
	uint32_t interval;
	uint32_t retries;
	bool switch_route;
};

/* BFD with the far end of a tunnel, or a neighbour of an attachment. */
struct conf_bfd {
	struct conf_source source;
	bool enabled;
	struct ip_addr peer;  /* of BGP when not given */
	struct ip_addr local; /* key `local-ip`; of BGP when not given */
	uint32_t transmit_ms;
	uint32_t receive_ms;
	uint32_t multiplier;
};

/* A rate that packets of a tunnel or attachment are held to, one way (M3). */
struct conf_policer {
	struct conf_source source;
	bool enabled;
	uint64_t cir;          /* bit/s of IP packets; 0: any */
	uint64_t cbs;          /* bytes */
	uint64_t packet_rate;  /* packets/s; 0: any */
	uint64_t packet_burst; /* packets */
};

#define CONF_KEY_BYTES_MAX 68

struct conf_key {
	uint8_t bytes[CONF_KEY_BYTES_MAX]; /* AEAD: the key, then the salt */
	uint8_t len;
};

/* One direction of a manual SA. */
struct conf_manual_sa {
	struct conf_source source;
	uint32_t spi;
	struct conf_key encryption_key;
	struct conf_key authentication_key; /* len 0 with an AEAD */
};

/* keying: manual. Algorithms, ESN and window stand under `ipsec` (one of each). */
struct conf_manual {
	struct conf_source source;
	struct conf_manual_sa in;
	struct conf_manual_sa out;
	bool udp_encapsulation; /* ESP in UDP, port 4500 on both ends */
};

#define CONF_PSK_MAX     100
#define CONF_TUNNELS_MAX 2

struct conf_connection;

struct conf_tunnel {
	struct conf_source source;
	struct conf_connection *connection; /* not a key */
	unsigned number;                    /* 1 or 2; "dc1/1" in output; not a key */
	struct ip_addr gateway_address;     /* outer, ours; always set once loaded */
	bool gateway_allocated;             /* it came from the transit router's cidr; not a key */
	const char *zone;                   /* NULL: no uplink has a zone */
	struct conf_port *uplink; /* public: the port that carries the outer packets; not a key */
	const char *via_name;
	struct conf_attachment *via; /* private: the VBR that carries the outer packets (A18) */
	const char *customer_gateway_name;
	struct conf_customer_gateway *customer_gateway; /* never NULL once loaded */
	char psk[CONF_PSK_MAX + 1]; /* ""  with psk_absent: to be generated (X5, T12) */
	bool psk_absent;            /* not a key; false with keying: manual */
	bool apply_immediately;
	bool nat_traversal;
	bool rehearse;          /* replace the first Child SA at once, to try PFS */
	uint32_t expected_mbit; /* rate the tunnel is meant for, in Mbit/s; 0: unknown (T23) */
	struct conf_ike ike;
	struct conf_ipsec ipsec;
	struct conf_dpd dpd;
	struct conf_tunnel_bgp bgp;
	struct conf_health_check health_check;
	struct conf_bfd bfd;
	struct conf_policer ingress_policer; /* of what the peer sends, decrypted */
	struct conf_policer egress_policer;  /* of what goes to it, before encryption */
	struct conf_manual manual;
};

struct conf_connection {
	struct conf_source source;
	const char *name;
	struct conf_attachment *attachment; /* the one that uses it, or NULL; not a key (A6) */
	bool is_inline;                     /* written inside its attachment; not a key (A10) */
	enum conf_mode mode;
	enum conf_ha ha;
	enum conf_gateway_type gateway_type;
	enum conf_routing_mode routing_mode;
	enum conf_keying keying;
	struct ip_prefix *local_cidrs; /* flow-protection only, then never empty */
	unsigned local_cidrs_count;
	struct ip_prefix *peer_cidrs;
	unsigned peer_cidrs_count;
	struct conf_tunnel **tunnels; /* the first is the active one of active-standby */
	unsigned tunnels_count;
	const char *owner;
	const char **grants; /* owners that may attach it (A11) */
	unsigned grants_count;
	struct conf_tag *tags;
	unsigned tags_count;
	const char *description;
};

/* ---- attachments ---- */

enum conf_kind {
	CONF_KIND_VPC,
	CONF_KIND_VBR,
	CONF_KIND_CCN,
	CONF_KIND_VPN,
	CONF_KIND_PEER,
	CONF_KIND_COUNT
};

/* A prefix behind the attachment. `next_hop` is a neighbour on its subnet; unset for kind vpn. */
struct conf_attached_route {
	struct conf_source source;
	struct ip_prefix prefix;
	struct ip_addr next_hop;
};

/* BGP on a port attachment (vbr, ccn, peer). */
struct conf_attachment_bgp {
	struct conf_source source;
	bool enabled;
	struct ip_addr peer;
	uint32_t peer_asn;
	struct ip_addr local_ip; /* the attachment's address on the peer's subnet; not a key */
	uint32_t local_asn;
	uint32_t hold_time;
	uint32_t keepalive;
	const char *password;
	bool gtsm;
	bool graceful_restart;
	uint32_t max_prefixes, max_prefixes_out; /* accepted, told; 0: no limit */
	uint32_t restart_after; /* seconds, after max_prefixes was exceeded; 0: never */
	uint32_t send_hold_time;
};

struct conf_attachment {
	struct conf_source source;
	const char *name;
	enum conf_kind kind;
	/* every kind but vpn */
	const char *port_name;
	struct conf_port *port;
	uint32_t vlan; /* 0: untagged */
	struct conf_ifaddr *address;
	unsigned address_count;
	uint32_t mtu;                        /* the port's when not given */
	struct conf_attached_route **routes; /* vpn: without next hops */
	unsigned routes_count;
	struct conf_neighbor **neighbors; /* on the subnets of `address` */
	unsigned neighbors_count;
	struct conf_attachment_bgp bgp;
	struct conf_bfd bfd;
	/* vpn */
	const char *connection_name;
	struct conf_connection *connection;
	struct conf_policer ingress_policer; /* vpn: of all tunnels together */
	struct conf_policer egress_policer;
	/* R2: on attach, all three are on */
	const char *associate_name; /* "none": no table, ingress traffic is dropped */
	struct conf_route_table *associate;
	const char **propagate_name; /* as many as propagate */
	struct conf_route_table **propagate;
	unsigned propagate_count;
	bool advertise_routes;
	const char *owner;
	struct conf_tag *tags;
	unsigned tags_count;
	const char *description;
};

/* ---- routing-policies ---- */

enum conf_direction { CONF_INGRESS, CONF_EGRESS };
enum conf_action { CONF_PERMIT, CONF_DENY };
enum conf_match { CONF_MATCH_INCLUDE, CONF_MATCH_EXACT };
enum conf_route_type { CONF_ROUTE_STATIC, CONF_ROUTE_BGP, CONF_ROUTE_CONNECTED };

/* R5. An empty list matches everything. Policies of one table and direction have different
 * priorities. */
struct conf_policy {
	struct conf_source source;
	uint32_t priority; /* 1..100, the lower number is asked first */
	const char *table_name;
	struct conf_route_table *table;
	enum conf_direction direction;
	const char **source_attachment_name;
	struct conf_attachment **source_attachment;
	unsigned source_attachment_count;
	const char **destination_attachment_name;
	struct conf_attachment **destination_attachment;
	unsigned destination_attachment_count;
	enum conf_kind *source_kind;
	unsigned source_kind_count;
	enum conf_kind *destination_kind;
	unsigned destination_kind_count;
	struct ip_prefix *prefixes;
	unsigned prefixes_count;
	enum conf_match prefix_match; /* include: the prefix and all inside it */
	enum conf_route_type *route_type;
	unsigned route_type_count;
	uint32_t *as_path;
	unsigned as_path_count;
	enum conf_match as_path_match; /* include: any of these ASNs is on the path; exact: the path
					  is this one */
	uint32_t *communities;
	unsigned communities_count;
	enum conf_match community_match; /* include: any of these; exact: these and no other */
	enum conf_action action;
	/* with permit */
	uint32_t set_preference; /* `has_preference` tells whether it is set */
	bool has_preference;     /* not a key */
	uint32_t *prepend;
	unsigned prepend_count;
	uint32_t *set_communities;
	unsigned set_communities_count;
	bool has_set_communities; /* set to the list above, which may be empty; not a key */
	uint32_t *add_communities;
	unsigned add_communities_count;
	const char *owner;
	const char *description;
};

/* ---- the whole ---- */

struct conf_pool;
struct conf_index;

struct conf {
	struct conf_source source;
	struct conf_system system;
	struct conf_transit_router transit_router;
	struct conf_port **ports;
	unsigned ports_count;
	struct conf_route_table **route_tables; /* "default" is always among them */
	unsigned route_tables_count;
	struct conf_customer_gateway **customer_gateways;
	unsigned customer_gateways_count;
	struct conf_connection *
	    *vpn_connections; /* the inline ones of attachments follow the named ones */
	unsigned vpn_connections_count;
	struct conf_attachment **attachments;
	unsigned attachments_count;
	struct conf_policy **routing_policies;
	unsigned routing_policies_count;
	struct conf_route_table *default_table; /* not a key */
	struct conf_pool *pool;                 /* owns all memory */
	struct conf_index *index;               /* names to objects */
};

/* By name; NULL when there is none. Names of inline connections are those of their attachments. */
struct conf_port *conf_find_port(const struct conf *conf, const char *name);
struct conf_route_table *conf_find_route_table(const struct conf *conf, const char *name);
struct conf_customer_gateway *conf_find_customer_gateway(const struct conf *conf, const char *name);
struct conf_connection *conf_find_connection(const struct conf *conf, const char *name);
struct conf_attachment *conf_find_attachment(const struct conf *conf, const char *name);

/* "vpc", "vbr", "ccn", "vpn", "peer". */
const char *conf_kind_name(enum conf_kind kind);

/* ---- load, print ---- */

/*
 * An address that a tunnel took from the transit router's cidr in an earlier run. Kept as long as
 * it still fits, so that a new connection in the file never moves the addresses of the others.
 */
struct conf_lease {
	const char *connection;
	unsigned tunnel; /* 1 or 2 */
	struct ip_addr address;
};

struct conf_options {
	const struct conf_lease *leases;
	unsigned leases_count;
};

/*
 * Reads and checks a file. 0 and *out, to be freed with conf_free(); or *out NULL and -EINVAL when
 * it has errors, or the -errno of reading it. All errors and warnings are added to `errs`, also on
 * success (warnings). `options` may be NULL. The process aborts when out of memory.
 */
int conf_load(const char *path, const struct conf_options *options, struct conf **out,
    struct conf_errors *errs);
/* Adds a warning when a file with keys in it is readable for everybody; conf_load() has done so. */
void conf_warn_readable(const char *path, const struct conf *conf, struct conf_errors *errs);
/* The same as conf_load() for bytes in memory; `name` stands for the file name in messages. */
int conf_load_buffer(const char *name, const void *bytes, size_t len,
    const struct conf_options *options, struct conf **out, struct conf_errors *errs);
/* NULL is fine. Wipes all memory. */
void conf_free(struct conf *conf);

/*
 * Whether `to` may follow `from` as one change (A11-A15, A18): the gateway type of a connection
 * that stays, a revoked grant or a deleted connection that was attached. 0, or -EINVAL with the
 * reasons in `errs`.
 */
int conf_check_change(const struct conf *from, const struct conf *to, struct conf_errors *errs);

#define CONF_PRINT_SECRETS 1u /* keys in clear; "<secret>" otherwise, which does not load */
#define CONF_PRINT_EFFECTIVE                                                                       \
	2u /* defaults and allocated addresses too, not only what the file gave */

/* Canonical YAML, which loads to an equal conf. */
void conf_print(const struct conf *conf, unsigned flags, FILE *to);
/* The same as JSON; a new reference. */
struct json_t;
struct json_t *conf_json(const struct conf *conf, unsigned flags);
/* The reference of all keys as markdown. */
void conf_doc(FILE *to);

#endif
