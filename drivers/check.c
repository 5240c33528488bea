/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What stands in the way of a device, told before DPDK is asked: its drivers mostly answer "-1" and
 * put the reason into their log. Every text says what is wrong, where, and what would be right.
 */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/capability.h>

#include "drivers/device.h"
#include "drivers/kernel_if.h"

#ifndef AF_XDP
#	define AF_XDP 44
#endif

static int check_name(const char *name, char why[PORT_WHY_MAX])
{
	if (strlen(name) >= IFNAMSIZ || strchr(name, '/'))
		return device_refuse(why, -EINVAL,
		    "'%s' is no name of an interface: at most %d characters without '/'", name,
		    IFNAMSIZ - 1);
	return 0;
}

static int check_interface(const struct device *d, char why[PORT_WHY_MAX])
{
	int rc = check_name(d->target, why);

	if (rc == 0 && !kernel_if_exists(d->target))
		rc = device_refuse(why, -ENODEV,
		    "there is no interface '%s' in this network namespace; `ip -br link` lists "
		    "those that are",
		    d->target);
	return rc;
}

/* Tries to open a socket of that family: the kernel's own word on support and privilege. */
static int check_socket(int family, const char *what, char why[PORT_WHY_MAX])
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EPERM)
		return device_refuse(
		    why, -EPERM, "%s needs root, or the capability CAP_NET_RAW", what);
	if (errno == EAFNOSUPPORT)
		return device_refuse(why, -EAFNOSUPPORT, "this kernel has no %s", what);
	int rc = -errno;
	return device_refuse(why, rc, "%s: %s", what, strerror(-rc));
}

int check_af_packet(const struct device *d, char why[PORT_WHY_MAX])
{
	int rc = check_interface(d, why);

	return rc < 0 ? rc : check_socket(AF_PACKET, "a packet socket (AF_PACKET)", why);
}

int check_af_xdp(const struct device *d, char why[PORT_WHY_MAX])
{
	int rc = check_interface(d, why);

	if (rc == 0)
		rc = check_socket(AF_XDP, "AF_XDP", why);
	if (rc == 0 && !has_capability(CAP_NET_ADMIN))
		rc = device_refuse(
		    why, -EPERM, "AF_XDP needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF");
	return rc;
}

int check_tap(const struct device *d, char why[PORT_WHY_MAX])
{
	int rc = check_name(d->target, why);
	char driver[32];
	int fd;

	if (rc < 0)
		return rc;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return device_refuse(
		    why, -ENODEV, "there is no /dev/net/tun; `modprobe tun` brings it");
	if (fd < 0) {
		rc = -errno;
		return device_refuse(why, rc, "/dev/net/tun: %s; run as root", strerror(-rc));
	}
	close(fd);
	if (!has_capability(CAP_NET_ADMIN))
		return device_refuse(
		    why, -EPERM, "to make a TAP interface needs root, or CAP_NET_ADMIN");
	kernel_if_driver(d->target, driver);
	if (kernel_if_exists(d->target) && strcmp(driver, "tun") != 0)
		return device_refuse(why, -EEXIST,
		    "'%s' is another interface of this machine (%s); choose a name that is free",
		    d->target, driver[0] ? driver : "not a TAP");
	return 0;
}

/* A socket that DPDK is to make: the one that a killed process left behind goes. */
static int check_server_path(const char *path, char why[PORT_WHY_MAX])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, rc;

	if (!text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return device_refuse(why, -ENAMETOOLONG,
		    "the path of a socket has at most %zu characters", sizeof(addr.sun_path) - 1);
	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return device_refuse(why, -ENOTSOCK, "%s is there and no socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (rc != -ECONNREFUSED)
		return device_refuse(why, -EADDRINUSE, "another process listens on %s", path);
	unlink(path);
	return 0;
}

int check_virtio_user(const struct device *d, char why[PORT_WHY_MAX])
{
	struct stat st;

	if (device_awaits_peer(d))
		return check_server_path(d->target, why);
	if (stat(d->target, &st) < 0) {
		int rc = -errno;
		return device_refuse(why, rc,
		    "%s: %s; start the other end first, or add ',server=1' to be the one that "
		    "listens",
		    d->target, strerror(-rc));
	}
	if (!S_ISSOCK(st.st_mode) && !S_ISCHR(st.st_mode))
		return device_refuse(why, -ENOTSOCK,
		    "%s is neither a socket nor a vhost device such as /dev/vhost-net", d->target);
	return 0;
}

/* Kernel drivers under which DPDK can use a device: they hand it over, or share it. */
static bool is_usable_driver(const char *name)
{
	static const char *const usable[] = {
	    "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core", "mana", NULL};

	for (unsigned i = 0; usable[i]; i++) {
		if (!strcmp(name, usable[i]))
			return true;
	}
	return false;
}

int check_pci_under(const char *root, const char *address, char why[PORT_WHY_MAX])
{
	char path[256], link[256];
	const char *driver;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s", root, address);
	if (access(path, F_OK) < 0)
		return device_refuse(why, -ENODEV,
		    "there is no PCI device %s on this machine; `dpdk-devbind.py --status-dev net` "
		    "lists those that are",
		    address);
	snprintf(path, sizeof(path), "%s/%s/driver", root, address);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return device_refuse(why, -ENODEV,
		    "PCI device %s has no kernel driver; `dpdk-devbind.py -b vfio-pci %s` binds it",
		    address, address);
	link[len] = '\0';
	driver = strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
	if (!is_usable_driver(driver))
		return device_refuse(why, -EBUSY,
		    "PCI device %s belongs to the kernel (driver %s); `dpdk-devbind.py -b vfio-pci "
		    "%s` hands it over, or use af_xdp: with its interface",
		    address, driver, address);
	return 0;
}

int check_pci(const struct device *d, char why[PORT_WHY_MAX])
{
	return check_pci_under("/sys/bus/pci/devices", d->target, why);
}
