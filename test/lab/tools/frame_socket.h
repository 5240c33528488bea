/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LAB_FRAME_SOCKET_H
#define LAB_FRAME_SOCKET_H

/*
 * One end of a cable: whole Ethernet frames from and to an interface, by AF_PACKET.
 *
 * The kernel takes the VLAN tag out of what it receives; frame_read() puts it back, so that a frame
 * is what was on the wire. Frames that this machine sends on the interface are not seen. The
 * receive buffer is large: a tool that stands for a cable must not lose packets itself, and
 * frame_lost() tells if it did.
 */

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX        9238 /* jumbo frame with a VLAN tag */
#define ETH_HEADER_BYTES 14

struct frame {
	size_t len;
	uint8_t bytes[FRAME_MAX];
};

/* Opens and binds; non-blocking. Ends the program with a message when it cannot. */
int frame_open(const char *ifname);
/* 1: *f is a frame; 0: nothing waits; -errno. */
int frame_read(int fd, struct frame *f);
/* 0, or -errno; a link that is down counts as a sent frame, as with a cable that is pulled. */
int frame_write(int fd, const struct frame *f);
/* Frames the kernel dropped since the last call because we were too slow. */
unsigned frame_lost(int fd);

#endif
