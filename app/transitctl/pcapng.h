/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_PCAPNG_H
#define TRANSITCTL_PCAPNG_H

/*
 * Ethernet frames into a pcapng file, as tcpdump and Wireshark read it. Interfaces are made as they appear, by name; a
 * packet may carry a comment. All are Ethernet, since tcpdump reads no file with several kinds of link.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum pcapng_direction { PCAPNG_NO_DIRECTION, PCAPNG_IN, PCAPNG_OUT };

struct pcapng_packet {
	const char *iface;
	enum pcapng_direction direction;
	uint64_t unix_ns;
	const uint8_t *bytes;
	uint32_t kept;       /* of them */
	uint32_t length;     /* that it had */
	const char *comment; /* UTF-8; NULL: none */
};

struct pcapng;

/* Writes to `to`, which stays the caller's, and begins with the head of a file. NULL with errno when it cannot. */
struct pcapng *pcapng_begin(FILE *to, const char *application);
/* False with errno: not, or not wholly, written. Whoever reads along has every packet at once. */
bool pcapng_write(struct pcapng *p, const struct pcapng_packet *packet);
void pcapng_end(struct pcapng *p);

#endif
