/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyword table: the machine, its ports, the transit router, route tables and customer gateways. */
#include "conf/keywords.h"

static const struct value_name huge_pages_names[] = {
    {"auto", CONF_HUGE_AUTO}, {"no", CONF_HUGE_NO}, {"required", CONF_HUGE_REQUIRED}, {0}};
static const struct value_name poll_names[] = {
    {"adaptive", CONF_POLL_ADAPTIVE}, {"busy", CONF_POLL_BUSY}, {0}};
static const struct value_name crypto_profile_names[] = {
    {"compatible", CONF_CRYPTO_COMPATIBLE}, {"strict", CONF_CRYPTO_STRICT}, {0}};
static const struct value_name log_level_names[] = {{"error", LOG_ERROR}, {"warning", LOG_WARNING},
    {"notice", LOG_NOTICE}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {0}};

static const struct kw rows_metrics[] = {
    {"enabled", VALUE_BOOL, FIELD(metrics, enabled, bool),
	DERIVED("yes with a `metrics` section, no without"),
	MEANS(RESTART, "serve OpenMetrics (Prometheus) over HTTP: GET /metrics")},
    {"address", VALUE_IP, FIELD(metrics, address, struct ip_addr), PRESET("127.0.0.1"),
	MEANS(RESTART,
	    "address of the host to listen on; there is no password, so mind who can reach it")},
    {"port", VALUE_UINT, FIELD(metrics, port, uint32_t), RANGE(1, 65535), PRESET("9469"),
	MEANS(RESTART, "TCP port")},
    {0},
};

static const struct object_kind kind_metrics = {
    .what = "metrics",
    .size = sizeof(struct conf_metrics),
    .rows = rows_metrics,
    .name_offset = NO_NAME,
};

const struct kw conf_rows_system[] = {
    {"control-core", VALUE_UINT, FIELD(system, control_core, uint32_t), RANGE(0, 1023), PRESET("0"),
	MEANS(RESTART, "processor core of IKE, BGP and everything else that is no packet")},
    {"worker-cores", VALUE_UINT, LIST(system, worker_cores, uint32_t), RANGE(0, 1023),
	.list_min = 1, .list_max = 128, PRESET("1"),
	MEANS(RESTART, "processor cores that forward packets")},
    {"memory", VALUE_SIZE, FIELD(system, memory, uint64_t), RANGE(64ull << 20, 1ull << 40),
	PRESET("512M"),
	MEANS(RESTART,
	    "at most so much for packets and tables; of huge pages 128M at first, the rest when it "
	    "is needed")},
    {"huge-pages", VALUE_ENUM, FIELD(system, huge_pages, enum conf_huge_pages),
	.names = huge_pages_names, PRESET("auto"),
	MEANS(RESTART, "auto: ordinary pages, with a warning, when there are no huge ones")},
    {"poll", VALUE_ENUM, FIELD(system, poll, enum conf_poll), .names = poll_names,
	PRESET("adaptive"),
	MEANS(RESTART, "busy: workers never sleep; adaptive: they back off when idle")},
    {"crypto", VALUE_TEXT, FIELD(system, crypto, char *), RANGE(1, 128), PRESET("auto"),
	MEANS(RESTART,
	    "who encrypts packets: auto (ipsec-mb), ipsec-mb called directly, cryptodev (the same "
	    "library behind DPDK's devices), openssl, or names of DPDK crypto devices")},
    {"crypto-profile", VALUE_ENUM, FIELD(system, crypto_profile, enum conf_crypto_profile),
	.names = crypto_profile_names, PRESET("compatible"),
	MEANS(NOTHING,
	    "strict refuses des, 3des, md5 and the groups 1, 2 and 5, the default group2 too")},
    {"buffers", VALUE_UINT, FIELD(system, buffers, uint32_t), RANGE(0, 1u << 24), PRESET("0"),
	MEANS(RESTART,
	    "packet buffers, on each NUMA node that has ports; 0: as many as ports and workers need")},
    {"run-dir", VALUE_PATH, FIELD(system, run_dir, char *), RANGE(1, 80), PRESET("/run/transitd"),
	MEANS(RESTART,
	    "directory of the control socket; instances on one machine take different ones")},
    {"state-dir", VALUE_PATH, FIELD(system, state_dir, char *), RANGE(1, 255),
	PRESET("/var/lib/transitd"),
	MEANS(RESTART,
	    "directory of what outlives a restart: generated keys, addresses of tunnels; each instance has its own")},
    {"log-level", VALUE_ENUM, FIELD(system, log_level, enum log_level), .names = log_level_names,
	PRESET("info"), MEANS(LIVE, "the least urgent messages that are logged")},
    {"metrics", VALUE_OBJECT, FIELD(system, metrics, struct conf_metrics), .object = &kind_metrics,
	MEANS(RESTART, "counters and states for Prometheus")},
    {"eal-args", VALUE_TEXT, LIST(system, eal_args, char *), RANGE(1, 255), .list_max = 64,
	.repeats = true, MEANS(RESTART, "further arguments for DPDK's EAL, as they are")},
    {0},
};

