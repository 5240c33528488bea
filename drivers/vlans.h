/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_VLANS_H
#define DRIVERS_VLANS_H

#include <rte_ethdev.h>

#include "drivers/port.h"

/* The offload that such a device must be configured with, or 0: it passes every VLAN by itself. */
uint64_t vlans_offload(const struct rte_eth_dev_info *info);

/*
 * Has a NIC that the kernel drives pass the VLANs of the rules. *hold (-1 before the first call) keeps it so until
 * vlans_let_go().
 */
void vlans_follow(const char *ifname, const struct port_steering *rules, int *hold);
void vlans_let_go(int *hold);

/* Tells a started device, configured with that offload, to pass every VLAN. 0, or -errno. */
int vlans_accept(uint16_t dpdk_id);

#endif
