/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_AFXDP_STEER_H
#define DRIVERS_AFXDP_STEER_H

/*
 * The XDP program of an interface that the host uses too, from the side of the process.
 *
 *   steer_prepare  before DPDK opens the interface: nobody else has it, what a killed process left is
 *                  gone, the program is ready under a path that the driver of DPDK takes
 *   steer_adopt    after it has: the maps of the attached program are found
 *   steer_apply    the rules, at start and whenever they change
 *   steer_release  after DPDK has closed the interface
 *
 * Control lcore only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "drivers/port.h"

struct steer;

/*
 * `record_dir`: where to note which program is ours, so that the next process of this directory may
 * remove it without the privilege to look at programs of others; NULL: nowhere. NULL with errno and
 * why: EBUSY (another program or process has the interface), ENOMEM ...
 */
struct steer *steer_prepare(const char *ifname, const char *record_dir, char why[PORT_WHY_MAX]);
/* The file of the program, for the driver's argument xdp_prog. */
const char *steer_path(const struct steer *s);
/* 0, or -errno with why. */
int steer_adopt(struct steer *s, char why[PORT_WHY_MAX]);
/* Receive frames to this MAC address too, and tell the router's by it. 0 or -errno. */
int steer_own_mac(struct steer *s, const uint8_t mac[6]);
/* 0, or -errno: then some of the rules are in force. */
int steer_apply(struct steer *s, const struct port_steering *rules);
/* Follows the host's addresses, where rules depend on them. */
void steer_tend(struct steer *s);
void steer_counts(const struct steer *s, port_count_fn *fn, void *ctx);
/* NULL is fine. */
void steer_release(struct steer *s);

/* maps.c: the maps of a program, as file descriptors of this process that belong to the driver */
struct steer_maps {
	int program, vlans, ours, hosts, port, counts, sockets;
};
/* Looks through the descriptors of this process. 0 or -ENOENT. */
int steer_maps_find(uint32_t program_id, struct steer_maps *out);
void steer_maps_close(struct steer_maps *maps);
/* AF_XDP sockets of this process: at most `max` descriptors; returns how many. */
unsigned steer_sockets_find(int fds[], unsigned max);

#endif
