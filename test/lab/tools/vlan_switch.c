/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vlan_switch TRUNK VLAN:IF... - a switch with one trunk and one access interface for each VLAN.
 *
 * A frame with tag V from the trunk leaves untagged at V's interface, and the other way round. VLAN
 * 0 is the untagged traffic of the trunk. It stands in for the site's switch, so that hosts behind
 * one port of transitd need no VLAN support in the kernel. Prints "ready" and runs until it is
 * killed.
 */

#include "frame_socket.h"

#include <arpa/inet.h>
#include <err.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCESS_MAX     256
#define BURST          64
#define VLAN_ID_MASK   0x0fff
#define VLAN_TAG_BYTES 4
#define MACS_BYTES     (2 * ETH_ALEN)

struct access {
	unsigned vlan;
	int fd;
};

static int trunk;
static struct access access_of[ACCESS_MAX];
static unsigned access_count;

/* Takes the tag off; returns the VLAN, 0 when there was none. */
static unsigned untag(struct frame *f)
{
	uint16_t tag[2];

	memcpy(tag, f->bytes + MACS_BYTES, sizeof(tag));
	if (ntohs(tag[0]) != ETHERTYPE_VLAN || f->len < ETH_HEADER_BYTES + VLAN_TAG_BYTES)
		return 0;
	memmove(f->bytes + MACS_BYTES, f->bytes + MACS_BYTES + VLAN_TAG_BYTES,
	    f->len - MACS_BYTES - VLAN_TAG_BYTES);
	f->len -= VLAN_TAG_BYTES;
	return ntohs(tag[1]) & VLAN_ID_MASK;
}

static void tag(struct frame *f, unsigned vlan)
{
	uint16_t tag[2] = {htons(ETHERTYPE_VLAN), htons((uint16_t)vlan)};

	if (!vlan || f->len + VLAN_TAG_BYTES > FRAME_MAX)
		return;
	memmove(f->bytes + MACS_BYTES + VLAN_TAG_BYTES, f->bytes + MACS_BYTES, f->len - MACS_BYTES);
	memcpy(f->bytes + MACS_BYTES, tag, VLAN_TAG_BYTES);
	f->len += VLAN_TAG_BYTES;
}

static void from_trunk(void)
{
	static struct frame f;

	for (unsigned n = 0; n < BURST && frame_read(trunk, &f) > 0; n++) {
		unsigned vlan = untag(&f);

		for (unsigned i = 0; i < access_count; i++)
			if (access_of[i].vlan == vlan)
				frame_write(access_of[i].fd, &f);
	}
}

static void from_access(const struct access *a)
{
	static struct frame f;

	for (unsigned n = 0; n < BURST && frame_read(a->fd, &f) > 0; n++) {
		tag(&f, a->vlan);
		frame_write(trunk, &f);
	}
}

int main(int argc, char **argv)
{
	struct pollfd poll_of[ACCESS_MAX + 1];

	if (argc < 3 || argc - 2 > ACCESS_MAX)
		errx(2, "usage: %s TRUNK VLAN:IF...", argv[0]);
	trunk = frame_open(argv[1]);
	poll_of[0] = (struct pollfd){.fd = trunk, .events = POLLIN};
	for (int i = 2; i < argc; i++) {
		char *ifname;
		unsigned long vlan = strtoul(argv[i], &ifname, 10);

		if (*ifname++ != ':' || vlan > 4094)
			errx(2, "%s: not VLAN:IF", argv[i]);
		access_of[access_count] = (struct access){(unsigned)vlan, frame_open(ifname)};
		poll_of[access_count + 1] =
		    (struct pollfd){.fd = access_of[access_count].fd, .events = POLLIN};
		access_count++;
	}
	puts("ready");
	fflush(stdout);
	while (poll(poll_of, access_count + 1, -1) >= 0) {
		if (poll_of[0].revents)
			from_trunk();
		for (unsigned i = 0; i < access_count; i++)
			if (poll_of[i + 1].revents)
				from_access(&access_of[i]);
	}
	err(1, "poll");
}
