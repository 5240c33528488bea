/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_FINDING_H
#define ROUTER_FINDING_H

/*
 * What `diagnose` finds (O3, A22). One list gives code, severity and suggestion; codes are stable, the text of a
 * finding has the particulars. Errors of negotiation have the codes and suggestions of ike/error.h.
 */

/*  X(enumerator, code, severity, suggestion) */
#define FINDING_LIST(X)                                                                            \
	X(TUNNEL_UP, "TunnelUp", "ok", "")                                                         \
	X(TUNNEL_DOWN, "TunnelDown", "error",                                                      \
	    "see the last error of the tunnel; `tunnel up NAME` tries at once")                    \
	X(TUNNEL_ON_DEMAND, "TunnelOnDemand", "info",                                              \
	    "it negotiates with the first packet; `apply-immediately: yes` keeps it up")           \
	X(HEALTH_FAILED, "HealthCheckFailed", "error",                                             \
	    "check that the destination answers, and that the data center routes the source "      \
	    "address of the check back into this tunnel")                                          \
	X(HEALTH_CHECKING, "HealthCheckPending", "info", "wait for the first answer")              \
	X(BFD_DOWN, "BfdDown", "error",                                                            \
	    "check BFD of the peer, and that UDP 3784 with TTL 255 passes inside the tunnel")      \
	X(LINE_UP, "LineUp", "ok", "")                                                             \
	X(LINE_DOWN, "LineDown", "error", "check the cable, and the port at the far end")          \
	X(LINE_BFD_DOWN, "BfdDown", "error",                                                       \
	    "check BFD of the far end, and that UDP 3784 with TTL 255 passes")                     \
	X(NEIGHBOUR_SILENT, "NeighbourSilent", "error",                                            \
	    "nobody has that address on this line: check VLAN and address at both ends, and "      \
	    "that the far end is up")                                                              \
	X(LINE_DROPS, "PacketsDropped", "warning", "`show counters` tells where; see the reason")  \
	X(BGP_UP, "BgpUp", "ok", "")                                                               \
	X(BGP_NO_ROUTES, "BgpNoRoutes", "warning",                                                 \
	    "check what the peer exports to this session, and that it has the routes itself")      \
	X(BGP_OFF, "BgpDisabled", "info", "`bgp enable NAME` opens it again")                      \
	X(BGP_DOWN, "BgpDown", "error",                                                            \
	    "check at the peer: its address and AS number, ours in its configuration, `password` " \
	    "and `gtsm` alike on both sides, TCP 179 passes inside the tunnel")                    \
	X(BGP_KEY, "BgpKeyMismatch", "error", "set the same `password` on both sides, or on none") \
	X(BGP_TTL, "BgpTtlLow", "error",                                                           \
	    "switch TTL security (GTSM) on at the peer as well, or `gtsm` off here")               \
	X(BGP_REFUSED, "BgpRefused", "error",                                                      \
	    "check that BGP runs at the peer, and that it has our address as a neighbour")         \
	X(BGP_SILENT, "BgpNoAnswer", "error",                                                      \
	    "run `tcpdump -ni any tcp port 179` at the peer. No SYN of ours there: the way to "    \
	    "it, or its address. A SYN, and no answer: another `password` than here (on Linux "    \
	    "`nstat -az` counts TcpExtTCPMD5Failure, Unexpected or NotFound), or a packet "        \
	    "filter. An answer that goes out: the way back")                                       \
	X(NOT_ATTACHED, "NotAttached", "error",                                                    \
	    "add an attachment `{kind: vpn, connection: NAME}`")                                   \
	X(NOT_ASSOCIATED, "NoRoutesFromPeer", "error",                                             \
	    "associate the attachment with a route table: what comes out of the tunnels is "       \
	    "dropped")                                                                             \
	X(NO_ROUTES_TO_SITE, "MissingSideNetworks", "error",                                       \
	    "propagate VPC or VBR attachments into the table that this one is associated with, "   \
	    "or add static routes there")                                                          \
	X(NO_ROUTES_TO_PEER, "MissingSidePeer", "error",                                           \
	    "give the attachment `routes` to the data center, or BGP, and propagate them")         \
	X(NOT_PROPAGATED, "MissingSideTransitRouter", "error",                                     \
	    "no table that a network is associated with knows the data center: propagate the "     \
	    "attachment into it")                                                                  \
	X(ROUTES_REFUSED, "RoutesRefused", "info",                                                 \
	    "a routing policy keeps these attachments from the routes; `explain` names it")        \
	X(ROUTES_COMPLETE, "RoutesComplete", "ok", "")                                             \
	X(NOTHING_RECEIVED, "MissingSideDataCenter", "warning",                                    \
	    "packets go out and none comes back: the data center lacks a route back through the "  \
	    "tunnel, or the peer drops what it decrypts")                                          \
	X(DROPS, "PacketsDropped", "warning", "`show counters` tells where; see the reason")       \
	X(POLICED, "Policed", "warning",                                                           \
	    "send less, or raise the rate of that policer; `show policers` counts on")             \
	X(MTU_LOW, "MtuLow", "warning",                                                            \
	    "many packets are too big: lower the MTU of the sources, or raise that of the path")   \
	X(MTU, "Mtu", "ok", "")                                                                    \
	X(REDUNDANT, "RedundancyMet", "ok", "")                                                    \
	X(NOT_REDUNDANT, "RedundancyNotMet", "warning",                                            \
	    "bring the other tunnel up, or add it (`mode: dual`)")                                 \
	X(SINGLE_POINT, "SinglePointOfFailure", "warning",                                         \
	    "end the tunnels at two customer gateways")

enum finding {
#define X(e, code, severity, suggestion) FINDING_##e,
	FINDING_LIST(X) FINDING_COUNT
#undef X
};

#endif
