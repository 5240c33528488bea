/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_TRACE_H
#define TRANSITCTL_TRACE_H

/* `transitctl trace [--filter...]`: starts a trace, shows packets as they come or writes them to a file, and ends it. */

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/* `trace` with options alone; `trace start`, `read` and `stop` are commands as any other. */
bool trace_is(char **words, int count);

struct trace_output {
	bool json; /* the result of all in one piece at the end */
	const char *
	    write; /* a pcapng file for the packets themselves; "-": standard output, and no words there */
};

/*
 * Until the trace ends, or SIGINT or SIGTERM ends it. 0; or, after a line on stderr, -EIO when the file took not
 * all, -1 when transitd is gone; or -1 with *answer what it refused with.
 */
int trace_run(int fd, char **words, int count, const struct trace_output *output, json_t **answer);
/* For people. */
void trace_packet_print(const json_t *packet, FILE *to);

#endif
