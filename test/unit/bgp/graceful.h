/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GRACEFUL_H
#define GRACEFUL_H

/* Peer 1 as one that may keep its routes over a restart or a refresh. */

#include "speaker.h"

#define O  "400101 00"
#define P  "400206 0201 0000fde9"
#define N  "400304 0a000001"
#define OK O P N

/* Capability 64: restart time 120 s, IPv4. R and N bits in the first octet, F bit in the last. */
#define GR(flags, family_flags) "40 06 " flags "78 0001 01 " family_flags

/* A session with peer 1, again if need be, with that capability (hex, may be ""). */
void graceful_up(struct speaker *s, const char *gr);
unsigned graceful_received(struct speaker *s);
unsigned graceful_stale(struct speaker *s);
/* Three routes and End-of-RIB. */
void graceful_learn(struct speaker *s);

#endif
