/* SPDX-License-Identifier: BSD-3-Clause */

/* ioctl() on a socket of the moment: control lcore, rarely, no state. */

#include "drivers/kernel_if.h"

#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#include "base/mem.h"

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

/* How many features the kernel knows, or -errno. */
static int feature_count(const char *name)
{
	struct ethtool_sset_info *set = xcalloc(1, sizeof(*set) + sizeof(set->data[0]));
	struct ifreq req = {.ifr_data = (void *)set};
	int rc;

	set->cmd = ETHTOOL_GSSET_INFO;
	set->sset_mask = 1ull << ETH_SS_FEATURES;
	rc = request(name, SIOCETHTOOL, &req);
	if (rc == 0)
		rc = (int)set->data[0];
	free(set);
	return rc;
}

/* Number of the feature of that name; -ENOENT, or another -errno. */
static int feature_find(const char *name, const char *feature)
{
	int count = feature_count(name), found = -ENOENT, rc;
	struct ethtool_gstrings *strings;
	struct ifreq req = {0};

	if (count < 0)
		return count;
	strings = xcalloc(1, sizeof(*strings) + (size_t)count * ETH_GSTRING_LEN);
	*strings = (struct ethtool_gstrings){
	    .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = (uint32_t)count};
	req.ifr_data = (void *)strings;
	rc = request(name, SIOCETHTOOL, &req);
	for (int i = 0; rc == 0 && i < count; i++) {
		if (!strncmp((char *)strings->data + (size_t)i * ETH_GSTRING_LEN, feature,
			ETH_GSTRING_LEN))
			found = i;
	}
	free(strings);
	return rc < 0 ? rc : found;
}

static bool feature_is_on(const char *name, const char *which)
{
	int feature = feature_find(name, which);
	struct ethtool_gfeatures *all;
	struct ifreq req = {0};
	bool active;

	if (feature < 0)
		return false;
	all = xcalloc(1, sizeof(*all) + sizeof(all->features[0]) * ((unsigned)feature / 32 + 1));
	all->cmd = ETHTOOL_GFEATURES;
	all->size = (unsigned)feature / 32 + 1;
	req.ifr_data = (void *)all;
	active = request(name, SIOCETHTOOL, &req) == 0 &&
	    all->features[feature / 32].active >> (feature % 32) & 1;
	free(all);
	return active;
}

bool kernel_if_filters_vlans(const char *name)
{
	return feature_is_on(name, "rx-vlan-filter");
}

bool kernel_if_joins_segments(const char *name)
{
	return feature_is_on(name, "rx-gro") || feature_is_on(name, "rx-gro-hw") ||
	    feature_is_on(name, "rx-lro");
}

int kernel_if_take_all(const char *name)
{
	struct packet_mreq member = {
	    .mr_ifindex = (int)if_nametoindex(name), .mr_type = PACKET_MR_PROMISC};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof(member)) == 0)
		return fd;
	int rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
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
