/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_PORT_H
#define DRIVERS_PORT_H

/*
 * One way to open any port, from the device string of the startup file to a started device:
 *
 *   "0000:03:00.0"      a PCI device that is bound to vfio-pci (or to a kernel driver DPDK shares)
 *   "af_packet:IF"      a kernel interface through a packet socket
 *   "af_xdp:IF"         a kernel interface through AF_XDP sockets, shared with the kernel
 *   "tap:NAME"          a TAP interface that this makes and whose other end is the kernel
 *   "virtio-user:PATH"  a vhost-user socket, or /dev/vhost-net
 *   "vdev:NAME,ARGS"    any DPDK virtual device: "vdev:net_pcap0,rx_pcap=in.pcap"
 *
 * All but the PCI address take further arguments of the DPDK driver after a comma.
 *
 * Control lcore, before workers start and after they have ended; port_link_up() at any time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mempool.h>

#include "base/ip.h"
#include "boundary/port.h"

#define PORT_WHY_MAX 320

struct port_spec {
	const char *name;   /* key under `ports:`; for the port's struct */
	const char *device; /* as above */
	uint16_t index;     /* order in the startup file; makes the device's name unique */
	uint16_t mtu;       /* bytes of an IP packet */
	uint16_t
	    queues; /* rx and tx queues; 0: one per worker, or all that an AF_XDP interface has */
	uint16_t workers;
	uint16_t descriptors;   /* per queue; the device may round it */
	bool promiscuous;       /* else only where the kind of device needs it */
	bool exclusive;         /* an AF_XDP interface is ours alone: leave nothing to the kernel */
	const char *record_dir; /* for notes that a next process needs; NULL: none */
	struct rte_ether_addr mac; /* all zero: the device's own */
	/* The device may assume that every packet it sends is a single reference to a buffer of
	 * `pool`, the only one there is, and free it cheaply. */
	bool fast_free;
	bool chained;             /* packets of several buffers may be sent */
	struct rte_mempool *pool; /* of packet_pool_create(), near the device */
	int node;                 /* of NUMA that the device is on; -1: none */
};

/*
 * What can be told before EAL runs: whether the string means anything, the device is there, and
 * this process may open it. 0, or -errno with `why`: what is wrong and what would be right.
 */
int port_check(const struct port_spec *spec, char why[PORT_WHY_MAX]);
/* True when EAL must be told of the device before it starts; then its PCI address. */
bool port_is_pci(const char *device, char address[32]);

/* Opens, configures and starts. NULL with errno and `why`; nothing of it is left open then. */
struct port *port_open(const struct port_spec *spec, char why[PORT_WHY_MAX]);
/* Workers must have ended. NULL is fine. */
void port_close(struct port *port);

/*
 * Which frames of an interface that the kernel uses too are for this port; the rest stays with the
 * kernel. Only devices of kind af_xdp: ask; before the first rules nothing comes to the port.
 */
enum port_share {
	PORT_SHARE_ADDRESSED, /* ESP, UDP 500 and 4500, ICMP, ARP, ND for `address` of that VLAN */
	PORT_SHARE_REST, /* unicast that is not for an address of the host, and ARP, ND for `address` */
	PORT_SHARE_ALL,
};
struct port_steered_vlan {
	uint16_t vlan; /* 0: untagged */
	enum port_share share;
};
struct port_steered_address {
	uint16_t vlan;
	struct ip_addr address;
};
struct port_steering {
	bool everything; /* every frame of every VLAN */
	unsigned vlan_count, address_count;
	struct port_steered_vlan *vlan; /* the others are the kernel's */
	struct port_steered_address *address;
};
/* Replaces the rules before, at any time. 0 (also for devices that are not shared), or -errno. */
int port_steer(struct port *port, const struct port_steering *rules);

/* Calls fn for each counter of the device beyond those of every ethdev. */
typedef void port_count_fn(void *ctx, const char *name, uint64_t value);
void port_counts(const struct port *port, port_count_fn *fn, void *ctx);

/* What a port must follow outside DPDK; once a second or so. */
void port_tend(struct port *port);

/* A descriptor that is readable when the link of a port may have changed that tells so itself; read 8 bytes. -1 with errno. */
int port_link_events(void);

/* The state of the link now. Also follows the carrier of kernel interfaces, which the DPDK drivers
 * for them do not. A few microseconds. */
bool port_link_up(struct port *port);

#endif
