/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_AFXDP_INTERNAL_H
#define DRIVERS_AFXDP_INTERNAL_H

/* What the files of this folder share. */

#include <net/if.h>

#include "afxdp/steer.h"
#include "afxdp/steer_layout.h"

struct steer {
	char ifname[IFNAMSIZ];
	int ifindex;
	int name_fd;   /* bound to the name that one process per interface has */
	int object_fd; /* of the program, until it is loaded */
	int mac_fd;    /* holds the MAC address of our own in the interface's filter */
	char path[32];
	char *note; /* file with the id of the program; NULL: none */
	struct steer_maps maps;
	int socket
	    [STEER_QUEUES]; /* of the driver; until steer_adopt(): those of other interfaces */
	unsigned sockets;
	struct steer_port port;
	bool follows_hosts; /* some VLAN is STEER_MODE_REST */
};

#endif