static const struct kw rows_neighbor[] = {
    {"address", VALUE_IP, FIELD(neighbor, address, struct ip_addr), .required = true,
	MEANS(INTERFACE, "its address, on a subnet of `address`")},
    {"mac", VALUE_MAC, FIELD(neighbor, mac, struct conf_mac), .required = true,
	MEANS(INTERFACE, "its MAC address")},
    {0},
};

const struct object_kind conf_kind_neighbor = {
    .what = "neighbor",
    .size = sizeof(struct conf_neighbor),
    .rows = rows_neighbor,
    .name_offset = NO_NAME,
    .identity = 1, /* address */
};

const struct kw conf_rows_port[] = {
    {"device", VALUE_TEXT, FIELD(port, device, char *), RANGE(1, 512), .required = true,
	.expect = "a device such as 0000:03:00.0, af_xdp:eth1 or tap:tap0",
	MEANS(RESTART,
	    "what to open: a PCI address (0000:03:00.0), af_xdp:INTERFACE, af_packet:INTERFACE, "
	    "tap:NAME, virtio-user:PATH, or vdev: and a DPDK virtual device")},
    {"address", VALUE_IFADDR, LIST(port, address, struct conf_ifaddr), .list_max = 16,
	MEANS(INTERFACE,
	    "the port's own addresses with the length of their subnets; they make it an uplink")},
    {"gateway", VALUE_IP, LIST(port, gateway, struct ip_addr), .list_max = 2,
	MEANS(INTERFACE, "next hop to the peers of tunnels, one per address family")},
    {"neighbors", VALUE_SEQUENCE, OBJECTS(port, neighbors), .object = &conf_kind_neighbor,
	MEANS(INTERFACE, "neighbours that are not asked for by ARP, such as traffic generators")},
    {"zone", VALUE_LABEL, FIELD(port, zone, char *),
	MEANS(
	    ROUTES, "label of the fault domain; the tunnels of a connection take different ones")},
    {"vlan", VALUE_UINT, FIELD(port, vlan, uint32_t), RANGE(0, 4094), PRESET("0"),
	MEANS(INTERFACE, "VLAN of the port's own addresses; 0: untagged")},
    {"mtu", VALUE_UINT, FIELD(port, mtu, uint32_t), RANGE(576, 9600), PRESET("1500"),
	MEANS(RESTART, "bytes of the largest IP packet")},
    {"queues", VALUE_UINT, FIELD(port, queues, uint32_t), RANGE(0, 128), PRESET("0"),
	MEANS(RESTART, "receive and transmit queues; 0: one per worker")},
    {"descriptors", VALUE_UINT, FIELD(port, descriptors, uint32_t), RANGE(64, 8192), PRESET("1024"),
	MEANS(RESTART, "packets that a queue holds")},
    {"promiscuous", VALUE_BOOL, FIELD(port, promiscuous, bool),
	DERIVED("yes for vdev: devices, else no"),
	MEANS(RESTART, "take frames for any MAC address as ours")},
    {"mac", VALUE_MAC, FIELD(port, mac, struct conf_mac), DERIVED("that of the device"),
	MEANS(RESTART,
	    "MAC address of the router on this port; of an af_xdp: port beside that of the host")},
    {"exclusive", VALUE_BOOL, FIELD(port, exclusive, bool), PRESET("no"),
	MEANS(INTERFACE,
	    "of an af_xdp: port: the whole interface is the router's; otherwise what is not for its "
	    "addresses, VLANs or `mac` stays with the host")},
    ROW_OWNER(port),
    ROW_DESCRIPTION(port),
    {0},
};

