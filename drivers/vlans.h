/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_VLANS_H
#define DRIVERS_VLANS_H

#include <rte_ethdev.h>

/* The offload that such a device must be configured with, or 0: it passes every VLAN by itself. */
uint64_t vlans_offload(const struct rte_eth_dev_info *info);

/* Tells a started device, configured with that offload, to pass every VLAN. 0, or -errno. */
int vlans_accept(uint16_t dpdk_id);

#endif
