/* SPDX-License-Identifier: BSD-3-Clause */

/* What sysfs tells of NICs and their drivers, and who uses an interface. */

#include "transitctl/nic_sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

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

int sysfs_write(const char *root, const char *path, const char *text)
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

bool sysfs_exists(const char *root, const char *path)
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

/* The first name in a folder that begins so; false when there is none. */
static bool first_entry(
    const char *root, const char *path, const char *begin, char *out, size_t capacity)
{
	char full[512];
	bool found = false;
	DIR *dir;

	snprintf(full, sizeof(full), "%s%s", root, path);
	dir = opendir(full);
	if (!dir)
		return false;
	for (struct dirent *e = readdir(dir); e && !found; e = readdir(dir)) {
		found = e->d_name[0] != '.' && !strncmp(e->d_name, begin, strlen(begin));
		if (found)
			text_copy(out, capacity, e->d_name);
	}
	closedir(dir);
	return found;
}

static void interface_of(const char *root, const char *address, char out[IFNAMSIZ])
{
	char path[256], bus[32];

	out[0] = '\0';
	snprintf(path, sizeof(path), PCI_DEVICES "/%s", address);
	if (first_entry(root, path, "virtio", bus, sizeof(bus))) /* which has it one level down */
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s/net", address, bus);
	else
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/net", address);
	first_entry(root, path, "", out, IFNAMSIZ);
}

bool nic_read(const char *root, const char *address, struct nic *out)
{
	char path[256], text[64], vendor[16];

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/class", address);
	if (strlen(address) >= sizeof(out->address) || strchr(address, '/') ||
	    !read_line(root, path, text, sizeof(text)) || strncmp(text, "0x02", 4) != 0)
		return false;
	text_copy(out->address, sizeof(out->address), address);
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", address);
	link_name(root, path, out->driver, sizeof(out->driver));
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/vendor", address);
	read_line(root, path, vendor, sizeof(vendor));
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/device", address);
	read_line(root, path, text, sizeof(text));
	snprintf(out->device, sizeof(out->device), "%.4s:%.4s", vendor[0] ? vendor + 2 : "",
	    text[0] ? text + 2 : "");
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/numa_node", address);
	read_line(root, path, out->node, sizeof(out->node));
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu_group", address);
	out->iommu = sysfs_exists(root, path);
	interface_of(root, address, out->interface);
	return true;
}

/* ---- who uses it ---- */

/* An address other than link-local IPv6: somebody may be logged in over it. */
static bool has_address(const char *interface)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (strcmp(a->ifa_name, interface) != 0 || !a->ifa_addr)
			continue;
		found |= a->ifa_addr->sa_family == AF_INET;
		found |= a->ifa_addr->sa_family == AF_INET6 &&
		    !IN6_IS_ADDR_LINKLOCAL(
			&((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr);
	}
	freeifaddrs(all);
	return found;
}

/* A bridge, bond or VLAN on top is a link "upper_br0" beside its attributes. */
bool nic_is_used(const char *root, const struct nic *n, char by[IFNAMSIZ])
{
	char path[256], upper[64];

	if (!n->interface[0])
		return false;
	text_copy(by, IFNAMSIZ, n->interface);
	snprintf(path, sizeof(path), "/sys/class/net/%s", n->interface);
	if (first_entry(root, path, "upper_", upper, sizeof(upper))) {
		text_copy(by, IFNAMSIZ, upper + strlen("upper_"));
		return true;
	}
	return has_address(n->interface);
}

/* ---- drivers ---- */

extern char **environ;

bool nic_have_driver(const char *root, const char *driver)
{
	char path[128], program[] = "modprobe", quiet[] = "-q", name[64];
	char *argv[] = {program, quiet, name, NULL};
	pid_t child;

	snprintf(path, sizeof(path), PCI_DRIVERS "/%s", driver);
	if (!sysfs_exists(root, path) && !root[0] && text_copy(name, sizeof(name), driver) &&
	    posix_spawnp(&child, "modprobe", NULL, NULL, argv, environ) == 0)
		waitpid(child, NULL, 0);
	return sysfs_exists(root, path);
}
