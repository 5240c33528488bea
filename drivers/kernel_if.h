/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_KERNEL_IF_H
#define DRIVERS_KERNEL_IF_H

/* Network interfaces of the kernel, of this process's network namespace, by name. */

#include <stdbool.h>
#include <stdint.h>

bool kernel_if_exists(const char *name);
/* Administratively up, and its carrier is there. False when it does not exist. */
bool kernel_if_running(const char *name);
/* 0 or -errno. */
int kernel_if_set_up(const char *name);
int kernel_if_set_mtu(const char *name, uint16_t mtu);
/* Received VLAN tags stay in the frames. 0 or -errno; 0 too when the driver never takes them off. */
int kernel_if_keep_vlan_tags(const char *name);
/* Does it drop frames of VLANs for which the kernel has no interface? */
bool kernel_if_filters_vlans(const char *name);
/* Are received TCP segments joined, beyond the MTU, before packet sockets see them (GRO, LRO)? */
bool kernel_if_joins_segments(const char *name);
/* Promiscuous until the descriptor is closed or the process ends, which gets no frames. Or -errno. */
int kernel_if_take_all(const char *name);

struct kernel_if_queues {
	uint16_t pairs; /* of an rx and a tx queue, which AF_XDP opens together */
	uint16_t rx;    /* all that receive */
};

/* Queues that are in use; 1 when the driver cannot tell. */
struct kernel_if_queues kernel_if_queues(const char *name);
/* "veth", "tun", "ixgbe"; "" when the driver cannot tell. */
void kernel_if_driver(const char *name, char out[32]);

/*
 * Makes the interface that of one router in this network namespace, until the descriptor is closed or the process
 * ends. -EADDRINUSE: another one has it; or another -errno. The interface need not exist.
 */
int kernel_if_claim(const char *name);

/* Whether this process has CAP_... of <linux/capability.h>. */
bool has_capability(unsigned capability);

#endif
