/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_LINK_H
#define TRANSITCTL_LINK_H

#include <jansson.h>

/* The socket of a running transitd. */

/* A connected socket, or -errno after a line on stderr that says what to do. */
int link_open(const char *path);
/* Sends one request and waits for its answer, at most a minute: a new reference, or NULL after a
 * line on stderr. */
json_t *link_ask(int fd, const json_t *request);

#endif
