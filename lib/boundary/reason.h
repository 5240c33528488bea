/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_REASON_H
#define BOUNDARY_REASON_H

/*
 * Why a packet was dropped: one list gives enumerator, name in counters, and help. Every drop has
 * exactly one reason and is counted at the slot it was received on, so that the ledger balances
 * (M2).
 */

/*  X(enumerator, name, help) */
#define DROP_REASON_LIST(X)                                                                        \
	X(L2_TRUNCATED, "l2-truncated", "frame shorter than its Ethernet and VLAN header")         \
	X(L2_NOT_OURS, "l2-not-ours", "unicast frame for another MAC address")                     \
	X(VLAN_UNKNOWN, "vlan-unknown", "no uplink or attachment uses this port and VLAN")         \
	X(ETHERTYPE_UNKNOWN, "ethertype-unknown", "neither IPv4, IPv6 nor ARP")                    \
	X(IFACE_DOWN, "interface-down", "the interface is administratively down")                  \
	X(IP_MALFORMED, "ip-malformed", "IP version, header length or total length lies")          \
	X(IP_CHECKSUM, "ip-checksum", "IPv4 header checksum is wrong")                             \
	X(IP_OPTIONS, "ip-options", "IP options or extension headers that are not forwarded")      \
	X(IP_MARTIAN, "ip-martian", "source or destination that must not be on a wire")            \
	X(IP_FAMILY_OFF, "ip-family-off", "the interface carries no packets of this family")       \
	X(NOT_FOR_US, "not-for-us", "packet on an uplink whose destination is no gateway address") \
	X(CLEAR_ON_UPLINK, "clear-on-uplink", "unprotected packet where policy wants IPsec")       \
	X(LOCAL_UNWANTED, "local-unwanted", "for the router itself, but no service listens")       \
	X(TTL_EXCEEDED, "ttl-exceeded", "TTL or hop limit ran out")                                \
	X(NO_ROUTE, "no-route", "no route in the table of the ingress attachment")                 \
	X(BLACKHOLE, "blackhole", "the route is a blackhole")                                      \
	X(POLICY_DENIED, "policy-denied",                                                          \
	    "a routing policy does not let this ingress use the route")                            \
	X(NO_MEMBER, "no-member", "the next hop has no usable member")                             \
	X(NEIGH_UNRESOLVED, "neighbour-unresolved",                                                \
	    "no layer-2 address, and the queue to resolve it is full")                             \
	X(TUNNEL_DOWN, "tunnel-down", "the tunnel has no SA to send with")                         \
	X(TUNNEL_SELECTOR, "tunnel-selector", "outside the traffic selectors of the tunnel")       \
	X(MTU_EXCEEDED, "mtu-exceeded", "too big for the next hop and must not be fragmented")     \
	X(FRAG_FAILED, "fragmentation-failed", "could not be fragmented")                          \
	X(SA_EXPIRED, "sa-expired",                                                                \
	    "hard byte, packet or sequence-number limit of the SA reached")                        \
	X(ESP_TRUNCATED, "esp-truncated", "too short for header, IV, trailer and ICV")             \
	X(ESP_UNKNOWN_SPI, "esp-unknown-spi", "no SA has this SPI")                                \
	X(ESP_WRONG_PEER, "esp-wrong-peer", "outer addresses are not those of the SA")             \
	X(ESP_REPLAY, "esp-replay", "sequence number seen before")                                 \
	X(ESP_REPLAY_OLD, "esp-replay-old", "sequence number left of the replay window")           \
	X(ESP_ICV, "esp-icv", "integrity check failed")                                            \
	X(ESP_PADDING, "esp-padding", "decrypted, but padding or next header is wrong")            \
	X(ESP_SELECTOR, "esp-selector", "decrypted, but outside the traffic selectors of the SA")  \
	X(ESP_ECN, "esp-ecn",                                                                      \
	    "outer congestion mark on an inner packet that cannot carry it (RFC 6040)")            \
	X(ESP_DUMMY, "esp-dummy", "traffic-flow-confidentiality dummy packet (next header 59)")    \
	X(NATT_KEEPALIVE, "natt-keepalive", "NAT keepalive, its job was done on the way")          \
	X(UDP_MALFORMED, "udp-malformed", "UDP length or checksum is wrong")                       \
	X(BFD_INVALID, "bfd-invalid",                                                              \
	    "BFD packet of a wrong TTL, form, discriminator or source (RFC 5880 6.8.6)")           \
	X(CRYPTO_QUEUE_FULL, "crypto-queue-full", "the crypto device took no more work")           \
	X(CRYPTO_FAILED, "crypto-failed", "the crypto device reported an error")                   \
	X(HANDOFF_FULL, "handoff-full", "the worker that owns the SA took no more packets")        \
	X(REASSEMBLY, "reassembly", "outer fragment that could not be put together")               \
	X(PUNT_LIMITED, "punt-rate-limited", "for the control lcore, above the rate of its class") \
	X(PUNT_FULL, "punt-queue-full", "for the control lcore, whose queue is full")              \
	X(TX_QUEUE_FULL, "tx-queue-full", "the port took no more packets")                         \
	X(TX_PORT_DOWN, "tx-port-down", "the port has no link")                                    \
	X(NO_MBUF, "no-mbuf", "packet memory is exhausted")                                        \
	X(NO_HEADROOM, "no-headroom", "no room for the outer headers in the buffer")               \
	X(POLICED, "policed", "above the rate of the policer")

enum drop_reason {
#define X(e, n, h) DROP_##e,
	DROP_REASON_LIST(X) DROP_REASON_COUNT
#undef X
};

/* A function that judges a packet says one of enum drop_reason, or this. */
#define DROP_NOT DROP_REASON_COUNT

const char *drop_reason_name(enum drop_reason r);
const char *drop_reason_help(enum drop_reason r);

#endif
