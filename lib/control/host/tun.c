/* SPDX-License-Identifier: BSD-3-Clause */

/* The TUN device: its life, its addresses, its packets. */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "host/host.h"
#include "host/netlink.h"

#define TABLE_FIRST   UINT32_C(0x74720000) /* "tr": and 16 bits of the instance */
#define RULE_PRIORITY 5179

struct host {
	int tun, nl;
	char ifname[IFNAMSIZ];
	unsigned ifindex;
	uint32_t table;
};

static uint32_t table_of(const char *instance)
{
	uint32_t hash = UINT32_C(0x811c9dc5); /* FNV-1a */

	for (const char *c = instance; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT32_C(0x01000193);
	return TABLE_FIRST | ((hash ^ hash >> 16) & 0xffff);
}

static int tun_open(struct host *h)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "transit%%d");
	h->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (h->tun < 0 || ioctl(h->tun, TUNSETIFF, &request) < 0)
		return -errno;
	memcpy(h->ifname, request.ifr_name, sizeof(h->ifname));
	h->ifindex = if_nametoindex(h->ifname);
	return h->ifindex ? 0 : -errno;
}

/* The kernel would send router solicitations. It may have no IPv6 at all: then it does not. */
static void no_ipv6(const struct host *h)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", h->ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		errno = 0;
	close(fd);
}

static int link_up(const struct host *h)
{
	struct ifreq request = {.ifr_mtu = HOST_TUN_MTU};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	memcpy(request.ifr_name, h->ifname, sizeof(h->ifname));
	if (fd < 0 || ioctl(fd, SIOCSIFMTU, &request) < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		rc = -errno;
	request.ifr_flags |= IFF_UP;
	if (rc == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int routing_up(const struct host *h)
{
	int rc = netlink_rules_flush(h->nl, h->table);

	if (rc == 0)
		rc = netlink_default_route(h->nl, h->ifindex, h->table);
	if (rc == 0)
		rc = netlink_rule_if(h->nl, NETLINK_RULE_OUT, h->ifname, h->table, RULE_PRIORITY);
	if (rc == 0)
		rc = netlink_rule_if(h->nl, NETLINK_RULE_IN, h->ifname, h->table, RULE_PRIORITY);
	return rc;
}

int host_open(const char *instance, struct host **out)
{
	struct host *h = xcalloc(1, sizeof(*h));
	int rc;

	*out = h;
	h->tun = -1;
	h->table = table_of(instance);
	h->nl = netlink_open();
	rc = h->nl < 0 ? h->nl : tun_open(h);
	if (rc == 0) {
		no_ipv6(h);
		rc = link_up(h);
	}
	if (rc == 0)
		rc = routing_up(h);
	if (rc < 0) {
		host_close(h);
		*out = NULL;
	}
	return rc;
}

void host_close(struct host *h)
{
	if (!h)
		return;
	if (h->nl >= 0) {
		netlink_rules_flush(h->nl, h->table);
		close(h->nl);
	}
	if (h->tun >= 0)
		close(h->tun);
	free(h);
}

const char *host_ifname(const struct host *h)
{
	return h->ifname;
}

int host_fd(const struct host *h)
{
	return h->tun;
}

/*
 * The address is the host's for what comes through the device, and for nobody else: the kernel made a route for it in
 * the table that all packets are looked up in first, and ours takes its place. Frames of an af_packet port come to the
 * kernel as well as to the router, and it would answer its copy of a peer's SYN with a reset.
 */
static int local_here_only(struct host *h, const struct ip_addr *addr)
{
	int rc = netlink_local_route(h->nl, h->ifindex, addr, h->table, true);

	if (rc == 0)
		rc = netlink_local_route(h->nl, h->ifindex, addr, RT_TABLE_LOCAL, false);
	return rc == -ESRCH ? 0 : rc;
}

int host_address_add(struct host *h, const struct ip_addr *addr)
{
	int rc = netlink_address(h->nl, h->ifindex, addr, true);

	if (rc == 0)
		rc = local_here_only(h, addr);
	if (rc == 0)
		rc = netlink_rule_from(h->nl, addr, h->table, RULE_PRIORITY, true);
	return rc == -EEXIST ? 0 : rc;
}

void host_address_remove(struct host *h, const struct ip_addr *addr)
{
	netlink_rule_from(h->nl, addr, h->table, RULE_PRIORITY, false);
	netlink_local_route(h->nl, h->ifindex, addr, h->table, false);
	netlink_address(h->nl, h->ifindex, addr, false);
}

int host_read(struct host *h, uint8_t *packet, size_t room)
{
	ssize_t n = read(h->tun, packet, room);

	if (n >= 0)
		return (int)n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int host_write(struct host *h, const uint8_t *packet, size_t len)
{
	ssize_t n = write(h->tun, packet, len);

	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}
