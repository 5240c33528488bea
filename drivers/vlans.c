/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Devices that drop tagged frames until they are told which VLANs to pass. A virtio NIC does so as soon as
 * its driver has agreed to be able to tell (VIRTIO_NET_F_CTRL_VLAN, virtio 1.1 section 5.1.6.5.3), which that of
 * DPDK always does. Here VLANs are told apart in classify, so the device passes all of them.
 */

#include "drivers/vlans.h"

#include <string.h>

#include <rte_ether.h>

uint64_t vlans_offload(const struct rte_eth_dev_info *info)
{
	if (strcmp(info->driver_name, "net_virtio") != 0)
		return 0;
	return info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
}

int vlans_accept(uint16_t dpdk_id)
{
	struct rte_eth_conf conf;
	int rc = rte_eth_dev_conf_get(dpdk_id, &conf);

	if (rc < 0 || !(conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER))
		return rc;
	for (uint16_t vlan = 1; vlan < RTE_ETHER_MAX_VLAN_ID && rc == 0; vlan++)
		rc = rte_eth_dev_vlan_filter(dpdk_id, vlan, 1);
	return rc;
}
