/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * driver_override of sysfs says which driver a device wants, drivers_probe lets it have it. The same steps as of
 * dpdk-devbind.py, with what that leaves to luck: an interface that is in use is not torn away, a NIC whose driver
 * works beside DPDK stays with it, the driver is the one that this machine can have, and a machine without an IOMMU
 * is told what that means.
 */

#include "transitctl/nic.h"

#include <dirent.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "transitctl/nic_sysfs.h"
#include "transitctl/views.h"

#define VFIO    "vfio-pci"
#define UIO     "uio_pci_generic"
#define NOIOMMU "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

enum { DONE = 0, REFUSED = 1, USAGE = 2 };

/* ---- list ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* DPDK drives these through the kernel's driver, which keeps the interface. */
static bool is_shared(const struct nic *n)
{
	return !strcmp(n->driver, "mlx5_core") || !strcmp(n->driver, "mlx4_core");
}

static const char *use_of(const struct nic *n)
{
	if (is_shared(n))
		return "both";
	if (!strcmp(n->driver, VFIO) || !strncmp(n->driver, "uio", 3) ||
	    !strcmp(n->driver, "igb_uio"))
		return "transitd";
	return n->driver[0] ? "kernel" : "nobody";
}

static int list(const char *root, bool json)
{
	json_t *rows = json_array();
	struct dirent **entry;
	char dir[512];
	struct nic n;
	int count;

	snprintf(dir, sizeof(dir), "%s" PCI_DEVICES, root);
	count = scandir(dir, &entry, NULL, by_name);
	for (int i = 0; i < count; i++) {
		if (entry[i]->d_name[0] != '.' && nic_read(root, entry[i]->d_name, &n))
			json_array_append_new(rows,
			    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "address", n.address,
				"of", use_of(&n), "driver", n.driver, "interface", n.interface,
				"device", n.device, "numa-node", n.node, "iommu", n.iommu));
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
	if (json)
		json_dumpf(rows, stdout, JSON_INDENT(2));
	else if (json_array_size(rows) > 0)
		result_print("nic list", rows, stdout);
	else
		fputs("this machine has no PCI network devices; af_xdp:IF takes any interface",
		    stdout);
	if (json || json_array_size(rows) == 0)
		putchar('\n');
	json_decref(rows);
	return DONE;
}

/* ---- bind, unbind ---- */

struct how {
	const char *driver; /* NULL: the one that fits */
	bool force;         /* even when the interface is in use */
};

static int refuse(const char *address, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const char *address, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "transitctl: %s: ", address);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return REFUSED;
}

/* The driver that the device has now lets go; `driver` "": whichever fits is next. */
static int hand_over(const char *root, const struct nic *n, const char *driver)
{
	char path[256];
	int rc;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver_override", n->address);
	rc = sysfs_write(root, path, driver[0] ? driver : "\n");
	if (rc == 0 && n->driver[0]) {
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver/unbind", n->address);
		rc = sysfs_write(root, path, n->address);
	}
	return rc == 0 ? sysfs_write(root, "/sys/bus/pci/drivers_probe", n->address) : rc;
}

/*
 * VFIO where an IOMMU keeps the NIC to its memory, or the kernel can do without one (CONFIG_VFIO_NOIOMMU, which
 * Debian's has not); else UIO. NULL: neither is there.
 */
static const char *choose_driver(const char *root, const struct nic *n)
{
	if (nic_have_driver(root, VFIO) && (n->iommu || sysfs_exists(root, NOIOMMU)))
		return VFIO;
	return nic_have_driver(root, UIO) ? UIO : NULL;
}

/* Without an IOMMU VFIO has to be allowed, and whoever is at the keyboard has to know. */
static int allow_no_iommu(const char *root, const struct nic *n, const char *driver)
{
	int rc = 0;

	if (n->iommu && !strcmp(driver, VFIO))
		return 0;
	if (!strcmp(driver, VFIO))
		rc = sysfs_write(root, NOIOMMU, "Y");
	if (rc == 0)
		fprintf(stderr,
		    "transitctl: %s: %s: no IOMMU is used, so the NIC can write to all memory of "
		    "this machine. Fine for a virtual NIC; elsewhere switch the IOMMU on "
		    "(intel_iommu=on, amd_iommu=on)\n",
		    n->address, driver);
	return rc;
}

