/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_AFXDP_STEER_LAYOUT_H
#define DRIVERS_AFXDP_STEER_LAYOUT_H

/* What the XDP program and the process agree on: verdicts, and the layout of the maps. */

#include <linux/types.h>

#define STEER_PROGRAM   "transitd_steer" /* at most 15 characters, as the kernel keeps names */
#define STEER_QUEUES    256
#define STEER_VLANS     4096
#define STEER_ADDRESSES 65536

/*  X(enumerator, name, help): what became of a frame. Up to STEER_LAST_ROUTER it came to the router. */
#define STEER_VERDICT_LIST(X)                                                                      \
	X(ESP, "esp", "ESP to an address of the router")                                           \
	X(IKE, "ike", "UDP port 500 or 4500 to an address of the router")                          \
	X(ICMP, "icmp", "ICMP to an address of the router")                                        \
	X(NEIGHBOUR, "neighbour", "ARP or neighbour discovery for an address of the router")       \
	X(FRAGMENT, "fragment", "later fragment of ESP, UDP or ICMP to an address of the router")  \
	X(ATTACHMENT, "attachment", "on a VLAN, or to a MAC address, of an attachment")            \
	X(EVERYTHING, "everything", "the interface is the router's alone")                         \
	X(HOST, "host", "left to the kernel")                                                      \
	X(TRUNCATED, "truncated", "left to the kernel: shorter than its headers")                  \
	X(NO_SOCKET, "no-socket", "the router's, but left to the kernel: its queue is not open")

enum steer_verdict {
#define X(e, n, h) STEER_##e,
	STEER_VERDICT_LIST(X) STEER_VERDICTS
#undef X
};
#define STEER_LAST_ROUTER STEER_EVERYTHING

/* Whose the frames of a VLAN are (map steer_vlans, by VLAN; 0: untagged). */
enum steer_mode {
	STEER_MODE_HOST,      /* the kernel's */
	STEER_MODE_ADDRESSED, /* the router's, if for one of its addresses and of its protocols */
	STEER_MODE_REST,      /* the router's, but for what is for an address of the host */
	STEER_MODE_ALL,       /* the router's */
};

/* Key of the maps steer_ours and steer_hosts; the value is one byte without meaning. */
struct steer_address {
	__u16 vlan;   /* of steer_hosts: 0 */
	__u16 family; /* 4 or 6 */
	__u8 bytes[16];
};

/* The one element of the map steer_port. */
struct steer_port {
	__u8 everything; /* every frame is the router's */
	__u8 own_mac;    /* the router has a MAC address of its own: */
	__u8 mac[6];
};

#endif
