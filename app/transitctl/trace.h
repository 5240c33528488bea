/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_TRACE_H
#define TRANSITCTL_TRACE_H

/* `transitctl trace [--filter...]`: starts a trace, shows packets as they come, and ends it. */

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/* `trace` with options alone; `trace start`, `read` and `stop` are commands as any other. */
bool trace_is(char **words, int count);
/*
 * Until the trace ends, or SIGINT or SIGTERM ends it. With `json` the result of all in one piece at the end. 0; or
 * -1, with *answer what transitd refused with, or NULL after a line on stderr.
 */
int trace_run(int fd, char **words, int count, bool json, json_t **answer);
/* For people. */
void trace_packet_print(const json_t *packet, FILE *to);

#endif
