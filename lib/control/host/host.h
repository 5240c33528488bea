/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_HOST_H
#define HOST_HOST_H

/*
 * The host behind the router: one TUN device with our ends of the BGP sessions as its addresses. Its other
 * side is the kernel's TCP, so a session is an ordinary socket, seen by ss and tcpdump.
 *
 *   engine -> socket -> kernel's TCP -> TUN -> host_read() ... into the tunnel, or out of the port, of that session
 *   engine <- socket <- kernel's TCP <- TUN <- host_write() <- punted packets that belong to a session
 *
 * The host's own routing stays as it is. A routing table of our own has a default route, out of the TUN device, and
 * our addresses as local ones; rules lead to it what has one of these as its source, what is bound to the device
 * (sockets are both), and what comes from it. On any other interface they are nobody's: the kernel neither answers ARP for
 * them nor its own copies of frames that are the router's (af_packet).
 * The device goes with the process, with addresses and routes. The rules of one that was killed are found by the
 * number of the table, which belongs to the instance, and removed when it starts again. Several instances
 * may share a network namespace.
 *
 * IPv4. Control lcore only. Errors are -errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define HOST_TUN_MTU 1400 /* fits every tunnel over an outer MTU of 1500 */

struct host;

/* `instance`: a name that no other instance has, and this one had before, such as its run directory. */
int host_open(const char *instance, struct host **out);
void host_close(struct host *h); /* NULL is fine */
const char *host_ifname(const struct host *h);
int host_fd(const struct host *h); /* readable when the kernel sends */

int host_address_add(struct host *h, const struct ip_addr *addr);
void host_address_remove(struct host *h, const struct ip_addr *addr);

/* A packet that the kernel sends: its length, 0 when there is none, or -errno. */
int host_read(struct host *h, uint8_t *packet, size_t room);
/* A packet for the kernel; 0 or -errno: it is lost. */
int host_write(struct host *h, const uint8_t *packet, size_t len);

/* socket.c: non-blocking sockets on the device */

struct host_socket {
	struct ip_addr local, remote;
	uint16_t port;        /* host order; of the remote when connecting, ours when listening */
	uint8_t ttl, ttl_min; /* 0: as it comes, off */
	uint16_t mss;         /* 0: as it comes */
	const char *key;      /* TCP MD5 for that remote (RFC 2385); NULL: none */
};
/* A socket, or -errno. Connecting goes on when it is back: it becomes writable. */
int host_connect(const struct host *h, const struct host_socket *s);
int host_listen(const struct host *h, const struct host_socket *s);
/* A connection of a listening socket, and from whom; -EAGAIN: none. */
int host_accept(int listener, struct ip_addr *local, struct ip_addr *remote);
/* 0: connected; -EINPROGRESS; or why it failed. */
int host_connect_result(int fd);
/* Another key, or none, for the remote; on listening and on connected sockets. */
int host_set_key(int fd, const struct ip_addr *remote, const char *key);
bool host_has_unsent(int fd); /* what was written and not acknowledged */

#endif
