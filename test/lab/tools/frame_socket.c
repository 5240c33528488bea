/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame_socket.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER_BYTES (32 << 20)
#define VLAN_TAG_BYTES       4

static void set_option(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		err(1, "%s", what);
}

int frame_open(const char *ifname)
{
	unsigned index = if_nametoindex(ifname);
	struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !index)
		err(1, "%s", ifname);
	sll.sll_ifindex = all.mr_ifindex = (int)index;
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES, "SO_RCVBUFFORCE");
	set_option(fd, SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA");
	set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
	if (bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		err(1, "%s", ifname);
	return fd;
}

/* The tag that the kernel set aside goes back behind the two MAC addresses. */
static void restore_tag(struct frame *f, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID) || f->len + VLAN_TAG_BYTES > FRAME_MAX)
			continue;
		uint16_t tag[2] = {
		    htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid
								    : ETHERTYPE_VLAN),
		    htons(aux.tp_vlan_tci)};
		memmove(f->bytes + 2 * ETH_ALEN + VLAN_TAG_BYTES, f->bytes + 2 * ETH_ALEN,
		    f->len - 2 * ETH_ALEN);
		memcpy(f->bytes + 2 * ETH_ALEN, tag, VLAN_TAG_BYTES);
		f->len += VLAN_TAG_BYTES;
	}
}

int frame_read(int fd, struct frame *f)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov = {.iov_base = f->bytes, .iov_len = sizeof(f->bytes)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &msg, 0);

	if (len < 0) /* ENETDOWN: the other end was pulled; it may come back */
		return errno == EAGAIN || errno == EINTR || errno == ENETDOWN ? 0 : -errno;
	if (len < ETH_HEADER_BYTES || (msg.msg_flags & MSG_TRUNC))
		return 0;
	f->len = (size_t)len;
	restore_tag(f, &msg);
	return 1;
}

int frame_write(int fd, const struct frame *f)
{
	while (send(fd, f->bytes, f->len, 0) < 0) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		if (errno == ENETDOWN || errno == ENXIO)
			return 0;
		if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			return -errno;
		poll(&p, 1, 1);
	}
	return 0;
}

unsigned frame_lost(int fd)
{
	struct tpacket_stats stats = {0};
	socklen_t len = sizeof(stats);

	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	return stats.tp_drops;
}
