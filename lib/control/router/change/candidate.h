/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_CANDIDATE_H
#define ROUTER_CANDIDATE_H

/*
 * Files on their way from a client: longer than a request, they come in pieces, then a command takes them as a whole.
 * Nothing of them has an effect before. A client that dies half-way leaves nothing behind: its place is free at once
 * when its process is gone, and in any case after CANDIDATE_SILENCE.
 *
 * Only one client at a time may be about to apply something; a second one is told who the first is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

struct candidates;

#define CANDIDATES_MAX    16
#define CANDIDATE_SILENCE DUR_S(10)

struct candidates *candidates_create(void);
void candidates_free(struct candidates *all);

/* A token above 0; 0 with *why (of `capacity` bytes) when somebody else is about to write. */
uint32_t candidate_open(struct candidates *all, bool to_apply, uid_t uid, pid_t pid,
    struct mono now, char *why, size_t capacity);
/* Bytes in hexadecimal. 0, -ENOENT: no such token, -EINVAL, -EFBIG. */
int candidate_add(struct candidates *all, uint32_t token, const char *hex, struct mono now);
/* Takes the bytes out: for secret_free(*text, *len + 1). 0 or -ENOENT. */
int candidate_take(struct candidates *all, uint32_t token, char **text, size_t *len);

#endif
