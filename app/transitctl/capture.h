/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_CAPTURE_H
#define TRANSITCTL_CAPTURE_H

/*
 * Traced packets with their bytes into a pcapng file: each as often as it was seen, as it came, decrypted, encrypted,
 * as it left, and where it was dropped. A port is an interface of the file, a tunnel another; what is not in a frame
 * stands behind an Ethernet header of zeros.
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct capture;

/* Makes or empties `path`, readable for its owner alone; "-": standard output. NULL after a line on stderr. */
struct capture *capture_open(const char *path);
/* A packet of `trace read`; `start_ns`: the time of day at which its clock was zero. False after a line on stderr. */
bool capture_packet(struct capture *c, const json_t *packet, int64_t start_ns);
/* False after a line on stderr: not all of it is in the file. */
bool capture_close(struct capture *c);

#endif
