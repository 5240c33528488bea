/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The node of a device is read where DPDK reads it, because it is needed before DPDK runs, and for the interfaces of
 * the kernel, whose drivers in DPDK take the node of the lcore that opens them for that of the NIC.
 */

#include "drivers/homes.h"

#include <stdio.h>
#include <string.h>

#include "drivers/device.h"

static bool is_usable(int node, uint32_t usable)
{
	return node >= 0 && node < NUMA_NODES_MAX && (usable >> node & 1);
}

int homes_of_workers(const int worker_node[], unsigned workers, uint32_t usable)
{
	unsigned best = 0;
	int home = -1;

	for (unsigned w = 0; w < workers; w++) {
		unsigned there = 0;

		if (!is_usable(worker_node[w], usable))
			continue;
		for (unsigned i = 0; i < workers; i++)
			there += worker_node[i] == worker_node[w];
		if (there > best) {
			best = there;
			home = worker_node[w];
		}
	}
	return home;
}

static uint8_t pool_on(struct port_homes *homes, int node)
{
	for (unsigned i = 0; i < homes->pools; i++) {
		if (homes->pool_node[i] == node)
			return (uint8_t)i;
	}
	homes->pool_node[homes->pools] = node;
	return (uint8_t)homes->pools++;
}

void homes_choose(struct port_homes *homes, const int port_node[], unsigned ports,
    const int worker_node[], unsigned workers, uint32_t usable)
{
	int home = homes_of_workers(worker_node, workers, usable), node[PORTS_MAX];
	bool at_home = ports == 0;

	memset(homes, 0, sizeof(*homes));
	if (home < 0 && usable) /* workers where there is no memory */
		home = __builtin_ctz(usable);
	for (unsigned p = 0; p < ports; p++) {
		bool own = is_usable(port_node[p], usable);

		homes->away[p] = usable && port_node[p] >= 0 && !own;
		node[p] = own ? port_node[p] : home;
		at_home |= node[p] == home;
	}
	if (at_home)
		pool_on(homes, home);
	for (unsigned p = 0; p < ports; p++)
		homes->pool_of[p] = pool_on(homes, node[p]);
}

int port_home_node_under(const char *sys, const char *device)
{
	char path[512], why[PORT_WHY_MAX];
	struct device d;
	int node = -1;
	FILE *f;

	if (device_parse(device, 0, &d, why) < 0)
		return -1;
	if (d.kind->traits & DEVICE_PCI)
		snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/numa_node", sys, d.target);
	else if (d.kind->traits & DEVICE_KERNEL_IF)
		snprintf(path, sizeof(path), "%s/class/net/%s/device/numa_node", sys, d.target);
	else
		return -1;
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &node) != 1)
		node = -1;
	fclose(f);
	return node;
}

int port_home_node(const char *device)
{
	return port_home_node_under("/sys", device);
}
