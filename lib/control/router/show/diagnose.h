/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_DIAGNOSE_H
#define ROUTER_DIAGNOSE_H

/* What the files of `diagnose` share. Control lcore only. */

#include <jansson.h>

#include "router/internal.h"
#include "router/show/finding.h"

struct report {
	struct router *r;
	const struct conf_connection *c; /* NULL: an attachment of a port */
	const struct conf_attachment *a; /* NULL: the connection has none */
	json_t *rows;
	/* diagnose_routes.c: routes that are used, looked at once; NULL: not yet */
	json_t *routes_of; /* by attachment: an array of rows */
	json_t *routes_in; /* by table: how many to attachments */
};

/* Adds a finding about a tunnel, the connection, or the attachment. */
void find(struct report *p, enum finding f, const char *about, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A row of what `show` answers has that text under that key. */
bool row_has(const json_t *row, const char *key, const char *value);

/* diagnose_line.c: an attachment of a port */
void diagnose_line(struct report *p);

/* diagnose_routes.c */
void diagnose_routes(struct report *p);
void diagnose_routes_fini(struct report *p);

/* diagnose_policers.c */
void diagnose_policers(struct report *p);

/* diagnose_bgp.c: the session in a tunnel, or on an attachment of a port, where there is to be one */
void diagnose_tunnel_bgp(struct report *p, const struct vpn_tunnel *t);
/* `reached`: the neighbour is known to be there. */
void diagnose_line_bgp(struct report *p, const struct model_iface *iface, bool reached);

#endif
