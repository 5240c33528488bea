/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_LEASES_H
#define ROUTER_LEASES_H

/*
 * Gateway addresses that tunnels took from the transit router's cidr, kept in the state directory:
 * a new connection in the startup file never moves the addresses of the others (A5).
 */

#include "conf/conf.h"

struct leases {
	struct conf_lease *lease; /* names belong to it */
	unsigned count;
};

/* What an earlier run kept; nothing when there was none, or, after a log line, when the file is
 * damaged. Release with leases_free(). */
void leases_read(const char *state_dir, struct leases *out);
/* Those of a configuration that is in force. Release with leases_free(). */
void leases_of(const struct conf *conf, struct leases *out);
void leases_free(struct leases *leases);
/* Keeps those of a loaded file; touches nothing when they are the same. 0, or -errno. */
int leases_write(const char *state_dir, const struct conf *conf);

#endif