/* True when the NIC is to stay as it is, which was said. */
static bool stays(const char *root, const struct nic *n, bool force)
{
	char by[IFNAMSIZ];

	if (is_shared(n)) {
		refuse(n->address,
		    "%s works beside DPDK and stays: name the address as a device as it is",
		    n->driver);
		return true;
	}
	if (force || !nic_is_used(root, n, by))
		return false;
	refuse(n->address,
	    "its interface %s is in use (%s): whoever uses it would be cut off. Take addresses, bridge, "
	    "bond or VLAN off first, say force, or share it (device: af_xdp:%s)",
	    n->interface, by, n->interface);
	return true;
}

/* The kernel does not tell when a driver refuses a device. A tree of files has no kernel. */
static bool took_it(const char *root, const char *address, const char *driver)
{
	struct nic n;

	return root[0] || (nic_read(root, address, &n) && !strcmp(n.driver, driver));
}

static int unbind_one(const char *root, const char *address, const struct how *how)
{
	struct nic n;
	int rc;

	if (!nic_read(root, address, &n))
		return refuse(address, "no network device has this PCI address; see nic list");
	rc = hand_over(root, &n, "");
	return rc < 0 ? refuse(address, "%s", strerror(-rc)) : DONE;
}

static int bind_one(const char *root, const char *address, const struct how *how)
{
	const char *driver = how->driver;
	struct nic n;
	int rc;

	if (!nic_read(root, address, &n))
		return refuse(address, "no network device has this PCI address; see nic list");
	if (driver ? !strcmp(n.driver, driver) : !strcmp(use_of(&n), "transitd"))
		return DONE;
	if (stays(root, &n, how->force))
		return REFUSED;
	if (!driver)
		driver = choose_driver(root, &n);
	if (!driver || !nic_have_driver(root, driver))
		return refuse(address, "the kernel has no driver %s",
		    driver ? driver : VFIO " that works without an IOMMU, and no " UIO);
	rc = allow_no_iommu(root, &n, driver);
	if (rc < 0)
		return refuse(address, "there is no IOMMU, and VFIO without one is refused: %s",
		    strerror(-rc));
	rc = hand_over(root, &n, driver);
	if (rc < 0)
		return refuse(address, "%s", strerror(-rc));
	if (took_it(root, address, driver))
		return DONE;
	unbind_one(root, address, how);
	return refuse(address, "%s does not take it, and it went back; dmesg says why", driver);
}

/* Takes `force` and `driver NAME` out of the words; how many are left, or -1. */
static int take_options(char **words, int count, struct how *how)
{
	int left = 0;

	for (int i = 0; i < count; i++) {
		if (!strcmp(words[i], "force")) {
			how->force = true;
		} else if (!strcmp(words[i], "driver")) {
			if (++i == count || strchr(words[i], '/'))
				return -1;
			how->driver = words[i];
		} else {
			words[left++] = words[i];
		}
	}
	return left;
}

int nic_main(const char *root, bool json, char **words, int count)
{
	int (*one)(const char *, const char *, const struct how *) = NULL;
	struct how how = {0};
	int rc = DONE;

	if (count == 1 && !strcmp(words[0], "list"))
		return list(root, json);
	if (count > 1 && !strcmp(words[0], "bind"))
		one = bind_one;
	else if (count > 1 && !strcmp(words[0], "unbind"))
		one = unbind_one;
	count = one ? take_options(words + 1, count - 1, &how) : 0;
	if (count <= 0) {
		fputs("usage: transitctl nic list | bind ADDRESS... [driver NAME] [force] | "
		      "unbind ADDRESS...\n",
		    stderr);
		return USAGE;
	}
	for (int i = 1; i <= count; i++) {
		if (one(root, words[i], &how) != DONE)
			rc = REFUSED;
	}
	return rc;
}
