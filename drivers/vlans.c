/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Devices that drop tagged frames until they are told which VLANs to pass. Here VLANs are told apart in classify, so
 * that the device passes all of them.
 *
 * A NIC that the kernel drives passes those for which the kernel has an interface, which it has none for a VLAN of ours;
 * when it is promiscuous, all. A virtio NIC does so as soon as
 * its driver has agreed to be able to tell (VIRTIO_NET_F_CTRL_VLAN, virtio 1.1 section 5.1.6.5.3), which that of
 * DPDK always does.
 */

#include "drivers/vlans.h"

#include <string.h>
#include <unistd.h>

#include <rte_ether.h>

#include "base/log.h"
#include "drivers/kernel_if.h"

#define LOG "port"

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

static bool has_tagged(const struct port_steering *rules)
{
	bool tagged = rules->everything;

	for (unsigned i = 0; i < rules->vlan_count; i++)
		tagged |= rules->vlan[i].vlan != 0;
	return tagged;
}

void vlans_follow(const char *ifname, const struct port_steering *rules, int *hold)
{
	bool needed = has_tagged(rules) && kernel_if_filters_vlans(ifname);

	if (!needed && *hold >= 0)
		vlans_let_go(hold);
	if (!needed || *hold >= 0)
		return;
	*hold = kernel_if_take_all(ifname);
	if (*hold >= 0)
		log_write(LOG_INFO, LOG, ifname,
		    "promiscuous: it filters VLANs, and the kernel has no interface for ours");
	else
		log_write(LOG_WARNING, LOG, ifname,
		    "it filters VLANs and cannot be made promiscuous (%s): tagged frames may be missing; "
		    "`ethtool -K %s rx-vlan-filter off`",
		    strerror(-*hold), ifname);
}

void vlans_let_go(int *hold)
{
	if (*hold >= 0)
		close(*hold);
	*hold = -1;
}
