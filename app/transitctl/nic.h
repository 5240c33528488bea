/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_NIC_H
#define TRANSITCTL_NIC_H

/*
 * transitctl nic: what this machine has of NICs, and their way between the kernel and transitd. Local: no transitd
 * needs to run. Exit codes as of transitctl.
 *
 *   nic list                  PCI address, driver, interface, NUMA node, device
 *   nic bind ADDRESS...       from the kernel to vfio-pci, without an IOMMU perhaps to uio_pci_generic, or to
 *       [driver NAME] [force] the driver that is named; refuses an interface that is in use
 *   nic unbind ADDRESS...     back to the kernel's driver
 */

#include <stdbool.h>

/* Words after "nic". `root`: "" for this machine; tests have a tree of their own. */
int nic_main(const char *root, bool json, char **words, int count);

#endif
