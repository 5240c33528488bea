/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_NIC_SYSFS_H
#define TRANSITCTL_NIC_SYSFS_H

/* NICs as sysfs shows them. `root` is "" for this machine; tests have a tree of files that looks like sysfs. */

#include <net/if.h>
#include <stdbool.h>

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_DRIVERS "/sys/bus/pci/drivers"

struct nic {
	char address[16];
	char driver[64];
	char interface[IFNAMSIZ]; /* "": none */
	char device[16];          /* vendor:device */
	char node[8];
	bool iommu;
};

/* False when there is no such device, or it is no NIC. */
bool nic_read(const char *root, const char *address, struct nic *out);

/* It has addresses, or a bridge, bond or VLAN on top; `by` gets the name of what is in use. */
bool nic_is_used(const char *root, const struct nic *n, char by[IFNAMSIZ]);

/* True when the kernel has the driver, after it was asked to load it. */
bool nic_have_driver(const char *root, const char *driver);

bool sysfs_exists(const char *root, const char *path);

/* 0, or -errno: what the kernel has against it. */
int sysfs_write(const char *root, const char *path, const char *text);

#endif
