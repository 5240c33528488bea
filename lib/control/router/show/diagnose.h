/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_DIAGNOSE_H
#define ROUTER_DIAGNOSE_H

/* What the files of `diagnose` share. Control lcore only. */

#include <jansson.h>

#include "router/internal.h"
#include "router/show/finding.h"

struct report {
	struct router *r;
	const struct conf_connection *c;
	json_t *rows;
};

/* Adds a finding about a tunnel or the connection. */
void find(struct report *p, enum finding f, const char *about, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* diagnose_bgp.c: the session in a tunnel, where there is to be one */
void diagnose_bgp(struct report *p, const struct vpn_tunnel *t);

#endif
