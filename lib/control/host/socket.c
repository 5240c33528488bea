/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sockets on the device: bound to it, with the options that the session needs before its first packet. TTL and
 * least TTL (RFC 5082) and the MSS pass from a listening socket to its connections; keys (RFC 2385) do, too.
 */

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "host/host.h"

#define IP_MINTTL_OPTION 21 /* IP_MINTTL of linux/in.h, which netinet/in.h does not go with */
#define BACKLOG          4

static struct sockaddr_in address_of(const struct ip_addr *addr, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	memcpy(&a.sin_addr, addr->bytes, sizeof(a.sin_addr));
	return a;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

int host_set_key(int fd, const struct ip_addr *remote, const char *key)
{
	struct tcp_md5sig sig = {0};
	struct sockaddr_in addr = address_of(remote, 0);
	size_t len = key ? strlen(key) : 0;
	int rc;

	if (len > sizeof(sig.tcpm_key))
		return -EINVAL;
	memcpy(&sig.tcpm_addr, &addr, sizeof(addr));
	sig.tcpm_keylen = (uint16_t)len;
	memcpy(sig.tcpm_key, key ? key : "", len);
	rc = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)) < 0 ? -errno : 0;
	secret_wipe(&sig, sizeof(sig));
	return rc == -ENOENT && !key ? 0 : rc;
}

static int prepare(const struct host *h, int fd, const struct host_socket *s)
{
	const char *ifname = host_ifname(h);
	int rc = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname)) < 0)
		return -errno;
	rc = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0) /* our addresses are not local to every interface: see tun.c */
		rc = set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (rc == 0)
		rc = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (rc == 0 && s->ttl)
		rc = set(fd, IPPROTO_IP, IP_TTL, s->ttl);
	if (rc == 0 && s->ttl_min)
		rc = set(fd, IPPROTO_IP, IP_MINTTL_OPTION, s->ttl_min);
	if (rc == 0 && s->mss)
		rc = set(fd, IPPROTO_TCP, TCP_MAXSEG, s->mss);
	if (rc == 0 && s->key)
		rc = host_set_key(fd, &s->remote, s->key);
	return rc;
}

/* A socket with all options, bound to the local address and that port. */
static int open_bound(const struct host *h, const struct host_socket *s, uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;
	struct sockaddr_in local = address_of(&s->local, port);

	if (fd < 0)
		return -errno;
	rc = prepare(h, fd, s);
	if (rc == 0 && bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int host_connect(const struct host *h, const struct host_socket *s)
{
	struct sockaddr_in remote = address_of(&s->remote, s->port);
	int fd = open_bound(h, s, 0), rc;

	if (fd < 0 || connect(fd, (struct sockaddr *)&remote, sizeof(remote)) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int host_listen(const struct host *h, const struct host_socket *s)
{
	int fd = open_bound(h, s, s->port), rc;

	if (fd < 0 || listen(fd, BACKLOG) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static struct ip_addr ip_of(const struct sockaddr_in *a)
{
	return ip_from_bytes(IP_V4, (const uint8_t *)&a->sin_addr);
}

int host_accept(int listener, struct ip_addr *local, struct ip_addr *remote)
{
	struct sockaddr_in from = {0}, to = {0};
	socklen_t len = sizeof(from), to_len = sizeof(to);
	int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (getsockname(fd, (struct sockaddr *)&to, &to_len) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*local = ip_of(&to);
	*remote = ip_of(&from);
	return fd;
}

int host_connect_result(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	if (error)
		return -error;
	return getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0 ? -EINPROGRESS : 0;
}

bool host_has_unsent(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}
