/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * sysfs alone: driver_override says which driver a device wants, drivers_probe lets it have it. The same steps as of
 * dpdk-devbind.py, with what that leaves to luck: an interface that carries addresses is not torn away, and a
 * machine without an IOMMU is told what that means.
 */

#include "transitctl/nic.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/text.h"
#include "transitctl/views.h"

#define DEVICES "/sys/bus/pci/devices"
#define VFIO    "vfio-pci"

enum { DONE = 0, REFUSED = 1, USAGE = 2 };

/* ---- sysfs ---- */

static bool read_line(const char *root, const char *path, char *out, size_t capacity)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "re");
	out[0] = '\0';
	if (!f)
		return false;
	if (fgets(out, (int)capacity, f))
		out[strcspn(out, "\n")] = '\0';
	fclose(f);
	return out[0] != '\0';
}

static int write_line(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *f;
	int rc = 0;

	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "we");
	if (!f)
		return -errno;
	if (fputs(text, f) < 0)
		rc = -EIO;
	if (fclose(f) != 0)
		rc = -errno;
	return rc;
}

static bool exists(const char *root, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return access(full, F_OK) == 0;
}

/* The last part of where a link leads; "" when there is none. */
static void link_name(const char *root, const char *path, char *out, size_t capacity)
{
	char full[512], target[512];
	ssize_t n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	n = readlink(full, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	text_copy(out, capacity, strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

/* ---- one NIC ---- */

struct nic {
	char address[16];
	char driver[64];
	char interface[IFNAMSIZ]; /* "": none */
	char device[16];          /* vendor:device */
	char node[8];
	bool iommu;
};

static void interface_of(const char *root, const char *address, char out[IFNAMSIZ])
{
	char path[256], full[512];
	DIR *dir;

	snprintf(path, sizeof(path), DEVICES "/%s/net", address);
	if (!exists(root, path)) /* virtio has it one level down */
		snprintf(path, sizeof(path), DEVICES "/%s/virtio0/net", address);
	snprintf(full, sizeof(full), "%s%s", root, path);
	out[0] = '\0';
	dir = opendir(full);
	if (!dir)
		return;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_name[0] != '.')
			text_copy(out, IFNAMSIZ, e->d_name);
	}
	closedir(dir);
}

/* False when there is no such device, or it is no NIC. */
static bool nic_read(const char *root, const char *address, struct nic *out)
{
	char path[256], text[64], vendor[16];

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), DEVICES "/%s/class", address);
	if (strlen(address) >= sizeof(out->address) || strchr(address, '/') ||
	    !read_line(root, path, text, sizeof(text)) || strncmp(text, "0x02", 4) != 0)
		return false;
	text_copy(out->address, sizeof(out->address), address);
	snprintf(path, sizeof(path), DEVICES "/%s/driver", address);
	link_name(root, path, out->driver, sizeof(out->driver));
	snprintf(path, sizeof(path), DEVICES "/%s/vendor", address);
	read_line(root, path, vendor, sizeof(vendor));
	snprintf(path, sizeof(path), DEVICES "/%s/device", address);
	read_line(root, path, text, sizeof(text));
	snprintf(out->device, sizeof(out->device), "%.4s:%.4s", vendor[0] ? vendor + 2 : "",
	    text[0] ? text + 2 : "");
	snprintf(path, sizeof(path), DEVICES "/%s/numa_node", address);
	read_line(root, path, out->node, sizeof(out->node));
	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", address);
	out->iommu = exists(root, path);
	interface_of(root, address, out->interface);
	return true;
}

/* ---- list ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *use_of(const struct nic *n)
{
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

	snprintf(dir, sizeof(dir), "%s" DEVICES, root);
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

/* An address on the interface, other than link-local IPv6: somebody may be logged in over it. */
static bool is_used(const char *interface)
{
	struct ifaddrs *all = NULL;
	bool used = false;

	if (!interface[0] || getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		used |= !strcmp(a->ifa_name, interface) && a->ifa_addr &&
		    a->ifa_addr->sa_family == AF_INET;
	freeifaddrs(all);
	return used;
}

/* The driver that the device has now lets go; `driver` "": whichever fits is next. */
static int hand_over(const char *root, const struct nic *n, const char *driver)
{
	char path[256];
	int rc;

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", n->address);
	rc = write_line(root, path, driver[0] ? driver : "\n");
	if (rc == 0 && n->driver[0]) {
		snprintf(path, sizeof(path), DEVICES "/%s/driver/unbind", n->address);
		rc = write_line(root, path, n->address);
	}
	return rc == 0 ? write_line(root, "/sys/bus/pci/drivers_probe", n->address) : rc;
}

/* VFIO without an IOMMU has to be allowed, and is told. */
static int allow_no_iommu(const char *root, const struct nic *n)
{
	int rc;

	if (n->iommu)
		return 0;
	rc = write_line(root, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
	if (rc == 0)
		fprintf(stderr,
		    "transitctl: %s: there is no IOMMU: the NIC can write to all memory of this "
		    "machine. Fine for a virtual NIC; elsewhere switch the IOMMU on (intel_iommu=on, "
		    "amd_iommu=on)\n",
		    n->address);
	return rc;
}

static int bind_one(const char *root, const char *address, bool force)
{
	struct nic n;
	int rc;

	if (!nic_read(root, address, &n))
		return refuse(address, "no network device has this PCI address; see nic list");
	if (!strcmp(n.driver, VFIO))
		return DONE;
	if (!force && is_used(n.interface))
		return refuse(address,
		    "its interface %s has addresses: whoever uses it would be cut off. Remove them "
		    "first, say force, or share it (device: af_xdp:%s)",
		    n.interface, n.interface);
	if (!exists(root, "/sys/bus/pci/drivers/" VFIO))
		return refuse(address, "the kernel has no " VFIO "; `modprobe " VFIO "` brings it");
	rc = allow_no_iommu(root, &n);
	if (rc < 0)
		return refuse(address, "there is no IOMMU, and VFIO without one is refused: %s",
		    strerror(-rc));
	rc = hand_over(root, &n, VFIO);
	return rc < 0 ? refuse(address, "%s", strerror(-rc)) : DONE;
}

static int unbind_one(const char *root, const char *address, bool force)
{
	struct nic n;
	int rc;

	if (!nic_read(root, address, &n))
		return refuse(address, "no network device has this PCI address; see nic list");
	rc = hand_over(root, &n, "");
	return rc < 0 ? refuse(address, "%s", strerror(-rc)) : DONE;
}

int nic_main(const char *root, bool json, char **words, int count)
{
	int (*one)(const char *, const char *, bool) = NULL;
	bool force = false;
	int rc = DONE, named = 0;

	if (count == 1 && !strcmp(words[0], "list"))
		return list(root, json);
	if (count > 1 && !strcmp(words[0], "bind"))
		one = bind_one;
	else if (count > 1 && !strcmp(words[0], "unbind"))
		one = unbind_one;
	for (int i = 1; i < count; i++)
		force |= !strcmp(words[i], "force");
	for (int i = 1; one && i < count; i++) {
		if (!strcmp(words[i], "force"))
			continue;
		named++;
		if (one(root, words[i], force) != DONE)
			rc = REFUSED;
	}
	if (named > 0)
		return rc;
	fputs("usage: transitctl nic list | bind ADDRESS... [force] | unbind ADDRESS...\n", stderr);
	return USAGE;
}
