/* SPDX-License-Identifier: BSD-3-Clause */

/* ioctl() on a socket of the moment: control lcore, rarely, no state. */

#include "drivers/kernel_if.h"

#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

static int request(const char *name, unsigned long what, struct ifreq *req)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", name);
	rc = ioctl(fd, what, req) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

bool kernel_if_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

bool kernel_if_running(const char *name)
{
	struct ifreq req = {0};

	return request(name, SIOCGIFFLAGS, &req) == 0 && (req.ifr_flags & IFF_UP) &&
	    (req.ifr_flags & IFF_RUNNING);
}

int kernel_if_set_up(const char *name)
{
	struct ifreq req = {0};
	int rc = request(name, SIOCGIFFLAGS, &req);

	if (rc < 0 || (req.ifr_flags & IFF_UP))
		return rc;
	req.ifr_flags |= IFF_UP;
	return request(name, SIOCSIFFLAGS, &req);
}

int kernel_if_set_mtu(const char *name, uint16_t mtu)
{
	struct ifreq req = {.ifr_mtu = mtu};

	return request(name, SIOCSIFMTU, &req);
}

int kernel_if_keep_vlan_tags(const char *name)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq req = {.ifr_data = (void *)&flags};
	int rc = request(name, SIOCETHTOOL, &req);

	if (rc < 0 || !(flags.data & ETH_FLAG_RXVLAN))
		return rc == -EOPNOTSUPP ? 0 : rc;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data &= ~(uint32_t)ETH_FLAG_RXVLAN;
	return request(name, SIOCETHTOOL, &req);
}

static uint16_t at_least_one(uint32_t queues)
{
	if (queues == 0)
		return 1;
	return queues > UINT16_MAX ? UINT16_MAX : (uint16_t)queues;
}

struct kernel_if_queues kernel_if_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq req = {.ifr_data = (void *)&channels};

	if (request(name, SIOCETHTOOL, &req) < 0)
		return (struct kernel_if_queues){1, 1};
	return (struct kernel_if_queues){at_least_one(channels.combined_count),
	    at_least_one(channels.combined_count + channels.rx_count)};
}

void kernel_if_driver(const char *name, char out[32])
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq req = {.ifr_data = (void *)&info};

	out[0] = '\0';
	if (request(name, SIOCETHTOOL, &req) == 0)
		snprintf(out, 32, "%.31s", info.driver);
}

/* An abstract name of a socket belongs to the network namespace, and is free again whatever ended its process. */
int kernel_if_claim(const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int len =
	    snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "transitd interface %s", name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
		return fd;
	int rc = -errno;
	close(fd);
	return rc;
}

bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[capability / 32].effective & (1u << (capability % 32));
}