static const struct kw rows_limits[] = {
    {"vpn-attachments", VALUE_UINT, FIELD(limits, vpn_attachments, uint32_t), RANGE(1, 65536),
	PRESET("50"), MEANS(NOTHING, "attachments of kind vpn")},
    {"ecmp", VALUE_UINT, FIELD(limits, ecmp, uint32_t), RANGE(1, CONF_ECMP_MAX), PRESET("16"),
	MEANS(ROUTES, "equal-cost next hops of a route")},
    {0},
};

static const struct object_kind kind_limits = {
    .what = "limits",
    .size = sizeof(struct conf_limits),
    .rows = rows_limits,
    .name_offset = NO_NAME,
};

const struct kw conf_rows_router[] = {
    {"name", VALUE_NAME, FIELD(transit_router, name, char *), PRESET("transit-router"),
	MEANS(NOTHING, "its name in output")},
    {"asn", VALUE_ASN, FIELD(transit_router, asn, uint32_t), PRESET("45104"),
	MEANS(SESSION, "AS number of BGP sessions that name no other")},
    {"cidr", VALUE_PREFIX, LIST(transit_router, cidr, struct ip_prefix), .list_max = 32,
	MEANS(NOTHING,
	    "gateway addresses of tunnels are taken from these blocks, all but the first and the "
	    "last address of each")},
    {"router-id", VALUE_IP, FIELD(transit_router, router_id, struct ip_addr),
	DERIVED("the lowest IPv4 gateway address, else port address"),
	MEANS(SESSION, "BGP identifier, an IPv4 address")},
    {"owner", VALUE_LABEL, FIELD(transit_router, owner, char *), PRESET("default"),
	MEANS(NOTHING, "whose transit router this is; connections of other owners need a grant")},
    {"limits", VALUE_OBJECT, FIELD(transit_router, limits, struct conf_limits),
	.object = &kind_limits, MEANS(NOTHING, "what would be too much")},
    ROW_TAGS(transit_router),
    ROW_DESCRIPTION(transit_router),
    {0},
};

static const struct kw rows_static_route[] = {
    {"prefix", VALUE_PREFIX, FIELD(static_route, prefix, struct ip_prefix), .required = true,
	MEANS(ROUTES, "destination")},
    {"attachment", VALUE_REF, REF(static_route, attachment, REF_ATTACHMENT),
	MEANS(ROUTES, "where the route leads")},
    {"blackhole", VALUE_BOOL, FIELD(static_route, blackhole, bool), PRESET("no"),
	MEANS(ROUTES, "drop instead; a route has an attachment or is a blackhole")},
    {0},
};

static const struct object_kind kind_static_route = {
    .what = "static route",
    .size = sizeof(struct conf_static_route),
    .rows = rows_static_route,
    .name_offset = NO_NAME,
    .identity = 2, /* prefix, attachment */
};

const struct kw conf_rows_table[] = {
    {"routes", VALUE_SEQUENCE, OBJECTS(route_table, routes), .object = &kind_static_route,
	MEANS(ROUTES, "static routes")},
    ROW_OWNER(route_table),
    ROW_TAGS(route_table),
    ROW_DESCRIPTION(route_table),
    {0},
};

const struct kw conf_rows_customer_gateway[] = {
    {"address", VALUE_IP, FIELD(customer_gateway, address, struct ip_addr), .required = true,
	MEANS(RENEGOTIATE,
	    "the peer's address; 0.0.0.0: any, then the peer must begin, and is known by its "
	    "remote-id")},
    {"asn", VALUE_ASN, FIELD(customer_gateway, asn, uint32_t),
	MEANS(SESSION, "the peer's AS number, for BGP")},
    ROW_OWNER(customer_gateway),
    ROW_TAGS(customer_gateway),
    ROW_DESCRIPTION(customer_gateway),
    {0},
};
