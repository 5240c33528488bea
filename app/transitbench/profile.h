/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITBENCH_PROFILE_H
#define TRANSITBENCH_PROFILE_H

/*
 * What can be measured: a grid, named DIRECTION/ALGORITHM/SIZE/TUNNELS/ROUTES, such as out/aes128gcm16/64/1/1. A word
 * of the command line takes every profile whose name begins with it; a `*` stands for any one part.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/alg.h"

enum direction {
	DIR_OUT,   /* clear -> ESP */
	DIR_IN,    /* ESP -> clear */
	DIR_RELAY, /* ESP -> ESP, from tunnel to tunnel */
	DIR_PLAIN, /* clear -> clear */
};

struct profile {
	enum direction direction;
	enum alg_encr encr; /* ENCR_NONE with DIR_PLAIN */
	enum alg_auth auth;
	unsigned
	    bytes; /* of a clear frame without its checksum; 0: IMIX, 7 of 64, 4 of 576, 1 of 1424 */
	unsigned tunnels;
	bool ecmp; /* all tunnels in one group */
	unsigned routes;
};

#define PROFILE_NAME_MAX 64
const char *profile_name(const struct profile *p, char name[PROFILE_NAME_MAX]);
/* For people, in two parts: "clear to ESP, AES-128-GCM" and "64 B, 16 tunnels (ECMP), 1 route". */
const char *profile_group(const struct profile *p, char text[PROFILE_NAME_MAX]);
const char *profile_case(const struct profile *p, char text[PROFILE_NAME_MAX]);
/* The next of the grid; false at its end. Begin with *at = 0. */
bool profile_next(unsigned *at, struct profile *p);
/* Is it one of those measured without words? */
bool profile_is_default(const struct profile *p);
bool profile_matches(const struct profile *p, const char *word);
/* Does the grid have such a profile? If not, why: which part of the word, and what there is instead. */
bool profile_check(const char *word, char *why, size_t size);

#endif
